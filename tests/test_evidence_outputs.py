"""Precisions by the evidence of several outputs, each with a noise of its own."""

import itertools
import pickle

import numpy as np
import pytest
import scipy.stats

import fastmlp
import output_cases
from cases import relative_error
from fastmlp.bayes import occam
from fastmlp.bayes.alternation import Alternation
from fastmlp.bayes.frame import framed
from fastmlp.bayes.levels import Levels
from fastmlp.model import units
from fastmlp.model.functional import check_samples

RNG = np.random.default_rng(0)
N, K = 60, 3
X = RNG.normal(size=(N, 2))
T = np.column_stack([
    np.tanh(X[:, 0]) + 0.1 * RNG.normal(size=N),
    3 * X[:, 1] + np.sin(X[:, 0]) + 0.8 * RNG.normal(size=N),
    0.1 * X[:, 0] ** 2 + 0.01 * RNG.normal(size=N),
])  # fmt: skip
COUNT = RNG.integers(0, 3, N).astype(float)
SIGMA = RNG.uniform(0.5, 2, (N, K))
LINES = X @ RNG.normal(size=(2, 2)) + 0.3 + RNG.normal(size=(N, 2)) * [0.05, 1.5]
GIVEN: list[dict] = [{}, {"sample_weight": COUNT}, {"sigma": SIGMA}]
DESIGN = np.column_stack([X, np.ones(N)])


def alternation(net, sample_weight=None, sigma=None, tol=1e-12):
    """What `fit_evidence` does in turn, in standardised units, with a level of each output."""
    samples = check_samples(net._architecture, X, T, sample_weight, sigma)
    frame, samples = framed(
        net._architecture, units.chosen(True, None, net._architecture, samples), samples, net._pruned
    )
    return Alternation(net.params, frame, samples, "layers", tol, 1, levels=Levels(frame, samples, by_output=True))


# ---- the gradient of the evidence ----


@pytest.mark.parametrize("given", GIVEN, ids=["plain", "counted", "measured"])
def test_corrected_re_estimation_is_the_gradient_along_trained_networks(given):
    """c_k, which the hidden units' motion adds, by differences of fourth order."""
    own = alternation(fastmlp.Network([2, 3, K], rng=1), **given)
    at = own.start(0.1, None)
    own.alphas(at)[...] = 0.5, 1.0, 0.2, 0.3

    def trained(precisions):
        own.params = here.posterior.params if "here" in outer else own.params
        return own.polished(own.trained(precisions))

    outer = {}
    here = own.polished(own.trained(at))
    outer["here"] = here
    slopes, plain = own.proposal(here, corrected=True).gradient, own.proposal(here, corrected=False).gradient
    assert np.abs(own.betas(slopes - plain)).min() > 0.1  # c_k is not 0
    step = 2e-4
    for place, change in enumerate(step * np.eye(len(at))):
        one, two = (
            trained(at * np.exp(far * change)).posterior.log_evidence
            - trained(at * np.exp(-far * change)).posterior.log_evidence
            for far in (1, 2)
        )
        assert slopes[place] == pytest.approx((8 * one - two) / (12 * step), rel=1e-8, abs=1e-6)


@pytest.mark.parametrize("given", GIVEN, ids=["plain", "counted", "measured"])
def test_what_the_outputs_determine_adds_up(given):
    own = alternation(fastmlp.Network([2, 3, K], rng=1), **given)
    posterior = own.trained(own.start(0.1, None)).posterior
    shares = own.levels.determined(posterior)
    assert shares.sum() == pytest.approx(posterior.effective_n_params, rel=1e-10)
    assert (shares > 1).all()
    pulls = occam.corrections(posterior, own.where, own.levels.varying)
    assert own.betas(pulls).sum() == pytest.approx(-own.alphas(pulls).sum(), rel=1e-6)


# ---- networks without hidden layer ----


