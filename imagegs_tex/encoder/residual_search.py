"""Fewer Gaussians with a residual layer under them, where such a file is better than one of Gaussians alone.

Grain and what is dense cost Gaussians more than they cost blocks of cosines. So once a search knows how many Gaussians
it would take, and the file has enough bits per texel, a third or a sixth of them are fitted, and the layer's step is
moved until the size or the quality is met. Where an estimate from a quarter of the blocks tells that Gaussians alone
are better, or that a GPU would hold more bytes than with these, or do more for a texel than the gain is worth, no layer
is made.
docs/experiments/dense-layer.md has the numbers.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from imagegs_tex.decoder.render import drawn_features
from imagegs_tex.encoder.file_sizes import Sizes
from imagegs_tex.encoder.size_search import Finish
from imagegs_tex.encoder.step_search import Measure, Tried, close_in, moved, refined
from imagegs_tex.encoder.trial_fits import Fitter
from imagegs_tex.formats.igs import quantized_set as g
from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.igs.residual_layer import ResidualLayer
from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.formats.vocabulary import FloatTexels
from imagegs_tex.quantize.channel_basis import to_channels
from imagegs_tex.quantize.residual_rdo import RATE_WEIGHT, Coefficients, principal_components
from imagegs_tex.settings import DetailMode, ResidualMode
from imagegs_tex.shaders.decode_cost import block_multiply_adds, decode_cost
from imagegs_tex.shaders.gpu_buffer import pack_gaussians
from imagegs_tex.shaders.residual_words import residual_words

LEAST_BITS_PER_TEXEL: Final = 0.5
"""Below, Gaussians alone were better on all five crops."""
LEAST_BITS_PER_VALUE: Final = 0.085
"""Of a texel's channel. Below 0.1 fabric_pattern_07 alone, of nine cases, gains by a layer."""
LEAST_BITS_ON_GPU: Final = 0.3
"""The first of these where bytes on the GPU are limited, of a file that takes about as much there; per channel a tenth:
crops of mossy_rock_053 gained 0.3 dB at 0.35 bits and 0.6 at 0.66, brick_wall_017 0 and 0.6."""
LEAST_TEXELS: Final = 1 << 14
"""Of a picture: crops of 96 x 96 texels at 1.1 and 2.5 bits per texel gained 0 to 0.05 dB."""
_SHARES: Final = (1 / 3, 1 / 6)
"""Of the Gaussians of a file without a layer, below a rate and from it on."""
_HIGH_RATE: Final = 0.2
"""Bits per texel and channel."""
_FEWEST: Final = 1 / 24
"""Of the Gaussians where large blocks cost less than usual ones by far: what they hold, Gaussians need not."""
_FAR_LESS: Final = 0.95
_LEAST_OF_LAYER: Final = 0.04
"""Share of a size limit that must be left for a layer."""
MOST_VALUES: Final = 1 << 26
"""Texels times channels that are transformed: 4 bytes each, and as much again for what is made of them."""
_USUAL_SIDE: Final = 3
_LARGEST_SIDE: Final = 4
_SIDES: Final = {_USUAL_SIDE: 1.0, 2: 1.005, _LARGEST_SIDE: 1.01}
"""Of blocks, log2, and by how much the others must be worse."""
_FIRST_STEP: Final = 3.0
"""Over the residual's root mean square."""
_STEP_SLOPE: Final = 2.0
"""Logarithm of the layer's bytes per logarithm of the step, at first; 1.6 to 2.4 were seen."""
_DB_SLOPE: Final = 6.0
"""dB that are missing, per logarithm of the step, at first."""
_ESTIMATES: Final = 5
_NEAR: Final = 0.02
"""Logarithm of a size, or dB, that an estimate may be off."""
_CLOSE_SHARE: Final = 0.006
"""Of a size limit, that may be left."""
_CLOSE_DB: Final = 0.01
_NOISE_BYTES: Final = 700
_NOISE_SHARE: Final = 100
"""What is kept free for a detail layer, bytes and 1 / share of the limit: 264 to 673 bytes were seen."""
SURE_DB: Final = 0.15
"""What a layer wins over what is expected of Gaussians where no other fits of these are made; of eight files these had
-0.06 to +0.12 dB more than that."""
_HOPED_DB: Final = 0.1
"""The same where they are made as well, and the better file is kept; below, no layer is."""
_PARTLY_OFF: Final = 0.3
"""By such a share of the bytes an estimate by some of the blocks may be off; it was 0.8 dB too little."""
_WHOLLY_OFF: Final = 0.05
"""The same, by all of them."""
_USUAL_SLOPE: Final = 3.0
"""dB that twice the bytes are worth, about; only small differences in bytes are weighed by it."""
_MORE_WORK: Final = 1.1
"""Multiply-adds of a texel over those of Gaussians alone with the same PSNR, at most, for a layer that wins nothing."""
_MOST_DOUBLINGS: Final = 1.0
"""Of that, one for each dB that a layer wins: fabric_pattern_07 alone wins much by blocks that take much work."""
_LEAST_WORK: Final = 0.25
"""Of the multiply-adds of a texel with a third or a sixth of the Gaussians, what the fewest take."""
_WORK_OF_DOUBLING: Final = 0.4
"""Doublings of a texel's multiply-adds for twice the Gaussians: 0.39 on fabric_pattern_07, 0.58 on brick_wall_017."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a layer, estimated by some of its blocks, or by all."""

    bytes: float
    error: float  # squared
    gpu_bytes: float
    multiply_adds: float  # of a texel, mean
    step: float
    layer: ResidualLayer | None  # of those blocks

    @staticmethod
    def of(coefficients: Coefficients, step: float) -> "Cost":
        """Estimate it for a step."""
        chosen = coefficients.chosen(step)
        layer = chosen.layer
        if layer is None:
            return Cost(chosen.bytes, chosen.error, 0.0, 0.0, step, None)
        gpu_bytes = residual_words(layer).nbytes * coefficients.scale
        return Cost(chosen.bytes, chosen.error, gpu_bytes, float(block_multiply_adds(layer).mean()), step, layer)


