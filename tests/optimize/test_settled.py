"""To an objective's minimum from parameters near by, as posteriors and the evidence train."""

import numpy as np
import pytest

from cases import data, network, relative_error
from fastmlp import WeightDecay
from fastmlp.optimize import settled
from fastmlp.optimize.settled import shortened, to_minimum
from fastmlp.terms import reparam
from fastmlp.terms.objective import Objective

DECAY = WeightDecay(0.3, 0.3)


def objective_of(net, **options):
    X, T = data(net, 40)
    return net.objective(X, T, penalty=DECAY, **options)


@pytest.mark.parametrize("options", [{}, {"fixed": ["b1"], "tied": [["W1[:,0]", "W1[:,1]"]]}])
def test_it_is_the_minimum_of_a_fit(options):
    net = network([3, 4, 2])
    objective = objective_of(net, **options)
    x, finished, *_ = to_minimum(objective, 1e-9)
    assert finished
    assert np.abs(objective.grad(x)).max() <= 1e-9
    net.fit(*data(net, 40), "lm", penalty=DECAY, tol=1e-9, **options)
    assert relative_error(objective.expand(x), net.params) < 1e-7


def test_few_digits_make_starts_one_that_differ_by_rounding():
    net = network([3, 4, 2])
    start = net.params
    ends = []
    for change in (0.0, 1e-13, -1e-13):
        net.params = start * (1 + change)
        ends.append(to_minimum(objective_of(net), 1e-9, digits=20)[0])
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])
    assert np.array_equal(shortened([1 / 3, -1 / 3, 5.0], 4), [0.34375, -0.34375, 5.0])


def test_far_from_a_minimum_few_digits_are_kept_on_the_way(monkeypatch):
    """Where the objective falls, and nowhere else: from close to a minimum the way is that of Levenberg-Marquardt."""
    lengths, own = [], settled.shortened
    monkeypatch.setattr(settled, "shortened", lambda x, digits: lengths.append(np.size(x)) or own(x, digits))
    objective = objective_of(network([3, 6, 2]), noise_precision=1e4)
    far, finished, *_ = to_minimum(objective, 1e-7, digits=12, anew=False)
    assert finished
    assert lengths.count(objective.x0.size) >= 2
    del lengths[:]
    net = network([3, 6, 2])
    net.params = objective.expand(far) + 1e-3
    near, *_ = to_minimum(objective_of(net, noise_precision=1e4), 1e-7, digits=12, anew=False)
    exact, *_ = to_minimum(objective_of(net, noise_precision=1e4), 1e-7)
    assert not lengths
    assert np.array_equal(near, exact)
    assert relative_error(near, far) < 1e-8


def test_where_time_is_up_parameters_come_back_as_they_are():
    net = network([3, 4, 2])
    objective = objective_of(net)
    x, finished, *_ = to_minimum(objective, 1e-9, left=lambda: 0.0)
    assert not finished
    assert objective.value(x) <= objective.value(net.params)


def test_no_free_parameter_is_a_minimum():
    net = network([3, 4, 2])
    objective = objective_of(net)
    nothing = reparam.holding(net.params, np.ones(net.n_params, bool))
    x, finished, *_ = to_minimum(Objective(objective.data, DECAY, net.params, nothing), 1e-9)
    assert (x.size, finished) == (0, True)
