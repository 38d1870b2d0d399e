"""From a texture stack to a quantized Gaussian set: components, fit, geometry codes, feature codes."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.feature_equations import (
    ITERATIONS_OF_A_SWEEP,
    bit_price,
    geometry_of,
    in_own_units,
    solve,
)
from imagegs_tex.fit.channel_weights import channel_weights
from imagegs_tex.fit.control import Watch
from imagegs_tex.fit.gaussian_set import Fit, GaussianSet
from imagegs_tex.fit.initialise import kept_products
from imagegs_tex.fit.loop import FitProgress, fit
from imagegs_tex.fit.problem import ChannelMix, FitProblem
from imagegs_tex.fit.seam_weights import with_border_weight
from imagegs_tex.fit.state import LARGEST_FORM, SMALLEST_LOG_SIZE
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.quantize.channel_basis import Components, principal_components, to_components
from imagegs_tex.quantize.code_lengths import gaussian_bits
from imagegs_tex.quantize.feature_rdo import Descent, choose_feature_codes
from imagegs_tex.quantize.geometry import GeometryQuantizer, geometry_quantizer
from imagegs_tex.rasterize.backend import Backend, FitTarget, PreparedGeometry
from imagegs_tex.settings import FitSettings, Precision

_EXPONENT_RANGE: Final = (0.1, 0.8)
SWEEPS_OF_A_STOP: Final = 2
"""At most, where a stop came while a fit took steps; see SETTLING_STEPS."""
_DROPPED_SHARE: Final = 0.5
"""Of the Gaussians that are not worth their bits, what goes in a turn."""
_FEW_DROPPED: Final = 0.01
"""Share of all Gaussians, for which no turn is taken."""
_LEAST_ERROR: Final = 1e-9
"""Squared error per texel below which no finer step is worth anything: 90 dB."""


@dataclass(frozen=True, slots=True)
class CodedGeometry:
    """Geometry as codes, with the linear system of its features: everything that feature rounding needs."""

    quantizer: GeometryQuantizer
    components: Components
    cutoff: float
    border_weight: float  # of texels near borders at which the picture repeats, in the fit
    position_codes: NDArray[np.int32]  # [N, 2], sorted by cell
    shape_codes: NDArray[np.int16]  # [N, 3]
    # the next two count features in each Gaussian's own scale: 1 at the median size, less where it is larger
    descent: Descent  # of the normal equations
    diagonal: NDArray[np.float64]  # [N] of their matrix
    feature_step: float  # what suits the error of these features, in code units, at the median size


@dataclass(frozen=True, slots=True)
class EncodeSeconds:
    """Where the time went."""

    fit: float
    quantize: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a fit's Gaussians are, as values that a file can hold; features are solved for whenever they are needed."""

    means: NDArray[np.float64]  # [N, 2] texels
    log_covariances: NDArray[np.float64]  # [N, 3] m, h, b
    cutoff: float  # q at which a support ends
    border_weight: float  # of texels near borders at which the picture repeats


Prepared = tuple[FitProblem, FitTarget, Components]
"""What every fit of a stack starts from: the picture, the same as the backend wants it, what its components mean."""


def prepare(stack: TextureStack, backend: Backend, weights_of_channels: tuple[float, ...] | None = None) -> Prepared:
    """Turn a stack into the picture that is fitted; without weights [C], those of :func:`channel_weights` are used."""
    per_channel = channel_weights(stack) if weights_of_channels is None else weights_of_channels
    texels = torch.from_numpy(stack.texels).to(backend.device)
    weights = None if stack.weights is None else torch.from_numpy(stack.weights).to(backend.device)
    components = principal_components(texels, weights, per_channel)
    image = to_components(texels, components)
    deviations = torch.from_numpy(components.deviations.astype(np.float32)).to(backend.device)
    saliency = None if stack.saliency is None else torch.from_numpy(stack.saliency).to(backend.device)
    mix = ChannelMix(*(torch.from_numpy(part).to(backend.device) for part in (components.basis, components.offset)))
    gradients = kept_products(image, stack.wrap)
    problem = FitProblem(image, deviations, float(components.channel_weights.sum()), weights, saliency, mix, gradients)
    return problem, backend.prepare_target(image, weights, stack.wrap), components


