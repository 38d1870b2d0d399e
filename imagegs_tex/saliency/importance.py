"""Saliency by whichever method was asked for, and how much texels count by it."""

from dataclasses import replace
from typing import Final

import numpy as np
import torch

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.material.importance_mask import read_importance
from imagegs_tex.formats.material.options import SaliencyMethod, SaliencyOptions, SourceOptions
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import FloatTexels
from imagegs_tex.saliency.estimate import estimate_saliency, picture_of
from imagegs_tex.saliency.spectral_residual import normalised

FLOOR: Final = 0.25
"""Weight of the least salient texels, over that of the most salient ones: nothing is free. At equal bytes the salient
tenth of nine cases gains 0.4 to 1.4 dB and the whole loses up to 0.2 (docs/benchmarks/what-counts.md). With as many
Gaussians, on seven materials, it was 0.3 to 0.9 for 0.0 to 0.2, with 0.1 instead 0.4 to 1.3 for 0.0 to 0.3, and
with 0.5 0.2 to 0.6 for 0.0."""
_FULL: Final = 0.99
"""Share of the texels below the saliency that counts fully: a single bright spot must not make all else pale."""


def saliency_of(stack: TextureStack, options: SaliencyOptions, device: torch.device) -> FloatTexels:
    """Return the saliency float32 [H, W], from 0 to 1, of a stack.

    Args:
        stack: a material
        options: by which method, or from which file
        device: where a network runs

    Raises:
        UsageError: options exclude each other, or EML-Net is asked for without its weights, or without a colour map
        InputError: a file is missing or not what it should be
    """
    if options.map_file is not None:
        if options.method != SaliencyMethod.ESTIMATE or options.weights is not None:
            raise UsageError("--saliency-map excludes --saliency and --saliency-weights; give one of them")
        return normalised(read_importance(options.map_file, stack.width, stack.height))
    if options.method == SaliencyMethod.ESTIMATE:
        if options.weights is not None:
            raise UsageError("--saliency-weights are for --saliency emlnet; give that, too")
        return estimate_saliency(stack)
    if options.weights is None:
        raise UsageError("--saliency emlnet needs --saliency-weights DIR, with EML-Net's three .pth files")
    colours = picture_of(stack)
    if colours.shape[2] != 3:
        raise InputError("--saliency emlnet looks at colours, and the material has no colour map; use estimate")
    from imagegs_tex.saliency.eml_net import eml_net_saliency

    return eml_net_saliency(colours, options.weights, device)


def with_saliency(
    stack: TextureStack, options: SourceOptions, placed_by_it: bool, device: torch.device
) -> TextureStack:
    """Return a stack with the saliency that something asks for, its texels counting by it where options say so.

    Args:
        stack: a material
        options: whether texels count by saliency, and how that is found
        placed_by_it: whether the first Gaussians follow it
        device: where a network runs
    """
    if not (options.importance_by_saliency or placed_by_it):
        if options.saliency != SaliencyOptions():
            raise UsageError(
                "--saliency, --saliency-weights and --saliency-map need --importance auto or --init saliency; "
                "give one of these, too"
            )
        return stack
    saliency = saliency_of(stack, options.saliency, device)
    placed = replace(stack, saliency=saliency) if placed_by_it else stack
    if not options.importance_by_saliency:
        return placed
    looks = options.saliency
    words = looks.method.value if looks.map_file is None else printable(looks.map_file.name)
    weights = saliency_weights(saliency)
    return replace(
        placed, weights=weights if stack.weights is None else stack.weights * weights,
        remarks=(*stack.remarks, f"texels count by saliency ({words}), the least by {FLOOR:g}"),
    )  # fmt: skip


def saliency_weights(saliency: FloatTexels) -> FloatTexels:
    """Return how much texels count, float32 [H, W] from FLOOR to 1, by their saliency [H, W]."""
    full = float(np.quantile(saliency, _FULL))
    scaled = np.clip(saliency / full, 0.0, 1.0) if full > 0 else np.ones_like(saliency)
    return np.asarray(FLOOR + (1 - FLOOR) * scaled, dtype=np.float32)
