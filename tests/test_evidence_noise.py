"""Precisions by the evidence where there is no noise, far from zero, in raw units, and where the search ends early."""

import functools
import math
import time
import warnings

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

import fastmlp
from cases import alternation_of, relative_error
from fastmlp.bayes import ascent
from fastmlp.bayes.alternation import Alternation
from fastmlp.bayes.budget import Budget
from fastmlp.bayes.covariance import Covariance
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.optimize import settled

fit_evidence = functools.partial(fastmlp.fit_evidence, standardize=False)  # the search itself, in the data's own units
RNG = np.random.default_rng(0)
X80 = RNG.normal(size=(80, 2))
CURVE = 2.5 + np.tanh(X80[:, 0]) + 0.3 * X80[:, 1] + 0.1 * RNG.normal(size=80)
LINE = 2.5 + 1.5 * X80[:, 0] - 0.5 * X80[:, 1] + 0.3 * RNG.normal(size=80)


def standardised(a):
    return (a - a.mean(axis=0)) / a.std(axis=0)


def sine(n, noise=0.0, seed=0):
    """sin(3x), a way back from its standardised units, and 401 inputs with the function there."""
    x = np.linspace(-1, 1, n)[:, np.newaxis]
    t = np.sin(3 * x) + noise * np.random.default_rng(seed).normal(size=x.shape)
    new = np.linspace(-1, 1, 401)[:, np.newaxis]
    return standardised(x), standardised(t), t, (new - x.mean()) / x.std(), np.sin(3 * new)


# ---- no noise ----


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ConvergenceWarning")
@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-5, 1e-4])
@pytest.mark.parametrize("n", [15, 30, 60])
def test_a_function_without_noise_is_found(n, noise):
    errors = []
    for seed in range(4):
        x, standard, t, new, truth = sine(n, noise, seed)
        for units in (2, 4, 8):
            posterior = fit_evidence(fastmlp.Network([1, units, 1], rng=seed), x, standard, n_threads=1)
            assert np.isfinite(posterior.log_evidence)
            mean, variance = posterior.predict(new)
            assert (variance > 0).all()
            if units > 2:
                errors.append(np.abs(mean * t.std() + t.mean() - truth).max())
    assert np.mean(np.array(errors) <= 3e-4 + 6 * noise) >= 0.9


def test_the_noise_ends_at_its_floor_with_one_warning():
    """tanh(2x), which one hidden unit can be."""
    x = np.linspace(-1, 1, 40)[:, np.newaxis]
    T = 5.0 + 3.0 * np.tanh(2 * x)
    with pytest.warns(fastmlp.ConvergenceWarning, match="the noise is at its floor") as warned:
        posterior = fit_evidence(fastmlp.Network([1, 1, 1], rng=0), x, T, n_starts=3, rng=0)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert posterior.noise_at_floor
    assert posterior.converged
    assert posterior.noise_precision == pytest.approx(1e12 / T.var(), rel=1e-9)
    new = np.linspace(-1, 1, 99)[:, np.newaxis]
    mean, variance = posterior.predict(new)
    assert np.abs(mean - 5 - 3 * np.tanh(2 * new)).max() < 1e-5
    assert (variance >= 1 / posterior.noise_precision).all()


@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
def test_a_straight_line_without_noise(method):
    """Its posterior is that of ridge regression at the floor, with the alphas that belong to it."""
    T = X80 @ [1.5, -0.5] - 0.3
    with pytest.warns(fastmlp.ConvergenceWarning, match="a millionth of that of the targets"):
        posterior = fit_evidence(fastmlp.Network([2, 1], rng=1), X80, T, method=method, max_iter=500)
    assert posterior.noise_at_floor
    assert posterior.noise_precision == pytest.approx(1e12 / T.var(), rel=1e-9)
    new = np.random.default_rng(1).normal(size=(50, 2))
    mean, variance = posterior.predict(new)
    assert np.abs(mean[:, 0] - (new @ [1.5, -0.5] - 0.3)).max() < 1e-8
    design, alpha = np.column_stack([X80, np.ones(80)]), posterior.prior_precision
    R = np.linalg.qr(np.vstack([1e6 / T.std() * design, np.diag(np.sqrt(alpha))]), "r")
    assert relative_error(np.sqrt((alpha * posterior.params**2)[:2].sum()), math.sqrt(2)) < 1e-4
    rows = np.linalg.solve(R.T, np.column_stack([new, np.ones(50)]).T)
    assert relative_error(variance[:, 0] - 1 / posterior.noise_precision, (rows**2).sum(axis=0)) < 1e-3


