"""Samples on a grid until the precisions are near: the same bits in all units, and an end that knows nothing of it."""

import warnings

import numpy as np
import pytest

import fastmlp
from fastmlp.bayes.frame import framed
from fastmlp.bayes.quantized import BITS, quantized
from fastmlp.model import functional, units
from posterior_cases import CLASSES, SINE, X100, seam

EPS = np.finfo(float).eps


def standardised(net, X, T, **options):
    architecture = net._architecture
    samples = functional.check_samples(architecture, X, T, **options)
    return framed(architecture, units.chosen(True, None, architecture, samples), samples, None)


def few():
    """Few samples, with which all starts come to saddles."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(25, 3))
    return X, np.sin(X[:, :1]) + X[:, 1:2] + 0.1 * rng.normal(size=(25, 1))


def moved(X, T, seed, offset):
    """Both in other units, inputs so many deviations from zero: X, T, their scales, and the targets' shift."""
    rng = np.random.default_rng([seed, 9])
    if offset:
        return X + offset * X.std(axis=0) * rng.choice([-1, 1], X.shape[1]), T, 1.0
    c = 10.0 ** rng.uniform(-8, 8, T.shape[1])
    return X * 10.0 ** rng.uniform(-8, 8, X.shape[1]), c * T, c


@pytest.mark.parametrize("offset", [0, 1e4, 1e6, 1e7])
def test_samples_on_the_grid_are_the_same_bits_in_other_units(offset):
    net = fastmlp.Network([2, 3, 1])
    frame, samples = standardised(net, X100, SINE)
    A, B, _ = moved(X100, SINE[:, np.newaxis], 1, offset)
    others = standardised(net, A, B)
    on_grid = quantized(frame, samples)
    there = quantized(*others)
    assert not np.array_equal(samples.X, others[1].X)
    assert np.array_equal(on_grid.X, there.X)
    assert np.array_equal(on_grid.targets.values, there.targets.values)
    for own, exact in ((on_grid.X, samples.X), (on_grid.targets.values, samples.targets.values)):
        assert np.array_equal(own * 2.0**BITS, np.rint(own * 2.0**BITS))
        assert 0 < np.abs(own - exact).max() <= 2.0 ** -(BITS + 1)


def test_what_has_no_units_is_left_as_it_is():
    classifier = fastmlp.Network([2, 3, 1], output="logistic")
    frame, samples = standardised(classifier, X100, CLASSES, sample_weight=np.linspace(0, 1, 100))
    on_grid = quantized(frame, samples)
    assert on_grid.targets is samples.targets
    assert on_grid.weight is samples.weight
    sigma = np.linspace(0.1, 0.3, 100)
    frame, samples = standardised(fastmlp.Network([2, 3, 1]), X100, SINE, sigma=sigma)
    precision = quantized(frame, samples).targets.precision
    assert 0 < np.abs(precision / samples.targets.precision - 1).max() <= 2.0**-BITS
    assert quantized(*standardised(fastmlp.Network([2, 1]), X100, SINE)) is None
    assert quantized(frame._replace(units=None), samples) is None


@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
@pytest.mark.parametrize("offset", [0, 1e6, 1e7])
def test_other_units_and_offsets_lead_to_the_same_posterior(groups, offset):
    """With 8 hidden units, where rounding has led a tenth of these searches elsewhere."""
    X, T = few()
    for seed in range(4):
        A, B, c = moved(X, T, seed, offset)
        nets = [fastmlp.Network([3, 8, 1], rng=seed) for _ in range(2)]
        one = fastmlp.fit_evidence(nets[0], X, T, groups, n_threads=1)
        two = fastmlp.fit_evidence(nets[1], A, B, groups, n_threads=1)
        on_grid = seam(one.history)
        assert np.array_equal(one.history["prior_precision"][:on_grid], two.history["prior_precision"][:on_grid])
        assert one.pruned == two.pruned
        (mean, variance), (other, other_variance) = one.predict(X), two.predict(A)
        bound = 1e3 * EPS * offset if offset else 1e-4
        assert np.abs(other / c - mean).max() <= bound * T.std()
        assert np.abs(np.sqrt(other_variance) / c - np.sqrt(variance)).max() <= bound * T.std()
        assert two.log_evidence + len(X) * np.log(c).sum() - one.log_evidence == pytest.approx(0, abs=1e-4)


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")
@pytest.mark.parametrize("n_starts", [1, 3])
def test_networks_that_a_fit_has_begun_in_other_units_take_the_same_path_on_the_grid(n_starts):
    """Their parameters differ by rounding, at which a search on the grid is not to look."""
    X, T = few()
    for seed in range(4):
        A, B, _ = moved(X, T, seed, 0)
        found, begun = [], []
        for inputs, targets in ((X, T), (A, B)):
            net = fastmlp.Network([3, 8, 1], rng=seed)
            net.fit(inputs, targets, standardize=True, max_iter=5)
            begun.append(net.units.unfolded(net._architecture, net.params))
            found.append(fastmlp.fit_evidence(net, inputs, targets, n_starts=n_starts, rng=0, n_threads=1))
        assert 0 < np.abs(begun[0] - begun[1]).max() < 1e-9
        one, two = (posterior.history["prior_precision"] for posterior in found)
        on_grid = seam(found[0].history)
        assert np.array_equal(one[:on_grid], two[:on_grid])


