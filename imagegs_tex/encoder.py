"""From a texture stack to a quantized Gaussian set: components, fit, geometry codes, feature codes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from imagegs_tex.components import Components, principal_components, to_components
from imagegs_tex.feature_codes import choose_feature_codes
from imagegs_tex.fit import FitProblem, FitProgress, fit
from imagegs_tex.formats import gaussians as g
from imagegs_tex.formats.gaussians import QuantizedGaussianSet
from imagegs_tex.formats.stack import TextureStack
from imagegs_tex.quantize import GeometryQuantizer, geometry_quantizer
from imagegs_tex.rasterize.backend import Backend, Target
from imagegs_tex.settings import FitSettings, Precision
from imagegs_tex.solve import damping_of, solve_features

_FINAL_ITERATIONS: Final = 40
"""Conjugate-gradient iterations before the features are rounded; 60 changed nothing."""


@dataclass(frozen=True, slots=True)
class FittedGeometry:
    """Rounded geometry with the linear system of its features: everything that feature rounding needs."""

    quantizer: GeometryQuantizer
    components: Components
    cutoff: float
    position_codes: NDArray[np.int32]  # [N, 2], sorted by cell
    shape_codes: NDArray[np.int16]  # [N, 3]
    row_starts: NDArray[np.int64]  # [N + 1], the normal equations' matrix
    columns: NDArray[np.int32]  # [M]
    values: NDArray[np.float64]  # [M]
    diagonal: NDArray[np.float64]  # [N]
    features: NDArray[np.float64]  # [N, K], solved, not rounded


@dataclass(frozen=True, slots=True)
class EncodeSeconds:
    """Where the time went."""

    fit: float
    quantize: float


def prepare(stack: TextureStack, backend: Backend) -> tuple[FitProblem, Target, Components]:
    """Turn a stack into the picture that is fitted."""
    components = principal_components(stack.texels)
    image = to_components(stack.texels, components, backend.device)
    deviations = torch.from_numpy(components.deviations.astype(np.float32)).to(backend.device)
    return FitProblem(image, deviations, stack.channel_count), backend.prepare_target(image), components


def fit_geometry(
    stack: TextureStack,
    count: int,
    settings: FitSettings,
    precision: Precision,
    backend: Backend,
    report: Callable[[FitProgress], None] | None = None,
) -> tuple[FittedGeometry, EncodeSeconds]:
    """Fit a stack and round the geometry.

    Args:
        stack: the material
        count: Gaussians
        settings: of the fit
        precision: of the file
        backend: the rasterizer
        report: called after every step
    """
    started = time.perf_counter()
    problem, target, components = prepare(stack, backend)
    quantizer = geometry_quantizer(stack.width, stack.height, count, precision)
    fitted = fit(problem, target, count, settings, backend, rounding=quantizer.nearest, report=report)
    fit_done = time.perf_counter()
    quantizer = _off_the_ties(quantizer, fitted.log_covariances.cpu().numpy())
    position_codes, shape_codes, exponents = quantizer.codes(
        fitted.means.cpu().numpy(), fitted.log_covariances.cpu().numpy()
    )
    cells = g.cell_of(position_codes, exponents, quantizer.cell_log2).astype(np.int64)
    order = np.lexsort((position_codes[:, 0], position_codes[:, 1], shape_codes[:, 0], cells[:, 0], cells[:, 1]))
    means = torch.from_numpy(((position_codes + 0.5) * np.exp2(exponents))[order].astype(np.float32))
    shapes = g.shape_values(shape_codes[order], quantizer.size_step, quantizer.form_step)
    conics = torch.from_numpy(g.conics_of(shapes).astype(np.float32))
    equations = backend.normal_equations(means.to(backend.device), conics.to(backend.device), settings.cutoff, target)
    features = solve_features(
        backend, equations, fitted.features[torch.from_numpy(order).to(backend.device)], _FINAL_ITERATIONS,
        damping_of(equations, settings.solve_damping * _FINAL_DAMPING),
    )  # fmt: skip
    geometry = FittedGeometry(
        quantizer=quantizer, components=components, cutoff=float(np.float32(settings.cutoff)),
        position_codes=position_codes[order], shape_codes=shape_codes[order],
        row_starts=equations.row_starts.cpu().numpy(), columns=equations.columns.cpu().numpy(),
        values=equations.values.cpu().numpy(), diagonal=equations.diagonal.cpu().numpy(),
        features=features.double().cpu().numpy(),
    )  # fmt: skip
    return geometry, EncodeSeconds(fit_done - started, time.perf_counter() - fit_done)


def round_features(
    geometry: FittedGeometry, feature_step: float, rate_weight: float, stack: TextureStack
) -> QuantizedGaussianSet:
    """Choose the feature codes for a step and put the complete set together.

    Args:
        geometry: of :func:`fit_geometry`
        feature_step: of every component, in code units
        rate_weight: how much a bit weighs against squared error
        stack: for its maps and size
    """
    components = geometry.components
    steps = np.full(components.count, np.clip(feature_step, *g.FEATURE_STEP_RANGE), dtype=np.float32)
    bit_price = rate_weight * float(steps[0]) ** 2 * float(np.median(geometry.diagonal))
    codes = choose_feature_codes(
        geometry.row_starts, geometry.columns, geometry.values, geometry.diagonal, geometry.features,
        steps.astype(np.float64), bit_price,
    )  # fmt: skip
    used = np.any(codes != 0, axis=0)
    used[0] = True  # a file has at least one component
    return QuantizedGaussianSet(
        width=stack.width, height=stack.height, maps=stack.maps, cutoff=geometry.cutoff,
        position_ratio=geometry.quantizer.position_ratio, size_step=geometry.quantizer.size_step,
        form_step=geometry.quantizer.form_step, cell_log2=geometry.quantizer.cell_log2,
        position_codes=geometry.position_codes, shape_codes=geometry.shape_codes,
        feature_codes=np.ascontiguousarray(codes[:, used]), feature_steps=steps[used],
        basis_scale=components.basis_scale, basis_codes=components.basis_codes[used],
        offset_codes=components.offset_codes,
    )  # fmt: skip


_FINAL_DAMPING: Final = 0.1
"""The last solve, relative to those within the fit."""


def _off_the_ties(quantizer: GeometryQuantizer, log_covariances: NDArray[np.float32]) -> GeometryQuantizer:
    """Shift the position ratio by millionths until no position exponent lies on a rounding tie."""
    steps = np.array([quantizer.size_step, quantizer.form_step, quantizer.form_step])
    codes = np.rint(log_covariances.astype(np.float64) / steps).astype(np.int16)
    shapes = g.shape_values(codes, quantizer.size_step, quantizer.form_step)
    while True:
        rounded = g.rounded_exponents(shapes, quantizer.position_ratio)
        if not np.any(np.abs(rounded - np.floor(rounded) - 0.5) < 2 * g.TIE_MARGIN):
            return quantizer
        ratio = float(np.nextafter(np.float32(quantizer.position_ratio * (1 + 4e-6)), np.float32(np.inf)))
        quantizer = replace(quantizer, position_ratio=ratio)
