"""What a folder's files are taken for."""

import numpy as np
from helpers.image_bytes import bc1_block, dds, psd
from PIL import Image

from imagegs_tex.formats.images import copies_of_others, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.stack import source_map
from imagegs_tex.formats.vocabulary import Semantic

RNG = np.random.default_rng(4)


def test_maps_in_every_format_are_maps(tmp_path):
    texels = RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    grey = np.ascontiguousarray(texels[..., 0])
    write_image(tmp_path / "wall_albedo.png", texels)
    Image.fromarray(grey).save(tmp_path / "wall_height.bmp")
    Image.fromarray(grey[::-1].copy()).save(tmp_path / "wall_ao.gif")
    (tmp_path / "wall_roughness.psd").write_bytes(psd(grey.T[None].astype(np.uint16) * 257, mode=1))
    (tmp_path / "wall_metallic.dds").write_bytes(
        dds(grey[:, ::-1].tobytes(), 16, 16, flags=0x20000, bits=8, masks=(255, 0, 0, 0))
    )
    stack = load_stack(tmp_path)
    found = {texture_map.semantic: source_map(stack, index) for index, texture_map in enumerate(stack.maps)}
    assert {*found} == {
        Semantic.BASE_COLOUR,
        Semantic.HEIGHT,
        Semantic.OCCLUSION,
        Semantic.ROUGHNESS,
        Semantic.METALLIC,
    }
    assert np.array_equal(found[Semantic.HEIGHT][..., 0], grey)
    assert np.array_equal(found[Semantic.OCCLUSION][..., 0], grey[::-1])
    assert np.array_equal(found[Semantic.ROUGHNESS][..., 0], grey.T.astype(np.uint16) * 257)
    assert np.array_equal(found[Semantic.METALLIC][..., 0], grey[:, ::-1])


def test_working_files_and_textures_beside_a_map_are_not_taken(tmp_path):
    texels = RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    write_image(tmp_path / "wall_albedo.png", texels)
    (tmp_path / "Wall_Albedo.psd").write_bytes(psd(np.moveaxis(texels[::-1], -1, 0)))
    (tmp_path / "wall_albedo.dds").write_bytes(dds(bc1_block(1, 0, [0] * 16), 4, 4, flags=4, code=b"DXT1"))
    stack = load_stack(tmp_path)
    assert len(stack.maps) == 1
    assert np.array_equal(source_map(stack, 0), texels)
    paths = sorted(tmp_path.iterdir())
    assert {path.name for path in copies_of_others(paths)} == {"Wall_Albedo.psd", "wall_albedo.dds"}
    assert {path.name for path in copies_of_others(paths).values()} == {"wall_albedo.png"}
    assert copies_of_others([path for path in paths if path.suffix != ".png"]) == {}


def test_notes_come_with_the_reading(tmp_path):
    texels = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    write_image(tmp_path / "x.png", texels)
    (tmp_path / "x.png").rename(tmp_path / "wall_albedo.tga")
    assert "called .tga, but read as PNG, which it is" in load_stack(tmp_path).maps[0].notes
