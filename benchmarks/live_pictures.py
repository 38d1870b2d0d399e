"""What the studio's live pictures cost a fit: processor time with them and without, in pairs, and whether bytes agree.

    python benchmarks/live_pictures.py [--size 512] [--gaussians 12000] [--pairs 3]

Times are of the whole process. The example material is fitted with the preset balanced and without grain.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from imagegs_tex.api import compress_stack
from imagegs_tex.example_material import make_material
from imagegs_tex.fit.control import FitControl
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, DetailMode, Preset, preset_settings
from imagegs_tex.studio.live import LivePictures
from imagegs_tex.studio.wishes import Wish


def main() -> None:
    """Measure and print a line for each pair."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--gaussians", type=int, default=12_000)
    parser.add_argument("--pairs", type=int, default=3)
    asked = parser.parse_args()
    settings = replace(preset_settings(Preset.BALANCED), gaussian_count=asked.gaussians, detail=DetailMode.OFF)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "material"
        for name, texels in make_material(asked.size).items():
            write_image(source / f"{name}.png", texels)
        stack, file = load_stack(source), Path(folder) / "file.igs"
        backends = make_backend("auto"), make_backend("cpu", 1)
        quick = replace(settings, fit=replace(settings.fit, steps=30))
        for live in (False, True):
            _run(stack, file, quick, backends, live=live)  # compiles what is not compiled yet
        for number in range(asked.pairs):
            order = (False, True) if number % 2 == 0 else (True, False)
            found = {live: _run(stack, file, settings, backends, live=live) for live in order}
            (plain, plain_wall, _, first), (pictured, wall, frames, second) = found[False], found[True]
            agree = "equal" if first == second else "NOT EQUAL"
            print(
                f"without {plain:6.2f} s of processor, {plain_wall:6.2f} s; with {frames:3d} frames {pictured:6.2f} s, "
                f"{wall:6.2f} s: {100 * (pictured / plain - 1):+.1f} % of processor, "
                f"{100 * (wall / plain_wall - 1):+.1f} % by the clock; bytes {agree}",
                flush=True,
            )


def _run(
    stack: TextureStack, file: Path, settings: CompressSettings, backends: tuple[Backend, Backend], *, live: bool
) -> tuple[float, float, int, bytes]:
    """Compress once; return seconds of the processor and by the clock, frames, and the file's bytes."""
    processor, clock = time.process_time(), time.perf_counter()
    pictures = LivePictures(stack, backends[1], settings.precision) if live else None
    control = None if pictures is None else FitControl(Wish().every, pictures.offer)
    compress_stack(stack, file, settings, backends[0], control=control)
    if pictures is not None:
        pictures.draw_last()
        pictures.close()
    took = time.process_time() - processor, time.perf_counter() - clock
    return *took, 0 if pictures is None else len(pictures.frames), file.read_bytes()


if __name__ == "__main__":
    main()
