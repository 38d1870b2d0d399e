"""Normals whose blue varies and is no z."""

import numpy as np
import pytest
from helpers.noise_maps import save
from helpers.tiny_material import as_bytes, waves

from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import source_map
from imagegs_tex.formats.vocabulary import Semantic

S = Semantic
SIZE = 40
AS_STORED = SourceOptions(normals=NormalCoding.STORED)


def sides(steepness=0.6, seed=1):
    return steepness * (2 * waves(SIZE, SIZE, 2, seed) - 1)


def labpbr_normal(occlusion, height=None):
    """Texels as the standard has them: x and y, occlusion, height."""
    planes = [(sides() + 1) / 2, occlusion[..., None]]
    return as_bytes(np.concatenate(planes if height is None else [*planes, height[..., None]], axis=-1))


def unit_normal():
    xy = sides()
    z = np.sqrt(1 - np.square(xy).sum(axis=-1, keepdims=True))
    return as_bytes((np.concatenate([xy, z], axis=-1) + 1) / 2)


OCCLUSION, HEIGHT = waves(SIZE, SIZE, 2, 5)[..., 0], 0.5 + waves(SIZE, SIZE, 2, 6)[..., 1] / 2
CREVICES = np.where(waves(SIZE, SIZE, 1, 7)[..., 0] < 0.3, OCCLUSION * 0.8, 1.0)
COLOUR, SPECULAR = as_bytes(waves(SIZE, SIZE, 3, 2)), as_bytes(waves(SIZE, SIZE, 4, 3))


def read(folder, **maps):
    save(folder, **maps)
    stack = load_stack(folder, AS_STORED)
    return {each.name: (each, source_map(stack, index)) for index, each in enumerate(stack.maps)}


@pytest.mark.parametrize("occlusion", [OCCLUSION, CREVICES], ids=["everywhere", "crevices"])
@pytest.mark.parametrize("names", [("stone", "stone_n", "stone_s"), ("Oak_Log", "Oak_Log_N", "Oak_Log_s")])
def test_labpbr_has_occlusion_and_height_behind_x_and_y(tmp_path, names, occlusion):
    normal = labpbr_normal(occlusion, HEIGHT)
    found = read(tmp_path, **dict(zip(names, (COLOUR, normal, SPECULAR), strict=True)))
    of_normal, texels = found[names[1]]
    assert of_normal.channel_semantics == (S.NORMAL, S.NORMAL, S.OCCLUSION, S.HEIGHT)
    assert "occlusion, and alpha height (LabPBR, by its _s); x and y give z" in of_normal.notes
    assert np.array_equal(texels, normal)
    of_specular, texels = found[names[2]]
    assert of_specular.channel_semantics == (S.GLOSS, S.DATA, S.DATA, S.DATA)
    assert "LabPBR" in of_specular.notes
    assert np.array_equal(texels, SPECULAR)
    assert found[names[0]][0].semantic == S.BASE_COLOUR


def test_a_height_of_its_own_is_the_height(tmp_path):
    height = as_bytes(waves(SIZE, SIZE, 1, 9))[..., 0]
    normal = labpbr_normal(OCCLUSION, HEIGHT)
    found = read(tmp_path, stone=COLOUR, stone_n=normal, stone_s=SPECULAR, stone_height=height)
    assert found["stone_n"][0].channel_semantics == (S.NORMAL, S.NORMAL, S.OCCLUSION, S.DATA)
    assert found["stone_height"][0].semantic == S.HEIGHT


def test_without_alpha_there_is_no_height(tmp_path):
    found = read(tmp_path, dirt=COLOUR, dirt_n=labpbr_normal(CREVICES), dirt_s=SPECULAR[..., :3].copy())
    assert found["dirt_n"][0].channel_semantics == (S.NORMAL, S.NORMAL, S.OCCLUSION)
    assert found["dirt_s"][0].channel_semantics == (S.GLOSS, S.DATA, S.DATA)


def test_unit_normals_with_such_names_stay_what_they_are(tmp_path):
    found = read(tmp_path, stone=COLOUR, stone_n=unit_normal(), stone_s=SPECULAR[..., :3].copy())
    assert found["stone_n"][0].channel_semantics == (S.NORMAL,) * 3
    assert found["stone_s"][0].semantic == S.SPECULAR


def test_other_names_keep_their_meaning_and_get_a_note(tmp_path):
    normal = labpbr_normal(OCCLUSION)
    found = read(tmp_path, wall_albedo=COLOUR, wall_normal=normal)["wall_normal"]
    assert found[0].channel_semantics == (S.NORMAL,) * 3
    assert "blue is far from the z of x and y in " in found[0].notes
    assert np.array_equal(found[1], normal)


@pytest.mark.parametrize("length", [0.8, 0.9, 1.0])
def test_short_normals_get_no_note(tmp_path, length):
    texels = as_bytes((length * (2 * unit_normal() / 255.0 - 1) + 1) / 2)
    assert "blue" not in read(tmp_path, wall_albedo=COLOUR, wall_normal=texels)["wall_normal"][0].notes


def test_a_background_is_no_other_blue(tmp_path):
    texels = unit_normal()
    texels[: SIZE // 2] = 128
    assert "blue" not in read(tmp_path, wall_albedo=COLOUR, wall_normal=texels)["wall_normal"][0].notes
