"""Posteriors where J'J leaves no digits: few samples almost without noise, against fifty digits."""

import mpmath
import numpy as np
import pytest

import fastmlp
from fastmlp.derivatives.definite import Covariance

EXACT = mpmath.mp.clone()
EXACT.dps = 50


def matrix(array):
    return EXACT.matrix(np.asarray(array, float).tolist())


def array(exact):
    return np.array(exact.tolist(), float)


def ridge(design, T, weight, alpha, beta, new):
    """Means and standard deviations at new rows (m, P), for one output."""
    Z, rows = matrix(design), matrix(new)
    weighted = EXACT.diag(weight.tolist()) * Z
    A = beta * (Z.T * weighted) + EXACT.diag(alpha.tolist())
    covariance = A**-1
    mean = rows * (beta * (covariance * (weighted.T * matrix(T))))
    variance = rows * covariance * rows.T
    return array(mean)[:, 0], np.array([float(EXACT.sqrt(variance[i, i])) for i in range(len(new))])


@pytest.mark.parametrize("n_rows", [5, 8, 30])
def test_the_factor_of_rows_has_the_digits_that_that_of_their_product_has_lost(n_rows):
    rng = np.random.default_rng(n_rows)
    rows, C = 1e6 * rng.normal(size=(n_rows, 8)), rng.uniform(1, 10, 8)
    A = matrix(rows).T * matrix(rows) + EXACT.diag(C.tolist())
    covariance = Covariance.of_rows([rows[:3], rows[3:]], C)
    variances = np.diagonal(array(A**-1))
    assert np.abs(covariance.diagonal / variances - 1).max() < 1e-9
    assert covariance.log_det_precision == pytest.approx(float(EXACT.log(EXACT.det(A))), rel=1e-12)
    assert np.abs(covariance.precisions / np.diagonal(array(A)) - 1).max() < 1e-12
    assert np.array_equal(covariance.root, np.triu(covariance.root))
    if n_rows == 5:
        assert np.abs(Covariance(rows.T @ rows, C, helped=True).diagonal / variances - 1).max() > 1e-6


@pytest.mark.parametrize("kind", ["plain", "weights", "sigma", "two outputs"])
@pytest.mark.parametrize("groups", ["layers", "all", "ard"])
@pytest.mark.parametrize(("n_inputs", "n_samples"), [(6, 5), (12, 7), (9, 9)])
@pytest.mark.filterwarnings("ignore:the noise is at its floor")
def test_fewer_samples_than_parameters_are_the_closed_form_without_hidden_layer(n_inputs, n_samples, groups, kind):
    rng = np.random.default_rng([n_inputs, n_samples])
    n_outputs = 2 if kind == "two outputs" else 1
    X = rng.normal(size=(n_samples, n_inputs))
    T = X @ rng.normal(size=(n_inputs, n_outputs)) + 1e-4 * rng.normal(size=(n_samples, n_outputs)) + 1
    weight, options = np.ones(n_samples), {}
    if kind == "weights":
        weight = options["sample_weight"] = rng.uniform(0.5, 1.5, n_samples)
    elif kind == "sigma":
        sigma = rng.uniform(0.5, 1.5, (n_samples, 1))
        options["sigma"], weight = sigma, sigma[:, 0] ** -2
    posterior = fastmlp.fit_evidence(fastmlp.Network([n_inputs, n_outputs], rng=0), X, T, groups, **options)
    inputs, targets = posterior.units.inputs, posterior.units.targets
    new = rng.normal(size=(6, n_inputs))
    design, rows = (np.column_stack([(each - inputs.shift) / inputs.scale, np.ones(len(each))]) for each in (X, new))
    means, epistemic, _ = posterior.predict(new, parts=True)
    own, prior = posterior._posterior, posterior._architecture
    for k in range(n_outputs):
        weights, biases = prior.unravel(own.prior_precision)
        alpha = np.append(weights[0][k], biases[0][k])
        kept, unit = np.isfinite(alpha), targets.scale[k]
        standard = (T[:, [k]] - targets.shift[k]) / unit
        if kind == "sigma":
            weight = (sigma[:, 0] / unit) ** -2
        mean, deviation = ridge(
            design[:, kept],
            standard,
            weight,
            alpha[kept],
            float(np.broadcast_to(own.beta, n_outputs)[k]),
            rows[:, kept],
        )
        assert np.abs((means[:, k] - targets.shift[k]) / unit - mean).max() < 1e-8
        assert np.abs(np.sqrt(epistemic[:, k]) / unit / deviation - 1).max() < 1e-8


@pytest.mark.filterwarnings("ignore:the noise is at its floor")
def test_error_bars_of_hidden_units_have_these_digits_too():
    X = np.linspace(-1, 1, 12)[:, np.newaxis]
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 4, 1], rng=0), X, np.sin(3 * X))
    own = posterior._posterior
    assert posterior.stationary
    assert own.rounding.share > 1e-10
    ((_, _, J),) = own.linearised(own.samples.X, 10**6)
    J = J.reshape(-1, J.shape[-1])
    A = matrix(own.beta * J).T * matrix(J) + EXACT.diag(own.prior.tolist())
    exact = np.diagonal(array(A**-1))
    assert np.abs(own.covariance.diagonal / exact - 1).max() < 1e-7
