"""Networks trained by executors: the same bits as by threads, and what goes wrong in workers is told by name."""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastmlp
from cases import sinusoid
from executors import Backwards, Bowl, Broken, Deadly, Elsewhere, Losing, processes, rate
from fastmlp.runs import anywhere
from interrupting import run
from test_sweep import same

X, T = sinusoid(20, 0)
DECAY = fastmlp.WeightDecay(1e-3, 1e-3)
HOW = {"hidden_sizes": (1, 3, (2, 2)), "n_starts": 3, "validation": 0.3, "max_iter": 20, "rng": 0}


@pytest.fixture(scope="module")
def pool():
    with processes() as executor:
        yield executor


@pytest.fixture(autouse=True)
def in_small_chunks(monkeypatch):
    monkeypatch.setattr(anywhere, "SECONDS", 2e-4)


CASES = {
    "lm": {},
    "lbfgs, standardized": {"method": "lbfgs", "standardize": True, "penalties": [None, DECAY]},
    "folds, float32": {"validation": None, "folds": 3, "dtype": "float32"},
    "adam": {"method": "adam", "learning_rate": rate, "n_starts": 2},
    "a term": {"penalties": Bowl(), "n_starts": 2},
    "fixed": {"fixed": "b1", "hidden_sizes": (1, 3)},
}


@pytest.mark.parametrize("case", CASES)
def test_a_sweep_has_the_same_bits_by_processes_and_by_threads(case, pool):
    how = HOW | CASES[case]
    expected = fastmlp.sweep(X, T, **how)
    for executor in (pool, Backwards()):
        found = fastmlp.sweep(X, T, **how, executor=executor)
        assert same(expected, found)
        assert [run.nit for run in found.runs] == [run.nit for run in expected.runs]
        assert [run.fun for run in found.runs] == [run.fun for run in expected.runs]


def test_fit_many_has_the_same_bits_however_many_workers():
    def networks():
        several = [
            fastmlp.Network([1, M, 1], rng=M, dtype=dtype) for M in (2, 3, 5) for dtype in ("float64", "float32")
        ]
        several[4].fit(X, T, max_iter=3, standardize=True)
        several[2].fit(X, T, penalty=DECAY)
        fastmlp.prune(several[2], X, T, penalty=DECAY, n_params=8)
        return several

    expected, nets = networks(), networks()
    results = fastmlp.fit_many(expected, X, T, standardize=True, max_iter=10)
    for executor in (ThreadPoolExecutor(1), ThreadPoolExecutor(3)):
        nets = networks()
        with executor:
            found = fastmlp.fit_many(nets, X, T, standardize=True, max_iter=10, executor=executor)
        assert nets == expected
        assert [net.units for net in nets] == [net.units for net in expected]
        assert [dict(each).keys() for each in found] == [dict(each).keys() for each in results]
        assert [each.fun for each in found] == [each.fun for each in results]
        again = [net.copy() for net in (nets[0], expected[0])]  # what is known of their past, too
        for net in again:
            net.fit(X, T, max_iter=3, standardize=True)
        assert again[0] == again[1]


def test_workers_have_one_thread_unless_they_are_told(monkeypatch):
    seen = []
    train = anywhere.here.train
    monkeypatch.setattr(
        anywhere.here, "train", lambda tasks, how, *others: (seen.append(how.n_threads), train(tasks, how, *others))
    )
    for n_threads in (None, 2):
        fastmlp.sweep(X, T, **HOW | {"hidden_sizes": (2,)}, executor=Backwards(), n_threads=n_threads)
    assert set(seen) == {1, 2}


def test_data_are_packed_once_for_networks_of_all_sizes():
    nets = [fastmlp.Network([1, M, 1], rng=M) for M in (2, 3, 5)]
    with pytest.raises(RuntimeError):
        fastmlp.fit_many(nets, X, T, max_iter=20, executor=(losing := Losing(1)))
    assert len(losing.shared) > 1
    assert len({id(each) for each in losing.shared}) == 1


def evidence(**options):
    noisy = X + 0.01 * np.cos(9e3 * X)
    return fastmlp.fit_evidence(fastmlp.Network([1, 3, 1], rng=0), noisy, T, rng=0, max_iter=20, tol=0.1, **options)


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")
@pytest.mark.parametrize("how", [{"n_starts": 3}, {"hidden": (1, 2)}, {"n_starts": 2, "combine": "average"}])
def test_the_evidence_has_the_same_bits_by_processes_and_by_threads(how, pool):
    expected = evidence(**how)
    for executor in (pool, Backwards()):
        found = evidence(**how, executor=executor)
        assert repr(found) == repr(expected)
        assert found.starts.table() == expected.starts.table()
        for one, other in zip(found.starts, expected.starts, strict=True):
            assert (one.hidden, one.number, one.posterior.stationary) == (
                other.hidden, other.number, other.posterior.stationary
            )  # fmt: skip
            assert np.array_equal(one.posterior.params, other.posterior.params)
            assert one.log_evidence == other.log_evidence
            assert np.array_equal(one.posterior.predict([[0.3]])[1], other.posterior.predict([[0.3]])[1])


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")
def test_a_time_limit_of_the_evidence_leaves_one_start():
    assert len(evidence(n_starts=3, hidden=(1, 2), executor=Backwards(), time_limit=0.0).starts) == 1


