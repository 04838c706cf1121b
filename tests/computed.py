"""Whatever is computed for a network, by name: for comparisons of a network with another that is the same function."""

import numpy as np

from cases import data, relative_error
from fastmlp._core.curvature import matrices, tangent_rows
from fastmlp._core.sums import jacobian, predict, products, tangent_products
from fastmlp._core.sums.batch import Batch
from fastmlp._core.sums.tangents import Tangents
from fastmlp.model.functional import check_samples

#: relative errors between a network and its twin
TOLERANCE = {"float64": 1e-12, "float32": 3e-5}


def agree(got, expected, dtype):
    """Whether numbers or arrays by name are the same to rounding."""
    assert got.keys() == expected.keys()
    for name in expected:
        assert relative_error(np.atleast_1d(got[name]), np.atleast_1d(expected[name])) <= TOLERANCE[dtype], name


def values(plan, params, samples, where, n_threads=1):
    """All but matrices, of a plan; derivatives by the parameters at `where`, and in directions along these."""
    X, n = samples.X, len(samples.X)
    batch = Batch(plan, X, *samples.targets[:3], samples.weight, None)
    n_outputs = jacobian.by_inputs(plan, params, X, True, 1).shape[1]
    rng = np.random.default_rng(5)
    seeds, x_direction = (rng.normal(size=(n, width)).astype(params.dtype) for width in (n_outputs, X.shape[1]))
    directions = np.zeros((2, params.size), params.dtype)
    directions[:, where] = rng.normal(size=(2, len(where)))
    vectors = np.zeros((n, n_outputs, params.size), params.dtype)
    vectors[..., where] = rng.normal(size=(n, n_outputs, len(where)))
    Y, losses = np.empty((n, n_outputs), params.dtype), np.empty(n, params.dtype)
    predict.predict(plan, params, X, Y, n_threads)
    loss, gradient = batch.loss_and_grad(params, n_threads)
    result = {
        "outputs": Y,
        "loss": loss,
        "gradient": gradient[where],
        "loss alone": batch.loss(params, n_threads, losses),
    }
    result["losses"] = losses
    result["input hessian"] = jacobian.input_hessian(plan, params, X, n_threads)
    result["input params"] = jacobian.input_params(plan, params, X, n_threads)[..., where]
    for exact in (True, False):
        result[f"products, {exact=}"] = products.curvature_products(batch, params, directions, exact, n_threads)[
            :, where
        ]
    for logits in (False, True):
        result |= {
            f"by inputs, {logits=}": jacobian.by_inputs(plan, params, X, logits, n_threads),
            f"by params, {logits=}": jacobian.by_params(plan, params, X, logits, n_threads)[..., where],
            f"jvp, {logits=}": jacobian.jvp_params(plan, params, X, directions[0], logits, n_threads),
            f"jvp by inputs, {logits=}": jacobian.jvp_inputs(plan, params, X, x_direction, logits, n_threads),
            f"vjp by inputs, {logits=}": jacobian.vjp_inputs(plan, params, X, seeds, logits, n_threads),
            f"vjp, {logits=}": products.vjp(Batch(plan, X, seeds, None, None, None, None), params, logits, n_threads)[
                where
            ],
            f"directed, {logits=}": products.directed(plan, params, X, vectors, logits, n_threads)[where],
        }
    return result


def curvature(plan, params, samples, where, n_threads=1):
    """Matrices and their diagonals, at `where`."""
    batch = Batch(plan, samples.X, *samples.targets[:3], samples.weight, None)
    result = {}
    for kind in ("exact", "ggn", "empirical_fisher"):
        value, gradient, matrix = matrices.normal_equations(batch, params, kind, n_threads)
        diagonal = matrices.diagonal(batch, params, kind, n_threads)
        assert np.array_equal(matrix, matrix.T)
        result |= {f"{kind} value": value, f"{kind} gradient": gradient[where], kind: matrix[np.ix_(where, where)]}
        result[f"{kind} diagonal"] = diagonal[where]
    return result


def directional(plan, params, samples, where, n_threads=1):
    """The term on derivatives in directions of the inputs, of outputs and of logits, at `where`."""
    batch = Batch(plan, samples.X, *samples.targets[:3], samples.weight, None)
    n, K = len(samples.X), jacobian.by_inputs(plan, params, samples.X, True, 1).shape[1]
    rng = np.random.default_rng(6)
    tau, d = rng.normal(size=(2, n, samples.X.shape[1])), rng.normal(size=(2, n, K))
    directions = np.zeros((2, params.size))
    directions[:, where] = rng.normal(size=(2, len(where)))
    directions = directions.astype(params.dtype)
    result = {}
    for logits in (False, True):
        term = Tangents(batch, ((tau.astype(params.dtype), d.astype(params.dtype), 0.7, logits),))
        loss, value, gradient = term.value_and_grad(params, n_threads, True)
        result |= {
            f"loss, {logits=}": loss,
            f"term, {logits=}": value,
            f"value, {logits=}": term.value(params, n_threads, True)[1],
            f"gradient, {logits=}": gradient[where],
            f"rows, {logits=}": tangent_rows.rows(term, params, n_threads)[..., where],
        }
        for exact in (True, False):
            product = tangent_products.products(term, params, directions, exact, n_threads)
            result[f"products, {logits=}, {exact=}"] = product[:, where]
    return result


def weighted(net, n):
    """Samples of weights, some of them 0."""
    X, T = data(net, n)
    weight = np.random.default_rng(2).uniform(0.5, 2, n)
    weight[1::5] = 0
    return check_samples(net._architecture, X, T, weight)
