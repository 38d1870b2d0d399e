"""The means of benchmarks/bjontegaard.py on curves whose difference is known."""

import importlib.util

import pytest


@pytest.fixture(scope="module")
def means(repository):
    spec = importlib.util.spec_from_file_location("bjontegaard", repository / "benchmarks" / "bjontegaard.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_known_differences(means):
    theirs = [(1000 * 2**n, 30.0 + 2 * n) for n in range(5)]
    halved = [(size / 2, level) for size, level in theirs]
    better = [(size, level + 1.5) for size, level in theirs]
    assert means.bd_rate(halved, theirs) == pytest.approx(0.5)
    assert means.bd_psnr(halved, theirs) == pytest.approx(2.0)
    assert means.bd_psnr(better, theirs) == pytest.approx(1.5)
    assert means.bd_rate(better, [*theirs, (9000, 1.0)]) == pytest.approx(2**-0.75)


def test_curves_that_do_not_meet_have_no_mean(means):
    assert means.bd_rate([(10, 20.0), (20, 25.0)], [(10, 30.0), (20, 35.0)]) is None
    assert means.bd_psnr([(10, 20.0), (20, 25.0)], [(100, 20.0), (200, 35.0)]) is None
