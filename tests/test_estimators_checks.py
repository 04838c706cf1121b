"""scikit-learn's own checks of an estimator, all of them, without exceptions."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastmlp


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([fastmlp.MLPRegressor(), fastmlp.MLPClassifier()])
def test_scikit_learn_checks_the_estimators(estimator, check):
    check(estimator)
