"""Read and write .igs files: docs/igs-format.md in code, sections in the order in which that page lists them.

A reader gets bytes that anybody may have made. Nothing is allocated for a number in the file before it has been held
against its law, and every broken law is one :class:`IgsError`.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import compress, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.errors import IgsError, InputError
from imagegs_tex.formats.files.atomic_write import write_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.component_section import SHAPE_PLANES, pack_components, unpack_components
from imagegs_tex.formats.igs.detail_layer import DetailLayer, pack_detail, unpack_detail
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.header import HEADER, KERNEL_SOFT_GAUSSIAN, Header, check_header, header_of, parse_header
from imagegs_tex.formats.igs.map_table import pack_maps, unpack_maps
from imagegs_tex.formats.igs.optional_sections import (
    DETAIL_SECTION,
    MOST_OPTIONAL,
    OPTIONAL_SECTIONS,
    RESIDUAL_SECTION,
    pack_exact_section,
    pack_repeat_section,
    pack_residual_section,
    unpack_exact_section,
    unpack_repeat_section,
    unpack_residual_section,
)
from imagegs_tex.formats.igs.plane_coders import CellOrder, Codec, KnownGeometry, checks_beside
from imagegs_tex.formats.igs.planes import pack_leb128, pack_planes, require, unpack_leb128, unpack_planes
from imagegs_tex.formats.igs.position_section import check_means, lawful_exponents, pack_positions, unpack_positions
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import same_layers
from imagegs_tex.formats.igs.section_codecs import (
    CODED_SECTIONS,
    MAX_RAW_BYTES,
    StoredSection,
    code_counts,
    code_description,
    code_features,
    code_shapes,
    compress_blocks,
    description_of,
    expansion_holds,
    plain_counts,
    plain_features,
    plain_shapes,
    store,
    suits,
    unpacked,
)

MAGIC: Final = b"\x89IGS\r\n\x1a\n"
VERSION: Final = 4
READABLE_VERSIONS: Final = (1, 2, 3, 4)
_FIRST_VERSION_WITH_OPTIONS: Final = 4
SECTIONS: Final = ("maps", "components", "cells", "positions", "shapes", "features")
"""Of every file."""
MAX_FILE_BYTES: Final = 1 << 28

_CODECS: Final = {1: (Codec.ZSTD,), 2: (Codec.ZSTD, Codec.CONTEXT), 3: tuple(Codec)[:3], 4: tuple(Codec)}  # by version
_CHECKED_SECTIONS: Final = ("shapes", "features")
_SECTION_COUNT_AT: Final = 11
_ENTRY: Final = struct.Struct("<BBHIII")


@dataclass(frozen=True, slots=True)
class SectionSize:
    """Bytes of one section."""

    name: str
    raw_bytes: int  # decompressed
    stored_bytes: int  # in the file


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
    except IsADirectoryError:
        raise InputError(f"{printable(str(path))}: a folder; give the .igs file that compress wrote") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{printable(str(path))}: cannot be read ({reason}); check the path and its rights") from error
    if len(data) > MAX_FILE_BYTES:
        raise IgsError(f"{printable(path.name)}: larger than {MAX_FILE_BYTES} bytes, which no .igs file is")
    return data


def encode_igs(
    quantized: QuantizedGaussianSet, coded: bytes | None = None, *, same_residual: bool = False, check: bool = False
) -> bytes:
    """Return the complete file's bytes; the same set always gives the same bytes.

    Args:
        quantized: the set
        coded: the file of a set that differs in its layers alone, whose coded sections are taken; None: none
        same_residual: whether that set has this one's residual, which is taken as well
        check: whether :func:`checked_sections` are decoded while they are coded; RuntimeError where they differ

    Raises:
        ValueError: the set breaks a law of the format, which is a fault of the caller
    """
    header = header_of(quantized)
    with ThreadPoolExecutor(1) as pool:  # the residual's coder takes as long as all others
        layer = (
            None if quantized.residual is None else pool.submit(_residual, quantized, coded if same_residual else None)
        )
        try:
            check_header(header)
            raws, geometry, counts = _pack_sections(header, replace(quantized, residual=None))
            stored = _stored_sections(header, quantized, raws, geometry, counts, coded, check=check)
            if layer is not None:
                at = len(SECTIONS) + (quantized.detail is not None) + (quantized.exact is not None)
                blocks, section = layer.result()
                raws.insert(at, blocks)
                stored.insert(at, section)
            require(
                sum(len(block) for blocks in raws for block in blocks) <= MAX_RAW_BYTES, "the sections are too large"
            )
        except IgsError as error:
            raise ValueError(f"the set breaks the format: {error}") from None
    numbers = [*range(1, len(SECTIONS) + 1), *_optional_ids(quantized)]
    front = HEADER.pack(
        MAGIC, VERSION, KERNEL_SOFT_GAUSSIAN, len(raws), header.width, header.height, header.channel_count,
        header.component_count, header.gaussian_count, header.cutoff, header.position_ratio, header.size_step,
        header.form_step, header.basis_scale, header.cell_log2, header.wrap[0] | header.wrap[1] << 1,
        round(header.feature_exponent * g.FEATURE_EXPONENT_SCALE), 0,
    )  # fmt: skip
    table = b"".join(
        _ENTRY.pack(number, section.codec, 0, sum(map(len, blocks)), len(section.data), zlib.crc32(section.data))
        for number, blocks, section in zip(numbers, raws, stored, strict=True)
    )
    crc = struct.pack("<I", zlib.crc32(front + table))
    return b"".join([front, table, crc, *(section.data for section in stored)])


def _residual(quantized: QuantizedGaussianSet, coded: bytes | None) -> tuple[list[bytes], StoredSection]:
    """Return the plain form of a set's residual and how it is stored; a file may be given that has the same."""
    known = None if coded is None else _residual_of(coded)
    if known is not None:
        return known
    assert quantized.residual is not None
    blocks = pack_residual_section(quantized, quantized.residual)
    return blocks, store(blocks)


