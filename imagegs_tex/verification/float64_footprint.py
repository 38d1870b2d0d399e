"""What a sample with a footprint should be, in float64.

docs/igs-format.md, "Minification", defines it, and docs/gpu-buffer.md, "Levels", which levels a buffer has. Up to level
1 a sample is made of the picture, from there on of what the buffer stores; how far that is from the picture's exact
means is held against the step that the buffer stores it in.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.verification.float64_levels import StoredLevels, read_levels
from imagegs_tex.verification.float64_picture import ReferencePicture, reference_picture, reference_points

_FINEST_SLACK: Final = 1 / 256
_COUNT_SLACK: Final = 1 / 64
_TIE: Final = 1e-3
_BORDER_TIE: Final = 1e-3
"""Texels: what of noise a tap nearer than that to a texel's border reads is up to float32's rounding."""
_LEAST_HEIGHT: Final = 0.05
"""z of a normal near the rim, where it follows x and y with a slope without bound."""

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FootprintReference:
    """A picture and its levels."""

    picture: ReferencePicture
    repeats: tuple[bool, bool]
    stored: StoredLevels
    widened: tuple[
        ReferencePicture, ...
    ]  # the picture of the first level that is stored, and of all that are differences

    @property
    def first(self) -> int:
        """The first level that is stored."""
        return self.stored.first

    @property
    def last(self) -> int:
        """The last level."""
        return self.first + len(self.stored.values) - 1


def footprint_reference(
    quantized: QuantizedGaussianSet, packed: PackedGaussians, picture: ReferencePicture
) -> FootprintReference:  # fmt: skip
    """Return what samples of a buffer with levels should be."""
    stored = read_levels(packed.words, packed.material_at, len(picture.offset) + len(picture.normals))
    widened = [reference_picture(quantized, (4**level - 1) / 12) for level in range(stored.first, stored.direct)]
    return FootprintReference(picture, quantized.wrap, stored, tuple(widened))


@dataclass(frozen=True, slots=True)
class _Samples:
    """Samples of one lod each, and what each adds to which result."""

    owner: NDArray[np.int64]  # [S]
    centre: Float  # [S, 2] texels
    lod: Float  # [S]
    weight: Float  # [S]


@dataclass(frozen=True, slots=True)
class LevelRows:
    """Some rows of a level, as the exact means of the picture's texels."""

    first: int
    means: Float  # [R, across, V]


