import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.material import uv_coverage
from imagegs_tex.formats.material.uv_coverage import MARGIN, UvSet, UvWrap, leaves_unit_square, used_texels

R, C, M = UvWrap.REPEAT, UvWrap.CLAMP, UvWrap.MIRROR


def uv_set(*triangles, wraps=(R, R)):
    return UvSet(np.array(triangles, np.float64).reshape(-1, 3, 2), wraps)


def place(values, wrap):
    """Where coordinates land in 0..1."""
    if wrap == C:
        return np.clip(values, 0, 1)
    return values % 1 if wrap == R else 1 - np.abs(values % 2 - 1)


@pytest.fixture
def no_margin(monkeypatch):
    monkeypatch.setattr(uv_coverage, "MARGIN", 0)


def test_a_triangle_touches_exactly_these_texels(no_margin):
    used = used_texels([uv_set([(0.05, 0.05), (0.72, 0.05), (0.05, 0.72)])], 4, 4)
    assert used.astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_thin_and_tiny_triangles_are_seen(no_margin):
    line = uv_set([(0.1, 0.3), (0.9, 0.3), (0.5, 0.3)])
    assert used_texels([line], 10, 10)[3].tolist() == [False] + [True] * 9
    assert used_texels([line], 10, 10).sum() == 9
    point = uv_set([(0.55, 0.25)] * 3)
    assert np.argwhere(used_texels([point], 10, 10)).tolist() == [[2, 5]]


COORDINATES = st.floats(-2.5, 2.5, width=32)
TRIANGLE = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(TRIANGLE, min_size=1, max_size=3), st.sampled_from([R, C, M]), st.sampled_from([R, C, M]),
    st.integers(1, 40), st.integers(1, 40),
)  # fmt: skip
def test_no_texel_that_is_sampled_is_missed(triangles, wrap_x, wrap_y, width, height):
    uv = uv_set(*triangles, wraps=(wrap_x, wrap_y))
    used = used_texels([uv], width, height)
    if used is None:
        return
    mix = np.random.default_rng(0).dirichlet((0.5, 0.5, 0.5), 300)
    points = np.einsum("pc,tcd->tpd", mix, uv.triangles).reshape(-1, 2)
    x = np.minimum(place(points[:, 0], wrap_x) * width, width - 1e-9).astype(int)
    y = np.minimum(place(points[:, 1], wrap_y) * height, height - 1e-9).astype(int)
    assert used[y, x].all()


def test_little_more_than_the_margin_is_added():
    used = used_texels([uv_set([(0.25, 0.25), (0.5, 0.25), (0.25, 0.5)])], 256, 256)
    rows, columns = np.nonzero(used)
    assert (rows.min(), columns.min()) == (64 - MARGIN, 64 - MARGIN)
    assert (rows.max(), columns.max()) == (128 + MARGIN, 128 + MARGIN)
    assert used.sum() < (64 + 2 * MARGIN) ** 2


def test_the_margin_goes_round_a_border_that_repeats_only():
    corner = [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1)]
    assert used_texels([uv_set(corner)], 100, 100)[-1, -1]
    assert not used_texels([uv_set(corner, wraps=(C, C))], 100, 100)[-1].any()


def test_all_or_nothing_or_too_much_is_none():
    square = [[(0, 0), (1, 0), (1, 1)], [(0, 0), (1, 1), (0, 1)]]
    assert used_texels([uv_set(*square)], 64, 48) is None
    assert used_texels([uv_set(*square, wraps=(C, C))], 64, 48) is None
    assert used_texels([], 64, 48) is None
    assert used_texels([UvSet(np.zeros((0, 3, 2)), (R, R))], 64, 48) is None
    assert used_texels([uv_set([(0, 0), (90, 0), (0, 1e-3)])], 64, 48) is None
    whole_and_part = [uv_set(*square), uv_set([(0, 0), (0.1, 0), (0, 0.1)])]
    assert used_texels(whole_and_part, 64, 48) is None


def test_large_pictures_are_covered_in_blocks():
    used = used_texels([uv_set([(0.25, 0.25), (0.5, 0.25), (0.25, 0.5)])], 16384, 8192)
    assert used.shape == (8192, 16384)
    assert used[2048, 4096]
    assert used[2048 - MARGIN, 4096 - MARGIN]
    assert not used[2048 - MARGIN - 8, 4096]
    assert 0.03 < used.mean() < 0.034


def test_who_leaves_the_unit_square():
    inside = uv_set([(0, 0), (1.00001, 0), (0, 1)])
    outside = uv_set([(0, 0), (1.5, 0), (0, 1)])
    assert not leaves_unit_square([inside], 0)
    assert leaves_unit_square([inside, outside], 0)
    assert not leaves_unit_square([inside, outside], 1)


def test_many_triangles_at_2k_are_fast():
    """100,000 small triangles; the bound is a hundred times what it takes (it is for a loop over triangles)."""
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 0.9, (100_000, 1, 2)) * (1, 0.5) + generator.uniform(0, 0.01, (100_000, 3, 2))
    started = time.process_time()
    used = used_texels([UvSet(corners, (R, R))], 2048, 2048)
    assert time.process_time() - started < 60
    assert 0.3 < used.mean() < 0.5


def test_huge_triangles_without_end_are_bounded():
    generator = np.random.default_rng(0)
    slivers = np.repeat(generator.uniform(0, 0.2, (200_000, 1, 2)), 3, axis=1)
    slivers[:, 2, 1] += 7.5
    assert used_texels([UvSet(slivers, (R, R))], 4096, 4096) is None
