"""A file with a residual made anew after an edit: blocks of what has changed are coded anew, all others stay.

Its Gaussians are fitted anew there, too, where that can be done by itself; else they stay as they are, and the blocks
hold all that is new.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from imagegs_tex.encoder.edit_region import MOST, widened
from imagegs_tex.encoder.residual_search import what_is_left
from imagegs_tex.encoder.trial_fits import Edit, Fitter
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.quantize.recoded_blocks import HeldBlocks
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.settings import ResidualMode


def edit_of_blocks(fitter: Fitter, file: QuantizedGaussianSet) -> Edit | str:
    """Return the start's file, which has a residual, with what has changed coded anew; or in words why not.

    Whether the file is no larger than it may be, the caller decides: with coefficients taken from the edit until it
    fits, 48 of 14,000 bytes cost 0.2 dB (192 x 192 texels of grain).
    """
    settings, residual = fitter.settings, file.residual
    assert residual is not None
    if settings.precision.residual == ResidualMode.OFF or settings.entropy != Entropy.SMALL:
        return "the file has a residual, which is not wanted"
    size, side = (file.width, file.height), residual.side
    held = HeldBlocks.of(residual, what_is_left(fitter, file), fitter.backend.threads)
    changed = torch.from_numpy(held.changed())
    if changed.float().mean() > MOST:
        return "too much has changed"
    edit: Edit | str = ""
    if changed.any():
        edit = fitter.after_edit(file, _tiles_of(changed, side, size))
    quantized = file if isinstance(edit, str) else edit.quantized
    if quantized is not file:
        held = HeldBlocks.of(residual, what_is_left(fitter, quantized), fitter.backend.threads)
    anew = widened(changed | torch.from_numpy(held.changed()))
    if anew.float().mean() > MOST:
        return "too much has changed"
    layer = held.recoded(anew.numpy()) if anew.any() else residual
    if layer is None:
        return "the residual would have more in it than a file may hold"
    made = replace(quantized, residual=layer, maps=fitter.stack.maps, entropy=settings.entropy)
    return Edit(made, _texels_of(anew, side, size))


def _texels_of(blocks: Tensor, side: int, size: tuple[int, int]) -> Tensor:
    """Return blocks [rows, columns] as texels [H, W]."""
    return blocks.repeat_interleave(side, 0).repeat_interleave(side, 1)[: size[1], : size[0]]


def _tiles_of(blocks: Tensor, side: int, size: tuple[int, int]) -> Tensor:
    """Return the tiles [rows, columns] that blocks [rows, columns] lie in."""
    texels = _texels_of(blocks, side, size).float()
    return functional.max_pool2d(texels[None], TILE, ceil_mode=True)[0] > 0
