"""A quantized set in, its decoder out: GLSL or HLSL, a buffer, a description and a page that explains them.

``build_decoder`` fills source/ with ``file_constants``, ``footprint_constants`` and ``accessors``, packs the buffer
(``gpu_buffer``) of records, tile index and coarse levels, and translates by ``glsl_to_hlsl``; ``emit`` writes it all.
"""
