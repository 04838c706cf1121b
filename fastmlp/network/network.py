"""`Network`: the facade. What a network computes, and files; everything is done on the floors below."""

from __future__ import annotations

import os
from typing import Any

from fastmlp import _threads
from fastmlp._core.sums import predict as predicting
from fastmlp._types import Array, ArrayLike
from fastmlp.model import functional, io, traces
from fastmlp.model.chunks import Chunks
from fastmlp.model.traces import Trace
from fastmlp.network.trainable import Trainable


class Network(Trainable):
    """Dense multi-layer perceptron: a_0 = x, z_l = W_l a_(l-1) + b_l, a_l = h_l(z_l), y = a_L.

    Parameters
    ----------
    layers : sequence
        Sizes [D, M1, ..., K]: inputs, units of each hidden layer, outputs. [D, K] has no hidden layer. In place of D
        may be the shape of signals (channels, length) or images (channels, height, width), in place of the others
        `Conv`, `AveragePool` and `MaxPool`: ``[(1, 28, 28), Conv(4, 5), AveragePool(2), 10]``.
    hidden : str or sequence of str, default="tanh"
        Activation of the hidden layers, one name or one for each that has weights: identity, tanh, logistic, relu,
        leaky_relu (slope 0.01), softplus, elu, silu, gelu (erf form), sin.
    output : str, default="identity"
        identity, logistic, softmax, exp, or any hidden activation.
    loss : str, optional
        squared_error, binary_cross_entropy, cross_entropy or poisson. None takes the canonical one of the output
        (identity: squared_error, logistic: binary_cross_entropy, softmax: cross_entropy, exp: poisson; else
        squared_error). squared_error goes with every output but softmax, the others with their canonical output only.
    dtype : {"float64", "float32"}
        Type of the parameters and of all arithmetic on samples.
    rng : None, int or numpy.random.Generator
        Source of the starting values.
    init : str or float, default="glorot"
        glorot, lecun, he, nguyen_widrow, normal or zeros; see `fastmlp.model.initializers`. A number r draws all
        weights and biases from U(-r, r).

    Attributes
    ----------
    layers, hidden, output, loss_name, dtype
        As given, with defaults filled in.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or a name or number is out of range; the message names it.

    Warns
    -----
    IdenticalUnitsWarning
        If hidden units start out identical, as with ``init="zeros"``.

    Notes
    -----
    Losses and gradients are sums over samples and outputs. One network may be used from several Python threads at once;
    only two `fit` at the same time are refused.

    References
    ----------
    Bishop, PRML, chapter 5, (5.9) and (5.44)-(5.56), with the lecture's letters: z pre-activation, a activation.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> net = fastmlp.Network([1, 3, 1], rng=0)
    >>> res = net.fit(X, X**2)
    >>> float(abs(net(X) - X**2).max()) < 0.01
    True
    """

    # ---- what it computes ----

    @predicting.plain_first
    def predict(self, X: ArrayLike | Chunks, *, out: Array | None = None, n_threads: int | None = None) -> Array:
        """Outputs of the network; ``net(X)`` is the same.

        Parameters
        ----------
        X : array-like of shape (N, D) or (D,)
            In one dimension D numbers are one sample; N samples of one input are (N, 1). Here and in all else X may be
            of the samples' own shape, too: (N, channels, height, width), (N, channels, length), (N, height, width) of
            one channel. Or `Chunks`, which are read one after the other; or an array of Dask's, of which another one
            comes, that is computed when it is asked for.
        out : ndarray of shape (N, K), optional
            Of the network's type, C-contiguous; filled and returned. It may overlap X, and be a memory map.
        n_threads : int, optional
            None: FASTMLP_NUM_THREADS, else what OpenMP grants. The result does not depend on it, to the bit.

        Returns
        -------
        ndarray of shape (N, K)
            (K,) for one sample (D,), and so is `out`.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D) or (D,), or `out` does not fit.

        Notes
        -----
        One forward pass; 2 P multiplications and additions a sample. One to eight rows take a path of their own, which
        agrees with that of larger batches to rounding.
        """
        return functional.predict(self._architecture, self._params, X, out, n_threads)

    __call__ = predict

    def trace(
        self,
        X: ArrayLike,
        T: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Trace:
        """What every layer computes, in the lecture's letters: z, a and, with targets, delta = dE/dz.

        Parameters
        ----------
        X : array-like of shape (N, D)
        T : array-like, optional
            Targets as for `loss`.
        sample_weight : array-like of shape (N,), optional
        n_threads : int, optional
            Accepted for symmetry; one thread does the work.

        Returns
        -------
        Trace
            One (z, a, delta) a layer, each of shape (N, n_out); also by ``.z[l]``, ``.a[l]``, ``.delta[l]``.

        Raises
        ------
        TypeError, ValueError
            As `loss`.

        References
        ----------
        PRML (5.48)-(5.56).

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([1, 1])
        >>> net.params = [2.0, 1.0]
        >>> float(net.trace([[3.0]], [5.0])[0].delta[0, 0])  # y - t = 2 * 3 + 1 - 5
        2.0
        """
        _threads.resolve(n_threads)
        return traces.trace(self._architecture, self._params, X, T, sample_weight, n_threads)

    def loss(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> float:
        """Sum over samples of the loss, sum_n s_n e(y_n, t_n), in nats.

        Parameters
        ----------
        X : array-like of shape (N, D), or Chunks
            `Chunks` hold T and sample_weight too, which then are left out; here and wherever sums over samples are.
        T : array-like of shape (N, K)
            (N,) where K = 1. Class targets: integer labels (N,) or rows that sum to 1, up to 1e-3.
        sample_weight : array-like of shape (N,), optional
            s_n >= 0; a weight of 2 counts as the sample twice.
        n_threads : int, optional

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type or shape, is not finite, or targets are out of the loss's domain.

        Notes
        -----
        One forward pass. Sums accumulate in float64.
        """
        batch = functional.check_and_bind(self._architecture, X, T, sample_weight)
        return functional.loss(batch, self._params, n_threads)

    def loss_and_grad(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> tuple[float, Array]:
        """The loss and its gradient by the parameters.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`.

        Returns
        -------
        loss : float
        gradient : ndarray of shape (P,)
            Of the same scale, in the order of `params`.

        Raises
        ------
        TypeError, ValueError
            As `loss`.

        Notes
        -----
        One pass forward and one backward, about three times the cost of a prediction. Memory: a block of samples for
        each thread, and up to 64 partial gradients.

        References
        ----------
        PRML (5.53), (5.56).
        """
        batch = functional.check_and_bind(self._architecture, X, T, sample_weight)
        return functional.loss_and_grad(batch, self._params, n_threads)

    def sample_losses(
        self, X: ArrayLike, T: ArrayLike, *, sample_weight: ArrayLike | None = None, n_threads: int | None = None
    ) -> Array:
        """The loss of each sample, e_n, without weights.

        Parameters
        ----------
        X, T, n_threads
            As for `loss`.
        sample_weight : array-like of shape (N,), optional
            Accepted and checked, as everywhere, but not applied.

        Returns
        -------
        ndarray of shape (N,)

        Raises
        ------
        TypeError, ValueError
            As `loss`.
        """
        samples = functional.check_at_hand(self._architecture, X, T, sample_weight)
        return functional.sample_losses(self._architecture, self._params, samples, n_threads)

    # ---- files ----

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a file, which `fastmlp.load` reads; the file appears complete or not at all.

        Parameters
        ----------
        path : str or path-like
            Any name; an existing file is replaced.

        Raises
        ------
        OSError
            If the file cannot be written.

        Notes
        -----
        An uncompressed npz (NumPy reads it too) with a JSON manifest, a format version and a SHA-256 over it all. A
        process that is killed meanwhile leaves a temporary file beside it, which the next save of the file removes.
        """
        io.save(path, self._stored())


def check_network(net: Any) -> Network:
    """A network, or a TypeError that says what came in its place."""
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a fastmlp.Network, got {type(net).__name__}")
    return net
