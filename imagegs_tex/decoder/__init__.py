"""A quantized set in, maps out: dequantize, render, mix the channels, and give each map its sample format back.

``render`` does it for files, scores and exports alike, and renders the coarse levels that shader decoders read.
"""
