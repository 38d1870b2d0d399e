"""Tables of plain columns, for people and for the programs that read them."""

from typing import Final

from rich.console import Console
from rich.table import Table

_TEXTS: Final = ("understood as", "semantic", "file", "found", "picture", "for", "shows")


def print_columns(console: Console, columns: dict[str, list[str]], needless: str, apart: str = "") -> None:
    """Print columns as a table that no word is broken for, as far as that can be.

    Args:
        console: where to
        columns: cells by heading; the first names the row
        needless: what is left out where the console is too narrow
        apart: what then gets a table of its own
    """
    columns, second = dict(columns), {}
    if table_width(columns) > console.width:
        columns.pop(needless, None)
    if table_width(columns) > console.width and apart in columns:
        second = {next(iter(columns)): next(iter(columns.values())), apart: columns.pop(apart)}
    for part in filter(None, (columns, second)):
        table = make_table(*part)
        for row in zip(*part.values(), strict=True):
            table.add_row(*row)
        console.print(table)


def table_width(columns: dict[str, list[str]]) -> int:
    """Return how many characters the widest line takes."""
    widest = (max(map(len, [heading, *cells])) for heading, cells in columns.items())
    return sum(widest) + 2 * (len(columns) - 1)


def make_table(*headings: str) -> Table:
    """Return an empty table in the look of all of ours: texts to the left, numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", justify="left" if index == 0 or heading in _TEXTS else "right")
    return table
