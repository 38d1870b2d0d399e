"""The colours of numbers: dark is little, bright is much, told apart also in grey and by the colour-blind."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.pictures.display import Rgb

SCALE: Final = (
    (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85), (227, 89, 51), (249, 140, 10),
    (249, 201, 50), (252, 255, 164),
)  # fmt: skip
"""sRGB at equal steps from 0 to 1, between which it is linear: "inferno" of van der Walt and Smith, 2015 (CC0)."""
_GOLDEN_TURN: Final = 0.61803398875  # neighbouring numbers get hues that are far apart


def scale_colours(values: NDArray[np.floating]) -> Rgb:
    """Return the colours [..., 3] of values [...]: 0 is nearly black, 1 and above pale yellow."""
    steps = len(SCALE) - 1
    table = np.array(SCALE, dtype=np.float32)
    entries = np.linspace(0, steps, 256)
    below = np.minimum(entries.astype(int), steps - 1)
    share = (entries - below)[:, None]
    lookup = np.rint(table[below] * (1 - share) + table[below + 1] * share).astype(np.uint8)
    return np.asarray(lookup[np.rint(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)])


def number_colours(numbers: NDArray[np.integer] | Sequence[int]) -> Rgb:
    """Return a colour [..., 3] for each number [...], neighbours far apart; black for what is below 0."""
    whole = np.asarray(numbers, dtype=np.int64)
    hue = (whole * _GOLDEN_TURN) % 1
    saturation = np.array([0.55, 0.8, 0.42])[whole % 3]
    value = np.array([0.95, 0.8, 0.66, 0.9])[whole % 4]
    # hue, saturation and value to red, green and blue: Smith, "Color gamut transform pairs", 1978, in closed form
    turn = (np.array([5.0, 3.0, 1.0]) + hue[..., None] * 6) % 6
    rgb = value[..., None] * (1 - saturation[..., None] * np.clip(np.minimum(turn, 4 - turn), 0, 1))
    return np.asarray(np.rint(np.where(whole[..., None] < 0, 0, rgb) * 255), dtype=np.uint8)
