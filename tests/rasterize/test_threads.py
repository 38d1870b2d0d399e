"""Work in ranges on several threads."""

import numpy as np
import pytest
import torch

from imagegs_tex.rasterize.conjugate_gradient import conjugate_gradient, damping_of
from imagegs_tex.rasterize.cpu.backend import CpuBackend
from imagegs_tex.rasterize.cpu.threads import Workers


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
@pytest.mark.parametrize("length", [0, 1, 31, 32, 100, 4096])
def test_ranges_cover_all_once(threads, length):
    times, begun = np.zeros(length, np.int64), []

    def work(begin, end):
        times[begin:end] += 1
        begun.append(end - begin)

    workers = Workers(threads)
    workers.run(work, length)
    workers.close()
    assert np.all(times == 1)
    assert len(begun) <= max(1, 8 * threads + 16)


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_of_any_range_are_raised(threads):
    def work(begin, end):
        if end == 100:
            raise ValueError(f"{begin}")

    with pytest.raises(ValueError, match=r"\d"):
        Workers(threads).run(work, 100)


@pytest.mark.parametrize("components", [1, 2, 3, 4, 5, 8, 9, 13])
@pytest.mark.parametrize("iterations", [1, 2, 7])
def test_solutions_are_those_of_torch_bit_by_bit(components, iterations):
    generator = torch.Generator().manual_seed(0)
    means = torch.rand(300, 2, generator=generator) * torch.tensor([96.0, 64.0])
    conics = torch.tensor([[0.05, 0.01, 0.08]]).repeat(300, 1)
    image = torch.rand(64, 96, components, generator=generator)
    features = torch.rand(300, components, generator=generator)
    results = []
    for threads in (1, 2):
        backend = CpuBackend(threads)
        geometry = backend.prepare_geometry(means, conics, 4.0, (96, 64))
        equations = backend.normal_equations(geometry, backend.prepare_target(image))
        results.append(backend.solve_features(equations, features, iterations, 0.3))
        damping = damping_of(equations, 0.3)
        results.append(conjugate_gradient(backend.multiply, equations, features, iterations, damping))
    assert all(torch.equal(result, results[0]) for result in results)
