"""The cases of the reference measurements, and others: where their maps lie, and what the reference got."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SHARED = Path(__file__).resolve().parents[2] / "shared"
OTHERS = Path(__file__).resolve().parent / "image_gs_others.json"
_SUFFIXES = {".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".tga"}


@dataclass(frozen=True)
class Case:
    """One material at the reference's settings."""

    name: str
    skip_maps: tuple[str, ...]
    gaussians: int
    bytes: int  # the reference's raw parameters
    psnr_db: float
    map_psnr_db: dict[str, float]

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """Give a folder that holds (links to) the maps that the reference compressed."""
        with tempfile.TemporaryDirectory() as folder:
            for path in sorted((SHARED / "materials" / self.name).iterdir()):
                if path.suffix.lower() in _SUFFIXES and path.stem not in self.skip_maps:
                    (Path(folder) / path.name).symlink_to(path)
            yield Path(folder)


@dataclass(frozen=True)
class OtherCase(Case):
    """A material beyond the reference measurements; its maps are given as RGB and grey PNGs of their upper 8 bits."""

    maps: dict[str, tuple[str, list[int]]]  # by name: the file that it is in, and its channels

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """Give a folder that holds the maps that the reference compressed."""
        from imagegs_tex.formats.images import read_image, write_image

        with tempfile.TemporaryDirectory() as folder:
            for name, (file, channels) in self.maps.items():
                texels, _ = read_image(SHARED / "materials" / self.name / file)
                eight_bits = texels if texels.dtype == np.uint8 else (texels // 256).astype(np.uint8)
                write_image(Path(folder) / f"{name}.png", eight_bits[..., channels])
            yield Path(folder)


def write_middle(source: Path, folder: Path, side: int) -> None:
    """Write the middle of each map of a folder into a new one, at most so many texels wide and high."""
    from imagegs_tex.formats.images import read_image, write_image

    folder.mkdir()
    for path in sorted(source.iterdir()):
        texels, _ = read_image(path)
        top, left = (max(0, (length - side) // 2) for length in texels.shape[:2])
        write_image(folder / f"{path.stem}.png", np.ascontiguousarray(texels[top : top + side, left : left + side]))


def load_others(names: list[str] | None = None) -> list[Case]:
    """Return all cases beyond those of the reference file, or those named."""
    cases = json.loads(OTHERS.read_text(encoding="utf-8"))["cases"]
    return [
        OtherCase(name, (), *_point(case), case["maps"]) for name, case in cases.items() if not names or name in names
    ]


def _point(case: dict[str, Any]) -> tuple[int, int, float, dict[str, float]]:
    reference = case["reference"]
    return reference["gaussians"], reference["bytes"], reference["psnr_db"], reference["per_map_psnr_db"]


def load_cases(names: list[str] | None = None) -> list[Case]:
    """Return all cases, or those named, in the order of the reference file."""
    cases = json.loads((SHARED / "reference" / "image_gs.json").read_text())["cases"]
    return [
        Case(name, tuple(case["skip_maps"]), *_point(case))
        for name, case in cases.items()
        if not names or name in names
    ]
