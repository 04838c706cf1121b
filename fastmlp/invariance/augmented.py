"""Changed copies of the samples, for methods that see all samples at every step."""

from __future__ import annotations

import numpy as np

from fastmlp import _images
from fastmlp import _validation as check
from fastmlp._types import Array, ArrayLike, Augment, Seed


def augmented(
    X: ArrayLike, T: ArrayLike, augment: Augment, copies: int = 20, rng: Seed = None
) -> tuple[Array, Array, Array]:
    """Copies of the samples, each changed at random, for methods that see all samples at every step.

    Parameters
    ----------
    X : array-like of shape (N, ...)
        Inputs, finite.
    T : array-like of shape (N,) or (N, K)
        Targets, which stay as they are.
    augment : callable
        ``augment(X, rng)`` returns an array like X, which it cannot write to: `RandomAffine`, sums, one's own.
    copies : int, default=20
        Of each sample.
    rng : None, int or numpy.random.Generator

    Returns
    -------
    X : ndarray of shape (copies * N, ...)
        All samples, then all again, and so on: float32 where X is, else float64.
    T : ndarray of shape (copies * N,) or (copies * N, K)
    sample_weight : ndarray of shape (copies * N,)
        1 / copies: sums over the samples, and what is said to weight decay, keep their size.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or what `augment` returns is not like X.

    Notes
    -----
    sgd and adam need no copies: ``fit(augment=)`` draws anew in each epoch. For Levenberg-Marquardt and L-BFGS, whose
    objective has to stay what it is, ten to forty copies do nearly as well, at as many times the cost.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp.datasets import load_digits
    >>> from fastmlp.invariance import RandomShift, augmented
    >>> digits = load_digits()
    >>> X, T, weight = augmented(digits.X[:50], digits.T[:50], RandomShift(1), copies=4, rng=0)
    >>> X.shape, T.shape, float(weight.sum())
    ((200, 64), (200,), 50.0)
    """
    array, targets = _images.floats(X), check.real_array(T, "T", None)
    _images.check_augment(augment)
    width = max(1, array.size, targets.size)
    copies, rng = check.integer(copies, "copies", 1, check.bits_for(width)), check.generator(rng)
    if array.ndim == 0 or targets.ndim == 0 or len(targets) != len(array):
        n = len(array) if array.ndim else 1
        raise ValueError(f"T: expected as many rows as X, {n}, got shape {targets.shape}")
    result = np.empty((copies, *array.shape), array.dtype)
    for copy in result:
        copy[...] = _images.drawn(augment, array, rng)
    weight = np.full(copies * len(array), 1.0 / copies)
    return result.reshape(-1, *array.shape[1:]), np.concatenate([targets] * copies), weight
