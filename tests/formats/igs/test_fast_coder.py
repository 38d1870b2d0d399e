"""Codec 4: what it codes comes back, files keep the laws, and the page says what the code does.

Further decoders are tests/helpers/plain_fast.py, written from the page, and runtime/c/igs.h: tests/runtime holds its
codes against these.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
from helpers import plain_fast
from helpers.igs_sets import assert_equal_sets, fix_checksums, make_set
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs import container, section_codecs
from imagegs_tex.formats.igs import fast_coder as fast
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes, version_of
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.fast_start import FACTORS, SECONDS
from imagegs_tex.formats.igs.plane_coders import Codec

TABLE_AT, ENTRY_BYTES = 52, 16
MADE = {
    "small": {},
    "one Gaussian": {"count": 1, "size": (1, 1), "channels": 1, "components": 1},
    "wide codes": {"count": 200, "size": (64, 64), "cell_log2": 8, "feature_range": (-9000, 9000)},
    "long runs": {"count": 900, "size": (250, 250), "cell_log2": 3, "feature_range": (0, 0)},
    "32 channels": {"count": 60, "channels": 32, "components": 32, "feature_range": (-4, 4)},
}


def codecs_of(data):
    return [data[TABLE_AT + ENTRY_BYTES * index + 1] for index in range(data[11])]


def coded_parts(data):
    """The stored bytes of the sections of a file that are no frames of Zstandard."""
    header, *sizes = section_sizes(data)
    at, parts = header.stored_bytes, []
    for codec, size in zip(codecs_of(data), sizes, strict=True):
        if codec != Codec.ZSTD:
            parts.append(data[at : at + size.stored_bytes])
        at += size.stored_bytes
    assert at == len(data)
    return parts


@pytest.mark.parametrize("fields", MADE.values(), ids=MADE)
def test_files_come_back(fields):
    quantized = replace(make_set(3, **fields), entropy=Entropy.FAST)
    data = encode_igs(quantized)
    assert version_of(data) == 4
    assert_equal_sets(decode_igs(data), quantized)
    assert encode_igs(decode_igs(data)) == data


def test_small_files_have_nothing_of_it():
    quantized = make_set(3)
    data = encode_igs(quantized)
    assert Codec.FAST not in codecs_of(data)
    assert decode_igs(data).entropy == Entropy.SMALL
    assert encode_igs(replace(quantized, entropy=Entropy.FAST)) != data


def test_what_version_3_coded_is_coded_as_it_was(repository, monkeypatch):
    """Coded sections; Zstandard's frames may differ with another library."""
    monkeypatch.setattr(section_codecs, "_codec_for", lambda *_: Codec.PREDICTION)
    monkeypatch.setattr(container, "code_description", lambda *_: None)  # of version 4
    before = (repository / "tests" / "golden" / "version_3.igs").read_bytes()
    read = decode_igs(before)
    data = encode_igs(read)
    assert (version_of(before), version_of(data)) == (3, 4)
    assert codecs_of(data) == codecs_of(before) == [1, 1, 3, 1, 3, 3]
    assert coded_parts(data) == coded_parts(before)
    assert read.entropy == Entropy.SMALL


def test_a_fast_file_needs_no_zstandard():
    data = encode_igs(replace(make_set(3), entropy=Entropy.FAST))
    assert codecs_of(data) == [4] * 6
    assert [size.stored_bytes for size in section_sizes(data)][1:3] == [size.raw_bytes for size in section_sizes(data)][
        1:3
    ]


def test_what_would_grow_beyond_the_law_is_a_frame():
    runs = make_set(3, count=60_000, size=(600, 600), cell_log2=8, channels=2, components=2, feature_range=(0, 0))
    data = encode_igs(replace(runs, entropy=Entropy.FAST))
    assert codecs_of(data)[5] == 1
    assert_equal_sets(decode_igs(data), replace(runs, entropy=Entropy.FAST))


@dataclass
class Made:
    """Made-up items of section shapes or features, for the coder and for the page."""

    items: fast.FastItems
    plain: dict


def made_items(seed, count, grid, planes, *, features=True):
    rng = np.random.default_rng(seed)
    cells = np.sort(rng.integers(0, grid[0] * grid[1], count))
    plain = {"across": grid[0], "down": grid[1], "cells": cells.tolist()}
    if not features:
        return Made(fast.shape_items(cells, *grid), plain)
    shapes = rng.integers(-200, 200, (count, 3)).astype(np.int16)
    places, raised = rng.integers(0, 500, (count, 2)), rng.integers(-4, 3, (count, 2))
    plain |= {"shapes": shapes.tolist(), "positions": places.tolist(), "exponents": raised.tolist()}
    return Made(fast.feature_items(cells, grid, shapes, places, raised, planes), plain)


def check_the_page(codes, coded, plain):
    planes = codes.shape[1]
    centres = [int(centre) for centre in np.frombuffer(coded[: 2 * planes], "<i2")]
    decoder = plain_fast.PlainFastDecoder(coded[2 * planes :], **plain)
    np.testing.assert_array_equal(np.array(decoder.planes(centres)).T, codes)
    assert decoder.is_at_the_end()


