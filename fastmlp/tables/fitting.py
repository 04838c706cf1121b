"""From a table to a model: rows kept back, a size chosen by the evidence or by other rows, notes of what was done."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.tables import by_evidence, by_validation, entries, rows
from fastmlp.tables.columns import CATEGORY, CONSTANT, NUMBER, Schema, schema_of
from fastmlp.tables.model import TableModel
from fastmlp.tables.problem import Problem, Told, Wishes

EVIDENCE, VALIDATION = "evidence", "validation"
SEARCHES = {EVIDENCE: by_evidence.choose, VALIDATION: by_validation.choose}
UNITS = 10  # of the network that tells what a search costs
LARGEST = 5e7  # multiplications of its curvature matrix, up to which the evidence chooses: a search forms hundreds
WIDE = 10  # times as many where rows are fewer than parameters, of which each takes fewer steps

Samples = tuple[Float, Array]


class Fitted(NamedTuple):
    """A model, the rows that it was trained on, and those that it has not seen: inputs and targets, as coded."""

    model: TableModel
    train: Samples
    held: Samples


def fit(frame: Any, target: str, wishes: Wishes, name: str, told: Told) -> Fitted:
    """Fit a network to a table.

    Parameters
    ----------
    frame : pandas.DataFrame
    target : str
        The column to predict.
    wishes : Wishes
    name : str
        Of the file, for the record.
    told : callable
        ``told(text, share)``: what is being done, and what share of the time is over.

    Raises
    ------
    ValueError
        If the table cannot be understood: with row and column.
    """
    schema = schema_of(frame, target, wishes.ignored, classes=wishes.classes)
    X, T = schema.encoded(frame), schema.target_of(frame)
    kept, held = rows.kept_back(T, wishes.share, np.random.default_rng(wishes.seed))
    train = X[kept], T[kept]
    if schema.target.kind == NUMBER and np.ptp(train[1]) == 0:
        raise ValueError(
            f"column {target!r}: expected a target that varies, got the same but in rows that are kept back"
        )
    schema = schema.measured(*train)
    n_outputs = 1 if schema.target.kind == NUMBER else len(schema.target.levels)
    problem = Problem(*train, n_outputs, wishes, time.monotonic() + wishes.seconds, told)
    method = EVIDENCE if is_small(len(kept), X.shape[1], n_outputs) else VALIDATION
    found = SEARCHES[method](problem)
    settings = {
        "file": name, "target": target, "seed": wishes.seed, "rows": len(X), "rows_held_out": len(held),
        "method": method, "hidden_tried": found.tried, "hidden": list(found.network.layers[1:-1]),
        "seconds": wishes.seconds,
    }  # fmt: skip
    notes = (*_notes(schema, frame, wishes), *found.notes)
    model = TableModel(
        schema,
        found.network,
        found.posterior,
        found.noise_std,
        settings,
        notes,
        found.scores,
        found.is_even,
        found.temperature,
    )
    return Fitted(model, train, (X[held], T[held]))


def is_small(n_rows: int, n_columns: int, n_outputs: int) -> bool:
    """Whether a search by the evidence takes seconds: N K min(P, N K) P multiplications for each curvature matrix."""
    parameters, residuals = UNITS * (n_columns + 1 + n_outputs), n_rows * n_outputs
    cost = residuals * parameters * min(parameters, residuals)
    return cost <= LARGEST * (WIDE if residuals < parameters else 1)


def _notes(schema: Schema, frame: Any, wishes: Wishes) -> list[str]:
    """What has become of columns that are not numbers, or not inputs."""
    notes = []
    for column in schema.inputs:
        if column.kind == CATEGORY:
            levels = ", ".join(column.levels[:6]) + (", ..." if len(column.levels) > 6 else "")
            coded = f"{len(column.coded)} column" + "s" * (len(column.coded) > 1)
            notes.append(f"{column.name} holds texts ({levels}): {coded} of 0 and 1")
    constant = [column.name for column in schema.inputs if column.kind == CONSTANT]
    if constant:
        notes.append(f"left out, as they are the same in all rows: {', '.join(constant)}")
    if wishes.ignored:
        notes.append(f"ignored, as asked: {', '.join(wishes.ignored)}")
    target = schema.target
    if target.kind == CATEGORY and all(map(entries.is_number, target.levels)):
        notes.append(f"the numbers of {target.name} are taken as {len(target.levels)} classes")
    return notes
