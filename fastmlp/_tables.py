"""Results as short tables: text where they are printed, HTML where a notebook shows them.

A class has a method `_shown` that makes a `Page` of what it holds, and `printed` makes both of it. What would have to
be computed first is no part of a page: to look at a result, in a debugger too, is to cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

Class = TypeVar("Class", bound=type)
Cells = Sequence[str]

LINES, WIDTH = 20, 100  # of a page, at most
NAME = 26  # characters of a name beneath a heading
FIRST = 6  # numbers of an array
GAP = "  "
MARKS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


class Table(NamedTuple):
    """Rows of names and numbers; `str` has all of them, whole.

    Without a heading these are facts, a name and what there is to say, and the name of what is not known, None, is
    left out. A heading may have several lines, of which the upper ones run over empty cells to their side.
    """

    rows: Sequence[Sequence[Any]]
    heading: Cells = ()
    align: str = "<"  #: left or right (">"), of each column; the last one's is that of all that follow
    total: int = 0  #: how many rows there are, where these are the first ones

    def __str__(self) -> str:
        return "\n".join(_laid_out(self, [list(map(number, row)) for row in _known(self)]))


class Page(NamedTuple):
    """What is shown of a result: a line, and tables beneath."""

    title: str
    tables: tuple[Table, ...] = ()


def printed(thing: Class) -> Class:
    """A class that is printed by its method `_shown`, which gives a `Page`."""
    thing.__repr__ = lambda self: text(_page(self))  # type: ignore[assignment, method-assign, misc]
    thing._repr_html_ = lambda self: html(_page(self))  # type: ignore[attr-defined]
    return thing


def text(page: Page) -> str:
    """The page in a few lines."""
    lines = [one_line(page.title)]
    for table, cells, left_out in _cut(page):
        lines += [GAP + line for line in (*_laid_out(table, cells), *left_out)]
    return "\n".join(shortened(line, WIDTH) for line in lines)


def html(page: Page) -> str:
    """The same as plain tables."""
    parts = [f"<p>{_escaped(shortened(one_line(page.title), WIDTH))}</p>"]
    for table, cells, left_out in _cut(page):
        heading = [_row(line, "th", "th") for line in _heading(table)]
        rows = [_row(row, "td" if table.heading else "th", "td") for row in cells]
        rows += [f"<tr><td>{_escaped(line)}</td></tr>" for line in left_out]
        head = f"<thead>{''.join(heading)}</thead>" if heading else ""
        parts.append(f"<table>{head}<tbody>{''.join(rows)}</tbody></table>")
    return "\n".join(parts)


def number(value: Any) -> str:
    """A number in four digits, or what else there is, in a line."""
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    if isinstance(value, (np.ndarray, list, tuple)):
        return numbers(value)
    return one_line(str(value))


def unless_nan(value: Any) -> Any:
    """The number; None, what is not known, for none."""
    return None if value is None or value != value else value


def how_many(n: int, noun: str) -> str:
    """So many of them, in words."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def numbers(values: Any) -> str:
    """The first few, and how many there are."""
    is_array = isinstance(values, np.ndarray)
    size, first = (values.size, values.flat) if is_array else (len(values), values)
    return ", ".join(map(number, first[:FIRST])) + (f", ... ({size})" if size > FIRST else "")


def one_line(words: str) -> str:
    """What may come from the user, without characters that move the cursor."""
    return words if words.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)


def shortened(words: str, width: int) -> str:
    """Words of so many characters at most."""
    return words if len(words) <= width else words[: width - 3].rstrip() + "..."


def _escaped(words: str) -> str:
    """As `html.escape`, whose module brings in all of HTML's names with it."""
    return words.translate(MARKS)


def _page(thing: Any) -> Page:
    try:
        with np.errstate(all="ignore"):
            return thing._shown()  # type: ignore[no-any-return]
    except Exception:  # a debugger looks at what is not made yet, and a user may have taken something away
        return Page(f"{type(thing).__name__}, not whole")


def _named(cell: Any) -> str:
    return shortened(one_line(cell), NAME) if isinstance(cell, str) else number(cell)


def _known(table: Table) -> Sequence[Sequence[Any]]:
    return table.rows if table.heading else [row for row in table.rows if row[1] is not None]


def _heading(table: Table) -> Iterator[Cells]:
    """Its lines, the short columns' at the foot."""
    columns = [title.split("\n") for title in table.heading]
    height = max(map(len, columns), default=0)
    for line in range(height):
        yield [column[line + len(column) - height] if line + len(column) >= height else "" for column in columns]


def _laid_out(table: Table, rows: Sequence[Cells]) -> list[str]:
    heading = list(_heading(table))
    widths: list[int] = []  # of what begins and ends in its column, so that long titles of several may be above
    for row in (*heading[-1:], *rows):
        widths += [0] * (len(row) - len(widths))
        widths = [max(width, len(cell)) for width, cell in zip(widths, [*row, *[""] * len(widths)], strict=False)]
    return [_line(row, widths, table.align) for row in (*heading, *rows)]


def _line(row: Iterable[str], widths: list[int], align: str) -> str:
    line, start = "", 0
    for column, (cell, width) in enumerate(zip(row, widths, strict=False)):
        right = align[min(column, len(align) - 1)] == ">"
        if cell:
            line = (line + GAP * bool(line)).ljust(start + width - len(cell) if right else start) + cell
        start += width + len(GAP)
    return line.rstrip()


def _cut(page: Page) -> Iterator[tuple[Table, Sequence[Cells], list[str]]]:
    """The tables with the rows for which there is room, names shortened, and a line on those that are left out."""
    room = LINES - 1
    for table in page.tables:
        rows = _known(table)
        total, height = max(len(rows), table.total), len(list(_heading(table)))
        left_out = [f"... ({total})"] if height + total > room else []
        rows = rows[: max(0, room - height - len(left_out))]
        cells = [[_named(cell) if table.heading else number(cell) for cell in row] for row in rows]
        room -= height + len(cells) + len(left_out)
        yield table, cells, left_out


def _row(cells: Cells, first: str, others: str) -> str:
    tags = [first, *[others] * (len(cells) - 1)]
    return "<tr>" + "".join(f"<{t}>{_escaped(cell)}</{t}>" for t, cell in zip(tags, cells, strict=True)) + "</tr>"
