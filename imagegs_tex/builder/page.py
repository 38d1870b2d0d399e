"""A page of a tree: every material with its picture, numbers and warnings; the worst first, sortable, in one file."""

import base64
import html
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from imagegs_tex.builder.products import THUMBNAIL, output_path
from imagegs_tex.builder.state import Entry, LeftOut
from imagegs_tex.formats.files.safe_names import printable

MOST_PICTURES: Final = 2000
"""The worst materials have pictures: with more a browser takes its time."""

_COLUMNS: Final = (
    *("", "material", "PSNR dB", "worst map", "bytes", "of source", "bits/texel", "size", "Gaussians", "to see"),
)
_STYLE: Final = """
:root{color-scheme:light dark;font:14px/1.4 system-ui,sans-serif}body{margin:1.5rem}h1{font-size:1.2rem;margin:0}
p{margin:.3rem 0 1rem;opacity:.8}table{border-collapse:collapse;width:100%}
th{position:sticky;top:0;background:Canvas;text-align:left;cursor:pointer;white-space:nowrap}
th,td{padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}td.n,th.n{text-align:right}
td:not(:last-child){white-space:nowrap}
td img{width:64px;height:64px;object-fit:contain;image-rendering:auto;display:block}
tr.bad td{background:#c0392b22}th[aria-sort=ascending]::after{content:" ▲"}th[aria-sort=descending]::after{content:" ▼"}
input{margin-bottom:.8rem;padding:.3rem .5rem;min-width:18rem}
"""
_SCRIPT: Final = """
const body=document.querySelector('tbody'),heads=[...document.querySelectorAll('th')];
const key=(row,i)=>{const c=row.cells[i];const v=c.dataset.v??c.textContent;return v===''||isNaN(v)?v:+v};
heads.forEach((head,i)=>head.addEventListener('click',()=>{
 const up=head.ariaSort!=='ascending';heads.forEach(h=>h.ariaSort=null);head.ariaSort=up?'ascending':'descending';
 const rows=[...body.rows].sort((a,b)=>{const x=key(a,i),y=key(b,i);
  return (typeof x===typeof y?(x<y?-1:x>y?1:0):typeof x==='number'?-1:1)*(up?1:-1)});
 body.append(...rows)}));
document.querySelector('input').addEventListener('input',e=>{const t=e.target.value.toLowerCase();
 for(const row of body.rows)row.hidden=!row.cells[1].textContent.toLowerCase().includes(t)});
"""


def worst_first(entries: Sequence[Entry]) -> list[Entry]:
    """Return the materials by their PSNR, as the page has them at first."""
    return sorted(entries, key=lambda entry: (_psnr(entry.report), entry.name))


def page_text(title: str, output: Path, entries: Sequence[Entry], left_out: Sequence[LeftOut]) -> str:
    """Return the page as HTML that needs nothing from elsewhere.

    Args:
        title: what was built
        output: where the thumbnails lie
        entries: the materials
        left_out: what could not be made; it comes first
    """
    ordered = worst_first(entries)
    rows = [_bad_row(bad) for bad in left_out]
    rows += [_row(entry, output if number < MOST_PICTURES else None) for number, entry in enumerate(ordered)]
    total, source = sum(entry.bytes for entry in entries), sum(entry.source_bytes for entry in entries)
    share = f", {total / source:.1%} of the maps" if source else ""
    bad = f"; {len(left_out)} could not be made" if left_out else ""
    warned = sum(bool(entry.warnings) for entry in entries)
    poor = f"; {warned} with warnings" if warned else ""
    summary = f"{len(entries)} materials, {total:,} bytes{share}{poor}{bad}. The worst come first."
    heads = "".join(
        f"<th{_class(index)}{' aria-sort=ascending' if index == 2 else ''}>{name}</th>"
        for index, name in enumerate(_COLUMNS)
    )
    name = html.escape(printable(title))
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" '
        f'content="{policy}"><style>{_STYLE}</style><h1>{name}</h1><p>{summary}</p>'
        f'<input placeholder="part of a name" aria-label="part of a name"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table><script>{_SCRIPT}</script></html>\n"
    )


def _class(index: int) -> str:
    return ' class="n"' if index in {2, 4, 5, 6, 8} else ""


def _psnr(report: dict[str, Any]) -> float:
    value = report.get("psnr_db")
    return float(value) if isinstance(value, int | float) else math.inf


def _row(entry: Entry, output: Path | None) -> str:
    report: dict[str, Any] = entry.report
    maps: list[dict[str, Any]] = report.get("maps") or []
    worst = min(maps, key=_psnr, default=None)
    lowest = "" if worst is None else f"{worst['name']} {_psnr(worst):.1f}"
    said = [*entry.warnings, *filter(None, [report.get("unreached")]), *entry.problems.values()]
    width, height = report.get("width", 0), report.get("height", 0)
    cells = [
        ("", None if output is None else _picture(output, entry)),
        (entry.name, None),
        (f"{_psnr(report):.2f}", None),
        (lowest, None),
        (f"{entry.bytes:,}", entry.bytes),
        (f"{entry.bytes / max(1, entry.source_bytes):.1%}", entry.bytes / max(1, entry.source_bytes)),
        (f"{report.get('bits_per_texel', 0):.3f}", None),
        (f"{width} × {height}", width * height),
        (f"{report.get('gaussians', 0):,}", report.get("gaussians", 0)),
        ("; ".join(said), None),
    ]
    inner = "".join(
        f"<td>{value or ''}</td>" if index == 0 else _cell(index, text, value)
        for index, (text, value) in enumerate(cells)
    )
    return f"<tr>{inner}</tr>"


def _cell(index: int, text: str, value: object) -> str:
    stated = "" if value is None else f' data-v="{value}"'
    return f"<td{_class(index)}{stated}>{html.escape(printable(text))}</td>"


def _bad_row(bad: LeftOut) -> str:
    name, problem = html.escape(printable(bad.name or bad.source)), html.escape(bad.problem)
    empty = "".join(f'<td{_class(index)} data-v="-1"></td>' for index in range(2, len(_COLUMNS) - 1))
    return f'<tr class="bad"><td></td><td>{name}</td>{empty}<td>{problem}</td></tr>'


def _picture(output: Path, entry: Entry) -> str:
    data = b""
    with suppress(OSError):
        data = (output / output_path(entry.name, THUMBNAIL, "")).read_bytes()
    if not data:
        return ""
    return f'<img alt="" loading="lazy" src="data:image/png;base64,{base64.b64encode(data).decode()}">'
