"""Sets come back from their files; the writer refuses what a reader would."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from helpers.igs_sets import File, assert_equal_sets, make_maps, make_set
from helpers.made_residual import made_layer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import IgsError, InputError, OutputError
from imagegs_tex.formats.igs import container
from imagegs_tex.formats.igs.container import (
    MAX_FILE_BYTES,
    SECTIONS,
    decode_igs,
    encode_igs,
    holds_the_same,
    read_igs,
    reads_back,
    section_sizes,
    write_igs,
)

NAMES = st.text(min_size=1, max_size=80)
SETS = st.builds(
    make_set,
    seed=st.integers(0, 2**32),
    count=st.integers(1, 300),
    size=st.tuples(st.integers(1, 250), st.integers(1, 250)),
    cell_log2=st.integers(2, 8),
    wrap=st.tuples(st.booleans(), st.booleans()),
    spread=st.sampled_from([0.0, 0.1, 1.0]),
    feature_exponent=st.integers(0, 32).map(lambda sixteenths: sixteenths / 16),
    feature_range=st.sampled_from([(0, 0), (-3, 4), (-32768, 32767), (-32768, -32768), (32767, 32767), (0, 255)]),
)


def layout_sets(channels, seed, name):
    components = 1 + seed % channels
    return make_set(seed, channels=channels, components=components, maps=make_maps(channels, name))


@given(SETS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_set_comes_back_and_the_same_set_gives_the_same_bytes(quantized):
    data = encode_igs(quantized)
    decoded = decode_igs(data)
    assert_equal_sets(decoded, quantized)
    assert encode_igs(decoded) == data


@given(st.integers(1, 32), st.integers(0, 1000), NAMES)
@settings(max_examples=100, deadline=None)
def test_any_number_of_channels_and_any_name_come_back(channels, seed, name):
    quantized = layout_sets(channels, seed, name)
    assert_equal_sets(decode_igs(encode_igs(quantized)), quantized)


def test_what_holds_the_same():
    quantized = make_set()
    assert holds_the_same(decode_igs(encode_igs(quantized)), quantized)
    assert not holds_the_same(replace(quantized, cutoff=quantized.cutoff * 0.99), quantized)
    codes = quantized.feature_codes.copy()
    codes[0, 0] += 1
    assert not holds_the_same(replace(quantized, feature_codes=codes), quantized)


def test_what_reads_back(monkeypatch):
    quantized = make_set(count=300)
    rows = np.arange(300)[:, None] // 40 + np.arange(quantized.feature_codes.shape[1])
    quantized = replace(quantized, feature_codes=(rows % 3).astype(np.int16))  # few enough bits to be coded
    geometries, plain_features = [], container.plain_features
    monkeypatch.setattr(
        container, "plain_features", lambda *given: geometries.append(given[-1]) or plain_features(*given)
    )
    data = encode_igs(quantized)
    assert reads_back(data, quantized)
    features = quantized.feature_codes.copy()
    features[0, 0] += 1
    assert not reads_back(data, replace(quantized, feature_codes=features))
    shapes = quantized.shape_codes.copy()
    shapes[0, 0] += 1
    with pytest.raises(IgsError, match="section features"):  # decoded with these shapes, which are not the file's
        reads_back(data, replace(quantized, shape_codes=shapes))
    assert geometries[-1].shape_codes is shapes


def test_residuals_that_are_not_the_same():
    quantized = make_set(channels=3)
    layer = made_layer((quantized.width, quantized.height), 3, 2)
    with_layer = replace(quantized, residual=layer)
    assert holds_the_same(decode_igs(encode_igs(with_layer)), with_layer)
    assert not holds_the_same(quantized, with_layer)
    for other in (replace(layer, values=-layer.values), replace(layer, step=2 * layer.step)):
        assert not holds_the_same(replace(quantized, residual=other), with_layer)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/", "a\x00b", "CON", "\u202egnp", "名前 🧱", "x" * 1024, "\n"])
def test_hostile_names_come_back_as_they_are(name):
    quantized = make_set(maps=make_maps(5)[:1])
    quantized = replace(quantized, maps=(replace(quantized.maps[0], name=name),))
    assert decode_igs(encode_igs(quantized)).maps[0].name == name


@pytest.mark.parametrize(
    "options",
    [
        {"count": 1, "size": (1, 1), "channels": 1, "components": 1},
        {"count": 7, "size": (1, 300), "cell_log2": 8},
        {"count": 30, "size": (16384, 3), "cell_log2": 8},
        {"count": 5, "size": (16384, 16384), "cell_log2": 8},
        {"count": 300, "channels": 32, "components": 32},
        {"count": 400, "cell_log2": 8},  # counts of two bytes
        {"count": 20_000, "spread": 0.01, "size": (1000, 999), "cell_log2": 8},  # a count of three bytes
        {"count": 70_000, "size": (512, 512), "channels": 2, "components": 2},  # more than are unpacked at once
    ],
    ids=str,
)
def test_a_set_at_the_limits_comes_back(options):
    quantized = make_set(3, **options)
    assert_equal_sets(decode_igs(encode_igs(quantized)), quantized)


def test_a_long_run_of_one_code_keeps_the_law_of_expansion():
    count = 200_000
    one = make_set(count=1, channels=1, components=1, spread=0.0)
    repeated = {
        name: np.repeat(getattr(one, name), count, axis=0)
        for name in ("position_codes", "shape_codes", "feature_codes")
    }
    quantized = replace(one, **repeated)
    data = encode_igs(quantized)
    assert len(data) < 10_000
    assert_equal_sets(decode_igs(data), quantized)


def test_the_bytes_are_those_of_the_page():
    """One Gaussian, put together by hand from docs/igs-format.md."""
    quantized = make_set(maps=make_maps(1), count=1, size=(9, 5), channels=1, components=1, cell_log2=3)
    quantized = replace(
        quantized, size_step=0.5, form_step=0.25, position_ratio=0.25, cutoff=6.0, basis_scale=1.0,
        shape_codes=np.array([[2, 1, -3]], np.int16), position_codes=np.array([[17, 9]], np.int32),
        wrap=(False, True), feature_exponent=0.75,
        feature_codes=np.array([[-300]], np.int16), feature_steps=np.array([0.5], np.float32),
        basis_codes=np.array([[32767]], np.int16), offset_codes=np.array([40000], np.uint16),
    )  # fmt: skip
    # m = 1, h = 0.25, b = -0.75; A and C by the closed form; e = round(log2(0.25) - log2(A) / 2)
    m, h, b = 1.0, 0.25, -0.75
    r = np.hypot(h, b)
    a, c = (np.exp(-m) * (np.cosh(r) + sign * h * np.sinh(r) / r) for sign in (-1, 1))
    exponent_x, exponent_y = (round(-2 - np.log2(value) / 2) for value in (a, c))
    assert (exponent_x, exponent_y) == (-1, -2)
    file = File.split(encode_igs(quantized))
    assert file.header == {
        "magic": b"\x89IGS\r\n\x1a\n", "version": 4, "kernel": 1, "section_count": 6, "width": 9, "height": 5,
        "channels": 1, "components": 1, "count": 1, "cutoff": 6.0, "position_ratio": 0.25, "size_step": 0.5,
        "form_step": 0.25, "basis_scale": 1.0, "cell_log2": 3, "wrap": 2,
        "feature_exponent": 12, "reserved": 0,
    }  # fmt: skip
    assert file.raws[0] == (
        struct.pack("<HH11sB4sBBBBff", 1, 11, b"base colour", 4, b".png", 1, 1, 0, 2, 0.0, 1.0)
        + struct.pack("<BBB", 0, 0, 0)
        + struct.pack("<BBf", 1, 1, 0.25)
    )
    planes = struct.pack("<hBhBhBhB", 2, 1, 1, 1, -3, 1, -300, 1)
    assert file.raws[1] == struct.pack("<Hfh", 40000, 0.5, 32767) + planes
    assert file.raws[2] == bytes([0, 1])  # two cells of 8 x 8; x = 17 / 2 lies in the second
    # 3 + 1 bits of x: 17 - 16 = 1, then 3 + 2 bits of y: 9
    assert file.raws[3] == bytes([1 | 9 << 4, 0])
    assert file.raws[4] == bytes(3)
    assert file.raws[5] == bytes(1)


def test_section_sizes_add_up_to_the_file():
    data = encode_igs(make_set())
    sizes = section_sizes(data)
    assert [size.name for size in sizes] == ["header", *SECTIONS]
    assert sum(size.stored_bytes for size in sizes) == len(data)
    with pytest.raises(IgsError):
        section_sizes(data[:-1])


# --- the writer refuses what a reader would


def with_shape(quantized, *codes):
    shape_codes = quantized.shape_codes.copy()
    shape_codes[0] = codes
    return replace(quantized, shape_codes=shape_codes)


UNWRITABLE = {
    "width 0": lambda q: replace(q, width=0),
    "width 16385": lambda q: replace(q, width=16385),
    "height 70000": lambda q: replace(q, height=70000),
    "no maps": lambda q: replace(q, maps=()),
    "257 maps": lambda q: replace(q, maps=q.maps[:1] * 257),
    "a name of 1025 bytes": lambda q: replace(q, maps=(replace(q.maps[0], name="x" * 1025),)),
    "an empty name": lambda q: replace(q, maps=(replace(q.maps[0], name=""),)),
    "a suffix of 17 bytes": lambda q: replace(q, maps=(replace(q.maps[0], file_suffix="." + "x" * 16),)),
    "cut-off": lambda q: replace(q, cutoff=0.5),
    "cut-off NaN": lambda q: replace(q, cutoff=float("nan")),
    "position ratio": lambda q: replace(q, position_ratio=17.0),
    "size step": lambda q: replace(q, size_step=5.0),
    "form step": lambda q: replace(q, form_step=0.0),
    "basis scale": lambda q: replace(q, basis_scale=float("inf")),
    "cell log2": lambda q: replace(q, cell_log2=9),
    "images without number": lambda q: replace(q, wrap=(True, False), width=1, cutoff=32.0),
    "feature step": lambda q: replace(q, feature_steps=q.feature_steps * np.float32(1e9)),
    "feature exponent": lambda q: replace(q, feature_exponent=2.0625),
    "feature exponent between sixteenths": lambda q: replace(q, feature_exponent=0.51),
    "a size out of range": lambda q: with_shape(q, 30_000, 0, 0),
    "too thin": lambda q: with_shape(q, 0, 1000, 0),
    "outside": lambda q: replace(q, position_codes=q.position_codes + 10_000),
    "left of the picture": lambda q: replace(q, position_codes=q.position_codes - 10_000),
    "not sorted": lambda q: replace(
        q, position_codes=q.position_codes[::-1], shape_codes=q.shape_codes[::-1], feature_codes=q.feature_codes[::-1]
    ),
    "no Gaussians": lambda q: replace(
        q, position_codes=q.position_codes[:0], shape_codes=q.shape_codes[:0], feature_codes=q.feature_codes[:0]
    ),
    "more components than channels": lambda q: replace(q, basis_codes=q.basis_codes[:, :2]),
    "cells without number": lambda q: replace(q, width=16384, height=16384),
}


@pytest.mark.parametrize("change", UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_set_that_breaks_a_law_is_not_written(change):
    with pytest.raises(ValueError, match=r"\S"):
        encode_igs(change(make_set()))


def test_reading_and_writing_files(tmp_path):
    quantized = make_set()
    path = tmp_path / "a.igs"
    assert write_igs(path, quantized) == path.stat().st_size
    assert_equal_sets(read_igs(path), quantized)
    with pytest.raises(InputError, match=r"missing\.igs: cannot be read"):
        read_igs(tmp_path / "missing.igs")
    with pytest.raises(InputError, match=r"a folder; give the \.igs file"):
        read_igs(tmp_path)
    with pytest.raises(OutputError, match="a file has that name"):
        write_igs(path / "a.igs", quantized)
    path.write_bytes(b"")
    with pytest.raises(IgsError, match=r"^a\.igs: not an \.igs file"):
        read_igs(path)
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(IgsError, match="larger than"):
        read_igs(path)
