"""Decoded maps in, textures out: ``mip_chain`` makes the levels, ``block_compression`` their blocks.

``export_maps`` is the way in: it plans a pixel format by what a map means, and has containers written by
``formats.gpu_textures``.
"""
