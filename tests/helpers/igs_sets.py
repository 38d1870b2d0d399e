"""Quantized sets to write, and .igs files taken apart so that a test can break one law and leave the rest intact."""

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np
import zstandard

from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.container import SECTIONS, decode_igs, front_bytes, plain_sections
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, TextureMap, Transfer, UnitZ

HEADER = struct.Struct("<8sHBBIIHHI5fBBBB")
ENTRY = struct.Struct("<BBHIII")
HEADER_FIELDS = (
    "magic", "version", "kernel", "section_count", "width", "height", "channels", "components", "count", "cutoff",
    "position_ratio", "size_step", "form_step", "basis_scale", "cell_log2", "wrap",
    "feature_exponent", "reserved",
)  # fmt: skip
ENTRY_FIELDS = ("number", "codec", "zero", "raw", "stored", "crc")
FRONT = HEADER.size + ENTRY.size * len(SECTIONS) + 4


def make_maps(channel_count, name="base colour"):
    """Maps that use every coded channel: all transfers, sample formats and kinds of route."""
    maps = []
    left = list(range(channel_count))
    formats = list(SampleFormat)
    while left:
        own, left = left[: 1 + len(maps) % 4], left[1 + len(maps) % 4 :]
        sample_format = formats[len(maps) % 4]
        constant = Constant(1.0) if len(maps) % 2 else Constant(0.25)
        routes = (*(Coded(index) for index in own), constant)
        transfer = Transfer.LOG if sample_format.is_float else (Transfer.SRGB, Transfer.LINEAR)[len(maps) % 2]
        semantics = tuple(Semantic(index % len(Semantic)) for index in range(len(routes)))
        if transfer == Transfer.LINEAR and len(own) > 1:  # a normal whose z is not coded
            routes = (*routes, UnitZ())
            semantics = tuple(Semantic.DATA if isinstance(route, Constant) else Semantic.NORMAL for route in routes)
        maps.append(
            TextureMap(
                name=name if not maps else f"{name} {len(maps)}",
                file_suffix=".exr" if sample_format.is_float else ".png",
                semantic=Semantic.BASE_COLOUR,
                channel_semantics=semantics,
                transfer=transfer,
                sample_format=sample_format,
                routes=routes,
                log_range=(-0.5, 2.5) if transfer == Transfer.LOG else (0.0, 1.0),
            )
        )
    return tuple(maps)


def make_set(
    seed=0,
    *,
    count=50,
    size=(61, 47),
    channels=5,
    components=3,
    cell_log2=4,
    spread=1.0,
    feature_range=(-90, 90),
    maps=None,
    wrap=(False, False),
    feature_exponent=0.0,
):
    """A random set that keeps every law.

    Args:
        seed: of the generator
        count: N
        size: width and height in texels
        channels: C
        components: K
        cell_log2: cells are 2^cell_log2 texels wide
        spread: share of the picture, from its top left corner, that holds all means
        feature_range: least and greatest feature code
        maps: None for maps that use every channel
        wrap: whether the picture repeats in x and in y
        feature_exponent: how feature steps depend on the size
    """
    generator = np.random.default_rng(seed)
    width, height = size
    size_step, form_step = (float(np.float32(step)) for step in generator.uniform(0.05, 0.2, 2))
    # a support of cut-off 6 reaches 3.5 deviations, here 3.5 e^(m/2 + r/2): at most 64 pictures that repeat
    most = min([9.0, *(2 * np.log(64 * side / 3.6) - 4.5 for side, repeats in zip(size, wrap, strict=True) if repeats)])
    m = generator.uniform(-3, most, count) / size_step
    radius, angle = generator.uniform(0, 4.5, count) / form_step, generator.uniform(0, 2 * np.pi, count)
    shape_codes = np.rint(np.stack([m, radius * np.cos(angle), radius * np.sin(angle)], axis=1)).astype(np.int16)
    shapes = g.shape_values(shape_codes, size_step, form_step)
    ratio = 0.25
    while np.any(np.abs(tie_distance(g.rounded_exponents(shapes, ratio))) < 2e-6):
        ratio = float(np.float32(ratio * 1.0001))
    exponents = g.clamp_exponents(g.rounded_exponents(shapes, ratio), g.least_exponent(width, height), cell_log2)
    steps = np.exp2(exponents)
    last = np.maximum(np.ceil(np.array(size) / steps - 0.5) - 1, 0)
    position_codes = np.floor(generator.random((count, 2)) * spread * np.array(size) / steps)
    position_codes = np.minimum(position_codes, last).astype(np.int32)
    cells = g.cell_of(position_codes, exponents, cell_log2)
    order = np.lexsort((cells[:, 0], cells[:, 1]))
    return QuantizedGaussianSet(
        width=width,
        height=height,
        maps=make_maps(channels) if maps is None else maps,
        cutoff=6.0,
        position_ratio=ratio,
        size_step=size_step,
        form_step=form_step,
        cell_log2=cell_log2,
        position_codes=position_codes[order],
        shape_codes=shape_codes[order],
        feature_codes=generator.integers(*feature_range, (count, components), endpoint=True).astype(np.int16),
        feature_steps=generator.uniform(0.01, 0.1, components).astype(np.float32),
        feature_exponent=feature_exponent,
        basis_scale=0.75,
        basis_codes=generator.integers(-32767, 32767, (components, channels), endpoint=True).astype(np.int16),
        offset_codes=generator.integers(0, 65535, channels, endpoint=True).astype(np.uint16),
        wrap=wrap,
    )


