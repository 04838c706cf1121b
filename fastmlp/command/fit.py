"""``fastmlp fit``: a table on disk becomes a model on disk, and a report says how good it is."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastmlp import report
from fastmlp._progress import Progress
from fastmlp.command.asking import wanted
from fastmlp.command.files import check_places, named
from fastmlp.tables import fitting, reading
from fastmlp.tables.problem import Told, Wishes

EXTENSION = ".fastmlp"


def add_to(commands: Any) -> None:
    """The command and its arguments."""
    wishes = Wishes()
    fit = commands.add_parser(
        "fit",
        help="fit a network with error bars to a table, and say how good it is",
        description="Fit a network to a table (CSV or Parquet): a column of numbers is predicted with error bars, a "
        "column of texts as classes. A fifth of the rows is kept back, and tells how good the model is.",
    )
    fit.add_argument("data", type=Path, help="the table; row 1 of a CSV has the names of its columns")
    fit.add_argument("--target", required=True, metavar="NAME", help="the column to predict")
    fit.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the model (default: the name of the table, .fastmlp)"
    )
    fit.add_argument("--report", type=Path, metavar="FILE", help="also write a page in HTML, with pictures")
    fit.add_argument(
        "--size", type=_size, default="auto", metavar="N", help="hidden units, 20 or 64,64 (default: auto, chosen)"
    )
    fit.add_argument("--ignore", action="append", default=[], metavar="NAME", help="a column to leave out; repeatable")
    fit.add_argument("--classes", action="store_true", help="numbers in the target name classes")
    fit.add_argument(
        "--keep-back", type=_share, default=wishes.share, metavar="SHARE", help="of the rows (default: %(default)s)"
    )
    fit.add_argument("--seed", type=_seed, default=wishes.seed, metavar="N", help="of all draws (default: %(default)s)")
    fit.add_argument(
        "--seconds", type=_seconds, default=wishes.seconds, metavar="S",
        help="the longest search, after which the best found is taken (default: %(default)g)",
    )  # fmt: skip
    fit.add_argument("--quiet", action="store_true", help="show no progress")
    fit.set_defaults(run=run)


def run(asked: argparse.Namespace) -> None:
    """Read, fit, write the model and the page, print the report."""
    model_path = asked.output or Path(f"{asked.data.stem}{EXTENSION}")
    check_places(asked.data, {"--output": model_path, "--report": asked.report})
    wishes = Wishes(asked.seed, asked.seconds, asked.keep_back, asked.size, asked.classes, tuple(asked.ignore))
    with named(asked.data):
        frame = reading.table(asked.data)
        with _progress(not asked.quiet) as told:
            model, train, held = fitting.fit(frame, asked.target, wishes, asked.data.name, told)
    if asked.report is None:
        found = report.measured(model, train, held)
    else:
        found = report.written(model, train, held, asked.report)
    model.save(model_path)
    print(report.text(found))
    print(f"\nwrote {model_path}" + (f" and {asked.report}" if asked.report else ""))


@contextlib.contextmanager
def _progress(shown: bool) -> Iterator[Told]:
    """What takes ``told(text, share)``, and shows it where a line can update."""
    line = Progress("time", int(shown), 100)
    try:
        yield lambda text, share: line.tell(round(100 * share), lambda: text) if line.in_place else None
    finally:
        line.close()


def _sizes(text: str) -> tuple[int, ...] | None:
    return None if text == "auto" else tuple(map(int, text.split(",")))


_size = wanted(
    _sizes,
    lambda sizes: sizes is None or (min(sizes) >= 1 and max(sizes) <= 10_000),
    "auto, or numbers of hidden units such as 20 or 64,64",
)
_share = wanted(float, lambda share: 0.0 < share <= 0.5, "a share above 0, of 0.5 at most")
_seed = wanted(int, lambda seed: 0 <= seed < 2**32, f"a whole number from 0 to {2**32 - 1}")
_seconds = wanted(float, lambda seconds: 0.0 < seconds < 1e6, "a number of seconds above 0")
