"""Addresses in glTFs that lead to a file which is not called exactly so: escapes, queries, capitals, Unicode forms."""

import base64
import json
import unicodedata
from urllib.parse import quote_from_bytes

import numpy as np
import pytest
from helpers.noise_maps import noise

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.images import encode_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.material.stack import expand_map

NOISE = noise(1, 2, 3)
PICTURE = encode_image(NOISE, ".png")
NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def asset(folder, *uris):
    """Write an asset whose n-th material shows the n-th address as its normals."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "asset": {"version": "2.0"}, "images": [{"uri": uri} for uri in uris],
        "textures": [{"source": index} for index in range(len(uris))],
        "materials": [{"normalTexture": {"index": index}} for index in range(len(uris))],
    }  # fmt: skip
    (folder / "x.gltf").write_text(json.dumps(document), encoding="utf-8")
    return folder / "x.gltf"


def only_map(path, **options):
    stack = load_stack(path, SourceOptions(**options))
    (found,) = stack.maps
    return found, expand_map(stack.texels, found)


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("tex/a b.png", "tex//a b.png"),
        ("tex/a b.png", "tex\\\\a%20b.png"),
        ("tex/a.png", "tex/../tex/a.png"),
        ("tex/a.png", "other/../tex/./a.png"),
        ("tex/a+b.png", "tex/a+b.png"),
        ("tex/a#1.png", "tex/a#1.png"),
        ("tex/a#1.png", "tex/a%231.png"),
        ("tex/a%20c.png", "tex/a%20c.png"),
        (f"tex/{NFC}.png", "tex/caf%c3%a9.png"),
    ],
)
def test_the_file_is_called_what_the_address_says(tmp_path, name, uri):
    for folder in ("tex", "other"):
        (tmp_path / folder).mkdir()
    (tmp_path / name).write_bytes(PICTURE)
    found, texels = only_map(asset(tmp_path, uri))
    assert np.array_equal(texels, NOISE)
    assert "its file" not in found.notes


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("tex/a b.png", "Tex/A B.PNG"),
        ("tex/a b.png", "TEX\\a%20B.png"),
        (f"tex/{NFC}.png", f"tex/{NFD}.png"),
        (f"tex/{NFD}.png", "tex/caf%C3%A9.png"),
        ("tex/a.png", "tex/a.png?v=2"),
        ("tex/a.png", "tex/a.png#0"),
    ],
)
def test_a_file_that_is_called_otherwise_is_found_and_said(tmp_path, name, uri):
    (tmp_path / "tex").mkdir()
    (tmp_path / name).write_bytes(PICTURE)
    found, texels = only_map(asset(tmp_path, uri))
    assert np.array_equal(texels, NOISE)
    assert f"in the asset, is {name.partition('/')[2]}" in found.notes


def test_of_two_files_that_capitals_tell_apart_the_exact_one_is_taken_or_none(tmp_path):
    (tmp_path / "A.png").write_bytes(encode_image(noise(4, 5, 6), ".png"))
    (tmp_path / "a.png").write_bytes(PICTURE)
    assert np.array_equal(only_map(asset(tmp_path, "a.png"))[1], NOISE)
    with pytest.raises(InputError, match=r"a\.PNG does not exist"):
        load_stack(asset(tmp_path, "a.PNG"))


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("C:\\art\\tex\\a.png", "is an absolute path"),
        ("c:/art/tex/a.png", "is an absolute path"),
        ("file:tex/a.png", "is an address"),
        ("TEX/../../SECRET.png", "leads outside the folder"),
        ("Link/a.png", "is a link that leads outside"),
        ("tex/..%5c..%5csecret.png", "leads outside the folder"),
        ("/TEX/a.png", "is an absolute path"),
    ],
)
def test_what_is_found_otherwise_still_lies_below_the_asset(tmp_path, uri, words):
    home = tmp_path / "home"
    (home / "tex").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for place in (tmp_path / "secret.png", tmp_path / "out" / "a.png", home / "tex" / "a.png"):
        place.write_bytes(PICTURE)
    (home / "link").symlink_to(tmp_path / "out")
    with pytest.raises(InputError, match=words):
        load_stack(asset(home, uri))


PAYLOAD = base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    "uri",
    [
        "data:image/png," + quote_from_bytes(PICTURE),
        f"DATA:IMAGE/PNG;BASE64,{PAYLOAD}",
        f"data:image/png;base64,{PAYLOAD[:10]}\t{PAYLOAD[10:]}",
        f"data:image/png;base64 ,{PAYLOAD}",
        f"data:image/png;name=a%2Cb.png;base64,{PAYLOAD}",
        f"\n data:image/png;base64,{PAYLOAD}",
    ],
    ids=range(6),
)
def test_further_data_uris(tmp_path, uri):
    assert np.array_equal(only_map(asset(tmp_path, uri))[1], NOISE)


@pytest.mark.parametrize("other", ["./t/a.png", "t%2Fa%2Epng", "t\\a.png", "t/../t/a.png", "T/A.png"])
def test_one_picture_under_two_addresses_is_coded_once(tmp_path, other):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.png").write_bytes(PICTURE)
    path = asset(tmp_path, "t/a.png", other)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["materials"] = [
        {"occlusionTexture": {"index": 0}, "pbrMetallicRoughness": {"metallicRoughnessTexture": {"index": 1}}}
    ]
    path.write_text(json.dumps(document), encoding="utf-8")
    found, texels = only_map(path)
    assert [meaning.name for meaning in found.channel_semantics] == ["OCCLUSION", "ROUGHNESS", "METALLIC"]
    assert np.array_equal(texels, NOISE)
