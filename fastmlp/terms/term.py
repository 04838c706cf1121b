"""What is added to the loss: the protocol of a term, and sums of terms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias, runtime_checkable

from fastmlp import _validation as check
from fastmlp._types import Float


@runtime_checkable
class Term(Protocol):
    """A function of a network's parameters that an objective adds to the loss: what `penalty` of `Network.fit` takes.

    Any object with these two methods is one; no base class is needed. `params` (P,) are all parameters of the network,
    fixed and tied ones too, in float64 and in the order of ``net.params``; the array is the term's own. With
    ``fit(standardize=True)`` they are those of the standardised problem.

    Notes
    -----
    More parts are used where a term has them, under the names that `Objective` has for them:

    ===========================  ======================================================================================
    ``hess(params)``             its Hessian (P, P), or a symmetric matrix near it: for ``lm``, ``trust-exact``
    ``hessp(params, v)``         the Hessian times v (P,): for ``scg``, ``newton-cg``, ``trust-krylov``, ``trust-ncg``
    ``ggn(params)``, ``ggnp``    in place of the Hessian where that of the loss is the Gauss-Newton matrix: in ``lm``
    ``residuals(params)``        numbers (R,), half the sum of whose squares is the value; with their derivatives
    ``residual_jac(params)``     (R, P), both only for `Objective.residuals`, which needs them
    ===========================  ======================================================================================

    Without a product it comes from the matrix, or else from the central difference of two gradients; without a matrix
    it comes from P products, at worst 2 P gradients. `value` may be ``inf`` where the term has no meaning, and solvers
    turn back; nan is refused. NumPy's warnings of overflow and the like are silent where solvers ask. A term should
    give the same whenever it is asked for the same parameters, and be smooth.

    An `Objective` is a term: samples from another source, ``net.fit(X, T, penalty=net.objective(X2, T2))``.

    The scale is that of a sum over samples, as with `WeightDecay`. Terms add up: ``WeightDecay(0.1) + term``, and
    ``Sum(one, another)`` where neither is of this library.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> class Sparsity:  # sum of sqrt(w^2 + 1e-4), nearly |w|_1
    ...     def value(self, params):
    ...         return np.sqrt(params**2 + 1e-4).sum()
    ...     def value_and_grad(self, params):
    ...         root = np.sqrt(params**2 + 1e-4)
    ...         return root.sum(), params / root
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> net = fastmlp.Network([1, 5, 1], rng=0)
    >>> result = net.fit(X, X**2, "lbfgs", penalty=Sparsity())
    >>> result.success
    True
    """

    def value(self, params: Float) -> float:
        """The term at params (P,)."""

    def value_and_grad(self, params: Float) -> tuple[float, Float]:
        """The term and its gradient (P,) at params (P,)."""


class Additive:
    """A part of a penalty that adds up with others by ``+``."""

    def __add__(self, other: Any) -> Any:
        """Both together."""
        return Sum(self, other) if is_part(other) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        """Both together."""
        return Sum(other, self) if is_part(other) else NotImplemented


class Sum(Additive):
    """Several penalties that are added up, as ``+`` makes it.

    Parameters
    ----------
    *parts : WeightDecay, Term or Sum

    Raises
    ------
    TypeError
        If a part is none of these.

    Examples
    --------
    >>> import fastmlp
    >>> fastmlp.WeightDecay(0.5) + fastmlp.Quadratic([0.0, 0.0], 2.0)
    WeightDecay({'W': 0.5, 'b': 0.0}) + Quadratic(2 parameters, one precision)
    """

    def __init__(self, *parts: Any) -> None:
        for part in parts:
            if not is_part(part):
                raise TypeError(
                    f"penalty: expected a fastmlp.WeightDecay or a fastmlp.Term, with the methods value and "
                    f"value_and_grad, got {check.shown(part)}"
                )
        self.parts: tuple[Any, ...] = tuple(leaf for part in parts for leaf in _leaves(part))

    def __repr__(self) -> str:
        return " + ".join(map(phrase, self.parts))


#: what `penalty` of a fit or of an objective takes; WeightDecay is Additive
Penalty: TypeAlias = Term | Additive


def phrase(part: Any) -> str:
    """A penalty as it is written, or by its type where Python would tell an address."""
    is_address = getattr(type(part), "__repr__", None) is object.__repr__
    return type(part).__name__ if is_address else check.shown(part)


def is_part(value: Any) -> bool:
    """Whether a penalty may be made of it."""
    if isinstance(value, Additive):
        return True
    methods = (getattr(value, name, None) for name in ("value", "value_and_grad"))
    return not isinstance(value, type) and all(map(callable, methods))


def _leaves(part: Any) -> Iterator[Any]:
    yield from part.parts if isinstance(part, Sum) else (part,)
