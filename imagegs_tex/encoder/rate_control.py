"""How many Gaussians, how finely stored: from what the user asked for to a file of that size or quality.

A size is searched for in :mod:`.size_search`, a quality in :mod:`.quality_search`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagegs_tex.decoder.render import render_channels
from imagegs_tex.detail.analyse import misses_grain, with_detail_layer
from imagegs_tex.detail.renew import renewed_detail
from imagegs_tex.encoder.compute import compute_on
from imagegs_tex.encoder.edit_region import box_around
from imagegs_tex.encoder.edited_residual import edit_of_blocks
from imagegs_tex.encoder.encoded_files import EncodedFiles
from imagegs_tex.encoder.exact_file import FREE_BYTES, exact_file
from imagegs_tex.encoder.file_sizes import FileSizes, GpuSizes, Sizes
from imagegs_tex.encoder.quality_search import PSNR_TOLERANCE_DB, Reached, reach_targets, unreached_exactly
from imagegs_tex.encoder.quality_targets import decibels_of, targets_of
from imagegs_tex.encoder.repeat_search import RepeatSearch
from imagegs_tex.encoder.residual_search import SURE_DB, Alone, best_within, may_pay, smallest_reaching
from imagegs_tex.encoder.size_search import LEAST_USE, Finish, fill
from imagegs_tex.encoder.start_file import Start
from imagegs_tex.encoder.step_search import Measure
from imagegs_tex.encoder.trial_fits import Edit, Effort, Fitter, Progress
from imagegs_tex.encoder.visible_quality import (
    MISSED_DB,
    TOLERANCE_DB,
    decibels_of_quality,
    margin_of_quality,
    reach_quality,
)
from imagegs_tex.fit.control import FitControl, StopPoint, Watch
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS, QuantizedGaussianSet
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.rasterize.backend import Backend
from imagegs_tex.settings import DEFAULT_QUALITY, CompressSettings, DetailMode, QualityTarget


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished set and what it took."""

    quantized: QuantizedGaussianSet
    effort: Effort
    files: EncodedFiles  # that were encoded on the way
    settings: CompressSettings  # of the run
    unreached: str | None = None  # targets, or a size, that no set reaches, and what this one has, in one line
    watch: Watch | None = None  # of the run; None: nobody looks at it
    targets: tuple[QualityTarget, ...] = ()  # what was asked for
    remarks: tuple[str, ...] = ()  # what there is to say of the run, one line each
    goes_on: bool = False  # whether it began from an earlier file

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
    start: Start | None = None,
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
        return with_detail_layer(stack, quantized, backend, most_bytes, fitter.files.size_beside(quantized))

    unreached, max_bytes = None, _size_limit(settings, texels)
    edited = None if start is None else _edited(fitter, start, targets, finish)
    if start is not None and start.geometry is None and edited is None:
        fitter.begin_anew()
        settings = fitter.settings
    if edited is not None:
        quantized = edited
    elif targets:
        found = _reaching(fitter, targets)
        fitter.release()
        size = fitter.files.size(found.quantized)
        exact = exact_file(stack).within(max(size, FREE_BYTES) if found.unreached else size)
        missing = None if exact is None else unreached_exactly(fitter, targets, exact)
        if exact is None or (missing is not None and found.unreached is None):
            fitter.files.check(found.quantized)
            quantized, unreached = finish(found.quantized, None), found.unreached
        else:
            quantized, unreached = exact, missing
    elif max_bytes is not None:
        exact = exact_file(stack).within(max_bytes)
        found = _filled(fitter, max_bytes, finish, lambda: FileSizes(fitter.files)) if exact is None else Reached(exact)
        quantized, unreached = found.quantized, found.unreached
    elif settings.max_gpu_bytes is not None:
        found = _filled(fitter, settings.max_gpu_bytes, finish, GpuSizes)
        quantized, unreached = found.quantized, found.unreached
    elif settings.gaussian_count is not None or (settings.quality is None and fitter.start is not None):
        count = fitter.usual_count if settings.gaussian_count is None else settings.gaussian_count
        if not 1 <= count <= min(MAX_GAUSSIANS, texels):
            most = min(MAX_GAUSSIANS, texels)
            raise UsageError(
                f"{count:,} Gaussians is outside 1 to {most:,} for {texels:,} texels; give as many as that"
            )
        rounded = fitter.rounded(fitter.fit(count, exact_count=True))
        fitter.release()
        fitter.files.check(rounded)
        quantized = finish(rounded, None)
        if min(stack.width, stack.height) == 1:  # a ramp of 256 texels had 120 dB with 64 Gaussians and 72 with 128
            quantized = exact_file(stack).within(fitter.files.size(quantized)) or quantized
    else:
        quality = DEFAULT_QUALITY if settings.quality is None else settings.quality
        quantized = _of_quality(fitter, quality, finish)
    return Encoded(
        quantized, fitter.effort, fitter.files, settings, unreached, fitter.watch, targets, fitter.remarks,
        goes_on=fitter.start is not None,
    )  # fmt: skip