def posteriors():
    """Of searches to the end, left to others, and cut short."""
    X, T = few()
    yield fastmlp.fit_evidence(fastmlp.Network([3, 4, 1], rng=0), X, T)
    yield fastmlp.fit_evidence(fastmlp.Network([3, 4, 1], rng=0), X, T, "ard", "fixed_point")
    yield from (
        start.posterior for start in fastmlp.fit_evidence(fastmlp.Network([3, 4, 1]), X, T, n_starts=3, rng=0).starts
    )
    yield fastmlp.fit_evidence(fastmlp.Network([3, 4, 1], rng=0), X, T, max_iter=0)
    yield fastmlp.fit_evidence(fastmlp.Network([3, 4, 1], rng=0), X, T, max_iter=3)
    yield fastmlp.fit_evidence(fastmlp.Network([3, 4, 1], rng=0), X, T, time_limit=0)
    yield fastmlp.fit_evidence(fastmlp.Network([3, 4, 1], rng=0), X, T, callback=lambda state: state.nit == 2)


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning", "ignore:posterior. the network is")
def test_every_posterior_is_that_of_the_samples_as_they_are():
    X, T = few()
    for posterior in posteriors():
        laplace = fastmlp.Laplace(
            posterior.network, X, T, prior_precision=posterior.prior_precision,
            noise_precision=posterior.noise_precision, standardize=True,
        )  # fmt: skip
        assert posterior.log_evidence == pytest.approx(laplace.log_evidence, abs=1e-6)
        assert np.allclose(posterior.predict(X), laplace.predict(X), rtol=1e-6)
        if posterior.converged:
            assert posterior.distance < 1e-6


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")
def test_more_inputs_than_samples_too():
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(30, 2))
    X = Z @ rng.normal(size=(2, 200)) + 0.1 * rng.normal(size=(30, 200))
    T = np.tanh(Z[:, :1]) + 0.1 * rng.normal(size=(30, 1))
    one = fastmlp.fit_evidence(fastmlp.Network([200, 2, 1], rng=1), X, T)
    two = fastmlp.fit_evidence(fastmlp.Network([200, 2, 1], rng=1), 1e5 * X - 3e8, T)
    assert one.converged
    assert np.array_equal(one._posterior.samples.X, one.units.inputs.standardized(X))
    assert two.log_evidence == pytest.approx(one.log_evidence, abs=1e-4)


def test_a_search_without_noise_does_not_stop_at_the_grid():
    """Whose errors would be noise of 3e-4 deviations."""
    x = np.linspace(-1, 1, 40)[:, np.newaxis]
    with pytest.warns(fastmlp.ConvergenceWarning, match="floor"):
        posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1, 1], rng=0), x, np.tanh(2 * x))
    assert posterior.noise_at_floor
    assert np.abs(posterior.predict(x)[0] - np.tanh(2 * x)).max() < 1e-5


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(4))
def test_a_function_without_noise_is_found_beyond_the_grid(seed):
    """On the grid it ended within 1e-4 to 3e-5 of it, where errors of the grid look like noise."""
    x = np.linspace(-1, 1, 60)[:, np.newaxis]
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 4, 1], rng=seed), x, np.sin(3 * x))
    assert np.abs(posterior.predict(x)[0] - np.sin(3 * x)).max() < 1e-5


def test_errors_that_are_told_to_be_small_leave_no_grid():
    """Not even at the start: of 3e-4 deviations they would be a chi-squared of thousands."""
    seen = []
    X, T = few()
    sigma = np.full(len(X), 1e-4 * T.std())

    def watch(state):
        seen.append(state.posterior._posterior.samples.X)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        posterior = fastmlp.fit_evidence(
            fastmlp.Network([3, 4, 1], rng=0), X, T, sigma=sigma, absolute_sigma=True, max_iter=3, callback=watch
        )
    assert len(seen) > 1
    assert all(np.array_equal(each, posterior.units.inputs.standardized(X)) for each in seen)


def test_exceptions_hand_over_posteriors_of_the_samples_as_they_are():
    X, T = few()

    def broken(state):
        if state.start == 1 and state.nit == 1:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError) as caught:
        fastmlp.fit_evidence(fastmlp.Network([3, 4, 1]), X, T, n_starts=3, rng=0, n_threads=1, combine="average",
                             callback=broken)  # fmt: skip
    (start, *_) = caught.value.partial
    assert np.array_equal(start.posterior._posterior.samples.X, start.posterior.units.inputs.standardized(X))
