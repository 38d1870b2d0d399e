"""Pictures that repeat: tiles, bricks and cloth whose cells differ in tone, under noise."""

import numpy as np


def made_tiles(size=(160, 120), period=(16, 12), shift=0, noise=0.01, seed=3):
    """Tiles with dark seams and a slope, each of a tone of its own [H, W, 3]; rows begin shift texels further left."""
    random = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width]
    rows = y // period[1]
    along = x + rows * shift
    right, below = along % period[0], y % period[1]
    tones = random.random((height // period[1] + 1, (width + rows.max() * shift) // period[0] + 1))
    face = (0.4 + 0.3 * tones[rows, along // period[0]]) * (0.8 + 0.4 * below / period[1])
    grey = np.where((right < 2) | (below < 2), 0.15, face)
    colours = grey[..., None] * [1.0, 0.8, 0.6]
    return np.clip(colours + random.normal(0, noise, colours.shape), 0, 1).astype(np.float32)


def made_cloth(size=(160, 120), thread=6, noise=0.03, seed=3):
    """Threads over and under each other [H, W, 3]; they repeat after two."""
    y, x = np.mgrid[: size[1], : size[0]]
    over = (x // thread + y // thread) % 2 == 0
    height = np.where(over, np.sin(np.pi * (x % thread + 0.5) / thread), np.sin(np.pi * (y % thread + 0.5) / thread))
    colours = 0.2 + height[..., None] * [0.5, 0.4, 0.3]
    return np.clip(colours + np.random.default_rng(seed).normal(0, noise, colours.shape), 0, 1).astype(np.float32)
