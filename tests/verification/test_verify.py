"""Every decoder draws what the encoder meant, and a decoder that does not is found out."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.verify_cases import (
    languages_of,
    languages_with,
    verify_these_alone,
    with_fault,
    without_footprints,
    without_the_shared_decoder,
)
from typer.testing import CliRunner

from imagegs_tex import CompressSettings, FitSettings, compress
from imagegs_tex.cli.command_line import command_line
from imagegs_tex.formats.errors import InputError, MissingToolError
from imagegs_tex.formats.igs.container import write_igs
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.vocabulary import Coded, Constant, Semantic, Transfer, UnitZ
from imagegs_tex.shaders import gpu_buffer
from imagegs_tex.shaders.accessors import list_accessors
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.verification import MAX_ERROR, toolchain, verify
from imagegs_tex.verification.report import as_json
from imagegs_tex.verification.shared_view import SHARED_PREFIX

pytestmark = pytest.mark.gl
VARIANTS = ["glsl-compute", "glsl-pixel", "texture-pixel", "hlsl-compute", "hlsl-pixel"]

CASES = {
    "non-power-of-two": made_set(131, 77, 150, 5),
    "one texel, one Gaussian": made_set(1, 1, 1, 1),
    "one Gaussian": made_set(80, 48, 1, 3, spread=6),
    "empty tiles": made_set(200, 150, 12, 3, within=(0.2, 0.3), spread=1),
    "2 channels of 1 component": made_set(64, 48, 80, 2, components=1),
    "10 components, whose rows are written out": made_set(64, 48, 80, 10),
    "13 components": made_set(64, 48, 80, 13),
    "24 channels": made_set(64, 48, 80, 24),
    "32 channels of 21 components": made_set(48, 48, 40, 32, components=21),
    "thin": made_set(96, 96, 120, 4, thinness=4.9, spread=4),
    "narrow cut-off": made_set(64, 64, 80, 4, cutoff=1.0),
    "wide cut-off": made_set(64, 64, 20, 4, cutoff=32.0),
    "wide and flat": made_set(700, 3, 60, 4),
    "more tiles reach one than are looked into at once": made_set(420, 330, 60, 2, spread=120),
    "repeats": made_set(131, 77, 150, 5, wrap=(True, True)),
    "repeats in x": made_set(96, 64, 120, 4, wrap=(True, False)),
    "repeats in y, thin": made_set(90, 100, 120, 4, wrap=(False, True), thinness=4.0, spread=4),
    "repeats, powers of two": made_set(128, 64, 150, 3, wrap=(True, True)),
    "repeats and overlaps itself": made_set(37, 29, 20, 3, wrap=(True, True), spread=7),
    "repeats within a block": made_set(9, 5, 12, 2, wrap=(True, True), spread=3),
    "one texel repeats": made_set(1, 1, 2, 1, wrap=(True, True), spread=1),
}
IN_BOTH_LANGUAGES = {
    "non-power-of-two",
    "empty tiles",
    "10 components, whose rows are written out",
    "24 channels",
    "narrow cut-off",
    "repeats",
    "repeats, powers of two",
    "one texel repeats",
    "thin",
    "repeats and overlaps itself",
}


def by_name(report):
    return {variant.name: variant for variant in report.variants}


@pytest.mark.parametrize("case", CASES)
def test_all_variants_hold(case, device):
    decoder = build_decoder(CASES[case])
    languages = languages_of(case, IN_BOTH_LANGUAGES)
    report = verify(CASES[case], languages, decoder=decoder, point_count=3000, repeats=0, device=device)
    assert [variant.name for variant in report.variants][:5] == VARIANTS[: 3 if "hlsl" not in languages else 5]
    for variant in report.variants:
        assert variant.failure == ""
        assert variant.passed, variant
        assert max(variant.texel_error, variant.point_error) <= MAX_ERROR
    assert report.passed


def test_a_large_texture_holds(device, monkeypatch):
    monkeypatch.setattr(gpu_buffer, "_MAX_ROWS", 2)  # as if the file had over 2 MB: rows of 2048 words
    decoder = build_decoder(made_set(90, 70, 400, 7))
    assert decoder.packed.texture_size[0] == 2048
    report = verify(made_set(90, 70, 400, 7), ["glsl"], decoder=decoder, point_count=1000, repeats=0, device=device)
    assert report.passed


@pytest.mark.parametrize("block_log2", [3, 4, 5, 6])
def test_every_block_size_holds(block_log2, device):
    quantized = made_set(150, 70, 120, 3)
    report = verify(
        quantized, ["glsl"], decoder=build_decoder(quantized, block_log2), point_count=2000, repeats=0, device=device
    )
    assert report.passed


PAIR = VARIANTS[:2]
"""Workgroups, and single texels; the other variants differ from these in how they read words, or are translated."""

BROKEN = {
    "a swapped channel": (
        "texel.channel[0] = clamp(", "texel.channel[1] = clamp(",
        VARIANTS,
    ),
    "off by half a texel": (
        "d = p - ", "d = 0.5 + p - ",
        PAIR,
    ),
    "a wrong cut-off": (
        "m.edge = ", "m.edge = 0.05 + 0.0 * ",
        PAIR,
    ),
    "a wrong epsilon": (
        "#define IGS_EPSILON ", "#define IGS_EPSILON 0.01 + 0.0 * ",
        PAIR,
    ),
    "too narrow": ("float narrow = ", "float narrow = 1.1 * ", PAIR),
    "a block of the tile missed": ("((texel.y >> block_log2) & last)", "((texel.y >> block_log2) & 0u)", PAIR),
    "tiles around missed": (
        "igs_near_exists(known, place, source - 1u)", "source > 4u && igs_near_exists(known, place, source - 1u)",
        ["glsl-pixel", "hlsl-pixel"],
    ),
    "near bits of another tile": (
        "igs_near_at(head) + (source - 1u) * end", "igs_near_at(head)", ["glsl-pixel"],
    ),
    "x and y mixed up": ("codes.y < 0 ? uvec2(second, first)", "codes.y <= 0 ? uvec2(second, first)", VARIANTS[:3]),
    "features without a sign": ("igs_signed_field(stored, used, width)", "igs_field(stored, used, width)", PAIR),
    "rows of groups shifted": ("first_texel + uvec2(0u, uint(row))", "first_texel", VARIANTS[:1]),
    "v upside down": ("igs_inside(m, uv) * ", "(1.0 - igs_inside(m, uv)) * ", PAIR),
    "a missing group": ("igs_store(ivec2(at) + place", "if (group.x > 0u) igs_store(ivec2(at) + place", VARIANTS[:1]),
    "an accessor of another channel": ("return texel.channel[3];", "return texel.channel[2];", VARIANTS[:1]),
    "a syntax error": ("IgsTexel igs_decode(", "IgsTexl igs_decode(", VARIANTS),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_decoder_is_found_out(fault, device, monkeypatch):
    maps = (
        made_map(routes=(Coded(0), Coded(1), Coded(2))),
        made_map("roughness", Semantic.ROUGHNESS, (Coded(3),), Transfer.LINEAR),
    )
    quantized = made_set(90, 70, 120, maps=maps)
    good, bad, victims = BROKEN[fault]
    broken = with_fault(build_decoder(quantized), good, bad)
    verify_these_alone(monkeypatch, victims)
    report = verify(
        quantized, languages_with(victims), decoder=broken, point_count=2000, repeats=0, device=device
    )  # fmt: skip
    assert not report.passed
    assert [variant.name for variant in report.variants][: len(victims)] == victims
    for variant in report.variants:
        assert not variant.passed, f"{variant.name} passed with {fault}"


@pytest.mark.parametrize(
    ("good", "bad", "languages"),
    [("mean + m.size * nearest", "mean + 0.0 * nearest", ["glsl", "hlsl"]), ("uv - floor(uv)", "uv", ["glsl"])],
)
def test_a_decoder_that_does_not_repeat_is_found_out(good, bad, languages, device):
    quantized = made_set(90, 70, 120, wrap=(True, True))
    decoder = build_decoder(quantized)
    includes = {name: text.replace(good, bad) for name, text in decoder.includes.items()}
    assert all(includes[name] != text for name, text in decoder.includes.items()), "the fault was not put in"
    broken = replace(decoder, includes=includes)
    report = verify(quantized, languages, decoder=broken, point_count=2000, repeats=0, device=device)
    assert not any(variant.passed for variant in report.variants)


def test_values_that_are_not_numbers_fail(device):
    quantized = made_set(40, 40, 20)
    decoder = build_decoder(quantized)
    includes = {
        name: text.replace("float scale = 1.0", "float scale = sqrt(-1.0 - sums.weight)")
        for name, text in decoder.includes.items()
    }
    report = verify(
        quantized, ["glsl"], decoder=replace(decoder, includes=includes), point_count=500, repeats=0, device=device
    )
    assert not any(variant.passed for variant in report.variants)


def test_accessors_hold(device, monkeypatch):
    verify_these_alone(monkeypatch, ["glsl-compute", "hlsl-compute"])
    without_footprints(monkeypatch)
    maps = (
        made_map(
            "base", routes=(Coded(0), Coded(1), Coded(2), Coded(8)),
            channel_semantics=(Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,),
        ),
        made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), Constant(1.0)), Transfer.LINEAR),
        made_map("xy", Semantic.NORMAL, (Coded(3), Coded(4)), Transfer.LINEAR),
        made_map("unit", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR),
        made_map(
            "unit and data", Semantic.NORMAL, (Coded(6), Coded(7), UnitZ(), Coded(8)), Transfer.LINEAR,
            channel_semantics=(Semantic.NORMAL,) * 3 + (Semantic.DATA,),
        ),
        made_map("hdr", Semantic.EMISSIVE, (Coded(5), Coded(6), Constant(3.5)), Transfer.LOG, (-0.5, 700.0)),
        made_map("many", Semantic.DATA, tuple(Coded(i) for i in range(6)), Transfer.LINEAR),
        made_map("shiny", Semantic.GLOSS, (Coded(7),), Transfer.LINEAR),
    )  # fmt: skip
    assert "igs_roughness" in {accessor.name for accessor in list_accessors(maps)}
    report = verify(made_set(channels=9, maps=maps), point_count=20000, repeats=0, device=device)
    for name in ("glsl-compute", "hlsl-compute"):
        assert by_name(report)[name].accessor_error is not None
        assert by_name(report)[name].accessor_error <= MAX_ERROR
    assert report.passed


def test_report_and_pictures(device, tmp_path):
    quantized = made_set(60, 50, 40, 5)
    report = verify(quantized, ["glsl"], point_count=500, repeats=0, differences=tmp_path / "d", device=device)
    read = json.loads(as_json(report))
    assert read["renderer"] == read["processor"] == device.renderer
    assert (read["backend"], read["languages"], read["seed"]) == ("opengl", ["glsl"], 20260101)
    assert read["textures_kind"] is None
    assert read["gpu_bytes"]["total"] == sum(
        read["gpu_bytes"][part]
        for part in (
            "header",
            "heads",
            "records",
            "near",
            "far",
            "masks",
            "coarse",
            "envelope",
            "exact",
            "repeat",
            "residual",
            "filling",
        )
    )
    assert read["cost"]["candidates"]["max"] >= read["cost"]["candidates"]["p99"] >= 1
    assert any("hlsl" in reason for reason in read["left_out"])
    pictures = sorted(path.name for path in (tmp_path / "d").iterdir())
    assert len(pictures) == 3 * 3  # channels 0 to 2, 3 and 4 of three variants
    texels, _ = read_image(tmp_path / "d" / "glsl-compute_channels_0_2.png")
    assert texels.shape == (50, 60, 3)
    assert np.abs(texels.astype(int) - 128).max() <= 1  # mid grey: no difference to see


def test_progress_names_every_step_once(device, monkeypatch):
    without_footprints(monkeypatch)
    steps = []
    verify(
        made_set(20, 300, 10, 3),
        ["glsl"],
        point_count=50,
        repeats=0,
        device=device,
        progress=lambda *step: steps.append(step),
    )
    assert [done for _, done, _ in steps] == list(range(12))  # three decoders, compiled, two bands of rows, points
    assert {count for _, _, count in steps} == {12}
    names = [name for name, _, _ in steps]
    assert names[0] == "glsl-compute, compiling"
    assert names[3:5] == ["glsl-compute, texels from row 0", "glsl-pixel, texels from row 0"]
    assert names[-1] == "texture-pixel, points"


def test_score_against_the_source(device, tmp_path, monkeypatch):
    verify_these_alone(monkeypatch, ["glsl-compute"])
    without_footprints(monkeypatch)
    quantized = made_set(64, 48, 60, 3, maps=(made_map("base", routes=(Coded(0), Coded(1), Coded(2))),))
    rng = np.random.default_rng(0)
    write_image(tmp_path / "base.png", rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    stack = load_stack(tmp_path)
    report = verify(quantized, ["glsl"], stack, point_count=100, repeats=0, device=device)
    assert report.source is not None
    assert 3 < report.source.psnr_db < 12  # noise against something else
    other = made_set(63, 48, 60, 3, maps=quantized.maps)
    with pytest.raises(InputError, match="64 x 48"):
        verify(other, ["glsl"], stack, point_count=100, repeats=0, device=device)


def test_a_missing_compiler_is_named(monkeypatch, device):
    monkeypatch.setattr(toolchain, "has_tool", lambda name: name != "spirv-cross")
    with pytest.raises(MissingToolError, match=r"spirv-cross.*apt-get install spirv-cross.*--lang glsl"):
        verify(made_set(), device=device)


def test_missing_opengl_is_named(monkeypatch, device):
    import moderngl

    from imagegs_tex.verification.opengl import open_device

    def refuse(**options):
        raise RuntimeError("no such library")

    monkeypatch.setattr(moderngl, "create_context", refuse)
    with pytest.raises(MissingToolError, match=r"no such library.*apt-get install libegl1"):
        open_device()


def test_command_line(device, tmp_path, monkeypatch):
    verify_these_alone(monkeypatch, ["glsl-compute"])
    without_footprints(monkeypatch)
    write_igs(tmp_path / "a.igs", made_set(40, 30, 20, 3))
    runner = CliRunner()
    report = tmp_path / "report.json"
    result = runner.invoke(
        command_line(), ["verify", str(tmp_path / "a.igs"), "--lang", "glsl", "--report", str(report)]
    )
    assert result.exit_code == 0, result.output
    assert device.renderer.split()[0] in result.output
    found = json.loads(report.read_text())
    assert found["passed"] is True
    assert [variant["name"] for variant in found["variants"]] == ["glsl-compute", f"{SHARED_PREFIX}glsl-compute"]
    result = runner.invoke(
        command_line(), ["emit", str(tmp_path / "a.igs"), "-o", str(tmp_path / "d"), "--lang", "hlsl"]
    )
    assert result.exit_code == 0, result.output
    small = ["emit", str(tmp_path / "a.igs"), "-o", str(tmp_path / "e"), "--block-size", "8"]
    assert CliRunner().invoke(command_line(), small).exit_code == 0
    text = (tmp_path / "e" / "igs_decode.glsl").read_text()
    assert re.search(r"igs_tile_log2\(IgsMaterial m\)\n{\n    return 5u;", text)
    assert re.search(r"igs_mask_log2\(IgsMaterial m\)\n{\n    return 2u;", text)
    assert (tmp_path / "d" / "igs_decode.hlsl").is_file()


def test_command_line_leaves_levels_out(device, tmp_path):
    file = str(tmp_path / "a.igs")
    write_igs(tmp_path / "a.igs", made_set(40, 30, 20, 3))
    for more, levels in (([], [2, 3, 4, 5, 6]), (["--no-mips"], [])):
        result = CliRunner().invoke(command_line(), ["emit", file, "-o", str(tmp_path / "d"), *more])
        assert result.exit_code == 0, result.output
        description = json.loads((tmp_path / "d" / "igs_decode_glsl.json").read_text())
        assert [level["level"] for level in description["coarse_levels"]] == levels
        assert ("coarse_levels" in {part["name"] for part in description["buffer"]["sections"]}) == bool(levels)
        assert ("coarse levels" in result.output) == bool(levels)


@pytest.mark.parametrize(
    "wrong",
    [["verify", "--size", "64x64"], ["verify", "--differences", "-"]],
)
def test_command_line_refuses_what_makes_no_sense(wrong, tmp_path):
    write_igs(tmp_path / "a.igs", made_set(40, 30, 20, 3))
    command = [sys.executable, "-m", "imagegs_tex", wrong[0], "a.igs", *wrong[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_source_is_brought_to_the_size_of_the_file(device, tmp_path, monkeypatch):
    without_the_shared_decoder(monkeypatch)
    verify_these_alone(monkeypatch, ["glsl-compute"])
    without_footprints(monkeypatch)
    write_image(tmp_path / "maps" / "basecolor.png", np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    settings = CompressSettings(gaussian_count=20, fit=FitSettings(steps=4))
    options = SourceOptions(size=(32, 32))
    compress(tmp_path / "maps", tmp_path / "a.igs", settings, "cpu", options=options)
    base = ["verify", str(tmp_path / "a.igs"), "--lang", "glsl", "--source", str(tmp_path / "maps")]
    assert CliRunner().invoke(command_line(), base).exit_code != 0
    result = CliRunner().invoke(command_line(), [*base, "--size", "32x32"])
    assert result.exit_code == 0, result.output
    assert "against the source" in result.output


def test_command_line_ends_with_5_without_compilers(device, tmp_path):
    write_igs(tmp_path / "a.igs", made_set(40, 30, 20, 3))
    done = subprocess.run(
        [sys.executable, "-m", "imagegs_tex", "verify", str(tmp_path / "a.igs")],
        env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 5
    assert "glslang" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_command_line_fails_with_1(device, tmp_path, monkeypatch):
    from imagegs_tex.verification import report as report_module
    from imagegs_tex.verification import run

    write_igs(tmp_path / "a.igs", made_set(40, 30, 20, 3))
    without_the_shared_decoder(monkeypatch)
    verify_these_alone(monkeypatch, ["glsl-pixel"])
    without_footprints(monkeypatch)
    monkeypatch.setattr(run, "MAX_ERROR", -1.0)
    result = CliRunner().invoke(command_line(), ["verify", str(tmp_path / "a.igs"), "--lang", "glsl"])
    assert result.exit_code == 1
    assert "glsl-pixel" in result.output
    assert report_module.MAX_ERROR == 1 / 1024
