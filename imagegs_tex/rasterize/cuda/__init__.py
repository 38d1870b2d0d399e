"""The cuda backend: kernels/ compiled by torch's own NVRTC, float32, the same bits from every run on one GPU."""
