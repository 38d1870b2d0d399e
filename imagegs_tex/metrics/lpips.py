"""LPIPS by AlexNet, for those who have its weights.

Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a perceptual metric", 2018,
version 0.1 of the authors' linear weights: squared differences of AlexNet's features (Krizhevsky, 2014), each texel's
scaled to length 1, weighted by channel, averaged over the picture and summed over five layers.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.square_root import square_root
from imagegs_tex.weight_files import Shapes, Weights, load_weights

BACKBONE, LINEAR = "alexnet.pth", "alex.pth"
LEAST_SIDE: Final = 31
"""Texels: a smaller picture has nothing left at the third layer."""
_MOST_SIDE: Final = 2048
"""Texels: a larger picture counts as the mean over parts of this size, which bounds the memory to about 1 GB."""
_NEEDED: Final = (
    f"--lpips-weights needs {BACKBONE}, AlexNet's as torchvision has it, and {LINEAR}, the linear weights 0.1 of LPIPS"
)
_MEAN, _DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of the colours in -1..1 that the network was made for, as LPIPS has them."""


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    shape: tuple[int, int, int, int]  # outputs, inputs, rows, columns
    stride: int
    padding: int
    pooled: bool  # whether its input is pooled first


_LAYERS: Final = (
    _Layer("features.0", (64, 3, 11, 11), 4, 2, pooled=False),
    _Layer("features.3", (192, 64, 5, 5), 1, 2, pooled=True),
    _Layer("features.6", (384, 192, 3, 3), 1, 1, pooled=True),
    _Layer("features.8", (256, 384, 3, 3), 1, 1, pooled=False),
    _Layer("features.10", (256, 256, 3, 3), 1, 1, pooled=False),
)


@dataclass(frozen=True, slots=True)
class Lpips:
    """The network with its weights."""

    weights: Weights

    def distance(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> float | None:
        """Return the LPIPS of two pictures [H, W, 1 or 3] with values in 0..1; grey ones count as grey colours.

        None where a side has less than LEAST_SIDE texels.
        """
        height, width = int(first.shape[0]), int(first.shape[1])
        if min(height, width) < LEAST_SIDE:
            return None
        summed = 0.0
        for rows in _parts(height):
            for columns in _parts(width):
                pair = [_as_input(picture[rows, columns]) for picture in (first, second)]
                summed += self._distance(*pair) * pair[0].shape[2] * pair[0].shape[3]
        return summed / (height * width)

    def _distance(self, first: Tensor, second: Tensor) -> float:
        total = 0.0
        with torch.no_grad():
            for place, layer in enumerate(_LAYERS):
                first, second = (self._through(features, layer) for features in (first, second))
                difference = (_unit(first) - _unit(second)).square()
                total += float(functional.conv2d(difference, self.weights[_linear(place)]).mean())
        return total

    def _through(self, features: Tensor, layer: _Layer) -> Tensor:
        if layer.pooled:
            features = functional.max_pool2d(features, kernel_size=3, stride=2)
        kernel, bias = self.weights[f"{layer.name}.weight"], self.weights[f"{layer.name}.bias"]
        return functional.relu(functional.conv2d(features, kernel, bias, layer.stride, layer.padding))


def load_lpips(folder: Path) -> Lpips:
    """Read the weights from a folder with :data:`BACKBONE` and :data:`LINEAR`.

    Raises:
        InputError: a file is missing, unreadable, or not this network's
    """
    if not folder.is_dir():
        raise InputError(f"{printable(folder)}: there is no such folder; {_NEEDED}")
    cpu = torch.device("cpu")
    backbone = load_weights(folder / BACKBONE, backbone_shapes(), "AlexNet", _NEEDED, cpu)
    return Lpips({**backbone, **load_weights(folder / LINEAR, linear_shapes(), "LPIPS", _NEEDED, cpu)})


def backbone_shapes() -> Shapes:
    """Names and shapes of AlexNet's convolutions."""
    shapes: Shapes = {f"{layer.name}.weight": layer.shape for layer in _LAYERS}
    return shapes | {f"{layer.name}.bias": layer.shape[:1] for layer in _LAYERS}


def linear_shapes() -> Shapes:
    """Names and shapes of the linear weights."""
    return {_linear(place): (1, layer.shape[0], 1, 1) for place, layer in enumerate(_LAYERS)}


def _linear(place: int) -> str:
    return f"lin{place}.model.1.weight"


def _parts(length: int) -> list[slice]:
    count = -(-length // _MOST_SIDE)
    edges = [length * index // count for index in range(count + 1)]
    return [slice(*pair) for pair in itertools.pairwise(edges)]


def _as_input(picture: NDArray[np.float32]) -> Tensor:
    colours = torch.from_numpy(np.broadcast_to(picture, (*picture.shape[:2], 3)).copy())
    planes = colours.permute(2, 0, 1)[None] * 2 - 1
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (_MEAN, _DEVIATION))
    return (planes - mean) / deviation


def _unit(features: Tensor) -> Tensor:
    return features / (square_root(features.square().sum(dim=1, keepdim=True)) + 1e-10)
