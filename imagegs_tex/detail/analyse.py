"""The detail layer of a file: noise that gives its decode the contrast that the source has.

The residual's principal components over the channels are what the noise is made of. Each has a spectrum (a sum of the
tile's bands), a strength that grows with the channels' values (least squares on local deviations), and all share an
envelope on a coarse grid. How much of them each channel gets is fitted to its missing energy by octave, drawn, measured
and corrected.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
import zstandard
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.decoder.detail import add_detail
from imagegs_tex.decoder.render import render_channels
from imagegs_tex.detail.residual import OCTAVES, Missing, missing_energies
from imagegs_tex.detail.spectra import band_energies, octave_energies, streak_bands
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.detail_layer import (
    BAND_SCALE,
    CHANNEL_SCALE_LOG2,
    MAX_AMPLITUDE,
    MAX_NOISE_COMPONENTS,
    MIXING_SCALE,
    SLOPE_SCALE,
    DetailLayer,
    envelope_codes,
    pack_detail,
)
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.metrics.kept_contrast import band_deviations
from imagegs_tex.rasterize.backend import Backend

Array = NDArray[np.float64]

MOST_BYTES: Final = 600
MOST_SHARE: Final = 0.03
"""Of the file: a detail layer takes at most that, or MOST_BYTES where that is more."""
_LEAST_MISSING: Final = 0.3
"""Share of the finest octave's energy that must be missing in some channel, for a layer to be worth its bytes."""
_BLOCK: Final = 8  # texels, of local deviations
_CLEAN: Final = 1.0  # of the mean strength, below which a block counts as clean
_CELL: Final = 32  # texels, of the envelope's grid, at least
_MOST_CELLS: Final = 1024
_SPECTRUM_SIDE: Final = 512  # texels of the middle that spectra are taken from
_OCTAVE_WEIGHTS: Final = np.array([1.0, 1.0, 0.5])
_BALANCE_TURNS: Final = 60
_CORRECTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class _Components:
    """The residual's principal components."""

    values: Tensor  # float32 [H, W, K], of variance about 1 each
    loadings: Array  # [C, K], of channels that get noise, in the channels' unit; 0 elsewhere


def with_detail_layer(stack: TextureStack, quantized: QuantizedGaussianSet, backend: Backend) -> QuantizedGaussianSet:
    """Return a set with the detail layer that suits it, or as it is where there is nothing to add."""
    decoded = render_channels(quantized, backend)
    return replace(quantized, detail=analyse_detail(stack, quantized, decoded, len(encode_igs(quantized))))


