"""The detail layer of a file: noise that gives its decode the contrast that the source has.

The residual's principal components over the channels that miss their grain at the same places are what the noise is
made of. Each has a spectrum (a sum of the
tile's bands), a strength that grows with the channels' values (least squares on what blocks miss), and all share an
envelope on a coarse grid. Normals get the slopes of one height instead. How much each channel gets is fitted to its
missing energy by octave, drawn, measured and corrected.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.decoder.detail import KeptNoise, add_detail
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.detail.amplitudes import (
    amplitudes,
    block_levels,
    block_means,
    bounding_factors,
    envelope,
    even_factors,
    finest_grid,
    growth,
    less_offset,
    missing_grain,
)
from imagegs_tex.detail.groups import strength_groups
from imagegs_tex.detail.pattern import middle
from imagegs_tex.detail.relief import Relief, find_relief
from imagegs_tex.detail.residual import (
    OCTAVE_WEIGHTS,
    Missing,
    kurtosis,
    missing_energies,
    octaves_of,
    shared_by_meaning,
)
from imagegs_tex.detail.spectra import band_energies, octave_energies, usable_bands
from imagegs_tex.formats.igs.container import detail_bytes
from imagegs_tex.formats.igs.detail_layer import (
    BAND_SCALE,
    CHANNEL_SCALE_LOG2,
    MAX_NOISE_COMPONENTS,
    MIXING_SCALE,
    RELIEF_COMPONENTS,
    SLOPE_SCALE,
    DetailLayer,
    envelope_codes,
)
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic
from imagegs_tex.metrics.row_bands import VALUES_AT_ONCE, channel_parts
from imagegs_tex.metrics.visible_error import blur
from imagegs_tex.rasterize.backend import Backend

Array = NDArray[np.float64]
Box = tuple[int, int, int, int]
"""Texels: left, top, the column behind the last, the row behind the last."""

MOST_BYTES: Final = 600
_MOST_SHARE: Final = 0.03
"""Of the file: a detail layer takes at most that, or MOST_BYTES where that is more."""
_LEAST_SHARE: Final = 0.002
"""Of a channel's energy, that a second component of channels must have."""
_COARSER: Final = 0.85
"""By which an envelope that takes too many bytes gets fewer cells along each axis."""
_FEW_CELLS: Final = 36
"""Of an envelope, from which a layer that takes too many bytes has fewer components instead: as many bytes say more."""
_COLOURS: Final = frozenset({Semantic.BASE_COLOUR, Semantic.IMAGE, Semantic.SPECULAR})
_COLOUR_CHANNELS: Final = 3
_GREYEST: Final = 0.4
"""Of what noise differs between colours, by what it is weakened at most."""
_HUE_KURTOSIS: Final = (4.0, 6.0)
_SPECKS: Final = 0.5
"""By what that is weakened as the kurtosis of the colours' differences goes from one to the other: ground, moss and
scratched metal have 3 to 4, rust 5, stone blocks, cloth, wood and painted panels 6 and more."""
_BALANCE_TURNS: Final = 60
_CORRECTIONS: Final = 2
_CORRECTION_BYTES: Final = 8
"""That corrected scales may take more."""


@dataclass(frozen=True, slots=True)
class _Noise:
    """Components that share an amplitude."""

    mixing: Array  # [C, components], for components of variance 1
    bands: Array  # [components, 8]
    contrast: Array  # how strong it should be by block [rows, columns]
    weight: float  # how many channels' worth of what is missing it makes


def with_detail_layer(
    stack: TextureStack,
    quantized: QuantizedGaussianSet,
    backend: Backend,
    most_bytes: int | None,
    file_size: Future[int],
) -> QuantizedGaussianSet:
    """Return a set with the detail layer that suits it, or as it is where there is nothing to add.

    Args:
        stack: what the set was made of
        quantized: the set
        backend: the rasterizer
        most_bytes: that the layer may take; as many as suit the file if that is None, or more
        file_size: bytes of the set's file, which is waited for where there is something to add
    """

    def most() -> int:
        usual = max(MOST_BYTES, int(_MOST_SHARE * file_size.result()))
        return usual if most_bytes is None else min(usual, most_bytes)

    layer = analyse_detail(stack, quantized, render_channels(quantized, backend), most)
    return quantized if layer is quantized.detail else replace(quantized, detail=layer)


def misses_grain(stack: TextureStack, quantized: QuantizedGaussianSet, backend: Backend, part: Box) -> bool:
    """Whether a part of a picture lacks noise, as analyse_detail would find of it alone."""
    left, top, right, bottom = part
    decoded = render_channels(quantized, backend)[top:bottom, left:right]
    source = torch.from_numpy(stack.texels)[top:bottom, left:right].to(decoded.device)
    return missing_energies(stack, source, decoded) is not None


