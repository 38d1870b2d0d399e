"""A run of no consequence before the first visitor's: what it compiles or loads, nobody waits for afterwards."""

import tempfile
from pathlib import Path

from imagegs_tex import api
from imagegs_tex.example_material import make_material
from imagegs_tex.formats.images import write_image
from imagegs_tex.settings import Preset, preset_settings
from imagegs_tex.studio.jobs import Job


def warm_job() -> Job:
    """Return a run that compresses a small material and forgets it."""
    return Job("warming up", _compress_something)


def _compress_something(job: Job) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "material"
        for name, texels in make_material(64).items():
            write_image(source / f"{name}.png", texels)
        api.compress(source, Path(folder) / "file.igs", preset_settings(Preset.FAST), progress=job.on_progress)
