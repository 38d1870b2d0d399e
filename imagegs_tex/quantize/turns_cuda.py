"""In which order Gaussians move on a GPU, and what a launch in turns needs: kernels/turns.cuh.

A block works on one Gaussian at a time, all in one launch, and waits for those before it that it would see move. So
the result is that of moving them one by one, and depends on nothing but their order. Shuffled, few wait for each other
in a long row: the highest number among all that would disturb each other is done next (Luby, "A simple parallel
algorithm for the maximal independent set problem", 1986; Jones and Plassmann, "A parallel graph coloring heuristic",
1993). Rounds of those that may move at once, each a launch, were slower: docs/experiments/gpu-kernels.md.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_KEPT: Final = 16
"""Counts of Gaussians whose order is kept."""


@lru_cache(_KEPT)
def shuffled_numbers(count: int) -> NDArray[np.int64]:
    """Return a shuffled number [N] of 32 bits for each Gaussian, no two alike: ``shuffled`` in turns.cuh."""
    mixed = np.arange(count, dtype=np.uint32)
    mixed = (mixed ^ mixed >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ mixed >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return (mixed ^ mixed >> np.uint32(16)).astype(np.int64)


@lru_cache(_KEPT)
def shuffled_order(count: int) -> NDArray[np.int32]:
    """Return Gaussians by their shuffled numbers, descending [N]."""
    return np.argsort(-shuffled_numbers(count)).astype(np.int32)


def earlier_in_squares(keys: Tensor) -> Tensor:
    """Return who works in the same square just before, int32 [squares of all]; -1 where nobody does.

    Args:
        keys: int64 [squares of all], square << 32 | place in the order
    """
    found, slots = torch.sort(keys)
    places = found & 0xFFFFFFFF
    follows = (found[1:] >> 32 == found[:-1] >> 32) & (places[1:] != places[:-1])
    earlier = torch.full_like(keys, -1, dtype=torch.int32)
    earlier[slots[1:]] = torch.where(follows, places[:-1], -1).int()
    return earlier
