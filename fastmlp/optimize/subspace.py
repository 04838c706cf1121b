"""More inputs than samples: a network trained in the coordinates of what its samples span.

The first layer sees inputs as W x_n alone, so that the gradient by each row w of W is a sum of the x_n. With one decay
for all of W, and damping by the identity, what a row has outside of their span, c e, can only shrink; every step of
Levenberg and Marquardt is one of the other coordinates and of c. With an orthonormal basis Q (r, D) of the span,

    w = v Q + c e,     u_n = Q x_n,     w'x_n = v'u_n,     |w|^2 = |v|^2 + c^2,

so the network with the weights (v, c) on the r + 1 inputs (u_n, 0), r <= N, has the same objective, the same second
derivatives, but for the decay of what does not move, and the same steps.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from fastmlp._core.fits import span
from fastmlp._core.storage import arrays
from fastmlp._types import Array, Float
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.optimize.dual import MOST_PRODUCTS
from fastmlp.terms import DataTerm, gaussian, penalties
from fastmlp.terms.objective import Objective
from fastmlp.terms.reparam import FreeParameters, Selection

MADE = 1_000_000  # multiply-adds that take as long as what Python makes here
STEPS = 4  # that pay for the basis, at least


def work(n_samples: int, n_params: int) -> float:
    """Multiply-adds of a step: sums and Cholesky's factorisation, or products where there is no matrix."""
    formed = n_samples * n_params**2 / 2 + n_params**3 / 6
    return min(formed, 6.0 * MOST_PRODUCTS * n_samples * n_params)


def pays(architecture: Architecture, n_samples: int) -> bool:
    """Whether the coordinates of the samples' span halve the work at least."""
    first = architecture.layers[0]
    M, D, r = first.n_out, first.n_in, n_samples + 1
    if not first.is_dense or r >= D:
        return False
    own = work(n_samples, architecture.n_params - M * (D - r)) + M * r * D
    return 2 * (own + (r * r * D + MADE) / STEPS) < work(n_samples, architecture.n_params)


class Subspace:
    """The span of some inputs, and what the weights of a first layer have besides.

    Parameters
    ----------
    architecture : Architecture
        Whose first layer is dense.
    X : ndarray of shape (N, D)
    weights : ndarray of shape (M, D), float64

    Attributes
    ----------
    architecture : Architecture
        Of the network on the coordinates.
    """

    def __init__(self, architecture: Architecture, X: Array, weights: Float) -> None:
        self.weights, self.n_units = weights, len(weights)
        self.Q: Float = span.orthonormal(np.asarray(X, np.float64, order="C"))
        self.E: Float = span.orthonormal_each(weights, self.Q)
        self.architecture = architecture.changed(layers=(len(self.Q) + 1, *architecture.specification[1:]))

    @property
    def _ends(self) -> tuple[int, int]:
        """How many weights the first layer has here, and there."""
        return self.n_units * (len(self.Q) + 1), self.weights.size

    @property
    def compiled(self) -> span.Span:
        """For the compiled floor."""
        return span.Span(self.Q, self.E)

    def inputs(self, X: Array) -> Array:
        """(u, 0) of inputs (N, D), in their type."""
        own = np.zeros((len(X), len(self.Q) + 1), X.dtype)
        own[:, :-1] = span.coordinates(np.asarray(X, np.float64, order="C"), self.Q)
        return own

    def samples(self, samples: Samples) -> Samples:
        """Those with these inputs."""
        return samples._replace(X=self.inputs(samples.X))

    def reduced(self, params: Array) -> Float:
        """Parameters of the network here, from all of those there, as far as they have such."""
        _, end = self._ends
        w = np.asarray(params, np.float64)
        rows = np.ascontiguousarray(w[:end]).reshape(self.n_units, -1)
        lengths = (rows * self.E).sum(axis=1, keepdims=True)
        return np.concatenate([np.hstack([span.coordinates(rows, self.Q), lengths]).ravel(), w[end:]])

    def expanded(self, params: Array) -> Float:
        """The way back."""
        own, _ = self._ends
        w = np.asarray(params, np.float64)
        V = w[:own].reshape(self.n_units, -1)
        rows = span.combined(np.ascontiguousarray(V[:, :-1]), self.Q) + V[:, -1:] * self.E
        return np.concatenate([rows.ravel(), w[own:]])

    def by_parameter(self, numbers: Array) -> Array:
        """A number for each parameter there, the same for all weights of the first layer, as one for each here."""
        own, end = self._ends
        return np.concatenate([np.full(own, numbers[0]), numbers[end:]])

    def by_parameter_there(self, numbers: Array) -> Array:
        """The way back."""
        own, end = self._ends
        return np.concatenate([np.full(end, numbers[0]), numbers[own:]])

    def free(self, free: FreeParameters | None) -> FreeParameters | None:
        """The map from the free parameters, which leaves the first layer's weights as they are."""
        if free is None:
            return None
        own, end = self._ends
        shift = end - own
        index = np.concatenate([np.arange(own), np.where(free.index[end:] < 0, -1, free.index[end:] - shift)])
        first = np.concatenate([np.arange(own), free.first[end:] - shift])
        coefficient = np.concatenate([free.coefficient[:own], free.coefficient[end:]])
        offset = np.concatenate([free.offset[:own], free.offset[end:]])
        kind = Selection if free.is_selection else FreeParameters
        return kind(index, coefficient, offset, first)


