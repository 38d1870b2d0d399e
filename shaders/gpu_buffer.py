"""A quantized set as the one buffer of 32-bit words that every decoder reads.

::

    records       N x word_count words   position and bit-packed codes (record_layout.py)
    tile starts   T + 1 words            first entry of each tile
    entries       E words                Gaussian | mask << 16, or two words each when N > 65536 (tile_index.py)
    coarse        words                  the levels of 16 texels and more, where they are wanted (coarse_levels.py)
    envelope      words                  of the detail layer, 8 codes of 4 bits to a word; nothing in files without one
    noise tile    4096 words             the same in all files with a detail layer, nothing in others
    exact         words                  the texels of files with exact samples (exact_texels.py), nothing in others
    filling       zeros up to a whole row of the texture variant, at most 1 KB in files below 2 MB

Index bytes and Gaussians evaluated per texel (median, most), brick_wall_017 at 8,426 Gaussians on 1024 x 1024 texels:

==============================  =======  =========  ==================================================
masks, blocks of 16 (chosen)     91,048  23, 49
masks, blocks of 8              170,188  16, 38     pixel shaders take a third less time
masks, blocks of 32              56,720  40, 61     compute takes a third more time, pixel shaders twice
lists of 16-bit numbers, 16     208,930  23, 49     the same work per texel at twice the bytes
lists of 16-bit numbers, 32      87,140  40, 61     the same bytes at nearly twice the work
grids by size, no lists          21,844  418 mean   a texel looks at four cells per size
==============================  =======  =========  ==================================================
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.noise_tile import noise_words
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.coarse_levels import CoarseLevels
from imagegs_tex.shaders.exact_texels import exact_words
from imagegs_tex.shaders.record_layout import RecordLayout, pack_records, record_layout
from imagegs_tex.shaders.tile_index import TileIndex, build_index

SHORT_GAUSSIAN_LIMIT: Final = 1 << 16
"""Up to this many Gaussians a number and a mask share one word."""

SMALL_INDEX_SHARE: Final = 1.2
"""Blocks of 8 are taken where their index is at most this large, over the records: they evaluate two thirds of the
Gaussians of blocks of 16 and need an index about twice as large. With 1.3, the brick above took 374 KB where 300 are
wanted."""

CROWDED_PER_TEXEL: Final = 24
"""Where blocks of 16 evaluate more Gaussians than this, which is what long ones make them do, their time is worth more:
blocks of 8 may then have an index up to CROWDED_INDEX_SHARE. fabric_pattern_07 with 5,898 Gaussians: 19 evaluated per
texel in 341 KB instead of 28 in 239 KB; facade_005_tiles with 5,055: 25 in 419 KB instead of 37 in 269 KB."""
CROWDED_INDEX_SHARE: Final = 4.0

SMALL_BYTES_PER_TEXEL: Final = 0.2
"""Up to this many bytes of records and index per texel, blocks of 8 are taken whatever their share: at low rates the
index is larger than the records, but small all the same. brick_wall_017 with 5,958 Gaussians: 10.7 evaluated per texel
in 179 KB instead of 15.6 in 127 KB."""

MEDIUM_INDEX_SHARE: Final = 3.0
"""Of blocks of 16; where even theirs is larger, blocks of 32 evaluate twice as many in an index 0.6 times as large."""

_CODES_PER_WORD: Final = 8
_SMALL_ROW_LOG2: Final = 8
_LARGE_ROW_LOG2: Final = 11
_MAX_ROWS: Final = 2048  # what every WebGL 2 device can address


@dataclass(frozen=True, slots=True)
class GpuBytes:
    """Resident bytes on the GPU by part; the decoder's constants are in its code."""

    records: int
    tile_starts: int
    entries: int
    coarse: int
    envelope: int  # of the detail layer
    noise_tile: int  # 16,384, or 0 without a detail layer
    exact: int  # texels of exact samples
    filling: int

    @property
    def total(self) -> int:
        """All of the buffer."""
        index = self.tile_starts + self.entries
        return self.records + index + self.coarse + self.envelope + self.noise_tile + self.exact + self.filling


