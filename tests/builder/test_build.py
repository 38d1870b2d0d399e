import json
import os
import shutil
from dataclasses import replace

import pytest
from helpers.tree_builds import ENCODER, InlineRunner, build, files_of, pretend, write_map, write_tree

from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.jobs import Recipe
from imagegs_tex.builder.progress import Step
from imagegs_tex.builder.state import STATE_FOLDER
from imagegs_tex.formats.errors import InputError, OutputError, UsageError
from imagegs_tex.settings import CompressSettings

ALL = ["props/box", "props/can", "walls/brick"]


@pytest.fixture
def tree(tmp_path):
    return write_tree(tmp_path / "in")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def index_of(out):
    return json.loads((out / "materials.json").read_text())


def test_a_tree_keeps_its_structure_and_gets_an_index(tree, out):
    report, made = build(tree, out)
    assert sorted(made) == ALL
    assert sorted(files_of(out)) == ["materials.json", *(f"{name}.igs" for name in ALL)]
    listed = index_of(out)["materials"]
    assert [(entry["name"], entry["file"], entry["source"]) for entry in listed] == [(n, f"{n}.igs", n) for n in ALL]
    assert [entry["bytes"] for entry in listed] == [(out / entry["file"]).stat().st_size for entry in listed]
    assert report.counts.made == 3
    assert str(tree) not in (out / "materials.json").read_text()


def test_a_second_build_makes_and_writes_nothing(tree, out):
    build(tree, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if STATE_FOLDER not in path.parts}
    report, made = build(tree, out)
    assert made == []
    assert report.counts.kept == 3
    assert not report.index_changed
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_workers_are_told_early_of_work_and_never_in_vain(tree, out, tmp_path):
    class Early(InlineRunner):
        def encoder(self, backend):
            return self.own

        def expect_work(self):
            super().expect_work()
            raise InterruptedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imagegs_tex.builder.engine.discover", None)
        with pytest.raises(InterruptedError):
            build(tree, out, Early())
    build(tree, out, cache=tmp_path / "cache")
    for runner, where in ((InlineRunner(), out), (InlineRunner(), tmp_path / "another")):
        build(tree, where, runner, cache=tmp_path / "cache")
        assert runner.expectations == 0
    write_map(tree / "props/can/roughness.png", "new")
    write_map(tree / "props/box/roughness.png", "new, too")
    runner = InlineRunner()
    build(tree, out, runner, cache=tmp_path / "cache")
    assert runner.expectations == 1


def test_touching_renaming_and_copying_make_nothing(tree, out, tmp_path):
    build(tree, out)
    for path in tree.rglob("*.png"):
        os.utime(path, (1, 1))
    assert build(tree, out)[1] == []
    (tree / "props/box").rename(tree / "walls/crate")
    report, made = build(tree, out)
    assert made == []
    assert report.removed == ("props/box",)
    assert sorted(files_of(out)) == ["materials.json", "props/can.igs", "walls/brick.igs", "walls/crate.igs"]
    shutil.copytree(tree, tmp_path / "copy" / "in")
    shutil.copytree(out, tmp_path / "copied")
    assert build(tmp_path / "copy" / "in", tmp_path / "copied")[1] == []


def test_one_changed_map_remakes_one_material(tree, out):
    build(tree, out)
    old = files_of(out)
    write_map(tree / "props/can/roughness.png", "new")
    assert build(tree, out)[1] == ["props/can"]
    changed = {name for name, data in files_of(out).items() if data != old[name]}
    assert changed == {"props/can.igs", "materials.json"}


def test_what_decides_the_bytes_decides_what_is_made(tree, out):
    build(tree, out)

    def recipe(name):
        return Recipe(CompressSettings(target_psnr=34.0)) if name.startswith("props/") else Recipe()

    assert sorted(build(tree, out, recipe=recipe)[1]) == ALL[:2]
    assert build(tree, out, recipe=recipe)[1] == []
    for encoder in (
        replace(ENCODER, backend="cuda"), replace(ENCODER, processor="another"), replace(ENCODER, version="9"),
        replace(ENCODER, libraries=(("torch", "3"),)), replace(ENCODER, code="new"),
    ):  # fmt: skip
        assert sorted(build(tree, out, InlineRunner(encoder=encoder))[1]) == ALL


