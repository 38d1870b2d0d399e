"""Source images for the viewer: codes of 8 bits, as it draws a decode's."""

from pathlib import Path

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set

import imagegs_tex
from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.igs.container import encode_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, Transfer
from imagegs_tex.viewing.source_pictures import source_picture, source_pictures

MAPS = (
    made_map("colour", Semantic.BASE_COLOUR, tuple(map(Coded, range(3))), Transfer.SRGB),
    made_map("rough", Semantic.ROUGHNESS, (Coded(3),), Transfer.LINEAR),
)


def codes_of(picture):
    codes, sample_format = read_image(Path("picture.png"), picture)
    assert sample_format == SampleFormat.UINT8
    return codes


def test_each_map_of_a_file_gets_the_source_of_its_name(tmp_path):
    file, source = tmp_path / "stone.igs", tmp_path / "source"
    file.write_bytes(encode_igs(made_set(24, 16, 20, 4, components=4, maps=MAPS)))
    imagegs_tex.decode(file, source)
    found = [codes_of(picture) for picture in source_pictures(file, source)]
    for each, codes in zip(MAPS, found, strict=True):
        assert (codes == read_image(source / f"{each.name}.png")[0]).all()
    write_image(source / "rough.png", np.zeros((8, 8), np.uint8))
    write_image(source / "colour.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="8 x 8 texels where the file has 24 x 16"):
        source_pictures(file, source)


def test_words_and_light_become_codes():
    height = made_map("height", Semantic.HEIGHT, (Coded(0),), Transfer.LINEAR, sample_format=SampleFormat.UINT16)
    words = np.array([[[0], [128 * 257], [65535]]], np.uint16)
    assert codes_of(source_picture(words, height)).ravel().tolist() == [0, 128, 255]
    light = made_map("light", Semantic.EMISSIVE, (Coded(0),), Transfer.LOG, (0.0, 4.0), None, SampleFormat.FLOAT32)
    codes = codes_of(source_picture(np.array([[[0], [0.25], [4]]], np.float32), light))
    grown = np.log2(1 + np.array([0, 0.25, 4]) * 64)
    assert codes.ravel().tolist() == np.rint(255 * grown / grown[-1]).tolist()
