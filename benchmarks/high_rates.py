"""PSNR at high rates, without and with the residual layer, beside NTC and AVIF: tables of docs/benchmarks/rates.md.

    python benchmarks/high_rates.py --out DIR [--jobs N] [--cases NAME ...] [--write]

Each case is compressed at the file sizes of ../shared/reference/ntc.json, with ``residual=off`` and ``residual=auto``.
The numbers go into DIR as each is known; what is there already is not measured again.
"""

import argparse
import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from bjontegaard import bd_psnr, bd_rate
from cases import SHARED, load_cases
from tables import markdown, replace_table

from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, DetailMode, QualityTarget, ResidualMode
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.gpu_buffer import reserve_levels

MOST_RATE: Final = 3.75
"""Bits per texel; above, sparse Gaussians and a layer are no better a code than the layer alone."""
MODES: Final = (ResidualMode.OFF, ResidualMode.AUTO)
AVIF: Final = "avif_psnr_444_s4"
"""Tuned for PSNR, each map alone, 4:4:4, speed 4."""
LEAST_POINTS: Final = 2
"""Of a curve."""
Row = dict[str, Any]
Rows = dict[tuple[str, float, str], Row]
"""By case, NTC's bits per texel and mode."""


def reference(name: str) -> list[Row]:
    """Return NTC's points of a case."""
    points = json.loads((SHARED / "reference" / "ntc.json").read_text(encoding="utf-8"))["cases"][name]
    return sorted((point for point in points if point["bpp"] <= MOST_RATE), key=lambda point: float(point["bpp"]))


def measure(job: tuple[str, Row, tuple[ResidualMode, ...], Path]) -> None:
    """Compress one case at the size of a point, without and with the layer."""
    name, point, modes, out = job
    backend = make_backend("auto")
    case = next(case for case in load_cases() if case.name == name)
    with case.staged() as folder:
        stack = load_stack(folder, SourceOptions())
    for mode in modes:
        path = out / f"{name}.{point['bpp']}.{mode.value}.json"
        if path.exists():
            continue
        settings = CompressSettings(max_bytes=point["file_bytes"], detail=DetailMode.OFF)
        settings = replace(settings, precision=replace(settings.precision, residual=mode))
        row = {"case": name, "bpp": point["bpp"], "mode": mode.value, **numbers_of(stack, settings, backend)}
        path.write_text(json.dumps(row), encoding="utf-8")


def numbers_of(stack: TextureStack, settings: CompressSettings, backend: Backend) -> Row:
    """Compress a stack, and return the times, PSNR, bytes in a file and on the GPU, and a texel's multiply-adds."""
    started, worked = time.perf_counter(), time.process_time()
    found = encode_within_budget(stack, settings, backend).quantized
    row: Row = {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - worked}
    row |= {"bytes": len(encode_igs(found)), "gaussians": found.gaussian_count}
    row["psnr_db"] = compute_on(backend).all_reached((QualityTarget(0.0),), stack, found)[0]
    decoder = build_decoder(found)
    row |= {"gpu_bytes": decoder.packed.ledger.total, "levelled": reserve_levels(found).ledger.total}
    row |= {"multiply_adds": decoder.cost.multiply_adds_mean, "most_multiply_adds": decoder.cost.multiply_adds_max}
    return row | _layer(found)


def _layer(quantized: QuantizedGaussianSet) -> Row:
    layer = quantized.residual
    if layer is None:
        return {}
    counts = layer.counts
    return {
        "side": layer.side, "components": len(layer.basis_codes), "coefficients": len(layer.places),
        "per_block": float(counts.mean()), "most": int(counts.max()),
    }  # fmt: skip


def rows_of(out: Path) -> Rows:
    """Return what was measured, by case, NTC's bits per texel and mode."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*.json"))]
    return {(row["case"], row["bpp"], row["mode"]): row for row in rows}


def ntc_table(rows: Rows) -> str:
    """Return dB over NTC's at its bytes: without the layer, with it."""
    names = sorted({name for name, _, _ in rows})
    rates = sorted({rate for _, rate, _ in rows})
    theirs = {(name, point["bpp"]): point["psnr_db"] for name in names for point in reference(name)}
    table: list[list[object]] = []
    leads: dict[float, list[list[float]]] = {rate: [] for rate in rates}
    for name in names:
        cells: list[object] = [name]
        for rate in rates:
            found = [rows.get((name, rate, mode.value)) for mode in MODES]
            own = [float(row["psnr_db"]) - theirs[name, rate] if row else np.nan for row in found]
            cells.append(", ".join("–" if np.isnan(lead) else f"{lead:+.2f}" for lead in own) if any(found) else "")
            leads[rate].append(own)
        table.append(cells)
    both: list[object] = ["mean of those with both"]
    usual: list[object] = ["mean with it"]
    for of_rate in leads.values():
        known = np.array(of_rate)
        pairs, layered = known[~np.isnan(known).any(axis=1)], known[~np.isnan(known[:, 1]), 1]
        both.append(", ".join(f"{mean:+.2f}" for mean in pairs.mean(axis=0)) + f" ({len(pairs)})" if len(pairs) else "")
        usual.append(f"{layered.mean():+.2f} ({len(layered)})" if len(layered) else "")
    table += [both, usual]
    return markdown(["case", *(f"{rate:.2f}" for rate in rates)], table)


