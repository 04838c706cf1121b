"""The whole text of a C99 program, and of its header."""

from __future__ import annotations

import numpy as np

from fastmlp._types import Array
from fastmlp._version import __version__
from fastmlp.source import c_layers, c_numbers
from fastmlp.source.c_derivatives import Derivatives

TRIALS = 3  # inputs whose outputs are written beside the code
FAR = 32.0  # roundings of the largest output, or of its terms, by which they may differ


class Program(Derivatives):
    """A formula, as it is written."""

    @property
    def n_bytes(self) -> int:
        """The size of all constants."""
        scales = (self.formula.inputs, self.formula.targets)
        count = len(self.formula.params) + sum(2 * len(each.scale) for each in scales if each is not None)
        size = int(c_numbers.TYPES[self.style.dtype]["size"])
        count += len(self._rest) if self.formula.inputs is not None and self._rest.any() else 0
        letters = sum(len(each.encode()) + 1 for each in self.formula.classes)
        if self.formula.deviation is None:
            return size * count + letters
        deviation = self.formula.deviation
        places = deviation.places
        count += len(deviation.noise) + sum(values.size for values in deviation.roots.values())
        return size * (count + len(places) * (not self._ones)) + 4 * len(places) * (not self._all_free) + letters

    def header(self, jacobian: bool) -> str:
        """A file of declarations."""
        guard = f"{self.net.upper()}_H"
        declared = "\n".join(self._declared(jacobian))
        return (
            f'#ifndef {guard}\n#define {guard}\n\n#ifdef __cplusplus\nextern "C" {{\n#endif\n\n{declared}\n\n'
            "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
        )

    def text(self, jacobian: bool) -> str:
        """The whole file."""
        backward = jacobian or self.formula.deviation is not None
        constants = [c_layers.constants(part, *self.style) for part in self.parts]
        pieces = [
            self._head(),
            self._included(jacobian),
            "".join([*constants, self._scales(), *self._root(), self._names()]),
        ]
        pieces += [c_numbers.functions(self._named(backward), self.net, self.style.dtype)]
        pieces += [c_layers.forward(part, *self.style, self.style.is_wide(part)) for part in self.parts]
        pieces += [self._predict(), self._class()]
        if backward:
            pieces += [c_layers.backward(part, *self.style) for part in self.parts[0 if jacobian else 1 :]]
            pieces += [self._traced()]
        if jacobian:
            pieces += [self._jacobian()]
        if self.formula.deviation is not None:
            pieces += [c_layers.gradient(part, *self.style) for part in self.parts if part.W is not None]
            pieces += [self._std()]
        return "\n".join([each for each in [*pieces, self._main()] if each])

    def _head(self) -> str:
        formula, style = self.formula, self.style
        units = "of the data, scaled within" if formula.inputs is not None else "of the network"
        return "\n".join([
            f"/* {style.name}: {formula.phrase}.",
            *[f" * x[{i}] is {c_numbers.quoted(name)}" for i, name in enumerate(formula.names)],
            f" * Written by fastmlp {__version__} as C99. Inputs and outputs are in units {units}.",
            " * No memory is allocated and nothing is changed but the results, so that threads may call it at once.",
            f" * -D{style.name.upper()}_MAIN makes it a program that compares some outputs with those of the network.",
            " * Compilers vectorise it with -O3 -fno-math-errno -fno-trapping-math; -ffast-math may change results.",
            " */\n",
        ])  # fmt: skip

    def _included(self, jacobian: bool) -> str:
        net, real, size = self.net, self.style.real, c_numbers.TYPES[self.style.dtype]["size"]
        lines = ["#include <math.h>", "#include <stdint.h>", ""]
        lines += [f"typedef char {net}_{real}_has_{size}_bytes[sizeof({real}) == {size} ? 1 : -1];", ""]
        return "\n".join([*lines, *self._declared(jacobian), ""])

    def _declared(self, jacobian: bool) -> list[str]:
        """What others call."""
        net, real, D, K = self.net, self.style.real, self.D, self.K
        lines = [f"/* y[{K}], the outputs at x[{D}] */", f"void {net}_predict(const {real} *x, {real} *y);"]
        if jacobian:
            lines += [f"/* y, and J[{K} * {D}], the derivatives dy_k / dx_i, output by output */"]
            lines += [f"void {net}_jacobian(const {real} *x, {real} *y, {real} *J);"]
        if self.formula.deviation is not None:
            lines += [f"/* y, and s[{K}], the standard deviations of targets there */"]
            lines += [f"void {net}_std(const {real} *x, {real} *y, {real} *s);"]
        if self.formula.classes:
            lines += [f"/* the most probable class at x[{D}], a place in the names of {net}_classes */"]
            lines += [f"int {net}_class(const {real} *x);"]
            lines += [f"extern const char *const {net}_classes[{len(self.formula.classes)}];"]
        return lines

    def _names(self) -> str:
        classes = self.formula.classes
        return c_numbers.strings(f"{self.net}_classes", classes) if classes else ""

    def _trials(self) -> Array:
        """Inputs of the data's scale; where none is known, such that no unit of the first layer has sd(z) > 1."""
        X, W = np.random.default_rng(0).standard_normal((TRIALS, self.D)), self.parts[0].W
        if self.formula.inputs is not None:
            return self.formula.inputs.shift + self.formula.inputs.scale * X
        if W is None:
            return X
        with np.errstate(over="ignore"):
            return X / max(1.0, float(np.linalg.norm(W.reshape(len(W), -1), axis=1).max()))

    def _main(self) -> str:
        X = self._trials().astype(self.style.dtype)
        Y = self.formula.outputs(X.astype(np.float64))
        if not np.isfinite(Y).all():
            raise ValueError(
                f"model: expected finite outputs at small inputs, got {Y.max()}; its weights are too large"
            )
        size, terms = float(np.abs(Y).max()), self.formula.terms(X.astype(np.float64))
        # of an output that is not linear, z is off by the roundings of the terms, and y by no more than |y| times that
        size = max(size, terms if self.formula.architecture.output.is_linear else size * terms)
        bound = c_numbers.literal(FAR * float(np.finfo(self.style.dtype).eps) * size, "float64")
        net, count = self.net, TRIALS * self.K
        return (
            f"#ifdef {net.upper()}_MAIN\n#include <stdio.h>\n\n" + c_numbers.array("X", X, self.style.dtype)
            + c_numbers.array("Y", Y, "float64")
            + f"\nint main(void)\n{{\n    {self.style.real} y[{self.K}];\n    int n, k, wrong = 0;\n"
            f"    for (n = 0; n < {TRIALS}; n++) {{\n        {net}_predict(X + n * {self.D}, y);\n"
            f"        for (k = 0; k < {self.K}; k++)\n"
            f"            wrong += !(fabs((double)y[k] - Y[n * {self.K} + k]) <= {bound});\n    }}\n"
            f'    printf("{net}: %d of {count} outputs are wrong\\n", wrong);\n    return wrong != 0;\n}}\n#endif\n'
        )  # fmt: skip
