"""The index that a shader looks a texel up in: which Gaussians reach which block of the picture.

Two levels. The picture is cut into *blocks* of 2^block_log2 texels and *tiles* of 4 x 4 blocks. Each tile has a list of
the Gaussians whose support touches it, and each entry carries 16 bits, one per block of the tile that the support
really touches (the ellipse q < c against the block's rectangle, not against bounding boxes); tile_blocks.py makes of
these lists what the buffer holds. Lists per tile are as in tiled shading (O. Olsson and U. Assarsson, 2011) and of 3D
Gaussian splatting (B. Kerbl and others, 2023).

Where the picture repeats, a Gaussian is listed wherever one of its images reaches, once, and does not say which image
that is: the one nearest to the texel is the only one that can reach it, unless supports are nearly as large as the
picture; :attr:`TileIndex.images` then tells how many the decoders have to look at. Saying it would take bits in
every entry, and of the shared materials' files none needs a second image.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.quantized_set import (
    QuantizedGaussianSet,
    conics_of,
    position_exponents,
    reaches_of,
    shape_values,
)

BLOCKS_PER_TILE_LOG2: Final = 2
"""A tile is 4 x 4 blocks, which 16 bits tell apart."""

MAX_PAIRS: Final = 1 << 27
"""Most (Gaussian, block) pairs looked at; a file whose Gaussians overlap more than that is refused, not swallowed."""

_PAIRS_AT_ONCE: Final = 1 << 20

GROUP_REACH: Final = 15.5
"""Texels from the middle of the compute decoder's largest group, 32 x 32, to its farthest centre, along an axis."""


@dataclass(frozen=True, slots=True)
class TileIndex:
    """The lists of all tiles, row by row."""

    block_log2: int  # blocks are 2^block_log2 texels wide and high
    tiles_across: int
    tiles_down: int
    tile_starts: NDArray[np.uint32]  # [T + 1] first entry of each tile
    gaussians: NDArray[np.uint32]  # [E] ascending within a tile
    masks: NDArray[np.uint16]  # [E] bit block_y * 4 + block_x, counted within the tile
    wrap: tuple[bool, bool]  # whether tiles at one side have those at the other beside them
    images: tuple[int, int]  # x, y: images of a Gaussian to look at beside the nearest one, on either side

    @property
    def scanned(self) -> NDArray[np.int64]:
        """Entries that a texel of each tile looks at [T]."""
        starts = self.tile_starts.astype(np.int64)
        return starts[1:] - starts[:-1]


@dataclass(frozen=True, slots=True)
class _Supports:
    """Ellipses in float64, one per image that reaches the picture: q = (A dx^2 + 2 B dx dy + C dy^2) / 2 < cutoff."""

    gaussians: NDArray[np.int64]  # [I] of which Gaussian this is an image
    means: NDArray[np.float64]  # [I, 2] texels
    conics: NDArray[np.float64]  # [I, 3] A, B, C
    reach: NDArray[np.float64]  # [I, 2] half width and height of the bounding box, texels
    cutoff: float


def build_index(quantized: QuantizedGaussianSet, block_log2: int, widening: float = 0.0) -> TileIndex:
    """List the Gaussians of every tile.

    Args:
        quantized: a valid set
        block_log2: blocks are 2^block_log2 texels wide and high
        widening: of supports, for the levels of a mip chain: added to the variance along every axis, square texels

    Raises:
        UsageError: the supports overlap beyond :data:`MAX_PAIRS`
    """
    supports, images = _supports(quantized, widening)
    across, down = (-(-size >> block_log2) for size in (quantized.width, quantized.height))
    limits = np.array([across, down]) - 1
    scale = 2.0**-block_log2
    first = np.clip(np.floor((supports.means - supports.reach) * scale), 0, limits).astype(np.int64)
    last = np.clip(np.floor((supports.means + supports.reach) * scale), 0, limits).astype(np.int64)
    ends = np.cumsum(np.prod(last - first + 1, axis=1))
    _check_pairs(quantized, int(ends[-1]))
    tiles_across, tiles_down = (-(-count >> BLOCKS_PER_TILE_LOG2) for count in (across, down))
    within = (1 << BLOCKS_PER_TILE_LOG2) - 1
    keys, bits = [], []
    cuts = np.searchsorted(ends, np.arange(0, ends[-1], _PAIRS_AT_ONCE), side="left")
    for start, stop in zip(cuts, [*cuts[1:], len(ends)], strict=True):
        of, x, y = _pairs(first[start:stop], last[start:stop])
        of += start
        touched = _touches(supports, of, x, y, block_log2)
        of, x, y = of[touched], x[touched], y[touched]
        tile = (y >> BLOCKS_PER_TILE_LOG2) * tiles_across + (x >> BLOCKS_PER_TILE_LOG2)
        keys.append(tile * quantized.gaussian_count + supports.gaussians[of])
        bits.append((1 << ((y & within) << BLOCKS_PER_TILE_LOG2) + (x & within)).astype(np.uint16))
    key, bit = np.concatenate(keys), np.concatenate(bits)
    order = np.argsort(key, kind="stable")
    key, bit = key[order], bit[order]
    heads = np.flatnonzero(np.diff(key, prepend=-1))
    masks = np.bitwise_or.reduceat(bit, heads) if heads.size else bit
    tile_of = key[heads] // quantized.gaussian_count
    starts = np.searchsorted(tile_of, np.arange(tiles_across * tiles_down + 1))
    return TileIndex(
        block_log2=block_log2,
        tiles_across=tiles_across,
        tiles_down=tiles_down,
        tile_starts=starts.astype(np.uint32),
        gaussians=(key[heads] % quantized.gaussian_count).astype(np.uint32),
        masks=masks,
        wrap=quantized.wrap,
        images=images,
    )


