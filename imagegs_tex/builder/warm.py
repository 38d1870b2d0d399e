"""Loading this loads all that a compression needs, kernels included: for the server that workers are forked from.

It fits one tiny material with one thread, so that no thread is there at a fork.
"""

import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from imagegs_tex.api import compress_stack
from imagegs_tex.builder import work as work  # noqa: PLC0414 - not used here: what is forked has it loaded
from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.formats.images import write_image
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.rasterize.select_backend import make_backend
from imagegs_tex.settings import CompressSettings, FitSettings

_SIDE = 48


def _warm_up() -> None:
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix="imagegs-tex-") as name, suppress(ImageGSTexError):
        image = Path(name) / "color.png"
        write_image(image, generator.integers(0, 256, (_SIDE, _SIDE, 3), np.uint8))
        settings = CompressSettings(gaussian_count=20, fit=FitSettings(steps=4))
        compress_stack(load_stack(image), Path(name) / "color.igs", settings, make_backend("cpu", 1))


_warm_up()
