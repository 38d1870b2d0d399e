"""The README's picture, docs/images/material.png: the material of examples/make_material.py, and its decode.

    python benchmarks/readme_picture.py [--backend cuda] [--output FILE.png]

Crops of base colour, normal and roughness at their own size: above the source, below what a file gives back.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import imagegs_tex
from imagegs_tex.formats.images import read_image, write_image

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples"))
from make_material import make_material  # its folder is no package

SIZE: Final = 1024
GAUSSIANS: Final = 80_000
MAPS: Final = {"basecolor": "base colour", "normal": "normal", "roughness": "roughness"}
CROP: Final = (slice(380, 668), slice(300, 588))
"""Rows and columns: stones, joints, moss and a stain."""
GAP: Final = 8
LABEL_HEIGHT: Final = 30
FONT_SIZE: Final = 17
INK: Final = (40, 40, 40)
PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "images" / "material.png"


def main() -> None:
    """Compress, decode and put the crops together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--output", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source, file, decoded = (Path(scratch) / name for name in ("source", "material.igs", "decoded"))
        for name, texels in make_material(SIZE).items():
            write_image(source / f"{name}.png", texels)
        settings = imagegs_tex.CompressSettings(gaussian_count=GAUSSIANS)
        report = imagegs_tex.compress(source, file, settings, arguments.backend)
        imagegs_tex.decode(file, decoded, backend=arguments.backend)
        source_bytes = sum(path.stat().st_size for path in source.iterdir())
        labels = (
            f"source: {len(report.maps)} maps of {SIZE} x {SIZE} texels, {source_bytes / 1e6:.1f} MB of PNG",
            f"decode: one .igs file, {report.file_bytes / 1e3:.0f} KB, {report.psnr_db:.1f} dB over all maps",
        )
        draw(labels, (source, decoded)).save(arguments.output, optimize=True)
    print(*labels, sep="\n")


def draw(labels: tuple[str, str], folders: tuple[Path, Path]) -> Image.Image:
    """Each folder's crops side by side, below its label."""
    side = CROP[1].stop - CROP[1].start
    row_height = LABEL_HEIGHT + side + GAP
    picture = Image.new("RGB", (len(MAPS) * (side + GAP) + GAP, len(folders) * row_height), (255, 255, 255))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT_SIZE)
    for row, (label, folder) in enumerate(zip(labels, folders, strict=True)):
        pen.text((GAP, row * row_height + 5), label, INK, font)
        for column, name in enumerate(MAPS):
            texels = read_image(folder / f"{name}.png")[0][CROP]
            crop = Image.fromarray(np.broadcast_to(texels, (*texels.shape[:2], 3)).astype(np.uint8))
            place = (GAP + column * (side + GAP), row * row_height + LABEL_HEIGHT)
            picture.paste(crop, place)
            if row == 0:
                box = pen.textbbox((place[0] + 6, place[1] + 4), MAPS[name], font)
                pen.rectangle((box[0] - 4, box[1] - 4, box[2] + 4, box[3] + 4), (255, 255, 255))
                pen.text((place[0] + 6, place[1] + 4), MAPS[name], INK, font)
    return picture


if __name__ == "__main__":
    main()
