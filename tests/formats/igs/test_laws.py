"""The reader refuses every broken law in its own words, and allocates nothing for absurd files."""

import struct
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from helpers.broken_igs import BROKEN, breakable
from helpers.igs_sets import ENTRY, HEADER, File, assert_equal_sets, compress, fix_checksums, make_maps, make_set

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs import container, section_codecs
from imagegs_tex.formats.igs.container import SECTIONS, decode_igs, encode_igs
from imagegs_tex.formats.igs.header import MAX_CELLS_PER_GAUSSIAN
from imagegs_tex.formats.igs.plane_coders import Codec


def test_the_file_to_be_broken_is_whole():
    """What the tests below break is one law each: untouched, and put together by the tests, the file is valid."""
    quantized = breakable()
    file = File.split(encode_igs(quantized))
    assert_equal_sets(decode_igs(file.join()), quantized)
    assert file.raws[3][-1] < 128, "the last byte of positions must have room for a bit that is not filling"


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_law_is_refused_in_its_own_words(change, words):
    file = File.split(encode_igs(breakable()))
    change(file)
    with pytest.raises(IgsError, match=words) as caught:
        decode_igs(file.join(), "brick.igs")
    message = str(caught.value)
    assert message.startswith("brick.igs: ")
    assert "\n" not in message
    assert len(message) < 300


def test_a_normal_whose_z_is_not_coded_is_of_version_2():
    maps = make_maps(5)
    assert any(texture_map.unit_normals for texture_map in maps)
    file = File.split(encode_igs(make_set(maps=maps, channels=5)))
    assert decode_igs(file.join()).maps == maps
    file.header["version"] = 1
    with pytest.raises(IgsError, match="route of the unknown kind 2"):
        decode_igs(file.join())


@pytest.mark.parametrize("flags", [1, 2, 3])
def test_supports_that_reach_over_too_many_repeating_pictures_are_refused(flags):
    file = File.split(encode_igs(make_set(size=(4, 4))))  # fine where nothing repeats
    file.header["wrap"] = flags
    with pytest.raises(IgsError, match="reaches farther than 64 pictures that repeat"):
        decode_igs(file.join())


def test_a_position_exponent_on_a_rounding_tie_is_refused():
    # A round Gaussian with m = 0 has A = C = 1, so the exponent is log2(t): a tie for t = sqrt(1/2)
    quantized = make_set(count=1, size=(64, 64), channels=1, components=1)
    quantized = replace(quantized, shape_codes=np.zeros((1, 3), np.int16), position_codes=np.zeros((1, 2), np.int32))
    tie = float(np.float32(np.sqrt(0.5)))
    with pytest.raises(ValueError, match="tie"):
        encode_igs(replace(quantized, position_ratio=tie))
    file = File.split(encode_igs(replace(quantized, position_ratio=0.70)))
    decode_igs(file.join())
    file.header["position_ratio"] = tie
    with pytest.raises(IgsError, match="tie"):
        decode_igs(file.join())


@pytest.mark.parametrize("count", [b"\x90\x83\x00", b"\x90\x83\x80\x80\x00", b"\x90\x03\x80", b"\x90"])
def test_a_count_above_127_in_other_than_the_fewest_bytes_is_refused(count):
    file = File.split(encode_igs(make_set(count=400, spread=0.0, cell_log2=8)))
    assert file.raws[2] == b"\x90\x03"  # 400
    file.raws[2] = count
    with pytest.raises(IgsError, match="count every Gaussian once"):
        decode_igs(file.join())


CODED = ("cells", "shapes", "features")


def codecs_of(data):
    return {
        name: ENTRY.unpack_from(data, HEADER.size + index * ENTRY.size)[1]
        for index, name in enumerate(SECTIONS)
        if name in CODED
    }


@pytest.mark.parametrize(
    ("section", "codec"),
    [*((section, Codec.PREDICTION) for section in CODED), ("cells", Codec.TRAINED), ("features", Codec.TRAINED)],
)
def test_sections_of_more_codes_than_prediction_takes_are_refused(section, codec, monkeypatch):
    monkeypatch.setattr(section_codecs, "_codec_for", lambda *_: codec)
    quantized = make_set(count=900, size=(250, 250), cell_log2=3, feature_range=(-3, 3))
    data = encode_igs(quantized)
    assert codecs_of(data)[section] == codec
    codes = {"cells": 32 * 32, "shapes": 3 * 900, "features": quantized.feature_codes.size}[section]
    monkeypatch.setattr(section_codecs, "MOST_PREDICTED_CODES", codes - 1)
    with pytest.raises(IgsError, match="has too many codes for its codec"):
        decode_igs(data)


