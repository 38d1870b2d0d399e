"""The PNG files of ``view``: labelled sheets of panels."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from imagegs_tex.formats.files.safe_names import safe_stem, unique_name
from imagegs_tex.formats.vocabulary import Semantic
from imagegs_tex.pictures.byte_chart import byte_groups, draw_bars
from imagegs_tex.pictures.colour_scale import number_colours
from imagegs_tex.pictures.display import Rgb
from imagegs_tex.pictures.error_map import show_error
from imagegs_tex.pictures.gaussian_field import gaussian_field, most_shown, show_counts, show_numbers
from imagegs_tex.pictures.gaussians import draw_ellipses, ellipses_of, evenly_chosen, gaussian_colours
from imagegs_tex.pictures.labels import PAPER, Panel, Scale, Sheet, draw_sheet
from imagegs_tex.pictures.lit import lit_plane, lit_sphere
from imagegs_tex.pictures.tiling import level_strip, mip_levels, tiled
from imagegs_tex.viewing.gather import CROP, MOST_SHOWN, Result, ShownMap, ShownPart
from imagegs_tex.viewing.words import byte_words, decode_note, error_words, file_lines, map_lines, score_words

NAMES: Final = {
    "overview": "the whole file at a glance",
    "gaussians_ellipses": "Gaussians as ellipses",
    "gaussians_number": "Gaussians by number, and how many there are",
    "bytes": "where the bytes go",
    "lit": "the material under a light",
    "tiling": "the material beside itself",
    "mips": "mip levels",
}
"""Pictures that every file has, and what they show."""
DRAWN: Final = 640
"""Pixels that Gaussians are drawn in, across or down."""
SPHERE: Final = 512
"""Pixels across a sphere's picture."""
_WINDOW_GAUSSIANS: Final = 300
_OVERVIEW_COLUMNS: Final = 4
_MOST_PARTS: Final = 8  # of a map in one picture
_LEAST_LEVEL: Final = 4
_LOOKED_AT_FIRST: Final = (Semantic.BASE_COLOUR, Semantic.IMAGE, Semantic.NORMAL, Semantic.ROUGHNESS)


def map_stems(maps: tuple[str, ...]) -> list[str]:
    """Return the file stem of each map's picture: no two alike, and none of NAMES."""
    taken = dict.fromkeys(NAMES, 1)
    return [unique_name(safe_stem(name), taken) for name in maps]


def map_sheet(result: Result, shown: ShownMap) -> Image.Image:
    """Draw source, decode and error of a map, a row for each of its parts; without a source the decode."""
    panels = [panel for part in shown.parts[:_MOST_PARTS] for panel in map_panels(result, shown, part)]
    hidden = len(shown.parts) - _MOST_PARTS
    foot = (f"{hidden} more channels are not shown.",) if hidden > 0 else ()
    columns = 1 if shown.parts[0].error is None else 3
    return draw_sheet(Sheet(panels, shown.texture_map.name, map_lines(result, shown), columns, foot=foot))


def map_panels(result: Result, shown: ShownMap, part: ShownPart) -> list[Panel]:
    """Return source, decode and error of one part of a map; without a source the decode alone."""
    decode = Panel(part.decode, "decode", ", ".join(filter(None, (part.part.label, decode_note(result)))))
    if part.source is None or part.error is None:
        return [decode]
    title, note = error_words(result, shown, part)
    scale = Scale("0", f"{part.error.legend(part.gain)} and more")
    error = Panel(show_error(part.error, part.gain), title, note, scale)
    return [Panel(part.source, "source", part.part.label), decode, error]


