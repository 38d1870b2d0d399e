"""A quantized set in, maps out: dequantize, render, mix the channels, and give each map its sample format back."""
