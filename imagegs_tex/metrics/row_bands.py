"""Large pictures a part at a time, so that what is made of them on the way is not there as a whole."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from imagegs_tex.formats.row_threads import side_by_side

Result = TypeVar("Result")

VALUES_AT_ONCE: Final = 1 << 25
"""Texels times channels of a part: pictures up to 2048 x 2048 in eight channels are taken as a whole."""
_CHANNELS: Final = 8


def row_bands(height: int, row_values: int, at_once: int | None = None) -> list[slice]:
    """Return the rows of a picture in bands, from top to bottom.

    Args:
        height: rows
        row_values: values of a row
        at_once: values of a band; None for VALUES_AT_ONCE
    """
    rows = max(1, (at_once or VALUES_AT_ONCE) // max(1, row_values))
    return [slice(first, min(height, first + rows)) for first in range(0, height, rows)]


def widened(rows: slice, reach: int, height: int) -> tuple[slice, slice]:
    """Return a band with as many rows around it as a filter reaches, and where the band lies within that.

    Args:
        rows: of :func:`row_bands`
        reach: rows
        height: of the picture
    """
    first, last = max(0, rows.start - reach), min(height, rows.stop + reach)
    return slice(first, last), slice(rows.start - first, rows.stop - first)


def channel_parts(height: int, width: int, channels: int) -> list[slice]:
    """Return all channels of a picture at once, or of a large one each by itself."""
    whole = height * width * channels <= VALUES_AT_ONCE
    return [slice(0, channels)] if whole else [slice(channel, channel + 1) for channel in range(channels)]


def by_maps(work: Callable[[int], Result], maps: Iterable[int], texels: int) -> list[Result]:
    """Return what a function returns of each map of so many texels: large ones one after the other, for the memory."""
    return side_by_side(work, maps) if texels * _CHANNELS <= VALUES_AT_ONCE else [work(index) for index in maps]
