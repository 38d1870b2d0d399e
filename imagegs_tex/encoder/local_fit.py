"""A file made anew after an edit: only Gaussians where something has changed are fitted, all others keep their codes.

The picture is in the file's components, and the fit works on a part of it: new Gaussians, as many as there were, beside
all that reach in, which stay as the file has them. So do the sweeps over codes and the last rounding of features.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.detail.analyse import Box
from imagegs_tex.encoder.compute import CpuCompute
from imagegs_tex.encoder.edit_region import (
    Region,
    changed_tiles,
    crop,
    members,
    reaching_in,
    region_of,
    tiles_around,
    within,
)
from imagegs_tex.encoder.encode import EncodeSeconds, order_in_file, worth_their_bits
from imagegs_tex.encoder.feature_equations import bit_price, geometry_of, in_own_units, solve
from imagegs_tex.fit.control import Watch
from imagegs_tex.fit.densification import usual_worth
from imagegs_tex.fit.gaussian_set import Fit, GaussianSet
from imagegs_tex.fit.initialise import gradient_products, initialise, kept_products
from imagegs_tex.fit.loop import FitProgress, fit
from imagegs_tex.fit.problem import ChannelMix, FitProblem
from imagegs_tex.fit.state import LARGEST_FORM, SMALLEST_LOG_SIZE, constrain
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet, dequantize
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.quantize.channel_basis import Components, to_components
from imagegs_tex.quantize.code_lengths import gaussian_bits
from imagegs_tex.quantize.feature_rdo import choose_feature_codes
from imagegs_tex.quantize.geometry import GeometryQuantizer, geometry_quantizer
from imagegs_tex.rasterize.backend import TILE, FitTarget, PreparedGeometry
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.settings import CompressSettings, FitSettings
from imagegs_tex.square_root import square_root_

_SOLVED: Final = 10
"""Iterations of the solve that finds changes, from the file's features."""
_OUTSIDE: Final = 0.1
"""Most of the usual error that the file's components may leave of what has changed."""
_ORTHONORMAL: Final = 2e-3
_ALIKE: Final = 0.2
"""Most that a channel's weight may have changed by, relatively."""
STEPS: Final = 5
"""Times the steps of a fit that begins from a file. With 8 the edit of docs/guide/runs.md ends 0.015 dB higher."""
SWEEPS: Final = 2
"""Sweeps over geometry codes, beside those of a fit that begins from a file."""
_ROOM: Final = 1.25
"""Times the Gaussians that are expected a fit begins with where it finds their number: those that are too many go, and
with too few at first those that came later were worth less (1,606 at 36.88 dB, 1,583 at 36.89)."""
_USUAL: Final = FitSettings()


@dataclass(frozen=True, slots=True)
class EditedFile:
    """A file, and the picture that it is to show now, in its components."""

    file: QuantizedGaussianSet
    gaussians: GaussianSet  # the file's
    geometry: PreparedGeometry  # of these
    components: Components
    problem: FitProblem
    target: FitTarget
    quantizer: GeometryQuantizer  # the file's
    settings: CompressSettings
    backend: CpuBackend
    progress: Callable[[FitProgress], None] | None = None
    watch: Watch | None = None  # which may end it early

    @property
    def feature_steps(self) -> NDArray[np.float64]:
        """[K], of a Gaussian with m = 0."""
        return self.file.feature_steps.astype(np.float64)


