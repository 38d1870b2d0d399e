"""How a section of an .igs file is stored: as one Zstandard frame, or coded by context where that is shorter."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs_sections import Plane, law, pack_leb128

if TYPE_CHECKING:  # numba takes a while to import
    from imagegs_tex.formats.context_coder import Neighbours

MAX_RAW_BYTES: Final = 1 << 27
MAX_EXPANSION: Final = 512
MAX_CONTEXT_EXPANSION: Final = 64
"""Of codec CONTEXT, which takes longer per byte: a small file must not decode for minutes."""
EXPANSION_ALLOWANCE: Final = 4096
ZSTD_LEVEL: Final = 19
_SMALL_BLOCK: Final = 1024
"""A zstd block has at least 4 bytes, so blocks of this size grow by 256 at most, which MAX_EXPANSION allows."""
_CODES_PER_GROUP: Final = 3


class Codec(IntEnum):
    """Stored in files: never renumber."""

    ZSTD = 1
    CONTEXT = 2


@dataclass(frozen=True, slots=True)
class StoredSection:
    """A section as the file holds it."""

    codec: Codec
    data: bytes


@dataclass(frozen=True, slots=True)
class CellOrder:
    """Which cell each Gaussian lies in."""

    numbers: NDArray[np.int64]  # [N] ascending, row * across + column
    across: int  # cells per row


def expansion_holds(codec: int, raw_bytes: int, stored_bytes: int) -> bool:
    """Whether a section's lengths keep the law of expansion."""
    most = MAX_CONTEXT_EXPANSION if codec == Codec.CONTEXT else MAX_EXPANSION
    return raw_bytes <= most * stored_bytes + EXPANSION_ALLOWANCE


def store(blocks: list[bytes], coded: bytes | None = None) -> StoredSection:
    """Choose the shorter of a Zstandard frame of the blocks and what coding by context gave."""
    frame = compress_blocks(blocks)
    raw_bytes = sum(map(len, blocks))
    if coded is not None and len(coded) < len(frame) and expansion_holds(Codec.CONTEXT, raw_bytes, len(coded)):
        return StoredSection(Codec.CONTEXT, coded)
    return StoredSection(Codec.ZSTD, frame)


def code_counts(counts: NDArray[np.int64], across: int) -> bytes:
    """Code the section cells."""
    from imagegs_tex.formats.context_coder import encode_planes, grid_neighbours

    return encode_planes(counts[:, None], grid_neighbours(len(counts), across), np.zeros(len(counts), np.int64))


def code_shapes(codes: NDArray[np.int16], order: CellOrder) -> bytes:
    """Code the section shapes [N, 3]."""
    from imagegs_tex.formats.context_coder import cell_neighbours, encode_planes

    return encode_planes(codes, cell_neighbours(order.numbers, order.across), _shares_cell(order))


def code_features(codes: NDArray[np.int16], size_codes: NDArray[np.int16], order: CellOrder) -> bytes:
    """Code the section features [N, K]; size_codes [N] are the shapes' m."""
    from imagegs_tex.formats.context_coder import cell_neighbours, encode_planes

    return encode_planes(codes, cell_neighbours(order.numbers, order.across), _size_groups(size_codes))


def plain_counts(coded: bytes, raw_bytes: int, grid: tuple[int, int]) -> bytes:
    """Return the plain form of a coded section cells for a grid of cells, across and down."""
    from imagegs_tex.formats.context_coder import grid_neighbours

    across, count = grid[0], grid[0] * grid[1]
    law(raw_bytes >= count, "section cells is shorter than one byte per cell")
    counts = _decode(coded, 1, (grid_neighbours(count, across), np.zeros(count, np.int64)), "cells")[:, 0]
    law(bool(np.all((counts >= 0) & (counts < 1 << 28))), "a code of section cells is out of range")
    raw = pack_leb128(counts.astype(np.int64))
    law(len(raw) == raw_bytes, f"section cells has {len(raw)} bytes instead of {raw_bytes}")
    return raw


