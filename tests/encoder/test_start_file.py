"""Fits that begin from an earlier file."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.tiny_material import as_bytes, write_material

from imagegs_tex import CompressSettings, FitSettings, compress, info, settings_from_start
from imagegs_tex.encoder.start_file import settings_without_start, stretched
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import conics_of
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.settings import Preset, preset_settings

SETTINGS = CompressSettings(gaussian_count=120, fit=FitSettings(steps=80))


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Detail at every scale, as real maps have it: of smooth waves every step makes a better picture."""
    rng = np.random.default_rng(1)
    planes = sum(
        np.kron(rng.random((96 // size, 96 // size, 4)), np.ones((size, size, 1))) for size in (2, 4, 8, 16, 32)
    )
    folder = tmp_path_factory.mktemp("material") / "stone"
    write_image(folder / "basecolor.png", as_bytes(planes[..., :3] / 5))
    write_image(folder / "roughness.png", as_bytes(planes[..., 3] / 5))
    return folder


@pytest.fixture(scope="module")
def first(material, tmp_path_factory):
    path = tmp_path_factory.mktemp("first") / "a.igs"
    return path, compress(material, path, SETTINGS, "cpu")


def test_an_edit_takes_a_fraction_of_the_steps(material, first, tmp_path):
    folder = tmp_path / "edited"
    folder.mkdir()
    for path in material.iterdir():
        texels = read_image(path)[0].copy()
        texels[30:51, 20:41] = texels[30:51, 20:41][::-1].copy()  # 5 %
        write_image(folder / path.name, texels)
    anew = compress(folder, tmp_path / "b.igs", SETTINGS, "cpu")
    few = settings_from_start(SETTINGS)
    assert few.fit.steps == 10
    found = compress(folder, tmp_path / "c.igs", few, "cpu", start=first[0])
    assert found.psnr_db > anew.psnr_db - 0.3
    assert found.psnr_db > compress(folder, tmp_path / "d.igs", few, "cpu").psnr_db + 0.3
    assert found.start.name == "a.igs"
    assert found.remarks[-1].endswith("nothing that has changed can be fitted by itself")  # it is too much of this one
    assert anew.remarks == ()
    assert anew.start is None


def test_a_map_that_begins_to_vary_is_said_and_all_is_fitted(material, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "basecolor.png").write_bytes((material / "basecolor.png").read_bytes())
    write_image(flat / "roughness.png", np.full((96, 96, 1), 90, np.uint8))
    compress(flat, tmp_path / "a.igs", SETTINGS, "cpu")
    again = settings_from_start(replace(SETTINGS, gaussian_count=None))
    texels = np.full((96, 96, 1), 90, np.uint8)
    texels[40:50, 40:50] = 200
    write_image(flat / "roughness.png", texels)
    report = compress(flat, tmp_path / "b.igs", again, "cpu", start=tmp_path / "a.igs")
    assert report.remarks[-1] == (
        "--start: all of the picture is fitted, not only an edit: roughness varies where there is one value in a.igs"
    )


def test_another_number_is_said(material, first, tmp_path):
    few = settings_from_start(SETTINGS)
    other = compress(material, tmp_path / "b.igs", replace(few, gaussian_count=100), "cpu", start=first[0])
    assert "another number of Gaussians" in other.remarks[-1]


def test_without_a_number_all_of_a_picture_gets_as_many_gaussians_as_before(material, first, tmp_path):
    settings = settings_from_start(replace(SETTINGS, gaussian_count=None))
    compress(material, tmp_path / "b.igs", settings, "cpu", start=first[0])
    assert info(tmp_path / "b.igs").gaussians == 120


def test_another_size_and_another_target_begin_from_it_too(material, first, tmp_path):
    options = SourceOptions(size=(160, 120))
    few = settings_from_start(SETTINGS)
    from_file = compress(material, tmp_path / "b.igs", few, "cpu", start=first[0], options=options)
    assert (from_file.width, from_file.height) == (160, 120)
    assert from_file.psnr_db > first[1].psnr_db - 1
    limited = replace(few, gaussian_count=None, max_bytes=900)
    report = compress(material, tmp_path / "c.igs", limited, "cpu", start=first[0])
    assert 0.9 * 900 < report.file_bytes <= 900


def test_a_picture_of_a_few_texels_begins_from_hundreds_of_gaussians(material, tmp_path):
    """Most of them meet no texel's centre; features of the others ran away, and the file could not be written."""
    quick = CompressSettings(gaussian_count=800, fit=FitSettings(steps=12, refine_sweeps=0))
    compress(material, tmp_path / "many.igs", quick, "cpu")
    write_image(tmp_path / "few.png", np.random.default_rng(0).integers(0, 256, (3, 3, 3), np.uint8))
    few = settings_from_start(preset_settings(Preset.FAST))
    report = compress(tmp_path / "few.png", tmp_path / "few.igs", few, "cpu", start=tmp_path / "many.igs")
    assert report.gaussians <= 9


@pytest.mark.parametrize("scale", [(2.0, 2.0), (0.5, 3.0), (1.0, 0.25)])
def test_stretched_gaussians_have_the_stretched_covariance(scale):
    rng = np.random.default_rng(0)
    shapes = np.stack([rng.normal(2, 1, 50), rng.normal(0, 1.2, 50), rng.normal(0, 1.2, 50)], axis=1)
    shapes[0, 1:] = 0  # round
    found = conics_of(stretched(shapes, np.array(scale)))
    wanted = conics_of(shapes) / [scale[0] ** 2, scale[0] * scale[1], scale[1] ** 2]
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_a_file_of_exact_samples_is_said_and_the_fit_is_from_the_beginning(tmp_path):
    material = write_material(tmp_path / "stone", 8, 8)
    compress(material, tmp_path / "a.igs", CompressSettings(), "cpu")
    assert read_igs(tmp_path / "a.igs").exact is not None
    report = compress(material, tmp_path / "b.igs", None, "cpu", start=tmp_path / "a.igs")
    assert (tmp_path / "b.igs").read_bytes() == (tmp_path / "a.igs").read_bytes()
    assert report.remarks[-1] == "--start: fitted from the beginning: a.igs has exact samples in place of Gaussians"
    assert report.preset == "balanced"
    assert report.quality == 50


@pytest.mark.parametrize("preset", Preset)
def test_without_a_start_settings_are_those_that_there_were(preset):
    asked = replace(preset_settings(preset), max_bytes=900)
    assert settings_without_start(settings_from_start(asked)) == asked
    few = replace(asked.fit, seed=3, steps=400, refine_sweeps=6)
    assert settings_without_start(settings_from_start(replace(asked, fit=few))).fit == few
    assert settings_without_start(asked) == asked
