from types import SimpleNamespace

import pytest
from helpers.tree_builds import ENCODER, build, files_of, pretend, write_map, write_tree

from imagegs_tex.builder import build_tree
from imagegs_tex.builder.build_tree import BuildWorkers, seats_of
from imagegs_tex.builder.jobs import Seat
from imagegs_tex.builder.local_pool import LocalPool


class Pool(LocalPool):
    def encoder(self, backend):
        return ENCODER


@pytest.fixture
def pool():
    pool = Pool([Seat(1), Seat(1)], pretend, timeout=20)
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
        monkeypatch.setattr(build_tree, "seats_of", lambda *_, device=device: [Seat(1, device)])
        with build_tree.make_runner("auto", build_tree.BuildWorkers()):
            pass
    assert [preload for *_, preload in made] == [["imagegs_tex.builder.warm"], []]


def test_a_worker_that_dies_or_hangs_costs_its_material_alone(tmp_path):
    tree = write_tree(tmp_path / "in", [f"m{number}" for number in range(4)])
    write_map(tree / "m1/basecolor.png", "dies")
    write_map(tree / "m2/basecolor.png", "hangs")
    pool = Pool([Seat(1), Seat(1)], pretend, timeout=3)
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
    assert [seat.threads for seat in seats_of("cpu", BuildWorkers())] == [1] * 10
    assert [seat.threads for seat in seats_of("cpu", BuildWorkers(jobs=4))] == [3, 3, 2, 2]
    assert [seat.threads for seat in seats_of("cpu", BuildWorkers(jobs=20))] == [1] * 20
