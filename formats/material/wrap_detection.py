"""Whether a material repeats, for x and for y: as it was said, or guessed from its texels.

A guess asks every channel that varies whether it goes on across the border. Along the axis, the texels on both sides of
the border must differ

- by at most MOST_OVER_NEIGHBOURS times what neighbours inside differ by: across the border of tileable materials it is
  0.7 to 2.7 times, across that of photographs and atlases 4 to 40 times;
- by much less than any two lines of texels do, which for photographs of small size is the stricter rule.

The border must also have detail of its own: the empty border of an atlas matches itself and says nothing. An axis
repeats when more than half of the channels say so. Lines one texel farther in get a chance too, for maps whose
outermost texels are marred (a normal map made of a height map as if that did not repeat).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.formats.vocabulary import FloatTexels, wrap_words

SaidWrap = tuple[bool | None, bool | None]
"""Whether a material repeats in x and in y; None: nobody said."""

MOST_OVER_NEIGHBOURS: Final = 3.0
MOST_OF_THE_WAY: Final = (0.65, 0.3)
"""From how much neighbours differ to how much any two lines do; of the outermost lines, and of those beside them, which
are three texels apart: so far apart, smooth pictures differ nearly as much as any two lines do."""
NOISE_SHARE: Final = 0.1
"""Of how much any two lines differ: where neighbours differ nearly as much, chance must not decide."""
LEAST_DETAIL: Final = 0.2
"""Detail of the border over that of the lines inside."""
LEAST_DEVIATION: Final = 2e-3
"""Half an 8-bit step: below, a channel does not vary."""
LEAST_SIZE: Final = 16
"""Texels: smaller pictures clamp."""
_DETAIL_WINDOW: Final = 17
_LINES: Final = 128
_FAR_LINES: Final = 33
_LINES_AT_ONCE: Final = 32
"""16 took as long, 64 a seventh longer."""


@dataclass(frozen=True, slots=True)
class _Votes:
    """How many channels go on across the border, of those that vary."""

    yes: int
    varying: int

    @property
    def repeats(self) -> bool:
        return 2 * self.yes > self.varying


def parse_wrap(text: str) -> tuple[bool, bool]:
    """Read ``repeat``, ``clamp``, or one of them for x and one for y with a comma between; UsageError otherwise."""
    words = [word.strip() for word in text.split(",")]
    if len(words) > 2 or not set(words) <= {"repeat", "clamp"}:
        raise UsageError(f"--wrap {text!r} is neither repeat, clamp, nor one of them for x and one for y: repeat,clamp")
    return words[0] == "repeat", words[-1] == "repeat"


def decide_wrap(
    texels: FloatTexels, said: SaidWrap = (None, None), notes: tuple[str, str] = ("", "")
) -> tuple[tuple[bool, bool], str]:  # fmt: skip
    """Return whether a material repeats in x and in y, and one line that says so and why.

    Args:
        texels: [H, W, C]
        said: what is known; the rest is guessed
        notes: how that is known, or why not, for x and y; may be empty
    """
    guessed = [axis for axis, known in enumerate(said) if known is None]
    votes_of = dict(zip(guessed, _votes(texels, guessed), strict=True))
    wrap, reasons = [], []
    for axis, (known, note) in enumerate(zip(said, notes, strict=True)):
        if known is not None:
            wrap.append(known)
            reasons.append(note or "as given")
        else:
            votes = votes_of[axis]
            wrap.append(votes.repeats)
            guess = f"guessed: {votes.yes} of {votes.varying} channels match across the border"
            reasons.append("; ".join(filter(None, [note, guess])))
    words = wrap_words((wrap[0], wrap[1]))
    parts = [f"{word} in {axis} ({reason})" for word, axis, reason in zip(words, "xy", reasons, strict=True)]
    return (wrap[0], wrap[1]), ", ".join(parts)


def _votes(texels: NDArray[np.float32], axes: list[int]) -> list[_Votes]:
    """Ask the channels of [H, W, C] for x (0) and y (1)."""
    if min(texels.shape[:2]) < LEAST_SIZE:
        return [_Votes(0, 0)] * len(axes)
    lines = [_Lines(texels.transpose(1, 0, 2) if axis else texels) for axis in axes]
    side_by_side(lambda part: part(), [part for own in lines for part in own.parts()])
    return [own.votes() for own in lines]


class _Lines:
    """Lines of [lines across, lines along, C]: does the second axis go on across its border?

    What is found of some of the lines inside is found by itself, so that threads look at parts of both axes from one
    pool. Sums of differences, in float64 of float32, are exact for samples of 8 bits, in whatever parts they are made.
    """

    def __init__(self, texels: NDArray[np.float32]) -> None:
        along, channels = texels.shape[1:]
        self._texels = texels
        self._first = np.unique(np.linspace(0, along - 4, _LINES).astype(np.int64))
        self._detail = np.empty((len(self._first), channels))
        self._neighbours = np.empty((-(-len(self._first) // _LINES_AT_ONCE), len(MOST_OF_THE_WAY), channels))
        self._border = np.empty(channels)
        self._steps, self._any_two = np.empty((2, len(MOST_OF_THE_WAY), channels))
        self._varies = np.zeros(channels, dtype=np.bool_)

    def parts(self) -> list[Callable[[], None]]:
        """Return what is to be called, in any order, before the votes are counted; what takes longest comes first."""
        inside = [partial(self._look_at, number) for number in range(len(self._neighbours))]
        return [self._look_at_all, *inside, self._look_at_border]

    def votes(self) -> _Votes:
        """Ask all channels."""
        neighbours_of = self._neighbours.sum(axis=0) / (self._texels.shape[0] * len(self._first))
        goes_on = np.zeros(self._texels.shape[2], dtype=np.bool_)
        for neighbours, step, any_two, share in zip(
            neighbours_of, self._steps, self._any_two, MOST_OF_THE_WAY, strict=True
        ):
            limit = neighbours + share * (any_two - neighbours) + NOISE_SHARE * any_two
            goes_on |= step <= np.minimum(MOST_OVER_NEIGHBOURS * neighbours, limit)
        has_detail = (self._border >= LEAST_DETAIL * self._detail.mean(axis=0)) & (self._border > 0)
        yes = self._varies & goes_on & has_detail
        return _Votes(int(np.count_nonzero(yes)), int(np.count_nonzero(self._varies)))

    def _look_at_all(self) -> None:
        # Not in parts: float32 sums of so many texels are rounded, and by their order.
        self._varies[:] = self._texels[:, self._first].std(axis=(0, 1)) > LEAST_DEVIATION

    def _look_at_border(self) -> None:
        texels, along = self._texels, self._texels.shape[1]
        self._border = _detail(texels[:, [0, -1]]).min(axis=0)
        far = texels[:, np.linspace(0.1 * along, 0.9 * along, _FAR_LINES).astype(np.int64)]
        for depth in range(len(MOST_OF_THE_WAY)):
            left, right = texels[:, depth], texels[:, along - 1 - depth]
            self._steps[depth] = _difference(left, right)
            self._any_two[depth] = (_difference(left[:, None], far) + _difference(right[:, None], far)) / 2

    def _look_at(self, number: int) -> None:
        part = slice(number * _LINES_AT_ONCE, (number + 1) * _LINES_AT_ONCE)
        first = self._first[part]
        inside = self._texels[:, first]
        self._detail[part] = _detail(inside)
        for depth, found in enumerate(self._neighbours[number]):
            distance = self._texels[:, first + 2 * depth + 1]
            np.subtract(distance, inside, out=distance)
            found[:] = np.abs(distance, out=distance).sum(axis=(0, 1), dtype=np.float64)


def _difference(lines: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean absolute difference per channel [C]."""
    distance = np.abs(lines - others)
    return np.asarray(distance.mean(axis=tuple(range(distance.ndim - 1)), dtype=np.float64))


def _detail(lines: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the deviation of [P, L, C] from its moving average along the first axis [L, C]."""
    radius = min(_DETAIL_WINDOW, lines.shape[0]) // 2
    sums = np.pad(lines, ((radius + 1, radius), (0, 0), (0, 0)), mode="edge").astype(np.float64)
    for before, row in pairwise(sums):  # np.cumsum took twice as long, and kept Python from other threads
        np.add(row, before, out=row)
    width = 2 * radius + 1
    off = sums[width:] - sums[:-width]
    off /= width
    np.subtract(lines, off, out=off)
    return np.asarray(np.sqrt(np.square(off, out=off).mean(axis=0)))
