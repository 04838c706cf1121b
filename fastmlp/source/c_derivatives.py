"""The functions NET_jacobian and NET_std of a C99 program: back through the layers, for one output after the other."""

from __future__ import annotations

import numpy as np

from fastmlp.source import c_numbers
from fastmlp.source.c_formula import Wide
from fastmlp.source.c_outputs import Outputs, arrays, loop


class Derivatives(Outputs):
    """The pieces of the text that are there if they are asked for."""

    def _traced(self) -> str:
        """All layers at once, in a record, for what goes back through them."""
        net, real, parts = self.net, self.style.real, self.parts
        has_units = self.formula.inputs is not None
        sizes = [("u", self.D * has_units), *((f"a{part.number}", part.layer.n_out) for part in parts[:-1])]
        sizes += [(f"s{part.number}", part.layer.n_out) for part in self.curved]
        most = max(part.layer.n_out for part in parts)
        sizes += [("d", most), ("g", most)]
        record = arrays(sizes, real) + arrays([("wide", self._most_wide)], "double")
        body = self._standardized("t->u")
        for part, before in zip(parts, self._befores(), strict=True):
            to = "y" if part is parts[-1] else f"t->a{part.number}"
            body += self._layer(part, before, to, "t->wide", f"t->s{part.number}" if part in self.curved else None)
        counter = "    int i;\n" if "(i = " in body else ""
        body += "" if "t->" in body else "    (void)t; /* of one layer without a slope nothing is kept */\n"
        return (
            f"/* inputs of layers, a; slopes h'(z), s; room for derivatives */\nstruct {net}_trace {{\n{record}}};\n\n"
            f"static void {net}_traced(const {real} *x, struct {net}_trace *t, {real} *y)\n{{\n{counter}{body}}}\n"
        )

    def _befores(self) -> list[str]:
        """What layers take."""
        first = "x" if self.formula.inputs is None else "t->u"
        return [first, *(f"t->a{part.number}" for part in self.parts[:-1])]

    def _of_output(self, d: str) -> str:
        """The derivative dy_k / dz of the last layer."""
        last, one, zero = self.parts[-1], self.style.literal(1.0), self.style.literal(0.0)
        if not last.layer.activation.is_elementwise:
            # all add up to 0, and 1 - y_k loses its digits where y_k is near 1
            others = loop(self.K, f"{d}[i] = i == k ? {zero} : -y[k] * y[i];", 8)
            return others + loop(self.K, f"{d}[k] -= i == k ? {zero} : {d}[i];", 8)
        value = f"t->s{last.number}[k]" if last in self.curved else one
        return loop(self.K, f"{d}[i] = i == k ? {value} : {zero};", 8)

    def _back(self, place: int, d: str, g: str) -> str:
        """From dy_k / dz of a layer to that of the one before."""
        part, before = self.parts[place], self.parts[place - 1]
        text = f"        {self.net}_back{part.number}({self._befores()[place]}, {d}, {g});\n"
        if place and before in self.curved:
            text += loop(before.layer.n_out, f"{g}[i] *= t->s{before.number}[i];", 8)
        return text

    def _opened(self, name: str, last: str) -> str:
        net, real = self.net, self.style.real
        return (f"void {net}_{name}(const {real} *x, {real} *y, {real} *{last})\n{{\n"
                f"    struct {net}_trace trace, *const t = &trace;\n")  # fmt: skip

    def _jacobian(self) -> str:
        net, d, g = self.net, "t->d", "t->g"
        text = self._opened("jacobian", "J") + f"    int i, k;\n    {net}_traced(x, t, y);\n"
        text += f"    for (k = 0; k < {self.K}; k++) {{\n        {self.style.real} *const row = J + k * {self.D};\n"
        text += self._of_output(d)
        for place in reversed(range(len(self.parts))):
            text += self._back(place, d, g if place else "row")
            d, g = g, d
        if self.formula.targets is not None:
            text += loop(self.D, f"row[i] *= {net}_output_scale[k];", 8)
        if self.formula.inputs is not None:
            text += loop(self.D, f"row[i] /= {net}_input_scale[i];", 8)
        return f"{text}    }}\n{self._scaled()}}}\n"

    def _std(self) -> str:
        """The root of noise_k + |R g|^2, with the gradient g by the free parameters."""
        deviation, net, real = self.formula.deviation, self.net, self.style.real
        assert deviation is not None
        n, P, zero, d, g = deviation.n, len(deviation.places), self.style.literal(0.0), "t->d", "t->g"
        v = "by_w" if self._all_free else "by_v"
        wide = len(deviation.root.H) if isinstance(deviation.root, Wide) else 0
        sizes = [("by_w", P), (v, n * (v != "by_w")), ("through", wide)]
        text = self._opened("std", "s") + arrays(sizes, real) + arrays([("c", n * (wide > 0))], real)
        is_diagonal = not wide and np.ndim(deviation.root) == 1
        text += "    int i, k;\n" if is_diagonal else "    int i, j, k;\n"
        text += f"    {net}_traced(x, t, y);\n    for (k = 0; k < {self.K}; k++) {{\n"
        text += f"        {real} sum = {net}_noise[k];\n" + self._of_output(d)
        for place in reversed(range(len(self.parts))):
            part, first = self.parts[place], sum(each.layer.n_params for each in self.parts[:place])
            if part.W is not None:
                before = self._befores()[place]
                text += f"        {net}_gradient{part.number}({before}, {d}, by_w + {first});\n"
            if place:
                text += self._back(place, d, g)
                d, g = g, d
        if not self._all_free:
            factor = "" if self._ones else f"{net}_factor[i] * "
            text += loop(n, f"by_v[i] = {zero};", 8)
            text += loop(P, f"if ({net}_free[i] >= 0)\n                by_v[{net}_free[i]] += {factor}by_w[i];", 8)
        text += self._squares(n, v)
        scale = "" if self.formula.targets is None else f"{net}_output_scale[k] * "
        root = f"sqrt{c_numbers.TYPES[self.style.dtype]['f']}"
        return f"{text}        s[k] = {scale}{root}(sum);\n    }}\n{self._scaled()}}}\n"

    def _squares(self, n: int, v: str) -> str:
        """Adds |R v|^2; of a triangle of rows, a diagonal, or the parts of a wide root."""
        assert self.formula.deviation is not None
        net, real, zero, root = self.net, self.style.real, self.style.literal(0.0), self.formula.deviation.root
        if isinstance(root, Wide):
            return self._wide_squares(len(root.H), n, v)
        if root.ndim == 1:
            return loop(n, f"sum += ({net}_root[i] * {v}[i]) * ({net}_root[i] * {v}[i]);", 8)
        return f"""\
        for (i = 0; i < {n}; i++) {{
            const {real} *const row = {net}_root + (uint32_t)i * (uint32_t)(i + 1) / 2;
            {real} part = {zero};
            for (j = 0; j <= i; j++)
                part += row[j] * {v}[j];
            sum += part * part;
        }}
"""

    def _wide_squares(self, m: int, n: int, v: str) -> str:
        """The sum of squares of c - H' X' H c, with c = D v."""
        net, real, zero = self.net, self.style.real, self.style.literal(0.0)
        return f"""\
        for (i = 0; i < {n}; i++)
            c[i] = {net}_wide_D[i] * {v}[i];
        for (j = 0; j < {m}; j++) {{
            through[j] = {zero};
            for (i = 0; i < {n}; i++)
                through[j] += {net}_wide_H[(int32_t)j * {n} + i] * c[i];
        }}
        for (j = 0; j < {m}; j++) {{
            {real} part = {zero};
            int q;
            for (q = 0; q < {m}; q++)
                part += {net}_wide_X[(int32_t)q * {m} + j] * through[q];
            for (i = 0; i < {n}; i++)
                c[i] -= part * {net}_wide_H[(int32_t)j * {n} + i];
        }}
        for (i = 0; i < {n}; i++)
            sum += c[i] * c[i];
"""