def analyse_detail(
    stack: TextureStack, quantized: QuantizedGaussianSet, decoded: Tensor, file_bytes: int
) -> DetailLayer | None:
    """Return the layer that suits a file, or None where there is nothing to add.

    Args:
        stack: what the file was made of
        quantized: the file's content
        decoded: float32 [H, W, C], its picture without detail, on any device
        file_bytes: of the file without detail
    """
    source = torch.from_numpy(stack.texels).to(decoded.device)
    if stack.weights is not None:  # texels that do not count miss nothing
        counts = torch.from_numpy(stack.weights).to(decoded.device) > 0
        source = torch.where(counts[..., None], source, decoded)
    missing = missing_energies(stack, source, decoded)
    whole = np.square(band_deviations(source).cpu().numpy()[:, 0])
    if not np.any(missing.energies[0] > _LEAST_MISSING * np.maximum(whole, 1e-12)):
        return None
    components = _principal_components(source - decoded, missing.channels)
    offset = quantized.offset_codes / OFFSET_SCALE
    slopes, amplitudes = _amplitudes(components.values, decoded, offset)
    powers = _powers(components.values)
    streaks = streak_bands(np.mean(powers, axis=0))
    spectra = np.stack([band_energies(power, streaks) for power in powers])
    mixing, bands = _balance(missing, np.square(components.loadings), spectra)
    grid = _grid(quantized.width, quantized.height)
    while True:
        factors = _envelope(components.values, amplitudes, grid)
        layer = _quantize(np.copysign(mixing, components.loadings), bands, slopes, factors)
        layer = _corrected(layer, missing, quantized, decoded)
        size = len(zstandard.ZstdCompressor(level=19).compress(pack_detail(layer)))
        if size <= max(MOST_BYTES, MOST_SHARE * file_bytes) or grid == (1, 1):
            return layer
        grid = (max(1, grid[0] // 2), max(1, grid[1] // 2))


def _principal_components(residual: Tensor, channels: NDArray[np.bool_]) -> _Components:
    used = torch.from_numpy(np.flatnonzero(channels)).to(residual.device)
    picked = residual[..., used]
    picked = picked - picked.mean(dim=(0, 1))
    deviations = picked.std(dim=(0, 1)).clamp_min(1e-9)
    flat = (picked / deviations).reshape(-1, len(used))
    covariance = (flat.T @ flat / len(flat)).double().cpu().numpy()
    values, vectors = np.linalg.eigh(covariance)
    count = min(MAX_NOISE_COMPONENTS, len(used))
    axes, scales = vectors[:, ::-1][:, :count], np.sqrt(np.maximum(values[::-1][:count], 1e-12))
    axes = axes * np.where(axes.sum(axis=0) < 0, -1.0, 1.0)  # a sign of their own, whatever the library's
    projection = torch.from_numpy((axes / scales).astype(np.float32)).to(residual.device)
    loadings = np.zeros((len(channels), count))
    loadings[channels] = axes * scales * deviations.double().cpu().numpy()[:, None]
    shape = (*residual.shape[:2], count)
    return _Components((flat @ projection).reshape(shape), loadings)


def _blocks(picture: Tensor) -> Tensor:
    """Return the means of blocks of 8 x 8 texels [rows, columns, channels], without what is left over at the border."""
    height, width, channels = picture.shape
    side = min(_BLOCK, height, width)
    down, across = height // side, width // side
    return picture[: down * side, : across * side].reshape(down, side, across, side, channels).mean(dim=(1, 3))


def _amplitudes(values: Tensor, decoded: Tensor, offset: Array) -> tuple[Array, Tensor]:
    """Return slopes [K, C] of the components' strength over the channels, and the strength of each texel [H, W, K]."""
    strengths = _blocks(values.square()).sqrt().double().cpu().numpy()
    levels = _blocks(decoded).double().cpu().numpy() - offset
    count, channels = strengths.shape[2], levels.shape[2]
    known = np.concatenate([np.ones((*levels.shape[:2], 1)), levels], axis=2).reshape(-1, channels + 1)
    fitted = np.empty((channels + 1, count))
    for component, found in enumerate(strengths.reshape(-1, count).T):
        # errors count relative to the strength: what is clean must stay clean, where edges are lost more may be lost
        weights = 1 / (np.square(found) + np.square(_CLEAN * found.mean()))
        # a little ridge: channels that hardly vary must not get large slopes
        gram = (known * weights[:, None]).T @ known / weights.sum() + np.diag([0.0, *np.full(channels, 1e-4)])
        fitted[:, component] = np.linalg.solve(gram, known.T @ (weights * found) / weights.sum())
    slopes = np.clip(fitted[1:] / np.maximum(fitted[0], 1e-3), -127.0, 127.0).T
    rounded = np.rint(slopes * SLOPE_SCALE) / SLOPE_SCALE
    centred = decoded - torch.from_numpy(offset.astype(np.float32)).to(decoded.device)
    growth = centred @ torch.from_numpy(rounded.T.astype(np.float32)).to(decoded.device)
    return rounded, (1.0 + growth).clamp_(0.0, MAX_AMPLITUDE)


def _powers(values: Tensor) -> list[Array]:
    """Return power spectra of the middle of each component, of sum 1 at most."""
    height, width, count = values.shape
    top, left = (max(0, (length - _SPECTRUM_SIDE) // 2) for length in (height, width))
    middle = values[top : top + _SPECTRUM_SIDE, left : left + _SPECTRUM_SIDE].double().cpu().numpy()
    return [np.square(np.abs(np.fft.fft2(middle[..., k]))) / middle[..., k].size ** 2 for k in range(count)]


def _grid(width: int, height: int) -> tuple[int, int]:
    """Return columns and rows of the envelope: cells of 32 texels, or larger ones where there would be too many."""
    side = max(float(_CELL), (width * height / _MOST_CELLS) ** 0.5)
    columns, rows = (max(1, int(length / side)) for length in (width, height))
    return min(columns, 64), min(rows, 64)


def _envelope(values: Tensor, amplitudes: Tensor, grid: tuple[int, int]) -> Array:
    """Return factors [rows, columns] on the strength: what the residual has over what its channels predict."""
    found, predicted = (
        _cell_means(_blocks(picture.square()).sum(dim=2).sqrt().double().cpu().numpy(), grid)
        for picture in (values, amplitudes)
    )
    return found / np.maximum(predicted, 1e-6)


def _cell_means(blocks: Array, grid: tuple[int, int]) -> Array:
    rows, columns = (
        np.arange(length) * cells // length for length, cells in zip(blocks.shape, grid[::-1], strict=True)
    )
    sums, counts = np.zeros(grid[::-1]), np.zeros(grid[::-1])
    np.add.at(sums, (rows[:, None], columns[None]), blocks)
    np.add.at(counts, (rows[:, None], columns[None]), 1.0)
    return sums / np.maximum(counts, 1.0)


def _balance(missing: Missing, loadings: Array, spectra: Array) -> tuple[Array, Array]:
    """Return mixing [C, K] and bands [K, 8] whose energies by channel and octave come near to what is missing.

    Multiplicative updates in turn, as for non-negative factorisation (Lee and Seung 2001): each channel's row as a
    whole, and each component's bands; errors count relative to what is missing.
    """
    wanted, octaves = missing.energies, octave_energies()
    weights = _OCTAVE_WEIGHTS[:, None] * missing.channels
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


def _quantize(mixing: Array, bands: Array, slopes: Array, envelope: Array) -> DetailLayer:
    """Return the codes of a layer; each component's strongest band is 1, each channel's largest share 127."""
    peaks = np.maximum(bands.max(axis=1), 1e-12)
    mixing = mixing * peaks
    largest = np.maximum(np.abs(mixing).max(axis=1), 2.0**-15)
    # rounded up to a scale, so that no share exceeds 127
    channel_codes = np.clip(np.floor(-CHANNEL_SCALE_LOG2 * np.log2(largest)), 0, 255)
    scales = np.exp2(-channel_codes / CHANNEL_SCALE_LOG2)
    return DetailLayer(
        band_codes=np.rint(bands / peaks[:, None] * BAND_SCALE).astype(np.uint8),
        channel_codes=channel_codes.astype(np.uint8),
        mixing_codes=np.clip(np.rint(mixing / scales[:, None] * MIXING_SCALE), -127, 127).astype(np.int8),
        slope_codes=np.rint(slopes * SLOPE_SCALE).astype(np.int16),
        envelope_codes=envelope_codes(envelope),
    )


def _corrected(
    layer: DetailLayer, missing: Missing, quantized: QuantizedGaussianSet, decoded: Tensor
) -> DetailLayer:  # fmt: skip
    """Return a layer whose channels, drawn, have the energy that is missing: clipping and amplitudes change it."""
    plain = np.square(band_deviations(decoded).cpu().numpy().T[:OCTAVES])
    offset = (quantized.offset_codes / OFFSET_SCALE).astype(np.float32)
    wanted = (missing.energies * _OCTAVE_WEIGHTS[:, None]).sum(axis=0)
    for _ in range(_CORRECTIONS):
        drawn = add_detail(decoded.clone(), layer, offset, (quantized.width, quantized.height), quantized.wrap)
        added = np.square(band_deviations(drawn).cpu().numpy().T[:OCTAVES]) - plain
        found = (np.maximum(added, 0.0) * _OCTAVE_WEIGHTS[:, None]).sum(axis=0)
        ratio = np.clip(wanted / np.maximum(found, 1e-12), 1 / 16, 16.0)
        octaves = np.where(missing.channels, np.log2(ratio) / 2, 0.0)
        codes = np.clip(np.rint(layer.channel_codes - CHANNEL_SCALE_LOG2 * octaves), 0, 255)
        layer = replace(layer, channel_codes=codes.astype(np.uint8))
    return layer