def _are_their_own(free: FreeParameters | None, end: int) -> bool:
    """Whether the first parameters, up to `end`, are free, and shared with no others."""
    if free is None:
        return True
    alone = np.array_equal(free.index[:end], np.arange(end)) and (free.coefficient[:end] == 1).all()
    others = free.index[end:]
    return bool(alone and ((others < 0) | (others >= end)).all())


class Seen:
    """An objective by the coordinates of a subspace.

    It has of an `Objective` what is needed to follow the steps of a compiled loop.

    Attributes
    ----------
    objective : Objective
        Of the network on the coordinates.
    span : Span
        The subspace, for the compiled floor.
    """

    def __init__(self, objective: Objective, weights: Float) -> None:
        data = objective.data
        self.subspace = Subspace(objective.architecture, data.samples.X, weights)
        decay, _ = penalties.split(objective.penalty)
        own = None
        if decay is not None:
            own = gaussian.by_parameter(self.subspace.by_parameter(decay.diagonal(objective.architecture)))
        self.data = DataTerm(
            self.subspace.architecture, self.subspace.samples(data.samples), data.noise_precision, data.n_threads
        )
        params = self.subspace.reduced(objective.expand(objective.x0))
        self.objective = Objective(self.data, own, params, self.subspace.free(objective.free))
        self.constant, self.span, self._whole = objective.constant, self.subspace.compiled, objective

    @classmethod
    def of(cls, objective: Objective, state: dict[str, Any] | None = None) -> Self | None:
        """The objective so, where that pays and is the same; with the basis of an earlier fit that goes on there."""
        if objective.terms is not None or objective.data.in_chunks:
            return None
        if not pays(objective.architecture, len(objective.data.samples.X)):
            return None
        first = objective.architecture.layers[0]
        shape = first.n_out, first.n_in
        end = first.n_out * first.n_in
        decay = objective.decay
        if not _are_their_own(objective.free, end) or (decay is not None and (decay[:end] != decay[0]).any()):
            return None
        if state is not None and "span" in state and state["span"][0].shape == shape:
            weights, v = state["span"]
            seen = cls(objective, weights)
            if len(v) == len(seen.x0) and seen._is_at(objective, v):
                seen.objective = seen.objective.on(seen.data, seen.objective.expand(v))
                return seen
        return cls(objective, np.array(objective.expand(objective.x0)[:end], np.float64).reshape(shape))

    def _is_at(self, objective: Objective, v: Float) -> bool:
        """Whether these coordinates are the start of the objective, as the network's type has it."""
        dtype = objective.architecture.dtype
        start = objective.expand(objective.x0)
        return arrays.same(self.expand(v).astype(dtype), start.astype(dtype))

    @property
    def x0(self) -> Float:
        """The coordinates of the start (n,)."""
        return self.objective.x0

    @property
    def scale(self) -> float:
        """The largest diagonal element of the matrix by all parameters at the start; 1 if there is none."""
        own = self._whole
        diagonal = own.data.hessian_diagonal(own.native(own.x0), "ggn")
        if own.free is not None:
            diagonal = own.free.pull(own.free.coefficient * diagonal)
        largest = float((diagonal if own.decay is None else diagonal + own.decay).max())
        return largest if 0 < largest < np.inf else 1.0

    def expand(self, v: Array) -> Float:
        """All parameters of the network, from those that are free here."""
        return self.subspace.expanded(self.objective.expand(v))

    def left(self, state: dict[str, Any], v: Float) -> dict[str, Any]:
        """A solver's state, with what `of` goes on from."""
        return state | {"span": (self.subspace.weights, v)}
