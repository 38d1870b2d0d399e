"""Read and write .igs files: docs/igs-format.md in code, sections in the order in which that page lists them.

A reader gets bytes that anybody may have made. Nothing is allocated for a number in the file before it has been held
against its law, and every broken law is one :class:`IgsError`.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from imagegs_tex.formats import gaussians as g
from imagegs_tex.formats.atomic import write_bytes
from imagegs_tex.formats.bits import pack_fields, unpack_fields
from imagegs_tex.formats.errors import IgsError, InputError
from imagegs_tex.formats.gaussians import QuantizedGaussianSet
from imagegs_tex.formats.igs_maps import pack_maps, unpack_maps
from imagegs_tex.formats.names import printable
from imagegs_tex.formats.stack import MAX_CHANNELS, MAX_SIZE

MAGIC: Final = b"\x89IGS\r\n\x1a\n"
VERSION: Final = 1
KERNEL_SOFT_GAUSSIAN: Final = 1
CODEC_ZSTD: Final = 1
SECTIONS: Final = ("maps", "components", "cells", "positions", "shapes", "features")
MAX_RAW_BYTES: Final = 1 << 27
MAX_FILE_BYTES: Final = 1 << 28
MAX_EXPANSION: Final = 512
EXPANSION_ALLOWANCE: Final = 4096
ZSTD_LEVEL: Final = 19

_HEADER: Final = struct.Struct("<8sHBBIIHHI5fB3x")
_ENTRY: Final = struct.Struct("<BBHIII")
_PLANE: Final = struct.Struct("<hB")
_SHAPE_PLANES: Final = 3


@dataclass(frozen=True, slots=True)
class SectionSize:
    """Bytes of one section."""

    name: str
    raw_bytes: int  # decompressed
    stored_bytes: int  # in the file


@dataclass(frozen=True, slots=True)
class _Plane:
    least: int  # least code
    width: int  # bytes per code, 1 or 2


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    channel_count: int
    component_count: int
    gaussian_count: int
    cutoff: float
    position_ratio: float
    size_step: float
    form_step: float
    basis_scale: float
    cell_log2: int


def write_igs(path: Path, quantized: QuantizedGaussianSet) -> int:
    """Write a file under a temporary name and rename it; return its size in bytes.

    Raises:
        OutputError: the file cannot be written; an older file of that name is untouched
    """
    data = encode_igs(quantized)
    write_bytes(path, data)
    return len(data)


def read_igs(path: Path) -> QuantizedGaussianSet:
    """Read a file.

    Raises:
        InputError: it cannot be opened
        IgsError: it breaks the format
    """
    return decode_igs(read_igs_bytes(path), printable(path.name))


def read_igs_bytes(path: Path) -> bytes:
    """Return the bytes of an .igs file; InputError when it cannot be opened, IgsError when it is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{printable(str(path))}: cannot be read ({reason}); check the path and its rights") from error
    if len(data) > MAX_FILE_BYTES:
        raise IgsError(f"{printable(path.name)}: larger than {MAX_FILE_BYTES} bytes, which no .igs file is")
    return data


def encode_igs(quantized: QuantizedGaussianSet) -> bytes:
    """Return the complete file's bytes; the same set always gives the same bytes.

    Raises:
        ValueError: the set breaks a law of the format, which is a fault of the caller
    """
    raws = _pack_sections(quantized)
    stored = [_compress(blocks) for blocks in raws]
    header = _HEADER.pack(
        MAGIC, VERSION, KERNEL_SOFT_GAUSSIAN, len(SECTIONS), quantized.width, quantized.height,
        quantized.channel_count, quantized.component_count, quantized.gaussian_count, quantized.cutoff,
        quantized.position_ratio, quantized.size_step, quantized.form_step, quantized.basis_scale,
        quantized.cell_log2,
    )  # fmt: skip
    table = b"".join(
        _ENTRY.pack(number, CODEC_ZSTD, 0, sum(map(len, blocks)), len(data), zlib.crc32(data))
        for number, (blocks, data) in enumerate(zip(raws, stored, strict=True), start=1)
    )
    crc = struct.pack("<I", zlib.crc32(header + table))
    return b"".join([header, table, crc, *stored])


def decode_igs(data: bytes, name: str = "file") -> QuantizedGaussianSet:
    """Unpack a complete file's bytes.

    Args:
        data: the whole file
        name: printable, for messages

    Raises:
        IgsError: the bytes break a law of the format; nothing was allocated for it
    """
    try:
        header, sizes, offset = _parse_front(data)
        raws: list[bytes] = []
        for size in sizes:
            raws.append(_decompress(data[offset : offset + size.stored_bytes], size))
            offset += size.stored_bytes
        return _unpack_sections(header, raws)
    except IgsError as error:
        raise IgsError(f"{name}: {error}") from None