def test_equal_materials_are_made_once(tree, out):
    shutil.copytree(tree / "props/box", tree / "walls/box")
    report, made = build(tree, out)
    assert len(made) == 3
    assert (out / "walls/box.igs").read_bytes() == (out / "props/box.igs").read_bytes()
    assert report.counts.made == 4


def test_a_failing_material_stops_no_other_and_loses_its_output(tree, out):
    build(tree, out)
    write_map(tree / "props/can/roughness.png", "fails")
    report, _ = build(tree, out)
    assert [(bad.name, bad.problem) for bad in report.left_out] == [("props/can", "it always fails")]
    assert sorted(files_of(out)) == ["materials.json", "props/box.igs", "walls/brick.igs"]
    assert index_of(out)["left_out"][0]["problem"] == "it always fails"
    write_map(tree / "props/can/roughness.png", "well")
    report, made = build(tree, out)
    assert made == ["props/can"]
    assert report.left_out == ()


def test_the_index_of_what_is_left_out_names_no_place_of_this_machine(tree, out):
    (tree / "broken.glb").write_bytes(b"no glTF")
    write_map(tree / "props/can/roughness.png", "fails")

    def work(job, seat):
        outcome = pretend(job, seat)
        return replace(outcome, problem=f"{job.files[0]} is bad") if outcome.made is None else outcome

    report, _ = build(tree, out, InlineRunner(work))
    first, second = report.left_out
    assert first.problem.startswith("broken.glb has no glTF header")
    assert second.problem == "props/can/basecolor.png is bad"
    assert str(tree) not in (out / "materials.json").read_text()


def test_a_missed_target_keeps_the_best_file_unless_that_fails_the_material(tree, out):
    def work(job, seat):
        outcome = pretend(job, seat)
        missed = "99.00 dB was not reached" if job.name == "props/can" else None
        return replace(outcome, made=Made(outcome.made.files, {**outcome.made.facts, "unreached": missed}))

    report, _ = build(tree, out, InlineRunner(work), Recipe())
    assert report.left_out == ()
    assert {entry.name: entry.report["unreached"] for entry in report.entries} == {
        "props/box": None, "props/can": "99.00 dB was not reached", "walls/brick": None,
    }  # fmt: skip
    report, made = build(tree, out, InlineRunner(work), Recipe(keep_best=False))
    assert made == []
    assert [(bad.name, bad.problem) for bad in report.left_out] == [("props/can", "99.00 dB was not reached")]
    assert not (out / "props/can.igs").exists()
    report, made = build(tree, out, InlineRunner(work), Recipe(keep_best=False))
    assert made == ["props/can"]
    assert len(report.left_out) == 1
    assert build(tree, out, InlineRunner(work), Recipe())[0].left_out == ()
    assert (out / "props/can.igs").exists()


def test_fail_fast_stops_and_the_next_build_goes_on(tree, out):
    write_map(tree / "walls/brick/roughness.png", "fails")
    with pytest.raises(InputError, match=r"walls/brick: it always fails"):
        build(tree, out, keep_going=False)
    assert not (out / "materials.json").exists()
    write_map(tree / "walls/brick/roughness.png", "well")
    build(tree, out)
    assert sorted(files_of(out)) == ["materials.json", *(f"{name}.igs" for name in ALL)]


def test_outputs_of_vanished_sources_go_and_nothing_else(tree, out):
    build(tree, out)
    (out / "props/notes.txt").write_text("mine")
    (out / "props/other.igs").write_text("mine")
    shutil.rmtree(tree / "props")
    report, _ = build(tree, out)
    assert report.removed == ("props/box", "props/can")
    assert sorted(files_of(out)) == ["materials.json", "props/notes.txt", "props/other.igs", "walls/brick.igs"]
    (out / "props/notes.txt").unlink()
    (out / "props/other.igs").unlink()


def test_a_tree_that_is_empty_all_at_once_removes_nothing(tree, out):
    build(tree, out)
    before = files_of(out)
    for folder in list(tree.iterdir()):
        shutil.rmtree(folder)
    with pytest.raises(InputError, match="is it mounted"):
        build(tree, out)
    assert files_of(out) == before


