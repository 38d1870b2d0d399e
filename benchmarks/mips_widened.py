"""Ways of widening each Gaussian by the footprint, and why samples are not made like that.

For docs/experiments/minification.md::

    python benchmarks/mips_widened.py FILE.igs SOURCE [FILE.igs SOURCE ...]

For each file and level 1 to 6: how many dB lower the PSNR against the box-filtered source is than that of the
box-filtered full decode.

- widened: covariance S + F with F = (4^level - 1) / 12 on each axis, weights times sqrt(det S / det (S + F))
- masses: each Gaussian's share of the picture, w_i / (eps + sum w), as a blob of the same mass, mean and covariance,
  integrated over the level's square texel
- both: Gaussians large against the footprint widened, small ones by their masses; the large ones share what the small
  ones leave of the texel
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.formats.igs.quantized_set import EPSILON
from imagegs_tex.formats.material.build_stack import load_stack
from imagegs_tex.metrics.scores import psnr_of
from imagegs_tex.verification.float64_picture import ReferencePicture, reference_picture, reference_rows

Float = NDArray[np.float64]
WIDENED_ABOVE, MASSES_BELOW = 1.0, 0.5
BLOB_EXTENT = 3.0  # standard deviations at which a blob ends


@dataclass(frozen=True)
class Blobs:
    """Shares of the picture: mass [N] in texels, mean [N, 2], covariance [N, 3] xx, xy, yy."""

    mass: Float
    mean: Float
    covariance: Float


def places(low: Float, high: Float, step: int, size: int) -> NDArray[np.int64]:
    """Texels of a level whose centres lie between two coordinates."""
    return np.arange(max(0, math.ceil(low / step - 0.5)), min(size, math.floor(high / step - 0.5) + 1))


def weights(picture: ReferencePicture, i: int, dx: Float, dy: Float) -> Float:
    """Weights of one Gaussian at offsets."""
    a, b, c = picture.conics[i]
    q = (a * dx * dx + 2 * b * dx * dy + c * dy * dy) / 2
    return np.asarray(np.maximum(0, np.exp(-q) - np.exp(-picture.cutoff)))


def find_blobs(picture: ReferencePicture) -> Blobs:
    """Sum up every Gaussian's share of the picture."""
    total = np.zeros((picture.height, picture.width))
    boxes = []
    for i, (mean, reach) in enumerate(zip(picture.means, picture.reach, strict=True)):
        xs = places(mean[0] - reach[0], mean[0] + reach[0], 1, picture.width)
        ys = places(mean[1] - reach[1], mean[1] + reach[1], 1, picture.height)
        boxes.append((xs, ys))
        total[ys[:, None], xs] += weights(picture, i, xs + 0.5 - mean[0], (ys + 0.5 - mean[1])[:, None])
    found = np.zeros((len(boxes), 6))
    for i, (xs, ys) in enumerate(boxes):
        dx, dy = xs + 0.5 - picture.means[i, 0], (ys + 0.5 - picture.means[i, 1])[:, None]
        share = weights(picture, i, dx, dy) / (EPSILON + total[ys[:, None], xs])
        found[i] = [np.sum(share * part) for part in (1.0, dx, dy, dx * dx, dx * dy, dy * dy)]
    mass = np.maximum(found[:, 0], 1e-9)
    x, y, xx, xy, yy = (found[:, 1:] / mass[:, None]).T
    xx, yy = np.maximum(xx - x * x, 1e-3), np.maximum(yy - y * y, 1e-3)
    most = 0.98 * np.sqrt(xx * yy)
    covariance = np.stack([xx, np.clip(xy - x * y, -most, most), yy], axis=1)
    return Blobs(mass, picture.means + np.stack([x, y], axis=1), covariance)


def below(x: Float) -> Float:
    """Share of a blob of deviation 1 and profile (1 - (x / 3)^2)^3 that lies below x."""
    t = np.clip(x / BLOB_EXTENT, -1, 1)
    return np.asarray(0.5 + 35 / 32 * (t - t**3 + 0.6 * t**5 - t**7 / 7))


