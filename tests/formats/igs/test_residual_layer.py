"""Section 9: codes survive a file, laws hold, and the picture is the sum of cosines that the page says."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.residual_layer import (
    ResidualLayer,
    block_grid,
    pack_residual,
    residual_picture,
    unpack_residual,
)
from imagegs_tex.formats.igs.zigzag import zigzag

WIDTH, HEIGHT, CHANNELS = 21, 13, 3
GRIDS = {log2: block_grid(WIDTH, HEIGHT, log2) for log2 in (2, 3, 4)}


def _layer(side_log2: int, density: float = 0.1) -> ResidualLayer:
    random = np.random.default_rng(side_log2)
    across, down = GRIDS[side_log2]
    dense = np.rint(random.normal(0, 2, (across * down, CHANNELS << 2 * side_log2))).astype(np.int16)
    dense[random.random(dense.shape) > density] = 0
    dense[0, 5] = -700  # an Elias gamma code
    dense[1] = 0
    block, place = np.nonzero(dense)
    basis = np.linalg.qr(random.normal(size=(CHANNELS, CHANNELS)))[0]
    return ResidualLayer(
        side_log2=side_log2, step=float(np.float32(0.01)), offset_codes=(3, -5, 0),
        basis_codes=np.rint(basis * 32767).astype(np.int16),
        counts=np.bincount(block, minlength=len(dense)).astype(np.int32), places=place.astype(np.uint16),
        values=dense[block, place],
    )  # fmt: skip


@pytest.mark.parametrize("side_log2", [2, 3, 4])
def test_codes_survive(side_log2: int) -> None:
    layer = _layer(side_log2)
    again = unpack_residual(pack_residual(layer, GRIDS[side_log2]), GRIDS, CHANNELS)
    for name in ("counts", "places", "values", "basis_codes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(layer, name), name)
    assert (again.step, again.offset_codes) == (layer.step, layer.offset_codes)


def test_nothing_takes_next_to_nothing() -> None:
    nothing = {"places": np.zeros(0, np.uint16), "values": np.zeros(0, np.int16)}
    empty = replace(_layer(3), counts=np.zeros(6, np.int32), **nothing)
    data = pack_residual(empty, GRIDS[3])
    assert len(data) < 16 + 2 * CHANNELS**2 + 8
    assert not residual_picture(unpack_residual(data, GRIDS, CHANNELS), (WIDTH, HEIGHT), (WIDTH, HEIGHT)).any()


@pytest.mark.parametrize("side_log2", [2, 3, 4])
def test_a_texel_is_its_blocks_sum_of_cosines(side_log2: int) -> None:
    layer, side = _layer(side_log2), 1 << side_log2
    drawn = residual_picture(layer, (WIDTH, HEIGHT), (WIDTH, HEIGHT))
    order = zigzag(side)
    across, _ = GRIDS[side_log2]
    first = np.concatenate([[0], np.cumsum(layer.counts)])
    for x, y in ((0, 0), (20, 12), (7, 9), (13, 3)):
        block = (y >> side_log2) * across + (x >> side_log2)
        expected = np.zeros(CHANNELS)
        for at in range(first[block], first[block + 1]):
            component, place = divmod(int(layer.places[at]), side * side)
            down, right = divmod(int(order[place]), side)
            code = int(layer.values[at])
            value = np.sign(code) * (abs(code) + layer.offset_codes[min(abs(code), 3) - 1] / 128) * layer.step
            for frequency, texel in ((down, y % side), (right, x % side)):
                value *= np.sqrt((2 if frequency else 1) / side) * np.cos(np.pi * frequency * (texel + 0.5) / side)
            expected += value * layer.basis_codes[component] / 32767
        np.testing.assert_allclose(drawn[y, x], expected, atol=1e-6)


def test_magnified_and_in_bands() -> None:
    layer = _layer(3)
    whole = residual_picture(layer, (WIDTH, HEIGHT), (3 * WIDTH, 3 * HEIGHT))
    np.testing.assert_allclose(whole[1::3, 1::3], residual_picture(layer, (WIDTH, HEIGHT), (WIDTH, HEIGHT)), atol=1e-6)
    band = residual_picture(layer, (WIDTH, HEIGHT), (3 * WIDTH, 3 * HEIGHT), slice(10, 31))
    np.testing.assert_allclose(band, whole[10:31], atol=1e-6)


@pytest.mark.parametrize(
    ("at", "form", "value", "words"),
    [
        (0, "<B", 5, "blocks of 2"),
        (4, "<f", 0.0, "the step"),
        (8, "<I", 1 << 20, "more coefficients"),
        (8, "<I", 3, "not what its codes take"),
        (12, "<I", 1, "reserved"),
    ],
)
def test_a_broken_law_is_told(at: int, form: str, value: float, words: str) -> None:
    data = bytearray(pack_residual(_layer(3), GRIDS[3]))
    struct.pack_into(form, data, at, value)
    with pytest.raises(IgsError, match=words):
        unpack_residual(bytes(data), GRIDS, CHANNELS)


def test_bytes_too_many_are_told() -> None:
    data = pack_residual(_layer(3), GRIDS[3])
    with pytest.raises(IgsError, match="not what its codes take"):
        unpack_residual(data + b"\0", GRIDS, CHANNELS)
    with pytest.raises(IgsError, match="within its head"):
        unpack_residual(data[:20], GRIDS, CHANNELS)
