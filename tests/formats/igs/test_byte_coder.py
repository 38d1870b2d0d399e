"""Codec 6 against what docs/igs-format.md says of it, and what it is for."""

import re

import numpy as np
import pytest
from helpers.igs_sets import ENTRY, HEADER, File, assert_equal_sets, make_maps, make_set
from helpers.plain_description import DescriptionDecoder

from imagegs_tex.formats.errors import IgsError
from imagegs_tex.formats.igs import byte_coder
from imagegs_tex.formats.igs.compiled_coder import COMPONENTS, MAPS
from imagegs_tex.formats.igs.container import decode_igs, encode_igs, plain_sections
from imagegs_tex.formats.igs.plane_coders import Codec, Description, decode_description, encode_description
from imagegs_tex.formats.igs.section_codecs import MOST_DESCRIBED_BYTES
from imagegs_tex.formats.igs.usual_maps import USUAL_MAPS
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, TextureMap, Transfer

FORMS = [(1, 1), (5, 3), (9, 9), (32, 12)]


def sections(channels, components):
    return plain_sections(make_set(channels, channels=channels, components=components))[:2]


def codecs_of(data):
    return [ENTRY.unpack_from(data, HEADER.size + index * ENTRY.size)[1] for index in range(2)]


@pytest.mark.parametrize("fields", FORMS)
def test_the_page_decodes_what_is_coded(fields):
    maps, components = sections(*fields)
    coded = encode_description(maps, Description(MAPS, *fields))
    decoder = DescriptionDecoder(coded, USUAL_MAPS)
    assert decoder.read(len(maps)) == maps
    assert decoder.passed + 1 == len(coded)
    coded = encode_description(components, Description(COMPONENTS, *fields))
    decoder = DescriptionDecoder(coded, fields=fields)
    assert decoder.read(len(components)) == components
    assert decoder.passed + 1 == len(coded)


@pytest.mark.parametrize("fields", FORMS)
def test_numba_and_c_give_the_same_bytes(fields):
    for raw, section in zip(sections(*fields), (MAPS, COMPONENTS), strict=True):
        values, room = np.frombuffer(raw, np.uint8).astype(np.int32)[:, None], np.zeros(16 * len(raw), np.uint8)
        if section == MAPS:
            used = byte_coder.code_maps(values, room, decoding=False)
        else:
            used = byte_coder.code_components(values, room, *fields, decoding=False)
        described = Description(section, *fields)
        assert room[:used].tobytes() == encode_description(raw, described)
        assert decode_description(room[:used].tobytes(), len(raw), described) == raw
        with pytest.raises(ValueError, match="takes"):
            decode_description(room[: used + 1].tobytes(), len(raw), described)


def test_the_page_and_the_c_header_have_what_is_known_of_maps(repository):
    page = (repository / "docs" / "igs-format.md").read_text("utf-8").split("**What is known of section maps**")[1]
    assert bytes.fromhex(page.split("```")[1]) == USUAL_MAPS
    header = (repository / "runtime" / "c" / "igs.h").read_text("utf-8").split("igs__usual_maps[")[1]
    assert bytes(map(int, re.findall(r"\d+", header.split("{")[1].split("}")[0]))) == USUAL_MAPS


def test_usual_maps_cost_next_to_nothing():
    def texture_map(name, semantic, transfer, channels):
        routes = tuple(map(Coded, channels))
        return TextureMap(
            name=name, file_suffix=".png", semantic=semantic, channel_semantics=(semantic,) * len(routes),
            transfer=transfer, sample_format=SampleFormat.UINT8, routes=routes, log_range=(0.0, 1.0),
        )  # fmt: skip

    usual = (
        texture_map("basecolor", Semantic.BASE_COLOUR, Transfer.SRGB, (0, 1, 2)),
        texture_map("height", Semantic.HEIGHT, Transfer.LINEAR, (3,)),
        texture_map("roughness", Semantic.ROUGHNESS, Transfer.LINEAR, (4,)),
    )
    (raw, *_) = plain_sections(make_set(maps=usual, channels=5))
    assert len(raw) > 70
    assert len(encode_description(raw, Description(MAPS, 5, 3))) <= 20


def test_files_use_it_for_both_sections_up_to_its_length():
    data = encode_igs(make_set())
    assert codecs_of(data) == [Codec.DESCRIPTION] * 2
    long = make_set(maps=make_maps(5, name="n" * 1000 + "é"))
    assert len(plain_sections(long)[0]) < MOST_DESCRIBED_BYTES
    longer = make_set(maps=tuple(make_maps(5, name=f"{i}" * 1000)[0] for i in range(5)), channels=5)
    assert len(plain_sections(longer)[0]) > MOST_DESCRIBED_BYTES
    for quantized, codec in ((long, Codec.DESCRIPTION), (longer, Codec.ZSTD)):
        data = encode_igs(quantized)
        assert codecs_of(data) == [codec, Codec.DESCRIPTION]
        assert_equal_sets(decode_igs(data), quantized)


@pytest.mark.parametrize(
    ("entry", "section", "raw", "words"),
    [
        ({"codec": 6}, 2, None, "section cells has the unknown codec 6"),
        ({"codec": 6}, 3, None, "section positions has the unknown codec 6"),
        ({"codec": 6, "raw": 4097}, 0, bytes(100), "section maps has too many codes for its codec"),
        ({"codec": 6, "raw": 0}, 1, bytes(9), "section components has too many codes for its codec"),
        ({"codec": 6, "raw": 40}, 0, bytes(100), "section maps is not what its codes take"),
    ],
)
def test_what_is_not_its_kind_is_refused(entry, section, raw, words):
    file = File.split(encode_igs(make_set()))
    file.entries[section].update(entry)
    if raw is not None:
        file.frames[section] = raw
    with pytest.raises(IgsError, match=words):
        decode_igs(file.join())


def test_it_is_of_version_4():
    quantized = make_set()
    file = File.split(encode_igs(quantized))
    file.entries[0]["codec"] = Codec.DESCRIPTION
    file.frames[0] = encode_description(file.raws[0], Description(MAPS, 5, 3))
    assert_equal_sets(decode_igs(file.join()), quantized)
    file.header["version"] = 3
    with pytest.raises(IgsError, match="section maps has the unknown codec 6"):
        decode_igs(file.join())
