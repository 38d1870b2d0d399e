"""The coders of integer planes in C: runtime/c/igs_coder.c, compiled when the package is built, where it has been.

It saves the import of numba, half a second and more, and its compilation, and codes codec 4 in a sixth of the time. The
numba kernels are the reference, give the same bytes and codes, and serve where there is no library: where no compiler
was found, in a tree that was not installed, or where ``IMAGEGS_TEX_NO_COMPILED`` is set.
"""

import ctypes
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.coded_frame import Coder

VARIABLE: Final = "IMAGEGS_TEX_NO_COMPILED"
LIBRARY: Final = Path(__file__).with_name("igs_coder.dll" if os.name == "nt" else "igs_coder.so")
_INTERFACE: Final = 6
"""IGS_CODER_INTERFACE of a library that these functions understand."""
MAPS, COMPONENTS, CELLS, SHAPES, FEATURES = 1, 2, 3, 5, 6
"""Sections, by their ids."""


@dataclass(frozen=True, slots=True)
class Planes:
    """A section's planes, and what is known of their items: of CELLS no arrays, of SHAPES firsts alone.

    MAPS and COMPONENTS are one plane of bytes.
    """

    codec: int  # 2 to 6
    section: int
    grid: tuple[int, int]  # cells across and down; of MAPS and COMPONENTS: channels and components
    gaussian_count: int
    firsts: NDArray[np.integer] | None = None  # [cells + 1] first Gaussian of each cell
    shapes: NDArray[np.integer] | None = None  # [N, 3] codes
    positions: NDArray[np.integer] | None = None  # [N, 2] codes
    exponents: NDArray[np.integer] | None = None  # [N, 2] of the position steps


class _Call(ctypes.Structure):
    """igs_coder_planes."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("codec", "section", "count", "planes", "across", "down", "gaussians")),
        ("writes", ctypes.c_uint32),
        *((name, ctypes.c_void_p) for name in ("firsts", "shapes", "positions", "exponents", "bytes")),
        ("size", ctypes.c_uint64),
        ("values", ctypes.c_void_p),
        ("follow", ctypes.c_void_p),
    )


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return the library, or None where there is none that can be loaded."""
    if os.environ.get(VARIABLE):
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
        found.igs_coder_run.restype = ctypes.c_int64
        return found if found.igs_coder_interface() == _INTERFACE else None
    except (OSError, AttributeError):  # not there, of another machine, or something else
        return None


def is_compiled() -> bool:
    """Whether there is a compiled coder."""
    return _library() is not None


def coder(planes: Planes, *, writes: bool = False, followed: bool = False) -> Coder:
    """Return what decodes a section's values; or, where it writes, what encodes them.

    Args:
        planes: of the section
        writes: whether to encode
        followed: whether a thread beside decodes bytes as they are written, which those of codecs 2, 3 and 5 are for
            good; RuntimeError where other values come out, which is a fault of the coder
    """
    known: dict[str, NDArray[np.integer]] = {
        name: np.ascontiguousarray(array, dtype)
        for name, array, dtype in (
            ("firsts", planes.firsts, np.uint32),
            ("shapes", planes.shapes, np.int16),
            ("positions", planes.positions, np.int32),
            ("exponents", planes.exponents, np.int8),
        )
        if array is not None
    }

    def run(values: NDArray[np.int32], coded: NDArray[np.uint8]) -> int:
        if not followed:
            return _run(planes, known, values, coded, writes=writes)
        written, read = ctypes.c_uint64(0), np.zeros_like(values)
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(_run, planes, known, read, coded, writes=False, follow=written)
            used = _run(planes, known, values, coded, writes=True, follow=written)
            if used >= 0 and (reading.result() != used or not np.array_equal(read, values)):
                raise RuntimeError("a section does not decode to what was coded: a fault of the coder")
        return used

    return run


def _run(
    planes: Planes,
    known: dict[str, NDArray[np.integer]],
    values: NDArray[np.int32],
    coded: NDArray[np.uint8],
    *,
    writes: bool,
    follow: ctypes.c_uint64 | None = None,
) -> int:
    """Return the bytes used, -1 where there is no room for them."""
    assert values.dtype == np.int32
    assert values.flags.c_contiguous
    call = _Call(
        planes.codec, planes.section, *values.shape, *planes.grid, planes.gaussian_count, writes,
        **{name: array.ctypes.data for name, array in known.items()},
        bytes=coded.ctypes.data, size=len(coded), values=values.ctypes.data,
        follow=None if follow is None else ctypes.addressof(follow),
    )  # fmt: skip
    library = _library()
    assert library is not None
    used = int(library.igs_coder_run(ctypes.byref(call)))
    if used < 0:
        raise MemoryError
    return -1 if writes and used > len(coded) else used
