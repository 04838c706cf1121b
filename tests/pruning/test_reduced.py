"""The objective of what is left: in which network it is computed, and that this changes no number."""

import itertools

import numpy as np
import pytest

import fastmlp
from cases import data, network, relative_error
from fastmlp.pruning.problem import SMALLER, Problem
from fastmlp.pruning.reduced import Reduced

PENALTY = fastmlp.WeightDecay(0.3, 0.1)


def problem(layers=(5, 12, 2), n_samples=30):
    net = network(list(layers))
    return net, Problem.of_network(net, *data(net, n_samples), None, PENALTY, False, 1)


def without_units(net, units, inputs=()):
    """A mask (P,) of hidden units of one layer, and inputs, that are pruned."""
    pruned = np.zeros(net.n_params, bool)
    (W1, W2), (b1, _) = net._architecture.unravel(pruned)
    W1[list(units)], b1[list(units)], W2[:, list(units)] = True, True, True
    W1[:, list(inputs)] = True
    return pruned


def test_a_compact_network_is_made_anew_where_it_is_a_good_deal_smaller():
    net, posed = problem()
    sizes, known = [], []
    for gone in range(10):
        compact = posed.compact(without_units(net, range(gone)))
        sizes.append(len(compact.where))
        known.append(compact)
    whole = 12 * 8 + 2
    for (before, after), gone in zip(itertools.pairwise(known), range(1, 10), strict=True):
        size = whole - 8 * gone
        if size <= SMALLER * len(before.where):
            assert len(after.where) == size
        else:
            assert after is before  # with a few units that have nothing left
    assert len(set(sizes)) > 2


def test_what_is_used_again_makes_a_compact_network_anew():
    """Paths only delete; but what a network lacks is never left out of one that has it."""
    net, posed = problem()
    small = posed.compact(without_units(net, range(9)))
    whole = posed.compact(without_units(net, range(2)))
    assert len(whole.where) == 12 * 8 + 2 - 16 > len(small.where)


@pytest.mark.parametrize("gone", [0, 2, 3, 9])
def test_numbers_do_not_depend_on_the_network_they_are_computed_in(gone):
    net, posed = problem()
    posed.compact(without_units(net, range(2)))  # of which a later one may keep two units
    pruned = posed.dead(without_units(net, range(gone), [1]) | (np.arange(net.n_params) == 40))
    reduced = Reduced(posed, pruned)
    v = posed.params[reduced.free]
    whole = net.objective(*data(net, 30), penalty=PENALTY)
    params = np.where(pruned, 0.0, net.params)
    value, gradient = reduced.value_and_grad(v)
    expected, slope = whole.value_and_grad(params)
    assert value == pytest.approx(expected, rel=1e-13)
    assert relative_error(gradient, slope[reduced.free]) < 1e-12
    rows = np.ix_(reduced.free, reduced.free)
    assert relative_error(reduced.matrix(v, "exact"), whole.hess(params)[rows]) < 1e-12
    assert relative_error(reduced.matrix(v, "ggn"), whole.ggn(params)[rows]) < 1e-12
    fisher = net.copy()
    fisher.params = params
    assert relative_error(reduced.fisher(v), fisher.hessian(*data(net, 30), "empirical_fisher")[rows]) < 1e-12
    assert np.array_equal(reduced.expand(v), params)
