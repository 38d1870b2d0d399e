"""Quality against the reference and the classical codecs: tables and a plot for docs/benchmarks/.

    quality.py [--parts psnr bytes curves best gaussians] [--cases NAME ...] [--backend cuda] [--jobs 8] [--write]

Sizes are those of complete files; PSNR is that of the file decoded again, as the yardstick pools it. Every measurement
is kept as JSON in --results (out/quality) and not made again; --fresh forgets them. --write puts tables and plot into
docs/, all cases should then be there. --check fails where a case needs more bytes than benchmarks/floor.json allows;
--set-floor writes that file. --others measures the materials of image_gs_others.json instead, for which the parts psnr
and bytes have places in docs/.
"""

import argparse
import json
import math
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bjontegaard import bd_psnr, bd_rate
from cases import SHARED, Case, load_cases, load_others
from tables import DOCUMENTS, markdown, replace_table

if TYPE_CHECKING:
    from imagegs_tex.settings import CompressSettings

CURVE_RATES = (0.05, 0.1, 0.2, 0.4)
"""Bits per channel texel."""
CODECS = {
    "AVIF": "avif_psnr_444_s4", "JPEG XL": "jxl_e9", "WebP": "webp_m6", "JPEG": "jpeg_444"
}  # fmt: skip
BLOCKS = {"ASTC 12x12": "astc_12x12", "ASTC 8x8": "astc_8x8", "BC7, BC4": "bc7_bc4_normal_in_bc7"}
HERE = Path(__file__).resolve().parent
FLOOR = HERE / "floor.json"
VERSION_1 = HERE / "version_1.json"
Result = dict[str, Any]
Results = dict[str, dict[str, Result]]
"""By part, by case."""


