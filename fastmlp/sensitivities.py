"""What outputs owe to the inputs: averages of the input Jacobian over samples, and input errors carried through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from fastmlp import _memory, plot
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp._types import Array, ArrayLike, Axes, Float
from fastmlp.model import functional, moments, names
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.chunks import Chunks
from fastmlp.model.functional import Samples
from fastmlp.model.losses import Targets
from fastmlp.network.network import Network, check_network

BLOCK = 2**19  # numbers of the Jacobian that are held at once
OUTPUTS = 6  # columns of what is printed
AVERAGES = ("mean", "mean abs.", "dy/dx\nrms", "mean", "mean abs.", "dy/dx sd(x)/sd(y)\nrms")
ASYMMETRY = 1e-6  # allowed between cov_ij and cov_ji, relative to the standard deviations' product


class Averages(NamedTuple):
    """Averages over the samples of the derivatives dy_k/dx_i; each of shape (K, D)."""

    mean: Float
    mean_absolute: Float
    root_mean_square: Float


@printed
@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How the outputs depend on the inputs, on average over samples: what `fastmlp.sensitivity` returns.

    Attributes
    ----------
    raw : Averages
        `mean`, `mean_absolute` and `root_mean_square` of dy_k/dx_i, each (K, D), in units of y_k per unit of x_i.
    standardized : Averages
        The same times sd(x_i) / sd(y_k): by how many of its standard deviations the output changes with one of the
        input's.
    input_sd, output_sd : ndarray of shape (D,), (K,)
        The standard deviations over the samples.
    input_names, output_names : tuple of str
        The network's, or columns of a data frame, else x1, x2, ...; y1, y2, ...
    """

    raw: Averages
    standardized: Averages
    input_sd: Float
    output_sd: Float
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    def table(self) -> str:
        """A table for each output, inputs of the largest standardised root-mean-square derivative first.

        Returns
        -------
        str
            The averages of dy/dx, in units of y per unit of x, and of dy/dx sd(x)/sd(y).
        """
        return "\n\n".join(str(self._output(k)) for k in range(len(self.output_names)))

    def _output(self, k: int) -> Table:
        """The averages of one output."""
        averages = [each[k] for each in (*self.raw, *self.standardized)]
        rows = [(self.input_names[i], *(each[i] for each in averages)) for i in self._strongest(slice(k, k + 1))]
        return Table(rows, (f"{self.output_names[k]}\ninput", *AVERAGES), "<>")

    def _strongest(self, outputs: slice) -> list[int]:
        """The inputs, the strongest first."""
        rms = np.nan_to_num(self.standardized.root_mean_square[outputs])
        return np.argsort(-rms.max(axis=0), kind="stable").tolist()  # type: ignore[no-any-return]

    def _shown(self) -> Page:
        n_outputs, n_inputs = len(self.output_names), len(self.input_names)
        title = f"Sensitivity to {how_many(n_inputs, 'input')}, averages over the samples"
        if n_outputs == 1:
            return Page(title, (self._output(0),))
        heading = ["input", *self.output_names[:OUTPUTS]]
        heading += [f"... ({n_outputs})"] * (n_outputs > OUTPUTS)
        rms = self.standardized.root_mean_square[:OUTPUTS]
        rows = [(self.input_names[i], *rms[:, i]) for i in self._strongest(slice(None))]
        return Page(f"{title}: rms of dy/dx sd(x)/sd(y)", (Table(rows, heading, "<>"),))

    def plot(self, ax: Axes | None = None, *, output: int | None = None, n_inputs: int = 20) -> Axes:
        """Draw bars of the standardised derivatives into `ax`, and return it; see `fastmlp.plot.sensitivity`."""
        return plot.sensitivity(self, ax, output=output, n_inputs=n_inputs)


