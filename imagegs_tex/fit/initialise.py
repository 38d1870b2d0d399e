"""Where the Gaussians start: positions by gradient, size by local density, form by the structure tensor.

Positions are drawn in proportion to the gradient or to saliency, and to a constant, as in Image-GS (Zhang et al.,
"Image-GS: content-adaptive image representation via 2D Gaussians", 2025), but stratified. The structure tensor is that
of Förstner and Gülch, "A fast operator for detection and precise location of distinct points, corners and centres of
circular features", 1987, and of Bigün and Granlund, "Optimal orientation detection of linear symmetry", 1987.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from imagegs_tex.fit.convolutions import plain_convolutions
from imagegs_tex.fit.gaussian_set import GaussianSet
from imagegs_tex.formats.row_threads import side_by_side
from imagegs_tex.settings import FitSettings, InitialPlacement
from imagegs_tex.square_root import square_root, square_root_

_USUAL: Final = FitSettings()
DENSITY_BLUR: Final = 4.0
"""Texels over which the local density is averaged."""
TENSOR_BLUR: Final = 1.0
"""Texels over which the structure tensor is averaged."""
_POINTS_AT_ONCE: Final = 1 << 16
_BLURRED_AT_ONCE: Final = 1 << 18
"""Texels. Of a picture of 1024 x 1024 at once, a blur took 90 ms of one core of a Zen 4, in bands 28."""
MOST_ELONGATED: Final = 8.0
"""Ratio of axes at the start. On thin lines the tensor's form is worth 3 dB after 100 steps over round Gaussians."""

Products = tuple[Tensor, Tensor, Tensor]
_MOST_KEPT: Final = 1 << 24
"""Texels of a picture whose gradients' products are kept, 12 bytes each: a fit asks four times, a search 30 times."""

THIN_SIDE: Final = 16
"""Texels; sides below it are short beside the edges that a Gaussian is drawn out along."""


def initialise(
    image: Tensor,
    count: int,
    generator: np.random.Generator,
    weights: Tensor | None = None,
    wrap: tuple[bool, bool] = (False, False),
    settings: FitSettings = _USUAL,
    *,
    saliency: Tensor | None = None,
    products: Products | None = None,
) -> GaussianSet:
    """Place Gaussians for a picture.

    Args:
        image: [H, W, K] in component space
        count: N, at least 1
        generator: decides between equally good places
        weights: [H, W] how much the squared error of each texel counts; None: all alike
        wrap: whether the picture repeats in x and in y
        settings: what positions follow, how many are spread evenly, and how large they are
        saliency: [H, W] in [0, 1], for positions that follow it
        products: of :func:`gradient_products` for this picture; None: they are found

    Returns:
        a set whose features are the picture at the means; solve for better ones.
    """
    xx, xy, yy = gradient_products(image, wrap) if products is None else products
    followed = saliency if settings.init == InitialPlacement.SALIENCY else None
    magnitude = square_root_(xx + yy) if followed is None else followed.clone()
    even = magnitude.new_full((), 1 / magnitude.numel())
    if weights is not None:  # what a weight does to squared errors, its root does to the density that balances them
        roots = square_root(weights)
        magnitude, even = magnitude * roots, roots / float(roots.sum(dtype=torch.float64))
    total = magnitude.sum(dtype=torch.float64)
    share = settings.random_share if settings.init != InitialPlacement.RANDOM and total > 0 else 1.0
    density = magnitude.mul_(float((1 - share) / total.clamp_min(1e-30))).add_(share * even)
    rows, columns = sample_texels(density, count, generator)
    jitter = torch.from_numpy(generator.random((count, 2)).astype(np.float32)).to(image.device)
    means = torch.stack([columns, rows], dim=1) + jitter
    # among texels that count nothing the blurred density may be next to nothing; without weights the bound is idle
    local = _blur(density, DENSITY_BLUR, wrap)[rows, columns].clamp_min(_USUAL.random_share / density.numel()) * count
    size = 2 * torch.log(settings.initial_size / square_root(local))
    tensor = [_blurred_at(rows, columns, products, TENSOR_BLUR, wrap) for products in (xx, xy, yy)]
    form = _within_thin_sides(size, _forms(*tensor), image.shape[:2], settings.initial_size)
    log_covariances = torch.cat([size[:, None], form], dim=1)
    return GaussianSet(means.float(), log_covariances.float(), image[rows, columns].clone())


