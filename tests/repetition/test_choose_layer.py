"""A layer of a picture's cells: what all have, what differs, and weights of cells that the border cuts."""

import numpy as np
import pytest
from helpers.made_lattice import made_tiles

from imagegs_tex.formats.igs.repeat_layer import Lattice, pack_repeat, unpack_repeat
from imagegs_tex.formats.igs.repeat_picture import repeat_picture
from imagegs_tex.repetition.cell_pictures import CellPictures, cells_of
from imagegs_tex.repetition.choose_layer import RepeatCoefficients, drawn_pictures
from imagegs_tex.repetition.find_lattice import Repetition


def layer_of(picture, lattice, step, *, side_log2=2, parts=(1, 1)):
    cells = CellPictures.of(picture, Repetition(lattice, parts, 1.0))
    return RepeatCoefficients.of(cells, side_log2).layer(step)


def error(picture, layer):
    size = picture.shape[1], picture.shape[0]
    again = unpack_repeat(pack_repeat(layer, size), size, picture.shape[2])
    return float(np.square(picture - repeat_picture(again, size, size)).mean())


@pytest.mark.parametrize("lattice", [Lattice((16, 12)), Lattice((16, 12), (5, 3)), Lattice((16, 12), (0, 0), 8)])
@pytest.mark.parametrize("side_log2", [2, 3])
def test_what_is_left_is_noise(lattice, side_log2):
    picture = made_tiles(size=(150, 110), shift=lattice.shift)
    picture = np.roll(picture, (-lattice.origin[1], -lattice.origin[0]), axis=(0, 1))[:-12, :-16] - 0.4
    layer = layer_of(picture, lattice, 0.005, side_log2=side_log2)
    assert 1 <= len(layer.weight_codes) <= 6
    assert error(picture, layer) < 1.4 * 0.01**2


def test_finer_steps_are_nearer():
    picture = made_tiles() - 0.4
    errors = [error(picture, layer_of(picture, Lattice((16, 12)), step)) for step in (0.3, 0.1, 0.03, 0.01)]
    assert errors == sorted(errors, reverse=True)


def test_parts_have_components_of_their_own():
    picture = made_tiles(size=(160, 120), period=(16, 12)) - 0.4
    layer = layer_of(picture, Lattice((16, 24)), 0.02, parts=(1, 2))
    pictures = drawn_pictures(layer.blocks, (16, 24), layer.picture_count)
    strong = np.abs(pictures[1:3]).mean(axis=(2, 3))
    upper = strong[:, :12].mean(axis=1) > 5 * strong[:, 12:].mean(axis=1)
    lower = strong[:, 12:].mean(axis=1) > 5 * strong[:, :12].mean(axis=1)
    assert np.all(upper != lower)
    assert upper.sum() == lower.sum() == 1


def test_nothing_worth_a_bit():
    picture = made_tiles() - 0.4
    assert layer_of(picture, Lattice((16, 12)), 16.0) is None
    assert CellPictures.of(picture, Repetition(Lattice((200, 12)), (1, 1), 1.0)) is None


def test_cells_cover_a_picture_once():
    for lattice in (
        Lattice((16, 12)),
        Lattice((16, 12), (5, 3)),
        Lattice((7, 5), (3, 4), 3),
        Lattice((300, 200), (9, 9)),
    ):
        seen = np.zeros((31, 45), int)
        for cell in cells_of(lattice, (45, 31)):
            seen[cell.texels] += 1
        assert np.all(seen == 1)
