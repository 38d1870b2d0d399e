"""Turns of loops that samples take, on the one renderer that counts them."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.verification import footprint_shaders, verify
from imagegs_tex.verification.float64_footprint import footprint_reference
from imagegs_tex.verification.float64_picture import reference_picture
from imagegs_tex.verification.footprint_check import SampleCheck
from imagegs_tex.verification.llvmpipe_loop_limit import MAX_TURNS, TurnBound
from imagegs_tex.verification.opengl import Scene, ends_loops
from imagegs_tex.verification.opengl_footprint import ComputeSampler

pytestmark = pytest.mark.gl
ALL = 65_534
COUNTING = """    uint left = 0u;
    for (uint turn = 0u; turn < uint(points.length()) + 70000u; ++turn) {{
        left += 1u;
    }}
    results[i * {width}u] = floatBitsToUint(float(left));
}}
"""

CASES = {
    "non-power-of-two": made_set(131, 77, 300, 5),
    "two tiles across": made_set(128, 96, 500),
    "5 x 3, repeats": made_set(5, 3, 60, 2, wrap=(True, True), spread=1),
    "repeats and overlaps itself": made_set(37, 29, 40, 3, wrap=(True, True), spread=7),
    "13 components": made_set(131, 77, 120, 13),
    "24 channels": made_set(131, 77, 120, 24),
}


@pytest.fixture
def cutting(device, require_tool):
    require_tool(ends_loops(device), "this renderer does not end loops")
    return device


@pytest.mark.parametrize("case", CASES)
def test_no_request_takes_more_turns_than_its_bound(case, cutting):
    quantized = CASES[case]
    decoder = shader_decoder(quantized)
    picture = reference_picture(quantized)
    check = SampleCheck(quantized, decoder, footprint_reference(quantized, decoder.packed, picture), 1, 600, MAX_TURNS)
    width = footprint_shaders.result_width(decoder)
    source = footprint_shaders.glsl_requests(decoder)
    source = source.rstrip().removesuffix("}") + COUNTING.format(width=width)
    with Scene(cutting, decoder.packed, (quantized.width, quantized.height), quantized.channel_count) as scene:
        sampler = ComputeSampler(scene, source, width)
        shares = []
        for chosen in check.together():
            taken = (ALL - sampler.requests(check.requests[chosen])[:, 0]).max()
            bound = check.turns[chosen].max() + ALL - MAX_TURNS
            assert taken <= bound, case
            shares.append(taken / bound)
    assert max(shares) > 0.1  # the bound is of use, and turns are really counted


def test_what_would_be_cut_off_is_left_out_and_said_so(cutting):
    crowded = made_set(64, 64, 1500, 2, spread=3)
    report = verify(crowded, ["glsl"], point_count=100, repeats=0, device=cutting)
    assert report.passed
    (reason,) = (reason for reason in report.left_out if "turns" in reason)
    assert " of 2,000 samples" in reason


def test_turns_are_those_of_the_tiles_within_reach():
    packed = shader_decoder(made_set(131, 77, 150, 2)).packed
    layout = packed.layout
    grid = np.arange(layout.tiles_down * layout.tiles_across)
    listed = np.stack([grid, grid[::-1]], axis=1)  # the two sources are longest in different tiles
    tiles = replace(packed.tiles, listed=listed, runs=np.zeros_like(listed), groups=listed[:, 1])
    counted = replace(packed, tiles=tiles)
    tile = float(1 << layout.tile_log2)
    points = np.array([[1.0, 1.0], [tile - 1, 1.0], [130.0, 76.0]])
    reach = np.array([0.5, 2.0, 8.0])
    last = len(grid)
    found = TurnBound(counted, (False, False)).entries(points, reach).tolist()
    assert found == [5 * (last - 1), 3 + 5 * (last - 1), 3 * (last - 1) + 5]
    assert TurnBound(counted, (True, True)).entries(points[:1], np.array([2.0])).tolist() == [8 * (last - 1)]
