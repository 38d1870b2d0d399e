"""Random quantized sets that keep every law of the format: what a fit would leave, without a fit."""

import numpy as np

from imagegs_tex.formats.igs.detail_layer import DetailLayer
from imagegs_tex.formats.igs.noise_tile import BAND_COUNT
from imagegs_tex.formats.igs.quantized_set import (
    TIE_MARGIN,
    QuantizedGaussianSet,
    cell_of,
    clamp_exponents,
    least_exponent,
    rounded_exponents,
    shape_values,
)
from imagegs_tex.formats.vocabulary import Coded, Route, SampleFormat, Semantic, TextureMap, Transfer


def made_map(
    name="basecolor",
    semantic=Semantic.BASE_COLOUR,
    routes: tuple[Route, ...] = (Coded(0),),
    transfer=Transfer.SRGB,
    log_range=(0.0, 1.0),
    channel_semantics=None,
    sample_format=SampleFormat.UINT8,
):
    return TextureMap(
        name=name,
        file_suffix=".png",
        semantic=semantic,
        channel_semantics=channel_semantics or (semantic,) * len(routes),
        transfer=transfer,
        sample_format=sample_format,
        routes=routes,
        log_range=log_range,
    )


def data_maps(channel_count):
    """One map of data for every four coded channels."""
    return tuple(
        made_map(
            f"data{first}",
            Semantic.DATA,
            tuple(Coded(channel) for channel in range(first, min(first + 4, channel_count))),
            Transfer.LINEAR,
        )
        for first in range(0, channel_count, 4)
    )


def made_detail(channels, components=2, grid=(5, 4), seed=1, relief=0):
    """A random detail layer: every third code or so is zero; grid: columns and rows of the envelope."""
    rng = np.random.default_rng(seed)

    def codes(low, high, *shape):
        return np.where(rng.random(shape) < 0.3, 0, rng.integers(low, high + 1, shape))

    return DetailLayer(
        band_codes=codes(20, 160, components, BAND_COUNT).astype(np.uint8),
        channel_codes=rng.integers(48, 80, channels).astype(np.uint8),  # scales of 0.03 to 0.13
        mixing_codes=codes(-127, 127, channels, components).astype(np.int8),
        slope_codes=codes(-400, 400, components, channels).astype(np.int16),
        envelope_codes=rng.integers(0, 16, grid[::-1]).astype(np.uint8),
        relief=relief,
    )


def made_set(
    width=96,
    height=64,
    count=60,
    channels=4,
    components=None,
    seed=1,
    cutoff=8.0,
    spread=2.5,
    thinness=1.2,
    maps=None,
    within=(1.0, 1.0),
    cell_log2=5,
    wrap=(False, False),
    detail=None,
):
    """Gaussians at random places of the picture's part `within`.

    spread: mean standard deviation in texels; thinness: half the range of h and b; wrap: repeats in x and y;
    detail: options of :func:`made_detail`, for a detail layer.
    """
    rng = np.random.default_rng(seed)
    components = channels if components is None else components
    size_step, form_step, ratio = np.float32(0.125), np.float32(0.0625), np.float32(0.2371)
    # 2 log sigma is about m: a standard deviation of `spread` on average, with a spread of its own.
    m = np.clip(np.rint((2 * np.log(spread) + 0.5 * rng.standard_normal(count)) / size_step), -90, 190)
    angle, form = rng.uniform(0, 2 * np.pi, count), thinness * np.sqrt(rng.uniform(0, 1, count))
    h, b = (np.rint(form * wave(angle) / form_step) for wave in (np.cos, np.sin))
    too_thin = np.hypot(h, b) * form_step > 5.0
    h[too_thin] = np.trunc(h[too_thin] * 0.98)
    b[too_thin] = np.trunc(b[too_thin] * 0.98)
    shape_codes = np.stack([m, h, b], axis=1).astype(np.int16)
    shapes = shape_values(shape_codes, float(size_step), float(form_step))
    rounded = rounded_exponents(shapes, float(ratio))
    while np.any(np.abs(rounded - np.floor(rounded) - 0.5) < TIE_MARGIN):
        ratio *= np.float32(1.003)
        rounded = rounded_exponents(shapes, float(ratio))
    exponents = clamp_exponents(rounded, least_exponent(width, height), cell_log2)
    means = rng.uniform(0, 1, (count, 2)) * [width * within[0], height * within[1]]
    codes = np.floor(means / np.exp2(exponents)).astype(np.int32)
    outside = (codes + 0.5) * np.exp2(exponents) >= [width, height]
    codes[outside] = np.floor(np.array([width, height]) / np.exp2(exponents) - 1)[outside].astype(np.int32)
    codes = np.maximum(codes, 0)
    cells = cell_of(codes, exponents, cell_log2)
    order = np.lexsort((cells[:, 0], cells[:, 1]))
    basis = np.eye(components, channels) + 0.3 * rng.standard_normal((components, channels))
    scale = np.float32(np.abs(basis).max())
    return QuantizedGaussianSet(
        width=width,
        height=height,
        maps=maps or data_maps(channels),
        cutoff=float(np.float32(cutoff)),
        position_ratio=float(ratio),
        size_step=float(size_step),
        form_step=float(form_step),
        cell_log2=cell_log2,
        position_codes=codes[order],
        shape_codes=shape_codes[order],
        feature_codes=rng.integers(-40, 41, (count, components)).astype(np.int16),
        feature_steps=np.full(components, 0.01 * np.sqrt(spread), dtype=np.float32),
        feature_exponent=0.5,
        basis_scale=float(scale),
        basis_codes=np.rint(basis / scale * 32767).astype(np.int16),
        offset_codes=rng.integers(20000, 45000, channels).astype(np.uint16),
        wrap=wrap,
        detail=None if detail is None else made_detail(channels, **detail),
    )
