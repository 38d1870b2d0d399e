"""The cpu backend: numba kernels over tiles, float32, the same bits for every thread count.

``tile_lists`` says which Gaussians touch which tile, ``kernels`` and ``normal_equations`` go through them with the
vectors of ``simd``, ``threads`` shares the tiles out, and ``backend`` joins them.
"""
