"""How a section of an .igs file is stored: as a Zstandard frame, or with its codes predicted where that is shorter."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs import plane_coders as coders
from imagegs_tex.formats.igs.compiled_coder import COMPONENTS, MAPS
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.header import Header
from imagegs_tex.formats.igs.plane_coders import PREDICTING, CellOrder, Codec, Description, KnownGeometry
from imagegs_tex.formats.igs.planes import LEB128_END, Plane, pack_leb128, require

MAX_RAW_BYTES: Final = 1 << 27
MAX_EXPANSION: Final = 512
MAX_CODED_EXPANSION: Final = 64
"""Of the other codecs, which take longer per byte: a small file must not decode for minutes."""
MOST_PREDICTED_CODES: Final = 1 << 22
"""Codes of a section with codec PREDICTION or TRAINED, which take some 3 us for each, four times that in a file made to
be slow: 466,000 Gaussians of 9 components. Larger sections are coded by context alone, in a tenth of the time."""
EXPANSION_ALLOWANCE: Final = 4096
MOST_DESCRIBED_BYTES: Final = 4096
"""Of a section with codec DESCRIPTION, which takes some 2 us for each."""
ZSTD_LEVEL: Final = 19
_SMALL_BLOCK: Final = 1024
"""A zstd block has at least 4 bytes, so blocks of this size grow by 256 at most, which MAX_EXPANSION allows."""


CODED_SECTIONS: Final = ("cells", "shapes", "features")
_DESCRIBED_SECTIONS: Final = {"maps": MAPS, "components": COMPONENTS}


@dataclass(frozen=True, slots=True)
class StoredSection:
    """A section as the file holds it."""

    codec: Codec
    data: bytes


def suits(codec: int, section: str) -> bool:
    """Whether a codec can be a section's."""
    if codec == Codec.DESCRIPTION:
        return section in _DESCRIBED_SECTIONS
    return codec in {Codec.ZSTD, Codec.FAST} or section in CODED_SECTIONS


def description_of(section: str, header: Header) -> Description | None:
    """Return what the coder of a section of bytes is told; None of other sections."""
    number = _DESCRIBED_SECTIONS.get(section)
    return None if number is None else Description(number, header.channel_count, header.component_count)


def expansion_holds(codec: int, raw_bytes: int, stored_bytes: int) -> bool:
    """Whether a section's lengths keep the law of expansion."""
    most = MAX_EXPANSION if codec == Codec.ZSTD else MAX_CODED_EXPANSION
    return raw_bytes <= most * stored_bytes + EXPANSION_ALLOWANCE


def store(
    blocks: list[bytes],
    coded: StoredSection | None = None,
    entropy: Entropy = Entropy.SMALL,
    frame: bytes | None = None,
) -> StoredSection:
    """Choose the shorter of a Zstandard frame of the blocks and what coding the section's codes gave.

    For fast reading there is no frame where the law of expansion does not ask for one.

    Args:
        blocks: of the section's plain form
        coded: what coding gave, if anything
        entropy: what the file is to be
        frame: of :func:`compress_blocks`, where that was called
    """
    raw_bytes = sum(map(len, blocks))
    if entropy == Entropy.FAST:
        fast = coded if coded is not None else StoredSection(Codec.FAST, b"".join(blocks))
        if expansion_holds(fast.codec, raw_bytes, len(fast.data)):
            return fast
    frame = compress_blocks(blocks) if frame is None else frame
    if coded is not None and len(coded.data) < len(frame) and expansion_holds(coded.codec, raw_bytes, len(coded.data)):
        return coded
    return StoredSection(Codec.ZSTD, frame)


def predictable(item_count: int, plane_count: int) -> bool:
    """Whether codecs PREDICTION and TRAINED may be used for so many codes."""
    return item_count * plane_count <= MOST_PREDICTED_CODES


def code_description(blocks: list[bytes], described: Description | None, entropy: Entropy) -> StoredSection | None:
    """Code section maps or components; None where it has to be stored otherwise."""
    raw = b"".join(blocks)
    if described is None or entropy == Entropy.FAST or len(raw) > MOST_DESCRIBED_BYTES:
        return None
    return StoredSection(Codec.DESCRIPTION, coders.encode_description(raw, described))


def code_counts(counts: NDArray[np.int64], across: int, entropy: Entropy = Entropy.SMALL) -> StoredSection:
    """Code the section cells."""
    codec = _codec_for(entropy, len(counts), 1)
    return StoredSection(codec, coders.encode_counts(codec, counts, across))


def code_shapes(
    codes: NDArray[np.int16], order: CellOrder, entropy: Entropy = Entropy.SMALL, *, check: bool = False
) -> StoredSection:
    """Code the section shapes [N, 3]; where check is set, decoded beside where its codec allows."""
    codec = _codec_for(entropy, *codes.shape)
    return StoredSection(codec, coders.encode_shapes(codec, codes, order, check=check))


