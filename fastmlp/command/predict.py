"""``fastmlp predict``: what a model foretells of the rows of another table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from fastmlp import _optional
from fastmlp.command.asking import wanted
from fastmlp.command.files import check_places, named
from fastmlp.tables import model as models
from fastmlp.tables import reading


def add_to(commands: Any) -> None:
    """The command and its arguments."""
    predict = commands.add_parser(
        "predict",
        help="predict the rows of a table by a model that fit has written",
        description="Predict the rows of a table (CSV or Parquet): its columns, and the predictions behind them.",
    )
    predict.add_argument("model", type=Path, help="what fastmlp fit has written")
    predict.add_argument("data", type=Path, help="a table with the columns that the model knows, in any order")
    predict.add_argument("-o", "--output", type=Path, metavar="FILE", help="a CSV, or .parquet (default: CSV, printed)")
    predict.add_argument(
        "--interval",
        type=wanted(float, lambda p: 0.0 < p < 1.0, "a probability between 0 and 1, such as 0.95"),
        metavar="P",
        help="such as 0.95: also the ends of the interval with this probability",
    )
    predict.set_defaults(run=run)


def run(asked: argparse.Namespace) -> None:
    """Read, predict, write."""
    check_places(asked.data, {"--output": asked.output})
    check_places(asked.model, {"--output": asked.output})
    with named(asked.model):
        model = models.load(asked.model)
    if model.classes is not None and asked.interval is not None:
        raise ValueError("argument --interval: expected none for a model of classes, whose probabilities say all")
    with named(asked.data):
        frame = reading.table(asked.data)
        found = model.predict(frame, asked.interval)
    found.columns = [_free(name, set(frame.columns)) for name in found.columns]
    both = _optional.load("pandas", "pandas", "fastmlp predict").concat([frame, found], axis=1)
    if asked.output is None:
        both.to_csv(sys.stdout, index=False)
    else:
        reading.write(asked.output, both)


def _free(name: str, taken: set[str]) -> str:
    """What a prediction is called: not as a column that is there, such as the target."""
    name = f"predicted {name}"
    while name in taken:
        name += "'"
    return name
