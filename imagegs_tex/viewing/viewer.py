"""A decode in the page, and what it can be compared with: a slider, zoom, and the error at any gain."""

from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.pictures.error_map import ErrorMap

_GAIN_POWERS: Final = 10
_ZOOMS: Final = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A decode, and what it can be compared with."""

    key: str  # of its pictures
    title: str  # untrusted
    source: NDArray[np.uint8] | None
    decode: NDArray[np.uint8]
    error: ErrorMap | None
    gain: float
    what: str = ""  # an error is, in words


def viewer_html(viewer: Viewer, uris: dict[str, str]) -> str:
    """Return the element; page.js makes it work.

    Args:
        viewer: what is shown; its title is escaped
        uris: data URIs of its pictures by key: "<key>-decode", "<key>-source", "<key>-error"
    """
    height, width = viewer.decode.shape[:2]
    title, key = escape(viewer.title), viewer.key
    size = f'width="{width}" height="{height}"'
    decode = f'<img class="under" {size} src="{uris[f"{key}-decode"]}" alt="decode of {title}">'
    zooms = "".join(f'<option value="{zoom}">{zoom} ×</option>' for zoom in _ZOOMS)
    zoom = f'<label>Zoom <select class="zoom"><option value="fit">fit</option>{zooms}</select></label>'
    style = f'style="--fit: min({max(width, 640)}px, calc(88vh * {width / height:.4f}))"'
    opening = f'<div class="viewer" {style}'
    readout = '<div class="readout needs-script" aria-live="off">Point at the picture to read values.</div>'
    if viewer.source is None:
        return (
            f'{opening}><div class="tools needs-script">{zoom}</div><div class="frame">'
            f'<div class="stage single">{decode}<span class="tag left">decode</span></div></div>{readout}</div>'
        )
    source = f'<img class="over" {size} src="{uris[f"{key}-source"]}" alt="source of {title}">'
    modes = [("split", "slider"), ("source", "source"), ("decode", "decode")]
    error = canvas = data = scale = gain = ""
    if viewer.error is not None:
        modes.append(("error", "error"))
        power = round(float(np.log2(viewer.gain)))
        gain = (
            f'<label class="gain needs-script" hidden>Gain <input type="range" min="0" max="{_GAIN_POWERS}" '
            f'value="{min(max(power, 0), _GAIN_POWERS)}"><output></output></label>'
        )
        canvas = f'<canvas {size} role="img" aria-label="error of {title}"></canvas>'
        unit = viewer.error.unit if viewer.error.unit == "°" else f" {viewer.error.unit}"
        data = f' data-full="{viewer.error.full:g}" data-unit="{unit}"'
        scale = (
            '<div class="scale needs-script" hidden><div class="ramp"></div>'
            f'<span>0, {viewer.what}</span><span class="high"></span></div>'
        )
        error = f'<img class="coded" hidden src="{uris[f"{key}-error"]}" alt="">'
    checked = {"split": " checked"}
    radios = "".join(
        f'<label><input type="radio" name="{key}" value="{value}"{checked.get(value, "")}>{text}</label>'
        for value, text in modes
    )
    return (
        f"{opening}{data}>"
        f'<div class="tools needs-script"><fieldset><legend>Show</legend>{radios}</fieldset>{zoom}{gain}</div>'
        f'<div class="frame"><div class="stage" data-mode="split">{decode}{source}{canvas}'
        f'<span class="edge"></span><span class="tag left">source</span><span class="tag right">decode</span>'
        f"</div></div>{error}"
        f'<label class="slide needs-script"><input class="split" type="range" min="0" max="100" step="0.5" value="50" '
        f'aria-label="how much of the source is shown, from the left, in percent"></label>{scale}{readout}</div>'
    )


def coded_error(error: ErrorMap) -> NDArray[np.uint8]:
    """Return the root of an error's share of the whole range, [H, W] in 255ths: fine where errors are small."""
    return np.asarray(np.rint(255 * np.sqrt(np.clip(error.values / error.full, 0, 1))), dtype=np.uint8)
