"""Runs that were killed go on, and end in the same bytes."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers.commands import python
from helpers.tiny_material import write_material

from imagegs_tex import Checkpointing, CompressSettings, FitControl, FitSettings, compress, compress_asset
from imagegs_tex.formats.errors import InputError

SETTINGS = CompressSettings(gaussian_count=60, fit=FitSettings(steps=40, refine_sweeps=1, patience=30))
SEARCH = replace(SETTINGS, gaussian_count=None, max_bytes=1500)
LOSS = replace(SETTINGS, fit=replace(SETTINGS.fit, ssim_weight=0.05, steps=14))


class KilledError(Exception):
    """Stands for the end of a process: nothing after it runs."""


def killed_at(count):
    """A callback of progress that ends the run at the n-th step."""
    steps = []

    def look(state):
        if state.psnr_db is not None:
            steps.append(state.step)
            if len(steps) == count:
                raise KilledError

    return look


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Large enough for borders that weigh more, where it repeats."""
    return write_material(tmp_path_factory.mktemp("material") / "stone", 128, 128)


@pytest.fixture(scope="module")
def bytes_of(material, tmp_path_factory):
    """The bytes of runs that nothing interrupts."""
    known = {}

    def get(settings):
        if repr(settings) not in known:
            path = tmp_path_factory.mktemp("plain") / "a.igs"
            compress(material, path, settings, "cpu")
            known[repr(settings)] = path.read_bytes()
        return known[repr(settings)]

    return get


def run(material, output, settings, folder, *, resume, kill=None, every=3):
    control = FitControl(1, checkpoints=Checkpointing(folder, every, resume))
    compress(material, output, settings, "cpu", progress=None if kill is None else killed_at(kill), control=control)


@pytest.mark.parametrize(
    ("settings", "kills"),
    [(SETTINGS, (5, 1, 12, 3, 9)), (SEARCH, (7, 8, 18, 11, 30)), (LOSS, (8,))],
    ids=["count", "search", "ssim"],
)
def test_a_run_that_was_killed_ends_in_the_same_bytes(material, bytes_of, tmp_path, settings, kills):
    folder, output = tmp_path / "saved", tmp_path / "a.igs"
    for index, kill in enumerate(kills):
        with pytest.raises(KilledError):
            run(material, output, settings, folder, resume=index > 0, kill=kill)
        assert not output.exists()
    run(material, output, settings, folder, resume=True)
    assert output.read_bytes() == bytes_of(settings)
    assert not folder.exists()  # of a complete run nothing is left


def test_a_process_that_was_killed_goes_on(material, bytes_of, tmp_path):
    arguments = (
        "compress", material, "-o", tmp_path / "a.igs", "--gaussians", "60", "--set", "refine_sweeps=0", "--steps",
        "300", "--backend", "cpu", "--every", "7",
    )  # fmt: skip
    process = python(*arguments, "--checkpoint", tmp_path / "saved")
    while not list((tmp_path / "saved").glob("step-b.npz")):
        assert process.poll() is None, process.stderr.read()
    process.kill()  # as kill -9 does
    process.communicate()
    assert not (tmp_path / "a.igs").exists()
    process = python(*arguments, "--quiet", "--resume", tmp_path / "saved")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    settings = replace(SETTINGS, fit=replace(SETTINGS.fit, steps=300, refine_sweeps=0, patience=0))
    assert (tmp_path / "a.igs").read_bytes() == bytes_of(settings)


def test_what_a_stop_left_goes_on(material, bytes_of, tmp_path):
    class Stop:
        looks = 0

        def is_set(self):
            self.looks += 1
            return self.looks > 17

    checkpoints = Checkpointing(tmp_path / "saved", 1000)
    report = compress(material, tmp_path / "a.igs", SETTINGS, "cpu", control=FitControl(1, None, Stop(), checkpoints))
    assert report.stopped_at.step == 17
    assert (tmp_path / "a.igs").read_bytes() != bytes_of(SETTINGS)
    run(material, tmp_path / "a.igs", SETTINGS, tmp_path / "saved", resume=True)
    assert (tmp_path / "a.igs").read_bytes() == bytes_of(SETTINGS)


@pytest.fixture(scope="module")
def saved(material, tmp_path_factory):
    """A folder with two steps of the second fit of a search."""
    folder = tmp_path_factory.mktemp("saved") / "run"
    with pytest.raises(KilledError):
        run(material, folder.parent / "a.igs", SEARCH, folder, resume=False, kill=20)
    assert {path.name for path in folder.iterdir()} == {"run.json", "fit-0.npz", "step-a.npz", "step-b.npz"}
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "run")
    return tmp_path / "run"


