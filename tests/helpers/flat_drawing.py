"""A picture as drawings are: flat shapes with soft borders."""

import numpy as np

from helpers.plain_map import make_map
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic, Transfer


def flat_drawing(side=192, shapes=40):
    """Flat discs with soft borders over a sky, as drawings have them: exact samples would take more."""
    colour_map = make_map([Coded(0), Coded(1), Coded(2)], transfer=Transfer.SRGB, semantic=Semantic.BASE_COLOUR)
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:side, :side] / side
    texels = np.stack([0.3 + 0.3 * y, 0.5 + 0.2 * x * y, 0.9 - 0.2 * x], axis=-1)
    for _ in range(shapes):
        column, row, radius = [*rng.uniform(0, 1, 2).tolist(), rng.uniform(0.03, 0.15)]
        inside = np.clip((radius - np.hypot(x - column, y - row)) * side + 0.5, 0, 1)[..., None]
        texels = texels * (1 - inside) + rng.uniform(0, 1, 3) * inside
    return TextureStack(side, side, (colour_map,), np.rint(texels * 255).astype(np.float32) / 255)
