"""`verify` for every folder of materials, all of them in one buffer: the table of docs/benchmarks/shaders.md.

    python benchmarks/verify_materials.py [FILE.igs …] [--folders NAME …] [--out DIR] [--size TEXELS]
        [--gaussians N] [--jobs N] [--write [TABLE]]

Each folder of ../shared/materials is compressed at a small size with the fast preset, or a file of its name in DIR is
taken as it is; files that are given, of old versions, too, come behind them. Every decoder is run on this machine's
OpenGL and by wgpu: a file's own include in a buffer of its own, and that of many materials in a buffer in which all
others lie in front of it. What is found goes into DIR, one JSON a file, and is not looked for again. `--folders`
without a name takes the given files alone.
"""

import argparse
import json
import multiprocessing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cases import SHARED
from tables import markdown, replace_table

import imagegs_tex
from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.settings import Preset, preset_settings
from imagegs_tex.shaders.gpu_buffer import PackedGaussians
from imagegs_tex.verification import verify
from imagegs_tex.verification.run import VERIFIED_LANGUAGES, VerifiedLanguage

HEADINGS = (
    "file", "texels, channels, Gaussians", "layers", "decoders", "texels and points", "samples", "draws' mean",
    "levels, steps", "passed",
)  # fmt: skip
POINTS = 5000


def main() -> None:
    """Verify what has no JSON yet; print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.igs")
    parser.add_argument("--folders", nargs="*", metavar="NAME", help="of ../shared/materials; all without")
    parser.add_argument("--out", type=Path, default=Path("verified"))
    parser.add_argument("--size", type=int, default=96, help="of the longer side, in texels")
    parser.add_argument("--gaussians", type=int, default=300)
    parser.add_argument("--lang", nargs="*", choices=VERIFIED_LANGUAGES, default=VERIFIED_LANGUAGES)
    parser.add_argument("--jobs", type=int, default=1, help="files that are verified side by side")
    parser.add_argument("--write", nargs="?", const="verify-materials", metavar="TABLE")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    folders = sorted(path for path in (SHARED / "materials").iterdir() if path.is_dir())
    folders = [path for path in folders if arguments.folders is None or path.name in arguments.folders]
    files = [compressed(folder, arguments.out, arguments.size, arguments.gaussians) for folder in folders]
    files += arguments.files
    with multiprocessing.get_context("spawn").Pool(arguments.jobs) as pool:
        packed = pool.map(packed_file, files)
        jobs = [
            (file, tuple(arguments.lang), arguments.out, packed[:number] + packed[number + 1 :])
            for number, file in enumerate(files)
        ]
        for line in pool.imap_unordered(verified, jobs, chunksize=1):
            print(line, end="", flush=True)
    found = [(file.stem, json.loads((arguments.out / f"{file.stem}.json").read_text("utf-8"))) for file in files]
    print({(report["renderer"], report["gl_version"]) for _, report in found})
    table = markdown(HEADINGS, [row(*result) for result in found])
    print(table)
    if arguments.write:
        replace_table(arguments.write, table)


def packed_file(file: Path) -> PackedGaussians:
    """Return what a file is on the GPU."""
    return shader_decoder(read_igs(file)).packed


def verified(job: tuple[Path, tuple[VerifiedLanguage, ...], Path, list[PackedGaussians]]) -> str:
    """Verify a file behind all others, unless that is known; return a line about it."""
    file, languages, out, others = job
    found = out / f"{file.stem}.json"
    if found.exists():
        return ""
    report = verify(read_igs(file), languages, point_count=POINTS, repeats=0, shared=True, before=others)
    found.write_text(json.dumps(asdict(report) | {"layers": layers(file)}, default=str), encoding="utf-8")
    return f"{file.name}: {'passed' if report.passed else 'FAILED'}\n"


def compressed(folder: Path, out: Path, size: int, gaussians: int) -> Path:
    """Return a folder's file, made where it is not there."""
    file = out / f"{folder.name}.igs"
    if not file.exists():
        stack = imagegs_tex.load_stack(folder)
        longer = max(stack.width, stack.height)
        sides = (max(1, round(side * size / longer)) for side in (stack.width, stack.height))
        settings = replace(preset_settings(Preset.FAST), gaussian_count=gaussians)
        imagegs_tex.compress(folder, file, settings, options=SourceOptions(size=(next(sides), next(sides))))
    return file


def layers(file: Path) -> str:
    """Return what a file has beside Gaussians."""
    quantized = read_igs(file)
    names = ("exact", "detail", "repeat", "residual")
    there = [name for name in names if getattr(quantized, name) is not None]
    sides = "".join(axis for axis, repeats in zip("xy", quantized.wrap, strict=True) if repeats)
    return ", ".join([*there, *([f"goes on in {sides}"] if sides else [])])


def row(name: str, report: dict[str, Any]) -> list[object]:
    """Return a file's row: the largest errors of all decoders."""
    variants = report["variants"]

    def largest(*fields: str) -> str:
        values = [variant[field] for variant in variants for field in fields if variant[field] is not None]
        return f"{max(values):.1e}" if values else ""

    size = f"{report['width']} × {report['height']}, {report['channels']}, {report['gaussians']}"
    level = report["level_error"]
    passed = sum(variant["passed"] for variant in variants)
    return [
        name, size, report["layers"], f"{passed} of {len(variants)}",
        largest("texel_error", "point_error", "accessor_error"), largest("sample_error"),
        largest("stochastic_error"), "" if level is None else f"{level:.2f}",
        "yes" if report["passed"] else "no",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
