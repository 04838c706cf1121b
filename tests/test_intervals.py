"""Intervals of predictions: linear regression, integrals and draws, mixtures, and how often new targets lie within."""

import pickle

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.stats

import fastmlp
from cases import network
from fastmlp.bayes import intervals
from posterior_cases import CLASSES, SINE, X100

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")

COUNTS = np.random.default_rng(0).poisson(np.exp(1 + X100[:, 0]))
NEW = np.random.default_rng(1).normal(size=(15, 2))
NORMAL = scipy.stats.norm


def trained(T, output="identity", layers=(2, 3, 1), **options):
    net = network(list(layers), output=output)
    net.fit(X100, T, "lm", penalty=fastmlp.WeightDecay(0.3, 0.3))
    return fastmlp.Laplace(net, X100, T, prior_precision=0.3, **options)


def linear(T, X=X100[:7], **options):
    """Of a straight line with a flat prior; the fit has the data's own noise."""
    net = fastmlp.Network([X.shape[1], 1], rng=0)
    net.fit(X, T, "lm", sigma=options.get("sigma"))
    return fastmlp.Laplace(net, X, T, prior_precision=0.0, **options)


# ---- regression ----


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_few_rows_have_students_intervals_of_linear_regression(level, standardize):
    X, t = X100[:7], SINE[:7]
    posterior = linear(t, standardize=standardize)
    A, new = np.column_stack([X, np.ones(7)]), np.column_stack([NEW, np.ones(15)])
    w, (sse,), *_ = np.linalg.lstsq(A, t, rcond=None)
    half = scipy.stats.t.ppf((1 + level) / 2, 4) * np.sqrt(
        sse / 4 * (1 + np.einsum("ni,ij,nj->n", new, np.linalg.inv(A.T @ A), new))
    )
    low, high = posterior.predict(NEW, interval=level)
    assert posterior.degrees_of_freedom == pytest.approx(4, rel=1e-9)
    assert np.allclose(low[:, 0], new @ w - half, rtol=1e-8)
    assert np.allclose(high[:, 0], new @ w + half, rtol=1e-8)


def test_known_noise_has_normal_intervals():
    posterior = trained(SINE, noise_precision=100.0)
    mean, variance = posterior.predict(NEW)
    low, high = posterior.predict(NEW, interval=0.9)
    assert posterior.degrees_of_freedom == np.inf
    assert np.allclose(high, mean + NORMAL.ppf(0.95) * np.sqrt(variance), rtol=1e-12)
    assert np.allclose(low, mean - NORMAL.ppf(0.95) * np.sqrt(variance), rtol=1e-12)


def test_estimated_noise_counts_what_is_left_of_the_targets():
    posterior = trained(SINE)
    mean, variance = posterior.predict(NEW)
    freedom = 100 - posterior.effective_n_params
    assert posterior.degrees_of_freedom == pytest.approx(freedom, rel=1e-12)
    high = posterior.predict(NEW, interval=0.9)[1]
    assert np.allclose(high, mean + scipy.stats.t.ppf(0.95, freedom) * np.sqrt(variance), rtol=1e-12)
    found = fastmlp.fit_evidence(network([2, 3, 1]), X100, SINE)
    assert found.degrees_of_freedom == pytest.approx(100 - found.effective_n_params, rel=1e-12)
    told = fastmlp.fit_evidence(network([2, 3, 1]), X100, SINE, noise="known", noise_precision=100.0)
    assert told.degrees_of_freedom == np.inf


def test_outputs_have_degrees_of_freedom_of_their_own():
    """Lines through the same rows, of noise 0.1 and 50."""
    X, T = X100[:9], np.column_stack([SINE, 50 * np.random.default_rng(3).normal(size=100)])[:9]
    net = fastmlp.Network([2, 2], rng=0)
    net.fit(X, T, "lm")
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.0)
    assert np.allclose(posterior.degrees_of_freedom, 6.0, rtol=1e-9)
    found = fastmlp.fit_evidence(fastmlp.Network([2, 2], rng=0), X, T)
    assert found.degrees_of_freedom.shape == (2,)
    low, high = found.predict(NEW, interval=0.9)
    mean, variance = found.predict(NEW)
    t = scipy.stats.t.ppf(0.95, found.degrees_of_freedom)
    assert np.allclose([low, high], [mean - t * np.sqrt(variance), mean + t * np.sqrt(variance)], rtol=1e-9)