def _stored_sections(
    header: Header,
    quantized: QuantizedGaussianSet,
    raws: list[list[bytes]],
    geometry: KnownGeometry,
    counts: NDArray[np.int64],
    coded: bytes | None,
    *,
    check: bool,
) -> list[StoredSection]:
    """Return how all sections but the residual are stored, the first ones as in a file with the same codes."""
    maps, components, cells, positions, shapes, features = raws[: len(SECTIONS)]
    entropy = quantized.entropy
    first = [
        store(maps, code_description(maps, description_of("maps", header), entropy), entropy),
        store(components, code_description(components, description_of("components", header), entropy), entropy),
        *_stored_codes(quantized, counts, geometry, (cells, positions, shapes, features), check=check),
    ] if coded is None else _parse_front(coded)[2][: len(SECTIONS)]  # fmt: skip
    return first + [store(blocks) for blocks in raws[len(SECTIONS) :]]


def _stored_codes(
    quantized: QuantizedGaussianSet,
    counts: NDArray[np.int64],
    geometry: KnownGeometry,
    plain: tuple[list[bytes], ...],
    *,
    check: bool,
) -> list[StoredSection]:
    """Return the sections cells, positions, shapes and features, coded side by side.

    ``counts`` are of Gaussians by cell; ``plain`` is the plain form of the same sections.
    """
    cells, positions, shapes, features = plain
    entropy, order = quantized.entropy, geometry.order
    shape_codes, feature_codes = quantized.shape_codes, quantized.feature_codes
    coders = (
        (features, lambda: code_features(feature_codes, geometry, entropy, check=check)),
        (shapes, lambda: code_shapes(shape_codes, order, entropy, check=check)),
        (cells, lambda: code_counts(counts, order.across, entropy)),
    )
    with ThreadPoolExecutor(2 * len(coders)) as pool:
        coded = [pool.submit(code) for _, code in coders]
        frames = [pool.submit(compress_blocks, blocks) for blocks, _ in coders] if entropy == Entropy.SMALL else []
        placed = store(positions, entropy=entropy)
    found = [
        store(blocks, part.result(), entropy, None if frame is None else frame.result())
        for (blocks, _), part, frame in zip_longest(coders, coded, frames)
    ]
    return [found[2], placed, found[1], found[0]]


def decode_igs(data: bytes, name: str = "file") -> QuantizedGaussianSet:
    """Unpack a complete file's bytes.

    Args:
        data: the whole file
        name: printable, for messages

    Raises:
        IgsError: the bytes break a law of the format; nothing was allocated for it
    """
    try:
        header, sizes, sections = _parse_front(data)
        return _unpack_sections(header, sizes, sections, version_of(data))
    except IgsError as error:
        raise IgsError(f"{name}: {error}") from None


