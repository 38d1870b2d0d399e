"""A detail layer after an edit: as strong in the edit as a whole analysis makes it, and as before everywhere else."""

import numpy as np
import pytest
import torch
from helpers.made_gaussians import made_map

from imagegs_tex.decoder.detail import add_detail
from imagegs_tex.detail.analyse import analyse_detail
from imagegs_tex.detail.renew import renewed_detail
from imagegs_tex.formats.igs.quantized_set import OFFSET_SCALE
from imagegs_tex.formats.material.stack import TextureStack
from imagegs_tex.formats.vocabulary import Coded, Semantic
from imagegs_tex.metrics.visible_error import blur

SIDE = 256
EDIT = (slice(96, 176), slice(80, 160))
INSIDE = (slice(112, 160), slice(96, 144))


class Case:
    """Grain that is stronger on the right, its smooth decode, and an edit of its strength."""

    def __init__(self, factor=1.0, colours=1):
        y, x = np.mgrid[:SIDE, :SIDE] * (2 * np.pi / SIDE)
        self.smooth = np.stack([0.5 + 0.1 * np.sin(2 * x) * np.cos(3 * y)] * 4, axis=-1).astype(np.float32)
        self.noise = np.random.default_rng(1).standard_normal((SIDE, SIDE, 1)) * (0.03 + 0.03 * (x > np.pi))[..., None]
        grainy = np.array([1.0] * 3 + [0.0])
        before = self.smooth + self.noise * grainy
        now = before.copy()
        now[EDIT] = (self.smooth + factor * self.noise * (grainy if colours == 1 else 1.0))[EDIT]
        self.before, self.now = (self.stack(np.clip(texels, 0, 1).astype(np.float32)) for texels in (before, now))
        self.changed = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        self.changed[EDIT] = True
        offset = np.rint(self.smooth.mean(axis=(0, 1)) * OFFSET_SCALE).astype(np.uint16)
        self.set = type("Set", (), {
            "width": SIDE, "height": SIDE, "wrap": (False, False), "offset_codes": offset, "detail": None
        })  # fmt: skip
        self.set.detail = analyse_detail(self.before, self.set, torch.from_numpy(self.smooth), lambda: 10_000)

    @staticmethod
    def stack(texels):
        maps = (
            made_map("colour", Semantic.BASE_COLOUR, tuple(map(Coded, range(3)))),
            made_map("roughness", Semantic.ROUGHNESS, (Coded(3),)),
        )
        return TextureStack(SIDE, SIDE, maps, texels)

    def renewed(self):
        return renewed_detail(self.now, self.set, torch.from_numpy(self.smooth), self.changed)

    def kept(self, layer):
        """Contrast below four texels in the edit over the source's, of colours."""
        offset = (self.set.offset_codes / OFFSET_SCALE).astype(np.float32)
        drawn = add_detail(torch.from_numpy(self.smooth.copy()), layer, offset, (SIDE, SIDE), (False, False))
        found = [(picture - blur(blur(picture, 1), 2))[INSIDE][..., :3].std() for picture in (
            drawn, torch.from_numpy(self.now.texels)
        )]  # fmt: skip
        return float(found[0] / found[1])


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.6])
def test_an_edit_gets_as_much_as_by_a_whole_analysis(factor):
    case = Case(factor)
    made = case.renewed()
    whole = analyse_detail(case.now, case.set, torch.from_numpy(case.smooth), lambda: 10_000)
    assert case.kept(made) == pytest.approx(case.kept(whole), rel=0.12)
    new = np.zeros((16, 16), dtype=bool)
    new[6:11, 5:10] = True
    np.testing.assert_array_equal(made.envelope_codes[~new], case.set.detail.envelope_codes[~new])
    moved = np.abs(made.envelope_codes[new].astype(int) - case.set.detail.envelope_codes[new])
    assert moved.mean() < 1 if factor == 1.0 else moved.mean() > 1


def test_what_is_clean_now_gets_none():
    case = Case(0.0)
    assert not case.renewed().envelope_codes[7:10, 6:9].any()


def test_grain_of_a_channel_that_had_none_is_not_what_the_layer_is_made_of():
    assert Case(1.0, colours=2).renewed() is None


def test_nothing_changed_leaves_the_layer():
    case = Case()
    case.changed[:] = False
    assert case.renewed() is case.set.detail
