"""Which channels miss their grain at the same places: those may share components, and a strength with them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ALIKE: Final = 0.8
"""Cosine of the strengths by block, on average over two groups' channels, from which they are one group: 0.85 to 1.00
for colours among each other, 0.74 for colours and roughness of bricks that are smooth, in rough mortar."""


def strength_groups(contrasts: Array, channels: list[int], most: int) -> list[list[int]]:
    """Return channels by where they miss grain; average linkage (Sokal and Michener 1958).

    Args:
        contrasts: strengths by block [rows, columns, C], each channel's root mean square 1
        channels: those to divide
        most: groups, whatever else they are
    """
    strengths = contrasts.reshape(-1, contrasts.shape[2])
    alike = strengths.T @ strengths / len(strengths)
    groups = [[channel] for channel in channels]
    while len(groups) > 1:
        pairs = [(a, b) for b in range(len(groups)) for a in range(b)]
        means = [float(alike[np.ix_(groups[a], groups[b])].mean()) for a, b in pairs]
        nearest = int(np.argmax(means))
        if means[nearest] < _ALIKE and len(groups) <= most:
            break
        first, second = pairs[nearest]
        groups[first] = sorted(groups[first] + groups.pop(second))
    return groups
