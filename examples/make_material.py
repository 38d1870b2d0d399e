"""Generate a material of our own: worn cobbles with cracks, moss in the joints and stains.

    python examples/make_material.py out/cobbles [--size 512] [--seed 7]

Writes base colour (8-bit sRGB), normal (OpenGL), roughness, ambient occlusion (8-bit) and height (16-bit) as PNG files.
imagegs_tex.example_material makes them; imagegs_tex.formats writes the files.
"""

import argparse
from pathlib import Path

from imagegs_tex.example_material import make_material
from imagegs_tex.formats.images import write_image

__all__ = ["main", "make_material"]


def main() -> None:
    """Write the material that the command line asks for."""
    parser = argparse.ArgumentParser(description="Generate a tileable cobblestone material.")
    parser.add_argument("folder", type=Path, help="where the maps go; made if missing")
    parser.add_argument("--size", type=int, default=512, help="width and height in texels")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other stones")
    options = parser.parse_args()
    for name, texels in make_material(options.size, options.seed).items():
        write_image(options.folder / f"{name}.png", texels)


if __name__ == "__main__":
    main()