def code_features(
    codes: NDArray[np.int16], geometry: KnownGeometry, entropy: Entropy = Entropy.SMALL, *, check: bool = False
) -> StoredSection:
    """Code the section features [N, K]; check as in :func:`code_shapes`."""
    codec = _codec_for(entropy, *codes.shape)
    return StoredSection(codec, coders.encode_features(codec, codes, geometry, check=check))


def _codec_for(entropy: Entropy, item_count: int, plane_count: int) -> Codec:
    if entropy == Entropy.FAST:
        return Codec.FAST
    return Codec.TRAINED if predictable(item_count, plane_count) else Codec.CONTEXT


def plain_counts(coded: StoredSection, raw_bytes: int, grid: tuple[int, int], gaussian_count: int) -> bytes:
    """Return the plain form of a coded section cells for a grid of cells, across and down."""
    require(raw_bytes >= grid[0] * grid[1], "section cells is shorter than one byte per cell")
    if coded.codec in PREDICTING:
        require(predictable(grid[0] * grid[1], 1), "section cells has too many codes for its codec")
    with _told_of("cells"):
        counts = coders.decode_counts(coded.codec, coded.data, grid, gaussian_count)
    require(bool(np.all((counts >= 0) & (counts < LEB128_END))), "a code of section cells is out of range")
    raw = pack_leb128(counts.astype(np.int64))
    require(len(raw) == raw_bytes, f"section cells has {len(raw)} bytes instead of {raw_bytes}")
    return raw


def plain_shapes(coded: StoredSection, raw_bytes: int, planes: list[Plane], order: CellOrder) -> bytes:
    """Return the plain form of a coded section shapes."""
    _check_planes(coded, raw_bytes, planes, order, section="shapes")
    with _told_of("shapes"):
        codes = coders.decode_shapes(coded.codec, coded.data, len(planes), order)
    return _plain_planes(codes, planes, "shapes")


def plain_features(coded: StoredSection, raw_bytes: int, planes: list[Plane], geometry: KnownGeometry) -> bytes:
    """Return the plain form of a coded section features."""
    _check_planes(coded, raw_bytes, planes, geometry.order, section="features")
    with _told_of("features"):
        codes = coders.decode_features(coded.codec, coded.data, len(planes), geometry)
    return _plain_planes(codes, planes, "features")


def _check_planes(
    coded: StoredSection, raw_bytes: int, planes: list[Plane], order: CellOrder, *, section: str
) -> None:  # fmt: skip
    """Refuse a coded section that would take long, before anything is decoded."""
    expected = len(order.numbers) * sum(plane.width for plane in planes)
    require(raw_bytes == expected, f"section {section} has {raw_bytes} bytes instead of {expected}")
    if coded.codec in PREDICTING:
        require(predictable(len(order.numbers), len(planes)), f"section {section} has too many codes for its codec")


def _plain_planes(codes: NDArray[np.int32], planes: list[Plane], section: str) -> bytes:
    blocks = []
    for index, plane in enumerate(planes):
        stored = codes[:, index] - plane.least
        fits = bool(np.all((stored >= 0) & (stored < 1 << (8 * plane.width))))
        require(fits, f"a code of section {section} is out of range")
        blocks += [(stored >> (8 * byte) & 255).astype(np.uint8).tobytes() for byte in range(plane.width)]
    return b"".join(blocks)


@contextlib.contextmanager
def _told_of(section: str) -> Iterator[None]:
    """Turn a coder's refusal into the section's."""
    try:
        yield
    except ValueError as error:
        raise IgsError(f"section {section} is not what its codes take ({error})") from None


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


def unpacked(section: StoredSection, raw_bytes: int, name: str, described: Description | None) -> bytes:
    """Return the plain form of a section that is none of coded integers; described where it may be DESCRIPTION."""
    if section.codec == Codec.ZSTD:
        return decompress(section.data, raw_bytes, name)
    if section.codec == Codec.DESCRIPTION:
        assert described is not None
        require(0 < raw_bytes <= MOST_DESCRIBED_BYTES, f"section {name} has too many codes for its codec")
        with _told_of(name):
            return coders.decode_description(section.data, raw_bytes, described)
    require(len(section.data) == raw_bytes, f"section {name} is {len(section.data)} plain bytes instead of {raw_bytes}")
    return section.data


def decompress(stored: bytes, raw_bytes: int, section: str) -> bytes:
    """Return the plain form of a section; IgsError when it is not one frame of that many bytes."""
    message = f"section {section} is not one Zstandard frame of {raw_bytes} bytes"
    try:
        require(zstandard.frame_content_size(stored) == raw_bytes, message)
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_RAW_BYTES)
        # in one go into a buffer of the stated size: a frame that holds more cannot grow beyond it
        raw = decompressor.decompress(stored, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError:
        raise IgsError(message) from None
    require(len(raw) == raw_bytes, message)
    return raw
