"""Wraps of glTF's samplers, per axis, mirroring among them."""

import numpy as np
import pytest
from helpers.made_gltf import QUARTER, Asset

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.gltf.materials import read_gltf
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.options import SourceOptions


def with_sampler(tmp_path, maps, sampler, uv, **more):
    asset = Asset()
    asset.root["samplers"] = [sampler]
    asset.mesh(asset.material("m", maps, "views", sampler=0), uv=uv)
    asset.root |= more
    return asset.write(tmp_path / "x.glb")


BEYOND = (QUARTER * 8).astype(np.float32)


@pytest.mark.parametrize(
    ("sampler", "wrap", "words"),
    [
        ({"wrapS": 33071}, (False, True), "clamp in x (as given), repeat in y (as given)"),
        ({"wrapT": 33071}, (True, False), "repeat in x (as given), clamp in y (as given)"),
        ({}, (True, True), "repeat in x (as given), repeat in y (as given)"),
    ],
    ids=range(3),
)
def test_wraps_of_samplers(tmp_path, maps, sampler, wrap, words):
    stack = load_stack(with_sampler(tmp_path, maps, sampler, BEYOND))
    assert stack.wrap == wrap
    assert words in stack.wrap_note
    asked = load_stack(tmp_path / "x.glb", SourceOptions(wrap=(True, True)))
    assert asked.wrap_note == "repeat in x (as given), repeat in y (as given)"


MIRRORING = {
    "x": ({"wrapS": 33648}, BEYOND, "in x"),
    "y": ({"wrapT": 33648, "wrapS": 33071}, BEYOND, "in y"),
    "both": ({"wrapS": 33648, "wrapT": 33648}, BEYOND, "in x and y"),
    "x alone is left": ({"wrapS": 33648, "wrapT": 33648}, BEYOND * np.array([1, 0.1], np.float32), "in x"),
}


@pytest.mark.parametrize("case", MIRRORING)
def test_mirroring_is_refused_by_name_unless_told_what_to_do(tmp_path, maps, case):
    sampler, uv, axes = MIRRORING[case]
    path = with_sampler(tmp_path, maps, sampler, uv)
    with pytest.raises(InputError) as caught:
        load_stack(path)
    assert f"x.glb, material m is mirrored beyond its border {axes} (MIRRORED_REPEAT)" in str(caught.value)
    assert "give --wrap clamp" in str(caught.value)
    assert load_stack(path, SourceOptions(wrap=(False, False))).wrap == (False, False)


def test_mirroring_that_nothing_reaches_is_clamp(tmp_path, maps):
    stack = load_stack(with_sampler(tmp_path, maps, {"wrapS": 33648, "wrapT": 33648}, QUARTER))
    assert stack.wrap == (False, False)
    assert "clamp in x (the sampler mirrors, but no mesh reaches beyond the border)" in stack.wrap_note


def test_mirroring_where_nobody_knows_what_is_reached_is_refused(tmp_path, maps):
    asset = Asset()
    asset.root["samplers"] = [{"wrapS": 33648}]
    asset.material("m", maps, "views", sampler=0)
    with pytest.raises(InputError, match=r"in x \(MIRRORED_REPEAT\)"):
        load_stack(asset.write(tmp_path / "x.glb"))


def test_mirroring_leaves_out_that_material_alone(tmp_path, maps):
    asset = Asset()
    asset.root["samplers"] = [{"wrapS": 33648}]
    asset.material("mirrored", maps, "views", sampler=0)
    asset.material("plain", maps, "views")
    read = read_gltf(asset.write(tmp_path / "x.glb"))
    assert [entry.source for entry in read.listed] == [0, 1]
    with pytest.raises(InputError, match="material mirrored"):
        build_stack(read.materials[0])
    assert len(build_stack(read.materials[1]).maps) == 3


def test_samplers_that_disagree_are_said(tmp_path, maps):
    asset = Asset()
    asset.root["samplers"] = [{"wrapS": 33071}]
    asset.material("m", maps, "views")
    asset.root["textures"][0]["sampler"] = 0
    note = load_stack(asset.write(tmp_path / "x.glb")).wrap_note
    assert "in x (samplers disagree: clamp, repeat; guessed: " in note
    assert "in y (as given)" in note
