"""PSNR at equal bytes on the GPU: our buffers, and NVIDIA's NTC as ../shared/reference/ntc.json has it.

    resident.py [CASE=FILE.igs …] [--rows DIR …] [--write]
    resident.py --compress DIR [--jobs N]

The second compresses each case with ``--max-gpu-bytes`` at NTC's bytes, and at SHARE more, which without levels is
about NTC's, and leaves rows in DIR.
Points of a case are files that are given, and what that and high_rates.py left in folders, whose PSNR
and bytes on the GPU are measured, and beyond those the ones of the tables quality-psnr and quality-curves, whose bytes
on the GPU are their file's times what measured ones have over theirs; so are bytes with levels of what is no file here,
where its row does not tell them. Cases of which nothing is measured are left out.
Of points that others beat in both, nothing is seen. Between points PSNR is drawn linearly over the logarithm of the
bytes: ^ where one of the two is not measured, ~ beyond them, where it goes on as between the last two.

A second table has bytes on the GPU over the file's of what is measured near NTC's file sizes.
"""

import argparse
import json
import math
import multiprocessing
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from cases import load_cases
from high_rates import numbers_of, reference
from tables import DOCUMENTS, markdown, replace_table

from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.metrics.match_source import source_indices
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, DetailMode, QualityTarget
from imagegs_tex.shaders.coarse_levels import SHARE
from imagegs_tex.shaders.gpu_buffer import pack_gaussians, reserve_levels

RATES: Final = (0.556, 1.111, 1.667, 2.5)
"""NTC's four smallest, bits per texel."""
_ALMOST: Final = 0.9993
"""Of what levels may take, which rounding leaves."""
NEAR: Final = 1.25
"""A file that is so many times as large as NTC's, or as small, tells of its size."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """A file of a case."""

    file_bytes: int
    psnr: float  # dB
    plain: int | None  # bytes on the GPU without levels; None: not measured
    levelled: int | None  # with the most that levels may take


def main() -> None:
    """Print the tables; --write puts them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="CASE=FILE.igs")
    parser.add_argument("--rows", nargs="*", type=Path, default=[], metavar="DIR")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--compress", type=Path, metavar="DIR")
    parser.add_argument("--jobs", type=int, default=1, help="files at once")
    arguments = parser.parse_args()
    if arguments.compress is not None:
        compress_all(arguments.compress, arguments.jobs)
        return
    files: dict[str, list[Path]] = {}
    for given in arguments.files:
        case, _, path = given.partition("=")
        files.setdefault(case, []).append(Path(path))
    rows, ratios = [], []
    for case in load_cases():
        found = [_of_file(case.name, path) for path in files.get(case.name, [])]
        found += [_of_row(row) for folder in arguments.rows for row in _rows(folder, case.name)]
        if not found:
            continue
        by_rate = {round(point["bpp"], 3): point for point in reference(case.name)}
        theirs = [by_rate[rate] for rate in RATES]
        sizes = [point.file_bytes for point in found]
        of_tables = _of_tables(case.name, _samples(case.name))
        beyond = [point for point in of_tables if not min(sizes) <= point.file_bytes <= max(sizes)]
        rows.append(_row(case.name, found + beyond, theirs))
        ratios.append([case.name, *(_ratio(found, point["file_bytes"]) for point in theirs)])
    tables = {
        "resident": markdown(
            ["case", *(f"{rate:.2f}: NTC, ours, with levels" for rate in RATES), "bytes at 0.56"], rows
        ),
        "resident-ratios": markdown(["case", *(f"{rate:.2f}" for rate in RATES)], ratios),
    }
    for name, table in tables.items():
        print(table, end="\n\n")
        if arguments.write:
            replace_table(name, table)


def compress_all(out: Path, jobs: int) -> None:
    """Compress each case at each of NTC's sizes, with levels and without; what is there is not done again."""
    out.mkdir(parents=True, exist_ok=True)
    share, of = SHARE
    limits = {"levels": 1.0, "plain": (1 + share / of) * _ALMOST}
    work = [
        (case.name, point["bpp"], kind, int(point["resident_bytes"] * times), out)
        for case in load_cases()
        for point in reference(case.name)
        if round(point["bpp"], 3) in RATES
        for kind, times in limits.items()
    ]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        pool.map(_compress, work, chunksize=1)


def _compress(job: tuple[str, float, str, int, Path]) -> None:
    name, rate, kind, limit, out = job
    path = out / f"{name}.{kind}.{rate}.json"
    if path.exists():
        return
    backend = make_backend("auto")
    with next(case for case in load_cases() if case.name == name).staged() as folder:
        stack = load_stack(folder)
    settings = CompressSettings(max_gpu_bytes=limit, detail=DetailMode.OFF)
    row = {"case": name, "bpp": rate, "asked": limit, **numbers_of(stack, settings, backend)}
    path.write_text(json.dumps(row), encoding="utf-8")


