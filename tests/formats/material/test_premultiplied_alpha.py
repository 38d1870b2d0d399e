import io

import numpy as np
import pytest
import tifffile
from helpers.igs_sets import make_set

from imagegs_tex.api import decode
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import AlphaUse, SourceOptions
from imagegs_tex.formats.material.premultiplied_alpha import colours_before_alpha, multiply_by_alpha
from imagegs_tex.formats.material.stack import source_map
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, TextureMap, Transfer

PREMULTIPLIED = SourceOptions(alpha=AlphaUse.PREMULTIPLIED)


def straight_and_stored(dtype):
    rng = np.random.default_rng(3)
    whole = np.iinfo(dtype).max
    straight = rng.integers(0, whole + 1, (24, 32, 4)).astype(dtype)
    straight[..., 3] = np.maximum(straight[..., 3], whole // 4)
    stored = straight.copy()
    stored[..., :3] = np.rint(straight[..., :3] * (straight[..., 3:] / whole))
    return straight, stored


@pytest.mark.parametrize(("dtype", "off"), [(np.uint8, 2), (np.uint16, 2)])
def test_colours_are_divided_and_said_to_be(tmp_path, dtype, off):
    straight, stored = straight_and_stored(dtype)
    write_image(tmp_path / "leaf_basecolor.png", stored)
    stack = load_stack(tmp_path, PREMULTIPLIED)
    found = source_map(stack, 0)
    assert np.abs(found.astype(int) - straight).max() <= off
    assert "divided" in stack.maps[0].notes
    assert np.array_equal(source_map(load_stack(tmp_path), 0), stored)


def test_what_the_file_says_already_is_not_done_twice(tmp_path):
    straight, stored = straight_and_stored(np.uint8)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, stored, photometric="rgb", extrasamples=["assocalpha"])
    (tmp_path / "leaf_basecolor.tif").write_bytes(buffer.getvalue())
    stack = load_stack(tmp_path, PREMULTIPLIED)
    assert np.abs(source_map(stack, 0).astype(int) - straight).max() <= 2
    assert stack.maps[0].notes.count("divided") == 1


def test_maps_without_alpha_stay(tmp_path):
    straight, _ = straight_and_stored(np.uint8)
    write_image(tmp_path / "leaf_basecolor.png", straight[..., :3])
    write_image(tmp_path / "leaf_maskmap.png", straight)
    stack = load_stack(tmp_path, PREMULTIPLIED)
    assert np.array_equal(source_map(stack, 0), straight[..., :3])
    assert np.array_equal(source_map(stack, 1), straight)


def test_which_channels_are_colours_before_alpha():
    colour, alpha, data = Semantic.BASE_COLOUR, Semantic.OPACITY, Semantic.DATA
    assert colours_before_alpha((colour, colour, colour, alpha)) == 3
    assert colours_before_alpha((colour, alpha)) == 1
    assert colours_before_alpha((colour, colour, colour)) == 0
    assert colours_before_alpha((colour, colour, colour, data)) == 0
    assert colours_before_alpha((alpha, colour)) == 0


def test_decode_multiplies_what_it_would_have_written(tmp_path):
    semantics = (*[Semantic.BASE_COLOUR] * 3, Semantic.OPACITY)
    routes = tuple(Coded(index) for index in range(4))
    leaf = TextureMap(
        "leaf_basecolor", ".png", Semantic.BASE_COLOUR, semantics, Transfer.SRGB, SampleFormat.UINT8, routes
    )
    (tmp_path / "x.igs").write_bytes(encode_igs(make_set(1, channels=4, components=4, maps=(leaf,))))
    plain = read_image(decode(tmp_path / "x.igs", tmp_path / "plain", backend="cpu")[0])[0]
    (path,) = decode(tmp_path / "x.igs", tmp_path / "multiplied", premultiplied=True, backend="cpu")
    wanted = plain.copy()
    wanted[..., :3] = np.rint(plain[..., :3] * (plain[..., 3:] / 255.0))
    assert np.array_equal(read_image(path)[0], wanted)
    assert (wanted != plain).any()


def test_floats_are_multiplied_as_well(tmp_path):
    texels = np.random.default_rng(1).random((6, 7, 4)).astype(np.float32) * 4
    write_image(tmp_path / "leaf_basecolor.exr", texels)
    texture_map = load_stack(tmp_path).maps[0]
    found = multiply_by_alpha(texture_map, texels)
    assert np.allclose(found[..., :3], texels[..., :3] * texels[..., 3:])
    assert np.array_equal(found[..., 3], texels[..., 3])
