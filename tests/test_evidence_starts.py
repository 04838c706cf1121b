"""Starts, sizes and mixtures by the evidence: which is kept, what limits and exceptions leave, threads."""

import contextvars
import math
import threading
import time

import numpy as np
import pytest

import fastmlp
from cases import alternation_of, anywhere, relative_error
from fastmlp import _threads
from fastmlp._core.threads import team
from fastmlp.bayes import ascent
from posterior_cases import CLASSES, SINE, X100


def test_the_first_start_is_the_network_itself_and_the_best_is_returned():
    net = fastmlp.Network([2, 3, 1], rng=1)
    alone = fastmlp.fit_evidence(net.copy(), X100, SINE)
    every = fastmlp.fit_evidence(net.copy(), X100, SINE, n_starts=4, rng=0, combine="average").starts
    assert every[0].posterior.log_evidence == alone.log_evidence
    posterior = fastmlp.fit_evidence(net, X100, SINE, n_starts=4, rng=0)
    assert len(posterior.starts) == 4
    assert [start.posterior.stationary for start in posterior.starts].count("screened") == 3
    assert not any(start.posterior.converged for start in posterior.starts if start.posterior is not posterior)
    assert posterior.log_evidence == posterior.starts.best.posterior.log_evidence
    assert posterior.log_evidence >= max(start.posterior.log_evidence for start in every) - 1.0
    assert len({start.posterior.log_evidence for start in posterior.starts}) > 1
    assert np.array_equal(net.params, posterior.params)
    assert posterior.network == net


def test_starts_do_not_depend_on_threads_or_on_how_many_follow():
    results = [
        fastmlp.fit_evidence(
            fastmlp.Network([2, 3, 1], rng=1), X100, SINE, n_starts=n, rng=0, n_threads=threads, combine="average"
        ).starts
        for n, threads in ((3, 1), (3, 2), (5, 3))
    ]
    for one, two, three in zip(*results, strict=False):
        assert np.array_equal(one.posterior.params, two.posterior.params)
        assert np.array_equal(one.posterior.params, three.posterior.params)
        assert one.log_evidence == two.log_evidence == three.log_evidence


def test_the_number_of_hidden_units_comes_from_the_evidence():
    x = np.linspace(-2, 2, 60)[:, np.newaxis]
    T = np.tanh(3 * x - 2) - np.tanh(3 * x + 2) + 0.05 * np.random.default_rng(0).normal(size=x.shape)
    net = fastmlp.Network([1, 7, 1], rng=0)
    before = net.params
    posterior = fastmlp.fit_evidence(net, x, T, hidden="auto", n_starts=3, rng=0, standardize=False)
    assert np.array_equal(net.params, before)
    assert posterior.network.layers == (1, 2, 1)
    assert [start.hidden for start in posterior.starts] == [(M,) for M in (1, 2, 3, 5) for _ in range(3)]
    lines = posterior.starts.table().splitlines()
    assert [line.endswith("*") for line in lines] == [False, False, True, False, False]
    chosen = fastmlp.fit_evidence(net, x, T, hidden=[1, 2], n_starts=3, rng=0, standardize=False)
    assert np.array_equal(chosen.params, posterior.params)


@anywhere
def test_units_that_do_nothing_have_no_symmetries():
    x = np.linspace(-2, 2, 60)[:, np.newaxis]
    T = np.tanh(3 * x - 2) - np.tanh(3 * x + 2) + 0.05 * np.random.default_rng(0).normal(size=x.shape)
    small, large = (fastmlp.fit_evidence(fastmlp.Network([1, M, 1], rng=1), x, T, standardize=False) for M in (2, 20))
    assert small.log_distinct_symmetries == pytest.approx(small.log_symmetries, rel=1e-3)
    assert large.log_distinct_symmetries < 5 < 50 < large.log_symmetries
    nothing = fastmlp.Network([1, 5, 1])
    nothing.params = np.zeros(16)
    assert fastmlp.Laplace(nothing, x, T, prior_precision=1.0).log_distinct_symmetries == 0.0
    held = fastmlp.Laplace(small.network, x, T, prior_precision=math.inf, noise_precision=1.0)
    assert held.log_distinct_symmetries == pytest.approx(held.log_symmetries, rel=1e-12)