def overview(result: Result, most: int = 15) -> Image.Image:
    """Draw the lit material and a cut-out of every map at its own size: above the source, below the decode.

    Args:
        result: the file
        most: maps, beginning with what is looked at first
    """
    cut = max(result.info.width, result.info.height) > CROP
    foot = [f"Cut-outs of {CROP} x {CROP} texels from the middle of each map."] if cut else []
    if len(result.maps) > most:
        foot.append(f"{len(result.maps) - most} more maps have pictures of their own.")
    columns: list[tuple[Panel, ...]] = []
    note = f"{result.psnr_db:.2f} dB over all channels" if result.psnr_db is not None else ""
    lit = [("source", result.source_surface), ("decode", result.decode_surface)]
    if result.is_lit:
        columns.append(
            tuple(
                Panel(lit_sphere(surface, 256), f"lit, {name}", note if name == "decode" else "")
                for name, surface in lit
                if surface is not None
            )
        )
    for shown in maps_in_order(result)[:most]:
        name, told = shown.texture_map.name, byte_words(result, shown)
        if shown.score is not None:
            told = score_words(shown.score).split(", SSIM")[0]
            if shown.score.normal_degrees_mean is not None:
                told += f", {shown.score.normal_degrees_mean:.1f}°"
        crops = [Panel(shown.decode_crop, f"{name}, decode", told)]
        if shown.source_crop is not None:
            crops.insert(0, Panel(shown.source_crop, f"{name}, source"))
        columns.append(tuple(crops))
    if len(columns) == 1:  # a single picture: side by side
        return draw_sheet(Sheet(columns[0], result.name, file_lines(result), foot=tuple(foot)))
    across = min(_OVERVIEW_COLUMNS, len(columns))
    panels: list[Panel] = []
    for first in range(0, len(columns), across):
        block = columns[first : first + across]
        empty = Panel(np.full((1, 1, 3), PAPER, np.uint8), "")
        filled = [*block, *[(empty,) * len(block[0])] * (across - len(block))]
        panels += [column[row] for row in range(len(block[0])) for column in filled]
    return draw_sheet(Sheet(panels, result.name, file_lines(result), across, foot=tuple(foot)))


def maps_in_order(result: Result) -> list[ShownMap]:
    """Return the maps as they are shown: what is looked at first, then the file's order."""

    def rank(shown: ShownMap) -> int:
        meaning = shown.texture_map.semantic
        return _LOOKED_AT_FIRST.index(meaning) if meaning in _LOOKED_AT_FIRST else len(_LOOKED_AT_FIRST)

    return sorted(result.maps, key=rank)


def _drawn_scale(result: Result) -> float:
    return DRAWN / max(result.info.width, result.info.height)


