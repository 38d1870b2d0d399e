"""What --start saves after an edit of a material: docs/guide/runs.md.

    python benchmarks/edits.py [--case NAME] [--sides 1024 2048] [--by-quality] [--repeats 3] [--backend cpu] [--write]

The example material, or the middle square of a case, is compressed with one Gaussian for 131 texels, or by the usual
quality, a twentieth of its texels is edited (a square in the middle turned by half a turn), and the edited one is
compressed from the beginning and from the first file, in turn, by whole commands of the balanced preset, with Python's
modules compiled as they are after first use. Times are medians of the repeats: processor time, which other work on the
machine changes little, and by the clock.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from cases import load_cases, write_middle
from tables import markdown, replace_table

from imagegs_tex.example_material import make_material
from imagegs_tex.formats.images import read_image, write_image

EXAMPLE: Final = "example"
SHARE: Final = 0.05
TEXELS_PER_GAUSSIAN: Final = 131
HEADINGS: Final = [
    "texels", "Gaussians", "from the beginning", "`--start`", "times as fast, processor time", "by the clock",
]  # fmt: skip


def main() -> None:
    """Measure every size and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", default=EXAMPLE, help="a case of the reference, or the example material")
    parser.add_argument("--sides", nargs="*", type=int, default=[1024, 2048])
    parser.add_argument("--by-quality", action="store_true", help="compress by the usual quality, too")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--write", action="store_true", help="put the table into docs/")
    options = parser.parse_args()
    rows = []
    for side in options.sides:
        numbers = ["--gaussians", str(side * side // TEXELS_PER_GAUSSIAN)]
        for asked in (numbers, []) if options.by_quality else (numbers,):
            with tempfile.TemporaryDirectory() as folder:
                rows.append(measure(Path(folder), options.case, side, options.repeats, options.backend, asked))
            print(rows[-1], flush=True)
    table = markdown(HEADINGS, rows)
    print(table)
    if options.write:
        replace_table("edits", table)


def measure(folder: Path, case: str, side: int, repeats: int, backend: str, asked: list[str]) -> list[object]:
    """Return the row of a size, the first file and the ones from the beginning made with what is asked for."""
    if case == EXAMPLE:
        for name, texels in make_material(side).items():
            write_image(folder / "first" / f"{name}.png", texels if texels.ndim == 3 else texels[..., None])
    else:
        with load_cases([case])[0].staged() as maps:
            write_middle(maps, folder / "first", side)
    (folder / "edited").mkdir()
    for path in (folder / "first").iterdir():
        write_image(folder / "edited" / path.name, edited(read_image(path)[0]))
    usual = [*asked, "--backend", backend]
    compress(folder, "first", usual)
    times: dict[str, list[tuple[float, float]]] = {"anew": [], "started": []}
    reports = {}
    started = ["--start", str(folder / "first.igs"), "--backend", backend]
    for _ in range(repeats):
        for name, arguments in (("anew", usual), ("started", started)):
            spent, reports[name] = compress(folder, "edited", arguments)
            times[name].append(spent)
    seconds = {name: [median(column) for column in zip(*own, strict=True)] for name, own in times.items()}
    cells = [
        f"{seconds[name][0]:.1f} s ({seconds[name][1]:.1f} by the clock), {reports[name]['psnr_db']:.2f} dB, "
        f"{reports[name]['file_bytes']:,} bytes"
        for name in times
    ]
    faster = [f"{before / after:.1f}" for before, after in zip(seconds["anew"], seconds["started"], strict=True)]
    counts = " / ".join(dict.fromkeys(f"{reports[name]['gaussians']:,}" for name in times))
    return [f"{side} x {side}{'' if asked else ', by quality'}", counts, *cells, *faster]


def edited(texels: np.ndarray) -> np.ndarray:
    """Return a picture [H, W, C] with a square in its middle, a twentieth of it, turned by half a turn."""
    height, width = texels.shape[:2]
    high, wide = round(height * SHARE**0.5), round(width * SHARE**0.5)
    top, left = (height - high) // 2, (width - wide) // 2
    made = texels.copy()
    made[top : top + high, left : left + wide] = texels[top : top + high, left : left + wide][::-1, ::-1]
    return made


def compress(folder: Path, material: str, arguments: list[str]) -> tuple[tuple[float, float], dict[str, float]]:
    """Compress one of a folder's materials beside it; return the command's time, processor and clock, and report."""
    report = folder / "report.json"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begun = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "imagegs_tex", "compress", str(folder / material), "-o", str(folder / f"{material}.igs"),
         "--quiet", "--report", str(report), *arguments],
        check=True, env=environment,
    )  # fmt: skip
    clock, after = time.perf_counter() - begun, os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return (spent, clock), json.loads(report.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