def refused(material, tmp_path, folder, words, settings=SEARCH, backend="cpu", resume=True):
    control = FitControl(1, checkpoints=Checkpointing(folder, 3, resume))
    with pytest.raises(InputError) as raised:
        compress(material, tmp_path / "a.igs", settings, backend, control=control)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "a.igs").exists()


def test_a_foreign_checkpoint_is_refused(material, saved, tmp_path, monkeypatch):
    other = replace(SEARCH, fit=replace(SEARCH.fit, seed=1))
    refused(material, tmp_path, saved, "another run (another settings)", other)
    refused(material, tmp_path, saved, "another run (another backend)", backend="reference")
    refused(write_material(tmp_path / "other", 32, 32), tmp_path, saved, "another run (another source)")
    refused(material, tmp_path, saved, "has checkpoints already", resume=False)
    refused(material, tmp_path, tmp_path / "none", "has no checkpoints")
    monkeypatch.setattr("imagegs_tex.fit.checkpoint.__version__", "9.9")
    refused(material, tmp_path, saved, "another run (another version)")


def flip(path, where):
    data = bytearray(path.read_bytes())
    data[int(len(data) * where)] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.85])
def test_a_damaged_checkpoint_is_refused_and_the_other_step_used(material, bytes_of, copy, tmp_path, where):
    flip(copy / "step-a.npz", where)
    again = tmp_path / "again"
    shutil.copytree(copy, again)
    run(material, tmp_path / "b.igs", SEARCH, again, resume=True)
    assert (tmp_path / "b.igs").read_bytes() == bytes_of(SEARCH)
    flip(copy / "step-b.npz", where)
    refused(material, tmp_path, copy, "is damaged; begin anew with --checkpoint")


def test_other_damage_is_refused(material, copy, tmp_path):
    whole = (copy / "fit-0.npz").read_bytes()
    for data in (b"", whole[: len(whole) // 2], b"PK" + whole[2:100], whole + b"x" * 70000):
        (copy / "fit-0.npz").write_bytes(data)
        refused(material, tmp_path, copy, "fit-0.npz is damaged")
    np.savez(copy / "fit-0.npz", means=np.array([{}], dtype=object), allow_pickle=True)
    refused(material, tmp_path, copy, "fit-0.npz is damaged")  # nothing is unpickled
    for text, words in (("{", "is damaged"), ("[]", "another version"), ('{"layout": 0}', "another version")):
        (copy / "run.json").write_text(text)
        refused(material, tmp_path, copy, words)


def test_files_of_another_run_are_no_part_of_one(material, saved, copy, tmp_path):
    other = replace(SEARCH, fit=replace(SEARCH.fit, seed=1))
    with pytest.raises(KilledError):
        run(material, tmp_path / "b.igs", other, tmp_path / "other", resume=False, kill=20)
    shutil.copy(tmp_path / "other" / "fit-0.npz", copy / "fit-0.npz")
    refused(material, tmp_path, copy, "fit-0.npz is damaged")


def test_materials_of_an_asset_go_on(tmp_path):
    (tmp_path / "maps").mkdir()
    for name in ("brick", "stone"):
        for path in write_material(tmp_path / name, 32, 32).iterdir():
            path.rename(tmp_path / "maps" / f"{name}_{path.name}")
    compress_asset(tmp_path / "maps", tmp_path / "plain", SETTINGS, "cpu")
    for index, kill in enumerate((50, 3)):  # in the second material
        control = FitControl(1, checkpoints=Checkpointing(tmp_path / "saved", 3, index > 0))
        with pytest.raises(KilledError):
            compress_asset(
                tmp_path / "maps", tmp_path / "out", SETTINGS, "cpu", progress=killed_at(kill), control=control
            )
        assert {path.name for path in (tmp_path / "saved").iterdir()} == {"brick", "stone"}
    control = FitControl(1, checkpoints=Checkpointing(tmp_path / "saved", 3, True))
    compress_asset(tmp_path / "maps", tmp_path / "out", SETTINGS, "cpu", control=control)
    for name in ("brick.igs", "stone.igs"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert not (tmp_path / "saved").exists()


def test_a_checkpoint_is_written_whole_or_not_at_all(material, copy, tmp_path, monkeypatch):
    before = {path.name: path.read_bytes() for path in copy.iterdir()}

    def killed(*_):
        raise KilledError

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KilledError):
        run(material, tmp_path / "a.igs", SEARCH, copy, resume=True)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert json.loads(before["run.json"])["backend"] == "cpu"


def test_an_interval_is_at_least_a_step(tmp_path):
    with pytest.raises(ValueError, match="every must be 1 or more"):
        Checkpointing(tmp_path, 0)
