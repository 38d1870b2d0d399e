"""What docs/igs-format.md says the picture is, in float64 and as plainly as numpy can: decoders are held against this.

It shares no code with a decoder or a backend beyond the codes' arithmetic in formats/igs/quantized_set.py and which
channels are a normal's x and y: no tiles, no index, no float32. Each Gaussian adds its weights to the texels, or the
points, of its bounding box; where the picture repeats, so does every image of it that can reach in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.quantized_set import (
    EPSILON,
    OFFSET_SCALE,
    QuantizedGaussianSet,
    basis_values,
    conics_of,
    feature_values,
    position_exponents,
    reaches_of,
    shape_values,
)
from imagegs_tex.shaders.derived_z import derived_normals
from imagegs_tex.verification.float64_detail import ReferenceDetail, reference_detail, with_detail
from imagegs_tex.verification.float64_repeat import ReferenceRepeat, reference_repeat, repeat_at
from imagegs_tex.verification.float64_residual import ReferenceResidual, reference_residual, residual_at


@dataclass(frozen=True, slots=True)
class ReferencePicture:
    """A material in float64, ready to be evaluated anywhere."""

    width: int
    height: int
    means: NDArray[np.float64]  # [I, 2] texels; I images of N Gaussians
    conics: NDArray[np.float64]  # [I, 3]
    shares: NDArray[np.float64]  # [I] of weights: 1, or less where widening spreads them out
    reach: NDArray[np.float64]  # [I, 2] half sizes of the supports' bounding boxes, texels
    features: NDArray[np.float64]  # [I, K]
    basis: NDArray[np.float64]  # [K, C]
    offset: NDArray[np.float64]  # [C]
    normals: tuple[tuple[int, int], ...]  # channels x and y of each normal whose z is made of them
    cutoff: float
    detail: ReferenceDetail | None  # drawn on top, where the file has it
    exact: NDArray[np.float64] | None  # [H, W, C], where the file has it: the picture
    repeat: ReferenceRepeat | None  # added to the Gaussians' channels, where the file has it, as the following
    residual: ReferenceResidual | None

    @property
    def reads_texels(self) -> bool:
        """Whether a point's value depends on which texel it lies in."""
        return any(layer is not None for layer in (self.detail, self.exact, self.repeat, self.residual))


def reference_picture(quantized: QuantizedGaussianSet, widening: float = 0.0) -> ReferencePicture:
    """Turn codes into values without rounding to float32 on the way.

    Args:
        quantized: the file's content
        widening: added to the variance of every Gaussian along every axis, in square texels, as levels of a mip chain
            need it; more than 0 leaves the detail layer out and takes the means of repeat and residual over such texels
    """
    shapes = shape_values(quantized.shape_codes, quantized.size_step, quantized.form_step)
    exponents = position_exponents(shapes, quantized).astype(np.float64)
    means = (quantized.position_codes.astype(np.float64) + 0.5) * np.exp2(exponents)
    conics, reach = conics_of(shapes), reaches_of(shapes, quantized.cutoff)
    shares = np.ones(len(means))
    if widening > 0:
        covariances = np.linalg.inv(conics[:, [[0, 1], [1, 2]]])
        wide = covariances + widening * np.eye(2)
        spread = np.sqrt(np.linalg.det(covariances) / np.linalg.det(wide))
        shares = spread * (1 + spread) / 2
        conics = np.asarray(np.linalg.inv(wide).reshape(-1, 4)[:, [0, 1, 3]], dtype=np.float64)
        reach = np.sqrt(2 * quantized.cutoff * wide[:, [0, 1], [0, 1]])
    reach = reach + 1e-6
    gaussians, shifts = _images(means, reach, (quantized.width, quantized.height), quantized.wrap)
    features = feature_values(quantized)
    box = round(np.sqrt(12 * widening + 1))
    return ReferencePicture(
        width=quantized.width,
        height=quantized.height,
        means=means[gaussians] + shifts,
        conics=conics[gaussians],
        shares=shares[gaussians],
        reach=reach[gaussians],
        features=features[gaussians],
        basis=basis_values(quantized.basis_codes, quantized.basis_scale).astype(np.float64),
        offset=quantized.offset_codes / OFFSET_SCALE,
        normals=tuple(derived_normals(quantized.maps).values()),
        cutoff=quantized.cutoff,
        detail=None if widening > 0 else reference_detail(quantized),
        exact=None if quantized.exact is None else quantized.exact.codes * quantized.exact.scales,
        repeat=reference_repeat(quantized.repeat, box),
        residual=reference_residual(quantized.residual, quantized.width, box),
    )


