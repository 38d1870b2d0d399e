import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imagegs_tex.formats.material.stack import TextureStack, expand_map
from imagegs_tex.formats.transfer_functions import LOG_KNEE, decode_log, encode_log
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    MAX_CHANNELS,
    MAX_SIZE,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    SampleFormat,
    Semantic,
    TextureMap,
    Transfer,
    UnitZ,
)


def make_map(
    routes, sample_format=SampleFormat.UINT8, transfer=Transfer.LINEAR, log_range=(0.0, 1.0), semantic=Semantic.DATA
):
    return TextureMap(
        name="m",
        file_suffix=".png",
        semantic=semantic,
        channel_semantics=(semantic,) * len(routes),
        transfer=transfer,
        sample_format=sample_format,
        routes=tuple(routes),
        log_range=log_range,
    )


def test_ids_in_files_never_change():
    assert {s.name.lower(): s.value for s in Semantic} == {
        "data": 0, "base_colour": 1, "normal": 2, "roughness": 3, "gloss": 4, "metallic": 5, "occlusion": 6,
        "height": 7, "opacity": 8, "emissive": 9, "specular": 10, "image": 11, "mask": 12, "subsurface": 13,
        "transmission": 14, "clearcoat": 15, "sheen": 16, "anisotropy": 17, "cavity": 18,
    }  # fmt: skip
    assert [(t.name, t.value) for t in Transfer] == [("LINEAR", 0), ("SRGB", 1), ("LOG", 2)]
    assert [(f.name, f.value) for f in SampleFormat] == [("UINT8", 0), ("UINT16", 1), ("FLOAT16", 2), ("FLOAT32", 3)]


def test_conventions_list_the_same_ids(repository):
    text = " ".join((repository / "docs" / "conventions.md").read_text(encoding="utf-8").split())
    for semantic in Semantic:
        assert f"{semantic.value} {semantic.name.lower()}" in text


def test_a_colour_is_no_scalar():
    assert not COLOUR_SEMANTICS & SCALAR_SEMANTICS


@pytest.mark.parametrize("sample_format", [SampleFormat.UINT8, SampleFormat.UINT16])
def test_every_integer_survives_the_code_domain(sample_format):
    stored = np.arange(int(sample_format.max_value) + 1).astype(sample_format.dtype)[np.newaxis, :, np.newaxis]
    texels = np.divide(stored, sample_format.max_value, dtype=np.float32)
    assert np.array_equal(expand_map(texels, make_map([Coded(0)], sample_format)), stored)
    for value in (0, 1, 117, int(sample_format.max_value)):
        constant = make_map([Constant(value / sample_format.max_value)], sample_format)
        assert expand_map(texels[:, :1], constant)[0, 0, 0] == value


def test_expand_follows_routes():
    texels = np.array([[[0.0, 1.0], [0.5, 0.25]]], dtype=np.float32)
    routes = [Coded(1), Coded(0), Coded(1), Constant(1.0)]
    expanded = expand_map(texels, make_map(routes))
    assert expanded.tolist() == [[[255, 0, 255, 255], [64, 128, 64, 255]]]
    assert expanded.dtype == np.uint8


def test_expand_clips_what_a_decoder_overshoots():
    texels = np.array([[[-0.5], [1.5]]], dtype=np.float32)
    assert expand_map(texels, make_map([Coded(0)])).ravel().tolist() == [0, 255]
    assert expand_map(texels, make_map([Coded(0)], SampleFormat.FLOAT32)).ravel().tolist() == [0, 1]
    log = make_map([Coded(0)], SampleFormat.FLOAT16, Transfer.LOG, (-2.0, 8.0))
    assert expand_map(texels, log).ravel().tolist() == [-2, 8]


def test_constants_of_float_maps_are_samples_not_codes():
    texels = np.zeros((1, 1, 1), dtype=np.float32)
    log = make_map([Coded(0), Constant(3.5)], SampleFormat.FLOAT16, Transfer.LOG, (0.0, 8.0))
    assert expand_map(texels, log).tolist() == [[[0.0, 3.5]]]


