"""Maps of noise, with channels that are equal or constant where a test says so."""

import numpy as np

from imagegs_tex.formats.images import write_image


def noise(*channels, dtype=np.uint8, size=(12, 10)):
    """[H, W, len(channels)]: equal numbers are equal channels, None is a constant channel of the largest value."""
    largest = np.iinfo(dtype).max
    planes = {key: np.random.default_rng(key).integers(0, largest, size, dtype) for key in set(channels) - {None}}
    return np.stack([np.full(size, largest, dtype) if key is None else planes[key] for key in channels], axis=-1)


def save(folder, **maps):
    for name, texels in maps.items():
        suffix = ".exr" if texels.dtype.kind == "f" else ".png"
        write_image(folder / f"{name}{suffix}", texels)
    return folder