def _edited(
    fitter: Fitter, start: Start, targets: tuple[QualityTarget, ...], finish: Finish
) -> QuantizedGaussianSet | None:  # fmt: skip
    """Return the start's file with what has changed made anew by itself; None: that cannot be, or misses the aim."""
    edit = _edit(fitter, start)
    if isinstance(edit, str):
        if edit:
            fitter.say_whole(edit)
        return None
    reached = _is_close(fitter, edit.quantized, targets)
    if reached:
        fitter.release()
        made = _with_detail(fitter, edit, finish)
        if _fits(fitter, made):
            return made
    fitter.say_whole("by itself it misses what is asked for")
    return None


def _edit(fitter: Fitter, start: Start) -> Edit | str:
    """Return the start's file with what has changed made anew by itself; or why not, "" where nothing is to be said."""
    file, settings = start.file, fitter.settings
    if _limit(fitter)[0] is not None and start.geometry is not None:
        return ""  # Gaussians of a size are searched for, and begin from the file's
    count = settings.gaussian_count
    if file is None:
        return start.unlike
    if file.residual is not None:
        by_blocks = "the file has a residual, which a number of Gaussians does not get"
        return edit_of_blocks(fitter, file) if count is None else by_blocks
    if count not in {None, file.gaussian_count}:
        return "another number of Gaussians is asked for than the file has"
    return fitter.after_edit(file, exact_count=count is not None)


def _is_close(fitter: Fitter, quantized: QuantizedGaussianSet, targets: tuple[QualityTarget, ...]) -> bool:
    """Whether a set has the quality that is asked for, and no more."""
    quality = fitter.settings.quality
    if quality is not None:
        return -MISSED_DB <= margin_of_quality(fitter, quality)(quantized) <= TOLERANCE_DB
    levels = compute_on(fitter.backend).all_reached(targets, fitter.stack, quantized)
    margins = [level - decibels_of(target) for target, level in zip(targets, levels, strict=True)]
    return not margins or 0 <= min(margins) <= PSNR_TOLERANCE_DB


def _fits(fitter: Fitter, quantized: QuantizedGaussianSet) -> bool:
    """Whether a set is as large as is asked for, within the limit."""
    most, sizes = _limit(fitter)
    return most is None or LEAST_USE * most <= sizes.count(quantized) <= most


def _limit(fitter: Fitter) -> tuple[int | None, Sizes]:
    """Return the bytes that are allowed, if they are limited, and what counts them."""
    stack, settings = fitter.stack, fitter.settings
    if settings.max_gpu_bytes is not None:
        return settings.max_gpu_bytes, GpuSizes()
    return _size_limit(settings, stack.width * stack.height), FileSizes(fitter.files)


def _with_detail(fitter: Fitter, edit: Edit, finish: Finish) -> QuantizedGaussianSet:
    """Return an edit's set with the detail layer that suits it: its file's but where something has changed."""
    quantized, stack, backend = edit.quantized, fitter.stack, fitter.backend
    if fitter.settings.detail == DetailMode.OFF:
        return replace(quantized, detail=None)
    if not edit.changed.any():
        return quantized
    if quantized.detail is not None:
        layer = renewed_detail(stack, quantized, render_channels(quantized, backend), edit.changed)
        if layer is not None:
            return replace(quantized, detail=layer)
    elif not misses_grain(stack, quantized, backend, box_around(edit.changed)):
        return quantized
    return finish(replace(quantized, detail=None), None)


