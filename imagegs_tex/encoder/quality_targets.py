"""Quality that is asked for, of all maps together or of some, and whether a file has it."""

import math
from collections.abc import Sequence

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import Samples
from imagegs_tex.metrics.scores import (
    PSNR_CAP_DB,
    normal_degrees,
    psnr_of,
    squared_error,
)
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import CompressSettings, QualityTarget


def targets_of(settings: CompressSettings, stack: TextureStack) -> tuple[QualityTarget, ...]:
    """Return all targets of the settings, the one for all maps first; UsageError for maps that the stack lacks."""
    targets = (
        settings.targets if settings.target_psnr is None else (QualityTarget(settings.target_psnr), *settings.targets)
    )
    for target in targets:
        if not target.in_degrees and not 0 < target.value < PSNR_CAP_DB:
            raise UsageError(f"{name_of(target)} is no quality of a file; ask for 0 to {PSNR_CAP_DB:g} dB")
        semantics = {semantic for texture_map in stack.maps for semantic in texture_map.channel_semantics}
        if target.semantic is not None and target.semantic not in semantics:
            raise UsageError(
                f"--target {name_of(target)}: the material has no such map; it has "
                + ", ".join(sorted(semantic.name.lower() for semantic in semantics))
            )
    names = [(target.semantic, target.in_degrees) for target in targets]
    if len(set(names)) < len(names):
        raise UsageError("two --target options name the same maps; give one for each")
    return targets


def reached(target: QualityTarget, stack: TextureStack, decoded: Sequence[Samples]) -> float:
    """Return the dB that decoded maps have of what a target asks for; degrees as -20 log10."""
    errors, values, degrees = 0.0, 0, []
    for index, (texture_map, samples) in enumerate(zip(stack.maps, decoded, strict=True)):
        source = source_map(stack, index)
        if target.in_degrees:
            mean, _ = normal_degrees(texture_map, source, samples)
            degrees += [] if mean is None else [mean]
        else:
            error, count = squared_error(
                texture_map, source, samples, stack.weights, stack.drawn_of(index), target.semantic
            )
            errors, values = errors + error, values + count
    if target.in_degrees:
        return -20 * math.log10(max(sum(degrees) / max(1, len(degrees)), 1e-6))
    return psnr_of(errors / max(1, values))


def score_targets(
    targets: Sequence[QualityTarget], stack: TextureStack, quantized: QuantizedGaussianSet, backend: Backend
) -> tuple[tuple[QualityTarget, float], ...]:
    """Return each target with the value that a file has, in the target's own unit."""
    if not targets:
        return ()
    decoded = [samples for _, samples in decode_maps(quantized, backend)]
    return tuple((target, value_of(target, reached(target, stack, decoded))) for target in targets)


def decibels_of(target: QualityTarget) -> float:
    """Return what a target asks for in dB; degrees as -20 log10."""
    return -20 * math.log10(target.value) if target.in_degrees else target.value


def value_of(target: QualityTarget, decibels: float) -> float:
    """Return dB in a target's own unit."""
    return 10 ** (-decibels / 20) if target.in_degrees else decibels


def name_of(target: QualityTarget) -> str:
    """Return what a target asks for, in words."""
    if target.semantic is None:
        return f"{target.value:.2f} dB"
    unit = f"{target.value:.3g} degrees" if target.in_degrees else f"{target.value:.2f} dB"
    return f"{target.semantic.name.lower()} {unit}"
