"""Conjugate gradients on the GPU: :mod:`imagegs_tex.rasterize.conjugate_gradient` in five launches an iteration.

Their arguments are made C's once for all iterations.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.rasterize.conjugate_gradient import LEAST_DAMPING
from imagegs_tex.rasterize.cuda.driver import Double
from imagegs_tex.rasterize.cuda.load_kernels import RECORD_HEAD, load_kernels
from imagegs_tex.rasterize.cuda.normal_equations import CudaNormalEquations

_THREADS: Final = 256
_BLOCKS_AT_MOST: Final = 264
"""Two per multiprocessor of the largest GPU; each adds up the sums of all others."""
_THREADS_OF_MEDIAN: Final = 1024


def damping_on_gpu(diagonal: Tensor, relative: float) -> Tensor:
    """Return what :func:`imagegs_tex.rasterize.conjugate_gradient.damping_of` does of a diagonal float64 [N].

    In one launch: torch sorts for a median, which was a fifth of an encode's launches.
    """
    damping = torch.empty((), dtype=torch.float64, device=diagonal.device)
    module = load_kernels("conjugate_gradient.cu", diagonal.device, THREADS=_THREADS)
    module.kernel("cg_damping")(
        1, _THREADS_OF_MEDIAN, diagonal, len(diagonal), Double(relative), Double(LEAST_DAMPING), damping
    )
    return damping


def conjugate_gradient_on_gpu(
    multiplication: Callable[[CudaNormalEquations, Tensor], Callable[[], None]],
    equations: CudaNormalEquations,
    features: Tensor,
    iterations: int,
    damping: float,
) -> Tensor:
    """Improve features by conjugate gradients; arguments as there, all on the GPU.

    Args:
        multiplication: returns what writes the matrix's product with the vectors in the lists' records to a tensor
        equations: the system of the current geometry
        features: float32 [N, K]
        iterations: each costs one multiplication
        damping: relative, see :func:`damping_on_gpu`
    """
    count, components = features.shape
    records = equations.lists.records
    blocks = min(_BLOCKS_AT_MOST, -(-count // (_THREADS // components)))
    diagonal, added = equations.diagonal, damping_on_gpu(equations.diagonal, damping)
    solution = features.double()
    product, residual, direction = (torch.empty_like(solution) for _ in range(3))
    energies = [torch.empty(blocks, components, dtype=torch.float64, device=features.device) for _ in range(2)]
    curvature = torch.empty_like(energies[0])
    size, written = (count, components), (direction, records, records.shape[1], RECORD_HEAD)
    module = load_kernels("conjugate_gradient.cu", features.device, THREADS=_THREADS)
    start, measure, update, turn = (
        module.kernel(f"cg_{name}") for name in ("start", "curvature", "update", "direction")
    )
    multiply = multiplication(equations, product)
    records[:, RECORD_HEAD : RECORD_HEAD + components] = features
    multiply()
    start(blocks, _THREADS, equations.rhs, product, diagonal, added, *size, residual, *written, energies[0])
    measuring = measure.bound(_THREADS, direction, added, *size, product, curvature)
    steps = [
        (
            update.bound(_THREADS, direction, product, diagonal, added, *size, old, curvature, solution, residual, new),
            turn.bound(_THREADS, residual, diagonal, added, *size, old, new, *written),
        )
        for old, new in (energies, energies[::-1])
    ]
    for iteration in range(iterations):
        multiply()
        measuring(blocks)
        for launch in steps[iteration % 2]:
            launch(blocks)
    return solution.to(features.dtype)
