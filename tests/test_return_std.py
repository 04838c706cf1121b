"""What the estimators' deviations say about themselves, in the words of the estimators."""

import pickle
import warnings

import numpy as np
import pytest

import fastmlp
from fastmlp import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2))
y = np.tanh(X[:, 0]) + 0.1 * RNG.normal(size=300)
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0, "max_iter": 2000}


def told(model):
    """What the first prediction with deviations warns of; later ones are silent."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.predict(X, return_std=True)
    model.predict(X, return_std=True)
    pickle.loads(pickle.dumps(model)).predict(X, return_std=True)
    assert all(each.filename == __file__ and each.category is fastmlp.PosteriorWarning for each in caught)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"solver": "adam", "max_iter": 50}, "fit with solver='lm', a smaller tol and a larger max_iter"),
        ({"solver": "lm", "max_iter": 3}, "fit with a smaller tol and a larger max_iter"),
        (
            {"solver": "lbfgs", "early_stopping": True},
            "fit with solver='lm', a smaller tol and a larger max_iter, early_stopping=False",
        ),
    ],
    ids=["adam", "too few iterations", "stopped early"],
)
def test_a_fit_that_ended_before_the_optimum_says_what_to_change_once(arguments, remedy):
    model = MLPRegressor(**{**SMALL, **arguments}).fit(X, y)
    for _ in range(2):
        (message,) = told(model)
        assert message.startswith("return_std: the network is ")
        assert message.endswith(
            "away from the optimum (expected: at most 0.1), where error bars do not hold; " + remedy
        )
        model.fit(X, y)  # a fit anew is told anew
    assert told(model.set_params(solver="lm", tol=1e-10, max_iter=2000, early_stopping=False).fit(X, y)) == []


@pytest.mark.parametrize("alpha", [1e-4, 1.0, 100.0])
@pytest.mark.parametrize("standardize", [False, True])
def test_biases_which_a_fit_leaves_free_are_no_distance(alpha, standardize):
    """For deviations they have a prior too: around where they are."""
    model = MLPRegressor(**SMALL, solver="lm", alpha=alpha, tol=1e-12, standardize=standardize)
    assert told(model.fit(X, y + 50)) == []
    assert model._posterior.distance < 1e-3


def test_weights_that_sum_to_one():
    model = MLPRegressor(**SMALL, solver="lm", alpha=1e-4, tol=1e-10).fit(X, y, sample_weight=np.full(300, 1 / 300))
    with pytest.raises(
        ValueError, match=r"^return_std: .*; sample_weight counts samples, and adds up to 1 .* by 300, and alpha too if"
    ):
        model.predict(X, return_std=True)
    faint = MLPRegressor(**SMALL, solver="lm", alpha=1e-4, tol=1e-10).fit(X, y, sample_weight=np.full(300, 1e-300))
    with pytest.raises(ValueError, match=r"^return_std: .*; sample_weight counts samples, and adds up to 3e-298"):
        faint.predict(X, return_std=True)
    followed = MLPRegressor(**SMALL, solver="lm", alpha=300 * 1e-4, tol=1e-10).fit(X, y, sample_weight=np.ones(300))
    assert np.abs(followed.predict(X) - model.predict(X)).max() < 1e-6
    assert followed.predict(X, return_std=True)[1] == pytest.approx(np.full(300, 0.1), rel=0.2)


def test_without_alpha_dead_units_have_no_deviations():
    model = MLPRegressor(hidden_layer_sizes=(20,), alpha=0, random_state=0, max_iter=500).fit(X, y)
    with pytest.raises(
        fastmlp.NotPositiveDefiniteError,
        match=r"^return_std: .* determine W1\[.* and \d+ more; take alpha > 0 for them, or leave",
    ) as caught:
        model.predict(X, return_std=True)
    assert "hessian" not in str(caught.value)
    assert "prior_precision" not in str(caught.value)
