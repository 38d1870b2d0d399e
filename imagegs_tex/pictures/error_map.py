"""How far a decode is from its source, texel by texel, as colours of a scale that a legend explains."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Samples, TextureMap
from imagegs_tex.metrics.scores import counted_channels, degrees_between, normal_axes, score_values
from imagegs_tex.pictures.colour_scale import scale_colours
from imagegs_tex.pictures.display import MapPart, Rgb
from imagegs_tex.pictures.reduce import mean_of_blocks

GAINS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
"""What :func:`fitting_gain` chooses from."""
_WITHIN_SCALE: Final = 95.0  # per cent of the texels
FULL_DEGREES: Final = 90.0
"""Angle at which the scale of normals ends with a gain of 1."""
_VALUES_AT_ONCE: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class ErrorMap:
    """The error of each texel."""

    values: NDArray[np.float32]  # [H, W], 0 and above, in units below
    full: float  # error at which the scale ends with a gain of 1
    unit: str  # "%" of the range of values, or "°" between normals

    def end(self, gain: float) -> float:
        """Return the error at which the scale ends."""
        return self.full / gain

    def legend(self, gain: float) -> str:
        """Return what the scale goes to, as a few words: "12.5 %" or "11°"."""
        return f"{self.end(gain):.3g}{'' if self.unit == '°' else ' '}{self.unit}"


def error_map(
    source: Samples,
    decoded: Samples,
    texture_map: TextureMap,
    part: MapPart | None = None,
    *,
    drawn: NDArray[np.bool_] | None = None,
    reduction: int = 1,
) -> ErrorMap:
    """Return how far two pictures of a map are apart.

    For normals the angle between them; for all else the root mean square difference over the channels that a score
    counts, in percent of the range: of [0, 1] for integers, of the codes for the log transfer. So the mean square of
    the values is the PSNR's.

    Args:
        source: [H, W, channels] in the map's sample format
        decoded: the same
        texture_map: the map
        part: only these channels; None: all that a score counts
        drawn: [H, W] where colours count; None: everywhere
        reduction: side of the squares of texels whose mean error is one value of the result

    Returns:
        values [H / reduction, W / reduction], rounded up
    """
    counted = counted_channels(texture_map)
    if part is not None:
        wanted = {*part.channels} if part.alpha is None else {*part.channels, part.alpha}
        counted = [channel for channel in counted if channel in wanted] or sorted(wanted)
    axes = normal_axes(texture_map)
    is_normal = axes is not None and (part is None or set(part.channels) <= set(axes))
    height, width = source.shape[:2]
    rows = max(1, _VALUES_AT_ONCE // (width * len(counted)) // reduction) * reduction
    blocks = []
    for top in range(0, height, rows):  # bounds the memory of temporaries
        pair = [samples[top : top + rows] for samples in (source, decoded)]
        if is_normal:
            values = degrees_between(pair[0][..., axes], pair[1][..., axes], texture_map)
        else:
            first, second = (score_values(samples[..., counted], texture_map) for samples in pair)
            squares = np.square(first - second)
            if drawn is not None:
                colours = [texture_map.channel_semantics[channel] in COLOUR_SEMANTICS for channel in counted]
                squares[..., colours] *= drawn[top : top + rows, :, None]
            values = 100 * np.sqrt(squares.mean(axis=-1))
        blocks.append(mean_of_blocks(np.asarray(values, dtype=np.float32)[..., None], reduction)[..., 0])
    return ErrorMap(np.concatenate(blocks), FULL_DEGREES if is_normal else 100.0, "°" if is_normal else "%")


def fitting_gain(error: ErrorMap) -> float:
    """Return the largest of GAINS with which 95 % of the texels stay within the scale; the first where none does."""
    high = float(np.percentile(error.values, _WITHIN_SCALE))
    return max((gain for gain in GAINS if high * gain <= error.full), default=GAINS[0])


def show_error(error: ErrorMap, gain: float) -> Rgb:
    """Show an error map.

    Args:
        error: what to show
        gain: above 0; an error of ``error.full / gain`` and above has the last colour of the scale

    Returns:
        uint8 [H, W, 3]
    """
    return scale_colours(error.values * np.float32(gain / error.full))
