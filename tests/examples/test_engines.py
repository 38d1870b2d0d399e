"""examples/engines: the OpenGL sample in C shows what decode gives."""

import subprocess
import textwrap

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.runtime_c import HEADER_FOLDER, REPOSITORY, WARNINGS, need_compiler
from PIL import Image

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.container import decode_igs, encode_igs
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer, UnitZ
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.shaders.shared_decoder import shared_decoder

ENGINES = REPOSITORY / "examples" / "engines"
LEVEL_BOUND = 0.02  # root mean square; about a step


@pytest.fixture(scope="module")
def igs_draw(tmp_path_factory, require_tool):
    need_compiler(require_tool)
    folder = tmp_path_factory.mktemp("engines")
    command = ["gcc", "-std=c99", "-O1", *WARNINGS, f"-I{HEADER_FOLDER}", ENGINES / "opengl" / "igs_draw.c"]
    libraries = ["-lEGL", "-lOpenGL", "-lzstd", "-lm"]
    done = subprocess.run(
        [*command, "-o", folder / "igs_draw", *libraries], capture_output=True, text=True, check=False
    )
    require_tool("EGL/egl.h" not in done.stderr and "-lEGL" not in done.stderr, "libegl-dev is not installed")
    assert done.returncode == 0, done.stderr
    # for what the files below have: drivers unroll loops over components and values
    (folder / "igs_decode.glsl").write_text(shared_decoder(10, 16).includes["igs_decode.glsl"])
    return folder


def drawn(igs_draw, data, map_index, *size):
    (igs_draw / "material.igs").write_bytes(data)
    command = [igs_draw / "igs_draw", "material.igs", "igs_decode.glsl", str(map_index), "out.ppm", *map(str, size)]
    done = subprocess.run(command, cwd=igs_draw, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return np.asarray(Image.open(igs_draw / "out.ppm"), dtype=int)


@pytest.mark.gl
@pytest.mark.parametrize("name", ["version_4", "version_4_exact"])
def test_opengl_draws_what_decode_gives(name, igs_draw, repository):
    data = (repository / "tests" / "golden" / f"{name}.igs").read_bytes()
    maps = decode_maps(decode_igs(data), make_backend("cpu"), with_detail=True)
    compared = 0
    for number, (_, samples) in enumerate(maps):
        if samples.dtype != np.uint8:
            continue
        expected = np.broadcast_to(samples, (*samples.shape[:2], 3)) if samples.shape[2] == 1 else samples[..., :3]
        assert np.abs(drawn(igs_draw, data, number) - expected).max() <= 1
        compared += 1
    assert compared >= 3


@pytest.mark.gl
def test_opengl_makes_z_of_normals_and_filters(igs_draw):
    normal = made_map("normal", Semantic.NORMAL, (Coded(0), Coded(1), UnitZ()), Transfer.LINEAR)
    quantized = made_set(96, 64, 90, 2, maps=(normal,))
    data, (_, samples) = encode_igs(quantized), decode_maps(quantized, make_backend("cpu"))[0]
    clear = samples[..., 2] > 160  # near 0 a root makes much of little, and decode makes unit normals of longer ones
    assert np.abs(drawn(igs_draw, data, 0) - samples)[clear].max() <= 1
    assert clear.mean() > 0.3
    smaller = samples.reshape(16, 4, 24, 4, 3).mean(axis=(1, 3))
    error = (drawn(igs_draw, data, 0, 24, 16) - smaller)[..., :2] / 255
    assert np.sqrt(np.square(error).mean()) < LEVEL_BOUND


def test_opengl_says_what_is_wrong(igs_draw):
    (igs_draw / "broken.igs").write_bytes(b"not one")
    command = [igs_draw / "igs_draw", "broken.igs", "igs_decode.glsl", "0", "out.ppm"]
    done = subprocess.run(command, cwd=igs_draw, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "igs_draw: broken.igs: not an .igs file\n")


def test_the_plug_in_for_unity_compiles(require_tool, tmp_path):
    need_compiler(require_tool)
    text = (ENGINES / "unity.md").read_text("utf-8")
    source = textwrap.dedent(text.split("```c\n")[1].split("   ```")[0]).replace('"zstddeclib.c"', "<zstd.h>")
    (tmp_path / "plug_in.c").write_text(source)
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{HEADER_FOLDER}", "-fPIC", "-shared", "plug_in.c", "-o", "plug_in.so"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
