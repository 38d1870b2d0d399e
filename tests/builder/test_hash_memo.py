import hashlib
import os

import pytest

from imagegs_tex.builder.hash_memo import HashMemo
from imagegs_tex.formats.errors import InputError

OLD = 10**18  # nanoseconds, in 2001


@pytest.fixture
def memo_file(tmp_path):
    return tmp_path / "hashes.json"


@pytest.fixture
def aged(monkeypatch):
    """Files that have just been written count as old."""
    monkeypatch.setattr("imagegs_tex.builder.hash_memo._FRESH", -(10**18))


def written(path, data=b"data"):
    path.write_bytes(data)
    return path


def test_a_file_is_read_once(tmp_path, memo_file, aged):
    path = written(tmp_path / "a")
    memo = HashMemo(memo_file)
    assert memo.sha256(path) == hashlib.sha256(b"data").hexdigest() == memo.sha256(path)
    assert memo.read_count == 1
    memo.save()
    again = HashMemo(memo_file)
    again.hash_all([path])
    assert again.sha256(path) == memo.sha256(path)
    assert again.read_count == 0


def test_a_change_is_seen_even_with_the_same_size_and_time(tmp_path, memo_file, aged):
    path = written(tmp_path / "a")
    os.utime(path, ns=(OLD, OLD))
    memo = HashMemo(memo_file)
    memo.sha256(path)
    written(path, b"atad")
    os.utime(path, ns=(OLD, OLD))
    assert memo.sha256(path) == hashlib.sha256(b"atad").hexdigest()


def test_files_that_have_just_been_written_are_read_again(tmp_path, memo_file):
    path = written(tmp_path / "a")
    memo = HashMemo(memo_file)
    memo.sha256(path)
    memo.sha256(path)
    assert memo.read_count == 2


def test_a_damaged_memo_remembers_nothing(tmp_path, memo_file, aged):
    memo_file.write_text('{"a": ')
    memo = HashMemo(memo_file)
    assert memo.sha256(written(tmp_path / "a")) == hashlib.sha256(b"data").hexdigest()


def test_a_missing_file_is_an_input_error(tmp_path, memo_file):
    memo = HashMemo(memo_file)
    memo.hash_all([tmp_path / "none"])
    with pytest.raises(InputError, match="cannot be read"):
        memo.sha256(tmp_path / "none")
