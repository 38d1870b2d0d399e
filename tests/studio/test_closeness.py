"""A result says how many maps have which word, and each map what its word goes by."""

from dataclasses import replace
from types import SimpleNamespace

from imagegs_tex.metrics.scores import MapScore
from imagegs_tex.studio.closeness import closeness_words, measured, words_of_all
from imagegs_tex.studio.markup import closeness_list, score_rows

COLOUR = MapScore(
    name="base<colour>", semantic="base_colour", channels=3, psnr_db=38.0, ssim=0.9, flip=0.04,
    normal_degrees_mean=None, normal_degrees_p95=None, squared_error=1.0, values=1, kept_contrast=(0.9, 1.0, 1.0, 1.0),
)  # fmt: skip
NORMAL = replace(COLOUR, name="normal", semantic="normal", flip=None, normal_degrees_mean=3.0, normal_degrees_p95=9.0)
GRAINY = replace(COLOUR, psnr_db=24.9, kept_contrast=(0.1, 0.6, 1.0, 1.0), kept_contrast_with_detail=(1.0,) * 4)


def test_all_maps_together_say_how_many_have_which_word():
    assert words_of_all([COLOUR]) == ("Close", "hard to tell from the source")
    assert words_of_all([COLOUR, NORMAL])[0] == "2 close"
    counts, meanings = words_of_all([replace(COLOUR, psnr_db=19.6), COLOUR, GRAINY, NORMAL])
    assert counts == "2 close, 1 fair, 1 rough"
    assert meanings.startswith("close: hard to tell from the source; fair: alike from a step back")


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
