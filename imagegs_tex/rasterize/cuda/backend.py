"""The cuda backend: one fused kernel per tile, float32, the same bits from every run on the same GPU.

Matrix units were not used: with tf32 operands values are off by 3e-4, three times what is allowed, and at a few tens
of Gaussians per tile the plain units are within reach of the time that launching takes (docs/benchmarks/cuda.md).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Final, TypeVar

import torch
from torch import Tensor

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
from imagegs_tex.rasterize.cpu.threads import available_threads
from imagegs_tex.rasterize.cuda.conjugate_gradient import conjugate_gradient_on_gpu
from imagegs_tex.rasterize.cuda.driver import Kernel, Long, Pointer
from imagegs_tex.rasterize.cuda.load_kernels import MAX_COMPONENTS, RECORD_HEAD, load_kernels
from imagegs_tex.rasterize.cuda.normal_equations import CudaNormalEquations
from imagegs_tex.rasterize.cuda.tile_lists import CudaLists, ListBuilder

_THREADS: Final = 128
_STAGED: Final = 32
"""Gaussians in shared memory at once."""
_SUMMED_TOGETHER: Final = _THREADS // 32
"""Gaussians per block of the kernels that add up slots: a warp for each."""
_TILED_AT_ONCE: Final = 1 << 22
"""Samples of a picture that are cut into tiles together: a second copy of all would be as large as the picture."""
_NOTHING: Final = Pointer(0)

Result = TypeVar("Result")


class _Mode(IntEnum):
    """What the rasterizing kernel computes; MODE in rasterize.cu."""

    RENDER = 0
    SQUARED_ERROR = 1
    GRADIENT = 2
    MULTIPLY = 3
    RIGHT_HAND_SIDE = 4


@dataclass(frozen=True, slots=True)
class CudaGeometry:
    """Means and conics, with their tile lists from when they are first used: records are as long as K makes them."""

    frame: Frame
    means: Tensor  # float32 [N, 2] contiguous, on the GPU
    conics: Tensor  # float32 [N, 3] contiguous, on the GPU
    lists: dict[int, CudaLists] = field(default_factory=dict)  # by K; whoever uses them writes features into records

    @property
    def count(self) -> int:
        """N."""
        return len(self.means)


@dataclass(frozen=True, slots=True)
class CudaTarget:
    """A picture as planes per tile, padded with zeros to whole tiles."""

    width: int  # texels
    height: int  # texels
    component_count: int  # K
    planes: Tensor  # float32 [tiles, K, texels of a tile], on the GPU
    importance: Tensor | Pointer  # float32 [tiles, texels of a tile], how much each counts; nothing: 1
    wrap: tuple[bool, bool]  # whether it repeats in x and in y

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in texels."""
        return self.width, self.height


