"""Mean differences between two curves of bytes and PSNR, after Bjøntegaard; straight lines between points in log bytes.

Lines instead of the usual cubic: a cubic through codec curves of 15 points with a knee swings far off them.
"""

from collections.abc import Sequence

import numpy as np

Curve = Sequence[tuple[float, float]]
"""Bytes and PSNR in dB."""


def bd_rate(ours: Curve, theirs: Curve) -> float | None:
    """Return our bytes over the other's at equal PSNR; None where the curves share no PSNR."""
    first, second = _rising(ours), _rising(theirs)
    low, high = max(first[1][0], second[1][0]), min(first[1][-1], second[1][-1])
    if high <= low:
        return None
    levels = np.linspace(low, high, 200)
    difference = np.interp(levels, first[1], first[0]) - np.interp(levels, second[1], second[0])
    return float(np.exp(difference.mean()))


def bd_psnr(ours: Curve, theirs: Curve) -> float | None:
    """Return how many dB ours have more at equal bytes; None where the curves share no size."""
    first, second = _rising(ours), _rising(theirs)
    low, high = max(first[0][0], second[0][0]), min(first[0][-1], second[0][-1])
    if high <= low:
        return None
    sizes = np.linspace(low, high, 200)
    difference = np.interp(sizes, first[0], first[1]) - np.interp(sizes, second[0], second[1])
    return float(difference.mean())


def _rising(curve: Curve) -> tuple[list[float], list[float]]:
    """Log bytes and PSNR of the points that are better than all smaller ones."""
    logs: list[float] = []
    levels: list[float] = []
    for size, level in sorted(curve):
        if not levels or level > levels[-1]:
            logs.append(float(np.log(size)))
            levels.append(level)
    return logs, levels
