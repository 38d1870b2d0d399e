"""runtime/c/igs_pack.h, under sanitizers, against the Python packer: the same buffer, byte for byte."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from helpers.igs_sets import make_set
from helpers.made_gaussians import made_detail, made_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_residual
from helpers.runtime_c import HEADER_FOLDER, SANITIZERS, build, need_compiler

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.igs.container import decode_igs, encode_igs
from imagegs_tex.shaders.gpu_buffer import pack_gaussians

GOLDEN = (1, 2, 3, 4, "4_fast", "4_exact", "4_residual", "4_repeat")
MADE = {
    "one tile": {},
    "one Gaussian": {"count": 1, "size": (1, 1), "channels": 1, "components": 1, "cell_log2": 2},
    "thin": {"count": 9, "size": (3, 700), "channels": 1, "components": 1, "cell_log2": 2},
    "five tiles across": {"count": 900, "size": (300, 250), "cell_log2": 3, "feature_range": (-3, 3)},
    "repeats in x": {"count": 300, "size": (260, 250), "wrap": (True, False)},
    "repeats in both": {"count": 200, "size": (200, 90), "wrap": (True, True), "feature_exponent": 0.75},
    "two tiles, each around the other twice": {"count": 60, "size": (128, 64), "wrap": (True, True)},
    "many images": {"count": 20, "size": (16, 9), "cell_log2": 2, "wrap": (True, True)},
    "wide codes": {"count": 300, "size": (64, 64), "cell_log2": 8, "feature_range": (-9000, 9000)},
    "32 channels": {"count": 60, "channels": 32, "components": 31, "feature_range": (-4, 4)},
    "finest positions": {"count": 200, "size": (16384, 30), "cell_log2": 4, "channels": 1, "components": 1},
}

LEVELS = {
    **{name: make_set(5, **MADE[name]) for name in ("one Gaussian", "repeats in both", "many images", "32 channels")},
    "normals": made_set(131, 77, 300, 7),
    "noise": made_set(131, 77, 50, 4, detail={"grid": (5, 4)}, wrap=(True, False)),
    "relief": made_set(90, 70, 60, 5, detail={"components": 4, "relief": 1}),
}
RESIDUALS = {
    **{f"blocks of {1 << log2}": {"side_log2": log2, "components": log2} for log2 in (2, 3, 4)},
    "full": {"density": 1.0, "spread": 40.0},
    "far": {
        "only": [
            (0, 3, -16384),
            (0, 7, 16384),
            (1, 255, 17),
            (2, 0, -18),
            (2, 64, 273),
            (2, 131, -274),
            (9, 70, 4370),
        ],
    },
}
REPEATS = {
    "plain": {},
    "bricks": {"period": (12, 5), "origin": (3, 2), "shift": 6, "side_log2": 3},
    "no weights": {"pictures": 0, "side_log2": 3},
    "one texel": {"period": (1, 1), "pictures": 1},
    "larger than the picture": {"period": (264, 140), "origin": (50, 30), "side_log2": 4, "components": 1},
    "rows": {"period": (40, 1), "pictures": 3, "shift": 17},
}
LAYERED = {"repeats in both": (200, 90), "five tiles across": (150, 77)}
"""Layers of these sets of MADE, their sizes smaller."""


@pytest.fixture(scope="module")
def tool(tmp_path_factory, require_tool):
    need_compiler(require_tool)
    return build(HEADER_FOLDER / "igs_tool.c", tmp_path_factory.mktemp("programs") / "igs_tool", *SANITIZERS)


def packed_in_c(tool, data, folder, command="pack0"):
    path, out = folder / "material.igs", folder / "igs_data.bin"
    path.write_bytes(data)
    done = subprocess.run([tool, command, path, out], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return np.fromfile(out, "<u4")


@pytest.mark.parametrize("version", GOLDEN)
def test_golden_files_give_the_same_buffer(version, tool, repository, tmp_path):
    data = (repository / "tests" / "golden" / f"version_{version}.igs").read_bytes()
    quantized = decode_igs(data)
    assert np.array_equal(packed_in_c(tool, data, tmp_path), pack_gaussians(quantized).words)
    assert np.array_equal(packed_in_c(tool, data, tmp_path, "pack"), shader_decoder(quantized).packed.words)


@pytest.mark.parametrize("settings", MADE.values(), ids=MADE)
def test_made_files_give_the_same_buffer(settings, tool, tmp_path):
    quantized = make_set(5, **settings)
    assert np.array_equal(packed_in_c(tool, encode_igs(quantized), tmp_path), pack_gaussians(quantized).words)


@pytest.mark.parametrize("relief", [0, 1, 2])
def test_detail_layers_give_the_same_buffer(relief, tool, tmp_path):
    plain = make_set(5, channels=7)
    quantized = replace(plain, detail=made_detail(plain.channel_count, 4, (9, 3), relief=relief))
    assert np.array_equal(packed_in_c(tool, encode_igs(quantized), tmp_path), pack_gaussians(quantized).words)


@pytest.mark.parametrize("layer", RESIDUALS.values(), ids=RESIDUALS)
@pytest.mark.parametrize("name", LAYERED)
def test_residuals_give_the_same_buffer_and_levels(name, layer, tool, tmp_path):
    plain = make_set(5, **MADE[name] | {"size": LAYERED[name]})
    quantized = replace(plain, residual=made_residual(plain, **layer))
    data = encode_igs(quantized)
    assert np.array_equal(packed_in_c(tool, data, tmp_path), pack_gaussians(quantized).words)
    assert np.array_equal(packed_in_c(tool, data, tmp_path, "pack"), shader_decoder(quantized).packed.words)


@pytest.mark.parametrize("settings", REPEATS.values(), ids=REPEATS)
def test_repeats_give_the_same_buffer_and_levels(settings, tool, tmp_path):
    quantized = with_repeat(LEVELS["noise"], **settings)
    for each in (quantized, replace(quantized, residual=made_residual(quantized))):
        data = encode_igs(each)
        assert np.array_equal(packed_in_c(tool, data, tmp_path), pack_gaussians(each).words)
        assert np.array_equal(packed_in_c(tool, data, tmp_path, "pack"), shader_decoder(each).packed.words)


@pytest.mark.parametrize("name", LEVELS)
def test_made_files_give_the_same_levels(name, tool, tmp_path):
    quantized = LEVELS[name]
    expected = shader_decoder(quantized).packed
    assert expected.words[expected.material_at + 10] > 0
    assert np.array_equal(packed_in_c(tool, encode_igs(quantized), tmp_path, "pack"), expected.words)


def test_portable_code_gives_the_same_levels(tmp_path, require_tool):
    """What compilers without SSE2 use, and with fused products on offer."""
    need_compiler(require_tool)
    for options in (("-U__SSE2__", "-std=gnu99"), ("-march=haswell", "-std=gnu99", "-O2")):
        program = build(HEADER_FOLDER / "igs_tool.c", tmp_path / "tool", "-O1", *options)
        plain = LEVELS["normals"]
        quantized = with_repeat(replace(plain, residual=made_residual(plain)), shift=4, side_log2=3)
        words = packed_in_c(program, encode_igs(quantized), tmp_path, "pack")
        assert np.array_equal(words, shader_decoder(quantized).packed.words)


def test_made_files_have_tiles_with_masks_and_without():
    assert {pack_gaussians(make_set(5, **settings)).layout.mask_log2 for settings in MADE.values()} == {0, 1}


def test_a_mean_beyond_the_last_tile_is_refused(tool, tmp_path):
    """The first position step of a thin picture may be wider than a tile: format page, section 4."""
    quantized = make_set(1, count=3, size=(1, 1), channels=1, components=1, cell_log2=8)
    wide = np.tile(np.array([[12 / quantized.size_step, 0, 0]], np.int16), (3, 1))
    path = tmp_path / "thin.igs"
    path.write_bytes(encode_igs(replace(quantized, shape_codes=wide, position_codes=np.zeros((3, 2), np.int32))))
    done = subprocess.run([tool, "pack0", path, tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.endswith(": the supports are beyond what an index can hold: igs_pack.h\n")
    assert not (tmp_path / "out").exists()