def test_the_average_of_starts_has_their_mean_and_their_spread_too():
    mixture = fastmlp.fit_evidence(fastmlp.Network([2, 3, 1], rng=1), X100, SINE, n_starts=3, rng=0, combine="average")
    new = np.random.default_rng(1).uniform(-3, 3, (9, 2))
    mean, variance = mixture.predict(new)
    each = [start.posterior.predict(new) for start in mixture.starts]
    means, variances = np.array([m for m, _ in each]), np.array([v for _, v in each])
    assert relative_error(mean, means.mean(axis=0)) < 1e-14
    second = (variances + means**2).mean(axis=0)
    assert relative_error(variance, second - mean**2) < 1e-12
    parts = mixture.predict(new, parts=True)
    assert relative_error(parts.epistemic + parts.noise, variance) < 1e-14
    t = np.random.default_rng(2).normal(size=9)
    density = np.exp(-0.5 * (t[:, np.newaxis] - means) ** 2 / variances) / np.sqrt(2 * np.pi * variances)
    assert relative_error(np.exp(mixture.log_density(new, t)), density.mean(axis=0)[:, 0]) < 1e-12


def test_the_average_of_classifiers_has_their_mean_probability():
    net = fastmlp.Network([2, 3, 1], output="logistic", rng=1)
    mixture = fastmlp.fit_evidence(net, X100, CLASSES, n_starts=3, rng=0, combine="average")
    each = np.array([start.posterior.predict(X100) for start in mixture.starts])
    assert relative_error(mixture.predict(X100), each.mean(axis=0)) < 1e-14
    right = np.where(CLASSES == 1, each.mean(axis=0)[:, 0], 1 - each.mean(axis=0)[:, 0])
    assert relative_error(mixture.log_density(X100, CLASSES), np.log(right)) < 1e-12


def test_a_search_that_time_cuts_short_says_so():
    ended = []

    def callback(state):
        time.sleep(0.2)  # beyond the limit, within the first size
        ended.append(state.nit)

    with pytest.warns(fastmlp.ConvergenceWarning, match=r"time_limit=0.1 has ended the search after 1 of"):
        fastmlp.fit_evidence(
            fastmlp.Network([2, 2, 1], rng=0), X100, SINE, hidden="auto", time_limit=0.1, callback=callback, rng=0
        )
    assert ended


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_exception_hands_over_the_starts_that_are_done_and_leaves_the_network(n_threads):
    net = fastmlp.Network([2, 2, 1], rng=0)
    before = net.copy()

    def callback(state):
        if state.start == 4:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fastmlp.fit_evidence(net, X100, SINE, n_starts=6, callback=callback, rng=0, n_threads=n_threads)
    part = caught.value.partial
    assert isinstance(part, fastmlp.bayes.starts.Starts)
    assert 3 <= len(part) <= 5
    assert np.isfinite(part.best.log_evidence)
    assert part.table()
    assert net == before


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.filterwarnings("ignore:the precisions have not converged")
def test_callbacks_of_all_starts_see_the_variables_of_the_callers_context(n_threads):
    variable = contextvars.ContextVar("variable")
    variable.set("the caller's")
    seen = {}
    fastmlp.fit_evidence(
        fastmlp.Network([2, 2, 1], rng=0), X100, SINE, n_starts=3, max_iter=2, rng=0, n_threads=n_threads,
        callback=lambda state: seen.update({state.start: variable.get(None)}),
    )  # fmt: skip
    assert seen == dict.fromkeys(range(3), "the caller's")


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.filterwarnings("ignore::fastmlp.errors.ConvergenceWarning")
def test_time_limits_hold_while_starts_are_drawn(n_threads):
    net = fastmlp.Network([2, 50, 1], rng=0)
    started = time.process_time()
    posterior = fastmlp.fit_evidence(
        net, X100, SINE, n_starts=1_000_000, time_limit=0.1, rng=0, n_threads=n_threads
    )  # fmt: skip
    assert time.process_time() - started < 10
    assert 1 <= len(posterior.starts) < 10_000


