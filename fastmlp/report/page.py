"""A report as one page of HTML, which needs nothing else: no network, no scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastmlp._tables import how_many, one_line
from fastmlp._types import Index
from fastmlp._version import __version__
from fastmlp.report import words
from fastmlp.report.effects import Effect
from fastmlp.report.measures import Measures
from fastmlp.report.pictures import Figure
from fastmlp.report.style import STYLE

if TYPE_CHECKING:  # a table needs pandas, a report does not
    from fastmlp.tables.columns import Column
    from fastmlp.tables.model import TableModel

LISTED = 20  #: columns, at most
MOST_CLASSES = 12  #: of a table of which were taken for which
LEVELS = 8  #: of a category

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: a model and how good it is</title>
<style>
{style}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p class="verdict">{verdict}</p>
{facts}
</header>
{sections}
<footer><p>Made by fastmlp {version}. All figures are of rows that were kept back, unless something else is said.</p>
</footer>
</main>
</body>
</html>
"""


class Drawn(NamedTuple):
    """Pictures for a page."""

    of_rows: Sequence[Figure]
    of_inputs: Sequence[Figure]
    classes: Sequence[str]  #: that are drawn along the inputs


def page(model: TableModel, m: Measures, drawn: Drawn) -> str:
    """The whole."""
    sections = [
        _section("How good it is", _how_good(m, drawn)),
        _section("What it depends on", _inputs(model, m, drawn)),
        _section("The table", _columns(model, m)),
        _section("How it was made", _made(model, m)),
    ]
    return PAGE.format(
        title=safe(m.target), style=STYLE, verdict=safe(words.verdict(m)), facts=_facts(model, m),
        sections="\n".join(sections), version=__version__,
    )  # fmt: skip


def safe(words: Any) -> str:
    """Words of the user's as they can stand in HTML."""
    return escape(one_line(str(words))).replace(" %", "&nbsp;%")


def _section(title: str, parts: Iterator[str]) -> str:
    return "\n".join(["<section>", f"<h2>{title}</h2>", *parts, "</section>"])


def _facts(model: TableModel, m: Measures) -> str:
    facts = {
        "rows it was trained on": m.n_train,
        "rows kept back": m.n_held,
        "input columns": len(model.schema.inputs),
        "network": " - ".join(map(str, model.network.layers)),
    }
    if m.noise_std is not None:
        facts["noise (standard deviation)"] = words.number_of(m.noise_std)
    return _named(facts)


def _named(facts: Mapping[str, Any]) -> str:
    pairs = "\n".join(f"<div><dt>{safe(name)}</dt><dd>{safe(fact)}</dd></div>" for name, fact in facts.items())
    return f'<dl class="facts">\n{pairs}\n</dl>'


def _how_good(m: Measures, drawn: Drawn) -> Iterator[str]:
    heading = ("", "network", words.straight(m), words.plain(m))
    tables = [_table("On rows that it has not seen", heading, words.scores(m), own=1)]
    if m.intervals:
        rows = [
            (words.percent(c.level), words.percent(c.share), words.between(c), width)
            for c, width in zip(m.intervals, words.alike([c.width for c in m.intervals]), strict=True)
        ]
        heading = ("interval", "rows it holds", "likely (95 %)", "mean width")
        tables.append(_table("Error bars", heading, rows))
    if m.confusion is not None:
        tables.append(_confusion(m, m.confusion))
    yield f'<div class="beside">{"".join(tables)}</div>'
    yield _pictures(drawn.of_rows)


def _confusion(m: Measures, counts: Index) -> str:
    """Which class was taken for which: a matrix, or of many classes the most frequent mistakes."""
    classes = m.classes or ()
    if len(classes) > MOST_CLASSES:
        places = [(own, other) for own, other in np.argwhere(counts).tolist() if own != other]
        most = sorted(places, key=lambda place: -counts[place])[:MOST_CLASSES]
        mistakes = [(classes[own], classes[other], str(counts[own, other])) for own, other in most]
        return _table("The most frequent mistakes", ("class", "taken for", "rows"), mistakes, texts=(1,))
    rows = []
    for name, row in zip(classes, counts, strict=True):
        cells = "".join(f'<td style="--share:{40 * n / max(1, row.sum()):.0f}%">{n}</td>' for n in row)
        rows.append(f'<tr><th scope="row">{safe(name)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{safe(name)}</th>' for name in classes)
    caption = "Rows observed, columns predicted"
    return _scrolled(
        caption,
        f'<table class="taken"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">observed</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>',
    )


