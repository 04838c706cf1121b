"""The validation set: given by the user, or samples held back from training, a fraction or fold by fold."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array, Index, Validation
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.chunks import Chunks
from fastmlp.model.functional import Samples, check_samples


def draws(validation: Validation | None) -> bool:
    """Whether `split` draws samples: neither without validation nor for a pair."""
    return validation is not None and not isinstance(validation, (tuple, list, Chunks))


def split(
    architecture: Architecture,
    samples: Samples,
    validation: Validation | None,
    rng: np.random.Generator | None,
    held_back: Index | None = None,
    missing: str = "raise",
) -> tuple[Samples, Samples | None, Index | None]:
    """Training samples, validation samples, and the indices of those held back by a fraction.

    `validation` is None, a pair (X, T) or a fraction in (0, 1). A fraction is drawn with `rng`, by class where the
    loss is a cross-entropy and targets are labels or 0 and 1; `held_back` repeats an earlier draw. Nothing else is
    drawn: `rng` is None without a fraction.
    """
    if validation is None:
        return samples, None, None
    if not draws(validation):
        X, T = (validation, None) if isinstance(validation, Chunks) else _pair(validation)
        try:
            checked = check_samples(architecture, X, T, missing=missing)
            n_counting = checked.n_counting  # for which chunks are read
        except (ValueError, TypeError, OSError, RuntimeError) as error:
            raise type(error)(f"validation: {error}") from error
        check.at_least_one(checked.X, "validation")
        if not n_counting:
            raise ValueError("validation: expected a sample_weight above 0, got zeros only")
        return samples, checked, None
    fraction = check.number(validation, "validation", 0.0, above=True, high=1.0)
    if isinstance(samples, ChunkedSamples):
        raise ValueError(
            f"validation: expected a pair (X, T), or Chunks of other samples, with Chunks, got {fraction:g}; leave "
            "out some chunks for it"
        )
    n_samples = len(samples.X)
    if held_back is None:
        assert rng is not None
        held_back = _draw(_classes(architecture, samples), n_samples, fraction, rng)
    if len(held_back) in (0, n_samples):
        raise ValueError(f"validation: expected a fraction that splits {n_samples} samples, got {fraction:g}")
    return samples.rows(others(n_samples, held_back)), samples.rows(held_back), held_back


def _pair(validation: Any) -> tuple[Any, Any]:
    pair = check.sequence(validation, "validation", "a pair (X, T) or a fraction")
    if len(pair) != 2:
        raise ValueError(f"validation: expected a pair (X, T) or a fraction, got {len(pair)} items")
    X, T = pair
    return X, T


def others(n_samples: int, index: Index) -> Index:
    """The samples that are not among those, in order; twice, those, sorted in O(N)."""
    kept = np.ones(n_samples, np.bool_)
    kept[index] = False
    return np.flatnonzero(kept)


def folds(architecture: Architecture, samples: Samples, n_folds: int, rng: np.random.Generator) -> list[Index]:
    """The samples dealt to so many folds of equal size, up to one; by class as for a fraction."""
    order = rng.permutation(len(samples.X))
    classes = _classes(architecture, samples)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    return [np.sort(order[fold::n_folds]) for fold in range(n_folds)]


def _classes(architecture: Architecture, samples: Samples) -> Array | None:
    """From 0 on, in the smallest type: NumPy sorts integers of up to 16 bits in O(N)."""
    values, labels, *_ = samples.targets
    if labels is None:
        if values is None or not architecture.loss.is_of_classes:
            return None
        if not architecture.loss.couples_outputs:
            return (values[:, 0] > 0.5).view(np.uint8) if values.shape[1] == 1 else None
        labels = np.argmax(values, axis=1)
    return labels.astype(np.min_scalar_type(architecture.n_outputs))


def _draw(classes: Array | None, n_samples: int, fraction: float, rng: np.random.Generator) -> Index:
    if classes is None:  # a fifth of the time of a permutation
        held_back = rng.choice(n_samples, round(fraction * n_samples), replace=False, shuffle=False)
        return others(n_samples, others(n_samples, held_back))
    order = rng.permutation(n_samples)
    sizes = np.bincount(classes)
    sizes = sizes[sizes > 0]
    shares = fraction * sizes
    counts = np.floor(shares).astype(int)
    largest = np.argsort(counts - shares, kind="stable")  # what is still to be given goes by largest remainder
    counts[largest[: round(fraction * n_samples) - counts.sum()]] += 1
    by_class = order[np.argsort(classes[order], kind="stable")]
    ends = np.cumsum(sizes)
    members = [by_class[end - size : end - size + count] for end, size, count in zip(ends, sizes, counts, strict=True)]
    return np.sort(np.concatenate(members))
