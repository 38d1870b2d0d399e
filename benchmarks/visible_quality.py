"""What the qualities of --quality mean: bytes, FLIP, angle of normals and kept contrast.

    python benchmarks/visible_quality.py [--cases NAME ...] [--qualities Q ...] [--crop TEXELS] [--backend cpu|cuda]
        [--preset fast|balanced|best]

Materials are cropped to their middle. The table is printed; docs/guide/artist.md has its ranges.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cases import load_cases, write_middle
from tables import markdown

import imagegs_tex
from imagegs_tex.encoder.visible_quality import decibels_of_quality

CASES = [
    "facade_005_tiles",
    "image_anime_meadow",
    "rusty_metal_053c",
    "caution_panel",
    "brick_wall_017",
    "mossy_rock_053",
]
QUALITIES = [25.0, 50.0, 75.0, 90.0]
HEADINGS = [
    "case",
    "quality",
    "dB",
    "bytes",
    "bits per texel",
    "FLIP",
    "degrees",
    "structure",
    "contrast of the colour",
    "processor s",
]


def main() -> None:
    """Measure the cases at every quality, then print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=CASES)
    parser.add_argument("--qualities", nargs="*", type=float, default=QUALITIES)
    parser.add_argument("--crop", type=int, default=512)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--preset", default="balanced", type=imagegs_tex.Preset)
    arguments = parser.parse_args()
    rows = []
    for case in load_cases(arguments.cases):
        with case.staged() as staged, tempfile.TemporaryDirectory() as target:
            folder = Path(target) / case.name
            write_middle(staged, folder, arguments.crop)
            for quality in arguments.qualities:
                settings = replace(imagegs_tex.preset_settings(arguments.preset), quality=quality)
                rows.append(row(case.name, folder, settings, arguments.backend))
    print(markdown(HEADINGS, rows))


def row(name: str, folder: Path, settings: imagegs_tex.CompressSettings, backend: str) -> list[object]:
    """Return one row of the table."""
    quality = settings.quality or 0.0
    file, began = folder.parent / f"{quality:g}.igs", time.process_time()
    made = imagegs_tex.compress(folder, file, settings, backend)
    seconds = time.process_time() - began
    scores = imagegs_tex.compare(file, folder, backend=backend).maps
    colours = [score for score in scores if score.semantic in {"base_colour", "image"}]
    kept = [score.kept_contrast_with_detail or score.kept_contrast or () for score in colours]
    return [
        name, f"{quality:g}", f"{decibels_of_quality(quality):.1f}", made.file_bytes, f"{made.bits_per_texel:.2f}",
        shown((score.flip for score in colours), 3), shown((score.normal_degrees_mean for score in scores), 1),
        shown((score.normal_degrees_structure for score in scores), 1),
        " ".join(f"{ratio:.2f}" for ratios in kept for ratio in ratios[:2] if ratio is not None),
        f"{seconds:.1f}",
    ]  # fmt: skip


def shown(values: Iterable[float | None], digits: int) -> str:
    """Return the numbers that there are."""
    return " ".join(f"{value:.{digits}f}" for value in values if value is not None)


if __name__ == "__main__":
    main()
