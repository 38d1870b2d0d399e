import subprocess
import sys

import numpy as np
import pytest

from imagegs_tex.example_material import make_material
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import source_map
from imagegs_tex.formats.vocabulary import SampleFormat, Semantic


def generate(repository, folder, size=128):
    script = repository / "examples" / "make_material.py"
    subprocess.run([sys.executable, script, folder, "--size", str(size)], check=True)
    return load_stack(folder)


def test_the_example_material_is_a_material(repository, tmp_path):
    stack = generate(repository, tmp_path / "made" / "here")
    maps = {texture_map.name: texture_map for texture_map in stack.maps}
    assert (stack.width, stack.height, stack.channel_count) == (128, 128, 8)  # z of the normal is made of x and y
    assert {name: texture_map.semantic for name, texture_map in maps.items()} == {
        "ao": Semantic.OCCLUSION,
        "basecolor": Semantic.BASE_COLOUR,
        "height": Semantic.HEIGHT,
        "normal": Semantic.NORMAL,
        "roughness": Semantic.ROUGHNESS,
    }
    assert maps["height"].sample_format == SampleFormat.UINT16
    assert all(stack.texels[..., channel].std() > 0.01 for channel in range(8))


def test_it_tiles_and_its_normals_have_unit_length(repository, tmp_path):
    stack = generate(repository, tmp_path, size=256)
    maps = {texture_map.name: texture_map for texture_map in stack.maps}
    normal = source_map(stack, list(maps).index("normal")) / 127.5 - 1
    assert np.abs(np.linalg.norm(normal, axis=-1) - 1).max() < 0.02
    height = stack.texels[..., maps["height"].coded_indices[0]]
    for axis in (0, 1):
        seam = np.abs(np.take(height, 0, axis) - np.take(height, -1, axis)).mean()
        inside = np.abs(np.diff(height, axis=axis)).mean()
        assert seam < 1.5 * inside


def test_the_same_seed_gives_the_same_bytes(repository, tmp_path):
    generate(repository, tmp_path / "a")
    generate(repository, tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("size", [1, 16, 33, 48])
def test_small_ones_have_no_holes(size):
    maps = make_material(size, seed=7)
    assert set(maps) == {"ao", "basecolor", "height", "normal", "roughness"}
    assert all(texels.shape[:2] == (size, size) for texels in maps.values())
    lengths = np.linalg.norm(maps["normal"] / 127.5 - 1, axis=-1)
    assert np.abs(lengths - 1).max() < 0.02
