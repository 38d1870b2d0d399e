"""The detail layer drawn step by step over whole pictures, by docs/igs-format.md: what the kernel has bit by bit."""

import numpy as np

from imagegs_tex.formats.igs.detail_layer import BAND_SCALE, MAX_AMPLITUDE
from imagegs_tex.formats.igs.noise_tile import BAND_COUNT, DEVIATION, LAYER_WEIGHTS, TILE_SIDE, hash32, noise_tile

ONE = np.float32(1)


def plain_detail(channels, detail, offset, size, wrap):
    """The picture float32 [H, W, C] with its detail; size: the file's width and height in texels."""
    height, width, count = channels.shape
    columns, rows = (
        (2 * np.arange(length) + 1) * own // (2 * length) for length, own in ((width, size[0]), (height, size[1]))
    )
    words, weights = _places(columns, rows, size)
    noise_of_bands = noise_tile().reshape(-1, BAND_COUNT).astype(np.int64)
    slopes, mixing = detail.slopes.astype(np.float32), detail.mixing.astype(np.float32)
    envelope, added = _envelope(detail, columns, rows, size, wrap), np.zeros_like(channels)
    for component, (right, down) in enumerate(detail.shifts):
        tile = ((noise_of_bands @ detail.band_codes[component].astype(np.int64)) / BAND_SCALE).astype(np.float32)
        read = [tile[(y + down) % TILE_SIDE * TILE_SIDE + (x + right) % TILE_SIDE] for x, y in words]
        noise = weights[..., 0] * read[0] + weights[..., 1] * read[1]
        grown = (channels[..., 0] - offset[0]) * slopes[component, 0]
        for channel in range(1, count):
            grown = grown + (channels[..., channel] - offset[channel]) * slopes[component, channel]
        strength = noise * np.clip(ONE + grown, np.float32(0), np.float32(MAX_AMPLITUDE)) * envelope
        for channel in range(count):
            added[..., channel] += strength * mixing[channel, component]
    return np.clip(channels + added, np.float32(0), ONE)


def _places(columns, rows, size):
    """Where the tile is read for both grids, (x, y) each [H, W], and their weights [H, W, 2]."""
    counts = [max(1, (length + 16) // 32) for length in size]
    words = []
    for grid in (0, 1):
        blocks, inside = [], []
        for texels, length, count in zip((columns, rows), size, counts, strict=True):
            block = texels * count // length if grid == 0 else (2 * texels * count + length) // (2 * length)
            start = -(-(2 * block - grid) * length // (2 * count))
            blocks.append(block % count)
            inside.append(texels - start)
        numbers = 2 * (blocks[1][:, None] * 4096 + blocks[0][None]) + grid
        hashes = hash32(numbers.astype(np.uint32)).astype(np.int64)
        words.append(((inside[0][None] + hashes) % TILE_SIDE, (inside[1][:, None] + (hashes >> 6)) % TILE_SIDE))
    x, y = (
        texels * count % length * 256 // length
        for texels, length, count in zip((columns, rows), size, counts, strict=True)
    )
    x, y = x[None], y[:, None]
    border = np.minimum(np.minimum(x, 255 - x), np.minimum(y, 255 - y))
    middle = np.minimum(abs(x - 128), abs(y - 128))
    steps = np.where(border + middle > 0, 16 * border // np.maximum(border + middle, 1), 8)
    return words, np.array(LAYER_WEIGHTS, np.float32)[steps] / np.float32(12 * DEVIATION)


def _envelope(detail, columns, rows, size, wrap):
    values = detail.envelope.astype(np.float32)
    for axis, texels in ((1, columns), (0, rows)):
        length, cells, repeats = size[1 - axis], values.shape[axis], wrap[1 - axis]
        scaled = (2 * texels + 1) * cells - length
        low, share = scaled // (2 * length), (scaled % (2 * length) / (2 * length)).astype(np.float32)
        both = [at % cells if repeats else np.clip(at, 0, cells - 1) for at in (low, low + 1)]
        share = share[:, None] if axis == 0 else share[None]
        values = np.take(values, both[0], axis) * (ONE - share) + np.take(values, both[1], axis) * share
    return values
