"""Which Gaussians may move at once on a GPU: rounds in which no two of them see each other.

One block or warp works on one Gaussian, and all of a round run side by side; rounds follow each other. So the result is
that of moving them one by one, and depends on nothing but their order. Rounds are found on the GPU: again and again,
whoever has the highest number among all that it would disturb takes the round, the others wait for the next one. These
are independent sets of a graph (Luby, "A simple parallel algorithm for the maximal independent set problem", 1986) that
colour it one after the other (Jones and Plassmann, "A parallel graph coloring heuristic", 1993).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

_AT_ONCE: Final = 32
"""Rounds found before the host looks whether any Gaussian still waits."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Gaussians by round; those that rest are in none."""

    order: Tensor  # int32 [N], by round, those that rest first
    bounds: list[int]  # places in the order where rounds begin, and the end

    def each(self) -> list[tuple[int, int]]:
        """Return the address of the first Gaussian of every round in the order, and how many they are."""
        address, size = self.order.data_ptr(), self.order.element_size()
        return [(address + size * first, last - first) for first, last in pairwise(self.bounds)]


Take = Callable[[int, Tensor, int], None]
"""Called with the number of a round, int32 [N] rounds (-1 for none yet, to be filled in), and the address of an int32
to which the number of those that go on waiting is added."""


def find_rounds(count: int, device: torch.device, take: Take) -> Rounds:
    """Divide N Gaussians into rounds."""
    rounds = torch.full((count,), -1, dtype=torch.int32, device=device)
    found = 0
    while True:
        waiting = torch.zeros(_AT_ONCE, dtype=torch.int32, device=device)
        for number in range(_AT_ONCE):
            take(found + number, rounds, waiting.data_ptr() + waiting.element_size() * number)
        found += _AT_ONCE
        if int(waiting[-1]) == 0:
            break
    order = torch.argsort(rounds, stable=True).int()
    sizes = torch.bincount(rounds + 1, minlength=found + 1)  # whole numbers: their sums have no order
    bounds = torch.cumsum(sizes, dim=0).tolist()
    return Rounds(order, [bound for place, bound in enumerate(bounds) if place == 0 or bound > bounds[place - 1]])