def sample_texels(density: Tensor, count: int, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw rows and columns of count texels in proportion to a density [H, W], stratified along its running sum."""
    running = density.reshape(-1).double().cumsum_(dim=0)
    strata = (np.arange(count) + generator.random(count)) / count
    drawn = torch.from_numpy(strata).to(density.device) * running[-1]
    index = torch.searchsorted(running, drawn).clamp_max(density.numel() - 1)
    return torch.div(index, density.shape[1], rounding_mode="floor"), index % density.shape[1]


def kept_products(image: Tensor, wrap: tuple[bool, bool]) -> Products | None:
    """Return :func:`gradient_products` for all fits of a picture, or None where that would take too much memory."""
    return gradient_products(image, wrap) if image.shape[0] * image.shape[1] <= _MOST_KEPT else None


def gradient_products(image: Tensor, wrap: tuple[bool, bool]) -> Products:
    """Sums over components of products of central differences: the structure tensor's xx, xy and yy, each [H, W]."""
    height, width, components = image.shape
    xx, xy, yy = (torch.zeros(height, width, device=image.device) for _ in range(3))
    for k in range(components):
        plane = _padded(_padded(image[:, :, k], 1, 1, wrap[0]), 1, 0, wrap[1])
        dx = (plane[1:-1, 2:] - plane[1:-1, :-2]) / 2
        dy = (plane[2:, 1:-1] - plane[:-2, 1:-1]) / 2
        xx.addcmul_(dx, dx)
        xy.addcmul_(dx, dy)
        yy.addcmul_(dy, dy)
    return xx, xy, yy


def _forms(xx: Tensor, xy: Tensor, yy: Tensor) -> Tensor:
    """Return h, b [N, 2]: elongated along edges, by the root of the eigenvalue ratio of structure tensors [N]."""
    half_difference, half_sum = (xx - yy) / 2, (xx + yy) / 2
    radius = torch.hypot(half_difference, xy)
    floor = 1e-9
    ratio = (half_sum + radius + floor) / ((half_sum - radius).clamp_min(0) + floor)
    strength = (torch.log(ratio) / 2).clamp_max(2 * float(np.log(MOST_ELONGATED)))
    direction = torch.stack([half_difference, xy], dim=1) / radius.clamp_min(1e-20)[:, None]
    return -direction * strength[:, None]


def _within_thin_sides(size: Tensor, form: Tensor, sides: tuple[int, ...], share: float) -> Tensor:
    """Return forms [N, 2] with which Gaussians of sizes [N] are no longer than a share of a thin picture's thin axis.

    An edge across a ramp of one row has no length: drawn out along it, Gaussians are so narrow along the row that they
    leave holes, which 128 of them did and 64 did not (39.7 and 62.2 dB).
    """
    h, b = form.unbind(dim=1)
    height, width = sides
    for side, sign in ((height, 1.0), (width, -1.0)):
        if side < THIN_SIDE:
            least = size - 2 * float(np.log(share * side))
            longer = sign * h < least
            h, b = torch.where(longer, sign * least, h), torch.where(longer, torch.zeros_like(b), b)
    return torch.stack([h, b], dim=1)


def _blur(plane: Tensor, deviation: float, wrap: tuple[bool, bool]) -> Tensor:
    """Blur [H, W] with a Gaussian; the picture goes on beyond its border, or its last texel does."""
    kernel = _kernel(deviation, plane)
    radius, height = len(kernel) // 2, plane.shape[0]
    # on a CPU torch lays a plane out as 16 channels: of a whole picture that would be 64 bytes per texel, twice
    rows = height if plane.is_cuda else max(1, _BLURRED_AT_ONCE // plane.shape[1])
    blurred = plane
    for axis, shape in ((1, (1, -1)), (0, (-1, 1))):
        whole, taps, reach = torch.empty_like(plane), kernel.reshape(1, 1, *shape), radius if axis == 0 else 0

        def blur(top: int, *, source: Tensor = blurred, taps: Tensor = taps, reach: int = reach) -> Tensor:
            wanted = torch.arange(top - reach, min(top + rows, height) + reach, device=plane.device)
            band = source.index_select(0, _inside(wanted, height, wrap[1]))
            padded = band if reach else _padded(band, radius, 1, wrap[0])
            return functional.conv2d(padded[None, None], taps)[0, 0]

        tops = range(0, height, rows)
        with plain_convolutions(plane.device):
            bands = side_by_side(blur, tops)
        for top, band in zip(tops, bands, strict=True):
            whole[top : top + rows] = band
        blurred = whole
    return blurred


def _blurred_at(rows: Tensor, columns: Tensor, plane: Tensor, deviation: float, wrap: tuple[bool, bool]) -> Tensor:
    """Return what :func:`_blur` has at some texels [N]: with a narrow kernel a fifth of the time of all texels."""
    kernel = _kernel(deviation, plane)
    reach = torch.arange(len(kernel), device=plane.device) - len(kernel) // 2
    found = torch.empty(len(rows), device=plane.device)
    for begin in range(0, len(rows), _POINTS_AT_ONCE):
        part = slice(begin, begin + _POINTS_AT_ONCE)
        y = _inside(rows[part, None] + reach, plane.shape[0], wrap[1])
        x = _inside(columns[part, None] + reach, plane.shape[1], wrap[0])
        found[part] = (plane[y[:, :, None], x[:, None, :]] * kernel).sum(dim=2) @ kernel
    return found


def _kernel(deviation: float, like: Tensor) -> Tensor:
    """Return the taps of a Gaussian [2 R + 1], four deviations to each side, that add up to 1."""
    radius = round(4 * deviation)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    return torch.from_numpy(taps / taps.sum()).to(dtype=like.dtype, device=like.device)


def _inside(index: Tensor, size: int, repeats: bool) -> Tensor:
    """Return indices within 0..size - 1: the picture goes on beyond its border, or its last texel does."""
    return index.remainder(size) if repeats else index.clamp(0, size - 1)


def _padded(plane: Tensor, margin: int, axis: int, repeats: bool) -> Tensor:
    """Return [H, W] with a margin on both sides of an axis; torch's own padding cannot repeat a picture twice."""
    size = plane.shape[axis]
    index = torch.arange(-margin, size + margin, device=plane.device)
    return plane.index_select(axis, _inside(index, size, repeats))
