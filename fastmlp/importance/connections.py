"""What is read off the weights alone: Garson's algorithm and Olden's connection weights.

Both follow the paths from an input through hidden units to an output, and neither looks at data, biases or activations.
"""

from __future__ import annotations

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import ArrayLike, Float
from fastmlp.model import moments
from fastmlp.network.network import Network, check_network

FORMS = ("goh", "garson")


@quiet
def garson(net: Network, X: ArrayLike | None = None, *, form: str = "goh") -> Float:
    """Relative importances of the inputs by Garson's algorithm: shares of the absolute weights of one hidden layer.

    Parameters
    ----------
    net : Network
        With one hidden layer; all layers dense.
    X : array-like of shape (N, D), optional
        Inputs whose standard deviations are the units of the weights; None takes the weights as they are.
    form : {"goh", "garson"}
        goh: the steps of Goh (1995), also those of NeuralNetTools in R, in which weights to the outputs cancel; garson:
        shares in each unit count by its weight to the output.

    Returns
    -------
    ndarray of shape (K, D)
        A row for each output, which sums to 1; 0 where no path leads to the output at all.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the network has no hidden layer or several, for which the method is not defined.

    Notes
    -----
    With P_ji = |w_ji| |v_kj| for input i, unit j and output k, and Q_ji = P_ji / sum_i P_ji (0 / 0: no share),

        goh:     R_ki = sum_j Q_ji / sum_ij Q_ji
        garson:  R_ki = sum_j |v_kj| Q_ji / sum_ij |v_kj| Q_ji.

    Signs are not looked at: paths that cancel count as if they added up. Weights grow with the unit of an input, hence
    `X`; of inputs without effect the weights of units without effect remain. `fastmlp.importances` sets it beside what
    derivatives and saliencies say. NeuralNetTools refuses several outputs, and gives nan with a unit that has no path.

    References
    ----------
    Garson (1991), Interpreting neural network connection weights; Goh (1995), Back-propagation neural networks for
    modeling complex systems; Beck (2018), NeuralNetTools.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 2, 1], rng=0)
    >>> net.weights[0][...] = [[3.0, 1.0], [1.0, -1.0]]
    >>> net.weights[1][...] = [[1.0, 0.1]]
    >>> fastmlp.garson(net), fastmlp.garson(net, form="garson").round(3)
    (array([[0.625, 0.375]]), array([[0.727, 0.273]]))
    """
    form = check.choice(form, "form", FORMS)
    check_network(net)._architecture.check_dense("net")
    if len(net.weights) != 2:
        raise ValueError(f"net: expected one hidden layer for Garson's algorithm, got {len(net.weights) - 1}")
    W, V = _weights(net, X)
    sums = np.abs(W).sum(axis=1, keepdims=True)
    shares = np.divide(np.abs(W), sums, out=np.zeros_like(W), where=sums > 0)
    by_output = _memory.product(np.abs(V) if form == "garson" else (V != 0).astype(np.float64), shares)
    totals = by_output.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(by_output, totals, out=np.zeros_like(by_output), where=totals > 0))


@quiet
def olden(net: Network, X: ArrayLike | None = None) -> Float:
    """Importances of the inputs by Olden's connection weights: products of the weights, summed over all paths.

    Parameters
    ----------
    net : Network
        With dense layers, any number.
    X : array-like of shape (N, D), optional
        Inputs whose standard deviations are the units of the weights; None takes the weights as they are.

    Returns
    -------
    ndarray of shape (K, D)
        A row for each output, with signs; W_L ... W_2 W_1.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    It is the Jacobian of the network with straight lines in place of its activations: right for linear networks, close
    where all units work around 0 with slopes of 1 (tanh, small weights), and without meaning where units are saturated
    or an input acts in both directions: x^2 has paths of both signs, which cancel. Logistic units have slopes of 1/4 at
    most.
    `Network.jacobian` has the slopes as they are, and `fastmlp.sensitivity` their averages.

    References
    ----------
    Olden and Jackson (2002), Illuminating the "black box"; Olden, Joy and Death (2004), An accurate comparison of
    methods for quantifying variable importance in artificial neural networks using simulated data.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 2, 1], rng=0)
    >>> net.weights[0][...] = [[3.0, 1.0], [1.0, -1.0]]
    >>> net.weights[1][...] = [[1.0, 2.0]]
    >>> fastmlp.olden(net)  # 3 + 2 and 1 - 2
    array([[ 5., -1.]])
    """
    check_network(net)._architecture.check_dense("net")
    first, *others = _weights(net, X)
    product = first
    for W in others:
        product = _memory.product(W, product)
    return product


def _weights(net: Network, X: ArrayLike | None) -> list[Float]:
    """Those of each layer, the first ones by the standard deviations of the inputs, if there are any."""
    weights = [W.astype(np.float64) for W in net.weights]
    if X is not None:
        values = net._architecture.rows(X)
        check.at_least_one(values)
        weights[0] *= moments.of_columns(values, None).deviation
    return weights
