"""Speed and memory of the commands on this machine's cores.

    speed.py [--write] [--parts commands scaling first-psnr efforts]

Everything is measured in child processes, so that each one's peak memory is its own. Kernels are compiled before the
clock starts (numba keeps them on disk); how long that takes once is the first row. Times depend on the machine and on
what else it does: compare them within one run only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cases import load_cases
from tables import markdown, replace_table

from imagegs_tex.formats.images import read_image, write_image

TILED_FROM, TILED_TIMES = "brick_wall_017", 4


def main() -> None:
    """Measure and print, or write into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--child", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    for part in arguments.parts:
        table = PARTS[part]()
        print(f"\nspeed-{part}\n{table}", flush=True)
        if arguments.write:
            replace_table(f"speed-{part}", table)


def commands() -> str:
    """Whole commands: compress at the reference's number of Gaussians, then decode."""
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("image_anime_meadow", "brick_wall_017", "facade_005_tiles", "boombox"):
            case = load_cases([name])[0]
            file = Path(folder) / f"{name}.igs"
            with case.staged() as source:
                if not rows:
                    small = "compress", str(source), "-o", str(file), "--gaussians", "100", "-q", "--backend", "cpu"
                    seconds, _ = command(*small, kernels=Path(folder) / "kernels")
                    rows.append(["compress, first run ever or after an update", "", f"{seconds:.1f}", ""])
                    command(*small)  # what follows finds its kernels compiled
                seconds, peak = command(
                    "compress",
                    str(source),
                    "-o",
                    str(file),
                    "--gaussians",
                    str(case.gaussians),
                    "-q",
                    "--backend",
                    "cpu",
                )
            rows.append([f"compress, {name}", case.gaussians, f"{seconds:.1f}", f"{peak:.0f}"])
            seconds, peak = command("decode", str(file), "-o", str(Path(folder) / name), "-q", "--backend", "cpu")
            rows.append([f"decode to PNG, {name}", case.gaussians, f"{seconds:.1f}", f"{peak:.0f}"])
            rendering = json.loads(run_child("render", str(file))[1])
            rows.append([f"render {name}, file loaded", case.gaussians, f"{rendering['seconds']:.2f}", ""])
        seconds = min(command("--help")[0] for _ in range(3))
        rows.append(["--help", "", f"{seconds:.2f}", ""])
    return markdown(["command", "Gaussians", "seconds", "peak MB"], rows)


def scaling() -> str:
    """The same material at 1024² and tiled to 4096², at the same density of Gaussians."""
    case = load_cases([TILED_FROM])[0]
    rows = []
    with case.staged() as source, tempfile.TemporaryDirectory() as folder:
        tiled = Path(folder) / "tiled"
        tiled.mkdir()
        for path in source.iterdir():
            texels, _ = read_image(path)
            write_image(tiled / f"{path.stem}.png", np.tile(texels, (TILED_TIMES, TILED_TIMES, 1)))
        for maps, times in ((source, 1), (tiled, TILED_TIMES**2)):
            report = Path(folder) / "report.json"
            seconds, peak = command(
                "compress", str(maps), "-o", str(Path(folder) / "file.igs"), "--gaussians", str(case.gaussians * times),
                "-q", "--report", str(report), "--backend", "cpu",
            )  # fmt: skip
            result = json.loads(report.read_text())
            megatexels = result["width"] * result["height"] / 1e6
            rows.append([
                f"{result['width']} x {result['height']}", result["gaussians"], f"{seconds:.1f}",
                f"{seconds / megatexels:.2f}", f"{result['seconds']['fit'] / megatexels:.2f}", f"{peak:.0f}",
            ])  # fmt: skip
    headings = ["size", "Gaussians", "seconds", "per megatexel", "fit per megatexel", "peak MB"]
    return markdown(headings, rows)


def first_psnr() -> str:
    """Seconds of the shortest fit that ends above the reference's PSNR."""
    rows = []
    for name in ("brick_wall_017", "stylized_stone_floor_001", "boombox"):
        case = load_cases([name])[0]
        with case.staged() as source:
            result = json.loads(run_child("psnr", str(source), str(case.gaussians), str(case.psnr_db))[1])
        rows.append([name, case.gaussians, case.psnr_db, result["steps"], f"{result['seconds']:.1f}"])
    return markdown(["case", "Gaussians", "reference dB", "steps", "seconds"], rows)


