"""The programs in examples/ run and draw, and what they compute is what the book shows (L9, L11, L14, L15)."""

import re
from pathlib import Path

import numpy as np
import pytest

import a_teacher_found_again
import approximating_four_functions
import choosing_the_number_of_hidden_units
import consistency_under_linear_maps
import early_stopping
import error_bars_in_a_gap
import evidence_and_test_error
import filters_of_digits
import importances_of_inputs
import learning_from_derivatives
import leaving_out_a_sample
import monotone_network
import number_of_hidden_units
import relevant_redundant_and_irrelevant_inputs
import rules_read_off_weights
import training_again_after_a_change
import weight_decay_and_early_stopping
import zero_initialisation
from served import Server

FOLDER = Path(__file__).parent.parent / "examples"
PROGRAMS = sorted(FOLDER.glob("*.py"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    environment = {"MPLBACKEND": "Agg", "FASTMLP_CROWD": "heed"}  # as users have it
    with Server(tmp_path_factory.mktemp("server") / "stderr", **environment) as server:
        yield server


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_an_example_runs_without_a_warning_and_draws_its_figure(program, tmp_path, server):
    """The gallery of the documentation runs each in a process of its own."""
    server.run(tmp_path, program)
    assert [path.name for path in tmp_path.iterdir()] == [f"{program.stem}.png"]
    assert (tmp_path / f"{program.stem}.png").stat().st_size > 10_000


def test_the_list_of_examples_is_complete():
    listed = re.findall(r"^\| `(\w+\.py)`", (FOLDER / "README.md").read_text(), re.M)
    assert sorted(listed) == [program.name for program in PROGRAMS]


@pytest.mark.parametrize(
    ("name", "best", "median"),
    [
        ("$x^2$", (0, 2e-5), (0, 5e-5)),
        ("$\\sin(\\pi x)$", (0, 1e-4), (0, 2e-3)),
        ("$|x|$", (1.1e-2, 1.3e-2), (1.1e-2, 1.3e-2)),
        ("$H(x)$", (0, 1e-7), (0, 5e-7)),
    ],
)
def test_three_units_approximate_each_function_as_closely_as_they_can(name, best, median):
    _, errors = approximating_four_functions.best_network(approximating_four_functions.FUNCTIONS[name])
    assert best[0] <= errors.min() <= best[1]
    assert median[0] <= np.median(errors) <= median[1]


def test_more_hidden_units_fit_better_until_they_interpolate():
    X, T = number_of_hidden_units.X, number_of_hidden_units.T
    networks = [number_of_hidden_units.best_network(size) for size in (1, 3, 10)]
    assert [net.n_params for net in networks] == [(1 + 1) * M + (M + 1) * 1 for M in (1, 3, 10)]
    few, enough, many = (net.loss(X, T) for net in networks)
    assert few > 2 * enough > 1e3 * many
    assert many < 1e-15


def test_more_hidden_units_have_more_minima_but_the_best_start_changes_little():
    _, sweep = choosing_the_number_of_hidden_units.choose()
    losses = [[run.validation_loss for run in sweep.runs if run.size == size] for size in range(1, 11)]
    optima = [len({run.optimum for run in sweep.runs if run.size == size}) for size in range(1, 11)]
    assert [len(starts) for starts in losses] == [30] * 10
    assert max(optima[:2]) < 5 < 10 < min(optima[4:])
    spread = [max(starts) / min(starts) for starts in losses]
    assert max(spread[:2]) < 1.1 < min(spread[4:])
    best = [min(starts) for starts in losses]
    assert max(best) < 3 * min(best)
    assert sweep.best.layers[1] == 1 + int(np.argmin(best))


@pytest.mark.parametrize("seed", range(3))
def test_the_validation_error_has_its_minimum_within_the_training(seed):
    _, _, result = early_stopping.train(seed)
    training, validation = result.history["train_loss"], result.history["validation_loss"]
    assert (np.diff(training) <= 0).all()
    rmse = np.sqrt(2 * validation)
    best = int(np.argmin(rmse))
    assert 0 < best < 100
    assert 0.25 < rmse[best] < 0.45  # the noise alone makes 0.3
    assert rmse[-1] > rmse[best]
    stopped, _, shorter = early_stopping.train(seed, patience=50)
    assert shorter.nit <= result.nit
    assert np.array_equal(shorter.history["validation_loss"], validation[: shorter.nit + 1])
    assert np.array_equal(stopped.params, shorter.x)


def test_early_stopping_and_weight_decay_leave_the_shares_that_exercise_5_25_derives():
    eta, minimum = np.array([10, 1, 0.1, 0.01]), np.array([1.0, -2.0, 0.5, 3.0])
    path = weight_decay_and_early_stopping.descend(eta, minimum, rate=0.05, steps=200)
    steps = np.arange(201)[:, np.newaxis]
    np.testing.assert_allclose(path / minimum, 1 - (1 - 0.05 * eta) ** steps, rtol=0, atol=1e-14)
    np.testing.assert_allclose(path[-1] / minimum, [1.000, 1.000, 0.633, 0.095], atol=5e-4)
    decayed = weight_decay_and_early_stopping.decay(eta, minimum, alpha=1 / (0.05 * 200))
    np.testing.assert_allclose(decayed / minimum, eta / (eta + 0.1), rtol=1e-10)
    np.testing.assert_allclose(decayed / minimum, [0.990, 0.909, 0.500, 0.091], atol=5e-4)


def test_error_bars_widen_in_the_gap_and_hold_the_truth():
    posterior = error_bars_in_a_gap.best_posterior()
    grid = np.linspace(-3, 2, 101)[:, np.newaxis]
    mean, epistemic, noise = posterior.predict(grid, parts=True)
    assert np.sqrt(noise).max() == pytest.approx(error_bars_in_a_gap.NOISE, rel=0.2)
    gap = (np.abs(grid) < 0.5)[:, 0]
    assert epistemic[gap].min() > 4 * np.median(epistemic[~gap])
    truth = np.sin(2 * grid)
    assert (np.abs(mean - truth) < 2 * np.sqrt(epistemic)).mean() > 0.9
    slope, variance = (each[:, 0] for each in posterior.predict_jacobian(grid))
    assert (np.abs(slope - 2 * np.cos(2 * grid)) < 2 * np.sqrt(variance)).mean() > 0.85


def test_what_the_evidence_prefers_foretells_well():
    starts, errors = evidence_and_test_error.search(sizes=(5, 12), n_starts=4)
    evidence = np.array([start.log_evidence for start in starts])
    assert errors[np.argmax(evidence)] < 1.02 * errors.min()
    assert errors.min() < 1.1 * evidence_and_test_error.NOISE
    assert np.corrcoef(evidence, np.log(errors))[0, 1] < -0.8


def test_one_input_of_three_is_relevant():
    posterior = relevant_redundant_and_irrelevant_inputs.best_posterior()
    assert {"W1[:,1]", "W1[:,2]"} <= set(posterior.pruned)
    assert posterior.group_precisions["W1[:,0]"] < 10


def test_the_formula_for_samples_left_out_is_exact_enough_where_leverages_are_small():
    formula, trained, doubtful = leaving_out_a_sample.residuals(1.0)
    assert not doubtful.any()
    assert np.abs(formula - trained).max() < 0.02
    formula, trained, doubtful = leaving_out_a_sample.residuals(0.05)
    assert np.abs(formula - trained)[doubtful].max() > 0.1 > np.abs(formula - trained)[~doubtful].max()


def test_from_zeros_tanh_units_never_move_and_logistic_ones_move_as_one():
    path, _ = zero_initialisation.train("tanh", "zeros")
    assert not path[:, :-1].any()
    assert path[-1, -1] != 0
    path, _ = zero_initialisation.train("logistic", "zeros")
    assert path[-1].all()
    assert np.array_equal(path[:, 0:2], path[:, 2:4])


def test_training_in_other_units_is_consistent_under_the_right_rule_only():
    raw, curves, steepness = consistency_under_linear_maps.train()
    right, *wrong = curves
    assert steepness[right] < 1e-7
    assert np.abs(curves[right] - raw).max() < 1e-8
    for rule in wrong:
        assert steepness[rule] > 1
        assert np.abs(curves[rule] - raw).max() > 0.1


def test_bounds_make_a_network_that_never_falls():
    free, _ = monotone_network.train(None)
    monotone, result = monotone_network.train(monotone_network.NOT_NEGATIVE)
    assert result.success
    assert (np.diff(free[:, 0]) < 0).any()
    assert (np.diff(monotone[:, 0]) >= 0).all()


def test_the_teacher_is_found_again():
    path = a_teacher_found_again.prune()
    step = path.steps[path.best_step]
    assert step.n_params == 5
    small, inputs = a_teacher_found_again.fastmlp.compact(path.best)
    assert small.layers == (3, 2, 1)
    assert inputs.tolist() == [0, 1, 2]
    assert step.validation_loss < 0.5 * path.steps[0].validation_loss


def test_methods_see_of_the_inputs_what_the_page_says():
    X, T = importances_of_inputs.sample()
    net = importances_of_inputs.best_network(X, T)
    found = importances_of_inputs.fastmlp.importances(net, X, T, penalty=importances_of_inputs.PENALTY)
    truth, shares = importances_of_inputs.costs(net, X, T), found.shares
    np.testing.assert_allclose(truth, [174, 218, 1.8, 0.09, 0.37, 0.10], rtol=0.05)
    np.testing.assert_allclose(found.saliency, [1.3, 6.2, 0.50, 0.09, 0.48, 0.08], rtol=0.1)
    assert set(np.argsort(-found.saliency)[:3]) == {0, 1, 2}
    assert shares["olden"][1] < 0.01  # the square
    assert shares["garson"][3] > shares["garson"][0]  # the twin that is not needed, and the line
    assert shares["sensitivity"][4:].max() < 0.02 < shares["garson"][4:].min()  # noise


@pytest.mark.parametrize(("number", "left"), [(1, 17), (2, 18), (3, 7)])
def test_rules_stand_in_the_weights(number, left):
    m = rules_read_off_weights
    path = m.best_path(number)
    net = path.best
    assert path.steps[path.best_step].n_params == left
    assert np.array_equal(net(m.X)[:, 0] > 0.5, m.RULES[number])
    seen = {m.NAMES[i].split()[0] for i in np.flatnonzero(net.weights[0].any(axis=0))}
    assert seen == {1: {"head", "body", "jacket"}, 2: set(m.ATTRIBUTES), 3: {"body", "holds", "jacket"}}[number]
    sums = m.X @ net.weights[0].T + net.biases[0]
    if number == 2:  # units count first values
        ones = (m.ROBOTS == 1).sum(axis=1)
        counts = sorted(
            next(n for n in range(7) if (z[ones >= n] > 0).all() and (z[ones < n] < 0).all()) for z in sums.T
        )
        assert counts == [2, 3]
    if number == 3:  # one unit, negative for the rule
        (unit,) = np.flatnonzero(net.weights[1][0])
        assert np.array_equal(sums[:, unit] < 0, m.RULES[3])


def test_derivatives_make_a_surrogate_of_fifteen_samples():
    rmse = np.array([learning_from_derivatives.errors(seed)[0] for seed in range(5)])
    assert (rmse[:, 0] > 4 * rmse[:, 1]).all()
    assert 0.15 < np.median(rmse[:, 0]) < 0.3
    assert 0.015 < np.median(rmse[:, 1]) < 0.04


def test_old_parameters_are_a_good_start_until_labels_have_changed():
    m = training_again_after_a_change
    # steps by refit near by cost a gradient alone, of which more distant changes need more
    for name, share in (("1 row dropped", 0.3), ("3 rows (1 %)", 0.3), ("15 rows (5 %)", 0.5), ("drift by 0.1", 0.3)):
        rows = m.compare(m.CHANGES[name])
        assert np.median(rows[:, 0]) < share * np.median(rows[:, 1])
        assert np.abs(rows[:, 2]).max() < 0.05
        assert rows[:, 3].max() <= m.TOL  # of the objective without what is gone
    rows = m.compare(m.CHANGES["31 labelled anew"])
    assert np.median(rows[:, 0]) > np.median(rows[:, 1])
    assert (rows[:, 2] > 0).sum() >= 5
    assert rows[:, 2].max() > 0.5


def test_windows_that_are_shared_read_more_digits():
    lenet, dense = (
        np.mean([filters_of_digits.error(filters_of_digits.trained(layers, 400, seed)) for seed in range(2)])
        for layers in filters_of_digits.NETWORKS.values()
    )
    assert lenet < 0.75 * dense < 3.0
