"""Hold the functions that take a footprint against their definition."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.gaussians import QuantizedGaussianSet
from imagegs_tex.formats.stack import Constant, UnitZ
from imagegs_tex.shaders.decoder import Decoder
from imagegs_tex.shaders.footprint import MAX_ANISOTROPY
from imagegs_tex.verify.footprint import FIRST_COARSE, FootprintReference, away_from_ties, sample_grad, sample_lod
from imagegs_tex.verify.gl_samples import REGION, Sampler
from imagegs_tex.verify.sample_shaders import NORMAL_FUNCTIONS, normal_functions

REQUEST_COUNT: Final = 2000
_FLOAT_BITS: Final = 24
_SPARE_BITS: Final = 4
_STEP_BITS: Final = 12

Float = NDArray[np.float64]


class SampleCheck:
    """Requests with their right answers; made once, held against every decoder."""

    def __init__(
        self, quantized: QuantizedGaussianSet, decoder: Decoder, reference: FootprintReference, seed: int,
        count: int = REQUEST_COUNT,
    ) -> None:  # fmt: skip
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
        expected = sample_lod(reference, uv * self._size, lod)
        expected[by_steps] = sample_grad(
            reference, uv[by_steps] * self._size, steps[by_steps, 0] * self._size, steps[by_steps, 1] * self._size,
            MAX_ANISOTROPY,
        )  # fmt: skip
        columns = (uv, steps[:, 0], steps[:, 1], lod[:, None], by_steps[:, None])
        self._requests = np.concatenate(columns, axis=1).astype(np.float32)
        normals, enlarged = self._normals(quantized, decoder, expected)
        self._expected = np.concatenate([expected, normals], axis=1)
        self._enlarged = np.concatenate([np.ones_like(expected), enlarged], axis=1)
        self._pixels = self._pixel_cases(rng)

    def error(self, sampler: Sampler) -> float:
        """Return the largest difference of a decoder, over channels and what normals tell; NaN stays NaN.

        What normals tell is compared after dividing by how much it can enlarge a difference of the channels.
        """
        worst = 0.0
        found = sampler.requests(self._requests)
        if found is not None:
            worst = float((np.abs(found - self._expected) / self._enlarged).max())
        for origin, step, level, expected in self._pixels:
            drawn = sampler.pixels(origin, step, level)
            if drawn is not None:
                worst = float(np.maximum(worst, np.abs(drawn.reshape(expected.shape) - expected).max()))
        return worst

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
    ) -> list[tuple[tuple[int, int], tuple[float, float], float, Float]]:  # fmt: skip
        """Regions of pixels one level wide: origin, step in uv, level or -1 for the pixels' own steps, right pixels."""
        cases = []
        for level in range(min(self._reference.last, FIRST_COARSE + 1) + 1):
            codes = np.maximum(1, np.rint(2.0**level / self._size * (1 << _STEP_BITS)))
            step = codes / (1 << _STEP_BITS)
            origin = tuple(int(value) for value in rng.integers(0, 64, 2))
            xs, ys = np.arange(REGION[0]) + 0.5 + origin[0], np.arange(REGION[1]) + 0.5 + origin[1]
            uv = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2) * step
            inside = np.where(self._reference.repeats, uv - np.floor(uv), np.clip(uv, 0, 1))
            points = inside * self._size
            step_x, step_y = (np.tile(axis * step * self._size, (len(uv), 1)) for axis in np.eye(2))
            steps = float(step[0]), float(step[1])
            if away_from_ties(step_x, step_y, MAX_ANISOTROPY).all():
                right = sample_grad(self._reference, points, step_x, step_y, MAX_ANISOTROPY)
                cases.append(((origin[0], origin[1]), steps, -1.0, right))
            right = sample_lod(self._reference, points, np.full(len(uv), float(level)))
            cases.append(((origin[0], origin[1]), steps, float(level), right))
        return cases

    @staticmethod
    def _normals(
        quantized: QuantizedGaussianSet, decoder: Decoder, channels: Float
    ) -> tuple[Float, Float]:  # fmt: skip
        """Return what normals tell [P, 0..2], and how much more than the channels it can differ."""
        names = normal_functions(decoder)
        if not names:
            return np.empty((len(channels), 0)), np.empty((len(channels), 0))
        accessors = {accessor.name: accessor for accessor in decoder.accessors}

        def values(name: str) -> Float:
            accessor = accessors[name]
            routes = [quantized.maps[accessor.map_index].routes[channel] for channel in accessor.channels]
            planes = [
                np.full(len(channels), route.value) if isinstance(route, Constant) else channels[:, route.index]
                for route in routes
                if not isinstance(route, UnitZ)  # these functions are not emitted for such a normal
            ]
            return np.stack(planes, axis=1)

        length = np.linalg.norm(2 * values("igs_normal") - 1, axis=1, keepdims=True)
        columns, slopes = [length], [np.full_like(length, 2 * np.sqrt(3))]
        if NORMAL_FUNCTIONS[1] in names:
            size, roughness = np.clip(length, 0.001, 1), values("igs_roughness")
            widened = np.minimum(1, roughness**4 + 2 * (1 - size) / size) ** 0.25
            slope = (4 * roughness**3 + 2 / size**2 * slopes[0]) / (4 * np.maximum(widened, 1e-3) ** 3)
            columns.append(widened)
            slopes.append(np.maximum(1, slope))
        return np.concatenate(columns, axis=1), np.concatenate(slopes, axis=1)