@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
def test_hidden_units_come_close_to_a_straight_line(method):
    """What they miss it by is noise to them, at the floor or a few times as much; who is at the floor is told so."""
    T = X80 @ [1.5, -0.5] - 0.3
    for seed in range(3):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            posterior = fit_evidence(fastmlp.Network([2, 3, 1], rng=seed), X80, T, method=method, max_iter=500)
        assert posterior.noise_at_floor == bool(caught)
        assert 1e-6 * 0.999 < posterior.noise_precision**-0.5 / T.std() < 2e-5
        assert np.abs(posterior.network(X80)[:, 0] - T).max() < 1e-4


def test_noise_above_the_floor_is_measured():
    """The standard deviation about the straight line, by least squares."""
    T = X80 @ [1.5, -0.5] - 0.3 + 1e-4 * np.random.default_rng(2).normal(size=80)
    posterior = fit_evidence(fastmlp.Network([2, 1], rng=0), X80, T)
    _, sse, *_ = np.linalg.lstsq(np.column_stack([X80, np.ones(80)]), T, rcond=None)
    assert not posterior.noise_at_floor
    assert posterior.noise_precision == pytest.approx(77 / sse[0], rel=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e5, 1e7])
def test_an_offset_is_not_signal(offset):
    """With so large a bias the prior of the weights alone matters: least squares finds the same noise."""
    posterior = fit_evidence(fastmlp.Network([2, 1], rng=0), X80, LINE + offset)
    design = np.column_stack([X80, np.ones(80)])
    _, sse, *_ = np.linalg.lstsq(design, LINE, rcond=None)
    assert posterior.converged
    assert not posterior.noise_at_floor
    assert posterior.noise_precision == pytest.approx(77 / sse[0], rel=1e-3)


def test_the_floor_is_that_of_the_weighted_mean_variance():
    T = np.column_stack([LINE, 3 * CURVE])
    weight = np.arange(80) % 3
    own = alternation_of(fastmlp.Network([2, 2]), X80, T, "layers", 1e-6, weight)
    repeated = np.repeat(T, weight, axis=0)
    assert own.levels.highest == pytest.approx(1e12 / repeated.var(axis=0).mean(), rel=1e-12)
    assert own.start(0.1, None)[-1] == pytest.approx(100 / repeated.var(axis=0).mean(), rel=1e-12)
    assert own.start(0.1, 1e30)[-1] == own.levels.highest
    assert own.moved(np.array([1.0, 1.0, own.levels.highest[0] / 2]), np.array([1.0, -1.0, 3.0])).tolist() == [
        math.e, 1 / math.e, own.levels.highest[0]
    ]  # fmt: skip


def test_rounding_is_added_where_a_matrix_would_be_refused():
    J = np.random.default_rng(0).normal(size=(9, 5))
    J = np.column_stack([J, J[:, 0]])
    B, alpha = J.T @ J, np.full(6, 1e-18)
    with pytest.raises(NotPositiveDefiniteError):
        Covariance(B, alpha)
    helped = Covariance(B, alpha, helped=True)
    rows = J[:, :5]
    assert relative_error(helped.quadratic(J), np.einsum("ni,ij,nj->n", rows, np.linalg.inv(B[:5, :5]), rows)) < 1e-9
    sane = B + np.eye(6)
    assert np.array_equal(Covariance(sane, alpha, helped=True).root, Covariance(sane, alpha).root)


# ---- raw units ----


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e5, 1e9])
def test_without_hidden_layer_units_do_not_matter(scale):
    """BayesianRidge with the bias among its parameters, in units in which it works."""
    design = np.column_stack([X80, np.ones(80)])
    posterior = fit_evidence(fastmlp.Network([2, 1], rng=0), X80, scale * LINE, "all", tol=1e-6)
    ridge = BayesianRidge(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, fit_intercept=False, tol=1e-15, max_iter=1000,
                          compute_score=True).fit(design, LINE)  # fmt: skip
    assert posterior.converged
    assert posterior.stationary == "maximum"
    assert relative_error(posterior.params / scale, ridge.coef_) < 1e-6
    assert posterior.log_evidence == pytest.approx(ridge.scores_[-1] - 80 * math.log(scale), abs=1e-4)
    assert posterior.noise_precision * scale**2 == pytest.approx(ridge.alpha_, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-5, 30, 300, 1e3, 1e5])
