import pytest

from imagegs_tex.formats.vocabulary import Semantic
from imagegs_tex.studio.corrections import GREEN_TURNED, GREEN_UP, MapCorrection
from imagegs_tex.studio.map_table import map_change, map_table
from imagegs_tex.studio.reading import MapRow

GREY = (Semantic.ROUGHNESS,)
RGB = (Semantic.BASE_COLOUR,) * 3
NORMAL = (Semantic.NORMAL,) * 3
ROWS = (
    MapRow("rough", "rough.png", "4 × 4", "8 bits", GREY, "roughness", "", None, None, b""),
    MapRow("albedo", "albedo.png", "4 × 4", "8 bits", RGB, "base_colour", "", True, None, b""),
    MapRow("bumps", "bumps.png", "4 × 4", "8 bits", NORMAL, "normal", "", None, GREEN_UP, b""),
)
HAD = MapCorrection(meaning="gloss", is_left_out=True)


def said(row, field, value, file=None):
    return {"row": row, "file": ROWS[row].file if file is None else file, "field": field, "value": value}


@pytest.mark.parametrize(
    ("event", "name", "becomes"),
    [
        (said(0, "meaning", "height"), "rough", MapCorrection(meaning="height", is_left_out=True)),
        (said(0, "kept", "yes"), "rough", MapCorrection(meaning="gloss")),
        (said(2, "kept", "no"), "bumps", HAD),
        (said(1, "transfer", "linear"), "albedo", MapCorrection("gloss", is_srgb=False, is_left_out=True)),
        (said(2, "green", GREEN_TURNED), "bumps", MapCorrection("gloss", green=GREEN_TURNED, is_left_out=True)),
    ],
)
def test_a_field_changes_what_is_said_of_its_map(event, name, becomes):
    found, change = map_change(ROWS, event)
    assert (found, change(HAD)) == (name, becomes)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {**said(0, "kept", "no"), "row": 3},
        {**said(0, "kept", "no"), "row": -1},
        {**said(0, "kept", "no"), "row": "0"},
        {**said(0, "kept", "no"), "row": True},
        said(0, "kept", "no", file="albedo.png"),  # a page that is older than the table
        said(0, "kept", "perhaps"),
        said(0, "kept", None),
        said(0, "meaning", "nothing that there is"),
        said(0, "meaning", ["height"]),
        said(0, "transfer", "linear"),  # no colour
        said(1, "green", GREEN_UP),  # no normals
        said(0, "name", "x"),
    ],
)
def test_what_no_field_could_say_is_nothing(event):
    assert map_change(ROWS, event) is None


def test_a_field_shows_what_stands():
    html = map_table(ROWS, ["a.png", "b.png", "c.png"])
    assert html.count(" selected>") == 5  # three meanings, the transfer, the green
    assert '<option value="base_colour" selected>' in html
    assert f'<option value="{GREEN_UP}" selected>' in html
    assert html.count(" checked>") == 3
    assert " disabled" not in html