def test_starts_do_not_depend_on_how_many_follow():
    few, many = (
        fastmlp.fit_evidence(
            fastmlp.Network([2, 2, 1], rng=0), X100, SINE, n_starts=n, rng=5, n_threads=2, combine="average"
        ).starts
        for n in (3, 5)
    )
    for one, other in zip(few, many, strict=False):
        assert one.log_evidence == other.log_evidence


def test_a_second_ctrl_c_does_not_keep_threads_from_being_ended(monkeypatch):
    """As long as it comes while the first one is dealt with."""
    given_up, begun = threading.Event(), threading.Barrier(3)
    signals, interrupt = [KeyboardInterrupt, KeyboardInterrupt], team.interrupt

    def interrupted(thread):
        if signals:
            raise signals.pop()
        interrupt(thread)

    monkeypatch.setattr(team, "interrupt", interrupted)
    net, rows = (
        fastmlp.Network([2, 50, 50, 1], rng=0),
        np.zeros((2_000_000, 2)),
    )  # calls of 20 ms are over before they look at signals

    def long_call(number):
        begun.wait()
        while not given_up.is_set():
            net.predict(rows, n_threads=1)

    def arguments():
        yield (0,)
        yield (1,)
        begun.wait()
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        _threads.each(long_call, arguments(), 2)
    patience = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < patience:
        time.sleep(0.01)
    left = threading.active_count() - before
    given_up.set()
    assert not signals
    assert not left


def test_screening_is_the_same_with_any_number_of_threads():
    one, two = (
        fastmlp.fit_evidence(fastmlp.Network([2, 3, 1], rng=1), X100, SINE, n_starts=7, rng=0, n_threads=threads)
        for threads in (1, 3)
    )
    assert np.array_equal(one.params, two.params)
    for start, other in zip(one.starts, two.starts, strict=True):
        assert start.posterior.stationary == other.posterior.stationary
        assert np.array_equal(start.posterior.params, other.posterior.params)


def test_quick_rounds_come_near_by_in_short_steps():
    alternation = alternation_of(fastmlp.Network([2, 4, 1], rng=0), X100, SINE, "layers", 1e-6)
    path = ascent.near_by(alternation, alternation.start(0.1, None), 100, quick=True)
    assert len(path) > 1
    assert not path[0].passing
    assert all(step.passing for step in path[1:])
    logs = np.log([step.precisions for step in path])
    assert np.abs(np.diff(logs, axis=0)).max() <= ascent.QUICK_CHANGE + 2.0**-12
    assert path[-1].posterior.log_evidence > path[0].posterior.log_evidence
    again = ascent.near_by(alternation, path[0].precisions, 100, quick=False)
    assert len(again) == 1


def test_where_the_first_training_is_slow_precisions_belong_to_the_data(monkeypatch):
    """However little time is left: with those to begin with the noise would be a tenth of the targets' deviation."""
    monkeypatch.setattr(ascent, "SLOW", -1.0)
    noisy = SINE + 3.0 * np.random.default_rng(0).normal(size=100)
    posterior = fastmlp.fit_evidence(fastmlp.Network([2, 3, 1], rng=1), X100, noisy, time_limit=1e6)
    assert abs(posterior.noise_precision**-0.5 / 3.0 - 1.0) < 0.2


def test_the_best_is_one_that_was_trained_to_the_end():
    """However large the evidence was where another has been left."""
    starts = fastmlp.fit_evidence(fastmlp.Network([2, 3, 1], rng=1), X100, SINE, n_starts=4, rng=0).starts
    (whole,) = (start for start in starts if start.posterior.stationary != "screened")
    other = next(start for start in starts if start is not whole)
    other.posterior._posterior.log_evidence = whole.posterior.log_evidence + 100.0
    assert type(starts)(starts).best is whole
    assert type(starts)([other]).best is other
