import os
import time

import pytest
from helpers.tree_builds import build, files_of, write_tree

from imagegs_tex.builder.cache import Cache, Made
from imagegs_tex.builder.cache_upkeep import collect_garbage, examine_cache
from imagegs_tex.formats.errors import InputError

KEYS = [f"{number:02x}" * 32 for number in range(4)]


@pytest.fixture
def cache(tmp_path):
    """Four entries of 10,000 bytes, each used an hour after the one before, two days ago."""
    cache = Cache(tmp_path / "cache")
    for number, key in enumerate(KEYS):
        cache.store(key, Made({"file": bytes([number]) * 10_000}, {}))
        used = time.time() - 48 * 3600 + 3600 * number
        os.utime(cache._action(key), (used, used))
    for blob in (cache.folder / "blobs").glob("*/*"):
        os.utime(blob, (1, 1))
    return cache


def test_what_was_unused_for_longest_goes(cache):
    assert cache.load(KEYS[0]) is not None  # which is a use
    report = collect_garbage(cache.folder, 21_500)
    assert report.removed_entries == 2
    assert report.removed_bytes > 20_000
    assert [cache.has(key) for key in KEYS] == [True, False, False, True]
    assert report.bytes <= 21_500
    assert len(list((cache.folder / "blobs").glob("*/*"))) == 2
    assert cache.load(KEYS[3]).files["file"] == bytes([3]) * 10_000
    assert cache.load(KEYS[1]) is None
    assert cache.damaged == 0


def test_contents_that_entries_share_count_once(cache):
    cache.store("ff" * 32, Made({"again": bytes([0]) * 10_000}, {}))
    assert examine_cache(cache.folder).bytes < 42_500
    collect_garbage(cache.folder, 11_000)
    assert cache.load("ff" * 32).files["again"] == bytes([0]) * 10_000


def test_fresh_files_without_an_entry_stay(cache):
    blob = next((cache.folder / "blobs").glob("*/*"))
    os.utime(blob)
    assert not examine_cache(cache.folder).waiting_bytes
    assert collect_garbage(cache.folder, 0).waiting_bytes == blob.stat().st_size
    assert examine_cache(cache.folder).waiting_bytes == blob.stat().st_size
    assert list((cache.folder / "blobs").glob("*/*")) == [blob]
    assert not list((cache.folder / "actions").glob("*/*"))


def test_hits_are_counted_over_builds_and_stay_when_notes_are_folded(tmp_path):
    tree = write_tree(tmp_path / "in")
    for name in "abc":
        build(tree, tmp_path / name, cache=tmp_path / "cache")
    report = examine_cache(tmp_path / "cache")
    assert (report.builds, report.hits, report.misses, report.entries) == (3, 6, 3, 3)
    collect_garbage(tmp_path / "cache", 10**9)
    assert len(list((tmp_path / "cache/uses").iterdir())) == 1
    assert examine_cache(tmp_path / "cache") == report


def test_a_build_after_a_collection_is_the_same(tmp_path):
    tree = write_tree(tmp_path / "in")
    build(tree, tmp_path / "a", cache=tmp_path / "cache")
    collect_garbage(tmp_path / "cache", 1)
    assert len(build(tree, tmp_path / "b", cache=tmp_path / "cache")[1]) == 3
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_another_folder_is_no_cache(tmp_path):
    with pytest.raises(InputError, match="is no build cache"):
        collect_garbage(tmp_path, 0)
