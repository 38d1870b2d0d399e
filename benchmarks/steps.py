"""What each step of a file buys, alone and together: the table of docs/experiments/index.md.

    python benchmarks/steps.py DIR [--backend cuda] [--jobs N] [--cases NAME ...] [--write]

Each case is compressed to the reference's PSNR, and to NTC's file size of 1.67 bits per texel: as it is by default,
with one step left out, and with all of them left out. A layer is left out where the default file has one. What entropy
coding buys is found by coding the default file's codes once more. Files and numbers are kept in DIR; what is there
already is not made again.
"""

import argparse
import json
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from unittest import mock

import numpy as np
from cases import SHARED, Case, load_cases
from tables import markdown, replace_table

from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.rate_control import encode_within_budget
from imagegs_tex.formats.igs import container, section_codecs
from imagegs_tex.formats.igs.container import encode_igs, read_igs
from imagegs_tex.formats.igs.plane_coders import Codec
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import (
    CompressSettings,
    DetailMode,
    FitSettings,
    Precision,
    QualityTarget,
    RepeatMode,
    ResidualMode,
)

RATE: Final = 1.667
"""NTC's bits per texel."""
Row = dict[str, Any]


Change = Callable[[CompressSettings], CompressSettings]


def _stored(change: Callable[[Precision], Precision]) -> Change:
    return lambda given: replace(given, precision=change(given.precision))


def _fitted(change: Callable[[FitSettings], FitSettings]) -> Change:
    return lambda given: replace(given, fit=change(given.fit))


STEPS: Final[dict[str, tuple[str, Change]]] = {
    "residual": ("the residual layer", _stored(lambda given: replace(given, residual=ResidualMode.OFF))),
    "repeat": ("the repeat", _stored(lambda given: replace(given, repeat=RepeatMode.OFF))),
    "price": (
        "features rounded, and Gaussians dropped, by what bits cost",
        _stored(lambda given: replace(given, rate_weight=0)),
    ),
    "exponent": (
        "feature steps that fall with a Gaussian's width", _stored(lambda given: replace(given, feature_exponent=0)),
    ),
    "sweeps": ("six sweeps over geometry codes, not one", _fitted(lambda given: replace(given, refine_sweeps=1))),
    "rounded": ("a fit that goes on with rounded geometry", _fitted(lambda given: replace(given, quantize_from=1.0))),
}  # fmt: skip
"""By name: what it is, and what leaves it out."""
RECODED: Final = {
    "trained": "a trained mixer (codec 5 in place of 3)",
    "described": "maps and components by context (codec 6 in place of Zstandard)",
}
GOALS: Final = ("psnr", "size")
TOGETHER: Final = "together"


def goal_settings(case: Case, goal: str) -> CompressSettings:
    """Return the default settings that reach a goal."""
    settings = CompressSettings(detail=DetailMode.OFF)
    if goal == "psnr":
        return replace(settings, target_psnr=case.psnr_db)
    points = json.loads((SHARED / "reference" / "ntc.json").read_text(encoding="utf-8"))["cases"][case.name]
    (size,) = (point["file_bytes"] for point in points if abs(point["bpp"] - RATE) < 0.01)
    return replace(settings, max_bytes=size)


def measure(job: tuple[str, str, str, Path, str]) -> str:
    """Make one file and keep its numbers; return a line about it."""
    name, goal, left_out, out, backend_name = job
    path = out / f"{name}.{goal}.{left_out}.json"
    if path.exists():
        return ""
    (case,) = load_cases([name])
    settings = goal_settings(case, goal)
    for step, (_, change) in STEPS.items():
        settings = change(settings) if left_out in {step, TOGETHER} else settings
    backend = make_backend(backend_name)
    with case.staged() as folder:
        stack = load_stack(folder)
    found = encode_within_budget(stack, settings, backend).quantized
    data = encode_igs(found)
    (level,) = compute_on(backend).all_reached((QualityTarget(0.0),), stack, found)
    row: Row = {"bytes": len(data), "psnr_db": level, "gaussians": found.gaussian_count}
    row |= {"residual": found.residual is not None, "repeat": found.repeat is not None}
    if left_out == "none":
        path.with_suffix(".igs").write_bytes(data)
    path.write_text(json.dumps(row), encoding="utf-8")
    return f"{path.stem} {row}"


