"""The section of exact samples: round trip, filters, laws."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from helpers.igs_sets import ENTRY, HEADER, assert_equal_sets, compress, make_set
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, plain_sections, section_sizes, version_of
from imagegs_tex.formats.igs.exact_samples import ExactSamples, exact_samples, pack_exact, unpack_exact


def made_samples(seed, size, widths):
    rng = np.random.default_rng(seed)
    planes = [rng.integers(0, 256**width, size[::-1], dtype=np.uint32) for width in widths]
    return ExactSamples(np.stack(planes, axis=-1), tuple(widths))


def assert_same(first, second):
    assert first.sample_bytes == second.sample_bytes
    assert first.codes.dtype == second.codes.dtype
    np.testing.assert_array_equal(first.codes, second.codes)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 999),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.lists(st.integers(1, 3), min_size=1, max_size=5),
)
def test_samples_come_back(seed, size, widths):
    samples = made_samples(seed, size, widths)
    assert_same(unpack_exact(b"".join(pack_exact(samples)), *size, len(widths)), samples)


def by_the_page(raw, width, height, channels):
    """A second reading, one number at a time, written from docs/igs-format.md alone."""
    at, result = 2 * channels, []
    for channel in range(channels):
        count, number = raw[2 * channel : 2 * channel + 2]
        size, modulus = width * height, 256**count
        plane = [[0] * width for _ in range(height)]
        for y in range(height):
            for x in range(width):
                plane[y][x] = sum(raw[at + byte * size + y * width + x] * 256**byte for byte in range(count))
        at += count * size
        if number & 1:
            plane = [[sum(row[: x + 1]) % modulus for x in range(width)] for row in plane]
        if number & 2:
            plane = [[sum(row[x] for row in plane[: y + 1]) % modulus for x in range(width)] for y in range(height)]
        if number & 4:
            plane = [[(plane[y][x] + result[-1][y][x]) % modulus for x in range(width)] for y in range(height)]
        result.append(plane)
    return np.moveaxis(np.array(result), 0, -1)


def test_every_filter_means_what_the_page_says():
    rng = np.random.default_rng(7)
    width, height, widths = 5, 4, [2, 2, 2, 2, 2, 2, 2, 2]
    head = bytes(value for number in range(8) for value in (2, number))
    raw = head + rng.integers(0, 256, 2 * width * height * 8, dtype=np.uint8).tobytes()
    read = unpack_exact(raw, width, height, len(widths))
    np.testing.assert_array_equal(read.codes, by_the_page(raw, width, height, len(widths)))


def test_smooth_pictures_take_differences():
    y, x = np.mgrid[:32, :32].astype(np.float32)
    plane = ((3 * x + 5 * y) / 255)[..., None]
    raw = pack_exact(ExactSamples(np.rint(np.concatenate([plane, plane], axis=2) * 255).astype(np.uint32), (1, 1)))
    assert raw[0][1] == 3  # along x and y
    assert raw[0][3] & 4  # from the channel before
    assert len(compress(b"".join(raw))) < 60


def exact_file(seed=1, size=(6, 5)):
    plain = make_set(seed, size=size, count=1, channels=5)
    samples = exact_samples(np.random.default_rng(seed).random((*size[::-1], 5), dtype=np.float32), plain.maps)
    return replace(plain, exact=samples)


def test_a_file_with_samples_comes_back_and_is_of_version_4():
    quantized = exact_file()
    data = encode_igs(quantized)
    assert version_of(data) == 4
    assert [size.name for size in section_sizes(data)][-1] == "exact samples"
    read = decode_igs(data)
    assert_same(read.exact, quantized.exact)
    assert_equal_sets(replace(read, exact=None), replace(quantized, exact=None))
    assert encode_igs(read) == data
    assert set(read.exact.sample_bytes) == {1, 2, 3}  # maps of 8 and 16 bits, and of half floats


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: b"\x01\x00", "ends within its head"),
        (lambda raw: b"\x00" + raw[1:], "not 1..3 bytes"),
        (lambda raw: b"\x04" + raw[1:], "not 1..3 bytes"),
        (lambda raw: raw[:1] + b"\x08" + raw[2:], "an unknown filter"),
        (lambda raw: raw[:1] + b"\x04" + raw[2:], "of another width"),
        (lambda raw: raw[:3] + b"\x04" + raw[4:], "of another width"),
        (lambda raw: raw + b"\x00", "bytes instead of"),
        (lambda raw: raw[:-1], "bytes instead of"),
    ],
)
def test_broken_laws_are_refused_in_their_own_words(change, words):
    raw = b"".join(pack_exact(made_samples(2, (4, 3), [1, 2, 2])))
    with pytest.raises(IgsError, match=words):
        unpack_exact(change(raw), 4, 3, 3)


def joined(quantized, numbers, raws):
    """A file of version 4 of the sections with some ids, whatever they are."""
    front = bytearray(encode_igs(quantized)[: HEADER.size])
    front[8:10], front[11] = struct.pack("<H", 4), len(numbers)
    frames = [compress(raw) for raw in raws]
    for number, raw, frame in zip(numbers, raws, frames, strict=True):
        front += ENTRY.pack(number, 1, 0, len(raw), len(frame), zlib.crc32(frame))
    return bytes(front) + struct.pack("<I", zlib.crc32(front)) + b"".join(frames)


def test_the_table_holds_what_may_follow_and_no_more():
    quantized = exact_file()
    *raws, exact = plain_sections(quantized)
    detail = b"\x01\x01\x01\x00" + bytes(8 + 5 + 5 + 10 + 1)
    assert decode_igs(joined(quantized, range(1, 7), raws)).exact is None
    assert_same(decode_igs(joined(quantized, [1, 2, 3, 4, 5, 6, 8], [*raws, exact])).exact, quantized.exact)
    for numbers, parts, words in (
        ([1, 2, 3, 4, 5, 6, 11], [*raws, exact], "entry 6 of the section table"),
        ([1, 2, 3, 4, 5, 6, 8, 8], [*raws, exact, exact], "entry 7 of the section table"),
        ([1, 2, 3, 4, 5, 6, 8, 7], [*raws, exact, detail], "entry 7 of the section table"),
        ([1, 2, 3, 4, 5, 6, 7, 8], [*raws, detail, exact], "no detail"),
        ([1, 2, 3, 4, 5], raws[:5], "5 sections instead of 6 to 9"),
    ):
        with pytest.raises(IgsError, match=words):
            decode_igs(joined(quantized, numbers, parts))


def test_every_prefix_and_every_further_byte_is_refused():
    data = encode_igs(exact_file())
    for end in range(len(data)):
        with pytest.raises(IgsError):
            decode_igs(data[:end])
    with pytest.raises(IgsError):
        decode_igs(data + b"\x00")


def test_samples_of_another_size_are_the_callers_fault():
    quantized = exact_file()
    with pytest.raises(ValueError, match="another shape"):
        encode_igs(replace(quantized, exact=made_samples(1, (6, 6), [1] * 5)))