def log_marginal(alpha, beta, weight=None):
    """Of both outputs of `LINES`, weights and biases of these precisions."""
    rows = np.arange(N) if weight is None else np.repeat(np.arange(N), weight.astype(int))
    design, prior, total = DESIGN[rows], 1 / np.array([alpha[0], alpha[0], alpha[1]]), 0.0
    for t, each in zip(LINES[rows].T, beta, strict=True):
        marginal = np.eye(len(rows)) / each + (design * prior) @ design.T
        total += scipy.stats.multivariate_normal(np.zeros(len(rows)), marginal).logpdf(t)
    return total


@pytest.mark.parametrize("weight", [None, COUNT], ids=["once", "counted"])
@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
def test_without_hidden_layer_it_is_the_exact_marginal_likelihood(method, weight):
    found = fastmlp.fit_evidence(
        fastmlp.Network([2, 2], rng=0), X, LINES, "layers", method, standardize=False, tol=1e-8, max_iter=500,
        sample_weight=weight,
    )  # fmt: skip
    at = np.log([found.group_precisions["W1"], found.group_precisions["b1"], *found.noise_precision])
    best = log_marginal(np.exp(at[:2]), np.exp(at[2:]), weight)
    assert found.converged
    assert found.log_evidence == pytest.approx(best, rel=1e-9)
    for change, sign in itertools.product(1e-3 * np.eye(4), (1, -1)):
        logs = at + sign * change
        assert log_marginal(np.exp(logs[:2]), np.exp(logs[2:]), weight) < best
    rows = np.arange(N) if weight is None else np.repeat(np.arange(N), weight.astype(int))
    mean, variance = found.predict(X)
    for k, beta in enumerate(np.exp(at[2:])):
        C = np.linalg.inv(beta * DESIGN[rows].T @ DESIGN[rows] + np.diag(np.exp(at[[0, 0, 1]])))
        assert relative_error(mean[:, k], DESIGN @ (beta * C @ DESIGN[rows].T @ LINES[rows, k])) < 1e-9
        assert relative_error(variance[:, k], 1 / beta + np.einsum("ni,ij,nj->n", DESIGN, C, DESIGN)) < 1e-9
    assert found.noise_std == pytest.approx(found.noise_precision**-0.5, rel=1e-15)
    shared = fastmlp.fit_evidence(
        fastmlp.Network([2, 2], rng=0), X, LINES, standardize=False, noise="shared", sample_weight=weight
    )
    assert shared.log_evidence < found.log_evidence - 20


# ---- units, weights, what is known ----


def test_units_of_each_output_change_no_bit():
    scale = 2.0 ** np.array([40, -30, 7])
    one, two = (fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, t, max_iter=20) for t in (T, scale * T))
    shift = one.history["log_evidence"] - two.history["log_evidence"]
    assert shift == pytest.approx(N * np.log(scale).sum(), rel=1e-12)
    assert np.array_equal(one.history["prior_precision"], two.history["prior_precision"])
    assert np.array_equal(one.noise_precision, scale**2 * two.noise_precision)
    assert np.array_equal(one.noise_std * scale, two.noise_std)
    (mean, variance), (scaled, scaled_variance) = one.predict(X), two.predict(X)
    assert np.array_equal(scaled, scale * mean)
    assert np.array_equal(scaled_variance, scale**2 * variance)


def test_the_number_of_threads_changes_no_bit():
    tall = np.tile(X, (40, 1)) + 0.01 * RNG.normal(size=(40 * N, 2))
    targets = np.tile(T, (40, 1)) + 0.1 * RNG.normal(size=(40 * N, K))
    one, two = (
        fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), tall, targets, max_iter=5, tol=1.0, n_threads=n)
        for n in (1, 2)
    )
    assert np.array_equal(one.params, two.params)
    assert np.array_equal(one.noise_precision, two.noise_precision)


def test_a_weight_counts_samples():
    rows = np.repeat(np.arange(N), COUNT.astype(int))
    one = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, T, sample_weight=COUNT)
    two = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X[rows], T[rows])
    assert one.log_evidence == pytest.approx(two.log_evidence, abs=1e-3)
    assert one.noise_precision == pytest.approx(two.noise_precision, rel=1e-3)


