"""Posteriors in the user's units: kept in standardised ones, handed out mapped; columns that are constant."""

import numpy as np
import pytest

import fastmlp
from cases import anywhere, network, relative_error
from posterior_cases import X_NEW, C, N, T, U, V, X

DECAY = fastmlp.WeightDecay(0.1, 0.05)


def by_hand():
    """The posterior of data standardised by hand, and the two affine maps."""
    (m, s), (d, c) = (((array.mean(axis=0)), array.std(axis=0)) for array in (X, T))
    return (X - m) / s, (T - d) / c, (X_NEW - m) / s, s, d, c


def both(output="identity", **prior):
    """A posterior of standardised data, and the same in the user's units."""
    S, Z, *_ = by_hand()
    positive = np.column_stack([V[:, 0] > 0, V[:, 0] <= 0]).astype(float)
    targets, raw = (Z, T) if output == "identity" else (positive, positive)
    one, two = (network([3, 4, 2], output=output, loss=None, seed=2) for _ in range(2))
    one.fit(S, targets, "lm", penalty=DECAY, tol=1e-10)
    two.fit(X, raw, "lm", penalty=DECAY, tol=1e-10, standardize=True)
    prior = prior or {"penalty": DECAY}
    return fastmlp.Laplace(one, S, targets, **prior), fastmlp.Laplace(two, X, raw, standardize=True, **prior), two


def test_it_is_the_posterior_of_the_standardised_data():
    (_, _, new, s, d, c), (one, two, net) = by_hand(), both()
    assert two.units == net.units
    assert relative_error(two.noise_precision, one.noise_precision / c**2) < 1e-10
    assert relative_error(two.prior_precision, one.prior_precision) < 1e-10
    assert two.log_evidence == pytest.approx(one.log_evidence - N * np.log(c).sum(), rel=1e-10)
    assert two.log_likelihood == pytest.approx(one.log_likelihood - N * np.log(c).sum(), rel=1e-10)
    assert two.nic == pytest.approx(one.nic + 2 * N * np.log(c).sum(), rel=1e-9)
    assert relative_error(two.gamma, one.gamma) < 1e-9
    assert two.log_distinct_symmetries == pytest.approx(one.log_distinct_symmetries, rel=1e-9)
    (mean, variance), (raw_mean, raw_variance) = one.predict(new), two.predict(X_NEW)
    assert relative_error((raw_mean - d) / c, mean) < 1e-9
    assert relative_error(raw_variance / c**2, variance) < 1e-9
    assert relative_error(two.noise_std / c, one.noise_std) < 1e-10
    parts = two.predict(X_NEW, parts=True)
    assert relative_error(parts.noise, np.tile(two.noise_std**2, (7, 1))) < 1e-12
    joint = two.covariance(X_NEW)
    assert relative_error(joint / c[:, None, None] / c, one.covariance(new)) < 1e-8
    assert relative_error(np.einsum("nknk->nk", joint), parts.epistemic) < 1e-12
    slopes = [posterior.predict_jacobian(x) for posterior, x in ((one, new), (two, X_NEW))]
    ratio = c[:, None] / s
    assert relative_error(slopes[1][0] / ratio, slopes[0][0]) < 1e-9
    assert relative_error(slopes[1][1] / ratio**2, slopes[0][1]) < 1e-8
    targets = np.random.default_rng(1).normal(size=(7, 2))
    densities = one.log_density(new, targets) - two.log_density(X_NEW, d + c * targets)
    assert np.allclose(densities, np.log(c).sum(), rtol=1e-9)


def test_samples_left_out_are_seen_in_the_users_units():
    (_, _, new, _, d, c), (one, two, _) = by_hand(), both()
    here, there = one.leave_one_out(), two.leave_one_out()
    assert relative_error((there.outputs - d) / c, here.outputs) < 1e-8
    assert np.allclose(there.residuals, there.outputs - T, rtol=1e-6, atol=1e-9 * c)
    assert np.allclose(there.losses, 0.5 * (there.residuals**2).sum(axis=1), rtol=1e-12)
    assert relative_error(there.cooks_distance, here.cooks_distance) < 1e-7
    assert relative_error(two.influence(X_NEW) / c, one.influence(new)) < 1e-7
    trained = two.leave_one_out(retrain="all")
    assert relative_error((trained.outputs - d) / c, one.leave_one_out(retrain="all").outputs) < 1e-5