def test_sections_of_more_codes_than_prediction_takes_are_coded_by_context(monkeypatch):
    quantized = make_set(count=900, size=(250, 250), cell_log2=3, feature_range=(-3, 3))
    monkeypatch.setattr(section_codecs, "MOST_PREDICTED_CODES", 100)
    data = encode_igs(quantized)
    assert codecs_of(data)["shapes"] == Codec.CONTEXT
    assert Codec.TRAINED not in codecs_of(data).values()
    assert_equal_sets(decode_igs(data), quantized)


@pytest.mark.parametrize(("codec", "first"), [(Codec.PREDICTION, 3), (Codec.TRAINED, 4)])
def test_a_codec_is_of_a_version(codec, first, monkeypatch):
    monkeypatch.setattr(section_codecs, "_codec_for", lambda *_: codec)
    monkeypatch.setattr(container, "code_description", lambda *_: None)  # of version 4
    quantized = make_set(count=900, size=(250, 250), cell_log2=3, feature_range=(-3, 3))
    data = bytearray(encode_igs(quantized))
    struct.pack_into("<H", data, 8, first)
    assert_equal_sets(decode_igs(fix_checksums(bytes(data))), quantized)
    struct.pack_into("<H", data, 8, first - 1)
    with pytest.raises(IgsError, match=f"unknown codec {codec}"):
        decode_igs(fix_checksums(bytes(data)))


def test_the_sections_together_may_not_be_too_large():
    file = File.split(encode_igs(make_set()))
    for index in range(3):
        file.frames[index] = bytes(1 << 18)
        file.entries[index] = {"raw": 1 << 26}
    with pytest.raises(IgsError, match="too large together"):
        decode_igs(file.join())


def test_header_checksum():
    data = bytearray(encode_igs(make_set()))
    data[20] ^= 1
    with pytest.raises(IgsError, match="the header's checksum"):
        decode_igs(bytes(data))


def test_every_prefix_is_refused():
    data = encode_igs(make_set())
    for length in range(len(data)):
        with pytest.raises(IgsError):
            decode_igs(data[:length])


@pytest.mark.parametrize("extra", [b"\0", b"\xff", b"\x28\xb5\x2f\xfd"])
def test_one_more_byte_is_refused(extra):
    with pytest.raises(IgsError, match="where its header says"):
        decode_igs(encode_igs(make_set()) + extra)


ABSURD = {
    "Gaussians": {"count": 1 << 22},
    "size": {"width": 16384, "height": 16384, "count": 1 << 22, "cell_log2": 2},
    "thin": {"width": 16384, "height": 1, "cell_log2": 2},
    "channels": {"channels": 32, "components": 32, "count": 1 << 22},
}


@pytest.mark.parametrize("fields", ABSURD.values(), ids=ABSURD)
def test_a_header_with_absurd_numbers_allocates_nothing(fields):
    file = File.split(encode_igs(make_set()))
    file.header |= fields
    data = file.join()
    tracemalloc.start()
    try:
        with pytest.raises(IgsError):
            decode_igs(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_absurd_lengths_allocate_nothing():
    for index in range(len(SECTIONS)):
        file = File.split(encode_igs(make_set()))
        file.entries[index]["raw"] = 512 * len(compress(file.raws[index])) + 4096  # the most that is allowed
        tracemalloc.start()
        with pytest.raises(IgsError, match="Zstandard"):
            decode_igs(file.join())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20


def test_the_largest_grid_with_few_gaussians_is_refused():
    cells = (16384 // 4) ** 2
    file = File.split(encode_igs(make_set()))
    file.header |= {"width": 16384, "height": 16384, "cell_log2": 2, "count": cells // MAX_CELLS_PER_GAUSSIAN - 257}
    with pytest.raises(IgsError, match="too many"):
        decode_igs(file.join())


def test_random_damage_ends_in_the_formats_own_error(repository):
    """In a process of its own, whose address space may grow by 300 MB: see fuzz_igs.py."""
    done = subprocess.run(
        [sys.executable, "-m", "helpers.fuzz_igs", "6000"],
        cwd=repository / "tests", capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "6000 mutations" in done.stdout
