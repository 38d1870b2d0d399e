"""What an SSIM loss, first placements and importance by saliency buy at equal bytes: docs/benchmarks/what-counts.md.

    python benchmarks/what_counts.py [--cases NAME ...] [--fits NAME ...] [--middle TEXELS] [--share 0.2] [--preset P]
                                     [--backend B] [--jobs N] [--results DIR] [--kept] [--write]

Each fit is made for the same size limit: a share of the reference's bytes, of which a search uses 97 to 100 %. With
--middle only the middle square of so many texels is compressed, with a limit as much smaller. PSNR and
SSIM are over all maps, FLIP is that of colours. The salient tenth are the texels that the estimate of saliency calls
most salient, whatever the fit went by. Detail is off. Every measurement is kept as JSON in --results (out/what-counts)
and not made again; --kept makes tables of those alone, with empty cells.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from cases import Case, load_cases, write_middle
from tables import markdown, replace_table
from workers import side_by_side

import imagegs_tex
from imagegs_tex import InitialPlacement
from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.material.stack import source_map
from imagegs_tex.metrics.scores import pooled_psnr, score_map, squared_error
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.saliency.estimate import estimate_saliency

PLAIN: Final = "plain"
WEIGHTS: Final = {f"ssim {weight:g}": {"ssim_weight": weight} for weight in (0.05, 0.1, 0.2, 0.3)}
PLACEMENTS: Final = {
    f"init {init.value}": {"init": init} for init in (InitialPlacement.RANDOM, InitialPlacement.SALIENCY)
}
IMPORTANCE: Final = "importance auto"
FITS: Final[Mapping[str, Mapping[str, Any]]] = {PLAIN: {}, **WEIGHTS, **PLACEMENTS, IMPORTANCE: {}}
"""Settings of the fit that differ from the preset's."""
SALIENT_SHARE: Final = 0.1
HERE = Path(__file__).resolve().parent
Result = dict[str, Any]
Results = dict[tuple[str, str], Result]
"""By case and fit."""


@dataclass(frozen=True)
class Plan:
    """How every file is made."""

    share: float  # of the reference's bytes, for as many texels
    preset: imagegs_tex.Preset
    backend: str
    middle: int | None  # side of what is compressed, in texels; None for all
    results: Path


def main() -> None:
    """Measure what is not there yet, and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--fits", nargs="*", default=list(FITS), choices=list(FITS), metavar="NAME")
    parser.add_argument("--middle", type=int, metavar="TEXELS")
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--preset", type=imagegs_tex.Preset, default=imagegs_tex.Preset.BALANCED)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--results", type=Path, default=HERE.parent / "out" / "what-counts")
    parser.add_argument("--kept", action="store_true", help="measure nothing")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks/")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    cases = load_cases(options.cases)
    # the largest case decides when all are done
    tasks = [(fit, case) for case in sorted(cases, key=lambda case: -case.bytes) for fit in options.fits]
    if options.kept:
        tasks = [task for task in tasks if kept_in(options.results, task).exists()]
    plan = Plan(options.share, options.preset, options.backend, options.middle, options.results)
    results = side_by_side(partial(measure, plan), tasks, options.jobs)
    found = {(case.name, fit): result for (fit, case), result in zip(tasks, results, strict=True)}
    for name, table in tables(cases, options.fits, found).items():
        print(f"\n{name}\n{table}", flush=True)
        if options.write:
            replace_table(f"what-counts-{name}", table)


def measure(plan: Plan, task: tuple[str, Case]) -> Result:
    """Return the figures of one case's fit, which are kept in a file."""
    fit, case = task
    kept = kept_in(plan.results, task)
    if not kept.exists():
        temporary = kept.with_suffix(".part")
        temporary.write_text(json.dumps(scores(plan, fit, case)), encoding="utf-8")
        temporary.rename(kept)
    result: Result = json.loads(kept.read_text(encoding="utf-8"))
    return result


def kept_in(results: Path, task: tuple[str, Case]) -> Path:
    """Return the file that one case's fit is kept in."""
    fit, case = task
    return results / f"{case.name}-{fit.replace(' ', '-')}.json"


