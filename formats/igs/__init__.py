"""Bytes of an .igs file in, a quantized set out, and back; docs/igs-format.md is the law.

``container`` joins the sections; ``section_codecs`` stores each as a Zstandard frame or as coded planes
(``context_coder``, ``prediction_coder`` over ``binary_model``, ``range_coder``); ``quantized_set``: what codes mean.
"""
