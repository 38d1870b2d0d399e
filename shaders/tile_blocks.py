"""The tiles of a material as bits: the records of a tile's own Gaussians, and which others reach it.

A Gaussian belongs to the tile that holds its centre. docs/gpu-buffer.md defines every bit; in short, a tile has

::

    head      whole words at a place of their own: where the block begins, counts, how positions are scaled, the width
              of every field, the least codes of m, h and b

and a block, at any bit:

::

    records   one per own Gaussian, fields without gaps, all of a tile's records equally long
    near      for each of the eight tiles around which this one lies, one bit per Gaussian of this tile that reaches any
    masks     for each of 0, 4 or 16 blocks of the tile, one bit per own, near and far entry that touches it
    far       the tiles farther away whose Gaussians reach this one, and for each a bit per Gaussian

A texel looks at nine tiles and a few far ones. Each head is found without another, and each list from its tile's head
alone, so that a decoder has all those loads under way at once.

Bytes per Gaussian, brick_wall_017 with 6,959 Gaussians, each part by what was tried:

=====================================================  =====  ======================================================
records, one width per field and file                  12.0
records, widths per 64 x 64 texels, positions in tile   7.7   with heads; 7.5 in runs of 16, sorted by size
positions by longer and shorter axis instead of x, y    7.6   facade_005_tiles 8.0 instead of 8.8
features with a sign instead of above a tile's least    7.6   no field less, 0.1 more; boombox 0.1 less
entries of 32 bits                                      9.7   2.4 per Gaussian, one of them the tile's own
own implied, others as tile and number, 10 bits         2.1   near ones as bits 0.8
far ones as tile and number instead of by tile          0.1   boombox 0.2, fabric_pattern_07 0.5, facade_005_tiles 0.7
masks of 16 bits                                        4.8   of 4 bits 1.2, none 0
=====================================================  =====  ======================================================
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.quantized_set import (
    QuantizedGaussianSet,
    least_exponent,
    position_exponents,
    shape_values,
)
from imagegs_tex.shaders.bit_fields import WORD_BITS, bit_lengths, put_bits
from imagegs_tex.shaders.tile_index import BLOCKS_PER_TILE_LOG2, TileIndex
from imagegs_tex.shaders.tile_layout import NEAR_TILES, SHIFT_BITS, TileLayout

SHAPE_FIELDS: Final = 3
_OWN: Final = 0
_FAR: Final = 1 + len(NEAR_TILES)

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TileBlocks:
    """The heads and the blocks."""

    layout: TileLayout
    words: NDArray[np.uint32]  # heads, then the blocks
    candidates: NDArray[np.int32]  # [down, across] entries that a texel of each block evaluates
    scanned: Whole  # [T] entries of each tile
    listed: Whole  # [T, 10] own, near by NEAR_TILES and far entries of each tile
    runs: Whole  # [T, 10] of up to 32 Gaussians that a texel of each tile goes through to find those
    groups: Whole  # [T] far groups
    head_bytes: int
    record_bits: int  # of all tiles together, as the following
    near_bits: int
    far_bits: int
    mask_bits: int

    @property
    def block_log2(self) -> int:
        """Blocks are 2^block_log2 texels."""
        return self.layout.tile_log2 - self.layout.mask_log2


def tile_blocks(quantized: QuantizedGaussianSet, index: TileIndex, mask_log2: int) -> TileBlocks:
    """Make the blocks.

    Args:
        quantized: a valid set
        index: of that set; its tiles are those of the blocks
        mask_log2: 0 leaves masks out, 1 tells four quarters of a tile apart, 2 the blocks of the index
    """
    records = _Records.of(quantized, index)
    entries = _Entries.of(index, records)
    groups = _Groups.of(entries)
    masks = _coarser(entries.masks) if mask_log2 == 1 else entries.masks
    tile_count = len(records.counts)
    layout = _layout(quantized, index, mask_log2, records, entries, groups)
    near_bits = len(NEAR_TILES) * records.reaching
    mask_bits = entries.counts * layout.mask_bits
    group_bits = groups.counts * layout.group_bits
    parts = [records.counts * records.strides, near_bits, mask_bits, group_bits, groups.far_bits]
    ends = np.cumsum(np.concatenate(parts).reshape(len(parts), -1).T).reshape(-1, len(parts))
    layout = replace(layout, offset_bits=_width(ends[:-1, -1]))
    records_at, near_at, masks_at, groups_at, far_at = (ends - np.stack(parts, axis=1)).T
    head_words = layout.head_words * tile_count
    words = np.zeros(head_words + -(-int(ends[-1, -1]) // WORD_BITS), dtype=np.uint32)
    _put_heads(words, layout, records, entries, groups, records_at)
    blocks = words[head_words:]
    own_first = records_at[records.tile] + records.number * records.strides[records.tile]
    put_bits(blocks, own_first[:, None] + records.field_at[records.tile], records.fields, records.widths[records.tile])
    is_near = (entries.kind > _OWN) & (entries.kind < _FAR)
    source, around = entries.source[is_near], entries.kind[is_near] - 1
    near_first = near_at[source] + around * records.reaching[source] + entries.number[is_near]
    put_bits(blocks, near_first, np.ones(len(source), dtype=np.int64), 1)
    if layout.mask_bits:
        block = np.arange(layout.mask_bits)
        at = masks_at[entries.tile, None] + block * entries.counts[entries.tile, None]
        put_bits(blocks, at + _places(entries.tile)[:, None], masks[:, None] >> block & 1, 1)
    value = groups.source | groups.lengths << layout.tile_bits
    put_bits(blocks, groups_at[groups.tile] + _places(groups.tile) * layout.group_bits, value, layout.group_bits)
    is_far = entries.kind == _FAR
    far_first = far_at[groups.tile] + groups.starts
    put_bits(blocks, far_first[groups.of_entry] + entries.number[is_far], np.ones(int(is_far.sum()), dtype=np.int64), 1)
    listed = np.bincount(entries.tile * (_FAR + 1) + entries.kind, minlength=tile_count * (_FAR + 1))
    far_runs = np.bincount(groups.tile, weights=_runs(groups.lengths), minlength=tile_count).astype(np.int64)
    around_runs = np.where(entries.around < 0, 0, _runs(records.reaching)[entries.around])
    return TileBlocks(
        layout=layout, words=words,
        candidates=_candidates(quantized, layout, entries.tile, masks) * math.prod(2 * n + 1 for n in index.images),
        scanned=entries.counts,
        listed=listed.reshape(tile_count, -1),
        runs=np.column_stack([_runs(records.counts), around_runs, far_runs]),
        groups=groups.counts,
        head_bytes=4 * head_words,
        record_bits=int(parts[0].sum()), near_bits=int(near_bits.sum()),
        far_bits=int(group_bits.sum() + groups.far_bits.sum()), mask_bits=int(mask_bits.sum()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Records:
    """All Gaussians, tile by tile: those first that reach tiles farther away, then those that reach one around."""

    order: Whole  # [N] Gaussian of the set
    tile: Whole  # [N]
    number: Whole  # [N] within the tile
    counts: Whole  # [T]
    reaching: Whole  # [T] of them, those that reach another tile
    fields: Whole  # [N, 5 + K] x, y (y, x where h < 0), m, h, b and the features as stored
    widths: Whole  # [T, 5 + K]
    field_at: Whole  # [T, 5 + K] first bit of each field within a record
    strides: Whole  # [T] bits of a record
    shifts: Whole  # [T, 2] how far positions are shifted
    halves: Whole  # [T, 2] 1 where all positions have the bit below, which is left out
    least: Whole  # [T, 3] codes of m, h and b
    position_bits: int

    @staticmethod
    def of(quantized: QuantizedGaussianSet, index: TileIndex) -> "_Records":
        tile_log2 = index.block_log2 + BLOCKS_PER_TILE_LOG2
        position_bits = tile_log2 - least_exponent(quantized.width, quantized.height) + 1
        positions = _positions(quantized)
        across = positions >> position_bits
        if (
            across >= [index.tiles_across, index.tiles_down]
        ).any():  # steps of a large Gaussian are longer than the side
            raise UsageError("a Gaussian of this file lies beyond the picture's last tile; compress the material again")
        of_set = across[:, 1] * index.tiles_across + across[:, 0]
        tile_count = index.tiles_across * index.tiles_down
        tile_of_entry = np.repeat(np.arange(tile_count), index.scanned)
        kind = _kinds(tile_of_entry, of_set[index.gaussians], _around(index))
        reach = np.zeros(len(of_set), dtype=np.int64)
        reach[index.gaussians[kind != _OWN]] = 1
        reach[index.gaussians[kind == _FAR]] = 2
        size = quantized.shape_codes[:, 0].astype(np.int64)
        order = np.lexsort((np.arange(len(of_set)), -size, -reach, of_set))
        tile = of_set[order]
        counts = np.bincount(tile, minlength=tile_count)
        within = (positions & ((1 << position_bits) - 1))[order]
        # Along the axis that a support is longer on, position steps are larger: it comes first, so that both are alike.
        within = np.where(quantized.shape_codes[order, 1:2] < 0, within[:, ::-1], within)
        zeros = bit_lengths((within | 1 << position_bits) & -(within | 1 << position_bits)) - 1
        shifts = _least_of(zeros, tile, tile_count, 0)
        halves = (_least_of(-zeros, tile, tile_count, 1) == -shifts) & (shifts < position_bits) & (counts > 0)[:, None]
        shape, features = (codes.astype(np.int64)[order] for codes in (quantized.shape_codes, quantized.feature_codes))
        least = _least_of(shape, tile, tile_count, 0)
        shape_widths = bit_lengths(-_least_of(-shape, tile, tile_count, 0) - least)
        # As wide as the largest size takes, and the sign; none where all are 0. With a tile's least code instead of the
        # sign, fields would be half a bit narrower, which is what those codes would take.
        sizes = -_least_of(-np.where(features < 0, -1 - features, features), tile, tile_count, 0)
        nothing = -_least_of(-np.abs(features), tile, tile_count, 0) == 0
        feature_widths = np.where(nothing, 0, bit_lengths(sizes) + 1)
        position_widths = np.where(counts[:, None] > 0, position_bits - shifts - halves, 0)
        widths = np.concatenate([position_widths, shape_widths, feature_widths], axis=1)
        signed = features & ((1 << feature_widths) - 1)[tile]
        stored = np.concatenate([within >> (shifts + halves)[tile], shape - least[tile], signed], axis=1)
        return _Records(
            order=order, tile=tile, number=_places(tile), counts=counts,
            reaching=np.bincount(tile[reach[order] > 0], minlength=tile_count),
            fields=stored, widths=widths,
            field_at=np.cumsum(widths, axis=1) - widths, strides=widths.sum(axis=1), shifts=shifts,
            halves=halves.astype(np.int64), least=least, position_bits=position_bits,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Entries:
    """All entries, tile by tile: own ones, near ones in the order of NEAR_TILES, far ones by tile and number."""

    tile: Whole  # [E]
    kind: Whole  # [E] _OWN, 1 + place in NEAR_TILES, or _FAR
    source: Whole  # [E] the Gaussian's own tile
    number: Whole  # [E] the Gaussian's number within it
    masks: NDArray[np.uint16]  # [E] of 4 x 4 blocks
    counts: Whole  # [T]
    around: Whole  # [T, 8] tiles in the places of NEAR_TILES, -1 beyond the border

    @staticmethod
    def of(index: TileIndex, records: _Records) -> "_Entries":
        around = _around(index)
        tile_of, number_of = (np.empty_like(records.tile) for _ in range(2))
        tile_of[records.order], number_of[records.order] = records.tile, records.number
        tile = np.repeat(np.arange(len(around)), index.scanned)
        source, number = tile_of[index.gaussians], number_of[index.gaussians]
        kind = _kinds(tile, source, around)
        order = np.lexsort((number, source, kind, tile))
        return _Entries(
            tile[order], kind[order], source[order], number[order], index.masks[order], index.scanned, around
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Groups:
    """The far entries of each tile by the tiles that they come from."""

    tile: Whole  # [G]
    source: Whole  # [G] the tile that the Gaussians belong to
    lengths: Whole  # [G] far bits: Gaussians of that tile, counted up to the last that reaches this one
    starts: Whole  # [G] first of them among those of the tile
    counts: Whole  # [T]
    far_bits: Whole  # [T]
    of_entry: Whole  # [far entries] each one's group

    @staticmethod
    def of(entries: _Entries) -> "_Groups":
        is_far = entries.kind == _FAR
        tile, source, number = entries.tile[is_far], entries.source[is_far], entries.number[is_far]
        begins = (np.diff(tile, prepend=-1) != 0) | (np.diff(source, prepend=-1) != 0)
        of_entry = np.cumsum(begins) - 1
        first = np.flatnonzero(begins)
        lengths = np.zeros(len(first), dtype=np.int64)
        np.maximum.at(lengths, of_entry, number + 1)
        tile_count = len(entries.counts)
        far_bits = np.bincount(tile[first], weights=lengths, minlength=tile_count).astype(np.int64)
        starts = np.cumsum(lengths) - lengths - (np.cumsum(far_bits) - far_bits)[tile[first]]
        counts = np.bincount(tile[first], minlength=tile_count)
        return _Groups(tile[first], source[first], lengths, starts, counts, far_bits, of_entry)


def _positions(quantized: QuantizedGaussianSet) -> Whole:
    """Return positions [N, 2] in units of 2^(e_min - 1) texels: odd multiples of half a step of their own."""
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    raised = position_exponents(shapes, quantized) - least_exponent(quantized.width, quantized.height)
    return np.asarray((2 * quantized.position_codes.astype(np.int64) + 1) << raised)


def _around(index: TileIndex) -> Whole:
    """Return the tiles around each tile [T, 8], -1 beyond a border that the picture does not repeat at."""
    y, x = np.divmod(np.arange(index.tiles_across * index.tiles_down), index.tiles_across)
    columns = []
    for right, down in NEAR_TILES:
        at, sizes = (x + right, y + down), (index.tiles_across, index.tiles_down)
        turned = [
            place % size if repeats else place for place, size, repeats in zip(at, sizes, index.wrap, strict=True)
        ]
        inside = [(place >= 0) & (place < size) for place, size in zip(turned, sizes, strict=True)]
        columns.append(np.where(inside[0] & inside[1], turned[1] * index.tiles_across + turned[0], -1))
    return np.stack(columns, axis=1)


def _kinds(tile: Whole, source: Whole, around: Whole) -> Whole:
    """Return what kind each entry is: where a tile lies around another twice, in a small picture, the first counts."""
    found = around[tile] == source[:, None]
    near = np.where(found.any(axis=1), 1 + found.argmax(axis=1), _FAR)
    return np.where(source == tile, _OWN, near)


def _layout(
    quantized: QuantizedGaussianSet,
    index: TileIndex,
    mask_log2: int,
    records: _Records,
    entries: _Entries,
    groups: _Groups,
) -> TileLayout:
    """Return all but the width of offsets."""
    file_least = quantized.shape_codes.min(axis=0).astype(np.int64)
    above = (records.least - file_least)[records.counts > 0].max(axis=0)
    return TileLayout(
        tile_log2=index.block_log2 + BLOCKS_PER_TILE_LOG2,
        mask_log2=mask_log2,
        tiles_across=index.tiles_across,
        tiles_down=index.tiles_down,
        position_bits=records.position_bits,
        offset_bits=0,
        stride_bits=_width(records.strides),
        count_bits=_width(records.counts),
        reach_bits=_width(records.reaching),
        width_bits=_width(records.widths[:, 2:]),
        group_count_bits=_width(groups.counts),
        entry_count_bits=_width(entries.counts) if mask_log2 else 0,
        tile_bits=_width(groups.source),
        listed_bits=_width(groups.lengths),
        field_count=SHAPE_FIELDS + quantized.component_count,
        least=tuple(file_least.tolist()),
        least_bits=tuple(bit_lengths(above).tolist()),
    )


def _width(values: Whole) -> int:
    """Return the bits of the largest value, 0 where there is none."""
    return int(bit_lengths(np.array([values.max(initial=0)]))[0])


def _put_heads(
    words: NDArray[np.uint32],
    layout: TileLayout,
    records: _Records,
    entries: _Entries,
    groups: _Groups,
    records_at: Whole,
) -> None:
    above = np.where(records.counts[:, None] > 0, records.least - np.array(layout.least), 0)
    parts = [
        (records_at, layout.offset_bits), (records.strides, layout.stride_bits), (records.counts, layout.count_bits),
        (records.reaching, layout.reach_bits),
        (records.shifts[:, 0], SHIFT_BITS), (records.halves[:, 0], 1),
        (records.shifts[:, 1], SHIFT_BITS), (records.halves[:, 1], 1),
        *((records.widths[:, 2 + field], layout.width_bits) for field in range(SHAPE_FIELDS)),
        *((above[:, field], bits) for field, bits in enumerate(layout.least_bits)),
        *((records.widths[:, 2 + field], layout.width_bits) for field in range(SHAPE_FIELDS, layout.field_count)),
        (groups.counts, layout.group_count_bits),
        (entries.counts if layout.mask_bits else 0 * entries.counts, layout.entry_count_bits),
    ]  # fmt: skip
    values = np.stack([values for values, _ in parts], axis=1)
    widths = np.array([bits for _, bits in parts])
    first = WORD_BITS * layout.head_words * np.arange(len(values))
    put_bits(words, first[:, None] + np.cumsum(widths) - widths, values, widths)


def _candidates(
    quantized: QuantizedGaussianSet, layout: TileLayout, tile: Whole, masks: NDArray[np.uint16]
) -> NDArray[np.int32]:
    """Count the entries of each block [down, across]."""
    side, tile_count = 1 << layout.mask_log2, layout.tiles_across * layout.tiles_down
    counts = np.empty((layout.tiles_down, side, layout.tiles_across, side), dtype=np.int32)
    for bit in range(side * side):
        chosen = tile[masks >> bit & 1 == 1] if layout.mask_log2 else tile
        of_bit = np.bincount(chosen, minlength=tile_count)
        counts[:, bit // side, :, bit % side] = of_bit.reshape(layout.tiles_down, layout.tiles_across)
    block_log2 = layout.tile_log2 - layout.mask_log2
    down, across = (-(-size >> block_log2) for size in (quantized.height, quantized.width))
    return counts.reshape(side * layout.tiles_down, side * layout.tiles_across)[:down, :across]


def _coarser(masks: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return the masks of 2 x 2 blocks for those of 4 x 4."""
    quarters = [0x0033, 0x00CC, 0x3300, 0xCC00]
    return np.asarray(sum(((masks & of) != 0).astype(np.uint16) << bit for bit, of in enumerate(quarters)), np.uint16)


def _runs(counts: Whole) -> Whole:
    """Return how often 32 Gaussians are begun."""
    return np.asarray(-(-counts // WORD_BITS))


def _least_of(values: Whole, tile: Whole, tile_count: int, otherwise: int) -> Whole:
    """Return the least value of each tile [T, n] of values [N, n], sorted by tile; otherwise where a tile has none."""
    found = np.full((tile_count, values.shape[1]), otherwise, dtype=np.int64)
    heads = np.flatnonzero(np.diff(tile, prepend=-1))
    if heads.size:
        found[tile[heads]] = np.minimum.reduceat(values, heads, axis=0)
    return found


def _places(sorted_groups: Whole) -> Whole:
    """Return each element's place within its run of equal values."""
    heads = np.flatnonzero(np.diff(sorted_groups, prepend=-1))
    return np.arange(len(sorted_groups)) - np.repeat(heads, np.diff(np.append(heads, len(sorted_groups))))
