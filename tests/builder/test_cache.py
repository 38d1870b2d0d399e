import json
import threading

import pytest
from helpers.tree_builds import build, files_of, write_tree

from imagegs_tex.builder.cache import Cache, Made
from imagegs_tex.formats.errors import OutputError

KEY = "ab" * 32
MADE = Made({"file.igs": b"one", "folder/two": b"two"}, {"psnr_db": 30.5})


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def test_what_is_stored_comes_back(cache):
    assert cache.load(KEY) is None
    cache.store(KEY, MADE)
    assert cache.has(KEY)
    assert cache.load(KEY) == MADE
    assert (cache.hits, cache.misses) == (1, 1)


def damage_blob(cache):
    blob = max((cache.folder / "blobs").rglob("*/*"))
    blob.write_bytes(b"xxx")


def cut_blob(cache):
    max((cache.folder / "blobs").rglob("*/*")).write_bytes(b"")


def remove_blob(cache):
    max((cache.folder / "blobs").rglob("*/*")).unlink()


def action_of(cache):
    return next((cache.folder / "actions").rglob("*.json"))


def cut_action(cache):
    action_of(cache).write_bytes(action_of(cache).read_bytes()[:-9])


def forge_action(cache):
    document = json.loads(action_of(cache).read_text())
    document["body"]["facts"]["psnr_db"] = 99
    action_of(cache).write_text(json.dumps(document))


def list_action(cache):
    action_of(cache).write_text("[]")


def nested_action(cache):
    action_of(cache).write_text("[" * 100_000)


DAMAGES = [damage_blob, cut_blob, remove_blob, cut_action, forge_action, list_action, nested_action]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_none_and_is_made_anew(cache, damage):
    cache.store(KEY, MADE)
    damage(cache)
    assert cache.load(KEY) is None
    assert cache.damaged == 1
    cache.store(KEY, MADE)
    assert cache.load(KEY) == MADE


def test_names_that_lead_elsewhere_are_no_entry(cache):
    for name in ("../../etc/passwd", "/etc/passwd", "a\\b", ""):
        cache.store(KEY, Made({name: b"x"}, {}))
        assert cache.load(KEY) is None


def test_another_key_is_no_entry(cache):
    cache.store(KEY, MADE)
    other = "ab" + "cd" * 31
    action_of(cache).rename(action_of(cache).with_name(f"{other}.json"))
    assert cache.load(other) is None


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="is no build cache"):
        Cache(tmp_path)


def test_many_writers_and_readers_at_once_see_whole_entries(tmp_path):
    wrong = []

    def work():
        cache = Cache(tmp_path / "cache")
        for number in range(40):
            key = f"{number % 4:064x}"
            cache.store(key, Made({"file": bytes([number % 4]) * 5000}, {}))
            found = cache.load(key)
            if found is None or found.files["file"] != bytes([number % 4]) * 5000:
                wrong.append(key)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_full_cache_stops_no_build(cache, monkeypatch):
    def full(*_):
        raise OutputError("cannot write: the disk is full")

    monkeypatch.setattr("imagegs_tex.builder.cache.write_bytes", full)
    cache.store(KEY, MADE)
    assert cache.unwritten == 1


def test_builds_share_a_cache(tmp_path):
    tree = write_tree(tmp_path / "in")
    build(tree, tmp_path / "one", cache=tmp_path / "cache")
    report, made = build(tree, tmp_path / "two", cache=tmp_path / "cache")
    assert made == []
    assert report.counts.hit == 3
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


@pytest.mark.parametrize("damage", [damage_blob, cut_action])
def test_a_build_makes_anew_what_its_cache_has_damaged(tmp_path, damage):
    tree = write_tree(tmp_path / "in", ["box"])
    build(tree, tmp_path / "one", cache=tmp_path / "cache")
    damage(Cache(tmp_path / "cache"))
    _, made = build(tree, tmp_path / "two", cache=tmp_path / "cache")
    assert made == ["box"]
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert build(tree, tmp_path / "three", cache=tmp_path / "cache")[1] == []
