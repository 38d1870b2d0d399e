"""Textures made at load time hold what the picture does, at every level, and shaders that make others are found out."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_residual
from helpers.verify_cases import without_the_shared_decoder
from typer.testing import CliRunner

from imagegs_tex.cli.command_line import command_line
from imagegs_tex.formats.gpu_textures.texture import BC4, BC5, BC7, RGBA8
from imagegs_tex.formats.igs.container import write_igs
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, Transfer, UnitZ
from imagegs_tex.shaders import load_textures
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.emitted_names import jobs_file, textures_file
from imagegs_tex.shaders.gpu_buffer import join_materials, pack_gaussians
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, source
from imagegs_tex.shaders.load_files import load_files, load_program
from imagegs_tex.shaders.load_jobs import ALIGNMENTS, level_sizes, place_levels
from imagegs_tex.shaders.load_pages import Page, PageShape, PageSource, page_plan, place_page
from imagegs_tex.shaders.load_routes import PBR_CACHE, cache_shaders, cache_textures, page_routes
from imagegs_tex.shaders.load_textures import JOB_PLACES
from imagegs_tex.shaders.shared_decoder import most_of, shared_decoder
from imagegs_tex.textures.load_plan import plan_loaded
from imagegs_tex.verification import run
from imagegs_tex.verification.float64_picture import reference_picture, reference_rows
from imagegs_tex.verification.float64_textures import (
    ReferenceLevel,
    error_share,
    plane_samples,
    read_level,
    reference_levels,
)
from imagegs_tex.verification.opengl import Scene
from imagegs_tex.verification.opengl_textures import TextureLoader
from imagegs_tex.verification.texture_check import TextureCheck, cut_page
from imagegs_tex.verification.toolchain import hlsl_to_glsl

COLOUR = made_map("colour", Semantic.BASE_COLOUR, (Coded(0), Coded(1), Coded(2)))
NORMAL = made_map("normal", Semantic.NORMAL, (Coded(3), Coded(4), UnitZ()), Transfer.LINEAR)
ROUGH = made_map("rough", Semantic.ROUGHNESS, (Coded(2),), Transfer.LINEAR)
HEIGHT = made_map("height", Semantic.HEIGHT, (Coded(1),), Transfer.LINEAR, sample_format=SampleFormat.UINT16)
CUT_OUT = made_map(
    "leaf",
    Semantic.BASE_COLOUR,
    (Coded(0), Coded(1), Coded(2), Coded(3)),
    channel_semantics=(Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,),
)
HALF = made_map(
    "light", Semantic.EMISSIVE, (Coded(0),) * 3, Transfer.LOG, (0.0, 9.0), sample_format=SampleFormat.FLOAT16
)


def material(maps, width=36, height=52, wrap=(True, False)):
    return made_set(width, height, 60, 5, maps=maps, components=3, wrap=wrap)


def check(quantized, kind, device, language="glsl"):
    """Make the textures of a set and compare them, without all that verify looks at besides."""
    decoder = build_decoder(quantized)
    found = TextureCheck(quantized, decoder, kind)
    found.add(0, reference_rows(reference_picture(quantized), 0, quantized.height))
    with Scene(device, decoder.packed, (quantized.width, quantized.height), quantized.channel_count) as scene:
        (result,) = found.results(scene, (language,), 0)
    return result


@pytest.mark.gl
@pytest.mark.parametrize(
    ("maps", "kind", "size", "language"),
    [
        ((COLOUR, NORMAL), "bc", (64, 32), "hlsl"),
        ((NORMAL, HEIGHT), "bc", (37, 21), "glsl"),
        ((CUT_OUT, ROUGH), "bc", (36, 52), "glsl"),
        ((COLOUR,), "bc1", (4, 3), "glsl"),
        ((CUT_OUT, NORMAL), "rgba8", (19, 1), "glsl"),
    ],
    ids=["powers of two", "odd", "even, alpha", "BC1", "plain, one row"],
)
def test_all_levels_hold(maps, kind, size, language, device):
    result = check(material(maps, *size), kind, device, language)
    assert result.failure == ""
    assert result.passed, result
    assert [len(score.psnr_db) for score in result.textures] == [max(size).bit_length()] * len(maps)


@pytest.mark.gl
def test_layers_are_in_them(device):
    quantized = with_repeat(material((COLOUR, NORMAL)), period=(21, 18), origin=(5, 3), shift=7)
    result = check(replace(quantized, residual=made_residual(quantized, step=0.05)), "bc", device)
    assert result.failure == ""
    assert result.passed, result


def test_a_material_of_many_maps_takes_several_sets():
    maps = tuple(replace(NORMAL, name=f"normal{number}") for number in range(20))
    quantized = material(maps, 20, 20)
    textures, _ = plan_loaded(maps, "bc")
    program = load_program(quantized, build_decoder(quantized), textures, "glsl")
    assert len(program.sets) == 2
    assert sum(each.plan.dispatches[0].jobs.shape[1] - JOB_PLACES for each in program.sets) == 20 * 3 * 2
    files = load_files(program)
    assert {"textures_first.comp", "textures_first_2.comp", "textures_next_2.comp"} <= files.keys()


BROKEN = {
    "a bit of the first code": ("bc7.glsl", "k == 0 ? 1 : 4 * k", "4 * k", (COLOUR,), (16, 16)),
    "BC4's order of codes": ("bc4.glsl", "codes ^ (~", "codes & (~", (ROUGH,), (4, 4)),
    "a level from the wrong texels": ("textures.glsl", "2u * at.x + (k & 1u)", "2u * at.x", (HEIGHT,), (4, 4)),
    "a page's other side": ("textures.glsl", "turns * igs_job(job, 24u + axis)", "0", (HEIGHT,), (160, 4)),
    "a share of an odd level": ("textures.glsl", "odd * float(at + 1)", "odd * float(at)", (HEIGHT,), (5, 5)),
}


@pytest.mark.gl
@pytest.mark.parametrize("case", BROKEN)
def test_broken_shaders_are_found_out(case, device, monkeypatch):
    name, before, after, maps, size = BROKEN[case]

    def broken(asked):
        return source(asked).replace(before, after) if asked == name else source(asked)

    assert broken(name) != source(name)
    monkeypatch.setattr(load_textures, "source", broken)

    def fill(asked, parts):
        return re.sub(r"//@generated (\w+)\n", lambda found: parts[found[1]], broken(asked))

    monkeypatch.setattr(load_textures, "fill_source", fill)
    assert not check(material(maps, *size), "bc", device).passed


def as_data(textures):
    return [replace(texture, srgb=(), normal=False) for texture in textures]


@pytest.mark.gl
def test_light_is_averaged_and_normals_are_vectors(device, monkeypatch):
    for name in ("_means", "_samples"):
        whole = getattr(load_textures, name)
        monkeypatch.setattr(load_textures, name, lambda textures, whole=whole: whole(as_data(textures)))
    result = check(material((COLOUR, NORMAL), 32, 32), "rgba8", device)
    assert [score.block_error > 1 for score in result.textures] == [True, True], result


def test_a_level_is_the_mean_of_what_it_covers():
    rng = np.random.default_rng(3)
    (texture,), _ = plan_loaded((ROUGH,), "bc")
    samples = rng.random((5, 7, 1))
    levels = list(reference_levels(texture, samples))
    assert [level.values.shape[:2] for level in levels] == [(5, 7), (2, 3), (1, 1)]
    assert np.allclose(levels[2].values, samples.mean())
    rows = np.array([[1, 1, 0.5, 0, 0], [0, 0, 0.5, 1, 1]]) / 2.5
    columns = np.repeat(np.eye(3), 7, axis=1).reshape(3, 7, 3).sum(axis=2) / 7
    assert np.allclose(levels[1].values[..., 0], rows @ samples[..., 0] @ columns.T)


@pytest.mark.gl
@pytest.mark.parametrize(("size", "wrap"), [((77, 131), (False, True)), ((128, 64), (True, True))])
def test_pages_are_cut_out_of_the_chain(size, wrap, device):
    quantized = material((ROUGH,), *size, wrap)
    decoder = build_decoder(quantized)
    textures, _ = plan_loaded(quantized.maps, "rgba8")
    program = load_program(quantized, decoder, textures, "glsl")
    shape, tight, source = PageShape(32, 4), ALIGNMENTS["glsl"], PageSource(*size, wrap)
    pages = [
        Page(source, level, x, y)
        for level, sides in enumerate(level_sizes(*size))
        for y in range(shape.counts(*sides)[1])
        for x in range(shape.counts(*sides)[0])
    ]
    plan = page_plan(textures, pages, shape, tight)
    shaders = program.sets[0].shaders
    with Scene(device, decoder.packed, size, quantized.channel_count) as scene:
        whole = TextureLoader(scene, [shaders], [program.sets[0].plan], program.output_bytes)
        cut = TextureLoader(scene, [shaders], [plan], place_page([RGBA8], shape, len(pages) - 1, tight)[1])
        whole.load()
        cut.load()
        levels = [read_level(whole.read(), RGBA8, place) for place in program.places[0]]
        output = cut.read()
    for slot, page in enumerate(pages):
        level, index = levels[page.level], []
        for axis, number in ((0, page.y), (1, page.x)):
            at = np.arange(32) + 24 * number - 4
            sides = level.shape[axis]
            index.append(at % sides if wrap[1 - axis] else np.clip(at, 0, sides - 1))
        found = read_level(output, RGBA8, place_page([RGBA8], shape, slot, tight)[0][0])
        assert np.abs(found - level[np.ix_(*index)]).max() <= 1.01 / 255, page


def test_what_errors_of_blocks_may_be():
    values = np.linspace(0.2, 0.9, 16).reshape(4, 4, 1)
    level = ReferenceLevel(values, np.full_like(values, 1 / 1024))
    assert error_share(values, level, BC4) == 0
    assert 0.85 < error_share(values + 0.05, level, BC4) < 0.9  # a fourteenth of 0.7, and rounding
    assert error_share(values + 0.06, level, BC4) > 1
    grey = ReferenceLevel(np.repeat(values, 3, axis=2), np.full((4, 4, 3), 1 / 1024))
    alpha = np.ones((4, 4, 1))
    assert error_share(np.concatenate([grey.values, alpha], axis=2), grey, BC7) == 0
    assert error_share(np.concatenate([grey.values + 0.05, alpha], axis=2), grey, BC7) > 1
    assert error_share(np.concatenate([grey.values, alpha - 1], axis=2), grey, RGBA8) == np.inf


def test_rows_and_levels_lie_as_copies_want_them():
    places, size = place_levels([BC7, BC5], 300, 20, ALIGNMENTS["hlsl"])
    assert [(place.width, place.height) for place in places[0]] == level_sizes(300, 20)
    assert all(place.offset % 512 == 0 and place.row_bytes % 256 == 0 for own in places for place in own)
    assert places[0][0].row_bytes == 1280
    ends = [place.offset + place.bytes for own in places for place in own]
    starts = [place.offset for own in places for place in own]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert size == ends[-1]
    tight, _ = place_levels([BC7], 300, 20, ALIGNMENTS["glsl"])
    assert tight[0][0].row_bytes == 75 * 16
    data = np.zeros(tight[0][-1].offset + 16, dtype=np.uint8)
    data[:] = 0xFF
    assert read_level(data.tobytes(), BC7, tight[0][-1]).shape == (1, 1, 4)


@pytest.mark.parametrize("language", ["glsl", "hlsl"])
def test_emit_writes_them(language, tmp_path):
    write_igs(tmp_path / "a.igs", material((COLOUR, ROUGH, HALF)))
    out = tmp_path / "out"
    done = CliRunner().invoke(
        command_line(),
        ["emit", str(tmp_path / "a.igs"), "-o", str(out), "--lang", language, "--no-mips", "--textures", "bc"],
    )
    assert done.exit_code == 0, done.output
    assert "BC7 sRGB" in done.output
    assert "no texture of light" in done.output
    description = json.loads((out / textures_file(language)).read_text())
    assert description["maps_left_out"] == [2]
    assert [each["vk_format"] for each in description["textures"]] == [146, 139]
    ending = {"glsl": "comp", "hlsl": "hlsl"}[language]
    runs = description["dispatches"]
    assert [run["shader"] for run in runs] == [f"textures_first.{ending}", *[f"textures_next.{ending}"] * 2]
    assert all((out / run["shader"]).is_file() for run in runs)
    assert (out / jobs_file(language)).stat().st_size == runs[-1]["jobs"]["offset"] + runs[-1]["jobs"]["bytes"]


@pytest.mark.gl
def test_verify_looks_at_them(tmp_path, device, monkeypatch):
    monkeypatch.setattr(run, "shader_decoder", build_decoder)  # without what takes a footprint
    without_the_shared_decoder(monkeypatch)
    write_igs(tmp_path / "a.igs", material((COLOUR, HALF), 4, 4))
    arguments = ["verify", str(tmp_path / "a.igs"), "--lang", "glsl", "--textures", "bc1", "--json"]
    done = CliRunner().invoke(command_line(), arguments)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["textures"][0]["textures"][0]["pixel_format"] == "BC1 sRGB"
    assert any("map 1" in reason for reason in report["left_out"])


@pytest.mark.gl
@pytest.mark.parametrize("language", ["glsl", "hlsl"])
def test_pages_of_many_materials(language, device):
    first = material((COLOUR, NORMAL, ROUGH))
    first = replace(first, residual=made_residual(first, step=0.05))
    sets = [first, material((HEIGHT, replace(COLOUR, routes=(Coded(4),) * 3)), 40, 24)]
    packed = [pack_gaussians(each) for each in sets]
    shared = shared_decoder(*most_of(packed)).includes  # drivers unroll loops over components and values
    shaders = cache_shaders(shared, PBR_CACHE, language)
    if language == "hlsl":
        include = {HLSL_INCLUDE: shared[HLSL_INCLUDE]}
        shaders = tuple(hlsl_to_glsl(text, "comp", include) for text in shaders)
    textures, shape, alignment = cache_textures(PBR_CACHE), PageShape(32, 4), ALIGNMENTS[language]
    pages = [
        Page(PageSource(each.width, each.height, each.wrap, number, page_routes(each.maps, PBR_CACHE)), 1, 0, 0)
        for number, each in enumerate(sets)
    ]
    formats = [texture.pixel_format for texture in textures]
    size = place_page(formats, shape, len(pages) - 1, alignment)[1]
    with Scene(device, build_decoder(sets[0]).packed, (36, 52), 5) as scene:
        scene.data = scene.hold(device.context.buffer(join_materials(packed).tobytes()))
        loader = TextureLoader(scene, [shaders], [page_plan(textures, pages, shape, alignment)], size)
        loader.load()
        output = loader.read()
    for slot, (each, page) in enumerate(zip(sets, pages, strict=True)):
        texels = reference_rows(reference_picture(each), 0, each.height)
        levels = {}
        for texture in plan_loaded(each.maps, "bc")[0]:
            texture_map = each.maps[texture.map_index]
            samples = plane_samples(texture, texture_map, texels)
            levels[texture_map.semantic] = list(reference_levels(texture, samples))[1]
        places, _ = place_page(formats, shape, slot, alignment)
        for number, cached in enumerate(PBR_CACHE):
            found = read_level(output, formats[number], places[number])
            if cached.semantics[0] in levels:
                cut = cut_page(levels[cached.semantics[0]], page, shape)
                assert error_share(found, cut, formats[number]) <= 1, (slot, cached)
        packed = read_level(output, BC7, places[2])
        assert np.all(packed[..., 0] == 1)
        assert np.all(packed[..., 2] <= 1 / 255)
        if slot == 1:
            assert np.abs(packed[..., 1] - 0.6).max() < 2 / 255
            flat = read_level(output, BC5, places[1])
            assert np.abs(flat - 0.5).max() < 1 / 255