def tie_distance(rounded):
    return np.abs(rounded - np.floor(rounded) - 0.5)


def assert_equal_sets(found, wanted):
    for name in QuantizedGaussianSet.__slots__:
        first, second = getattr(found, name), getattr(wanted, name)
        if isinstance(second, np.ndarray):
            assert first.dtype == second.dtype
            np.testing.assert_array_equal(first, second, err_msg=name)
        else:
            assert first == second, name


@dataclass
class File:
    """An .igs file in parts; :meth:`join` puts them together as zstd frames, with lengths and checksums that fit."""

    header: dict[str, object]
    raws: list[bytes]  # sections, decompressed
    entries: list[dict[str, int]] = field(default_factory=lambda: [{} for _ in SECTIONS])  # fields to set
    frames: dict[int, bytes] = field(default_factory=dict)  # stored bytes to use for a section, by its index
    tail: bytes = b""

    @classmethod
    def split(cls, data):
        header = dict(zip(HEADER_FIELDS, HEADER.unpack_from(data), strict=True))
        numbers = [data[HEADER.size + ENTRY.size * index] for index in range(header["section_count"])]
        entries = [{} if number == index else {"number": number} for index, number in enumerate(numbers, 1)]
        return cls(header, plain_sections(decode_igs(data)), entries)

    def join(self):
        frames = [self.frames.get(index, compress(raw)) for index, raw in enumerate(self.raws)]
        table = b""
        for index, (raw, frame) in enumerate(zip(self.raws, frames, strict=True)):
            entry = {"number": index + 1, "codec": 1, "zero": 0, "raw": len(raw), "stored": len(frame)}
            entry |= {"crc": zlib.crc32(frame)} | self.entries[index]
            table += ENTRY.pack(*(entry[name] for name in ENTRY_FIELDS))
        front = HEADER.pack(*(self.header[name] for name in HEADER_FIELDS)) + table
        return front + struct.pack("<I", zlib.crc32(front)) + b"".join(frames) + self.tail


def compress(raw):
    return zstandard.ZstdCompressor(level=3).compress(raw)


def fix_checksums(data):
    """Make the checksums fit what the file now holds, as far as its table can be followed."""
    sections = data[11] if len(data) > HEADER.size else 0
    front = front_bytes(sections)
    if len(data) < front:
        return data
    fixed = bytearray(data)
    at = front
    for index in range(sections):
        entry = HEADER.size + ENTRY.size * index
        stored = ENTRY.unpack_from(fixed, entry)[4]
        struct.pack_into("<I", fixed, entry + 12, zlib.crc32(bytes(fixed[at : at + stored])))
        at += stored
    struct.pack_into("<I", fixed, front - 4, zlib.crc32(bytes(fixed[: front - 4])))
    return bytes(fixed)
