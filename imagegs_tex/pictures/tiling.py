"""A map beside itself, and its mip levels beside one another."""

from collections.abc import Sequence

import numpy as np

from imagegs_tex.pictures.display import Rgb


def tiled(picture: Rgb, across: int = 2, down: int = 2) -> Rgb:
    """Return a picture laid beside itself, uint8 [down * H, across * W, 3]: where it does not repeat, seams show."""
    return np.tile(picture, (down, across, 1))


def level_strip(levels: Sequence[Rgb], gap: int = 4, ground: tuple[int, int, int] = (27, 28, 31)) -> Rgb:
    """Return mip levels from left to right, their upper edges in one line.

    Args:
        levels: uint8 [H, W, 3], the largest first
        gap: pixels between them
        ground: colour between and below them
    """
    height = max(level.shape[0] for level in levels)
    width = sum(level.shape[1] for level in levels) + gap * (len(levels) - 1)
    strip = np.full((height, width, 3), ground, dtype=np.uint8)
    x = 0
    for level in levels:
        strip[: level.shape[0], x : x + level.shape[1]] = level
        x += level.shape[1] + gap
    return strip
