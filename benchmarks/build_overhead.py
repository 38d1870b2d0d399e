"""What a build takes beyond the compressions themselves.

    python benchmarks/build_overhead.py MATERIALS [--count 48] [--size 128] [--jobs 2]

A tree of crops, made by so many processes. Workers say how long each compression took; the build's seconds times its
processes, over the sum of these, is what starting, planning, handing out, writing and waiting for the last one cost. On
a machine that others use as well both grow alike.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import imagegs_tex
from imagegs_tex.builder.progress import BuildEvent, Step

sys.path.insert(0, str(Path(__file__).parent))
from build_tree import write_tree


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("materials", type=Path)
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    took: list[float] = []

    def listen(event: BuildEvent) -> None:
        if event.step == Step.MADE:
            took.append(event.seconds)

    with tempfile.TemporaryDirectory() as name:
        write_tree(options.materials, Path(name, "in"), options.count, options.size)
        workers = imagegs_tex.BuildWorkers(jobs=options.jobs)
        began = time.perf_counter()
        imagegs_tex.build_tree(
            Path(name, "in"), Path(name, "out"), preset=imagegs_tex.Preset.FAST, backend="cpu", workers=workers,
            listener=listen,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    over = 100 * (options.jobs * seconds / sum(took) - 1)
    print(f"{len(took)} made, {sum(took):.1f} s together; {options.jobs} processes, {seconds:.1f} s: {over:.1f} % more")


if __name__ == "__main__":
    main()
