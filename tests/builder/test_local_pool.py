import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.tree_builds import ENCODER, build, files_of, pretend, write_map, write_textures, write_tree

from imagegs_tex.builder import build_tree
from imagegs_tex.builder.build_tree import BuildWorkers, devices_of
from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.jobs import Outcome
from imagegs_tex.builder.local_pool import LocalPool, _without_main, shares
from imagegs_tex.builder.progress import Step
from imagegs_tex.builder.project_file import ProjectFile
from imagegs_tex.builder.request import BuildRequest
from imagegs_tex.rasterize.cpu.threads import one_thread_in_libraries


class Pool(LocalPool):
    def encoder(self, backend):
        return ENCODER


@pytest.fixture
def pool():
    pool = Pool(["cpu", "cpu"], pretend, timeout=20)
    yield pool
    pool.close()


def test_processes_make_the_same_tree_as_one(tmp_path, pool):
    tree = write_tree(tmp_path / "in", [f"m{number}" for number in range(12)])
    report, _ = build(tree, tmp_path / "out", pool)
    build(tree, tmp_path / "inline")
    assert report.counts.made == 12
    assert report.counts.running == 0
    assert files_of(tmp_path / "out") == files_of(tmp_path / "inline")


def test_processes_for_gpus_are_forked_from_what_has_loaded_nothing(monkeypatch):
    made = []
    monkeypatch.setattr(
        build_tree, "LocalPool", lambda *arguments: made.append(arguments) or SimpleNamespace(close=list)
    )
    for device in ("cpu", "cuda:0"):
        monkeypatch.setattr(build_tree, "devices_of", lambda *_, device=device: [device])
        with build_tree.make_runner("auto", build_tree.BuildWorkers()):
            pass
    assert [preload for *_, preload in made] == [["imagegs_tex.builder.warm"], []]


def test_a_worker_that_dies_or_hangs_costs_its_material_alone(tmp_path):
    tree = write_tree(tmp_path / "in", [f"m{number}" for number in range(4)])
    write_map(tree / "m1/basecolor.png", "dies")
    write_map(tree / "m2/basecolor.png", "hangs")
    pool = Pool(["cpu", "cpu"], pretend, timeout=3)
    try:
        report, _ = build(tree, tmp_path / "out", pool)
    finally:
        pool.close()
    problems = {bad.name: bad.problem for bad in report.left_out}
    assert problems.keys() == {"m1", "m2"}
    assert "its worker was ended with code 9, 2 times" in problems["m1"]
    assert "not done after 3 s" in problems["m2"]
    assert sorted(files_of(tmp_path / "out")) == ["m0.igs", "m3.igs", "materials.json"]


def test_cores_are_shared_out(monkeypatch):
    monkeypatch.setattr("imagegs_tex.builder.build_tree.available_threads", lambda: 10)
    assert devices_of("cpu", BuildWorkers()) == ["cpu"] * 10
    assert shares(10, 10) == [1] * 10
    assert shares(10, 4) == [2, 2, 3, 3]
    assert shares(10, 20) == [1] * 20


def say_variable(job, seat):
    return Outcome(None, f"{job.name} {os.environ.get('OPENBLAS_NUM_THREADS')}")


def test_libraries_of_workers_take_one_thread(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    pool = Pool(["cpu"], say_variable)
    try:
        report, _ = build(write_tree(tmp_path / "in", ["m"]), tmp_path / "out", pool)
    finally:
        pool.close()
    assert report.left_out[0].problem == "m 1"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_threads_of_libraries_that_were_chosen_stay(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with one_thread_in_libraries():
        assert os.environ["OMP_NUM_THREADS"] == "3"
    assert os.environ["OMP_NUM_THREADS"] == "3"


def say_threads(job, seat):
    mark = job.files[0].parents[1] / "more is done"
    if job.name == "more":
        mark.touch()
    while job.name == "slow" and not mark.exists():
        time.sleep(0.01)
    return replace(pretend(job, seat), seconds=seat.threads)


def test_jobs_have_the_cores_that_nobody_else_has(tmp_path, monkeypatch):
    """Of two each has half, what comes after the fast one has that half, and one alone has all."""
    monkeypatch.setattr("imagegs_tex.builder.local_pool.available_threads", lambda: 8)
    tree = write_tree(tmp_path / "in", ["fast", "more", "slow"])
    write_map(tree / "slow/basecolor.png", "is the largest, so it is first" * 9)
    pool = Pool(["cpu", "cpu"], say_threads)
    threads = []
    try:
        for name in (None, "more", "slow"):
            if name is not None:
                write_map(tree / name / "roughness.png", "new")
            run_build(
                BuildRequest(ProjectFile(tree), tmp_path / "out"), pool,
                lambda event: event.step == Step.MADE and threads.append((event.name, event.seconds)),
            )  # fmt: skip
    finally:
        pool.close()
    assert threads == [("fast", 4), ("more", 4), ("slow", 4), ("more", 8), ("slow", 8)]


def test_a_script_without_a_guard_builds_once(tmp_path):
    write_textures(tmp_path / "in" / "box")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom imagegs_tex import BuildWorkers, Preset, build_tree\nprint('built')\n"
        "report = build_tree('in', 'out', preset=Preset.FAST, backend='cpu', workers=BuildWorkers(jobs=1))\n"
        "sys.exit(report.counts.made != 1)\n"
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "built\n", "")


def test_a_folder_of_the_packages_name_is_not_taken_for_it(tmp_path, repository):
    """As of a checkout in the folder where it was cloned, installed as editable."""
    write_textures(tmp_path / "in" / "box")
    (tmp_path / "imagegs_tex").symlink_to(repository)
    how = ["build", "in", "-o", "out", "--preset", "fast", "--backend", "cpu", "--jobs", "1", "--quiet"]
    done = subprocess.run(
        [Path(sys.executable).with_name("imagegs-tex"), *how],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["__main__", "__mp_main__"])
def test_work_of_the_module_that_was_started_is_left_to_the_workers(name, monkeypatch):
    main = sys.modules["__main__"]
    with _without_main(pretend):
        assert sys.modules["__main__"] is not main
    monkeypatch.setattr(pretend, "__module__", name)
    with _without_main(pretend):
        assert sys.modules["__main__"] is main
