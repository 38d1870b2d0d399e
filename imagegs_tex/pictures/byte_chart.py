"""Where a file's bytes go, as bars: by section, by what a Gaussian is made of, by map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from imagegs_tex.formats.igs.container import SectionSize
from imagegs_tex.metrics.byte_ledger import ByteLedger
from imagegs_tex.pictures.labels import (
    FAINT_INK,
    GAP,
    HEADING_SIZE,
    INK,
    NOTE_SIZE,
    PAPER,
    TITLE_SIZE,
    drawable,
    label_font,
    shortened,
)

Colour = tuple[int, int, int]

COLOURS: Final[tuple[Colour, ...]] = (
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0), (0, 114, 178),
    (153, 153, 153),
)  # fmt: skip
"""Told apart by the colour-blind, too: Okabe and Ito, "Color universal design", 2008, with a grey for their black."""
BAR_WIDTH: Final = 620
"""Pixels of a bar that is the whole."""
_LABEL_WIDTH: Final = 210
_VALUE_WIDTH: Final = 170
_BAR_HEIGHT: Final = 18
_ROW: Final = 26
_SECTIONS: Final = {"cells": "index of cells", "maps": "what each map is", "components": "basis of the channels"}
"""Names of sections that do not tell a newcomer what they are."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a whole."""

    label: str  # untrusted where it is a map's name
    value: float  # 0 and above
    text: str  # the value as it is read, such as "1,204 bytes (12 %)"


@dataclass(frozen=True, slots=True)
class BarGroup:
    """Parts of one whole."""

    title: str
    bars: tuple[Bar, ...]

    @property
    def total(self) -> float:
        """What the bars add up to."""
        return sum(bar.value for bar in self.bars)

    def share(self, bar: Bar) -> float:
        """Return a bar's length, 0 to 1 of the whole."""
        return bar.value / self.total if self.total > 0 else 0.0


def byte_groups(
    sections: Sequence[SectionSize], ledger: ByteLedger, gaussian_count: int
) -> tuple[BarGroup, BarGroup, BarGroup]:
    """Return where a file's bytes go.

    Args:
        sections: of the file, header included
        ledger: of the same file
        gaussian_count: of the same file

    Returns:
        bytes by section, which add up to the file; bits of one Gaussian by attribute; bytes of the features by map
    """
    stored = [(section.name, float(section.stored_bytes)) for section in sections if section.stored_bytes]
    attributes = [
        ("index of cells", ledger.index), ("position", ledger.positions), ("shape", ledger.shapes),
        ("features", ledger.features),
    ]  # fmt: skip
    whole = sum(value for _, value in stored)
    features = max(1.0, sum(value for _, value in ledger.features_by_map))
    return (
        BarGroup(
            f"{whole:,.0f} bytes of the file, by section",
            tuple(
                Bar(_SECTIONS.get(name, name), value, f"{value:,.0f} ({value / whole:.1%})") for name, value in stored
            ),
        ),
        BarGroup(
            f"{8 * sum(value for _, value in attributes) / gaussian_count:.1f} bits of a Gaussian, by attribute",
            tuple(
                Bar(name, 8 * value / gaussian_count, f"{8 * value / gaussian_count:.2f} bits")
                for name, value in attributes
            ),
        ),
        BarGroup(
            f"{ledger.features:,} bytes of features, by map",
            tuple(Bar(name, value, f"{value:,.0f} ({value / features:.1%})") for name, value in ledger.features_by_map),
        ),
    )


def draw_bars(groups: Sequence[BarGroup], heading: str = "") -> Image.Image:
    """Draw groups of bars below one another; the bars of a group add up to :data:`BAR_WIDTH` pixels.

    Each group begins with one bar of all its parts.
    """
    width = GAP * 4 + _LABEL_WIDTH + BAR_WIDTH + _VALUE_WIDTH
    heights = [2 * _ROW + _ROW * len(group.bars) + GAP for group in groups]
    top = GAP + (2 * HEADING_SIZE if heading else 0)
    canvas = Image.new("RGB", (width, top + sum(heights) + GAP // 2), PAPER)
    pen, note = ImageDraw.Draw(canvas), label_font(NOTE_SIZE)
    if heading:
        pen.text((GAP, GAP), shortened(heading, HEADING_SIZE, width - 2 * GAP), INK, label_font(HEADING_SIZE))
    left = 2 * GAP + _LABEL_WIDTH
    for group, height in zip(groups, heights, strict=True):
        pen.text((GAP, top + 1), shortened(group.title, TITLE_SIZE, width - 2 * GAP), INK, label_font(TITLE_SIZE))
        y, start = top + _ROW, 0.0
        for index, bar in enumerate(group.bars):
            colour = COLOURS[index % len(COLOURS)]
            _bar(pen, left, y, (start, start + group.share(bar)), colour)
            start += group.share(bar)
            row = y + _ROW * (index + 1)
            pen.text(
                (GAP + _LABEL_WIDTH, row + 1), shortened(bar.label, NOTE_SIZE, _LABEL_WIDTH), INK, note, anchor="ra"
            )
            _bar(pen, left, row, (0.0, group.share(bar)), colour)
            pen.text((left + BAR_WIDTH + GAP, row + 1), drawable(bar.text), FAINT_INK, note)
        pen.text((left + BAR_WIDTH + GAP, y + 1), "all", FAINT_INK, note)
        top += height
    return canvas


def _bar(pen: ImageDraw.ImageDraw, left: int, top: int, span: tuple[float, float], colour: Colour) -> None:
    begin, end = (left + round(BAR_WIDTH * place) for place in span)
    if end > begin:
        pen.rectangle((begin, top, end - 1, top + _BAR_HEIGHT - 1), colour)
