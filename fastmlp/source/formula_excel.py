"""A network as one formula of a spreadsheet: rows of numbers, products of matrices.

    u = (x - shift) / scale,    z = u W' + b,    a = h(z),    y = a scale + shift

A value that is used once stands where it is used. LET names the others, which older programs do not know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from fastmlp._types import Array
from fastmlp.source.c_formula import Formula
from fastmlp.source.formula_dialects import EXCEL

MOST_CHOICES = 254
CELL = re.compile(r"([A-Z]{1,3})([1-9]\d*)")


class Sheet:
    """The formula, as it grows from the inputs to the outputs."""

    def __init__(self, formula: Formula, inputs: Sequence[str]) -> None:
        self.named: list[str] = []
        self.text = _row(inputs)
        if formula.inputs is not None:
            shift, scale = (_array(each[np.newaxis]) for each in (formula.inputs.shift, formula.inputs.scale))
            self.text = f"({self.text}-{shift})/{scale}"
        for part in formula.parts():
            assert part.W is not None
            assert part.b is not None
            bias = f"+{_array(part.b[np.newaxis])}" if part.b.any() else ""
            self.text = f"MMULT({self.text},{_array(part.W.T)}){bias}"
            form = part.layer.activation
            if not form.is_elementwise:
                self._apply("EXP({z}-MAX({z}))", f"z_{part.number}")
                self._apply("{z}/SUM({z})", f"e_{part.number}")
            elif not form.is_linear:
                self._apply(EXCEL.forms[form.name], f"z_{part.number}")
        if formula.targets is not None:
            shift, scale = (_array(each[np.newaxis]) for each in (formula.targets.shift, formula.targets.scale))
            self.text = f"({self.text})*{scale}+{shift}"
        text = f"LET({','.join(self.named)},{self.text})" if self.named else self.text
        one = formula.architecture.layers[-1].n_out == 1
        self.whole = f"=SUMPRODUCT({text})" if one else f"={text}"  # older programs take arrays so, in any cell

    def _apply(self, template: str, name: str) -> None:
        if template.count("{z}") == 1:
            self.text = template.format(z=self.text)
        else:
            self.named.append(f"{name},{self.text}")
            self.text = template.format(z=name)


def cells(n: int) -> list[str]:
    """A2, B2, ...: the first columns of the row below that of names."""
    return [f"{_column(i)}2" for i in range(1, n + 1)]


def _column(number: int) -> str:
    """A to Z, AA, AB, ..."""
    text = ""
    while number:
        number, letter = divmod(number - 1, 26)
        text = chr(65 + letter) + text
    return text


def _row(inputs: Sequence[str]) -> str:
    """The inputs side by side, as a range if they stand so."""
    if len(inputs) == 1:
        return inputs[0]
    places = [CELL.fullmatch(each) for each in inputs]
    if all(places):
        columns, rows = zip(*[(_number(each[1]), each[2]) for each in places if each], strict=True)
        if len(set(rows)) == 1 and list(columns) == list(range(columns[0], columns[0] + len(columns))):
            return f"{inputs[0]}:{inputs[-1]}"
    if len(inputs) > MOST_CHOICES:
        raise ValueError(
            f"inputs: expected cells side by side, or at most {MOST_CHOICES} of them, got {len(inputs)}; "
            "leave inputs=None for the first columns of row 2"
        )
    return f"CHOOSE({{{','.join(map(str, range(1, len(inputs) + 1)))}}},{','.join(inputs)})"


def _number(letters: str) -> int:
    total = 0
    for letter in letters:
        total = 26 * total + ord(letter) - 64
    return total


def _array(rows: Array) -> str:
    """An array of constants, of the 15 digits that are read."""
    return "{" + ";".join(",".join(f"{value:.15g}" for value in row) for row in rows.tolist()) + "}"
