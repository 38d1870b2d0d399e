"""Which texels of an atlas a mesh uses: triangles in UV space, rasterized so that no texel that is needed is missed."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

MARGIN: Final = 8
"""Texels kept around every triangle: what bilinear filtering reaches on the levels of detail 0 to 2, nearly 3."""

MAX_TRIANGLES: Final = 4_000_000
"""Beyond, everything counts as used."""

_MAX_SPANS: Final = 100_000_000  # triangles times their rows; beyond, everything counts as used
_SPANS_AT_ONCE: Final = 1_000_000
_MAX_PERIODS: Final = 8  # a triangle over more repetitions than this uses everything
_MAX_CANVAS: Final = 4096  # larger pictures are covered in blocks of texels


class UvWrap(Enum):
    """What becomes of coordinates outside 0..1."""

    REPEAT = "repeat"
    CLAMP = "clamp"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class UvSet:
    """Triangles that look at a material's maps in one way."""

    triangles: NDArray[np.float64]  # [T, 3, 2] u, v of the corners; (0, 0) is the top left of the picture; finite
    wraps: tuple[UvWrap, UvWrap]  # in x and in y


def leaves_unit_square(sets: list[UvSet], axis: int) -> bool:
    """Whether any triangle reaches outside 0..1 along an axis (0: u, 1: v) by more than rounding."""
    used = [uv_set.triangles[..., axis] for uv_set in sets if len(uv_set.triangles)]
    return any(float(values.min()) < -_SLACK or float(values.max()) > 1 + _SLACK for values in used)


_SLACK: Final = 1e-4


