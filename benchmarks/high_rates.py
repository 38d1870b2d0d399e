"""PSNR at high rates, without and with the residual layer, beside NTC and AVIF: tables of docs/benchmarks/rates.md.

    python benchmarks/high_rates.py --out DIR [--jobs N] [--cases NAME ...] [--write]

Each case is compressed at the file sizes of ../shared/reference/ntc.json, with ``residual=off`` and ``residual=auto``.
Files and their numbers go into DIR; what is there already is not made again, so that GPU bytes can be
counted elsewhere.
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
from imagegs_tex.formats.igs.container import read_igs, write_igs
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, DetailMode, QualityTarget, ResidualMode

MOST_RATE: Final = 3.75
"""Bits per texel; above, sparse Gaussians and a layer are no better a code than the layer alone."""
MODES: Final = (ResidualMode.OFF, ResidualMode.AUTO)
AVIF: Final = "avif_psnr_444_s4"
"""Tuned for PSNR, each map alone, 4:4:4, speed 4."""
Row = dict[str, Any]


def reference(name: str) -> list[Row]:
    """Return NTC's points of a case."""
    points = json.loads((SHARED / "reference" / "ntc.json").read_text(encoding="utf-8"))["cases"][name]
    return sorted((point for point in points if point["bpp"] <= MOST_RATE), key=lambda point: float(point["bpp"]))


def measure(job: tuple[str, Row, Path]) -> None:
    """Compress one case at the size of a point, without and with the layer."""
    name, point, out = job
    backend = make_backend("auto")
    case = next(case for case in load_cases() if case.name == name)
    with case.staged() as folder:
        stack = load_stack(folder, SourceOptions())
    for mode in MODES:
        stem = f"{name}.{point['bpp']}.{mode.value}"
        if (out / f"{stem}.json").exists():
            continue
        settings = CompressSettings(max_bytes=point["file_bytes"], detail=DetailMode.OFF)
        settings = replace(settings, precision=replace(settings.precision, residual=mode))
        started = time.perf_counter()
        quantized = encode_within_budget(stack, settings, backend).quantized
        seconds = time.perf_counter() - started
        size = write_igs(out / f"{stem}.igs", quantized)
        psnr = compute_on(backend).all_reached((QualityTarget(0.0),), stack, quantized)[0]
        row = {"case": name, "bpp": point["bpp"], "mode": mode.value, "bytes": size, "psnr_db": psnr}
        row |= {"gaussians": quantized.gaussian_count, "seconds": seconds, **_layer(quantized)}
        (out / f"{stem}.json").write_text(json.dumps(row), encoding="utf-8")


def _layer(quantized: QuantizedGaussianSet) -> Row:
    layer = quantized.residual
    if layer is None:
        return {}
    counts = layer.counts
    return {
        "side": layer.side, "components": len(layer.basis_codes), "coefficients": len(layer.places),
        "per_block": float(counts.mean()), "most": int(counts.max()),
    }  # fmt: skip


def rows_of(out: Path) -> dict[tuple[str, float, str], Row]:
    """Return what was measured, by case, NTC's bits per texel and mode."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*.json"))]
    return {(row["case"], row["bpp"], row["mode"]): row for row in rows}


def ntc_table(rows: dict[tuple[str, float, str], Row]) -> str:
    """Return dB over NTC's at its bytes: without the layer, with it."""
    names = list(dict.fromkeys(case for case, _, _ in rows))
    rates = [point["bpp"] for point in reference(names[0])]
    table: list[list[object]] = []
    leads: list[list[tuple[float, float]]] = []
    for name in names:
        own = []
        for point in reference(name):
            both = [rows[name, point["bpp"], mode.value]["psnr_db"] - point["psnr_db"] for mode in MODES]
            own.append((both[0], both[1]))
        leads.append(own)
        table.append([name, *(f"{off:+.2f}, {auto:+.2f}" for off, auto in own)])
    means = np.mean(np.array(leads), axis=0)
    table.append(["mean", *(f"{off:+.2f}, {auto:+.2f}" for off, auto in means)])
    return markdown(["case", *(f"{rate:.2f}" for rate in rates)], table)


def layer_table(rows: dict[tuple[str, float, str], Row]) -> str:
    """Return what the layer takes and buys by rate, over the cases where it was chosen."""
    from imagegs_tex.decoder.render import shader_decoder

    table: list[list[object]] = []
    for rate in sorted({rate for _, rate, _ in rows}):
        pairs = [
            (rows[name, at, "off"], row) for (name, at, mode), row in rows.items() if at == rate and mode == "auto"
        ]
        chosen = [(off, auto) for off, auto in pairs if "side" in auto]
        gained = [auto["psnr_db"] - off["psnr_db"] for off, auto in chosen]
        shares = {"gpu": [], "cost": []}  # type: dict[str, list[float]]
        for off, auto in chosen:
            found = [shader_decoder(read_igs(Path(row["path"]))) for row in (off, auto)]
            shares["gpu"].append(found[1].packed.ledger.total / found[0].packed.ledger.total)
            shares["cost"].append(found[1].cost.multiply_adds_mean / found[0].cost.multiply_adds_mean)
        seconds = [auto["seconds"] / off["seconds"] for off, auto in pairs]
        gpu, cost = (f"{np.exp(np.mean(np.log(part))):.2f}" if part else "" for part in shares.values())
        table.append(
            [f"{rate:.2f}", f"{len(chosen)} of {len(pairs)}", f"{np.mean(gained):+.2f}" if gained else "", gpu, cost,
             f"{np.mean(seconds):.2f}"]
        )  # fmt: skip
    return markdown(
        ["bits per texel", "cases with a layer", "dB", "GPU bytes", "multiply-adds of a texel", "seconds"], table
    )


def against_avif(rows: dict[tuple[str, float, str], Row]) -> str:
    """Return bytes over AVIF's at equal PSNR, and dB at equal bytes, without and with the layer."""
    curves = json.loads((SHARED / "reference" / "classical.json").read_text(encoding="utf-8"))["cases"]
    table: list[list[object]] = []
    for name in dict.fromkeys(case for case, _, _ in rows):
        avif = [(point["bytes"], point["psnr_db"]) for point in curves[name]["curves"][AVIF]]
        cells = []
        for mode in MODES:
            ours = [
                (row["bytes"], row["psnr_db"]) for (case, _, own), row in rows.items() if (case, own) == (name, mode)
            ]
            found = bd_rate(ours, avif), bd_psnr(ours, avif)
            cells += [
                ("" if value is None else f"{value:.{digits}f}") for value, digits in zip(found, (3, 2), strict=True)
            ]
        table.append([name, *cells])
    return markdown(["case", "bytes", "dB", "bytes with a layer", "dB with a layer"], table)


def main() -> None:
    """Measure what is missing, then print the tables or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of files and numbers")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once")
    parser.add_argument("--cases", nargs="*", help="of the reference's; all without")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks/rates.md")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    names = options.cases or [case.name for case in load_cases()]
    jobs = [(name, point, options.out) for name in names for point in reference(name)]
    jobs.sort(key=lambda job: -float(job[1]["file_bytes"]))  # what takes longest comes first
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        pool.map(measure, jobs, chunksize=1)
    rows = rows_of(options.out)
    for (name, rate, mode), row in rows.items():
        row["path"] = str(options.out / f"{name}.{rate}.{mode}.igs")
    tables = {"high-ntc": ntc_table(rows), "high-avif": against_avif(rows), "high-layer": layer_table(rows)}
    for name, table in tables.items():
        print(table, end="\n\n")
        if options.write:
            replace_table(name, table)


if __name__ == "__main__":
    main()