def plain_shapes(coded: bytes, raw_bytes: int, planes: list[Plane], order: CellOrder) -> bytes:
    """Return the plain form of a coded section shapes."""
    return _plain_planes(coded, raw_bytes, planes, order, _shares_cell(order), section="shapes")


def plain_features(
    coded: bytes, raw_bytes: int, planes: list[Plane], order: CellOrder, size_codes: NDArray[np.int16]
) -> bytes:
    """Return the plain form of a coded section features."""
    return _plain_planes(coded, raw_bytes, planes, order, _size_groups(size_codes), section="features")


def _plain_planes(
    coded: bytes, raw_bytes: int, planes: list[Plane], order: CellOrder, groups: NDArray[np.int64], *, section: str
) -> bytes:
    from imagegs_tex.formats.context_coder import cell_neighbours

    expected = len(order.numbers) * sum(plane.width for plane in planes)
    law(raw_bytes == expected, f"section {section} has {raw_bytes} bytes instead of {expected}")
    codes = _decode(coded, len(planes), (cell_neighbours(order.numbers, order.across), groups), section)
    blocks = []
    for index, plane in enumerate(planes):
        stored = codes[:, index] - plane.least
        fits = bool(np.all((stored >= 0) & (stored < 1 << (8 * plane.width))))
        law(fits, f"a code of section {section} is out of range")
        blocks += [(stored >> (8 * byte) & 255).astype(np.uint8).tobytes() for byte in range(plane.width)]
    return b"".join(blocks)


def _decode(
    coded: bytes, plane_count: int, known: "tuple[Neighbours, NDArray[np.int64]]", section: str
) -> NDArray[np.int32]:  # fmt: skip
    from imagegs_tex.formats.context_coder import decode_planes

    try:
        return decode_planes(coded, plane_count, *known)
    except ValueError as error:
        raise IgsError(f"section {section} is not what its codes take ({error})") from None


def _shares_cell(order: CellOrder) -> NDArray[np.int64]:
    """Return whether each Gaussian lies in the cell of the one before it [N]."""
    return np.asarray(np.diff(order.numbers, prepend=-1) == 0, np.int64)


def _size_groups(size_codes: NDArray[np.int16]) -> NDArray[np.int64]:
    """Return groups 0..6 by size [N], three codes wide around the mean."""
    codes = size_codes.astype(np.int64)
    mean = int(codes.sum()) // len(codes)
    return np.asarray(np.clip((codes - mean) // _CODES_PER_GROUP + 3, 0, 6))


def compress_blocks(blocks: list[bytes]) -> bytes:
    """Return one frame; zstd gives each block statistics of its own."""
    stored = _frame(blocks)
    if sum(map(len, blocks)) > MAX_EXPANSION * len(stored) + EXPANSION_ALLOWANCE:  # long runs of one code
        stored = _frame(
            [block[at : at + _SMALL_BLOCK] for block in blocks for at in range(0, len(block), _SMALL_BLOCK)]
        )
    return stored


def _frame(blocks: list[bytes]) -> bytes:
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=False, write_content_size=True)
    stream = compressor.compressobj(size=sum(map(len, blocks)))
    parts = []
    for index, block in enumerate(blocks):
        parts.append(stream.compress(block))
        if index + 1 < len(blocks):
            parts.append(stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    parts.append(stream.flush())
    return b"".join(parts)


def decompress(stored: bytes, raw_bytes: int, section: str) -> bytes:
    """Return the plain form of a section; IgsError when it is not one frame of that many bytes."""
    message = f"section {section} is not one Zstandard frame of {raw_bytes} bytes"
    try:
        law(zstandard.frame_content_size(stored) == raw_bytes, message)
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_RAW_BYTES)
        # in one go into a buffer of the stated size: a frame that holds more cannot grow beyond it
        raw = decompressor.decompress(stored, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError:
        raise IgsError(message) from None
    law(len(raw) == raw_bytes, message)
    return raw