class CudaBackend:
    """The default where there is an NVIDIA GPU; see :class:`imagegs_tex.rasterize.backend.Backend`.

    One object serves one thread at a time and works on that thread's current stream.
    """

    name = "cuda"

    def __init__(self, device: torch.device | str = "cuda", threads: int | None = None) -> None:
        self.threads = threads or available_threads()
        # a device without a number has the index None, whatever torch's types say
        self.device = torch.empty(0, device=device).device
        self.lists = ListBuilder(self.device)
        sums = load_kernels("slot_sums.cu", self.device, THREADS=_THREADS)
        self._reduce_gradients, self._reduce_slots = sums.kernel("reduce_gradients"), sums.kernel("reduce_features")
        self._kernels: dict[tuple[_Mode, int, bool], Kernel] = {}

    def prepare_geometry(
        self,
        means: Tensor,
        conics: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool] = (False, False),
    ) -> PreparedGeometry:
        """Bring the Gaussians to the GPU; their lists are built with the first call that uses them."""
        check_geometry(means, conics)
        return CudaGeometry(Frame(cutoff, size, wrap), _float32(means, self.device), _float32(conics, self.device))

    def prepare_target(
        self, image: Tensor, weights: Tensor | None = None, wrap: tuple[bool, bool] = (False, False)
    ) -> FitTarget:
        """Bring a picture [H, W, K] and the weights [H, W] of its texels into planes per tile."""
        height, width, components = image.shape
        importance = _NOTHING if weights is None else self._tiled(weights[..., None])[:, 0].contiguous()
        return CudaTarget(width, height, components, self._tiled(image), importance, wrap)

    def _tiled(self, image: Tensor) -> Tensor:
        """Cut a picture [H, W, K] into planes [tiles, K, texels of a tile], padded with zeros."""
        height, width, components = image.shape
        across, down = -(-width // TILE), -(-height // TILE)
        planes = torch.empty(down, across, components, TILE, TILE, device=self.device)
        at_once = max(1, _TILED_AT_ONCE // (TILE * across * TILE * components))
        for first in range(0, down, at_once):
            last = min(first + at_once, down)
            rows = image[first * TILE : last * TILE]
            band = torch.zeros((last - first) * TILE, across * TILE, components, device=self.device)
            band[: rows.shape[0], :width] = rows
            planes[first:last] = band.reshape(last - first, TILE, across, TILE, components).permute(0, 2, 4, 1, 3)
        return planes.reshape(down * across, components, TILE * TILE)

    def render(self, geometry: PreparedGeometry, features: Tensor) -> Tensor:
        """Return the picture float32 [H, W, K]."""
        check_features(features, geometry)
        (width, height), components = geometry.frame.size, features.shape[1]
        image = torch.empty(height, width, components, device=self.device)

        def launch(lists: CudaLists) -> Tensor:
            rasterize, _ = self._rasterization(_Mode.RENDER, lists, components, image=image)
            rasterize()
            return image

        return self._with_lists(geometry, features, components, launch)

    def render_backward(
        self, geometry: PreparedGeometry, features: Tensor, image_gradient: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features."""
        source = _float32(image_gradient, self.device)
        _, *gradients = self._differentiate(_Mode.GRADIENT, geometry, features, source)
        return gradients[0], gradients[1], gradients[2]

    def squared_error(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> SquaredError:
        """Render, compare and differentiate in one kernel."""
        check_target(target, geometry)
        wanted = made_by(CudaTarget, target)
        total, *gradients = self._differentiate(
            _Mode.SQUARED_ERROR, geometry, features, wanted.planes, wanted.importance
        )
        return SquaredError(total, *gradients)

    def leave_one_out(self, geometry: PreparedGeometry, features: Tensor, target: FitTarget) -> Tensor:
        """Return by how much the squared error grows without each Gaussian, float64 [N]."""
        check_features(features, geometry)
        check_target(target, geometry)
        wanted, components = made_by(CudaTarget, target), self._checked(features.shape[1])
        kernel = load_kernels("leave_one_out.cu", self.device, K=components, THREADS=TILE * TILE).kernel("leave_out")
        errors = torch.empty(geometry.count, dtype=torch.float64, device=self.device)

        def launch(lists: CudaLists) -> Tensor:
            sums = torch.empty(lists.capacity, device=self.device)
            kernel(
                lists.tile_count, TILE * TILE, lists.records, lists.records.shape[1], lists.ordered_info,
                lists.ordered_copies, lists.ordered_slots, lists.tile_starts, Long(lists.capacity),
                math.exp(-lists.frame.cutoff), *lists.frame.size, lists.across, wanted.planes, wanted.importance, sums,
            )  # fmt: skip
            self._reduction(lists, sums, 0, errors, _NOTHING)()
            return errors

        return self._with_lists(geometry, features, components, launch)

    def normal_equations(self, geometry: PreparedGeometry, target: FitTarget) -> NormalEquations:
        """Return the linear system of the features; its matrix is written out only when somebody looks at it."""
        check_target(target, geometry)
        wanted, components = made_by(CudaTarget, target), target.component_count
        diagonal = torch.empty(geometry.count, dtype=torch.float64, device=self.device)
        rhs = torch.empty(geometry.count, components, dtype=torch.float64, device=self.device)

        def launch(lists: CudaLists) -> CudaLists:
            rasterize, sums = self._rasterization(
                _Mode.RIGHT_HAND_SIDE, lists, components, source=wanted.planes, importance=wanted.importance
            )
            rasterize()
            self._reduction(lists, sums, components, diagonal, rhs)()
            return lists

        lists = self._with_lists(geometry, None, components, launch)
        return CudaNormalEquations(lists, wanted.importance, diagonal, rhs)

    def multiply(self, equations: NormalEquations, vectors: Tensor) -> Tensor:
        """Return matrix @ vectors, float64 [N, K], summed in float32 within a tile."""
        own, product = made_by(CudaNormalEquations, equations), torch.empty_like(vectors)
        own.lists.records[:, RECORD_HEAD : RECORD_HEAD + vectors.shape[1]] = vectors
        self.multiplication(own, product)()
        return product

    def solve_features(
        self, equations: NormalEquations, features: Tensor, iterations: int, damping: float
    ) -> Tensor:  # fmt: skip
        """Improve features by conjugate gradients."""
        own = made_by(CudaNormalEquations, equations)
        return conjugate_gradient_on_gpu(self.multiplication, own, features, iterations, damping)

    def multiplication(self, equations: CudaNormalEquations, product: Tensor) -> Callable[[], None]:
        """Return what writes matrix @ vectors to a product, float64 [N, K], for vectors in the lists' records.

        It may be called many times, and works on the stream that is current now.
        """
        lists, components = equations.lists, product.shape[1]
        rasterize, sums = self._rasterization(_Mode.MULTIPLY, lists, components, importance=equations.importance)
        reduce = self._reduction(lists, sums, components, _NOTHING, product)

        def multiply() -> None:
            rasterize()
            reduce()

        return multiply

    def lists_of(self, geometry: PreparedGeometry, features: Tensor) -> CudaLists:
        """Return the tile lists of a geometry, with features float32 [N, K] in their records."""
        check_features(features, geometry)
        return self._with_lists(geometry, features, features.shape[1], lambda lists: lists)

    def _differentiate(
        self,
        mode: _Mode,
        geometry: PreparedGeometry,
        features: Tensor,
        source: Tensor,
        importance: Tensor | Pointer = _NOTHING,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the error (meaningless when a gradient was given) and three gradients."""
        check_features(features, geometry)
        conics, (count, components) = made_by(CudaGeometry, geometry).conics, features.shape
        gradients = [torch.empty(count, width, device=self.device) for width in (2, 3, components)]

        def launch(lists: CudaLists) -> Tensor:
            errors = torch.empty(lists.tile_count, dtype=torch.float64, device=self.device)
            rasterize, sums = self._rasterization(
                mode, lists, components, source=source, importance=importance, errors=errors
            )
            rasterize()
            self._reduce_gradients(
                -(-count // _SUMMED_TOGETHER), _THREADS, sums, lists.slot_starts, Long(lists.capacity), conics, count,
                components, _lanes(5 + components), *gradients,
            )  # fmt: skip
            return errors

        errors = self._with_lists(geometry, features, components, launch)
        return errors.sum(), gradients[0], gradients[1], gradients[2]

    def _with_lists(
        self,
        geometry: PreparedGeometry,
        features: Tensor | None,
        components: int,
        launch: Callable[[CudaLists], Result],
    ) -> Result:
        """Write features, if there are any, into the lists' records and launch what uses them.

        Lists that a geometry lacks are built, and both is done again if they had too little room.
        """
        own = made_by(CudaGeometry, geometry)
        if components in own.lists:
            lists = own.lists[components]
            if features is not None:
                lists.records[:, RECORD_HEAD : RECORD_HEAD + components] = features
            return launch(lists)
        values = None if features is None else _float32(features, self.device)
        while True:
            lists = self.lists.build(own.means, own.conics, values, components, own.frame)
            result = launch(lists)
            if self.lists.sufficed(lists):
                own.lists[components] = lists
                return result

    def _rasterization(
        self,
        mode: _Mode,
        lists: CudaLists,
        components: int,
        *,
        source: Tensor | Pointer = _NOTHING,
        importance: Tensor | Pointer = _NOTHING,
        errors: Tensor | Pointer = _NOTHING,
        image: Tensor | Pointer = _NOTHING,
    ) -> tuple[Callable[[], None], Tensor]:
        """Return what launches the kernel, on the stream that is current now, and its sums per slot.

        Sums are float32 [capacity, values].
        """
        values = 0 if mode == _Mode.RENDER else components + (1 if mode > _Mode.GRADIENT else 5)
        sums = torch.empty(lists.capacity * values, device=self.device)
        launch = self._kernel(mode, components, any(lists.frame.wrap)).bound(
            _THREADS, lists.records, lists.ordered_info, lists.ordered_copies, lists.ordered_slots, lists.tile_starts,
            Long(lists.capacity), math.exp(-lists.frame.cutoff), *lists.frame.size, lists.across, source, importance,
            sums, errors, image, shared_bytes=_shared_bytes(components, values),
        )  # fmt: skip
        return partial(launch, lists.tile_count), sums

    def _reduction(
        self, lists: CudaLists, sums: Tensor, components: int, extras: Tensor | Pointer, features: Tensor | Pointer
    ) -> Callable[[], None]:
        """Return what launches the sums over slots, on the stream that is current now."""
        count = len(lists.records)
        launch = self._reduce_slots.bound(
            _THREADS, sums, lists.slot_starts, Long(lists.capacity), count, components, _lanes(1 + components), extras,
            features,
        )  # fmt: skip
        return partial(launch, -(-count // _SUMMED_TOGETHER))

    def _kernel(self, mode: _Mode, components: int, repeats: bool) -> Kernel:
        key = (mode, self._checked(components), repeats)
        if key not in self._kernels:
            module = load_kernels(
                "rasterize.cu", self.device,
                K=components, MODE=int(mode), WRAP=int(repeats), THREADS=_THREADS, STAGED=_STAGED,
            )  # fmt: skip
            self._kernels[key] = module.kernel("rasterize")
        return self._kernels[key]

    @staticmethod
    def _checked(components: int) -> int:
        if not 1 <= components <= MAX_COMPONENTS:
            raise ValueError(f"the cuda backend renders 1 to {MAX_COMPONENTS} components, not {components}")
        return components


def _float32(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.detach().to(device=device, dtype=torch.float32).contiguous()


def _lanes(values: int) -> int:
    """Threads side by side that the reduction gives the values of one slot: a power of two."""
    return max(16, 1 << (values - 1).bit_length())


def _shared_bytes(components: int, values: int) -> int:
    """Dynamic shared memory of the kernel; the same sums as in rasterize.cu."""
    texel_floats = TILE * (TILE * ((components + 4) // 4 * 4) + 4)
    record_floats = RECORD_HEAD + -(-components // 4) * 4
    return 4 * (texel_floats + max(_STAGED * record_floats, values * (_THREADS + 1)))
