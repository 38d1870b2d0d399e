"""The source files: one algorithm in two languages, and nothing from a file but numbers and plain words."""

import itertools
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from helpers.made_gaussians import data_maps, made_map, made_set

from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.vocabulary import Coded, Constant, Semantic, Transfer, UnitZ
from imagegs_tex.shaders.accessors import list_accessors
from imagegs_tex.shaders.build_decoder import LANGUAGES, build_decoder
from imagegs_tex.shaders.emit import emit
from imagegs_tex.shaders.file_constants import literal
from imagegs_tex.verification.toolchain import ENTRY_POINTS, check_glsl, has_tool, hlsl_to_glsl

HOSTILE = [
    "../../etc/passwd", "a\n#error broken", "*/ }; void main() {", "${name}", "gl_FragColor", "__double__under__",
    "日本語", "\u202eright", "x" * 900, "base_colour", "normal", "1", "-", " ", '"; drop', "a\\", "??/", "{0}", "<b>|`",
]  # fmt: skip


def material():
    """A material with every kind of accessor."""
    return (
        made_map(
            "base", routes=(Coded(0), Coded(1), Coded(2), Coded(8)),
            channel_semantics=(Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,),
        ),
        made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), Constant(1.0)), Transfer.LINEAR),
        made_map("normal2", Semantic.NORMAL, (Coded(3), Coded(4)), Transfer.LINEAR),
        made_map("normal3", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
        made_map(
            "orm", Semantic.OCCLUSION, (Constant(0.75), Coded(6), Coded(7)), Transfer.LINEAR,
            channel_semantics=(Semantic.OCCLUSION, Semantic.ROUGHNESS, Semantic.METALLIC),
        ),
        made_map("grey", Semantic.HEIGHT, (Coded(5),) * 3, Transfer.LINEAR),
        made_map("hdr", Semantic.EMISSIVE, (Coded(0), Coded(5), Constant(3.5)), Transfer.LOG, (-0.5, 700.0)),
        made_map("many", Semantic.DATA, tuple(Coded(i) for i in range(6)), Transfer.LINEAR),
    )  # fmt: skip


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1 / 3, 1e-30, 2.0**-16, 6.25e20, 0.1])
def test_literals_read_back(value):
    text = literal(value)
    assert np.float32(text) == np.float32(value)
    assert re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", text)
    assert "." in text or "e" in text


def test_accessors_by_meaning():
    found = {accessor.name: accessor for accessor in list_accessors(material())}
    expected = {
        "igs_base_colour": 3, "igs_base_colour_linear": 3, "igs_opacity": 1, "igs_normal": 3, "igs_normal_2": 3,
        "igs_normal_3": 3, "igs_map_normal3": 3,
        "igs_occlusion": 1, "igs_roughness": 1, "igs_metallic": 1, "igs_height": 1, "igs_emissive": 3,
        "igs_map_base": 4, "igs_map_normal": 3, "igs_map_normal2": 2, "igs_map_orm": 3, "igs_map_grey": 3,
        "igs_map_hdr": 3, **{f"igs_map_many_{i}": 1 for i in range(6)},
    }  # fmt: skip
    assert {name: accessor.width for name, accessor in found.items()} == expected
    assert "sRGB-encoded" in found["igs_base_colour"].note
    assert found["igs_base_colour_linear"].note == "linear light"
    assert found["igs_emissive"].note == "linear values -0.5..700, the log coding undone"
    assert found["igs_roughness"].note == "0..1, linear"


def test_gloss_gives_roughness_where_there_is_no_roughness():
    gloss = made_map("gloss", Semantic.GLOSS, (Coded(0),), Transfer.LINEAR)
    names = [accessor.name for accessor in list_accessors((gloss,))]
    assert names == ["igs_gloss", "igs_roughness", "igs_map_gloss"]
    rough = made_map("rough", Semantic.ROUGHNESS, (Coded(1),), Transfer.LINEAR)
    kinds = {accessor.name: accessor.kind for accessor in list_accessors((gloss, rough))}
    assert kinds["igs_roughness"] == "samples"
    assert "igs_roughness_2" not in kinds
    metallic = (Semantic.METALLIC,) * 3 + (Semantic.GLOSS,)
    packed = made_map(
        "metallic_smoothness", Semantic.METALLIC, (Coded(0),) * 3 + (Coded(1),), Transfer.LINEAR,
        channel_semantics=metallic,
    )  # fmt: skip
    (roughness,) = (accessor for accessor in list_accessors((packed,)) if accessor.name == "igs_roughness")
    assert roughness.channels == (3,)


