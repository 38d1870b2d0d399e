"""Whether a material repeats: what is guessed, of real and of made ones, and what is said."""

import numpy as np
import pytest

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.material.wrap_detection import decide_wrap, parse_wrap
from imagegs_tex.formats.vocabulary import wrap_words


def made(width, height, period_x=None, period_y=None, channels=3, seed=0):
    """Smoothed noise [H, W, C] with the given periods, by default twice the size: nothing meets at the border."""
    generator = np.random.default_rng(seed)
    size = (period_y or 2 * height, period_x or 2 * width)
    noise = np.fft.rfft2(generator.standard_normal((*size, channels)), axes=(0, 1))
    y, x = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    smooth = np.fft.irfft2(noise * np.exp(-300 * (x**2 + y**2))[..., None], size, axes=(0, 1))
    return np.clip(0.5 + smooth[:height, :width] * 2, 0, 1).astype(np.float32)


@pytest.mark.parametrize("wrap", [(False, False), (True, False), (False, True), (True, True)], ids=str)
@pytest.mark.parametrize("size", [(128, 96), (97, 131), (256, 40)], ids=str)
def test_made_pictures_are_guessed_by_axis(size, wrap):
    periods = [side if repeats else None for side, repeats in zip(size, wrap, strict=True)]
    found, note = decide_wrap(made(*size, *periods))
    assert found == wrap
    assert note.count("guessed") == 2


def test_most_channels_decide():
    repeats, not_so = made(96, 96, 96, 96, seed=1), made(96, 96, channels=6, seed=2)
    assert decide_wrap(np.concatenate([repeats, not_so[..., :2]], axis=2))[0] == (True, True)
    assert decide_wrap(np.concatenate([repeats[..., :2], not_so], axis=2))[0] == (False, False)
    # channels without detail have no say
    flat = np.full((96, 96, 9), 0.5, np.float32)
    assert decide_wrap(np.concatenate([repeats, flat], axis=2))[0] == (True, True)


def test_an_empty_border_says_nothing():
    islands = made(128, 128, 128, 128)
    islands[:6] = islands[-6:] = 0
    islands[:, :6] = islands[:, -6:] = 0
    assert decide_wrap(islands)[0] == (False, False)


def test_marred_outermost_texels_are_forgiven():
    frame = made(128, 128, 128, 128)
    frame[[0, -1]] = 1 - frame[[0, -1]]
    assert decide_wrap(frame)[0] == (True, True)


@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 300, 3), (300, 15, 3)])
def test_pictures_too_small_to_tell_clamp(shape):
    texels = np.random.default_rng(0).random(shape, np.float32)
    assert decide_wrap(texels)[0] == (False, False)


def test_what_is_said_is_not_guessed():
    texels = made(96, 96, 96, 96)
    assert decide_wrap(texels, (False, None))[0] == (False, True)
    wrap, note = decide_wrap(texels, (True, False))
    assert wrap == (True, False)
    assert note == "repeat in x (as given), clamp in y (as given)"
    assert wrap_words(wrap) == ("repeat", "clamp")


@pytest.mark.parametrize(
    ("text", "wrap"),
    [
        ("repeat", (True, True)), ("clamp", (False, False)), ("repeat,clamp", (True, False)),
        ("clamp, repeat", (False, True)),
    ],
)  # fmt: skip
def test_words_for_the_axes_are_read(text, wrap):
    assert parse_wrap(text) == wrap


@pytest.mark.parametrize("text", ["", "mirror", "repeat,", "repeat,clamp,clamp", "REPEAT", "true"])
def test_other_words_are_refused(text):
    with pytest.raises(UsageError, match="is neither repeat, clamp, nor"):
        parse_wrap(text)
