"""Blocks of cosines in the buffer, read from docs/gpu-buffer.md, "Residual"."""

from itertools import pairwise

import numpy as np


def _byte(word, place):
    return int(word) >> 8 * place & 255


def _signed(code, bits):
    return code - (1 << bits) if code >> bits - 1 else code


def read_blocks(part, size, channels):
    """Return step, offsets, basis [K', C], and per block its coefficients {(component, u, v): code}.

    part: words from the first on; size: of what the blocks cover
    """
    side = 1 << _byte(part[0], 0)
    components = _byte(part[0], 1)
    offsets = [_signed(_byte(part[1], place), 8) for place in (0, 1, 2)]
    step = part[2:3].view("<f4")[0]
    place, count = 3, components * channels
    basis = np.array([_signed(int(part[place + i // 2]) >> 16 * (i % 2) & 0xFFFF, 16) for i in range(count)])
    place += -(-count // 2)
    order = [_byte(part[place + p // 4], p % 4) for p in range(side * side)]
    place += side * side // 4
    block_count = -(-size[0] // side) * -(-size[1] // side)
    groups = part[place : place + 5 * (block_count // 8 + 1)].reshape(-1, 5)
    begins = [int(group[0]) + (int(group[1 + n // 2]) >> 16 * (n % 2) & 0xFFFF) for group in groups for n in range(8)]
    begins = begins[: block_count + 1]
    lists = part[place + groups.size :]
    blocks = []
    for first, end in pairwise(begins):
        nibbles = [int(lists[n // 8]) >> 4 * (n % 8) & 15 for n in range(first, end)]
        codes, component, p = {}, 0, -1
        while nibbles:
            nibble = nibbles.pop(0)
            if nibble < 12:
                p += 1 + (nibble >> 1 if nibble < 10 else 0)
                at = component, order[p] & 15, order[p] >> 4
                codes[at] = (1 if nibble < 10 else 2) * (-1 if nibble & 1 else 1)
            elif nibble == 12:
                p += 5
            elif nibble == 13:
                component, p = component + 1, -1
            else:
                m = abs(codes[at])
                codes[at] = (m + 1 if nibble == 14 else 16 * (m - 1) + 2 + nibbles.pop(0)) * np.sign(codes[at])
        blocks.append(codes)
    return step, offsets, basis.reshape(components, channels), blocks