def _inputs(model: TableModel, m: Measures, drawn: Drawn) -> Iterator[str]:
    used = [each for each in m.effects if each.name not in m.pruned]
    if not used:
        yield "<p>The network uses no column.</p>"
        return
    shown = used[:LISTED]
    said = f"The {words.unit(m)}, root mean square over the rows that it was trained on."
    if any(each.direction is not None for each in used):
        said += " The mean has a sign: near zero beside a large change, the column acts in both directions."
    if any(column.kind == "category" for column in model.schema.inputs):
        said += " Of a category, the standard deviation when its levels are exchanged."
    yield f"<p>{safe(said)}</p>"
    yield _bars(shown, _first(len(shown), len(used)) + " that are used" * bool(m.pruned))
    yield "<h3>Along the most important ones</h3>"
    held = "All others are held at their medians, or most frequent levels. Marks on the axis are deciles of the rows."
    if m.classes is None:
        held += (
            " Bands, or bars, are 90 % intervals of what would be observed. Thin lines, or pale points, are ten rows "
            "of the table in which only this column is changed: where they go other ways, it acts together with others."
        )
    yield f'<p class="soft">{held}</p>'
    if drawn.classes:
        line = '<svg viewBox="0 0 32 12" aria-hidden="true"><path class="curve c{}" d="M0 6H32"/></svg>'
        items = "".join(f"<li>{line.format(k)}{safe(name)}</li>" for k, name in enumerate(drawn.classes))
        yield f'<ul class="legend">{items}</ul>'
    yield _pictures(drawn.of_inputs)


def _bars(shown: Sequence[Effect], caption: str) -> str:
    """Changes as numbers and as bars."""
    largest, lines = max(each.change for each in shown) or 1.0, words.changes(shown)
    rows = []
    for each, (name, *numbers) in zip(shown, lines, strict=True):
        cells = "".join(f"<td>{number}</td>" for number in numbers)
        part = f'<td><span class="part" style="--share:{100 * each.change / largest:.0f}%"></span></td>'
        rows.append(f'<tr><th scope="row">{safe(name)}</th>{cells}{part}</tr>')
    heading = ("column", "change", "mean")[: len(lines[0])]
    head = "".join(f'<th scope="col">{name}</th>' for name in heading)
    return _scrolled(
        "Changes by column",
        f"<table><caption>{caption}</caption><thead><tr>{head}<td></td></tr></thead><tbody>{''.join(rows)}</tbody></table>",
    )


def _columns(model: TableModel, m: Measures) -> Iterator[str]:
    if m.n_outside:
        yield (
            f"<p>{m.n_outside} of {how_many(m.n_held, 'row')} kept back lie outside of what the network has seen in "
            "some column: there it extrapolates.</p>"
        )
    outside = dict(m.outside)
    columns = list(model.schema.inputs)
    if len(columns) > LISTED:  # those first in which rows are outside
        columns.sort(key=lambda column: -outside.get(column.name, 0))
    rows = [
        (column.name, _kind(column, m), _range(column), str(outside.get(column.name, "")))
        for column in [model.schema.target, *columns[:LISTED]]
    ]
    caption = _first(min(LISTED, len(columns)), len(columns))
    yield _table(caption, ("column", "kind", "values", "rows outside"), rows, texts=(1, 2))


def _kind(column: Column, m: Measures) -> str:
    if column.name == m.target:
        return f"{column.kind}, the target"
    return f"{column.kind}, not used" if column.name in (*m.pruned, *m.constant) else column.kind


def _range(column: Column) -> str:
    if column.kind == "category":
        more = f" and {len(column.levels) - LEVELS} more" if len(column.levels) > LEVELS else ""
        return ", ".join(column.levels[:LEVELS]) + more
    if column.kind == "constant":
        return column.levels[0] if column.levels else words.number_of(column.unit_mean)
    return " to ".join(words.alike([column.smallest, column.largest]))


def _made(model: TableModel, m: Measures) -> Iterator[str]:
    yield _named({name.replace("_", " "): _plain(setting) for name, setting in model.settings.items()})
    if m.notes:
        yield '<h3>Notes</h3><ul class="notes">' + "".join(f"<li>{safe(note)}</li>" for note in m.notes) + "</ul>"


def _plain(setting: Any) -> str:
    """A setting as words; lists without their brackets, lists of lists as layers."""
    if isinstance(setting, (list, tuple)):
        return ", ".join("-".join(map(str, each)) if isinstance(each, (list, tuple)) else str(each) for each in setting)
    return str(setting)


def _first(shown: int, total: int) -> str:
    return how_many(total, "column") if shown == total else f"The first {shown} of {total} columns"


def _table(
    caption: str, heading: Sequence[str], rows: Sequence[Sequence[str]], own: int | None = None,
    texts: Sequence[int] = (),
) -> str:  # fmt: skip
    styles = ["text" if i in texts else "own" if i == own else "" for i in range(len(heading))]
    styles = [f' class="{style}"' if style else "" for style in styles]
    head = "".join(
        f'<th scope="col"{style}>{safe(cell)}</th>' if cell else "<td></td>"
        for cell, style in zip(heading, styles, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{safe(row[0])}</th>'
        + "".join(f"<td{style}>{safe(cell)}</td>" for cell, style in zip(row[1:], styles[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    table = f"<table><caption>{safe(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return _scrolled(caption, table)


def _scrolled(name: str, table: str) -> str:
    """A table that scrolls on its own where it is too wide, by keys too."""
    return f'<div class="wide" role="region" aria-label="{safe(name)}" tabindex="0">{table}</div>'


def _pictures(figures: Sequence[Figure]) -> str:
    items = [
        f"<figure><h3>{safe(each.title)}</h3>\n{each.svg}\n"
        + (f"<figcaption>{safe(each.below)}</figcaption>" if each.below else "")
        + "</figure>"
        for each in figures
    ]
    return '<div class="pictures">\n' + "\n".join(items) + "\n</div>"