def residual_bytes(quantized: QuantizedGaussianSet) -> int:
    """Return the bytes by which a set's file is larger for its residual."""
    assert quantized.residual is not None
    return _ENTRY.size + len(store(pack_residual_section(quantized, quantized.residual)).data)


def detail_bytes(detail: DetailLayer) -> int:
    """Return the bytes by which a set's file is larger for a detail layer."""
    return _ENTRY.size + len(store([pack_detail(detail)]).data)


def plain_sections(quantized: QuantizedGaussianSet) -> list[bytes]:
    """Return the plain form of each section of a set that keeps the laws, in the file's order."""
    blocks, _, _ = _pack_sections(header_of(quantized), quantized)
    return [b"".join(parts) for parts in blocks]


def checked_sections(data: bytes) -> frozenset[str]:
    """Return the names of a file's sections that :func:`encode_igs` decodes when it checks."""
    _, sizes, sections = _parse_front(data)
    pairs = zip(sizes, sections, strict=True)
    return frozenset(size.name for size, one in pairs if size.name in _CHECKED_SECTIONS and checks_beside(one.codec))


def same_sections(first: bytes, second: bytes) -> frozenset[str]:
    """Return the names of sections that two files have in common; none where their headers differ."""
    (header, *own), (other_header, *other) = _parse_front(first), _parse_front(second)
    theirs = list(zip(*other, strict=True)) if header == other_header else []
    return frozenset(size.name for size, section in zip(*own, strict=True) if (size, section) in theirs)


