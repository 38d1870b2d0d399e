"""What a file's layers of cosines add to the picture of its Gaussians."""

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.repeat_picture import repeat_level, repeat_picture
from imagegs_tex.formats.igs.residual_picture import residual_level, residual_picture


def added_picture(
    quantized: QuantizedGaussianSet, size: tuple[int, int], rows: slice | None = None, threads: int = 1
) -> NDArray[np.float32] | None:
    """Return the sum of repeat and residual, each rounded to float32 [rows, W, C]; None: the file has neither.

    Args:
        quantized: the file's content
        size: width and height of the picture
        rows: of it; None for all
        threads: that draw, whose number changes nothing
    """
    own = (quantized.width, quantized.height)
    repeat = None if quantized.repeat is None else repeat_picture(quantized.repeat, own, size, rows)
    if quantized.residual is None:
        return repeat
    return _sum(repeat, residual_picture(quantized.residual, own, size, rows, threads))


def added_level(quantized: QuantizedGaussianSet, level: int) -> NDArray[np.float32] | None:
    """Return what layers add to a level of a mip chain that is a difference [h, w, C]; None where none does.

    A residual whose blocks are smaller than the level's texels adds nothing: docs/gpu-buffer.md, "Levels".

    Args:
        quantized: the file's content
        level: at least 2; texels are 2^level texels of the picture, at most a repeat's block
    """
    own = (quantized.width, quantized.height)
    repeat = None if quantized.repeat is None else repeat_level(quantized.repeat, own, level)
    if quantized.residual is None or level > quantized.residual.side_log2:
        return repeat
    return _sum(repeat, residual_level(quantized.residual, own, level))


def _sum(repeat: NDArray[np.float32] | None, residual: NDArray[np.float32]) -> NDArray[np.float32]:
    return residual if repeat is None else repeat + residual
