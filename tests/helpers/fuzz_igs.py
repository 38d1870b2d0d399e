"""Damage .igs files at random, read them under a limit of memory: ``python -m helpers.fuzz_igs COUNT [SEED]``.

Every reading must end in IgsError or in a set that keeps the laws (it can be written and read again), within a second.
"""

import random
import resource
import struct
import sys
import time
from dataclasses import replace
from pathlib import Path

from helpers.igs_sets import FRONT, File, fix_checksums, make_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_layer
from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs.container import decode_igs, encode_igs

EXTRA_BYTES = 300 << 20
LIMIT_S = 1.0
INTERESTING = [0, 1, 2, 127, 128, 255]
SETS = [
    make_set(0, count=40, size=(40, 30), cell_log2=3),
    make_set(1, count=300, size=(64, 64), cell_log2=8, channels=2, components=2, feature_range=(-500, 500)),
    make_set(2, count=3, size=(1, 200), channels=1, components=1, cell_log2=4),
    replace(
        make_set(3, count=9, size=(21, 13), channels=3, components=2, cell_log2=4),
        residual=made_layer((21, 13), 3, 3, components=2),
    ),
    with_repeat(
        make_set(4, count=9, size=(31, 23), channels=3, components=2, cell_log2=4),
        period=(12, 5), origin=(3, 2), shift=6,
    ),
]  # fmt: skip
RESIDUAL_SET, REPEAT_SET = SETS[3:]
FILES = [encode_igs(quantized) for quantized in SETS]
OFTEN = [5, 1, 5, 5, 5]
"""How often each file is damaged: the one of 300 Gaussians takes ten times as long to read."""


def damaged(data, rng):
    """A few bits, bytes, numbers or spans of some bytes changed."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 8])):
        at = rng.randrange(len(changed)) if changed else 0
        kind = rng.randrange(6)
        if kind == 0 and changed:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and changed:
            changed[at] = rng.choice(INTERESTING) if rng.random() < 0.5 else rng.randrange(256)
        elif kind == 2:
            number = rng.choice([0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 22, rng.getrandbits(32)])
            changed[at : at + 4] = struct.pack("<I", number)[: rng.choice([2, 4])]
        elif kind == 3:
            del changed[at : at + rng.randrange(1, 9)]
        elif kind == 4:
            changed[at:at] = rng.randbytes(rng.randrange(1, 9))
        else:
            other = rng.choice(FILES)
            start = rng.randrange(len(other))
            changed[at : at + 16] = other[start : start + rng.randrange(1, 33)]
    return bytes(changed)


def mutation(rng):
    """A damaged file: as it is, with checksums that fit, or damaged within a section that is compressed again."""
    data = rng.choices(FILES, OFTEN)[0]
    depth = rng.random()
    if depth < 0.2:
        return damaged(data, rng)
    if depth < 0.4:
        return fix_checksums(damaged(data, rng))
    if depth < 0.5:
        return fix_checksums(damaged(data[: FRONT - 4], rng)[: FRONT - 4].ljust(FRONT - 4, b"\0") + data[FRONT - 4 :])
    file = File.split(data)
    for _ in range(rng.choice([1, 1, 2])):
        section = rng.randrange(len(file.raws))
        file.raws[section] = damaged(file.raws[section], rng)
    return file.join()


def address_space():
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    rng = random.Random(seed)
    decode_igs(FILES[0])
    limit = address_space() + EXTRA_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    valid, slowest = 0, 0.0
    for number in range(count):
        data = mutation(rng)
        started = time.process_time()
        try:
            found = decode_igs(data)
        except IgsError as error:
            message = str(error)
        except BaseException as error:
            error.add_note(f"mutation {number} of seed {seed}")
            raise
        else:
            message = "file: "
            valid += 1
            encode_igs(found)
        assert message.startswith("file: "), message
        assert "\n" not in message
        slowest = max(slowest, time.process_time() - started)
    assert slowest < LIMIT_S, f"a file took {slowest:.2f} s"
    sys.stdout.write(f"{count} mutations, {valid} valid, slowest {slowest * 1000:.1f} ms\n")


if __name__ == "__main__":
    main()
