"""``compress --output-gltf``: a model that refers to the files of its materials."""

import json
import struct

import numpy as np
import pytest
from helpers.made_gltf import Asset

from imagegs_tex.formats.images import write_image

SMALL = ("--gaussians", "20", "--steps", "10", "--detail", "off", "--quiet")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    home, rng, asset = tmp_path_factory.mktemp("maps"), np.random.default_rng(1), Asset()
    for name in ("stone", "wood"):
        (home / name).mkdir()
        write_image(home / name / "basecolor.png", rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        asset.mesh(asset.material(name, home / name, "views"))
    return asset.write(home / "model.glb")


def test_the_model_refers_to_its_files_from_where_it_lies(run, model, tmp_path):
    output = tmp_path / "out" / "new.glb"
    code, _, err = run("compress", model, "-o", tmp_path / "my igs", "--output-gltf", output, *SMALL)
    assert (code, err) == (0, "")
    data = output.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    stated = document["extensions"]["IMAGEGS_texture_igs"]
    assert stated["files"] == [{"uri": "../my%20igs/stone.igs"}, {"uri": "../my%20igs/wood.igs"}]
    assert [each["extensions"]["IMAGEGS_texture_igs"] for each in document["textures"]] == [
        {"file": 0, "map": "basecolor"},
        {"file": 1, "map": "basecolor"},
    ]
    assert "images" not in document
    assert len(data) < model.stat().st_size


def test_what_it_cannot_do_is_said_before_anything_is_made(fails, model, tmp_path):
    for wrong in (
        ("-o", tmp_path / "one.igs", "--output-gltf", tmp_path / "a.glb"),
        ("-o", tmp_path / "out", "--output-gltf", tmp_path / "a.gltf"),
        ("-o", tmp_path / "out", "--output-gltf", model),
    ):
        assert "--output-gltf" in fails(2, "compress", model, *wrong, *SMALL)
    assert list(tmp_path.iterdir()) == []
