"""The studio's folders: gone when it ends, and when the next one starts if it was killed."""

import subprocess
import sys

from imagegs_tex.studio.folders import StudioFolders, remove_abandoned, without_place

KILLED = """
import os, sys
from pathlib import Path
from imagegs_tex.studio.folders import StudioFolders
made = StudioFolders(Path(sys.argv[1]))
(made.visitor() / "map.png").write_bytes(b"x")
print(made.root, flush=True)
os.kill(os.getpid(), 9)
"""


def test_nothing_is_left_when_it_ends(tmp_path):
    with StudioFolders(tmp_path) as folders:
        first, second = folders.visitor(), folders.visitor()
        assert first != second
        assert first.stat().st_mode & 0o777 == 0o700
        (first / "a").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_left_goes_when_the_next_starts(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    left = list(tmp_path.iterdir())
    assert [str(path) for path in left] == [done.stdout.strip()]
    with StudioFolders(tmp_path) as folders:
        assert list(tmp_path.iterdir()) == [folders.root]


def test_one_that_runs_is_left_alone(tmp_path):
    with StudioFolders(tmp_path) as folders:
        assert remove_abandoned(tmp_path) == []
        assert folders.root.is_dir()


def test_what_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "imagegs-tex-studio-link").symlink_to(tmp_path)
    (tmp_path / "other").mkdir()
    assert remove_abandoned(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["imagegs-tex-studio-link", "other"]


def test_no_message_says_where_a_visitors_folder_lies(tmp_path):
    sent = tmp_path / "sent"
    assert without_place(f"{sent}/a/b.png is empty; export it again", tmp_path) == "a/b.png is empty; export it again"
    assert without_place(f"{sent} has no images", tmp_path) == "what was sent has no images"
    assert without_place(f"{sent}/a.gltf: {sent}/a.gltf: images[0].uri", tmp_path) == "a.gltf: images[0].uri"
    assert without_place(f"{tmp_path}/unpacked/x.png: {sent}/y.png", tmp_path) == "unpacked/x.png: y.png"
    assert without_place(f"{sent}/12/3/a.png and {sent}/12", tmp_path) == "3/a.png and what was sent"
    assert without_place("a: b", tmp_path) == "a: b"
