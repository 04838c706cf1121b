"""What paths and refits say of data in their own units, of constant targets, and of networks that know other units."""

import warnings

import numpy as np
import pytest

import fastmlp
from fastmlp.optimize.monitor import MAX_ITER
from fastmlp.pruning import refitting

PENALTY = fastmlp.WeightDecay(0.02, 0.02)
SIZES, PLACES = np.array([1e-8, 1e8, 1.0, 1e-4]), np.array([1e-7, 5e8, 0.0, 1e3])


def raw():
    """Inputs of any size, far from zero, and targets in millions."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(80, 4))
    t = np.tanh(1.5 * Z[:, 0] - Z[:, 1]) + 0.1 * rng.normal(size=80)
    return PLACES + SIZES * Z, 3e7 + 1e6 * t[:, np.newaxis]


def network(hidden=3):
    return fastmlp.Network([4, hidden, 1], rng=0)


def trained_in_other_units():
    X, T = raw()
    net = network()
    net.fit(X, T, "lm", penalty=PENALTY, standardize=True, tol=1e-8)
    return net, X, T


@pytest.mark.parametrize("call", [fastmlp.prune, fastmlp.refit])
def test_columns_of_which_nothing_can_be_learned_are_named_as_by_fit(call):
    X, T = raw()
    with pytest.warns(fastmlp.ScaleWarning) as by_fit:
        network().fit(X, T, "lm", penalty=PENALTY, max_iter=10)
    how = {"n_params": 18} if call is fastmlp.prune else {}
    with pytest.warns(fastmlp.ScaleWarning) as found:
        result = call(network(), X, T, penalty=PENALTY, **how)
    assert [str(each.message) for each in found] == [str(each.message) for each in by_fit]
    assert call is fastmlp.prune or result.warned == str(found[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(network(), X, T, penalty=PENALTY, standardize=True, **how)


def test_a_path_in_standardized_units_is_that_of_data_standardized_by_hand():
    X, T = raw()
    own = fastmlp.prune(network(), X, T, penalty=PENALTY, standardize=True)
    X, T = (X - X.mean(axis=0)) / X.std(axis=0), (T - T.mean()) / T.std()
    by_hand = fastmlp.prune(network(), X, T, penalty=PENALTY)
    assert [step.removed for step in own.steps] == [step.removed for step in by_hand.steps]
    for one, other in zip(own.steps, by_hand.steps, strict=True):
        assert np.isclose(one.objective, other.objective, rtol=1e-9)
        assert np.isclose(one.rise, other.rise, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("call", [fastmlp.prune, fastmlp.saliencies, fastmlp.refit])
def test_constant_targets_are_the_reason_where_nothing_is_left(call):
    X, T = raw()
    with pytest.raises(ValueError, match=r"^T: expected targets that vary, with standardize=True, got constants"):
        call(network(), X, np.full_like(T, 3e7), penalty=PENALTY, standardize=True)


def test_a_network_that_knows_other_units_is_told_apart_from_one_that_is_not_trained():
    net, X, T = trained_in_other_units()
    with pytest.raises(ValueError, match=r"^retrain: expected True.*; the network was trained in standardised units"):
        fastmlp.prune(net, X, T, penalty=PENALTY, retrain=False)


def test_a_refit_that_runs_out_of_steps_says_so(monkeypatch):
    net, X, T = trained_in_other_units()
    monkeypatch.setattr(refitting, "MOST_STEPS", 1)
    result = fastmlp.refit(net, X, T, penalty=PENALTY)
    assert not result.success
    assert result.status == MAX_ITER
    assert result.message.startswith("stopped after 1 steps; another refit goes on; the network was trained in stan")
    again = fastmlp.refit(net, X, T, penalty=PENALTY)
    assert again.fun < result.fun
