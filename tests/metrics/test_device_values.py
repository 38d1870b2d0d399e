"""Values on a device beside those that the CPU's scores compare; here the device is the CPU."""

import numpy as np
import pytest
import torch
from helpers.made_gaussians import made_map

from imagegs_tex.formats.material.stack import TextureStack, expand_map
from imagegs_tex.formats.vocabulary import Coded, Constant, SampleFormat, Semantic, Transfer, UnitZ
from imagegs_tex.metrics.device_values import decoded_values, is_simple, source_values
from imagegs_tex.metrics.scores import score_values

CPU = torch.device("cpu")
COLOUR = made_map("colour", Semantic.BASE_COLOUR, (Coded(0), Coded(1), Coded(2), Constant(1.0)))
UNIT = made_map("unit", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR)
FLAT = made_map("flat", Semantic.NORMAL, (Coded(3), Constant(0.4), UnitZ()), Transfer.LINEAR)
FINE = made_map(
    "fine", Semantic.ROUGHNESS, (Coded(5), Coded(5), Coded(5)), Transfer.LINEAR, sample_format=SampleFormat.UINT16
)


@pytest.mark.parametrize("texture_map", [COLOUR, UNIT, FLAT, FINE], ids=lambda made: made.name)
def test_values_are_those_that_scores_compare(texture_map):
    rng = np.random.default_rng(2)
    texels = rng.uniform(-0.1, 1.1, (20, 30, 6)).astype(np.float32)
    wanted = list(range(texture_map.channel_count))[::-1]
    expected = score_values(expand_map(texels, texture_map), texture_map)[..., wanted]
    assert is_simple(texture_map)
    assert np.array_equal(decoded_values(torch.from_numpy(texels), texture_map, wanted).numpy(), expected)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_source_is_its_file_where_texels_do_not_give_it_back(kind):
    rng = np.random.default_rng(3)
    texels = rng.uniform(0, 1, (6, 9, 6)).astype(np.float32)
    texture_map = made_map(
        "unit", Semantic.NORMAL, UNIT.routes, Transfer.LINEAR, sample_format=SampleFormat.of(np.dtype(kind))
    )
    original = rng.integers(0, np.iinfo(kind).max + 1, (6, 9, 3)).astype(kind)
    stack = TextureStack(9, 6, (COLOUR, texture_map), texels, originals=(None, original))
    expected = score_values(original, texture_map)[..., [2, 0]]
    assert np.array_equal(source_values(stack, 1, [2, 0], CPU).numpy(), expected)
    expected = score_values(expand_map(texels, COLOUR), COLOUR)[..., [1]]
    assert np.array_equal(source_values(stack, 0, [1], CPU).numpy(), expected)


def test_what_is_more_than_rounded_is_not_simple():
    others = (
        made_map("alpha", routes=(Coded(0), Coded(1)), channel_semantics=(Semantic.BASE_COLOUR, Semantic.OPACITY)),
        made_map("half", Semantic.HEIGHT, (Coded(0),), Transfer.LINEAR, sample_format=SampleFormat.FLOAT16),
        made_map("sides", Semantic.NORMAL, (Coded(0), Coded(1)), Transfer.LINEAR),
    )  # fmt: skip
    assert not any(map(is_simple, others))
