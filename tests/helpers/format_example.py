"""The worked example of docs/igs-format.md: a file of two Gaussians, byte by byte.

``python tests/helpers/format_example.py`` prints the page's listing; tests/formats/igs/test_format_page.py holds the
page against it and decodes the bytes that it shows.
"""

import struct
import zlib

SECTIONS = ("maps", "components", "cells", "positions", "shapes", "features")
PLAIN = {
    "maps": [
        ("<H", (1,), "one map"),
        ("<H6s", (6, b"height"), "its name"),
        ("<B4s", (4, b".png"), "its suffix"),
        ("<BBBB", (7, 0, 0, 1), "height, linear, uint8, one channel"),
        ("<ff", (0.0, 1.0), "lo, hi"),
        ("<BBB", (7, 0, 0), "channel 0: height, coded, coded channel 0"),
    ],
    "components": [
        ("<H", (32768,), "offset: 32768 / 65535"),
        ("<f", (0.0625,), "feature step of component 0: 1/16"),
        ("<h", (32767,), "basis: 32767 / 32767"),
        ("<hBhBhB", (4, 1, 0, 1, -1, 1), "planes m, h, b: least codes 4, 0, -1; one byte each"),
        ("<hB", (-6, 1), "plane of component 0: least code -6, one byte"),
    ],
    "cells": [("<4B", (1, 0, 0, 1), "Gaussians in the cells: one in the first, one in the last")],
    "positions": [("<2B", (0x4D, 0x06), "3 + 4 bits of Gaussian 0: 5, 9; 3 + 3 bits of Gaussian 1: 4, 1")],
    "shapes": [
        ("<2B", (0, 2), "m: 4, 6"),
        ("<2B", (2, 0), "h: 2, 0"),
        ("<2B", (1, 0), "b: 0, -1"),
    ],
    "features": [("<2B", (14, 0), "component 0: 8, -6")],
}  # fmt: skip
HEADER = [
    ("<8s", (b"\x89IGS\r\n\x1a\n",), "magic"),
    ("<HBB", (3, 1, 6), "version 3, kernel 1, six sections"),
    ("<II", (16, 16), "width, height"),
    ("<HHI", (1, 1, 2), "channels, components, Gaussians"),
    ("<f", (6.0,), "cut-off: 6"),
    ("<f", (0.25,), "position ratio: 1/4"),
    ("<ff", (0.5, 0.25), "size step: 1/2, form step: 1/4"),
    ("<f", (1.0,), "basis scale: 1"),
    ("<BBBB", (3, 0, 16, 0), "cells of 2^3 texels, no repeat, feature exponent 16/16, reserved"),
]


def fields():
    """Return what the file holds, in order: bytes and what they mean."""
    frames = {}
    for name, parts in PLAIN.items():
        raw = b"".join(struct.pack(layout, *values) for layout, values, _ in parts)
        # magic; one segment with a size of one byte; one last block, stored as it is
        head = b"\x28\xb5\x2f\xfd\x20" + bytes([len(raw)]) + (len(raw) << 3 | 1).to_bytes(3, "little")
        frames[name] = (head, raw)
    found = [(struct.pack(layout, *values), meaning) for layout, values, meaning in HEADER]
    for number, (name, (head, raw)) in enumerate(frames.items(), start=1):
        stored = len(head) + len(raw)
        entry = struct.pack("<BBHIII", number, 1, 0, len(raw), stored, zlib.crc32(head + raw))
        found.append((entry, f"{name}: codec 1, {len(raw)} bytes raw, {stored} stored, crc"))
    found.append((struct.pack("<I", zlib.crc32(b"".join(data for data, _ in found))), "crc of all that"))
    for name, (head, _) in frames.items():
        found.append((head, f"{name}: a frame of one block that is not compressed"))
        found += [(struct.pack(layout, *values), meaning) for layout, values, meaning in PLAIN[name]]
    return found


def listing():
    """Return the page's lines: offset, up to eight bytes, meaning."""
    lines, at = [], 0
    for data, meaning in fields():
        for start in range(0, len(data), 8):
            row = data[start : start + 8].hex(" ").upper()
            lines.append(f"{at + start:04X}  {row:<23}  {meaning if start == 0 else ''}".rstrip())
        at += len(data)
    return "\n".join(lines)


if __name__ == "__main__":
    print(listing())  # noqa: T201 - run by hand, for the page
