"""Pictures side by side with what they are written above them."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.pictures.colour_scale import scale_colours
from imagegs_tex.pictures.display import Rgb
from imagegs_tex.pictures.reduce import enlarged

PAPER: Final = (27, 28, 31)
INK: Final = (236, 236, 238)
FAINT_INK: Final = (168, 171, 178)
HEADING_SIZE: Final = 22
TITLE_SIZE: Final = 17
NOTE_SIZE: Final = 14
GAP: Final = 16
LEAST_PANEL: Final = 256
"""Pixels that a panel is at least wide; smaller pictures are enlarged by a whole factor."""
LEAST_SHEET: Final = 420
"""Pixels that a sheet with a heading is at least wide."""
_LEADING: Final = 1.35  # height of a line over that of its letters
_SCALE_HEIGHT: Final = 12
_SCALE_GAP: Final = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """A colour scale under a panel."""

    low: str  # what its left end means
    high: str  # what its right end means


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture with its words; texts may come from outside, unprintable characters are shown as escapes."""

    picture: Rgb  # uint8 [H, W, 3]
    title: str
    note: str = ""  # a line below the title
    scale: Scale | None = None  # of colours that stand for numbers


@dataclass(frozen=True, slots=True)
class Sheet:
    """Panels in rows below a heading."""

    panels: Sequence[Panel]
    heading: str = ""
    notes: tuple[str, ...] = ()  # lines below the heading
    columns: int = 0  # 0: all in one row
    least_panel: int = LEAST_PANEL
    foot: tuple[str, ...] = ()  # lines at the end


def draw_sheet(sheet: Sheet) -> Image.Image:
    """Draw panels in rows, each below its title; lines that are wider than their place are broken between words.

    Raises:
        ValueError: there is no panel
    """
    if not sheet.panels:
        raise ValueError("a sheet needs at least one panel")
    columns = sheet.columns or len(sheet.panels)
    placed = [_placed(panel, sheet.least_panel) for panel in sheet.panels]
    rows = [placed[first : first + columns] for first in range(0, len(placed), columns)]
    widths = [max(row[column].width for row in rows if column < len(row)) for column in range(len(rows[0]))]
    inner = max(sum(widths) + GAP * (len(widths) - 1), LEAST_SHEET if sheet.heading else 0)
    above = _lines(sheet.heading, HEADING_SIZE, INK, inner)
    above += [line for note in sheet.notes for line in _lines(note, NOTE_SIZE, FAINT_INK, inner)]
    below = [line for note in sheet.foot for line in _lines(note, NOTE_SIZE, FAINT_INK, inner)]
    words = [max(_height(panel.words) for panel in row) for row in rows]
    bodies = [max(panel.body_height for panel in row) for row in rows]
    height = GAP + sum(words) + sum(bodies) + GAP * len(rows)
    height += sum(_height(lines) + GAP for lines in (above, below) if lines)
    canvas = Image.new("RGB", (inner + 2 * GAP, height), PAPER)
    pen = ImageDraw.Draw(canvas)
    y = GAP
    if above:
        _write(pen, above, (GAP, y))
        y += _height(above) + GAP
    for row, words_height, body_height in zip(rows, words, bodies, strict=True):
        x = GAP
        for panel, width in zip(row, widths, strict=False):
            _write(pen, panel.words, (x, y + words_height - _height(panel.words)))
            _draw_body(canvas, pen, panel, (x, y + words_height))
            x += width + GAP
        y += words_height + body_height + GAP
    _write(pen, below, (GAP, y))
    return canvas


def label_font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, which scales, at a size in pixels."""
    font = _font(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@cache
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def drawable(text: str) -> str:
    r"""Return text of any origin as one line that the font can draw.

    An accent that it lacks is left out, any other letter is shown as \xNN or \uNNNN.
    """
    return "".join(letter if _has_glyph(letter) else _spelt_out(letter) for letter in printable(text))


def shortened(text: str, size: int, width: int) -> str:
    """Return :func:`drawable` text, cut off with dots where it is wider than a width in pixels."""
    font, shown = label_font(size), drawable(text)
    if font.getlength(shown) <= width:
        return shown
    while shown and font.getlength(shown + "...") > width:
        shown = shown[:-1]
    return shown + "..."


def _spelt_out(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if plain.isascii() else letter.encode("unicode_escape").decode("ascii")


@cache
def _has_glyph(letter: str) -> bool:
    if letter.isascii():
        return True
    font = label_font(NOTE_SIZE)
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010ffff"))  # which is in no font


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: int
    ink: tuple[int, int, int]

    @property
    def height(self) -> int:
        return round(self.size * _LEADING)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A panel made ready."""

    picture: Rgb
    words: list[_Line]
    scale: Scale | None

    @property
    def width(self) -> int:
        return int(self.picture.shape[1])

    @property
    def body_height(self) -> int:
        scale = _SCALE_GAP + _SCALE_HEIGHT + round(NOTE_SIZE * _LEADING) if self.scale else 0
        return int(self.picture.shape[0]) + scale


def _placed(panel: Panel, least: int) -> _Placed:
    picture = enlarged(panel.picture, least)
    if picture.shape[1] < least:  # a tall one
        side = np.full((picture.shape[0], least - picture.shape[1], 3), PAPER, dtype=np.uint8)
        picture = np.concatenate([picture, side], axis=1)
    width = picture.shape[1]
    words = _lines(panel.title, TITLE_SIZE, INK, width) + _lines(panel.note, NOTE_SIZE, FAINT_INK, width)
    return _Placed(picture, words, panel.scale)


def _draw_body(canvas: Image.Image, pen: ImageDraw.ImageDraw, panel: _Placed, place: tuple[int, int]) -> None:
    x, y = place
    canvas.paste(Image.fromarray(panel.picture), place)
    if panel.scale is None:
        return
    y += panel.picture.shape[0] + _SCALE_GAP
    ramp = scale_colours(np.linspace(0, 1, panel.width))[None].repeat(_SCALE_HEIGHT, axis=0)
    canvas.paste(Image.fromarray(ramp), (x, y))
    font, y = label_font(NOTE_SIZE), y + _SCALE_HEIGHT
    pen.text((x, y + 1), drawable(panel.scale.low), FAINT_INK, font)
    pen.text((x + panel.width, y + 1), drawable(panel.scale.high), FAINT_INK, font, anchor="ra")


def _lines(text: str, size: int, ink: tuple[int, int, int], width: int) -> list[_Line]:
    """Break a text into lines of at most a width in pixels; a word that is wider is broken, too."""
    font, lines = label_font(size), [""]
    for word in drawable(text).split():
        joined = f"{lines[-1]} {word}".strip()
        if font.getlength(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return [_Line(line, size, ink) for line in lines if line]


def _height(lines: Sequence[_Line]) -> int:
    return sum(line.height for line in lines)


def _write(pen: ImageDraw.ImageDraw, lines: Sequence[_Line], place: tuple[int, int]) -> None:
    x, y = place
    for line in lines:
        pen.text((x, y), line.text, line.ink, label_font(line.size))
        y += line.height
