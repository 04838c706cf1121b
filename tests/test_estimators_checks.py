"""scikit-learn's own checks of estimators, without exceptions."""

from functools import partial

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp import MLPClassifier, MLPRegressor

NAMES, PAIRS = parametrize_with_checks([MLPRegressor(), MLPClassifier(), MLPRegressor(layers=[9])]).args
# that of other array libraries is for estimators that say they take them, and skips itself
CHECKS = [pair for pair in PAIRS if "check_array_api_input" not in str(pair)]


def called(value):
    """Without places in memory, which are others in each process."""
    return value.func.__name__ if isinstance(value, partial) else str(value)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")  # of inputs around 100, as many checks have
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(NAMES, CHECKS, ids=called)
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)
