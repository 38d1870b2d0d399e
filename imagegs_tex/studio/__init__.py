"""The studio: compress a material in a browser, watch it appear, turn the light on it, and take the file home.

:func:`imagegs_tex.studio.serve.serve` runs it. Pages and forms are Gradio's, which nothing else in the project imports;
what visitors send and get goes over routes of our own (:mod:`.routes`), so that no path from outside is ever opened.
"""
