"""Hold the functions that take a footprint against their definition."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.build_decoder import Decoder
from imagegs_tex.shaders.footprint_constants import MAX_ANISOTROPY, normal_values
from imagegs_tex.verification.float64_accessors import read_samples
from imagegs_tex.verification.float64_footprint import (
    FootprintReference,
    away_from_ties,
    grad_reads_sure_texels,
    lod_reads_sure_texels,
    sample_grad,
    sample_lod,
    samples_of,
)
from imagegs_tex.verification.footprint_shaders import NORMAL_FUNCTIONS, normal_functions
from imagegs_tex.verification.llvmpipe_loop_limit import TurnBound
from imagegs_tex.verification.opengl_footprint import REGION, Sampler

REQUEST_COUNT: Final = 2000
_FLOAT_BITS: Final = 24
_SPARE_BITS: Final = 4
_STEP_BITS: Final = 12
_TAPS_REACH: Final = 8.0
"""Texels from the middle of a sample that its taps stay within."""
_LOD_SLACK: Final = 1e-3
"""By how much a shader's level of detail can differ, where that decides about turns alone."""

Float = NDArray[np.float64]


class SampleCheck:
    """Requests with their right answers; made once, held against every decoder."""

    def __init__(
        self, quantized: QuantizedGaussianSet, decoder: Decoder, reference: FootprintReference, seed: int,
        count: int = REQUEST_COUNT, max_turns: int | None = None,
    ) -> None:  # fmt: skip
        """Work the right answers out.

        Args:
            quantized: the file's content
            decoder: of that file
            reference: of that file
            seed: of the requests
            count: of requests
            max_turns: of loops, after which the renderer ends them: what could take more is not posed; None: no end
        """
        self._size = np.array([quantized.width, quantized.height])
        self._reference = reference
        rng = np.random.default_rng(seed)
        # As many bits as leave room for a tap's place, so that all agree on where taps are: see verify().
        bits = _FLOAT_BITS - _SPARE_BITS - int(self._size.max()).bit_length()
        uv = rng.integers(0, 1 << bits, (count, 2)) / (1 << bits)
        lod = rng.uniform(-0.5, reference.last + 1, count)
        whole = rng.random(count) < 0.5
        lod = np.where(whole, np.rint(lod), lod).astype(np.float32).astype(np.float64)
        steps = self._random_steps(rng, count)
        by_steps = np.arange(count) % 2 == 1
        by_steps &= away_from_ties(steps[:, 0] * self._size, steps[:, 1] * self._size, MAX_ANISOTROPY)
        self._bound = TurnBound(decoder.packed, quantized.wrap)
        # Threads that run together take turns on every path that one of them takes: only requests of one kind are posed
        # together where turns count.
        self._kinds = np.zeros(count, dtype=np.int64)
        self.turns = self._kinds  # at most so many of each request; zeros where they do not count
        self.left_out = ""  # what is not posed, and why
        sure = lod_reads_sure_texels(reference, uv * self._size, lod)
        sure[by_steps] = grad_reads_sure_texels(
            reference, uv[by_steps] * self._size, steps[by_steps, 0] * self._size, steps[by_steps, 1] * self._size,
            MAX_ANISOTROPY,
        )  # fmt: skip
        uv, lod, steps, by_steps = uv[sure], lod[sure], steps[sure], by_steps[sure]
        self._kinds = self.turns = self._kinds[sure]
        count = len(uv)
        if max_turns is not None:
            self._kinds, turns = self._turns(uv * self._size, steps * self._size, lod, by_steps)
            fit = turns <= max_turns
            uv, lod, steps, by_steps = uv[fit], lod[fit], steps[fit], by_steps[fit]
            self._kinds, self.turns = self._kinds[fit], turns[fit]
        expected = sample_lod(reference, uv * self._size, lod)
        expected[by_steps] = sample_grad(
            reference, uv[by_steps] * self._size, steps[by_steps, 0] * self._size, steps[by_steps, 1] * self._size,
            MAX_ANISOTROPY,
        )  # fmt: skip
        columns = (uv, steps[:, 0], steps[:, 1], lod[:, None], by_steps[:, None])
        self.requests = np.concatenate(columns, axis=1).astype(np.float32)
        channels = expected[:, : quantized.channel_count]
        normals, enlarged = self._normals(quantized, decoder, expected)
        self._expected = np.concatenate([channels, normals], axis=1)
        self._enlarged = np.concatenate([np.ones_like(channels), enlarged], axis=1)
        cases = self._pixel_cases(rng)
        self._pixels = [case for case in cases if max_turns is None or self._region_turns(*case[:3]) <= max_turns]
        omitted = count - len(uv), len(cases) - len(self._pixels)
        if any(omitted):
            self.left_out = (
                f"{omitted[0]} of {count:,} samples and {omitted[1]} of {len(cases)} regions of pixels: "
                f"they could take more than {max_turns:,} turns of loops, after which this renderer ends them"
            )

    def error(self, sampler: Sampler) -> float:
        """Return the largest difference of a decoder, over channels and what normals tell; NaN stays NaN.

        What normals tell is compared after dividing by how much it can enlarge a difference of the channels.
        """
        worst = 0.0
        for chosen in self.together():
            found = sampler.requests(self.requests[chosen])
            if found is not None:
                difference = np.abs(found - self._expected[chosen]) / self._enlarged[chosen]
                worst = float(np.maximum(worst, difference.max()))
        for origin, step, level, expected, sure in self._pixels:
            drawn = sampler.pixels(origin, step, level)
            if drawn is not None:
                difference = np.abs(drawn.reshape(expected.shape) - expected)[sure]
                worst = float(np.maximum(worst, difference.max(initial=0.0)))
        return worst

    def together(self) -> list[NDArray[np.bool_]]:
        """Return which requests [P] run together."""
        return [self._kinds == kind for kind in np.unique(self._kinds)]

    def _turns(
        self, points: Float, steps: Float, lod: Float, by_steps: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
        """Return each request's kind, which tells samples, decodes and stored levels, and its turns at most."""
        samples, wide = samples_of(steps[:, 0], steps[:, 1], MAX_ANISOTROPY)
        samples, wide = np.where(by_steps, samples, 1), np.where(by_steps, wide, lod)
        reach = _TAPS_REACH + np.where(by_steps, np.hypot(steps[..., 0], steps[..., 1]).max(axis=1) / 2, 0)
        decodes, stored = self._bound.decodes(wide), self._bound.stored(wide)
        entries = np.zeros(len(points), dtype=np.int64)
        entries[decodes > 0] = self._bound.entries(points[decodes > 0], reach[decodes > 0])
        kinds = ((samples * (int(decodes.max()) + 1) + decodes) * (int(stored.max()) + 1) + stored) * 2 + by_steps
        return kinds, self._bound.turns(entries, samples, wide)

    def _region_turns(self, origin: tuple[float, float], step: tuple[float, float], level: float) -> int:
        """Return the turns that a region's pixels may take: each samples by its own steps and by the level."""
        points, step_x, step_y = self._region(origin, step)
        samples, lod = samples_of(step_x[:1], step_y[:1], MAX_ANISOTROPY)
        if not away_from_ties(step_x, step_y, MAX_ANISOTROPY).all():
            samples = np.full_like(samples, MAX_ANISOTROPY)
        reach = np.full(len(points), _TAPS_REACH + np.hypot(step_x[0], step_y[0]).max() / 2)
        entries = self._bound.entries(points, reach).max(keepdims=True)
        own = max(int(self._bound.turns(entries, samples, lod + slack)[0]) for slack in (-_LOD_SLACK, _LOD_SLACK))
        return own + int(self._bound.turns(entries, np.ones_like(samples), np.array([level]))[0])

    def _region(self, origin: tuple[float, float], step: tuple[float, float]) -> tuple[Float, Float, Float]:
        """Return a region's points [P, 2], and the steps to the next pixels [P, 2], in texels."""
        xs, ys = np.arange(REGION[0]) + 0.5 + origin[0], np.arange(REGION[1]) + 0.5 + origin[1]
        uv = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2) * step
        inside = np.where(self._reference.repeats, uv - np.floor(uv), np.clip(uv, 0, 1))
        step_x, step_y = (np.tile(axis * step * self._size, (len(uv), 1)) for axis in np.eye(2))
        return inside * self._size, step_x, step_y

    def _random_steps(self, rng: np.random.Generator, count: int) -> Float:
        """Steps [count, 2, 2] in uv: lengths from a quarter of a texel up, any angle between them."""
        lengths = np.exp2(rng.uniform(-2, self._reference.last + 1, (count, 2)))
        lengths[:, 1] = np.where(
            rng.random(count) < 0.5,
            lengths[:, 0] * np.exp2(rng.uniform(-1, 1, count)),
            lengths[:, 1],
        )
        angles = rng.uniform(0, 2 * np.pi, (count, 2))
        texels = lengths[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return np.asarray((texels / self._size).astype(np.float32).astype(np.float64))

    def _pixel_cases(
        self, rng: np.random.Generator
    ) -> list[tuple[tuple[float, float], tuple[float, float], float, Float, NDArray[np.bool_]]]:  # fmt: skip
        """Regions of pixels one level wide: origin, step in uv, level or -1 for the pixels' own steps, right pixels.

        Behind them, which pixels [P] are held against those: all but those whose noise is up to rounding.
        """
        cases, channels = [], len(self._reference.picture.offset)
        for level in range(min(self._reference.last, self._reference.first + 1) + 1):
            codes = np.maximum(1, np.rint(2.0**level / self._size * (1 << _STEP_BITS)))
            step = codes / (1 << _STEP_BITS)
            # between texels of the level, or no footprint would lie in two blocks or tiles
            quarters = rng.integers(0, 256, 2)
            if self._reference.picture.reads_texels:
                quarters &= ~1  # in halves, or all taps of level 1 would lie on texels' borders
            origin = tuple(float(value) for value in quarters / 4)
            steps = float(step[0]), float(step[1])
            points, step_x, step_y = self._region((origin[0], origin[1]), steps)
            if away_from_ties(step_x, step_y, MAX_ANISOTROPY).all():
                right = sample_grad(self._reference, points, step_x, step_y, MAX_ANISOTROPY)
                sure = grad_reads_sure_texels(self._reference, points, step_x, step_y, MAX_ANISOTROPY)
                cases.append(((origin[0], origin[1]), steps, -1.0, right[:, :channels], sure))
            levels = np.full(len(points), float(level))
            right = sample_lod(self._reference, points, levels)
            sure = lod_reads_sure_texels(self._reference, points, levels)
            cases.append(((origin[0], origin[1]), steps, float(level), right[:, :channels], sure))
        return cases

    def _normals(self, quantized: QuantizedGaussianSet, decoder: Decoder, values: Float) -> tuple[Float, Float]:
        """Return what normals tell [P, 0..2] of values [P, V], and how much more than the channels it can differ."""
        names = normal_functions(decoder)
        if not names:
            return np.empty((len(values), 0)), np.empty((len(values), 0))
        accessors = {accessor.name: accessor for accessor in decoder.accessors}
        places = normal_values(quantized, accessors["igs_normal"])
        assert places is not None
        vectors, slope = 2 * values[:, places] - 1, np.ones((len(values), 1))
        if places[-1] >= quantized.channel_count:  # z is made of x and y, and what it can differ stands behind all z
            slope = np.maximum(1, values[:, places[-1] + len(self._reference.picture.normals), None])
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        columns, slopes = [length], [2 * np.sqrt(3) * slope]
        if NORMAL_FUNCTIONS[1] in names:
            size = np.clip(length, 0.001, 1)
            roughness = read_samples(quantized.maps, accessors["igs_roughness"], values)
            widened = np.minimum(1, roughness**4 + 2 * (1 - size) / size) ** 0.25
            rise = (4 * roughness**3 + 2 / size**2 * slopes[0]) / (4 * np.maximum(widened, 1e-3) ** 3)
            columns.append(widened)
            slopes.append(np.maximum(1, rise))
        return np.concatenate(columns, axis=1), np.concatenate(slopes, axis=1)