def analyse_detail(
    stack: TextureStack, quantized: QuantizedGaussianSet, decoded: Tensor, most_bytes: Callable[[], int]
) -> DetailLayer | None:
    """Return the layer that suits a file, or None where there is nothing to add, or not in so many bytes.

    Args:
        stack: what the file was made of
        quantized: the file's content
        decoded: float32 [H, W, C], its picture without detail, on any device
        most_bytes: returns how many the layer may take in the file; asked when there is one
    """
    source = torch.from_numpy(stack.texels).to(decoded.device)
    if stack.weights is not None:  # texels that do not count miss nothing
        important = torch.from_numpy(stack.weights).to(decoded.device) > 0
        source = torch.where(important[..., None], source, decoded)
    missing = missing_energies(stack, source, decoded)
    if missing is None:
        return None
    contrasts, shares_of_grain = missing_grain(source, decoded)
    missing = replace(missing, energies=missing.energies * shares_of_grain)
    relief = find_relief(stack, source - decoded, missing)
    grid = finest_grid(quantized.width, quantized.height)
    for most in range(MAX_NOISE_COMPONENTS, 0, -1):
        noises = _noises(source, decoded, missing, relief, contrasts, most)
        growths, found, predicted = _strengths(noises, decoded, quantized.offset_codes / OFFSET_SCALE)
        while True:
            layer = _quantize(noises, growths, envelope(found, predicted, grid), 0 if relief is None else relief.apart)
            if detail_bytes(layer) <= most_bytes() - _CORRECTION_BYTES:
                return _balanced(layer, stack, missing, quantized, source, decoded)
            if grid == (1, 1) or (most > 1 and grid[0] * grid[1] <= _FEW_CELLS):
                break
            grid = (max(1, int(grid[0] * _COARSER)), max(1, int(grid[1] * _COARSER)))
    return None


def _strengths(noises: list[_Noise], decoded: Tensor, offset: Array) -> tuple[list[Array], Array, Array]:
    """Return each noise's growth with the channels [C], and by block how strong noise should be and is by growth."""
    growths, strengths = [], []
    levels, centred = block_levels(decoded, offset), less_offset(decoded, offset)
    for noise in noises:
        growths.append(growth(noise.contrast, levels))
        made = block_means(amplitudes(growths[-1], centred).square_())
        strengths.append((noise.contrast, np.sqrt(made / max(float(made.mean()), 1e-12))))
    weights = [noise.weight for noise in noises]
    found, predicted = (
        np.sqrt(np.average(np.square(np.stack(kind)), axis=0, weights=weights)) for kind in zip(*strengths, strict=True)
    )
    return growths, found, predicted


def _balanced(
    layer: DetailLayer,
    stack: TextureStack,
    missing: Missing,
    quantized: QuantizedGaussianSet,
    source: Tensor,
    decoded: Tensor,
) -> DetailLayer:
    """Return a layer that has, drawn, the contrast that is missing, and no more of it or of its colour than suits."""
    drawn = _drawing(layer, quantized, decoded)
    layer = _corrected(layer, missing, drawn)
    factors = even_factors(source, decoded, drawn(layer))
    layer = _scaled(layer, shared_by_meaning(stack, factors, missing.channels))
    layer = _greyer(layer, stack, source, decoded, drawn(layer))
    return _scaled(layer, bounding_factors(missing, drawn(layer)))


def _noises(
    source: Tensor, decoded: Tensor, missing: Missing, relief: Relief | None, contrasts: Array, most: int
) -> list[_Noise]:  # fmt: skip
    """Return the components: three for the slopes of a height, where there is one, and one each for what is left.

    The slopes count as one of ``most``.
    """
    noises, rest = [], missing
    if relief is not None:
        slopes = [relief.across, relief.down]
        mixing = np.zeros((len(missing.channels), RELIEF_COMPONENTS))
        mixing[relief.across] = [-1.0, 1.0, 0.0]
        mixing[relief.down] = [-relief.sign, 0.0, relief.sign]
        bands = np.repeat(relief.bands[None], RELIEF_COMPONENTS, axis=0)
        noises.append(_Noise(mixing, bands, np.sqrt(np.square(contrasts[..., slopes]).mean(axis=2)), len(slopes)))
        rest = missing.without(slopes)
    most -= relief is not None
    if most == 0 or not np.any(rest.channels):
        return noises
    groups = strength_groups(contrasts, np.flatnonzero(rest.channels).tolist(), most)
    projection, loadings, shares = _principal_components(source - decoded, groups, most)
    own, kept = (picture @ projection for picture in (source, decoded))
    values, (strengths, _) = own - kept, missing_grain(own, kept)
    powers = [_power(values, component) for component in range(values.shape[2])]
    usable = usable_bands(np.mean(powers, axis=0))
    mixing, bands = _balance(rest, np.square(loadings), np.stack([band_energies(power, usable) for power in powers]))
    mixing = np.copysign(mixing, loadings)
    return noises + [
        _Noise(mixing[:, k : k + 1], bands[k : k + 1], strengths[..., k], share) for k, share in enumerate(shares)
    ]