def test_starts_that_a_worker_has_lost_are_named():
    with pytest.raises(RuntimeError, match=r"got none to 1: start \d of \(3,\) hidden units") as caught:
        evidence(n_starts=3, executor=Losing(2))
    assert len(caught.value.partial) == 2
    with pytest.raises(ValueError, match=r"^callback, verbose: expected None and 0 with executor="):
        evidence(n_starts=3, executor=Backwards(), verbose=1)


# ---- what goes wrong ----


def test_an_exception_of_a_worker_names_its_run(pool):
    nets = [fastmlp.Network([1, M, 1], rng=M) for M in (1, 2, 3)]
    with pytest.raises(ZeroDivisionError, match="seven") as caught:
        fastmlp.fit_many(nets, X, T, penalty=Broken(), executor=pool)
    assert caught.value.__notes__[0].startswith("in run 1, in a worker:\nTraceback")
    assert len(caught.value.partial) == 3


def test_a_worker_that_is_killed_names_what_is_missing(tmp_path):
    how = HOW | {"hidden_sizes": (1, 2), "penalties": Deadly()}
    with processes(1) as pool, pytest.raises(RuntimeError, match=r"^executor: .* got none to \d: ") as caught:
        fastmlp.sweep(X, T, **how, executor=pool, checkpoint=tmp_path)
    assert "run 3" in str(caught.value)
    assert "BrokenProcessPool" in str(caught.value)
    assert all(run.size == 1 for run in caught.value.partial.runs)


def test_what_an_executor_has_lost_does_not_end_the_others():
    with pytest.raises(RuntimeError, match=r"got none to 1: .*OSError: the line is dead") as caught:
        fastmlp.sweep(X, T, **HOW, executor=Losing(2))
    expected = fastmlp.sweep(X, T, **HOW)
    kept = {(run.size, run.start): run.params for run in caught.value.partial.runs}
    assert 0 < len(kept) < len(expected.runs)
    assert all(np.array_equal(kept[at], run.params) for run in expected.runs if (at := (run.size, run.start)) in kept)


def test_workers_of_another_build_are_refused_by_name():
    with pytest.raises(
        RuntimeError, match=r"^executor: expected workers of fastmlp 0\.0\.9 .* got one of fastmlp 0\.1"
    ):
        fastmlp.sweep(X, T, **HOW, executor=Elsewhere())


def test_what_is_no_executor_is_refused(monkeypatch):
    monkeypatch.delitem(sys.modules, "cloudpickle", raising=False)  # another test may have brought it
    with pytest.raises(TypeError, match=r"^executor: expected None, or an executor with the method submit"):
        fastmlp.sweep(X, T, **HOW, executor=2)
    with pytest.raises(ValueError, match=r"^callback: expected None with executor=") as caught:
        fastmlp.fit_many([fastmlp.Network([1, 1])], X, T, "adam", executor=Backwards(), callback=print)
    assert "got a function" in str(caught.value)
    with pytest.raises(TypeError, match=r"^executor: expected run 0 that can be pickled, got others"):
        fastmlp.fit_many([fastmlp.Network([1, 1])], X, T, "adam", executor=Backwards(), learning_rate=lambda k: 0.1)
    with ThreadPoolExecutor(1) as ended:
        pass
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        fastmlp.sweep(X, T, **HOW, executor=ended)


WAITING = """
from concurrent.futures import Future
calls = []

class Silent:
    def submit(self, *call):
        calls.append(Future())
        return calls[-1]

X = np.linspace(-1, 1, 20)[:, None]
partial = []

def sweep():
    try:
        fastmlp.sweep(X, X, (1, 3), n_starts=3, validation=0.3, rng=0, executor=Silent())
    except KeyboardInterrupt as interrupted:
        partial.append(interrupted.partial)
        raise

print(answer(sweep, after=0.3), len(calls), sum(call.cancelled() for call in calls), len(partial[0].runs))
"""


def test_ctrl_c_cancels_what_has_not_begun():
    seconds, n_calls, n_cancelled, n_done = run(WAITING)
    assert float(seconds) < 0.1
    assert int(n_calls) == int(n_cancelled) > 0
    assert int(n_done) == 0


def test_warnings_of_workers_are_given_once(pool):
    how = {"hidden_sizes": (1, 2), "n_starts": 3, "validation": 0.3, "rng": 0, "max_iter": 20, "method": "adam"}
    far = 1e6 + X
    told = []
    for executor in (None, pool):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            fastmlp.sweep(far, T, **how, executor=executor)
        told.append([(each.category, str(each.message), each.filename) for each in said])
    assert told[0] == told[1]
    assert [category for category, *_ in told[0]] == [fastmlp.ScaleWarning]
    assert told[0][0][2] == __file__


def test_a_time_limit_holds_for_all_workers_together():
    found = fastmlp.sweep(X, T, **HOW, executor=Backwards(), time_limit=0.0)
    assert all(run.nit == 0 for run in found.runs)
