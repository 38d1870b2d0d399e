"""Quality against the reference: equal Gaussians, equal PSNR, equal bytes, and curves.

    quality.py [--cases NAME ...] [--preset balanced] [--parts gaussians psnr bytes curves] [--write]

With --write the tables of docs/benchmarks.md are replaced; all cases should then be run. Sizes are those of complete
files; PSNR is that of the file decoded again, as the yardstick pools it.
"""

import argparse
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from cases import Case, load_cases
from tables import markdown, replace_table

import imagegs_tex
from imagegs_tex.backends import make_backend
from imagegs_tex.components import to_channels
from imagegs_tex.encoder import prepare
from imagegs_tex.fit import fit
from imagegs_tex.formats.ingest import load_stack
from imagegs_tex.metrics import psnr_of
from imagegs_tex.report import CompressReport
from imagegs_tex.settings import CompressSettings, Preset, preset_settings

CURVE_RATES = (0.05, 0.1, 0.2, 0.4)
"""Bits per channel texel."""


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--parts", nargs="*", default=["gaussians", "psnr", "bytes"])
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    settings = preset_settings(Preset(arguments.preset))
    cases = load_cases(arguments.cases)
    parts = {"gaussians": equal_gaussians, "psnr": equal_psnr, "bytes": equal_bytes, "curves": curves}
    for part in arguments.parts:
        table = parts[part](cases, settings, arguments.backend)
        print(f"\n{part}\n{table}", flush=True)
        if arguments.write:
            replace_table(f"quality-{part}", table)


def equal_gaussians(cases: list[Case], settings: CompressSettings, backend_name: str) -> str:
    """PSNR at the reference's number of Gaussians: of the real numbers, and of the file."""
    rows = []
    for case in cases:
        with case.staged() as folder:
            float_db = unquantized_psnr(folder, case.gaussians, settings, backend_name)
            report = run(folder, replace(settings, gaussian_count=case.gaussians), backend_name)
        rows.append([
            case.name, case.gaussians, case.psnr_db, f"{float_db:.2f}", f"{report.psnr_db:.2f}", report.file_bytes,
            f"{report.file_bytes / case.bytes:.3f}", f"{report.seconds.total:.1f}",
        ])  # fmt: skip
        print(rows[-1], flush=True)
    headings = ["case", "Gaussians", "reference dB", "ours, before quantization", "ours, the file", "bytes",
                "of the reference's bytes", "seconds"]  # fmt: skip
    return markdown(headings, rows)


def unquantized_psnr(folder: Path, count: int, settings: CompressSettings, backend_name: str) -> float:
    """Fit without rounding anything and return the PSNR in dB over the coded channels."""
    backend = make_backend(backend_name)
    stack = load_stack(folder)
    problem, target, components = prepare(stack, backend)
    fitted = fit(problem, target, count, settings.fit, backend)
    size = (stack.width, stack.height)
    image = backend.render(fitted.means, fitted.conics, fitted.features, settings.fit.cutoff, size, stack.wrap)
    channels = to_channels(image, components.basis, components.offset)
    return psnr_of(float(np.square(channels - stack.texels, dtype=np.float64).mean()))


def equal_psnr(cases: list[Case], settings: CompressSettings, backend_name: str) -> str:
    """Complete file at the reference's PSNR or better."""
    rows, shares = [], []
    for case in cases:
        with case.staged() as folder:
            report = run(folder, replace(settings, target_psnr=case.psnr_db), backend_name)
        share = report.file_bytes / case.bytes
        shares.append(share)
        rows.append([
            case.name, case.psnr_db, f"{report.psnr_db:.2f}", case.bytes, report.file_bytes, f"{share:.3f}",
            report.gaussians, f"{report.seconds.total:.1f}",
        ])  # fmt: skip
        print(rows[-1], flush=True)
    rows.append(["geometric mean", "", "", "", "", f"{geometric_mean(shares):.3f}", "", ""])
    headings = ["case", "reference dB", "ours dB", "reference bytes", "our bytes", "share", "Gaussians", "seconds"]
    return markdown(headings, rows)


def equal_bytes(cases: list[Case], settings: CompressSettings, backend_name: str) -> str:
    """PSNR of a complete file of at most the reference's bytes, and the map that fares worst against it."""
    rows, gains = [], []
    for case in cases:
        with case.staged() as folder:
            report = run(folder, replace(settings, max_bytes=case.bytes), backend_name)
        gains.append(report.psnr_db - case.psnr_db)
        name, worst = min(
            ((score.name, score.psnr_db - case.map_psnr_db[score.name]) for score in report.maps
             if score.name in case.map_psnr_db), key=lambda pair: pair[1],
        )  # fmt: skip
        rows.append([
            case.name, case.bytes, report.file_bytes, case.psnr_db, f"{report.psnr_db:.2f}", f"{gains[-1]:+.2f}",
            f"{name} {worst:+.2f}", f"{report.seconds.total:.1f}",
        ])  # fmt: skip
        print(rows[-1], flush=True)
    rows.append(["mean", "", "", "", "", f"{sum(gains) / len(gains):+.2f}", "", ""])
    headings = ["case", "limit", "bytes", "reference dB", "ours dB", "gain dB", "worst map", "seconds"]
    return markdown(headings, rows)


def curves(cases: list[Case], settings: CompressSettings, backend_name: str) -> str:
    """PSNR at fixed rates."""
    rows = []
    for case in cases:
        row: list[object] = [case.name]
        for rate in CURVE_RATES:
            with case.staged() as folder:
                stack = load_stack(folder)
                report = run(folder, replace(settings, bits_per_texel=rate * stack.channel_count), backend_name)
            row.append(f"{report.psnr_db:.2f}")
        rows.append(row)
        print(row, flush=True)
    return markdown(["case", *(f"{rate} bppc" for rate in CURVE_RATES)], rows)


def run(folder: Path, settings: CompressSettings, backend_name: str) -> CompressReport:
    """Compress a folder to a file that is thrown away."""
    with tempfile.TemporaryDirectory() as target:
        return imagegs_tex.compress(folder, Path(target) / "file.igs", settings, backend_name)


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


if __name__ == "__main__":
    main()
