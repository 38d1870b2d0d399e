"""The importance mask: a grey image that says how much the error of each texel counts."""

from pathlib import Path

import numpy as np

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.material.resample import resampled
from imagegs_tex.formats.vocabulary import FloatTexels


def read_importance(
    path: Path, width: int, height: int, sizes: frozenset[tuple[int, int]] = frozenset()
) -> FloatTexels:  # fmt: skip
    """Read a mask.

    Args:
        path: a grey image, or one whose three colour channels are equal; an alpha channel must be constant
        width: texels of the stack that it belongs to
        height: texels
        sizes: other widths and heights that it may have, those of the maps before they were resampled as it will be

    Returns:
        float32 [H, W] >= 0: black is 0, white is 1, floats are taken as they are

    Raises:
        InputError: in one line: missing, unreadable, another size, not grey, NaN, infinite or negative, all black
    """
    texels, sample_format = read_image(path)
    where = printable(path)
    if (texels.shape[1], texels.shape[0]) not in {(width, height), *sizes}:
        raise InputError(
            f"{where}: the importance mask is {texels.shape[1]} x {texels.shape[0]} texels and the material "
            f"{width} x {height}; make it the same size"
        )
    grey = texels[..., 0]
    colours = texels.shape[2] - (1 - texels.shape[2] % 2)  # an even number has an alpha channel
    if any(not np.array_equal(grey, texels[..., channel]) for channel in range(1, colours)):
        raise InputError(f"{where}: the importance mask is in colour; give a grey image: black is 0, white is 1")
    if colours < texels.shape[2] and np.ptp(texels[..., -1]) > 0:
        raise InputError(f"{where}: the importance mask has an alpha channel; give a grey image without one")
    weights = np.ascontiguousarray(grey, dtype=np.float32) / np.float32(sample_format.max_value)
    if not (np.isfinite(weights).all() and weights.min() >= 0):
        raise InputError(f"{where}: the importance mask has NaN, infinite or negative texels; replace them")
    if weights.shape != (height, width):
        weights = resampled(weights[..., None], (width, height), (False, False))[..., 0].astype(np.float32)
    if weights.max() == 0:
        raise InputError(f"{where}: the importance mask is black everywhere, so that no texel counts; make some white")
    return weights