def used_texels(sets: list[UvSet], width: int, height: int) -> NDArray[np.bool_] | None:
    """Find the texels that triangles touch, with a margin.

    Args:
        sets: all triangles that use the material
        width: texels of its maps
        height: texels

    Returns:
        bool [H, W], True where a texel is used; None where all are, or where that is too much to find out
    """
    block = 1
    while max(width, height) > block * _MAX_CANVAS:
        block *= 2
    canvas = (-(-height // block), -(-width // block))
    scale = np.array([width / block, height / block])
    used = np.zeros(canvas, dtype=bool)
    for uv_set in sets:
        covered = _covered(uv_set, scale, canvas)
        if covered is None:
            return None
        margin = -(-MARGIN // block)
        for axis in (0, 1):
            repeats = uv_set.wraps[1 - axis] == UvWrap.REPEAT
            covered = _widened(covered, margin, axis, repeats)
        used |= covered
        if used.all():
            return None
    if not used.any():
        return None
    if block > 1:
        used = used.repeat(block, axis=0).repeat(block, axis=1)[:height, :width]
    return used


def _covered(uv_set: UvSet, scale: NDArray[np.float64], canvas: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Return the texels [canvas] that a set's triangles touch; None: all, or too many to tell."""
    mirrors = [wrap == UvWrap.MIRROR for wrap in uv_set.wraps]
    # A mirrored picture repeats after twice its size: drawn so, and folded afterwards.
    height, width = canvas[0] * (1 + mirrors[1]), canvas[1] * (1 + mirrors[0])
    periods = np.ptp(uv_set.triangles, axis=1) if len(uv_set.triangles) else np.zeros((0, 2))
    if len(uv_set.triangles) > MAX_TRIANGLES or (periods > _MAX_PERIODS).any():
        return None
    corners = uv_set.triangles * scale
    for axis, wrap in enumerate(uv_set.wraps):
        if wrap != UvWrap.CLAMP:  # near the picture, where numbers are exact and integers do not overflow
            period = scale[axis] * (1 + mirrors[axis])
            corners[..., axis] -= np.floor(corners[..., axis].min(axis=1) / period)[:, None] * period
    if any(wrap == UvWrap.CLAMP for wrap in uv_set.wraps):
        limit = 4.0 * _MAX_PERIODS * scale
        corners = np.clip(corners, -limit, limit)
    first = np.floor(corners[..., 1].min(axis=1)).astype(np.int64)
    counts = np.floor(corners[..., 1].max(axis=1)).astype(np.int64) - first + 1
    if counts.sum() > _MAX_SPANS:
        return None
    marks = np.zeros((height, width + 1), dtype=np.int32)  # +1 where a span begins, -1 after it ends
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(corners):
        done = ends[begin - 1] if begin else 0
        stop = max(begin + 1, int(np.searchsorted(ends, done + _SPANS_AT_ONCE, side="right")))
        owner = np.repeat(np.arange(begin, stop), counts[begin:stop])
        row = first[owner] + np.arange(len(owner)) - (ends[owner] - counts[owner] - done)
        left, right = _reach(corners[owner], row.astype(np.float64))
        _mark(marks, row, left, right, uv_set.wraps)
        begin = stop
    covered = np.cumsum(marks[:, :-1], axis=1) > 0
    if mirrors[0]:
        covered = covered[:, : canvas[1]] | covered[:, canvas[1] :][:, ::-1]
    if mirrors[1]:
        covered = covered[: canvas[0]] | covered[canvas[0] :][::-1]
    return covered


def _reach(
    corners: NDArray[np.float64], row: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """First and last texel of each triangle [S, 3, 2] within the strip row..row + 1 [S].

    The part of a triangle within a strip is convex, and its leftmost and rightmost points lie on edges: so the edges
    are cut to the strip, and the ends of what is left are all that has to be looked at.
    """
    left = np.full(len(row), np.inf)
    right = np.full(len(row), -np.inf)
    for corner in range(3):
        x0, y0 = corners[:, corner].T
        x1, y1 = corners[:, (corner + 1) % 3].T
        step = y1 - y0
        level = step == 0
        slope = np.where(level, 1.0, step)
        a, b = (row - y0) / slope, (row + 1 - y0) / slope
        near = np.where(level, 0.0, np.clip(np.minimum(a, b), 0, 1))
        far = np.where(level, 1.0, np.clip(np.maximum(a, b), 0, 1))
        touches = (np.minimum(y0, y1) <= row + 1) & (np.maximum(y0, y1) >= row)
        p, q = x0 + near * (x1 - x0), x0 + far * (x1 - x0)
        left = np.where(touches, np.minimum(left, np.minimum(p, q)), left)
        right = np.where(touches, np.maximum(right, np.maximum(p, q)), right)
    return np.floor(left).astype(np.int64), np.floor(right).astype(np.int64)


def _mark(
    marks: NDArray[np.int32],
    row: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    wraps: tuple[UvWrap, UvWrap],
) -> None:
    height, width = marks.shape[0], marks.shape[1] - 1
    row = np.clip(row, 0, height - 1) if wraps[1] == UvWrap.CLAMP else row % height
    if wraps[0] == UvWrap.CLAMP:
        left, right = np.clip(left, 0, width - 1), np.clip(right, 0, width - 1)
    else:
        whole = right - left >= width - 1
        length = np.where(whole, width - 1, right - left)
        left = np.where(whole, 0, left % width)
        right = left + length
        over = right >= width  # the rest begins again at the left edge
        np.add.at(marks, (row[over], 0), 1)
        np.add.at(marks, (row[over], right[over] - width + 1), -1)
        right = np.minimum(right, width - 1)
    np.add.at(marks, (row, left), 1)
    np.add.at(marks, (row, right + 1), -1)


def _widened(mask: NDArray[np.bool_], margin: int, axis: int, repeats: bool) -> NDArray[np.bool_]:
    """Return a mask grown by a margin along one axis, around its border where it repeats."""
    size = mask.shape[axis]
    margin = min(margin, size)
    padding = [(0, 0), (0, 0)]
    padding[axis] = (margin + 1, margin)
    padded = np.pad(mask, padding, mode="wrap" if repeats else "constant")
    sums = np.cumsum(padded, axis=axis, dtype=np.int32)
    before = np.take(sums, np.arange(size), axis=axis)
    after = np.take(sums, np.arange(size) + 2 * margin + 1, axis=axis)
    return np.asarray(after > before)
