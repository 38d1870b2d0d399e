"""The importance mask as a file."""

import numpy as np
import pytest

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.importance_mask import read_importance
from imagegs_tex.formats.material.options import SourceOptions

GREY = np.arange(12 * 10, dtype=np.uint8).reshape(12, 10, 1) * 2


@pytest.mark.parametrize(
    "texels",
    [GREY, GREY.repeat(3, axis=2), np.concatenate([GREY.repeat(3, axis=2), np.full_like(GREY, 255)], axis=2)],
    ids=["grey", "three equal channels", "opaque alpha"],
)
def test_black_is_0_and_white_is_1(tmp_path, texels):
    write_image(tmp_path / "mask.png", texels)
    weights = read_importance(tmp_path / "mask.png", 10, 12)
    assert weights.dtype == np.float32
    assert np.allclose(weights, GREY[..., 0] / 255)


def test_16_bits_and_floats(tmp_path):
    write_image(tmp_path / "wide.png", np.full((2, 3), 32768, np.uint16))
    write_image(tmp_path / "float.exr", np.full((2, 3), 2.5, np.float32))
    assert read_importance(tmp_path / "wide.png", 3, 2)[0, 0] == pytest.approx(32768 / 65535)
    assert read_importance(tmp_path / "float.exr", 3, 2)[0, 0] == 2.5


def in_colour():
    return np.stack([GREY[..., 0], GREY[..., 0] // 2, GREY[..., 0]], axis=-1)


def with_alpha():
    return np.concatenate([GREY.repeat(3, axis=2), GREY], axis=2)


@pytest.mark.parametrize(
    ("texels", "message"),
    [
        (GREY[:-1], "is 10 x 11 texels and the material 10 x 12; make it the same size"),
        (in_colour(), "is in colour; give a grey image"),
        (with_alpha(), "has an alpha channel"),
        (np.zeros_like(GREY), "black everywhere"),
        (np.full((12, 10), np.nan, np.float32), "NaN, infinite or negative"),
        (np.full((12, 10), np.inf, np.float32), "NaN, infinite or negative"),
        (np.full((12, 10), -0.5, np.float32), "NaN, infinite or negative"),
    ],
    ids=["size", "colour", "alpha", "black", "nan", "infinity", "negative"],
)
def test_a_mask_that_cannot_be_used_is_refused_in_one_line(tmp_path, texels, message):
    path = tmp_path / f"mask{'.exr' if texels.dtype == np.float32 else '.png'}"
    write_image(path, texels)
    with pytest.raises(InputError, match=message) as caught:
        read_importance(path, 10, 12)
    assert "\n" not in str(caught.value)
    assert "mask" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_an_unreadable_mask_is_refused(tmp_path, content):
    (tmp_path / "mask.png").write_bytes(content)
    with pytest.raises(InputError):
        read_importance(tmp_path / "mask.png", 10, 12)
    with pytest.raises(InputError):
        read_importance(tmp_path / "missing.png", 10, 12)


def test_the_mask_goes_into_the_stack_and_is_no_map(tmp_path):
    (tmp_path / "stone").mkdir()
    write_image(tmp_path / "stone" / "height.png", GREY)
    write_image(tmp_path / "mask.png", GREY)
    stack = load_stack(tmp_path / "stone", SourceOptions(importance=tmp_path / "mask.png"))
    assert [texture_map.name for texture_map in stack.maps] == ["height"]
    assert stack.weights is not None
    assert stack.weights.shape == (12, 10)
    assert load_stack(tmp_path / "stone").weights is None
