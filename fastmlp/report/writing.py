"""`written`: a report as a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fastmlp import _validation as check
from fastmlp import replacement
from fastmlp.report import pictures
from fastmlp.report.effects import curves
from fastmlp.report.foretold import Pair, foretold, rows_of
from fastmlp.report.judging import measures_of
from fastmlp.report.measures import Measures
from fastmlp.report.page import Drawn, page

if TYPE_CHECKING:
    from fastmlp.tables.model import TableModel

CURVES = 6  #: of the most important inputs


def written(model: TableModel, train: Pair, held: Pair, path: str | os.PathLike[str]) -> Measures:
    """Write a page that says how good a model of a table is, with pictures.

    Parameters
    ----------
    model, train, held
        As for `fastmlp.report.measured`.
    path : str or os.PathLike
        Of a file, by its name one of HTML. It is there whole or not at all; an old one is replaced.

    Returns
    -------
    Measures
        What the page tells of.

    Raises
    ------
    TypeError, ValueError
        As of `fastmlp.report.measured`.
    OSError
        If the file cannot be written.

    Notes
    -----
    One file, without scripts and without a network, for light and dark screens, phones and paper. The same arguments
    give the same bytes. Names and texts of the table are escaped.
    """
    path, own, others = check.path(path), rows_of(model, train, "train"), rows_of(model, held, "held")
    seen = foretold(model, own, others)
    m = measures_of(model, own, others, seen)
    used = [each.name for each in m.effects if each.name not in m.pruned]
    along = curves(model, own.X, tuple(used[:CURVES]))
    drawn = Drawn(list(pictures.of_rows(m, seen)), *pictures.of_inputs(m, along))
    replacement.write(path, page(model, m, drawn).encode())
    return m
