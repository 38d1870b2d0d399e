"""Conjugate gradients on the GPU: :mod:`imagegs_tex.rasterize.conjugate_gradient` in five launches an iteration."""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.rasterize.cuda.load_kernels import RECORD_HEAD, load_kernels
from imagegs_tex.rasterize.cuda.normal_equations import CudaNormalEquations

_THREADS: Final = 256
_BLOCKS_AT_MOST: Final = 264
"""Two per multiprocessor of the largest GPU; each adds up the sums of all others."""


def conjugate_gradient_on_gpu(
    multiply_records: Callable[[CudaNormalEquations, Tensor], None],
    equations: CudaNormalEquations,
    features: Tensor,
    iterations: int,
    damping: Tensor,
) -> Tensor:
    """Improve features by conjugate gradients; arguments as there, all on the GPU.

    Args:
        multiply_records: writes the product of the matrix with the vectors that stand in the lists' records
        equations: the system of the current geometry
        features: float32 [N, K]
        iterations: each costs one multiplication
        damping: float64 scalar
    """
    count, components = features.shape
    records = equations.lists.records
    blocks = min(_BLOCKS_AT_MOST, -(-count // (_THREADS // components)))
    diagonal, rhs = equations.diagonal, equations.rhs
    solution = features.double()
    product, residual, direction = (torch.empty_like(solution) for _ in range(3))
    old, new, curvature = torch.empty(3, blocks, components, dtype=torch.float64, device=features.device)
    size = (count, components)
    module = load_kernels("conjugate_gradient.cu", features.device, THREADS=_THREADS)
    start, measure, update, turn = (
        module.kernel(f"cg_{name}") for name in ("start", "curvature", "update", "direction")
    )
    records[:, RECORD_HEAD : RECORD_HEAD + components] = features
    multiply_records(equations, product)
    start(
        blocks, _THREADS, rhs, product, diagonal, damping, *size, residual, direction, records, records.shape[1],
        RECORD_HEAD, old,
    )  # fmt: skip
    for _ in range(iterations):
        multiply_records(equations, product)
        measure(blocks, _THREADS, direction, damping, *size, product, curvature)
        update(
            blocks, _THREADS, direction, product, diagonal, damping, *size, old, curvature, solution, residual, new
        )  # fmt: skip
        turn(
            blocks, _THREADS, residual, diagonal, damping, *size, old, new, direction, records, records.shape[1],
            RECORD_HEAD,
        )  # fmt: skip
        old, new = new, old
    return solution.to(features.dtype)
