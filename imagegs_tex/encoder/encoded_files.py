"""Files of sets, coded once: a search encodes one for its size, then with its detail layer, then to be written."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from typing import Final

import numpy as np

from imagegs_tex.formats.igs.container import adds_only_detail, decode_igs, encode_igs, holds_the_same
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet

_LAYERS: Final = frozenset({"detail", "exact", "repeat", "residual"})
"""What is stored beside a set's codes."""
_KEPT: Final = 6


class EncodedFiles:
    """The last files that were encoded; of a set with the same codes, only other layers are encoded anew.

    One file at a time: who asks for one that another thread encodes waits for it.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[QuantizedGaussianSet, bytes]] = []
        self._turns = threading.RLock()
        self._ahead: tuple[QuantizedGaussianSet, Future[bytes | None]] | None = None

    def encoded(self, quantized: QuantizedGaussianSet) -> bytes:
        """Return a set's file."""
        with self._turns:
            alike = [kept for kept in self._kept if _same_codes(kept[0], quantized)]
            found = max(
                alike, key=lambda kept: (kept[0] is quantized, kept[0].residual is quantized.residual), default=None
            )  # fmt: skip
            if found is not None and found[0] is quantized:
                return found[1]
            same = found is not None and found[0].residual is quantized.residual
            data = encode_igs(quantized, None if found is None else found[1], same_residual=same)
            self._kept = [(quantized, data), *self._kept][:_KEPT]
            return data

    def size(self, quantized: QuantizedGaussianSet) -> int:
        """Return the bytes of a set's file."""
        return len(self.encoded(quantized))

    def read_ahead(self, quantized: QuantizedGaussianSet) -> None:
        """Encode a set and read its file back, beside what the caller does: only a detail layer will be added to it."""
        pool = ThreadPoolExecutor(1)
        self._ahead = quantized, pool.submit(self._sound, quantized)
        pool.shutdown(wait=False)

    def reads_back(self, quantized: QuantizedGaussianSet) -> bool:
        """Whether a set's file, read, holds the set."""
        if self._ahead is not None and self._ahead[0] is quantized:
            return self._ahead[1].result() is not None
        data = self.encoded(quantized)
        if self._ahead is not None and _same_codes(self._ahead[0], quantized):
            known = self._ahead[1].result()
            if known is not None and adds_only_detail(data, known, quantized.detail):
                return True
        return holds_the_same(decode_igs(data), quantized)

    def _sound(self, quantized: QuantizedGaussianSet) -> bytes | None:
        """Return a set's file; None where it does not hold the set."""
        data = self.encoded(quantized)
        return data if holds_the_same(decode_igs(data), quantized) else None


def _same_codes(first: QuantizedGaussianSet, second: QuantizedGaussianSet) -> bool:
    """Whether two sets have all in common but layers: the very same arrays."""
    pairs = ((getattr(first, one.name), getattr(second, one.name)) for one in fields(first) if one.name not in _LAYERS)
    return all(own is other or (not isinstance(own, np.ndarray) and own == other) for own, other in pairs)
