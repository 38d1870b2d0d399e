"""Files of sets, coded once: a search encodes one for its size, then with its detail layer, then to be written.

What is about to be written is read back, in threads beside what is left to do.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np

from imagegs_tex.formats.igs.container import checked_sections, encode_igs, reads_back, same_sections
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet

_LAYERS: Final = frozenset({"detail", "exact", "repeat", "residual"})
"""What is stored beside a set's codes."""
_KEPT: Final = 6
_AT_ONCE: Final = 2
"""Threads. What one of them waits for was begun before it, by the other one or by a caller."""


@dataclass(slots=True, eq=False)
class _File:
    quantized: QuantizedGaussianSet
    like: "_File | None"  # an earlier one, of which sections are taken, until they are
    data: Future[bytes] = field(default_factory=Future)

    def has_residual_of(self, quantized: QuantizedGaussianSet) -> bool:
        return self.quantized.residual is quantized.residual


@dataclass(frozen=True, slots=True, eq=False)
class _Check:
    file: _File
    holds: Future[bool]


class EncodedFiles:
    """The last files that were encoded; of a set with the same codes, only other layers are encoded anew."""

    def __init__(self) -> None:
        self._kept: list[_File] = []
        self._checks: list[_Check] = []
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_AT_ONCE)

    def encoded(self, quantized: QuantizedGaussianSet) -> bytes:
        """Return a set's file."""
        with self._lock:
            file, is_new = self._file_of(quantized)
        return self._data_of(file, is_new=is_new)

    def size(self, quantized: QuantizedGaussianSet) -> int:
        """Return the bytes of a set's file."""
        return len(self.encoded(quantized))

    def size_beside(self, quantized: QuantizedGaussianSet) -> Future[int]:
        """Begin to encode a set's file; tell its bytes."""
        with self._lock:
            file, is_new = self._file_of(quantized)
            return self._pool.submit(lambda: len(self._data_of(file, is_new=is_new)))

    def check(self, quantized: QuantizedGaussianSet) -> Future[bool]:
        """Begin to read back the file of a set that is likely to be written; tell whether the file holds the set.

        The file is encoded beside, where it was not. What was read back of a set with the same codes, and is the same
        in both files, is not read again.
        """
        with self._lock:
            file, is_new = self._file_of(quantized)
            earlier = next((check for check in self._checks if _same_codes(check.file.quantized, quantized)), None)
            if earlier is not None and earlier.file is file:
                return earlier.holds
            holds = self._pool.submit(self._read_back, file, earlier, is_new=is_new)
            self._checks = [_Check(file, holds), *self._checks][:_KEPT]
        return holds

    def close(self) -> None:
        """Wait for the threads; nothing can be begun any more."""
        self._pool.shutdown()

    def _file_of(self, quantized: QuantizedGaussianSet) -> tuple[_File, bool]:
        """Return a set's file, and whether it has still to be encoded, which is then the caller's, who has the lock."""
        alike = [kept for kept in self._kept if _same_codes(kept.quantized, quantized)]
        found = max(
            alike, key=lambda kept: (kept.quantized is quantized, kept.has_residual_of(quantized)), default=None
        )  # fmt: skip
        if found is not None and found.quantized is quantized:
            return found, False
        file = _File(quantized, found)
        self._kept = [file, *self._kept][:_KEPT]
        return file, True

    def _encode(self, file: _File, *, check: bool) -> None:
        try:
            like = file.like
            same = like is not None and like.has_residual_of(file.quantized)
            coded = None if like is None else like.data.result()
            file.data.set_result(encode_igs(file.quantized, coded, same_residual=same, check=check))
        except BaseException as error:
            file.data.set_exception(error)
            raise
        finally:
            file.like = None  # else a search would keep all its files

    def _data_of(self, file: _File, *, is_new: bool, check: bool = False) -> bytes:
        if is_new:
            self._encode(file, check=check)
        return file.data.result()

    def _read_back(self, file: _File, earlier: _Check | None, *, is_new: bool) -> bool:
        is_all_new = is_new and file.like is None
        data = self._data_of(file, is_new=is_new, check=True)
        seen = checked_sections(data) if is_all_new else frozenset()
        if earlier is not None and earlier.holds.result():
            seen |= same_sections(earlier.file.data.result(), data)
        return reads_back(data, file.quantized, seen)


def _same_codes(first: QuantizedGaussianSet, second: QuantizedGaussianSet) -> bool:
    """Whether two sets have all in common but layers: the very same arrays."""
    pairs = ((getattr(first, one.name), getattr(second, one.name)) for one in fields(first) if one.name not in _LAYERS)
    return all(own is other or (not isinstance(own, np.ndarray) and own == other) for own, other in pairs)
