"""The cuda backend: kernels/ compiled by torch's own NVRTC, float32, the same bits from every run on one GPU.

``load_kernels`` gives kernels the constants that Python holds, ``driver`` compiles and launches, ``cubin_cache`` keeps
what was compiled, ``tile_lists`` says which Gaussians touch which tile, ``backend`` launches the kernels over them.
"""