def test_parameters_are_those_of_the_network_in_raw_units():
    """Against differences of the outputs: draws, covariance and influence belong to the raw parameters."""
    _, two, net = both()
    assert relative_error(two.params, net.params) < 1e-9
    assert relative_error(two.network(X_NEW), net(X_NEW)) < 1e-9
    J = net.jacobian(X_NEW, wrt="params")
    covariance = two.params_covariance
    by_params = np.einsum("nkp,pq,nkq->nk", J, covariance, J)
    assert relative_error(by_params, two.predict(X_NEW, parts=True).epistemic) < 1e-6
    assert relative_error(two.params_std**2, np.diag(covariance)) < 1e-12
    draws = two.sample(4000, rng=0)
    assert relative_error(draws.std(axis=0), two.params_std) < 0.1
    change = np.einsum("nkp,mp->mnk", J, two.influence())
    assert relative_error(change / C, two.influence(X_NEW) / C) < 1e-6


@pytest.mark.parametrize("output", ["logistic", "softmax", "exp"])
def test_only_inputs_are_standardised_where_outputs_are_not_linear(output):
    new = by_hand()[2]
    one, two, _ = both(output)
    assert two.units.targets is None
    assert two.noise_precision == 1.0
    assert two.log_evidence == pytest.approx(one.log_evidence, rel=1e-10)
    for here, there in zip(one.predict(new, parts=True), two.predict(X_NEW, parts=True), strict=True):
        assert relative_error(there, here) < 1e-8


@anywhere
def test_units_may_be_given_and_the_noise_is_that_of_the_targets():
    *_, c = by_hand()
    one, _, net = both(prior_precision=0.3, noise_precision=50.0)
    raw = np.asarray(50.0 / c**2)
    S, Z, *_ = by_hand()
    plain = fastmlp.Network([3, 4, 2])
    plain.params = one.params
    given = fastmlp.Laplace(net, X, T, prior_precision=0.3, noise_precision=raw, standardize=net.units)
    assert given.log_evidence == pytest.approx(one.log_evidence - N * np.log(c).sum(), rel=1e-9)
    assert relative_error(given.noise_precision, raw) < 1e-14
    copied = net.copy()
    copied._units = None  # without units of its own: those of the data
    again = fastmlp.Laplace(copied, X, T, prior_precision=0.3, noise_precision=raw, standardize=True)
    assert again.log_evidence == pytest.approx(given.log_evidence, rel=1e-9)
    with pytest.raises(ValueError, match="noise_precision: expected one for each output together with a penalty"):
        fastmlp.Laplace(net, X, T, penalty=DECAY, noise_precision=2.0, standardize=True)
    with pytest.raises(TypeError, match="standardize: expected True, False or units"):
        fastmlp.Laplace(net, X, T, penalty=DECAY, standardize="yes")
    with pytest.raises(
        ValueError, match=r"standardize: expected units of 2 inputs and 1 targets, got those of 3 and 2"
    ):
        fastmlp.Laplace(fastmlp.Network([2, 1]), S[:, :2], Z[:, :1], penalty=DECAY, standardize=net.units)


# ---- constant columns ----

CONSTANTS = np.array([7.3e4, -2e-7, 0.0, 1e9])


@pytest.mark.parametrize("n_constant", [1, 4])
def test_constant_targets_say_nothing_of_the_noise_of_the_others(n_constant):
    """A linear network, whose posterior beside constants is that without them."""
    constants = CONSTANTS[:n_constant]
    many = np.column_stack([np.full((N, n_constant), constants), T[:, 0]])
    alone, beside = fastmlp.Network([3, 1], rng=0), fastmlp.Network([3, 1 + n_constant], rng=0)
    alone.fit(X, T[:, 0], "lm", penalty=DECAY, standardize=True, tol=1e-10)
    beside.fit(X, many, "lm", penalty=DECAY, standardize=True, tol=1e-10)
    one = fastmlp.Laplace(alone, X, T[:, 0], penalty=DECAY, standardize=True)
    two = fastmlp.Laplace(beside, X, many, penalty=DECAY, standardize=True)
    check_beside(one, two, n_constant, constants, 1e-9)
    one = fastmlp.fit_evidence(alone, X, T[:, 0])
    two = fastmlp.fit_evidence(beside, X, many)
    check_beside(one, two, n_constant, constants, 1e-5)
    given = fastmlp.Laplace(beside, X, many, prior_precision=1.0, noise_precision=one.noise_precision, standardize=True)
    expected = fastmlp.Laplace(alone, X, T[:, 0], prior_precision=1.0, noise_precision=one.noise_precision,
                               standardize=True)  # fmt: skip
    assert given.log_evidence == pytest.approx(expected.log_evidence, rel=1e-6)


