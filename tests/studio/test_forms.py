"""The form of settings knows none by itself, and pieces of the page say numbers as people read them."""

import pytest

from imagegs_tex.fit.loop import FitProgress
from imagegs_tex.setting_list import list_settings, with_settings
from imagegs_tex.settings import Preset, preset_settings
from imagegs_tex.studio.charts import run_curves, sizes_curve
from imagegs_tex.studio.jobs import CurvePoint, Job, JobState, SizePoint
from imagegs_tex.studio.map_table import map_row
from imagegs_tex.studio.markup import (
    bytes_words,
    in_words_of_the_page,
    notice,
    seconds_words,
    status,
    table,
    text,
)
from imagegs_tex.studio.plain_words import plain
from imagegs_tex.studio.reading import MapRow
from imagegs_tex.studio.settings_form import assignments, build_settings_form, usual_words


def test_every_setting_has_a_field_and_says_what_it_means():
    import gradio

    with gradio.Blocks():
        fields = build_settings_form()
    settings = list_settings()
    assert sorted(fields) == sorted(setting.name for setting in settings)
    for setting in settings:
        field = fields[setting.name]
        assert field.value == ""
        assert field.info.startswith(setting.meaning)


def test_a_wide_table_is_a_list_on_a_telephone():
    html = table(("Map", "PSNR", "FLIP", "SSIM"), [["a<b", "21.5", "–", "1"]])
    assert '<table class="st-table st-many">' in html
    assert '<td data-label="PSNR">21.5</td><td data-label="FLIP" class="st-none">–</td>' in html
    assert "a&lt;b" in html
    assert "st-many" not in table(("Part", "Seconds"), [["Reading", "1.0"]])


def test_empty_fields_ask_for_nothing_and_others_for_what_set_takes():
    assert assignments({"steps": " ", "seed": None, "init": ""}) == ()
    asked = assignments({"steps": " 90 ", "seed": "", "init": "random"})
    assert asked == ("steps=90", "init=random")
    fit = with_settings(preset_settings(Preset.FAST), asked).fit
    assert (fit.steps, fit.init) == (90, "random")


def test_usual_values_name_the_presets():
    by_name = {setting.name: setting for setting in list_settings()}
    assert usual_words(by_name["steps"]) == "60 fast, 240 balanced, 800 best"
    assert usual_words(by_name["time_budget"]) == "none"


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1246, "1.2 kB"), (485_000, "485 kB"), (2.5e9, "2.5 GB")]
)
def test_sizes_are_said(count, words):
    assert bytes_words(count) == words


def test_advice_names_the_pages_fields():
    said = in_words_of_the_page("poor; --max-bytes 120kB is about the most that helps")
    assert said == 'poor; "File size" of 120kB is about the most that helps'
    assert in_words_of_the_page("give --wrap clamp, and so on") == "give --wrap clamp from a terminal, and so on"
    assert in_words_of_the_page("stone--normal.png is damaged") == "stone--normal.png is damaged"
    said = in_words_of_the_page("poor; --target-psnr 28.2 --target metallic=28 would, in less than --max-bytes 9kB")
    assert said == (
        'poor; --target-psnr 28.2 --target metallic=28 from a terminal would, in less than "File size" of 9kB'
    )
    assert in_words_of_the_page("give --target-psnr 30, or less") == 'give "PSNR" of 30, or less'
    assert in_words_of_the_page("--target normal=4deg takes 5kB") == "--target normal=4deg from a terminal takes 5kB"


def test_names_from_outside_are_escaped():
    hostile = '<img src=x onerror="alert(1)">\u202e'
    row = MapRow(hostile, hostile, "1 × 1", "8 bits", (), "data", hostile, None, None, b"")
    html = map_row(0, row, "studio/a/b.png")
    assert html.count("<img") == 1
    assert "\u202e" not in html
    assert "<" not in text(hostile)
    assert "<script>" not in notice("<script>")


def test_curves_keep_within_their_picture():
    points = [CurvePoint(second, "fitting", second, level, 5) for second, level in enumerate([20.0, 31.5, 28.0])]
    sizes = [
        SizePoint(0, "fitting", 9000, False),
        SizePoint(1, "fitting", 5000, False),
        SizePoint(2, "coding", 4500, True),
    ]
    html, of_bytes = run_curves(points, sizes).split("</figure>")[:2]
    assert "trials" not in html
    assert html.count('class="st-part"') == of_bytes.count('class="st-part"') == 1
    line = html.split('points="')[1].split('"')[0]
    assert [pair.split(",")[0] for pair in line.split()] == ["92.0", "321.0", "550.0"]
    assert [float(pair.split(",")[1]) for pair in line.split()][1] == 18  # the best is at the top
    assert "31.5" in html
    line = of_bytes.split('points="')[1].split('"')[0]
    assert line == "92.0,18.0 321.0,65.1"  # 9000 at the top, from 0 bytes at 124
    assert of_bytes.count('cx="550.0" cy="71.0"') == 1  # the file
    assert ">9.0 kB<" in of_bytes
    assert "The dot is the file." in of_bytes
    assert "dot" not in run_curves(points, sizes[:2])  # none is there yet
    assert "Each dot is a file." in run_curves(points, [*sizes, sizes[2]])
    assert run_curves(points[:1], sizes) == ""
    phases = ("fitting", "rounding", "fitting", "rounding")
    twice = [CurvePoint(second, phase, 1, 20.0, 5) for second, phase in enumerate(phases)]
    assert "next fit begins" in run_curves(twice, [])
    assert "next fit begins" not in run_curves(twice[:2], [])
    searched = [CurvePoint(second, "pilot 1 of 2", 1, 20.0, 5) for second in (0, 1)]
    searched += [CurvePoint(second, "fitting", 1, 21.0, 5) for second in (2, 3)]
    html = run_curves(searched, [])
    assert "short trials (pale)" in html
    assert ">trial 1</text>" in html
    assert ">fit</text>" in html
    assert html.count("st-trial") == 1
    assert sizes_curve([(4000, 30.0), (1000, 20.0)]).count("<circle") == 2


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (
            "normal; unit vectors, z from x and y, to 0.3/255",
            "normal; all of one length, so that blue follows from red and green",
        ),
        ("occlusion; grey: 3 channels share one", "occlusion; grey, kept once instead of 3 times"),
        ("normal; constant channel 3 = 1", "normal; alpha is 1 everywhere"),
        ("packed: occlusion, roughness, metallic", "several in one: occlusion, roughness, metallic"),
        ("something new", "something new"),
    ],
)
def test_notes_are_plain(note, words):
    assert plain(note) == words


def test_the_status_says_where_a_run_stands():
    job = Job("x", lambda own: None)
    assert "2 runs before yours" in status(job, 2)
    assert "You are next" in status(job, 0)
    job.state, job.error = JobState.FAILED, "a.png is <damaged>"
    assert "a.png is &lt;damaged&gt;" in status(job, 0)
    job.state = JobState.RUNNING
    assert "st-unknown" in status(job, 0)  # no share is known yet, and an empty bar would say that nothing happens
    job.progress, job.part = FitProgress("fitting", 3, 4, seconds=3.0), "Size 2 of 5"
    assert "Size 2 of 5 · <b>Fitting</b>" in status(job, 0)
    assert 'style="width:75.0%"' in status(job, 0)
    assert "left" not in status(job, 0)
    assert "about 2 min 10 s left in all" in status(job, 0, 134.0)
    times = {4.2: "4 s", 89: "89 s", 95: "1 min 30 s", 234: "3 min 50 s", 3000: "50 min"}
    assert {each: seconds_words(each) for each in times} == times
