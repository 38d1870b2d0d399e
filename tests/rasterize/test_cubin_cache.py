import re

import pytest

from imagegs_tex.kernel_cache import KernelFolder
from imagegs_tex.rasterize.cuda import cubin_cache, driver


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache" / "kernels"
    folder.mkdir(parents=True)
    monkeypatch.setattr(cubin_cache, "kernel_folder", lambda: KernelFolder(folder, True, ""))
    return folder


def test_what_is_written_is_read(cache):
    cubin_cache.write("one", b"code" * 1000)
    cubin_cache.write("two", b"")
    assert cubin_cache.read("one") == b"code" * 1000
    assert cubin_cache.read("two") == b""
    assert cubin_cache.read("three") is None
    assert sorted(path.name for path in cache.iterdir()) == ["one.cubin", "two.cubin"]


def test_a_file_that_is_cut_short_or_changed_is_not_used(cache):
    cubin_cache.write("one", bytes(range(256)))
    whole = (cache / "one.cubin").read_bytes()
    for broken in (b"", whole[:20], whole[:-1], whole + b"x", whole[:-1] + b"x"):
        (cache / "one.cubin").write_bytes(broken)
        assert cubin_cache.read("one") is None
    cubin_cache.write("one", b"again")
    assert cubin_cache.read("one") == b"again"


def test_a_folder_that_cannot_be_written_is_no_error(cache, monkeypatch):
    cache.rmdir()
    cubin_cache.write("one", b"code")
    assert cubin_cache.read("one") is None
    monkeypatch.setattr(cubin_cache, "kernel_folder", lambda: KernelFolder(None, False, "no folder"))
    cubin_cache.write("one", b"code")
    assert cubin_cache.read("one") is None


def test_every_header_that_a_kernel_includes_is_given_to_the_compiler():
    included = {
        name
        for entry in driver._KERNELS.iterdir()
        for name in re.findall(r'#include "(.+)"', entry.read_text(encoding="utf-8"))
    }
    assert included == driver.read_headers().keys()


def test_code_is_named_by_all_that_it_is_made_of():
    made = {"text": b"source", "headers": {"a.cuh": b"one", "b.cuh": b"two"}, "options": ["13.0", "-DK=3"]}
    name = driver.cubin_name("some.cu", **made)
    assert name.startswith("some-")
    assert name == driver.cubin_name("some.cu", **made)
    others = [
        made | {"text": b"other"},
        made | {"headers": {"a.cuh": b"one", "b.cuh": b"three"}},
        made | {"headers": {"a.cuh": b"on", "b.cuh": b"etwo"}},
        made | {"options": ["13.0", "-DK=4"]},
        made | {"options": ["13.1", "-DK=3"]},
    ]
    assert len({name, *(driver.cubin_name("some.cu", **other) for other in others)}) == len(others) + 1
