"""Fixed and shared weights: all parameters w as a linear function of the free ones, v.

    w_i = c_i v_(f_i),    or w_i = o_i, fixed           w = o + J v

Whatever is a function of w becomes one of v by the chain rule: gradients J'g, matrices J'B J, products J'B J v. So an
objective is seen through this map, and every solver works with v without knowing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fastmlp import _matrices, _sets
from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._core.fits.ties import Ties
from fastmlp._quiet import quiet
from fastmlp._types import Array, Chosen, Float, Index, Mask, Tied
from fastmlp.model import selection
from fastmlp.model.architecture import Architecture


@dataclass(frozen=True, eq=False, repr=False)
class FreeParameters:
    """The map from the free parameters v (n,) to all of them, w (P,).

    Attributes
    ----------
    index : ndarray of shape (P,)
        f_i, -1 for the fixed.
    coefficient : ndarray of shape (P,)
        c_i, not zero.
    offset : ndarray of shape (P,)
        o_i, zero for all that is not fixed.
    first : ndarray of shape (n,)
        For each of v one parameter that depends on it, whose value is the start.
    """

    index: Index
    coefficient: Float
    offset: Float
    first: Index

    is_selection: ClassVar[bool] = False  # whether none is shared

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n} of {len(self.index)})"

    @property
    def n(self) -> int:
        """How many are free."""
        return len(self.first)

    @cached_property
    def _order(self) -> tuple[Index, Index]:
        """Parameters that are not fixed, those of one free parameter side by side, and where each set begins."""
        order = np.argsort(self.index, kind="stable")[np.count_nonzero(self.index < 0) :]
        return order, np.searchsorted(self.index[order], np.arange(self.n))

    @property
    def used(self) -> Index | None:
        """What is not fixed, ascending: whose second derivatives are needed. None: all."""
        return self._used

    @cached_property
    def _used(self) -> Index:
        return np.flatnonzero(self.index >= 0)

    @cached_property
    def _of_used(self) -> FreeParameters:
        """The map from the free parameters to those in use."""
        index, coefficient = self.index[self._used], self.coefficient[self._used]
        return FreeParameters(index, coefficient, np.zeros(len(index)), self.first)

    @property
    def compiled(self) -> Ties:
        """The same for the compiled floor."""
        return Ties(self.index, self.coefficient, self.offset, self.n)

    @quiet
    def expand(self, v: Array, /) -> Float:
        """All parameters, o + J v."""
        return self.offset + self.push(v)

    @quiet
    def reduce(self, w: Array, /) -> Float:
        """A v that gives w, if any does; else that of the first parameter of each set."""
        return np.asarray(w[self.first] / self.coefficient[self.first], np.float64)

    @quiet
    def push(self, v: Array, /) -> Float:
        """J v, of a vector (n,) or columns (n, m)."""
        w = np.zeros((len(self.index), *v.shape[1:]))
        order, _ = self._order
        w[order] = (self.coefficient[order] * v[self.index[order]].T).T
        return w

    @quiet
    def pull(self, g: Array, /) -> Float:
        """J'g, of a vector (P,) or columns (P, m)."""
        order, begin = self._order
        return np.add.reduceat((self.coefficient[order] * g[order].T).T, begin, axis=0)

    @quiet
    def project(self, B: Array, /) -> Float:
        """J'B J of a symmetric matrix, symmetric to the last bit."""
        lower = np.tril(self.pull(self.pull(B).T))
        return lower + np.tril(lower, -1).T

    def project_used(self, B: Array, /) -> Float:
        """The same of the rows and columns of what is `used`."""
        return self._of_used.project(B)

    @quiet
    def restrict(self, rows: Float, /) -> Float:
        """Derivatives by all parameters (..., P) as those by the free ones (..., n): g'J."""
        columns = self.pull(rows.reshape(-1, len(self.index)).T)
        return np.ascontiguousarray(columns.T).reshape(*rows.shape[:-1], self.n)

    def spread(self, rows: Float, /) -> Float:
        """Changes of the free parameters (..., n) as those of all (..., P): J v."""
        columns = self.push(rows.reshape(-1, self.n).T)
        return np.ascontiguousarray(columns.T).reshape(*rows.shape[:-1], len(columns))

    def at_first(self, numbers: Float, /) -> Float:
        """One number for each of v, at the first parameter that depends on it (P,); 0 at the others."""
        w = np.zeros(len(self.index))
        w[self.first] = numbers
        return w

    def same_as(self, other: FreeParameters | None) -> bool:
        """Whether the same parameters are free, up to the values of the fixed."""
        return (
            other is not None
            and np.array_equal(self.index, other.index)
            and np.array_equal(self.coefficient, other.coefficient)
        )


