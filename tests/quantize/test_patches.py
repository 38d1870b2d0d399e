"""Patches of the picture, as the sweeps over geometry codes look at them, against numpy."""

import numpy as np
import pytest

from imagegs_tex.quantize.patch_kernels import (
    line_weights,
    list_groups,
    patch_error,
    patch_errors,
    patch_weights,
    room_for,
    split_line,
)

CUTOFF_WEIGHT = np.float32(np.exp(-4.0))
CONIC = (0.04, 0.02, 0.09)
PLACE = (20.3, 11.8)


def weight_at(x, y):
    a, b, c = CONIC
    dx, dy = x + 0.5 - PLACE[0], y + 0.5 - PLACE[1]
    return np.maximum(np.exp(-0.5 * (a * dx * dx + 2 * b * dx * dy + c * dy * dy)) - CUTOFF_WEIGHT, 0)


def made_patch(lengths, components, seed=0):
    """Return a patch of rows with so many texels, all drawn by lot, and its numbers of texels and groups."""
    rows, generator = len(lengths), np.random.default_rng(seed)
    patch = room_for(int(np.sum(lengths)), rows, components)
    patch.lines.firsts[:] = np.arange(rows) % 3
    patch.lines.starts[:] = np.concatenate([[0], np.cumsum(lengths)])
    for array in (patch.texels.old, patch.texels.sums, patch.texels.target, patch.tried):
        array[:] = generator.random(array.shape, np.float32)
    for array in (patch.texels.totals, patch.texels.sqrt_weights):
        array[:] = 1.5 + generator.random(array.shape, np.float32)
    return patch, int(patch.lines.starts[-1]), list_groups(patch.lines, rows)


@pytest.mark.parametrize("lengths", [(8, 16, 40), (5, 5, 5), (1,), (33, 0, 17, 24)])
def test_weights_of_rows_that_end_anywhere(lengths):
    patch, count, groups = made_patch(lengths, 1)
    left, top = 7, 9
    patch_weights(PLACE, CONIC, CUTOFF_WEIGHT, (left, top), patch.lines, len(lengths), groups, patch.tried, 1)
    expected = [
        weight_at(left + patch.lines.firsts[row] + np.arange(length), top + row) for row, length in enumerate(lengths)
    ]
    np.testing.assert_allclose(patch.tried[1, :count], np.concatenate(expected), atol=2e-6)


def test_weights_of_one_row():
    weights = np.full((1, 48), np.nan, np.float32)
    line_weights(PLACE, CONIC, CUTOFF_WEIGHT, (7, 11), 37, weights)
    np.testing.assert_allclose(weights[0, :37], weight_at(7 + np.arange(37), 11), atol=2e-6)
    assert np.all(np.isnan(weights[0, 40:]))


@pytest.mark.parametrize("components", [1, 3, 9])
@pytest.mark.parametrize("lengths", [(3,), (7, 2), (32, 32), (40, 8, 8, 5), (700, 600, 123)])
def test_errors_of_candidates(lengths, components):
    patch, count, _ = made_patch(lengths, components)
    feature = np.random.default_rng(1).random(components, np.float32)
    texels, errors = patch.texels, []
    for which in (0, 1):
        change = (patch.tried[which, :count] - texels.old[0, :count]).astype(np.float64)
        scale = texels.sqrt_weights[0, :count] / (texels.totals[0, :count] + change)
        off = (texels.sums[:, :count] + change * feature[:, None]) * scale - texels.target[:, :count]
        errors.append(np.square(off).sum())
    np.testing.assert_allclose(patch_errors(patch, feature, count), errors, rtol=1e-5)
    for which in (0, 1):  # bit by bit: which of them is called depends on the other candidate
        assert patch_error(patch, which, feature, count) == patch_errors(patch, feature, count)[which]


@pytest.mark.parametrize("components", [1, 5, 8, 9, 16, 19])
@pytest.mark.parametrize(("left", "count"), [(0, 30), (5, 17), (22, 25), (-4, 9), (29, 1)])
def test_rows_split_into_planes(components, left, count):
    line = np.random.default_rng(0).random((30, components), np.float32)
    planes = np.full((components, 40), -1, np.float32)
    split_line(line, left, count, planes, 3)
    assert np.array_equal(planes[:, 3 : 3 + count], line[(left + np.arange(count)) % 30].T)
    assert np.all(planes[:, :3] == -1)
    assert np.all(planes[:, 3 + count :] == -1)
