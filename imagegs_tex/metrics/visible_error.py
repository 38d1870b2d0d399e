"""How much of a decode's error is seen, in dB: a measure that means the same on any material.

An error shows less the finer it is, and less where the source itself varies as much (Legge and Foley, "Contrast masking
in human vision", 1980). So the error is split into three octaves, and every texel's divided by how much the source
varies around it; colours are compared as luma and chroma, normals as vectors, scalars by their own range. Where a
source is grain all over, its two finest octaves count next to nothing if a detail layer draws them anew. Fine contrast
hides coarse errors by half as many dB: contrast masks what is about as fine as itself, and a stone that leans the wrong
way shows through its grain. (Hidden as much, small cobbles had a FLIP of 0.16 where other materials had 0.08 to 0.13.)

PSNR cannot do that: a wall of brick at 27 dB and an anime picture at 38 look equally good (docs/guide/artist.md).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Coded, Semantic, TextureMap
from imagegs_tex.metrics.octave_kernels import blurred_rows
from imagegs_tex.metrics.row_bands import row_bands, widened
from imagegs_tex.square_root import square_root

VISIBLE_CAP_DB: Final = 90.0
_GREY: Final = 1e-6
_LUMA_CHROMA: Final = ((0.299, 0.587, 0.114), (-0.0845, -0.1655, 0.25), (0.25, -0.2095, -0.0405))
"""Rec. 601 on encoded values; chroma counts half, as its errors are seen half as well (FLIP, CIELAB's a and b)."""
_NORMAL: Final = 0.5
"""Of a sample, which is half a vector's component: 0.1 radians show like a step of 0.025 in luma. With 1, rock
with noisy normals took twice the bytes for FLIP that others have."""
_SCALAR: Final = 0.35
_LEAST_RANGE: Final = 0.25
_RANGE_DEVIATIONS: Final = 4.0
"""A scalar's own range: so many standard deviations, or the least range."""
_THRESHOLD: Final = 0.02
"""Local contrast of the source, about five steps of 8 bits, from which on it hides errors."""
_MASKING: Final = 1.8
"""Power of that contrast by which squared errors are hidden."""
_FINEST: Final = 0.25
"""Of a squared error below two texels."""
_CAST: Final = 2.0
"""Of a squared error of chroma after a blur of 4.6 texels, on top: grain does not hide that mortar turns blue."""


_ERROR_REACH: Final = 2 * (1 + 2 + 4)
_GRAIN_REACH: Final = 2 * (1 + 2) + 2 * (1 + 2 + 4)
"""Rows that the blurs reach, one after the other."""


@dataclass(frozen=True, slots=True)
class VisibleError:
    """A source that decodes are held against."""

    source: Tensor  # float32 [H, W, C]
    rows: Tensor  # float32 [S, C]: what is compared, of coded channels
    masks: Tensor  # float32 [H, W, S] in 0..1: how much an error there shows
    owners: Tensor  # int64 [S]: the map that each row compares
    chroma: Tensor  # int64 [any]: the rows of chroma
    drawn: bool  # whether a detail layer draws grain
    weights: Tensor | None  # float32 [H, W] importance of the texels

    def decibels(self, decoded: Tensor) -> float:
        """Return the quality of a decode without detail, float32 [H, W, C] in [0, 1] on the source's device."""
        height, width, _ = self.source.shape
        by_row = torch.zeros(len(self.rows), dtype=torch.float64)
        for rows in row_bands(height, width * len(self.rows)):
            mean = self._squares(decoded, rows).mean(dim=(0, 1), dtype=torch.float64).cpu()
            by_row += mean * ((rows.stop - rows.start) / height)
        maps = torch.zeros(int(self.owners.max()) + 1, dtype=torch.float64).index_add_(0, self.owners, by_row)
        # the root of the mean square: a map much worse than the others is not averaged away
        whole = math.sqrt(float(maps.square().mean()))
        return min(VISIBLE_CAP_DB, -10 * math.log10(max(whole, 10 ** (-VISIBLE_CAP_DB / 10))))

    def _squares(self, decoded: Tensor, rows: slice) -> Tensor:
        """Return how much errors show in some rows of the picture [rows, W, S]."""
        around, own = widened(rows, _ERROR_REACH, len(decoded))
        error = (decoded[around] - self.source[around]) @ self.rows.T
        fine = blur(error, 1)
        coarse = blur(fine, 2)
        cast = blur(coarse.index_select(2, self.chroma), 4) if len(self.chroma) else None
        error, fine, coarse, masks = error[own], fine[own], coarse[own], self.masks[rows]
        kept = masks if self.drawn else torch.ones_like(masks)
        fine_squares = (fine - coarse).square() + _FINEST * (error - fine).square()
        squares = square_root(masks) * coarse.square() + masks * kept * fine_squares
        if cast is not None:
            squares.index_add_(2, self.chroma, cast[own].square(), alpha=_CAST)
        if self.weights is not None:
            squares = squares * (self.weights[rows] / self.weights.mean())[..., None]
        return squares


def visible_error(stack: TextureStack, device: torch.device, *, drawn: bool) -> VisibleError:
    """Return what decodes of a stack are held against.

    Args:
        stack: the source
        device: where decodes are
        drawn: whether a detail layer draws the grain that Gaussians lose
    """
    found = [_rows(texture_map, stack) for texture_map in stack.maps]
    found = [rows for rows in found if rows] or [[np.zeros(stack.channel_count)]]
    rows = [row for own in found for row in own]
    owners = [number for number, own in enumerate(found) for _ in own]
    source = torch.from_numpy(stack.texels).to(device)
    matrix = torch.from_numpy(np.array(rows, dtype=np.float32)).to(device)
    chroma = [number for number, row in enumerate(rows) if _is_chroma(row)]
    masks = torch.empty(*source.shape[:2], len(rows), device=device)
    for band in row_bands(stack.height, stack.width * len(rows)):
        around, own = widened(band, _GRAIN_REACH, stack.height)
        masks[band] = (1 / (1 + (grain(source[around] @ matrix.T) / _THRESHOLD) ** _MASKING))[own]
    weights = None if stack.weights is None else torch.from_numpy(stack.weights).to(device)
    chosen = torch.tensor(chroma, dtype=torch.int64, device=device)
    return VisibleError(source, matrix, masks, torch.tensor(owners), chosen, drawn, weights)


def _is_chroma(row: NDArray[np.float64]) -> bool:
    """Whether a row compares channels with each other: it is nothing on greys."""
    return bool(abs(row.sum()) < _GREY and np.any(row != 0))


def _rows(texture_map: TextureMap, stack: TextureStack) -> list[NDArray[np.float64]]:
    """Return what is compared of a map [S, C]."""
    groups: dict[Semantic, list[int]] = {}
    for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True):
        if isinstance(route, Coded) and route.index not in groups.setdefault(semantic, []):
            groups[semantic].append(route.index)
    rows = []
    for semantic, channels in groups.items():
        if semantic in COLOUR_SEMANTICS and len(channels) == len(_LUMA_CHROMA):
            factors = np.array(_LUMA_CHROMA)
        elif semantic in COLOUR_SEMANTICS or semantic == Semantic.NORMAL:
            factors = np.eye(len(channels)) * (_NORMAL if semantic == Semantic.NORMAL else 1.0)
        else:
            deviations = stack.texels[..., channels].std(axis=(0, 1), dtype=np.float64)
            factors = np.diag(_SCALAR / np.clip(_RANGE_DEVIATIONS * deviations, _LEAST_RANGE, 1.0))
        row = np.zeros((len(factors), stack.channel_count))
        row[:, channels] = factors
        rows += list(row)
    return rows


