"""To an objective's minimum from parameters near by, as posteriors and the evidence train."""

import numpy as np
import pytest

from cases import data, network, relative_error
from fastmlp import WeightDecay
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
    x, finished = to_minimum(objective, 1e-9)
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
        ends.append(to_minimum(objective_of(net), 1e-9, digits=20, chunk=5)[0])
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])
    assert np.array_equal(shortened([1 / 3, -1 / 3, 5.0], 4), [0.34375, -0.34375, 5.0])


def test_where_time_is_up_parameters_come_back_as_they_are():
    net = network([3, 4, 2])
    objective = objective_of(net)
    x, finished = to_minimum(objective, 1e-9, left=lambda: 0.0)
    assert not finished
    assert objective.value(x) <= objective.value(net.params)


def test_no_free_parameter_is_a_minimum():
    net = network([3, 4, 2])
    objective = objective_of(net)
    nothing = reparam.holding(net.params, np.ones(net.n_params, bool))
    x, finished = to_minimum(Objective(objective.data, DECAY, net.params, nothing), 1e-9)
    assert (x.size, finished) == (0, True)
