"""After an edit only what has changed is fitted: where that is, and that all else stays as the file has it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.tiny_material import as_bytes

from imagegs_tex import CompressSettings, FitControl, FitSettings, SourceOptions, compress, settings_from_start
from imagegs_tex.encoder.edit_region import changed_tiles, members, region_of
from imagegs_tex.encoder.local_fit import STEPS
from imagegs_tex.encoder.start_file import read_start
from imagegs_tex.encoder.trial_fits import Fitter
from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.fit.losses_cpu import CpuLosses
from imagegs_tex.fit.problem import FitProblem
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import dequantize
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend

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


def region_in(shown, solved, problem):
    return region_of(changed_tiles(shown, solved, problem)[0], 2, (SIDE, SIDE))


@pytest.mark.parametrize("noise", [0.001, 0.1])
def test_what_has_changed_is_found_with_a_tile_around_it(noise):
    region = region_in(*pictures(noise))
    assert region.box == (48, 16, 176, 144)
    assert region.changed[EDIT].all()
    assert region.changed[48:112, 80:144].all()
    assert int(region.changed.sum()) == 64 * 64


def test_nothing_and_too_much_are_no_region():
    shown, solved, problem = pictures(0.1)
    assert region_in(solved, solved, problem) is None
    other = torch.rand(shown.shape, generator=torch.Generator().manual_seed(4))
    assert region_in(shown, 0.5 + 0 * solved, problem_of(other)) is None


def test_a_tile_that_is_a_little_worse_is_no_edit():
    """Coarse features leave one here and there, which would make what is looked at as large as the picture."""
    shown, solved, problem = pictures(0.1)
    stray = slice(224, 240), slice(0, 16)
    solved[stray] = problem.image[stray] + 0.5 * (shown[stray] - problem.image[stray])
    found = region_in(shown, solved, problem)
    assert found.box == (48, 16, 176, 144)
    solved[stray] = problem.image[stray]
    shown[stray] = problem.image[stray] + 1.2 * (shown[stray] - problem.image[stray])
    assert region_in(shown, solved, problem) is None  # two edits that lie too far from each other


def scene(components=3, in_a_corner=False):
    """Some Gaussians that rest, one of them reaching in from outside, others, and a picture of 48 x 40 texels."""
    generator = torch.Generator().manual_seed(1)
    means = torch.tensor([48, 40]) * torch.rand(30, 2, generator=generator)
    means[0] = torch.tensor([-3.0, 42.0])
    shapes = torch.tensor([[4.0, 0.3, -0.2]]).repeat(30, 1)
    if in_a_corner:  # most tiles have none of the others
        means[20:] = 4 + 8 * torch.rand(10, 2, generator=generator)
        shapes[20:, 0] = 0.5
    gaussians = GaussianSet(means, shapes, torch.rand(30, components, generator=generator))
    image = torch.rand(40, 48, components, generator=generator)
    rests = torch.arange(30) < 20
    return members(gaussians, rests), members(gaussians, ~rests), gaussians, image


@pytest.mark.parametrize("in_a_corner", [False, True])
def test_what_rests_is_drawn_once_and_all_else_is_as_beside_it(in_a_corner):
    resting, others, both, image = scene(in_a_corner=in_a_corner)
    backend = make_backend("cpu", 2)
    target = backend.prepare_target(image, torch.rand(40, 48, generator=torch.Generator().manual_seed(2)))

    def prepared(on, gaussians):
        return on.prepare_geometry(gaussians.means, gaussians.conics, 6.0, (48, 40))

    above = backend.on_top_of(prepared(backend, resting), resting.features)
    found, wanted = prepared(above, others), prepared(backend, both)

    def close(first, second):
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4)

    close(above.render(found, others.features), backend.render(wanted, both.features))
    close(
        above.leave_one_out(found, others.features, target), backend.leave_one_out(wanted, both.features, target)[20:]
    )
    errors, usual = (
        on.squared_error(geometry, features, target)
        for on, geometry, features in ((above, found, others.features), (backend, wanted, both.features))
    )
    close(errors.total, usual.total)
    for name in ("means", "conics", "features"):
        close(getattr(errors, name), getattr(usual, name)[20:])

    losses = CpuLosses(image, None, FitSettings(ssim_weight=0.3, l1_weight=0.1), above)
    plain = CpuLosses(image, None, FitSettings(ssim_weight=0.3, l1_weight=0.1), backend)
    theirs = plain.gradients(wanted, both.features, target, None, 3)[1]
    for mine, their in zip(losses.gradients(found, others.features, target, None, 3)[1], theirs, strict=True):
        close(mine, their[20:])

    equations, whole = above.normal_equations(found, target), backend.normal_equations(wanted, target)
    matrix = matrix_of(whole)
    close(matrix_of(equations), matrix[20:, 20:])
    close(equations.rhs, whole.rhs[20:] - matrix[20:, :20] @ resting.features.double())


def test_a_picture_of_another_size_is_none_to_rest_in():
    resting, others, _, _ = scene()
    backend = make_backend("cpu", 1)
    geometry = backend.prepare_geometry(resting.means, resting.conics, 6.0, (48, 40))
    above = backend.on_top_of(geometry, resting.features)
    with pytest.raises(ValueError, match="not the size"):
        above.prepare_geometry(others.means, others.conics, 6.0, (64, 64))


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
    few = settings_from_start(settings)
    seen = []
    found = compress(
        edited, tmp_path / "c.igs", few, "cpu", options=options, start=tmp_path / "a.igs", progress=seen.append
    )  # fmt: skip
    assert found.gaussians == 1000
    assert found.psnr_db > anew.psnr_db - 0.1
    assert found.remarks == anew.remarks
    assert max(state.steps for state in seen if state.phase == "fitting") == STEPS * few.fit.steps
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
    assert (stopped.stopped_at.phase, stopped.stopped_at.steps) == ("fitting", STEPS * few.fit.steps)


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    """A file of a picture that is fine on its left and flat in large squares on its right."""
    folder = tmp_path_factory.mktemp("painted")
    rng = np.random.default_rng(1)
    planes = sum(np.kron(rng.random((SIDE // size, SIDE // size, 3)), np.ones((size, size, 1))) for size in (4, 16, 64))
    planes[:, SIDE // 2 :] = np.kron(rng.random((SIDE // 64, SIDE // 128, 3)), np.ones((64, 64, 1)))
    write_image(folder / "stone.png", as_bytes(planes / 3))
    first = compress(folder / "stone.png", folder / "a.igs", SETTINGS, "cpu", options=CLAMPED)
    return folder, first


CLAMPED = SourceOptions(wrap=(False, False))
SETTINGS = CompressSettings(gaussian_count=1000, fit=FitSettings(steps=80))
FINE, FLAT = (slice(100, 148), slice(40, 88)), (slice(72, 120), slice(200, 248))


def edited_from(painted, tmp_path, source, place, settings=None, backend="cpu"):
    """Copy a place of the picture to another, and go on from its file."""
    folder, _ = painted
    texels = read_image(folder / "stone.png")[0].copy()
    texels[place] = texels[source][::-1]
    write_image(tmp_path / "edited.png", texels)
    few = settings_from_start(replace(settings or CompressSettings(), fit=SETTINGS.fit))
    return compress(
        tmp_path / "edited.png", tmp_path / "b.igs", few, backend, options=CLAMPED, start=folder / "a.igs",
        keep_best=True,
    )  # fmt: skip


def test_an_edit_gets_as_many_gaussians_as_its_content_asks_for(painted, tmp_path):
    finer = edited_from(painted, tmp_path, FINE, FLAT)
    assert not finer.remarks
    assert finer.gaussians > 1000 + 30
    assert finer.psnr_db > painted[1].psnr_db - 1


def test_a_flat_edit_lets_go_of_gaussians(painted, tmp_path):
    """Those of the flat half, which the file's number gave to nothing, say nothing of what others are worth."""
    flat = edited_from(painted, tmp_path, FLAT, FINE)
    assert not flat.remarks
    assert flat.gaussians < 1000 - 20
    assert flat.psnr_db > painted[1].psnr_db - 0.1


