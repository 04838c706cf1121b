"""Weight decay: sum_g lambda_g/2 |w_g|^2 over groups of parameters, the negative logarithm of a Gaussian prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _validation as check
from fastmlp._hints import hinting
from fastmlp._types import Float
from fastmlp.model import rescaling, selection
from fastmlp.model.architecture import Architecture
from fastmlp.terms.term import Additive


class _Rescaling(NamedTuple):
    """By how much data have been stretched for which the coefficients are to hold."""

    input_scale: Float
    output_scale: Float | None
    form: str

    def __repr__(self) -> str:
        output = None if self.output_scale is None else self.output_scale.tolist()
        return f".rescaled({self.input_scale.tolist()}, {output}, {self.form!r})"


class _Part(NamedTuple):
    """Coefficients, and the rescalings they have gone through, which wait for a network to be applied to."""

    coefficients: dict[str, Any] | Float  #: by group, or of each parameter
    rescalings: tuple[_Rescaling, ...] = ()

    def __repr__(self) -> str:
        by_group = isinstance(self.coefficients, dict)
        told = str(self.coefficients) if by_group else f"of {len(self.coefficients)} parameters"
        return f"WeightDecay({told})" + "".join(map(repr, self.rescalings))


class WeightDecay(Additive):
    """Quadratic penalty on groups of parameters: adds sum_g lambda_g/2 |w_g|^2 to the objective.

    Parameters
    ----------
    weights, biases : float or sequence of float, default=0.0
        lambda of the weights and of the biases: one number, or one for each layer. Not negative. The lecture's
        regulariser lambda_1/2 sum_W1 w^2 + lambda_2/2 sum_W2 w^2, biases excluded, is ``WeightDecay([l1, l2])``.
        `weights` may instead be a dict over groups: ``{"W1": 0.3, "b2": 0.0}``; ``"W1[:,0]"`` is the column of input 0,
        ``"W2[0,:]"`` the row of output 0. Groups that are not named are not penalised; overlaps add up.

    Raises
    ------
    TypeError, ValueError
        If a coefficient is not a non-negative number; on use, if a group or layer does not exist in the network.

    Notes
    -----
    The scale is that of a sum over samples, not of a mean: with half squared error and noise precision beta, lambda =
    alpha / beta for a prior precision alpha. Penalties add up with ``+``, with any `Term` too.

    References
    ----------
    Bishop, PRML, (5.112), (5.121).

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([1, 2, 1], rng=0)
    >>> penalty = fastmlp.WeightDecay(weights=0.5) + fastmlp.WeightDecay({"b1": 2.0})
    >>> net.objective([[0.0]], [0.0], penalty=penalty).value([1, 1, 1, 0, 0, 0, 0])
    1.5
    """

    @hinting
    def __init__(self, weights: Any = 0.0, biases: Any = 0.0) -> None:
        if isinstance(weights, Mapping):
            if np.ndim(biases) or biases != 0.0:
                raise ValueError("biases: expected none beside a dict of groups, which names its own")
            groups = {
                str(name): check.number(value, f"weights[{check.shown(name)}]", 0.0) for name, value in weights.items()
            }
            for name in groups:
                if not selection.is_name(name):
                    raise ValueError(f"weights: expected groups such as 'W1', 'b2' or 'W1[:,0]', got {name!r}")
        else:
            groups = {"W": _coefficients(weights, "weights"), "b": _coefficients(biases, "biases")}
        self._parts: tuple[_Part, ...] = (_Part(groups),)

    def __add__(self, other: Any) -> Any:
        """Both penalties together: a WeightDecay again if both are."""
        if not isinstance(other, WeightDecay):
            return super().__add__(other)
        return _of(self._parts + other._parts)

    def __repr__(self) -> str:
        return " + ".join(map(repr, self._parts))

    def rescaled(self, input_scale: Any = 1.0, output_scale: Any = None, form: str = "lambda") -> WeightDecay:
        """The penalty for data in other units: inputs a x + b and targets c t + d in place of x and t.

        The optimum of the new objective on the new data is the optimum of the old one, seen in the new units
        (`Network.rescale_inputs`, `Network.rescale_outputs`).

        Parameters
        ----------
        input_scale : float or array-like of shape (D,), default=1.0
            a, not zero; one number, or one for each input.
        output_scale : float or array-like of shape (K,), optional
            c, not zero; for linear outputs only. None: targets stay, as in classification.
        form : {"lambda", "precision"}
            lambda: for the objective 1/2 sum (y - t)^2 + sum lambda/2 w^2, such as `fit` minimises; one number c. The
            objective is multiplied by c^2. precision: with a noise precision beta, which becomes beta_k / c_k^2; c may
            differ between outputs. The objective keeps its value.

        Returns
        -------
        WeightDecay

        Raises
        ------
        TypeError, ValueError
            If a scale is zero or not a finite real number, or c is not one number in the lambda form; on use, if there
            is not one scale for each feature, or the outputs are not linear.

        Notes
        -----
        Coefficients are multiplied by

        =================================  ===============  ============
        group                              lambda           precision
        =================================  ===============  ============
        first layer, weights of input i    a_i^2 c^2        a_i^2
        its biases, layers between         c^2              1
        last layer, row k and bias k       1                1 / c_k^2
        no hidden layer, weights (k, i)    a_i^2            a_i^2 / c_k^2
        =================================  ===============  ============

        A penalty on first-layer biases does not survive shifts of the inputs, nor one on output biases shifts of the
        targets: scales only. Different c_k have no rule in the lambda form.

        References
        ----------
        PRML, 5.5.1, where the rule is misprinted; derived in ``docs/linear-maps.md``.

        Examples
        --------
        >>> import fastmlp
        >>> penalty = fastmlp.WeightDecay(0.5).rescaled(input_scale=3.0, output_scale=2.0)
        >>> objective = fastmlp.Network([1, 1, 1]).objective([[0.0]], [0.0], penalty=penalty)
        >>> objective.value([1, 0, 0, 0]), objective.value([0, 0, 1, 0])  # lambda / 2: 0.5 has become 18, and stayed
        (9.0, 0.25)
        """
        form = check.choice(form, "form", rescaling.FORMS)
        scale = rescaling.nonzero(input_scale, "input_scale").copy()
        output = None if output_scale is None else rescaling.nonzero(output_scale, "output_scale").copy()
        if form == "lambda" and output is not None and output.ndim:
            raise ValueError("output_scale: expected one number in the lambda form; use form='precision'")
        return _of(tuple(_Part(c, (*r, _Rescaling(scale, output, form))) for c, r in self._parts))

    def diagonal(self, architecture: Architecture) -> Float:
        """The coefficient of every parameter: the Hessian of the penalty is this diagonal matrix.

        Parameters
        ----------
        architecture : Architecture
            Of the network that it is applied to; objectives and posteriors ask for it.

        Returns
        -------
        ndarray of shape (P,)
            lambda_i, in the order of ``net.params``; the penalty is sum_i lambda_i/2 w_i^2. 0 for what is not
            penalised.

        Raises
        ------
        ValueError
            If a group or layer does not exist in the network, or a rescaling is not one of its inputs and outputs.

        Notes
        -----
        Cost: a pass over the P parameters for each penalty that has been added.
        """
        first, *others = (_diagonal(part, architecture) for part in self._parts)
        for other in others:
            first += other
        return first


def by_parameter(coefficients: Float) -> WeightDecay:
    """The penalty with these coefficients (P,), not negative, one for each parameter."""
    return _of((_Part(coefficients),))


def _of(parts: tuple[_Part, ...]) -> WeightDecay:
    penalty = WeightDecay()
    penalty._parts = parts
    return penalty


def _diagonal(part: _Part, architecture: Architecture) -> Float:
    given = part.coefficients
    diagonal = _spread(given, architecture) if isinstance(given, dict) else given.copy()
    for rescaled in part.rescalings:
        diagonal *= rescaling.decay_factors(architecture, *rescaled)
    return diagonal


def _spread(coefficients: dict[str, Any], architecture: Architecture) -> Float:
    """Coefficients by group as one for each parameter (P,)."""
    diagonal = np.zeros(architecture.n_params)
    views = architecture.unravel(diagonal)
    for name, value in coefficients.items():
        if name in ("W", "b"):
            arrays = views.weights if name == "W" else views.biases
            for array, coefficient in zip(arrays, _per_layer(value, len(arrays)), strict=True):
                if coefficient:
                    array += coefficient
        else:
            diagonal[selection.named(architecture, name, "penalty")] += value
    return diagonal


def _coefficients(value: Any, name: str) -> Any:
    if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes)):
        given = check.sequence(value, name, "a number, or one for each layer")
        return tuple(check.number(each, name, 0.0) for each in given)
    return check.number(value, name, 0.0)


def _per_layer(value: Any, n_layers: int) -> Sequence[float]:
    values = value if isinstance(value, tuple) else (value,) * n_layers
    if len(values) != n_layers:
        raise ValueError(f"penalty: expected one coefficient, or one for each of {n_layers} layers, got {len(values)}")
    return values
