"""examples/engines/godot: the project shows what decode gives. Skips without Godot 4, which Debian 12 does not have."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from helpers.runtime_c import HEADER_FOLDER, LIBRARIES, need_compiler
from PIL import Image

from imagegs_tex.decoder.maps import decode_maps
from imagegs_tex.formats.igs.container import decode_igs
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.rasterize.select_backend import make_backend

MINUTES = 4


@contextmanager
def display():
    """Start a screen in memory."""
    read, write = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24"], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as said:
        number = said.readline().strip()
    try:
        yield f":{number}"
    finally:
        screen.terminate()
        screen.wait()


@pytest.fixture
def godot(require_tool):
    need_compiler(require_tool)
    for tool in ("godot", "Xvfb"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Godot 4: Debian 13 and older have none)")

    def run(project, *arguments):
        with display() as shown:
            command = ["godot", "--path", project, "--rendering-driver", "opengl3", "--audio-driver", "Dummy", "--"]
            variables = {**os.environ, "DISPLAY": shown, "LIBGL_ALWAYS_SOFTWARE": "1"}
            done = subprocess.run(
                [*command, *arguments],
                env=variables, timeout=60 * MINUTES, check=False, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return done.returncode, done.stdout

    return run


@pytest.mark.gl
def test_godot_draws_what_decode_gives(godot, repository, tmp_path):
    project, file = tmp_path / "project", repository / "tests" / "golden" / "version_4.igs"
    shutil.copytree(repository / "examples" / "engines" / "godot", project)
    subprocess.run([sys.executable, project / "make_include.py"], check=True)
    command = ["gcc", "-std=c99", "-O1", HEADER_FOLDER / "igs_tool.c", "-o", tmp_path / "igs_tool", *LIBRARIES]
    subprocess.run(command, check=True)
    subprocess.run([tmp_path / "igs_tool", "pack", file, tmp_path / "igs_data.bin"], check=True)
    status, said = godot(project, tmp_path / "igs_data.bin", "--texels", tmp_path)
    assert (status, "SHADER ERROR" in said) == (0, False), said
    quantized = decode_igs(file.read_bytes())
    pictures = [Image.open(tmp_path / f"channels_{first}.png") for first in range(0, quantized.channel_count, 3)]
    drawn = np.concatenate([np.asarray(picture.convert("RGB"), int) for picture in pictures], axis=2)
    compared = 0
    for known, (_, samples) in zip(
        quantized.maps, decode_maps(quantized, make_backend("cpu"), with_detail=True), strict=True
    ):
        for place, route in enumerate(known.routes):
            if isinstance(route, Coded) and samples.dtype == np.uint8:
                assert np.abs(drawn[..., route.index] - samples[..., place]).max() <= 1
                assert np.ptp(samples[..., place]) > 20
                compared += 1
    assert compared >= 8
    status, said = godot(project, tmp_path / "igs_data.bin", "--picture", tmp_path / "ball.png")
    ball = np.asarray(Image.open(tmp_path / "ball.png").convert("RGB"), int)
    assert (status, "SHADER ERROR" in said) == (0, False), said
    assert np.ptp(ball[200:400, 476:676].reshape(-1, 3), axis=0).max() > 50  # a lit material, not one colour
    (tmp_path / "broken.bin").write_bytes(b"not one")
    status, said = godot(project, tmp_path / "broken.bin")
    assert status == 1
    assert "broken.bin: not a buffer as igs_tool pack writes it" in said
