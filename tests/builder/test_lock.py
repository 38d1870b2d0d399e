import json
import os
import socket
import subprocess
import sys
import time

import pytest
from helpers.tree_builds import build, files_of, write_tree

from imagegs_tex.builder.file_clock import file_system_time
from imagegs_tex.builder.lock import locked
from imagegs_tex.builder.state import STATE_FOLDER
from imagegs_tex.formats.errors import OutputError


def owner(folder, **fields):
    (folder / "lock").write_text(
        json.dumps(
            {"host": socket.gethostname(), "pid": 1, "began": "1", "token": "x", "since": time.time() - 60} | fields
        )
    )
    return folder / "lock"


def test_two_builds_into_one_folder_are_refused_with_the_owner(tmp_path):
    said = f"has been built for 0 s by process {os.getpid()} of this machine"
    with locked(tmp_path), pytest.raises(OutputError, match=said), locked(tmp_path):
        pass
    assert not (tmp_path / "lock").exists()


def test_a_lock_whose_owner_is_gone_is_taken_over(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owner(tmp_path, pid=dead.pid)
    with locked(tmp_path):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


def test_a_process_number_that_was_given_out_anew_is_not_the_owner(tmp_path):
    owner(tmp_path, pid=os.getpid(), began="12")
    with locked(tmp_path):
        pass


def test_another_hosts_lock_holds_while_it_shows_life(tmp_path):
    path = owner(tmp_path, host="render07")
    with (
        pytest.raises(OutputError, match=r"has been built for 6\d s by process 1 on render07, alive 0 s ago"),
        locked(tmp_path),
    ):
        pass
    old = time.time() - 1000
    os.utime(path, (old, old))
    with locked(tmp_path):
        pass


def test_a_lock_that_was_cut_is_nobodys(tmp_path):
    (tmp_path / "lock").write_text('{"ho')
    with locked(tmp_path):
        pass


def test_a_build_meets_the_lock_of_another(tmp_path):
    tree, out = write_tree(tmp_path / "in"), tmp_path / "out"
    build(tree, out)
    before = files_of(out)
    with locked(out / STATE_FOLDER), pytest.raises(OutputError, match="has been built for 0 s by"):
        build(tree, out)
    assert files_of(out) == before


def test_a_probe_of_the_clock_that_a_kill_left_goes_with_the_next_build(tmp_path, monkeypatch):
    write_tree(tmp_path / "in")
    state = tmp_path / "out" / STATE_FOLDER
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
        state.mkdir(parents=True)
        file_system_time(state)
    assert len(list(state.iterdir())) == 1
    build(tmp_path / "in", tmp_path / "out")
    assert not list(state.glob(".now.*"))