LIMITS = (0, 1, 9, 70, 300, 32767, 1 << 22)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_planes_come_back(data):
    count, planes = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 5))
    limit, features = data.draw(st.sampled_from(LIMITS)), data.draw(st.booleans())
    grid = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    seed = data.draw(st.integers(0, 2**32 - 1))
    planes = planes if features else 3
    made = made_items(seed, count, grid, planes, features=features)
    codes = np.random.default_rng(seed + 1).integers(-limit, limit, (count, planes), endpoint=True)
    coded = fast.encode_planes(codes, made.items)
    np.testing.assert_array_equal(fast.decode_planes(coded, planes, made.items), codes)
    check_the_page(codes, coded, made.plain)
    with pytest.raises(ValueError, match="takes"):
        fast.decode_planes(coded + b"\0", planes, made.items)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_counts_come_back(data):
    grid = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    most, seed = data.draw(st.sampled_from([0, 1, 5, 90, 4000])), data.draw(st.integers(0, 2**32 - 1))
    counts = np.random.default_rng(seed).integers(0, most, grid[0] * grid[1], endpoint=True)
    coded, total = fast.encode_counts(counts, grid[0]), int(counts.sum())
    np.testing.assert_array_equal(fast.decode_counts(coded, grid, total), counts)
    check_the_page(counts[:, None], coded, {"across": grid[0], "down": grid[1], "gaussians": total})


@pytest.mark.parametrize(("features", "planes", "scale"), [(False, 3, 6.0), (True, 9, 0.6), (True, 9, 30.0)])
def test_the_page_decodes_planes_that_repeat(features, planes, scale):
    """Long enough that weights have moved and rows are full; half of the values are like the neighbour's."""
    made = made_items(8, 500, (7, 5), planes, features=features)
    rng = np.random.default_rng(9)
    codes = np.rint(rng.laplace(0, scale, (500, planes))).astype(np.int64)
    codes[1::2] = codes[:-1:2]
    check_the_page(codes, fast.encode_planes(codes, made.items), made.plain)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.booleans())
def test_any_bytes_are_read_alike(data, features):
    """Or refused: what a damaged section holds must do no harm."""
    made = made_items(3, 30, (4, 4), 3, features=features)
    values = np.zeros((30, 3), np.int32)
    used = fast.run_planes(values, made.items, np.frombuffer(data, np.uint8).copy(), decoding=True)
    decoder = plain_fast.PlainFastDecoder(data, **made.plain)
    np.testing.assert_array_equal(np.array(decoder.planes([0, 0, 0])).T, values)
    assert decoder.is_at_the_end() == (used == len(data))


def test_all_sizes_of_values_come_back():
    """Every symbol, and the bits behind the longest."""
    ends = [0, 1, 4, 5, 12, 13, 28, 29, 60, 61, 62, 64, 92, 93, 32767, 32829, 65596, 1 << 20, (1 << 22) + 32768]
    codes = np.array([*ends, *(-end for end in ends)], np.int64)[:, None]
    made = made_items(4, len(codes), (3, 3), 1)
    values = codes.astype(np.int32)
    coded = np.zeros(1000, np.uint8)
    used = fast.run_planes(values.copy(), made.items, coded, decoding=False)
    found = np.zeros_like(values)
    assert fast.run_planes(found, made.items, coded[:used].copy(), decoding=True) == used
    np.testing.assert_array_equal(found, values)


def test_trained_factors_take_fewer_bytes_than_none(monkeypatch):
    rng = np.random.default_rng(5)
    cells = np.sort(rng.integers(0, 100, 400))
    shapes = np.rint(rng.normal(0, 6, (400, 3))).astype(np.int16)
    items = fast.shape_items(cells, 10, 10)
    trained = len(fast.encode_planes(shapes, items))
    monkeypatch.setattr(fast, "FACTORS", np.zeros_like(FACTORS))
    assert trained < len(fast.encode_planes(shapes, items))


def test_a_plain_section_has_its_raw_length():
    data = bytearray(encode_igs(replace(make_set(3), entropy=Entropy.FAST)))
    data[TABLE_AT + 4] -= 1
    with pytest.raises(IgsError, match=r"section maps is .* plain bytes instead of"):
        decode_igs(fix_checksums(bytes(data)))


def test_codec_4_is_of_version_4():
    data = bytearray(encode_igs(replace(make_set(3), entropy=Entropy.FAST)))
    data[8] = 3
    with pytest.raises(IgsError, match="unknown codec 4"):
        decode_igs(fix_checksums(bytes(data)))


def numbers(text):
    return [int(number) for number in re.findall(r"-?\d+", text)]


def test_the_page_and_the_c_header_have_what_is_trained(repository):
    page = (repository / "docs" / "igs-format.md").read_text("utf-8").split("## Fast coding")[1].split("## Trained")[0]
    table = page.split("| f₀ to f₇ |")[1].split("\n\n")[0]
    rows = [numbers(line.split("|")[2]) for line in table.splitlines()[2:]]
    parts = [numbers(line.split(":")[1]) for line in page.splitlines() if line.startswith("    parts ")]
    plain = [row for rows_of in plain_fast.FACTORS.values() for row in rows_of]
    assert FACTORS.tolist() == rows == plain
    assert SECONDS.tolist() == parts == plain_fast.SECONDS
    header = (repository / "runtime" / "c" / "igs.h").read_text("utf-8")
    for name, held in (("igs__fast_factors[", FACTORS), ("igs__fast_seconds[", SECONDS)):
        listing = header.split(name)[1].split("= {")[1].split("};")[0]
        assert numbers(listing) == held.ravel().tolist()