def test_hostile_names_stay_out(tmp_path):
    maps = tuple(made_map(name, Semantic.DATA, (Coded(0),), Transfer.LINEAR) for name in HOSTILE)
    quantized = made_set(channels=1, maps=maps)
    names = [accessor.name for accessor in list_accessors(maps)]
    assert len(set(names)) == len(HOSTILE)
    for name in names:
        assert re.fullmatch(r"igs_map_[a-z0-9]+(_[a-z0-9]+)*", name)
        assert len(name) < 64
    for language in LANGUAGES:
        for path in emit(quantized, language, tmp_path / language):
            assert path.parent == tmp_path / language
            if path.suffix in {".json", ".bin"}:
                continue
            text = path.read_text()
            assert text.isascii()
            for name in ("passwd\n", "#error broken", "${", "__double", "x" * 50):
                assert name not in text
        described = json.loads((tmp_path / language / f"igs_decode_{language}.json").read_text())
        assert [entry["name"] for entry in described["maps"]] == HOSTILE


@pytest.mark.parametrize("language", LANGUAGES)
def test_emitted_files_and_their_description(tmp_path, language):
    quantized = made_set(channels=9, maps=material())
    paths = emit(quantized, language, tmp_path / "a")
    again = emit(quantized, language, tmp_path / "b")
    assert [path.name for path in paths] == [path.name for path in again]
    assert all(first.read_bytes() == second.read_bytes() for first, second in zip(paths, again, strict=True))
    description = json.loads((tmp_path / "a" / f"igs_decode_{language}.json").read_text())
    data = (tmp_path / "a" / "igs_data.bin").read_bytes()
    sections = description["buffer"]["sections"]
    assert description["buffer"]["bytes"] == len(data) == sum(section["bytes"] for section in sections)
    for before, after in itertools.pairwise(sections):
        assert before["offset"] + before["bytes"] == after["offset"]
    if language == "glsl":
        texture = description["bindings"][1]
        row = 4 * texture["texture_width"]
        assert 0 <= row * texture["texture_height"] - len(data) < row
    readme = (tmp_path / "a" / f"igs_readme_{language}.md").read_text()
    for accessor in description["accessors"]:
        assert f"`{accessor['name']}`" in readme
        assert accessor["name"] in (tmp_path / "a" / description["include"][0]).read_text()
    assert len(readme.splitlines()) < 80  # one page


def test_emitting_loads_no_torch():
    code = "import sys, imagegs_tex.cli.tables_gpu, imagegs_tex.shaders.emit; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_emit_says_when_a_folder_cannot_be(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="file"):
        emit(made_set(), "glsl", tmp_path / "file")


LAYOUTS = {
    "material": lambda: made_set(channels=9, maps=material()),
    "detail": lambda: made_set(channels=9, maps=material(), wrap=(True, False), detail={"components": 4}),
    "one channel, one Gaussian": lambda: made_set(1, 1, 1, 1),
    "24 channels": lambda: made_set(channels=24),
    "32 channels of 20 components": lambda: made_set(channels=32, components=20),
    "long lists": lambda: made_set(64, 64, 65537, 2, spread=0.5, maps=data_maps(2)),
    "hostile names": lambda: made_set(
        channels=1, maps=tuple(made_map(name, Semantic.DATA, (Coded(0),), Transfer.LINEAR) for name in HOSTILE)
    ),
}


@pytest.mark.gl
@pytest.mark.parametrize("layout", LAYOUTS)
def test_emitted_samples_compile_without_warnings(layout, require_tool):
    require_tool(has_tool("glslangValidator"), "glslangValidator is not installed")
    require_tool(has_tool("spirv-cross"), "spirv-cross is not installed")
    decoder = build_decoder(LAYOUTS[layout]())
    for name, text in decoder.samples.items():
        if name.endswith(".hlsl"):
            for stage in ("comp",) if "compute" in name else ("vert", "frag"):
                assert ENTRY_POINTS[stage] in text
                assert "void main()" in hlsl_to_glsl(text, stage, decoder.includes)
        else:
            check_glsl(text, name.rsplit(".", 1)[1])


@pytest.mark.gl
def test_a_warning_is_a_failure(require_tool):
    from imagegs_tex.verification.toolchain import CompileError

    require_tool(has_tool("glslangValidator"), "glslangValidator is not installed")
    with pytest.raises(CompileError, match="WARNING"):
        check_glsl("#version 430\n#extension GL_made_up : enable\nvoid main() {}\n", "vert")
    with pytest.raises(CompileError, match="ERROR"):
        check_glsl("#version 430\nvoid main() { undefined = 1; }\n", "vert")
