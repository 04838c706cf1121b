"""`sweep`: every run there, in order, reproducible; the lecture's graph in kind."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

import fastmlp
from cases import sinusoid
from fastmlp import plot
from fastmlp.model.functional import check_samples
from fastmlp.optimize import holdout

DECAY = fastmlp.WeightDecay(1e-3, 1e-3)
X, T = sinusoid(10, 0)
VALIDATION = sinusoid(100, 1)


def wide(net, rng):
    """N(0, 10), as in PRML figure 5.10."""
    return rng.normal(0.0, np.sqrt(10.0), net.n_params)


@pytest.fixture(scope="module")
def graph():
    """The lecture's graph."""
    return fastmlp.sweep(X, T, validation=VALIDATION, init=wide, rng=0)


@pytest.fixture(scope="module")
def small():
    return fastmlp.sweep(X, T, (1, 3, (2, 2)), 4, VALIDATION, penalties=[None, DECAY], rng=1)


def same(one, other):
    pairs = list(zip(one.runs, other.runs, strict=True))
    return all(np.array_equal(a.params, b.params) and a.validation_loss == b.validation_loss for a, b in pairs)


# ---- the lecture's graph ----


def test_the_training_error_falls_with_the_number_of_hidden_units_to_none(graph):
    lowest = [min(run.train_loss for run in group) for group in graph.groups()]
    assert all(after <= 1.001 * before for before, after in pairwise(lowest[:4]))
    assert max(lowest[3:]) < 1e-12  # 13 weights and more interpolate 10 points


def test_the_validation_error_spreads_with_the_number_of_hidden_units(graph):
    losses = np.array([[run.validation_loss for run in group] for group in graph.groups()])
    median = np.median(losses, axis=1)
    assert median[3:].min() > 3 * median[:2].max()
    assert losses.min(axis=1).max() < 10 * losses.min()  # while the best start is nearly as good at each size


def test_the_number_of_distinct_optima_grows(graph):
    optima = [1 + max(run.optimum for run in group) for group in graph.groups()]
    assert optima[0] <= 5
    assert all(n >= 25 for n in optima[4:])


def test_the_best_run_has_the_smallest_validation_error(graph):
    assert graph.best_run.validation_loss == min(run.validation_loss for run in graph.runs)
    assert np.array_equal(graph.best.params, graph.best_run.params)
    assert graph.best.layers == (1, graph.best_run.size, 1)


# ---- the runs ----


def test_every_run_is_kept_by_size_penalty_and_start(small):
    expected = [(size, penalty, start) for size in (1, 3, (2, 2)) for penalty in (None, DECAY) for start in range(4)]
    assert [(run.size, run.penalty, run.start) for run in small.runs] == expected
    assert small.runs[-1].network.layers == (1, 2, 2, 1)


def test_a_run_can_be_repeated_from_its_seed(small):
    for run in small.runs[::5]:
        net = fastmlp.Network(run.network.layers, rng=run.seed)
        result = fastmlp.fit_many([net], X, T, penalty=run.penalty, validation=VALIDATION)[0]
        assert np.array_equal(net.params, run.params)
        assert (result.fun, result.grad_norm, result.nit) == (run.fun, run.grad_norm, run.nit)
        assert (result.train_loss, result.validation_loss) == (run.train_loss, run.validation_loss)
        assert result.message == run.message


def test_networks_are_what_they_were_asked_to_be(dtype):
    labels = (X[:, 0] > 0.5).astype(int)
    kind = {"hidden": "logistic", "output": "logistic", "loss": "squared_error", "dtype": dtype}
    result = fastmlp.sweep(X, labels, (2, (3, 2)), 2, (X, labels), penalties=DECAY, init="lecun", rng=0, **kind)
    for run in result.runs:
        net = fastmlp.Network(run.network.layers, **kind, init="lecun", rng=run.seed)
        fastmlp.fit_many([net], X, labels, penalty=DECAY)
        assert run.network == net
        assert run.params.dtype == dtype
        assert run.train_loss == run.validation_loss == pytest.approx(net.loss(X, labels) / 10, rel=1e-6)


def test_penalties_share_their_starts(small):
    for size in (1, 3, (2, 2)):
        seeds = {(run.penalty, run.start): run.seed for run in small.runs if run.size == size}
        assert all(seeds[None, start] == seeds[DECAY, start] for start in range(4))
    assert len({run.seed for run in small.runs}) == 12


