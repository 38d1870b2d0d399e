"""Markdown tables in the pages of benchmarks, each between two comment lines that name it."""

from collections.abc import Sequence
from pathlib import Path

DOCUMENTS = Path(__file__).resolve().parents[1] / "docs"


def markdown(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; floats have the digits that they were rounded to."""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def replace_table(name: str, table: str, documents: Path = DOCUMENTS) -> None:
    """Put a table between ``<!-- name -->`` and ``<!-- /name -->`` of the page that has these lines.

    Args:
        name: of the table
        table: its lines, without a newline at the end
        documents: folder whose pages are looked through, those of its folders too
    """
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    pages = [page for page in sorted(documents.rglob("*.md")) if opening in page.read_text(encoding="utf-8")]
    if len(pages) != 1:
        raise SystemExit(f"{len(pages)} pages of {documents} have a place for the table {name}; it needs one")
    before, _, rest = pages[0].read_text(encoding="utf-8").partition(opening)
    _, found, after = rest.partition(closing)
    if not found:
        raise SystemExit(f"{pages[0]}: the table {name} has no end; write {closing} behind it")
    pages[0].write_text(f"{before}{opening}{table}\n{closing}{after}", encoding="utf-8")