@quiet
def sensitivity(
    net: Network, X: ArrayLike | Chunks, *, sample_weight: ArrayLike | None = None, n_threads: int | None = None
) -> Sensitivity:
    """How much each output depends on each input, on average over samples.

    Parameters
    ----------
    net : Network
    X : array-like of shape (N, D), or Chunks
        The samples to average over, at least one; the columns of a data frame give the inputs their names. `Chunks`
        have weights of their own, if any; their targets are not looked at.
    sample_weight : array-like of shape (N,), optional
        Non-negative weights s_n of the averages, not all zero.
    n_threads : int, optional

    Returns
    -------
    Sensitivity
        With S = sum s_n and J_nki = dy_k/dx_i at sample n: the mean sum_n s_n J_nki / S, the mean absolute
        sum_n s_n |J_nki| / S and the root mean square sqrt(sum_n s_n J_nki^2 / S), as they are (`raw`) and times
        sd(x_i) / sd(y_k) (`standardized`); `table()` and `plot()` show them.

    Raises
    ------
    TypeError, ValueError
        If net is not a network, X not an array of finite real numbers of shape (N, D) with N > 0, or sample_weight not
        of shape (N,), non-negative and somewhere positive.

    Notes
    -----
    A mean near zero with a large root mean square is an input that acts in both directions: a non-linear effect, or an
    interaction. Standard deviations are those of the given samples, sqrt(sum_n s_n (x_n - mean)^2 / S). Standardised
    derivatives by an input that is constant over the samples are 0; those of a constant output are nan; both up to
    rounding.

    Cost: `Network.jacobian`. Memory: a block of the Jacobian, whatever N is, and the outputs. `Chunks` are read ten
    times, and their outputs computed each time.

    References
    ----------
    PRML (5.70)-(5.72).

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 1])
    >>> net.params = [3.0, -4.0, 0.0]
    >>> s = fastmlp.sensitivity(net, [[0.0, 0.0], [2.0, 0.0], [0.0, 1.0], [2.0, 1.0]])
    >>> s.raw.mean
    array([[ 3., -4.]])
    >>> print(s.table())
    y1                                    dy/dx                   dy/dx sd(x)/sd(y)
    input          mean   mean abs.         rms        mean   mean abs.         rms
    x1                3           3           3      0.8321      0.8321      0.8321
    x2               -4           4           4     -0.5547      0.5547      0.5547
    """
    samples = _answered(check_network(net), X, sample_weight, n_threads)
    check.at_least_one(samples.X)
    heaviest = max(samples.of_each(_heaviest, inputs=False))
    if heaviest == 0:
        raise ValueError("sample_weight: expected at least one positive number, got zeros only")
    input_sd = moments.of_samples(samples).deviation
    output_sd = moments.of_samples(samples, targets=True).deviation
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = input_sd / np.where(output_sd > 0, output_sd, np.nan)[:, np.newaxis]
    raw = _averages(net, samples, heaviest, ratio, n_threads)
    standardized = Averages(*(each * ratio for each in raw))
    outputs = tuple(f"y{k}" for k in range(1, net.layers[-1] + 1))
    return Sensitivity(raw, standardized, input_sd, output_sd, input_names(X, net), outputs)


def _answered(net: Network, X: Any, sample_weight: Any, n_threads: int | None) -> Samples:
    """Samples whose targets are the network's outputs; those of chunks are computed whenever a chunk is read."""
    net._architecture.check_names(X)
    X, _, sample_weight = functional.in_chunks(X, None, sample_weight)
    look = partial(_looked_at, net, n_threads)
    if not isinstance(X, Chunks):
        return look(X, None, sample_weight, finite=True)
    functional.refuse_beside_chunks({"sample_weight": sample_weight})
    return cast("Samples", ChunkedSamples(X, look, net.dtype))


def _looked_at(
    net: Network, n_threads: int | None, X: Any, T: Any, weight: Any, *, finite: bool, **wanted: bool
) -> Samples:
    rows = net._architecture.rows(X, finite=finite)
    weight = check.sample_weight(weight, len(rows), np.float64)
    return Samples(rows, Targets(net.predict(rows, n_threads=n_threads), None), weight)


def _heaviest(samples: Samples) -> float:
    return 1.0 if samples.weight is None else float(samples.weight.max(initial=0.0))


def _shares(heaviest: float, samples: Samples) -> Float:
    """The weights (N,) beside the largest of all."""
    weight = np.ones(len(samples.X)) if samples.weight is None else samples.weight
    return np.asarray(weight / heaviest)


def _total(heaviest: float, samples: Samples) -> float:
    return float(_shares(heaviest, samples).sum())


def _averages(net: Network, samples: Samples, heaviest: float, ratio: Float, n_threads: int | None) -> Averages:
    """Sums of J times the power of two beside `ratio`, whose squares overflow in no units."""
    usual = np.isfinite(ratio) & (ratio > 0)
    unit = np.ldexp(1.0, np.clip(np.frexp(np.where(usual, ratio, 1.0))[1], -1000, 1000))
    total = samples.summed(partial(_total, heaviest), inputs=False)
    sums = samples.summed(partial(_sums, net, n_threads, unit, heaviest, total))
    return Averages(sums[0] / unit, sums[1] / unit, np.sqrt(sums[2]) / unit)


