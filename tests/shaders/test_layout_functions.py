"""What a decoder that is made for some materials takes for granted: what they have in common, and nothing else."""

import re

import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.shaders.gpu_buffer import pack_gaussians
from imagegs_tex.shaders.include_text import STORAGE_INCLUDE
from imagegs_tex.shaders.layout_functions import common_members, common_numbers, layout_functions, layout_numbers
from imagegs_tex.shaders.shared_decoder import most_of, shared_decoder


@pytest.fixture(scope="module")
def materials():
    sets = (made_set(90, 70, 120, 3, wrap=(True, False)), made_set(300, 40, 20, 3, wrap=(True, True), detail={}))
    return [pack_gaussians(quantized) for quantized in sets]


def test_numbers_are_those_of_the_layout(materials):
    layout = materials[0].layout
    numbers = layout_numbers(layout)
    assert numbers["tile_log2"] == layout.tile_log2
    assert numbers["own_count_bits"] == layout.count_bits
    assert numbers["listed_bits"] == layout.listed_bits
    assert len(numbers) == 12


def test_what_differs_is_not_common(materials):
    first, other = (layout_numbers(each.layout) for each in materials)
    common = common_numbers(materials)
    assert {name for name in first if first[name] == other[name]} == set(common)
    assert first["own_count_bits"] != other["own_count_bits"]
    assert common["tile_log2"] == first["tile_log2"]


def test_members_are_common_where_headers_agree(materials):
    members = common_members(materials)
    assert members["repeat_x"] == "true"
    assert members["exact_at"] == "0u"
    assert members["channels"] == "3"
    assert {"repeat_y", "has_detail"}.isdisjoint(members)
    assert common_members(materials[:1])["has_detail"] == "false"


def test_one_function_each_and_the_rest_from_the_header():
    text = layout_functions({"stride_bits": 7})
    assert len(re.findall(r"^uint igs_\w+\(IgsMaterial m", text, re.MULTILINE)) == 13
    assert "igs_stride_bits(IgsMaterial m)\n{\n    return 7u;" in text
    assert "igs_reach_bits(IgsMaterial m)\n{\n    return igs_field(m.head_numbers, 16u, 8u);" in text
    assert "return number / 5u;" in layout_functions({}, 5)


def test_the_decoder_holds_them_for_single_texels_and_for_groups(materials):
    made = shared_decoder(*most_of(materials), materials=materials).includes[STORAGE_INCLUDE]
    assert made.count("    m.repeat_x = true;\n") == 2
    assert "m.repeat_x = true" not in shared_decoder(*most_of(materials)).includes[STORAGE_INCLUDE]
    assert made.count("    m.repeat_y = (flags & 2u) != 0u;\n") == 2