@given(hnp.arrays(np.uint16, st.integers(2, 50)))
def test_log_round_trip_is_within_a_float32_step(bits):
    samples = bits.view(np.float16)
    samples = samples[np.isfinite(samples)]
    assume(samples.size and samples.min() < samples.max())
    log_range = (float(samples.min()), float(samples.max()))
    codes = encode_log(samples, log_range)
    assert codes.dtype == np.float32
    assert codes.min() == 0
    assert codes.max() == 1
    back = decode_log(codes, log_range)
    # A code is exact to 2^-24; the steepest slope of the inverse is (|x| + k) ln 2 over the whole log range.
    span = sum(np.log2(1 + abs(bound) / LOG_KNEE) for bound in log_range)
    tolerance = 2.0**-23 * span * (np.abs(samples.astype(np.float64)) + LOG_KNEE)
    assert (np.abs(back - samples.astype(np.float64)) <= tolerance).all()


def test_log_takes_the_largest_floats():
    largest = float(np.finfo(np.float32).max)
    samples = np.array([-largest, 0, largest], dtype=np.float32)
    codes = encode_log(samples, (-largest, largest))
    assert codes.tolist() == [0.0, 0.5, 1.0]
    np.testing.assert_allclose(decode_log(codes, (-largest, largest)), samples, rtol=1e-12)


def test_log_code_by_hand():
    # L(0) = 0, L(63 k) = 6, L(1) = log2(65)
    assert encode_log(np.array([63 * LOG_KNEE]), (0.0, 1.0))[0] == pytest.approx(6 / np.log2(65), abs=1e-7)


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"height": MAX_SIZE + 1},
        {"maps": ()},
        {"maps": (make_map([Coded(2)]),)},
        {"texels": np.zeros((4, 3, 2), dtype=np.float32)},
        {"texels": np.zeros((3, 4, 2), dtype=np.float64)},
        {"texels": np.zeros((3, 4, 0), dtype=np.float32)},
        {"texels": np.zeros((3, 4, MAX_CHANNELS + 1), dtype=np.float32)},
        {"texels": np.zeros((3, 4), dtype=np.float32)},
        {"texels": np.zeros((3, 8, 2), dtype=np.float32)[:, ::2]},
        {"weights": np.ones((4, 3), dtype=np.float32)},
        {"weights": np.ones((3, 4), dtype=np.float64)},
    ],
)
def test_a_stack_refuses_contradictions(change):
    good = {
        "width": 4,
        "height": 3,
        "maps": (make_map([Coded(1)]),),
        "texels": np.zeros((3, 4, 2), dtype=np.float32),
    }
    assert TextureStack(**good).channel_count == 2
    with pytest.raises(ValueError, match=r"\w"):
        TextureStack(**{**good, **change})


@pytest.mark.parametrize(
    "bad",
    [
        {"routes": []},
        {"routes": [Coded(0)] * (MAX_CHANNELS + 1)},
        {"routes": [Coded(-1)]},
        {"routes": [Constant(float("nan"))]},
        {"routes": [Coded(0)], "log_range": (1.0, 1.0)},
        {"routes": [Coded(0)], "log_range": (0.0, float("inf"))},
        {"routes": [Coded(0), Coded(1), UnitZ()]},  # not a normal
        {"routes": [Coded(0), UnitZ()], "semantic": Semantic.NORMAL},
        {"routes": [UnitZ(), Coded(0), Coded(1)], "semantic": Semantic.NORMAL},
        {"routes": [Coded(0), Coded(1), UnitZ()], "semantic": Semantic.NORMAL, "transfer": Transfer.LOG},
        {"routes": [Coded(0), Coded(1), UnitZ(), UnitZ()], "semantic": Semantic.DATA},
    ],
)
def test_a_map_refuses_contradictions(bad):
    with pytest.raises(ValueError, match=r"\w"):
        make_map(**bad)


def test_sample_formats_and_dtypes():
    for sample_format in SampleFormat:
        assert SampleFormat.of(sample_format.dtype) == sample_format
        assert SampleFormat.of(sample_format.dtype.newbyteorder()) == sample_format
    with pytest.raises(ValueError, match="int32"):
        SampleFormat.of(np.dtype(np.int32))
