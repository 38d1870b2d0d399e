"""The main job on the example material: compress, decode, compare, and pictures of what came out.

    demo.py [FOLDER]

Everything goes into FOLDER (out/demo when not given): the generated material, the .igs file, the decoded maps, labelled
pictures, and one page of them to open in a browser.
"""

import sys
from pathlib import Path

from make_material import make_material

import imagegs_tex
from imagegs_tex.cli.tables import print_comparison, print_compression, print_view
from imagegs_tex.formats.images import write_image

SIZE = 512
QUALITY = 75  # of what is looked at closely; 50 is usual


def main() -> None:
    """Run the whole demonstration."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out/demo")
    source, file = folder / "material", folder / "material.igs"
    source.mkdir(parents=True, exist_ok=True)
    for name, texels in make_material(SIZE).items():
        write_image(source / f"{name}.png", texels)
    report = imagegs_tex.compress(source, file, imagegs_tex.CompressSettings(quality=QUALITY))
    print_compression(report, file)
    imagegs_tex.decode(file, folder / "decoded", overwrite=True)
    print_comparison(imagegs_tex.compare(file, source), file)
    print_view(imagegs_tex.view(file, folder / "pictures", source, page=folder / "material.html"))


if __name__ == "__main__":
    main()