def main() -> None:
    """Measure what was asked for, then print and write its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--parts", nargs="*", choices=sorted(PARTS), default=["psnr", "bytes", "curves"])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--results", type=Path, default=HERE.parent / "out" / "quality")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--set-floor", action="store_true")
    arguments = parser.parse_args()
    if arguments.others and (arguments.set_floor or arguments.check):
        parser.error(f"{FLOOR.name} has the nine cases alone: leave out --others, or --set-floor and --check")
    cases = (load_others if arguments.others else load_cases)(arguments.cases)
    parts = list(dict.fromkeys([*arguments.parts, *(["psnr"] if "best" in arguments.parts else [])]))
    results = measure_all(parts, cases, arguments)
    for part in parts:
        for name, table in PARTS[part](cases, results).items():
            print(f"\n{name}\n{table}", flush=True)
            if arguments.write:
                replace_table(f"quality-{'others-' if arguments.others else ''}{name}", table)
    if arguments.write and "curves" in parts:
        plot(cases, results, DOCUMENTS / "images" / "quality.svg")
    if arguments.set_floor:
        floor = {"preset": arguments.preset, "tolerance": 0.03}
        sizes = {name: result["file_bytes"] for name, result in sorted(results["psnr"].items())}
        FLOOR.write_text(json.dumps({**floor, "bytes": sizes}, indent=2) + "\n", encoding="utf-8")
    if arguments.check:
        sys.exit(check(results["psnr"], arguments.preset))


def measure_all(parts: list[str], cases: list[Case], arguments: argparse.Namespace) -> Results:
    """Return all measurements; those that lie in the folder of results are read, the others made side by side."""
    folder: Path = arguments.results / f"{arguments.preset}-{arguments.backend}"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for part in parts:
        for case in cases:
            rates = CURVE_RATES if part == "curves" else (0.0,)
            for rate in rates:
                path = folder / (f"{part}-{case.name}-{rate}.json" if rate else f"{part}-{case.name}.json")
                if arguments.fresh or not path.exists():
                    jobs.append((part, case.name, rate, arguments.preset, arguments.backend, str(path)))
    # the largest first: it decides when all are done
    jobs.sort(key=lambda job: (job[0] != "best", -next(case.bytes for case in cases if case.name == job[1])))
    if arguments.jobs > 1:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool:
            for done in pool.map(measure, jobs, [arguments.jobs] * len(jobs)):
                print(done, flush=True)
    else:
        for job in jobs:
            print(measure(job, 1), flush=True)
    results: Results = {part: {} for part in parts}
    for part in parts:
        for case in cases:
            if part == "curves":
                results[part][case.name] = {
                    str(rate): json.loads((folder / f"{part}-{case.name}-{rate}.json").read_text())
                    for rate in CURVE_RATES
                }
            else:
                results[part][case.name] = json.loads((folder / f"{part}-{case.name}.json").read_text())
    return results


def measure(job: tuple[str, str, float, str, str, str], jobs: int) -> str:
    """Make one measurement and keep it; return a line about it."""
    # torch asks for a package named cuda, and benchmarks/gpu.py is not it
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    import torch

    import imagegs_tex
    from imagegs_tex.formats.material.build_stack import load_stack
    from imagegs_tex.settings import DetailMode, Preset, preset_settings

    part, name, rate, preset, backend, kept_as = job
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // jobs))
    (case,) = (case for case in (*load_cases(), *load_others()) if case.name == name)
    chosen = preset_settings(Preset.BEST if part == "best" else Preset(preset))
    settings = replace(chosen, detail=DetailMode.OFF)  # sizes and PSNR are those of the Gaussians
    extra: Result = {}
    with case.staged() as folder, tempfile.TemporaryDirectory() as target:
        if part == "gaussians":
            wanted = replace(settings, gaussian_count=case.gaussians)
            extra["float_db"] = unquantized_psnr(folder, case.gaussians, settings, backend)
        elif part == "bytes":
            wanted = replace(settings, max_bytes=case.bytes)
        elif part == "curves":
            wanted = replace(settings, bits_per_texel=rate * load_stack(folder).channel_count)
        else:
            wanted = replace(settings, target_psnr=case.psnr_db)
        file = Path(target) / "file.igs"
        report = imagegs_tex.compress(folder, file, wanted, backend)
        if part == "bytes":
            extra["scores"] = [asdict(score) for score in imagegs_tex.compare(file, folder, backend).maps]
        extra["cost"] = asdict(imagegs_tex.info(file).decode_cost)
    result = {
        "file_bytes": report.file_bytes, "psnr_db": report.psnr_db, "gaussians": report.gaussians,
        "seconds": report.seconds.total, "device": report.device, **extra,
    }  # fmt: skip
    temporary = Path(kept_as + ".part")
    temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    temporary.rename(kept_as)
    return f"{part} {name} {rate or ''} {report.psnr_db:.2f} dB {report.file_bytes} bytes {report.seconds.total:.1f} s"


def unquantized_psnr(folder: Path, count: int, settings: "CompressSettings", backend_name: str) -> float:
    """Fit without rounding anything and return the PSNR in dB over the coded channels."""
    from imagegs_tex.encoder.encode import prepare
    from imagegs_tex.fit.loop import fit
    from imagegs_tex.formats.material.build_stack import load_stack
    from imagegs_tex.metrics.scores import psnr_of
    from imagegs_tex.quantize.channel_basis import to_channels
    from imagegs_tex.rasterize.select_backend import make_backend

    backend = make_backend(backend_name)
    stack = load_stack(folder)
    problem, target, components = prepare(stack, backend)
    found = fit(problem, target, count, settings.fit, backend)
    fitted = found.gaussians
    size = (stack.width, stack.height)
    geometry = backend.prepare_geometry(fitted.means, fitted.conics, found.cutoff, size, stack.wrap)
    image = backend.render(geometry, fitted.features)
    channels = to_channels(image, components.basis, components.offset).cpu().numpy()
    return psnr_of(float(np.square(channels - stack.texels, dtype=np.float64).mean()))


def gaussians_tables(cases: list[Case], results: Results) -> dict[str, str]:
    """PSNR at the reference's number of Gaussians: of the real numbers, and of the file."""
    rows = []
    for case in cases:
        found = results["gaussians"][case.name]
        rows.append([
            case.name, case.gaussians, case.psnr_db, f"{found['float_db']:.2f}", f"{found['psnr_db']:.2f}",
            found["file_bytes"], f"{found['file_bytes'] / case.bytes:.3f}", f"{found['seconds']:.1f}",
        ])  # fmt: skip
    headings = ["case", "Gaussians", "reference dB", "ours, before quantization", "ours, the file", "bytes",
                "of the reference's bytes", "seconds"]  # fmt: skip
    return {"gaussians": markdown(headings, rows)}


