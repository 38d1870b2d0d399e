"""Splats: the same ellipses and colours as the Gaussians, in files that a reader of its own takes apart."""

import numpy as np
from helpers.commands import replace_maps, replace_name
from helpers.import_tool import import_tool

from imagegs_tex import export_gaussians
from imagegs_tex.formats.igs.container import encode_igs, read_igs
from imagegs_tex.formats.igs.quantized_set import dequantize
from imagegs_tex.splats.make_splats import OPACITY, PICTURE_LENGTH, WIDENED, make_splats

import_tool("gsplat")


def read_ply(path):
    """Return the columns of a binary PLY file of floats."""
    head, _, body = path.read_bytes().partition(b"end_header\n")
    lines = head.decode().splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    (count,) = [int(line.split()[2]) for line in lines if line.startswith("element vertex")]
    names = [line.split()[2] for line in lines if line.startswith("property float")]
    return dict(zip(names, np.frombuffer(body, "<f4").reshape(count, len(names)).T, strict=True))


def covariances_of(columns):
    """Return the x, y part of each splat's covariance, by turning the axes of its quaternion."""
    w, z = columns["rot_0"], columns["rot_3"]
    assert np.allclose(columns["rot_1"], 0)
    assert np.allclose(columns["rot_2"], 0)
    cosine, sine = w * w - z * z, 2 * w * z
    turn = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    squares = np.exp(2 * np.stack([columns["scale_0"], columns["scale_1"]], -1))
    return turn @ (squares[..., None] * np.swapaxes(turn, -1, -2))


def test_ply_files_have_the_gaussians(packed, tmp_path):
    report = export_gaussians(packed, tmp_path / "splats")
    quantized = read_igs(packed)
    values = dequantize(quantized)
    assert [entry.name for entry in report.maps] == [texture_map.name for texture_map in quantized.maps]
    unit = PICTURE_LENGTH / max(quantized.width, quantized.height)
    for entry in report.maps:
        columns = read_ply(tmp_path / "splats" / f"{entry.name}.ply")
        assert (len(columns["x"]), entry.gaussians) == (quantized.gaussian_count, quantized.gaussian_count)
        wanted = (values.means - [quantized.width / 2, quantized.height / 2]) * unit
        assert np.allclose(np.stack([columns["x"], columns["y"]], -1), wanted, atol=1e-6)
        conics = values.conics.astype(np.float64)
        inverse = np.linalg.inv(np.stack([conics[:, [0, 1]], conics[:, [1, 2]]], 1)) * (unit * WIDENED) ** 2
        assert np.allclose(covariances_of(columns), inverse, rtol=2e-4, atol=1e-9)
        assert np.allclose(1 / (1 + np.exp(-columns["opacity"])), OPACITY, atol=1e-6)
        by_size = np.argsort(-values.log_covariances[:, 0], kind="stable")
        assert np.all(np.diff(columns["z"][by_size]) <= 0)  # the largest at the back


def test_colours_are_those_of_the_map(packed):
    quantized = read_igs(packed)
    values = dequantize(quantized)
    channels = np.clip(values.offset + values.features @ values.basis, 0, 1)
    by_name = {texture_map.name: texture_map for texture_map in quantized.maps}
    colours = make_splats(quantized, by_name["basecolor"]).colours
    assert np.abs(colours - channels[:, [route.index for route in by_name["basecolor"].routes[:3]]]).max() < 0.5 / 255
    grey = make_splats(quantized, by_name["roughness"]).colours
    assert np.array_equal(grey[:, 0], grey[:, 1])
    assert np.array_equal(grey[:, 0], grey[:, 2])
    assert np.abs(grey[:, 0] - channels[:, by_name["roughness"].routes[0].index]).max() <= 0.5 / 255 + 1e-6


def test_the_small_format_has_32_bytes_each(run, packed, tmp_path):
    code, out, _ = run("export", packed, "-o", tmp_path, "--format", "splat", "-q")
    assert (code, out) == (0, "")
    count = read_igs(packed).gaussian_count
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {
        f"{texture_map.name}.splat": 32 * count for texture_map in read_igs(packed).maps
    }


def test_the_command_says_what_it_wrote(run, fails, packed, tmp_path):
    code, out, _ = run("export", packed, "-o", tmp_path / "new", "--format", "ply")
    assert code == 0
    assert all(word in out for word in ("basecolor.ply", "Gaussians", "paints splats over each other"))
    assert "--bc1 is for textures" in fails(2, "export", packed, "-o", tmp_path, "--format", "ply", "--bc1")


def test_names_from_a_file_stay_in_the_folder(run, packed, tmp_path):
    quantized = read_igs(packed)
    hostile = tmp_path / "hostile.igs"
    maps = (replace_name(quantized.maps[0], "../../up"), *quantized.maps[1:])
    hostile.write_bytes(encode_igs(replace_maps(quantized, maps)))
    assert run("export", hostile, "-o", tmp_path / "in" / "here", "--format", "ply", "-q")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.igs", "in"]
