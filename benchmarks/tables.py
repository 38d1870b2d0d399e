"""Markdown tables in docs/benchmarks.md, each between two comment lines that name it."""

from collections.abc import Sequence
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def markdown(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; floats have the digits that they were rounded to."""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def replace_table(name: str, table: str) -> None:
    """Put a table between ``<!-- name -->`` and ``<!-- /name -->`` of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, opening, rest = text.partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->")
    if not opening or not closing:
        raise SystemExit(f"{DOCUMENT.name} has no place for the table {name}")
    DOCUMENT.write_text(f"{before}{opening}{table}\n{closing}{after}", encoding="utf-8")
