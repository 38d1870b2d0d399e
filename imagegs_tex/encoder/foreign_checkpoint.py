"""Gaussians of other tools' checkpoints: Image-GS's, and those of a picture fitted with gsplat.

Only where the Gaussians lie and how large they are is taken; their colours are solved for anew.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.quantized_set import MAX_GAUSSIANS

_IMAGE_GS: Final = {"xy": 2, "scale": 2, "rot": 1}
_GSPLAT: Final = {"means": 3, "scales": 3, "quats": 4}
"""Columns of the tensors that tell where Gaussians are."""
_CAMERA_DISTANCE: Final = 8.0
"""World units, of the camera in gsplat's example of fitting an image, which sees 90 degrees across."""
_LEAST_EXTENT: Final = 0.05
"""Standard deviation in texels: smaller ones become this, as they fall between texels. The largest is the picture."""
_NEAR: Final = 0.01
"""World units from the camera up to which gsplat shows nothing."""

Gaussians = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Means [N, 2] in texels, and covariances xx, xy, yy [N, 3] in texels^2."""
_Tensors = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def checkpoint_gaussians(path: Path, size: tuple[int, int]) -> Gaussians:
    """Read the Gaussians of a checkpoint.

    Args:
        path: as ``torch.save`` writes it, with Image-GS's ``xy``, ``scale`` and ``rot`` (under ``state_dict``), or with
            ``means``, ``scales`` and ``quats`` as gsplat's example of fitting an image has them
        size: width and height in texels of the picture that is fitted; Image-GS's sizes are taken as texels of it

    Raises:
        InputError: the file cannot be read safely, is of neither kind, or its tensors do not fit together
    """
    where = printable(path)
    tensors = _load(path)
    for columns, read in ((_IMAGE_GS, _of_image_gs), (_GSPLAT, _of_gsplat)):
        if all(name in tensors for name in columns):
            arrays = [_array(tensors[name], name, width, where) for name, width in columns.items()]
            if len({len(array) for array in arrays}) > 1:
                raise InputError(f"{where}: {', '.join(columns)} have not one length; give the tool's own checkpoint")
            with np.errstate(all="ignore"):  # what is not finite then is left out
                found = read((arrays[0], arrays[1], arrays[2]), size)
            return _kept(*found, size, where)
    raise InputError(
        f"{where}: holds neither Image-GS's xy, scale and rot nor gsplat's means, scales and quats; give such a "
        "checkpoint, or an .igs file"
    )


def _load(path: Path) -> dict[str, Any]:
    # numpy's scalars are numbers: Image-GS has its scores in there, pickled under the name of either numpy's age
    scalar: Any = np.float64(0).__reduce__()[0]
    allowed: list[Any] = [np.dtype, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i8"))]
    allowed += [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    try:
        with torch.serialization.safe_globals(allowed):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its unpickler and zip reader raise, of many kinds
        raise InputError(
            f"{printable(path)}: no checkpoint that can be read safely; save it again, as tensors"
        ) from error
    while isinstance(loaded, dict) and isinstance(inner := loaded.get("state_dict", loaded.get("splats")), dict):
        loaded = inner
    return {str(name): value for name, value in loaded.items()} if isinstance(loaded, dict) else {}


def _array(value: object, name: str, columns: int, where: str) -> NDArray[np.float64]:
    if not isinstance(value, torch.Tensor) or value.ndim != 2 or value.shape[1] != columns:
        raise InputError(f"{where}: {name} is not a tensor of N x {columns}; give the tool's own checkpoint")
    return value.detach().double().numpy()


def _of_image_gs(tensors: _Tensors, size: tuple[int, int]) -> Gaussians:
    """Places in 0..1 and angles as Image-GS's projection takes them: its texel i lies at i, here at i + 0.5."""
    places, scales, angles = tensors
    # it optimises reciprocals unless it is told not to, and says in no tensor which: no size is below a texel
    extents = 1 / scales if np.median(np.abs(scales)) < 1 else scales
    cosine, sine = np.cos(angles[:, 0]), np.sin(angles[:, 0])
    first, second = np.square(extents).T
    covariances = [
        cosine**2 * first + sine**2 * second, cosine * sine * (second - first), sine**2 * first + cosine**2 * second
    ]  # fmt: skip
    return places * size + 0.5, np.stack(covariances, axis=1)


def _of_gsplat(tensors: _Tensors, size: tuple[int, int]) -> Gaussians:
    """Projected as gsplat does it: by the projection's derivative at each mean (Zwicker et al., 2001)."""
    means, scales, quaternions = tensors
    focal = size[0] / 2
    depth = means[:, 2] + _CAMERA_DISTANCE
    seen = depth > _NEAR
    x, y, depth = means[seen, 0], means[seen, 1], depth[seen]
    w, i, j, k = (quaternions[seen] / np.maximum(np.linalg.norm(quaternions[seen], axis=1, keepdims=True), 1e-12)).T
    axes = np.moveaxis(np.array([
        [1 - 2 * (j * j + k * k), 2 * (i * j - w * k), 2 * (i * k + w * j)],
        [2 * (i * j + w * k), 1 - 2 * (i * i + k * k), 2 * (j * k - w * i)],
        [2 * (i * k - w * j), 2 * (j * k + w * i), 1 - 2 * (i * i + j * j)],
    ]), -1, 0)  # fmt: skip
    zero = np.zeros_like(depth)
    projection = np.moveaxis(np.array([
        [focal / depth, zero, -focal * x / depth**2], [zero, focal / depth, -focal * y / depth**2]
    ]), -1, 0)  # fmt: skip
    root = projection @ axes * scales[seen, None, :]
    covariances = root @ root.transpose(0, 2, 1)
    places = np.stack([focal * x / depth + size[0] / 2, focal * y / depth + size[1] / 2], axis=1)
    return places, covariances.reshape(-1, 4)[:, [0, 1, 3]]


def _kept(means: NDArray[np.float64], covariances: NDArray[np.float64], size: tuple[int, int], where: str) -> Gaussians:
    """Those in the picture, with sizes that it can have; a fit fills what others covered."""
    finite = np.isfinite(means).all(axis=1) & np.isfinite(covariances).all(axis=1)
    kept = np.flatnonzero(finite & ((means >= 0) & (means <= size)).all(axis=1))
    if not 1 <= len(kept) <= MAX_GAUSSIANS:
        raise InputError(f"{where}: has {len(kept)} Gaussians in the picture, where 1 to {MAX_GAUSSIANS} are taken")
    variances, axes = np.linalg.eigh(covariances[kept][:, [0, 1, 1, 2]].reshape(-1, 2, 2))
    root = axes * np.clip(np.sqrt(np.maximum(variances, 0.0)), _LEAST_EXTENT, max(size))[:, None, :]
    return means[kept], (root @ root.transpose(0, 2, 1)).reshape(-1, 4)[:, [0, 1, 3]]