def test_one_output_has_one_noise():
    """The same bits, whatever it is called; a constant beside it changes nothing where it is known."""
    t = T[:, :1]
    one, two = (
        fastmlp.fit_evidence(fastmlp.Network([2, 3, 1], rng=1), X, t, noise=noise) for noise in ("shared", "per_output")
    )
    assert np.array_equal(one.params, two.params)
    assert isinstance(two.noise_precision, float)
    beside = np.column_stack([t, np.full(N, 5.0)])
    one, two = (
        fastmlp.fit_evidence(fastmlp.Network([2, 3, 2], rng=1), X, beside, noise=noise)
        for noise in ("shared", "per_output")
    )
    assert np.array_equal(one.params, two.params)


def test_a_constant_among_others_is_known():
    beside = np.column_stack([T[:, :2], np.full(N, 5.0)])
    found = fastmlp.fit_evidence(fastmlp.Network([2, 3, 3], rng=1), X, beside)
    assert found.noise_std == pytest.approx([0.1, 0.8, 0.0], rel=0.4)
    assert found.noise_precision[2] == np.inf
    assert np.array_equal(found.predict(X, parts=True).noise[:, 2], np.zeros(N))


def test_a_constant_in_raw_units_comes_to_the_floor():
    beside = np.column_stack([T[:, 0], np.full(N, 0.5)])
    with pytest.warns(fastmlp.ConvergenceWarning, match=r"the noise of outputs 1 is at its floor") as said:
        found = fastmlp.fit_evidence(fastmlp.Network([2, 3, 2], rng=1), X, beside, standardize=False)
    assert len(said) == 1
    assert found.outputs_at_floor == (1,)
    assert found.noise_at_floor
    assert found.noise_precision[1] == pytest.approx(1e12 / T[:, 0].var(), rel=1e-9)
    assert np.abs(found.network(X)[:, 1] - 0.5).max() < 1e-5


@pytest.mark.filterwarnings("ignore:the noise of outputs 1")
def test_an_output_without_noise_is_found_beside_a_noisy_one():
    beside = np.column_stack([X[:, 0] + RNG.normal(size=N), X @ [1.5, -0.5] - 0.3])
    found = fastmlp.fit_evidence(fastmlp.Network([2, 2], rng=0), X, beside)
    assert found.converged
    assert found.outputs_at_floor == (1,)
    assert found.noise_std[1] == pytest.approx(1e-6 * beside[:, 1].std(), rel=1e-9)
    assert found.noise_std[0] == pytest.approx(1.0, rel=0.3)
    assert "at its floor" in str(found)


@pytest.mark.parametrize("standardize", [True, False])
def test_noise_that_is_known_of_each_output_stays(standardize):
    known = np.array([100.0, 1.5, 1e4])
    found = fastmlp.fit_evidence(
        fastmlp.Network([2, 3, K], rng=1), X, T, noise="known", noise_precision=known, standardize=standardize
    )
    assert found.noise_precision == pytest.approx(known, rel=1e-12)
    assert np.allclose(found.history["noise_precision"], known, rtol=1e-12)
    same = fastmlp.fit_evidence(
        fastmlp.Network([2, 3, K], rng=1), X, T, sigma=np.tile(known**-0.5, (N, 1)), absolute_sigma=True,
        standardize=standardize,
    )  # fmt: skip
    assert found.log_evidence == pytest.approx(same.log_evidence, abs=1e-3)


def test_one_known_noise_is_that_of_all_outputs_in_their_units():
    found = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, T, noise="known", noise_precision=3.0)
    assert found.noise_precision == pytest.approx([3.0] * K, rel=1e-12)


