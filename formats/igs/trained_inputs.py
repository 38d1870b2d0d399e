"""What codec 5's mixer is told of a value beside codec 3's inputs: docs/igs-format.md, "Trained coding"."""

from typing import Final

from imagegs_tex.formats.igs.cell_density import logarithm
from imagegs_tex.jit import njit

INPUT_COUNT: Final = 22
CELLS, SHAPES, FEATURES = 0, 1, 2
"""Kinds of planes."""
_LIMIT: Final = 2047
_HIDDEN_LIMIT: Final = 1023
_LAYER_BITS: Final = 7
_NEAR_PLANES: Final = 7


@njit(cache=True)
def start_of(kind, k):
    """Return which of the trained starts plane k of a kind has."""
    return (0, 1 + k, 4)[kind]


@njit(cache=True, nogil=True)
def _size(value):
    """The logarithm of a size, in 1/64 of a code."""
    return logarithm(64 * abs(value) + 20)


@njit(cache=True, nogil=True)
def find_inputs(n, k, kind, mean, log_scale, near, spent, known, history, inputs):
    """Fill in what is known of item n's value in plane k.

    Args:
        n: item
        k: plane
        kind: of the planes
        mean: expected, in 1/64
        log_scale: logarithm of the expected scatter
        near: of the neighbours
        spent: sizes of the plane's values before this one, summed up
        known: of the items
        history: of what was coded before
        inputs: [INPUT_COUNT]
    """
    values, off = history.values, history.off
    left = values[n - 1, k] if n > 0 else 0
    up = values[history.above[n], k] if history.above[n] >= 0 else left
    first = values[n, k - 1] if k > 0 else 0
    second = values[n, k - 2] if k > 1 else 0
    inputs[:] = 0
    inputs[0] = 2 * mean
    inputs[1] = log_scale - 600
    inputs[2] = 2 * near.value
    inputs[3] = logarithm(near.off + 20) - 1100
    inputs[4] = 64 * left
    inputs[5] = 64 * up
    inputs[6] = 64 * values[near.best, k] if near.best >= 0 else 0
    inputs[7] = 64 * first
    inputs[8] = _size(first) - 1300 if k > 0 else 0
    inputs[9] = 64 * second
    inputs[10] = _size(second) - 1300 if k > 1 else 0
    inputs[11] = logarithm(near.size + 20) - 1100
    inputs[12] = logarithm(64 * spent // (n + 2) + 20) - 1100
    if kind == CELLS:
        _know_cell(n, known.across, values[:, k], inputs)
        at = 19
    elif kind == SHAPES:
        _know_shape(n, left, known, inputs)
        at = 19
    else:
        size = min(max(known.signs[n, 0] // 43, -60), 60)
        inputs[13] = 24 * size
        inputs[14] = size * size >> 1
        inputs[15] = (known.signs[n, 2] >> 1) - 300
        inputs[16] = 256 * min(k, _NEAR_PLANES)
        at = 17
    inputs[at] = 2 * off[n, k - 1] if k > 0 else 0
    inputs[at + 1] = 2 * off[n, k - 2] if k > 1 else 0
    if kind == FEATURES:
        if k > 2:
            sizes = 0
            for i in range(k - 2):
                sizes += _size(values[n, i])
            inputs[19] = sizes // (k - 2) - 1300
        inputs[20] = logarithm(near.weight) - 6000 if near.best >= 0 else 0
        inputs[21] = 64 * values[n, k - 3] if k > 2 else 0
    for i in range(INPUT_COUNT):
        inputs[i] = min(max(inputs[i], -_LIMIT), _LIMIT)


@njit(cache=True, nogil=True)
def _know_cell(n, across, values, inputs):
    """The cells on the left, above, above to either side, and two to the left and above; 0 outside the grid."""
    row, column = n // across, n % across
    inputs[13] = 256 * values[n - 1] if column > 0 else 0
    if row > 0:
        inputs[14] = 256 * values[n - across]
        inputs[15] = 256 * values[n - across - 1] if column > 0 else 0
        inputs[16] = 256 * values[n - across + 1] if column + 1 < across else 0
    inputs[17] = 256 * values[n - 2] if column > 1 else 0
    inputs[18] = 256 * values[n - 2 * across] if row > 1 else 0


@njit(cache=True, nogil=True)
def _know_shape(n, left, known, inputs):
    """Where the Gaussian stands among those of its cell, which are sorted by size, and how crowded it is."""
    cell = known.cells[n]
    begin, end = known.firsts[cell], known.firsts[cell + 1]
    if n == begin:
        inputs[4], inputs[13] = 0, 64 * left
    else:
        inputs[14] = 256
    inputs[15] = 256 * (end - begin - 1)
    inputs[16] = 256 * (n - begin)
    inputs[17] = 256 * (end - 1 - n)
    inputs[18] = known.signs[n, 0] - 1500


@njit(cache=True, nogil=True)
def excite(inputs, layer, units):
    """Fill in the hidden units: weighted sums of the inputs, each within limits; a layer's last column is constant."""
    for j in range(units.shape[0]):
        total = layer[j, INPUT_COUNT] * 256
        for i in range(INPUT_COUNT):
            total += layer[j, i] * inputs[i]
        units[j] = min(max(total >> _LAYER_BITS, -_HIDDEN_LIMIT), _HIDDEN_LIMIT)
