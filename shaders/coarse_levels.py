"""The levels of a mip chain that lie in the buffer, made when a decoder is built; none of it is in a file.

Level l has a texel for every 2^l x 2^l texels of the picture, the mean of those inside: a box filter, as in the mip
chains of L. Williams ("Pyramidal Parametrics", 1983). Level 1 is four decodes. Levels 2 and 3 are one decode with every
Gaussian widened by the level's texels, and what the means differ from that, stored in few bits (level_blocks.py): a
quotient of filtered sums is not the filtered quotient, but so near that most of the difference is 0. It is nearer, by
2 dB in the mean, where Gaussians that are small against a texel weigh half as much as in those sums: they make less
of the quotient than of a sum, about B log(1 + 1 / B) times that among others of weight B. From level 4 on a level is
stored itself. All pictures have one step, or in proportion: the finest with which they fit into their share.

Nine cases near the reference's PSNR, dB of level 2 over level 0 at equal bytes: stored itself -5.4 to +4.0, with the
difference +1.9 to +7.0 even as sums weigh. Other ways: docs/experiments/minification.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.derived_z import derived_normals, with_derived
from imagegs_tex.shaders.level_blocks import (
    LEVELS_PER_SET,
    PLANNED,
    STEP_LOG2,
    TEXEL_LOG2,
    Transformed,
    pack,
    plan,
    sampled,
    size_of,
    transform,
)

FIRST_LEVEL: Final = 2
DIRECT_LEVEL: Final = 4
"""The first level that is stored itself; with exact samples, which have no Gaussians to widen, it is the first one.
Texels of levels before it lie within a repeat's blocks, whose cosines tell their means: of 4 x 4 texels, it is 3."""

SHARE: Final = 2, 5
"""Of what a material takes without levels, these take 2/5 at most: 2/7 of all."""
LEAST_SHARE: Final = 2048, 4096
"""Bytes that they may take in small pictures, where tables would leave nothing to blocks; and with a repeat, which says
little of what the picture's size is. In 2,048 bytes a facade of 1024 x 1024 texels whose buffer has 5,040 without them
has 31.5 dB at level 4, in 4,096 it has 43.6 and takes 2,452; its level 0 has 38.3."""

_STEPS: Final = 577
"""Steps to choose from, 64 to an octave: the finest is 1/256, the coarsest 2."""
_DIRECT_STEP: Final = 7, 10
"""Step of the first level stored itself, over that of differences, most of which are 0."""
_NEXT_STEP_LOG2: Final = -2
"""Step of such a picture over that of the one three levels below, whose means are finer than its texels."""
_SEARCHED: Final = 256
"""Blocks by which the step is searched for, at most."""
_ROWS: Final = 256
"""Of a band, an even number."""
_SUM_LOG2: Final = 16
"""Texels are added up in units of 2^-16."""


@dataclass(frozen=True, slots=True)
class LevelRange:
    """Which levels a material has."""

    first: int  # that is stored; level l has texels of 2^l texels of the picture
    direct: int  # the first that is stored itself
    last: int  # of one texel
    sizes: tuple[tuple[int, int], ...]  # texels across and down, of the first one, the next, ... the last one
    value_count: int  # V, coded channels and what derived_z.py adds

    @property
    def set_levels(self) -> tuple[int, ...]:
        """The levels whose pictures are stored, each of the direct ones for the two behind it, too."""
        return (*range(self.first, self.direct), *range(self.direct, self.last + 1, LEVELS_PER_SET))


@dataclass(frozen=True, slots=True)
class LevelPictures:
    """What levels are made of."""

    texels: NDArray[np.float32]  # [H, W, C] the picture, in [0, 1]
    widened: tuple[NDArray[np.float32], ...]  # [h, w, C] of each level that is a difference


@dataclass(frozen=True, slots=True)
class CoarseLevels:
    """All stored levels of a material, as the buffer holds them."""

    range: LevelRange
    step: float  # of differences
    words: NDArray[np.uint32]


def level_range(quantized: QuantizedGaussianSet) -> LevelRange:
    """Return the levels of a set."""
    direct = FIRST_LEVEL if quantized.exact is not None else DIRECT_LEVEL
    if quantized.repeat is not None:
        direct = min(direct, quantized.repeat.blocks.side_log2 + 1)
    last = max(direct, (max(quantized.width, quantized.height) - 1).bit_length())
    sizes = tuple(_size(quantized, level) for level in range(FIRST_LEVEL, last + 1))
    values = quantized.channel_count + len(derived_normals(quantized.maps))
    return LevelRange(FIRST_LEVEL, direct, last, sizes, values)


def _size(quantized: QuantizedGaussianSet, level: int) -> tuple[int, int]:
    return -(-quantized.width >> level), -(-quantized.height >> level)


def level_widening(level: int) -> float:
    """Return the variance of a level's texels along an axis, in square texels of the picture: that of 2^l points."""
    return float((4**level - 1) / 12)


def index_widening(quantized: QuantizedGaussianSet) -> float:
    """Return by how much supports are widened where Gaussians are listed: 1.3 % more bytes, and no seams at tiles."""
    found = level_range(quantized)
    return level_widening(found.direct - 1) if found.direct > found.first else 0.0


