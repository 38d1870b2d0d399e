"""What the detail layer gives back, and how its noise is made, at the reference's PSNR and at half those bytes.

    python benchmarks/detail.py [--cases NAME ...] [--others] [--crop TEXELS] [--backend cpu|cuda] [--jobs N] [--write]

By channels of one meaning: colour, x and y of normals, roughness out of packed maps. The first table has the kept
contrast of the two finest octaves (docs/conventions.md), without and with the layer. The second has how even that is,
the tenths and the median of the same ratio below four texels in cells of 16 texels, and the largest peak of the noise's
autocorrelation outside its own width, beside that of what is missing. --write puts both into docs/, all cases of their
kind should then be there.
"""

import argparse
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from cases import Case, load_cases, load_others, write_middle
from numpy.typing import NDArray
from tables import markdown, replace_table
from torch import Tensor
from workers import side_by_side

import imagegs_tex
from imagegs_tex.decoder.detail import add_detail
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.formats.igs.container import read_igs, section_sizes
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic
from imagegs_tex.metrics.kept_contrast import EMPTY_BAND, band_deviations
from imagegs_tex.metrics.visible_error import blur
from imagegs_tex.rasterize.select_backend import make_backend

MEANINGS = {
    Semantic.BASE_COLOUR: "colour", Semantic.IMAGE: "colour", Semantic.NORMAL: "normal", Semantic.ROUGHNESS: "roughness"
}  # fmt: skip
SHOWN = ("colour", "normal", "roughness")
KEPT_HEADINGS = ["case", "bytes", "of them detail", *(f"{name}: without → with" for name in SHOWN)]
NOISE_HEADINGS = ["case", *(f"{name} in cells" for name in SHOWN), *(f"{name}: peak, missing" for name in SHOWN)]
CELL = 16  # texels
HALF_A_STEP = 0.5 / 255
WIDTH = 0.1
"""Autocorrelation above which texels around the middle are the noise's own width."""


@dataclass(frozen=True)
class Pictures:
    """What a file is measured by, float32 [H, W, C] each."""

    source: Tensor
    without: Tensor
    drawn: Tensor


def main() -> None:
    """Measure the cases, then print and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--crop", type=int, help="of the maps' middle alone")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cases = (load_others if arguments.others else load_cases)(arguments.cases)
    found = side_by_side(partial(measure, arguments.backend, arguments.crop), cases, arguments.jobs)
    for name, headings, place in (("detail", KEPT_HEADINGS, 0), ("detail-noise", NOISE_HEADINGS, 1)):
        rows = [pair[place] for pairs in found for pair in pairs]
        table = markdown(headings, [row for row in rows if any(row[1:])])
        print(table)
        if arguments.write:
            replace_table(name + ("-others" if arguments.others else ""), table)


def measure(backend: str, side: int | None, case: Case) -> list[tuple[list[object], list[object]]]:
    """Return a case's rows of both tables: at the reference's PSNR, and with half the bytes."""
    with case.staged() as staged, tempfile.TemporaryDirectory() as target:
        folder = staged
        if side is not None:
            folder = Path(target) / case.name
            write_middle(staged, folder, side)
        whole, half = compress(folder, Path(target), case.psnr_db, backend)
        return [rows(case.name, whole, folder, backend), rows("half the bytes", half, folder, backend)]


def compress(folder: Path, target: Path, psnr_db: float, backend: str) -> tuple[Path, Path]:
    """Write and return the two files of a folder."""
    settings = imagegs_tex.preset_settings(imagegs_tex.Preset.BALANCED)
    files = target / "whole.igs", target / "half.igs"
    made = imagegs_tex.compress(folder, files[0], replace(settings, target_psnr=psnr_db), backend)
    imagegs_tex.compress(folder, files[1], replace(settings, max_bytes=made.file_bytes // 2), backend)
    return files


def rows(name: str, file: Path, folder: Path, backend: str) -> tuple[list[object], list[object]]:
    """Return a file's rows of both tables; the second is empty where there is no layer."""
    data, quantized, stack = file.read_bytes(), read_igs(file), load_stack(folder)
    pictures = pictures_of(quantized, stack, backend)
    own = {shown: channels_of(stack, shown) for shown in SHOWN}
    detail = sum(section.stored_bytes for section in section_sizes(data) if section.name == "detail")
    noisy = {shown: bool(own[shown]) and quantized.detail is not None for shown in SHOWN}
    return (
        [name, len(data), detail or "", *(contrast(pictures, own[shown]) for shown in SHOWN)],
        [
            name, *(evenness(pictures, own[shown]) if noisy[shown] else "" for shown in SHOWN),
            *(peaks(pictures, own[shown]) if noisy[shown] else "" for shown in SHOWN),
        ],
    )  # fmt: skip


