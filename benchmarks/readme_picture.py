"""The README's picture, docs/images/material.png: the material of examples/make_material.py, and its decode.

    python benchmarks/readme_picture.py [--backend cuda] [--output FILE.png]

It is the overview of ``imagegs-tex view``, of three of the maps.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

import imagegs_tex
from imagegs_tex.formats.images import write_image
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.viewing.gather import gather, load
from imagegs_tex.viewing.sheets import overview

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples"))
from make_material import make_material  # its folder is no package

SIZE: Final = 1024
GAUSSIANS: Final = 80_000
MAPS: Final = 3
PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "images" / "material.png"


def main() -> None:
    """Compress, and draw the overview."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--output", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source, file = Path(scratch) / "source", Path(scratch) / "material.igs"
        for name, texels in make_material(SIZE).items():
            write_image(source / f"{name}.png", texels)
        settings = imagegs_tex.CompressSettings(gaussian_count=GAUSSIANS)
        report = imagegs_tex.compress(source, file, settings, arguments.backend)
        overview(gather(load(file), source, make_backend(arguments.backend)), MAPS).save(
            arguments.output, optimize=True
        )
    print(f"{report.file_bytes:,} bytes, {report.psnr_db:.2f} dB")


if __name__ == "__main__":
    main()