def _principal_components(
    residual: Tensor, groups: list[list[int]], most: int
) -> tuple[Tensor, Array, list[float]]:  # fmt: skip
    """Return what makes components of channels, float32 [C, K], and loadings [C, K], 0 but for one group's channels.

    Each group has its strongest component, what is left of ``most`` goes to the strongest of all. Third are their
    shares [K] in the energy, in channels. What is hardly there is left out: rounding would be all of it. All is of what
    is finer than eight texels; the residual is overwritten.
    """
    for part in channel_parts(*residual.shape):  # coarse errors of colour are no grain
        residual[..., part] -= blur(blur(blur(residual[..., part], 1), 2), 4)
    flat = residual.sub_(residual.mean(dim=(0, 1))).reshape(-1, residual.shape[2])
    covariances = (flat.T @ flat).double().cpu().numpy() / max(1, len(flat) - 1)
    deviations = np.maximum(np.sqrt(np.diag(covariances)), 1e-9)
    correlations = covariances / np.outer(deviations, deviations)
    found = []
    for group in groups:
        values, vectors = np.linalg.eigh(correlations[np.ix_(group, group)])
        found += [(place > 0, -value, group, vectors[:, -1 - place]) for place, value in enumerate(values[::-1])]
    found = sorted((item for item in found if not item[0] or -item[1] > _LEAST_SHARE), key=lambda item: item[:2])[:most]
    loadings = np.zeros((residual.shape[2], len(found)))
    projection = np.zeros_like(loadings)
    for column, (_, value, group, vector) in enumerate(found):
        axis = -vector if vector.sum() < 0 else vector  # a sign of its own, whatever the library's
        scale = np.sqrt(max(float(-value), 1e-12))
        projection[group, column], loadings[group, column] = axis / scale, axis * scale
    loadings *= deviations[:, None]
    made = torch.from_numpy((projection / deviations[:, None]).astype(np.float32)).to(residual.device)
    return made, loadings, [float(-value) for _, value, _, _ in found]


def _power(values: Tensor, component: int) -> Array:
    """Return the power spectrum of the middle of a component, of sum 1 at most."""
    plane = middle(values[..., component : component + 1])[..., 0]
    return np.asarray(np.square(np.abs(np.fft.fft2(plane))) / plane.size**2)


def _balance(missing: Missing, loadings: Array, spectra: Array) -> tuple[Array, Array]:
    """Return mixing [C, K] and bands [K, 8] whose energies by channel and octave come near to what is missing.

    Multiplicative updates in turn, as for non-negative factorisation (Lee and Seung 2001): each channel's row as a
    whole, and each component's bands; errors count relative to what is missing.
    """
    wanted, octaves = missing.energies, octave_energies()
    weights = OCTAVE_WEIGHTS[:, None] * missing.channels
    relative = np.divide(weights, np.square(wanted), out=np.zeros_like(wanted), where=wanted > 0)
    mixing, bands = loadings.copy(), spectra.copy()
    for _ in range(_BALANCE_TURNS):
        drawn = np.einsum("ck,kb,jb->jc", mixing, bands, octaves)
        up = (relative * wanted * drawn).sum(axis=0)
        mixing *= (up / np.maximum((relative * drawn**2).sum(axis=0), 1e-30))[:, None]
        drawn = np.einsum("ck,kb,jb->jc", mixing, bands, octaves)
        up = np.einsum("jc,ck,jb->kb", relative * wanted, mixing, octaves)
        down = np.einsum("jc,ck,jb->kb", relative * drawn, mixing, octaves)
        bands *= np.sqrt(up / np.maximum(down, 1e-30))
    return np.sqrt(mixing), np.sqrt(bands)


def _quantize(noises: list[_Noise], growths: list[Array], factors: Array, relief: int) -> DetailLayer:
    """Return the codes of a layer; each component's strongest band is 1, each channel's largest share 127."""
    mixing = np.concatenate([noise.mixing for noise in noises], axis=1)
    bands = np.concatenate([noise.bands for noise in noises])
    slopes = np.repeat(growths, [len(noise.bands) for noise in noises], axis=0)
    peaks = np.maximum(bands.max(axis=1), 1e-12)
    channel_codes, mixing_codes = _mixing_codes(mixing * peaks)
    return DetailLayer(
        band_codes=np.rint(bands / peaks[:, None] * BAND_SCALE).astype(np.uint8),
        channel_codes=channel_codes, mixing_codes=mixing_codes,
        slope_codes=np.rint(slopes * SLOPE_SCALE).astype(np.int16),
        envelope_codes=envelope_codes(factors), relief=relief,
    )  # fmt: skip


