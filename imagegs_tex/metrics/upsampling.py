"""How well a file made smaller than its source stands for it at the source's size, beside filters that enlarge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.material.resample import mean_over_area
from imagegs_tex.formats.material.stack import TextureStack, source_map
from imagegs_tex.formats.vocabulary import Samples, TextureMap
from imagegs_tex.metrics.scores import psnr_of, squared_error

_FILTERS: Final = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True, slots=True)
class EnlargedScore:
    """What a filter makes of the source, made as small as the file by the mean of the texels, exactly, and enlarged."""

    filter: str  # lanczos or bicubic
    psnr_db: float  # pooled over all channels, as the file's
    maps: tuple[tuple[str, float], ...]  # names and dB


@dataclass(frozen=True, slots=True)
class Upsampling:
    """That a file is scored at the size of a larger source."""

    width: int  # texels of the file
    height: int
    enlarged: tuple[EnlargedScore, ...]


def score_enlarged(quantized: QuantizedGaussianSet, stack: TextureStack, indices: Sequence[int]) -> Upsampling:
    """Score the filters at the source's size.

    Args:
        quantized: the file's content
        stack: its source, larger
        indices: the stack's map for each of the file's
    """
    small = quantized.width, quantized.height
    found = []
    for name, chosen in _FILTERS.items():
        errors = []
        for index in indices:
            texture_map, source = stack.maps[index], source_map(stack, index)
            enlarged = _enlarged(texture_map, source, small, chosen)
            errors.append(squared_error(texture_map, source, enlarged, drawn=stack.drawn_of(index)))
        maps = tuple(
            (stack.maps[index].name, psnr_of(error / max(1, count)))
            for index, (error, count) in zip(indices, errors, strict=True)
        )
        pooled = psnr_of(sum(error for error, _ in errors) / max(1, sum(count for _, count in errors)))
        found.append(EnlargedScore(name, pooled, maps))
    return Upsampling(*small, tuple(found))


def _enlarged(
    texture_map: TextureMap, source: Samples, small: tuple[int, int], chosen: Image.Resampling
) -> Samples:  # fmt: skip
    """Return a map [H, W, channels] made small and large again, in its own sample format."""
    height, width, channels = source.shape
    result = np.empty_like(source)
    for channel in range(channels):
        reduced = mean_over_area(np.asarray(source[..., channel, None], dtype=np.float32), small)[..., 0]
        values: NDArray[np.float32] = np.asarray(Image.fromarray(reduced).resize((width, height), chosen))
        if not texture_map.sample_format.is_float:
            values = np.clip(np.rint(values), 0, texture_map.sample_format.max_value)
        result[..., channel] = values
    return result
