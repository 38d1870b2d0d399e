"""``info``."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
from helpers.igs_sets import make_set
from helpers.made_gaussians import made_set
from helpers.made_residual import made_residual
from helpers.tiny_material import as_bytes

from imagegs_tex.formats.igs.container import decode_igs, encode_igs, write_igs
from imagegs_tex.formats.images import write_image


def test_info_tells_the_bytes_of_every_section(run, packed):
    code, out, _ = run("info", packed)
    assert code == 0
    assert all(word in out for word in ("64 x 64", "basecolor", "positions", "features", "on the GPU"))
    found = json.loads(run("info", packed, "--json")[1])
    assert found["file_bytes"] == packed.stat().st_size == sum(part["stored_bytes"] for part in found["sections"])
    assert [entry["name"] for entry in found["maps"]] == ["basecolor", "height", "normal", "roughness"]


def test_all_that_a_packed_map_holds_is_named(run, tmp_path):
    write_igs(tmp_path / "packed.igs", make_set())
    meanings = [semantic.name.lower().replace("_", " ") for semantic in make_set().maps[0].channel_semantics]
    assert len(set(meanings)) > 1
    assert ", ".join(meanings) in run("info", tmp_path / "packed.igs")[1]


def test_a_whole_file_is_what_the_bytes_say(packed):
    data = packed.read_bytes()
    assert encode_igs(decode_igs(data)) == data


def test_bytes_of_layers_are_not_said_to_be_of_gaussians(run, tmp_path):
    plain = made_set(64, 48, 60, 5)
    write_igs(tmp_path / "layered.igs", replace(plain, residual=made_residual(plain, density=0.3, components=2)))
    code, out, _ = run("info", tmp_path / "layered.igs")
    assert code == 0
    rows = [line.split() for line in out.splitlines() if line]
    cells = {name: next(len(row) for row in rows if row[0] == name) for name in ("features", "residual", "file")}
    assert cells == {"features": 4, "residual": 3, "file": 2}


def test_a_repeat_is_told_as_what_it_is(run, tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    y, x = np.mgrid[:16, :16] / 16
    cell = np.stack([(x + y) / 2, x * y, (x > 0.5) * 0.8], axis=-1)
    write_image(folder / "basecolor.png", as_bytes(np.tile(cell, (8, 8, 1))))
    file = tmp_path / "a.igs"
    how = ("--target-psnr", "36", "--preset", "fast", "--backend", "cpu", "--quiet", "--wrap", "repeat")
    assert run("compress", folder, "-o", file, *how)[0] == 0
    out = run("info", file)[1]
    assert "1 Gaussian, pictures of a cell that repeats, " in out
    assert ", tiles in x and y, format version" in out
    assert "per Gaussian" not in out
    assert "One more Gaussian" not in out
    assert len(next(line for line in out.splitlines() if line.startswith("multiply-adds")).split()) == 4


def info_without(file, *modules):
    """What info prints where importing these is an error."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({modules})); sys.argv = ['imagegs-tex', 'info', sys.argv[1]]\n"
        "from imagegs_tex.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_needs_no_torch_and_no_image_library(packed):
    """Importing torch takes seconds, the others a tenth of one."""
    found = info_without(packed, "torch", "PIL", "tifffile", "OpenEXR", "imagecodecs", "scipy.ndimage")
    assert "on the GPU" in found


def test_a_file_without_predicted_codes_needs_no_compiler(repository):
    """Importing numba takes half of the time."""
    found = info_without(repository / "tests" / "golden" / "version_1.igs", "torch", "numba", "llvmlite")
    assert "format version 1" in found
