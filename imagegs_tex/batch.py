"""Many materials at once: a few processes per GPU, two materials side by side in each.

A 1K material leaves a large GPU idle most of the time: its kernels are short, and reading files, rounding features and
scoring happen on the CPU. Threads alone do not help much (measured: 1.3 times with two, less with more), because
launching kernels is Python too; so each GPU gets a few processes, and each process two threads, each with a backend
and a stream of its own. Materials do not know of each other: their files are the same bytes as when compressed alone.
"""

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from imagegs_tex import background_compilation
from imagegs_tex.builder.gpus import PROCESSES_PER_GPU
from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.rasterize.cpu.threads import available_threads, one_thread_in_libraries
from imagegs_tex.reports import CompressReport
from imagegs_tex.settings import CompressSettings

THREADS_PER_PROCESS: Final = 2
_ITEMS_PER_PROCESS: Final = 4
"""Below, a process takes longer to start than to do its share."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One material to compress."""

    source: Path  # folder of maps or single image
    output: Path  # the .igs file
    options: SourceOptions | None = None  # how its images are to be taken


def compress_many(
    items: Sequence[BatchItem],
    settings: CompressSettings | None = None,
    backend: str = "auto",
    gpus: int | None = None,
    processes_per_gpu: int = PROCESSES_PER_GPU,
) -> list[CompressReport | ImageGSTexError]:
    """Compress many materials.

    Args:
        items: the materials; their outputs must differ
        settings: for all of them; None for the balanced preset and quality 50, see :func:`imagegs_tex.compress`
        backend: auto, cpu, cuda or reference
        gpus: how many GPUs of this machine to use; None for all of them
        processes_per_gpu: at most; a short queue starts fewer

    Returns:
        for each item its report, or the error that stopped it and no other: UsageError, InputError or OutputError

    Raises:
        UsageError: there is no such backend
        MissingToolError: the backend that was named cannot run on this machine
    """
    from imagegs_tex.rasterize.select_backend import chosen_backend

    background_compilation.start()
    name = chosen_backend(backend)
    chosen = settings or CompressSettings()
    if name != "cuda":
        return compress_on_one(items, chosen, name, "cpu", 1)  # which has all cores
    import torch

    most = torch.cuda.device_count()
    used = max(1, min(most if gpus is None else gpus, most))
    processes = max(1, min(used * processes_per_gpu, len(items) // _ITEMS_PER_PROCESS))
    if processes == 1:
        return compress_on_one(items, chosen, name, "cuda:0", THREADS_PER_PROCESS)
    shared = max(1, available_threads() // (processes * THREADS_PER_PROCESS))  # CPU threads of each material
    results: dict[int, CompressReport | ImageGSTexError] = {}
    # spawned, not forked: a CUDA context does not survive a fork
    context = multiprocessing.get_context("spawn")
    with one_thread_in_libraries(), ProcessPoolExecutor(processes, mp_context=context) as pool:
        rest = (THREADS_PER_PROCESS, shared)
        shares = [
            pool.submit(compress_on_one, items[share::processes], chosen, name, f"cuda:{share % used}", *rest)
            for share in range(processes)
        ]
        for number, share in enumerate(shares):
            results |= dict(zip(range(number, len(items), processes), share.result(), strict=True))
    return [results[index] for index in range(len(items))]


def compress_on_one(
    items: Sequence[BatchItem],
    settings: CompressSettings,
    backend: str,
    device: str,
    at_once: int,
    cpu_threads: int | None = None,
) -> list[CompressReport | ImageGSTexError]:
    """Compress materials with one device, several side by side; see :func:`compress_many`.

    Args:
        items: the materials
        settings: for all of them
        backend: a backend's name
        device: the GPU of the cuda backend
        at_once: threads, each with a material
        cpu_threads: of each material; None for one per core
    """
    from imagegs_tex.api import compress_stack
    from imagegs_tex.formats.material.build_stack import load_stack

    def compress(item: BatchItem, chosen: Backend) -> CompressReport | ImageGSTexError:
        try:
            stack = load_stack(item.source, item.options)
            return compress_stack(stack, item.output, settings, chosen, options=item.options)
        except ImageGSTexError as error:
            return error

    return side_by_side(items, compress, backend, device, at_once, cpu_threads)


def side_by_side(
    items: Sequence[Item],
    work: Callable[[Item, Backend], Result],
    backend: str,
    device: str,
    at_once: int,
    cpu_threads: int | None = None,
) -> list[Result]:
    """Call a function for each item in a few threads, each with its own backend and, on a GPU, its own stream."""
    from imagegs_tex.rasterize.select_backend import make_backend

    local = threading.local()

    def call(item: Item) -> Result:
        if not hasattr(local, "backend"):
            local.backend = make_backend(backend, cpu_threads, device)
            local.stream = _stream(local.backend)
        with local.stream():
            return work(item, local.backend)

    with ThreadPoolExecutor(max(1, at_once)) as pool:
        return list(pool.map(call, items))


def _stream(backend: Backend) -> Callable[[], AbstractContextManager[object]]:
    if backend.device.type != "cuda":
        return nullcontext
    import torch

    stream = torch.cuda.Stream(backend.device)  # type: ignore[no-untyped-call]  # torch leaves it without types
    return lambda: torch.cuda.stream(stream)
