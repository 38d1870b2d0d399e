import errno
import io
import os
from pathlib import Path

import pytest

from imagegs_tex.formats.errors import OutputError
from imagegs_tex.formats.files.atomic_write import check_writable, write_bytes, write_files


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_writes_and_replaces(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    write_files({tmp_path / "a": b"new", tmp_path / "b": b""})
    assert contents(tmp_path) == {"a": b"new", "b": b""}


def test_new_files_follow_the_umask(tmp_path):
    write_bytes(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_device_is_written_to_directly():
    write_bytes(Path(os.devnull), b"x")
    assert not Path(os.devnull).is_file()


def test_a_long_name_leaves_room_for_the_temporary_one(tmp_path):
    write_bytes(tmp_path / ("é" * 120), b"x")
    assert len(contents(tmp_path)) == 1


def fail_second_sync(monkeypatch, error: BaseException):
    calls = []

    def sync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise error

    monkeypatch.setattr(os, "fsync", sync)


def test_a_full_disk_leaves_everything_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")
    fail_second_sync(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OutputError, match=r"^cannot write \S*/b: the disk is full; [^\n]+$"):
        write_files({tmp_path / "a": b"new", tmp_path / "b": b"new", tmp_path / "c": b"new"})
    assert contents(tmp_path) == {"a": b"old"}


def test_ctrl_c_leaves_everything_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")
    fail_second_sync(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write_files({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert contents(tmp_path) == {"a": b"old"}


def test_a_full_disk_while_writing(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda self, mode: Full())
    with pytest.raises(OutputError, match="disk is full"):
        write_bytes(tmp_path / "a", b"new")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("file/a", "a file has that name"),
        ("file/folder/a", "is a file"),
        ("folder", "is a folder"),
        ("n" * 300, "too long"),
    ],
)
def test_places_that_cannot_be_written(tmp_path, place, reason):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=reason) as caught:
        write_bytes(tmp_path / place, b"x")
    assert "\n" not in str(caught.value)


def test_no_permission(tmp_path, monkeypatch):
    def refuse(self, mode):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root, which CI runs as, may write everywhere
    with pytest.raises(OutputError, match="no permission"):
        write_bytes(tmp_path / "a", b"x")


def test_missing_folders_are_created(tmp_path):
    for _ in range(2):
        write_files({tmp_path / "a" / "b" / "c": b"x", tmp_path / "a" / "d": b"y"})
    assert contents(tmp_path / "a" / "b") == {"c": b"x"}
    assert (tmp_path / "a" / "d").read_bytes() == b"y"


@pytest.mark.parametrize(
    ("place", "reason"), [("file/a", "is a file"), ("file/folder/a", "is a file"), ("folder", "is a folder")]
)
def test_what_cannot_be_written_is_refused_early(tmp_path, place, reason):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=reason):
        check_writable(tmp_path / place, b"x")
    check_writable(tmp_path / "new" / "folders" / "a", b"x")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["file", "folder"]


def test_only_files_of_the_same_kind_may_be_replaced(tmp_path):
    for name, data in {"older": b"IGS older", "source": b"PNG", "short": b"IG", "empty": b""}.items():
        (tmp_path / name).write_bytes(data)
    before = contents(tmp_path)
    for name in ("older", "empty"):
        check_writable(tmp_path / name, b"IGS")
    for name in ("source", "short"):
        with pytest.raises(OutputError, match="something else"):
            check_writable(tmp_path / name, b"IGS")
    check_writable(Path("/dev/null"), b"IGS")
    assert contents(tmp_path) == before


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(OutputError, match=r"circle|loop|symbolic links"):
        check_writable(tmp_path / "a", b"x")
    with pytest.raises(OutputError, match=r"circle|loop|symbolic links"):
        write_bytes(tmp_path / "a", b"x")