@pytest.mark.parametrize(("quality", "kept"), [(30, True), (70, False)])
def test_an_edit_by_itself_is_kept_where_it_has_the_quality_asked_for(painted, tmp_path, quality, kept):
    folder, _ = painted
    first = replace(CompressSettings(quality=30), fit=replace(SETTINGS.fit, refine_sweeps=1))
    compress(folder / "stone.png", tmp_path / "first.igs", first, "cpu", options=CLAMPED)
    texels = read_image(folder / "stone.png")[0].copy()
    corner = slice(4, 28), slice(4, 28)  # few and large Gaussians, around which much is looked at
    texels[corner] = texels[corner][::-1]
    write_image(tmp_path / "edited.png", texels)
    few = settings_from_start(replace(first, quality=quality))
    report = compress(
        tmp_path / "edited.png", tmp_path / "b.igs", few, "cpu", options=CLAMPED, start=tmp_path / "first.igs"
    )  # fmt: skip
    assert any("by itself it misses what is asked for" in remark for remark in report.remarks) != kept
    assert report.quality == quality
    before, after = (rows_of(read_igs(tmp_path / name)) for name in ("first.igs", "b.igs"))
    assert ((before[:, None, :5] == after[None, :, :5]).all(axis=2).any(axis=1).mean() > 0.5) == kept


def test_an_edit_by_itself_is_kept_where_it_has_what_is_asked_for(painted, tmp_path):
    without = edited_from(painted, tmp_path, FINE, FINE)
    for wanted, misses in ((without.psnr_db - 0.1, False), (without.psnr_db + 0.2, True), (without.psnr_db - 1, True)):
        report = edited_from(painted, tmp_path, FINE, FINE, CompressSettings(target_psnr=wanted))
        assert (report.psnr_db == without.psnr_db) != misses
        assert any("by itself it misses what is asked for" in remark for remark in report.remarks) == misses


def test_backends_that_fit_no_edit_by_itself_say_so(painted):
    folder, _ = painted
    stack = load_stack(folder / "stone.png", CLAMPED)
    settings = settings_from_start(CompressSettings(fit=SETTINGS.fit))
    start = read_start(folder / "a.igs", stack, settings.fit.cutoff)
    fitter = Fitter(stack, settings, make_backend("reference"), None, start=start)
    assert fitter.after_edit(start.file) == "only the cpu backend can do that"