def test_several_ways_to_start_share_their_seeds():
    wide = lambda net, rng: rng.normal(0, 3, net.n_params)  # noqa: E731
    inits = ["glorot", 0.1, wide]
    result = fastmlp.sweep(X, T, (1, 3), 2, VALIDATION, penalties=[None, DECAY], init=inits, rng=0, max_iter=20)
    assert len(result.runs) == 24
    assert [len(group) for group in result.groups()] == [2] * 12
    for init in inits:
        alone = fastmlp.sweep(X, T, (1, 3), 2, VALIDATION, penalties=[None, DECAY], init=init, rng=0, max_iter=20)
        own = [run for run in result.runs if run.init is init]
        assert all(np.array_equal(a.params, b.params) for a, b in zip(own, alone.runs, strict=True))
        assert [run.optimum for run in own] == [run.optimum for run in alone.runs]
    for run in result.runs:
        if not callable(run.init):
            net = fastmlp.Network(run.network.layers, init=run.init, rng=run.seed)
            fastmlp.fit_many([net], X, T, penalty=run.penalty, max_iter=20)
            assert np.array_equal(net.params, run.params)
    heading, *lines = result.table().splitlines()
    assert heading.split()[-2:] == ["penalty", "init"]
    assert [line.split()[-1] for line in lines[:3]] == ["glorot", "0.1", "<lambda>"]
    assert list(result.frame().init[:5:2]) == inits
    legend = result.plot(Figure().subplots()).get_legend()
    assert legend.get_title().get_text() == "penalty, init"
    assert len(legend.get_texts()) == 6
    with pytest.raises(ValueError, match="init: expected at least one, got none"):
        fastmlp.sweep(X, T, (1,), 1, VALIDATION, init=[])


def test_results_do_not_depend_on_the_number_of_threads(small, n_threads):
    again = fastmlp.sweep(
        X, T, (1, 3, (2, 2)), 4, VALIDATION, penalties=[None, DECAY], rng=1, n_threads=n_threads
    )  # fmt: skip
    assert same(small, again)
    assert small.table() == again.table()


def test_the_first_sizes_do_not_depend_on_how_many_follow(small):
    fewer = fastmlp.sweep(X, T, (1, 3), 4, VALIDATION, penalties=[None, DECAY], rng=1)
    assert all(np.array_equal(a.params, b.params) for a, b in zip(fewer.runs, small.runs, strict=False))


def test_a_generator_goes_on_and_a_number_does_not():
    def run(rng):
        return fastmlp.sweep(X, T, (2,), 3, VALIDATION, rng=rng, max_iter=3)

    generator = np.random.default_rng(3)
    first, second = run(generator), run(generator)
    assert same(first, run(3))
    assert not same(first, second)


def test_networks_are_new_each_time(small):
    small.best.params = np.zeros(small.best.n_params)
    assert small.best.params.any()


def test_a_sweep_can_be_pickled(small):
    assert same(small, pickle.loads(pickle.dumps(small)))


# ---- validation ----


def test_a_fraction_is_held_back_from_all_runs():
    many_X, many_T = sinusoid(60, 2)
    result = fastmlp.sweep(many_X, many_T, (1, 2), 3, 0.5, rng=0, penalties=DECAY)
    for run in result.runs:
        total = run.network.loss(many_X, many_T)
        assert 30 * (run.train_loss + run.validation_loss) == pytest.approx(total, rel=1e-12)


def test_with_folds_every_sample_is_judged_by_a_network_that_has_not_seen_it():
    many_X, many_T = sinusoid(12, 2)
    result = fastmlp.sweep(many_X, many_T, (2,), 2, folds=12, rng=0, penalties=DECAY)
    for run in result.runs:
        losses = []
        for left_out in range(12):
            rest = np.delete(np.arange(12), left_out)
            net = fastmlp.Network([1, 2, 1], rng=run.seed)
            fastmlp.fit_many([net], many_X[rest], many_T[rest], penalty=DECAY)
            losses.append(net.loss(many_X[[left_out]], many_T[[left_out]]))
        assert run.validation_loss == pytest.approx(np.mean(losses), rel=1e-9)
        whole = fastmlp.Network([1, 2, 1], rng=run.seed)
        fastmlp.fit_many([whole], many_X, many_T, penalty=DECAY)
        assert np.array_equal(whole.params, run.params)


def test_folds_of_classes_have_their_share_of_each_class():
    labels = np.repeat([0, 1, 2], [20, 10, 6])
    inputs = np.random.default_rng(0).normal(size=(36, 2)) + labels[:, np.newaxis]
    penalty = fastmlp.WeightDecay(1.0)
    result = fastmlp.sweep(inputs, labels, (2,), 2, folds=5, output="softmax", penalties=penalty, rng=0)
    assert result.best.layers == (2, 2, 3)
    assert result.best_run.validation_loss < np.log(3)
    architecture = result.best_run.architecture
    parts = holdout.folds(architecture, check_samples(architecture, inputs, labels), 5, np.random.default_rng(0))
    assert sorted(np.concatenate(parts)) == list(range(36))
    counts = np.array([np.bincount(labels[part], minlength=3) for part in parts])
    assert np.ptp(counts, axis=0).max() <= 1