class ExactMeans:
    """Gathers the box-filtered levels from rows of the picture, or from bands of it."""

    def __init__(self, picture: ReferencePicture, first: int, last: int | None = None) -> None:
        """Begin with the level FIRST.

        Args:
            picture: the reference
            first: the finest level that is wanted
            last: the coarsest; None: that of one texel, for which every row has to be added, in order
        """
        self._sizes = picture.width, picture.height
        self._picture, self._first, self._last = picture, first, last
        self._sums: list[tuple[int, Float]] = []

    def add(self, first_row: int, rows: Float) -> None:
        """Add texel rows [R, W, C]; first_row and R (but for the last ones) are multiples of 2^last, or of 2^first."""
        side = 1 << self._first
        columns = np.add.reduceat(_with_heights(self._picture, rows), np.arange(0, self._sizes[0], side), axis=1)
        self._sums.append((first_row // side, np.add.reduceat(columns, np.arange(0, len(rows), side), axis=0)))

    def levels(self) -> list[list[LevelRows]]:
        """Return what is there of each level from the first one on."""
        parts = self._sums if self._last is not None else [(0, np.concatenate([sums for _, sums in self._sums]))]
        found, level = [], self._first
        while True:
            across, down = (_covered(size, level) for size in self._sizes)
            found.append(
                [
                    LevelRows(row, sums / (down[row : row + len(sums), None, None] * across[None, :, None]))
                    for row, sums in parts
                ]
            )
            if level == self._last or parts[0][1].shape[:2] == (1, 1):
                return found
            parts = [(row // 2, _added_up(sums)) for row, sums in parts]
            level += 1


def _added_up(sums: Float) -> Float:
    for axis in (0, 1):
        sums = np.add.reduceat(sums, np.arange(0, sums.shape[axis], 2), axis=axis)
    return sums


def _covered(size: int, level: int) -> Float:
    """Return how many texels of the picture each texel of a level covers along one side."""
    edges = np.minimum(np.arange(0, (-(-size >> level) + 1) << level, 1 << level), size)
    return np.diff(edges).astype(np.float64)


def value_count(picture: ReferencePicture) -> int:
    """Return V: the channels, and two values for each normal whose z is not coded."""
    return len(picture.offset) + 2 * len(picture.normals)


def _with_heights(picture: ReferencePicture, channels: Float) -> Float:
    """Put (z + 1) / 2 of such normals behind channels [..., C], then how much more than x and y each can differ."""
    heights, slopes = [], []
    for x, y in picture.normals:
        z = np.sqrt(np.maximum(0, 1 - (2 * channels[..., x] - 1) ** 2 - (2 * channels[..., y] - 1) ** 2))
        heights.append((z + 1) / 2)
        slopes.append(np.sqrt(2) / np.maximum(z, _LEAST_HEIGHT))
    return np.concatenate([channels, *(values[..., None] for values in [*heights, *slopes])], axis=-1)


def sample_lod(reference: FootprintReference, points: Float, lod: Float) -> Float:
    """Return the values [P, V] at points [P, 2] in texels."""
    return _evaluate(reference, _lod_samples(points, lod), len(points))


def sample_grad(
    reference: FootprintReference, points: Float, step_x: Float, step_y: Float, max_anisotropy: int
) -> Float:
    """Return the values [P, V] under footprints that step_x, step_y [P, 2] span, in texels."""
    return _evaluate(reference, _grad_samples(reference, points, step_x, step_y, max_anisotropy), len(points))


def lod_reads_sure_texels(reference: FootprintReference, points: Float, lod: Float) -> NDArray[np.bool_]:
    """Whether no float32 rounding can change which texels' noise the taps of sample_lod read [P]."""
    return _reads_sure_texels(reference, _lod_samples(points, lod), points)


def grad_reads_sure_texels(
    reference: FootprintReference, points: Float, step_x: Float, step_y: Float, max_anisotropy: int
) -> NDArray[np.bool_]:
    """Whether no float32 rounding can change which texels' noise the taps of sample_grad read [P]."""
    return _reads_sure_texels(reference, _grad_samples(reference, points, step_x, step_y, max_anisotropy), points)


def _lod_samples(points: Float, lod: Float) -> _Samples:
    return _Samples(np.arange(len(points)), points, lod, np.ones(len(points)))


def _grad_samples(
    reference: FootprintReference, points: Float, step_x: Float, step_y: Float, max_anisotropy: int
) -> _Samples:
    longer, _, _ = _axes(step_x, step_y)
    count, lod = samples_of(step_x, step_y, max_anisotropy)
    owner = np.repeat(np.arange(len(points)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    along = (number + 0.5) / count[owner] - 0.5
    centre = _within(reference, points[owner] + longer[owner] * along[:, None], points[owner])
    return _Samples(owner, centre, lod[owner], 1 / count[owner])


def _reads_sure_texels(reference: FootprintReference, samples: _Samples, points: Float) -> NDArray[np.bool_]:
    """Return it for points [P, 2]; a tap at the point itself is where it is, if float32 can say where that is."""
    sure = np.ones(len(points), dtype=np.bool_)
    if reference.picture.reads_texels:
        taps, _, owners = _taps(reference, samples)
        exact = np.all((taps == points[owners]) & (taps == taps.astype(np.float32)), axis=1)
        sure[owners[~exact & (np.abs(taps - np.rint(taps)).min(axis=1) < _BORDER_TIE)]] = False
    if any(widened.reads_texels for widened in reference.widened):
        centres, owners = samples.centre, samples.owner
        decoded = (samples.lod > reference.first - 1) & (samples.lod < reference.stored.direct)
        near = np.abs(centres - np.rint(centres)).min(axis=1) < _BORDER_TIE
        exact = np.all((centres == points[owners]) & (centres == centres.astype(np.float32)), axis=1)
        sure[owners[decoded & near & ~exact]] = False
    return sure


def samples_of(step_x: Float, step_y: Float, max_anisotropy: int) -> tuple[NDArray[np.int64], Float]:
    """Return how many samples a footprint takes [P], and their level of detail [P]."""
    _, most, least = _axes(step_x, step_y)
    count = np.clip(np.ceil(most / least - _COUNT_SLACK), 1, max_anisotropy).astype(np.int64)
    return count, np.log2(np.maximum(least, most / count))


def tap_counts(lod: Float, first: int) -> NDArray[np.int64]:
    """Return at how many points a sample evaluates the picture itself [P], where stored levels begin with the first."""
    return np.where(lod < first, 4 ** _taps_log2(lod, first), 0)


def stored_counts(lod: Float, begin: int, end: int, last: int) -> NDArray[np.int64]:
    """Return how many levels of begin <= level < end a sample needs [P]."""
    within = np.clip(lod, 0, last)
    return np.asarray(sum((np.abs(within - level) < 1).astype(np.int64) for level in range(begin, end)))


def _taps_log2(lod: Float, first: int) -> NDArray[np.int64]:
    return np.ceil(np.clip(lod, 0, first - 1) - _FINEST_SLACK).astype(np.int64).clip(0)


def away_from_ties(step_x: Float, step_y: Float, max_anisotropy: int) -> NDArray[np.bool_]:
    """Whether no float32 rounding can change the number of samples or taps."""
    _, most, least = _axes(step_x, step_y)
    ratio = most / least - _COUNT_SLACK
    count = np.clip(np.ceil(ratio), 1, max_anisotropy)
    lod = np.log2(np.maximum(least, most / count)) - _FINEST_SLACK
    return np.asarray((np.abs(ratio - np.rint(ratio)) > _TIE) & (np.abs(lod - np.rint(lod)) > _TIE))


def _axes(step_x: Float, step_y: Float) -> tuple[Float, Float, Float]:
    x_length, y_length = np.hypot(*step_x.T), np.hypot(*step_y.T)
    longer = np.where((x_length < y_length)[:, None], step_y, step_x)
    return longer, np.maximum(np.maximum(x_length, y_length), 1), np.maximum(np.minimum(x_length, y_length), 1)


def _evaluate(reference: FootprintReference, samples: _Samples, count: int) -> Float:
    result = np.zeros((count, value_count(reference.picture)))
    points, weights, owners = _taps(reference, samples)
    values = _with_heights(reference.picture, reference_points(reference.picture, points))
    np.add.at(result, owners, weights[:, None] * values)
    lod = np.clip(samples.lod, 0, reference.last)
    for level in range(reference.first, reference.last + 1):
        share = np.maximum(0, 1 - np.abs(lod - level)) * samples.weight
        chosen = np.flatnonzero(share > 0)
        values = level_values(reference, samples.centre[chosen], level)
        np.add.at(result, samples.owner[chosen], share[chosen, None] * values)
    return result


def level_values(reference: FootprintReference, points: Float, level: int) -> Float:
    """Return what a level that is stored is at points [P, 2] of the picture [P, V and how much more z can differ]."""
    number = level - reference.first
    stored = reference.stored.values[number]
    values = np.zeros((len(points), value_count(reference.picture)))
    values[:, : stored.shape[2]] = _interpolated(reference, stored, points / 2.0**level - 0.5)
    if level < reference.stored.direct:
        widened = reference.widened[number]
        values += _with_heights(widened, reference_points(widened, points))
    values[:, : stored.shape[2]] = np.clip(values[:, : stored.shape[2]], 0, 1)
    return values


def level_error(reference: FootprintReference, means: list[list[LevelRows]]) -> float:
    """Return the largest root mean square of a level's differences from the exact means, at its texel centres."""
    worst = 0.0
    for level, parts in enumerate(means, reference.first):
        count = reference.stored.values[level - reference.first].shape[2]
        squared, values = 0.0, 0
        for part in parts:
            down, across = part.means.shape[:2]
            at = np.meshgrid(np.arange(across) + 0.5, np.arange(part.first, part.first + down) + 0.5)
            found = level_values(reference, np.stack(at, axis=-1).reshape(-1, 2) * 2.0**level, level)[:, :count]
            squared += float(np.square(found - part.means.reshape(len(found), -1)[:, :count]).sum())
            values += found.size
        worst = max(worst, float(np.sqrt(squared / values)))
    return worst


def _taps(reference: FootprintReference, samples: _Samples) -> tuple[Float, Float, NDArray[np.int64]]:
    """Return where samples evaluate the picture [T, 2], what that adds [T], and to which result [T]."""
    lod, first = np.clip(samples.lod, 0, reference.last), reference.first
    below = np.floor(lod)
    fine = lod < first
    weight = np.where(lod <= first - 1, 1.0, 1 - (lod - below)) * samples.weight
    points, weights, owners = [], [], []
    taps_log2 = _taps_log2(lod, first)
    for log2 in range(first):
        chosen = np.flatnonzero(fine & (taps_log2 == log2))
        side = 1 << log2
        grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
        wide = np.minimum(lod[chosen], first - 1)
        apart = np.sqrt((4**wide - 1) / max(1, side * side - 1)) * (side > 1)
        offsets = apart[:, None, None] * (grid - (side - 1) / 2)
        centre = samples.centre[chosen][:, None]
        taps = centre + offsets
        points.append((_within(reference, taps, centre) if log2 else taps).reshape(-1, 2))
        weights.append(np.repeat(weight[chosen] / len(grid), len(grid)))
        owners.append(np.repeat(samples.owner[chosen], len(grid)))
    return np.concatenate(points), np.concatenate(weights), np.concatenate(owners)


def _interpolated(reference: FootprintReference, level: Float, at: Float) -> Float:
    corner = np.floor(at).astype(np.int64)
    part = at - corner
    size = np.array([level.shape[1], level.shape[0]])
    total = np.zeros((len(at), level.shape[2]))
    for side in ((0, 0), (1, 0), (0, 1), (1, 1)):
        place = corner + side
        place = np.where(reference.repeats, place % size, np.clip(place, 0, size - 1))
        weight = np.prod(np.where(side, part, 1 - part), axis=1)
        total += weight[:, None] * level[place[:, 1], place[:, 0]]
    return total


def _within(reference: FootprintReference, points: Float, centre: Float) -> Float:
    size = np.array([reference.picture.width, reference.picture.height], dtype=np.float64)
    held = np.clip(points, np.minimum(0.5, centre), np.maximum(size - 0.5, centre))
    return np.asarray(np.where(reference.repeats, points % size, held))
