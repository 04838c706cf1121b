"""Saliencies of the inputs beside derivatives, and beside what the weights alone say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp import _validation as check
from fastmlp import plot
from fastmlp._quiet import quiet
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp._types import ArrayLike, Axes, Float
from fastmlp.importance.connections import garson, olden
from fastmlp.model.units import Units
from fastmlp.network.network import Network, check_network
from fastmlp.pruning.saliencies import saliencies
from fastmlp.sensitivities import input_names, sensitivity
from fastmlp.terms.term import Penalty


@quiet
@printed
@dataclass(frozen=True, eq=False)
class Importances:
    """What `fastmlp.importances` returns: what several methods say of each input.

    Attributes
    ----------
    input_names : tuple of str
    saliency : ndarray of shape (D,)
        By how much the objective is predicted to rise when all weights that leave the input become 0, and all others
        follow; 0 of what has been pruned.
    data_saliency : ndarray of shape (D,)
        The same without the change of the penalty.
    sensitivity : ndarray of shape (K, D)
        Standardised root-mean-square derivatives, as of `fastmlp.sensitivity`.
    olden : ndarray of shape (K, D)
        Connection weights, in units of the inputs' standard deviations.
    garson : ndarray of shape (K, D) or None
        Garson's shares, likewise; None unless there is one hidden layer.
    hessian : str
        Which second derivatives the saliencies come from.
    """

    input_names: tuple[str, ...]
    saliency: Float
    data_saliency: Float
    sensitivity: Float
    olden: Float
    garson: Float | None
    hessian: str

    @property
    def shares(self) -> dict[str, Float]:
        """By method the importance of each input (D,) as a share of all; root mean squares over the outputs."""
        by_output = {"sensitivity": self.sensitivity, "olden": self.olden, "garson": self.garson}
        found = {"saliency": self.saliency}
        found |= {name: _over_outputs(each) for name, each in by_output.items() if each is not None}
        return {name: each / (each.sum() or 1.0) for name, each in found.items()}

    def table(self) -> str:
        """A line for each input, that of the largest saliency first.

        Returns
        -------
        str
            The rises of the objective and of the data loss, and the shares of each method.
        """
        return str(self._table())

    def _table(self) -> Table:
        shares = self.shares
        order = np.argsort(-self.saliency, kind="stable")
        rows = [
            (self.input_names[i], self.saliency[i], self.data_saliency[i], *(each[i] for each in shares.values()))
            for i in order
        ]
        first, *others = shares
        return Table(rows, ("input", "rise", "data loss", f"shares\n{first}", *others), "<>")

    def _shown(self) -> Page:
        return Page(f"Importances of {how_many(len(self.input_names), 'input')}", (self._table(),))

    def plot(self, ax: Axes | None = None, *, n_inputs: int = 20) -> Axes:
        """Draw the shares of each method into `ax`, and return it; see `fastmlp.plot.importances`."""
        return plot.importances(self, ax, n_inputs=n_inputs)


@quiet
def importances(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    penalty: Penalty | None = None,
    sample_weight: ArrayLike | None = None,
    hessian: str = "exact",
    standardize: bool | Units = False,
    n_threads: int | None = None,
) -> Importances:
    """Which inputs matter: saliencies beside derivatives, and beside what the weights alone say.

    Parameters
    ----------
    net : Network
        Trained on these samples with this penalty: saliencies belong to an optimum. Dense layers.
    X : array-like of shape (N, D)
        The columns of a data frame give the inputs their names.
    T : array-like of shape (N, K) or (N,)
        As for `Network.loss`.
    penalty, sample_weight, hessian, standardize, n_threads
        As for `fastmlp.saliencies`.

    Returns
    -------
    Importances
        `saliency`, `sensitivity`, `olden`, `garson`, their `shares`, `table()` and `plot()`.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.
    NotPositiveDefiniteError
        If the second derivatives are not positive definite.

    Warns
    -----
    PosteriorWarning
        If the network is not at the optimum.

    Notes
    -----
    A saliency asks what the network loses without the input when all else is trained again, to second order: of two
    inputs that say the same each is worth little. A sensitivity asks how the outputs answer to it as the network is:
    both are worth half. Garson's and Olden's numbers know of no data but for the standard deviations of the inputs.

    Cost: a Hessian, P^3 multiplications, and `Network.jacobian`.

    References
    ----------
    See `fastmlp.saliencies`, `fastmlp.sensitivity`, `fastmlp.garson` and `fastmlp.olden`.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> T = 2 * X[:, 0] - X[:, 1]  # of two inputs
    >>> penalty = fastmlp.WeightDecay(0.1, 0.1)
    >>> net = fastmlp.Network([3, 1], rng=0)
    >>> _ = net.fit(X, T, penalty=penalty, method="lm")
    >>> {name: each.round(2).tolist() for name, each in fastmlp.importances(net, X, T, penalty=penalty).shares.items()}
    {'saliency': [0.83, 0.17, 0.0], 'sensitivity': [0.68, 0.32, 0.0], 'olden': [0.68, 0.32, 0.0]}
    """
    check_network(net)._architecture.check_dense("net")
    names = input_names(X, net)
    X = net._architecture.rows(X)  # once: each of the four would look again
    sample_weight = check.sample_weight(sample_weight, len(X), np.float64)
    found = saliencies(
        net, X, T, penalty=penalty, sample_weight=sample_weight, what="inputs", hessian=hessian,
        standardize=standardize, n_threads=n_threads,
    )  # fmt: skip
    slopes = sensitivity(net, X, sample_weight=sample_weight, n_threads=n_threads)
    return Importances(
        input_names=names,
        saliency=_of_inputs(found.names, found.rise, net.layers[0]),
        data_saliency=_of_inputs(found.names, found.data_rise, net.layers[0]),
        sensitivity=slopes.standardized.root_mean_square,
        olden=olden(net, X),
        garson=garson(net, X) if len(net.weights) == 2 else None,
        hessian=found.hessian,
    )


def _of_inputs(names: list[str], values: Float, n_inputs: int) -> Float:
    """By input; 0 of those that are not named, as nothing is left of them."""
    known = dict(zip(names, values, strict=True))
    return np.array([known.get(f"W1[:,{i}]", 0.0) for i in range(n_inputs)])


def _over_outputs(values: Float) -> Float:
    """Root mean squares over the outputs; 0 where nothing is known, as of constant ones."""
    return np.asarray(np.sqrt((np.nan_to_num(values) ** 2).mean(axis=0)))
