"""Maps as they are looked at: colours in sRGB, HDR tone mapped, alpha over a checkerboard, normals with their blue."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.stack import unit_samples
from imagegs_tex.formats.transfer_functions import linear_to_srgb
from imagegs_tex.formats.vocabulary import (
    COLOUR_SEMANTICS,
    SCALAR_SEMANTICS,
    Constant,
    Samples,
    Semantic,
    TextureMap,
    Transfer,
)

Rgb = NDArray[np.uint8]
"""A picture [H, W, 3], sRGB-encoded."""
Values = NDArray[np.float32]

CHECKER_TEXELS: Final = 8
CHECKER_GREYS: Final = (0.36, 0.52)
"""sRGB values behind what is transparent: dark enough that white shows, light enough that black does."""
_BRIGHT_SHARE: Final = 99.0
_BRIGHT_SHOWN: Final = 0.8
LUMINANCE: Final = (0.2126, 0.7152, 0.0722)
"""Of linear red, green and blue: ITU-R BT.709."""
_ROWS_AT_ONCE: Final = 1 << 22  # values


@dataclass(frozen=True, slots=True)
class MapPart:
    """Channels of a map that make one picture."""

    channels: tuple[int, ...]  # one: grey; two: x and y of a normal; three: red, green, blue
    alpha: int | None  # the channel that says how opaque it is
    label: str  # what is seen, such as "red: occlusion, green: roughness"; "" for a plain map


def map_parts(texture_map: TextureMap) -> tuple[MapPart, ...]:
    """Return the pictures that show every channel of a map once: mostly one.

    The first three channels are one picture, a grey map's repeated ones too. An opacity after them is its alpha, unless
    it is 1 everywhere; every other channel that is no constant is a grey picture of its own.
    """
    meanings, routes = texture_map.channel_semantics, texture_map.routes
    count = len(routes)
    grey = count in {1, 2} or (texture_map.semantic in SCALAR_SEMANTICS and len(set(routes[:3])) == 1)
    if count == 2 and set(meanings) == {Semantic.NORMAL}:
        return (MapPart((0, 1), None, ""),)
    first = (0,) if grey else (0, 1, 2)
    rest = list(range(1 if count == 2 else min(3, count), count))
    last = count - 1
    has_alpha = bool(rest) and meanings[last] == Semantic.OPACITY and meanings[0] != Semantic.OPACITY
    alpha = last if has_alpha and routes[last] != Constant(1.0) else None
    if has_alpha:
        rest.remove(last)
    parts = [MapPart(first, alpha, _packed_label(texture_map, first))]
    for channel in rest:
        if not isinstance(routes[channel], Constant):
            name = "alpha" if channel == 3 and count == 4 else f"channel {channel + 1}"
            parts.append(MapPart((channel,), None, f"{name}: {words(meanings[channel])}"))
    return tuple(parts)


def words(semantic: Semantic) -> str:
    """Return a meaning as it is read, such as "base colour"."""
    return semantic.name.lower().replace("_", " ")


def _packed_label(texture_map: TextureMap, channels: tuple[int, ...]) -> str:
    meanings = [texture_map.channel_semantics[channel] for channel in channels]
    if len(set(meanings)) == 1:
        return ""
    return ", ".join(
        f"{name}: {words(meaning)}" for name, meaning in zip(("red", "green", "blue"), meanings, strict=True)
    )


def exposure_of(samples: Samples, texture_map: TextureMap) -> float:
    """Return the factor on linear light with which :func:`show_map` shows an HDR map; 1 for others.

    The brightest hundredth of the texels is shown at 80 % and above. Take it from the source, and show the source and
    every decode with it.

    Args:
        samples: [H, W, channels] in the map's sample format
        texture_map: the map
    """
    if texture_map.transfer != Transfer.LOG or texture_map.semantic not in COLOUR_SEMANTICS or samples.shape[2] < 3:
        return 1.0
    step = max(1, int(np.sqrt(samples.shape[0] * samples.shape[1] / (1 << 20))))
    light = np.maximum(samples[::step, ::step, :3].astype(np.float32), 0) @ np.array(LUMINANCE, np.float32)
    bright = float(np.percentile(light, _BRIGHT_SHARE))
    return _BRIGHT_SHOWN / (1 - _BRIGHT_SHOWN) / bright if bright > 0 else 1.0


def show_map(
    samples: Samples, texture_map: TextureMap, part: MapPart | None = None, exposure: float | None = None
) -> Rgb:
    """Show a map.

    Colours with the log transfer are tone mapped (Reinhard et al., "Photographic tone reproduction for digital images",
    2002: x / (1 + x) on luminance); other maps with it are shown from the lowest to the highest value of their range.
    Linear colours get the sRGB curve, everything else is shown as it is stored.

    Args:
        samples: [H, W, channels] in stored values of the map's sample format; floats between them are taken too
        texture_map: the map
        part: which channels; None: the first of :func:`map_parts`
        exposure: of HDR colours; None: :func:`exposure_of` the samples

    Returns:
        uint8 [H, W, 3]
    """
    part = part or map_parts(texture_map)[0]
    height, width = samples.shape[:2]
    factor = exposure_of(samples, texture_map) if exposure is None else exposure
    shown = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _ROWS_AT_ONCE // (3 * width))
    for top in range(0, height, rows):  # bounds the memory of temporaries
        block = samples[top : top + rows]
        values = _shown_values(block, texture_map, part, factor)
        if part.alpha is not None:
            alpha = block[..., part.alpha, None].astype(np.float32) / np.float32(texture_map.sample_format.max_value)
            values = over_checkerboard(values, np.clip(alpha, 0, 1), top)
        shown[top : top + rows] = to_bytes(values)
    return shown


def _shown_values(samples: Samples, texture_map: TextureMap, part: MapPart, exposure: float) -> Values:
    """Return red, green and blue [H, W, 3] in [0, 1] before transparency."""
    picked = samples[..., list(part.channels)].astype(np.float32)
    meaning = texture_map.channel_semantics[part.channels[0]]
    if texture_map.transfer == Transfer.LOG:
        if meaning in COLOUR_SEMANTICS:
            values = linear_to_srgb(tone_mapped(picked * np.float32(exposure)))
        else:
            low, high = texture_map.log_range
            values = (picked - np.float32(low)) / np.float32(high - low)
    else:
        values = picked / np.float32(texture_map.sample_format.max_value)
        if texture_map.transfer == Transfer.LINEAR and meaning in COLOUR_SEMANTICS:
            values = linear_to_srgb(values)
    if len(part.channels) == 2:
        values = np.stack(unit_samples(values[..., 0], values[..., 1]), axis=-1)
    return np.asarray(np.broadcast_to(values, (*values.shape[:2], 3)), dtype=np.float32)


def tone_mapped(light: NDArray[np.floating]) -> Values:
    """Return linear light [H, W, 3] or [H, W, 1], of 0 and above, in [0, 1): luminance L becomes L / (1 + L)."""
    light = np.maximum(light.astype(np.float32), 0)
    luminance = light @ np.array(LUMINANCE, np.float32)[:, None] if light.shape[-1] == 3 else light
    return np.asarray(np.minimum(light / (1 + luminance), 1), dtype=np.float32)


def over_checkerboard(values: Values, alpha: Values, top: int = 0) -> Values:
    """Return colours [H, W, 3] over a checkerboard by their alpha [H, W, 1], all in [0, 1]; top: the first row."""
    height, width = values.shape[:2]
    squares = (np.arange(top, top + height)[:, None] // CHECKER_TEXELS + np.arange(width) // CHECKER_TEXELS) % 2
    board = np.array(CHECKER_GREYS, dtype=np.float32)[squares][..., None]
    return np.asarray(values * alpha + board * (1 - alpha), dtype=np.float32)


def to_bytes(values: NDArray[np.floating]) -> Rgb:
    """Return values of [0, 1] as 8 bits, rounded; what lies outside is clipped."""
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), dtype=np.uint8)
