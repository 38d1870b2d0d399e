"""How many Gaussians, how finely stored: from what the user asked for to a file of that size or quality.

A size is searched for in :mod:`.size_search`, a quality in :mod:`.quality_search`.
"""

from dataclasses import dataclass

from imagegs_tex.detail.analyse import with_detail_layer
from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.encode import Geometry
from imagegs_tex.encoder.exact_file import FREE_BYTES, exact_file
from imagegs_tex.encoder.file_sizes import FileSizes, GpuSizes
from imagegs_tex.encoder.quality_search import Reached, reach_targets, unreached_exactly
from imagegs_tex.encoder.quality_targets import decibels_of, targets_of
from imagegs_tex.encoder.residual_search import best_within, may_pay, smallest_reaching
from imagegs_tex.encoder.size_search import Finish, fill
from imagegs_tex.encoder.trial_fits import Effort, Fitter, Progress
from imagegs_tex.encoder.visible_quality import decibels_of_quality, reach_quality
from imagegs_tex.fit.control import FitControl, StopPoint, Watch
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import DEFAULT_QUALITY, CompressSettings, DetailMode, QualityTarget


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished set and what it took."""

    quantized: QuantizedGaussianSet
    effort: Effort
    unreached: str | None = None  # targets, or a size, that no set reaches, and what this one has, in one line
    watch: Watch | None = None  # of the run; None: nobody looks at it
    targets: tuple[QualityTarget, ...] = ()  # what was asked for
    remarks: tuple[str, ...] = ()  # what there is to say of the run, one line each

    @property
    def stopped_at(self) -> StopPoint | None:
        """Where the run was ended early; None: nothing was cut short."""
        return None if self.watch is None else self.watch.stopped_at


def encode_within_budget(
    stack: TextureStack,
    settings: CompressSettings,
    backend: Backend,
    progress: Progress | None = None,
    control: FitControl | None = None,
    start: Geometry | None = None,
) -> Encoded:
    """Encode a stack with the number of Gaussians, the size or the quality that the settings ask for.

    A small picture becomes exact samples where these are within a size limit, take no more bytes than Gaussians of the
    quality, or are as good as free; never where a number of Gaussians is asked for.

    Raises:
        UsageError: limits that exclude each other are given, or a quality that no file can have
    """
    targets = targets_of(settings, stack)
    limits = (
        settings.quality,
        settings.gaussian_count,
        settings.bits_per_texel,
        settings.max_bytes,
        settings.max_gpu_bytes,
        targets or None,
    )
    if sum(limit is not None for limit in limits) > 1:
        raise UsageError(
            "--quality, --gaussians, --bpp, --max-bytes, --max-gpu-bytes and targets (--target-psnr, --target) "
            "exclude each other; give one kind"
        )
    texels = stack.width * stack.height
    fitter = Fitter(stack, settings, backend, progress, control, start)

    def finish(quantized: QuantizedGaussianSet, most_bytes: int | None) -> QuantizedGaussianSet:
        if settings.detail == DetailMode.OFF:
            return quantized
        return with_detail_layer(stack, quantized, backend, most_bytes)

    unreached, max_bytes = None, _size_limit(settings, texels)
    if targets:
        found = reach_targets(fitter, targets)
        if found.unreached is None:
            found = _with_residual(fitter, found, targets)
        fitter.release()
        size = len(encode_igs(found.quantized))
        exact = exact_file(stack).within(max(size, FREE_BYTES) if found.unreached else size)
        missing = None if exact is None else unreached_exactly(fitter, targets, exact)
        if exact is None or (missing is not None and found.unreached is None):
            quantized, unreached = finish(found.quantized, None), found.unreached
        else:
            quantized, unreached = exact, missing
    elif max_bytes is not None:
        found = _filled(fitter, max_bytes, finish)
        quantized, unreached = found.quantized, found.unreached
    elif settings.max_gpu_bytes is not None:
        found = fill(fitter, settings.max_gpu_bytes, finish, GpuSizes())
        quantized, unreached = found.quantized, found.unreached
    elif settings.gaussian_count is not None or (settings.quality is None and start is not None):
        count = fitter.usual_count if settings.gaussian_count is None else settings.gaussian_count
        if not 1 <= count <= min(MAX_GAUSSIANS, texels):
            raise UsageError(f"{count} Gaussians is outside 1..{min(MAX_GAUSSIANS, texels)} for {texels} texels")
        rounded = fitter.after_edit(count) or fitter.rounded(fitter.fit(count, exact_count=True))
        fitter.release()
        quantized = finish(rounded, None)
        if min(stack.width, stack.height) == 1:  # a ramp of 256 texels had 120 dB with 64 Gaussians and 72 with 128
            quantized = exact_file(stack).within(len(encode_igs(quantized))) or quantized
    else:
        quality = DEFAULT_QUALITY if settings.quality is None else settings.quality
        quantized = _of_quality(fitter, quality, finish)
    return Encoded(quantized, fitter.effort, unreached, fitter.watch, targets, fitter.remarks)


def _filled(fitter: Fitter, max_bytes: int, finish: Finish) -> Reached:
    """Return the best set of at most so many bytes: exact samples, or Gaussians, with a residual where that is better.

    Where no file is that small, the smallest one found.
    """
    exact = exact_file(fitter.stack).within(max_bytes)
    if exact is not None:
        return Reached(exact)

    def layered(count: int, expected: float) -> QuantizedGaussianSet | None:
        return best_within(fitter, count, max_bytes, expected, finish)

    return fill(fitter, max_bytes, finish, FileSizes(), layered if may_pay(fitter, max_bytes) else None)


def _with_residual(fitter: Fitter, reached: Reached, targets: tuple[QualityTarget, ...]) -> Reached:
    """Return a set that reaches targets in fewer bytes with a residual, where there is one."""
    plain = reached.quantized
    if any(target.semantic is not None for target in targets):
        return reached
    size = len(encode_igs(plain))
    if plain.gaussian_count == 1 or not may_pay(fitter, size):
        return reached

    def margin(quantized: QuantizedGaussianSet) -> float:
        levels = compute_on(fitter.backend).all_reached(targets, fitter.stack, quantized)
        return min(level - decibels_of(target) for target, level in zip(targets, levels, strict=True))

    found = smallest_reaching(fitter, plain.gaussian_count, size, margin)
    return reached if found is None else Reached(found)


def _of_quality(fitter: Fitter, quality: float, finish: Finish) -> QuantizedGaussianSet:
    """Return the Gaussians of a quality, or exact samples where these are no larger or as good as free."""
    decibels_of_quality(quality)  # refuses what is no quality
    stack = fitter.stack
    exact = exact_file(stack)
    free = exact.within(FREE_BYTES)
    if free is not None:
        return free
    if stack.is_constant:
        return fitter.rounded(fitter.fit(1))
    reached = reach_quality(fitter, quality)
    fitter.release()
    quantized = finish(reached, None)
    return exact.within(len(encode_igs(quantized))) or quantized


def _size_limit(settings: CompressSettings, texel_count: int) -> int | None:
    """Return the bytes that a file may have at most; None where that is not limited."""
    if settings.bits_per_texel is None:
        return settings.max_bytes
    if not 0 < settings.bits_per_texel < float("inf"):
        raise UsageError(f"--bpp {settings.bits_per_texel:g} is impossible; give a number above 0")
    return int(settings.bits_per_texel * texel_count / 8)
