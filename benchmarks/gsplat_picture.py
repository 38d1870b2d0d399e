"""Pictures fitted by gsplat, as its example of fitting an image does it, beside ours: docs/benchmarks/cuda.md.

    python benchmarks/gsplat_picture.py [--cases NAME ...] [--texels-per-gaussian 256] [--steps 1000 5000] [--write]

The example: 3D Gaussians at random in front of a camera, Adam at 0.01 on everything, the mean squared error. Of what it
moves, a picture needs nine numbers per Gaussian (two each of place and size, an angle, an opacity, a colour), which are
counted at 16 bits each without the loss of rounding them; ours is the complete file, decoded again. Needs a GPU and
gsplat with its compiled part.
"""

import argparse
import math
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from cases import SHARED
from gsplat import rasterization
from tables import markdown, replace_table

import imagegs_tex
from imagegs_tex.formats.images import read_image, write_image

PICTURES: Final = {
    "image_anime_meadow": "image.jpg", "brick_wall_017": "basecolor.jpg", "fabric_pattern_07": "basecolor.jpg",
    "stylized_stone_floor_001": "basecolor.jpg",
}  # fmt: skip
BYTES_PER_GAUSSIAN: Final = 18
RATE: Final = 0.01
DISTANCE: Final = 8.0


def main() -> None:
    """Fit the pictures both ways and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=list(PICTURES), choices=list(PICTURES))
    parser.add_argument("--texels-per-gaussian", type=int, default=256)
    parser.add_argument("--steps", nargs="*", type=int, default=[1000, 5000])
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks/")
    options = parser.parse_args()
    rows = []
    for name in options.cases:
        texels = read_image(SHARED / "materials" / name / PICTURES[name])[0][..., :3].astype(np.uint8)
        count = texels.shape[0] * texels.shape[1] // options.texels_per_gaussian
        size, level, seconds = own(texels, count)
        row: list[object] = [name, size, count, level, seconds]
        equal = size // BYTES_PER_GAUSSIAN
        row += [equal]
        for number in (equal, count):
            row += [gsplat_fit(texels, number, options.steps)]
        rows.append(row)
        print(row, flush=True)
    shown = ", ".join(f"{steps:,}" for steps in options.steps)
    table = markdown(
        ["picture", "bytes", "Gaussians", "dB", "s", "gsplat's at these bytes", f"dB and s after {shown} steps",
         "the same with as many as ours"],
        rows,
    )  # fmt: skip
    print(table)
    if options.write:
        replace_table("gsplat-picture", table)


def own(texels: np.ndarray, count: int) -> tuple[int, float, float]:
    """Return the bytes of our file of so many Gaussians, the dB of its decode, and the seconds of its fit."""
    usual = imagegs_tex.preset_settings(imagegs_tex.Preset.BALANCED)
    settings = replace(usual, gaussian_count=count, detail=imagegs_tex.DetailMode.OFF)
    with tempfile.TemporaryDirectory() as folder:
        source, file = Path(folder) / "basecolor.png", Path(folder) / "a.igs"
        write_image(source, texels)
        report = imagegs_tex.compress(source, file, settings, "cuda")
    return report.file_bytes, round(report.psnr_db, 2), round(report.seconds.fit + report.seconds.quantize, 1)


def gsplat_fit(texels: np.ndarray, count: int, steps: list[int]) -> str:
    """Return dB and seconds of a fit by gsplat after each number of steps."""
    torch.manual_seed(42)
    device = torch.device("cuda")
    image = torch.from_numpy(texels).to(device).float() / 255
    height, width, _ = image.shape
    focal = width / 2 / math.tan(math.pi / 4)
    camera = torch.tensor([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]], device=device)
    view = torch.eye(4, device=device)
    view[2, 3] = DISTANCE
    means, scales = 2 * torch.rand(count, 3, device=device) - 1, torch.rand(count, 3, device=device)
    turns, colours = torch.randn(count, 4, device=device), torch.rand(count, 3, device=device)
    opacities = torch.ones(count, device=device)
    moved = [
        part.requires_grad_() for part in (colours, means, scales, opacities, torch.nn.functional.normalize(turns))
    ]
    optimizer = torch.optim.Adam(moved, RATE)
    found, begun = [], time.perf_counter()
    for step in range(max(steps) + 1):
        picture = rasterization(
            means, torch.nn.functional.normalize(moved[4], dim=-1), scales, torch.sigmoid(opacities),
            torch.sigmoid(colours), view[None], camera[None], width, height, packed=False,
        )[0][0]  # fmt: skip
        error = torch.nn.functional.mse_loss(picture, image)
        if step in steps:
            shown = (picture.detach().clamp(0, 1) * 255).round().cpu().numpy()
            seconds = time.perf_counter() - begun
            level = -10 * math.log10(float(np.mean(np.square(shown - texels))) / 255**2)
            found.append(f"{level:.2f}, {seconds:.1f}")
        optimizer.zero_grad()
        error.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        optimizer.step()
    return "; ".join(found)


if __name__ == "__main__":
    main()
