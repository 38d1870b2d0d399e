"""Files of sets, coded once: a search encodes one for its size, then with its detail layer, then to be written."""

from dataclasses import fields
from typing import Final

import numpy as np

from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet

_LAYERS: Final = frozenset({"detail", "exact", "repeat", "residual"})
"""What is stored beside a set's codes."""
_KEPT: Final = 6


class EncodedFiles:
    """The last files that were encoded; of a set with the same codes, only other layers are encoded anew."""

    def __init__(self) -> None:
        self._kept: list[tuple[QuantizedGaussianSet, bytes]] = []

    def encoded(self, quantized: QuantizedGaussianSet) -> bytes:
        """Return a set's file."""
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


def _same_codes(first: QuantizedGaussianSet, second: QuantizedGaussianSet) -> bool:
    """Whether two sets have all in common but layers: the very same arrays."""
    pairs = ((getattr(first, one.name), getattr(second, one.name)) for one in fields(first) if one.name not in _LAYERS)
    return all(own is other or (not isinstance(own, np.ndarray) and own == other) for own, other in pairs)