def test_a_factor_of_sigma_is_one_unless_it_is_asked_of_each_output():
    told = np.tile([0.1, 0.8, 0.02], (N, 1))
    one = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, T, sigma=told)
    assert isinstance(one.noise_precision, float)
    each = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, T, sigma=told, noise="per_output")
    assert each.noise_precision == pytest.approx([1.0, 1.0, 4.0], rel=0.7)
    assert "times sigma" in str(each)
    free = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, T)
    assert each.log_evidence == pytest.approx(free.log_evidence, abs=1e-2)
    assert told[0] * each.noise_std == pytest.approx(free.noise_std, rel=1e-3)


def test_the_start_is_told_in_the_units_of_the_targets():
    own = alternation(fastmlp.Network([2, 3, K], rng=1))
    assert own.betas(own.start(0.1, 7.0)) == pytest.approx(7.0 * T.var(axis=0), rel=1e-12)
    assert own.betas(own.start(0.1, None)) == pytest.approx(100.0, rel=1e-12)


@pytest.mark.filterwarnings("ignore:the precisions have not converged within max_iter=5")
def test_classes_and_counts_have_none():
    found = fastmlp.fit_evidence(fastmlp.Network([2, 3, 3], output="softmax", rng=0), X, np.arange(N) % 3, max_iter=5)
    assert found.noise_precision == 1.0
    assert found.noise_std is None


def test_missing_entries_are_refused():
    holes = T.copy()
    holes[3, 1] = np.nan
    with pytest.raises(ValueError, match="T: expected finite numbers"):
        fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, holes)


# ---- what is kept, and what is foretold ----


def test_pickles_keep_the_noise_of_each_output():
    found = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, T, n_starts=2, rng=0, max_iter=20)
    copy = pickle.loads(pickle.dumps(found))
    assert np.array_equal(copy.predict(X), found.predict(X))
    assert np.array_equal(copy.noise_std, found.noise_std)
    assert np.array_equal(copy.leave_one_out().outputs, found.leave_one_out().outputs)
    assert np.array_equal(copy.updated(X[:5], T[:5]).noise_std, found.noise_std)
    assert (str(copy), copy.outputs_at_floor) == (str(found), found.outputs_at_floor)


def test_mixtures_and_sizes_know_them_too():
    mixture = fastmlp.fit_evidence(
        fastmlp.Network([2, 3, K]), X, T, hidden=[2, 3], n_starts=2, rng=0, combine="average", max_iter=20
    )
    each = np.mean([member.noise_std**2 for member in mixture.members], axis=0)
    assert mixture.predict(X, parts=True).noise[0] == pytest.approx(each, rel=1e-12)
    assert np.isfinite(mixture.log_density(X, T)).all()


@pytest.mark.slow
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("noise", output_cases.NOISES)
def test_intervals_cover_as_much_as_they_say(noise, standardize):
    """Of each output; with one noise for both they cover all of the one, and 83 % of the other."""

    def predict(inputs, targets, new, seed):
        net = fastmlp.Network([1, 6, 2], rng=seed)
        mean, variance = fastmlp.fit_evidence(net, inputs, targets, standardize=standardize, n_threads=1).predict(new)
        return mean, np.sqrt(variance)

    shares = output_cases.coverage(predict, noise)
    assert (shares >= 0.94).all()
    assert (shares <= 0.96).all()


@pytest.mark.parametrize("noise", ["per_output", "shared", "known"])
@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
def test_errors_that_are_known_leave_nothing_to_seek(noise, method):
    """Whichever noise is asked for beside them."""
    told = np.tile([0.1, 0.8, 0.02], (N, 1))
    options = {"sigma": told, "absolute_sigma": True, "noise": noise, "method": method}
    found = fastmlp.fit_evidence(fastmlp.Network([2, 3, K], rng=1), X, T, **options)
    plain = fastmlp.fit_evidence(
        fastmlp.Network([2, 3, K], rng=1), X, T, sigma=told, absolute_sigma=True, method=method
    )
    assert np.all(np.asarray(found.noise_precision) == 1.0)
    assert found.log_evidence == plain.log_evidence
