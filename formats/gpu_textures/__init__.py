"""Pixel formats and levels in, DDS or KTX 2 files out."""