def _sums(net: Network, n_threads: int | None, unit: Float, heaviest: float, total: float, samples: Samples) -> Float:
    """Of J, |J| and J^2 in these units, by the samples' shares of the weights: (3, K, D)."""
    share = _shares(heaviest, samples) / total
    sums = np.zeros((3, net.layers[-1], net.layers[0]))
    for rows, J in _jacobians(net, samples.X, n_threads):
        J = J * unit
        for each, values in zip(sums, (J, np.abs(J), J * J), strict=True):
            each += np.einsum("n,nki->ki", share[rows], values)
    return sums


def _jacobians(net: Network, X: Array, n_threads: int | None) -> Iterator[tuple[slice, Float]]:
    """The input Jacobian of some samples after the other, in float64."""
    size = max(1, BLOCK // (net.layers[0] * net.layers[-1]))
    for first in range(0, len(X), size):
        rows = slice(first, min(first + size, len(X)))
        yield rows, net.jacobian(X[rows], n_threads=n_threads).astype(np.float64, copy=False)


def input_names(X: Any, net: Network) -> tuple[str, ...]:
    """What the network calls its inputs, else the columns of a data frame, else x1, x2, ..."""
    known, columns = net.input_names, getattr(X, "columns", None)
    return names.or_numbered(known if known is not None or columns is None else tuple(map(str, columns)), net.layers[0])


@quiet
def propagate(net: Network, X: ArrayLike, cov: ArrayLike, *, n_threads: int | None = None) -> Array:
    """Covariance of the outputs that errors of the inputs cause, to first order: Sigma_y = J Sigma_x J'.

    Parameters
    ----------
    net : Network
    X : array-like of shape (N, D)
        The inputs as measured.
    cov : array-like of shape (D, D), (D,) or (N, D, D)
        Covariance Sigma_x of their errors; variances of independent errors; a covariance for each sample.
    n_threads : int, optional

    Returns
    -------
    ndarray of shape (N, K, K)
        Sigma_y at each sample, symmetric to the last bit.

    Raises
    ------
    TypeError, ValueError
        If net is not a network, X not of shape (N, D), or cov not of one of the shapes above, symmetric up to
        rounding (1e-6 of the product of the standard deviations) and with non-negative variances.

    Notes
    -----
    Delta y_k = sum_i J_ki Delta x_i holds for errors that are small where the network bends; for a network without
    hidden layers and with identity output it is exact. Whether cov is positive semidefinite is not looked at.

    Cost: `Network.jacobian`, and K D (D + K) multiplications a sample. Memory: a block of the Jacobian beside the
    result.

    References
    ----------
    PRML (5.72).

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 1])
    >>> net.params = [3.0, 4.0, 0.0]
    >>> fastmlp.propagate(net, [[1.0, 2.0]], [0.01, 0.04])  # 3^2 0.01 + 4^2 0.04
    array([[[0.73]]])
    """
    X = check_network(net)._architecture.rows(X)
    cov = _covariance(cov, *X.shape)
    result = np.empty((len(X), net.layers[-1], net.layers[-1]), net.dtype)
    for rows, J in _jacobians(net, X, n_threads):
        weighted = J * cov if cov.ndim == 1 else _memory.product(J, cov[rows] if cov.ndim == 3 else cov)
        product = _memory.product(weighted, J.transpose(0, 2, 1))
        result[rows] = (product + product.transpose(0, 2, 1)) / 2
    return result


def _covariance(value: Any, n_samples: int, n_inputs: int) -> Float:
    cov: Float = check.real_array(value, "cov", np.float64)
    square = (n_inputs, n_inputs)
    if cov.shape not in (square, square[:1], (n_samples, *square)):
        raise ValueError(f"cov: expected shape {square}, {square[:1]} or {(n_samples, *square)}, got {cov.shape}")
    variances = cov if cov.ndim == 1 else np.diagonal(cov, axis1=-2, axis2=-1)
    if variances.size and variances.min() < 0:
        raise ValueError(f"cov: expected non-negative variances, got {variances.min()}")
    if cov.ndim > 1:
        deviations = np.sqrt(variances)
        allowed = ASYMMETRY * deviations[..., :, np.newaxis] * deviations[..., np.newaxis, :]
        wrong = np.abs(cov - np.swapaxes(cov, -2, -1)) > allowed
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            mirrored = (*where[:-2], where[-1], where[-2])
            raise ValueError(f"cov: expected a symmetric matrix, got {cov[where]} at {where}, {cov[mirrored]} opposite")
    return cov
