"""Trees of materials, and work that is done in no time: what tests of the build share."""

import hashlib
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from helpers.tiny_material import as_bytes, waves
from imagegs_tex.builder.cache import Made
from imagegs_tex.builder.engine import run_build
from imagegs_tex.builder.jobs import IGS_FILE, NOT_SEEN, CompressJob, Outcome, Recipe, Seat
from imagegs_tex.builder.keys import Encoder
from imagegs_tex.builder.request import BuildRequest
from imagegs_tex.formats.igs.container import MAGIC
from imagegs_tex.formats.images import write_image

ENCODER = Encoder("0", 4, "code", (("torch", "2"),), "3.11", "cpu", "test")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001e221bc330000"
    "000049454e44ae426082"
)
"""A PNG of one texel, for builds that do not look at it."""


def write_textures(folder, seed=0, size=32):
    """A material that can be compressed: base colour and roughness."""
    folder.mkdir(parents=True, exist_ok=True)
    planes = waves(size, size, 4, seed)
    write_image(folder / "basecolor.png", as_bytes(planes[..., :3]))
    write_image(folder / "roughness.png", as_bytes(planes[..., 3]))
    return folder


def write_map(path, text=""):
    """An image file that is a map by its name, and other bytes for each text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PIXEL + text.encode())
    return path


def write_tree(root, names=("props/box", "props/can", "walls/brick")):
    for name in names:
        write_map(root / name / "basecolor.png", name)
        write_map(root / name / "roughness.png", "same")
    return root


def pretend(job, seat):
    """Make bytes that depend on what a real compression depends on, in no time.

    A material whose bytes end in "fails" fails, of "dies" the worker dies, and of "hangs" it hangs.
    """
    del seat
    if not isinstance(job, CompressJob):
        return Outcome(Made({"one.txt": job.product.encode() + job.igs, "two.txt": b"2"}, {}))
    content = b"".join(source.image.path.read_bytes() for source in job.source.maps)
    if b"fails" in content:
        return Outcome(None, "it always fails")
    if b"dies" in content:
        os._exit(9)
    if b"hangs" in content:
        time.sleep(600)
    settings = job.recipe.settings
    data = MAGIC + hashlib.sha256(content + repr(settings).encode()).digest() * 8
    return Outcome(Made({IGS_FILE: data}, {"width": 1, "psnr_db": 30.0}), seconds=0.01)


class InlineRunner:
    """Does jobs in this process, one at a time, and remembers their names."""

    def __init__(self, work=pretend, encoder=ENCODER):
        self.work, self.own, self.jobs, self.names, self.expectations = work, encoder, [], [], 0

    def encoder(self, backend):
        return self.own

    def room(self):
        return 1 - len(self.jobs)

    def expect_work(self):
        self.expectations += 1

    def submit(self, jobs):
        self.names += [job.name for _, job in jobs]
        self.jobs += jobs

    def wait(self, seconds):
        done = [(number, self.work(job, Seat(1))) for number, job in self.jobs]
        self.jobs = []
        return done

    def close(self):
        self.jobs = []


def build(root, output, runner=None, recipe=None, **options):
    """Build a tree with work that is pretended; return the report and the names of what was made."""
    chosen = runner or InlineRunner()
    project = SimpleNamespace(
        root=Path(root).absolute(), excluded=(), budget=None, over_of=lambda _: 0.0, unused=lambda _: [], unread=list,
        recipe_of=recipe if callable(recipe) else lambda _: recipe or Recipe(),
    )  # fmt: skip
    report = run_build(BuildRequest(project, Path(output), **options), chosen)
    return report, getattr(chosen, "names", None)


def files_of(output):
    """All that lies in an output, without what the build keeps for itself."""
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file() and ".imagegs-build" not in path.parts
    }


def pretend_slowly(job, seat):
    time.sleep(0.1)
    return pretend(job, seat)


def pretend_elsewhere(job, seat):
    """Be on a machine that sees no files but those that come with the job."""
    del seat
    if job.data is None:
        return Outcome(None, NOT_SEEN)
    data = MAGIC + b"".join(job.data[path] for path in sorted(job.data))
    return Outcome(Made({IGS_FILE: data}, {"width": 1}))


def threads_at_work():
    """Return how many threads of this process wait in :func:`pretend`."""
    return sum(
        frame.f_code is pretend.__code__ for thread in sys._current_frames().values() for frame in _callers(thread)
    )


def _callers(frame):
    while frame is not None:
        yield frame
        frame = frame.f_back
