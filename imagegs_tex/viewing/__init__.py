"""The command ``view``: a file's labelled pictures, and one page of them to send.

``gather`` decodes and compares, map by map, and keeps what pictures need; ``sheets`` draws PNG files of it, ``page``
makes one HTML file; ``run`` joins them and writes.
"""