def test_errors_up_to_a_factor_share_its_uncertainty():
    """Generalised least squares with the factor estimated: Student's intervals of targets with told errors."""
    sigma = np.linspace(0.1, 1.0, 7)
    posterior = linear(SINE[:7], sigma=sigma)
    A, new = np.column_stack([X100[:7], np.ones(7)]) / sigma[:, None], np.column_stack([NEW, np.ones(15)])
    w, (chi2,), *_ = np.linalg.lstsq(A, SINE[:7] / sigma, rcond=None)
    scale = np.sqrt(chi2 / 4 * (0.2**2 + np.einsum("ni,ij,nj->n", new, np.linalg.inv(A.T @ A), new)))
    low, high = posterior.predict(NEW, interval=0.95, noise_std=0.2)
    assert np.allclose(high[:, 0], new @ w + scipy.stats.t.ppf(0.975, 4) * scale, rtol=1e-7)
    assert np.allclose(low[:, 0], new @ w - scipy.stats.t.ppf(0.975, 4) * scale, rtol=1e-7)


def test_told_noise_is_known_beside_an_estimated_function():
    """The sum of a normal and of Student's numbers, by an integral over the latter."""
    posterior = linear(SINE[:7])
    epistemic = posterior.predict(NEW, parts=True).epistemic
    for noise in (0.0, 0.5 * np.sqrt(epistemic[:, 0]), 1e6):
        low, high = posterior.predict(NEW, interval=0.95, noise_std=noise)
        half, sd = (high - low)[:, 0] / 2, np.broadcast_to(noise, 15)
        for h, e, s in zip(half[:5], np.sqrt(epistemic[:, 0]), sd, strict=False):
            if s == 0:
                assert h / e == pytest.approx(scipy.stats.t.ppf(0.975, 4), rel=1e-9)
                continue

            def density(t, h=h, e=e, s=s):
                return NORMAL.cdf((h - e * t) / s) * scipy.stats.t.pdf(t, 4)

            pieces = [scipy.integrate.quad(density, a, b, epsabs=1e-11)[0] for a, b in [(-9e3, -9), (-9, 9), (9, 9e3)]]
            assert sum(pieces) == pytest.approx(0.975, abs=1e-8)


@pytest.mark.parametrize("n", [5, 8])
def test_new_targets_lie_within_as_often_as_is_said(n):
    """Of straight lines through few rows; normal intervals would hold fewer (of five 85 %)."""
    rng, within = np.random.default_rng(0), 0
    for _ in range(600):
        X = rng.normal(size=(n + 1, 1))
        t = 1 + 2 * X[:, 0] + rng.normal(size=n + 1)
        low, high = linear(t[:n], X[:n]).predict(X[n:], interval=0.95)
        within += int(low[0, 0] < t[n] < high[0, 0])
    assert abs(within / 600 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 600)


def test_a_constant_target_is_known():
    T = np.column_stack([SINE, np.full(100, 3.0)])
    found = fastmlp.fit_evidence(fastmlp.Network([2, 3, 2], rng=0), X100, T)
    low, high = found.predict(NEW, interval=0.95)
    assert (low[:, 0] < high[:, 0]).all()
    assert np.allclose([low[:, 1], high[:, 1]], 3.0, rtol=1e-12)


# ---- classes and counts ----


def test_the_probability_of_a_class_is_a_growing_function_of_its_logit():
    posterior = trained(CLASSES, "logistic")
    low, high = posterior.predict(NEW, interval=0.95)
    a = scipy.special.logit(posterior.network.predict(NEW))
    s = np.sqrt(np.einsum("nknk->nk", posterior.covariance(NEW)))
    assert np.allclose(low, scipy.special.expit(a - NORMAL.ppf(0.975) * s), rtol=1e-9)
    assert np.allclose(high, scipy.special.expit(a + NORMAL.ppf(0.975) * s), rtol=1e-9)


def test_probabilities_of_several_classes_are_those_of_draws():
    posterior = trained(COUNTS.clip(0, 2), "softmax", (2, 3, 3))
    low, high = posterior.predict(NEW, interval=0.8, n_draws=20_000)
    C, net = posterior.covariance(NEW), posterior.network
    a = np.log(net.predict(NEW))  # logits but for a constant
    rng = np.random.default_rng(0)
    for n in range(15):
        z = rng.multivariate_normal(a[n], C[n, :, n], 50_000)
        p = scipy.special.softmax(z, axis=1)
        assert np.allclose([(p < low[n]).mean(axis=0), (p > high[n]).mean(axis=0)], 0.1, atol=0.012)
    assert np.array_equal(posterior.predict(NEW, interval=0.8)[0][3:5], posterior.predict(NEW[3:5], interval=0.8)[0])