def fit_geometry(  # noqa: PLR0913 - what a run may be told
    prepared: Prepared,
    count: int,
    settings: FitSettings,
    precision: Precision,
    backend: Backend,
    *,
    progress: Callable[[FitProgress], None] | None = None,
    start: Geometry | None = None,
    watch: Watch | None = None,
    exact_count: bool = True,
) -> tuple[CodedGeometry, EncodeSeconds]:
    """Fit a picture and round the geometry.

    Args:
        prepared: of :func:`prepare`
        count: Gaussians
        settings: of the fit
        precision: of the file
        backend: the rasterizer
        progress: called after every step, and before every sweep
        start: of an earlier fit of the same stack to go on from, whatever its weights and its number of Gaussians
        watch: the run's; a stop also leaves out sweeps that are left, all but two where it came before them
        exact_count: whether Gaussians stay that are not worth their bits
    """
    started = time.perf_counter()
    problem, target, components = prepared
    quantizer = geometry_quantizer(target.width, target.height, count, precision, target.wrap)
    begin = None if start is None else _resume(start, problem, target, settings, backend)
    fitted = fit(
        problem, target, count, settings, backend, start=begin, rounding=quantizer, progress=progress, watch=watch
    )  # fmt: skip
    fit_done = time.perf_counter()
    problem, target = with_border_weight(problem, target, fitted.border_weight, backend)
    features = fitted.gaussians.features
    means, shapes = quantizer.nearest(fitted.gaussians.means.double(), fitted.gaussians.log_covariances.double())
    rounded = Geometry(means.cpu().numpy(), shapes.cpu().numpy(), fitted.cutoff, fitted.border_weight)
    refiner = _Refiner(problem, target, settings, precision, quantizer, backend, components.fineness)
    stopped = watch is not None and watch.stopped_at is not None  # while it was fitted
    sweeps = min(settings.refine_sweeps, SWEEPS_OF_A_STOP) if stopped else settings.refine_sweeps
    for sweep in range(sweeps):
        if watch is not None and not stopped and watch.stops("refining", sweep, sweeps):
            break
        if progress is not None:
            progress(FitProgress("refining", sweep, sweeps))
        rounded, features = refiner.sweep(rounded, features, drop=sweep == 0 and not exact_count)
    quantizer = _avoid_rounding_ties(quantizer, rounded.log_covariances)
    position_codes, shape_codes, exponents = quantizer.codes(rounded.means, rounded.log_covariances)
    order = order_in_file(position_codes, shape_codes, exponents, quantizer.cell_log2)
    position_codes, shape_codes = position_codes[order], shape_codes[order]
    final = Geometry(*quantizer.values(position_codes, shape_codes), rounded.cutoff, rounded.border_weight)
    features = features[torch.from_numpy(order).to(backend.device)]
    prepared_final = geometry_of(final.means, final.log_covariances, final.cutoff, target, backend)
    equations, features = solve(prepared_final, features, target, settings, backend)
    scales = _relative_scales(final.log_covariances, precision)
    own, own_features = in_own_units(equations, features, torch.from_numpy(scales).to(backend.device))
    geometry = CodedGeometry(
        quantizer=quantizer, components=components, cutoff=float(np.float32(final.cutoff)),
        border_weight=fitted.border_weight,
        position_codes=position_codes, shape_codes=shape_codes,
        descent=compute_on(backend).descent(own, own_features), diagonal=own.diagonal.cpu().numpy(),
        feature_step=_feature_step(prepared_final, features, problem, target, precision=precision, backend=backend),
    )  # fmt: skip
    return geometry, EncodeSeconds(fit_done - started, time.perf_counter() - fit_done)