def scores(plan: Plan, fit: str, case: Case) -> Result:
    """Make the file, decode it, and score it against the case's maps, also in the salient tenth."""
    usual = imagegs_tex.preset_settings(plan.preset)
    options = imagegs_tex.SourceOptions(importance_by_saliency=fit == IMPORTANCE)
    with case.staged() as whole, tempfile.TemporaryDirectory() as target:
        folder, file, part = whole, Path(target) / "file.igs", 1.0
        stack = imagegs_tex.load_stack(whole)
        if plan.middle is not None:
            folder, texels = Path(target) / case.name, stack.width * stack.height
            write_middle(whole, folder, plan.middle)
            stack = imagegs_tex.load_stack(folder)
            part = stack.width * stack.height / texels
        settings = replace(
            usual, max_bytes=round(plan.share * part * case.bytes), detail=imagegs_tex.DetailMode.OFF,
            fit=replace(usual.fit, **FITS[fit]),
        )  # fmt: skip
        report = imagegs_tex.compress(folder, file, settings, plan.backend, options=options)
        decoded = decode_maps(imagegs_tex.read_igs(file), make_backend(plan.backend))
    saliency = estimate_saliency(stack)
    salient = saliency >= np.quantile(saliency, 1 - SALIENT_SHARE)
    found, flips, errors, values = [], [], 0.0, 0.0
    for index, (texture_map, samples) in enumerate(decoded):
        source = source_map(stack, index)
        found.append(score_map(texture_map, source, samples, True))
        inside = squared_error(texture_map, source, samples, salient.astype(np.float32))
        errors, values = errors + inside[0], values + inside[1]
        if found[-1].flip is not None:
            kept = np.where(salient[..., None], samples, source)  # right wherever nobody looks
            flips.append((found[-1].flip, (score_map(texture_map, source, kept, True).flip or 0.0) / SALIENT_SHARE))
    flip, flip_salient = np.mean(flips, axis=0).tolist() if flips else (None, None)
    return {
        "bytes": report.file_bytes, "gaussians": report.gaussians, "psnr": pooled_psnr(found),
        "ssim": float(np.mean([score.ssim for score in found])), "flip": flip,
        "psnr_salient": -10 * float(np.log10(errors / values)), "flip_salient": flip_salient,
        "seconds": report.seconds.total, "device": report.device,
    }  # fmt: skip


def tables(cases: list[Case], fits: list[str], found: Results) -> dict[str, str]:
    """Return the tables by name, of those fits that are asked for beside the plain one."""
    groups = {"ssim": list(WEIGHTS), "placement": list(PLACEMENTS)}
    made = {}
    for name, members in groups.items():
        if not set(members) & set(fits):
            continue
        shown = [PLAIN, *(fit for fit in members if fit in fits)]
        rows = [
            [case.name, *(figures(found[case.name, fit]) if (case.name, fit) in found else "" for fit in shown)]
            for case in cases
        ]
        rows.append(["mean against plain", "", *(mean_of(differences(cases, fit, found)) for fit in shown[1:])])
        made[name] = markdown(["case", *shown], rows)
    if all((case.name, IMPORTANCE) in found for case in cases):
        keys = ("psnr", "flip", "psnr_salient", "flip_salient")
        headings = [f"{title}, {fit}" for title in ("PSNR", "FLIP", "PSNR in the tenth", "FLIP in the tenth")
                    for fit in ("plain", "auto")]  # fmt: skip
        rows = [
            [case.name, *(rounded(key, found[case.name, fit][key]) for key in keys for fit in (PLAIN, IMPORTANCE))]
            for case in cases
        ]
        made["importance"] = markdown(["case", *headings], rows)
    return made


def figures(result: Result) -> str:
    """Return bytes, dB, SSIM and FLIP in one cell."""
    return f"{result['bytes']:,}: " + ", ".join(rounded(key, result[key]) for key in ("psnr", "ssim", "flip"))


def differences(cases: list[Case], fit: str, found: Results) -> tuple[float, float, float, int]:
    """Return the mean dB, SSIM and relative FLIP that a fit has over the plain one, and of how many cases."""
    pairs = [(found[case.name, fit], found[case.name, PLAIN]) for case in cases if (case.name, fit) in found]
    flips = [fitted["flip"] / plain["flip"] - 1 for fitted, plain in pairs if plain["flip"]]
    decibels, ssim = (float(np.mean([one[key] - other[key] for one, other in pairs])) for key in ("psnr", "ssim"))
    return decibels, ssim, float(np.mean(flips)) if flips else 0.0, len(pairs)


def mean_of(difference: tuple[float, float, float, int]) -> str:
    """Return differences in one cell."""
    decibels, ssim, flip, count = difference
    return f"{decibels:+.2f} dB, {ssim:+.4f}, {100 * flip:+.1f} % ({count})"


def rounded(key: str, value: float | None) -> str:
    """Return a figure with the digits that say something."""
    if value is None:
        return ""
    return f"{value:.2f}" if key.startswith("psnr") else f"{value:.4f}"


if __name__ == "__main__":
    main()