def check_beside(one, two, n_constant, constants, tolerance):
    assert np.isinf(two.noise_precision[:n_constant]).all()
    assert two.noise_precision[n_constant] == pytest.approx(one.noise_precision, rel=tolerance)
    assert two.log_evidence == pytest.approx(one.log_evidence, rel=tolerance)
    assert two.effective_n_params == pytest.approx(one.effective_n_params, rel=tolerance)
    (mean, variance), (expected, own) = two.predict(X_NEW), one.predict(X_NEW)
    assert relative_error(mean[:, n_constant:], expected) < tolerance
    assert relative_error(variance[:, n_constant:], own) < tolerance
    assert (mean[:, :n_constant] == constants).all()
    assert (variance[:, :n_constant] == 0).all()
    new = np.column_stack([np.full((7, n_constant), constants), expected + 1.0])
    assert relative_error(two.log_density(X_NEW, new), one.log_density(X_NEW, new[:, n_constant])) < tolerance
    left, without = two.leave_one_out(), one.leave_one_out()
    assert relative_error(left.outputs[:, n_constant:], without.outputs) < tolerance
    assert relative_error(left.losses, without.losses) < 10 * tolerance


def test_constants_only_do_not_determine_the_noise():
    net = fastmlp.Network([3, 2, 2], rng=0)
    with pytest.raises(ValueError, match=r"^noise_precision: expected a number, .*: T is constant$"):
        fastmlp.Laplace(net, X, np.full((N, 2), 3.0), prior_precision=1.0, standardize=True)
    with pytest.raises(ValueError, match=r"^T: expected targets with noise, got constant ones"):
        fastmlp.fit_evidence(net, X, np.full((N, 2), 3.0))


def test_what_was_constant_need_not_stay_so():
    """Units of data in which a target was constant, and other data, in which it is not."""
    net = fastmlp.Network([3, 2], rng=0)
    net.fit(X, np.column_stack([T[:, 0], np.ones(N)]), "lm", penalty=DECAY, standardize=True)
    own, varied = net.units, np.column_stack([T[:, 0], V[:, 1]])
    net.fit(X, varied, "lm", penalty=DECAY, standardize=own, tol=1e-10)
    posterior = fastmlp.Laplace(net, X, varied, penalty=DECAY, standardize=own)
    assert np.isfinite(posterior.noise_precision).all()
    assert (posterior.predict(X_NEW)[1] > 0).all()


def test_several_outputs_without_noise_are_told_their_floors():
    smooth = U @ [[1.0, 2e5], [0.5, 0.0], [0.0, -1e5]]
    with pytest.warns(fastmlp.ConvergenceWarning, match=r"a standard deviation of [\d.e-]+, [\d.e+-]+, a millionth"):
        fastmlp.fit_evidence(fastmlp.Network([3, 2], rng=0), U, smooth)


# ---- what is said ----


def test_a_network_that_knows_its_units_is_asked_for_them():
    net = fastmlp.Network([3, 2, 2], rng=0)
    net.fit(X, T, "lm", penalty=DECAY, standardize=True)
    with pytest.warns(fastmlp.PosteriorWarning, match="; the network was trained in standardised units: standardize="):
        fastmlp.Laplace(net, X, T, prior_precision=1.0)
    with pytest.raises(ValueError, match=r"adds up to 1 for 60 .*; the network was trained in standardised units"):
        fastmlp.Laplace(net, X, T, penalty=DECAY, sample_weight=np.full(N, 1 / N))
    for asked in (fastmlp.saliencies, fastmlp.importances):
        with pytest.warns(fastmlp.PosteriorWarning, match="; the network was trained in standardised units: standardi"):
            asked(net, X, T, penalty=DECAY)
        asked(net, X, T, penalty=DECAY, standardize=True)


def test_numbers_of_a_posterior_with_a_constant_target_can_be_given_again():
    targets = np.c_[V[:, 0], np.full(N, 5.0)]
    posterior = fastmlp.fit_evidence(fastmlp.Network([3, 3, 2], rng=0), X, targets)
    again = fastmlp.Laplace(
        posterior.network, X, targets, prior_precision=posterior.prior_precision,
        noise_precision=posterior.noise_precision, standardize=posterior.units,
    )  # fmt: skip
    assert np.allclose(again.predict(X_NEW)[1], posterior.predict(X_NEW)[1], rtol=1e-6)


def test_return_std_with_a_constant_target_is_silent():
    targets = np.c_[V[:, 0], np.full(N, 5.0)]
    model = fastmlp.MLPRegressor(
        hidden_layer_sizes=(3,), activation="tanh", solver="lm", alpha=0.1, standardize=True, random_state=0
    )
    _, std = model.fit(X, targets).predict(X_NEW, return_std=True)
    assert np.all(std[:, 0] > 0)
    assert not std[:, 1].any()
