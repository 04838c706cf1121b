"""The constants of a C99 program, and its function NET_predict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastmlp._types import Array
from fastmlp.source import c_numbers
from fastmlp.source.c_formula import Formula, Style
from fastmlp.source.c_layers import Part


class Outputs:
    """The pieces of the text that are there in any case."""

    def __init__(self, formula: Formula, style: Style) -> None:
        self.formula, self.style = formula, style
        self.parts = list(formula.parts())
        self.D, self.K, self.net = self.parts[0].layer.n_in, self.parts[-1].layer.n_out, style.name

    @property
    def curved(self) -> list[Part]:
        """The layers whose activation has a slope."""
        forms = ((part, part.layer.activation) for part in self.parts)
        return [part for part, form in forms if form.is_elementwise and not form.is_linear]

    # ---- constants ----

    def _array(self, name: str, values: Array) -> str:
        return c_numbers.array(f"{self.net}_{name}", values, self.style.dtype)

    def _scales(self) -> str:
        text = ""
        if self.formula.inputs is not None:
            text += self._array("input_scale", self.formula.inputs.scale)
            text += self._array("input_shift", self.formula.inputs.shift)
            text += self._array("input_rest", self._rest) if self._rest.any() else ""
        if self.formula.targets is not None:
            text += self._array("output_scale", self.formula.targets.scale)
            text += self._array("output_shift", self.formula.targets.shift)
        return text

    @property
    def _rest(self) -> Array:
        """What the type does not hold of the shifts of inputs: x - shift is to be exact where x is far from 0."""
        assert self.formula.inputs is not None
        shift, dtype = self.formula.inputs.shift, self.style.dtype
        return np.asarray((shift - shift.astype(dtype)).astype(dtype))

    def _root(self) -> list[str]:
        deviation = self.formula.deviation
        if deviation is None:
            return []
        return [
            *(self._array(name, values) for name, values in deviation.roots.items()),
            self._array("noise", deviation.noise),
            *([] if self._all_free else [c_numbers.integers(f"{self.net}_free", deviation.places)]),
            *([] if self._ones else [self._array("factor", deviation.coefficient)]),
        ]

    @property
    def _all_free(self) -> bool:
        assert self.formula.deviation is not None
        places = self.formula.deviation.places
        return self._ones and np.array_equal(places, np.arange(len(places)))

    @property
    def _ones(self) -> bool:
        assert self.formula.deviation is not None
        return bool((self.formula.deviation.coefficient == 1).all())

    def _named(self, backward: bool) -> list[str]:
        """The functions of numbers that are called."""
        names = [part.layer.activation.name for part in self.curved if not self.style.is_wide(part)]
        slopes = [f"{name}_slope" for name in names if backward]
        return [*names, *slopes, *([] if self.parts[-1].layer.activation.is_elementwise else ["decay"])]

    # ---- forward ----

    def _standardized(self, u: str) -> str:
        if self.formula.inputs is None:
            return ""
        net = self.net
        difference = f"(x[i] - {net}_input_shift[i])"
        if self._rest.any():
            difference = f"({difference} - {net}_input_rest[i])"
        return loop(self.D, f"{u}[i] = {difference} / {net}_input_scale[i];")

    def _layer(self, part: Part, before: str, to: str, wide: str, slope: str | None) -> str:
        """The call of a layer, and its activation; `slope` is where h'(z) is wanted."""
        form, net, n = part.layer.activation, self.net, part.layer.n_out
        if self.style.is_wide(part):
            slopes = {"sin": "cos", "exp": "exp"}[form.name]
            text = f"    {net}_layer{part.number}({before}, {wide});\n"
            text += loop(n, f"{to}[i] = (float){form.name}({wide}[i]);")
            return text + (loop(n, f"{slope}[i] = (float){slopes}({wide}[i]);") if slope else "")
        text = f"    {net}_layer{part.number}({before}, {to});\n"
        if form.is_linear:
            return text
        if not form.is_elementwise:
            return text + f"    {net}_softmax({to});\n"
        text += loop(n, f"{slope}[i] = {net}_{form.name}_slope({to}[i]);") if slope else ""
        return text + loop(n, f"{to}[i] = {net}_{form.name}({to}[i]);")

    def _scaled(self) -> str:
        if self.formula.targets is None:
            return ""
        return loop(self.K, f"y[i] = {self.net}_output_shift[i] + {self.net}_output_scale[i] * y[i];")

    @property
    def _most_wide(self) -> int:
        return max([part.layer.n_out for part in self.parts if self.style.is_wide(part)], default=0)

    def _predict(self) -> str:
        """Layers by turns in two arrays."""
        sizes = [max([0, *(part.layer.n_out for part in self.parts[:-1][k::2])]) for k in (0, 1)]
        has_units = self.formula.inputs is not None
        real = self.style.real
        room = arrays([("u", self.D * has_units), ("p", sizes[0]), ("q", sizes[1])], real)
        room += arrays([("wide", self._most_wide)], "double")
        body, at = self._standardized("u"), "u" if has_units else "x"
        for place, part in enumerate(self.parts):
            to = "y" if part is self.parts[-1] else "pq"[place % 2]
            body += self._layer(part, at, to, "wide", None)
            at = to
        body += self._scaled()
        counter = "    int i;\n" if "(i = " in body else ""
        softmax = "" if self.parts[-1].layer.activation.is_elementwise else self._softmax() + "\n"
        return f"{softmax}void {self.net}_predict(const {real} *x, {real} *y)\n{{\n{room}{counter}{body}}}\n"

    def _class(self) -> str:
        """The place of the most probable class; of two, whose outputs are one probability, 1 from one half on."""
        if not self.formula.classes:
            return ""
        net, real = self.net, self.style.real
        text = f"int {net}_class(const {real} *x)\n{{\n    {real} y[{self.K}];\n"
        if self.K == 1:
            half = self.style.literal(0.5)
            last = len(self.formula.classes) - 1
            return f"{text}    {net}_predict(x, y);\n    return y[0] > {half} ? {last} : 0;\n}}\n"
        text += f"    int i, best = 0;\n    {net}_predict(x, y);\n"
        return f"{text}{loop(self.K, 'best = y[i] > y[best] ? i : best;')}    return best;\n}}\n"

    def _softmax(self) -> str:
        real, net, n = self.style.real, self.net, self.K
        zero = self.style.literal(0.0)
        return (
            f"static void {net}_softmax({real} *y)\n{{\n    {real} most = y[0], sum = {zero};\n    int i;\n"
            + loop(n, "most = y[i] > most ? y[i] : most;") + loop(n, f"y[i] = {net}_decay(y[i] - most);")
            + loop(n, "sum += y[i];") + loop(n, "y[i] /= sum;") + "}\n"
        )  # fmt: skip


def loop(n: int, statement: str, indent: int = 4) -> str:
    """Something for each of n numbers."""
    before = " " * indent
    return f"{before}for (i = 0; i < {n}; i++)\n{before}    {statement}\n"


def arrays(sizes: Sequence[tuple[str, int]], real: str) -> str:
    """Declarations of those that have a size."""
    there = ", ".join(f"{name}[{size}]" for name, size in sizes if size)
    return f"    {real} {there};\n" if there else ""
