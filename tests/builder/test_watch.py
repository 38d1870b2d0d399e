import threading
import time
from types import SimpleNamespace

import pytest
from helpers.import_tool import import_tool
from helpers.tree_builds import InlineRunner, build, write_map, write_tree

from imagegs_tex.builder.jobs import Recipe
from imagegs_tex.builder.project_file import ProjectFile
from imagegs_tex.builder.request import BuildRequest
from imagegs_tex.builder.watch import build_and_watch
from imagegs_tex.formats.errors import InputError


def test_every_change_is_built_and_an_error_ends_nothing(tmp_path):
    tree = write_tree(tmp_path / "in")
    runner, results, broken = InlineRunner(), [], []

    def request_of():
        if broken:
            raise InputError("project.toml: mend it")
        return BuildRequest(ProjectFile(tree), tmp_path / "out")

    def changes(request):
        yield write_map(tree / "props/can/roughness.png", "new")
        broken.append(True)
        yield None
        broken.clear()
        yield None

    build_and_watch(request_of, runner, None, results.append, changes)
    assert runner.names[3:] == ["props/can"]
    assert [getattr(result, "counts", None) and result.counts.made for result in results] == [3, 1, None, 0]
    assert isinstance(results[2], InputError)


def test_the_systems_notices_reach_it_and_outputs_do_not(tmp_path):
    import_tool("watchfiles")
    tree = write_tree(tmp_path / "in")
    results, stop = [], threading.Event()

    def ended(report):
        results.append(report.counts.made)
        if len(results) == 2:
            raise KeyboardInterrupt

    def change():
        while not results:
            time.sleep(0.01)
        while not stop.is_set():  # notices of what happened before watching began may be lost
            write_map(tree / "props/can/roughness.png", str(time.time()))
            time.sleep(0.3)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            build_and_watch(lambda: BuildRequest(ProjectFile(tree), tree / "out"), InlineRunner(), None, ended)
    finally:
        stop.set()
        thread.join()
    assert results == [3, 1]
    assert build(tree, tree / "out", recipe=Recipe())[0].counts.total == SimpleNamespace(total=3).total
