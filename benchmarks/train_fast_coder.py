"""Train the weights that codec 4 starts with: ``python benchmarks/train_fast_coder.py FILE.igs ...``.

The files' codes are coded again and again. After each file the weights move towards those at its end, less with each
pass (A. Nichol et al., "On First-Order Meta-Learning Algorithms", 2018: Reptile). Prints the listing of
formats/igs/fast_weights.py. The format's weights come from 27 files of eleven materials at two or three rates each,
none of which is a case of benchmarks/quality.py. They never change: files are read with what they were written with.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs import fast_coder as fast
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.coded_frame import centres_of
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.fast_weights import INPUTS, SCALE, SETS, WEIGHT_NODES

SHARES = (0.5, 0.3, 0.2, 0.1, 0.05)
"""How far the weights move after a file, for each pass."""
FIRST_STATISTIC_WEIGHT = 0.24
BYTES_PER_LINE = 54


@dataclass(frozen=True)
class Sample:
    """What is coded of a file."""

    counts: NDArray[np.int64]
    across: int
    shapes: NDArray[np.int16]
    shape_items: fast.FastItems
    features: NDArray[np.int16]
    feature_items: fast.FastItems


def read_sample(path: Path) -> Sample:
    """Return what codec 4 codes of a file."""
    read = read_igs(path)
    exponents = g.position_exponents(g.shape_values(read.shape_codes, read.size_step, read.form_step), read)
    across, down = g.cell_grid(read.width, read.height, read.cell_log2)
    cells = g.cell_of(read.position_codes, exponents, read.cell_log2).astype(np.int64)
    numbers = cells[:, 1] * across + cells[:, 0]
    return Sample(
        np.bincount(numbers, minlength=across * down), across,
        read.shape_codes, fast.shape_items(numbers, across, down),
        read.feature_codes,
        fast.feature_items(
            numbers, (across, down), read.shape_codes, read.position_codes, exponents, read.component_count
        ),
    )  # fmt: skip


def code(sample: Sample, trained: NDArray[np.float64], share: float) -> int:
    """Code a file, move the trained weights towards those at its end, and return the bytes."""
    total = 0
    room = np.zeros(8 * (sample.counts.size + sample.shapes.size + sample.features.size) + 1024, np.uint8)
    for section, sets in (("counts", [0]), ("shapes", [1, 2, 3]), ("features", [4])):
        first = np.rint(trained).astype(np.int64)
        added = np.zeros((7, WEIGHT_NODES, INPUTS), np.int64)
        codes = np.ascontiguousarray(getattr(sample, section), np.int32).reshape(len(getattr(sample, section)), -1)
        values, sums = codes - centres_of(codes), int(codes.sum())
        groups = np.ones(1)
        if section == "counts":
            total += fast.run_counts(values, (sample.across, sums), room, (first, added), decoding=False)
        else:
            items = sample.shape_items if section == "shapes" else sample.feature_items
            total += fast.run_planes(values, items, room, (first, added), decoding=False)
            groups = np.bincount(items.groups) / len(items.groups)
        by_group = np.tensordot(groups, added[: len(groups)], axes=1)
        trained[sets] += share * (first[sets] + by_group - trained[sets])
    return total


def main() -> None:
    """Train, and print the listing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    samples = [read_sample(path) for path in parser.parse_args().files]
    trained = np.zeros((SETS, WEIGHT_NODES, INPUTS))
    trained[:, :, : fast.CONTEXTS] = FIRST_STATISTIC_WEIGHT * 4096
    for share in SHARES:
        print(f"# {sum(code(sample, trained, share) for sample in samples)} bytes")
    listing = np.clip(np.rint(trained / SCALE), -127, 127).astype(np.int8).tobytes().hex()
    for at in range(0, len(listing), 2 * BYTES_PER_LINE):
        print(f'    "{listing[at : at + 2 * BYTES_PER_LINE]}"')


if __name__ == "__main__":
    main()