def psnr_tables(cases: list[Case], results: Results) -> dict[str, str]:
    """Complete file at the reference's PSNR or better, and what decoding a texel of it costs."""
    rows, costs, shares, ratios = [], [], [], []
    before = json.loads(VERSION_1.read_text())["cases"] if VERSION_1.exists() else {}
    for case in cases:
        found = results["psnr"][case.name]
        share = found["file_bytes"] / case.bytes
        shares.append(share)
        rows.append([
            case.name, case.psnr_db, f"{found['psnr_db']:.2f}", case.bytes, found["file_bytes"], f"{share:.3f}",
            found["gaussians"], f"{found['seconds']:.1f}",
        ])  # fmt: skip
        cost, old = found["cost"], before.get(case.name)
        row = [case.name, f"{cost['weights_mean']:.1f}", f"{cost['multiply_adds_mean']:.0f}"]
        if old:
            ratios.append(cost["multiply_adds_mean"] / old["multiply_adds_mean"])
            row += [f"{old['weights_mean']:.1f}", f"{old['multiply_adds_mean']:.0f}", f"{ratios[-1]:.2f}"]
        costs.append([*row, *([""] * (6 - len(row)))])
    rows.append(["geometric mean", "", "", "", "", f"{geometric_mean(shares):.3f}", "", ""])
    if ratios:
        costs.append(["geometric mean", "", "", "", "", f"{geometric_mean(ratios):.2f}"])
    headings = ["case", "reference dB", "ours dB", "reference bytes", "our bytes", "share", "Gaussians", "seconds"]
    cost_headings = ["case", "weights", "multiply-adds", "version 1: weights", "multiply-adds", "ratio"]
    return {"psnr": markdown(headings, rows), "cost": markdown(cost_headings, costs)}


def bytes_tables(cases: list[Case], results: Results) -> dict[str, str]:
    """PSNR of a complete file of at most the reference's bytes, of each map too, with SSIM, FLIP and degrees."""
    rows, gains, maps = [], [], []
    for case in cases:
        found = results["bytes"][case.name]
        gains.append(found["psnr_db"] - case.psnr_db)
        against = {
            score["name"]: score["psnr_db"] - case.map_psnr_db[score["name"]]
            for score in found["scores"]
            if score["name"] in case.map_psnr_db
        }
        worst = min(against, key=lambda name: against[name])
        rows.append([
            case.name, case.bytes, found["file_bytes"], case.psnr_db, f"{found['psnr_db']:.2f}", f"{gains[-1]:+.2f}",
            f"{worst} {against[worst]:+.2f}", f"{found['seconds']:.1f}",
        ])  # fmt: skip
        for score in found["scores"]:
            name, mean = score["name"], score["normal_degrees_mean"]
            maps.append([
                case.name, name, f"{score['psnr_db']:.2f}", f"{against[name]:+.2f}" if name in against else "",
                f"{score['ssim']:.4f}", "" if score["flip"] is None else f"{score['flip']:.4f}",
                "" if mean is None else f"{mean:.2f}, {score['normal_degrees_p95']:.2f}",
            ])  # fmt: skip
    rows.append(["mean", "", "", "", "", f"{sum(gains) / len(gains):+.2f}", "", ""])
    headings = ["case", "limit", "bytes", "reference dB", "ours dB", "gain dB", "worst map", "seconds"]
    map_headings = ["case", "map", "PSNR dB", "against the reference's", "SSIM", "FLIP", "degrees (mean, p95)"]
    return {"bytes": markdown(headings, rows), "maps": markdown(map_headings, maps)}


def curves_tables(cases: list[Case], results: Results) -> dict[str, str]:
    """PSNR at fixed rates, and the curves against the reference's point and the codecs' curves and points."""
    rows: list[list[str]] = []
    against: dict[str, list[tuple[float | None, float | None]]] = {}
    for case in cases:
        points = results["curves"][case.name]
        rows.append([case.name, *(f"{points[str(rate)]['psnr_db']:.2f}" for rate in CURVE_RATES)])
        ours = curve_of(points)
        against.setdefault("Image-GS (its point)", []).append(at_point(ours, (case.bytes, case.psnr_db)))
        codecs = classical(case)
        for label, key in CODECS.items():
            if key in codecs:
                against.setdefault(label, []).append((bd_rate(ours, codecs[key]), bd_psnr(ours, codecs[key])))
        for label, key in BLOCKS.items():
            if key in codecs:
                against.setdefault(f"{label} (its point)", []).append(at_point(ours, codecs[key][0]))
    table = []
    for label, pairs in against.items():
        rates = [rate for rate, _ in pairs if rate is not None]
        gains = [gain for _, gain in pairs if gain is not None]
        table.append([
            label, f"{geometric_mean(rates):.3f} ({len(rates)})" if rates else "",
            f"{sum(gains) / len(gains):+.2f} ({len(gains)})" if gains else "",
        ])  # fmt: skip
    return {
        "curves": markdown(["case", *(f"{rate} bppc" for rate in CURVE_RATES)], rows),
        "codecs": markdown(["against", "our bytes at equal PSNR (cases)", "dB at equal bytes (cases)"], table),
    }