def _mixing_codes(mixing: Array) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Return the codes of channels' scales [C] and shares [C, K], rounded up to a scale: no share exceeds 127."""
    largest = np.maximum(np.abs(mixing).max(axis=1), 2.0**-15)
    channel_codes = np.clip(np.floor(-CHANNEL_SCALE_LOG2 * np.log2(largest)), 0, 255)
    scales = np.exp2(-channel_codes / CHANNEL_SCALE_LOG2)
    shares = np.clip(np.rint(mixing / scales[:, None] * MIXING_SCALE), -127, 127)
    return channel_codes.astype(np.uint8), shares.astype(np.int8)


def _greyer(layer: DetailLayer, stack: TextureStack, source: Tensor, decoded: Tensor, drawn: Tensor) -> DetailLayer:
    """Return a layer whose noise is greyer, where the source's grain is grey in most places and noise would colour it.

    So it is where colours differ at edges and flakes more than as grain does (their kurtosis within cells): evenly
    spread that is specks of colour. Strengths follow the brightness, which has most of the energy: paint of one colour
    would get the specks of rust.
    """
    codes, shares = layer.channel_codes.copy(), layer.mixing_codes.copy()
    for texture_map in stack.maps:
        own = [
            route.index
            for route, semantic in zip(texture_map.routes, texture_map.channel_semantics, strict=True)
            if isinstance(route, Coded) and semantic in _COLOURS
        ]
        mixing = layer.mixing[own]
        if len(own) < _COLOUR_CHANNELS or not np.any(mixing):
            continue
        less_grey = np.zeros((source.shape[2], len(own)), np.float32)
        less_grey[own] = np.eye(len(own)) - 1 / len(own)
        hues = torch.from_numpy(less_grey).to(source.device)
        own_hues, kept_hues, made_hues = (picture @ hues for picture in (source, decoded, drawn))
        factor = float(even_factors(own_hues, kept_hues, made_hues, _GREYEST).mean())
        factor *= float(np.interp(kurtosis(own_hues - kept_hues).mean(), _HUE_KURTOSIS, (1.0, _SPECKS)))
        grey = mixing.mean(axis=0)
        codes[own], shares[own] = _mixing_codes(grey + factor * (mixing - grey))
    return replace(layer, channel_codes=codes, mixing_codes=shares)


def _corrected(layer: DetailLayer, missing: Missing, drawn: Callable[[DetailLayer], Tensor]) -> DetailLayer:
    """Return a layer whose channels, drawn, have the energy that is missing: clipping and amplitudes change it."""
    wanted = (missing.energies * OCTAVE_WEIGHTS[:, None]).sum(axis=0)
    for _ in range(_CORRECTIONS):
        added = octaves_of(drawn(layer), missing.channels) - missing.decoded
        found = (np.maximum(added, 0.0) * OCTAVE_WEIGHTS[:, None]).sum(axis=0)
        ratio = np.clip(wanted / np.maximum(found, 1e-12), 1 / 16, 16.0)
        octaves = np.where(missing.channels, np.log2(ratio) / 2, 0.0)
        layer = _scaled(layer, np.exp2(octaves))
    return layer


def _drawing(
    layer: DetailLayer, quantized: QuantizedGaussianSet, decoded: Tensor
) -> Callable[[DetailLayer], Tensor]:  # fmt: skip
    """Return what draws layers that differ from one in their channels' shares alone; decoded: without detail."""
    offset = (quantized.offset_codes / OFFSET_SCALE).astype(np.float32)
    if layer.component_count * decoded.shape[0] * decoded.shape[1] <= VALUES_AT_ONCE:
        return KeptNoise.of(decoded, layer, offset, quantized.wrap).added
    size = quantized.width, quantized.height
    return lambda found: add_detail(decoded.clone(), found, offset, size, quantized.wrap)


def _scaled(layer: DetailLayer, factors: Array) -> DetailLayer:
    """Return a layer with each channel's noise times a factor [C]; 0 leaves a channel as it is."""
    steps = np.log2(np.where(factors > 0, factors, 1.0))
    codes = np.clip(np.rint(layer.channel_codes - CHANNEL_SCALE_LOG2 * steps), 0, 255)
    return replace(layer, channel_codes=codes.astype(np.uint8))
