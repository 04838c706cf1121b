"""Deviations through scikit-learn's `TransformedTargetRegressor`, in the units of its targets.

What the regressor within gives, scikit-learn hands to the transformer's inverse as one array: a pair of means and
deviations is an error there, and deviations would be shifted as means are. Nothing that a regressor can return gets
through, nor does it know of the transformer. So this class of scikit-learn's learns here what to do when a regressor of
this library is asked for deviations. All other calls go to scikit-learn's own code, as they are.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from fastmlp._types import Array, ArrayLike
from fastmlp.estimators.regressor import MLPRegressor

REACH = 2.0**20  # deviations, at which a slope is taken: shifts that are as large cost no digits
ROUNDING = 1e-9


def extend() -> None:
    """Let scikit-learn's class hand deviations on; once."""
    original = TransformedTargetRegressor.predict
    if hasattr(original, "hands_on_deviations"):
        return

    @functools.wraps(original)
    def predict(self: Any, X: ArrayLike, **predict_params: Any) -> Any:
        if not (predict_params.get("return_std") and _is_ours(getattr(self, "regressor_", None))):
            return original(self, X, **predict_params)
        other, split = copy.copy(self), _Split(self.regressor_)
        other.regressor_ = split
        mean = original(other, X, **predict_params)
        return mean, _in_units_of_targets(self.transformer_, split.mean, split.std, mean)

    predict.hands_on_deviations = True  # type: ignore[attr-defined]
    TransformedTargetRegressor.predict = predict


class _Split:
    """In the place of a regressor: gives its means, and keeps them and the deviations."""

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    def predict(self, X: ArrayLike, **predict_params: Any) -> Array:
        """The means only."""
        self.mean, self.std = self.regressor.predict(X, **predict_params)
        return np.asarray(self.mean)


def _is_ours(regressor: Any) -> bool:
    """Whether it, or the end of a pipeline, is one of this library's."""
    while isinstance(regressor, Pipeline):
        regressor = regressor.steps[-1][1]
    return isinstance(regressor, MLPRegressor)


def _in_units_of_targets(transformer: Any, mean: Array, std: Array, outcome: Array) -> Array:
    """Deviations times the slope by which each output becomes a target; ValueError where there is no such slope."""
    z, s = (each.reshape(len(each), -1).astype(np.float64) for each in (mean, std))
    n_outputs = z.shape[1]
    ends = REACH * np.eye(n_outputs)
    with np.errstate(all="ignore"):
        shift, above, below, *points = (
            np.asarray(transformer.inverse_transform(values)).reshape(len(values), -1)
            for values in (np.zeros((1, n_outputs)), ends, -ends, z, z + s, z - s)
        )
        slopes = (above - below) / (2 * REACH)
        slope = np.diagonal(slopes)
        linear = slopes.shape == ends.shape and not (slopes - np.diag(slope)).any() and np.isfinite(slopes).all()
        for values, became in zip((z, z + s, z - s), points, strict=True):
            expected = shift + values * slope
            linear = linear and bool((abs(became - expected) <= ROUNDING * (abs(shift) + abs(values * slope))).all())
    if not linear:
        raise ValueError(
            f"return_std: expected a transformer that scales and shifts each target, got {type(transformer).__name__}, "
            "under which deviations have no counterpart; take those of .regressor_, and the ends of an interval "
            "through .transformer_.inverse_transform"
        )
    return np.asarray((s * abs(slope)).reshape(outcome.shape), outcome.dtype)
