"""A result's word is that of its worst map, and each map says what it goes by."""

from dataclasses import replace
from types import SimpleNamespace

from imagegs_tex.advice import Closeness
from imagegs_tex.metrics.scores import MapScore
from imagegs_tex.studio.closeness import closeness_words, measured, worst_of
from imagegs_tex.studio.markup import closeness_list, score_rows

COLOUR = MapScore(
    name="base<colour>", semantic="base_colour", channels=3, psnr_db=38.0, ssim=0.9, flip=0.04,
    normal_degrees_mean=None, normal_degrees_p95=None, squared_error=1.0, values=1, kept_contrast=(0.9, 1.0, 1.0, 1.0),
)  # fmt: skip
NORMAL = replace(COLOUR, name="normal", semantic="normal", flip=None, normal_degrees_mean=3.0, normal_degrees_p95=9.0)
GRAINY = replace(COLOUR, psnr_db=24.9, kept_contrast=(0.1, 0.6, 1.0, 1.0), kept_contrast_with_detail=(1.0,) * 4)


def test_all_maps_together_are_as_close_as_the_worst():
    assert worst_of([COLOUR, NORMAL]) == Closeness.CLOSE
    assert worst_of([COLOUR, GRAINY, NORMAL]) == Closeness.FAIR
    assert worst_of([replace(COLOUR, psnr_db=19.6), GRAINY]) == Closeness.ROUGH


def test_a_map_says_what_its_word_goes_by():
    assert closeness_words(COLOUR) == "hard to tell from the source (38.0 dB, FLIP 0.04)"
    assert "grain is drawn anew" in closeness_words(GRAINY)
    assert closeness_words(replace(NORMAL, normal_degrees_mean=12.0)).endswith("(38.0 dB, 12.0° off)")
    html = closeness_list([COLOUR, replace(NORMAL, normal_degrees_mean=12.0)])
    assert "base&lt;colour&gt;" in html
    assert html.index(">close<") < html.index(">rough<")
    assert [row[2] for row in score_rows([COLOUR, GRAINY])] == ["close", "fair"]
    assert closeness_list([]) == ""


def test_words_go_by_the_report_and_by_flip_of_all_colours():
    report = SimpleNamespace(maps=(replace(GRAINY, flip=None), replace(NORMAL, normal_degrees_structure=0.5)))
    scores = (replace(GRAINY, kept_contrast_with_detail=None), replace(NORMAL, normal_degrees_mean=8.0))
    found = measured(SimpleNamespace(report=report, scores=scores))
    assert [score.flip for score in found] == [0.04, None]
    assert (found[0].kept_contrast_with_detail, found[1].normal_degrees_structure) == ((1.0,) * 4, 0.5)
    assert measured(SimpleNamespace(report=None, scores=())) == []
