"""One HTML page of a file's pictures that loads nothing: style, script and pictures are in it.

Texts of the file (its name, names of maps) are escaped wherever they stand. The page's content security policy names
the one script by its hash, so that a browser would run no other even if one were there.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex._version import __version__
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.metrics.scores import PSNR_CAP_DB, MapScore, shown_contrast
from imagegs_tex.pictures.byte_chart import COLOURS, BarGroup, byte_groups
from imagegs_tex.pictures.colour_scale import SCALE
from imagegs_tex.pictures.display import words
from imagegs_tex.pictures.labels import Panel
from imagegs_tex.viewing.gather import Result, ShownMap, ShownPart
from imagegs_tex.viewing.inline_pictures import Packing, inline_pictures
from imagegs_tex.viewing.sheets import Drawings, maps_in_order, wrap_words
from imagegs_tex.viewing.viewer import Viewer, coded_error, viewer_html
from imagegs_tex.viewing.words import decode_note, error_meaning, map_meaning, score_words

MARK: Final = "<!-- imagegs-tex view -->"
"""Stands near the beginning of every page, so that a later call may replace it."""
MOST_VIEWERS: Final = 64
_OCTAVES: Final = ("1", "2", "4", "8")

Pictures = dict[str, NDArray[np.uint8]]


def make_page(result: Result, drawings: Drawings) -> str:
    """Make the page of a file: numbers, a viewer per map, scores, the lit material, bytes and Gaussians."""
    viewers = [
        (shown, part, Viewer(f"map{index}-{number}", _part_title(shown, part), part.source, part.decode, part.error,
                              part.gain, error_meaning(shown, part)))
        for index, shown in enumerate(maps_in_order(result)) for number, part in enumerate(shown.parts)
    ]  # fmt: skip
    kept = viewers[:MOST_VIEWERS]
    lit = _lit_viewers(drawings.lit)
    panels = {"ellipses": drawings.ellipses, "numbers": drawings.numbers, "tiles": drawings.tiles}
    pictures: Pictures = {}
    for viewer in [entry[2] for entry in kept] + lit:
        pictures[f"{viewer.key}-decode"] = viewer.decode
        if viewer.source is not None:
            pictures[f"{viewer.key}-source"] = viewer.source
        if viewer.error is not None:
            pictures[f"{viewer.key}-error"] = coded_error(viewer.error)
    for key, group in panels.items():
        pictures |= {f"{key}-{index}": panel.picture for index, panel in enumerate(group)}
    uris, packing = inline_pictures(pictures)
    body = [_header(result)]
    if lit:
        made_of = escape(", ".join(result.decode_surface.used))
        inside = "".join(f"<div><h3>{viewer.title}</h3>{viewer_html(viewer, uris)}</div>" for viewer in lit)
        note = f"; the decode {decode_note(result)}" if result.has_detail else ""
        told = f"<p class=faint>Made of {made_of}{note}. The light comes from the upper left.</p>"
        body.append(_section("lit", "Under a light", f'{told}<div class="pair">{inside}</div>'))
    body += [_map_section(result, index, shown, [(v, uris) for s, _, v in kept if s is shown])
             for index, shown in enumerate(maps_in_order(result))]  # fmt: skip
    if any(shown.score is not None for shown in result.maps):
        body.append(_scores(result))
    body.append(_section("tiling", "Beside itself", f"<p>{wrap_words(result)}</p>{_figures('tiles', panels, uris)}"))
    body.append(_section("bytes", "Where the bytes go", _bars(result)))
    told = (
        "A Gaussian is a soft stroke with a place, a size, a lean and its own value in every map. All maps share them."
    )
    gaussians = _figures("ellipses", panels, uris) + _figures("numbers", panels, uris)
    body.append(_section("gaussians", "Gaussians", f"<p>{told}</p>{gaussians}"))
    body.append(_footer(result, packing, len(viewers) - len(kept)))
    return _document(result, "\n".join(body))


def _document(result: Result, body: str) -> str:
    style, script = (files("imagegs_tex.viewing").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    scale = json.dumps(SCALE)
    script = f"\n{script}"
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    ramp = ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in SCALE)
    return f"""<!doctype html>
{MARK}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(result.name)}</title>
<style>
{style}.ramp {{ background: linear-gradient(to right, {ramp}); }}
</style>
</head>
<body>
{body}
<script type="application/json" id="scale">{scale}</script>
<script>{script}</script>
</body>
</html>
"""


def _section(name: str, title: str, inside: str) -> str:
    """Return a section; its name is ours, the title is escaped."""
    heading = f'<h2 id="{name}-title">{escape(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{heading}\n{inside}\n</section>'


def _header(result: Result) -> str:
    info = result.info
    numbers = [("file", f"{info.file_bytes:,} bytes", f"{info.bits_per_texel:.3f} bits per texel")]
    if result.source_bytes:
        times = result.source_bytes / info.file_bytes
        numbers.append(("source", f"{result.source_bytes:,} bytes", f"{times:.0f} times as many"))
    if result.psnr_db is not None:
        numbers.append(("PSNR", f"{result.psnr_db:.2f} dB", "over all channels; more is closer"))
    count = len(result.maps)
    numbers += [
        ("maps", f"{count} of {info.width}\xa0×\xa0{info.height}", f"texels; {info.channels} channels are coded"),
        ("Gaussians", f"{info.gaussians:,}", f"{info.ledger.per_gaussian:.1f} bytes each"),
        (
            "on a GPU",
            f"{info.gpu_bytes + info.gpu_shared_bytes:,} bytes",
            f"at most; {info.gpu_bytes:,} its own, the rest once for all materials",
        ),
    ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>" for name, value, note in numbers)
    links = [("lit", "under a light")] if result.is_lit else []
    links += [(f"map{index}", printable(shown.texture_map.name)) for index, shown in enumerate(maps_in_order(result))]
    if result.psnr_db is not None:
        links.append(("scores", "scores"))
    links += [("tiling", "beside itself"), ("bytes", "bytes"), ("gaussians", "Gaussians")]
    entries = "".join(f'<li><a href="#{target}">{escape(text)}</a></li>' for target, text in links)
    return (
        f"<header>\n<h1>{escape(result.name)}</h1>\n<p class=faint>A material's maps as 2D Gaussians in one file.</p>\n"
        f'<dl class="numbers">{cells}</dl>\n</header>\n<nav aria-label="Parts of this page"><ul>{entries}</ul></nav>'
    )


def _part_title(shown: ShownMap, part: ShownPart) -> str:
    name, meaning = printable(shown.texture_map.name), shown.texture_map.channel_semantics[part.part.channels[0]]
    return name if len(shown.parts) == 1 else f"{name} ({part.part.label or words(meaning)})"


def _map_section(result: Result, index: int, shown: ShownMap, viewers: Sequence[tuple[Viewer, dict[str, str]]]) -> str:
    lines = [escape(map_meaning(shown))]
    if shown.score is not None:
        lines.append(f"{escape(score_words(shown.score))}")
    share = shown.feature_bytes / result.info.file_bytes
    lines.append(f"{shown.feature_bytes:,.0f} bytes of features, {share:.1%} of the file")
    if note := decode_note(result):
        lines.append(f"decode {note}" + ("" if shown.score is None else "; scores and errors are without it"))
    if result.reduction > 1:
        lines.append(f"shown reduced: a pixel is the mean of {result.reduction} × {result.reduction} texels")
    told = f"<p>{'<br>'.join(lines)}</p>"
    inside = "".join(
        (f"<h3>{escape(viewer.title)}</h3>" if len(shown.parts) > 1 else "") + viewer_html(viewer, uris)
        for viewer, uris in viewers
    )
    if not viewers:
        inside = "<p class=faint>No room for its picture in this page.</p>"
    return _section(f"map{index}", printable(shown.texture_map.name), told + inside)


def _lit_viewers(lit: Sequence[Panel]) -> list[Viewer]:
    """Return plane and sphere of the decode, each with that of the source where there is one."""
    pictures = [panel.picture for panel in lit]
    sources: list[NDArray[np.uint8] | None] = [None] * len(pictures) if len(pictures) <= 2 else [*pictures[:2]]
    return [
        Viewer(f"lit{index}", title, source, decode, None, 1.0)
        for index, (title, source, decode) in enumerate(zip(("plane", "sphere"), sources, pictures[-2:], strict=False))
    ]


def _figures(key: str, panels: dict[str, list[Panel]], uris: dict[str, str]) -> str:
    figures = []
    for index, panel in enumerate(panels[key]):
        note = f"; {panel.note}" if panel.note else ""
        scale = ""
        if panel.scale is not None:
            scale = (
                f'<div class="scale"><div class="ramp"></div><span>{escape(panel.scale.low)}</span>'
                f"<span>{escape(panel.scale.high)}</span></div>"
            )
        title = escape(printable(panel.title))
        height, width = panel.picture.shape[:2]
        figures.append(
            f'<figure><img width="{width}" height="{height}" src="{uris[f"{key}-{index}"]}" alt="{title}">'
            f"{scale}<figcaption><b>{title}</b>{escape(printable(note))}</figcaption></figure>"
        )
    return f'<div class="pictures">{"".join(figures)}</div>'


def _scores(result: Result) -> str:
    contrast = [f"contrast<br>{octave}" for octave in _OCTAVES]
    heads = ["PSNR<br>dB", "SSIM", "FLIP", "degrees<br>mean", "degrees<br>95 %", *contrast, "bytes of<br>features"]
    names = ['<th scope="col">map</th><th scope="col" class="words">meaning</th>']
    names += [f'<th scope="col">{head}</th>' for head in heads]
    rows = []
    for shown in maps_in_order(result):
        if shown.score is not None:
            cells = "".join(f"<td>{cell}</td>" for cell in [*_score_cells(shown.score), f"{shown.feature_bytes:,.0f}"])
            name, meaning = escape(printable(shown.texture_map.name)), escape(words(shown.texture_map.semantic))
            rows.append(f'<tr><th scope="row">{name}</th><td class="words">{meaning}</td>{cells}</tr>')
    told = (
        "More dB and more SSIM are closer, less FLIP and fewer degrees too. Contrast is how much of the source's local "
        "contrast is kept, in percent, at details of 1, 2, 4 and 8 texels."
    )
    table = f'<table class="scores"><thead><tr>{"".join(names)}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return _section("scores", "Scores", f'<p class=faint>{told}</p><div class="scroll" tabindex="0">{table}</div>')


def _score_cells(score: MapScore) -> list[str]:
    kept = shown_contrast(score) or (None,) * len(_OCTAVES)
    numbers = [(score.flip, ".3f"), (score.normal_degrees_mean, ".2f"), (score.normal_degrees_p95, ".2f")]
    return [
        "the same" if score.psnr_db >= PSNR_CAP_DB else f"{score.psnr_db:.2f}",
        f"{score.ssim:.4f}",
        *("" if value is None else format(value, form) for value, form in numbers),
        *("" if ratio is None else f"{100 * ratio:.0f}" for ratio in kept),
    ]


def _bars(result: Result) -> str:
    info = result.info
    return "".join(_bar_table(group) for group in byte_groups(info.sections, info.ledger, info.gaussians))


def _bar_table(group: BarGroup) -> str:
    whole = rows = ""
    for index, bar in enumerate(group.bars):
        colour = "rgb({} {} {})".format(*COLOURS[index % len(COLOURS)])
        style = f'style="width: {100 * group.share(bar):.3f}%; background: {colour}"'
        label = escape(printable(bar.label))
        whole += f'<div {style} title="{label}"></div>'
        rows += (
            f'<tr><th scope="row">{label}</th><td class="track"><div><div class="one" {style}></div></div></td>'
            f"<td>{escape(bar.text)}</td></tr>"
        )
    first = f'<tr><th scope="row">all</th><td class="track"><div class="whole">{whole}</div></td><td></td></tr>'
    return f'<table class="bars"><caption>{escape(group.title)}</caption><tbody>{first}{rows}</tbody></table>'


def _footer(result: Result, packing: Packing, left_out: int) -> str:
    lines = [f"Pictures of this page: {packing.words}. It loads nothing from elsewhere."]
    if left_out:
        lines.append(f"{left_out} pictures of maps have no room in it.")
    lines.append(f"Drawn by imagegs-tex {__version__} from {escape(result.name)}, SHA-256 {result.info.sha256}.")
    return f"<footer><p>{'<br>'.join(lines)}</p></footer>"