def grain(picture: Tensor) -> Tensor:
    """Return the contrast below four texels around each texel, [H, W, S] of a picture [H, W, S].

    The root's mean, squared: what varies everywhere counts, an edge that stands alone little.
    """
    fine = picture - blur(blur(picture, 1), 2)
    around = square_root(fine.abs())
    for step in (1, 2, 4):
        around = blur(around, step)
    return around.square()


def blur(picture: Tensor, step: int) -> Tensor:
    """Return a picture [H, W, S] through [1, 4, 6, 4, 1] / 16, taps so many texels apart; its border goes on."""
    if picture.device.type == "cpu":
        return torch.from_numpy(blurred_rows(picture, step)).reshape(picture.shape)
    return blur_in_torch(picture, step)


def blur_in_torch(picture: Tensor, step: int) -> Tensor:
    """Do the same on any device."""
    height, width, channels = picture.shape
    blurred = torch.empty_like(picture, memory_format=torch.contiguous_format)
    for rows in row_bands(height, width * channels):
        down = 6.0 * picture[rows]
        for distance, weight in _taps(step):
            for side in (distance, -distance):
                down.add_(_moved_rows(picture, rows, side), alpha=weight)
        down.div_(16.0)
        both = torch.mul(down, 6.0, out=blurred[rows])
        for distance, weight in _taps(step):
            reach = min(distance, width - 1)
            both[:, : width - reach].add_(down[:, reach:], alpha=weight)
            both[:, width - reach :].add_(down[:, width - 1 :], alpha=weight)
            both[:, reach:].add_(down[:, : width - reach], alpha=weight)
            both[:, :reach].add_(down[:, :1], alpha=weight)
        both.div_(16.0)
    return blurred


def _taps(step: int) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return distances to each side and their weights over 16, of the middle's 6."""
    return (step, 4.0), (2 * step, 1.0)


def _moved_rows(picture: Tensor, rows: slice, side: int) -> Tensor:
    """Return the rows that lie so many further down, those beyond the border as the border's."""
    first, last = rows.start + side, rows.stop + side
    if first >= 0 and last <= len(picture):
        return picture[first:last]
    return picture.index_select(0, torch.arange(first, last, device=picture.device).clamp_(0, len(picture) - 1))
