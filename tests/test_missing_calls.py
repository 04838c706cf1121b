"""Targets that are missing among new samples, and where many networks are trained."""

import numpy as np
import pytest
import scipy.stats

import cases
import fastmlp

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning", "ignore::fastmlp.ConvergenceWarning")

RNG = np.random.default_rng(3)
N, D, K = 40, 3, 3
X = RNG.normal(size=(N, D))
T = X @ RNG.normal(size=(D, K)) + [0.0, 0.3, -2.0] + RNG.normal(size=(N, K)) * [0.1, 0.5, 1.0]
GAPS = RNG.random((N, K)) < 0.3
GAPS[7] = True
HOLED = np.where(GAPS, np.nan, T)
A = np.column_stack([X, np.ones(N)])
NEW = RNG.normal(size=(6, D))
ALPHA = 0.7


def net_of(layers=(D, 4, K), seed=0):
    return cases.network(list(layers), seed=seed)


def exactly(targets, beta):
    """Mean and variance at NEW of an output with these targets, of a linear network with the prior ALPHA."""
    rows = np.flatnonzero(~np.isnan(targets))
    C = np.linalg.inv(beta * A[rows].T @ A[rows] + ALPHA * np.eye(D + 1))
    design = np.column_stack([NEW, np.ones(len(NEW))])
    return design @ C @ A[rows].T @ targets[rows] * beta, np.einsum("ni,ij,nj->n", design, C, design)


def test_an_update_knows_what_is_there_be_it_nothing_of_an_output():
    beta, first, last = 0.3, np.arange(25), np.arange(25, N)
    holed = HOLED.copy()
    holed[last, 1] = np.nan
    net = fastmlp.Network([D, K], rng=0)
    objective = net.objective(
        X[first], holed[first], penalty=fastmlp.WeightDecay(ALPHA, ALPHA), noise_precision=beta, missing="ignore"
    )
    net.params = objective.x0 - np.linalg.solve(objective.hess(objective.x0), objective.grad(objective.x0))
    known = {"prior_precision": ALPHA, "noise_precision": beta, "missing": "ignore"}
    old = fastmlp.Laplace(net, X[first], holed[first], **known)
    new = old.updated(X[last], holed[last], missing="ignore")
    mean, variance = new.predict(NEW, noise_std=0.0)
    for k in range(K):
        expected = exactly(holed[:, k], beta)
        assert np.allclose(mean[:, k], expected[0], rtol=1e-9, atol=1e-9)
        assert np.allclose(variance[:, k], expected[1], rtol=1e-9)
    with pytest.raises(ValueError, match="T: expected finite numbers, got nan"):
        old.updated(X[last], holed[last])
    with pytest.raises(ValueError, match="sample_weight: expected at least one positive number"):
        old.updated(X[last], np.full((len(last), K), np.nan), missing="ignore")


@pytest.mark.parametrize("combine", ["best", "average"])
def test_densities_are_of_the_targets_that_are_there(combine):
    posterior = fastmlp.fit_evidence(
        net_of((D, 2, K)), X, HOLED, missing="ignore", n_starts=2, rng=0, combine=combine, max_iter=20
    )
    members = posterior.members if combine == "average" else [posterior]
    each = []
    for member in members:
        mean, variance = member.predict(X)
        each.append(np.nansum(scipy.stats.norm(mean, np.sqrt(variance)).logpdf(HOLED), axis=1))
    got = posterior.log_density(X, HOLED, missing="ignore")
    assert np.allclose(got, np.logaddexp.reduce(each) - np.log(len(each)), rtol=1e-10, atol=1e-12)
    assert np.allclose(got[GAPS.all(axis=1)], 0, atol=1e-15)
    nothing = posterior.log_density(X, np.full((N, K), np.nan), missing="ignore")
    assert np.allclose(nothing, 0, atol=1e-15)
    with pytest.raises(ValueError, match="T: expected finite numbers, got nan"):
        posterior.log_density(X, HOLED)


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg"])
@pytest.mark.parametrize("standardize", [False, True], ids=["raw", "standardised"])
def test_many_networks_are_trained_as_each_by_itself(method, standardize):
    options = {"missing": "ignore", "standardize": standardize, "max_iter": 15}
    some = [net_of(seed=seed) for seed in range(3)]
    alone = [net.copy() for net in some]
    results = fastmlp.fit_many(some, X, HOLED, method, validation=(X[:9], HOLED[:9]), **options)
    for net, other, result in zip(some, alone, results, strict=True):
        own = other.fit(X, HOLED, method, **options)
        assert np.allclose(net.params, other.params, rtol=1e-9, atol=1e-12)
        assert result.fun == pytest.approx(own.fun, rel=1e-9)
        loss = 0.5 * np.nansum((net.predict(X[:9]) - HOLED[:9]) ** 2) / (~GAPS[:9].all(axis=1)).sum()
        assert result.validation_loss == pytest.approx(loss, rel=1e-9)


def test_a_sweep_holds_back_what_is_there():
    result = fastmlp.sweep(X, HOLED, (1, 2), 2, folds=4, missing="ignore", rng=0, max_iter=30)
    assert all(0 < run.validation_loss < 100 for run in result.runs)
    pair = fastmlp.sweep(X[:30], HOLED[:30], (2,), 2, (X[30:], HOLED[30:]), missing="ignore", rng=0, max_iter=30)
    run = pair.best_run
    counted = (~GAPS[30:].all(axis=1)).sum()
    loss = 0.5 * np.nansum((run.network.predict(X[30:]) - HOLED[30:]) ** 2) / counted
    assert run.validation_loss == pytest.approx(loss, rel=1e-12)
    with pytest.raises(ValueError, match="T: expected finite numbers, got nan"):
        fastmlp.sweep(X, HOLED, (1,), 1, 0.5)
    labels = np.where(GAPS[:, 0], np.nan, 1.0)
    with pytest.raises(ValueError, match="missing: expected 'raise' for cross_entropy"):
        fastmlp.sweep(X, labels, (1,), 1, 0.5, output="softmax", missing="ignore")


def test_what_is_pruned_without_a_posterior_wants_all_targets():
    for call in (fastmlp.prune, fastmlp.saliencies, fastmlp.refit):
        with pytest.raises(ValueError, match=r"T: expected finite numbers, got nan at index .*; missing='ignore'"):
            call(net_of(), X, HOLED)


def test_outputs_whose_targets_have_no_weight_cannot_be_learnt():
    weight = np.where(GAPS[:, 2], 1.0, 0.0)
    calls = (
        lambda **options: net_of().fit(X, HOLED, **options),
        lambda **options: net_of().objective(X, HOLED, **options),
        lambda **options: fastmlp.fit_evidence(net_of(), X, HOLED, **options),
        lambda **options: fastmlp.Laplace(net_of(), X, HOLED, prior_precision=1.0, **options),
        lambda **options: fastmlp.fit_many([net_of()], X, HOLED, **options),
    )
    for call in calls:
        with pytest.raises(ValueError, match="got none that has a weight in column 2"):
            call(missing="ignore", sample_weight=weight)