@dataclass(frozen=True, slots=True)
class PackedGaussians:
    """The buffer and how to read it."""

    words: NDArray[np.uint32]  # [row width * rows], all parts back to back
    layout: RecordLayout
    index: TileIndex
    tiles_at: int  # word at which the tile starts begin
    entries_at: int  # word at which the entries begin
    coarse_at: int  # word at which the coarse levels begin
    envelope_at: int  # word at which the detail layer's envelope begins
    noise_at: int  # word at which the noise tile begins
    exact_at: int  # word at which the exact samples begin
    entry_words: int  # 1 or 2
    row_log2: int  # the texture variant's width is 2^row_log2 texels of one word
    ledger: GpuBytes

    @property
    def texture_size(self) -> tuple[int, int]:
        """Width and height of the texture variant."""
        return 1 << self.row_log2, len(self.words) >> self.row_log2


def pack_gaussians(
    quantized: QuantizedGaussianSet, block_log2: int | None = None, coarse: CoarseLevels | None = None
) -> PackedGaussians:
    """Make the buffer.

    Args:
        quantized: a valid set
        block_log2: blocks are 2^block_log2 texels, 3..5; None: what the size of the index suggests
        coarse: the levels for footprints of 16 texels and more; None leaves them out

    Raises:
        UsageError: the supports overlap beyond what an index can hold
    """
    layout = record_layout(quantized)
    records = pack_records(quantized, layout)
    entry_words = 1 if quantized.gaussian_count <= SHORT_GAUSSIAN_LIMIT else 2
    index = _choose_index(quantized, block_log2, records.nbytes // 4, entry_words)
    entries = index.gaussians | index.masks.astype(np.uint32) << 16
    if entry_words == 2:
        entries = np.stack([index.gaussians, index.masks.astype(np.uint32)], axis=1).ravel()
    nothing = np.empty(0, dtype=np.uint32)
    coarse_words = nothing if coarse is None else coarse.words
    envelope = nothing if quantized.detail is None else _envelope_words(quantized.detail.envelope_codes)
    noise = nothing if quantized.detail is None else noise_words()
    exact = exact_words(quantized.exact)
    parts = [records.ravel(), index.tile_starts, entries, coarse_words, envelope, noise, exact]
    starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()
    used = np.concatenate(parts)
    row_log2 = _SMALL_ROW_LOG2 if len(used) <= _MAX_ROWS << _SMALL_ROW_LOG2 else _LARGE_ROW_LOG2
    filling = -len(used) % (1 << row_log2)
    return PackedGaussians(
        words=np.concatenate([used, np.zeros(filling, dtype=np.uint32)]),
        layout=layout,
        index=index,
        tiles_at=starts[1],
        entries_at=starts[2],
        coarse_at=starts[3],
        envelope_at=starts[4],
        noise_at=starts[5],
        exact_at=starts[6],
        entry_words=entry_words,
        row_log2=row_log2,
        ledger=GpuBytes(
            records=records.nbytes,
            tile_starts=index.tile_starts.nbytes,
            entries=4 * len(entries),
            coarse=coarse_words.nbytes,
            envelope=envelope.nbytes,
            noise_tile=noise.nbytes,
            exact=exact.nbytes,
            filling=4 * filling,
        ),
    )


def _envelope_words(codes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return an envelope's codes [rows, columns] row by row: cell i in bits 4 (i mod 8) and up of word i / 8."""
    padded = np.pad(codes.ravel(), (0, -codes.size % _CODES_PER_WORD)).reshape(-1, _CODES_PER_WORD)
    shifted = padded.astype(np.uint32) << (4 * np.arange(_CODES_PER_WORD, dtype=np.uint32))
    return np.asarray(shifted.sum(axis=1, dtype=np.uint32))


def _choose_index(
    quantized: QuantizedGaussianSet, block_log2: int | None, record_words: int, entry_words: int
) -> TileIndex:
    if block_log2 is not None:
        return build_index(quantized, block_log2)

    def words(index: TileIndex) -> int:
        return entry_words * len(index.gaussians) + len(index.tile_starts)

    small, medium = build_index(quantized, 3), build_index(quantized, 4)
    crowded = float(medium.candidates.mean()) > CROWDED_PER_TEXEL
    if words(small) <= record_words * (CROWDED_INDEX_SHARE if crowded else SMALL_INDEX_SHARE):
        return small
    if 4 * (record_words + words(small)) <= SMALL_BYTES_PER_TEXEL * quantized.width * quantized.height:
        return small
    return medium if words(medium) <= record_words * MEDIUM_INDEX_SHARE else build_index(quantized, 5)
