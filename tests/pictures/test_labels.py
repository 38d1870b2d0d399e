import numpy as np
import pytest

from imagegs_tex.pictures.labels import GAP, PAPER, Panel, Scale, Sheet, draw_sheet, drawable
from imagegs_tex.pictures.tiling import level_strip, tiled


def picture(width, height, colour=(200, 30, 60)):
    return np.broadcast_to(np.array(colour, np.uint8), (height, width, 3))


def boxes(sheet, colour):
    rows, columns = np.nonzero((np.asarray(sheet) == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_panels_stand_side_by_side_below_their_words():
    sheet = draw_sheet(Sheet([Panel(picture(300, 200), "one"), Panel(picture(300, 200, (1, 250, 2)), "two", "a note")]))
    first, second = boxes(sheet, (200, 30, 60)), boxes(sheet, (1, 250, 2))
    assert first[1] == second[1] > GAP  # one line, with the words above
    assert first[0] == GAP
    assert second[0] == first[2] + GAP
    assert sheet.size == (2 * 300 + 3 * GAP, first[3] + GAP)
    words = np.asarray(sheet)[GAP : first[1], GAP:300]
    assert (words != PAPER).any()


def test_rows_follow_the_columns():
    panels = [Panel(picture(256, 100, (10 * k + 100, 1, 2)), str(k)) for k in range(3)]
    sheet = draw_sheet(Sheet(panels, columns=2))
    first, third = boxes(sheet, (100, 1, 2)), boxes(sheet, (120, 1, 2))
    assert first[0] == third[0]
    assert third[1] > first[3]


def test_small_pictures_are_enlarged_and_long_words_stay_inside():
    sheet = draw_sheet(Sheet([Panel(picture(16, 16), "x" * 190, "two words " * 15)], foot=("W" * 100,)))
    left, _, right, _ = boxes(sheet, (200, 30, 60))
    assert right - left == 256
    assert sheet.size[0] == 256 + 2 * GAP
    margins = np.asarray(sheet)[:, [*range(GAP - 1), *range(257 + GAP, 256 + 2 * GAP)]]  # but for blur
    assert (margins == PAPER).all()


def test_a_scale_has_its_colours_under_the_panel():
    sheet = np.asarray(draw_sheet(Sheet([Panel(picture(256, 50), "error", scale=Scale("0", "10 %"))])))
    bottom = boxes(sheet, (200, 30, 60))[3]
    ramp = sheet[bottom + 10, GAP : GAP + 256].astype(int).sum(axis=1)
    assert ramp[0] < 30
    assert ramp[-1] > 600


def test_no_panel_is_no_sheet():
    with pytest.raises(ValueError, match="at least one panel"):
        draw_sheet(Sheet([]))


def test_text_of_any_origin_becomes_one_line_that_the_font_can_draw():
    assert drawable("stone 12.5 % (x)") == "stone 12.5 % (x)"
    assert drawable("caf\xe9") == "cafe"
    assert drawable("石") == "\\u77f3"
    assert drawable("a\nb\x1b[31m\u202e") == "a\\nb\\x1b[31m\\u202e"


def test_tiles_and_levels():
    tile = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(tiled(tile)[2:, 2:], tile)
    strip = level_strip([picture(8, 4), picture(4, 2), picture(2, 1)], gap=1)
    assert strip.shape == (4, 16, 3)
    assert strip[3, 9].tolist() == list(PAPER)
    assert strip[1, 9].tolist() == [200, 30, 60]
