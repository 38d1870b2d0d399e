"""Fits that begin from a checkpoint of another tool."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.tiny_material import as_bytes

from imagegs_tex import CompressSettings, FitSettings, compress, settings_from_start
from imagegs_tex.encoder.foreign_checkpoint import checkpoint_gaussians
from imagegs_tex.encoder.start_file import read_start
from imagegs_tex.formats.errors import IgsError, InputError
from imagegs_tex.formats.igs.quantized_set import conics_of
from imagegs_tex.formats.images import write_image

SIZE = (96, 64)
STACK = SimpleNamespace(width=SIZE[0], height=SIZE[1])


def covariance(angle, first, second):
    """Of deviations along axes turned by -angle: Image-GS's rotation matrix has its sine above."""
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return turn @ np.diag([first**2, second**2]) @ turn.T


def save_image_gs(path, count=200, inverse=True, **changes):
    rng = np.random.default_rng(3)
    values = {
        "xy": rng.random((count, 2)), "scale": rng.uniform(1.5, 6, (count, 2)), "rot": rng.normal(0, 2, (count, 1)),
        "feat": rng.random((count, 4)), "vis_feat": rng.random((count, 4)),
    }  # fmt: skip
    if inverse:
        values["scale"] = 1 / values["scale"]
    state = {name: torch.tensor(value, dtype=torch.float32) for name, value in values.items()} | changes
    torch.save({"step": 5, "psnr": np.float64(31.5), "flip": np.float32(0.1), "state_dict": state}, path)
    return values


@pytest.mark.parametrize("inverse", [True, False])
def test_image_gs_places_sizes_and_angles(tmp_path, inverse):
    values = save_image_gs(tmp_path / "ckpt.pt", inverse=inverse)
    means, covariances = checkpoint_gaussians(tmp_path / "ckpt.pt", SIZE)
    inside = (values["xy"] * SIZE + 0.5 <= SIZE).all(axis=1)
    np.testing.assert_allclose(means, (values["xy"] * SIZE + 0.5)[inside], atol=1e-4)
    sizes = 1 / values["scale"] if inverse else values["scale"]
    wanted = np.stack([
        covariance(angle[0], *pair)[[0, 0, 1], [0, 1, 1]] for angle, pair in zip(values["rot"], sizes, strict=True)
    ])  # fmt: skip
    np.testing.assert_allclose(covariances, wanted[inside], rtol=1e-4, atol=1e-4)
    start = read_start(tmp_path / "ckpt.pt", STACK, 5.0)
    conics = conics_of(start.geometry.log_covariances)
    inverses = np.linalg.inv(wanted[inside][:, [0, 1, 1, 2]].reshape(-1, 2, 2))
    np.testing.assert_allclose(conics, inverses.reshape(-1, 4)[:, [0, 1, 3]], rtol=1e-3, atol=1e-5)


def test_gsplat_gaussians_are_where_its_camera_sees_them(tmp_path):
    rng = np.random.default_rng(4)
    means, scales, quats = rng.uniform(-1, 1, (300, 3)), rng.uniform(0.01, 0.2, (300, 3)), rng.normal(0, 1, (300, 4))
    tensors = {"means": means, "scales": scales, "quats": quats, "opacities": np.ones(300)}
    torch.save({name: torch.tensor(value) for name, value in tensors.items()}, tmp_path / "fit.pt")
    found, covariances = checkpoint_gaussians(tmp_path / "fit.pt", SIZE)

    def projected(points):
        return SIZE[0] / 2 * points[..., :2] / (points[..., 2:] + 8) + np.array(SIZE) / 2

    np.testing.assert_allclose(found, projected(means), atol=1e-9)
    # many points of each Gaussian, projected: small ones stay Gaussians
    w, i, j, k = (quats / np.linalg.norm(quats, axis=1, keepdims=True)).T
    for index in range(0, 300, 25):
        ball = rng.normal(0, 1, (40000, 3)) * scales[index] * 0.2
        axis = np.array([i[index], j[index], k[index]])
        turned = np.cross(axis, np.cross(axis, ball) + w[index] * ball)
        spread = projected(means[index] + ball + 2 * turned) - found[index]
        wanted = (spread[:, :, None] * spread[:, None]).mean(axis=0) / 0.04
        got = covariances[index]
        np.testing.assert_allclose(got, wanted[[0, 0, 1], [0, 1, 1]], rtol=0.05, atol=0.03 * np.trace(wanted))


def test_a_fit_goes_on_from_it(tmp_path):
    rng = np.random.default_rng(1)
    planes = sum(np.kron(rng.random((64 // n, 96 // n, 3)), np.ones((n, n, 1))) for n in (4, 8, 16, 32))
    write_image(tmp_path / "basecolor.png", as_bytes(planes / 4))
    save_image_gs(tmp_path / "ckpt.pt")
    few = settings_from_start(CompressSettings(fit=FitSettings(steps=80, refine_sweeps=1)))
    report = compress(tmp_path / "basecolor.png", tmp_path / "a.igs", few, "cpu", start=tmp_path / "ckpt.pt")
    assert 195 <= report.gaussians <= 200  # those whose means are in the picture
    assert report.start.name == "ckpt.pt"
    assert report.psnr_db > 20


class _Evil:
    def __reduce__(self):
        return (print, ("run",))


def test_what_is_refused(tmp_path, capsys):
    path = tmp_path / "ckpt.pt"
    torch.save({"state_dict": _Evil()}, path)
    with pytest.raises(InputError, match="no checkpoint that can be read safely"):
        checkpoint_gaussians(path, SIZE)
    assert capsys.readouterr().out == ""
    for content, message in (
        ([1, 2], "holds neither"), ({"xy": torch.zeros(2, 2)}, "holds neither"), (torch.zeros(3), "holds neither"),
    ):  # fmt: skip
        torch.save(content, path)
        with pytest.raises(InputError, match=message):
            checkpoint_gaussians(path, SIZE)
    for changes, message in (
        ({"xy": torch.zeros(5)}, "xy is not a tensor of N x 2"), ({"rot": torch.zeros(7, 1)}, "have not one length"),
        ({"rot": 3.0}, "rot is not a tensor"), ({"xy": torch.full((200, 2), torch.nan)}, "has 0 Gaussians"),
        ({"xy": torch.full((200, 2), 7.0)}, "has 0 Gaussians"),
    ):  # fmt: skip
        save_image_gs(path, **changes)
        with pytest.raises(InputError, match=message):
            read_start(path, STACK, 5.0)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises((InputError, IgsError)):
        read_start(path, STACK, 5.0)


def test_any_numbers_in_a_checkpoint_end_in_a_file_or_an_error(tmp_path):
    rng = np.random.default_rng(0)
    write_image(tmp_path / "basecolor.png", as_bytes(rng.random((24, 32, 3))))
    few = CompressSettings(fit=FitSettings(steps=2, refine_sweeps=0))
    extremes = torch.tensor([0.0, -1.0, 1e-30, 1e30, math.inf, math.nan, 0.5, 1.0])
    for seed in range(4):
        torch.manual_seed(seed)
        any_of = {name: extremes[torch.randint(8, (40, width))] for name, width in (("scale", 2), ("rot", 1))}
        save_image_gs(tmp_path / "ckpt.pt", 40, **any_of)
        try:
            report = compress(tmp_path / "basecolor.png", tmp_path / "a.igs", few, "cpu", start=tmp_path / "ckpt.pt")
        except InputError:
            continue
        assert math.isfinite(report.psnr_db)