def section_sizes(data: bytes, name: str = "file") -> tuple[SectionSize, ...]:
    """Return what each section takes; the header, table and checksum come first as the section "header"."""
    try:
        _, sizes, front = _parse_front(data)
    except IgsError as error:
        raise IgsError(f"{name}: {error}") from None
    return (SectionSize("header", front, front), *sizes)


def _parse_front(data: bytes) -> tuple[_Header, list[SectionSize], int]:
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise IgsError("not an .igs file (its first bytes are others); compress the source again")
    front = _HEADER.size + _ENTRY.size * len(SECTIONS) + 4
    if len(data) >= len(MAGIC) + 2:
        version = struct.unpack_from("<H", data, len(MAGIC))[0]
        _law(version == VERSION, f"version {version}, and this program reads version {VERSION}; update it")
    _law(len(data) >= front, "the file ends within its header; copy it again")
    crc = struct.unpack_from("<I", data, front - 4)[0]
    _law(zlib.crc32(data[: front - 4]) == crc, "the header's checksum does not match; copy the file again")
    header = _parse_header(data)
    sizes = []
    for index, section in enumerate(SECTIONS):
        number, codec, zero, raw, stored, _ = _ENTRY.unpack_from(data, _HEADER.size + index * _ENTRY.size)
        _law(number == index + 1 and zero == 0, f"entry {index} of the section table is not section {section}")
        _law(codec == CODEC_ZSTD, f"section {section} has the unknown codec {codec}")
        _law(raw <= MAX_EXPANSION * stored + EXPANSION_ALLOWANCE, f"section {section} claims to grow beyond reason")
        sizes.append(SectionSize(section, raw, stored))
    _law(sum(size.raw_bytes for size in sizes) <= MAX_RAW_BYTES, "the sections are too large together")
    total = front + sum(size.stored_bytes for size in sizes)
    _law(len(data) == total, f"the file has {len(data)} bytes where its header says {total}; copy it again")
    offset = front
    for index, size in enumerate(sizes):
        crc = _ENTRY.unpack_from(data, _HEADER.size + index * _ENTRY.size)[5]
        stored_bytes = data[offset : offset + size.stored_bytes]
        _law(zlib.crc32(stored_bytes) == crc, f"the checksum of section {size.name} does not match; copy it again")
        offset += size.stored_bytes
    return header, sizes, front


def _parse_header(data: bytes) -> _Header:
    (_, _, kernel, sections, width, height, channels, components, count, cutoff, ratio, size_step, form_step, scale,
     cell_log2) = _HEADER.unpack_from(data)  # fmt: skip
    _law(kernel == KERNEL_SOFT_GAUSSIAN, f"the unknown kernel {kernel}")
    _law(sections == len(SECTIONS), f"{sections} sections instead of {len(SECTIONS)}")
    _law(data[_HEADER.size - 3 : _HEADER.size] == bytes(3), "reserved bytes of the header are not zero")
    _law(1 <= width <= MAX_SIZE and 1 <= height <= MAX_SIZE, f"{width} x {height} texels is outside 1..{MAX_SIZE}")
    _law(1 <= channels <= MAX_CHANNELS, f"{channels} channels is outside 1..{MAX_CHANNELS}")
    _law(1 <= components <= channels, f"{components} components is outside 1..{channels}")
    _law(1 <= count <= g.MAX_GAUSSIANS, f"{count} Gaussians is outside 1..{g.MAX_GAUSSIANS}")
    _law(_inside(cutoff, g.CUTOFF_RANGE), "the cut-off is out of range")
    _law(_inside(ratio, g.POSITION_RATIO_RANGE), "the position ratio is out of range")
    _law(_inside(size_step, g.SHAPE_STEP_RANGE), "the size step is out of range")
    _law(_inside(form_step, g.SHAPE_STEP_RANGE), "the form step is out of range")
    _law(_inside(scale, g.BASIS_SCALE_RANGE), "the basis scale is out of range")
    _law(_inside(cell_log2, g.CELL_LOG2_RANGE), f"cell log2 {cell_log2} is outside {g.CELL_LOG2_RANGE}")
    return _Header(
        width, height, channels, components, count, cutoff, ratio, size_step, form_step, scale, cell_log2
    )  # fmt: skip


