"""Train what codec 4 begins with: ``python benchmarks/train_fast_coder.py FILE.igs ...``.

The factors of :data:`imagegs_tex.formats.igs.fast_start.FACTORS` by least squares, over all values of the files' codes:
the logarithm of what a value misses the mean of its neighbours by, from what is known of it; and the mean distributions
of second symbols. Prints both. The format's come from 24 files of twelve materials, fitted at 4,000 and 8,000 Gaussians
and about 512 x 512 texels with the fast preset; none is a case of benchmarks/quality.py. They never change: files are
read with what they were written with.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs import fast_coder as fast
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.cell_density import logarithm
from imagegs_tex.formats.igs.coded_frame import centres_of
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.fast_start import FACTORS, INPUTS
from imagegs_tex.formats.igs.fast_symbols import SECOND_SYMBOLS, SINGLES, SPANS
from imagegs_tex.jit import njit

RIDGE = 16
"""Of the least squares, for each value."""


# Both kernels are untyped as those that they call: numba finds the types, and each array is an argument of its own.
@njit()
def planes_say(values, items, k, known, nothing, tables, inputs, misses):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, PLR0917
    """Fill in what is known of the values [N, M] of plane k, and the logarithms of what they miss their means by."""
    fast._prepare_plane(values, k, items, known, nothing, tables)
    for n in range(values.shape[0]):
        near_value, near_size = fast._look_around(n, k, values, items, known.weights)
        inputs[n, 0] = fast._clamp(logarithm(near_size + 20) - 1100, 2047)
        for i in range(1, INPUTS):
            inputs[n, i] = fast._clamp(known.inputs[n, i], 2047)
        misses[n] = logarithm(abs(64 * values[n, k] - near_value) + 20)


@njit()
def counts_say(values, across, density, inputs, misses):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Likewise for the counts of cells [cells]."""
    for n in range(values.shape[0]):
        near_value, near_size = fast._look_at_cells(n, values, across)[:2]
        inputs[n, 0] = fast._clamp(logarithm(near_size + 20) - 1100, 2047)
        inputs[n, 1], inputs[n, 7] = density, 256
        misses[n] = logarithm(abs(64 * values[n] - near_value) + 20)


class Sums:
    """The normal equations of each set of factors, and how often each second symbol came."""

    def __init__(self) -> None:
        self.squares = np.zeros((len(FACTORS), INPUTS, INPUTS))
        self.products = np.zeros((len(FACTORS), INPUTS))
        self.seconds = np.zeros((SPANS, SECOND_SYMBOLS))

    def add(self, which: int, inputs: NDArray[np.float64], misses: NDArray[np.float64]) -> None:
        """Add the values of a plane."""
        self.squares[which] += inputs.T @ inputs + RIDGE * len(inputs) * np.eye(INPUTS)
        self.products[which] += inputs.T @ misses

    def add_planes(self, codes: NDArray[np.integer], items: fast.FastItems) -> None:
        """Add the planes of a section shapes or features."""
        values = codes.astype(np.int64) - centres_of(np.ascontiguousarray(codes, np.int32))
        held = fast._Items(items.neighbours, items.bases, items.groups, items.extras)
        known, nothing = fast._begin_known(held, len(values)), np.zeros(INPUTS, np.int64)
        for k, which in enumerate(items.first_sets):
            inputs, misses = np.zeros((len(values), INPUTS)), np.zeros(len(values))
            planes_say(values, held, k, known, nothing, fast._TABLES, inputs, misses)
            self.add(which, inputs, misses)
        for span in range(SPANS):
            off = np.abs(values) - (SINGLES + 1 + (8 << span) - 8)
            inside = (off >= 0) & (off < 8 << span)
            self.seconds[span] += np.bincount(off[inside] >> span, minlength=SECOND_SYMBOLS)

    def add_file(self, path: Path) -> None:
        """Add all that codec 4 codes of a file."""
        read = read_igs(path)
        exponents = g.position_exponents(g.shape_values(read.shape_codes, read.size_step, read.form_step), read)
        across, down = g.cell_grid(read.width, read.height, read.cell_log2)
        cells = g.cell_of(read.position_codes, exponents, read.cell_log2).astype(np.int64)
        numbers = cells[:, 1] * across + cells[:, 0]
        counts = np.bincount(numbers, minlength=across * down).astype(np.int64)
        values = counts - np.bincount(counts).argmax()
        inputs, misses = np.zeros((len(values), INPUTS)), np.zeros(len(values))
        density = min(logarithm(64 * len(numbers) // len(values) + 8) - 600, 2047)
        counts_say(values, across, density, inputs, misses)
        self.add(0, inputs, misses)
        self.add_planes(read.shape_codes, fast.shape_items(numbers, across, down))
        self.add_planes(
            read.feature_codes,
            fast.feature_items(
                numbers, (across, down), read.shape_codes, read.position_codes, exponents, read.component_count
            ),
        )


def main() -> None:
    """Train, and print both listings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    sums = Sums()
    for path in parser.parse_args().files:
        sums.add_file(path)
    for squares, products in zip(sums.squares, sums.products, strict=True):
        print(np.rint(4096 * np.linalg.solve(squares, products)).astype(int).tolist())
    shares = np.cumsum(sums.seconds, axis=1) / sums.seconds.sum(axis=1, keepdims=True)
    for row in np.rint(65535 * shares).astype(int):
        print(row.tolist())


if __name__ == "__main__":
    main()
