"""Codec 4: what it codes comes back, files keep the laws, and the page says what the code does.

A second decoder is runtime/c/igs.h: tests/runtime holds its codes against these.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.igs_sets import assert_equal_sets, fix_checksums, make_set
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs import container, section_codecs
from imagegs_tex.formats.igs import fast_coder as fast
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes, version_of
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.fast_weights import INPUTS, SETS, TRAINED, WEIGHT_NODES
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


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_planes_come_back(data):
    count, planes = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 5))
    limit = data.draw(st.sampled_from([0, 1, 9, 300, 32767]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    across, down = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    cells = np.sort(rng.integers(0, across * down, count))
    codes = rng.integers(-limit, limit, (count, planes), endpoint=True)
    shapes = rng.integers(-200, 200, (count, 3)).astype(np.int16)
    places, raised = rng.integers(0, 500, (count, 2)), rng.integers(-4, 3, (count, 2))
    items = fast.feature_items(cells, (across, down), shapes, places, raised, planes)
    coded = fast.encode_planes(codes, items)
    np.testing.assert_array_equal(fast.decode_planes(coded, planes, items), codes)
    with pytest.raises(ValueError, match="takes"):
        fast.decode_planes(coded + b"\0", planes, items)


def test_trained_statistics_take_fewer_bytes_than_none(monkeypatch):
    rng = np.random.default_rng(5)
    cells = np.sort(rng.integers(0, 100, 400))
    shapes = np.rint(rng.normal(0, 6, (400, 3))).astype(np.int16)
    items = fast.shape_items(cells, 10, 10)
    trained = len(fast.encode_planes(shapes, items))
    flat = np.zeros((SETS, WEIGHT_NODES, INPUTS), np.int64)
    flat[:, :, :5] = 983
    monkeypatch.setattr(fast, "trained_weights", lambda: flat)
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


def test_the_page_and_the_c_header_have_the_trained_weights(repository):
    page = (repository / "docs" / "igs-format.md").read_text("utf-8")
    listing = page.split("**Trained weights.**")[1].split("```")[1]
    assert bytes.fromhex(listing) == TRAINED
    header = (repository / "runtime" / "c" / "igs.h").read_text("utf-8")
    table = header.split("igs__trained[")[1].split("{")[1].split("}")[0]
    assert np.array(re.findall(r"-?\d+", table), np.int8).tobytes() == TRAINED