def order_in_file(
    position_codes: NDArray[np.int32], shape_codes: NDArray[np.int16], exponents: NDArray[np.int32], cell_log2: int
) -> NDArray[np.int64]:
    """Return the order [N] in which a file has Gaussians: by cell, then by what makes codes cheap."""
    cells = g.cell_of(position_codes, exponents, cell_log2).astype(np.int64)
    return np.lexsort((position_codes[:, 0], position_codes[:, 1], shape_codes[:, 0], cells[:, 0], cells[:, 1]))


def _resume(earlier: Geometry, problem: FitProblem, target: FitTarget, settings: FitSettings, backend: Backend) -> Fit:
    """Return an earlier fit with features solved for this picture: its components may be others."""
    means = earlier.means
    columns, rows = np.floor(np.clip(means, 0, [target.width - 1, target.height - 1])).astype(np.int64).T
    features = problem.image[torch.from_numpy(rows), torch.from_numpy(columns)]
    geometry = geometry_of(means, earlier.log_covariances, earlier.cutoff, target, backend)
    _, solved = solve(geometry, features, target, settings, backend)
    gaussians = GaussianSet(
        torch.from_numpy(means.astype(np.float32)).to(backend.device),
        torch.from_numpy(earlier.log_covariances.astype(np.float32)).to(backend.device), solved,
    )  # fmt: skip
    return Fit(gaussians, earlier.cutoff, earlier.border_weight)


def _relative_scales(shapes: NDArray[np.float64], precision: Precision) -> NDArray[np.float64]:
    """Return the factors [N] on the feature steps of shapes [N, 3], over that of their median size."""
    return g.feature_scales(shapes[:, 0] - np.median(shapes[:, 0]), precision.feature_exponent)


def _feature_step(
    geometry: PreparedGeometry,
    features: Tensor,
    problem: FitProblem,
    target: FitTarget,
    *,
    precision: Precision,
    backend: Backend,
) -> float:
    """Return the feature step that suits a fit, in code units."""
    total = backend.squared_error(geometry, features, target).total
    error = float(total) / problem.texel_weight
    return suited_feature_step(error, float(problem.deviations.double().square().sum()), geometry.count, precision)


