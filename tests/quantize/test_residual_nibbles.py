"""Codes chosen by what they take on the GPU: the best of all lists, and as many bits as the packer writes."""

from itertools import product

import numpy as np
import pytest

from imagegs_tex.quantize.residual_nibbles import choose_by_nibbles
from imagegs_tex.quantize.residual_rdo import Coefficients, layer_of
from imagegs_tex.shaders.residual_words import residual_parts, residual_words

WEIGHT = 0.12


def list_bits(codes, scaled):
    """Return the bits of the lists of codes [blocks, K', places], by packing them."""
    blocks, components, places = codes.shape
    side_log2 = int(np.log2(places)) // 2
    basis = np.zeros((components, 3), np.int16)
    layer = layer_of(codes.reshape(blocks, -1), scaled.reshape(blocks, -1), basis, side_log2, 1.0)
    if layer is None:
        return 0
    words, at = residual_words(layer), residual_parts(layer).blocks
    group, entry = divmod(blocks, 8)
    behind = int(words[at + 5 * group + 1 + entry // 2]) >> 16 * (entry % 2) & 0xFFFF
    return 4 * (int(words[at + 5 * group]) + behind)


@pytest.mark.parametrize("seed", range(3))
def test_no_list_is_better(seed):
    generator = np.random.default_rng(seed)
    for _ in range(12):
        scaled = np.zeros((1, 2, 16), np.float32)
        at = generator.choice(32, 5, replace=False)
        scaled.ravel()[at] = generator.laplace(0, 1.6, 5)

        def price(codes, scaled=scaled):
            return float(((codes - scaled) ** 2).sum()) + WEIGHT * list_bits(codes, scaled)

        nearest = np.floor(np.abs(scaled.ravel()[at]) + 0.5)
        best = np.inf
        for chosen in product(*({0.0, value, max(0.0, value - 1)} for value in nearest)):
            codes = np.zeros_like(scaled, np.int16)
            codes.ravel()[at] = np.array(chosen) * np.sign(scaled.ravel()[at])
            best = min(best, price(codes))
        found, bits = choose_by_nibbles(scaled, WEIGHT)
        assert price(found) == pytest.approx(best, abs=1e-5)
        assert bits == list_bits(found, scaled)


def test_bits_are_those_of_the_packer():
    generator = np.random.default_rng(1)
    scaled = generator.laplace(0, 0.7, (60, 3, 64)).astype(np.float32)
    scaled[:5] *= 40
    scaled[5, 1, ::9] = [30_000, -5_000, 274, -273, 18, 17, 3, 2]
    codes, bits = choose_by_nibbles(scaled, WEIGHT)
    assert bits == list_bits(codes, scaled)
    assert not np.any(codes * scaled < 0)
    assert np.all((np.abs(np.abs(scaled) - np.abs(codes)) < 1.6) | (codes == 0))
    assert choose_by_nibbles(np.zeros((4, 2, 16), np.float32), WEIGHT)[1] == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_fewer_bytes_on_the_gpu_at_the_same_error(threads):
    generator = np.random.default_rng(2)
    grain = generator.normal(0, 0.05, (96, 96, 3)).astype(np.float32)
    grain += 0.05 * np.sin(np.arange(96) * 0.7)[:, None, None]
    by_gpu = Coefficients.of(grain, 3, threads, on_gpu=True).chosen(0.08)
    sizes = []
    for step in (0.064, 0.072, 0.08, 0.088, 0.096):
        chosen = Coefficients.of(grain, 3, threads).chosen(step)
        sizes.append((chosen.error, residual_words(chosen.layer).nbytes))
    errors, bytes_ = zip(*sorted(sizes), strict=True)
    assert errors[0] < by_gpu.error < errors[-1]
    assert residual_words(by_gpu.layer).nbytes < 0.95 * np.interp(by_gpu.error, errors, bytes_)
