"""The detail layer of a file after an edit: what its noise is made of stays, how strong it is there is found anew.

What is missing in the edit is held against what is missing around it, where the layer is known to suit.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.detail.amplitudes import BLOCK, amplitudes, block_means, less_offset, missing_grain, renewed_envelope
from imagegs_tex.detail.residual import missing_energies
from imagegs_tex.formats.igs.detail_layer import DetailLayer, envelope_codes
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE, QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack

Array = NDArray[np.float64]

_AROUND: Final = 12
"""Blocks around the new cells that say what the layer's strength means."""
_NEW: Final = 4.0
"""Times the energy of around that a channel without noise must miss in an edit for it to be looked at."""


def renewed_detail(
    stack: TextureStack, quantized: QuantizedGaussianSet, decoded: Tensor, changed: Tensor
) -> DetailLayer | None:  # fmt: skip
    """Return a set's detail layer with the envelope of what has changed anew; None: it does not suit what is new.

    Args:
        stack: what the set was made of
        quantized: the set, with the layer of before the edit
        decoded: float32 [H, W, C], its picture without detail, on any device
        changed: bool [H, W]
    """
    layer = quantized.detail
    assert layer is not None
    size = quantized.height // BLOCK, quantized.width // BLOCK
    if min(size) == 0:
        return None
    blocks = _blocks_of(changed.numpy(), size)
    if not blocks.any():
        return layer
    anew = _cells_of(blocks, layer.envelope_codes.shape)
    rows, columns = places = _part(anew, size)
    texels = tuple(slice(place.start * BLOCK, place.stop * BLOCK) for place in places)
    decoded = decoded[texels].contiguous()
    source = torch.from_numpy(stack.texels[texels]).to(decoded.device)
    if stack.weights is not None:  # texels that do not count miss nothing
        important = torch.from_numpy(stack.weights[texels]).to(decoded.device) > 0
        source = torch.where(important[..., None], source, decoded)
    missed, is_new = np.square(missing_grain(source, decoded)[0]), blocks[rows, columns]
    if is_new.all():
        return None
    usual, mixed = missed[~is_new].mean(axis=0), layer.mixing_codes.any(axis=1)
    other = ~mixed & (missed[is_new].mean(axis=0) > _NEW * usual)
    known = mixed & (usual > 0)
    if not known.any() or (other.any() and _misses(stack, source, decoded, other)):
        return None
    found = np.sqrt((missed[..., known] / usual[known]).mean(axis=2))
    factors = renewed_envelope(
        layer.envelope, anew, found, _predicted(layer, decoded, quantized, is_new), places, size
    )  # fmt: skip
    codes = np.where(anew, envelope_codes(factors), layer.envelope_codes)
    return replace(layer, envelope_codes=codes)


def _misses(stack: TextureStack, source: Tensor, decoded: Tensor, channels: NDArray[np.bool_]) -> bool:
    """Whether some channels [C] of a part of a picture lack noise, as an analysis of it alone would find."""
    missing = missing_energies(stack, source, decoded)
    return missing is not None and bool(np.any(missing.channels & channels))


def _predicted(
    layer: DetailLayer, decoded: Tensor, quantized: QuantizedGaussianSet, is_new: NDArray[np.bool_]
) -> Array:  # fmt: skip
    """Return how strong noise is by the channels, by block, 1 on average where nothing is new."""
    offset, total, weights = quantized.offset_codes / OFFSET_SCALE, np.zeros(is_new.shape), np.square(layer.mixing)
    shares = (weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-30)).sum(axis=0)
    centred = less_offset(decoded, offset)
    for slopes, share in zip(layer.slopes, shares, strict=True):
        made = block_means(amplitudes(slopes, centred).square_())
        total += share * made / max(float(made[~is_new].mean()), 1e-12)
    return np.asarray(np.sqrt(total / shares.sum()))


def _blocks_of(changed: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the blocks [rows, columns] that have some of what has changed [H, W]."""
    down, across = size
    whole = changed[: down * BLOCK, : across * BLOCK]
    return np.asarray(whole.reshape(down, BLOCK, across, BLOCK).any(axis=(1, 3)))


def _cells_of(blocks: NDArray[np.bool_], grid: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the cells [rows, columns] that blocks [rows, columns] lie in."""
    cells = np.zeros(grid, dtype=bool)
    rows, columns = np.nonzero(blocks)
    cells[rows * grid[0] // blocks.shape[0], columns * grid[1] // blocks.shape[1]] = True
    return cells


def _part(cells: NDArray[np.bool_], size: tuple[int, int]) -> tuple[slice, slice]:
    """Return rows and columns of the blocks that cells [rows, columns] hold, and of some around."""
    found = []
    for axis, length in zip((1, 0), size, strict=True):
        marked = np.flatnonzero(cells.any(axis=axis))
        first, last = (int(cell) * length // cells.shape[1 - axis] for cell in (marked[0], marked[-1] + 1))
        found.append(slice(max(0, first - _AROUND), min(length, last + 1 + _AROUND)))
    return found[0], found[1]