def test_a_prior_that_holds_all_weights_down_is_not_the_end(scale):
    """The posterior at scale 1 is one at any scale; its evidence, shifted by -N ln s, is within reach."""
    right = fit_evidence(fastmlp.Network([2, 4, 1], rng=0), X80, CURVE).log_evidence - 80 * math.log(scale)
    posterior = fit_evidence(fastmlp.Network([2, 4, 1], rng=0), X80, scale * CURVE)
    assert np.corrcoef(posterior.network(X80)[:, 0], CURVE)[0, 1] ** 2 > 0.97
    assert posterior.log_evidence > right - 10


# ---- rounding ----


@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
def test_data_that_differ_by_rounding_lead_to_the_same_network(groups):
    X, T = standardised(X80), standardised(CURVE)
    rng, same = np.random.default_rng(3), 0
    for seed in range(10):
        one, two = (
            fit_evidence(fastmlp.Network([2, 6, 1], rng=seed), X * (1 + by), T, groups, n_threads=1)
            for by in (0.0, 1e-13 * rng.normal(size=X.shape))
        )
        (mean, variance), (other_mean, other_variance) = one.predict(X), two.predict(X)
        same += bool(
            one.pruned == two.pruned
            and abs(one.log_evidence - two.log_evidence) < 1e-4
            and np.abs(mean - other_mean).max() < 1e-4
            and np.abs(np.sqrt(variance) - np.sqrt(other_variance)).max() < 1e-4
        )
    assert same >= 9


# ---- pruning ----


def test_no_group_is_pruned_before_the_third_re_estimation(monkeypatch):
    trials, trained = [], Alternation.trained
    monkeypatch.setattr(Alternation, "trained", lambda self, p: trials.append(p.copy()) or trained(self, p))
    X = np.column_stack([X80, np.random.default_rng(5).normal(size=80)])
    posterior = fit_evidence(fastmlp.Network([3, 6, 1], rng=0), X, CURVE, "ard", prior_precision=1e3)
    assert not any(np.isinf(p).any() for p in trials[: ascent.ROUNDS + 1])
    assert posterior.pruned
    first = next(n for n, row in enumerate(posterior.history["prior_precision"]) if np.isinf(row).any())
    assert first > ascent.ROUNDS


def test_a_group_whose_loss_lowers_the_evidence_stays(monkeypatch):
    """All groups seem dead, but the evidence says no."""
    monkeypatch.setattr(Alternation, "dead", lambda self, step: np.isfinite(step.precisions[:-1]))
    posterior = fit_evidence(fastmlp.Network([2, 1], rng=0), X80, LINE)
    monkeypatch.undo()
    assert posterior.pruned == ()
    assert posterior.log_evidence == pytest.approx(
        fit_evidence(fastmlp.Network([2, 1], rng=0), X80, LINE).log_evidence, abs=1e-6
    )


def test_the_evidence_without_a_group_is_the_limit_of_that_with_it():
    alternation = alternation_of(fastmlp.Network([2, 3, 1], rng=0), X80, CURVE, "ard", 1e-9)
    at = np.array([1.0, np.inf, 1.0, 1.0, 1.0, 50.0])
    limit = alternation.trained(at).posterior.log_evidence
    at[1] = 1e12
    assert alternation.trained(at).posterior.log_evidence == pytest.approx(limit, abs=1e-4)


# ---- who looks on ----


def test_the_callback_sees_every_re_estimation_and_may_end_all():
    states = []
    posterior = fit_evidence(fastmlp.Network([2, 4, 1], rng=0), X80, CURVE, callback=states.append)
    steps = len(posterior.history["log_evidence"])
    assert [state.nit for state in states][:steps] == list(range(steps))
    seen, history = [state.log_evidence for state in states][:steps], posterior.history["log_evidence"].tolist()
    assert seen[:-1] == history[:-1]
    assert seen[-1] == pytest.approx(history[-1], rel=1e-9)  # in the end it is trained as far as rounding allows
    assert [state.noise_precision for state in states][:steps] == posterior.history["noise_precision"].tolist()
    assert np.array_equal([state.prior_precision for state in states][:steps], posterior.history["prior_precision"])
    assert states[0].posterior.effective_n_params == states[0].effective_n_params
    assert all(state.time > 0 and state.start == 0 for state in states)

    def stop(state):
        if state.nit == 3:
            raise StopIteration
        return state.nit == 5

    ended = fit_evidence(fastmlp.Network([2, 4, 1], rng=0), X80, CURVE, callback=stop)
    assert not ended.converged
    assert ended.stationary == ""
    assert ended.log_evidence == max(state.log_evidence for state in states[:4])
    several = fit_evidence(
        fastmlp.Network([2, 4, 1], rng=0), X80, CURVE, n_starts=3, rng=0, n_threads=1, callback=lambda state: True
    )
    assert len(several.starts) == 1