def minified(picture: ReferencePicture, blobs: Blobs, level: int, way: str) -> Float:
    """Return a level [H, W, C]."""
    side = 1 << level
    width, height, footprint = picture.width >> level, picture.height >> level, (4**level - 1) / 12
    count = picture.features.shape[1]
    large, small = np.zeros((height, width, count + 1)), np.zeros((height, width, count + 1))
    a, b, c = picture.conics.T
    determinant = 1 / (a * c - b * b)
    covariances = np.stack([c, -b, a], axis=1) * determinant[:, None]
    for i, covariance in enumerate(covariances + np.array([footprint, 0, footprint])):
        xx, xy, yy = covariance
        shrink = math.sqrt(determinant[i] / (xx * yy - xy * xy))
        t = np.clip((shrink - MASSES_BELOW) / (WIDENED_ABOVE - MASSES_BELOW), 0, 1)
        part = {"widened": 1.0, "masses": 0.0, "both": t * t * (3 - 2 * t)}[way]
        values = np.concatenate([[1.0], picture.features[i]])
        if part > 0:
            mean, reach = picture.means[i], np.sqrt(2 * picture.cutoff * np.array([xx, yy]))
            xs, ys = (places(mean[k] - reach[k], mean[k] + reach[k], side, (width, height)[k]) for k in (0, 1))
            dx, dy = (xs + 0.5) * side - mean[0], ((ys + 0.5) * side - mean[1])[:, None]
            q = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (2 * (xx * yy - xy * xy))
            weight = part * shrink * np.maximum(0, np.exp(-q) - np.exp(-picture.cutoff))
            large[ys[:, None], xs] += weight[..., None] * values
        if part < 1:
            mean, blob = blobs.mean[i], blobs.covariance[i]
            deviation = np.sqrt(blob[[0, 2]])
            reach = BLOB_EXTENT * deviation + side / 2
            xs, ys = (places(mean[k] - reach[k], mean[k] + reach[k], side, (width, height)[k]) for k in (0, 1))
            dx, dy = (xs + 0.5) * side - mean[0], ((ys + 0.5) * side - mean[1])[:, None]
            in_x, in_y = (
                below((d + side / 2) / s) - below((d - side / 2) / s) for d, s in zip((dx, dy), deviation, strict=True)
            )
            xx, xy, yy = blob + np.array([1, 0, 1]) * side**2 / 12
            slanted = xx * yy - xy * xy  # what a Gaussian's slant changes, as if the square were a Gaussian too
            more = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / slanted - dx * dx / xx - dy * dy / yy
            slant = np.exp(-np.maximum(more / 2, -3)) * math.sqrt(xx * yy / slanted)
            weight = (1 - part) * blobs.mass[i] / side**2 * in_x * in_y * slant
            small[ys[:, None], xs] += weight[..., None] * values
    rest = np.maximum(0, 1 - small[..., :1]) / (EPSILON + large[..., :1])
    sums = small + rest * large
    components = sums[..., 1:] / np.maximum(sums[..., :1], 1e-9)
    return np.asarray(np.clip(picture.offset + components @ picture.basis, 0, 1))


def box(image: Float, level: int) -> Float:
    """Average 2^level x 2^level texels, whole ones only."""
    side = 1 << level
    down, across = image.shape[0] >> level, image.shape[1] >> level
    cut = image[: down * side, : across * side]
    return np.asarray(cut.reshape(down, side, across, side, -1).mean(axis=(1, 3)))


def main() -> None:
    """Run over pairs of file and source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+", type=Path)
    pairs = parser.parse_args().pairs
    print(f"| file | way | {' | '.join(f'level {level}' for level in range(1, 7))} |\n|---|---|{'---|' * 6}")
    for file, source in zip(pairs[::2], pairs[1::2], strict=True):
        picture = reference_picture(read_igs(file))
        texels = load_stack(source).texels.astype(np.float64)
        full = reference_rows(picture, 0, picture.height)
        blobs = find_blobs(picture)
        for way in ("widened", "masses", "both"):
            losses = []
            for level in range(1, 7):
                right = box(texels, level)
                found, filtered = (
                    psnr_of(float(np.square(image - right).mean()))
                    for image in (minified(picture, blobs, level, way), box(full, level))
                )
                losses.append(f"{found - filtered:.2f}")
            print(f"| {file.stem} | {way} | {' | '.join(losses)} |", flush=True)


if __name__ == "__main__":
    main()