def _pack_sections(quantized: QuantizedGaussianSet) -> list[list[bytes]]:
    """Return each section as blocks; zstd gives each block statistics of its own."""
    least = g.least_exponent(quantized.width, quantized.height)
    shapes = g.shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    rounded = g.rounded_exponents(shapes, quantized.position_ratio)
    if np.any(np.abs(rounded - np.floor(rounded) - 0.5) < g.TIE_MARGIN):
        raise ValueError("a position exponent lies on a rounding tie; choose another position ratio")
    exponents = g.clamp_exponents(rounded, least, quantized.cell_log2)
    cells = g.cell_of(quantized.position_codes, exponents, quantized.cell_log2)
    across, down = g.cell_grid(quantized.width, quantized.height, quantized.cell_log2)
    numbers = cells[:, 1].astype(np.int64) * across + cells[:, 0]
    if np.any(np.diff(numbers) < 0) or np.any(cells < 0) or np.any(cells >= [across, down]):
        raise ValueError("Gaussians must lie inside the picture and be sorted by cell")
    counts = np.bincount(numbers, minlength=across * down)
    field_bits = quantized.cell_log2 - exponents
    field_values = quantized.position_codes & ((1 << field_bits) - 1)
    planes, plane_bytes = _pack_planes(np.concatenate([quantized.shape_codes, quantized.feature_codes], axis=1))
    components = b"".join(
        [
            quantized.offset_codes.astype("<u2").tobytes(),
            quantized.feature_steps.astype("<f4").tobytes(),
            quantized.basis_codes.astype("<i2").tobytes(),
            *(_PLANE.pack(plane.least, plane.width) for plane in planes),
        ]
    )
    return [
        [pack_maps(quantized.maps)],
        [components],
        [_pack_leb128(counts)],
        [pack_fields(field_values.ravel(), field_bits.ravel())],
        plane_bytes[:_SHAPE_PLANES],
        plane_bytes[_SHAPE_PLANES:],
    ]


