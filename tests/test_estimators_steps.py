"""The steps of the estimators' sgd against scikit-learn's: momentum where the rate changes, weights in minibatches."""

import numpy as np
import pytest
import sklearn.neural_network as theirs

from estimator_cases import LABELS, WEIGHT, X, vector, y
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SGD = {"hidden_layer_sizes": (4,), "activation": "tanh", "solver": "sgd", "shuffle": False, "random_state": 0}
PAIRS = {
    "regression": (MLPRegressor, theirs.MLPRegressor, y),
    "classes": (MLPClassifier, theirs.MLPClassifier, LABELS),
}
RATES = {
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.5, "learning_rate_init": 0.2},
    "adaptive": {"learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2, "learning_rate_init": 0.1},
}
#: scikit-learn's penalty weighs more in a minibatch, so that these go without
BATCHES = {"all at once": {"batch_size": 90, "alpha": 0.5}, "minibatches": {"batch_size": 20, "alpha": 0.0}}


@pytest.mark.parametrize("nesterov", [True, False], ids=["nesterov", "plain"])
@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("batches", BATCHES)
@pytest.mark.parametrize("pair", PAIRS)
def test_momentum_keeps_the_rate_of_its_time_as_scikit_learns_does(pair, batches, rates, nesterov):
    """v = mu v - eta g: where eta falls, what was gained at the old one stays."""
    ours, peers, target = PAIRS[pair]
    arguments = {**SGD, "nesterovs_momentum": nesterov, "max_iter": 60, **BATCHES[batches], **RATES[rates]}
    model, peer = ours(**arguments).fit(X, target), peers(**arguments).fit(X, target)
    assert peer._optimizer.learning_rate < 0.3 * peer.learning_rate_init  # it has changed
    assert model.n_iter_ == peer.n_iter_
    assert model.loss_curve_ == pytest.approx(peer.loss_curve_, rel=1e-9)
    assert vector(model) == pytest.approx(vector(peer), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("rates", RATES)
def test_parts_go_on_with_the_velocity_as_scikit_learns_do(rates):
    arguments = {**SGD, "alpha": 0.0, "batch_size": 30, **RATES[rates]}
    model, peer = MLPRegressor(**arguments), theirs.MLPRegressor(**arguments)
    for _ in range(20):
        model.partial_fit(X, y)
        peer.partial_fit(X, y)
    assert vector(model) == pytest.approx(vector(peer), rel=1e-9, abs=1e-11)


def test_weighted_minibatches_step_along_their_share_of_the_objective():
    """scikit-learn divides by the weight of the minibatch, here by its size times the mean weight: as the page says."""
    arguments = {**SGD, "momentum": 0.0, "alpha": 0.0, "batch_size": 30, "max_iter": 1, "learning_rate_init": 0.1}
    start = MLPRegressor(**{**arguments, "learning_rate_init": 1e-300}).fit(X, y).network_
    for model, divisor in (
        (MLPRegressor(**arguments), lambda weight: len(weight) * WEIGHT.mean()),
        (theirs.MLPRegressor(**arguments), lambda weight: weight.sum()),
    ):
        net = start.copy()
        for rows in (slice(0, 30), slice(30, 60), slice(60, 90)):
            gradient = net.loss_and_grad(X[rows], y[rows], sample_weight=WEIGHT[rows])[1]
            net.params = net.params - 0.1 * gradient / divisor(WEIGHT[rows])
        expected = np.hstack([array.ravel() for array in (*(W.T for W in net.weights), *net.biases)])
        assert vector(model.fit(X, y, WEIGHT)) == pytest.approx(expected, rel=1e-12)


def test_all_minibatches_together_have_the_gradient_of_the_weighted_objective():
    """So that small steps go the way of large batches, penalty included."""
    arguments = {**SGD, "momentum": 0.0, "alpha": 0.5, "max_iter": 1}
    start = vector(MLPRegressor(**arguments, learning_rate_init=1e-300).fit(X, y))
    in_three, at_once = (
        vector(MLPRegressor(**arguments, batch_size=size, learning_rate_init=rate).fit(X, y, WEIGHT)) - start
        for size, rate in ((30, 1e-7), (90, 3e-7))
    )
    assert in_three == pytest.approx(at_once, rel=1e-5, abs=1e-12)