class Selection(FreeParameters):
    """The same where none is shared: some of w are v, as they are, and the others fixed."""

    is_selection = True

    def reduce(self, w: Array, /) -> Float:
        """Those that are free."""
        return np.asarray(w[self.first], np.float64)

    def push(self, v: Array, /) -> Float:
        """J v, of a vector (n,) or columns (n, m)."""
        w = np.zeros((len(self.index), *v.shape[1:]))
        w[self.first] = v
        return w

    def pull(self, g: Array, /) -> Float:
        """J'g, of a vector (P,) or columns (P, m)."""
        return np.asarray(g[self.first], np.float64)

    def project(self, B: Array, /) -> Float:
        """J'B J of a symmetric matrix."""
        return np.asarray(B[self.first[:, np.newaxis], self.first], np.float64)

    def project_used(self, B: Array, /) -> Float:
        """That matrix itself."""
        return B

    def restrict(self, rows: Float, /) -> Float:
        """Derivatives by all parameters (..., P) as those by the free ones (..., n)."""
        return _matrices.columns(rows.reshape(-1, rows.shape[-1]), self.first).reshape(*rows.shape[:-1], self.n)

    def spread(self, rows: Float, /) -> Float:
        """Changes of the free parameters (..., n) as those of all (..., P)."""
        w = np.zeros((*rows.shape[:-1], len(self.index)))
        w[..., self.first] = rows
        return w


class Whole(Selection):
    """All parameters are free: everything is as it is."""

    @property
    def used(self) -> None:
        """All."""

    def __init__(self, n_params: int) -> None:
        places = np.arange(n_params)
        super().__init__(places, np.ones(n_params), np.zeros(n_params), places)

    def expand(self, v: Array, /) -> Float:
        """The parameters themselves."""
        return v

    reduce = push = pull = project = restrict = spread = at_first = expand  # one function of one argument


def holding(params: Array, held: Mask) -> FreeParameters | None:
    """Some parameters (P,), perhaps all, held at their values; None if none is."""
    if not held.any():
        return None
    index = np.where(held, -1, np.cumsum(~held) - 1)
    return Selection(index, np.ones(len(held)), np.where(held, params.astype(np.float64), 0.0), np.flatnonzero(~held))


def make(
    architecture: Architecture, params: Array, fixed: Chosen | None, tied: Tied | None, pruned: Mask | None = None
) -> FreeParameters | None:
    """From the user's arguments, which `Network.objective` documents, and what is held at 0; None if all are free."""
    if fixed is None and tied is None and pruned is None:
        return None
    n_params = architecture.n_params
    first = np.arange(n_params)  # the parameter that stands for each
    coefficient = np.ones(n_params)
    in_a_tie = np.zeros(n_params, bool)
    for tie in _ties(tied):
        members, factors = _members(architecture, tie)
        if in_a_tie[members].any() or len(_sets.unique(members)) < len(members):
            raise ValueError(f"tied: expected each parameter in one tie, and once, got one twice: {check.shown(tie)}")
        in_a_tie[members] = True
        first[members], coefficient[members] = members[0], factors
    held = np.zeros(n_params, bool) if pruned is None else pruned.copy()
    if (held & in_a_tie).any():
        raise ValueError("tied: expected parameters that are not pruned, got one that is; unprune() the network first")
    if fixed is not None:
        held[selection.positions(architecture, fixed, "fixed")] = True
    if (held & in_a_tie).any():
        raise ValueError("fixed, tied: expected a parameter in one of them, got one in both")
    if held.all():
        raise ValueError("fixed: expected at least one parameter that is not, got all of them")
    free = np.flatnonzero((first == np.arange(n_params)) & ~held)
    if len(free) == n_params:
        return None
    index = np.where(held, -1, np.searchsorted(free, first))
    kept = held if pruned is None else held & ~pruned
    kind = Selection if tied is None else FreeParameters
    return kind(index, coefficient, np.where(kept, params.astype(np.float64), 0.0), free)


def _ties(tied: Tied | None) -> Any:
    if tied is None:
        return ()
    return check.sequence(tied, "tied", "a sequence of ties")


def _members(architecture: Architecture, tie: Any) -> tuple[Index, Float]:
    if not isinstance(tie, Mapping):
        members = selection.positions(architecture, tie, "tied")
        factors = np.ones(len(members))
    else:
        groups = [selection.positions(architecture, name, "tied") for name in tie]
        values = [check.number(value, f"tied[{check.shown(name)}]", -np.inf) for name, value in tie.items()]
        members = np.concatenate([np.zeros(0, np.intp), *groups])
        factors = np.repeat(values, [len(group) for group in groups])
    if len(members) == 0 or not factors.all():
        raise ValueError(f"tied: expected parameters with coefficients other than 0, got {check.shown(tie)}")
    return members, factors
