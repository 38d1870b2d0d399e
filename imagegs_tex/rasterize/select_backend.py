"""Choosing a backend by name."""

from typing import Final

from imagegs_tex.formats.errors import MissingToolError, UsageError
from imagegs_tex.rasterize.backend import Backend

BACKEND_NAMES: Final = ("auto", "cpu", "cuda", "reference")


def make_backend(name: str, threads: int | None = None, device: str = "cuda") -> Backend:
    """Return a backend.

    Args:
        name: one of BACKEND_NAMES; ``auto`` takes cuda where it can run, and cpu otherwise
        threads: of the CPU, for the cpu backend and for what the others leave to it; None for one per core
        device: for the cuda backend, such as ``cuda:1``; its current GPU if it has no number

    Raises:
        UsageError: no such backend
        MissingToolError: named explicitly, it cannot run here; it is never replaced by another
    """
    import torch

    # Small tensors only: more threads would not be faster, and sums over texels would depend on their number.
    torch.set_num_threads(1)
    name = chosen_backend(name)
    if name == "cpu":
        from imagegs_tex.rasterize.cpu.backend import CpuBackend

        return CpuBackend(threads)
    if name == "reference":
        from imagegs_tex.rasterize.reference import ReferenceBackend

        return ReferenceBackend(threads=threads)
    if name == "cuda":
        problem = cuda_problem()
        if problem is not None:
            raise MissingToolError(f"backend cuda cannot run: {problem}; use --backend cpu")
        from imagegs_tex.rasterize.cuda.backend import CudaBackend
        from imagegs_tex.rasterize.cuda.driver import CompilerMissingError

        try:
            return CudaBackend(device, threads)
        except CompilerMissingError as error:
            raise MissingToolError(f"backend cuda cannot run: {error}; use --backend cpu") from error
    raise UsageError(f"there is no backend {name!r}; choose one of {', '.join(BACKEND_NAMES)}")


def chosen_backend(name: str) -> str:
    """Return what ``auto`` means here, and any other name as it is."""
    if name != "auto":
        return name
    return "cuda" if cuda_problem() is None else "cpu"


def cuda_problem() -> str | None:
    """Return why the cuda backend cannot run, or None."""
    import torch

    if torch.version.cuda is None:
        return (
            f"torch {torch.__version__} was built without CUDA; install one with it (https://pytorch.org/get-started)"
        )
    if not torch.cuda.is_available():
        return "torch finds no NVIDIA GPU; check that nvidia-smi lists one"
    return None
