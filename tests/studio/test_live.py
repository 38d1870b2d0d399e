"""Live pictures take no more than their share of a fit, and its end is always seen."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.tiny_material import write_material

from imagegs_tex.api import compress_stack
from imagegs_tex.fit.control import FitControl
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import Precision, Preset, preset_settings
from imagegs_tex.studio import live
from imagegs_tex.studio.live_budget import CLOCK_SHARE, HURRIED, PAUSE, PROCESSOR_SHARE, TimeTaken, is_due

LONG_AGO = 1e9


def drawn_in(fit_seconds, cores, frame, step=0.01, slowed=1.0):
    """Return what the frames of a fit took of the processor, and how many there were."""
    clock = processor = took = waited = 0.0
    last, count = -LONG_AGO, 0
    while processor < fit_seconds:
        clock, processor = clock + step, processor + step * cores
        if is_due(TimeTaken(clock, processor), TimeTaken(waited, took), count, clock - last):
            last, count, took, waited = clock, count + 1, took + frame, waited + frame * slowed
    return took, count


@pytest.mark.parametrize("frame", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("cores", [0.5, 2.0, 16.0])
def test_frames_take_their_share_of_the_processor_and_no_more(frame, cores):
    took, count = drawn_in(20.0, cores, frame)
    assert took <= max(PROCESSOR_SHARE * 20, HURRIED * frame) + 1e-9
    most = min(PROCESSOR_SHARE * 20 / frame, 20 / cores / PAUSE, CLOCK_SHARE * 20 / cores / frame)
    assert count >= max(HURRIED, most * 0.9 - 1)  # nor are pictures seldom without need


def test_what_is_held_up_waits_by_the_clock():
    freely, held_up = drawn_in(20, 2, 0.05), drawn_in(20, 2, 0.05, slowed=10)
    assert held_up[1] < freely[1] / 2
    assert held_up[0] * 10 <= CLOCK_SHARE * 10 + 1e-9


def test_the_first_frames_come_at_once_but_not_all_together():
    nothing = TimeTaken(0.0, 0.0)
    assert is_due(nothing, nothing, 0, 0.0)
    assert not is_due(nothing, TimeTaken(9.0, 9.0), 1, PAUSE / 2)
    assert is_due(nothing, TimeTaken(9.0, 9.0), 1, PAUSE)
    assert not is_due(TimeTaken(10.0, 10.0), TimeTaken(9.0, 9.0), HURRIED, LONG_AGO)


def test_the_end_of_a_fit_is_seen_however_seldom_pictures_are(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "is_due", lambda fit, drawing, frames, since_last: frames == 0)
    stack, backend = load_stack(write_material(tmp_path / "stone", 48, 32)), make_backend("cpu")
    pictures = live.LivePictures(stack, backend, Precision())
    compress_stack(
        stack, tmp_path / "x.igs", preset_settings(Preset.FAST), backend, control=FitControl(1, pictures.offer)
    )
    pictures.draw_last()
    pictures.draw_last()  # nothing new
    pictures.close()
    assert [frame.number for frame in pictures.frames] == [0, 1]
    assert pictures.frames[-1].step == pictures.frames[-1].steps


def test_colours_under_full_transparency_are_no_error(tmp_path):
    """Such colours are free, and a picture of errors that shows them says a good file is bad."""
    texels = np.zeros((96, 96, 4), np.uint8)
    texels[:, :48] = 255
    texels[:, :48, 0] = 128 + 100 * np.sin(np.arange(48) / 5) * np.cos(np.arange(96) / 7)[:, None]
    texels[:, 48:, :3] = np.random.default_rng(0).integers(0, 256, (96, 48, 3))
    write_image(tmp_path / "leaf.png", texels)
    stack, backend = load_stack(tmp_path / "leaf.png"), make_backend("cpu")
    seen = []
    settings = replace(preset_settings(Preset.FAST), gaussian_count=200)
    compress_stack(stack, tmp_path / "x.igs", settings, backend, control=FitControl(5, seen.append))
    assert stack.drawn_of(0) is not None
    free = stack.texels.copy()
    free[:, 48:, :3] = np.random.default_rng(0).random((96, 48, 3))  # loading has put something smooth there
    frame = live.draw(seen[-1], replace(stack, texels=free), 0, backend, with_gaussians=False)
    assert float(frame.error_words.split()[0]) < 15  # of noise it would be 50 or more