def test_a_folder_without_materials_is_said(tmp_path, out):
    (tmp_path / "mistyped").mkdir()
    with pytest.raises(InputError, match="has no materials; give a folder with images"):
        build(tmp_path / "mistyped", out)


def test_a_damaged_or_missing_output_is_made_anew(tree, out):
    build(tree, out)
    good = files_of(out)
    (out / "props/box.igs").write_bytes(b"\0" * (out / "props/box.igs").stat().st_size)
    (out / "walls/brick.igs").unlink()
    assert sorted(build(tree, out)[1]) == ["props/box", "walls/brick"]
    assert files_of(out) == good


def test_files_of_others_are_not_replaced(tree, out):
    (out / "props").mkdir(parents=True)
    (out / "props/box.igs").write_text("a letter")
    report, made = build(tree, out)
    assert sorted(made) == ALL[1:]
    assert "is there already" in report.left_out[0].problem
    assert (out / "props/box.igs").read_text() == "a letter"
    (out / "materials.json").write_text('{"source": "an asset"}')
    with pytest.raises(OutputError, match="is no index of a build"):
        build(tree, out)


def test_an_index_cannot_have_files_elsewhere_removed(tree, out, tmp_path):
    build(tree, out)
    precious = tmp_path / "precious.igs"
    precious.write_text("stay")
    index = index_of(out)
    index["materials"][0] |= {"name": "gone", "file": "../precious.igs"}
    (out / "materials.json").write_text(json.dumps(index))
    build(tree, out)
    assert precious.read_text() == "stay"


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tree, out):
    report, made = build(tree, out, dry_run=True)
    assert made == []
    assert not out.exists()
    assert dict(report.planned) == dict.fromkeys(ALL, Step.MADE)
    build(tree, out)
    write_map(tree / "props/can/roughness.png", "new")
    (tree / "props/box").rename(tree / "crate")
    shutil.rmtree(tree / "walls")
    before = files_of(out)
    report, _ = build(tree, out, dry_run=True)
    assert dict(report.planned) == {"crate": Step.HIT, "props/can": Step.MADE}
    assert report.removed == ("props/box", "walls/brick")
    assert files_of(out) == before


def test_files_that_change_while_they_are_read_are_not_taken(tree, out):
    class Meddler(InlineRunner):
        def submit(self, jobs):
            super().submit(jobs)
            write_map(tree / "props/can/roughness.png", "meanwhile")

    report, _ = build(tree, out, Meddler())
    assert [(bad.name, bad.problem) for bad in report.left_out] == [
        ("props/can", "its files changed while it was made; build again")
    ]
    assert build(tree, out)[1] == ["props/can"]


def test_products_are_made_of_finished_files_and_only_when_these_change(tree, out):
    recipe = Recipe(products=("emit-glsl", "verify"))
    build(tree, out)
    report, made = build(tree, out, recipe=recipe)
    assert sorted(made) == sorted(ALL * 2)  # no compression: two products each
    found = files_of(out)
    assert {"props/box.glsl/one.txt", "props/box.glsl/two.txt", "props/box.verify.json"} <= found.keys()
    assert found["props/box.glsl/one.txt"] == b"emit-glsl" + found["props/box.igs"]
    assert report.counts.made == 3
    assert build(tree, out, recipe=recipe)[1] == []
    write_map(tree / "props/can/roughness.png", "new")
    assert build(tree, out, recipe=recipe)[1] == ["props/can"] * 3
    build(tree, out)
    assert not (out / "props/box.glsl").exists()


def test_a_tree_within_its_output_is_refused_and_an_output_within_its_tree_is_not_looked_into(tree):
    with pytest.raises(UsageError, match="is the tree itself"):
        build(tree, tree)
    build(tree, tree / "cooked")
    assert build(tree, tree / "cooked")[0].counts.total == 3
    with pytest.raises(UsageError, match="is a folder of the tree"):
        build(tree, tree / "props")
    (tree / "empty").mkdir()
    build(tree, tree / "empty")


def test_no_folder_is_an_input_error(tmp_path, out):
    with pytest.raises(InputError, match="is no folder"):
        build(tmp_path / "none", out)
