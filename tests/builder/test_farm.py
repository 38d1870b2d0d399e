import shutil
from concurrent.futures import Future

import pytest
from helpers.dask_cluster import Cluster
from helpers.import_tool import import_tool
from helpers.tree_builds import (
    ENCODER,
    build,
    files_of,
    pretend,
    pretend_elsewhere,
    pretend_slowly,
    threads_at_work,
    write_map,
    write_tree,
)

from imagegs_tex.builder.jobs import CompressJob, ProductJob, Recipe
from imagegs_tex.builder.keys import this_encoder
from imagegs_tex.builder.work import _open
from imagegs_tex.formats.errors import MissingToolError, UsageError
from imagegs_tex.formats.material.material_source import ImageFile, MapSource, MaterialSource

farm = import_tool("imagegs_tex.builder.farm", MissingToolError)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers; tests leave it with two that work."""
    cluster = Cluster(tmp_path_factory.mktemp("dask"), 2)
    yield cluster
    cluster.stop()


@pytest.fixture
def tree(tmp_path):
    return write_tree(tmp_path / "in", [f"m{number:02d}" for number in range(24)])


def test_a_farm_whose_workers_and_scheduler_are_lost_makes_the_same_tree(tree, tmp_path, cluster):
    class Eventful(farm.Farm):
        """Kills a worker, starts a third, and starts the scheduler anew, each after some jobs."""

        count = 0

        def encoder(self, backend):
            assert super().encoder(backend) == this_encoder(backend, in_children=True)
            return ENCODER

        def wait(self, seconds):
            done = super().wait(seconds)
            before, self.count = self.count, self.count + len(done)
            if before < 4 <= self.count:
                cluster.workers[0].kill()
            if before < 8 <= self.count:
                cluster.workers.append(cluster.start_worker())
            if before < 12 <= self.count:
                cluster.scheduler.kill()
                cluster.scheduler.wait()
                cluster.start_scheduler()
                cluster.workers.append(cluster.start_worker())
            return done

    runner = Eventful(cluster.address, pretend_slowly)
    try:
        report, _ = build(tree, tmp_path / "out", runner)
    finally:
        runner.close()
    assert report.counts.made == 24
    assert report.left_out == ()
    assert len(cluster.workers) == 4
    build(tree, tmp_path / "local")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "local")


class PlainFarm(farm.Farm):
    def encoder(self, backend):
        return ENCODER


def test_files_are_sent_along_where_a_worker_does_not_see_them(tmp_path, cluster):
    tree = write_tree(tmp_path / "in", ["a", "b"])
    runner = PlainFarm(cluster.address, pretend_elsewhere)
    try:
        report, _ = build(tree, tmp_path / "out", runner)
    finally:
        runner.close()
    assert report.counts.made == 2
    assert (tmp_path / "out/a.igs").read_bytes().endswith((tree / "a/roughness.png").read_bytes())


def test_what_fails_or_hangs_is_left_out_and_a_thread_that_hangs_is_let_go(tmp_path):
    tree = write_tree(tmp_path / "in", ["a", "b", "c", "d"])
    write_map(tree / "a/basecolor.png", "fails")
    write_map(tree / "b/basecolor.png", "hangs")
    cluster = Cluster(tmp_path, 0)
    cluster.workers.append(cluster.start_worker(nanny=True))
    runner = PlainFarm(cluster.address, pretend, timeout=1.5)
    try:
        report, _ = build(tree, tmp_path / "out", runner)
        assert list(runner._client.run(threads_at_work).values()) == [0]
    finally:
        runner.close()
        cluster.stop()
    problems = {bad.name: bad.problem for bad in report.left_out}
    assert problems["a"] == "it always fails"
    assert problems["b"].startswith("not done after 1.5 s, and given up; allow more with --timeout")
    assert report.counts.made == 2  # one of them waited for the worker's only thread, and none for ten minutes


def test_a_cluster_that_starts_workers_for_work_alone_is_given_some(monkeypatch):
    """Asked for what its workers are, it has none; only a task has it start one, which may be gone right after."""
    outcomes = [farm.distributed.KilledWorker("task", None, 3), ENCODER]

    class Adapting:
        def run(self, function, backend):
            return {}

        def submit(self, function, *arguments, **options):
            future = Future()
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
            return future

        def scheduler_info(self, n_workers):
            return {"workers": {}}

        def close(self, timeout):
            pass

    monkeypatch.setattr(farm, "_CLIENT", lambda *_, **__: Adapting())
    monkeypatch.setattr(farm.time, "sleep", lambda _: None)
    assert farm.Farm("tcp://farm:8786", pretend).encoder("cpu") == ENCODER
    assert outcomes == []


def test_jobs_are_handed_in_again_where_the_scheduler_goes_just_then(monkeypatch):
    class Client:
        status = "running"

        def map(self, function, jobs, **options):
            if self is first:
                self.status = "closed"
                raise farm.distributed.client.ClosedClientError("Client is closed")
            raise ValueError("a mistake of ours")

        def nthreads(self):
            self.status = "closed"
            raise AttributeError("there is no scheduler any more")

        def close(self, timeout):
            pass

    clients = first, second = Client(), Client()
    waiting = [*clients]
    monkeypatch.setattr(farm, "_CLIENT", lambda *_, **__: waiting.pop(0))
    runner = farm.Farm("tcp://farm:8786", pretend)
    assert runner.room() == 1
    first.status = "running"
    runner.submit([(0, ProductJob("a", "view", b"", ENCODER))])
    assert first.status == "closed"
    with pytest.raises(ValueError, match="a mistake of ours"):
        runner.wait(0)
    assert runner._client is second


def test_an_address_that_is_none_is_said_with_what_to_do():
    with pytest.raises(UsageError, match="write it like tcp://farm:8786"):
        farm.Farm("nonsense://x", pretend)


def test_a_material_opens_from_the_files_that_came_with_it(tmp_path):
    paths = [write_map(tmp_path / "in" / name) for name in ("a/basecolor.png", "b/normal.png")]
    source = MaterialSource("here", tuple(MapSource(ImageFile(path), path.stem) for path in paths))
    job = CompressJob("a", source, None, "", Recipe(), ENCODER, tuple(paths))
    sent = farm._with_data(job)
    shutil.rmtree(tmp_path / "in")
    opened = _open(sent, tmp_path / "there")
    assert [entry.image.path.read_bytes() for entry in opened.maps] == list(sent.data.values())
    assert all(entry.image.path.is_relative_to(tmp_path / "there") for entry in opened.maps)
    assert [entry.name for entry in opened.maps] == ["basecolor", "normal"]
