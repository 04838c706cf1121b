"""How much a network changes along directions of its inputs."""

from __future__ import annotations

import numpy as np

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import ArrayLike, Float
from fastmlp.network.network import Network, check_network


@quiet
def invariance(
    net: Network, X: ArrayLike, tau: ArrayLike | str, of: str = "outputs", *, n_threads: int | None = None
) -> Float:
    """Mean |J tau|^2 for each direction: what `TangentPropagation` makes small.

    Parameters
    ----------
    net : Network
    X : array-like of shape (N, D)
    tau : array-like of shape (N, M, D) or (M, D), or "inputs"
        Directions, as for `TangentPropagation`; `tangents` makes those of transformations.
    of : {"outputs", "logits"}, default="outputs"
        What is differentiated.
    n_threads : int, optional

    Returns
    -------
    ndarray of shape (M,)
        (1/N) sum_n |J_n tau_nm|^2, where |.|^2 is the sum over the outputs.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or there are no samples.

    Notes
    -----
    Cost: 2 M predictions.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 1])
    >>> net.params = [3.0, 4.0, 0.0]  # y = 3 x1 + 4 x2
    >>> fastmlp.invariance.invariance(net, [[0.0, 0.0]], [[1.0, 0.0], [4.0, -3.0]])
    array([9., 0.])
    """
    X = check_network(net)._architecture.rows(X)
    D = X.shape[1]
    check.at_least_one(X)
    if isinstance(tau, str):
        check.choice(tau, "tau", ("inputs",))
        tau = np.eye(D)
    tau = check.real_array(tau, "tau", net.dtype)
    if tau.shape[-1:] != (D,) or tau.ndim not in (2, 3) or (tau.ndim == 3 and len(tau) != len(X)):
        raise ValueError(f"tau: expected shape ({len(X)}, M, {D}) or (M, {D}), got {tau.shape}")
    squares = []
    for m in range(tau.shape[-2]):
        R = net.jvp(X, tau[..., m, :], wrt="inputs", of=of, n_threads=n_threads).astype(np.float64)
        squares.append(np.mean((R**2).sum(axis=1)))
    return np.array(squares)
