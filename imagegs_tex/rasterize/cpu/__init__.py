"""The cpu backend: numba kernels over tiles, float32, the same bits for every thread count."""
