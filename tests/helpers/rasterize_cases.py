"""Sets of Gaussians, random and degenerate, that every rasterizer backend must render like the reference."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imagegs_tex.rasterize.backend import Backend, PreparedGeometry

VALUE_TOLERANCE = 1e-4
"""Largest difference of a component's value, for features in -1..1."""
GRADIENT_TOLERANCE = 1e-3
"""Norm of a gradient's difference over the gradient's norm."""
LEAVE_OUT_TOLERANCE = 1e-2
"""The same for errors without one Gaussian: what is left where it was alone is a difference of single precision."""


@dataclass(frozen=True)
class Case:
    """One set and the picture it is rendered to."""

    name: str
    width: int  # texels
    height: int  # texels
    means: Tensor  # float32 [N, 2]
    conics: Tensor  # float32 [N, 3]
    features: Tensor  # float32 [N, K]
    cutoff: float
    wrap: tuple[bool, bool] = (False, False)  # whether the picture repeats in x and in y

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def on(self, backend: Backend, dtype: torch.dtype = torch.float32) -> tuple[PreparedGeometry, Tensor]:
        """The geometry as a backend prepares it, and the features, on its device."""
        means, conics, features = (
            tensor.to(backend.device, dtype) for tensor in (self.means, self.conics, self.features)
        )
        return backend.prepare_geometry(means, conics, self.cutoff, self.size, self.wrap), features

    def image(self, seed: int = 1) -> Tensor:
        """A random picture float32 [H, W, K]: a target, or the gradient of one."""
        generator = np.random.default_rng(seed)
        shape = (self.height, self.width, self.features.shape[1])
        return torch.from_numpy(generator.normal(size=shape).astype(np.float32))


def make_case(
    name: str,
    *,
    count: int = 40,
    components: int = 3,
    size: tuple[int, int] = (50, 37),
    cutoff: float = 6.0,
    long_axis: tuple[float, float] = (2.0, 6.0),
    ratio: tuple[float, float] = (1.0, 4.0),
    area: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    wrap: tuple[bool, bool] = (False, False),
    seed: int = 0,
) -> Case:
    """Draw a set.

    Args:
        name: of the case
        count: N
        components: K
        size: width, height in texels
        cutoff: q at which a support ends
        long_axis: least and greatest standard deviation along the long axis, in texels
        ratio: least and greatest ratio of the axes
        area: x0, y0, x1, y1 of the means as shares of the picture
        wrap: whether the picture repeats in x and in y
        seed: of the generator
    """
    generator = np.random.default_rng(seed)
    width, height = size
    low, high = np.array(area[:2]), np.array(area[2:])
    means = (low + (high - low) * generator.random((count, 2))) * np.array([width, height])
    longer = np.exp(generator.uniform(*np.log(long_axis), count))
    shorter = longer / np.exp(generator.uniform(*np.log(ratio), count))
    angle = generator.uniform(0, np.pi, count)
    cosine, sine = np.cos(angle), np.sin(angle)
    a = cosine**2 / longer**2 + sine**2 / shorter**2
    b = cosine * sine * (1 / longer**2 - 1 / shorter**2)
    c = sine**2 / longer**2 + cosine**2 / shorter**2
    return Case(
        name=name,
        width=width,
        height=height,
        means=torch.from_numpy(means.astype(np.float32)),
        conics=torch.from_numpy(np.stack([a, b, c], axis=1).astype(np.float32)),
        features=torch.from_numpy(generator.uniform(-1, 1, (count, components)).astype(np.float32)),
        cutoff=cutoff,
        wrap=wrap,
    )


def all_cases() -> list[Case]:
    """Every case; none takes the reference more than a second."""
    return [
        *(make_case(f"components_{k}", components=k, seed=k) for k in (1, 2, 3, 4, 5, 8, 9, 12, 16, 17, 27, 31, 32)),
        make_case("one_gaussian", count=1),
        make_case("one_texel", count=3, size=(1, 1)),
        make_case("one_row", count=10, size=(70, 1)),
        make_case("one_column", count=10, size=(1, 70)),
        make_case("whole_tiles", size=(64, 32)),
        make_case("no_tile_divides", size=(67, 51)),
        make_case("crowded_tile", count=700, area=(0.1, 0.1, 0.2, 0.2), components=5),
        make_case("empty_tiles", count=6, area=(0.0, 0.0, 0.1, 0.1), size=(90, 90)),
        make_case("tiny", count=60, long_axis=(0.05, 0.3), ratio=(1.0, 1.5)),
        make_case("huge", count=12, long_axis=(60.0, 400.0)),
        make_case("thin", count=40, long_axis=(8.0, 16.0), ratio=(30.0, 50.0)),
        make_case("off_the_edge", count=40, area=(-0.5, -0.5, 1.5, 1.5)),
        make_case("all_outside", count=4, area=(3.0, 3.0, 4.0, 4.0)),
        make_case("short_support", cutoff=1.0),
        make_case("long_support", cutoff=32.0),
        make_case("many", count=900, components=9, size=(120, 88), cutoff=8.0, long_axis=(1.0, 4.0)),
    ]


def wrapping_cases() -> list[Case]:
    """Cases of pictures that repeat; none takes the reference more than a few seconds."""
    both = (True, True)
    return [
        make_case("repeats_in_both", wrap=both),
        make_case("repeats_in_x", wrap=(True, False), components=5),
        make_case("repeats_in_y", wrap=(False, True), components=1),
        make_case("repeats_over_whole_tiles", wrap=both, size=(64, 32)),
        make_case("repeats_within_a_tile", wrap=both, size=(13, 11), count=30, long_axis=(1.0, 3.0)),
        make_case("overlaps_itself", wrap=both, size=(20, 18), count=10, long_axis=(5.0, 12.0), components=4),
        make_case("overlaps_itself_in_a_tile", wrap=both, size=(9, 7), count=6, long_axis=(4.0, 12.0)),
        make_case("one_texel_repeats", wrap=both, size=(1, 1), count=5, long_axis=(0.3, 3.0)),
        make_case("one_row_repeats", wrap=both, size=(70, 1), count=12, long_axis=(1.0, 4.0)),
        make_case("one_column_repeats", wrap=both, size=(1, 70), count=12, long_axis=(1.0, 4.0)),
        make_case("on_the_corner", wrap=both, area=(0.0, 0.0, 0.0, 0.0), count=8),
        make_case("along_the_border", wrap=both, area=(0.0, 0.98, 1.0, 1.0), count=40, components=9),
        make_case("thin_across_the_border", wrap=both, long_axis=(8.0, 16.0), ratio=(30.0, 50.0)),
        make_case("tiny_in_a_repeating_picture", wrap=both, count=60, long_axis=(0.05, 0.3), ratio=(1.0, 1.5)),
        make_case("means_pictures_away", wrap=both, area=(-2.3, -1.6, 3.4, 2.7), count=30),
        make_case("many_in_a_repeating_picture", wrap=both, count=250, components=9, size=(72, 56), cutoff=8.0),
    ]


def difference(found: Tensor, wanted: Tensor) -> float:
    """Norm of the difference over the norm of what was wanted; the norm itself where nothing was wanted."""
    wanted = wanted.double().cpu()
    norm = float(torch.linalg.vector_norm(wanted))
    distance = float(torch.linalg.vector_norm(found.double().cpu() - wanted))
    return distance / norm if norm > 1e-12 else distance