def best_tables(cases: list[Case], results: Results) -> dict[str, str]:
    """What the best preset buys at the reference's PSNR."""
    rows, shares, times = [], [], []
    for case in cases:
        usual, best = results["psnr"][case.name], results["best"][case.name]
        shares.append(best["file_bytes"] / usual["file_bytes"])
        times.append(best["seconds"] / usual["seconds"])
        rows.append([case.name, usual["file_bytes"], best["file_bytes"], f"{shares[-1]:.3f}", f"{times[-1]:.1f}"])
    rows.append(["geometric mean", "", "", f"{geometric_mean(shares):.3f}", f"{geometric_mean(times):.1f}"])
    return {"best": markdown(["case", "balanced, bytes", "best, bytes", "bytes, ratio", "seconds, ratio"], rows)}


PARTS = {
    "gaussians": gaussians_tables, "psnr": psnr_tables, "bytes": bytes_tables, "curves": curves_tables,
    "best": best_tables,
}  # fmt: skip


def curve_of(points: dict[str, Result]) -> list[tuple[float, float]]:
    """Bytes and PSNR of one case at all rates."""
    return sorted((float(point["file_bytes"]), float(point["psnr_db"])) for point in points.values())


def at_point(
    ours: list[tuple[float, float]], point: tuple[float, float]
) -> tuple[float | None, float | None]:  # fmt: skip
    """Our share of a point's bytes at its PSNR, and dB more at its bytes; None where the curve does not reach."""
    logs, levels = [math.log(size) for size, _ in ours], [level for _, level in ours]
    share = gain = None
    if levels[0] <= point[1] <= levels[-1]:
        share = math.exp(float(np.interp(point[1], levels, logs))) / point[0]
    if logs[0] <= math.log(point[0]) <= logs[-1]:
        gain = float(np.interp(math.log(point[0]), logs, levels)) - point[1]
    return share, gain


def classical(case: Case) -> dict[str, list[tuple[float, float]]]:
    """Curves of the classical codecs on a case; empty where there are none."""
    path = SHARED / "reference" / "classical.json"
    curves = json.loads(path.read_text())["cases"].get(case.name, {}).get("curves", {}) if path.exists() else {}
    return {
        name: [(float(point["bytes"]), float(point["psnr_db"])) for point in points] for name, points in curves.items()
    }


def check(found: dict[str, Result], preset: str) -> int:
    """Print which cases need more bytes than the committed table allows; return the exit code."""
    floor = json.loads(FLOOR.read_text(encoding="utf-8"))
    if floor["preset"] != preset:
        print(f"{FLOOR.name} is of the preset {floor['preset']}")
        return 2
    worse = 0
    for name, result in found.items():
        allowed = floor["bytes"][name] * (1 + floor["tolerance"])
        if result["file_bytes"] > allowed:
            worse += 1
            print(f"{name}: {result['file_bytes']} bytes at the reference's PSNR, at most {allowed:.0f} are allowed")
    print(f"{len(found) - worse} of {len(found)} cases are within {FLOOR.name}")
    return min(worse, 1)


def plot(cases: list[Case], results: Results, path: Path) -> None:
    """Draw the curves of all cases, each with the reference's point and the codecs'."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "quality"
    from matplotlib import pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter

    columns = 3
    figure, axes = plt.subplots(-(-len(cases) // columns), columns, figsize=(11, 9.5), squeeze=False)
    for axis, case in zip(axes.flat, cases, strict=False):
        ours, codecs = curve_of(results["curves"][case.name]), classical(case)
        low, high = ours[0][0] / 2, max(ours[-1][0], case.bytes) * 1.5
        for label, key in CODECS.items():
            shown = sorted(point for point in codecs.get(key, []) if low <= point[0] <= high)
            axis.plot(*zip(*shown, strict=True), label=label, linewidth=1) if shown else None
        for label, key in BLOCKS.items():
            shown = [point for point in codecs.get(key, []) if low <= point[0] <= high]
            axis.plot(*zip(*shown, strict=True), "x", label=label) if shown else None
        axis.plot(*zip(*ours, strict=True), "k.-", label="ours", linewidth=2)
        axis.plot(case.bytes, case.psnr_db, "r*", label="Image-GS", markersize=9)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_title(case.name, fontsize=9)
        axis.tick_params(labelsize=7, which="both")
    for axis in list(axes.flat)[len(cases) :]:
        axis.set_visible(False)
    entries: dict[str, Any] = {}
    for axis in axes.flat:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(entries.values(), entries.keys(), loc="lower center", ncols=9, fontsize=8)
    figure.supxlabel("size of the complete file, KB", y=0.035, fontsize=9)
    figure.supylabel("PSNR, dB", fontsize=9)
    figure.tight_layout(rect=(0.02, 0.05, 1, 1))
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


if __name__ == "__main__":
    main()
