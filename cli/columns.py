"""Tables of plain columns, for people and for the programs that read them."""

import textwrap
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.table import Table

_TEXTS: Final = ("understood as", "semantic", "file", "found", "picture", "for", "shows")
_APART: Final = 2  # spaces between two columns
_LEAST_WRAPPED: Final = 20  # characters of words in several lines
_LEAST_ROOM: Final = 12  # for names beside other columns


def print_columns(
    console: Console, columns: dict[str, list[str]], needless: str = "", apart: str = "", wrapped: str = ""
) -> bool:
    """Print columns as a table that no word is broken for.

    Args:
        console: where to
        columns: cells by heading; the first names the row
        needless: what is left out where the console is too narrow
        apart: what then gets a table of its own
        wrapped: words that may take several lines; with it, a table of its own comes before what is needless goes

    Returns:
        whether what is needless is there
    """
    columns, second = dict(columns), {}
    room = console.width - table_width({name: cells for name, cells in columns.items() if name not in {wrapped, apart}})
    if wrapped and table_width(columns) > console.width and room - _APART >= _LEAST_WRAPPED:
        if apart in columns:
            second = {next(iter(columns)): next(iter(columns.values())), apart: columns.pop(apart)}
        columns[wrapped] = ["\n".join(textwrap.wrap(cell, room - _APART)) for cell in columns[wrapped]]
    if table_width(columns) > console.width:
        columns.pop(needless, None)
    if table_width(columns) > console.width and apart in columns:
        second = {next(iter(columns)): next(iter(columns.values())), apart: columns.pop(apart)}
    for part in filter(None, (columns, second)):
        if part is second:
            console.print()
        if table_width(part) > console.width:
            for line in _narrow_lines(part, console.width):
                console.print(line)
            continue
        table = make_table(*part)
        for row in zip(*part.values(), strict=True):
            table.add_row(*row)
        console.print(table)
    return not needless or needless in columns


def table_width(columns: dict[str, list[str]]) -> int:
    """Return how many characters the widest line takes."""
    return sum(_width(heading, cells) for heading, cells in columns.items()) + _APART * (len(columns) - 1)


def make_table(*headings: str) -> Table:
    """Return an empty table in the look of all of ours: texts to the left, numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", justify="left" if index == 0 or heading in _TEXTS else "right")
    return table


def _width(heading: str, cells: list[str]) -> int:
    return max(len(line) for cell in [heading, *cells] for line in cell.split("\n"))


def _narrow_lines(columns: dict[str, list[str]], width: int) -> Iterator[str]:
    """Give a table's lines: a name that leaves no room has one of its own, and columns that do not fit come below."""
    (named, names), *rest = columns.items()
    while rest:
        count = 1
        while count < len(rest) and table_width(dict(rest[: count + 1])) + _APART + _LEAST_ROOM <= width:
            count += 1
        shown, rest = dict(rest[:count]), rest[count:]
        room = min(_width(named, names), max(_LEAST_ROOM, width - _APART - table_width(shown)))
        yield f"[bold]{_line(named, room, shown, list(shown))}[/]"
        for name, *cells in zip(names, *shown.values(), strict=True):
            if len(name) > room:
                yield name
            yield _line("" if len(name) > room else name, room, shown, cells)


def _line(name: str, room: int, columns: dict[str, list[str]], cells: list[str]) -> str:
    parts = [f"{name:<{room}}"]
    for (heading, column), cell in zip(columns.items(), cells, strict=True):
        parts.append(f"{cell:{'<' if heading in _TEXTS else '>'}{_width(heading, column)}}")
    return (" " * _APART).join(parts).rstrip()
