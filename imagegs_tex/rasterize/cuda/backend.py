"""The cuda backend: one fused kernel per tile, float32, the same bits from every run on the same GPU.

Matrix units were not used: with tf32 operands values are off by 3e-4, three times what is allowed, and at a few tens
of Gaussians per tile the plain units are within reach of the time that launching takes (docs/benchmarks/cuda.md).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

import torch
from torch import Tensor

from imagegs_tex.formats.igs.quantized_set import EPSILON
from imagegs_tex.rasterize.backend import FitTarget, NormalEquations, SquaredError, check_arguments
from imagegs_tex.rasterize.cpu.threads import available_threads
from imagegs_tex.rasterize.cuda.conjugate_gradient import conjugate_gradient_on_gpu
from imagegs_tex.rasterize.cuda.driver import Kernel, Long, Pointer, load
from imagegs_tex.rasterize.cuda.normal_equations import CudaNormalEquations
from imagegs_tex.rasterize.cuda.tile_lists import RECORD_HEAD, TILE, CudaLists, Frame, ListBuilder

MAX_COMPONENTS: Final = 32
_THREADS: Final = 128
_STAGED: Final = 32
_SUMMED_TOGETHER: Final = 4
"""Gaussians per block of the kernels that add up slots."""
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
class CudaTarget:
    """A picture as planes per tile, padded with zeros to whole tiles."""

    width: int  # texels
    height: int  # texels
    component_count: int  # K
    planes: Tensor  # float32 [tiles, K, texels of a tile], on the GPU
    importance: Tensor | Pointer  # float32 [tiles, texels of a tile], how much each counts; nothing: 1
    wrap: tuple[bool, bool]  # whether it repeats in x and in y


@dataclass(frozen=True, slots=True)
class _Held:
    """The last lists, and the tensors that they were built from."""

    means: Tensor
    conics: Tensor
    versions: tuple[int, int] | None
    component_count: int
    lists: CudaLists

    def for_geometry(
        self, means: Tensor, conics: Tensor, component_count: int, frame: Frame
    ) -> CudaLists | None:  # fmt: skip
        """Return the lists if they are those of exactly these tensors, unchanged since."""
        same = means is self.means and conics is self.conics and self.versions is not None
        fits = (component_count, frame) == (self.component_count, self.lists.frame)
        return self.lists if same and fits and _versions(means, conics) == self.versions else None


def _versions(means: Tensor, conics: Tensor) -> tuple[int, int] | None:
    """How often torch has changed these tensors in place; None where it does not count."""
    if means.is_inference() or conics.is_inference():
        return None
    return means._version, conics._version


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
        self._held: _Held | None = None
        self._kernels: dict[tuple[_Mode, int, bool], Kernel] = {}

    def render(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool] = (False, False),
    ) -> Tensor:
        """Return the picture float32 [H, W, K]."""
        check_arguments(means, conics, features)
        image = torch.empty(size[1], size[0], features.shape[1], device=self.device)

        def launch(lists: CudaLists) -> Tensor:
            self._rasterize(_Mode.RENDER, lists, features.shape[1], image=image)
            return image

        return self._with_lists((means, conics, features), features.shape[1], Frame(cutoff, size, wrap), launch)

    def render_backward(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        cutoff: float,
        image_gradient: Tensor,
        wrap: tuple[bool, bool] = (False, False),
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of means, conics and features."""
        height, width, _ = image_gradient.shape
        source, frame = _float32(image_gradient, self.device), Frame(cutoff, (width, height), wrap)
        _, *gradients = self._differentiate(_Mode.GRADIENT, (means, conics, features), frame, source)
        return gradients[0], gradients[1], gradients[2]

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
        for row in range(down):  # row by row of tiles, so that no second copy of the picture is made
            rows = image[row * TILE : row * TILE + TILE]
            band = torch.zeros(TILE, across * TILE, components, device=self.device)
            band[: rows.shape[0], :width] = rows
            planes[row] = band.reshape(TILE, across, TILE, components).permute(1, 3, 0, 2)
        return planes.reshape(down * across, components, TILE * TILE)

    def squared_error(
        self, means: Tensor, conics: Tensor, features: Tensor, cutoff: float, target: FitTarget
    ) -> SquaredError:
        """Render, compare and differentiate in one kernel."""
        assert isinstance(target, CudaTarget)
        frame = Frame(cutoff, (target.width, target.height), target.wrap)
        total, *gradients = self._differentiate(
            _Mode.SQUARED_ERROR, (means, conics, features), frame, target.planes, target.importance
        )
        return SquaredError(total, *gradients)

    def leave_one_out(
        self, means: Tensor, conics: Tensor, features: Tensor, cutoff: float, target: FitTarget
    ) -> Tensor:  # fmt: skip
        """Return by how much the squared error grows without each Gaussian, float64 [N]."""
        assert isinstance(target, CudaTarget)
        check_arguments(means, conics, features)
        components = self._checked(features.shape[1])
        defines = {"TILE": str(TILE), "EPSILON": f"{EPSILON!r}f", "K": str(components)}
        kernel = load("leave_one_out.cu", defines, self.device).kernel("leave_out")
        errors = torch.empty(means.shape[0], dtype=torch.float64, device=self.device)

        def launch(lists: CudaLists) -> Tensor:
            sums = torch.empty(lists.capacity, device=self.device)
            kernel(
                lists.tile_count, TILE * TILE, lists.records, lists.records.shape[1], lists.ordered_info,
                lists.ordered_images, lists.ordered_slots, lists.tile_starts, Long(lists.capacity), math.exp(-cutoff),
                *lists.frame.size, lists.across, target.planes, target.importance, sums,
            )  # fmt: skip
            self._reduce_features(lists, sums, 0, errors, _NOTHING)
            return errors

        frame = Frame(cutoff, (target.width, target.height), target.wrap)
        return self._with_lists((means, conics, features), components, frame, launch)

    def normal_equations(self, means: Tensor, conics: Tensor, cutoff: float, target: FitTarget) -> NormalEquations:
        """Return the linear system of the features; its matrix is written out only when somebody looks at it."""
        assert isinstance(target, CudaTarget)
        components = target.component_count
        count = means.shape[0]
        diagonal = torch.empty(count, dtype=torch.float64, device=self.device)
        rhs = torch.empty(count, components, dtype=torch.float64, device=self.device)

        def launch(lists: CudaLists) -> CudaLists:
            sums = self._rasterize(
                _Mode.RIGHT_HAND_SIDE, lists, components, source=target.planes, importance=target.importance
            )
            self._reduce_features(lists, sums, components, diagonal, rhs)
            return lists

        frame = Frame(cutoff, (target.width, target.height), target.wrap)
        lists = self._with_lists((means, conics, None), components, frame, launch)
        return CudaNormalEquations(lists, target.importance, diagonal, rhs)

    def multiply(self, equations: NormalEquations, vectors: Tensor) -> Tensor:
        """Return matrix @ vectors, float64 [N, K], summed in float32 within a tile."""
        assert isinstance(equations, CudaNormalEquations)
        lists, components = equations.lists, vectors.shape[1]
        product = torch.empty_like(vectors)
        lists.records[:, RECORD_HEAD : RECORD_HEAD + components] = vectors
        self.multiply_records(equations, product)
        return product

    def solve_features(
        self, equations: NormalEquations, features: Tensor, iterations: int, damping: Tensor
    ) -> Tensor:  # fmt: skip
        """Improve features by conjugate gradients."""
        assert isinstance(equations, CudaNormalEquations)
        return conjugate_gradient_on_gpu(self.multiply_records, equations, features, iterations, damping)

    def multiply_records(self, equations: CudaNormalEquations, product: Tensor) -> None:
        """Write matrix @ vectors to ``product``, float64 [N, K], for vectors that stand in the lists' records."""
        components = product.shape[1]
        sums = self._rasterize(_Mode.MULTIPLY, equations.lists, components, importance=equations.importance)
        self._reduce_features(equations.lists, sums, components, _NOTHING, product)

    def lists_of(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor,
        cutoff: float,
        size: tuple[int, int],
        wrap: tuple[bool, bool],
    ) -> CudaLists:
        """Return the tile lists of some Gaussians, with their records."""
        frame = Frame(cutoff, size, wrap)
        return self._with_lists((means, conics, features), features.shape[1], frame, lambda lists: lists)

    def _differentiate(
        self,
        mode: _Mode,
        gaussians: tuple[Tensor, Tensor, Tensor],
        frame: Frame,
        source: Tensor,
        importance: Tensor | Pointer = _NOTHING,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the error (meaningless when a gradient was given) and three gradients."""
        check_arguments(*gaussians)
        conics = _float32(gaussians[1], self.device)
        count, components = gaussians[2].shape
        gradients = [torch.empty(count, width, device=self.device) for width in (2, 3, components)]

        def launch(lists: CudaLists) -> Tensor:
            errors = torch.empty(lists.tile_count, dtype=torch.float64, device=self.device)
            sums = self._rasterize(mode, lists, components, source=source, importance=importance, errors=errors)
            self.lists.reduce_gradients(
                -(-count // _SUMMED_TOGETHER), _THREADS, sums, lists.slot_starts, Long(lists.capacity), conics, count,
                components, _lanes(5 + components), *gradients,
            )  # fmt: skip
            return errors

        errors = self._with_lists(gaussians, components, frame, launch)
        return errors.sum(), gradients[0], gradients[1], gradients[2]

    def _with_lists(
        self,
        gaussians: tuple[Tensor, Tensor, Tensor | None],
        components: int,
        frame: Frame,
        launch: Callable[[CudaLists], Result],
    ) -> Result:
        """Build the lists, launch what uses them, and do both again if the lists had too little room.

        The last lists are used again for the very same geometry, as when features are solved for and then a step taken.
        """
        means, conics, features = gaussians
        held = None if self._held is None else self._held.for_geometry(means, conics, components, frame)
        if held is not None:
            if features is not None:
                held.records[:, RECORD_HEAD : RECORD_HEAD + components] = features
            return launch(held)
        arrays = (
            _float32(means, self.device),
            _float32(conics, self.device),
            None if features is None else _float32(features, self.device),
        )
        while True:
            lists = self.lists.build(*arrays, components, frame)
            result = launch(lists)
            if self.lists.sufficed(lists):
                self._held = _Held(means, conics, _versions(means, conics), components, lists)
                return result

    def _rasterize(
        self,
        mode: _Mode,
        lists: CudaLists,
        components: int,
        *,
        source: Tensor | Pointer = _NOTHING,
        importance: Tensor | Pointer = _NOTHING,
        errors: Tensor | Pointer = _NOTHING,
        image: Tensor | Pointer = _NOTHING,
    ) -> Tensor:
        """Launch the kernel and return its sums per slot, float32 [capacity, values]."""
        values = 0 if mode == _Mode.RENDER else components + (1 if mode > _Mode.GRADIENT else 5)
        sums = torch.empty(lists.capacity * values, device=self.device)
        self._kernel(mode, components, any(lists.frame.wrap))(
            lists.tile_count, _THREADS, lists.records, lists.ordered_info, lists.ordered_images, lists.ordered_slots,
            lists.tile_starts, Long(lists.capacity), math.exp(-lists.frame.cutoff), *lists.frame.size, lists.across,
            source, importance, sums, errors, image, shared_bytes=_shared_bytes(components, values),
        )  # fmt: skip
        return sums

    def _reduce_features(
        self, lists: CudaLists, sums: Tensor, components: int, extras: Tensor | Pointer, features: Tensor | Pointer
    ) -> None:
        count = len(lists.records)
        self.lists.reduce_features(
            -(-count // _SUMMED_TOGETHER), _THREADS, sums, lists.slot_starts, Long(lists.capacity), count, components,
            _lanes(1 + components), extras, features,
        )  # fmt: skip

    def _kernel(self, mode: _Mode, components: int, repeats: bool) -> Kernel:
        key = (mode, self._checked(components), repeats)
        if key not in self._kernels:
            numbers = {"TILE": TILE, "K": components, "MODE": int(mode), "WRAP": int(repeats)}
            defines = {"EPSILON": f"{EPSILON!r}f", **{name: str(number) for name, number in numbers.items()}}
            self._kernels[key] = load("rasterize.cu", defines, self.device).kernel("rasterize")
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