def _filled(fitter: Fitter, most: int, finish: Finish, new_sizes: Callable[[], Sizes]) -> Reached:
    """Return the best file of at most so many bytes, of Gaussians, with a residual or not, or of what repeats.

    Where no file is that small, the smallest one found.
    """
    search, sizes = RepeatSearch.begun(fitter), new_sizes()
    found = None if search is None else search.within(most, sizes.count)
    if search is None or found is None:
        return _of_gaussians(fitter, most, finish, new_sizes)
    finished = finish(found, None)
    finished = found if sizes.count(finished) > most else finished
    if search.is_clear(found, most, fitter.decibels):
        return Reached(finished)
    other = _of_gaussians(fitter, most, finish, new_sizes)
    return Reached(finished) if fitter.decibels(found) > fitter.decibels(other.quantized) else other


def _of_gaussians(fitter: Fitter, most: int, finish: Finish, new_sizes: Callable[[], Sizes]) -> Reached:
    """Return the best Gaussians of at most so many bytes, with a residual where that is better."""
    sizes = new_sizes()
    close: list[QuantizedGaussianSet] = []  # with a layer, perhaps no better than these will be

    def with_layer(plain: QuantizedGaussianSet, size: int, count: int, slope: float) -> QuantizedGaussianSet | None:
        own = Alone.of(plain, size / sizes.over_file, fitter.decibels(plain), slope)
        alone = own.times(most / size, count)
        made = best_within(fitter, alone, most, finish, new_sizes())
        if made is None or fitter.decibels(made) >= alone.decibels + SURE_DB:
            return made
        close.append(made)
        return None

    plain = fill(fitter, most, finish, sizes, with_layer if may_pay(fitter, most / sizes.over_file) else None)
    return next((Reached(made) for made in close if fitter.decibels(made) > fitter.decibels(plain.quantized)), plain)


def _reaching(fitter: Fitter, targets: tuple[QualityTarget, ...]) -> Reached:
    """Return a small set that reaches targets, of Gaussians or of what repeats."""

    def margin(quantized: QuantizedGaussianSet) -> float:
        levels = compute_on(fitter.backend).all_reached(targets, fitter.stack, quantized)
        return min(level - decibels_of(target) for target, level in zip(targets, levels, strict=True))

    search = RepeatSearch.begun(fitter)
    own = None if search is None else search.reaching(margin)
    size = 0 if own is None else fitter.files.size(own)
    if search is not None and own is not None and search.is_clear(own, size, margin):
        return Reached(own)
    found = reach_targets(fitter, targets)
    if found.unreached is None:
        found = _with_residual(fitter, found, margin)
    if own is not None and (found.unreached is not None or size < fitter.files.size(found.quantized)):
        return Reached(own)
    return found


def _with_residual(fitter: Fitter, reached: Reached, margin: Measure) -> Reached:
    """Return a set that reaches targets in fewer bytes with a residual, where there is one."""
    plain = reached.quantized
    found = smallest_reaching(fitter, plain, margin, reached.factors)
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
    reached = _looking(fitter, quality)
    fitter.release()
    fitter.files.check(reached)
    quantized = finish(reached, None)
    return exact.within(fitter.files.size(quantized)) or quantized


def _looking(fitter: Fitter, quality: float) -> QuantizedGaussianSet:
    """Return a small set that looks as good as asked, of Gaussians or of what repeats."""
    search = RepeatSearch.begun(fitter)
    if search is None:
        return reach_quality(fitter, quality)
    margin = margin_of_quality(fitter, quality)
    own = search.reaching(margin)
    if own is not None and search.is_clear(own, fitter.files.size(own), margin):
        return own
    found = reach_quality(fitter, quality)
    smaller = own is not None and fitter.files.size(own) < fitter.files.size(found)
    return own if own is not None and smaller else found


def _size_limit(settings: CompressSettings, texel_count: int) -> int | None:
    """Return the bytes that a file may have at most; None where that is not limited."""
    if settings.bits_per_texel is None:
        return settings.max_bytes
    if not 0 < settings.bits_per_texel < float("inf"):
        raise UsageError(f"--bpp {settings.bits_per_texel:g} is impossible; give a number above 0")
    return int(settings.bits_per_texel * texel_count / 8)
