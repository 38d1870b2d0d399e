"""What measures of texture and of visible errors say of a decode: without the detail layer, with it, and of AVIF.

    python benchmarks/texture_statistics.py [--cases NAME ...] [--others] [--crop TEXELS] [--preset NAME]
        [--backend cpu|cuda] [--jobs N] [--files FOLDER] [--write]

Of files for quality 25 and 50, and AVIF 4:4:4 of each map at one quality for all, the best that takes no more bytes
without its containers, or the lowest. By channels of one meaning, as in benchmarks/detail.py:

- Portilla and Simoncelli's statistics ("A parametric texture model based on joint statistics of complex wavelet
  coefficients", 2000), of the brightness of the middle 256 x 256 texels: the mean over all statistics of
  |a - b| / max(|a|, |b|), 0 the same. They know no places: this is what grain is for.
- FLIP and ColorVideoVDP (a 4K screen, JOD, 10 the same) of the colour. They ask for each grain in its place.

plenoptic and cvvdp are no dependencies of the package: `pip install plenoptic cvvdp torch==2.13.0`, in an environment
of its own. Files NAME_QUALITY.igs that lie in --files are measured as they are, others are written there. --write puts
the table into docs/, all cases should then be there.
"""

import argparse
import io
import math
import struct
import warnings
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import torch
from cases import Case, load_cases, load_others, write_middle
from detail import SHOWN, Pictures, channels_of, pictures_of
from numpy.typing import NDArray
from tables import markdown, replace_table
from torch import Tensor
from workers import side_by_side

import imagegs_tex
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.metrics.scores import flip_error

QUALITIES: Final = (25, 50)
HEADINGS: Final = [
    "case, quality", "bytes", "AVIF's", *(f"{shown}: without → with, AVIF" for shown in SHOWN),
    "FLIP of the colour", "JOD of the colour",
]  # fmt: skip
SIDE: Final = 256
"""Texels of the middle that texture statistics are taken of."""
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
AVIF_SPEED: Final = 8
CPU: Final = torch.device("cpu")


def main() -> None:
    """Measure the cases, then print and write their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--crop", type=int, default=384, help="of the maps' middle")
    parser.add_argument("--preset", type=imagegs_tex.Preset, default=imagegs_tex.Preset.BALANCED)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--files", type=Path, help="folder where files lie and are kept")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cases = (load_others if arguments.others else load_cases)(arguments.cases)
    work = partial(measure, arguments.preset, arguments.backend, arguments.crop, arguments.files)
    table = markdown(HEADINGS, [row for rows in side_by_side(work, cases, arguments.jobs) for row in rows])
    print(table)
    if arguments.write:
        replace_table("texture-statistics" + ("-others" if arguments.others else ""), table)


def measure(
    preset: imagegs_tex.Preset, backend: str, side: int, files: Path | None, case: Case
) -> list[list[object]]:  # fmt: skip
    """Return a case's rows, one per quality."""
    with case.staged() as staged, TemporaryDirectory() as scratch:
        folder = Path(scratch) / case.name
        write_middle(staged, folder, side)
        stack = load_stack(folder)
        found = []
        for quality in QUALITIES:
            file = (files or Path(scratch)) / f"{case.name}_{quality}.igs"
            if not file.exists():
                settings = replace(imagegs_tex.preset_settings(preset), quality=float(quality))
                imagegs_tex.compress(folder, file, settings, backend)
            size = file.stat().st_size
            theirs, theirs_size = avif(stack, folder, size)
            pictures = pictures_of(read_igs(file), stack, backend)
            found.append(
                [f"{case.name}, {quality}", size, theirs_size, *comparisons(stack, pictures, theirs)]
            )  # fmt: skip
        return found


def comparisons(stack: TextureStack, pictures: Pictures, theirs: Tensor) -> list[str]:
    """Return the cells of a file's row: without the layer, with it where there is one, AVIF."""
    decodes = [pictures.without, *([pictures.drawn] if pictures.drawn is not pictures.without else []), theirs]
    cells = []
    for shown in SHOWN:
        channels = channels_of(stack, shown)
        planes = [brightness(picture[..., channels], shown) for picture in (pictures.source, *decodes)]
        if not channels or not planes[0].std() > 0:
            cells.append("")
            continue
        wanted, *kept = (statistics(plane) for plane in planes)
        found = [difference(wanted, values) for values in kept]
        cells.append(row_cell(["flat" if math.isnan(value) else f"{value:.3f}" for value in found]))
    colour = channels_of(stack, "colour")
    source, *shown_colours = (
        np.ascontiguousarray(picture[..., colour].numpy()) for picture in (pictures.source, *decodes)
    )
    (owner,) = [
        texture_map
        for texture_map in stack.maps
        if any(isinstance(route, Coded) and route.index == colour[0] for route in texture_map.routes)
    ]
    flip = [flip_error(owner, source, values, CPU) for values in shown_colours]
    return [
        *cells,
        row_cell([f"{value:.3f}" for value in flip if value is not None]),
        row_cell([f"{just_objectionable(source, values):.2f}" for values in shown_colours]),
    ]


