"""Alpha as coverage or as data: where a texel is not drawn, its colour is free.

Under an alpha of 0 nobody sees the colour, unless the fourth channel is no alpha. Replaced by a smooth continuation of
the colours around it, a painted background costs no bits any more. Values of other maps stay as they are: another
material may use them, and whether a normal is seen does not follow from this map's alpha alone.

Freeing does not always pay. Where the colour under alpha 0 has been cleared to black, colour and alpha change along the
same edges and share one component: shrub_01_cutout, continued smoothly instead, lost 0.5 dB of what is drawn at equal
bytes. So AUTO frees only what is expensive: colour whose detail within the hidden area is a good part of the stack's.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.material.options import AlphaUse
from imagegs_tex.formats.material.push_pull import fill_smoothly
from imagegs_tex.formats.material.stack import TextureStack, noted, other_user
from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Coded, FloatTexels, Semantic, TextureMap

PAINTED_SHARE: Final = 0.05
"""Least share of a stack's sum of gradients that lies within hidden colour for AUTO to free it. image_anime_character
has 0.09 and gains 0.3 dB of what is drawn at equal bytes; caution_panel has 0.01 and would lose its own colours."""
CUTOUT_WEIGHT: Final = 3.0
"""How much more than a colour's an error of a cut-out's alpha counts. At equal bytes, averaged over starts of the fit,
an alpha test at 0.5 gets so many texels wrong on crops of shrub_01_cutout, caution_panel and image_anime_character:
plain RGBA 21, 38, 150; with 2 19, 24, 123; with 3 14, 22, 114; with 4 10, 16, 103. 3 costs the last one 0.3 dB of what
is drawn beside 2 (4: 0.4), and shrub_01_cutout's normals 0.2 dB beside plain RGBA. Alpha that blends weighs as all
else: nobody tests it, and 2 cost flight_helmet_lenses' occlusion 0.5 dB."""
CUTOUT_SIDES: Final = (0.1, 0.9)
LEAST_AT_SIDES: Final = 0.01
"""Alpha is a cut-out's if at least this share of the texels lies beyond each side: it hides, and it shows. Glass does
neither."""
_ROWS: Final = 256


def code_alpha(stack: TextureStack, use: AlphaUse) -> TextureStack:
    """Weigh alpha, and replace colours where it is 0 by a continuation of what is around; texels are written to.

    A colour map's alpha is its own channel of that meaning, or else the one of the stack's opacity map. Colours that a
    map has, too, which is not drawn so, stay.
    """
    if use == AlphaUse.DATA:
        return stack
    maps = list(stack.maps)
    weights = list(stack.channel_weights or [1.0] * stack.channel_count)
    for channel in {alpha for texture_map in maps if (alpha := _alpha_of(texture_map, stack)) is not None}:
        if _cuts_out(stack.texels[..., channel]):
            weights[channel] *= CUTOUT_WEIGHT
    drawn: list[NDArray[np.bool_] | None] = list(stack.drawn or (None,) * len(maps))
    for (alpha, colours), own in _coloured(stack).items():
        shown = np.asarray(stack.texels[..., alpha] > 0)
        share = 1 - float(shown.mean())
        if share in {0.0, 1.0}:
            continue
        hidden = f"colour under alpha 0 ({share:.1%} of the texels)"
        if other_user(stack.maps, colours, own) or (
            use != AlphaUse.COVERAGE and _hidden_detail(stack.texels, list(colours), shown) < PAINTED_SHARE
        ):
            for index in own:
                maps[index] = noted(maps[index], f"{hidden} is kept")
            continue
        for colour in colours:
            fill_smoothly(stack.texels[..., colour : colour + 1], shown)
        for index in own:
            drawn[index] = shown
            maps[index] = noted(maps[index], f"{hidden} is free")
    return replace(stack, maps=tuple(maps), drawn=tuple(drawn), channel_weights=tuple(weights))


def _coloured(stack: TextureStack) -> dict[tuple[int, tuple[int, ...]], list[int]]:
    """Return for each alpha and the colours that it says of where they are drawn the maps that have these."""
    found: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for index, texture_map in enumerate(stack.maps):
        alpha, colours = _alpha_of(texture_map, stack), colour_indices(texture_map)
        if alpha is not None and colours and alpha not in colours:
            found.setdefault((alpha, tuple(colours)), []).append(index)
    return found


def colour_indices(texture_map: TextureMap) -> list[int]:
    """Return the stack's coded channels that are this map's colour."""
    pairs = zip(texture_map.channel_semantics, texture_map.routes, strict=True)
    return sorted({route.index for meaning, route in pairs if meaning in COLOUR_SEMANTICS and isinstance(route, Coded)})


def _alpha_of(texture_map: TextureMap, stack: TextureStack) -> int | None:
    """Return the coded channel that says where a colour map is drawn."""
    for candidate in (texture_map, *stack.maps):
        if candidate is texture_map or candidate.semantic == Semantic.OPACITY:
            for meaning, route in zip(candidate.channel_semantics, candidate.routes, strict=True):
                if meaning == Semantic.OPACITY and isinstance(route, Coded):
                    return route.index
    return None


def _cuts_out(alpha: FloatTexels) -> bool:
    low, high = CUTOUT_SIDES
    return min(float((alpha <= low).mean()), float((alpha >= high).mean())) >= LEAST_AT_SIDES


def _hidden_detail(texels: FloatTexels, colours: list[int], shown: NDArray[np.bool_]) -> float:
    """Return the share of the stack's sum of gradients that lies in hidden colour, away from its edges."""
    hidden, total = 0.0, 0.0
    for start in range(0, len(texels) - 1, _ROWS):
        band, seen = texels[start : start + _ROWS + 1], shown[start : start + _ROWS + 1]
        squares = np.square(band[1:, :-1] - band[:-1, :-1]) + np.square(band[:-1, 1:] - band[:-1, :-1])
        inside = ~(seen[:-1, :-1] | seen[1:, :-1] | seen[:-1, 1:])
        total += float(np.sqrt(squares.sum(axis=-1)).sum())
        hidden += float(np.sqrt(squares[..., colours].sum(axis=-1))[inside].sum())
    return hidden / max(total, 1e-30)
