"""PSNR at equal bytes on the GPU: our buffers, and NVIDIA's NTC as ../shared/reference/ntc.json has it.

    resident.py CASE=FILE.igs … [--write]

Nothing is compressed for it. How many bytes a buffer takes over its file is measured on the files that are given, two
or more sizes of each case, and drawn linearly over the logarithm of file bytes between them, level beyond. PSNR by file
bytes is that of the tables quality-psnr and quality-curves, drawn in the same way; beyond their ends it goes on as
between the last two points, and is marked with ~. A material with levels counts the most that those may take.
"""

import argparse
import json
import math
import re
from pathlib import Path

import numpy as np
from cases import SHARED
from tables import DOCUMENTS, markdown, replace_table

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.shaders.gpu_buffer import pack_gaussians, reserve_levels

RATES = (0.556, 1.111, 1.667, 2.5)
Curve = list[tuple[float, float]]


def main() -> None:
    """Print the table; --write puts it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="CASE=FILE.igs")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    files: dict[str, list[Path]] = {}
    for given in arguments.files:
        case, _, path = given.partition("=")
        files.setdefault(case, []).append(Path(path))
    reference = json.loads((SHARED / "reference" / "ntc.json").read_text())["cases"]
    rows = [_row(case, sorted(paths, key=_size), reference[case]) for case, paths in files.items()]
    headings = ["case", *(f"{rate:.2f}: NTC, ours, with levels" for rate in RATES), "bytes at 0.56"]
    table = markdown(headings, rows)
    print(table)
    if arguments.write:
        replace_table("resident", table)


def _size(path: Path) -> int:
    return path.stat().st_size


def _row(case: str, paths: list[Path], points: list[dict[str, float]]) -> list[str]:
    sets = [read_igs(path) for path in paths]
    first = sets[0]
    samples = first.width * first.height * sum(texture_map.channel_count for texture_map in first.maps)
    curve = _psnr_curve(case, samples)
    known = [math.log(_size(path)) for path in paths]
    plain = [pack_gaussians(each).ledger.total / _size(path) for path, each in zip(paths, sets, strict=True)]
    levelled = [reserve_levels(each).ledger.total / _size(path) for path, each in zip(paths, sets, strict=True)]
    by_rate = {round(point["bpp"], 3): point for point in points}
    cells = []
    for rate in RATES:
        point = by_rate[rate]
        ours = [_psnr(curve, _file_bytes(point["resident_bytes"], known, over)) for over in (plain, levelled)]
        cells.append(f"{point['psnr_db']:.2f}, {ours[0]}, {ours[1]}")
    return [case, *cells, f"{by_rate[RATES[0]]['resident_bytes']:,}"]


def _file_bytes(resident: float, known: list[float], factors: list[float]) -> float:
    """Return the bytes of the file whose buffer takes so many."""
    found = resident / factors[0]
    for _ in range(20):
        found = resident / float(np.interp(math.log(found), known, factors))
    return found


def _psnr_curve(case: str, samples: int) -> Curve:
    page = "".join(page.read_text(encoding="utf-8") for page in sorted((DOCUMENTS / "benchmarks").glob("*.md")))
    headings, row = _table_row(page, "quality-curves", case)
    rates = [float(cell.split()[0]) for cell in headings[1:]]
    curve = [(rate * samples / 8, float(cell)) for rate, cell in zip(rates, row[1:], strict=True)]
    headings, row = _table_row(page, "quality-psnr", case)
    at = dict(zip(headings, row, strict=True))
    curve.append((float(at["our bytes"].replace(",", "")), float(at["ours dB"])))
    return sorted(curve)


def _table_row(page: str, name: str, case: str) -> tuple[list[str], list[str]]:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", page, re.DOTALL)
    assert found is not None
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in found[1].splitlines()]
    return lines[0], next(line for line in lines if line[0] == case)


def _psnr(curve: Curve, file_bytes: float) -> str:
    at = np.log([size for size, _ in curve])
    psnr = np.array([value for _, value in curve])
    wanted = math.log(file_bytes)
    index = int(np.clip(np.searchsorted(at, wanted), 1, len(at) - 1))
    slope = (psnr[index] - psnr[index - 1]) / (at[index] - at[index - 1])
    value = psnr[index - 1] + slope * (wanted - at[index - 1])
    return f"{'' if at[0] <= wanted <= at[-1] else '~'}{value:.2f}"


if __name__ == "__main__":
    main()
