"""Many networks trained at once, each by one thread: the same bits as one by one, signals, memory."""

import numpy as np
import pytest

import fastmlp
from fastmlp._core.fits import lbfgs, many
from fastmlp._core.fits.descent import STATUS
from fastmlp._core.fits.lm import Descent
from fastmlp.optimize.loops import compiled

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
T = np.sin(X.sum(axis=1)) + 0.1 * RNG.normal(size=60)
DECAY = fastmlp.WeightDecay(weights=0.01, biases=0.01)
LAYERS = ([3, 7, 1], [3, 1], [3, 2, 1], [3, 4, 3, 1], [3, 12, 1], [3, 5, 1], [3, 2, 1])


def problem(dtype="float64", penalty=DECAY, n_samples=60):
    """Objectives of networks of several sizes, and their starts."""
    nets = [fastmlp.Network(layers, rng=seed, dtype=dtype) for seed, layers in enumerate(LAYERS)]
    objectives = [net.objective(X[:n_samples], T[:n_samples], penalty=penalty) for net in nets]
    return objectives, [objective.x0 for objective in objectives]


def train(objectives, params, n_threads=2, *, tol=1e-6, ftol=0.0, max_iter=500, seconds=np.inf):
    options = {"damping": 1e-3, "ftol": ftol, "max_iter": max_iter}
    return many.train(fits(objectives, params, tol), "lm", options, seconds, n_threads)


def fits(objectives, params, tol):
    return [(compiled(objective, 1), x, tol) for objective, x in zip(objectives, params, strict=True)]


def endings(records):
    return [STATUS[ending] for ending in records["ending"]]


def one_by_one(objective, tol, max_iter):
    descent = Descent(compiled(objective, 1), objective.x0, tol, {"damping": 1e-3})
    status = descent.advance(0)
    while status == "running" and descent.counts[0] < max_iter:
        status = descent.advance(1)
    return descent, status


@pytest.mark.parametrize("penalty", [None, DECAY])
def test_each_network_goes_the_way_it_goes_alone(dtype, penalty):
    tol = 1e-6 if dtype == "float64" else 1e-3
    objectives, params = problem(dtype, penalty)
    records = train(objectives, params, tol=tol, max_iter=60)
    for objective, x, record, ending in zip(objectives, params, records, endings(records), strict=True):
        descent, status = one_by_one(objective, tol, 60)
        assert np.array_equal(x, descent.params)
        assert (record["value"], record["grad_norm"]) == (descent.value, descent.grad_norm)
        assert record.item()[2:6] == descent.counts
        assert ending == {"running": "max_iter"}.get(status, status)


@pytest.mark.parametrize("max_iter", [0, 30, 5000])
def test_by_lbfgs_too_each_network_goes_the_way_it_goes_alone(dtype, max_iter):
    tol = 1e-6 if dtype == "float64" else 1e-3
    objectives, params = problem(dtype)
    own = {"maxcor": 7, "maxls": 50, "maxfun": 4000}
    options = {**own, "ftol": 0.0, "max_iter": max_iter}
    records = many.train(fits(objectives, params, tol), "lbfgs", options, np.inf, 2)
    for objective, x, record, ending in zip(objectives, params, records, endings(records), strict=True):
        descent = lbfgs.Descent(compiled(objective, 1), objective.x0, tol, own)
        status = descent.advance(max_iter)
        assert np.array_equal(x, descent.params)
        assert (record["value"], record["grad_norm"]) == (descent.value, descent.grad_norm)
        assert record.item()[2:6] == descent.counts
        assert ending == {"running": "max_iter"}.get(status, status)


def test_records_that_are_given_come_back():
    """As they are: NumPy reads the layout of a view of them in Python, where a signal's exception would be lost."""
    objectives, params = problem("float64")
    records, options = many.unwritten(len(params)), {"damping": 1e-3, "ftol": 0.0, "max_iter": 3}
    assert many.train(fits(objectives, params, 1e-6), "lm", options, np.inf, 2, records) is records


def test_results_do_not_depend_on_the_number_of_threads(n_threads, dtype):
    objectives, params = problem(dtype)
    _, others = problem(dtype)
    records = train(objectives, params, 1)
    assert np.array_equal(records, train(objectives, others, n_threads))
    assert all(np.array_equal(a, b) for a, b in zip(params, others, strict=True))


def test_results_do_not_depend_on_the_other_networks_nor_on_their_order():
    objectives, params = problem()
    _, others = problem()
    train(objectives, params)
    train(objectives[:3], others[:3])
    train(objectives[:2:-1], others[:2:-1])
    assert all(np.array_equal(a, b) for a, b in zip(params, others, strict=True))


@pytest.mark.parametrize("max_iter", [0, 1, 7])
def test_no_more_steps_are_made_than_allowed(max_iter):
    records = train(*problem(), tol=0.0, max_iter=max_iter)
    hidden = [i for i, layers in enumerate(LAYERS) if len(layers) > 2]  # without, Newton's method may be there already
    assert set(records["n_steps"][hidden]) == {max_iter}
    assert {endings(records)[i] for i in hidden} == {"max_iter"}


def test_three_small_steps_in_a_row_are_the_last():
    objectives, params = problem()
    records = train(objectives, params, tol=0.0, ftol=1e-3)
    assert set(endings(records)) == {"slow"}
    for objective, record in zip(objectives, records, strict=True):
        descent = Descent(compiled(objective, 1), objective.x0, 0.0, {"damping": 1e-3})
        values = [descent.value]
        for _ in range(record["n_steps"]):
            descent.advance(1)
            values.append(descent.value)
        small = -np.diff(values) < 1e-3 * np.array(values[:-1])
        streaks = [all(small[end - 3 : end]) for end in range(3, len(values))]
        assert streaks.index(True) == len(streaks) - 1


def test_a_start_without_a_finite_objective_is_left_as_it_is():
    objectives, params = problem()
    params[1][...] = 1e200
    _, others = problem()
    records = train(objectives, params)
    assert endings(records)[1] == "diverged"
    assert np.all(params[1] == 1e200)
    train(objectives, others)
    assert all(np.array_equal(params[i], others[i]) for i in range(len(params)) if i != 1)


def test_when_time_is_up_networks_stay_where_they_are():
    objectives, params = problem()
    records = train(objectives, params, seconds=0.0)
    assert set(endings(records)) == {"time_limit"}
    assert all(np.array_equal(x, objective.x0) for x, objective in zip(params, objectives, strict=True))
    assert list(records["value"]) == pytest.approx([o.value(o.x0) for o in objectives], rel=1e-14)


def test_there_may_be_no_networks():
    assert len(train([], [])) == 0
