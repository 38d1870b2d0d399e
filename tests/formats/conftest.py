import pytest
from helpers.noise_maps import noise, save


@pytest.fixture
def maps(tmp_path):
    folder = tmp_path / "maps"
    folder.mkdir()
    save(folder, basecolor=noise(1, 2, 3), normal=noise(4, 5, 6), occlusion_roughness_metallic=noise(7, 8, 9))
    return folder
