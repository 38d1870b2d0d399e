"""Small pictures as exact samples: where every texel takes fewer bytes than Gaussians, or hardly any at all."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.exact_samples import exact_samples
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack

FREE_BYTES: Final = 4096
"""A block of most file systems: a file below it takes no less room on a disk, so that losing anything gains nothing."""
_MOST_TEXELS: Final = 1 << 16
"""Of pictures that are tried: 256 x 256. Larger ones have never come out smaller than what Gaussians need."""


def exact_set(stack: TextureStack) -> QuantizedGaussianSet | None:
    """Return a stack as exact samples; None where it is too large for that, or has nothing but constants."""
    if stack.is_constant or stack.width * stack.height > _MOST_TEXELS:
        return None
    channels = stack.channel_count
    means = stack.texels.mean(axis=(0, 1), dtype=np.float64)
    return QuantizedGaussianSet(
        width=stack.width, height=stack.height, maps=stack.maps, cutoff=1.0, position_ratio=0.25, size_step=1.0,
        form_step=1.0, cell_log2=8, position_codes=np.zeros((1, 2), np.int32), shape_codes=np.zeros((1, 3), np.int16),
        feature_codes=np.zeros((1, 1), np.int16), feature_steps=np.ones(1, np.float32), feature_exponent=0.0,
        basis_scale=1.0, basis_codes=np.zeros((1, channels), np.int16),
        offset_codes=np.rint(np.clip(means, 0, 1) * OFFSET_SCALE).astype(np.uint16), wrap=stack.wrap,
        exact=exact_samples(stack.texels, stack.maps),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExactFile:
    """A stack as exact samples, and how large its file is; nothing where it cannot be one."""

    quantized: QuantizedGaussianSet | None
    size: int  # bytes

    def within(self, most_bytes: int) -> QuantizedGaussianSet | None:
        """Return the set where its file has at most so many bytes; None otherwise."""
        return self.quantized if self.size <= most_bytes else None


def exact_file(stack: TextureStack) -> ExactFile:
    """Return a stack as exact samples with the size of their file."""
    found = exact_set(stack)
    return ExactFile(found, 0 if found is None else len(encode_igs(found)))
