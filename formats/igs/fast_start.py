"""Where codec 4 begins: factors that benchmarks/train_fast_coder.py found, and distributions. Never change one."""

from typing import Final

import numpy as np

INPUTS: Final = 8
"""What is known of a value: sizes of its neighbours, of the last plane, the one before, those before; three; 256."""
FACTORS: Final = np.array(
    [
        [2240, 259, 0, 0, 0, 0, 0, 19098],
        [309, 0, 0, 0, -216, 1711, -2753, 31837],
        [523, -117, 0, 0, -10, 594, -909, 30678],
        [1201, -371, -70, 0, 102, 334, -613, 27577],
        [2206, 0, 0, 0, -1345, 3591, 1886, 25051],
        [2270, -36, 0, 0, -649, 2121, 1, 20968],
        [2334, 177, -74, 0, -703, 1143, -154, 19804],
        [2753, 278, 118, -6, -189, 66, 100, 18670],
    ],
    np.int64,
)
"""By which the inputs are summed up, in 1/4096, to the logarithm of the expected miss: of section cells, of planes
m, h and b of section shapes, and of section features' first three planes and those after."""
SECONDS: Final = np.array(
    [
        [13952, 25903, 35818, 44236, 51210, 56838, 61573, 65535],
        [18633, 31847, 41961, 49549, 55287, 59811, 62966, 65535],
        [18074, 32052, 42157, 49394, 54465, 58664, 62380, 65535],
    ],
    np.int64,
)
"""Distributions of the second symbol [span, symbol], cumulative, in 1/65536."""