def ellipse_panels(result: Result) -> list[Panel]:
    """Return a sample of all Gaussians, and all of a window in the middle: by their own colour and by number."""
    values, quantized, shown = result.values, result.quantized, result.maps[result.main]
    size = quantized.width, quantized.height
    numbers = evenly_chosen(quantized.gaussian_count)
    colours = gaussian_colours(values, shown.texture_map)
    whole = draw_ellipses(
        ellipses_of(values.means[numbers], values.log_covariances[numbers]), colours[numbers], size,
        scale=_drawn_scale(result),
    )  # fmt: skip
    share = f"{len(numbers):,} of {quantized.gaussian_count:,}"
    name = shown.texture_map.name
    panels = [Panel(whole, f"{share} Gaussians", f"one standard deviation, colours of {name}")]
    side = min(*size, max(16, math.ceil(math.sqrt(_WINDOW_GAUSSIANS / quantized.gaussian_count * size[0] * size[1]))))
    corner = np.array([(length - side) // 2 for length in size])
    inside = np.flatnonzero(((values.means >= corner) & (values.means < corner + side)).all(axis=1))
    inside = inside[evenly_chosen(len(inside))] if len(inside) else inside
    ellipses = ellipses_of(values.means[inside] - corner, values.log_covariances[inside])
    scale = DRAWN * size[1] / max(size) / side if size[1] < size[0] else DRAWN / side
    title = f"all {len(inside):,} in the middle {side} x {side} texels"
    for note, chosen in ((f"colours of {name}", colours[inside]), ("colours by number", number_colours(inside))):
        panels.append(Panel(draw_ellipses(ellipses, chosen, (side, side), scale=scale), title, note))
    return panels


def number_panels(result: Result) -> list[Panel]:
    """Return which Gaussian weighs most at each pixel, and how many reach it."""
    quantized, values = result.quantized, result.values
    size = quantized.width, quantized.height
    field = gaussian_field(
        values.means, values.log_covariances, quantized.cutoff, size, quantized.wrap, _drawn_scale(result)
    )
    mean, most = field.counts.mean(), most_shown(field)
    return [
        Panel(show_numbers(field), "the strongest Gaussian", "each in a colour by its number"),
        Panel(
            show_counts(field, most), "how many Gaussians reach a texel",
            f"{mean:.1f} on average, at most {field.counts.max()}", Scale("0", f"{most} and more"),
        ),
    ]  # fmt: skip


def lit_panels(result: Result) -> list[Panel]:
    """Return the material under a light, on a plane and on a sphere: of the source, where there is one, and decoded."""
    panels = []
    note = decode_note(result)
    for name, told, surface in (("source", "", result.source_surface), ("decode", note, result.decode_surface)):
        if surface is not None:
            panels.append(Panel(lit_plane(surface), f"plane, {name}", told))
            panels.append(Panel(lit_sphere(surface, SPHERE), f"sphere, {name}", told))
    return panels


def tiling_panels(result: Result) -> list[Panel]:
    """Return the main map and the lit plane two by two, of the decode."""
    shown = result.maps[result.main]
    parts = [(shown.parts[0].decode, f"{shown.texture_map.name}, 2 x 2")]
    if result.is_lit:
        parts.append((lit_plane(result.decode_surface), "lit, 2 x 2"))
    return [Panel(_halved(tiled(picture)), title) for picture, title in parts]


def _halved(picture: Rgb) -> Rgb:
    """Return a picture of half the size where it is larger than what is shown."""
    return np.asarray(Image.fromarray(picture).reduce(2)) if max(picture.shape) > MOST_SHOWN else picture


def wrap_words(result: Result) -> str:
    """Return whether tiles are meant to meet."""
    across, down = result.info.wrap
    if across == down == "repeat":
        return "The material repeats in both directions: no seam should show."
    if across == down:
        return "The material ends at its border (wrap clamp): seams are to be expected."
    return f"The material repeats {'across' if across == 'repeat' else 'down'} only: seams show in the other direction."


def mip_panel(result: Result) -> Panel:
    """Return the main map's mip levels down to 4 texels."""
    shown = result.maps[result.main]
    levels = mip_levels(result.main_decode, shown.texture_map)
    kept = [level for level in levels if max(level.shape[:2]) >= _LEAST_LEVEL] or levels[:1]
    return Panel(level_strip(kept), f"{shown.texture_map.name}, {len(kept)} levels", "averaged as export averages them")


@dataclass(frozen=True, slots=True)
class Drawings:
    """Panels of the file as a whole."""

    ellipses: list[Panel]
    numbers: list[Panel]
    lit: list[Panel]  # plane and sphere: of the source, where there is one, then decoded; empty: nothing to be lit
    tiles: list[Panel]
    levels: Panel


def draw(result: Result) -> Drawings:
    """Draw what is shown of the file as a whole."""
    lit = lit_panels(result) if result.is_lit else []
    return Drawings(ellipse_panels(result), number_panels(result), lit, tiling_panels(result), mip_panel(result))


def file_sheets(result: Result, drawings: Drawings) -> dict[str, Image.Image]:
    """Draw the pictures of NAMES that this file has."""
    info, lit = result.info, {}
    if drawings.lit:
        made_of = (f"Made of: {', '.join(result.decode_surface.used)}.",)
        lit = {"lit": draw_sheet(Sheet(drawings.lit, f"{result.name}: under a light", made_of, 2, least_panel=SPHERE))}
    return {
        "overview": overview(result),
        "gaussians_ellipses": draw_sheet(Sheet(drawings.ellipses, f"{result.name}: Gaussians as ellipses")),
        "gaussians_number": draw_sheet(Sheet(drawings.numbers, f"{result.name}: Gaussians by number")),
        "bytes": draw_bars(
            byte_groups(info.sections, info.ledger, info.gaussians), f"{result.name}: where the bytes go"
        ),
        **lit,
        "tiling": draw_sheet(Sheet(drawings.tiles, f"{result.name}: beside itself", (wrap_words(result),))),
        "mips": draw_sheet(Sheet([drawings.levels], f"{result.name}: mip levels")),
    }


def left_out(result: Result) -> tuple[str, ...]:
    """Say, a line each, which pictures of NAMES this file has not, and why."""
    if result.is_lit:
        return ()
    return ("lit.png is left out: no map has a base colour, a normal or a roughness to be lit",)
