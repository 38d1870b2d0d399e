"""A tree of materials from the public ones: what builds of it do, and how long they take.

    python benchmarks/build_tree.py MATERIALS [--count 300] [--largest 512] [--jobs 2] [--preset fast] [--folder DIR]

MATERIALS is a folder of materials (one per folder). Crops of them, 128² to 512² texels, become a tree: props, walls,
characters, unless --folder has one from before. Then: a first build, a second one, one map changed, a material renamed,
pattern of names, and another output from the cache.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from imagegs_tex.formats.images import FORMATS, read_picture, write_image

FOLDERS: Final = ("props", "walls", "characters")
SIZES: Final = (128, 128, 192, 256, 256, 384, 512)
PROJECT: Final = """input = "in"
[defaults]
preset = "{preset}"
[[rule]]
match = "walls/**"
gaussians = {gaussians}
"""


def write_tree(materials: Path, root: Path, count: int, largest: int) -> None:
    """Write crops of materials."""
    rng = random.Random(1)
    maps: dict[Path, dict[str, np.ndarray]] = {}
    for folder in sorted(path for path in materials.iterdir() if path.is_dir()):
        found = {}
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in FORMATS:
                texels = read_picture(path).texels
                if texels.dtype == np.uint8:
                    found[path.stem] = texels
        sizes = {texels.shape[:2] for texels in found.values()}
        if found and len(sizes) == 1 and min(next(iter(sizes))) >= largest:
            maps[folder] = found
    for number in range(count):
        source = rng.choice(list(maps))
        size = min(largest, rng.choice(SIZES))
        height, width = next(iter(maps[source].values())).shape[:2]
        top, left = rng.randrange(height - size + 1), rng.randrange(width - size + 1)
        target = root / rng.choice(FOLDERS) / f"{source.name}_{number:03d}"
        target.mkdir(parents=True)
        for stem, texels in maps[source].items():
            write_image(target / f"{stem}.png", texels[top : top + size, left : left + size])


def build(folder: Path, output: str, jobs: int, preset: str, gaussians: int, *more: str) -> float:
    """Build, print what the build says of itself, and return the seconds that it took."""
    (folder / "project.toml").write_text(PROJECT.format(preset=preset, gaussians=gaussians))
    target = ("-o", str(folder / output), "--jobs", str(jobs))
    command = [sys.executable, "-m", "imagegs_tex", "build", str(folder / "project.toml"), *target, *more]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    said = (done.stdout.splitlines() or ["nothing"])[0].rpartition(": ")[2]
    wrong = f"  (exit code {done.returncode}: {done.stderr[-200:]})" if done.returncode else ""
    print(f"{seconds:8.1f} s  {said}{wrong}", flush=True)
    return seconds


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("materials", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--largest", type=int, default=512)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    if not (folder / "in").exists():
        write_tree(options.materials, folder / "in", options.count, options.largest)
    print(f"{options.count} materials, {options.jobs} processes, {options.preset}", flush=True)
    cache = ("--cache", str(folder / "cache"))

    def step(title: str, output: str = "out", gaussians: int = 300) -> float:
        print(f"{title:<34}", end="", flush=True)
        return build(folder, output, options.jobs, options.preset, gaussians, *cache)

    first = step("first build")
    step("second build")
    changed = next(iter(sorted((folder / "in" / "props").iterdir())))
    image = next(iter(sorted(changed.glob("*.png"))))
    write_image(image, 255 - read_picture(image).texels)
    step("one map changed")
    changed.rename(changed.with_name("renamed"))
    step("one material renamed")
    shutil.rmtree(folder / "in" / "props" / "renamed")
    step("one material removed")
    walls = len(list((folder / "in" / "walls").iterdir()))
    step(f"other settings for walls/** ({walls})", gaussians=310)
    step("another output, from the cache", output="another", gaussians=310)
    print(f"first build: {first / options.count:.2f} s for each material")
    if not options.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
