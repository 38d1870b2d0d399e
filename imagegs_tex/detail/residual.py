"""What a decode misses, per channel and octave, and whether it looks like noise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.detail.pattern import middle, repetition
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.formats.vocabulary import Coded, Semantic
from imagegs_tex.metrics.kept_contrast import EMPTY_BAND, band_deviations
from imagegs_tex.metrics.octave_kernels import finest_moments, structure_sums
from imagegs_tex.metrics.row_bands import channel_parts
from imagegs_tex.metrics.visible_error import blur_in_torch
from imagegs_tex.square_root import square_root

OCTAVES: Final = 3
"""Of the four that kept contrast counts: coarser ones are what the Gaussians hold best."""
OCTAVE_WEIGHTS: Final = np.array([1.0, 1.0, 0.5])
KEPT: Final = (0.88, 1.12)
"""Kept contrast of the two finest octaves that each channel has at least and at most, whatever is weakened for the sake
of clean places and of structure, and however unlike the spectra of channels are that share a component."""
_LEAST_MISSING: Final = 0.3
"""Share of the finest octave's energy that must be missing in some channel, for a layer to be worth its bytes."""
_NOISY: Final = frozenset(
    {
        Semantic.BASE_COLOUR, Semantic.IMAGE, Semantic.NORMAL, Semantic.ROUGHNESS, Semantic.GLOSS, Semantic.SPECULAR,
        Semantic.OCCLUSION,
    }
)  # fmt: skip
"""Meanings that may get noise: masks, opacity, metal, height, light and plain data have levels that must stay clean."""
_CELL: Final = 32  # texels, for the kurtosis
_MISSING: Final = (0.2, 0.5, 0.8)
_KURTOSIS: Final = (13.0, 16.0, 60.0)
"""Kurtosis within cells up to which a residual counts as noise, by the share of the finest contrast that is missing.
Grain has 3 to 9 (brick, rock, rust, wood), scratched paint's roughness 14, drawn pictures and tiles 8 to 40 with little
missing, for which _EDGES holds; where nearly all is missing it is noise or nothing: pits of metal at 13 to 17."""
_COHERENCE: Final = (0.55, 0.65)
_EDGES: Final = 6.5
"""Where the source's fine structure is coherent it is drawn edges, and the limit of kurtosis goes down to that. Painted
pictures, tiles and vector drawings have a coherence of 0.67 to 0.95 and residuals of 8 to 50. Grain has 0.24 to 0.58;
wood, brushed metal and the normals of stones have 0.65 to 0.84, but residuals of 2.5 to 5.9."""
_MARGIN: Final = 0.25  # of that limit, over which noise fades out
_IN_PLACE: Final = (0.925, 0.94)
"""Correlation of the third octave with the source's, from which on structure counts as in its place."""
_REPEATING: Final = (0.10, 0.14)
"""Repetition of the residual, from which on it counts as a pattern: cloth's has 0.14 to 0.48, those of twelve other
materials at most 0.09 at all rates, tiles that get no noise 0.1 to 0.6."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Energies (variances) that noise should add, and those that are there."""

    energies: NDArray[np.float64]  # [octaves, C], 0 for channels that get none
    source: NDArray[np.float64]  # [octaves, C] what the source has
    decoded: NDArray[np.float64]  # [octaves, C] what the decode has without detail

    @property
    def channels(self) -> NDArray[np.bool_]:
        """Which channels get noise [C]."""
        return np.asarray(self.energies.sum(axis=0) > 0)

    def without(self, channels: Sequence[int]) -> "Missing":
        """Return what the other channels miss."""
        energies = self.energies.copy()
        energies[:, list(channels)] = 0
        return replace(self, energies=energies)


def missing_energies(stack: TextureStack, source: Tensor, decoded: Tensor) -> Missing | None:
    """Return what noise should add; None: less than is worth a layer.

    That is what the source has and the decode has not, but no more than the residual has where KEPT allows: structure
    that is in its place, only fainter, would be drowned by noise of all that it lacks. Fine contrast of cloth at
    quality 50 has 0.68 of the source's and a correlation of 0.96 with it: noise of the rest had 2.7 times the
    residual's deviation.

    Args:
        stack: for what channels mean
        source: float32 [H, W, C] in [0, 1], on any device
        decoded: the same of the file without detail
    """
    own, kept = (octaves_of(picture) for picture in (source, decoded))
    wanted, found, energies = np.sqrt(own), np.sqrt(kept), np.maximum(own - kept, 0.0)
    allowed = _noisy_channels(stack) & (wanted[0] > EMPTY_BAND)
    worth = _LEAST_MISSING * np.maximum(np.square(wanted[0]), 1e-12)
    if not np.any((energies[0] > worth)[allowed]):  # nor with any trust, which is at most 1: what follows takes long
        return None
    residual = source - decoded
    share = 1.0 - np.minimum(found[0] / np.maximum(wanted[0], EMPTY_BAND), 1.0)
    limit = np.interp(share, _MISSING, _KURTOSIS)
    edges = np.interp(_coherence(source), _COHERENCE, (0.0, 1.0))
    limit = limit + edges * (np.minimum(limit, _EDGES) - limit)
    left = octaves_of(residual)
    trust = np.clip(((1 + _MARGIN) * limit - kurtosis(residual)) / (_MARGIN * limit), 0.0, 1.0)
    alike = (own[-1] + kept[-1] - left[-1]) / np.maximum(2 * wanted[-1] * found[-1], 1e-30)
    known = np.interp(shared_by_meaning(stack, alike, allowed), _IN_PLACE, (0.0, 1.0))
    trust *= 1.0 - known * _patterns(residual, np.flatnonzero(known))
    energies *= shared_by_meaning(stack, trust, allowed)
    if not np.any(energies[0] > worth):
        return None
    needed = np.maximum(KEPT[0] ** 2 * own - kept, 0.0)
    return Missing(np.minimum(energies, np.maximum(left, needed)), own, kept)