def test_a_time_limit_ends_within_a_training():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 8))
    T = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.05 * rng.normal(size=3000)
    started = time.perf_counter()
    with pytest.warns(fastmlp.ConvergenceWarning, match=r"not converged within time_limit=0\.2") as warned:
        posterior = fit_evidence(
            fastmlp.Network([8, 40, 1], rng=0), X, T, n_starts=50, rng=0, time_limit=0.2, n_threads=1
        )
    assert time.perf_counter() - started < 3
    assert len(warned) == 1
    assert not posterior.converged
    assert len(posterior.starts) == 1
    assert np.isfinite(posterior.log_evidence)


def test_a_training_takes_a_thirtieth_of_the_time_limit(monkeypatch):
    """The first half of what is left; and what it is cut at is no edge."""
    X = np.random.default_rng(0).normal(size=(100, 3))
    own = alternation_of(fastmlp.Network([3, 4, 1], rng=0), X, np.sin(2 * X[:, :1]), "all", 1e-4)
    own.budget = Budget(60.0)
    monkeypatch.setattr(Budget, "left", property(lambda self: 45.0))
    told, to_minimum = [], settled.to_minimum

    def noted(objective, tol, digits, anew, left, *options):
        told.append(left())
        return to_minimum(objective, tol, digits, anew, lambda: 0.0, *options)

    monkeypatch.setattr(settled, "to_minimum", noted)
    start = own.start(0.1, None)
    first = own.first(start)
    later = own.trained(start)
    assert told == [22.5, 2.0]
    assert (first.cut, first.finished, later.cut, later.finished) == (True, False, True, False)


def test_a_rise_by_a_nat_for_each_target_needs_no_end_of_a_training(monkeypatch):
    """Noise of 1e-5, inputs in a plane: trainings creep for hundreds of steps, at each noise on the way down."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    X[:, 4] = 2 * X[:, 1] - 1
    T = np.tanh(X[:, :3] @ rng.normal(size=(3, 3)) / 2) @ rng.normal(size=3)
    T = T / T.std() + 1e-5 * rng.normal(size=400)
    monkeypatch.setattr(settled, "MOST_STEPS", 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fastmlp.ConvergenceWarning)
        posterior = fit_evidence(fastmlp.Network([5, 8, 1], rng=0), X, T, max_iter=6, n_threads=1)
    assert posterior.log_evidence > 400 * (math.log(1e5) - 0.5 * math.log(2 * math.pi * math.e)) - 600


def test_a_generous_time_limit_changes_nothing():
    one, two = (fit_evidence(fastmlp.Network([2, 4, 1], rng=0), X80, CURVE, time_limit=limit) for limit in (None, 1e6))
    assert np.array_equal(one.params, two.params)


@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
def test_a_line_for_each_re_estimation(method, capsys):
    posterior = fit_evidence(fastmlp.Network([2, 1], rng=0), X80, LINE, "all", method, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(posterior.history["log_evidence"])
    assert lines[-1].startswith(f"evidence   0 {len(lines) - 1:4d}  log evidence {posterior.log_evidence:.6g}")
    assert "pruned 0" in lines[-1]
    fit_evidence(fastmlp.Network([2, 1], rng=0), X80, LINE, "all", method)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"callback": 3}, TypeError, "callback: expected a callable or None, got 3"),
        ({"time_limit": -1.0}, ValueError, "time_limit: expected a finite number >= 0"),
        ({"verbose": -1}, ValueError, "verbose: expected an integer >= 0"),
        ({"T": np.full(80, 0.1)}, ValueError, "T: expected targets with noise, got constant ones"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    given = {"net": fastmlp.Network([2, 1]), "X": X80, "T": LINE, **arguments}
    with pytest.raises(error, match=message):
        fit_evidence(**given)
