"""Markdown tables in the pages of benchmarks, each between two comment lines that name it."""

from collections.abc import Sequence
from pathlib import Path

DOCUMENTS = Path(__file__).resolve().parents[1] / "docs"


def markdown(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; floats have the digits that they were rounded to."""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def replace_table(name: str, table: str, page: str = "benchmarks.md") -> None:
    """Put a table between ``<!-- name -->`` and ``<!-- /name -->`` of a page."""
    document = DOCUMENTS / page
    text = document.read_text(encoding="utf-8")
    before, opening, rest = text.partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->")
    if not opening or not closing:
        raise SystemExit(f"{document.name} has no place for the table {name}")
    document.write_text(f"{before}{opening}{table}\n{closing}{after}", encoding="utf-8")
