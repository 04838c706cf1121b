"""Lek's profile: the outputs along each input, all others held at quantiles of the samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastmlp import _memory, plot
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp._types import ArrayLike, Axes, Float
from fastmlp.network.network import Network, check_network
from fastmlp.sensitivities import input_names

QUANTILES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@quiet
@printed
@dataclass(frozen=True, eq=False)
class LekProfile:
    """What `fastmlp.lekprofile` returns: curves of the outputs along each input.

    Attributes
    ----------
    x : ndarray of shape (D, steps)
        The values of each input, from its smallest to its largest in the samples.
    y : ndarray of shape (D, G, steps, K)
        The outputs along each input, in each of G groups.
    groups : ndarray of shape (G, D)
        What the other inputs are held at.
    group_names, input_names : tuple of str
    """

    x: Float
    y: Float = field(repr=False)
    groups: Float
    group_names: tuple[str, ...]
    input_names: tuple[str, ...]

    @property
    def ranges(self) -> Float:
        """How far each output goes along each input, (D, G, K): largest less smallest value of a curve."""
        return np.asarray(np.ptp(self.y, axis=2))

    def table(self, output: int = 0) -> str:
        """The ranges of one output: a row for each input, a column for each group.

        Parameters
        ----------
        output : int, default=0

        Returns
        -------
        str
        """
        return str(self._table(check.index(output, "output", self.y.shape[-1])))

    def _table(self, output: int) -> Table:
        rows = [(name, *ranges) for name, ranges in zip(self.input_names, self.ranges[..., output], strict=True)]
        return Table(rows, ("input", *self.group_names), "<>")

    def _shown(self) -> Page:
        D, G, steps, K = self.y.shape
        title = f"LekProfile of {how_many(D, 'input')} in {how_many(G, 'group')}, {steps} steps: range of y1"
        return Page(title + f" of {K}" * (K > 1), (self._table(0),))

    def plot(self, input: Any = 0, ax: Axes | None = None, *, output: int = 0) -> Axes:
        """Draw the curves along one input into `ax`, and return it; see `fastmlp.plot.lekprofile`."""
        return plot.lekprofile(self, input, ax, output=output)


@quiet
def lekprofile(
    net: Network, X: ArrayLike, *, groups: Any = QUANTILES, steps: int = 100, n_threads: int | None = None
) -> LekProfile:
    """Lek's profile: the outputs along the range of each input, all others held at quantiles of the samples.

    Parameters
    ----------
    net : Network
        Of any kind.
    X : array-like of shape (N, D)
        Samples, at least one; the columns of a data frame give the inputs their names.
    groups : sequence of float, or array-like of shape (G, D)
        Quantiles between 0 and 1, at which all other inputs are held together; or their values, a row for each group,
        such as centres of clusters.
    steps : int, default=100
        Points along each input.
    n_threads : int, optional

    Returns
    -------
    LekProfile

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    Curves of other heights but one shape: the input adds to the others. Curves of other shapes: they interact. Where
    inputs are correlated, all but one at their largest values is a place that no sample is near, and what a network
    says there has no data behind it: the error bars of `fastmlp.Laplace` are wide there, and groups at centres of
    clusters, or at samples, keep closer to the data.

    Quantiles are interpolated as R's `quantile` does (type 7). Lek et al. (1996) took the quartiles and 12 steps, and
    looked at the median of the five curves.

    References
    ----------
    Lek, Delacoste, Baran, Dimopoulos, Lauga and Aulagnier (1996), Application of neural networks to modelling nonlinear
    relationships in ecology; Gevrey, Dimopoulos and Lek (2003); Beck (2018), NeuralNetTools.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 1])
    >>> net.params = [3.0, -1.0, 0.0]
    >>> profile = fastmlp.lekprofile(net, [[0.0, 0.0], [1.0, 2.0]], groups=[0.0, 0.5], steps=3)
    >>> profile.y[0, :, :, 0]  # along the first input, the second at 0 and at 1
    array([[ 0. ,  1.5,  3. ],
           [-1. ,  0.5,  2. ]])
    """
    values = check_network(net)._architecture.rows(X).astype(np.float64)
    check.at_least_one(values)
    steps = check.integer(steps, "steps", 2)
    held, names = _groups(groups, values)
    D, G = values.shape[1], len(held)
    _memory.ask(8 * steps * D * (1 + G * (2 + net.layers[-1])), f"profiles of {steps} steps")
    x = np.linspace(values.min(axis=0), values.max(axis=0), steps, axis=1)
    y = np.empty((D, G, steps, net.layers[-1]))
    for i in range(D):
        points = np.repeat(held[:, np.newaxis], steps, axis=1)
        points[..., i] = x[i]
        y[i] = net.predict(points.reshape(-1, D), n_threads=n_threads).reshape(G, steps, -1)
    return LekProfile(x, y, held, names, input_names(X, net))


def _groups(groups: Any, values: Float) -> tuple[Float, tuple[str, ...]]:
    """What the inputs are held at, a row for each group, and what the groups are called."""
    given = check.real_array(groups, "groups", np.float64)
    if given.ndim == 2 and given.shape[1] == values.shape[1] and len(given):
        return given, tuple(f"group {g}" for g in range(1, len(given) + 1))
    if given.ndim != 1 or not len(given) or given.min() < 0 or given.max() > 1:
        raise ValueError(
            f"groups: expected quantiles between 0 and 1, or values of shape (G, {values.shape[1]}), "
            f"got {check.shown(groups)}"
        )
    _memory.late("numpy.ma")  # which NumPy imports
    return np.quantile(values, given, axis=0), tuple(f"{q:g}" for q in given)