def _unpack_sections(header: _Header, raws: list[bytes]) -> QuantizedGaussianSet:
    maps_raw, components_raw, cells_raw, positions_raw, shapes_raw, features_raw = raws
    count, components, channels = header.gaussian_count, header.component_count, header.channel_count
    maps = unpack_maps(maps_raw, channels)
    offset, steps, basis, planes = _unpack_components(components_raw, channels, components)
    across, down = g.cell_grid(header.width, header.height, header.cell_log2)
    counts = _unpack_leb128(cells_raw, across * down, count)
    shape_codes = _unpack_planes(shapes_raw, count, planes[:_SHAPE_PLANES], "shapes")
    shapes = g.shape_values(shape_codes, header.size_step, header.form_step)
    _law(bool(np.all((shapes[:, 0] >= g.LOG_SIZE_RANGE[0]) & (shapes[:, 0] <= g.LOG_SIZE_RANGE[1]))),
         "a Gaussian's size is out of range")  # fmt: skip
    _law(bool(np.all(np.hypot(shapes[:, 1], shapes[:, 2]) <= g.LOG_FORM_LIMIT)), "a Gaussian is thinner than allowed")
    exponents = g.clamp_exponents(
        g.rounded_exponents(shapes, header.position_ratio),
        g.least_exponent(header.width, header.height),
        header.cell_log2,
    )
    field_bits = (header.cell_log2 - exponents).astype(np.int64)
    total_bits = int(field_bits.sum())
    _law(len(positions_raw) == -(-total_bits // 8), "section positions does not have the length that the shapes imply")
    fields = unpack_fields(positions_raw, field_bits.ravel())
    _law(fields is not None, "section positions is not filled up with zeros")
    assert fields is not None  # the law above
    cell_numbers = np.repeat(np.arange(across * down), counts)
    cells = np.stack([cell_numbers % across, cell_numbers // across], axis=1)
    position_codes = ((cells << field_bits) + fields.reshape(count, 2)).astype(np.int32)
    means = (position_codes + 0.5) * np.exp2(exponents)
    _law(bool(np.all(means < [header.width, header.height])), "a Gaussian lies outside the picture")
    feature_codes = _unpack_planes(features_raw, count, planes[_SHAPE_PLANES:], "features")
    return QuantizedGaussianSet(
        width=header.width, height=header.height, maps=maps, cutoff=header.cutoff,
        position_ratio=header.position_ratio, size_step=header.size_step, form_step=header.form_step,
        cell_log2=header.cell_log2, position_codes=position_codes, shape_codes=shape_codes,
        feature_codes=feature_codes, feature_steps=steps, basis_scale=header.basis_scale, basis_codes=basis,
        offset_codes=offset,
    )  # fmt: skip


def _unpack_components(
    raw: bytes, channels: int, components: int
) -> tuple[NDArray[np.uint16], NDArray[np.float32], NDArray[np.int16], list[_Plane]]:
    plane_count = _SHAPE_PLANES + components
    expected = 2 * channels + 4 * components + 2 * components * channels + _PLANE.size * plane_count
    _law(len(raw) == expected, f"section components has {len(raw)} bytes instead of {expected}")
    at = 2 * channels
    offset = np.frombuffer(raw, "<u2", channels).astype(np.uint16)
    steps = np.frombuffer(raw, "<f4", components, at).astype(np.float32)
    least, most = g.FEATURE_STEP_RANGE
    _law(bool(np.all((steps >= least) & (steps <= most))), "a feature step is out of range")
    at += 4 * components
    basis = np.frombuffer(raw, "<i2", components * channels, at).astype(np.int16).reshape(components, channels)
    at += 2 * components * channels
    planes = [_Plane(*_PLANE.unpack_from(raw, at + index * _PLANE.size)) for index in range(plane_count)]
    for plane in planes:
        _law(plane.width in {1, 2}, f"a plane of {plane.width} bytes per code")
    return offset, steps, basis, planes


def _pack_planes(codes: NDArray[np.int16]) -> tuple[list[_Plane], list[bytes]]:
    planes, blocks = [], []
    for column in codes.T:
        least = int(column.min())
        stored = column.astype(np.int64) - least
        width = 1 if stored.max() < 256 else 2
        planes.append(_Plane(least, width))
        blocks.append(b"".join((stored >> (8 * byte) & 255).astype(np.uint8).tobytes() for byte in range(width)))
    return planes, blocks


def _unpack_planes(raw: bytes, count: int, planes: list[_Plane], section: str) -> NDArray[np.int16]:
    expected = count * sum(plane.width for plane in planes)
    _law(len(raw) == expected, f"section {section} has {len(raw)} bytes instead of {expected}")
    codes = np.empty((count, len(planes)), dtype=np.int16)
    at = 0
    for index, plane in enumerate(planes):
        stored = np.frombuffer(raw, np.uint8, count * plane.width, at).reshape(plane.width, count)
        at += count * plane.width
        values = stored[0].astype(np.int32) + plane.least
        if plane.width == 2:
            values += stored[1].astype(np.int32) << 8
        _law(int(values.max()) <= np.iinfo(np.int16).max, f"a code of section {section} is out of range")
        codes[:, index] = values
    return codes


def _pack_leb128(values: NDArray[np.int64]) -> bytes:
    if values.max(initial=0) < 128:
        return values.astype(np.uint8).tobytes()
    packed = bytearray()
    for value in values.tolist():
        rest = value
        while rest >= 128:
            packed.append(rest & 127 | 128)
            rest >>= 7
        packed.append(rest)
    return bytes(packed)


def _unpack_leb128(raw: bytes, value_count: int, total: int) -> NDArray[np.int64]:
    message = "section cells does not count every Gaussian once"
    data = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero(data < 128)
    _law(ends.size == value_count and (data.size == 0 or data[-1] < 128), message)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    _law(bool(np.all(lengths <= 4)), message)
    _law(bool(np.all((lengths == 1) | (data[ends] != 0))), message)  # fewest bytes
    values = np.zeros(value_count, dtype=np.int64)
    for byte in range(int(lengths.max())):
        used = lengths > byte
        values[used] |= (data[starts[used] + byte].astype(np.int64) & 127) << (7 * byte)
    _law(int(values.sum()) == total, message)
    return values


def _compress(blocks: list[bytes]) -> bytes:
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=False, write_content_size=True)
    stream = compressor.compressobj(size=sum(map(len, blocks)))
    parts = []
    for index, block in enumerate(blocks):
        parts.append(stream.compress(block))
        if index + 1 < len(blocks):
            parts.append(stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    parts.append(stream.flush())
    return b"".join(parts)


def _decompress(stored: bytes, size: SectionSize) -> bytes:
    message = f"section {size.name} is not one Zstandard frame of {size.raw_bytes} bytes"
    try:
        _law(zstandard.frame_content_size(stored) == size.raw_bytes, message)
        stream = zstandard.ZstdDecompressor(max_window_size=MAX_RAW_BYTES).decompressobj()
        raw = stream.decompress(stored)
    except zstandard.ZstdError:
        raise IgsError(message) from None
    _law(stream.eof and not stream.unused_data and len(raw) == size.raw_bytes, message)
    return raw


def _inside(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]  # false for NaN


def _law(holds: bool, message: str) -> None:
    if not holds:
        raise IgsError(message)