@dataclass(frozen=True, slots=True)
class Alone:
    """What Gaussians alone have in a file, or are expected to have: what a layer is held against."""

    count: int
    bytes: float  # of the file, about
    decibels: float
    slope: float  # dB that twice the bytes are worth
    gpu_bytes: float  # without levels
    multiply_adds: float  # of a texel, mean

    @staticmethod
    def of(quantized: QuantizedGaussianSet, size: float, decibels: float, slope: float = _USUAL_SLOPE) -> "Alone":
        """Return it of a set whose size and PSNR are known."""
        gpu_bytes, multiply_adds = _on_gpu(quantized)
        return Alone(quantized.gaussian_count, size, decibels, slope, gpu_bytes, multiply_adds)

    def times(self, more: float, count: int) -> "Alone":
        """Return what another number of them has, which takes more times the bytes."""
        doublings = math.log2(more)
        return Alone(
            count, self.bytes * more, self.decibels + doublings * self.slope, self.slope, self.gpu_bytes * more,
            self.multiply_adds * 2 ** (doublings * _WORK_OF_DOUBLING),
        )  # fmt: skip

    def most_work(self, decibels: float, saved: float) -> float:
        """Return the multiply-adds of a texel that a set with a layer may take.

        Args:
            decibels: its PSNR
            saved: how often it halves the bytes
        """
        won = decibels - self.decibels + self.slope * saved
        same = self.multiply_adds * 2 ** ((decibels - self.decibels) / self.slope * _WORK_OF_DOUBLING)
        return _MORE_WORK * same * 2 ** min(max(0.0, won), _MOST_DOUBLINGS)


def may_pay(fitter: Fitter, size: float) -> bool:
    """Whether a layer is tried in place of Gaussians alone in a file of a size in bytes."""
    stack, settings = fitter.stack, fitter.settings
    texels = stack.width * stack.height
    least, per_value = LEAST_BITS_PER_TEXEL, LEAST_BITS_PER_VALUE
    if settings.max_gpu_bytes is not None:
        least, per_value = LEAST_BITS_ON_GPU, LEAST_BITS_ON_GPU / 10
    return (
        settings.precision.residual == ResidualMode.AUTO
        and settings.entropy == Entropy.SMALL
        and LEAST_TEXELS <= texels <= MOST_VALUES // max(1, stack.channel_count)
        and 8 * size >= max(least, per_value * stack.channel_count) * texels
    )


