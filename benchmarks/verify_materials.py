"""`verify` for every folder of materials, all of them in one buffer: the table of docs/benchmarks/shaders.md.

    python benchmarks/verify_materials.py [FILE.igs …] [--folders NAME …] [--out DIR] [--size TEXELS]
        [--gaussians N] [--write]

Each folder of ../shared/materials is compressed at a small size with the fast preset, or a file of its name in DIR is
taken as it is; files that are given, of old versions, too, come behind them. Every decoder is run on this machine's
OpenGL and by wgpu: a file's own include in a buffer of its own, and that of many materials in a buffer in which all
others lie in front of it. What is found goes into DIR, one JSON a file, and is not looked for again.
"""

import argparse
import json
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
from imagegs_tex.verification import verify
from imagegs_tex.verification.run import VERIFIED_LANGUAGES

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
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    folders = sorted(path for path in (SHARED / "materials").iterdir() if path.is_dir())
    folders = [path for path in folders if arguments.folders is None or path.name in arguments.folders]
    files = [compressed(folder, arguments.out, arguments.size, arguments.gaussians) for folder in folders]
    files += arguments.files
    packed = [shader_decoder(read_igs(file)).packed for file in files]
    results = []
    for number, file in enumerate(files):
        found = arguments.out / f"{file.stem}.json"
        if not found.exists():
            others = packed[:number] + packed[number + 1 :]
            report = verify(
                read_igs(file), arguments.lang, point_count=POINTS, repeats=0, shared=True, before=others
            )  # fmt: skip
            found.write_text(json.dumps(asdict(report) | {"layers": layers(file)}, default=str), encoding="utf-8")
            print(f"{file.name}: {'passed' if report.passed else 'FAILED'}", flush=True)
        results.append((file.stem, json.loads(found.read_text(encoding="utf-8"))))
    table = markdown(HEADINGS, [row(*result) for result in results])
    print(table)
    if arguments.write:
        replace_table("verify-materials", table)


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