def octaves_of(picture: Tensor, wanted: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Return the energies of a picture [H, W, C] by octave [octaves, C]; 0 for channels that are not wanted [C]."""
    channels = np.arange(picture.shape[2]) if wanted is None else np.flatnonzero(wanted)
    energies = np.zeros((OCTAVES, picture.shape[2]))
    if len(channels) > 0:
        deviations = band_deviations(picture, channels.tolist()).cpu().numpy()
        energies[:, channels] = np.square(deviations.T[:OCTAVES])
    return energies


def _patterns(residual: Tensor, channels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how much of a residual [H, W, C] is a pattern [C], 0 to 1; of other channels than those 0.

    Of cloth whose threads are in their place, only blurred, the edges are missing: noise hides the threads, and is less
    like cloth by Portilla and Simoncelli's statistics and by what readers say. Where threads are lost it is more so.
    """
    found = np.zeros(residual.shape[2])
    planes = [middle(residual[..., channel : channel + 1])[..., 0] for channel in channels]
    found[channels] = np.interp(side_by_side(repetition, planes), _REPEATING, (0.0, 1.0)) if planes else 0.0
    return found


def shared_by_meaning(
    stack: TextureStack, values: NDArray[np.float64], counted: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the means [C] of values over the channels of a map that mean the same, so that noise keeps its colour.

    Args:
        stack: for what channels mean
        values: by channel [C]
        counted: channels that have one [C]; the others get 0
    """
    means = np.zeros_like(values)
    for texture_map in stack.maps:
        routes = list(zip(texture_map.routes, texture_map.channel_semantics, strict=True))
        for meaning in {semantic for _, semantic in routes}:
            own = [route.index for route, semantic in routes if isinstance(route, Coded) and semantic == meaning]
            used = [channel for channel in own if counted[channel]]
            means[used] = values[used].mean() if used else 0.0
    return means


def _noisy_channels(stack: TextureStack) -> NDArray[np.bool_]:
    allowed = np.ones(stack.channel_count, dtype=bool)
    for texture_map in stack.maps:
        for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True):
            if isinstance(route, Coded) and semantic not in _NOISY:
                allowed[route.index] = False
    return allowed


def kurtosis(residual: Tensor) -> NDArray[np.float64]:
    """Return the kurtosis [C] of a residual's finest octave within cells: 3 for noise of slowly varying strength."""
    on_cpu = residual.device.type == "cpu"
    variances, fourths = finest_moments(residual, _CELL) if on_cpu else moments_in_torch(residual)
    sums = fourths.sum(axis=(0, 1)), np.square(variances).sum(axis=(0, 1))
    return np.asarray(sums[0] / np.maximum(sums[1], 1e-30))


def moments_in_torch(residual: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Do what :func:`finest_moments` does on any device."""
    found = []
    for part in channel_parts(*residual.shape):
        fine = residual[..., part] - _blur(residual[..., part])
        height, width, channels = fine.shape
        side = min(_CELL, height, width)
        down, across = height // side, width // side
        squares = fine[: down * side, : across * side].reshape(down, side, across, side, channels).square()
        found.append((squares.mean(dim=(1, 3)).double(), squares.square().mean(dim=(1, 3)).double()))
    variances, fourths = (torch.cat(kind, dim=2).cpu().numpy() for kind in zip(*found, strict=True))
    return variances, fourths


def _coherence(source: Tensor) -> NDArray[np.float64]:
    """Return how much of the finest octave's gradients [C] agree in direction with those around them, 0 to 1.

    Of the structure tensor (Bigun and Granlund 1987) over about five texels: the difference of its eigenvalues over
    their sum, both added up over the picture.
    """
    on_cpu = source.device.type == "cpu"
    difference, total = structure_sums(source) if on_cpu else structure_in_torch(source)
    return np.asarray(difference / np.maximum(total, 1e-30))


def structure_in_torch(source: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Do what :func:`structure_sums` does on any device."""
    found = []
    for part in channel_parts(*source.shape):
        fine = source[..., part] - _blur(source[..., part])
        across, down = (_slope(fine, axis) for axis in (1, 0))
        products = (across.square(), down.square(), across * down)
        x, y, both = (blur_in_torch(blur_in_torch(product, 1), 2).double() for product in products)
        difference = square_root((x - y).square() + 4 * both.square()).sum(dim=(0, 1))
        found.append(torch.stack([difference, (x + y).sum(dim=(0, 1))]))
    difference, total = torch.cat(found, dim=1).cpu().numpy()
    return difference, total


def _slope(picture: Tensor, axis: int) -> Tensor:
    """Return Sobel's slope of a picture [H, W, C] along an axis, taken as repeating."""
    step = torch.roll(picture, -1, axis) - torch.roll(picture, 1, axis)
    return torch.roll(step, 1, 1 - axis) + 2.0 * step + torch.roll(step, -1, 1 - axis)


def _blur(picture: Tensor) -> Tensor:
    """Return a picture [H, W, C] through the filter [1, 4, 6, 4, 1] / 16 along both axes, taken as repeating."""
    for axis in (0, 1):
        sums = 6.0 * picture
        for distance, weight in ((1, 4.0), (2, 1.0)):
            sums = sums + weight * (torch.roll(picture, distance, axis) + torch.roll(picture, -distance, axis))
        picture = sums / 16.0
    return picture
