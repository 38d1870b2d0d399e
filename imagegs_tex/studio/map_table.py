"""The table of a material's maps: what is known of each, fields to put it right, and what such a field's event says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from imagegs_tex.studio.corrections import GREEN_DOWN, GREEN_TURNED, GREEN_UP, MapCorrection
from imagegs_tex.studio.markup import text
from imagegs_tex.studio.meanings import choices
from imagegs_tex.studio.plain_words import plain
from imagegs_tex.studio.reading import MapRow

_TRANSFER_WORDS: Final = (("sRGB: as screens show it", "srgb"), ("Linear", "linear"))
_GREEN_WORDS: Final = (
    ("OpenGL: green is up", GREEN_UP),
    ("DirectX: green is down, keep it so", GREEN_DOWN),
    ("DirectX: turn it into OpenGL", GREEN_TURNED),
)
_KEPT: Final = {"yes": False, "no": True}
"""Values of the tick, and whether the map is left out then."""

Change = Callable[[MapCorrection], MapCorrection]
"""What a field makes of what was said of a map before."""


def map_table(rows: Sequence[MapRow], thumbnails: Sequence[str]) -> str:
    """Return the table as HTML; static/map_table.js sends what its fields are set to.

    Args:
        rows: one for each map
        thumbnails: their pictures' addresses
    """
    return "".join(
        map_row(index, row, address) for index, (row, address) in enumerate(zip(rows, thumbnails, strict=True))
    )


def map_row(index: int, row: MapRow, thumbnail: str) -> str:
    """Return a map's thumbnail, what is known of it, and its fields."""
    said, kind = f"Read as: {text(plain(row.note) or 'it is')}", "st-map"
    if row.is_left_out:
        kind += " st-map-aside"
        said = "You left it out."
    known = (
        f'<div class="{kind}"><img src="{thumbnail}" alt="{text(row.name)}" width="72" height="72">'
        f'<div><b>{text(row.file)}</b><br><span class="st-faint">{row.size}, {len(row.channels)} '
        f"channel{'s' if len(row.channels) != 1 else ''} of {row.samples}</span><br>"
        f'<span class="st-faint">{said}</span></div></div>'
    )
    meaning = _select("Meaning", "meaning", index, choices(row.channels), row.meaning, is_disabled=row.is_left_out)
    kept = (
        f'<label class="st-tick"><input type="checkbox" id="kept-{index}" data-field="kept"'
        f"{'' if row.is_left_out else ' checked'}>Goes into the file</label>"
    )
    if row.is_srgb is not None:
        stored = "srgb" if row.is_srgb else "linear"
        third = _select("Colours are stored", "transfer", index, _TRANSFER_WORDS, stored)
    elif row.green is not None:
        third = _select("Normals made for", "green", index, _GREEN_WORDS, row.green)
    else:
        words = "Not in the file" if row.is_left_out else "Values, kept as they are stored"
        third = f'<span class="st-faint">{words}</span>'
    return (
        f'<div class="st-map-row" data-row="{index}" data-file="{text(row.file)}">{known}'
        f'<div class="st-fields">{meaning}{kept}</div><div class="st-fields">{third}</div></div>'
    )


def map_change(rows: Sequence[MapRow], said: object) -> tuple[str, Change] | None:
    """Return the name of the map that a field's event is about, and what becomes of what was said of it.

    Args:
        rows: the table as it is now
        said: what the browser sent: row (index), file (as shown), field and value; untrusted

    Returns:
        None where it fits no row or no value that could be chosen there, as in a page that is older than the table
    """
    if not isinstance(said, Mapping):
        return None
    index, value = said.get("row"), said.get("value")
    if type(index) is not int or not 0 <= index < len(rows) or not isinstance(value, str):
        return None
    row = rows[index]
    if said.get("file") != row.file:
        return None
    match said.get("field"):
        case "kept" if value in _KEPT:
            return row.name, lambda had: replace(had, is_left_out=_KEPT[value])
        case "meaning" if value in {key for _, key in choices(row.channels)}:
            return row.name, lambda had: replace(had, meaning=value)
        case "transfer" if row.is_srgb is not None and value in {key for _, key in _TRANSFER_WORDS}:
            return row.name, lambda had: replace(had, is_srgb=value == "srgb")
        case "green" if row.green is not None and value in {key for _, key in _GREEN_WORDS}:
            return row.name, lambda had: replace(had, green=value)
    return None


def _select(
    label: str, field: str, index: int, options: Sequence[tuple[str, str]], value: str, *, is_disabled: bool = False
) -> str:
    items = "".join(
        f'<option value="{text(key)}"{" selected" if key == value else ""}>{text(words)}</option>'
        for words, key in options
    )
    disabled = " disabled" if is_disabled else ""
    return f'<label>{label}<select id="{field}-{index}" data-field="{field}"{disabled}>{items}</select></label>'
