"""Which rows train, which are kept back: drawn from a seed, of each class its share."""

from __future__ import annotations

import numpy as np

from fastmlp._types import Array, Index

FEWEST = 10  # rows of a table that anything is told from


def dealt(T: Array, n_folds: int, rng: np.random.Generator) -> Index:
    """For each row one of so many folds, which are of equal size up to one; of classes each has its share.

    T are numbers, or the numbers of classes (integers).
    """
    order = rng.permutation(len(T))
    if T.dtype.kind in "iu":
        order = order[np.argsort(T[order], kind="stable")]
    folds = np.empty(len(T), np.intp)
    folds[order] = np.arange(len(T)) % n_folds
    return folds


def kept_back(T: Array, share: float, rng: np.random.Generator) -> tuple[Index, Index]:
    """Rows to train on, and about this share of the rows kept back, in order; of each class one to train on at least.

    Raises
    ------
    ValueError
        If there are too few rows.
    """
    if len(T) < FEWEST:
        raise ValueError(f"expected at least {FEWEST} rows below the header, got {len(T)}")
    order = rng.permutation(len(T))
    groups = [order] if T.dtype.kind == "f" else [order[T[order] == k] for k in range(int(T.max()) + 1)]
    held = [group[: min(max(round(share * len(group)), 1), len(group) - 1)] for group in groups]
    is_held = np.zeros(len(T), np.bool_)
    is_held[np.concatenate(held)] = True
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)