def suited_feature_step(error: float, variance: float, count: int, precision: Precision) -> float:
    """Return the feature step that suits a fit, in code units.

    Rounding should cost about what the last Gaussians gained. With error falling as N^-s, s from the picture's variance
    down to the error at hand, that makes the step proportional to the error's root and to s. One fixed step for all
    (0.065) cost 20 % of the bytes where the error is small; a step by the error alone, 10 % where it falls slowly.

    Args:
        error: squared, of a texel over all components
        variance: of the picture, over all components
        count: Gaussians
        precision: of the file
    """
    error = max(error, _LEAST_ERROR)
    variance = max(variance, error)
    exponent = math.log(variance / error) / math.log(max(2, count))
    low, high = _EXPONENT_RANGE
    return precision.feature_ratio * math.sqrt(error) * min(max(exponent, low), high)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A geometry with its features solved, and rounded as the file would hold them."""

    prepared: PreparedGeometry
    solved: Tensor  # [N, K]
    codes: NDArray[np.int16]  # [N, K]
    rounded: Tensor  # [N, K] what the codes mean
    bit_price: float  # squared error that one bit is worth


@dataclass(frozen=True, slots=True)
class _Refiner:
    """Sweeps over the geometry codes of a fit."""

    problem: FitProblem
    target: FitTarget
    settings: FitSettings
    precision: Precision
    quantizer: GeometryQuantizer
    backend: Backend
    fineness: NDArray[np.float64]  # [K] of the components

    def sweep(self, rounded: Geometry, features: Tensor, *, drop: bool) -> tuple[Geometry, Tensor]:
        """Sweep once, with features as the file would hold them; return the solved ones with what became of it.

        Beside solved features, which no file has, a sweep is worth less than half (docs/experiments/rounding.md):
        geometry makes good for what the rounding of features leaves.

        Args:
            rounded: geometry
            features: [N, K] to solve from
            drop: whether Gaussians that are not worth their bits go before
        """
        stored = self._stored(rounded, features)
        if drop and self.settings.drop_turns > 0:
            rounded, stored = self._dropped_in_turns(rounded, stored)
        elif drop:
            gain, _ = self._gains(stored, rounded)
            rounded, stored = self._with(np.flatnonzero(_pays(gain)), rounded, stored)
        shape_codes = self.quantizer.shape_codes(rounded.log_covariances)
        means, shape_codes = compute_on(self.backend).refine_geometry(
            rounded.means, shape_codes, stored.rounded, self.problem.image, self.quantizer,
            weights=self.problem.weights, cutoff=rounded.cutoff, bit_price=stored.bit_price,
            shape_limits=(SMALLEST_LOG_SIZE, LARGEST_FORM),
        )  # fmt: skip
        shapes = g.shape_values(shape_codes, self.quantizer.size_step, self.quantizer.form_step)
        return replace(rounded, means=means, log_covariances=shapes), stored.solved

    def _stored(self, rounded: Geometry, features: Tensor) -> _Stored:
        """Solve for the features of a geometry, and round them."""
        drawn = geometry_of(rounded.means, rounded.log_covariances, rounded.cutoff, self.target, self.backend)
        equations, solved = solve(drawn, features, self.target, self.settings, self.backend, ITERATIONS_OF_A_SWEEP)
        step = _feature_step(drawn, solved, self.problem, self.target, precision=self.precision, backend=self.backend)
        scales = torch.from_numpy(_relative_scales(rounded.log_covariances, self.precision)).to(self.backend.device)
        own, own_features = in_own_units(equations, solved, scales)
        diagonal = own.diagonal.cpu().numpy()
        price = bit_price(self.precision, step, diagonal)
        descent = compute_on(self.backend).descent(own, own_features)
        steps = step / self.fineness
        codes = choose_feature_codes(descent, diagonal, steps, price)
        values = torch.from_numpy(codes * steps).to(self.backend.device) * scales[:, None]
        return _Stored(drawn, solved, codes, values.to(solved.dtype), price)

    def _dropped_in_turns(self, rounded: Geometry, stored: _Stored) -> tuple[Geometry, _Stored]:
        """Drop Gaussians as long as those that go together take less off the squared error than their bits are worth.

        Each by itself may do little where others beside it do the same: in flat drawings all of them at once left holes
        that cost 8 dB, which one sweep does not close. After a turn that does not pay, a quarter as many are tried.
        """
        share, error = _DROPPED_SHARE, self._error(stored)
        for _ in range(self.settings.drop_turns):
            gain, bits = self._gains(stored, rounded)
            order = np.argsort(gain, kind="stable")
            number = int(np.count_nonzero(~_pays(gain)))
            if number <= _FEW_DROPPED * len(gain):
                break
            number = max(1, int(number * share))
            fewer, left = self._with(np.sort(order[number:]), rounded, stored)
            lost = self._error(left)
            if lost - error > stored.bit_price * float(bits[order[:number]].sum()):
                share /= 4
            else:
                rounded, stored, error = fewer, left, lost
        return rounded, stored

    def _with(self, kept: NDArray[np.int64], rounded: Geometry, stored: _Stored) -> tuple[Geometry, _Stored]:
        """Return a geometry with some of its Gaussians, whose features are solved for anew."""
        rounded = replace(rounded, means=rounded.means[kept], log_covariances=rounded.log_covariances[kept])
        return rounded, self._stored(rounded, stored.solved[torch.from_numpy(kept).to(self.backend.device)])

    def _error(self, stored: _Stored) -> float:
        """Return the squared error of rounded features."""
        return float(self.backend.squared_error(stored.prepared, stored.rounded, self.target).total)

    def _gains(self, stored: _Stored, rounded: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what each Gaussian takes off the squared error, beyond what its bits are worth, and those bits [N]."""
        _, shape_codes, exponents = self.quantizer.codes(rounded.means, rounded.log_covariances)
        planes = np.concatenate([shape_codes, stored.codes], axis=1)
        bits = gaussian_bits(exponents, self.quantizer.cell_log2, planes)
        lost = self.backend.leave_one_out(stored.prepared, stored.rounded, self.target).cpu().numpy()
        return _gain(lost, bits, stored.bit_price), bits


