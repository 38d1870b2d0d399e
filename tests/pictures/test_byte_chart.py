import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set

from imagegs_tex.formats.igs.container import encode_igs, section_sizes
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.metrics.byte_ledger import byte_ledger
from imagegs_tex.pictures.byte_chart import BAR_WIDTH, COLOURS, Bar, BarGroup, byte_groups, draw_bars

MAPS = (made_map("wall", routes=(Coded(0), Coded(1))), made_map("\x1b[31m<script>", routes=(Coded(2),)))


@pytest.fixture(scope="module")
def groups_and_size():
    quantized = made_set(channels=3, maps=MAPS)
    data = encode_igs(quantized)
    sections = section_sizes(data)
    return byte_groups(sections, byte_ledger(quantized, sections), quantized.gaussian_count), len(data), quantized


def test_sections_add_up_to_the_file(groups_and_size):
    (sections, attributes, maps), size, quantized = groups_and_size
    assert sections.total == size
    assert sum(sections.share(bar) for bar in sections.bars) == pytest.approx(1)
    by_name = {bar.label: bar.value for bar in sections.bars}
    per_gaussian = {bar.label: bar.value for bar in attributes.bars}
    assert per_gaussian["features"] == pytest.approx(8 * by_name["features"] / quantized.gaussian_count)
    assert maps.total == pytest.approx(by_name["features"])
    assert [bar.label for bar in maps.bars] == [texture_map.name for texture_map in MAPS]


def test_bars_are_as_long_as_their_shares():
    group = BarGroup("some", (Bar("a", 3, "3"), Bar("b", 1, "1"), Bar("none", 0, "0")))
    picture = np.asarray(draw_bars([group], "heading"))
    lengths = [np.count_nonzero((picture == colour).all(axis=2), axis=1) for colour in COLOURS[:3]]
    assert lengths[0].max() == BAR_WIDTH * 3 / 4
    assert lengths[1].max() == BAR_WIDTH / 4
    assert lengths[2].max() == 0
    both = lengths[0] + lengths[1]
    assert (both == BAR_WIDTH).sum() == 18  # the bar of all


def test_the_bars_of_a_file_add_up_in_pixels(groups_and_size):
    groups, _, _ = groups_and_size
    picture = np.asarray(draw_bars(groups))
    coloured = np.zeros(picture.shape[:2], bool)
    for colour in COLOURS:
        coloured |= (picture == colour).all(axis=2)
    assert (coloured.sum(axis=1) == BAR_WIDTH).sum() == 3 * 18


def test_nothing_has_no_bars():
    assert BarGroup("none", (Bar("a", 0, "0"),)).share(Bar("a", 0, "0")) == 0
    draw_bars([BarGroup("none", (Bar("a", 0, "0"),))])
