"""A small material for tests: smooth waves, as many maps and formats as are asked for."""

import numpy as np

from imagegs_tex.formats.images import write_image


def waves(width, height, count, seed=0):
    """Smooth planes [H, W, count] in [0, 1], none of them constant."""
    generator = np.random.default_rng(seed)
    y, x = (np.mgrid[:height, :width] + 0.5) / 16.0
    planes = [
        0.5 + 0.3 * np.sin(a * x + b * y + c) + 0.2 * np.sin(d * x - e * y)
        for a, b, c, d, e in generator.uniform(0.3, 3.0, (count, 5))
    ]
    return np.stack(planes, axis=-1)


def as_bytes(values):
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def as_words(values):
    return np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16)


def write_material(folder, width=64, height=64):
    """Base colour, normal, 16-bit height and a roughness stored as grey RGB; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    planes = waves(width, height, 7)
    write_image(folder / "basecolor.png", as_bytes(planes[..., :3]))
    write_image(folder / "normal.png", as_bytes(planes[..., 3:6]))
    write_image(folder / "height.png", as_words(planes[..., 6]))
    write_image(folder / "roughness.png", as_bytes(np.repeat(planes[..., 4:5] * planes[..., 5:6], 3, axis=2)))
    return folder
