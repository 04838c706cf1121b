"""`to_formula`: networks as functions and expressions of other languages, of numbers and names alone."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._version import __version__
from fastmlp.model.layers import Dense
from fastmlp.source import models
from fastmlp.source.c_formula import Formula
from fastmlp.source.formula_dialects import DIALECTS, OWN
from fastmlp.source.formula_excel import Sheet, cells
from fastmlp.source.formula_lines import levels
from fastmlp.source.formula_texts import TEXTS

MOST_CHARACTERS = 8192  # of a formula in Excel
MOST_COLUMNS = 1664  # of a table in PostgreSQL; SQLite takes 2,000
MOST_CLASSES = 500  # parts of a UNION in SQLite


def to_formula(
    model: Any,
    dialect: str,
    path: str | os.PathLike[str] | None = None,
    *,
    inputs: Any = None,
    name: str = "net",
) -> str:
    r"""The network as a formula in double precision: for queries, spreadsheets, web pages and scripts.

    Parameters
    ----------
    model : Network, Laplace, Evidence, MLPRegressor or MLPClassifier
        Of dense layers. What its outputs are: see `to_c`.
    dialect : {"python", "javascript", "matlab", "sql", "excel"}
        What it is written in.
    path : str or path-like, optional
        A file to write it to.
    inputs : sequence of D str, optional
        What inputs are called: arguments; columns, for SQL, where a name that is no word is put between quotes; cells
        or names of a spreadsheet. None: the names an estimator has seen in `fit`, or x1, x2, ...; in a spreadsheet the
        cells A2, B2, ...
    name : str, default="net"
        What the function is called; SQL and Excel have none.

    Returns
    -------
    str
        "python": a function of D numbers, with the module math alone; of K > 1 outputs it returns a tuple.
        "javascript": likewise, an array. "matlab": a function of D arrays of one shape with K results, also for Octave.
        "sql": an expression, as ``SELECT id, (...) AS y FROM samples`` takes it; of K > 1 outputs K of them, which end
        in AS y1, AS y2, ..., with a comma between. For SQLite, PostgreSQL and DuckDB.
        "excel": a formula to be copied down; of K > 1 outputs a row of K cells.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; if a layer is not dense, or the dialect lacks an activation: gelu in JavaScript and
        SQL; if a formula is longer than the 8,192 characters Excel takes, or of more units than columns of a table.
    OSError
        If the file cannot be written.

    Notes
    -----
    Numbers have the digits that are read as the same bits, in Excel 15. Where the network knows its units
    (`Network.units`), x is mapped to (x - shift) / scale first. Nothing overflows in between; parameters that are 0
    are left out. The length of a text is about 25 characters for each parameter, in Excel 18.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 1], output="logistic")
    >>> net.params = [0.5, -2.0, 1.0]
    >>> print(fastmlp.to_formula(net, "javascript", inputs=["dose", "age"], name="risk").partition("\n")[2], end="")
    function risk(dose, age) {
      const u1 = Number(dose);
      const u2 = Number(age);
      const z1_1 = 1.0 + 0.5 * u1 - 2.0 * u2;
      const a1_1 = 1 / (1 + Math.exp(-z1_1));
      const y1 = a1_1;
      return y1;
    }
    >>> fastmlp.to_formula(net, "excel")
    '=SUMPRODUCT(LET(z_1,MMULT(A2:B2,{0.5;-2})+{1},1/(1+EXP(-IF(z_1>-700,z_1,-700)))))'
    """
    formula = models.formula(model, False)[0]
    dialect = check.choice(dialect, "dialect", tuple(DIALECTS))
    name = models.identifier(name)
    if name in DIALECTS[dialect].taken or OWN.fullmatch(name):
        raise ValueError(f"name: expected one that {dialect} has no other use for, got {name!r}")
    _can_say(formula, dialect)
    names = _inputs(inputs, formula, dialect)
    if dialect == "excel":
        text = Sheet(formula, names).whole
        if len(text) > MOST_CHARACTERS:
            raise ValueError(
                f"dialect: expected a formula of at most {MOST_CHARACTERS} characters for a cell of Excel, got "
                f"{len(text)} of a network of {len(formula.params)} parameters; take fewer units, or to_c for a plug-in"
            )
    else:
        lines = list(levels(formula, names, DIALECTS[dialect]))
        text = TEXTS[dialect](name, names, lines, f"{name}: {formula.phrase}; written by fastmlp {__version__}")
    if path is not None:
        models.write(check.path(path), text)
    return text


def _can_say(formula: Formula, dialect: str) -> None:
    """Refuses what the dialect has no words for."""
    if not np.isfinite(formula.params).all():
        raise ValueError("model: expected finite parameters, got nan or infinite ones")
    for place, layer in enumerate(formula.architecture.layers, 1):
        form = layer.activation
        if not isinstance(layer.kind, Dense):
            raise ValueError(f"model: expected dense layers, got layer {place}, which is {layer.kind!r}; take to_c")
        if form.is_elementwise and not form.is_linear and form.name not in DIALECTS[dialect].forms:
            raise ValueError(f"model: expected activations that {dialect} has, got {form.name} in layer {place}")
        most = MOST_COLUMNS if form.is_elementwise else MOST_CLASSES
        if dialect == "sql" and max(layer.n_in, layer.n_out) > most:
            raise ValueError(
                f"model: expected layers of at most {most} units for columns of SQL, got {layer.n_in} to {layer.n_out} "
                f"in layer {place}; take to_c"
            )


def _inputs(inputs: Any, formula: Formula, dialect: str) -> list[str]:
    """Their names, as the dialect writes them."""
    D, rule = formula.architecture.layers[0].n_in, DIALECTS[dialect]
    if inputs is None:
        if dialect == "excel":
            return cells(D)
        names = list(formula.names) or [f"x{i}" for i in range(1, D + 1)]
    else:
        names = check.sequence(inputs, "inputs", "names")
    if len(names) != D or not all(isinstance(each, str) for each in names):
        raise ValueError(f"inputs: expected {D} names, got {check.shown(inputs)}")
    for place, each in enumerate(names):
        plain = re.fullmatch(rule.name, each) and each.lower() not in rule.taken and each not in rule.taken
        if dialect != "excel":  # a feature's name is that of a column; one that is given may begin with a table's
            parts = each.split(".") if inputs is not None else [each]
            plain = plain and all(part.isidentifier() for part in parts)
        if dialect == "sql" and not plain and "\0" not in each:
            names[place] = '"' + each.replace('"', '""') + '"'
        elif not plain or (dialect not in ("sql", "excel") and OWN.fullmatch(each)):
            raise ValueError(
                f"inputs: expected names that {dialect} takes, and that are not those of the text itself (u1, z1_1, "
                f"a1_1, y1, ...), got {check.shown(each)}; give inputs=[...], {D} names"
            )
    if len(set(names)) < D and dialect != "excel":
        raise ValueError(f"inputs: expected different names, got {check.shown(inputs)}")
    return names
