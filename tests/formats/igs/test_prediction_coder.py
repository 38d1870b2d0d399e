"""Coding by prediction: against a plain reading of docs/igs-format.md, round trips, and what is not a stream."""

from dataclasses import dataclass

import numpy as np
import pytest
from helpers.plain_prediction import PlainDecoder, TrainedDecoder, signed
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.igs import context_coder
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, section_sizes
from imagegs_tex.formats.igs.prediction_coder import (
    Items,
    cell_items,
    decode_planes,
    encode_planes,
    feature_items,
    shape_items,
)
from imagegs_tex.formats.igs.trained_start import LAYERS, WEIGHTS


@dataclass
class Made:
    """Made-up items of one kind, for the coder and for the page."""

    items: Items
    plain: dict

    @property
    def count(self):
        return len(self.items.cells)


def made_items(kind, count, across, down, *, seed=0, cell_log2=4):
    """count items; of kind cells as many as the grid has."""
    plain = {"across": across, "down": down}
    if kind == "cells":
        return Made(cell_items(across, down), plain)
    generator = np.random.default_rng(seed)
    cells = np.sort(generator.integers(0, across * down, count))
    plain["cells"] = cells.tolist()
    if kind == "shapes":
        return Made(shape_items(cells, across, down), plain)
    shapes = np.rint(generator.normal([20, 0, 0], [6, 4, 4], (count, 3))).astype(np.int32)
    exponents = generator.integers(-3, 3, (count, 2))
    corners = np.stack([cells % across, cells // across], axis=1)
    texels = (corners + generator.random((count, 2))) * 2**cell_log2
    return with_features(plain, shapes, np.floor(texels / 2.0**exponents).astype(np.int64), exponents)


def with_features(plain, shapes, positions, exponents):
    items = feature_items(np.array(plain["cells"]), plain["across"], plain["down"], shapes, positions, exponents)
    lists = {"shapes": shapes.tolist(), "positions": positions.tolist(), "exponents": exponents.tolist()}
    return Made(items, plain | lists)


def made_planes(seed, count, planes, scale):
    generator = np.random.default_rng(seed)
    codes = np.rint(generator.standard_cauchy((count, planes)) * scale)
    codes[generator.random((count, planes)) < 0.3] = 7
    return np.clip(codes, -30000, 30000).astype(np.int32)


def smooth_planes(made, planes, scale):
    """Codes that vary slowly with where the Gaussians lie, with little noise."""
    generator = np.random.default_rng(planes)
    texels = (np.array(made.plain["positions"]) + 0.5) * 2.0 ** np.array(made.plain["exponents"])
    waves = np.sin(texels @ generator.normal(0, 0.005, (2, planes)) + generator.uniform(0, 6, planes))
    return np.rint(scale * waves + generator.normal(0, 0.3, waves.shape)).astype(np.int32)


def check_the_page(codes, made, *, trained=False):
    planes = codes.shape[1]
    data = encode_planes(codes, made.items, trained=trained)
    centres = [int(c) for c in np.frombuffer(data[: 2 * planes], "<i2")]
    decoder = (TrainedDecoder if trained else PlainDecoder)(data[2 * planes :], **made.plain)
    np.testing.assert_array_equal(np.array(decoder.planes(centres)).T, codes)
    assert decoder.passed + 1 == len(data) - 2 * planes


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(
    ("kind", "count", "across", "down", "planes", "scale", "zeros"),
    [
        ("cells", 1, 1, 1, 1, 3, 0),
        ("cells", 143, 13, 11, 1, 2, 0),
        ("cells", 60, 3, 20, 2, 4000, 0),
        ("shapes", 1, 1, 1, 3, 5, 0),
        ("shapes", 150, 12, 9, 3, 0.7, 0),
        ("shapes", 100, 3, 2, 3, 60, 0),  # some 16 in a cell
        ("shapes", 60, 30, 30, 3, 30000, 0),
        ("features", 1, 5, 5, 2, 5, 0),
        ("features", 150, 9, 8, 4, 6, 0),
        ("features", 120, 3, 3, 3, 4000, 0),  # some 13 in a cell
        ("features", 90, 8, 6, 10, 3, 0),
        ("features", 100, 6, 7, 12, 1, 9),
        ("features", 60, 5, 4, 9, 30000, 0),
    ],
)
def test_the_page_decodes_what_is_coded(kind, count, across, down, planes, scale, zeros, trained):
    made = made_items(kind, count, across, down, seed=count)
    codes = made_planes(count, made.count, planes, scale)
    codes[:, 1 : 1 + zeros] = 0
    check_the_page(codes, made, trained=trained)


@pytest.mark.parametrize("trained", [False, True])
def test_the_page_decodes_smooth_planes(trained):
    made = made_items("features", 150, 5, 4, seed=1)
    check_the_page(smooth_planes(made, 5, 70), made, trained=trained)


def test_the_page_and_the_c_header_have_what_was_trained(repository):
    page = (repository / "docs" / "igs-format.md").read_text("utf-8").split("**Trained units and weights.**")[1]
    header = (repository / "runtime" / "c" / "igs.h").read_text("utf-8")
    listings = ((1, "igs__trained_layers[", LAYERS), (3, "igs__trained_weights[", WEIGHTS))
    for listing, table, trained in listings:
        assert bytes.fromhex(page.split("```")[listing]) == trained
        numbers = header.split(f"char {table}")[1].split("{")[1].split("}")[0]
        assert [int(number) for number in numbers.replace(",", " ").split()] == signed(trained)


def test_trained_starts_take_fewer_bytes(repository):
    """Of real codes, few as the golden file's are."""
    data = (repository / "tests" / "golden" / "version_4.igs").read_bytes()
    before, after = (
        {size.name: size.stored_bytes for size in section_sizes(d)} for d in (data, encode_igs(decode_igs(data)))
    )
    assert (
        after["cells"] + after["shapes"] + after["features"] < before["cells"] + before["shapes"] + before["features"]
    )
    assert after["shapes"] < before["shapes"]


def test_the_page_decodes_what_lies_at_the_ends_of_contexts():
    made = made_items("shapes", 150, 6, 5)
    check_the_page(np.random.default_rng(7).choice([-65, -64, -63, 0, 0, 0, 63, 64, 65], (150, 3)), made)


def test_the_page_decodes_where_scatter_is_at_its_most():
    # means far apart; errors that are always larger than expected while Gaussians suddenly get larger, then hardly any
    made = made_items("features", 2000, 12, 10, seed=2, cell_log2=8)
    generator = np.random.default_rng(3)
    shapes = np.array(made.plain["shapes"])
    shapes[:, 0] = np.repeat([0, 100, 0], [450, 150, 1400]) + generator.integers(-9, 10, 2000)
    made = with_features(made.plain, shapes, np.array(made.plain["positions"]), np.array(made.plain["exponents"]))
    codes = generator.integers(-30000, 30000, (2000, 1))
    codes[600:] = generator.random((1400, 1)) < 0.02
    check_the_page(codes, made)


def test_the_page_decodes_where_expectations_are_at_their_most():
    # plane 1 is a large multiple of plane 0 for long, then much less than one; plane 2 depends on both
    made = made_items("cells", 700, 25, 28)
    generator = np.random.default_rng(4)
    signs = generator.integers(-1, 2, 700)
    codes = np.stack([signs * 16, signs * 3000, signs * 30 + generator.integers(-9000, 9001, 700)], axis=1)
    codes[600:] = generator.choice([-1, 1], (100, 3)) << [18, 22, 18]
    check_the_page(codes, made)


@given(
    st.integers(0, 2**32), st.sampled_from(["cells", "shapes", "features"]), st.integers(1, 300), st.integers(1, 5),
    st.sampled_from([0.0, 0.2, 5.0, 900.0, 30000.0]), st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_planes_come_back(seed, kind, count, planes, scale, trained):
    across, planes = 1 + seed % 17, min(planes, 3) if kind == "shapes" else planes
    made = made_items(kind, count, across, -(-count // across), seed=seed)
    codes = made_planes(seed, made.count, planes, scale)
    data = encode_planes(codes, made.items, trained=trained)
    np.testing.assert_array_equal(decode_planes(data, planes, made.items, trained=trained), codes)
    assert encode_planes(codes, made.items, trained=trained) == data


@pytest.mark.parametrize("kind", ["cells", "shapes", "features"])
@pytest.mark.parametrize("value", [-(1 << 22), 0, 1 << 22, 40000])
@pytest.mark.parametrize("trained", [False, True])
def test_large_numbers_come_back(kind, value, trained):
    made = made_items(kind, 4, 2, 2)
    codes = np.array([[0, 0], [value, -value], [3, value], [value, value]])
    data = encode_planes(codes, made.items, trained=trained)
    np.testing.assert_array_equal(decode_planes(data, 2, made.items, trained=trained), codes)


def test_a_byte_too_many_is_refused_and_one_too_few_never_passes_for_the_same():
    made = made_items("features", 150, 8, 8, seed=5)
    codes = made_planes(5, 150, 3, 6)
    data = encode_planes(codes, made.items)
    with pytest.raises(ValueError, match="takes"):
        decode_planes(data + b"\0", 3, made.items)
    for length in range(len(data)):  # what is left may happen to be a stream of its own, of other codes
        try:
            found = decode_planes(data[:length], 3, made.items)
        except ValueError:
            continue
        assert not np.array_equal(found, codes)


@pytest.fixture(scope="module")
def compiled():
    made = made_items("shapes", 1, 1, 1)
    decode_planes(encode_planes(np.zeros((1, 1), np.int32), made.items), 1, made.items)


@pytest.mark.usefixtures("compiled")
@given(st.binary(max_size=300), st.sampled_from(["cells", "shapes", "features"]))
@settings(max_examples=100, deadline=2000)
def test_any_bytes_give_codes_or_an_error_soon(data, kind):
    made = made_items(kind, 40, 8, 5)
    try:
        codes = decode_planes(data, 2, made.items)
    except ValueError:
        return
    assert codes.shape == (40, 2)


def test_smooth_features_take_a_fifth_less_than_by_context():
    made = made_items("features", 3000, 20, 15, seed=6)
    codes, items = smooth_planes(made, 6, 200), made.items
    neighbours = context_coder.cell_neighbours(items.cells, items.across)
    by_context = context_coder.encode_planes(codes, neighbours, items.groups)
    by_prediction = encode_planes(codes, items)
    assert len(by_prediction) < 0.8 * len(by_context)
