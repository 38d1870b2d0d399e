import copy
import json
import os

import jsonschema
import numpy as np
import pytest
from helpers.noise_maps import noise, save
from helpers.public_materials import assert_same
from helpers.tiny_material import write_material
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import build_stack, load_stack
from imagegs_tex.formats.material.manifest import manifest_text, read_manifest
from imagegs_tex.formats.material.options import AlphaUse, NormalCoding, SourceOptions
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.open_material import read_material
from imagegs_tex.formats.vocabulary import Constant, Semantic, Transfer


@pytest.fixture(scope="module")
def schema(repository):
    found = json.loads((repository / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.fixture(scope="module")
def stone(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("material") / "stone")


def write(folder, *textures, **more):
    path = folder / "manifest.json"
    path.write_text(json.dumps({"textures": list(textures), **more}), encoding="utf-8")
    return path


AS_READ = SourceOptions(normals=NormalCoding.STORED, alpha=AlphaUse.DATA)


def saved(source, file):
    material = read_material(source)
    file.write_text(manifest_text(material, build_stack(material, AS_READ), file), encoding="utf-8")
    return build_stack(material)


# --- a saved manifest says all that was understood


@pytest.mark.parametrize("place", ["stone/m.json", "m.json", "elsewhere/deep/m.json"])
def test_a_saved_manifest_is_the_same_material(stone, tmp_path, schema, place):
    folder = tmp_path / "stone"
    folder.mkdir()
    for path in stone.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    file = tmp_path / place
    stack = saved(folder, file)
    document = json.loads(file.read_text(encoding="utf-8"))
    schema.validate(document)
    assert ("folder" in document) == place.startswith("elsewhere")
    assert str(tmp_path) not in file.read_text(encoding="utf-8")
    assert_same(load_stack(file), stack)
    assert saved(file, tmp_path / "again.json")
    assert_same(load_stack(tmp_path / "again.json"), stack)


def test_a_single_image_stays_one(tmp_path, schema):
    save(tmp_path, some_normal=noise(1, 2, 3, 4))
    stack = saved(tmp_path / "some_normal.png", tmp_path / "m.json")
    schema.validate(json.loads((tmp_path / "m.json").read_text()))
    assert_same(load_stack(tmp_path / "m.json"), stack)
    assert stack.maps[0].semantic == Semantic.IMAGE


def test_folders_with_several_files_of_one_semantic_are_saved_as_alternates(tmp_path, schema):
    save(
        tmp_path, Rock_NormalGL=noise(1, 2, 3), Rock_NormalDX=noise(1, 4, 3), Rock_arm=noise(5, 6, 7), Rock_ao=noise(5)
    )
    stack = saved(tmp_path, tmp_path / "m.json")
    document = json.loads((tmp_path / "m.json").read_text())
    schema.validate(document)
    assert [entry["name"] for entry in document["textures"] if entry.get("alternate")] == ["Rock_arm"]
    assert document["textures"][2]["note"] == "normal (OpenGL, green up)"  # which is kept of the two
    assert_same(load_stack(tmp_path / "m.json"), stack)


def test_wide_images_and_names_that_are_no_text(tmp_path, schema):
    generator = np.random.default_rng(0)
    write_image(tmp_path / "x_orm.tif", generator.integers(0, 255, (8, 8, 6), np.uint8))
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(
        (write_material(tmp_path / "s", 8, 8) / "normal.png").read_bytes()
    )
    stack = saved(tmp_path, tmp_path / "m.json")
    assert_same(load_stack(tmp_path / "m.json"), stack)
    schema.validate(json.loads((tmp_path / "m.json").read_text()))


# --- what its keys do


def test_channels_can_be_picked_and_named(tmp_path):
    save(tmp_path, packed=noise(1, 2, 3, 4))
    texels, _ = read_image(tmp_path / "packed.png")
    stack = load_stack(
        write(
            tmp_path,
            {"fileName": "packed.png", "name": "colour", "channelSwizzle": "BGR", "semantics": "base_colour"},
            {"fileName": "packed.png", "name": "shine", "channelSwizzle": "A", "semantics": {"gloss": "R"}},
        )
    )
    colour, shine = stack.maps
    assert (colour.name, colour.semantic, colour.transfer) == ("colour", Semantic.BASE_COLOUR, Transfer.SRGB)
    assert np.array_equal(expand_map(stack.texels, colour), texels[..., [2, 1, 0]])
    assert (shine.channel_semantics, shine.transfer) == ((Semantic.GLOSS,), Transfer.LINEAR)
    assert np.array_equal(expand_map(stack.texels, shine)[..., 0], texels[..., 3])


def test_flips_and_inversions(tmp_path):
    save(tmp_path, a_normal=noise(1, 2, 3), a_gloss=noise(4, dtype=np.uint16), a_mask=noise(None))
    stack = load_stack(
        write(
            tmp_path,
            {"fileName": "a_normal.png", "invert": "G", "verticalFlip": True},
            {"fileName": "a_gloss.png", "invert": "R", "semantics": "roughness"},
            {"fileName": "a_mask.png", "invert": [0]},
        )
    )
    maps = {texture_map.name: texture_map for texture_map in stack.maps}
    normal, _ = read_image(tmp_path / "a_normal.png")
    normal = normal[::-1].copy()
    normal[..., 1] = 255 - normal[..., 1]
    assert np.array_equal(expand_map(stack.texels, maps["a_normal"]), normal)
    gloss, _ = read_image(tmp_path / "a_gloss.png")
    assert np.array_equal(expand_map(stack.texels, maps["a_gloss"]), 65535 - gloss)
    assert maps["a_mask"].routes == (Constant(0.0),)


def test_srgb_can_be_said(tmp_path):
    save(tmp_path, basecolor=noise(1, 2, 3))
    assert load_stack(write(tmp_path, {"fileName": "basecolor.png"})).maps[0].transfer == Transfer.SRGB
    said = {"fileName": "basecolor.png", "isSRGB": False}
    assert load_stack(write(tmp_path, said)).maps[0].transfer == Transfer.LINEAR


def test_white_filler_is_metal_when_the_manifest_says_so(tmp_path):
    save(tmp_path, steel_orm=noise(None, 1, None))
    assert load_stack(tmp_path).maps[0].channel_semantics[2] == Semantic.DATA
    orm = {"occlusion": "R", "roughness": "G", "metallic": "B"}
    said = load_stack(write(tmp_path, {"fileName": "steel_orm.png", "semantics": orm})).maps[0]
    assert said.channel_semantics == (Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC)


def test_wrap_and_importance(tmp_path):
    save(tmp_path, basecolor=noise(1, 2, 3), mask=noise(4))
    file = write(tmp_path, {"fileName": "basecolor.png"}, wrap=["repeat", "clamp"], importance="mask.png")
    stack = load_stack(file)
    assert stack.wrap == (True, False)
    mask, _ = read_image(tmp_path / "mask.png")
    assert np.allclose(stack.weights, mask[..., 0] / 255)
    document = json.loads(manifest_text(read_material(file), stack, file))
    assert (document["wrap"], document["importance"]) == (["repeat", "clamp"], "mask.png")
    assert load_stack(write(tmp_path, {"fileName": "basecolor.png"}, wrap="repeat")).wrap == (True, True)


def test_loss_scales_are_read(tmp_path):
    save(tmp_path, a=noise(1, 2, 3), b=noise(4))
    file = write(
        tmp_path,
        {"fileName": "a.png", "lossFunctionScale": [1, 2, 0.5]},
        {"fileName": "b.png", "lossFunctionScale": 4},
    )
    assert [source.loss_scale for source in read_manifest(file).maps] == [(1.0, 2.0, 0.5), (4.0,)]
    assert load_stack(file).channel_weights == (1.0, 2.0, 0.5, 4.0)
    even = load_stack(write(tmp_path, {"fileName": "a.png", "lossFunctionScale": 1}), AS_READ)
    assert set(even.channel_weights) <= {1.0}
    save(tmp_path, c=noise(1, 1, None, 2))
    scaled = {"fileName": "c.png", "lossFunctionScale": [3, 4, 5, 6]}
    assert load_stack(write(tmp_path, scaled), AS_READ).channel_weights == (3.0, 6.0)


def test_order_is_that_of_names_whatever_the_manifest_has(tmp_path):
    save(tmp_path, x=noise(1), y=noise(2))
    file = write(tmp_path, {"fileName": "x.png", "name": "q"}, {"fileName": "y.png", "name": "B"})
    assert [texture_map.name for texture_map in load_stack(file).maps] == ["B", "q"]


def test_the_example_in_the_docs(repository, tmp_path, schema):
    text = (repository / "docs" / "manifest.md").read_text(encoding="utf-8")
    document = text.split("```json\n", 1)[1].split("```", 1)[0]
    schema.validate(json.loads(document))
    save(tmp_path, wall_d=noise(1, 2, 3, 4), wall_n_dx=noise(1, 2, 3))
    write_image(tmp_path / "wall_mix.tga", noise(1, 2, 3, 4))
    (tmp_path / "m.json").write_text(document)
    stack = load_stack(tmp_path / "m.json")
    assert [texture_map.name for texture_map in stack.maps] == ["basecolor", "wall_mix", "wall_n_dx"]
    assert stack.wrap == (True, True)
    for semantic in Semantic:
        assert f"`{semantic.name.lower()}`" in text


# --- wrong manifests


@pytest.fixture
def files(tmp_path):
    (tmp_path / "m").mkdir()
    save(tmp_path / "m", a_normal=noise(1, 2, 3), a_rough=noise(4), a_color=noise(1, 2, 3, 4))
    save(tmp_path, outside=noise(1))
    return tmp_path / "m"


A = {"fileName": "a_normal.png"}
WRONG = {
    "unknown key": ({"textures": [A], "texture": 1}, r"unknown key 'texture'; use \$schema, folder, importance"),
    "unknown key of a texture": (
        {"textures": [{**A, "sRGB": True}]},
        r"textures\[0\]: unknown key 'sRGB'; use alternate",
    ),
    "no textures": ({}, 'has no "textures"'),
    "empty": ({"textures": []}, r"textures: 0 textures is outside 1\.\.256"),
    "too many": ({"textures": [A] * 257}, "257 textures"),
    "not an object": ([], "must be an object, not an array"),
    "texture no object": ({"textures": ["a.png"]}, r"textures\[0\]: must be an object, not a string"),
    "no file name": ({"textures": [{"name": "x"}]}, r'textures\[0\]: has no "fileName"'),
    "file name no string": ({"textures": [{"fileName": 3}]}, r"fileName: must be a string, not a number"),
    "missing file": ({"textures": [{"fileName": "gone.png"}]}, r"textures\[0\]\.fileName: gone\.png does not exist"),
    "folder for a file": ({"textures": [{"fileName": "."}]}, "is not a file"),
    "up": ({"textures": [{"fileName": "../outside.png"}]}, r"\.\./outside\.png leads outside the folder"),
    "down and up": ({"textures": [{"fileName": "x/../../outside.png"}]}, "leads outside the folder"),
    "absolute": ({"textures": [{"fileName": "/etc/passwd"}]}, "is an absolute path"),
    "drive": ({"textures": [{"fileName": "C:/x.png"}]}, "is an absolute path"),
    "url": ({"textures": [{"fileName": "https://example.com/x.png"}]}, "is an address"),
    "backslash": ({"textures": [{"fileName": "..\\outside.png"}]}, "has a backslash"),
    "nul": ({"textures": [{"fileName": "a\0.png"}]}, "is no file name"),
    "nothing": ({"textures": [{"fileName": ""}]}, "is no file name"),
    "long": ({"textures": [{"fileName": "a" * 5000}]}, "is no file name"),
    "no image": ({"textures": [{"fileName": "manifest.json"}]}, "is not an image that can be read"),
    "folder missing": ({"folder": "gone", "textures": [A]}, "folder gone does not exist"),
    "folder nul": ({"folder": "a\0", "textures": [A]}, "does not exist"),
    "mask missing": ({"textures": [A], "importance": "gone.png"}, "importance: gone.png does not exist"),
    "mask outside": ({"textures": [A], "importance": "../outside.png"}, "leads outside"),
    "wrap": ({"textures": [A], "wrap": "mirror"}, 'wrap: must be "repeat" or "clamp"'),
    "wrap three": ({"textures": [A], "wrap": ["clamp"] * 3}, 'wrap: must be "repeat" or "clamp"'),
    "wrap number": ({"textures": [A], "wrap": 1}, "wrap: must be a string"),
    "one name twice": (
        {"textures": [A, {**A, "name": "A_Normal"}]},
        r"textures\[1\]: has the name A_Normal, as textures\[0\]",
    ),
    "two normals": ({"textures": [A, {**A, "name": "b_normal"}]}, "a_normal and b_normal are both normal"),
    "two said to be one": (
        {"textures": [{**A, "semantics": "height"}, {"fileName": "a_rough.png", "semantics": {"height": "R"}}]},
        "a_normal and a_rough are both height",
    ),
    "no such semantic": ({"textures": [{**A, "semantics": "bumpy"}]}, "'bumpy' is no semantic; use data, base_colour"),
    "nearly a semantic": (
        {"textures": [{**A, "semantics": {"Albedo": "RGB"}}]},
        "'Albedo' is no semantic; use base_colour",
    ),
    "one channel twice": (
        {"textures": [{**A, "semantics": {"height": "RG", "normal": "GB"}}]},
        "channel G already is height",
    ),
    "semantic of no channel": (
        {"textures": [{"fileName": "a_rough.png", "semantics": {"height": "G"}}]},
        "names channel G, but the map has only 1",
    ),
    "semantic without channels": ({"textures": [{**A, "semantics": {"height": ""}}]}, "names no channel"),
    "swizzle of no channel": (
        {"textures": [{**A, "channelSwizzle": "RGBA"}]},
        "channelSwizzle names channel A, but the map has only 3",
    ),
    "swizzle of no letter": ({"textures": [{**A, "channelSwizzle": "XY"}]}, "names no channels"),
    "swizzle of nothing": ({"textures": [{**A, "channelSwizzle": ""}]}, "names no channel"),
    "swizzle below 0": ({"textures": [{**A, "channelSwizzle": [-1]}]}, r"channelSwizzle\[0\]: -1 is outside 0\.\.31"),
    "inverted channel": ({"textures": [{**A, "invert": "A"}]}, "invert names channel A"),
    "srgb": ({"textures": [{**A, "isSRGB": 1}]}, "isSRGB: must be true or false, not a number"),
    "srgb of no colour": ({"textures": [{**A, "isSRGB": True}]}, "holds no colour: isSRGB must be false"),
    "scale 0": ({"textures": [{**A, "lossFunctionScale": 0}]}, r"lossFunctionScale: 0 is outside 0\.001\.\.1000"),
    "scale text": ({"textures": [{**A, "lossFunctionScale": "2"}]}, "must be a number, not a string"),
    "scales": ({"textures": [{**A, "lossFunctionScale": [1, 2]}]}, "lossFunctionScale has 2 numbers for 3 channels"),
    "flip": ({"textures": [{**A, "verticalFlip": "yes"}]}, "verticalFlip: must be true or false"),
    "empty name": ({"textures": [{**A, "name": ""}]}, "must have 1 to 256 characters"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_manifest_is_one_clear_line(files, schema, case):
    document, message = WRONG[case]
    (files / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=message) as caught:
        load_stack(files / "manifest.json")
    assert "\n" not in str(caught.value)
    of_files = ("names channel", "does not exist", "not a file", "image", "are both", "has the name", "numbers for")
    if not any(words in str(caught.value) for words in (*of_files, "holds no colour", "already is")):
        assert not schema.is_valid(document)  # the schema knows what does not depend on the files


TEXTS = {
    "nothing": (b"", "is not JSON"),
    "no json": (b"{textures: []}", "is not JSON"),
    "cut": (b'{"textures": [{"fileName": "a', "is not JSON"),
    "key twice": (b'{"textures": [], "textures": []}', "key 'textures' twice"),
    "nan": (b'{"textures": NaN}', "NaN is not a JSON number"),
    "deep": (b"[" * 200_000, "nested too deep"),
    "wide": (b"[" + b"0," * 5_000_000 + b"0]", "more than 4000000 values"),
    "no text": (b"\xff\xfe\x00", "is not JSON"),
    "huge number": (
        b'{"textures": [{"fileName": "a.png", "lossFunctionScale": ' + b"9" * 5000 + b"}]}",
        "not JSON|outside",
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_no_json(tmp_path, case):
    text, message = TEXTS[case]
    save(tmp_path, a=noise(1))
    (tmp_path / "m.json").write_bytes(text)
    with pytest.raises(InputError, match=message) as caught:
        load_stack(tmp_path / "m.json")
    assert "\n" not in str(caught.value)


def test_a_mask_of_another_size(files):
    save(files, mask=noise(1, size=(3, 3)))
    with pytest.raises(InputError, match=r"the importance mask is 3 x 3 texels and the material 10 x 12"):
        load_stack(write(files, A, importance="mask.png"))


def test_images_inside_an_asset_cannot_be_named(stone, tmp_path):
    from helpers.made_gltf import gltf_of

    material = read_material(gltf_of(stone, tmp_path / "a.glb", "views"))
    with pytest.raises(UsageError, match="has its images inside it"):
        manifest_text(material, build_stack(material), tmp_path / "m.json")


VALID = {
    "folder": ".",
    "wrap": ["repeat", "clamp"],
    "importance": "a_rough.png",
    "textures": [
        {"fileName": "a_normal.png", "name": "n", "semantics": "normal", "invert": "G", "lossFunctionScale": [1, 2, 3]},
        {"fileName": "a_color.png", "semantics": {"base_colour": "RGB", "opacity": "A"}, "isSRGB": True, "note": "x"},
        {"fileName": "a_rough.png", "channelSwizzle": "R", "verticalFlip": True, "alternate": False},
    ],
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(
        ["repeat", "RGBA", "G", "normal", "base_colour", "a_rough.png", "../outside.png", "./a_color.png"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["fileName", "name", "normal", "data", "wrap", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value, place=()):
    yield place
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places(inner, (*place, key))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_schema_and_the_reader_agree(tmp_path_factory, schema, data):
    """Whatever the reader takes, the schema allows; what neither allows is an InputError and nothing else."""
    folder = tmp_path_factory.getbasetemp() / "agree"
    if not folder.exists():
        folder.mkdir()
        save(folder, a_normal=noise(1, 2, 3), a_rough=noise(4), a_color=noise(1, 2, 3, 4))
    document = copy.deepcopy(VALID)
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.sampled_from(sorted(places(document), key=repr)))
        if not place:
            continue
        home = document
        for key in place[:-1]:
            home = home[key]
        if data.draw(st.booleans()):
            home[place[-1]] = data.draw(VALUES)
        else:
            del home[place[-1]]
    path = folder / "m.json"
    path.write_text(json.dumps(document))
    try:
        load_stack(path)
    except InputError:
        return
    schema.validate(document)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:textures0', max_size=80).map(str.encode))
def test_any_bytes_are_an_input_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(text)
    with pytest.raises(InputError):
        load_stack(path)


def test_every_truncated_prefix_fails(files):
    text = json.dumps(VALID).encode()
    path = files / "m.json"
    path.write_bytes(text)
    load_stack(path)
    for length in range(len(text)):
        path.write_bytes(text[:length])
        with pytest.raises(InputError):
            load_stack(path)
