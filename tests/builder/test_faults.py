import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.commands import fill_the_disk
from helpers.tree_builds import build, files_of, write_map, write_tree

from imagegs_tex.builder.state import STATE_FOLDER, Entry, State, _add
from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.material.folder_of_maps import MAX_IMAGES

NAMES = [f"m{number:02d}" for number in range(30)]
SLOW_BUILD = """
import sys
from pathlib import Path
from helpers.tree_builds import InlineRunner, build, pretend
import time
def work(job, seat):
    time.sleep(0.01)
    return pretend(job, seat)
tree, out, cache = map(Path, sys.argv[1:])
print("ready", flush=True)
build(tree, out, InlineRunner(work), cache=cache)
"""


def test_kills_at_any_moment_leave_whole_files_and_the_next_build_goes_on(tmp_path, repository):
    tree, out, cache = write_tree(tmp_path / "in", NAMES), tmp_path / "out", tmp_path / "cache"
    build(tree, tmp_path / "whole")
    expected = files_of(tmp_path / "whole")
    rng = random.Random(5)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW_BUILD, tree, out, cache], stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(repository / "tests")},
        )  # fmt: skip
        process.stdout.readline()
        time.sleep(rng.uniform(0.05, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = {name: data for name, data in files_of(out).items() if name.endswith(".igs")} if out.exists() else {}
        assert all(expected[name] == data for name, data in found.items())
    _, made = build(tree, out, cache=cache)
    assert len(made) < len(NAMES)  # it went on
    assert files_of(out) == expected
    assert {path.name for path in (out / STATE_FOLDER).iterdir()} <= {"hashes.json", "lock.guard"}


def test_what_a_killed_build_was_writing_is_removed(tmp_path):
    tree, out = write_tree(tmp_path / "in"), tmp_path / "out"
    (out / "props").mkdir(parents=True)
    (out / STATE_FOLDER).mkdir()
    (out / STATE_FOLDER / "journal.jsonl").write_text('{"will write": ["props/box.igs"]}\n{"done": {"na')
    leftovers = [out / "props/.box.igs.0123456789ab.tmp", out / ".materials.json.0123456789ab.tmp"]
    mine = out / "props/.notes.tmp"
    for path in [*leftovers, mine]:
        path.write_bytes(b"half")
    build(tree, out)
    assert [path.exists() for path in leftovers] == [False, False]
    assert mine.exists()


def test_a_source_that_vanishes_while_its_output_is_written_leaves_no_orphan(tmp_path):
    tree, out = write_tree(tmp_path / "in"), tmp_path / "out"
    build(tree, out)
    (out / "gone.igs").write_bytes((out / "props/box.igs").read_bytes())
    (out / STATE_FOLDER / "journal.jsonl").write_text('{"will write": ["gone.igs"]}\n')
    build(tree, out)
    assert not (out / "gone.igs").exists()


def test_a_full_disk_ends_the_build_in_one_line_and_the_next_goes_on(tmp_path):
    tree, out = write_tree(tmp_path / "in"), tmp_path / "out"
    build(tree, out)
    write_map(tree / "props/can/roughness.png", "new")
    before = files_of(out)
    with pytest.MonkeyPatch.context() as patch:
        fill_the_disk(patch)
        with pytest.raises(OutputError, match="the disk is full"):
            build(tree, out)
    assert files_of(out) == before
    assert build(tree, out)[1] == ["props/can"]


def test_a_cache_on_a_full_disk_stops_nothing(tmp_path, monkeypatch):
    tree, out, cache = write_tree(tmp_path / "in"), tmp_path / "out", tmp_path / "cache"
    build(tree, out, cache=cache)
    real = os.fsync

    def full(number):
        if str(cache) in str(Path(f"/proc/self/fd/{number}").readlink()):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(os, "fsync", full)
    write_map(tree / "props/can/roughness.png", "new")
    report, made = build(tree, out, cache=cache)
    assert made == ["props/can"]
    assert report.left_out == ()
    (remark,) = report.remarks
    assert f"one result could not be kept in {cache}: is its disk full" in remark
    assert str(cache) not in (out / "materials.json").read_text()


def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path):
    tree = write_tree(tmp_path / "in")
    (tmp_path / "file").write_text("no folder")
    runner_names = None
    with pytest.raises(OutputError, match=r"cannot write .*file/out"):
        _, runner_names = build(tree, tmp_path / "file" / "out")
    assert runner_names is None
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / STATE_FOLDER).write_text("no folder")
    with pytest.raises(OutputError, match="cannot write"):
        build(tree, tmp_path / "out")


def test_an_output_that_became_read_only_is_said_and_stays_as_it_is(tmp_path):
    """Pretended, because nothing is read-only for root: the system refuses every new file below it."""
    tree, out = write_tree(tmp_path / "in"), tmp_path / "out"
    build(tree, out)
    before = files_of(out)
    write_map(tree / "props/can/roughness.png", "new")
    whole = Path.open

    def refuse(path, mode="r", *arguments, **options):
        if {*mode} & {*"wxa"} and path.is_relative_to(out):
            raise OSError(errno.EROFS, "Read-only file system")
        return whole(path, mode, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(OutputError, match=r"cannot write .*the file system is read-only"):
            build(tree, out)
    assert files_of(out) == before
    assert build(tree, out)[1] == ["props/can"]


def test_a_folder_of_very_many_files_stops_no_other_and_is_said(tmp_path):
    tree = write_tree(tmp_path / "in")
    (tree / "scans").mkdir()
    for number in range(MAX_IMAGES + 1):
        (tree / "scans" / f"{number:05d}_albedo.png").touch()
    report, made = build(tree, tmp_path / "out")
    assert sorted(made) == ["props/box", "props/can", "walls/brick"]
    (bad,) = report.left_out
    assert f"has {MAX_IMAGES + 1} images; at most {MAX_IMAGES} are read" in bad.problem


def test_times_in_the_future_and_the_past_change_nothing(tmp_path):
    tree, out = write_tree(tmp_path / "in"), tmp_path / "out"
    build(tree, out)
    for number, path in enumerate(sorted([*tree.rglob("*.png"), *out.rglob("*.igs")])):
        os.utime(path, (10**9 * (number % 2 + 1), 2 * 10**9))
    report, made = build(tree, out)
    assert made == []
    assert not report.index_changed


def test_what_is_known_of_an_output_grows_in_place():
    """A copy of it for each file takes longer than all else where the tree is large."""
    state = State()
    known = state.files
    for name in ("a", "b"):
        _add(state, Entry(name, name, f"{name}.igs", "k", "s", 100, 1000, {}, {}))
    assert state.files is known
    assert known == {"a.igs", "b.igs"}
