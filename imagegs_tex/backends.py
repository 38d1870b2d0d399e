"""Choosing a backend by name."""

from typing import Final

from imagegs_tex.formats.errors import MissingToolError, UsageError
from imagegs_tex.rasterize.backend import Backend

BACKEND_NAMES: Final = ("auto", "cpu", "cuda", "reference")


def make_backend(name: str, threads: int | None = None) -> Backend:
    """Return a backend.

    Args:
        name: one of BACKEND_NAMES; ``auto`` takes cuda where it can run, and cpu otherwise
        threads: for the cpu backend; None for one per core

    Raises:
        UsageError: no such backend
        MissingToolError: named explicitly, it cannot run here; it is never replaced by another
    """
    import torch

    # Small tensors only: more threads would not be faster, and sums over texels would depend on their number.
    torch.set_num_threads(1)
    if name == "auto":
        name = "cuda" if _cuda_problem() is None else "cpu"
    if name == "cpu":
        from imagegs_tex.rasterize.cpu import CpuBackend

        return CpuBackend(threads)
    if name == "reference":
        from imagegs_tex.rasterize.reference import ReferenceBackend

        return ReferenceBackend()
    if name == "cuda":
        problem = _cuda_problem()
        raise MissingToolError(f"backend cuda cannot run: {problem}; use --backend cpu")
    raise UsageError(f"there is no backend {name!r}; choose one of {', '.join(BACKEND_NAMES)}")


def _cuda_problem() -> str | None:
    """Return why the cuda backend cannot run, or None."""
    return "this version has no cuda backend"
