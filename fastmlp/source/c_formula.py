"""What is to be written as C99: a network between two scales, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.model import functional, traces
from fastmlp.model.architecture import Architecture
from fastmlp.source import c_numbers
from fastmlp.source.c_layers import Part

STEEP = ("sin", "exp")  # activations of float32 that need z to more digits than it has, where |z| is large


class Scale(NamedTuple):
    """x = scale * u + shift, by numbers of a sample."""

    scale: Float
    shift: Float


class Wide(NamedTuple):
    """R = (I - H' X' H) D of few samples, as it is in `fastmlp.derivatives.wide`."""

    H: Float  #: (m, n)
    X: Float  #: (m, m)
    D: Float  #: (n,), a diagonal


class Deviation(NamedTuple):
    """What the standard deviation of a target is made of: s_k^2 = c_k^2 (|R g_k|^2 + noise_k), g_k = dy_k / dv."""

    root: Float | Wide  #: R with R' R the covariance of the free parameters v: lower triangular, or a diagonal (n,)
    places: Array  #: which of them each parameter (P,) is, -1 for none
    coefficient: Float  #: times this (P,)
    noise: Float  #: variances (K,), 0 of constants

    @property
    def n(self) -> int:
        """How many free parameters there are."""
        return len(self.root.D if isinstance(self.root, Wide) else self.root)

    @property
    def roots(self) -> dict[str, Float]:
        """The constants that R is made of, by name."""
        if isinstance(self.root, Wide):
            return {"wide_H": self.root.H, "wide_X": self.root.X, "wide_D": self.root.D}
        return {"root": self.root if self.root.ndim == 1 else self.root[np.tril_indices(self.n)]}


class Formula(NamedTuple):
    """What is to be written: a network in float64, and the units before and behind it."""

    architecture: Architecture
    params: Float
    inputs: Scale | None = None
    targets: Scale | None = None
    deviation: Deviation | None = None
    origin: str = "a network"
    names: tuple[str, ...] = ()  #: of inputs
    classes: tuple[str, ...] = ()  #: of a classifier of one class a sample

    def outputs(self, X: Float) -> Float:
        """In float64."""
        y = functional.predict(self.architecture, self.params, self._in_units(X), None, 1)
        return y if self.targets is None else self.targets.scale * y + self.targets.shift

    def terms(self, X: Float) -> float:
        """What the terms of a dense output add up to at most, |W| |a| + |b|: it has their roundings."""
        last, u = self.architecture.layers[-1], self._in_units(X)
        if not last.is_dense:
            return 0.0
        (*_, W), (*_, b) = self.architecture.unravel(self.params)
        *_, below, _ = (u, *traces.trace(self.architecture, self.params, u, n_threads=1).a)
        sums = np.abs(below) @ np.abs(W).T + np.abs(b)
        if self.targets is not None:
            sums = np.abs(self.targets.scale) * sums + np.abs(self.targets.shift)
        return float(sums.max())

    def _in_units(self, X: Float) -> Float:
        return X if self.inputs is None else (X - self.inputs.shift) / self.inputs.scale

    @property
    def phrase(self) -> str:
        """What it is, in a few words."""
        sizes = [str(self.architecture.layers[0].n_in)]
        for layer in self.architecture.layers:
            form = "" if layer.activation.is_linear else f" {layer.activation.name}"
            sizes.append(f"{layer.phrase() if layer.geometry else layer.n_out}{form}")
        return f"{self.origin}, {' -> '.join(sizes)}"

    def parts(self) -> Iterator[Part]:
        """The layers with their W and b."""
        views = self.architecture.unravel(self.params)
        groups = enumerate(zip(views.weights, views.biases, strict=True), 1)
        for number, layer in enumerate(self.architecture.layers, 1):
            if layer.n_params:
                group, (W, b) = next(groups)
                yield Part(layer, number, W, b if layer.n_biases else None, group)
            else:
                yield Part(layer, number)


class Style(NamedTuple):
    """How it is to be written."""

    name: str
    dtype: str
    layout: str

    @property
    def real(self) -> str:
        """The type in C."""
        return str(c_numbers.TYPES[self.dtype]["real"])

    def literal(self, value: float) -> str:
        """The number of this type that is nearest."""
        return c_numbers.rounded(value, self.dtype)

    def is_wide(self, part: Part) -> bool:
        """Whether z of a layer is summed in double, where all else is float."""
        return self.dtype == "float32" and part.layer.activation.name in STEEP