def efforts() -> str:
    """What searches for the size and the PSNR of a plain run take beside it, and what the best preset does."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        for name in ("brick_wall_017", "facade_005_tiles", "boombox"):
            case = load_cases([name])[0]
            count = ("--gaussians", str(case.gaussians))
            with case.staged() as source:
                common = (
                    "compress", str(source), "-o", str(Path(folder) / "file.igs"), "-q", "--backend", "cpu",
                    "--report", str(report),
                )  # fmt: skip
                plain, _ = command(*common, *count)
                found = json.loads(report.read_text())
                others = [
                    command(*common, *wanted)[0]
                    for wanted in (
                        ("--max-bytes", str(found["file_bytes"])),
                        ("--target-psnr", f"{found['psnr_db']:.3f}"),
                        ("--preset", "best", *count),
                    )
                ]
            rows.append([name, f"{plain:.1f}", *(f"{seconds:.1f} ({seconds / plain:.1f})" for seconds in others)])
    return markdown(["case", "plain", "--max-bytes", "--target-psnr", "--preset best"], rows)


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands, "scaling": scaling, "first-psnr": first_psnr, "efforts": efforts,
}  # fmt: skip


def command(*arguments: str, kernels: Path | None = None) -> tuple[float, float]:
    """Run the command line, with compiled kernels kept in a folder of their own; return seconds and peak megabytes."""
    folder = {} if kernels is None else {"NUMBA_CACHE_DIR": str(kernels)}
    return measured([sys.executable, "-m", "imagegs_tex", *arguments], folder)[:2]


def run_child(*arguments: str) -> tuple[float, str]:
    """Run one of this script's own measurements in a fresh process; return its seconds and output."""
    seconds, _, output = measured([sys.executable, __file__, "--child", *arguments])
    return seconds, output


def measured(call: list[str], environment: dict[str, str] | None = None) -> tuple[float, float, str]:
    """Run a process to its end, environment added to this one's; return seconds, peak resident megabytes, output."""
    wrapper = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(code)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", wrapper, *call], check=True, capture_output=True, text=True,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    seconds = time.perf_counter() - started
    return seconds, float(done.stderr.split()[-1]) / 1024, done.stdout


def child(what: str, path: str, *rest: str) -> None:
    """One measurement, in its own process."""
    if what == "render":
        child_render(Path(path))
    else:
        child_psnr(Path(path), int(rest[0]), float(rest[1]))


def child_render(path: Path) -> None:
    """Time the rendering of all channels of a file that is already loaded; the best of three."""
    from imagegs_tex.decoder.render import render_channels
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.rasterize.select_backend import make_backend

    quantized, backend = read_igs(path), make_backend("cpu")
    times = []
    for _ in range(4):
        started = time.perf_counter()
        render_channels(quantized, backend)
        times.append(time.perf_counter() - started)
    print(json.dumps({"seconds": min(times[1:])}))


def child_psnr(path: Path, count: int, wanted_db: float) -> None:
    """Time the shortest whole fit that ends above a PSNR: on its way a fit has more Gaussians than it ends with."""
    from imagegs_tex.encoder.encode import prepare
    from imagegs_tex.fit.loop import fit
    from imagegs_tex.formats.material.build_stack import load_stack
    from imagegs_tex.rasterize.select_backend import make_backend
    from imagegs_tex.settings import FitSettings

    backend = make_backend("cpu")
    stack = load_stack(path)
    problem, target, _ = prepare(stack, backend, (1.0,) * stack.channel_count)  # the PSNR watched is the plain one
    fit(problem, target, 50, FitSettings(steps=12), backend)  # compiles
    for steps in range(12, 241, 4):
        started = time.perf_counter()
        found = fit(problem, target, count, FitSettings(steps=steps), backend)
        seconds = time.perf_counter() - started
        fitted = found.gaussians
        geometry = backend.prepare_geometry(fitted.means, fitted.conics, found.cutoff, target.size, target.wrap)
        error = backend.squared_error(geometry, fitted.features, target)
        if problem.psnr(float(error.total)) >= wanted_db:
            print(json.dumps({"steps": steps, "seconds": seconds}))
            return
    print(json.dumps({"steps": 0, "seconds": float("nan")}))


if __name__ == "__main__":
    main()
