"""After an edit only what has changed is fitted: where that is, and that all else stays as the file has it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.tiny_material import as_bytes

from imagegs_tex import CompressSettings, FitControl, FitSettings, SourceOptions, compress, settings_from_start
from imagegs_tex.encoder.edit_region import changed_region
from imagegs_tex.encoder.feature_equations import with_known
from imagegs_tex.fit.gaussian_set import Fit, GaussianSet
from imagegs_tex.fit.loop import fit
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import dequantize
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import PopulationChange

SIDE = 256
EDIT = slice(70, 90), slice(100, 120)


def problem_of(image):
    return FitProblem(image, torch.ones(image.shape[2]), float(image.shape[2]))


def pictures(noise):
    """What a file shows, what solved features show, and what is wanted: the file's but for an edit."""
    generator = torch.Generator().manual_seed(3)
    shown = torch.rand(SIDE, SIDE, 2, generator=generator)
    image = shown + noise * torch.randn(shown.shape, generator=generator)
    solved = image + 0.97 * (shown - image)
    image[EDIT] = torch.rand(20, 20, 2, generator=generator)
    solved[EDIT] = 0.5
    return shown, solved, problem_of(image)


@pytest.mark.parametrize("noise", [0.001, 0.1])
def test_what_has_changed_is_found_with_a_tile_around_it(noise):
    region = changed_region(*pictures(noise), 2)
    assert region.box == (48, 16, 176, 144)
    assert region.changed[EDIT].all()
    assert region.changed[48:112, 80:144].all()
    assert int(region.changed.sum()) == 64 * 64


def test_nothing_and_too_much_are_no_region():
    shown, solved, problem = pictures(0.1)
    assert changed_region(solved, solved, problem, 2) is None
    other = torch.rand(shown.shape, generator=torch.Generator().manual_seed(4))
    assert changed_region(shown, 0.5 + 0 * solved, problem_of(other), 2) is None


def test_fixed_gaussians_stay_bit_by_bit_while_others_come_and_go():
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(48, 48, 3, generator=generator)
    backend, problem = make_backend("cpu", 1), problem_of(image)
    means = 48 * torch.rand(30, 2, generator=generator)
    means[0] = torch.tensor([-9.0, 60.0])  # one that reaches in from outside
    shapes = torch.tensor([[4.0, 0.3, -0.2]]).repeat(30, 1)
    start = GaussianSet(means, shapes, torch.rand(30, 3, generator=generator))
    settings = FitSettings(
        steps=20, population=(PopulationChange(0.0, 0.9, 1.2), PopulationChange(0.5, 1.0, 1.0)), least_cutoff=6.0
    )
    found = fit(
        problem, backend.prepare_target(image), 30, settings, backend, start=Fit(start, 6.0, 1.0), fixed=20
    ).gaussians  # fmt: skip
    assert found.count == 30
    for before, after in zip(
        (start.means, start.log_covariances, start.features),
        (found.means, found.log_covariances, found.features),
        strict=True,
    ):
        assert torch.equal(before[:20], after[:20])
    assert not torch.isin(found.means[20:], start.means).any()


class Stop:
    """Set when it is asked for the twelfth time."""

    asked = 0

    def is_set(self):
        self.asked += 1
        return self.asked > 11


def rows_of(file):
    """Everything that a file's Gaussians are, a row for each."""
    values = dequantize(file)
    return np.concatenate([values.means, values.log_covariances, values.features], axis=1)


def matrix_of(equations):
    count = len(equations.diagonal)
    matrix = torch.zeros(count, count, dtype=torch.float64)
    rows = torch.repeat_interleave(torch.arange(count), equations.row_starts.diff())
    matrix[rows, equations.columns.long()] = equations.values
    return matrix


def test_equations_beside_known_features_have_the_solution_of_all():
    generator = torch.Generator().manual_seed(2)
    backend, image = make_backend("cpu", 1), torch.rand(32, 32, 2, generator=generator)
    means, shapes = 32 * torch.rand(12, 2, generator=generator), torch.tensor([[4.0, 0.3, -0.2]]).repeat(12, 1)
    geometry = backend.prepare_geometry(means, GaussianSet(means, shapes, means).conics, 6.0, (32, 32))
    equations = backend.normal_equations(geometry, backend.prepare_target(image))
    matrix = matrix_of(equations)
    best = torch.linalg.solve(matrix, equations.rhs)
    part = with_known(equations, best[:5].float())
    found = matrix_of(part)
    assert torch.equal(found, matrix[5:, 5:])
    torch.testing.assert_close(torch.linalg.solve(found, part.rhs), best[5:], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("wraps", [False, True])
def test_an_edit_leaves_the_rest_of_a_file_in_its_place(tmp_path, wraps):
    rng = np.random.default_rng(1)
    sizes = (4, 8, 16, 32)
    planes = sum(np.kron(rng.random((SIDE // size, SIDE // size, 3)), np.ones((size, size, 1))) for size in sizes)
    first, edited = tmp_path / "stone.png", tmp_path / "edited.png"
    write_image(first, as_bytes(planes / 4))
    texels = read_image(first)[0].copy()
    texels[112:128, 112:128] = texels[112:128, 112:128][::-1] // 2
    write_image(edited, texels)
    settings = CompressSettings(gaussian_count=1000, fit=FitSettings(steps=80))
    options = SourceOptions(wrap=(wraps, wraps))
    compress(first, tmp_path / "a.igs", settings, "cpu", options=options)
    anew = compress(edited, tmp_path / "b.igs", settings, "cpu", options=options)
    few = settings_from_start(replace(settings, gaussian_count=None))
    seen = []
    found = compress(
        edited, tmp_path / "c.igs", few, "cpu", options=options, start=tmp_path / "a.igs", progress=seen.append
    )  # fmt: skip
    assert found.gaussians == 1000
    assert found.psnr_db > anew.psnr_db - 0.1
    assert max(state.steps for state in seen if state.phase == "fitting") == 8 * few.fit.steps
    before, after = (rows_of(read_igs(tmp_path / name)) for name in ("a.igs", "c.igs"))
    kept = (before[:, None] == after[None]).all(axis=2).any(axis=1)
    near = (np.abs(before[:, :2] - 120) < 8 + 16 + 16).all(axis=1)
    assert kept[~near].all()
    assert near.sum() > 10
    assert not kept[near].all()
    control = FitControl(1, stop=Stop())
    stopped = compress(
        edited, tmp_path / "d.igs", few, "cpu", options=options, start=tmp_path / "a.igs", control=control
    )  # fmt: skip
    assert (stopped.stopped_at.phase, stopped.stopped_at.steps) == ("fitting", 80)