def best_within(
    fitter: Fitter, alone: Alone, max_bytes: int, finish: Finish, sizes: Sizes
) -> QuantizedGaussianSet | None:
    """Return a finished set with a layer, no larger than a limit; None where Gaussians alone are about as good.

    Args:
        fitter: of the stack, which has made a full fit
        alone: what is expected of Gaussians that take the limit
        max_bytes: as sizes counts them
        finish: adds the detail layer to a set
        sizes: of files, or on the GPU
    """
    with_noise = fitter.settings.detail != DetailMode.OFF
    limit = max_bytes - (min(_NOISE_BYTES, max_bytes // _NOISE_SHARE) if with_noise else 0)
    wanted = alone.decibels + _HOPED_DB
    alone = replace(alone, gpu_bytes=sizes.either(alone.gpu_bytes, math.inf))  # there the limit is enough
    search = _found(
        fitter, alone, lambda fewer: fewer.within(limit, sizes),
        lambda search, off: search.decibels >= wanted - off * _USUAL_SLOPE,
    )  # fmt: skip
    found = None if search is None else search.found()
    if search is None or found is None:
        return None
    fitter.files.check(found)  # seldom in vain, and its residual takes half a second to read
    if fitter.decibels(found) < wanted or _on_gpu(found)[0] > alone.gpu_bytes:
        return None
    finished = finish(found, None)
    over = sizes.count(finished) - max_bytes
    if over <= 0:
        return finished
    room = max_bytes - sizes.count(search.fewer.quantized)
    coarser = search.found(math.log(room / max(room - over, 1)))
    return found if coarser is None else replace(coarser, detail=finished.detail)


def smallest_reaching(
    fitter: Fitter, plain: QuantizedGaussianSet, margin: Measure, factors: tuple[float, ...] | None = None
) -> QuantizedGaussianSet | None:
    """Return a set with a layer that reaches what is asked for in fewer bytes than without; None: there is none.

    Args:
        fitter: of the stack, which has made a full fit
        plain: the Gaussians that reach it
        margin: by how many dB a set reaches it
        factors: [C] on the weights of channels, with which they were fitted; None for 1
    """
    size = fitter.files.size(plain)
    if plain.gaussian_count == 1 or not may_pay(fitter, size):
        return None
    alone = Alone.of(plain, size, fitter.decibels(plain))
    search = _found(
        fitter, alone, lambda fewer: fewer.reaching(margin, size), lambda search, off: search.bytes <= (1 + off) * size,
        factors,
    )  # fmt: skip
    found = None if search is None else search.found()
    if found is None or fitter.files.size(found) >= size or _on_gpu(found)[0] > alone.gpu_bytes:
        return None
    return found


def _found(
    fitter: Fitter,
    alone: Alone,
    begin: Callable[["_Fewer"], "_Begun | None"],
    hopeful: Callable[["_Search", float], bool],
    factors: tuple[float, ...] | None = None,
) -> "_Search | None":
    """Return the more promising search for the fewer Gaussians that suit the rate, or for very few; None: none is."""
    stack = fitter.stack
    rate = 8 * alone.bytes / (stack.width * stack.height * stack.channel_count)
    best: _Search | None = None
    for share in (_SHARES[rate >= _HIGH_RATE], _FEWEST):
        if fitter.stopped:
            break
        begun = begin(_Fewer.of(fitter, max(1, round(alone.count * share)), factors))
        if begun is None:
            break
        search = begun.affordable(alone)
        if search is not None and hopeful(search, _PARTLY_OFF):
            search = search.by_all_blocks()
            if hopeful(search, _WHOLLY_OFF) and (best is None or search.promise > best.promise):
                best = search
        if not begun.wants_large_blocks(alone):
            break
    return best


@dataclass(frozen=True, slots=True)
class _Fewer:
    """Fewer Gaussians, and what they leave."""

    quantized: QuantizedGaussianSet
    size: int  # of its file
    gpu_bytes: float
    multiply_adds: float  # of a texel, mean
    left: FloatTexels  # [H, W, C] what they leave
    scales: NDArray[np.float64]  # [C] of what a layer's errors count
    error: float  # squared, of all channels times scales, without a layer
    decibels: float  # without a layer
    threads: int
    components: NDArray[np.float64]  # [C, C] of what they leave times scales
    on_gpu: bool  # whether a layer's codes are chosen by the bits that they take there

    @staticmethod
    def of(fitter: Fitter, count: int, factors: tuple[float, ...] | None) -> "_Fewer":
        """Fit so many Gaussians, with factors [C] on the weights of channels."""
        quantized = fitter.rounded(fitter.fit(count, factors, under_layer=True))
        with ThreadPoolExecutor(1) as pool:  # coding them takes as long as the rest
            size = pool.submit(fitter.files.size, quantized)
            left = what_is_left(fitter, quantized)
            scales = np.ones(left.shape[2]) if factors is None else np.sqrt(np.array(factors) / min(factors))
            error = max(float((np.square(left, dtype=np.float64) * scales**2).sum()), 1e-12)
            decibels, components = fitter.decibels(quantized), principal_components(left, scales)
            return _Fewer(
                quantized, size.result(), *_on_gpu(quantized), left, scales, error, decibels, fitter.backend.threads,
                components, fitter.settings.max_gpu_bytes is not None,
            )  # fmt: skip

    def blocks_of(self, side_log2: int, *, some: bool = False) -> Coefficients:
        """Return what is left in blocks of 2^side_log2 texels; of many only some, to estimate by."""
        return Coefficients.of(
            self.left, side_log2, self.threads, some=some, scales=self.scales, components=self.components,
            on_gpu=self.on_gpu,
        )  # fmt: skip

    def within(self, max_bytes: int, sizes: Sizes) -> "_Begun | None":
        """Return a search for the finest layer that a size allows; None where there is no room for one."""
        own = sizes.count(self.quantized)
        room = max_bytes - own
        if room < _LEAST_OF_LAYER * max_bytes:
            return None

        def too_much(made: QuantizedGaussianSet) -> float:
            return math.log((sizes.count(made) - own) / room)

        def counted(cost: Cost) -> float:
            return sizes.either(cost.bytes, cost.gpu_bytes)

        def estimated(cost: Cost) -> float:
            return math.log(max(counted(cost), 1.0) / room)

        aim = _Aim(estimated, too_much, counted, own, max_bytes, -_STEP_SLOPE, _CLOSE_SHARE * max_bytes / room)
        return self._begun(aim)

    def reaching(self, margin: Measure, plain: int) -> "_Begun | None":
        """Return a search for the coarsest layer that gives the set no negative margin; None where it needs none.

        Args:
            margin: by how many dB a set reaches what is asked for
            plain: bytes of a file that does so without a layer
        """
        own = margin(self.quantized)
        if own >= 0:
            return None

        def too_little(made: QuantizedGaussianSet) -> float:
            return -margin(made)

        def estimated(cost: Cost) -> float:
            return -own - 10 * math.log10(self.error / max(cost.error, 1e-12))

        aim = _Aim(estimated, too_little, lambda cost: cost.bytes, self.size, plain, _DB_SLOPE, _CLOSE_DB)
        return self._begun(aim)

    def _begun(self, aim: "_Aim") -> "_Begun":
        """Return a search that begins where what a layer is estimated to cost is not off, with all sides of blocks."""
        some = {side: self.blocks_of(side, some=True) for side in _SIDES}
        first = _FIRST_STEP * math.sqrt(self.error / self.left.size)
        step, cost, aim = _searched(some[_USUAL_SIDE], first, aim)
        costs = side_by_side(lambda side: cost if side == _USUAL_SIDE else Cost.of(some[side], step), _SIDES)
        return _Begun(self, aim, some, step, dict(zip(_SIDES, costs, strict=True)))


@dataclass(frozen=True, slots=True)
class _Aim:
    """What is asked of a layer."""

    estimated: Callable[[Cost], float]  # by what a layer is estimated to cost: what should be 0
    off: Callable[[QuantizedGaussianSet], float]  # the same of a set, which should not be above 0
    counted: Callable[[Cost], float]  # the bytes of a layer that count: those of the file, or on the GPU
    own: int  # the same of the set without it
    plain: int  # and of Gaussians alone, or what these would be allowed
    slope: float  # of these per logarithm of the step, about
    close: float  # how little below 0 is enough


@dataclass(frozen=True, slots=True)
class _Begun:
    """What blocks of each side cost at a step that suits the usual ones."""

    fewer: _Fewer
    aim: _Aim
    some: dict[int, Coefficients]  # by side: of some blocks
    step: float
    costs: dict[int, Cost]  # by side

    def price(self, side: int) -> float:
        """Return squared error and bits of a side's blocks, in squared steps.

        Under a limit for the GPU, whose bytes are these: 4 x 4 texels took as many as 8 x 8 at 1.5 dB less.
        """
        cost = self.costs[side]
        return (cost.error / self.step**2 + RATE_WEIGHT * 8 * self.aim.counted(cost)) * _SIDES[side]

    def wants_large_blocks(self, alone: Alone) -> bool:
        """Whether the largest blocks cost far less than usual ones, and a texel may with few Gaussians."""
        if self.price(_LARGEST_SIDE) >= _FAR_LESS * self.price(_USUAL_SIDE):
            return False
        search = self._of_side(_LARGEST_SIDE)
        work = search.cost.multiply_adds + _LEAST_WORK * self.fewer.multiply_adds
        return work <= alone.most_work(search.decibels, search.saved)

    def affordable(self, alone: Alone) -> "_Search | None":
        """Return the search with the blocks that cost least of those that do not take a GPU too much."""
        fewer = self.fewer
        for side in sorted(self.costs, key=self.price):
            search = self._of_side(side)
            cost = search.cost
            most = alone.most_work(search.decibels, search.saved)
            if fewer.gpu_bytes + cost.gpu_bytes <= alone.gpu_bytes and fewer.multiply_adds + cost.multiply_adds <= most:
                return search
        return None

    def _of_side(self, side: int) -> "_Search":
        step, cost, aim = _searched(self.some[side], self.step, self.aim, self.costs[side])
        return _Search(self.fewer, aim, self.some[side], step, cost)


@dataclass(frozen=True, slots=True)
class _Search:
    """For a layer that meets what is asked of it."""

    fewer: _Fewer
    aim: _Aim
    blocks: Coefficients  # some or all
    step: float  # with which an estimate by them meets it
    cost: Cost  # of that layer
    tried: list[Tried] = field(default_factory=list)

    def by_all_blocks(self) -> "_Search":
        """Return it by all blocks."""
        if self.blocks.scale == 1:
            return self
        blocks = self.fewer.blocks_of(self.blocks.side_log2)
        step, cost, aim = _searched(blocks, self.step, self.aim)
        return replace(self, aim=aim, blocks=blocks, step=step, cost=cost)

    @property
    def bytes(self) -> float:
        """Of the file, estimated."""
        return self.fewer.size + self.cost.bytes

    @property
    def saved(self) -> float:
        """How often the bytes that count are halved, estimated."""
        return math.log2(self.aim.plain / (self.aim.own + self.aim.counted(self.cost)))

    @property
    def promise(self) -> float:
        """What orders searches for the same size or the same quality: estimated dB, and those that bytes are worth."""
        return self.decibels + _USUAL_SLOPE * self.saved

    @property
    def decibels(self) -> float:
        """Of the picture, estimated."""
        return self.fewer.decibels + 10 * math.log10(self.fewer.error / max(self.cost.error, 1e-12))

    def found(self, less: float = 0.0) -> QuantizedGaussianSet | None:
        """Return the set with the layer that is off by the least below 0, of some whose steps close in on 0.

        Args:
            less: by how much less than 0
        """
        aim, cost = self.aim, self.cost

        def make(step: float) -> QuantizedGaussianSet | None:
            layer = cost.layer if step == cost.step else self.blocks.layer(step)
            return None if layer is None else replace(self.fewer.quantized, residual=layer)

        def off(made: QuantizedGaussianSet) -> float:
            found = aim.off(made)
            assert made.residual is not None
            self.tried.append(Tried(math.log(made.residual.step), found, made))
            return found + less

        known = [replace(one, off=one.off + less) for one in self.tried]
        expected = aim.estimated(cost) + less
        is_near = -aim.close <= expected <= 0
        first = cost.step if is_near else moved(cost.step, -(expected + aim.close / 2) / aim.slope)
        return close_in(make, off, first, aim.slope, aim.close, known=known)


def _on_gpu(quantized: QuantizedGaussianSet) -> tuple[float, float]:
    """Return the bytes that a set takes on the GPU without levels, and the multiply-adds of a texel, in the mean."""
    packed = pack_gaussians(quantized)
    return float(packed.ledger.total), decode_cost(quantized, packed).multiply_adds_mean


def _searched(
    coefficients: Coefficients, step: float, aim: _Aim, cost: Cost | None = None
) -> tuple[float, Cost, _Aim]:  # fmt: skip
    """Return the step at which what a layer is estimated to cost is not off, that cost, and the aim with its slope.

    The cost at the first step may be known.
    """
    before, slope = None, aim.slope
    for attempt in range(_ESTIMATES):
        cost = Cost.of(coefficients, step) if cost is None or attempt > 0 else cost
        found = aim.estimated(cost)
        slope, before = refined(slope, before, (math.log(step), found))
        if abs(found) < _NEAR:
            break
        step = moved(step, -found / slope)
    assert cost is not None
    return step, cost, replace(aim, slope=slope)


def what_is_left(fitter: Fitter, quantized: QuantizedGaussianSet) -> FloatTexels:
    """Return what a layer should add to a set's picture [H, W, C]; nothing where the picture is held to its range."""
    values, texels = g.dequantize(quantized), fitter.stack.texels
    image = drawn_features(
        values.means, values.conics, values.features, cutoff=quantized.cutoff,
        size=(quantized.width, quantized.height), wrap=quantized.wrap, backend=fitter.backend,
    )  # fmt: skip
    drawn = to_channels(image, values.basis, values.offset, held=False)
    source = torch.from_numpy(texels).to(drawn.device)
    beyond = ((source <= 0) & (drawn < 0)) | ((source >= 1) & (drawn > 1))
    return np.asarray((source - drawn).masked_fill_(beyond, 0.0).cpu().numpy())