@pytest.mark.parametrize("m", [-3.0, 0.0, 2.0, 6.0, 12.0])
@pytest.mark.parametrize("s", [0.0, 0.01, 0.3, 1.0, 4.0])
def test_counts_are_poissons_with_a_log_normal_rate(m, s):
    own = intervals.Poisson(np.full((1, 1), m), np.full((1, 1), s))

    def below(t):
        if s == 0:
            return scipy.stats.poisson.cdf(t, np.exp(m))
        step = np.log(t + 1) - m  # where the integrand falls
        points = np.clip([(step + d / np.sqrt(t + 1)) / s for d in (-8, -2, 0, 2, 8)], -9, 9)
        return scipy.integrate.quad(
            lambda z: scipy.stats.poisson.cdf(t, np.exp(m + s * z)) * NORMAL.pdf(z), -9, 9, points=points, limit=500
        )[0]

    for q in (0.025, 0.5, 0.975):
        t = own.quantile(q)
        assert t == np.floor(t)
        (t,) = t.ravel()
        assert abs(own.below(np.full((1, 1), t))[0, 0] - below(t)) < 1e-5
        assert below(t) >= q - 1e-5
        assert t == 0 or below(t - 1) < q + 1e-5


def test_intervals_of_counts_hold_new_counts():
    posterior = trained(COUNTS, "exp")
    low, high = posterior.predict(NEW, interval=0.9)
    a, s = np.log(posterior.network.predict(NEW)), np.sqrt(np.einsum("nknk->nk", posterior.covariance(NEW)))
    rng = np.random.default_rng(0)
    t = rng.poisson(np.exp(a + s * rng.standard_normal((100_000, 15, 1))))
    assert ((t < low).mean(axis=0) < 0.055).all()
    assert ((t > high).mean(axis=0) < 0.055).all()
    assert ((t <= low).mean(axis=0) > 0.045).all()


# ---- mixtures ----


@pytest.mark.parametrize("output", ["identity", "logistic", "exp", "softmax"])
def test_mixtures_have_quantiles_of_all_members_together(output):
    T = {"identity": SINE, "logistic": CLASSES, "exp": COUNTS, "softmax": COUNTS.clip(0, 2)}[output]
    net = network([2, 2, 3 if output == "softmax" else 1], output=output)
    mixture = fastmlp.fit_evidence(net, X100, T, n_starts=3, rng=0, combine="average", tol=1e-2)
    X = 2 * NEW[:6]
    low, high = mixture.predict(X, interval=0.9)
    each = [member.predict(X, interval=0.9) for member in mixture.members]
    assert (low >= np.min([one for one, _ in each], axis=0)).all()
    assert (high <= np.max([one for _, one in each], axis=0)).all()
    if output == "identity":
        shares = []
        for member in mixture.members:
            mean, variance = member.predict(X)
            freedom = member.degrees_of_freedom
            shares.append([scipy.stats.t.cdf((x - mean) / np.sqrt(variance), freedom) for x in (low, high)])
        assert np.allclose(np.mean(shares, axis=0)[0], 0.05, rtol=1e-10)
        assert np.allclose(np.mean(shares, axis=0)[1], 0.95, rtol=1e-10)


def test_a_mixture_of_one_is_that_one():
    one = trained(SINE)
    alone = fastmlp.Mixture([one, one], ())
    assert np.allclose(alone.predict(NEW, interval=0.95), one.predict(NEW, interval=0.95), rtol=1e-14)


# ---- what is kept, and what is refused ----


def test_degrees_of_freedom_travel(tmp_path):
    one = linear(SINE[:7])
    one.save(tmp_path / "posterior")
    expected = one.predict(NEW, interval=0.95)
    for other in (fastmlp.load(tmp_path / "posterior"), pickle.loads(pickle.dumps(one)), one._without_samples()):
        assert np.array_equal(other.predict(NEW, interval=0.95), expected)
    assert one.updated(X100[7:9], SINE[7:9]).degrees_of_freedom == one.degrees_of_freedom


@pytest.mark.parametrize("interval", [0, 1, -0.5, 95, np.nan, "0.95", True])
def test_levels_are_between_0_and_1(interval):
    with pytest.raises((ValueError, TypeError), match="interval: expected"):
        trained(SINE).predict(NEW, interval=interval)


def test_parts_are_not_intervals():
    posterior = trained(SINE)
    for one in (posterior, fastmlp.Mixture([posterior], ())):
        with pytest.raises(ValueError, match="parts: expected False with an interval"):
            one.predict(NEW, parts=True, interval=0.9)


def test_no_rows_have_no_intervals():
    for T, output in ((SINE, "identity"), (COUNTS, "exp"), (CLASSES, "logistic")):
        low, high = trained(T, output).predict(np.empty((0, 2)), interval=0.9)
        assert low.shape == high.shape == (0, 1)