def test_other_methods_are_taken_too():
    result = fastmlp.sweep(X, T, (1, 2), 2, VALIDATION, method="adam", max_iter=5, learning_rate=0.01, rng=0)
    again = fastmlp.sweep(X, T, (1, 2), 2, VALIDATION, method="adam", max_iter=5, learning_rate=0.01, rng=0)
    assert same(result, again)
    assert {run.nit for run in result.runs} == {5}


def test_a_start_that_is_not_finite_is_never_the_best():
    def one_bad(net, rng):
        return np.where(rng.random() < 0.5, 1e200, 1.0) * rng.normal(size=net.n_params)

    result = fastmlp.sweep(X, T, (2,), 12, VALIDATION, init=one_bad, rng=0)
    diverged = [run for run in result.runs if run.message.startswith("diverged")]
    assert 0 < len(diverged) < 12
    assert {(run.validation_loss, run.optimum) for run in diverged} == {(np.inf, -1)}
    assert np.isfinite(result.best_run.validation_loss)


# ---- distinct optima ----


def test_mirrored_and_permuted_units_are_the_same_optimum():
    first = fastmlp.Network([1, 3, 1], rng=0, init="normal")

    def symmetric(net, rng):
        W, v = first.weights
        order, sign = rng.permutation(3), rng.choice([-1.0, 1.0], 3)
        parts = (sign[:, np.newaxis] * W[order], sign * first.biases[0][order], sign * v[:, order], first.biases[1])
        return np.concatenate([part.ravel() for part in parts])

    result = fastmlp.sweep(X, T, (3,), 20, VALIDATION, init=symmetric, penalties=DECAY, rng=0)
    assert {run.optimum for run in result.runs} == {0}
    assert len({tuple(np.round(run.params, 3)) for run in result.runs}) > 10


def test_optima_are_numbered_by_their_objective(graph):
    for group in graph.groups():
        lowest = {}
        for run in sorted(group, key=lambda run: run.fun):
            lowest.setdefault(run.optimum, run.fun)
        assert list(lowest) == list(range(len(lowest)))


# ---- table, frame, picture, progress ----


def test_the_table_has_a_line_for_each_size_and_penalty_and_a_star_for_the_best(small):
    head, *lines = small.table().splitlines()
    assert head.split()[:4] == ["hidden", "weights", "runs", "converged"]
    assert len(lines) == 6
    assert [line.count("*") for line in lines] == [small.best_run in group for group in small.groups()]
    assert lines[-1].endswith(repr(DECAY))
    assert "penalty" not in fastmlp.sweep(X, T, (1,), 1, VALIDATION, max_iter=1).table()


def test_the_frame_has_a_row_for_each_run(small):
    frame = small.frame()
    assert len(frame) == 24
    assert frame.validation_loss.idxmin() == small.runs.index(small.best_run)
    assert "params" not in frame


def test_the_picture_shows_every_run_and_rings_the_best(graph, small):
    ax = Figure().subplots()
    assert graph.plot(ax) is ax
    dots = np.concatenate([line.get_ydata() for line in ax.get_lines() if line.get_markersize() == 4])
    assert sorted(dots) == sorted(run.validation_loss for run in graph.runs)
    (ring,) = [line for line in ax.get_lines() if line.get_markersize() == 10]
    assert list(ring.get_ydata()) == [graph.best_run.validation_loss]
    assert [text.get_text() for text in ax.get_xticklabels()] == [str(M) for M in range(1, 11)]
    ax = plot.sweep(small, Figure().subplots())
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "3", "2-2"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["none", repr(DECAY)]


def test_the_picture_asks_for_a_sweep():
    with pytest.raises(TypeError, match=r"result: expected what fastmlp\.sweep returns, got list"):
        plot.sweep([], Figure().subplots())


@pytest.mark.parametrize("asked", [{"progress": True}, {"verbose": 1}, {"verbose": 2}])
def test_progress_is_told_and_changes_nothing(small, asked, capsys):
    watched = fastmlp.sweep(
        X, T, (1, 3, (2, 2)), 4, VALIDATION, penalties=[None, DECAY], rng=1, n_threads=1, **asked
    )  # fmt: skip
    told = capsys.readouterr().out.splitlines()
    counts = [int(line.removeprefix("sweep ").removesuffix("/24")) for line in told]
    assert counts == sorted(set(counts))
    assert counts[-1] == 24
    assert len(counts) > 3
    assert same(small, watched)