def levels_limit(rest: int, *, repeats: bool = False) -> int:
    """Return how many bytes levels may take, by what a material takes without them, and whether it has a repeat."""
    share, of = SHARE
    return max(share * rest // of, LEAST_SHARE[repeats])


def coarse_levels(quantized: QuantizedGaussianSet, pictures: LevelPictures, max_bytes: int) -> CoarseLevels:
    """Make the levels of a set.

    Args:
        quantized: the set
        pictures: of the set
        max_bytes: what they take at most, if the coarsest step allows it
    """
    found = level_range(quantized)
    transformed = _transformed(quantized, pictures, found)
    some = [sampled(picture, _SEARCHED) for picture in transformed]
    low, high = 0, _STEPS - 1  # the finest that fits, as far as can be told from some of the blocks
    while low < high:
        middle = (low + high) // 2
        if 4 * _words_about(transformed, some, _steps(found, _step(middle))) > max_bytes:
            low = middle + 1
        else:
            high = middle
    words = _packed(transformed, found, _step(high))
    while words.nbytes > max_bytes and high < _STEPS - 1:
        high = min(_STEPS - 1, high + 1 + _steps_off(words.nbytes - max_bytes, max_bytes))
        words = _packed(transformed, found, _step(high))
    finer = max(0, high - _steps_off(max_bytes - words.nbytes, max_bytes))
    if words.nbytes <= max_bytes and finer < high:
        more = _packed(transformed, found, _step(finer))
        if more.nbytes <= max_bytes:
            high, words = finer, more
    return CoarseLevels(found, _step(high) * 2.0**-STEP_LOG2, words)


def _steps_off(off_bytes: int, max_bytes: int) -> int:
    """Return by how many steps bytes are off, about: an octave makes half of them at first, and then less."""
    return 64 * off_bytes // max_bytes


def _step(number: int) -> int:
    """Return a step by its number, in 2^-22."""
    return 64 + (number & 63) << (STEP_LOG2 - 14) + (number >> 6)


def _transformed(quantized: QuantizedGaussianSet, pictures: LevelPictures, found: LevelRange) -> list[Transformed]:
    sums, counts = _level_1(quantized, pictures.texels)
    result = []
    for level in range(2, found.last + 1):
        sums, counts = _halved(sums), _halved(counts)
        if level not in found.set_levels:
            continue
        more = TEXEL_LOG2 - _SUM_LOG2
        means = ((sums << more + 1) + counts) // (2 * counts)
        if level < found.direct:
            means -= _whole(with_derived(quantized.maps, pictures.widened[level - found.first])) << more
        result.append(transform(means, level >= found.direct))
    return result


def _level_1(
    quantized: QuantizedGaussianSet, texels: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """Return the sums of 2 x 2 texels and how many there are, made in bands: whole, they took 28 bytes a sample."""
    sums, counts = [], []
    for first in range(0, len(texels), _ROWS):
        band = texels[first : first + _ROWS]
        sums.append(_halved(_whole(with_derived(quantized.maps, band))))
        counts.append(_halved(np.ones((*band.shape[:2], 1), dtype=np.int64)))
    return np.concatenate(sums), np.concatenate(counts)


def _whole(texels: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return texels in [0, 1] in units of 2^-16."""
    return np.asarray((texels * np.float32(1 << _SUM_LOG2) + np.float32(0.5)).astype(np.int64))


def _halved(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add up 2 x 2 values; beyond the edge there is nothing."""
    odd = [(0, values.shape[0] % 2), (0, values.shape[1] % 2), (0, 0)]
    even = np.pad(values, odd) if any(after for _, after in odd) else values
    pairs = even[0::2] + even[1::2]
    return np.asarray(pairs[:, 0::2] + pairs[:, 1::2])


def _steps(found: LevelRange, step: int) -> list[int]:
    """Return the step of each stored picture."""
    share, of = _DIRECT_STEP
    further = [(level - found.direct) // LEVELS_PER_SET for level in found.set_levels]
    return [step if sets < 0 else step * share // of >> -_NEXT_STEP_LOG2 * sets for sets in further]


def _words_about(transformed: list[Transformed], some: list[Transformed], steps: list[int]) -> int:
    sizes = [
        size_of(part, plan(part, step), len(picture.coefficients))
        for picture, part, step in zip(transformed, some, steps, strict=True)
    ]
    return len(sizes) + sum(sizes)


def _packed(transformed: list[Transformed], found: LevelRange, step: int) -> NDArray[np.uint32]:
    """Return where each picture begins, 0 for a difference without a bit, and the pictures."""
    sets = []
    for level, picture, own in zip(found.set_levels, transformed, _steps(found, step), strict=True):
        chosen = plan(sampled(picture, PLANNED), own)
        empty = level < found.direct and not chosen.widths.any()
        sets.append(np.empty(0, dtype=np.uint32) if empty else pack(picture, chosen))
    starts = len(sets) + np.cumsum([0, *(len(words) for words in sets)])[:-1]
    starts[[not len(words) for words in sets]] = 0
    return np.concatenate([starts.astype(np.uint32), *sets])
