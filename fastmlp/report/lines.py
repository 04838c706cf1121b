"""What a network is held against: a straight line, and a straight line for the logits of classes.

Both see the training rows only, in columns of mean 0 and standard deviation 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float, Index
from fastmlp.model import moments
from fastmlp.network import Network
from fastmlp.terms import WeightDecay

RIDGES = np.geomspace(1e-6, 1e4, 21)  #: penalties that are tried, each times the number of rows
LOST = 1e-13  #: of the largest eigenvalue: what is less is rounding
DECAY = 1.0  #: of the logits' weights


def straight_line(X: Float, t: Float) -> Callable[[Float], Float]:
    """Ridge regression of t (N,) on X (N, D), its penalty chosen by leaving out each of the rows in turn.

    With the eigenvectors of Z'Z, or of ZZ' where that is smaller, all penalties cost one decomposition: the error at a
    row that is left out is (t_n - y_n) / (1 - h_n), h_n the diagonal of the hat matrix (PRESS).
    """
    seen = moments.of_columns(X)
    scale = np.where(seen.deviation > 0, seen.deviation, np.inf)
    Z = (X - seen.mean) / scale
    rows, roots, columns = _decomposed(Z)
    center = float(t.mean())
    along = rows.T @ (t - center)  # of t in the basis of the fits
    kept = [roots**2 / (roots**2 + len(t) * ridge) for ridge in RIDGES]
    best = kept[int(np.argmin([_left_out(rows, along, t - center, share) for share in kept]))]
    weights = columns @ (best * along / roots)
    return lambda new: np.asarray(center + ((new - seen.mean) / scale) @ weights)


def _decomposed(Z: Float) -> tuple[Float, Float, Float]:
    """Z = rows diag(roots) columns', without what is rounding."""
    wide = Z.shape[1] > len(Z)
    product = _memory.product(Z, Z.T) if wide else _memory.product(Z.T, Z)
    _memory.blas(8 * product.nbytes)
    values, vectors = np.linalg.eigh(product)
    kept = values > LOST * max(float(values[-1]), np.finfo(float).tiny)
    roots, vectors = np.sqrt(values[kept]), vectors[:, kept]
    others = _memory.product(Z.T if wide else Z, vectors) / roots
    return (vectors, roots, others) if wide else (others, roots, vectors)


def _left_out(rows: Float, along: Float, t: Float, share: Float) -> float:
    """The sum of squared errors at rows left out; infinite where the others leave a row no freedom."""
    left = 1 - 1 / len(t) - rows**2 @ share
    if (left <= 1e-9).any():
        return float("inf")
    return float((((t - rows @ (share * along)) / left) ** 2).sum())


def straight_logits(X: Float, labels: Index, n_classes: int) -> Callable[[Float], Float]:
    """Multinomial logistic regression, weights w with a penalty |w|^2 / 2 in standardised units: probabilities."""
    net = Network([X.shape[1], n_classes], output="softmax", rng=0)
    net.fit(X, labels, standardize=True, penalty=WeightDecay(weights=DECAY))
    return net.predict