def _images(
    means: NDArray[np.float64], reach: NDArray[np.float64], size: tuple[int, int], wrap: tuple[bool, bool]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the Gaussian of every image [I], and how far that image is from it [I, 2], in texels."""
    numbers = []
    for axis in (0, 1):
        last = int(np.ceil(((reach[:, axis] + size[axis]) / size[axis]).max())) if wrap[axis] else 0
        numbers.append(range(-last, last + 1))
    gaussians, shifts = [], []
    for row in numbers[1]:
        for column in numbers[0]:
            shift = np.array([column, row]) * np.array(size, dtype=np.float64)
            near = np.all((means + shift + reach > 0) & (means + shift - reach < size), axis=1) | (row == column == 0)
            found = np.flatnonzero(near)
            gaussians.append(found)
            shifts.append(np.broadcast_to(shift, (len(found), 2)))
    return np.concatenate(gaussians), np.concatenate(shifts)


def reference_rows(picture: ReferencePicture, first_row: int, row_count: int) -> NDArray[np.float64]:
    """Return texel rows of the picture [row_count, W, C] in [0, 1]."""
    if picture.exact is not None:
        return picture.exact[first_row : first_row + row_count]
    sums = np.zeros((picture.features.shape[1] + 1, row_count, picture.width))
    low = np.ceil(picture.means - picture.reach - 0.5).astype(np.int64)
    high = np.floor(picture.means + picture.reach - 0.5).astype(np.int64) + 1
    low = np.maximum(low, [0, first_row])
    high = np.minimum(high, [picture.width, first_row + row_count])
    for i in np.flatnonzero(np.all(low < high, axis=1)):
        xs = np.arange(low[i, 0], high[i, 0]) + 0.5 - picture.means[i, 0]
        ys = np.arange(low[i, 1], high[i, 1]) + 0.5 - picture.means[i, 1]
        weights = _weights(picture, i, xs[None, :], ys[:, None])
        box = sums[:, low[i, 1] - first_row : high[i, 1] - first_row, low[i, 0] : high[i, 0]]
        box[0] += weights
        box[1:] += picture.features[i][:, None, None] * weights
    rows = np.arange(first_row, first_row + row_count)
    texels = np.stack(np.meshgrid(np.arange(picture.width), rows), axis=-1)
    channels = _channels(picture, np.moveaxis(sums, 0, -1), texels + 0.5, texels)
    if picture.detail is None:
        return channels
    return with_detail(picture.detail, channels, np.arange(picture.width)[None], rows[:, None])


def reference_points(picture: ReferencePicture, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the picture [P, C] in [0, 1] at points [P, 2] in texels; each has the noise of the texel that holds it."""
    texels = np.clip(np.floor(points).astype(np.int64), 0, [picture.width - 1, picture.height - 1])
    if picture.exact is not None:
        return np.asarray(picture.exact[texels[:, 1], texels[:, 0]])
    order = np.argsort(points[:, 1], kind="stable")
    xs, ys = points[order].astype(np.float64).T
    sums = np.zeros((len(points), picture.features.shape[1] + 1))
    first = np.searchsorted(ys, picture.means[:, 1] - picture.reach[:, 1])
    last = np.searchsorted(ys, picture.means[:, 1] + picture.reach[:, 1])
    for i in np.flatnonzero(first < last):
        near = np.flatnonzero(np.abs(xs[first[i] : last[i]] - picture.means[i, 0]) <= picture.reach[i, 0]) + first[i]
        weights = _weights(picture, i, xs[near] - picture.means[i, 0], ys[near] - picture.means[i, 1])
        sums[near, 0] += weights
        sums[near, 1:] += weights[:, None] * picture.features[i]
    values = np.empty((len(points), len(picture.offset)))
    values[order] = _channels(picture, sums, points[order], texels[order])
    if picture.detail is None:
        return values
    return with_detail(picture.detail, values, *texels.T)


def _weights(
    picture: ReferencePicture, i: int | np.intp, dx: NDArray[np.float64], dy: NDArray[np.float64]
) -> NDArray[np.float64]:
    a, b, c = picture.conics[i]
    q = (a * dx * dx + 2 * b * dx * dy + c * dy * dy) / 2
    return np.asarray(picture.shares[i] * np.maximum(0.0, np.exp(-q) - np.exp(-picture.cutoff)))


def _channels(
    picture: ReferencePicture, sums: NDArray[np.float64], points: NDArray[np.floating], texels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return channels [..., C] of sums [..., 1 + K] at points [..., 2] and the texels that hold them."""
    components = sums[..., 1:] / (EPSILON + sums[..., :1])
    channels = picture.offset + components @ picture.basis
    places = points.reshape(-1, 2), texels.reshape(-1, 2)
    if picture.repeat is not None:
        channels += repeat_at(picture.repeat, *places).reshape(channels.shape)
    if picture.residual is not None:
        channels += residual_at(picture.residual, *places).reshape(channels.shape)
    return np.clip(channels, 0.0, 1.0)
