"""One changed map: its material begins from its last file, and the key says so."""

import hashlib
import json
from dataclasses import replace

import pytest
from helpers.tree_builds import InlineRunner, build, files_of, pretend, write_map, write_textures, write_tree

from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.jobs import IGS_FILE, CompressJob, Outcome, Recipe, Seat
from imagegs_tex.builder.keys import this_encoder
from imagegs_tex.builder.work import run_job
from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.open_material import read_material
from imagegs_tex.settings import CompressSettings, Preset, preset_settings

WARM = Recipe(warm_start=True)


def pretend_from(job, seat):
    """Make bytes that also depend on what the fit begins from."""
    outcome = pretend(job, seat)
    data = outcome.made.files[IGS_FILE] + (b"from nothing" if job.start is None else hashlib.sha256(job.start).digest())
    return Outcome(Made({IGS_FILE: data}, outcome.made.facts))


def entry(out, name):
    return {found["name"]: found for found in json.loads((out / "materials.json").read_text())["materials"]}[name]


@pytest.fixture
def changed(tmp_path):
    """A tree that was built and has one map changed since."""
    tree = write_tree(tmp_path / "in")
    build(tree, tmp_path / "out", InlineRunner(pretend_from), WARM)
    write_map(tree / "props/box/roughness.png", "edited")
    return tree


def test_a_changed_material_begins_from_its_last_file_and_the_next_build_does_nothing(changed, tmp_path):
    out = tmp_path / "out"
    before = entry(out, "props/box")
    report, made = build(changed, out, InlineRunner(pretend_from), WARM)
    assert made == ["props/box"]
    assert entry(out, "props/box")["start"] == before["sha256"]
    assert (out / "props/box.igs").read_bytes().endswith(bytes.fromhex(before["sha256"]))
    report, made = build(changed, out, InlineRunner(pretend_from), WARM)
    assert made == []
    assert report.counts.kept == 3
    assert not report.index_changed


def test_a_build_without_warm_start_makes_the_tree_of_a_build_from_nothing(changed, tmp_path):
    out = tmp_path / "out"
    build(changed, out, InlineRunner(pretend_from), WARM)
    _, made = build(changed, out, InlineRunner(pretend_from))
    assert made == ["props/box"]
    build(changed, tmp_path / "fresh", InlineRunner(pretend_from))
    assert files_of(out) == files_of(tmp_path / "fresh")


def test_other_settings_a_missing_file_and_a_cached_result_are_no_reason_to_begin_from_it(changed, tmp_path):
    out = tmp_path / "out"
    other = replace(WARM, settings=CompressSettings(gaussian_count=7))
    build(changed, out, InlineRunner(pretend_from), other)
    assert entry(out, "props/box")["start"] == ""
    write_map(changed / "props/can/roughness.png", "edited")
    (out / "props/can.igs").unlink()
    write_map(changed / "walls/brick/roughness.png", "edited")
    build(changed, tmp_path / "elsewhere", InlineRunner(pretend_from), other, cache=tmp_path / "cache")
    (out / "materials.json").touch()
    report, made = build(changed, out, InlineRunner(pretend_from), other, cache=tmp_path / "cache")
    assert made == []
    assert report.counts.hit == 2
    assert {entry(out, name)["start"] for name in ("props/can", "walls/brick")} == {""}


def test_a_file_that_is_gone_is_made_from_nothing(changed, tmp_path):
    out = tmp_path / "out"
    build(changed, out, InlineRunner(pretend_from), WARM)
    (out / "props/box.igs").unlink()
    build(changed, out, InlineRunner(pretend_from), WARM)
    assert entry(out, "props/box")["start"] == ""
    build(changed, tmp_path / "fresh", InlineRunner(pretend_from), WARM)
    assert files_of(out) == files_of(tmp_path / "fresh")


def real_job(folder, settings, start=None):
    source = read_material(write_textures(folder / "waves", seed=3), "")
    return CompressJob("waves", source, None, "", Recipe(settings), this_encoder("cpu"), start=start)


def test_a_real_fit_keeps_its_promise_and_begins_from_nothing_where_that_fails(tmp_path):
    settings = replace(preset_settings(Preset.FAST), gaussian_count=20)
    cold = run_job(real_job(tmp_path, settings), Seat(1)).made.files[IGS_FILE]
    warm = run_job(real_job(tmp_path, settings, cold), Seat(1)).made.files[IGS_FILE]
    (tmp_path / "warm.igs").write_bytes(warm)
    assert warm != cold
    assert read_igs(tmp_path / "warm.igs").gaussian_count == 20
    exact = run_job(real_job(tmp_path, replace(preset_settings(Preset.FAST), max_bytes=100_000)), Seat(1))
    began_from_exact = run_job(real_job(tmp_path, settings, exact.made.files[IGS_FILE]), Seat(1))
    assert began_from_exact.made.files[IGS_FILE] == cold
