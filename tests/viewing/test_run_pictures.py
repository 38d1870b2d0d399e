"""Pictures and numbers of a run while it goes on."""

import csv
import itertools

import numpy as np
from helpers.tiny_material import write_material

from imagegs_tex import CompressSettings, FitControl, FitSettings, compress, load_stack
from imagegs_tex.formats.images import read_image
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.viewing.run_pictures import RunPictures

SETTINGS = CompressSettings(gaussian_count=50, fit=FitSettings(steps=24, refine_sweeps=0))


def test_a_folder_has_pictures_and_numbers_of_each_snapshot(tmp_path):
    material = write_material(tmp_path / "stone", 48, 32)
    pictures = RunPictures(tmp_path / "look", load_stack(material), make_backend("cpu", 2))
    shown = []

    def both(snapshot):
        shown.append(snapshot)
        pictures(snapshot)

    report = compress(material, tmp_path / "a.igs", SETTINGS, "cpu", control=FitControl(6, both))
    pictures.finish()
    names = {path.name for path in (tmp_path / "look").iterdir()}
    for step in ("00006", "00012", "00018", "00024"):
        for what in ("basecolor", "basecolor_error", "roughness", "ellipses", "numbers"):
            assert f"fit0_step{step}_{what}.png" in names
    assert {name for name in names if "changes" in name} == {
        "fit0_step00012_changes.png", "fit0_step00018_changes.png",
    }  # fmt: skip
    rows = list(csv.DictReader((tmp_path / "look" / "metrics.csv").open()))
    assert [int(row["step"]) for row in rows] == [6, 12, 18, 24]
    assert [int(row["gaussians"]) for row in rows] == [snapshot.count for snapshot in shown]
    for before, row, count in zip(rows, rows[1:], (s.count for s in shown[1:]), strict=False):
        assert int(before["gaussians"]) + int(row["added"]) - int(row["removed"]) == count
    assert int(rows[1]["removed"]) > 0
    assert abs(float(rows[-1]["psnr_db basecolor"]) - report.maps[0].psnr_db) < 1.5
    plot, _ = read_image(tmp_path / "look" / "run.png")
    assert plot.shape == (420, 900, 3)
    assert len(np.unique(plot.reshape(-1, 3), axis=0)) > 3


def test_numbers_follow_each_gaussian(tmp_path):
    """Who stays keeps the number, also while it moves; who comes gets one that was never there."""
    material = write_material(tmp_path / "stone", 48, 32)
    shown = []
    compress(material, tmp_path / "a.igs", SETTINGS, "cpu", control=FitControl(1, shown.append))
    for first, second in itertools.pairwise(shown):
        assert len(np.unique(second.numbers)) == second.count
        stay = np.isin(second.numbers, first.numbers)
        assert not stay.all() or second.count <= first.count
        before = first.means[np.searchsorted(first.numbers, second.numbers[stay])]
        moved = np.abs(second.means[stay] - before).max(axis=1)
        assert np.median(moved) < 2
    assert shown[-1].numbers.max() >= shown[0].count
