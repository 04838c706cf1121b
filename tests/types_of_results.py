"""Types that an editor sees: `mypy tests/types_of_results.py` holds them; nothing here runs."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import fastmlp
from fastmlp.estimators import MLPRegressor
from fastmlp.terms.term import Penalty

Float = NDArray[np.float64]
Array = NDArray[Any]


def of_posteriors(posterior: fastmlp.Laplace, mixture: fastmlp.Mixture, X: Float) -> None:
    """Parts and intervals are known by their flags; what is left depends on the loss."""
    assert_type(posterior.predict(X, parts=True), fastmlp.Prediction)
    assert_type(posterior.predict(X, interval=0.95), tuple[Float, Float])
    assert_type(posterior.predict(X), tuple[Float, Float] | Any)
    assert_type(mixture.predict(X, True), fastmlp.Prediction)
    assert_type(mixture.predict(X, interval=0.95), tuple[Float, Float])
    assert_type(posterior.noise_precision, float | Float)
    assert_type(posterior.degrees_of_freedom, float | Float)


def of_estimators(model: MLPRegressor, X: Float) -> None:
    """Deviations come with their flag."""
    assert_type(model.predict(X), Array)
    assert_type(model.predict(X, return_std=True), tuple[Array, Array])


def of_searches(run: fastmlp.Run, saliencies: fastmlp.Saliencies) -> None:
    """Runs of a sweep, deletions."""
    assert_type(run.size, int | tuple[Any, ...])
    assert_type(run.penalty, Penalty | None)
    assert_type(saliencies.params[0], Float)
    assert_type(saliencies.params[:2], list[Float])
