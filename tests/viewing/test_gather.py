"""What pictures are made of."""

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.tiny_material import as_bytes, waves

from imagegs_tex.formats.igs.container import write_igs
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.options import SourceOptions
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer
from imagegs_tex.metrics.scores import psnr_of
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.viewing.gather import gather, load
from imagegs_tex.viewing.sheets import map_stems


def normal_file(folder, name, **options):
    normal = made_map(name, Semantic.NORMAL, (Coded(0), Coded(1), Coded(2)), Transfer.LINEAR)
    write_igs(folder / f"{name}.igs", made_set(channels=3, maps=(normal,), **options))
    return load(folder / f"{name}.igs")


def test_normals_of_directx_are_turned_before_they_are_lit(tmp_path):
    backend = make_backend("cpu")
    up = gather(normal_file(tmp_path, "wall_normal"), None, backend).decode_surface.normals
    down = gather(normal_file(tmp_path, "wall_normal_dx"), None, backend).decode_surface.normals
    assert np.array_equal(down, up * [1, -1, 1])
    assert np.ptp(up[..., 1]) > 0.1


def test_errors_are_those_of_the_score_and_sources_of_another_size_are_not_counted(tmp_path):
    file = normal_file(tmp_path, "normal")
    write_image(tmp_path / "source" / "normal.png", as_bytes(waves(96, 64, 3)))
    found = gather(file, tmp_path / "source", make_backend("cpu"))
    score = found.maps[0].score
    assert found.psnr_db == pytest.approx(psnr_of(score.squared_error / score.values))
    assert found.maps[0].parts[0].error.values.mean() == pytest.approx(score.normal_degrees_mean, rel=1e-5)
    assert found.source_bytes == (tmp_path / "source" / "normal.png").stat().st_size
    sized = gather(file, tmp_path / "source", make_backend("cpu"), SourceOptions(size=(96, 64)))
    assert sized.source_bytes is None


def test_a_detail_layer_is_shown_and_not_scored(tmp_path):
    plain = normal_file(tmp_path, "normal")
    (tmp_path / "noisy").mkdir()
    noisy = normal_file(tmp_path / "noisy", "normal", detail={})
    write_image(tmp_path / "source" / "normal.png", as_bytes(waves(96, 64, 3)))
    first, second = (gather(file, tmp_path / "source", make_backend("cpu")) for file in (plain, noisy))
    assert not np.array_equal(first.maps[0].parts[0].decode, second.maps[0].parts[0].decode)
    assert np.array_equal(first.maps[0].parts[0].error.values, second.maps[0].parts[0].error.values)
    assert second.maps[0].score.kept_contrast_with_detail is not None


def test_no_map_takes_the_name_of_another_picture():
    assert map_stems(("overview", "lit", "Lit", "wall", "../lit")) == ["overview_2", "lit_2", "Lit_3", "wall", "_lit"]