def worth_their_bits(lost: NDArray[np.float64], bits: NDArray[np.float64], price: float) -> NDArray[np.int64]:
    """Return which Gaussians take more off the squared error than their bits are worth; one at least.

    Args:
        lost: squared error [N] that each takes off
        bits: that each takes [N]
        price: squared error that a bit is worth
    """
    return np.flatnonzero(_pays(_gain(lost, bits, price)))


def _gain(lost: NDArray[np.float64], bits: NDArray[np.float64], price: float) -> NDArray[np.float64]:
    return lost - price * bits


def _pays(gain: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which gains [N] are none below 0, or the best: a bit is worth nothing where no texel's centre is met."""
    return np.asarray(gain >= min(0.0, gain.max()))


def round_features(
    geometry: CodedGeometry, precision: Precision, stack: TextureStack, stretch: float = 1.0
) -> QuantizedGaussianSet:
    """Choose the feature codes for a step and put the complete set together.

    Args:
        geometry: of :func:`fit_geometry`
        precision: of the features
        stack: for its maps and size
        stretch: factor of the feature step
    """
    components = geometry.components
    # the file holds the step at m = 0, the geometry knows that at the median size
    median = float(np.median(geometry.shape_codes[:, 0])) * geometry.quantizer.size_step
    unit = float(g.feature_scales(np.array([median]), precision.feature_exponent)[0])
    stored = np.float32(np.clip(geometry.feature_step * stretch / unit, *g.FEATURE_STEP_RANGE))
    steps = np.maximum((stored / components.fineness).astype(np.float32), np.float32(g.FEATURE_STEP_RANGE[0]))
    codes = choose_feature_codes(
        geometry.descent, geometry.diagonal, steps.astype(np.float64) * unit,
        bit_price(precision, float(stored) * unit, geometry.diagonal),
    )  # fmt: skip
    used = np.any(codes != 0, axis=0)
    used[0] = True  # a file has at least one component
    return QuantizedGaussianSet(
        width=stack.width, height=stack.height, maps=stack.maps, cutoff=geometry.cutoff,
        position_ratio=geometry.quantizer.position_ratio, size_step=geometry.quantizer.size_step,
        form_step=geometry.quantizer.form_step, cell_log2=geometry.quantizer.cell_log2,
        position_codes=geometry.position_codes, shape_codes=geometry.shape_codes,
        feature_codes=np.ascontiguousarray(codes[:, used]),
        feature_steps=steps[used], feature_exponent=precision.feature_exponent,
        basis_scale=components.basis_scale, basis_codes=components.basis_codes[used],
        offset_codes=components.offset_codes, wrap=geometry.quantizer.wrap,
    )  # fmt: skip


def _avoid_rounding_ties(quantizer: GeometryQuantizer, shapes: NDArray[np.float64]) -> GeometryQuantizer:
    """Shift the position ratio by millionths until no position exponent of shapes [N, 3] lies on a rounding tie."""
    while True:
        rounded = g.rounded_exponents(shapes, quantizer.position_ratio)
        if not np.any(np.abs(rounded - np.floor(rounded) - 0.5) < 2 * g.TIE_MARGIN):
            return quantizer
        ratio = float(np.nextafter(np.float32(quantizer.position_ratio * (1 + 4e-6)), np.float32(np.inf)))
        quantizer = replace(quantizer, position_ratio=ratio)
