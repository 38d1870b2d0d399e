"""What an SSIM loss and importance by saliency buy, with as many Gaussians: docs/experiments/optimiser.md.

    python benchmarks/what_counts.py [--cases NAME ...] [--gaussians 4000] [--preset P] [--backend B] [--jobs N]

PSNR and SSIM are over all maps, FLIP is that of colours. The last two columns are of the tenth of the texels that the
estimate of saliency calls most salient, whatever the fit went by. Detail is off.
"""

import argparse
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from cases import Case, load_cases
from numpy.typing import NDArray
from tables import markdown
from workers import side_by_side

import imagegs_tex
from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.material.stack import source_map
from imagegs_tex.metrics.scores import pooled_psnr, score_map, squared_error
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.saliency.estimate import estimate_saliency

SSIM_WEIGHTS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3)
SALIENT_SHARE = 0.1
HEADINGS = ["case", "fit", "bytes", "PSNR", "SSIM", "FLIP", "PSNR, salient", "FLIP, salient"]


def main() -> None:
    """Measure the cases and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--gaussians", type=int, default=4000)
    parser.add_argument("--preset", type=imagegs_tex.Preset, default=imagegs_tex.Preset.BALANCED)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    settings = replace(
        imagegs_tex.preset_settings(options.preset), gaussian_count=options.gaussians,
        detail=imagegs_tex.DetailMode.OFF,
    )  # fmt: skip
    found = side_by_side(partial(measure, settings, options.backend), load_cases(options.cases), options.jobs)
    print(markdown(HEADINGS, [row for rows in found for row in rows]))


def measure(settings: imagegs_tex.CompressSettings, backend: str, case: Case) -> list[list[object]]:
    """Return a row for each weight of the SSIM loss, and one for importance by saliency."""
    rows: list[list[object]] = []
    with case.staged() as folder:
        stack = imagegs_tex.load_stack(folder)
        saliency = estimate_saliency(stack)
        salient = saliency >= np.quantile(saliency, 1 - SALIENT_SHARE)
        for weight in SSIM_WEIGHTS:
            own = replace(settings, fit=replace(settings.fit, ssim_weight=weight))
            rows.append([case.name, f"SSIM {weight:g}", *scores(folder, stack, salient, own, backend)])
        by_saliency = imagegs_tex.SourceOptions(importance_by_saliency=True)
        rows.append([case.name, "by saliency", *scores(folder, stack, salient, settings, backend, by_saliency)])
    return rows


def scores(
    folder: Path,
    stack: imagegs_tex.TextureStack,
    salient: NDArray[np.bool_],
    settings: imagegs_tex.CompressSettings,
    backend: str,
    options: imagegs_tex.SourceOptions | None = None,
) -> list[object]:
    """Return one row's figures: of a file made with settings, against the stack."""
    with tempfile.TemporaryDirectory() as target:
        file = Path(target) / "file.igs"
        report = imagegs_tex.compress(folder, file, settings, backend, options=options)
        decoded = decode_maps(imagegs_tex.read_igs(file), make_backend(backend))
    found, flips, errors, values = [], [], 0.0, 0
    for index, (texture_map, samples) in enumerate(decoded):
        source = source_map(stack, index)
        found.append(score_map(texture_map, source, samples, True))
        inside = squared_error(texture_map, source, samples, salient.astype(np.float32))
        errors, values = errors + inside[0], values + inside[1]
        kept = np.where(salient[..., None], samples, source)  # right wherever nobody looks
        if found[-1].flip is not None:
            flips.append((found[-1].flip, (score_map(texture_map, source, kept, True).flip or 0.0) / SALIENT_SHARE))
    flip, flip_salient = np.mean(flips, axis=0) if flips else ("", "")
    return [
        report.file_bytes, round(pooled_psnr(found), 2), round(float(np.mean([score.ssim for score in found])), 4),
        rounded(flip), round(-10 * np.log10(errors / values), 2), rounded(flip_salient),
    ]  # fmt: skip


def rounded(value: object) -> object:
    """Return a number with four digits, and what is none as it is."""
    return round(float(value), 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
