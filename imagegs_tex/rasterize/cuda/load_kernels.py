"""Kernels with the numbers that they share with who launches them: each number stands in Python, once."""

from typing import Final

import torch

from imagegs_tex.formats.igs.quantized_set import EPSILON
from imagegs_tex.rasterize.backend import LOG2_E, TILE
from imagegs_tex.rasterize.cuda.driver import Double, Module, load

RECORD_HEAD: Final = 8
"""Floats of a Gaussian's record before its features; gaussian.cuh says what they are."""
MAX_COMPONENTS: Final = 32
_SHARED: Final = {
    "TILE": TILE, "RECORD_HEAD": RECORD_HEAD, "MAX_COMPONENTS": MAX_COMPONENTS, "EPSILON": EPSILON,
    "LOG2_E": Double(LOG2_E),
}  # fmt: skip


def load_kernels(source: str, device: torch.device, **own: int) -> Module:
    """Return a file of kernels/ for a device, compiled with the numbers of all files and its own."""
    return load(source, _SHARED | own, device)
