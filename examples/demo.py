"""The main job on the example material: compress, decode, compare, and pictures of what came out.

    demo.py [FOLDER]

Everything goes into FOLDER (out/demo when not given): the generated material, the .igs file, the decoded maps, labelled
pictures, and one page of them to open in a browser.
"""

import sys
from pathlib import Path

from make_material import make_material

import imagegs_tex
from imagegs_tex.cli.progress import fit_progress
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
    print(
        f"{source}: made-up stones of {SIZE} x {SIZE} texels, now compressed at quality {QUALITY}: a minute or two",
        flush=True,
    )
    with fit_progress(quiet=False) as progress:
        report = imagegs_tex.compress(source, file, imagegs_tex.CompressSettings(quality=QUALITY), progress=progress)
    print_compression(report, file)
    imagegs_tex.decode(file, folder / "decoded", overwrite=True)
    print_comparison(imagegs_tex.compare(file, source), file)
    page = folder / "material.html"
    print_view(imagegs_tex.view(file, folder / "pictures", source, page=page))
    print(next_steps(file, source, page))


def next_steps(file: Path, source: Path, page: Path) -> str:
    """Return what to do with what was made."""
    command = Path(sys.executable).with_name("imagegs-tex")
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    return (
        f"\nOpen {page} in a browser. It is one file that loads nothing: send it as it is to whoever should look.\n"
        f"A smaller, softer file, at the usual quality:\n    {command} compress {source} -o small.igs\n"
        f"A decoder for a shader:\n    {command} emit {file} -o shader --lang glsl\n"
        f"The material to turn in a light (built once by `make web`):\n    {command} view {file} --browser"
    )


if __name__ == "__main__":
    main()
