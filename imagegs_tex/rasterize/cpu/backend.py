"""The cpu backend: numba kernels over tiles, float32, any thread count, the same bits for each."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.formats.igs.quantized_set import EPSILON
from imagegs_tex.rasterize.backend import (
    TILE,
    FitTarget,
    Frame,
    NormalEquations,
    PreparedGeometry,
    SquaredError,
    check_features,
    check_geometry,
    check_target,
    made_by,
)
from imagegs_tex.rasterize.conjugate_gradient import LEAST_ENERGY, damping_of
from imagegs_tex.rasterize.cpu import kernels, normal_equations
from imagegs_tex.rasterize.cpu.threads import Workers, available_threads
from imagegs_tex.rasterize.cpu.tile_lists import TileLists, build_tile_lists

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CpuGeometry:
    """Means and conics with their tile lists."""

    frame: Frame
    means: FloatArray  # float32 [N, 2]
    conics: FloatArray  # float32 [N, 3]
    lists: TileLists
    resting: FloatArray  # float32 [tiles, K + 1, texels of a tile], what is painted already; no tiles: nothing

    @property
    def count(self) -> int:
        """N."""
        return len(self.means)

    @property
    def tile_count(self) -> int:
        """Tiles of the picture."""
        return self.lists.across * self.lists.down


@dataclass(frozen=True, slots=True)
class CpuTarget:
    """A picture as planes per tile, padded with zeros to whole tiles."""

    width: int  # texels
    height: int  # texels
    wrap: tuple[bool, bool]  # whether it repeats in x and in y
    planes: FloatArray  # float32 [tiles, K, texels of a tile]
    importance: FloatArray  # float32 [tiles, texels of a tile], 0 beyond the picture's border

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return self.width, self.height

    @property
    def component_count(self) -> int:
        """K."""
        return int(self.planes.shape[1])


class CpuBackend:
    """The default where there is no GPU; see :class:`imagegs_tex.rasterize.backend.Backend`."""

    name = "cpu"
    device = torch.device("cpu")

    def __init__(self, threads: int | None = None) -> None:
        """Use that many threads, or one for each core that this process may run on."""
        self.threads = available_threads() if threads is None else max(1, threads)
        self.workers = Workers(self.threads)
        self._epsilon = np.float32(EPSILON)
        self._resting = _NOTHING

    def on_top_of(self, geometry: PreparedGeometry, features: Tensor) -> "CpuBackend":
        """Return a backend for the same picture in which these Gaussians are painted already, drawn only now.

        What it renders has them beside those of a geometry; errors, gradients and equations are those of the latter.
        """
        own = made_by(CpuGeometry, geometry)
        made = copy(self)
        made._resting = torch.empty(own.tile_count, features.shape[1] + 1, kernels.TEXELS).numpy()  # as in _planes
        self.run_over_tiles(kernels.sum_tiles, geometry, features, made._resting)
        return made

    def prepare_geometry(
        self,
        means: Tensor,
        conics: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool] = (False, False),
    ) -> PreparedGeometry:
        """List the Gaussians by tile."""
        check_geometry(means, conics)
        arrays = _array(means), _array(conics)
        lists = build_tile_lists(*arrays, cutoff, size, self.workers, wrap)
        if len(self._resting) not in {0, lists.across * lists.down}:
            raise ValueError(f"{size} is not the size of the picture in which others rest")
        return CpuGeometry(Frame(cutoff, size, wrap), *arrays, lists, self._resting)

    def prepare_target(
        self, image: Tensor, weights: Tensor | None = None, wrap: tuple[bool, bool] = (False, False)
    ) -> FitTarget:
        """Bring a picture [H, W, K] and the weights [H, W] of its texels into planes per tile."""
        height, width, _ = image.shape
        importance = torch.ones(height, width) if weights is None else weights
        return CpuTarget(width, height, wrap, _planes(image), _planes(importance[..., None])[:, 0])

    def render(self, geometry: PreparedGeometry, features: Tensor) -> Tensor:
        """Return the picture float32 [H, W, K]."""
        width, height = geometry.frame.size
        image = np.empty((height, width, features.shape[1]), np.float32)
        self.run_over_tiles(kernels.render_tiles, geometry, features, image)
        return torch.from_numpy(image)

    def render_backward(
        self, geometry: PreparedGeometry, features: Tensor, image_gradient: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features."""
        gradients, _ = self._differentiate(geometry, features, _planes(image_gradient))
        return gradients

    def run_over_tiles(
        self, kernel: Callable[..., None], geometry: PreparedGeometry, features: Tensor, result: FloatArray
    ) -> None:
        """Call a kernel that takes what :func:`kernels.render_tiles` takes, with another result."""
        check_features(features, geometry)
        own = made_by(CpuGeometry, geometry)
        self.workers.run(
            kernel, own.tile_count, own.means, own.conics, _array(features), self._epsilon, own.frame.cutoff,
            *_members(own), result,
        )  # fmt: skip

    def backward_of_tiles(
        self, geometry: PreparedGeometry, features: Tensor, planes: FloatArray
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features for that of the picture, as a target has its planes."""
        return self._differentiate(geometry, features, planes)[0]

    def squared_error(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> SquaredError:
        """Render, compare and differentiate, fused per tile."""
        check_target(target, geometry)
        wanted = made_by(CpuTarget, target)
        gradients, tile_errors = self._differentiate(geometry, features, wanted.planes, wanted.importance)
        return SquaredError(torch.tensor(tile_errors.astype(np.float64).sum()), *gradients)

    def leave_one_out(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> Tensor:
        """Return by how much the squared error grows without each Gaussian, float64 [N]."""
        check_features(features, geometry)
        check_target(target, geometry)
        own, wanted = made_by(CpuGeometry, geometry), made_by(CpuTarget, target)
        slot_errors = np.empty((len(own.lists.slot_gaussian), 1), np.float32)
        self.workers.run(
            kernels.leave_out_tiles, own.tile_count, own.means, own.conics, _array(features), self._epsilon,
            own.frame.cutoff, *_members(own), wanted.planes, wanted.importance, slot_errors,
        )  # fmt: skip
        errors = np.empty((own.count, 1), np.float64)
        self.workers.run(kernels.sum_slots, own.count, slot_errors, own.lists.slot_starts, errors)
        return torch.from_numpy(errors[:, 0])

    def normal_equations(self, geometry: PreparedGeometry, target: FitTarget) -> NormalEquations:
        """Return the sparse linear system of the features."""
        check_target(target, geometry)
        own, wanted = made_by(CpuGeometry, geometry), made_by(CpuTarget, target)
        lists, count = own.lists, own.count
        lengths = np.diff(lists.tile_starts)
        pair_starts = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths * lengths, out=pair_starts[1:])
        pairs = np.empty(pair_starts[-1], np.float32)
        slot_rhs = np.empty((len(lists.slot_gaussian), wanted.component_count), np.float32)
        self.workers.run(
            normal_equations.correlate_tiles, len(lengths), own.means, own.conics, self._epsilon, own.frame.cutoff,
            *_members(own), wanted.planes, wanted.importance, pair_starts, pairs, slot_rhs,
        )  # fmt: skip
        rhs = np.empty((count, slot_rhs.shape[1]), np.float64)
        self.workers.run(kernels.sum_slots, count, slot_rhs, lists.slot_starts, rhs)
        row_starts = np.zeros(count + 1, np.int64)
        slot_places = np.empty(len(lists.slot_tile), np.int32)
        self.workers.run(normal_equations.place_slots, len(lengths), lists.tile_starts, lists.tile_slots, slot_places)
        tile_gaussians = lists.slot_gaussian[lists.tile_slots]
        self.workers.run(
            normal_equations.count_rows,
            count,
            lists.slot_starts,
            lists.slot_tile,
            lists.tile_starts,
            tile_gaussians,
            row_starts,
        )
        np.cumsum(row_starts, out=row_starts)
        columns, values = np.empty(row_starts[-1], np.int32), np.empty(row_starts[-1], np.float64)
        diagonal = np.empty(count, np.float64)
        self.workers.run(
            normal_equations.gather_rows, count, lists.slot_starts, lists.slot_tile, slot_places, lists.tile_starts,
            tile_gaussians, pair_starts, pairs, row_starts, columns, values, diagonal,
        )  # fmt: skip
        return NormalEquations(
            torch.from_numpy(row_starts),
            torch.from_numpy(columns),
            torch.from_numpy(values),
            torch.from_numpy(diagonal),
            torch.from_numpy(rhs),
        )

    def multiply(self, equations: NormalEquations, vectors: Tensor) -> Tensor:
        """Return matrix @ vectors, float64 [N, K]."""
        product = np.empty(tuple(vectors.shape), np.float64)
        self.workers.run(
            normal_equations.multiply_rows,
            len(product),
            equations.row_starts.numpy(),
            equations.columns.numpy(),
            equations.values.numpy(),
            vectors.numpy(),
            product,
        )
        return torch.from_numpy(product)

    def solve_features(
        self, equations: NormalEquations, features: Tensor, iterations: int, damping: float
    ) -> Tensor:  # fmt: skip
        """Improve features by conjugate gradients.

        As :func:`imagegs_tex.rasterize.conjugate_gradient.conjugate_gradient` does, bit by bit, but on all threads, and
        in a third of the passes over memory.
        """
        run, start = self.workers.run, features.double().numpy()
        matrix = equations.row_starts.numpy(), equations.columns.numpy(), equations.values.numpy()
        added = damping_of(equations, damping)
        diagonal, solution = (equations.diagonal + added).numpy(), start.copy()
        residual, direction, product, energies = (np.empty(start.shape, np.float64) for _ in range(4))
        count, weight = len(start), float(added)
        run(
            normal_equations.begin_solution, count, *matrix, start, equations.rhs.numpy(), diagonal, residual,
            direction, energies,
        )  # fmt: skip
        energy = torch.from_numpy(energies).sum(dim=0)
        for iteration in range(iterations):
            run(normal_equations.multiply_damped, count, *matrix, weight, direction, product, energies)
            steps = energy / torch.from_numpy(energies).sum(dim=0).clamp_min(LEAST_ENERGY)
            run(
                normal_equations.step_along, count, steps.numpy(), direction, product, diagonal, solution, residual,
                energies,
            )  # fmt: skip
            if iteration + 1 < iterations:
                next_energy = torch.from_numpy(energies).sum(dim=0)
                ratios = next_energy / energy.clamp_min(LEAST_ENERGY)
                run(normal_equations.turn, count, ratios.numpy(), product, direction)
                energy = next_energy
        return torch.from_numpy(solution).to(features.dtype)

    def _differentiate(
        self, geometry: PreparedGeometry, features: Tensor, planes: FloatArray, importance: FloatArray | None = None
    ) -> tuple[tuple[Tensor, Tensor, Tensor], FloatArray]:
        """Return the gradients of means, conics and features, and the tiles' errors (none for a given gradient)."""
        check_features(features, geometry)
        own = made_by(CpuGeometry, geometry)
        values = kernels.GEOMETRY + features.shape[1]
        slot_gradients = np.empty((len(own.lists.slot_gaussian), values), np.float32)
        tile_errors = np.empty(own.tile_count, np.float32)
        self.workers.run(
            kernels.differentiate_tiles, own.tile_count, own.means, own.conics, _array(features), self._epsilon,
            own.frame.cutoff, *_members(own), planes, importance is None,
            _NO_IMPORTANCE if importance is None else importance, slot_gradients, tile_errors,
        )  # fmt: skip
        sums = np.empty((own.count, values), np.float32)
        self.workers.run(kernels.sum_slots, own.count, slot_gradients, own.lists.slot_starts, sums)
        gradients = torch.from_numpy(sums)
        return (gradients[:, :2], gradients[:, 2:5], gradients[:, 5:values]), tile_errors


_NO_IMPORTANCE: Final = np.empty((0, kernels.TEXELS), np.float32)
_NOTHING: Final = np.empty((0, 1, kernels.TEXELS), np.float32)


def _members(
    geometry: CpuGeometry,
) -> tuple[
    NDArray[np.int32], NDArray[np.int8], NDArray[np.float32], NDArray[np.int64], NDArray[np.int32], int, FloatArray
]:
    """Return what kernels over tiles read of the lists, in their order, and what is painted already."""
    lists = geometry.lists
    return (
        lists.slot_gaussian,
        lists.slot_rows,
        lists.slot_shift,
        lists.tile_starts,
        lists.tile_slots,
        lists.across,
        geometry.resting,
    )


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32)


def _planes(image: Tensor) -> FloatArray:
    """Cut a picture [H, W, K] into planes [tiles, K, texels of a tile], with zeros beyond its border."""
    texels = image.detach().numpy()
    height, width, components = texels.shape
    across, down = -(-width // TILE), -(-height // TILE)
    planes = torch.zeros(down, across, components, TILE, TILE).numpy()  # begins where a vector does, as numpy's may not
    for row in range(down):  # row by row of tiles, so that no second copy of the picture is made
        band = np.zeros((TILE, across * TILE, components), np.float32)
        rows = texels[row * TILE : row * TILE + TILE]
        band[: rows.shape[0], :width] = rows
        planes[row] = band.reshape(TILE, across, TILE, components).transpose(1, 3, 0, 2)
    return planes.reshape(down * across, components, kernels.TEXELS)
