import subprocess
import sys

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set

from imagegs_tex.formats.images import read_image
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.shaders.emit import emit


@pytest.mark.gl
@pytest.mark.parametrize("with_normal", [True, False])
def test_lit_quad_draws(device, tmp_path, repository, with_normal):
    maps = [made_map(routes=(Coded(0), Coded(1), Coded(2)))]
    if with_normal:
        maps.append(made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), Coded(5)), Transfer.LINEAR))
        maps.append(made_map("roughness", Semantic.ROUGHNESS, (Coded(6),), Transfer.LINEAR))
    emit(made_set(128, 128, 100, 7, maps=tuple(maps), spread=6), "glsl", tmp_path / "decoder")
    script = repository / "examples" / "lit_quad.py"
    assert len(script.read_text().splitlines()) < 90
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "decoder"), str(tmp_path / "quad.png")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    texels, _ = read_image(tmp_path / "quad.png")
    assert texels.shape == (480, 640, 3)
    middle, corner = texels[180:300, 240:400].astype(float), texels[:40, :40].astype(float)
    assert corner.std() < 1
    assert middle.mean() > corner.mean() + 20  # the light falls on the quad and not beside it
    assert np.std(middle, axis=(0, 1)).max() > 3  # and on a material