def jobs_of(names: list[str], out: Path, backend: str) -> tuple[list[tuple[str, str, str, Path, str]], ...]:
    """Return the default files, and what is made once these are known: a layer is left out where one is in them."""
    first = [(name, goal, "none", out, backend) for name in names for goal in GOALS]
    always = [*(step for step in STEPS if step not in {"residual", "repeat"}), TOGETHER]
    return first, [(name, goal, step, out, backend) for name in names for goal in GOALS for step in always]


def with_layers(names: list[str], out: Path, backend: str) -> list[tuple[str, str, str, Path, str]]:
    """Return the files without a layer, of those that have it."""
    return [
        (name, goal, layer, out, backend)
        for name in names
        for goal in GOALS
        for layer in ("residual", "repeat")
        if row_of(out, name, goal, "none")[layer]
    ]


def row_of(out: Path, name: str, goal: str, left_out: str) -> Row:
    """Return what was measured; without a layer that the default file does not have, it is that file."""
    path = out / f"{name}.{goal}.{left_out}.json"
    found: Row = json.loads((path if path.exists() else out / f"{name}.{goal}.none.json").read_text(encoding="utf-8"))
    return found


def recoded(out: Path, name: str, goal: str, step: str) -> int:
    """Return the bytes of a default file whose codes are coded without a step."""
    quantized = read_igs(out / f"{name}.{goal}.none.igs")
    if step == "trained":
        with mock.patch.object(section_codecs, "_codec_for", return_value=Codec.PREDICTION):
            return len(encode_igs(quantized))
    with mock.patch.object(container, "code_description", return_value=None):
        return len(encode_igs(quantized))


def table_of(names: list[str], out: Path) -> str:
    """Return what leaving each step out costs: bytes at the reference's PSNR, dB at a size, and of which cases most."""
    rows: list[list[object]] = []
    for step, (about, _) in {**STEPS, TOGETHER: ("all of these", lambda given: given)}.items():
        shares = [
            row_of(out, name, "psnr", step)["bytes"] / row_of(out, name, "psnr", "none")["bytes"] for name in names
        ]
        lost = [
            row_of(out, name, "size", "none")["psnr_db"] - row_of(out, name, "size", step)["psnr_db"] for name in names
        ]
        rows.append([about, _percent(shares), _most(names, shares), f"{np.mean(lost):+.2f}", _most_db(names, lost)])
    for step, about in RECODED.items():
        shares = [recoded(out, name, "psnr", step) / row_of(out, name, "psnr", "none")["bytes"] for name in names]
        sizes = [recoded(out, name, "size", step) / row_of(out, name, "size", "none")["bytes"] for name in names]
        rows.append([about, _percent(shares), _most(names, shares), f"{_percent(sizes)} bytes", ""])
    return markdown(
        ["left out", "bytes more, at the reference's PSNR", "most", f"dB less, at {RATE} bits per texel", "most"], rows
    )


def _percent(shares: list[float]) -> str:
    return f"{100 * (np.exp(np.mean(np.log(shares))) - 1):+.1f} %"


def _most(names: list[str], shares: list[float]) -> str:
    at = int(np.argmax(shares))
    return f"{names[at]} {100 * (shares[at] - 1):+.0f} %" if shares[at] > 1 else ""


def _most_db(names: list[str], lost: list[float]) -> str:
    at = int(np.argmax(lost))
    return f"{names[at]} {lost[at]:+.2f}" if lost[at] > 0 else ""


def main() -> None:
    """Measure what is not known yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    names = [case.name for case in load_cases(options.cases)]
    first, then = jobs_of(names, options.out, options.backend)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for line in pool.imap_unordered(measure, first):
            print(line, flush=True)
        for line in pool.imap_unordered(measure, with_layers(names, options.out, options.backend) + then):
            print(line, flush=True)
    table = table_of(names, options.out)
    print(table)
    if options.write:
        replace_table("steps", table)


if __name__ == "__main__":
    main()