def layer_table(rows: Rows) -> str:
    """Return what the layer takes and buys: at equal bytes, and on the GPU at equal PSNR between two files without."""
    table: list[list[object]] = []
    for name, rate in sorted({(name, rate) for name, rate, mode in rows if mode == "auto"}):
        off, auto = (rows.get((name, rate, mode.value)) for mode in MODES)
        assert auto is not None
        if "side" not in auto:
            table.append([name, f"{rate:.2f}", "no layer", "", "", "", ""])
            continue
        if off is None:
            continue
        layer = f"{auto['side']}², {auto['per_block']:.0f}, {auto['most']}"
        count = f"{auto['gaussians']:,} of {off['gaussians']:,}"
        above = min(
            (other for case, other, mode in rows if (case, mode) == (name, "off") and other > rate), default=None
        )
        ratios = ["", ""] if above is None else _at_equal_psnr(auto, (off, rows[name, above, "off"]))
        table.append([name, f"{rate:.2f}", f"{auto['psnr_db'] - off['psnr_db']:+.2f}", count, layer, *ratios])
    return markdown(
        ["case", "bits per texel", "dB", "Gaussians", "blocks; coefficients of one, mean and most", "GPU bytes",
         "multiply-adds"], table,
    )  # fmt: skip


def _at_equal_psnr(auto: Row, without: tuple[Row, Row]) -> list[object]:
    """Return GPU bytes, without levels, and multiply-adds over those of Gaussians alone, extended from two files."""
    first, second = without
    place = (auto["psnr_db"] - first["psnr_db"]) / (second["psnr_db"] - first["psnr_db"])
    found: list[object] = []
    for key in ("gpu_bytes", "multiply_adds"):
        level = np.log(first[key]) + place * (np.log(second[key]) - np.log(first[key]))
        found.append(f"{auto[key] / np.exp(level):.2f}")
    return found


def time_table(rows: Rows) -> str:
    """Return the processor seconds of a search without a layer, and those of one with it over them."""
    rates = sorted({rate for _, rate, _ in rows})
    table: list[list[object]] = []
    factors: dict[float, list[float]] = {rate: [] for rate in rates}
    for name in sorted({name for name, _, _ in rows}):
        cells: list[object] = [name]
        for rate in rates:
            found = [rows[name, rate, mode.value] for mode in MODES if (name, rate, mode.value) in rows]
            if len(found) < len(MODES):
                cells.append("")
                continue
            factors[rate].append(found[1]["processor_seconds"] / found[0]["processor_seconds"])
            cells.append(f"{found[0]['processor_seconds']:.1f}, {factors[rate][-1]:.2f}")
        table.append(cells)
    table.append(["geometric mean", *(f"{np.exp(np.mean(np.log(found))):.2f}" for found in factors.values())])
    return markdown(["case", *(f"{rate:.2f}" for rate in rates)], table)


def against_avif(rows: Rows) -> str:
    """Return bytes over AVIF's at equal PSNR, and dB at equal bytes, without and with the layer."""
    curves = json.loads((SHARED / "reference" / "classical.json").read_text(encoding="utf-8"))["cases"]
    table: list[list[object]] = []
    for name in sorted({name for name, _, _ in rows}):
        avif = [(point["bytes"], point["psnr_db"]) for point in curves[name]["curves"][AVIF]]
        rates = [
            rate
            for rate in sorted({rate for _, rate, _ in rows})
            if all((name, rate, mode.value) in rows for mode in MODES)
        ]
        if len(rates) < LEAST_POINTS:
            continue
        cells: list[object] = []
        for mode in MODES:
            points = [rows[name, rate, mode.value] for rate in rates]
            ours = [(point["bytes"], point["psnr_db"]) for point in points]
            found = bd_rate(ours, avif), bd_psnr(ours, avif)
            cells += ["" if one is None else f"{one:.{digits}f}" for one, digits in zip(found, (3, 2), strict=True)]
        table.append([name, *cells])
    return markdown(["case", "bytes without", "dB without", "bytes with a layer", "dB with a layer"], table)


def main() -> None:
    """Measure what is missing, then print the tables or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of numbers")
    parser.add_argument("--jobs", type=int, default=1, help="files at once")
    parser.add_argument("--cases", nargs="*", help="of the reference's; all without")
    parser.add_argument("--rates", nargs="*", type=float, help="of NTC's bits per texel; all without")
    parser.add_argument("--modes", nargs="*", type=ResidualMode, default=MODES, help="off, auto; both without")
    parser.add_argument("--tables", action="store_true", help="measure nothing: tables of what is there")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks/rates.md")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    names = options.cases or [case.name for case in load_cases()]
    jobs = [
        (name, point, tuple(options.modes), options.out)
        for name in names
        for point in reference(name)
        if not options.rates or point["bpp"] in options.rates
    ]
    jobs.sort(key=lambda job: -float(job[1]["file_bytes"]))  # what takes longest comes first
    if not options.tables:
        with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
            pool.map(measure, jobs, chunksize=1)
    rows = rows_of(options.out)
    tables = {
        "high-ntc": ntc_table(rows),
        "high-avif": against_avif(rows),
        "high-layer": layer_table(rows),
    }
    for name, table in tables.items():
        print(table, end="\n\n")
        if options.write:
            replace_table(name, table)
    print(time_table(rows))


if __name__ == "__main__":
    main()
