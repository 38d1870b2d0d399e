"""What low rates look like: docs/images/look.png, of the material that examples/make_material.py generates.

    python benchmarks/look.py [--backend cuda] [--output FILE.png]

A crop of base colour, normal and roughness, one below the other: the source, then for 0.05 and for 0.1 bits per channel
texel what Image-GS's own code makes of it, and our file at the balanced preset.

The reference's crops lie in docs/images/look_image_gs.png. Its code (commit f9b386b, default settings, 16 bits per
parameter) was given the five maps as RGB and grey images of 8 bits, with as many Gaussians as our file has bytes for:
1,872 and 3,744 at 28 bytes each. ``--crop-reference FOLDER`` makes that picture of RATE_MAP.png files.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import imagegs_tex
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples"))
from make_material import make_material  # its folder is no package

SIZE: Final = 1024
RATES: Final = (0.05, 0.1)
"""Bits per channel texel."""
MAPS: Final = ("basecolor", "normal", "roughness")
CROP: Final = (slice(380, 600), slice(300, 556))
"""Rows and columns: stones, joints, moss and a stain."""
IMAGES: Final = Path(__file__).resolve().parents[1] / "docs" / "images"
PICTURE: Final = IMAGES / "look.png"
REFERENCE: Final = IMAGES / "look_image_gs.png"


def main() -> None:
    """Compress, decode and put the crops together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--output", type=Path, default=PICTURE)
    parser.add_argument("--crop-reference", type=Path, metavar="FOLDER", help="only make the reference's crops")
    arguments = parser.parse_args()
    if arguments.crop_reference:
        columns = [crops(arguments.crop_reference, f"{rate}_") for rate in RATES]
        write_image(REFERENCE, np.concatenate(columns, axis=1))
        return
    reference = np.split(read_image(REFERENCE)[0].astype(np.uint8), len(RATES), axis=1)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        for name, texels in make_material(SIZE).items():
            write_image(source / f"{name}.png", texels)
        columns = [crops(source)]
        for rate, theirs in zip(RATES, reference, strict=True):
            settings = imagegs_tex.preset_settings(imagegs_tex.Preset.BALANCED)
            settings = replace(settings, bits_per_texel=rate * load_stack(source).channel_count)
            file, decoded = Path(scratch) / "file.igs", Path(scratch) / str(rate)
            report = imagegs_tex.compress(source, file, settings, arguments.backend)
            imagegs_tex.decode(file, decoded)
            columns += [theirs, crops(decoded)]
            print(f"{rate} bits per channel texel: {report.file_bytes} bytes, {report.psnr_db:.2f} dB")
    write_image(arguments.output, np.concatenate(columns, axis=1))


def crops(folder: Path, prefix: str = "") -> NDArray[np.uint8]:
    """Return the crops of a folder's maps, one below the other, as RGB; prefix comes before the maps' names."""
    parts = []
    for name in MAPS:
        texels = read_image(folder / f"{prefix}{name}.png")[0][CROP]
        parts.append(np.broadcast_to(texels, (*texels.shape[:2], 3)).astype(np.uint8))
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
