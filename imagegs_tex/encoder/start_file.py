"""Where a fit begins that begins from an earlier file, or from another tool's: Gaussians, on a picture of any size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.encoder.encode import Geometry
from imagegs_tex.encoder.foreign_checkpoint import checkpoint_gaussians
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, TextureMap
from imagegs_tex.settings import CompressSettings, FitSettings, PopulationChange, Preset, preset_settings

_START_SHARE: Final = 8
_START_POPULATION: Final = (PopulationChange(0.0, 1.0, 1.2), PopulationChange(0.4, 1.0, 1.0))
"""New Gaussians where the file's leave an error, that is where the material was edited; then the least needed go."""
_START_RATE: Final = 0.15
"""At the end, relative; rates fall from the first step on, as the geometry is nearly there."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a fit is to begin from."""

    geometry: Geometry | None  # Gaussians, on the picture that is fitted; None: a fit of all of it is better without
    file: QuantizedGaussianSet | None = None  # where it can be of this stack before an edit
    unlike: str = ""  # why it cannot, in words that follow a colon


def settings_from_start(settings: CompressSettings) -> CompressSettings:
    """Return settings for going on from a file: an eighth of the steps, one sweep, and a population that follows edits.

    docs/guide/runs.md has what that reaches.
    """
    fit = replace(
        settings.fit, steps=_fewer(settings.fit.steps), refine_sweeps=min(1, settings.fit.refine_sweeps),
        population=_START_POPULATION, decay_from=0.0, last_rate=_START_RATE,
    )  # fmt: skip
    return replace(settings, fit=fit)


def settings_without_start(settings: CompressSettings) -> CompressSettings:
    """Return those of a fit from the beginning for settings of :func:`settings_from_start`; others as they are.

    They are the preset's where there is one of so many steps.
    """
    fit = settings.fit
    if fit.population != _START_POPULATION:
        return settings
    presets = (preset_settings(preset).fit for preset in Preset)
    others = replace(FitSettings(), steps=_START_SHARE * fit.steps)
    usual = next((own for own in presets if _fewer(own.steps) == fit.steps), others)
    sweeps = usual.refine_sweeps if fit.refine_sweeps == 1 else fit.refine_sweeps
    fit = replace(
        fit, steps=usual.steps, refine_sweeps=sweeps, population=usual.population, decay_from=usual.decay_from,
        last_rate=usual.last_rate,
    )  # fmt: skip
    return replace(settings, fit=fit)


def _fewer(steps: int) -> int:
    return -(-steps // _START_SHARE)


def read_start(path: Path, stack: TextureStack, cutoff: float) -> Start:
    """Read where a fit begins: the Gaussians of an .igs file, or those of another tool's checkpoint.

    Files with exact samples or a repeat have no Gaussians; those of a file with a residual are too few for another
    picture.

    Args:
        path: the file
        stack: what is fitted
        cutoff: q at which supports end, where the file does not say

    Raises:
        InputError: the file is missing or damaged
    """
    size = stack.width, stack.height
    if is_zipfile(path):  # as torch.save writes
        means, covariances = checkpoint_gaussians(path, size)
        xx, xy, yy = covariances.T
        root = np.sqrt(xx * yy - xy**2)
        shapes = log_covariances_of(np.log(root), xx / root, xy / root, yy / root)
        return Start(Geometry(means, shapes, cutoff, border_weight=1.0))
    quantized, name = read_igs(path), printable(path.name)
    if quantized.repeat is not None:
        return Start(None, unlike=f"{name} is what repeats, without Gaussians")
    if quantized.exact is not None:
        return Start(None, unlike=f"{name} has exact samples in place of Gaussians")
    unlike = ""
    if (quantized.width, quantized.height) != size:
        unlike = f"{name} has {quantized.width} x {quantized.height} texels"
    elif quantized.wrap != stack.wrap:
        unlike = f"{name} repeats otherwise"
    elif _layout(quantized.maps) != _layout(stack.maps):
        unlike = f"{_other_channels(quantized.maps, stack.maps)} {name}"
    geometry = None if quantized.residual is not None else _geometry_on(quantized, size)
    return Start(geometry, None if unlike else quantized, unlike)


def _layout(maps: Sequence[TextureMap]) -> list[tuple[object, ...]]:
    """Return what coded channels mean; the others need no Gaussians."""
    return [
        (channel.index, semantic, each.transfer, each.log_range)
        for each in maps
        for channel, semantic in zip(each.routes, each.channel_semantics, strict=True)
        if isinstance(channel, Coded)
    ]


def _other_channels(before: Sequence[TextureMap], now: Sequence[TextureMap]) -> str:
    """Return in words what maps have that a file's do not; they go before its name."""
    coded = [{each.name: sum(isinstance(route, Coded) for route in each.routes) for each in maps}
             for maps in (before, now)]  # fmt: skip
    more = [name for name, count in coded[1].items() if count > coded[0].get(name, count)]
    if more:
        verb = "varies" if len(more) == 1 else "vary"
        return f"{printable(', '.join(more))} {verb} where there is one value in"
    return "there are other maps or meanings than in"


def _geometry_on(quantized: QuantizedGaussianSet, size: tuple[int, int]) -> Geometry:
    """Return a file's Gaussians on a picture of a width and height in texels, to which they are scaled."""
    values = g.dequantize(quantized)
    scale = np.array(size) / [quantized.width, quantized.height]
    means, shapes = values.means.astype(np.float64) * scale, values.log_covariances.astype(np.float64)
    if np.any(scale != 1):
        shapes = stretched(shapes, scale)
    return Geometry(means, shapes, quantized.cutoff, border_weight=1.0)


def stretched(log_covariances: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-covariances m, h, b [N, 3] of Gaussians that are stretched by factors along x and y.

    With S the log-covariance without m and r its length, the covariance is e^m (cosh r + S sinh(r)/r).
    """
    m, h, b = log_covariances.T
    r = np.hypot(h, b)
    quotient = np.where(r > 0, np.sinh(r) / np.where(r > 0, r, 1.0), 1.0)
    ratio = scale[0] / scale[1]
    # over the root of the new determinant
    xx, yy, xy = (np.cosh(r) + h * quotient) * ratio, (np.cosh(r) - h * quotient) / ratio, b * quotient
    return log_covariances_of(m + np.log(scale[0] * scale[1]), xx, xy, yy)


def log_covariances_of(
    m: NDArray[np.float64], xx: NDArray[np.float64], xy: NDArray[np.float64], yy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log-covariances m, h, b [N, 3] of covariances: e^m times xx, xy, yy [N] of determinant 1."""
    r = np.arccosh(np.maximum((xx + yy) / 2, 1.0))
    quotient = np.where(r > 0, np.sinh(r) / np.where(r > 0, r, 1.0), 1.0)
    return np.stack([m, (xx - yy) / 2 / quotient, xy / quotient], axis=1)
