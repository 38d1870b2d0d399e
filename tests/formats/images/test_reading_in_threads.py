"""Images read side by side: what keeps codecs quiet is the whole process's, and is undone once."""

import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from imagegs_tex.formats.images import read_image, write_image


def test_threads_leave_the_process_as_it_was(tmp_path):
    rng = np.random.default_rng(0)
    wanted = [rng.integers(0, 256, (40 + index, 30, 3)).astype(np.uint8) for index in range(12)]
    paths = [tmp_path / f"{index}.png" for index in range(len(wanted))]
    for path, texels in zip(paths, wanted, strict=True):
        write_image(path, texels)
    before = (sys.stdout, os.fstat(2), list(warnings.filters), Image.MAX_IMAGE_PIXELS)
    with ThreadPoolExecutor(6) as pool:
        for _ in range(4):
            found = list(pool.map(read_image, paths))
            assert all(np.array_equal(texels, own) for (texels, _), own in zip(found, wanted, strict=True))
    assert (sys.stdout, os.fstat(2), list(warnings.filters), Image.MAX_IMAGE_PIXELS) == before
