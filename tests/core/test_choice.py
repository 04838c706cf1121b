"""Whether threads pay is found out by trying, where the seconds are made up here, and asked of Linux."""

import functools
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import fastmlp
from cases import data, network
from fastmlp._core.threads import choice

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="nobody tells how many threads want to run")


@pytest.mark.parametrize(("together", "alone", "favourite"), [(1e-4, 1.8e-4, 2), (5e-4, 1e-4, 1), (1e-5, 1.1e-5, 2)])
def test_the_faster_way_is_taken_nearly_always(together, alone, favourite):
    threads = choice.choices(together, alone, round(5 / min(together, alone)))
    assert set(threads) == {1, 2}
    spent = sum(together if n == 2 else alone for n in threads)
    assert spent < 1.1 * len(threads) * min(together, alone)
    assert threads[-1] == favourite


def test_threads_come_first():
    assert choice.choices(1e-3, 1e-3, 5) == [2] * 5


def test_a_change_of_the_load_is_noticed():
    calls = 40_000
    threads = choice.choices(1e-4, 1.8e-4, calls, later=1e-3)
    assert threads[: calls // 2].count(2) > 0.45 * calls
    assert threads[calls // 2 :].count(1) > 0.35 * calls


def test_long_calls_never_try_one_thread():
    assert set(choice.choices(0.03, 0.05, 100)) == {2}


def test_whether_a_crowd_counts_is_heed_or_ignore():
    with pytest.raises(ValueError, match=r"^FASTMLP_CROWD: expected heed or ignore, got 'yes'$"):
        choice.heed("yes")


@contextmanager
def busy_programs(n_programs):
    """So many programs that want a CPU each."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_programs)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


@ON_LINUX
def test_linux_tells_who_wants_the_cpus():
    n_cpus = choice.runnable()[1]
    with busy_programs(n_cpus + 1):
        assert statistics.median(choice.runnable()[0] for _ in range(25)) > n_cpus


@pytest.fixture(scope="module")
def crowd():
    """Twice as many busy programs as CPUs, which are heeded."""
    choice.heed("heed")
    with busy_programs(2 * choice.runnable()[1]):
        yield
    choice.heed("ignore")


@ON_LINUX
@pytest.mark.parametrize("method", ["scg", "lm", "lbfgs"])
@pytest.mark.parametrize(("layers", "n_samples"), [([13, 5, 1], 506), ([8, 8, 1], 1000)])
def test_threads_cost_nothing_beside_busy_programs(layers, n_samples, method, crowd):
    net = network(layers, "tanh", "identity", "squared_error")
    X, T = data(net, n_samples)
    options = {"max_iter": 60, "tol": 0.0, "penalty": fastmlp.WeightDecay(0.01)}
    seconds = {1: [], 2: []}
    for _ in range(5):
        for n_threads, times in seconds.items():
            own, begun = net.copy(), time.process_time()
            own.fit(X, T, method, n_threads=n_threads, **options)
            times.append(time.process_time() - begun)
    # 1.0 where this was measured; spinning beside others took 10 to 90 times as much
    assert statistics.median(seconds[2]) < 2 * statistics.median(seconds[1])


def many_networks(net, X, T, n_threads):
    return lambda: fastmlp.fit_many([net.copy() for _ in range(4)], X, T, max_iter=5, n_threads=n_threads)


def posterior(net, X, T, n_threads):
    return fastmlp.Laplace(net, X, T, prior_precision=1.0, noise_precision=1.0, n_threads=n_threads)


CALLS = {
    "hessian": lambda net, X, T, n: lambda: net.hessian(X, T, n_threads=n),
    "fit_many": many_networks,
    "predict": lambda *given: functools.partial(posterior(*given).predict, given[1]),
    "sample": lambda *given: functools.partial(posterior(*given).sample, 500, 0),
}


@ON_LINUX
@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")
@pytest.mark.parametrize("name", CALLS)
def test_single_calls_cost_nothing_beside_busy_programs(name, crowd):
    net = network([10, 12, 1], "tanh", "identity", "squared_error")
    X, T = data(net, 300)
    calls = {n_threads: CALLS[name](net, X, T, n_threads) for n_threads in (1, 2)}
    seconds = {1: [], 2: []}
    for _ in range(15):
        for n_threads, times in seconds.items():
            begun = time.process_time()
            calls[n_threads]()
            times.append(time.process_time() - begun)
    # 1.0 where this was measured; before the crowd was asked for predict took 25 times as much, hessian 27 times
    assert statistics.median(seconds[2]) < 2 * statistics.median(seconds[1])
