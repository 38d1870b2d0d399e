"""What the detail layer gives back: kept contrast with and without it, at the reference's PSNR and at half those bytes.

    python benchmarks/detail.py [--cases NAME ...] [--others] [--backend cpu|cuda] [--jobs N] [--write]

Ratios are of the two finest octaves, as reports have them (docs/conventions.md), of colours, normals and roughness.
--write puts the table into docs/, all cases of its kind should then be there.
"""

import argparse
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from cases import Case, load_cases, load_others
from tables import markdown, replace_table
from workers import side_by_side

import imagegs_tex

MEANINGS = {"base_colour": "colour", "image": "colour", "normal": "normal", "roughness": "roughness"}
SHOWN = ("colour", "normal", "roughness")
HEADINGS = ["case", "bytes", "of them detail", *(f"{name}: without → with" for name in SHOWN)]


def main() -> None:
    """Measure the cases, then print and write their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cases = (load_others if arguments.others else load_cases)(arguments.cases)
    found = side_by_side(partial(measure, arguments.backend), cases, arguments.jobs)
    table = markdown(HEADINGS, [row for rows in found for row in rows])
    print(table)
    if arguments.write:
        replace_table("detail-others" if arguments.others else "detail", table)


def measure(backend: str, case: Case) -> list[list[object]]:
    """Return the rows of a case: at the reference's PSNR, and with half the bytes."""
    settings = imagegs_tex.preset_settings(imagegs_tex.Preset.BALANCED)
    with case.staged() as folder, tempfile.TemporaryDirectory() as target:
        file = Path(target) / "file.igs"
        whole = imagegs_tex.compress(folder, file, replace(settings, target_psnr=case.psnr_db), backend)
        half = imagegs_tex.compress(folder, file, replace(settings, max_bytes=whole.file_bytes // 2), backend)
    return [row(case.name, whole), row("half the bytes", half)]


def row(name: str, report: imagegs_tex.CompressReport) -> list[object]:
    """Return one row of the table."""
    shown = {MEANINGS[score.semantic]: score for score in report.maps if score.semantic in MEANINGS}
    ratios = [contrast(shown[meaning]) if meaning in shown else "" for meaning in SHOWN]
    return [name, report.file_bytes, report.ledger.detail or "", *ratios]


def contrast(score: imagegs_tex.MapScore) -> str:
    """Return the two finest octaves without the layer, and with it where it is drawn."""
    without, with_detail = (
        " ".join(f"{ratio:.2f}" for ratio in (ratios or ())[:2] if ratio is not None)
        for ratios in (score.kept_contrast, score.kept_contrast_with_detail)
    )
    return f"{without} → {with_detail}" if with_detail else without


if __name__ == "__main__":
    main()