def edited_file(
    file: QuantizedGaussianSet,
    stack: TextureStack,
    channel_weights: tuple[float, ...],
    settings: CompressSettings,
    backend: CpuBackend,
    *,
    progress: Callable[[FitProgress], None] | None = None,
    watch: Watch | None = None,
) -> EditedFile | None:
    """Return what a local fit needs; None where the file was made with other steps, or by other weights of channels."""
    wanted = geometry_quantizer(stack.width, stack.height, file.gaussian_count, settings.precision, stack.wrap)
    own = (file.size_step, file.form_step, file.feature_exponent)
    asked = (wanted.size_step, wanted.form_step, settings.precision.feature_exponent)
    weights = _weights_of(file, np.array(channel_weights))
    if own != asked or weights is None or not np.isclose(file.position_ratio, wanted.position_ratio, rtol=1e-3):
        return None
    steps = file.feature_steps.astype(np.float64)
    count = len(steps)
    components = Components(
        file.offset_codes, file.basis_scale, file.basis_codes, np.ones(count), weights, steps.max() / steps
    )
    image = to_components(torch.from_numpy(stack.texels), components)
    texel_weights = None if stack.weights is None else torch.from_numpy(stack.weights)
    mix = ChannelMix(*(torch.from_numpy(part) for part in (components.basis, components.offset)))
    deviations = image.reshape(-1, count).std(dim=0)
    problem = FitProblem(image, deviations, float(weights.sum()), texel_weights, None, mix)
    values, target = dequantize(file), backend.prepare_target(image, texel_weights, stack.wrap)
    quantizer = replace(wanted, position_ratio=file.position_ratio, cell_log2=file.cell_log2)
    return EditedFile(
        file, GaussianSet(*map(torch.from_numpy, (values.means, values.log_covariances, values.features))),
        geometry_of(values.means, values.log_covariances, file.cutoff, target, backend), components, problem, target,
        quantizer, settings, backend, progress, watch,
    )  # fmt: skip