def _of_file(case: str, path: Path) -> Point:
    quantized = read_igs(path)
    backend = make_backend("auto")
    chosen = next(each for each in load_cases() if each.name == case)
    with chosen.staged() as folder:
        stack = load_stack(folder)
        try:
            indices = source_indices(quantized, stack, case)
        except InputError as error:
            raise SystemExit(f"{path}: {error}") from None
        if len(indices) != len(stack.maps):
            raise SystemExit(f"{path}: has {len(indices)} of the {len(stack.maps)} maps of {case}; give a file of all")
        psnr = compute_on(backend).all_reached((QualityTarget(0.0),), stack, quantized)[0]
    sizes = pack_gaussians(quantized).ledger.total, reserve_levels(quantized).ledger.total
    print(f"{case}: {path.stat().st_size:,} bytes, {psnr:.2f} dB, {sizes[0]:,} and {sizes[1]:,} on the GPU", flush=True)
    return Point(path.stat().st_size, psnr, *sizes)


def _rows(folder: Path, case: str) -> list[Row]:
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(f"{case}.*.json"))]
    return [row for row in rows if "gpu_bytes" in row]


def _of_row(row: Row) -> Point:
    return Point(row["bytes"], row["psnr_db"], row["gpu_bytes"], row.get("levelled"))


def _samples(case: str) -> int:
    """Return texels times channels of a case, which bits per channel texel are counted by."""
    chosen = next(each for each in load_cases() if each.name == case)
    with chosen.staged() as folder:
        stack = load_stack(folder)
    return stack.width * stack.height * sum(texture_map.channel_count for texture_map in stack.maps)


def _of_tables(case: str, samples: int) -> list[Point]:
    page = "".join(page.read_text(encoding="utf-8") for page in sorted((DOCUMENTS / "benchmarks").glob("*.md")))
    headings, row = _table_row(page, "quality-curves", case)
    rates = [float(cell.split()[0]) for cell in headings[1:]]
    found = [
        Point(round(rate * samples / 8), float(cell), None, None) for rate, cell in zip(rates, row[1:], strict=True)
    ]
    headings, row = _table_row(page, "quality-psnr", case)
    at = dict(zip(headings, row, strict=True))
    return [*found, Point(int(at["our bytes"].replace(",", "")), float(at["ours dB"]), None, None)]


def _table_row(page: str, name: str, case: str) -> tuple[list[str], list[str]]:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", page, re.DOTALL)
    assert found is not None
    lines = [[cell.strip() for cell in line[1:-1].split("|")] for line in found[1].splitlines()]
    return lines[0], next(line for line in lines if line[0] == case)


def _row(case: str, points: list[Point], theirs: Sequence[Row]) -> list[str]:
    cells = []
    for point in theirs:
        ours = [_psnr(points, point["resident_bytes"], levels=levels) for levels in (False, True)]
        cells.append(f"{point['psnr_db']:.2f}, {ours[0]}, {ours[1]}")
    return [case, *cells, f"{theirs[0]['resident_bytes']:,}"]


def _psnr(points: list[Point], resident: int, *, levels: bool) -> str:
    """Return the PSNR at so many bytes on the GPU."""
    curve = _best([(*_resident(points, point, levels=levels), point.psnr) for point in points])
    at = np.log([size for size, _, _ in curve])
    wanted = math.log(resident)
    second = int(np.clip(np.searchsorted(at, wanted), 1, len(at) - 1))
    (_, first_measured, first_psnr), (_, second_measured, second_psnr) = curve[second - 1], curve[second]
    share = (wanted - at[second - 1]) / (at[second] - at[second - 1])
    value = first_psnr + share * (second_psnr - first_psnr)
    mark = "" if first_measured and second_measured else "^"
    return f"{mark if at[0] <= wanted <= at[-1] else '~'}{value:.2f}"


def _resident(points: list[Point], point: Point, *, levels: bool) -> tuple[float, bool]:
    """Return a point's bytes on the GPU, and whether they are measured."""
    share, of = SHARE
    if levels:
        if point.levelled is not None:
            return float(point.levelled), True
        plain = _resident(points, point, levels=False)[0]
        known = [(each.file_bytes, each.levelled / each.plain) for each in points if each.plain and each.levelled]
        return (_between(known, point.file_bytes) if known else 1 + share / of) * plain, False
    if point.plain is not None:
        return float(point.plain), True
    known = [(each.file_bytes, each.plain / each.file_bytes) for each in points if each.plain]
    return _between(known, point.file_bytes) * point.file_bytes, False


def _between(known: list[tuple[int, float]], file_bytes: int) -> float:
    """Return a factor between files of known ones."""
    sizes, factors = zip(*sorted(known), strict=True)
    return float(np.interp(math.log(file_bytes), np.log(sizes), factors))


def _best(curve: list[tuple[float, bool, float]]) -> list[tuple[float, bool, float]]:
    """Return those that no other beats with as few bytes, by bytes."""
    found: list[tuple[float, bool, float]] = []
    for each in sorted(curve):
        if not found or each[2] > found[-1][2]:
            found.append(each)
    return found


def _ratio(points: list[Point], file_bytes: int) -> str:
    """Return bytes on the GPU over the file's, without levels and with them, of the best file near a size."""
    near = [point for point in points if 1 / NEAR <= point.file_bytes / file_bytes <= NEAR and point.plain]
    if not near:
        return ""
    chosen = max(near, key=lambda point: point.psnr)
    levelled, _ = _resident(points, chosen, levels=True)
    assert chosen.plain is not None
    return f"{chosen.plain / chosen.file_bytes:.2f}, {levelled / chosen.file_bytes:.2f}"


if __name__ == "__main__":
    main()
