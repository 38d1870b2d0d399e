"""Section 9: the page's plain reading of it agrees, codes survive, laws hold, and the picture is the page's sum."""

import math
import struct
from dataclasses import replace

import numpy as np
import pytest
from helpers.made_residual import made_layer
from helpers.plain_residual import PlainResidual, diagonals

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.residual_layer import block_grid, pack_residual, unpack_residual
from imagegs_tex.formats.igs.residual_picture import block_cosines, residual_picture, texel_cosines
from imagegs_tex.formats.igs.zigzag import zigzag

SIZE, CHANNELS = (21, 13), 3


def _packed(side_log2: int) -> bytes:
    return pack_residual(made_layer(SIZE, CHANNELS, side_log2), SIZE)


@pytest.mark.parametrize("side_log2", [2, 3, 4])
@pytest.mark.parametrize("components", [1, 3])
def test_the_page_reads_it(side_log2: int, components: int) -> None:
    layer = made_layer(SIZE, CHANNELS, side_log2, components=components)
    plain = PlainResidual(pack_residual(layer, SIZE), *SIZE, CHANNELS)
    assert (plain.side, tuple(plain.offsets), plain.step) == (layer.side, layer.offset_codes, layer.step)
    np.testing.assert_array_equal(plain.basis, layer.basis_codes)
    places = {pair: p for p, pair in enumerate(plain.places)}
    found = [
        sorted((k * layer.side**2 + places[u, v], q) for (k, u, v), q in block.items())
        for block in plain.blocks.values()
    ]
    assert [len(block) for block in found] == layer.counts.tolist()
    flat = [code for block in found for code in block]
    assert flat == list(zip(layer.places.tolist(), layer.values.tolist(), strict=True))
    assert max(abs(layer.values)) > 100, "no gamma code was tried"


@pytest.mark.parametrize("side_log2", [2, 3, 4])
def test_codes_survive(side_log2: int) -> None:
    layer = made_layer(SIZE, CHANNELS, side_log2)
    again = unpack_residual(pack_residual(layer, SIZE), SIZE, CHANNELS)
    for name in ("counts", "places", "values", "basis_codes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(layer, name), name)
    assert (again.step, again.offset_codes) == (layer.step, layer.offset_codes)


def test_the_page_lists_places() -> None:
    assert [divmod(int(place), 4) for place in zigzag(4)] == [
        (0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (2, 0), (3, 0), (2, 1), (1, 2), (0, 3), (1, 3), (2, 2), (3, 1), (3, 2),
        (2, 3), (3, 3),
    ]  # fmt: skip
    for side in (8, 16):
        assert [divmod(int(place), side) for place in zigzag(side)] == diagonals(side)


@pytest.mark.parametrize("side_log2", [2, 3, 4])
def test_a_texel_is_its_blocks_sum_of_cosines(side_log2: int) -> None:
    layer, side = made_layer(SIZE, CHANNELS, side_log2), 1 << side_log2
    drawn = residual_picture(layer, SIZE, SIZE)
    plain = PlainResidual(pack_residual(layer, SIZE), *SIZE, CHANNELS)
    for x, y in ((0, 0), (20, 12), (7, 9), (13, 3)):
        expected = np.zeros(CHANNELS)
        for (k, u, v), q in plain.blocks[x // side, y // side].items():
            t = math.copysign(abs(q) + plain.offsets[min(abs(q), 3) - 1] / 128, q) * plain.step
            for frequency, place in ((u, y % side + 0.5), (v, x % side + 0.5)):
                t *= math.sqrt((2 if frequency else 1) / side) * math.cos(math.pi * frequency * place / side)
            expected += np.array(plain.basis[k]) * t / 32767
        np.testing.assert_allclose(drawn[y, x], expected, atol=1e-6)


@pytest.mark.parametrize("side", [4, 8, 16])
def test_written_down_cosines_are_cosines(side: int) -> None:
    np.testing.assert_allclose(texel_cosines(side), block_cosines(np.arange(0.5, side), side)[1], atol=4e-15)
    np.testing.assert_allclose(texel_cosines(side).T @ texel_cosines(side), np.eye(side), atol=1e-15)


def test_magnified_and_in_bands() -> None:
    layer = made_layer(SIZE, CHANNELS, 3)
    large = 3 * SIZE[0], 3 * SIZE[1]
    whole = residual_picture(layer, SIZE, large)
    np.testing.assert_allclose(whole[1::3, 1::3], residual_picture(layer, SIZE, SIZE), atol=1e-6)
    assert np.abs(whole[::3, ::3] - whole[1::3, 1::3]).max() > 0.01
    np.testing.assert_array_equal(residual_picture(layer, SIZE, large, slice(10, 31)), whole[10:31])
    np.testing.assert_array_equal(
        residual_picture(layer, SIZE, SIZE, slice(5, 12)), residual_picture(layer, SIZE, SIZE)[5:12]
    )


@pytest.mark.parametrize(
    ("at", "form", "value", "words"),
    [
        (0, "<B", 5, "blocks of 2"),
        (0, "<B", 1, "blocks of 2"),
        (1, "<b", 65, "an offset"),
        (3, "<b", -65, "an offset"),
        (4, "<f", 0.0, "the step"),
        (4, "<f", math.nan, "the step"),
        (4, "<f", math.inf, "the step"),
        (8, "<I", 0, "is empty"),
        (8, "<I", 6 * 128 + 1, "more coefficients"),
        (8, "<I", 3, "not what its codes take"),
        (12, "<B", 0, "0 components"),
        (12, "<B", CHANNELS + 1, "components"),
        (15, "<B", 1, "reserved"),
    ],
)
def test_a_broken_law_is_told(at: int, form: str, value: float, words: str) -> None:
    data = bytearray(_packed(3))
    struct.pack_into(form, data, at, value)
    with pytest.raises(IgsError, match=words):
        unpack_residual(bytes(data), SIZE, CHANNELS)


def test_every_prefix_and_one_byte_more_are_told() -> None:
    data = _packed(3)
    head, few = 16 + 2 * CHANNELS**2, -(-len(made_layer(SIZE, CHANNELS, 3).places) // 8)
    for end in range(len(data) - 1):  # the last byte may leave another stream
        words = "within its head" if end < 16 else "shorter than" if end < head + few else "not what its codes take"
        with pytest.raises(IgsError, match=words):
            unpack_residual(data[:end], SIZE, CHANNELS)
    with pytest.raises(IgsError, match="not what its codes take"):
        unpack_residual(data + b"\0", SIZE, CHANNELS)


def test_a_large_picture_wants_more_than_one_coefficient() -> None:
    data = _packed(2)
    with pytest.raises(IgsError, match="too many blocks"):
        unpack_residual(data, (16384, 16384), CHANNELS)


def test_what_cannot_be_written() -> None:
    layer = made_layer(SIZE, CHANNELS, 4)
    nothing = {"places": np.zeros(0, np.uint16), "values": np.zeros(0, np.int16)}
    with pytest.raises(IgsError, match="is empty"):
        pack_residual(replace(layer, counts=np.zeros_like(layer.counts), **nothing), SIZE)
    blocks = np.prod(block_grid(*SIZE, 4))
    many = {"places": np.arange(129, dtype=np.uint16), "values": np.ones(129, np.int16)}
    counts = np.zeros(blocks, np.int32)
    counts[0] = 129
    with pytest.raises(IgsError, match="too many coefficients"):
        pack_residual(replace(layer, counts=counts, **many), SIZE)
    with pytest.raises(IgsError, match="another number of blocks"):
        pack_residual(replace(layer, counts=layer.counts[:-1]), SIZE)