def pictures_of(quantized: QuantizedGaussianSet, stack: TextureStack, backend: str) -> Pictures:
    """Return what a file is measured by; drawn is the picture without the layer where there is none."""
    plain = render_channels(replace(quantized, detail=None), make_backend(backend)).cpu()
    drawn = plain
    if quantized.detail is not None:
        offset = (quantized.offset_codes / OFFSET_SCALE).astype(np.float32)
        size = (quantized.width, quantized.height)
        drawn = add_detail(plain.clone(), quantized.detail, offset, size, quantized.wrap)
    return Pictures(torch.from_numpy(stack.texels), plain, drawn)


def channels_of(stack: TextureStack, shown: str) -> list[int]:
    """Return the channels of a meaning; of normals x and y."""
    found = []
    for texture_map in stack.maps:
        own = [
            route.index
            for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True)
            if isinstance(route, Coded) and MEANINGS.get(semantic) == shown
        ]
        found += own[:2] if shown == "normal" else own
    return found


def contrast(pictures: Pictures, channels: list[int]) -> str:
    """Return the two finest octaves without the layer, and with it where it is drawn: means over the channels."""
    wanted = band_deviations(pictures.source[..., channels]).numpy()[:, :2] if channels else np.empty((0, 2))
    full = wanted[:, 0] > EMPTY_BAND
    if not full.any():
        return ""
    without, drawn = (
        " ".join(
            f"{ratio:.2f}"
            for ratio in (band_deviations(picture[..., channels]).numpy()[full, :2] / wanted[full]).mean(axis=0)
        )
        for picture in (pictures.without, pictures.drawn)
    )
    return f"{without} → {drawn}" if pictures.drawn is not pictures.without else without


def evenness(pictures: Pictures, channels: list[int]) -> str:
    """Return what a tenth, a half and nine tenths of the cells are below: contrast drawn over the source's."""
    found, wanted = (cell_deviations(picture[..., channels]) for picture in (pictures.drawn, pictures.source))
    ratios = (found + HALF_A_STEP) / (wanted + HALF_A_STEP)
    return " ".join(f"{value:.2f}" for value in np.quantile(ratios, (0.1, 0.5, 0.9)))


def cell_deviations(picture: Tensor) -> NDArray[np.float64]:
    """Return the contrast below four texels in each cell [rows, columns, C] of a picture [H, W, C]."""
    fine = (picture - blur(blur(picture, 1), 2)).square()
    down, across = fine.shape[0] // CELL, fine.shape[1] // CELL
    cells = fine[: down * CELL, : across * CELL].reshape(down, CELL, across, CELL, -1).mean(dim=(1, 3))
    return np.asarray(cells.double().sqrt().numpy())


def peaks(pictures: Pictures, channels: list[int]) -> str:
    """Return the largest peak of the noise and of what is missing, over the channels that get noise."""
    noise, missing = (
        (picture[..., channels] - pictures.without[..., channels]).double().numpy()
        for picture in (pictures.drawn, pictures.source)
    )
    found = [[peak(values[..., k]) for k in range(len(channels)) if noise[..., k].any()] for values in (noise, missing)]
    return ", ".join(f"{max(values):.2f}" for values in found) if found[0] else ""


def peak(plane: NDArray[np.float64]) -> float:
    """Return the largest autocorrelation of a plane [H, W], taken as repeating, outside its own width.

    Its width are the shifts around 0 whose autocorrelation is above WIDTH without a gap.
    """
    power = np.square(np.abs(np.fft.fft2(plane - plane.mean())))
    alike = np.fft.ifft2(power).real
    alike /= alike[0, 0]
    wide = alike > WIDTH
    own = np.zeros_like(wide)
    own[0, 0] = True
    while True:
        grown = own
        for axis in (0, 1):
            grown = grown | np.roll(grown, 1, axis) | np.roll(grown, -1, axis)
        grown = grown & wide
        if np.array_equal(grown, own):
            return float(alike[~own].max())
        own = grown


if __name__ == "__main__":
    main()
