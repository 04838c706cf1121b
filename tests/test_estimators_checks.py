"""scikit-learn's own checks of estimators, without exceptions."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastmlp import MLPClassifier, MLPRegressor

NAMES, PAIRS = parametrize_with_checks([MLPRegressor(), MLPClassifier(), MLPRegressor(layers=[9])]).args
# that of other array libraries is for estimators that say they take them, and skips itself
CHECKS = [pair for pair in PAIRS if "check_array_api_input" not in str(pair)]


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")  # of inputs around 100, as many checks have
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(NAMES, CHECKS, ids=str)
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)