def reads_back(data: bytes, quantized: QuantizedGaussianSet, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a file that was made of a set holds it.

    Its features are decoded beside its shapes, with the set's own geometry: where that is not the file's, the file does
    not hold the set anyway.

    Args:
        data: the file
        quantized: the set
        seen: sections that are known to decode to what the set has, and are not decoded

    Raises:
        IgsError: the file breaks the format, which is a fault of its coder
    """
    header, sizes, sections = _parse_front(data)
    if RESIDUAL_SECTION in seen:
        quantized = replace(quantized, residual=None)
        left = [size.name != RESIDUAL_SECTION for size in sizes]
        sizes, sections = list(compress(sizes, left)), list(compress(sections, left))
    raws, geometry, _ = _pack_sections(header_of(quantized), replace(quantized, residual=None))
    plain = {name: b"".join(blocks) for name, blocks in zip(SECTIONS, raws, strict=False) if name in seen}
    found = _unpack_sections(header, sizes, sections, version_of(data), geometry, plain)
    packed = [b"".join(blocks) for blocks in raws]
    return _alike(found, quantized) and plain_sections(replace(found, residual=None)) == packed


def holds_the_same(first: QuantizedGaussianSet, second: QuantizedGaussianSet) -> bool:
    """Whether the files of two sets that keep the laws hold the same; residuals are not coded for that."""
    plain = (plain_sections(replace(one, residual=None)) for one in (first, second))
    return _alike(first, second) and next(plain) == next(plain)


def _alike(first: QuantizedGaussianSet, second: QuantizedGaussianSet) -> bool:
    return header_of(first) == header_of(second) and same_layers(first.residual, second.residual)


def version_of(data: bytes) -> int:
    """Return the version of a file that :func:`decode_igs` reads."""
    return int(struct.unpack_from("<H", data, len(MAGIC))[0])


def _optional_ids(quantized: QuantizedGaussianSet) -> list[int]:
    """Return the ids of the sections that a set has beside those of every file."""
    optional = {7: quantized.detail, 8: quantized.exact, 9: quantized.residual, 10: quantized.repeat}
    return [number for number, content in optional.items() if content is not None]


def _section_count(data: bytes) -> int:
    """Return how many sections a file has whose header is there, a number that its version allows."""
    version, count = version_of(data), data[_SECTION_COUNT_AT]
    most = len(SECTIONS) + (MOST_OPTIONAL if version >= _FIRST_VERSION_WITH_OPTIONS else 0)
    expected = f"{len(SECTIONS)}" if most == len(SECTIONS) else f"{len(SECTIONS)} to {most}"
    require(len(SECTIONS) <= count <= most, f"{count} sections instead of {expected}")
    return count


def _section_names(data: bytes) -> Iterator[str]:
    """Return the names of a file's sections, by the ids of its table: those of every file, then others in order."""
    last = 0
    for index in range(_section_count(data)):
        number, _, zero, *_ = _ENTRY.unpack_from(data, HEADER.size + index * _ENTRY.size)
        if index < len(SECTIONS):
            known = number == index + 1
            name = SECTIONS[index]
        else:
            known, name = number in OPTIONAL_SECTIONS and number > last, "of an id that may follow"
        require(known and zero == 0, f"entry {index} of the section table is not section {name}")
        yield OPTIONAL_SECTIONS.get(number, name)
        last = number


def front_bytes(section_count: int) -> int:
    """Return the bytes of header, section table and their checksum."""
    return HEADER.size + _ENTRY.size * section_count + 4


def section_sizes(data: bytes, name: str = "file") -> tuple[SectionSize, ...]:
    """Return what each section takes; the header, table and checksum come first as the section "header"."""
    try:
        _, sizes, _ = _parse_front(data)
    except IgsError as error:
        raise IgsError(f"{name}: {error}") from None
    front = front_bytes(len(sizes))
    return (SectionSize("header", front, front), *sizes)


def _parse_front(data: bytes) -> tuple[Header, list[SectionSize], list[StoredSection]]:
    require(len(data) > 0, "not an .igs file (it is empty); compress the source again")
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise IgsError("not an .igs file (its first bytes are others); compress the source again")
    if len(data) >= len(MAGIC) + 2:
        version = version_of(data)
        require(
            version in READABLE_VERSIONS,
            f"version {version}, and this program reads versions 1 to {VERSION}; update it",
        )
    require(len(data) >= HEADER.size, "the file ends within its header; copy it again")
    before = front_bytes(_section_count(data))
    require(len(data) >= before, "the file ends within its header; copy it again")
    crc = struct.unpack_from("<I", data, before - 4)[0]
    require(zlib.crc32(data[: before - 4]) == crc, "the header's checksum does not match; copy the file again")
    header = parse_header(data)
    allowed = _CODECS[version_of(data)]
    sizes = []
    for index, section in enumerate(_section_names(data)):
        _, codec, _, raw, stored, _ = _ENTRY.unpack_from(data, HEADER.size + index * _ENTRY.size)
        require(codec in allowed and suits(codec, section), f"section {section} has the unknown codec {codec}")
        require(expansion_holds(codec, raw, stored), f"section {section} claims to grow beyond reason")
        sizes.append(SectionSize(section, raw, stored))
    require(sum(size.raw_bytes for size in sizes) <= MAX_RAW_BYTES, "the sections are too large together")
    total = before + sum(size.stored_bytes for size in sizes)
    require(len(data) == total, f"the file has {len(data)} bytes where its header says {total}; copy it again")
    offset, sections = before, []
    for index, size in enumerate(sizes):
        _, codec, _, _, _, crc = _ENTRY.unpack_from(data, HEADER.size + index * _ENTRY.size)
        stored_bytes = data[offset : offset + size.stored_bytes]
        require(zlib.crc32(stored_bytes) == crc, f"the checksum of section {size.name} does not match; copy it again")
        sections.append(StoredSection(Codec(codec), stored_bytes))
        offset += size.stored_bytes
    return header, sizes, sections


def _residual_of(data: bytes) -> tuple[list[bytes], StoredSection] | None:
    """Return the plain form of a file's residual and how it is stored; None without one."""
    _, sizes, sections = _parse_front(data)
    found = next((pair for pair in zip(sizes, sections, strict=True) if pair[0].name == RESIDUAL_SECTION), None)
    return None if found is None else ([unpacked(found[1], found[0].raw_bytes, RESIDUAL_SECTION, None)], found[1])


def _pack_sections(
    header: Header, quantized: QuantizedGaussianSet
) -> tuple[list[list[bytes]], KnownGeometry, NDArray[np.int64]]:
    """Return each section's plain form as blocks, the geometry, and how many Gaussians each cell holds."""
    layer, steps, (least_step, greatest_step) = quantized.residual, quantized.feature_steps, g.FEATURE_STEP_RANGE
    require(bool(np.all((steps >= least_step) & (steps <= greatest_step))), "a feature step is out of range")
    exponents = lawful_exponents(header, quantized.shape_codes, g.TIE_MARGIN)
    check_means(header, quantized.position_codes, exponents)
    cells = g.cell_of(quantized.position_codes, exponents, header.cell_log2)
    across, down = g.cell_grid(header.width, header.height, header.cell_log2)
    numbers = cells[:, 1].astype(np.int64) * across + cells[:, 0]
    require(not np.any(np.diff(numbers) < 0), "Gaussians must be sorted by cell")
    counts = np.bincount(numbers, minlength=across * down)
    planes, plane_bytes = pack_planes(np.concatenate([quantized.shape_codes, quantized.feature_codes], axis=1))
    blocks = [
        [pack_maps(quantized.maps)],
        [pack_components(quantized, planes)],
        [pack_leb128(counts)],
        [pack_positions(header, quantized.position_codes, exponents)],
        plane_bytes[:SHAPE_PLANES],
        plane_bytes[SHAPE_PLANES:],
        *([] if quantized.detail is None else [[pack_detail(quantized.detail)]]),
        *([] if quantized.exact is None else [pack_exact_section(quantized.exact, header)]),
        *([] if layer is None else [pack_residual_section(quantized, layer)]),
        *([] if quantized.repeat is None else [pack_repeat_section(quantized, quantized.repeat)]),
    ]
    order = CellOrder(numbers, across, down)
    return blocks, KnownGeometry(order, quantized.shape_codes, quantized.position_codes, exponents), counts


def _unpack_sections(
    header: Header,
    sizes: list[SectionSize],
    sections: list[StoredSection],
    version: int,
    known: KnownGeometry | None = None,
    seen: Mapping[str, bytes] = MappingProxyType({}),
) -> QuantizedGaussianSet:
    """Return the set; known is the geometry that features are decoded with at once, None: that of the file.

    Seen is the plain form of sections that are not decoded.
    Of laws that a file breaks, the first in the order of its sections is told: the residual is asked in its turn.
    """
    plain = {
        size.name: unpacked(section, size.raw_bytes, size.name, description_of(size.name, header))
        for size, section in zip(sizes, sections, strict=True)
        if size.name not in seen and (section.codec == Codec.ZSTD or size.name not in CODED_SECTIONS)
    } | dict(seen)
    begun: Future[bytes] | None = None
    with ThreadPoolExecutor(2) as pool:  # a residual takes as long as all others
        residual = pool.submit(unpack_residual_section, plain.copy(), header) if RESIDUAL_SECTION in plain else None
        count, components, channels = header.gaussian_count, header.component_count, header.channel_count
        coded = {
            size.name: (section, size.raw_bytes)
            for size, section in zip(sizes, sections, strict=True)
            if size.name not in plain
        }
        maps = unpack_maps(plain["maps"], channels, version)
        offset, steps, basis, planes = unpack_components(plain["components"], channels, components)
        shape_planes, feature_planes = planes[:SHAPE_PLANES], planes[SHAPE_PLANES:]
        if known is not None and "features" in coded:
            begun = pool.submit(plain_features, *coded["features"], feature_planes, known)
        across, down = g.cell_grid(header.width, header.height, header.cell_log2)
        if "cells" in coded:
            plain["cells"] = plain_counts(*coded["cells"], (across, down), count)
        counts = unpack_leb128(plain["cells"], across * down, count)
        occupied = np.flatnonzero(counts)
        order = CellOrder(np.repeat(occupied, counts[occupied]), across, down)
        if "shapes" in coded:
            plain["shapes"] = plain_shapes(*coded["shapes"], shape_planes, order)
        shape_codes = unpack_planes(plain["shapes"], count, shape_planes, "shapes")
        position_codes, exponents = unpack_positions(header, plain["positions"], order, shape_codes)
        if "features" in coded:
            geometry = KnownGeometry(order, shape_codes, position_codes, exponents)
            plain["features"] = (
                begun.result() if begun else plain_features(*coded["features"], feature_planes, geometry)
            )
        feature_codes = unpack_planes(plain["features"], count, feature_planes, "features")
        return QuantizedGaussianSet(
            width=header.width, height=header.height, maps=maps, cutoff=header.cutoff,
            position_ratio=header.position_ratio, size_step=header.size_step, form_step=header.form_step,
            cell_log2=header.cell_log2, position_codes=position_codes, shape_codes=shape_codes,
            feature_codes=feature_codes, feature_steps=steps, feature_exponent=header.feature_exponent,
            basis_scale=header.basis_scale, basis_codes=basis,
            offset_codes=offset, wrap=header.wrap,
            detail=unpack_detail(plain[DETAIL_SECTION], channels) if DETAIL_SECTION in plain else None,
            exact=unpack_exact_section(plain, header), residual=None if residual is None else residual.result(),
            repeat=unpack_repeat_section(plain, header),
            entropy=Entropy.FAST if any(section.codec == Codec.FAST for section in sections) else Entropy.SMALL,
        )  # fmt: skip
