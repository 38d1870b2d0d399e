import re

import numpy as np
import pytest
from helpers.plain_map import make_map

from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    MAX_CHANNELS,
    SCALAR_SEMANTICS,
    Coded,
    Constant,
    SampleFormat,
    Semantic,
    Transfer,
    UnitZ,
)


def test_ids_in_files_never_change():
    assert {s.name.lower(): s.value for s in Semantic} == {
        "data": 0, "base_colour": 1, "normal": 2, "roughness": 3, "gloss": 4, "metallic": 5, "occlusion": 6,
        "height": 7, "opacity": 8, "emissive": 9, "specular": 10, "image": 11, "mask": 12, "subsurface": 13,
        "transmission": 14, "clearcoat": 15, "sheen": 16, "anisotropy": 17, "cavity": 18,
    }  # fmt: skip
    assert [(t.name, t.value) for t in Transfer] == [("LINEAR", 0), ("SRGB", 1), ("LOG", 2)]
    assert [(f.name, f.value) for f in SampleFormat] == [("UINT8", 0), ("UINT16", 1), ("FLOAT16", 2), ("FLOAT32", 3)]


def test_conventions_list_the_same_ids(repository):
    text = " ".join((repository / "docs" / "conventions.md").read_text(encoding="utf-8").split())
    for semantic in Semantic:
        assert f"{semantic.value} {semantic.name.lower()}" in text


def test_the_readers_in_c_and_for_the_web_have_the_same_list(repository):
    names = [semantic.name.lower() for semantic in Semantic]
    header = (repository / "runtime" / "c" / "igs.h").read_text(encoding="utf-8")
    listed = re.search(r"enum \{([^}]*)IGS_SEMANTICS", header)[1]
    assert [name.lower() for name in re.findall(r"IGS_(\w+),", listed)] == names
    script = (repository / "runtime" / "web" / "igs.js").read_text(encoding="utf-8")
    assert re.findall(r"'(\w+)'", re.search(r"SEMANTICS = \[([^\]]*)\]", script)[1]) == names


def test_a_colour_is_no_scalar():
    assert not COLOUR_SEMANTICS & SCALAR_SEMANTICS


@pytest.mark.parametrize(
    "bad",
    [
        {"routes": []},
        {"routes": [Coded(0)] * (MAX_CHANNELS + 1)},
        {"routes": [Coded(-1)]},
        {"routes": [Constant(float("nan"))]},
        {"routes": [Coded(0)], "log_range": (1.0, 1.0)},
        {"routes": [Coded(0)], "log_range": (0.0, float("inf"))},
        {"routes": [Coded(0), Coded(1), UnitZ()]},  # not a normal
        {"routes": [Coded(0), UnitZ()], "semantic": Semantic.NORMAL},
        {"routes": [UnitZ(), Coded(0), Coded(1)], "semantic": Semantic.NORMAL},
        {"routes": [Coded(0), Coded(1), UnitZ()], "semantic": Semantic.NORMAL, "transfer": Transfer.LOG},
        {"routes": [Coded(0), Coded(1), UnitZ(), UnitZ()], "semantic": Semantic.DATA},
    ],
)
def test_a_map_refuses_contradictions(bad):
    with pytest.raises(ValueError, match=r"\w"):
        make_map(**bad)


def test_sample_formats_and_dtypes():
    for sample_format in SampleFormat:
        assert SampleFormat.of(sample_format.dtype) == sample_format
        assert SampleFormat.of(sample_format.dtype.newbyteorder()) == sample_format
    with pytest.raises(ValueError, match="int32"):
        SampleFormat.of(np.dtype(np.int32))