def _weights_of(file: QuantizedGaussianSet, now: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the weights [C] of channels by which a file was made; None: they are far from those of now.

    They are those for which its basis is orthonormal; what that leaves open is as it is now.
    """
    rows = g.basis_values(file.basis_codes, file.basis_scale).astype(np.float64)
    products, wanted = (rows[:, None] * rows[None]).reshape(-1, rows.shape[1]), np.eye(len(rows)).reshape(-1)
    found = now + np.linalg.lstsq(products, wanted - products @ now, rcond=1e-6)[0]
    if np.abs(products @ found - wanted).max() > _ORTHONORMAL or not np.allclose(found, now, rtol=_ALIKE):
        return None
    return np.asarray(found)


def find_region(edited: EditedFile, stack: TextureStack, changed: Tensor | None = None) -> Region | None:
    """Return what has changed since the file was made; None: nothing, or what cannot be fitted by itself.

    Args:
        edited: the file and its picture
        stack: of which that is
        changed: tiles that have, bool [rows, columns], where it is known
    """
    tiles, usual = _changed_tiles(edited) if changed is None else (changed, None)
    region = region_of(tiles, tiles_around(edited.gaussians, edited.file.cutoff), edited.target.size)
    if region is None:
        return None
    ends = zip(region.box[:2], region.box[2:], edited.target.size, edited.target.wrap, strict=True)
    if any(repeats and (first == 0 or last == size) for first, last, size, repeats in ends):
        return None  # what is new would show on the other side, too
    if usual is None:
        return region
    # colours of a kind that the file has none of
    texels = crop(torch.from_numpy(stack.texels), region.box) - torch.from_numpy(edited.components.offset)
    left = texels.square() @ torch.from_numpy(edited.components.channel_weights).float()
    left -= crop(edited.problem.image, region.box).square().sum(dim=2)
    return region if left[crop(region.changed, region.box)].mean() < _OUTSIDE * usual else None


def _changed_tiles(edited: EditedFile) -> tuple[Tensor, float]:
    """Return what has changed by what the file's Gaussians with other features would show."""
    backend, features, geometry = edited.backend, edited.gaussians.features, edited.geometry
    _, solved = solve(geometry, features, edited.target, edited.settings.fit, backend, _SOLVED)
    return changed_tiles(backend.render(geometry, features), backend.render(geometry, solved), edited.problem)


def refit(
    edited: EditedFile, region: Region, *, exact_count: bool
) -> tuple[QuantizedGaussianSet, EncodeSeconds] | None:
    """Return the file with Gaussians of what has changed fitted anew, and the seconds; None: there are none of it.

    Args:
        edited: the file and its picture
        region: what has changed
        exact_count: whether there are as many as before, in place of as many as are worth what the others are
    """
    begun = time.perf_counter()
    columns, rows = edited.gaussians.means.long().unbind(dim=1)
    width, height = edited.target.size
    moves = region.changed[rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
    moves = moves & within(edited.gaussians, region.box, edited.file.cutoff)
    if not moves.any():
        return None
    stays = members(edited.gaussians, ~moves)
    count = int(moves.sum())
    worth = None
    if not exact_count:
        worth = _usual_worth(edited, region.box)
        count = round(_ROOM * max(count, _as_dense_as_around(stays, region, edited)))
    found = _fit_beside(stays, count, worth, region, edited)
    fitted = time.perf_counter()
    quantized = _with_new(found, stays, ~moves.numpy(), edited, drop=not exact_count)
    return quantized, EncodeSeconds(fitted - begun, time.perf_counter() - fitted)


def _usual_worth(edited: EditedFile, box: Box) -> float:
    """Return what the file's Gaussians outside a box are worth at least, of those that are worth their bits."""
    file = edited.file
    importance = edited.backend.leave_one_out(edited.geometry, edited.gaussians.features, edited.target)
    (left, top, right, bottom), (x, y) = box, edited.gaussians.means.unbind(dim=1)
    outside = (x < left) | (x >= right) | (y < top) | (y >= bottom)
    exponents = g.position_exponents(_shape_values(file.shape_codes, edited), file)
    bits = gaussian_bits(exponents, file.cell_log2, np.concatenate([file.shape_codes, file.feature_codes], axis=1))
    worth = _price_in(box, edited) * torch.from_numpy(bits)
    counted = outside & (importance > worth)  # a number that was asked for may be more than a picture needs
    return usual_worth(importance[counted]) if counted.any() else float(worth.mean())


def _price_in(box: Box, edited: EditedFile) -> float:
    """Return the squared error that one bit of the file's is worth in a box."""
    problem, inside = _part(edited.problem, box), reaching_in(edited.gaussians, box, edited.target, edited.file.cutoff)
    target = edited.backend.prepare_target(problem.image, problem.weights)
    geometry = edited.backend.prepare_geometry(
        inside.means - torch.tensor(box[:2]), inside.conics, edited.file.cutoff, target.size
    )  # fmt: skip
    scales = g.feature_scales(inside.log_covariances[:, 0].double().numpy(), edited.file.feature_exponent)
    diagonal = edited.backend.normal_equations(geometry, target).diagonal.numpy() * np.square(scales)
    return bit_price(edited.settings.precision, float(edited.feature_steps.max()), diagonal)


def _as_dense_as_around(stays: GaussianSet, region: Region, edited: EditedFile) -> int:
    """Return how many Gaussians what has changed would have if they lay as around it, by the picture's gradient."""
    share = edited.settings.fit.random_share
    across, _, down = gradient_products(crop(edited.problem.image, region.box), (False, False))
    gradient = square_root_(across + down)
    density = (1 - share) * gradient / gradient.mean().clamp_min(1e-30) + share
    changed = crop(region.changed, region.box)
    left, top, right, bottom = region.box
    around = torch.all(
        (stays.means >= torch.tensor([left, top])) & (stays.means < torch.tensor([right, bottom])), dim=1
    )
    return round(float(density[changed].sum() / density[~changed].sum()) * int(around.sum()))


def _fit_beside(
    stays: GaussianSet, count: int, worth: float | None, region: Region, edited: EditedFile
) -> GaussianSet:  # fmt: skip
    """Fit new Gaussians to what has changed, beside those that stay."""
    settings, cutoff, (left, top, _, _) = edited.settings.fit, edited.file.cutoff, region.box
    origin = torch.tensor([left, top], dtype=torch.float32)
    problem = _part(edited.problem, region.box)
    problem = replace(problem, gradients=kept_products(problem.image, (False, False)))
    where = crop(region.changed, region.box).float()
    own = initialise(
        problem.image, round(count * settings.start_crowd), np.random.default_rng(settings.seed),
        where if problem.weights is None else where * problem.weights, settings=settings, products=problem.gradients,
    )  # fmt: skip
    target = edited.backend.prepare_target(problem.image, problem.weights)
    beside = reaching_in(stays, region.box, edited.target, cutoff)
    backend = _on_top_of(replace(beside, means=beside.means - origin), target, edited)
    whole = replace(
        settings, steps=STEPS * settings.steps, least_cutoff=cutoff, population=_USUAL.population,
        decay_from=_USUAL.decay_from, last_rate=_USUAL.last_rate,
    )  # fmt: skip
    found = fit(
        problem, target, count, whole, backend, start=Fit(own, cutoff, 1.0), progress=edited.progress,
        watch=edited.watch, worth=worth,
    ).gaussians  # fmt: skip
    means, shapes = found.means + origin, found.log_covariances.clone()
    constrain(means, shapes, edited.target.size, edited.target.wrap)
    return GaussianSet(means, shapes, found.features)


def _on_top_of(beside: GaussianSet, target: FitTarget, edited: EditedFile) -> CpuBackend:
    """Return a backend in whose pictures, of the target's size, those that stay are painted."""
    geometry = edited.backend.prepare_geometry(beside.means, beside.conics, edited.file.cutoff, target.size)
    return edited.backend.on_top_of(geometry, beside.features)


def _with_new(
    found: GaussianSet, stays: GaussianSet, kept: NDArray[np.bool_], edited: EditedFile, *, drop: bool
) -> QuantizedGaussianSet:
    """Round new Gaussians, and return the file with those in place of the ones that are not kept [N].

    Args:
        found: new ones
        stays: the file's that are kept
        kept: which those are
        edited: the file and its picture
        drop: whether new ones that are not worth their bits go
    """
    file, quantizer, features = edited.file, edited.quantizer, found.features
    positions, shapes, _ = quantizer.codes(found.means.numpy(), found.log_covariances.numpy())
    sweeps = edited.settings.fit.refine_sweeps + SWEEPS
    for sweep in range(sweeps):
        if edited.watch is not None and edited.watch.stops("refining", sweep, sweeps):
            break
        if edited.progress is not None:
            edited.progress(FitProgress("refining", sweep, sweeps))
        rounded = _round_features(positions, shapes, features, stays, edited)
        if drop and sweep == 0:
            stay = _worth_their_bits(positions, shapes, rounded, edited)
            positions, shapes = positions[stay], shapes[stay]
            rounded = _round_features(positions, shapes, rounded.solved[torch.from_numpy(stay)], stays, edited)
        positions, shapes = _swept(positions, shapes, rounded, edited)
        features = rounded.solved
    while np.any(ties := _near_ties(shapes, edited)):
        shapes[ties, 0] += 1
    positions, shapes, _ = quantizer.codes(quantizer.values(positions, shapes)[0], _shape_values(shapes, edited))
    codes = _round_features(positions, shapes, features, stays, edited).codes
    positions, shapes, codes = (
        np.concatenate([old[kept], new])
        for old, new in ((file.position_codes, positions), (file.shape_codes, shapes), (file.feature_codes, codes))
    )
    exponents = g.position_exponents(_shape_values(shapes, edited), file)
    order = order_in_file(positions, shapes, exponents, file.cell_log2)
    return replace(file, position_codes=positions[order], shape_codes=shapes[order], feature_codes=codes[order])


@dataclass(frozen=True, slots=True)
class _Rounded:
    """Features of new Gaussians, solved and rounded, on the part of the picture that they reach."""

    solved: Tensor  # [N, K]
    codes: NDArray[np.int16]  # [N, K]
    values: Tensor  # [N, K] what the codes mean
    bit_price: float  # squared error that one bit is worth
    box: Box
    problem: FitProblem  # of the box
    target: FitTarget  # the same
    beside: GaussianSet  # those that reach into it, of the file
    backend: CpuBackend  # in whose pictures these are painted
    geometry: PreparedGeometry  # of the new ones, on it


def _round_features(
    positions: NDArray[np.int32], shapes: NDArray[np.int16], features: Tensor, stays: GaussianSet, edited: EditedFile
) -> _Rounded:
    """Solve for the features of new Gaussians [N], from some on, beside those that stay as they are."""
    file, precision = edited.file, edited.settings.precision
    means, values = edited.quantizer.values(positions, shapes)
    box = _box_of(means, values, file.cutoff, edited.target.size)
    problem, beside = _part(edited.problem, box), reaching_in(stays, box, edited.target, file.cutoff)
    target = edited.backend.prepare_target(problem.image, problem.weights)
    backend = _on_top_of(replace(beside, means=beside.means - torch.tensor(box[:2])), target, edited)
    geometry = geometry_of(means - box[:2], values, file.cutoff, target, backend)
    equations, solved = solve(geometry, features, target, edited.settings.fit, backend)
    scales = g.feature_scales(values[:, 0], file.feature_exponent)
    own, own_features = in_own_units(equations, solved, torch.from_numpy(scales))
    diagonal = own.diagonal.numpy()
    price = bit_price(precision, float(edited.feature_steps.max()), diagonal)
    descent = CpuCompute(backend).descent(own, own_features)
    codes = choose_feature_codes(descent, diagonal, edited.feature_steps, price)
    rounded = (codes * edited.feature_steps * scales[:, None]).astype(np.float32)
    return _Rounded(solved, codes, torch.from_numpy(rounded), price, box, problem, target, beside, backend, geometry)


def _worth_their_bits(
    positions: NDArray[np.int32], shapes: NDArray[np.int16], rounded: _Rounded, edited: EditedFile
) -> NDArray[np.int64]:
    """Return which new Gaussians take more off the squared error than their bits are worth; one at least."""
    exponents = g.position_exponents(_shape_values(shapes, edited), edited.file)
    bits = gaussian_bits(exponents, edited.file.cell_log2, np.concatenate([shapes, rounded.codes], axis=1))
    lost = rounded.backend.leave_one_out(rounded.geometry, rounded.values, rounded.target)
    return worth_their_bits(lost.numpy(), bits, rounded.bit_price)


def _swept(
    positions: NDArray[np.int32], shapes: NDArray[np.int16], rounded: _Rounded, edited: EditedFile
) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Sweep once over the geometry codes of new Gaussians, those beside them at rest."""
    quantizer, beside, known = edited.quantizer, rounded.beside, rounded.beside.count
    means = quantizer.values(positions, shapes)[0]
    steps = [quantizer.size_step, quantizer.form_step, quantizer.form_step]
    others = np.rint(beside.log_covariances.numpy() / steps).astype(np.int16)
    moved, swept = CpuCompute(edited.backend).refine_geometry(
        np.concatenate([beside.means.double().numpy(), means]) - rounded.box[:2], np.concatenate([others, shapes]),
        torch.cat([beside.features, rounded.values]), rounded.problem.image, replace(quantizer, wrap=(False, False)),
        weights=rounded.problem.weights, cutoff=edited.file.cutoff, bit_price=rounded.bit_price,
        shape_limits=(SMALLEST_LOG_SIZE, LARGEST_FORM), resting=np.arange(known + len(means)) < known,
    )  # fmt: skip
    found, codes, _ = quantizer.codes(moved[known:] + rounded.box[:2], _shape_values(swept[known:], edited))
    return found, codes


def _near_ties(shapes: NDArray[np.int16], edited: EditedFile) -> NDArray[np.bool_]:
    """Return which shape codes [N, 3] leave a position exponent near a rounding tie."""
    exponents = g.rounded_exponents(_shape_values(shapes, edited), edited.file.position_ratio)
    return np.asarray(np.any(np.abs(exponents - np.floor(exponents) - 0.5) < 2 * g.TIE_MARGIN, axis=1))


def _shape_values(shapes: NDArray[np.int16], edited: EditedFile) -> NDArray[np.float64]:
    return g.shape_values(shapes, edited.quantizer.size_step, edited.quantizer.form_step)


def _box_of(
    means: NDArray[np.float64], log_covariances: NDArray[np.float64], cutoff: float, size: tuple[int, int]
) -> Box:
    """Return the tiles of the picture that supports reach, in texels."""
    reach = g.reaches_of(log_covariances, cutoff)
    left, top = np.maximum(np.floor((means - reach).min(axis=0) / TILE) * TILE, 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil((means + reach).max(axis=0) / TILE) * TILE, size).astype(int).tolist()
    return left, top, right, bottom


def _part(problem: FitProblem, box: Box) -> FitProblem:
    """Return a part of the picture."""
    weights = None if problem.weights is None else crop(problem.weights, box)
    return replace(problem, image=crop(problem.image, box), weights=weights, gradients=None)
