"""Restoration: whether the decode of a damaged picture is nearer to the clean picture than the damaged picture is.

    python benchmarks/restoration.py [--side 256] [--preset P] [--backend B] [--jobs N] [--write]

The middle of each picture, damaged by Gaussian noise or by a JPEG of low quality, compressed with one Gaussian per so
many texels, detail off. PSNR is against the clean picture. A filter that knows nothing of the damage, the best of three
Gaussian blurs by the clean picture's own account, stands beside.
"""

import argparse
import io
import math
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from cases import SHARED
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from tables import markdown, replace_table
from workers import side_by_side

import imagegs_tex
from imagegs_tex.formats.images import read_image, write_image

PICTURES = (
    "image_vector_castle/image.png",
    "image_anime_character/image.png",
    "stylized_stone_floor_001/basecolor.jpg",
    "image_photo_plaigne/image.png",
    "brick_wall_017/basecolor.jpg",
)
TEXELS_PER_GAUSSIAN = (128, 32, 8)
BLURS = (0.5, 0.8, 1.2)
HEADINGS = ["picture", "damage", "damaged", *(f"1 per {each}" for each in TEXELS_PER_GAUSSIAN), "best blur"]
Texels = NDArray[np.uint8]


def main() -> None:
    """Measure the pictures and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--preset", type=imagegs_tex.Preset, default=imagegs_tex.Preset.BALANCED)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks/")
    options = parser.parse_args()
    measured = partial(measure, options.side, options.preset, options.backend)
    rows = [row for found in side_by_side(measured, list(PICTURES), options.jobs) for row in found]
    table = markdown(HEADINGS, rows)
    print(table)
    if options.write:
        replace_table("restoration", table)


def measure(side: int, preset: imagegs_tex.Preset, backend: str, picture: str) -> list[list[object]]:
    """Return a row for each kind of damage."""
    texels, _ = read_image(SHARED / "materials" / picture)
    top, left = ((length - side) // 2 for length in texels.shape[:2])
    clean = np.ascontiguousarray(texels[top : top + side, left : left + side, :3]).astype(np.uint8)
    rng = np.random.default_rng(1)
    damaged = {
        "noise 10": noisy(clean, 10, rng), "noise 25": noisy(clean, 25, rng),
        "JPEG 30": through_jpeg(clean, 30), "JPEG 10": through_jpeg(clean, 10),
    }  # fmt: skip
    rows = []
    for kind, texels in damaged.items():
        decoded = [psnr(clean, decode_of(texels, side * side // each, preset, backend)) for each in TEXELS_PER_GAUSSIAN]
        rows.append(
            [picture.split("/", maxsplit=1)[0], kind, psnr(clean, texels), *decoded, max(blurred(texels, clean))]
        )
    return rows


def decode_of(texels: Texels, gaussians: int, preset: imagegs_tex.Preset, backend: str) -> Texels:
    """Return what a file of so many Gaussians decodes to."""
    settings = imagegs_tex.preset_settings(preset)
    with tempfile.TemporaryDirectory() as folder:
        write_image(Path(folder) / "basecolor.png", texels)
        file, shown = Path(folder) / "a.igs", Path(folder) / "decoded"
        imagegs_tex.compress(
            Path(folder) / "basecolor.png", file, replace(settings, gaussian_count=gaussians), backend
        )  # fmt: skip
        paths = imagegs_tex.decode(file, shown, backend=backend, detail=False)
        return read_image(paths[0])[0].astype(np.uint8)


def noisy(clean: Texels, deviation: float, rng: np.random.Generator) -> Texels:
    """Return the picture with white noise of a deviation in codes."""
    return np.clip(np.rint(clean + rng.normal(0, deviation, clean.shape)), 0, 255).astype(np.uint8)


def through_jpeg(clean: Texels, quality: int) -> Texels:
    """Return the picture as a JPEG has it."""
    stream = io.BytesIO()
    Image.fromarray(clean).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def blurred(texels: Texels, clean: Texels) -> list[float]:
    """Return the PSNR of each blur."""
    picture = Image.fromarray(texels)
    return [psnr(clean, np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)))) for radius in BLURS]


def psnr(clean: Texels, other: Texels) -> float:
    """Return dB, to two digits."""
    error = float(np.mean(np.square(clean.astype(np.float64) - other)))
    return round(-10 * math.log10(max(error, 1e-9) / 255**2), 2)


if __name__ == "__main__":
    main()
