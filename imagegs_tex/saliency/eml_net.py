"""Saliency by EML-Net, for those who have its weights.

Jia and Bruce, "EML-NET: an expandable multi-layer network for saliency prediction", 2020: two ResNet-50 (He et al.,
2016), one trained on objects and one on places, each read out after its stem and its four stages, and a decoder that
combines the ten maps. The weights are three files of its authors; nothing but numbers is read from them.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from imagegs_tex.saliency.spectral_residual import normalised
from imagegs_tex.weight_files import Shapes, Weights, folder_of_weights, load_weights

OBJECTS, PLACES, DECODER = "res_imagenet.pth", "res_places.pth", "res_decoder.pth"
_NEEDED: Final = f"--saliency-weights needs {OBJECTS}, {PLACES} and {DECODER}"
SIZE: Final = (640, 480)
"""Width and height of what the network sees: those of its training pictures."""
_BLOCKS: Final = (3, 4, 6, 3)  # of each stage of a ResNet-50
_READOUTS: Final = 5
_NORM: Final = ("weight", "bias", "running_mean", "running_var")


def eml_net_saliency(colours: NDArray[np.float32], folder: Path, device: torch.device) -> NDArray[np.float32]:
    """Return the saliency [H, W], from 0 to 1, of a picture.

    Args:
        colours: float32 [H, W, 3] in [0, 1] as seen
        folder: with :data:`OBJECTS`, :data:`PLACES` and :data:`DECODER`, or a repository of the hub with them; see
            :func:`imagegs_tex.weight_files.folder_of_weights`
        device: where the network runs

    Raises:
        InputError: a file of weights is missing, unreadable, or not this network's
        MissingToolError: the hub's package is not installed
    """
    folder = folder_of_weights(folder, (OBJECTS, PLACES, DECODER))
    networks = [_load(folder / name, device) for name in (OBJECTS, PLACES)]
    decoder = _load(folder / DECODER, device)
    height, width = colours.shape[:2]
    picture = torch.from_numpy(np.ascontiguousarray(colours)).to(device).permute(2, 0, 1)[None]
    with torch.no_grad():
        seen = functional.interpolate(picture, SIZE[::-1], mode="bilinear", antialias=True, align_corners=False)
        maps = [read for weights in networks for read in _readouts(seen, weights)]
        combined = _combine(maps, decoder)
        whole = functional.interpolate(combined, (height, width), mode="bilinear", align_corners=False)
    return normalised(whole[0, 0].float().cpu().numpy())


def _load(path: Path, device: torch.device) -> Weights:
    shapes = _decoder_shapes() if path.name == DECODER else _network_shapes()
    return load_weights(path, shapes, "EML-Net", _NEEDED, device)


def _readouts(picture: Tensor, weights: Weights) -> list[Tensor]:
    """Return the five maps [1, 1, h, w] that one network reads out."""
    stem = functional.relu(
        _norm(functional.conv2d(picture, weights["conv1.weight"], stride=2, padding=3), weights, "bn1")
    )
    stages = [stem]
    features = functional.max_pool2d(stem, kernel_size=3, stride=2, padding=1)
    for stage, blocks in enumerate(_BLOCKS, 1):
        for block in range(blocks):
            features = _bottleneck(features, weights, f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1)
        stages.append(features)
    return [functional.relu(_read(features, weights, f"output{place}")) for place, features in enumerate(stages)]


def _bottleneck(features: Tensor, weights: Weights, name: str, stride: int) -> Tensor:
    """One block: 1 x 1, 3 x 3, 1 x 1, and the input added."""
    inner = functional.relu(_norm(functional.conv2d(features, weights[f"{name}.conv1.weight"]), weights, f"{name}.bn1"))
    inner = functional.conv2d(inner, weights[f"{name}.conv2.weight"], stride=stride, padding=1)
    inner = functional.relu(_norm(inner, weights, f"{name}.bn2"))
    inner = _norm(functional.conv2d(inner, weights[f"{name}.conv3.weight"]), weights, f"{name}.bn3")
    if f"{name}.downsample.0.weight" in weights:
        features = functional.conv2d(features, weights[f"{name}.downsample.0.weight"], stride=stride)
        features = _norm(features, weights, f"{name}.downsample.1")
    return functional.relu(inner + features)


def _combine(maps: list[Tensor], weights: Weights) -> Tensor:
    """Return one map [1, 1, h, w] in 0..1 of the ten, at the size of the first."""
    size = maps[0].shape[2:]
    names = [f"{model}.{place}" for model in ("img_model", "pla_model") for place in range(_READOUTS)]
    read = [functional.relu(_read(each, weights, name)) for each, name in zip(maps, names, strict=True)]
    stacked = torch.cat([functional.interpolate(each, size) for each in read], dim=1)
    return torch.sigmoid(_read(stacked, weights, "combined"))


def _read(features: Tensor, weights: Weights, name: str) -> Tensor:
    """A 3 x 3 convolution to one channel, and its normalisation."""
    read = functional.conv2d(features, weights[f"{name}.0.weight"], weights[f"{name}.0.bias"], padding=1)
    return _norm(read, weights, f"{name}.1")


def _norm(features: Tensor, weights: Weights, name: str) -> Tensor:
    scale, shift, mean, variance = (weights[f"{name}.{part}"] for part in _NORM)
    return functional.batch_norm(features, mean, variance, scale, shift)


def _network_shapes() -> Shapes:
    """Names and shapes of one ResNet-50 with its readouts."""
    shapes: Shapes = {"conv1.weight": (64, 3, 7, 7), **_norm_shapes("bn1", 64)}
    inputs = 64
    outputs = [64]
    for stage, blocks in enumerate(_BLOCKS, 1):
        width = 32 << stage
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            shapes |= {
                f"{name}.conv1.weight": (width, inputs, 1, 1), **_norm_shapes(f"{name}.bn1", width),
                f"{name}.conv2.weight": (width, width, 3, 3), **_norm_shapes(f"{name}.bn2", width),
                f"{name}.conv3.weight": (4 * width, width, 1, 1), **_norm_shapes(f"{name}.bn3", 4 * width),
            }  # fmt: skip
            if block == 0:
                shapes[f"{name}.downsample.0.weight"] = (4 * width, inputs, 1, 1)
                shapes |= _norm_shapes(f"{name}.downsample.1", 4 * width)
            inputs = 4 * width
        outputs.append(inputs)
    for place, channels in enumerate(outputs):
        shapes |= _read_shapes(f"output{place}", channels)
    return shapes


def _decoder_shapes() -> Shapes:
    """Names and shapes of the decoder."""
    shapes = _read_shapes("combined", 2 * _READOUTS)
    for model in ("img_model", "pla_model"):
        for place in range(_READOUTS):
            shapes |= _read_shapes(f"{model}.{place}", 1)
    return shapes


def _read_shapes(name: str, channels: int) -> Shapes:
    return {f"{name}.0.weight": (1, channels, 3, 3), f"{name}.0.bias": (1,), **_norm_shapes(f"{name}.1", 1)}


def _norm_shapes(name: str, channels: int) -> Shapes:
    return {f"{name}.{part}": (channels,) for part in _NORM}