def _check_pairs(quantized: QuantizedGaussianSet, pairs: int) -> None:
    if pairs > MAX_PAIRS:
        raise UsageError(
            f"the supports of this file's {quantized.gaussian_count} Gaussians overlap too much for a decoder's index "
            f"({pairs} pairs of Gaussian and block, at most {MAX_PAIRS}); compress it with fewer Gaussians"
        )


def _supports(quantized: QuantizedGaussianSet, widening: float) -> tuple[_Supports, tuple[int, int]]:
    """Return the supports, and how many images in x and y a decoder looks at on either side of the nearest one."""
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    exponents = position_exponents(shapes, quantized).astype(np.float64)
    means = (quantized.position_codes.astype(np.float64) + 0.5) * np.exp2(exponents)
    conics, reach = conics_of(shapes), reaches_of(shapes, quantized.cutoff)
    if widening > 0:
        conics, reach = _widened(conics, widening), np.sqrt(reach**2 + 2 * quantized.cutoff * widening)
    size = np.array([quantized.width, quantized.height])
    wrap = np.array(quantized.wrap)
    first = np.where(wrap, np.ceil((-means - reach) / size), 0).astype(np.int64)
    last = np.where(wrap, np.floor((size - means + reach) / size), 0).astype(np.int64)
    _check_pairs(quantized, int(np.prod(last - first + 1, axis=1).sum()))  # each image has a pair at least
    gaussians, image_x, image_y = _pairs(first, last)
    shifted = means[gaussians] + np.stack([image_x, image_y], axis=1) * size
    # an image beside the nearest one to the middle of a group can reach a texel of it only with this much of a reach
    beside = np.where(wrap, np.maximum(np.ceil((reach.max(axis=0) + GROUP_REACH) / size - 0.5), 0), 0)
    supports = _Supports(gaussians, shifted, conics[gaussians], reach[gaussians], quantized.cutoff)
    return supports, (int(beside[0]), int(beside[1]))


def _widened(conics: NDArray[np.float64], widening: float) -> NDArray[np.float64]:
    """Return the conics [N, 3] of covariances with something added to their diagonals."""
    a, b, c = conics.T
    determinant = a * c - b * b
    xx, yy = c + widening * determinant, a + widening * determinant
    return np.asarray(np.stack([yy, b, xx], axis=1) * (determinant / (xx * yy - b * b))[:, None])


def _pairs(
    first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return, for every block of every bounding box, which box it is of and the block's x and y."""
    size = last - first + 1
    counts = size[:, 0] * size[:, 1]
    of = np.repeat(np.arange(len(first)), counts)
    place = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return of, first[of, 0] + place % size[of, 0], first[of, 1] + place // size[of, 0]


def _touches(
    supports: _Supports, of: NDArray[np.int64], x: NDArray[np.int64], y: NDArray[np.int64], block_log2: int
) -> NDArray[np.bool_]:
    """Whether the least q over each block's rectangle is below the cut-off."""
    size = float(1 << block_log2)
    mean_x, mean_y = (np.ascontiguousarray(supports.means[:, axis])[of] for axis in range(2))
    left, top = x * size - mean_x, y * size - mean_y
    right, bottom = left + size, top + size
    a, b, c = (np.ascontiguousarray(supports.conics[:, part])[of] for part in range(3))
    inside = (left <= 0) & (right >= 0) & (top <= 0) & (bottom >= 0)
    least = np.full(len(of), np.inf)
    for dx in (left, right):  # along an edge q is a parabola: its lowest point, moved to the nearer end if outside
        dy = np.clip(-b * dx / c, top, bottom)
        least = np.minimum(least, a * dx * dx + 2 * b * dx * dy + c * dy * dy)
    for dy in (top, bottom):
        dx = np.clip(-b * dy / a, left, right)
        least = np.minimum(least, a * dx * dx + 2 * b * dx * dy + c * dy * dy)
    return np.asarray(inside | (least < 2 * supports.cutoff))
