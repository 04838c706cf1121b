"""Sweeps that end early hand over what is done; units of sweeps; arguments that are refused."""

import pickle

import numpy as np
import pytest

import fastmlp
from cases import sinusoid

DECAY = fastmlp.WeightDecay(1e-3, 1e-3)


X, T = sinusoid(10, 0)
VALIDATION = sinusoid(100, 1)


def test_a_time_limit_ends_all_runs():
    result = fastmlp.sweep(X, T, (2,), 5, VALIDATION, time_limit=0.0, rng=0)
    assert {run.message for run in result.runs} == {"stopped at time_limit"}
    assert {run.nit for run in result.runs} == {0}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"validation": None}, ValueError, "validation: expected either a set"),
        ({"folds": 3}, ValueError, "validation: expected either a set"),
        ({"validation": None, "folds": 1}, ValueError, "folds: expected an integer >= 2, got 1"),
        ({"validation": None, "folds": 11}, ValueError, "folds: expected at most one for each of 10 samples, got 11"),
        ({"validation": (X, T[:3])}, ValueError, "validation: T: expected shape"),
        ({"hidden_sizes": 3}, TypeError, "hidden_sizes: expected several, got 3"),
        ({"hidden_sizes": ()}, ValueError, "hidden_sizes: expected at least one, got none"),
        ({"hidden_sizes": (2, 2)}, ValueError, "hidden_sizes: expected different sizes"),
        ({"hidden_sizes": (0,)}, ValueError, "hidden_sizes: expected an integer >= 1, got 0"),
        ({"hidden_sizes": ((2, 1.5),)}, TypeError, "hidden_sizes: expected an integer, got 1.5"),
        ({"n_starts": 0}, ValueError, "n_starts: expected an integer >= 1, got 0"),
        ({"penalties": 0.1}, TypeError, "penalty: expected a fastmlp.WeightDecay"),
        ({"penalties": []}, ValueError, "penalties: expected at least one, got none"),
        ({"init": "warm"}, ValueError, "init: expected one of"),
        ({"init": lambda net, rng: np.zeros(1)}, ValueError, "params: expected shape"),
        ({"X": X[:, 0]}, ValueError, r"X: expected shape \(n_samples, n_inputs\), got \(10,\)"),
        ({"T": T[:4]}, ValueError, "T: expected shape"),
        ({"rng": "dice"}, TypeError, "rng: expected"),
        ({"method": "downhill"}, ValueError, "method: expected one of"),
        ({"momentum": 0.5}, TypeError, "momentum: expected an option"),
    ],
)
def test_wrong_arguments_are_refused_by_name(change, error, message):
    arguments = {"X": X, "T": T, "hidden_sizes": (1, 2), "n_starts": 2, "validation": VALIDATION} | change
    with pytest.raises(error, match=f"^{message}"):
        fastmlp.sweep(**arguments)


# ---- units ----


def test_standardised_runs_are_those_of_data_standardised_by_hand():
    raw, target = 1e5 * X + 3e6, 2e4 * T - 1e5
    u, v = ((array - array.mean(axis=0)) / array.std(axis=0) for array in (X, T))
    held_out = (VALIDATION[0] - X.mean()) / X.std(), (VALIDATION[1] - T.mean()) / T.std()
    options = {"penalties": DECAY, "rng": 4, "hidden_sizes": (1, 3), "n_starts": 3}
    ours = fastmlp.sweep(raw, target, validation=(1e5 * VALIDATION[0] + 3e6, 2e4 * VALIDATION[1] - 1e5),
                         standardize=True, **options)  # fmt: skip
    by_hand = fastmlp.sweep(u, v, validation=held_out, **options)
    for run, other in zip(ours.runs, by_hand.runs, strict=True):
        assert run.fun == pytest.approx(other.fun, rel=1e-6)
        assert run.validation_loss == pytest.approx((2e4 * T.std()) ** 2 * other.validation_loss, rel=1e-4)
        assert run.network.units == run.units == ours.best.units
    assert "units" not in ours.frame().columns


def test_folds_have_units_of_their_own():
    raw, target = 1e5 * X + 3e6, 2e4 * T - 1e5
    folded = fastmlp.sweep(raw, target, (2,), 2, folds=5, penalties=DECAY, rng=0, standardize=True)
    plain = fastmlp.sweep(X, T, (2,), 2, folds=5, penalties=DECAY, rng=0, standardize=True)
    for run, other in zip(folded.runs, plain.runs, strict=True):
        assert run.validation_loss == pytest.approx(4e8 * other.validation_loss, rel=1e-3)
    with pytest.raises(TypeError, match=r"^standardize: expected True, False or units"):
        fastmlp.sweep(X, T, (2,), 2, folds=5, standardize="yes")


# ---- exceptions ----


class Interrupting:
    """A count at which Ctrl-C comes once so many networks are done."""

    shown = True

    def __init__(self, limit):
        self.left = limit

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def update(self, count):
        self.left -= count
        if self.left <= 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("how", [{"validation": 0.3}, {"folds": 3}])
@pytest.mark.parametrize("limit", [1, 20, 40, 60, 100])
def test_an_exception_hands_over_the_runs_that_are_done(how, limit, monkeypatch):
    inputs = np.linspace(-1, 1, 60)[:, None]
    options = {"hidden_sizes": (1, 3, 2), "n_starts": 4, "penalties": [None, fastmlp.WeightDecay(0.01)], "rng": 0} | how
    whole = fastmlp.sweep(inputs, np.sin(4 * inputs), **options)
    monkeypatch.setattr(fastmlp.runs.choosing, "Count", lambda *_: Interrupting(limit))
    try:
        fastmlp.sweep(inputs, np.sin(4 * inputs), **options, n_threads=1)
        return  # over before
    except KeyboardInterrupt as error:
        part = pickle.loads(pickle.dumps(error.partial))
    assert isinstance(part, fastmlp.runs.sweep_result.Sweep)
    assert len(part.runs) < len(whole.runs)
    expected = {(run.size, run.penalty_name, run.start): run for run in whole.runs}
    for run in part.runs:
        same = expected[run.size, run.penalty_name, run.start]
        assert np.array_equal(run.params, same.params)
        assert run.validation_loss == same.validation_loss
    assert sum(map(len, part.groups())) == len(part.runs)
    assert len(part.table().splitlines()) == 1 + len(part.groups())
    assert part.frame().shape[0] == len(part.runs)
    if part.runs:
        assert part.best_run.validation_loss == min(run.validation_loss for run in part.runs)
    else:
        with pytest.raises(ValueError, match="runs: expected one that is done"):
            part.best  # noqa: B018


def test_all_networks_may_be_done_when_the_exception_comes(monkeypatch):
    inputs = np.linspace(-1, 1, 30)[:, None]
    monkeypatch.setattr(fastmlp.runs.choosing, "Count", lambda *_: Interrupting(6))
    with pytest.raises(KeyboardInterrupt) as caught:
        fastmlp.sweep(inputs, inputs, (1, 2), n_starts=3, validation=0.5, rng=0)
    assert [len(group) for group in caught.value.partial.groups()] == [3, 3]
