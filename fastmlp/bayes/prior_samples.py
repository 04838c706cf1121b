"""Functions drawn from the Gaussian prior over the weights that weight decay stands for."""

from __future__ import annotations

import numpy as np

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import Array, ArrayLike, Float, Precision, Seed
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.precisions import by_parameter
from fastmlp.model import functional, units
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units
from fastmlp.network.network import Network, check_network


@quiet
def prior_samples(
    net: Network,
    precisions: Precision,
    X: ArrayLike,
    n: int = 10,
    rng: Seed = None,
    *,
    standardize: bool | Units = False,
    n_threads: int | None = None,
) -> Array:
    """Outputs at X of networks whose parameters are drawn from N(0, 1/alpha_g) in each group g.

    Parameters
    ----------
    net : Network
        The architecture; its parameters do not matter, and stay.
    precisions : float, sequence of float, or dict
        alpha: one for all; one for each group in the order of ``net.groups``, with one hidden layer those of W1, b1,
        W2, b2; one for each parameter; or by group names, ``{"W1": 1.0, ...}``, as in `WeightDecay`: also columns and
        rows, overlaps add up. All positive, and none left out: without a precision a prior is improper and cannot be
        drawn from. inf, as of a group that the evidence has pruned, holds parameters at 0.
    X : array-like of shape (N, D)
    n : int, default=10
        How many functions.
    rng : None, int or numpy.random.Generator
    standardize : bool or Units, default=False
        Precisions are those of the standardised problem, as `group_precisions` of `fit_evidence` are: in the units that
        the network knows, ``net.units``, or in those that are given. X and the functions are in the data's units.
    n_threads : int, optional

    Returns
    -------
    ndarray of shape (n, N, K)

    Raises
    ------
    TypeError, ValueError
        If net is not a network, precisions are not positive or not one for each group, or X is not as for `predict`; or
        if the network is to know its units and does not.

    Notes
    -----
    n forward passes. Precisions of first-layer weights set how fast functions vary, of first-layer biases where, of
    last-layer weights by how much: with one hidden layer of M units the variance of an output is
    1/alpha_b2 + M/alpha_W2 E[h^2]. The same seed draws the same functions up to these scales.

    References
    ----------
    PRML (5.121)-(5.123), figure 5.11.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> net = fastmlp.Network([1, 12, 1])
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> fastmlp.prior_samples(net, [0.01, 0.1, 1.0, 1.0], x, n=5, rng=0).shape
    (5, 50, 1)
    """
    architecture = check_network(net)._architecture
    frame = Frame(architecture, _units(net, standardize), architecture.absent)
    scale = 1 / np.sqrt(_proper(architecture, precisions))
    scale[frame.known] = 0.0
    if frame.units is None:
        X = architecture.rows(X)
    else:
        X = frame.inputs(architecture.changed(dtype="float64").rows(X)).astype(architecture.dtype)
    n = check.integer(n, "n", 0, check.bits_for(len(X) * architecture.n_outputs))
    generator = check.generator(rng)
    samples = np.empty((n, len(X), architecture.n_outputs), architecture.dtype)
    for outputs in samples:
        params = (scale * generator.standard_normal(scale.size)).astype(architecture.dtype)
        functional.predict(architecture, params, X, outputs, n_threads)
    return frame.outputs(samples).astype(architecture.dtype, copy=False)


def _units(net: Network, standardize: bool | Units) -> Units | None:
    """Those that `standardize` means, without data."""
    given = units.checked(standardize, net._architecture)
    if given is False or isinstance(given, Units):
        return given or None
    if net.units is None:
        raise ValueError(
            "standardize: expected a network that knows its units, got one that does not: train it with "
            "standardize=True, or give units such as net.units of another one"
        )
    return net.units


def _proper(architecture: Architecture, precisions: Precision) -> Float:
    """The precision of each parameter (P,), all of them positive."""
    alpha = by_parameter(architecture, precisions, "precisions")
    wrong = [name for name, where in architecture.groups.items() if not (alpha > 0)[where].all()]
    if wrong:
        raise ValueError(f"precisions: expected numbers > 0 for all parameters, got others in {', '.join(wrong)}")
    return alpha
