"""Looking at a fit while it runs, and ending it early."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from helpers.tiny_material import as_bytes, write_material

from imagegs_tex import CompressSettings, FitControl, FitSettings, compress, compress_asset, info, render_snapshot
from imagegs_tex.api import compare, decode
from imagegs_tex.formats.images import read_image, write_image
from imagegs_tex.reports import as_json

SETTINGS = CompressSettings(gaussian_count=60, fit=FitSettings(steps=24, refine_sweeps=1))


class StopAt:
    """A flag that is set from the n-th time on that somebody looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return write_material(tmp_path_factory.mktemp("material") / "stone", 64, 48)


@pytest.fixture(scope="module")
def plain(material, tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "a.igs"
    return path, compress(material, path, SETTINGS, "cpu")


def test_snapshots_change_no_byte_and_show_every_nth_step(material, plain, tmp_path):
    shown = []
    report = compress(material, tmp_path / "a.igs", SETTINGS, "cpu", control=FitControl(5, shown.append))
    assert (tmp_path / "a.igs").read_bytes() == plain[0].read_bytes()
    assert [snapshot.step for snapshot in shown] == [5, 10, 15, 20]
    assert [snapshot.phase for snapshot in shown] == ["fitting", "fitting", "rounding", "rounding"]
    assert [snapshot.count for snapshot in shown] == [90, 84, 60, 60]
    for snapshot in shown:
        assert snapshot.steps == 24
        assert snapshot.means.shape == (snapshot.count, 2)
        assert snapshot.log_covariances.shape == (snapshot.count, 3)
        assert snapshot.features.shape == (snapshot.count, len(snapshot.basis))
        assert {array.dtype for array in (snapshot.means, snapshot.features)} == {np.dtype(np.float32)}
    assert len({snapshot.means.tobytes() for snapshot in shown}) == 4  # copies, not views of what goes on
    assert not report.stopped
    assert report.stopped_at is None


def test_a_snapshot_is_drawn_as_a_file_decodes(material, plain, tmp_path):
    shown = []
    compress(material, tmp_path / "a.igs", SETTINGS, "cpu", control=FitControl(8, shown.append))
    sources = {path.stem: read_image(path)[0] for path in material.iterdir()}

    def error(maps):
        return np.mean([np.mean(np.square(samples.astype(float) / np.iinfo(samples.dtype).max
                        - sources[name].astype(float) / np.iinfo(samples.dtype).max))
                        for name, samples in maps])  # fmt: skip

    errors = [error([(m.name, samples) for m, samples in render_snapshot(snapshot, "cpu")]) for snapshot in shown]
    final = error([(path.stem, read_image(path)[0]) for path in decode(plain[0], tmp_path / "maps", backend="cpu")])
    assert errors[0] > errors[-1]
    assert errors[-1] == pytest.approx(final, rel=0.2)
    weighted = shown[-1].psnr_db
    assert weighted == pytest.approx(compare(plain[0], material, "cpu").psnr_db, abs=3)


def test_a_stop_ends_the_loop_and_the_file_is_written(material, plain, tmp_path):
    report = compress(material, tmp_path / "a.igs", SETTINGS, "cpu", control=FitControl(1, stop=StopAt(7)))
    assert report.stopped
    assert (report.stopped_at.phase, report.stopped_at.step, report.stopped_at.steps) == ("fitting", 7, 24)
    assert info(tmp_path / "a.igs").gaussians == 60
    assert report.psnr_db < plain[1].psnr_db
    assert '"stopped": true' in as_json(report)
    assert '"step": 7' in as_json(report)


def test_a_stopped_fit_settles_before_it_is_rounded(tmp_path, monkeypatch):
    rough = np.random.default_rng(3).random((24, 24, 3))
    write_image(tmp_path / "rough.png", as_bytes(np.kron(rough, np.ones((4, 4, 1)))))
    settings = CompressSettings(gaussian_count=200, fit=FitSettings(steps=100, refine_sweeps=4))

    def stopped():
        control = FitControl(1, stop=StopAt(38))
        return compress(tmp_path / "rough.png", tmp_path / "a.igs", settings, "cpu", control=control).psnr_db

    whole = compress(tmp_path / "rough.png", tmp_path / "a.igs", settings, "cpu").psnr_db
    settled = stopped()
    monkeypatch.setattr("imagegs_tex.fit.loop.SETTLING_STEPS", 0)
    monkeypatch.setattr("imagegs_tex.encoder.encode.SWEEPS_OF_A_STOP", 0)
    at_once = stopped()
    assert at_once + 0.5 < settled < whole


def test_a_stop_among_the_sweeps_leaves_out_the_rest(material, plain, tmp_path):
    settings = replace(SETTINGS, fit=replace(SETTINGS.fit, refine_sweeps=3))
    report = compress(material, tmp_path / "a.igs", settings, "cpu", control=FitControl(1, stop=StopAt(24 + 1)))
    assert (report.stopped_at.phase, report.stopped_at.step) == ("refining", 1)
    assert (tmp_path / "a.igs").read_bytes() == plain[0].read_bytes()  # one sweep, as in the plain settings


@pytest.mark.parametrize("looks", [0, 3, 11, 20, 40])
@pytest.mark.parametrize("wanted", [{"max_bytes": 1500}, {"target_psnr": 27.0}])
def test_a_stop_in_a_search_keeps_the_best_so_far(looks, wanted, material, tmp_path):
    settings = replace(SETTINGS, gaussian_count=None, **wanted)
    report = compress(material, tmp_path / "a.igs", settings, "cpu", control=FitControl(1, stop=StopAt(looks)))
    assert report.stopped
    assert report.written
    size = (tmp_path / "a.igs").stat().st_size
    assert report.file_bytes == size
    if "max_bytes" in wanted:
        assert size <= 1500
    elif report.unreached is None:
        assert report.psnr_db >= 27.0


def test_a_search_names_its_pilots_and_numbers_its_fits(material, tmp_path):
    shown = []
    settings = replace(SETTINGS, gaussian_count=None, max_bytes=1500)
    compress(material, tmp_path / "a.igs", settings, "cpu", control=FitControl(4, shown.append))
    assert list(dict.fromkeys((snapshot.fit, snapshot.phase) for snapshot in shown))[:4] == [
        (0, "pilot 1 of 2"), (1, "pilot 2 of 2"), (2, "fitting"), (2, "rounding"),
    ]  # fmt: skip


def test_what_a_snapshot_raises_ends_the_run_without_a_file(material, tmp_path):
    def refuse(_):
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        compress(material, tmp_path / "a.igs", SETTINGS, "cpu", control=FitControl(2, refuse))
    assert not (tmp_path / "a.igs").exists()


def test_materials_after_a_stop_are_left_out(tmp_path):
    (tmp_path / "maps").mkdir()
    for name in ("brick", "stone"):
        for path in write_material(tmp_path / name, 32, 32).iterdir():
            path.rename(tmp_path / "maps" / f"{name}_{path.name}")
    stop = threading.Event()
    control = FitControl(3, lambda _: stop.set(), stop)
    report = compress_asset(tmp_path / "maps", tmp_path / "out", SETTINGS, "cpu", control=control)
    assert report.stopped
    assert [file.report.stopped for file in report.files] == [True]
    assert [material.file for material in report.materials] == ["brick.igs", None]
    assert "stopped before its turn" in report.materials[1].left_out


def test_an_interval_is_at_least_a_step():
    with pytest.raises(ValueError, match="every must be 1 or more"):
        FitControl(0)
