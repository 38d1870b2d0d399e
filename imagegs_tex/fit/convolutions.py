"""torch's convolutions on a GPU, with the same result from every thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_one_at_a_time = threading.Lock()


@contextmanager
def plain_convolutions(device: torch.device) -> Iterator[None]:
    """Have convolutions on a GPU in whole float32, and the same every time; tf32 is torch's choice there.

    The flags for that are the process's: a thread that puts them back would let another's convolution go on in tf32.
    So only one thread at a time is in here. On a CPU there is nothing to choose.
    """
    if device.type != "cuda":
        yield
        return
    with (
        _one_at_a_time,
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
    ):
        yield
