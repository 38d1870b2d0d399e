"""One map's Gaussians -> flat splats, as viewers of 3D Gaussian splats draw them.

A viewer paints splats over each other from back to front; a decoder adds up and divides by the sum of the weights. No
choice of opacities makes the same picture of both. What comes nearest, of those tried on three materials: large
Gaussians behind small ones, each somewhat larger than it is and nearly opaque: 21.5 (brick), 23.5 (a drawing) and 25.9
dB (wood) of the decode. At their own sizes they leave holes: 16.4, 13.8 and 17.8 dB.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet, dequantize
from imagegs_tex.formats.material.stack import expand_map
from imagegs_tex.formats.vocabulary import TextureMap
from imagegs_tex.pictures.gaussians import ellipses_of

WIDENED: Final = 1.6
"""Standard deviations of splats over those of the Gaussians; see the module."""
OPACITY: Final = 0.8
PICTURE_LENGTH: Final = 2.0
"""World units of the picture's longer side; it lies around the origin."""
_THICKNESS: Final = 1e-4  # world units; a splat of none has no direction to some viewers
_DEPTH: Final = 0.02  # world units from the largest Gaussian, at the back, to the smallest


@dataclass(frozen=True, slots=True)
class Splats:
    """Flat splats in a world of x to the right, y down, z away from the viewer."""

    means: NDArray[np.float32]  # [N, 3] world units
    deviations: NDArray[np.float32]  # [N, 3] world units, along the splat's own axes
    quaternions: NDArray[np.float32]  # [N, 4] w, x, y, z of unit length
    opacities: NDArray[np.float32]  # [N] in [0, 1]
    colours: NDArray[np.float32]  # [N, 3] in [0, 1], as the map's samples are


def make_splats(quantized: QuantizedGaussianSet, texture_map: TextureMap) -> Splats:
    """Turn the Gaussians of a file into splats with the colours of one of its maps.

    Args:
        quantized: the file's content
        texture_map: one of its maps; the first three channels are red, green and blue, fewer are grey
    """
    values = dequantize(quantized)
    size = np.array([quantized.width, quantized.height])
    unit = PICTURE_LENGTH / size.max()
    ellipses = ellipses_of(values.means, values.log_covariances)
    deviations, angles = ellipses.radii, ellipses.angles
    largest_first = np.argsort(-values.log_covariances[:, 0], kind="stable")
    depth = np.empty(len(largest_first))
    depth[largest_first] = -_DEPTH * np.linspace(0.0, 1.0, len(largest_first))
    half = np.zeros((len(angles), 4), np.float32)
    half[:, 0], half[:, 3] = np.cos(angles / 2), np.sin(angles / 2)
    return Splats(
        means=np.column_stack([(values.means - size / 2) * unit, depth]).astype(np.float32),
        deviations=np.column_stack(
            [deviations * (unit * WIDENED), np.full(len(angles), _THICKNESS)]
        ).astype(np.float32),
        quaternions=half,
        opacities=np.full(len(angles), OPACITY, np.float32),
        colours=_colours(values.offset + values.features @ values.basis, texture_map),
    )  # fmt: skip


def _colours(channels: NDArray[np.float32], texture_map: TextureMap) -> NDArray[np.float32]:
    """Return colours [N, 3] of coded channels [N, C]."""
    samples = expand_map(np.clip(channels, 0.0, 1.0)[None], texture_map)[0].astype(np.float32)
    samples /= np.float32(texture_map.sample_format.max_value)
    shown = samples[:, :3] if texture_map.channel_count >= 3 else np.repeat(samples[:, :1], 3, axis=1)
    return np.asarray(np.clip(shown, 0.0, 1.0), dtype=np.float32)
