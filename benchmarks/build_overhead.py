"""What a build takes beyond the compressions themselves.

    python benchmarks/build_overhead.py MATERIALS [--count 48] [--size 128] [--jobs 2] [--single 0]

A tree of crops, made by so many processes. Workers say how long each compression took; the build's seconds times its
processes, over the sum of these, is what starting, planning, handing out, writing and waiting for the last one cost. On
a machine that others use as well both grow alike. With --single, so many of them are compressed by one command each as
well, which is what a loop of a shell would take.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import imagegs_tex
from imagegs_tex.builder.progress import BuildEvent, Step

sys.path.insert(0, str(Path(__file__).parent))
from build_tree import write_tree


@dataclass
class Watch:
    """Adds up what processes do, from the steps of a build."""

    processes: int
    began: float = field(default_factory=time.perf_counter)
    planned: float = 0.0  # seconds until the first job was handed out
    idle: float = 0.0  # seconds of processes without a job since
    took: list[float] = field(default_factory=list)  # seconds that workers say a job took
    _last: float = 0.0
    _running: int = 0

    def listen(self, event: BuildEvent) -> None:
        """Take a step."""
        now = time.perf_counter() - self.began
        if event.step == Step.STARTED and not self.planned:
            self.planned = self._last = now
        if self.planned:
            self.idle += (self.processes - self._running) * (now - self._last)
        self._last, self._running = now, event.counts.running
        if event.step == Step.MADE:
            self.took.append(event.seconds)


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("materials", type=Path)
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--single", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_tree(options.materials, Path(name, "in"), options.count, options.size)
        watch = Watch(options.jobs)
        imagegs_tex.build_tree(
            Path(name, "in"), Path(name, "out"), preset=imagegs_tex.Preset.FAST, backend="cpu",
            workers=imagegs_tex.BuildWorkers(jobs=options.jobs), listener=watch.listen,
        )  # fmt: skip
        seconds = time.perf_counter() - watch.began
        work = sum(watch.took)
        over = 100 * (options.jobs * seconds / work - 1)
        rest = options.jobs * (seconds - watch.planned) - watch.idle - work
        print(
            f"{len(watch.took)} made, {work:.1f} s together; {options.jobs} processes, {seconds:.1f} s: "
            f"{over:.1f} % more\n  of that, in seconds of one process: until there is a job "
            f"{options.jobs * watch.planned:.1f}, loading and handing over {rest:.1f}, without a job {watch.idle:.1f}",
            flush=True,
        )
        materials = sorted(path for path in Path(name, "in").glob("*/*"))[: options.single]
        began = time.perf_counter()
        for material in materials:
            how = ("-o", str(Path(name, "single.igs")), "--preset", "fast", "--backend", "cpu", "--quiet")
            subprocess.run([sys.executable, "-m", "imagegs_tex", "compress", str(material), *how], check=True)
        if materials:
            each = (time.perf_counter() - began) / len(materials)
            less = 100 * (1 - options.jobs * seconds / (each * options.count))
            print(f"  by a command each: {each:.2f} s each ({len(materials)} made); the build takes {less:.0f} % less")


if __name__ == "__main__":
    main()
