"""Seams: what repeating is worth on tileable materials, against clamping.

    seams.py [--materials NAME ...] [--preset balanced] [--backend auto] [--jobs N] [--write] [--pictures FOLDER]

Every material is compressed three times at the reference's rate (8,426 Gaussians per 1024 x 1024 texels): repeating,
clamped, and clamped after it was rolled by half its size, so that its border lies in the middle. The latter tells how
hard the border is to code where it is no border. Errors are those of the coded channels of the file decoded again.
"""

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from cases import SHARED
from numpy.typing import NDArray
from quality import geometric_mean
from tables import markdown, replace_table
from workers import side_by_side

from imagegs_tex.decoder.render import render_channels
from imagegs_tex.encoder.encode import fit_geometry, prepare, round_features
from imagegs_tex.fit.seam_weights import BORDER
from imagegs_tex.formats.igs.container import decode_igs, encode_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, DetailMode, Preset, preset_settings

MATERIALS: Final = (
    "brick_wall_017", "mossy_rock_053", "rusty_metal_053c", "scratched_metal_055a", "rosewood_veneer1",
    "fabric_pattern_07", "ground_037_packed", "facade_005_tiles", "stylized_stone_floor_001", "bricks_npot_1000",
)  # fmt: skip
"""Those that their source calls tileable (SOURCES.md)."""
GAUSSIANS_PER_TEXEL: Final = 8426 / 1024**2
STRETCHES: Final = (0.9, 1.0, 1.12)
"""Of the feature step: the sizes between which qualities at equal bytes are interpolated."""

Errors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Run:
    """One material, compressed one way."""

    sizes: list[int]  # bytes, by stretch, descending
    psnrs: list[float]  # dB, the same
    texels: NDArray[np.float32]  # decoded, at a stretch of 1
    errors: Errors  # signed [H, W, C], at a stretch of 1

    def psnr_at(self, size: float) -> float:
        """Return the PSNR in dB at a size in bytes between those tried."""
        return float(np.interp(np.log(size), np.log(self.sizes[::-1]), self.psnrs[::-1]))


