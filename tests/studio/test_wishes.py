"""What the page asks for is what its command line asks for."""

import shlex
from pathlib import Path

import pytest

from imagegs_tex.cli.command_line import command_line as command_line_app
from imagegs_tex.cli.compress import compress
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.settings import DEFAULT_QUALITY, DetailMode, Preset, preset_settings
from imagegs_tex.studio.wishes import GOALS, Wish, command_line, file_name, quality_word, settings_of, with_whole_wrap

assert compress  # the command whose options are parsed below


@pytest.mark.parametrize(
    ("wish", "field", "value"),
    [
        (Wish("bytes", 12.5), "max_bytes", 12500),
        (Wish("psnr", 31.5), "target_psnr", 31.5),
        (Wish("quality", 60), "quality", 60.0),
        (Wish("bpp", 0.75), "bits_per_texel", 0.75),
        (Wish("gaussians", 1200), "gaussian_count", 1200),
    ],
)
def test_a_goal_is_one_setting(wish, field, value):
    settings = settings_of(wish)
    assert getattr(settings, field) == value
    given = (
        settings.quality,
        settings.gaussian_count,
        settings.bits_per_texel,
        settings.max_bytes,
        settings.target_psnr,
    )
    assert sum(each is not None for each in given) == 1


def test_defaults_are_the_defaults():
    assert settings_of(Wish()) == preset_settings(Preset.BALANCED)
    assert Wish().amount == DEFAULT_QUALITY
    assert settings_of(Wish(amount=51)).quality == 51
    assert settings_of(Wish(preset=Preset.FAST, detail=False)).detail == DetailMode.OFF


def test_qualities_have_the_nearest_name():
    assert [quality_word(quality) for quality in (1, 37, 38, 50, 80, 83, 100)] == [
        "small", "small", "good", "good", "high", "very high", "very high",
    ]  # fmt: skip


@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf"), 1e13])
def test_amounts_that_no_file_can_have_are_refused(amount):
    with pytest.raises(UsageError, match="above 0"):
        settings_of(Wish("bytes", amount))


def test_the_command_line_says_all_that_was_chosen():
    options = SourceOptions(wrap=(True, False), alpha=AlphaUse.DATA, normals=NormalCoding.UNIT)
    wish = Wish("bytes", 12.5, Preset.FAST, detail=False, backend="cpu")
    assert command_line(Path("my stone.zip"), "my stone.zip", options, wish) == (
        "imagegs-tex compress 'my stone.zip' -o 'my stone.igs' --max-bytes 12500 --preset fast --detail off "
        "--wrap repeat,clamp --alpha data --normals unit --backend cpu"
    )
    assert command_line(None, "x", SourceOptions(), Wish()) == "imagegs-tex compress INPUT -o x.igs"


@pytest.mark.parametrize(
    ("said", "whole"),
    [((None, None), (None, None)), ((False, None), (False, True)), ((None, True), (False, True))],
)
def test_what_is_said_of_one_direction_is_said_of_both(said, whole):
    """--wrap takes both or none: what was found of the other one goes with it."""
    assert with_whole_wrap(SourceOptions(wrap=said), (said == (None, None), True)).wrap == whole


@pytest.mark.parametrize("goal", [goal.key for goal in GOALS])
def test_the_command_line_is_understood_as_what_was_asked(goal, monkeypatch, tmp_path):
    """The parser of the real command makes the page's settings of the page's words."""
    wish = Wish(goal, 7 if goal != "gaussians" else 700.0, Preset.FAST, detail=False)
    seen = {}

    def fake(source, path, settings, *_, **__):
        seen.update(settings=settings, source=source)
        raise UsageError("enough")

    monkeypatch.setattr("imagegs_tex.api.compress", fake)
    monkeypatch.setattr("imagegs_tex.assets.is_asset", lambda *_: False)
    words = shlex.split(command_line(tmp_path, "stone", SourceOptions(), wish))
    words[words.index("-o") + 1] = str(tmp_path / "stone.igs")
    with pytest.raises(UsageError, match="enough"):
        command_line_app("compress", "decode")([*words[1:], "--quiet"], standalone_mode=False)
    assert seen["settings"] == settings_of(wish)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("stone.zip", "stone.igs"),
        ("stone", "stone.igs"),
        ("../../x", "_.._x.igs"),
        ("a b.glb", "a b.igs"),
        ("", "map.igs"),
    ],
)
def test_the_file_is_named_after_the_material(title, name):
    assert file_name(title) == name