def row_cell(values: Sequence[str]) -> str:
    """Return what a cell says of two or three decodes, AVIF's last."""
    return " → ".join(values[:-1]) + ", " + values[-1]


def brightness(picture: Tensor, shown: str) -> NDArray[np.float32]:
    """Return the brightness [H, W] of the middle of channels of one meaning [H, W, C]; z of normals follows."""
    top, left = (max(0, (length - SIDE) // 2) for length in picture.shape[:2])
    values = picture[top : top + SIDE, left : left + SIDE].numpy().astype(np.float32)
    if shown == "normal" and values.shape[2]:
        slopes = np.square(2 * values - 1).sum(axis=2, keepdims=True)
        values = np.concatenate([values, np.sqrt(np.maximum(1 - slopes, 0)) / 2 + 0.5], axis=2)
    return np.ascontiguousarray(values @ LUMA if values.shape[2] == len(LUMA) else values[..., :1].sum(axis=2))


@cache
def texture_model(shape: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    """Return plenoptic's model for pictures [H, W]."""
    import plenoptic

    model: Callable[[Tensor], Tensor] = plenoptic.models.PortillaSimoncelli(shape)
    return model


def statistics(picture: NDArray[np.float32]) -> Tensor:
    """Return the statistics of a picture [H, W], one vector."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = texture_model(picture.shape)
        return torch.as_tensor(model(torch.from_numpy(picture)[None, None]).flatten())


def difference(wanted: Tensor, found: Tensor) -> float:
    """Return the mean relative difference of two vectors; not a number where a picture is flat."""
    largest = torch.maximum(wanted.abs(), found.abs()).clamp_min(1e-9)
    return float(((wanted - found).abs() / largest).mean())


@cache
def screen_model() -> Callable[..., tuple[Tensor, object]]:
    """Return ColorVideoVDP for a 4K screen."""
    import pycvvdp

    predict: Callable[..., tuple[Tensor, object]] = pycvvdp.cvvdp(display_name="standard_4k", device=CPU).predict
    return predict


def just_objectionable(source: NDArray[np.float32], decoded: NDArray[np.float32]) -> float:
    """Return the quality of a decode's colours [H, W, 3] in just-objectionable differences, of 10."""
    return float(screen_model()(decoded, source, dim_order="HWC")[0])


def avif(stack: TextureStack, folder: Path, limit: int) -> tuple[Tensor, int]:
    """Return what AVIF makes of a folder's maps in so many bytes or at its lowest quality.

    Returns:
        float32 [H, W, C] by the stack's channels, and the bytes without containers
    """
    from PIL import Image

    sources = {path.stem: Image.fromarray(eight_bits(path)) for path in sorted(folder.iterdir())}

    @cache
    def coded(quality: int) -> dict[str, bytes]:
        files = {}
        for name, picture in sources.items():
            target = io.BytesIO()
            picture.save(target, "AVIF", quality=quality, subsampling="4:4:4", speed=AVIF_SPEED)
            files[name] = target.getvalue()
        return files

    def size(quality: int) -> int:
        return sum(payload(data) for data in coded(quality).values())

    quality = max(0, bisect_right(range(101), limit, key=size) - 1)
    texels = np.zeros_like(stack.texels)
    for texture_map in stack.maps:
        with Image.open(io.BytesIO(coded(quality)[texture_map.name])) as picture:
            values = np.atleast_3d(np.asarray(picture)).astype(np.float32) / 255
        for place, route in enumerate(texture_map.routes):
            if isinstance(route, Coded):
                texels[..., route.index] = values[..., min(place, values.shape[2] - 1)]
    return torch.from_numpy(texels), size(quality)


def eight_bits(path: Path) -> NDArray[np.uint8]:
    """Return the upper 8 bits of a picture [H, W] or [H, W, C]."""
    texels, _ = read_image(path)
    values = (texels if texels.dtype == np.uint8 else texels // 257).astype(np.uint8)
    return values[..., 0] if values.shape[2] == 1 else values


def payload(data: bytes) -> int:
    """Return the bytes of an AVIF's pictures alone: its boxes "mdat"."""
    place, total = 0, 0
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        total += length - 8 if kind == b"mdat" else 0
        place += length
    return total


if __name__ == "__main__":
    main()
