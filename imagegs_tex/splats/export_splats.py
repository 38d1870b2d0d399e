"""Splats of every map -> files that viewers of 3D Gaussian splats open, by gsplat's exporter.

gsplat is an extra and imported when used: its writers know three formats that many viewers read. It is looked up
without CUDA, of which it only warns.
"""

import contextlib
import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from imagegs_tex.formats.errors import MissingToolError, install_extra
from imagegs_tex.formats.files.atomic_write import write_files
from imagegs_tex.formats.files.safe_names import safe_stems
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.settings import SplatFormat
from imagegs_tex.splats.make_splats import Splats, make_splats

_CONSTANT_HARMONIC: Final = 1 / (2 * math.sqrt(math.pi))
"""The spherical harmonic of degree 0: a splat's colour is 1/2 and this times its coefficient."""


@dataclass(frozen=True, slots=True)
class ExportedSplats:
    """One map's Gaussians as they were written."""

    name: str
    semantic: str
    gaussians: int
    bytes: int
    file: str  # path


def export_splats(
    quantized: QuantizedGaussianSet,
    folder: Path,
    splat_format: SplatFormat,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[ExportedSplats]:
    """Write the Gaussians with the colours of each map: all of the files or none.

    Args:
        quantized: the file's content
        folder: created when missing; names from the file never lead out of it
        splat_format: what kind of files
        progress: called with a map's name, how many maps are done and how many there are

    Raises:
        MissingToolError: gsplat is not installed
        OutputError: a file cannot be written; then none is
    """
    encode = _exporter()
    stems = safe_stems(texture_map.name for texture_map in quantized.maps)
    files: dict[Path, bytes] = {}
    exported = []
    for done, (texture_map, stem) in enumerate(zip(quantized.maps, stems, strict=True)):
        if progress is not None:
            progress(texture_map.name, done, len(quantized.maps))
        path = folder / f"{stem}.{splat_format.value}"
        files[path] = encode(make_splats(quantized, texture_map), splat_format)
        exported.append(ExportedSplats(
            texture_map.name, texture_map.semantic.name.lower(), quantized.gaussian_count, len(files[path]), str(path)
        ))  # fmt: skip
    if progress is not None:
        progress("", len(quantized.maps), len(quantized.maps))
    write_files(files)
    return exported


def _exporter() -> Callable[[Splats, SplatFormat], bytes]:
    """Return what encodes splats."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        try:  # without CUDA it prints that there is none, which nothing here needs
            from gsplat import export_splats as encode
        except ImportError:
            raise MissingToolError(f"gsplat, which writes splats, is missing; {install_extra('splats')}") from None

    def encoded(splats: Splats, splat_format: SplatFormat) -> bytes:
        coefficients = (splats.colours - 0.5) / _CONSTANT_HARMONIC
        odds = np.log(splats.opacities / (1 - splats.opacities))
        tensors = (splats.means, np.log(splats.deviations), splats.quaternions, odds, coefficients[:, None])
        data: bytes = encode(
            *(torch.from_numpy(values.astype(np.float32)) for values in tensors),
            torch.zeros(len(odds), 0, 3), format=splat_format.value,
        )  # fmt: skip
        return data

    return encoded
