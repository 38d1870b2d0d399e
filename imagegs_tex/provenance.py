"""What a result depends on besides its input: the versions of the software, and the processor."""

import importlib.metadata
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imagegs_tex._version import __version__
from imagegs_tex.formats.files.safe_names import printable

if TYPE_CHECKING:  # loading it takes longer than the commands that have no use for it
    import torch


@dataclass(frozen=True, slots=True)
class Versions:
    """Of what computes."""

    imagegs_tex: str
    torch: str
    numba: str
    numpy: str
    python: str


def versions() -> Versions:
    """Return the versions of this process."""
    import torch

    return Versions(
        __version__, torch.__version__, importlib.metadata.version("numba"), importlib.metadata.version("numpy"),
        platform.python_version(),
    )  # fmt: skip


def processor_name(device: "torch.device") -> str:
    """Return the kind of processor that a device is: the same code need not give the same bytes on another."""
    import torch

    if device.type == "cuda":
        return printable(torch.cuda.get_device_name(device))
    return printable(f"{_processor_model()} ({torch.backends.cpu.get_cpu_capability()})")


def _processor_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in {"model name", "Model", "Hardware"}:
                return value.strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
