"""Materials as the one buffer of 32-bit words that every decoder reads; docs/gpu-buffer.md defines every word.

::

    directory     magic, number of materials, where the noise tile is, and where each material begins
    noise tile    4096 words, the same for all materials with a detail layer, once; nothing where none has one
    materials     header (material_header.py), tiles (tile_blocks.py), coarse levels (coarse_levels.py), detail
                  (detail_words.py), exact samples (exact_texels.py) or repeat (repeat_words.py) and residual
                  (residual_words.py)
    one word      of zeros, which may be read and never counts
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.noise_tile import noise_words
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.coarse_levels import (
    CoarseLevels,
    LevelPictures,
    coarse_levels,
    index_widening,
    levels_limit,
)
from imagegs_tex.shaders.detail_words import detail_words
from imagegs_tex.shaders.exact_texels import exact_words
from imagegs_tex.shaders.material_header import header, header_words
from imagegs_tex.shaders.repeat_words import repeat_words
from imagegs_tex.shaders.residual_words import residual_words
from imagegs_tex.shaders.tile_blocks import TileBlocks, tile_blocks
from imagegs_tex.shaders.tile_index import BLOCKS_PER_TILE_LOG2, build_index
from imagegs_tex.shaders.tile_layout import TileLayout

MAGIC: Final = 0x42534749  # "IGSB", as little-endian bytes
DIRECTORY_WORDS: Final = 3
NOISE_TILE_BYTES: Final = 4 * 64 * 64
MOST_WORDS: Final = 1 << 30
"""Of a buffer: readers count bytes in 32 bits."""

MASKED_SHARE: Final = 9, 25
"""Masks of four quarters are taken where near and far entries and those masks are at most 9/25 of heads and records.
They halve what a pixel shader evaluates and take half a byte per entry: 8 to 14 % of the buffer where Gaussians are
small, 20 to 26 % where they are long."""

BLOCKS: Final = {3: (5, 2), 4: (6, 2), 5: (6, 1), 6: (6, 0)}
"""Tile and mask by block_log2: what texels of one block evaluate is listed for the tile, and told apart by masks."""

_SMALL_ROW_LOG2: Final = 8
_LARGE_ROW_LOG2: Final = 11
_MAX_ROWS: Final = 2048  # what every WebGL 2 device can address


@dataclass(frozen=True, slots=True)
class GpuBytes:
    """Resident bytes of one material by part."""

    header: int  # with its place in the directory
    heads: int  # of the tiles
    records: int
    near: int  # entries of Gaussians from the tiles around
    far: int  # entries of Gaussians from farther away
    masks: int
    coarse: int  # levels of a mip chain; the most that they may take where they were not made
    envelope: int  # of the detail layer, with the numbers that make its noise
    exact: int  # texels of exact samples
    repeat: int  # the lattice, coefficients of a cell's blocks, weights
    residual: int  # coefficients of blocks, with what tells where they begin
    filling: int  # up to whole words
    noise_tile: int  # 16,384, or 0 without a detail layer: once in a buffer, not counted in the total

    @property
    def index(self) -> int:
        """What tells which Gaussians a texel looks at."""
        return self.near + self.far + self.masks

    @property
    def total(self) -> int:
        """All that the material adds to a buffer."""
        rest = self.header + self.heads + self.records + self.coarse + self.envelope + self.exact
        return rest + self.repeat + self.residual + self.filling + self.index


@dataclass(frozen=True, slots=True)
class PackedGaussians:
    """The buffer of one material, and how to read it."""

    words: NDArray[np.uint32]
    tiles: TileBlocks
    images: tuple[int, int]  # x, y: images of a Gaussian to look at beside the nearest one, on either side
    material_at: int  # word at which the material begins
    noise_at: int  # word at which the noise tile begins; 0 without
    tiles_at: int  # word at which the tiles' heads begin, counted from the material's first, as the following
    coarse_at: int
    envelope_at: int
    last_at: int  # of exact samples, the repeat or the residual
    residual_at: int
    coarse: CoarseLevels | None
    row_log2: int  # the texture variant's width is 2^row_log2 texels of one word
    ledger: GpuBytes

    @property
    def layout(self) -> TileLayout:
        """Of the tiles."""
        return self.tiles.layout

    @property
    def texture_size(self) -> tuple[int, int]:
        """Width and height of the texture variant; its last row is filled up."""
        return 1 << self.row_log2, -(-len(self.words) >> self.row_log2)

    @property
    def texture_words(self) -> NDArray[np.uint32]:
        """The words with zeros behind them up to whole rows of the texture variant."""
        return np.pad(self.words, (0, -len(self.words) % (1 << self.row_log2)))


def pack_gaussians(
    quantized: QuantizedGaussianSet,
    block_log2: int | None = None,
    pictures: LevelPictures | None = None,
    *,
    widening: float | None = None,
) -> PackedGaussians:
    """Make the buffer of a material.

    Args:
        quantized: a valid set
        block_log2: texels of one block of 2^block_log2 evaluate the same Gaussians, 3..6; None: by :data:`MASKED_SHARE`
        pictures: what the levels of a mip chain are made of; None leaves them out
        widening: of the supports that are listed, square texels; None: what the levels need, 0 without

    Raises:
        UsageError: the supports overlap beyond what an index can hold
    """
    if widening is None:
        widening = 0.0 if pictures is None else index_widening(quantized)
    tiles, images = _choose_tiles(quantized, block_log2, widening)
    nothing = np.empty(0, dtype=np.uint32)
    envelope = detail_words(quantized.detail, quantized.offset_codes)
    noise = nothing if quantized.detail is None else noise_words()
    repeat = repeat_words(quantized.repeat, (quantized.width, quantized.height))
    exact, residual = exact_words(quantized.exact), residual_words(quantized.residual)
    last = np.concatenate([exact, repeat, residual])  # no file has the first beside others
    head_size = header_words(quantized)
    rest = 4 * (head_size + 1) + tiles.words.nbytes + envelope.nbytes + last.nbytes
    coarse = None if pictures is None else coarse_levels(quantized, pictures, _levels_limit(quantized, rest))
    coarse_words = nothing if coarse is None else coarse.words
    starts = np.cumsum([0, head_size, len(tiles.words), len(coarse_words), len(envelope), len(last)]).tolist()
    noise_at = DIRECTORY_WORDS + 1 if len(noise) else 0
    material_at = DIRECTORY_WORDS + 1 + len(noise)
    parts = {
        "tiles": starts[1],
        "levels": starts[2] if len(coarse_words) else 0,
        "envelope": starts[3] if len(envelope) else 0,
        "exact_or_layers": starts[4] if len(last) else 0,
    }
    levels = 0 if coarse is None else coarse.range.first | coarse.range.last << 8 | coarse.range.direct << 16
    head = header(quantized, tiles.layout, images, parts, levels)
    directory = np.array([MAGIC, 1, noise_at, material_at], dtype=np.uint32)
    end = np.zeros(1, dtype=np.uint32)
    words = np.concatenate([directory, noise, head, tiles.words, coarse_words, envelope, last, end])
    return PackedGaussians(
        words=words,
        tiles=tiles,
        images=images,
        material_at=material_at,
        noise_at=noise_at,
        tiles_at=starts[1],
        coarse_at=starts[2],
        envelope_at=starts[3],
        last_at=starts[4],
        residual_at=starts[4] + len(repeat),
        coarse=coarse,
        row_log2=_SMALL_ROW_LOG2 if len(words) <= _MAX_ROWS << _SMALL_ROW_LOG2 else _LARGE_ROW_LOG2,
        ledger=_ledger(tiles, head_size, (coarse_words, envelope, exact, repeat, residual), noise.nbytes),
    )


def _ledger(
    tiles: TileBlocks, head_words: int, behind: Sequence[NDArray[np.uint32]], noise_tile: int
) -> GpuBytes:  # fmt: skip
    """Return the ledger; behind: levels, envelope, exact samples, repeat and residual."""
    bits = {
        "records": tiles.record_bits, "near": tiles.near_bits, "far": tiles.far_bits, "masks": tiles.mask_bits,
    }  # fmt: skip
    whole = {name: bit_count // 8 for name, bit_count in bits.items()}
    return GpuBytes(
        header=4 * (head_words + 1),
        heads=tiles.head_bytes,
        records=whole["records"],
        near=whole["near"],
        far=whole["far"],
        masks=whole["masks"],
        coarse=behind[0].nbytes,
        envelope=behind[1].nbytes,
        exact=behind[2].nbytes,
        repeat=behind[3].nbytes,
        residual=behind[4].nbytes,
        filling=tiles.words.nbytes - tiles.head_bytes - sum(whole.values()),
        noise_tile=noise_tile,
    )


def join_materials(materials: Sequence[PackedGaussians]) -> NDArray[np.uint32]:
    """Return one buffer of several materials, numbered in this order; the noise tile is there once.

    Raises:
        UsageError: there is none, or they take more than :data:`MOST_WORDS`
    """
    if not materials:
        raise UsageError("a buffer of no material: give one at least")
    noise = noise_words() if any(packed.noise_at for packed in materials) else np.empty(0, dtype=np.uint32)
    blocks = [packed.words[packed.material_at : -1] for packed in materials]
    first = DIRECTORY_WORDS + len(blocks)
    starts = first + len(noise) + np.cumsum([0, *(len(block) for block in blocks)])
    if starts[-1] + 1 > MOST_WORDS:
        raise UsageError(
            f"{len(blocks):,} materials of {4 * (int(starts[-1]) + 1):,} bytes, more than {4 * MOST_WORDS:,} that a "
            "buffer can have: make several buffers"
        )
    directory = [MAGIC, len(blocks), first if len(noise) else 0, *starts[:-1].tolist()]
    return np.concatenate([np.array(directory, dtype=np.uint32), noise, *blocks, np.zeros(1, dtype=np.uint32)])


def resident_bytes(quantized: QuantizedGaussianSet) -> int:
    """Return the bytes that a material takes on the GPU at most, with the levels of a mip chain.

    Raises:
        UsageError: the supports overlap beyond what an index can hold
    """
    return reserve_levels(quantized).ledger.total


def reserve_levels(quantized: QuantizedGaussianSet) -> PackedGaussians:
    """Return the buffer as it is with the levels of a mip chain, but without them: its ledger has what they may take.

    Raises:
        UsageError: the supports overlap beyond what an index can hold
    """
    packed = pack_gaussians(quantized, widening=index_widening(quantized))
    return replace(packed, ledger=replace(packed.ledger, coarse=_levels_limit(quantized, packed.ledger.total)))


def _levels_limit(quantized: QuantizedGaussianSet, rest: int) -> int:
    return levels_limit(rest, repeats=quantized.repeat is not None)


def _choose_tiles(
    quantized: QuantizedGaussianSet, block_log2: int | None, widening: float
) -> tuple[TileBlocks, tuple[int, int]]:  # fmt: skip
    if block_log2 is not None:
        tile_log2, mask_log2 = BLOCKS[block_log2]
        index = build_index(quantized, tile_log2 - BLOCKS_PER_TILE_LOG2, widening)
        return tile_blocks(quantized, index, mask_log2), index.images
    index = build_index(quantized, BLOCKS[5][0] - BLOCKS_PER_TILE_LOG2, widening)
    masked = tile_blocks(quantized, index, 1)
    share, of = MASKED_SHARE
    listed = masked.near_bits + masked.far_bits + masked.mask_bits
    if of * listed <= share * (8 * masked.head_bytes + masked.record_bits):
        return masked, index.images
    return tile_blocks(quantized, index, 0), index.images
