"""Every setting by its name: one definition, read from text, files and forms."""

import dataclasses

import pytest

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.setting_list import by_topic, list_settings, parse_setting, text_of, with_settings
from imagegs_tex.settings import (
    MEANING,
    CompressSettings,
    FitSettings,
    InitialPlacement,
    PopulationChange,
    Precision,
    Preset,
    Topic,
    preset_settings,
)

SETTINGS = {setting.name: setting for setting in list_settings()}
PRESET = preset_settings(Preset.FAST)


def page_rows():
    """The headings and rows of docs/settings.md that the definition makes."""
    rows = []
    for topic, settings in by_topic(SETTINGS.values()).items():
        rows += [f"## {topic}", *rows_of(settings)]
    return rows


def rows_of(settings):
    rows = []
    for setting in settings:
        default = text_of(setting.default).replace(",", ", ")
        if setting.presets:
            default = ", ".join(f"{preset} {text_of(value)}" for preset, value in setting.presets)
        words = f"{setting.meaning} ({setting.unit})" if setting.unit else setting.meaning
        words = f"{words}; {setting.reason}" if setting.reason else words
        span = setting.range.replace("|", " or ")
        rows.append(f"| `{setting.name}` | {default} | {span} | {words} |")
    return rows


def test_the_page_has_every_setting_as_it_is_defined(repository):
    lines = (repository / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(("| `", "## "))] == page_rows()


def test_every_setting_stands_under_one_heading_and_is_told_in_a_sentence():
    found = by_topic(SETTINGS.values())
    assert list(found) == list(Topic)
    assert sorted(setting.name for own in found.values() for setting in own) == sorted(SETTINGS)
    assert {setting.topic for setting in SETTINGS.values() if setting.group == "precision"} == {Topic.PRECISION}
    for setting in SETTINGS.values():
        assert setting.meaning[0].isupper()
        assert len(setting.meaning) > 20


def test_every_field_is_a_setting_with_words_and_a_default_within_its_range():
    names = [field.name for kind in (FitSettings, Precision) for field in dataclasses.fields(kind)]
    assert list(SETTINGS) == names
    for kind in (FitSettings, Precision):
        assert all(MEANING in field.metadata for field in dataclasses.fields(kind))
    for setting in SETTINGS.values():
        assert setting.meaning
        assert parse_setting(setting, text_of(setting.default)) == setting.default


def test_presets_are_told_where_they_differ():
    assert dict(SETTINGS["steps"].presets) == {"fast": 60, "balanced": 240, "best": 800}
    assert SETTINGS["seed"].presets == ()


@pytest.mark.parametrize(
    ("text", "group", "value"),
    [
        ("steps=400", "fit", 400),
        (" mean_rate = 0.2 ", "fit", 0.2),
        ("init=random", "fit", InitialPlacement.RANDOM),
        ("time_budget=none", "fit", None),
        ("time_budget=2.5", "fit", 2.5),
        ("population=none", "fit", ()),
        ("population=0.2:1:1.5,0.5:0.9:1", "fit", (PopulationChange(0.2, 1, 1.5), PopulationChange(0.5, 0.9, 1))),
        ("size_step=0.2", "precision", 0.2),
        ("feature_exponent=0.4375", "precision", 0.4375),
    ],
)
def test_a_value_is_set_by_name(text, group, value):
    found = with_settings(PRESET, [text])
    name = text.partition("=")[0].strip()
    assert getattr(getattr(found, group), name) == value
    assert type(getattr(getattr(found, group), name)) is type(value)
    changed = dataclasses.replace(getattr(PRESET, group), **{name: value})
    assert found == dataclasses.replace(PRESET, **{group: changed})


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("stps=3", "is steps"),
        ("Mean-Rate=0.2", "is mean_rate"),
        ("steps=0", "is 1"),
        ("steps=2.4", "is 2"),
        ("steps=many", "is 240"),
        ("steps=nan", "is 240"),
        ("steps=inf", "is 100000"),
        ("init=grad", "is gradient"),
        ("cutoff=40", "is 32"),
        ("feature_exponent=0.45", "is 0.4375"),
        ("population=0.5:1:1.5", "is 0.12:1:1.5,0.25:1:1.4,0.38:1:1.3,0.5:1:1"),
        ("population=0.5:1:1.5,0.2:1:1", "is 0.12:"),
        ("population=0.5:1", "is 0.12:"),
        ("steps", "like steps=400"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_nearest_right(text, nearest):
    with pytest.raises(UsageError) as raised:
        with_settings(PRESET, [text])
    assert nearest in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_has_names_at_the_top_or_in_their_group(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("steps = 30\npopulation = [[0.2, 1, 1.2], [0.5, 1, 1]]\n[precision]\nsize_step = 0.3\n")
    found = with_settings(CompressSettings(), [], file)
    assert (found.fit.steps, found.precision.size_step) == (30, 0.3)
    assert found.fit.population == (PopulationChange(0.2, 1, 1.2), PopulationChange(0.5, 1, 1))
    assert with_settings(CompressSettings(), ["steps=31"], file).fit.steps == 31


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("stps = 3", UsageError, "the nearest is steps"),
        ("steps = true", UsageError, "is not 1 to 100000"),
        ("steps = [3]", UsageError, "is not 1 to 100000"),
        ("[fit]\nsize_step = 0.2", UsageError, "under [precision]"),
        ("steps = 3\n[fit]\nsteps = 4", UsageError, "belongs once"),
        ("steps = = 3", InputError, "is no TOML"),
        ("[other]\nsteps = 3", UsageError, "no setting is called other"),
    ],
)
def test_a_wrong_file_is_one_line(text, error, words, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(error) as raised:
        with_settings(CompressSettings(), [], file)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_setting_given_twice_are_said(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        with_settings(CompressSettings(), [], tmp_path / "none.toml")
    with pytest.raises(UsageError, match="steps: it is given twice"):
        with_settings(CompressSettings(), ["steps=3"], named={"steps": 4})
    with pytest.raises(
        UsageError, match="--random-share: random_share = 2 is not 0 to 1; the nearest right value is 1"
    ):
        with_settings(CompressSettings(), [], named={"random_share": 2})
