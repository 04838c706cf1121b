"""``fastmlp show``: what a file holds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import fastmlp
from fastmlp._tables import Table
from fastmlp.command.files import named
from fastmlp.tables.columns import CATEGORY, NUMBER, Column
from fastmlp.tables.model import TableModel

MOST_COLUMNS = 40  # that are listed


def add_to(commands: Any) -> None:
    """The command and its arguments."""
    show = commands.add_parser(
        "show",
        help="show what the file of a model holds",
        description="Show what the file of a model holds: what fit, or net.save and posterior.save have written.",
    )
    show.add_argument("model", type=Path, help="what fastmlp fit, net.save(path) or posterior.save(path) has written")
    show.set_defaults(run=run)


def run(asked: argparse.Namespace) -> None:
    """Print it."""
    with named(asked.model):
        model: Any = fastmlp.load(asked.model)
    print(_of_table(model) if isinstance(model, TableModel) else _of_network(model))


def _of_network(model: Any) -> str:
    return str(model.summary() if isinstance(model, fastmlp.Network) else model)


def _of_table(model: TableModel) -> str:
    s = model.settings
    kept = f"{s.get('rows')} rows, {s.get('rows_held_out')} of them kept back"
    begin = f"{s.get('target')!r} of {s.get('file')}: {kept}, seed {s.get('seed')}; size by {s.get('method')}"
    listed = model.schema.inputs[:MOST_COLUMNS]
    rows = [(column.name, column.kind, _range(column)) for column in (model.schema.target, *listed)]
    rows[0] = (f"{rows[0][0]} (target)", *rows[0][1:])
    more = len(model.schema.inputs) - len(listed)
    blocks = [begin, str(Table(rows, ("column", "kind", "values"), "<<<")) + (f"\n... {more} more" if more else "")]
    blocks.append(_of_network(model.network if model.posterior is None else model.posterior))
    notes = "\n".join(f"note: {note}" for note in model.notes)
    return "\n\n".join([*blocks, *([notes] if notes else [])])


def _range(column: Column) -> str:
    if column.kind == NUMBER:
        return f"{column.smallest:.6g} to {column.largest:.6g}"
    if column.kind == CATEGORY:
        return ", ".join(column.levels[:6]) + (", ..." if len(column.levels) > 6 else "")
    return column.levels[0] if column.levels else f"{column.smallest:.6g}"