def main() -> None:
    """Run all materials and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--materials", nargs="*", default=MATERIALS)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1, help="materials at once, each in a process of its own")
    parser.add_argument("--write", action="store_true", help="replace the table of docs/benchmarks/seams.md")
    parser.add_argument("--pictures", type=Path, help="write 2 x 2 tilings of the first three channels there")
    arguments = parser.parse_args()
    work = partial(
        measure,
        replace(preset_settings(Preset(arguments.preset)), detail=DetailMode.OFF),
        arguments.backend,
        arguments.pictures,
    )
    found = side_by_side(work, arguments.materials, arguments.jobs)
    rows, numbers = [row for row, _ in found], [values for _, values in found]
    columns = list(zip(*numbers, strict=True))
    means = [f"{geometric_mean(list(column)):.3f}" for column in columns[:-1]]
    rows.append(["mean", *means, "", "", f"{np.mean(columns[-1]):+.3f}"])
    headings = ["material", "border, repeat", "border, clamp", "border, inside", "repeat over inside",
                "step, repeat", "step, clamp", "bytes", "clamp dB", "repeat, dB more"]  # fmt: skip
    table = markdown(headings, rows)
    print(f"\n{table}")
    if arguments.write:
        replace_table("seams", table)


def measure(
    settings: CompressSettings, backend_name: str, pictures: Path | None, name: str
) -> tuple[list[object], list[float]]:  # fmt: skip
    """Return a material's row of the table, and its numbers."""
    backend = make_backend(backend_name)
    stack = load_stack(SHARED / "materials" / name)
    runs = {wrap: run(replace(stack, wrap=wrap), settings, backend) for wrap in ((True, True), (False, False))}
    repeat, clamp = runs[True, True], runs[False, False]
    if pictures is not None:
        write_tilings(pictures, name, repeat.texels, clamp.texels)
    half = (stack.height // 2, stack.width // 2)
    texels = np.ascontiguousarray(np.roll(stack.texels, half, axis=(0, 1)))
    rolled = run(replace(stack, texels=texels, wrap=(False, False)), settings, backend)
    unrolled = np.roll(rolled.errors, (-half[0], -half[1]), axis=(0, 1))
    near_middle = np.roll(near_border(stack.width, stack.height), (-half[0], -half[1]), axis=(0, 1))
    size = min(repeat.sizes[1], clamp.sizes[1])
    border, inside = border_ratio(repeat.errors), border_ratio(unrolled, without=near_middle)
    found = [
        border, border_ratio(clamp.errors), inside, border / inside,
        step_ratio(repeat.errors), step_ratio(clamp.errors),
    ]  # fmt: skip
    gain = repeat.psnr_at(size) - clamp.psnr_at(size)
    row: list[object] = [name, *(f"{value:.3f}" for value in found), size, f"{clamp.psnr_at(size):.2f}", f"{gain:+.3f}"]
    print(row, flush=True)
    return row, [*found, gain]


def run(stack: TextureStack, settings: CompressSettings, backend: Backend) -> Run:
    """Compress a stack and decode the files of all stretches."""
    count = round(stack.width * stack.height * GAUSSIANS_PER_TEXEL)
    geometry, _ = fit_geometry(prepare(stack, backend), count, settings.fit, settings.precision, backend)
    sizes, psnrs, kept = [], [], stack.texels
    for stretch in STRETCHES:
        data = encode_igs(round_features(geometry, settings.precision, stack, stretch))
        texels = render_channels(decode_igs(data), backend).cpu().numpy()
        sizes.append(len(data))
        psnrs.append(-10 * float(np.log10(np.square(texels - stack.texels).mean(dtype=np.float64))))
        if stretch == 1:
            kept = texels
    return Run(sizes, psnrs, kept, kept - stack.texels)


def near_border(width: int, height: int) -> NDArray[np.bool_]:
    """Return whether each texel [H, W] is within BORDER of the border."""
    near = np.ones((height, width), dtype=np.bool_)
    near[BORDER:-BORDER, BORDER:-BORDER] = False
    return near


def border_ratio(errors: Errors, without: NDArray[np.bool_] | None = None) -> float:
    """Return the root mean square error near the border over that of all other texels, but for those left out."""
    squares = np.square(errors).mean(axis=2, dtype=np.float64)
    near = near_border(errors.shape[1], errors.shape[0])
    kept = np.ones_like(near) if without is None else ~without
    return float(np.sqrt(squares[near & kept].mean() / squares[~near & kept].mean()))


def step_ratio(errors: Errors) -> float:
    """Return how much errors of texels on both sides of the border differ, over how much those of neighbours inside do.

    1 is no seam: the eye finds an edge where the error changes at once along a line.
    """
    across, inside = [], []
    for axis in (0, 1):
        moved = np.moveaxis(errors, axis, 0)
        across.append(np.square(moved[0] - moved[-1]).mean(dtype=np.float64))
        inside.append(np.square(moved[1:] - moved[:-1]).mean(dtype=np.float64))
    return float(np.sqrt(np.mean(across) / np.mean(inside)))


def write_tilings(folder: Path, name: str, repeat: NDArray[np.float32], clamp: NDArray[np.float32]) -> None:
    """Write where four tiles meet, repeating left and clamped right, twice as large, with a black line between."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for texels in (repeat, clamp):
        tiled = np.tile(texels[..., :3], (2, 2, 1))
        y, x = texels.shape[0] - 128, texels.shape[1] - 128
        parts.append(tiled[y : y + 256, x : x + 256].repeat(2, axis=0).repeat(2, axis=1))
    line = np.zeros((parts[0].shape[0], 8, parts[0].shape[2]), dtype=np.float32)
    pixels = np.concatenate([parts[0], line, parts[1]], axis=1)
    write_image(folder / f"{name}.png", np.rint(pixels * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
