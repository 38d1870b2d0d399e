"""The detail layer in the buffer and in the emitted files, and that other files have nothing of it."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from helpers.made_gaussians import made_set

from imagegs_tex.decoder.level_render import level_pictures
from imagegs_tex.formats.igs.detail_layer import DetailLayer
from imagegs_tex.formats.igs.noise_tile import noise_tile
from imagegs_tex.shaders.build_decoder import LANGUAGES, build_decoder
from imagegs_tex.shaders.decode_cost import decode_cost
from imagegs_tex.shaders.detail_constants import detail_multiply_adds
from imagegs_tex.shaders.emit import emit
from imagegs_tex.shaders.gpu_buffer import DIRECTORY_WORDS, pack_gaussians


def test_envelope_and_tile_lie_where_they_are_said_to():
    quantized = made_set(131, 77, 50, 4, detail={"grid": (5, 4)})
    packed = pack_gaussians(quantized, pictures=level_pictures(quantized))
    assert packed.envelope_at == packed.coarse_at + len(packed.coarse.words)
    assert packed.noise_at == 4  # behind the directory
    # cells; then a count, two heads of four words, four scales and two components in four channels
    assert (packed.ledger.envelope, packed.ledger.noise_tile) == (12 + 4 * (1 + 8 + 4 + 8), 16384)
    # the tile is there once for any number of materials and not among their bytes
    assert packed.ledger.total + packed.ledger.noise_tile == packed.words.nbytes - 4 * DIRECTORY_WORDS - 4
    words = packed.words[packed.material_at + packed.envelope_at :][:3]
    codes = [int(word) >> 4 * place & 15 for word in words for place in range(8)]
    assert codes == [*quantized.detail.envelope_codes.ravel().tolist(), 0, 0, 0, 0]
    tile = packed.words[packed.noise_at :][: 64 * 64].reshape(64, 64)
    for band in range(8):
        assert np.array_equal((tile >> np.uint32(4 * band) & np.uint32(15)).astype(int) - 8, noise_tile()[..., band])


def test_files_without_have_nothing_of_it():
    quantized = made_set(131, 77, 50, 4)
    plain, noisy = (build_decoder(replace(quantized, detail=made_set(detail=detail).detail)) for detail in (None, {}))
    ledger = plain.packed.ledger
    assert (ledger.envelope, ledger.noise_tile) == (0, 0)
    for name, text in plain.includes.items():
        for word in ("DETAIL", "NOISE", "envelope", "detail", "noise", "igs_hash", "IgsGrain"):
            assert word not in text
            assert word in noisy.includes[name]
        assert "texel = igs_add" not in text
    assert plain.cost.detail_multiply_adds == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_emitted_says_it(language, tmp_path):
    descriptions, pages = [], []
    for number, detail in enumerate((None, {"components": 3})):
        quantized = made_set(90, 70, 60, 4, detail=detail)
        emit(quantized, language, tmp_path / str(number))
        descriptions.append(json.loads((tmp_path / str(number) / f"igs_decode_{language}.json").read_text()))
        pages.append((tmp_path / str(number) / f"igs_readme_{language}.md").read_text())
    plain, noisy = descriptions
    sections = noisy["buffer"]["sections"]
    names = ["directory", "noise_tile", "header", "tiles", "envelope", "end"]
    assert [section["name"] for section in sections] == names
    for before, after in pairwise(sections):
        assert before["offset"] + before["bytes"] == after["offset"]
    assert noisy["buffer"]["bytes"] == sum(section["bytes"] for section in sections)
    assert noisy["noise_components"] == 3
    assert "noise_components" not in plain
    assert "detail_multiply_adds" not in plain["cost"]
    assert {section["name"] for section in plain["buffer"]["sections"]}.isdisjoint({"envelope", "noise_tile"})
    assert "IGS_DETAIL 0" in pages[1]
    assert f"\n{noisy['cost']['detail_multiply_adds']} of the multiply-adds" in pages[1]
    assert "IGS_DETAIL" not in pages[0]
    assert len(pages[1].splitlines()) < 80  # one page


def test_the_work_is_counted():
    layer = DetailLayer(
        band_codes=np.array([[9, 0, 0, 0, 0, 0, 0, 9], [0, 5, 0, 0, 0, 0, 0, 0]], np.uint8),
        channel_codes=np.zeros(3, np.uint8),
        mixing_codes=np.array([[5, 0], [1, 1], [0, 0]], np.int8),
        slope_codes=np.array([[7, 0, 0], [0, 0, 0]], np.int16),
        envelope_codes=np.zeros((1, 1), np.uint8),
    )
    # the envelope; grids, middle and strength of two components; bands, mixing; two strengths, their slopes
    assert detail_multiply_adds(layer) == 6 + 2 * (2 + 2) + 2 * 3 + 3 + 2 + 1
    shared = replace(layer, slope_codes=np.array([[7, 2, 0], [7, 2, 0]], np.int16))
    assert detail_multiply_adds(shared) == 6 + 2 * (2 + 2) + 2 * 3 + 3 + 1 + 2
    text = build_decoder(replace(made_set(90, 70, 60, 3), detail=shared)).includes["igs_decode.glsl"]
    assert text.count("= grain.envelope * clamp(") == 1
    quantized = made_set(90, 70, 60, 3)
    plain, noisy = (decode_cost(of, pack_gaussians(of)) for of in (quantized, replace(quantized, detail=layer)))
    assert noisy.detail_multiply_adds == 26
    assert noisy.multiply_adds_mean == pytest.approx(plain.multiply_adds_mean + 26)
    assert noisy.multiply_adds_max == plain.multiply_adds_max + 26
