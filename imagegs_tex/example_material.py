"""A material of our own: worn cobbles with cracks, moss in the joints and stains.

Base colour (sRGB), normal (OpenGL), roughness, ambient occlusion and height. The picture tiles. Normal and occlusion
are derived from the height, so all maps belong together as in a real material.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.transfer_functions import linear_to_srgb

Field = NDArray[np.float64]
"""One value per texel, [size, size]."""

STONES_ACROSS: Final = 6
NORMAL_BLUR: Final = 0.003
"""Widths over which the height is averaged before its slopes are taken: grain is colour, not relief."""
RELIEF: Final = 0.055  # height of the relief, white to black, in widths of the picture


@dataclass(frozen=True, slots=True)
class Stones:
    """A periodic pattern of irregular stones."""

    edge_distance: Field  # to the nearest border between two stones, in widths of the picture, >= 0
    index: NDArray[np.intp]  # which stone, [size, size]
    offset_x: Field  # from the stone's middle, in widths of the picture
    offset_y: Field
    count: int


@dataclass(frozen=True, slots=True)
class Noise:
    """Tiling noise that several maps share, each with mean 0 and deviation 1."""

    grain: Field  # of the stone
    patches: Field  # large areas: stains where high, damp where low
    fine: Field


def make_material(size: int = 512, seed: int = 7) -> dict[str, NDArray[np.uint8] | NDArray[np.uint16]]:
    """Make all maps of the material.

    Args:
        size: width and height in texels, at least 64
        seed: of everything random

    Returns:
        By map name: basecolor and normal [size, size, 3] uint8; roughness and ao [size, size] uint8; height
        [size, size] uint16.
    """
    rng = np.random.default_rng(seed)
    noise = Noise(
        grain=spectral_noise(rng, size, slope=1.1, lowest=12),
        patches=spectral_noise(rng, size, slope=2.2, lowest=1),
        fine=spectral_noise(rng, size, slope=0.9, lowest=40),
    )
    stones = lay_stones(rng, size)
    cracks = draw_cracks(rng, size, stones)
    moss = grow_moss(rng, size, stones, noise.patches)

    height = carve(rng, stones, noise, cracks)
    height = height + 0.1 * moss * np.maximum(0.7 + 0.3 * noise.fine, 0)
    height = (height - height.min()) / max(float(np.ptp(height)), 1e-12)  # of one texel it has no range
    occlusion = ambient_occlusion(height)
    colour = paint(rng, stones, height, moss, cracks, noise)
    colour = np.clip(colour * (0.75 + 0.25 * occlusion)[..., np.newaxis], 0.004, 0.9)

    wear = smoothstep(0.5, 0.85, height)
    stains = smoothstep(0.4, 1.6, noise.patches)
    roughness = 0.74 - 0.2 * wear + 0.05 * noise.grain + 0.03 * noise.fine - 0.16 * stains * (1 - moss)
    roughness = mix(roughness + 0.08 * (1 - occlusion), 0.93 + 0.02 * noise.fine, moss)
    return {
        "basecolor": to_bytes(linear_to_srgb(colour).astype(np.float64)),
        "normal": to_bytes(normals(blur(height, NORMAL_BLUR)) * 0.5 + 0.5),
        "roughness": to_bytes(roughness),
        "ao": to_bytes(occlusion),
        "height": np.rint(height * 65535).astype(np.uint16),
    }


def lay_stones(rng: np.random.Generator, size: int) -> Stones:
    """Voronoi cells around jittered rows, their outlines bent by noise; distances wrap, so the pattern tiles."""
    rows = STONES_ACROSS
    points = []
    for row in range(rows):
        for column in range(rows):
            point_x = (column + 0.5 * (row % 2) + rng.uniform(-0.24, 0.24)) / rows
            points.append((point_x, (row + rng.uniform(-0.2, 0.2)) / rows))
    bend = 0.012
    axis = (np.arange(size) + 0.5) / size
    x = axis[np.newaxis, :] + bend * spectral_noise(rng, size, slope=1.9, lowest=4)
    y = axis[:, np.newaxis] + bend * spectral_noise(rng, size, slope=1.9, lowest=4)

    dx = np.stack([wrap(x - point_x) for point_x, _ in points])
    dy = np.stack([wrap(y - point_y) for _, point_y in points])
    nearest = np.argmin(dx**2 + dy**2, axis=0)
    own_x = np.take_along_axis(dx, nearest[np.newaxis], axis=0)[0]
    own_y = np.take_along_axis(dy, nearest[np.newaxis], axis=0)[0]
    edge = np.full((size, size), np.inf)
    for other_x, other_y in zip(dx, dy, strict=True):
        # Distance to the bisector between the nearest point and this one.
        apart_x, apart_y = own_x - other_x, own_y - other_y
        apart = np.hypot(apart_x, apart_y)
        distance = -((own_x + other_x) * apart_x + (own_y + other_y) * apart_y) / (2 * np.maximum(apart, 1e-9))
        edge = np.where(apart > 1e-9, np.minimum(edge, distance), edge)
    return Stones(np.maximum(edge, 0), nearest, own_x, own_y, len(points))


def carve(rng: np.random.Generator, stones: Stones, noise: Noise, cracks: Field) -> Field:
    """Height of the bare stone: rounded shoulders, each stone with its own level and tilt, pitted and cracked."""
    level = rng.uniform(0.62, 0.9, stones.count)[stones.index]
    tilt_x, tilt_y = (rng.normal(0, 0.7, stones.count)[stones.index] for _ in range(2))
    shoulder = smoothstep(0.004, 0.034, stones.edge_distance + 0.0022 * noise.grain)
    dome = 1 - np.exp(-stones.edge_distance / 0.03)
    top = level * (0.72 + 0.28 * dome) + tilt_x * stones.offset_x + tilt_y * stones.offset_y
    pits = smoothstep(0.9, 2.4, noise.grain) * 0.12
    top = top + 0.022 * noise.grain + 0.008 * noise.fine - pits - 0.2 * cracks
    joint = 0.12 + 0.025 * noise.grain + 0.012 * noise.fine
    return mix(joint, top, shoulder)


def draw_cracks(rng: np.random.Generator, size: int, stones: Stones) -> Field:
    """Thin lines along the zero of bent noise, on some of the stones only, in [0, 1]."""
    field = spectral_noise(rng, size, slope=1.7, lowest=3)
    # Distance to the zero line, in widths of the picture; where the field is flat it would be too wide a line.
    distance = np.abs(field) / np.maximum(np.hypot(*slopes(field)), 8.0)
    line = 1 - smoothstep(0.001, 0.0042, distance)
    cracked = (rng.random(stones.count) < 0.55)[stones.index]
    fading = smoothstep(-0.4, 0.5, spectral_noise(rng, size, slope=1.8, lowest=3))
    return np.where(cracked, line * fading, 0.0) * smoothstep(0.002, 0.012, stones.edge_distance)


def grow_moss(rng: np.random.Generator, size: int, stones: Stones, patches: Field) -> Field:
    """How much moss covers each texel, in [0, 1]: thick in the joints of damp patches, thinning out onto the stones."""
    ragged = spectral_noise(rng, size, slope=1.0, lowest=8)
    damp = smoothstep(-0.6, 1.5, -patches)
    reach = 0.001 + 0.02 * damp + 0.01 * ragged * damp
    return smoothstep(-0.006, 0.006, reach - stones.edge_distance) * smoothstep(0.05, 0.4, damp)


def paint(rng: np.random.Generator, stones: Stones, height: Field, moss: Field, cracks: Field, noise: Noise) -> Field:
    """Base colour in linear light, [size, size, 3]."""
    tints = np.array([[0.20, 0.185, 0.165], [0.25, 0.215, 0.175], [0.155, 0.16, 0.17], [0.23, 0.18, 0.14]])
    weights = rng.dirichlet([0.7] * len(tints), stones.count)
    stone = (weights @ tints)[stones.index] * rng.uniform(0.72, 1.25, stones.count)[stones.index][..., np.newaxis]
    speckle = 1 + 0.16 * noise.grain + 0.12 * noise.fine
    stone = stone * speckle[..., np.newaxis]
    worn = smoothstep(0.55, 0.9, height)
    stone = stone * (0.82 + 0.38 * worn)[..., np.newaxis]
    rust = smoothstep(0.6, 1.9, noise.patches + 0.25 * noise.grain)[..., np.newaxis]
    stone = mix(stone, stone * np.array([1.02, 0.74, 0.5]), 0.75 * rust)
    stone = stone * (1 - 0.6 * cracks)[..., np.newaxis]

    soil = np.array([0.062, 0.05, 0.038]) * (1 + 0.3 * noise.grain + 0.2 * noise.fine)[..., np.newaxis]
    in_joint = 1 - smoothstep(0.004, 0.02, stones.edge_distance + 0.003 * noise.grain)
    colour = mix(stone, soil, in_joint[..., np.newaxis])

    shade = np.clip(0.5 + 0.28 * noise.grain + 0.3 * noise.fine, 0, 1)[..., np.newaxis]
    green = mix(np.array([0.028, 0.042, 0.012]), np.array([0.125, 0.14, 0.042]), shade)
    return mix(colour, green, moss[..., np.newaxis])


def normals(height: Field) -> Field:
    """Unit normals of a tiling height field, [size, size, 3], x right, y up (OpenGL), z out of the picture."""
    slope_x, slope_y = slopes(height)
    vector = np.stack([-slope_x * RELIEF, slope_y * RELIEF, np.ones_like(height)], axis=-1)
    return np.asarray(vector / np.linalg.norm(vector, axis=-1, keepdims=True))


def slopes(field: Field) -> tuple[Field, Field]:
    """Change per width of the picture, to the right and downwards."""
    size = field.shape[0]
    right = (np.roll(field, -1, axis=1) - np.roll(field, 1, axis=1)) * size / 2
    down = (np.roll(field, -1, axis=0) - np.roll(field, 1, axis=0)) * size / 2
    return right, down


def ambient_occlusion(height: Field) -> Field:
    """How open each texel is, in [0, 1]: how far the surroundings, at several distances, rise above it."""
    closed = np.zeros_like(height)
    for radius, weight in ((0.004, 0.9), (0.012, 1.0), (0.03, 0.8)):
        closed += weight * np.maximum(blur(height, radius) - height, 0)
    return np.asarray(np.exp(-2.2 * closed))


def spectral_noise(rng: np.random.Generator, size: int, slope: float, lowest: int) -> Field:
    """Tiling noise with mean 0 and deviation 1, whose amplitude falls as frequency ** -slope from ``lowest`` on.

    Args:
        rng: where the noise comes from
        size: texels each way
        slope: 0 is white noise; the higher, the softer
        lowest: waves per picture below which there is nothing
    """
    frequency = wave_number(size)
    amplitude = np.where(frequency >= lowest, np.maximum(frequency, 1) ** -(slope + 0.5), 0)
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * amplitude, s=(size, size))
    return np.asarray(noise / max(noise.std(), 1e-30))  # a small picture has none of the waves: zero stays zero


def blur(field: Field, radius: float) -> Field:
    """Gaussian blur of a tiling field; the radius is its deviation in widths of the picture."""
    kernel = np.exp(-2 * (np.pi * radius * wave_number(field.shape[0])) ** 2)
    return np.asarray(np.fft.irfft2(np.fft.rfft2(field) * kernel, s=field.shape))


def wave_number(size: int) -> Field:
    """Waves per picture of each coefficient of rfft2, [size, size // 2 + 1]."""
    return np.asarray(np.hypot(np.fft.fftfreq(size, 1 / size)[:, np.newaxis], np.fft.rfftfreq(size, 1 / size)))


def wrap(offset: Field) -> Field:
    """Shortest way round a picture of width 1, in [-0.5, 0.5]."""
    return np.asarray(offset - np.rint(offset))


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below ``low``, 1 above ``high``, smooth between."""
    position = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(position * position * (3 - 2 * position))


def mix(first: Field | float, second: Field | float, share: Field) -> Field:
    """``first`` where share is 0, ``second`` where it is 1."""
    return np.asarray(first * (1 - share) + second * share)


def to_bytes(value: Field) -> NDArray[np.uint8]:
    """[0, 1] to 0..255, rounded and clipped."""
    return np.rint(np.clip(value, 0, 1) * 255).astype(np.uint8)
