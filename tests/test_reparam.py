"""Fixed and shared weights: the objective of the free parameters, and every solver with them."""

import pickle

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from cases import MINIBATCH, PAIRS, RESUMABLE, WITH_GRADIENT, but, data, network, relative_error
from fastmlp import WeightDecay
from fastmlp.terms import reparam

NET = network([3, 4, 2])
FIXED, TIED = ["W1[:,1]", "b2"], [["W1[0,0]", "W1[1,0]"], [14, 12], {"W2[0,0]": 2.0, "W2[1,3]": -0.5}]
DECAY = WeightDecay(0.3, biases=0.1)


def map_by_hand():
    """The matrix J and the offset o of w = o + J v, from what FIXED and TIED say; W1 is 0-11, b1 12-15, W2 16-23."""
    J, o = np.eye(26), np.zeros(26)
    J[3, 0], J[12, 14], J[12, 12], J[14, 14] = 1, 1, 0, 1
    J[16, 16], J[23, 16] = 2.0, -0.5
    fixed = [1, 4, 7, 10, 24, 25]
    J[fixed] = 0
    o[fixed] = NET.params[fixed]
    return J[:, [i for i in range(26) if i not in (*fixed, 3, 12, 23)]], o


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_values_and_derivatives_follow_the_chain_rule(output, loss):
    net = network([3, 4, 2], output=output, loss=loss)
    net.params = NET.params
    X, T = data(net, 30)
    full = net.objective(X, T, penalty=DECAY, noise_precision=2.0)
    seen = net.objective(X, T, penalty=DECAY, noise_precision=2.0, fixed=FIXED, tied=TIED)
    J, o = map_by_hand()
    v = np.random.default_rng(0).normal(size=J.shape[1])
    w, directions = o + J @ v, np.random.default_rng(1).normal(size=(v.size, 3))
    assert np.array_equal(seen.expand(v), w)
    assert seen.value(v) == pytest.approx(full.value(w), rel=1e-14)
    assert relative_error(seen.grad(v), J.T @ full.grad(w)) < 1e-13
    assert relative_error(seen.hess(v), J.T @ full.hess(w) @ J) < 1e-13
    assert relative_error(seen.ggn(v), J.T @ full.ggn(w) @ J) < 1e-13
    assert relative_error(seen.hessp(v, directions), J.T @ full.hess(w) @ J @ directions) < 1e-12
    assert relative_error(seen.ggnp(v, directions[:, 0]), J.T @ full.ggn(w) @ J @ directions[:, 0]) < 1e-12
    assert np.array_equal(seen.hess(v), seen.hess(v).T)
    value, gradient, matrix = seen.normal_equations(v)
    assert value == pytest.approx(seen.value(v), rel=1e-14)
    assert relative_error(gradient, seen.grad(v)) < 1e-13
    assert relative_error(matrix, seen.ggn(v)) < 1e-13


def test_residuals_make_up_the_value_and_their_jacobian_the_gradient():
    X, T = data(NET, 30)
    seen = NET.objective(X, T, penalty=DECAY, fixed=FIXED, tied=TIED)
    v = seen.x0 + 0.1
    r, J = seen.residuals(v), seen.residual_jac(v)
    assert 0.5 * r @ r == pytest.approx(seen.value(v), rel=1e-14)
    assert relative_error(J.T @ r, seen.grad(v)) < 1e-13
    assert relative_error(J.T @ J, seen.ggn(v)) < 1e-13
    best = scipy.optimize.least_squares(seen.residuals, v, jac=seen.residual_jac, method="lm", ftol=1e-15, xtol=1e-15)
    assert np.abs(seen.grad(best.x)).max() < 1e-6


def test_the_start_is_the_value_of_the_first_of_a_set():
    seen = NET.objective(*data(NET, 5), fixed=FIXED, tied=TIED)
    w, p = seen.expand(seen.x0), NET.params
    assert (w[0], w[3]) == (p[0], p[0])
    assert (w[12], w[14]) == (p[14], p[14])
    assert (w[16], w[23]) == pytest.approx((p[16], -0.25 * p[16]))
    free = [i for i in range(26) if i not in (3, 12, 23)]
    assert np.allclose(w[free], p[free], rtol=1e-15)
    assert np.array_equal(seen.reduce(w), seen.x0)


@pytest.mark.parametrize(
    "fixed",
    ["b1", ["b1"], slice(12, 16), range(12, 16), [12, 13, 14, 15], ("b1", 13), np.isin(np.arange(26), range(12, 16))],
)
def test_names_indices_and_masks_say_the_same(fixed):
    fixed = list(range(26))[fixed] if isinstance(fixed, slice) else fixed
    seen = NET.objective(*data(NET, 5), fixed=fixed)
    assert np.array_equal(seen.x0, np.delete(NET.params, [12, 13, 14, 15]))


def test_nothing_fixed_is_the_plain_objective():
    for none in ({"fixed": []}, {"tied": []}, {"fixed": np.zeros(26, bool), "tied": [[3]]}):
        assert NET.objective(*data(NET, 5), **none).free is None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"fixed": "W3"}, ValueError, "fixed: expected a group among W1, b1, W2, b2, got 'W3'"),
        ({"fixed": ["b1", "W1[:,3]"]}, ValueError, "fixed: expected ':' or an index below 3"),
        ({"fixed": [26]}, ValueError, "fixed: expected indices from 0 to 25"),
        ({"fixed": [-1]}, ValueError, "fixed: expected indices from 0 to 25"),
        (
            {"fixed": np.ones(25, bool)},
            TypeError,
            r"fixed: expected names of groups, indices or a boolean mask \(26,\)",
        ),
        ({"fixed": 0.5}, TypeError, "fixed: expected names of groups"),
        ({"fixed": np.ones(26, bool)}, ValueError, "fixed: expected at least one parameter that is not"),
        ({"tied": "W1"}, TypeError, "tied: expected a sequence of ties"),
        ({"tied": {"W1": 1.0}}, TypeError, "tied: expected a sequence of ties"),
        ({"tied": ["W1", ["b1", 3]]}, ValueError, "tied: expected each parameter in one tie"),
        ({"tied": [[3, 3]]}, ValueError, "tied: expected each parameter in one tie"),
        ({"tied": [[]]}, ValueError, "tied: expected parameters with coefficients"),
        ({"tied": [{"W1": 0.0}]}, ValueError, "tied: expected parameters with coefficients other than 0"),
        ({"tied": [{"W1": np.nan}]}, ValueError, "tied"),
        ({"tied": [{"W1": "1"}]}, TypeError, "tied"),
        ({"fixed": "b1", "tied": [["b1", 0]]}, ValueError, "fixed, tied: expected a parameter in one of them"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, error, message):
    X, T = data(NET, 5)
    with pytest.raises(error, match=message):
        NET.objective(X, T, **arguments)
    with pytest.raises(error, match=message):
        NET.copy().fit(X, T, **arguments)


def test_free_parameters_of_another_shape_are_refused():
    seen = NET.objective(*data(NET, 5), fixed="b1")
    with pytest.raises(ValueError, match=r"p: expected shape \(22,\), got \(26,\)"):
        seen.value(NET.params)
    with pytest.raises(ValueError, match=r"v: expected shape \(22,\)"):
        seen.hessp(seen.x0, NET.params)
    with pytest.raises(TypeError, match="v: expected real numbers"):
        seen.hessp(seen.x0, 1j * seen.x0)


@pytest.mark.parametrize(
    "options",
    [{"fixed": ["b1"]}, {"tied": [["W1[:,0]", "W1[:,1]"], {"b1": -2.0}], "fixed": ["W2"]}, {"tied": [{"b2": 0.5}]}, {}],
)
def test_maps_are_products_with_the_matrix_of_their_derivatives(options):
    """Matrices, rows of Jacobians and changes, against J written out."""
    net = network([3, 4, 2])
    free = reparam.make(net._architecture, net.params, options.get("fixed"), options.get("tied"))
    free = free or reparam.Whole(net.n_params)
    J = np.zeros((net.n_params, free.n))
    depends = np.flatnonzero(free.index >= 0)
    J[depends, free.index[depends]] = free.coefficient[depends]
    rng = np.random.default_rng(0)
    v, rows, changes = rng.normal(size=free.n), rng.normal(size=(2, 3, net.n_params)), rng.normal(size=(2, 3, free.n))
    B = rows.reshape(6, -1).T @ rows.reshape(6, -1)
    w = free.expand(v)
    assert relative_error(w, free.offset + J @ v) < 1e-15
    assert relative_error(free.reduce(w), v) < 1e-15
    assert relative_error(free.push(changes[0].T), J @ changes[0].T) < 1e-15
    assert relative_error(free.pull(rows[0].T), J.T @ rows[0].T) < 1e-14
    assert relative_error(free.project(B), J.T @ B @ J) < 1e-14
    assert np.array_equal(free.project(B), free.project(B).T)
    used = np.arange(len(B)) if free.used is None else free.used
    assert np.array_equal(free.project_used(B[np.ix_(used, used)]), free.project(B))
    assert relative_error(free.restrict(rows), rows @ J) < 1e-14
    assert relative_error(free.spread(changes), changes @ J.T) < 1e-15
    assert free.restrict(rows[:, :0]).shape == (2, 0, free.n)
    assert free.spread(changes[:, :0]).shape == (2, 0, net.n_params)
    assert free.at_first(v)[free.first].tolist() == v.tolist()
    assert free.at_first(v).sum() == pytest.approx(v.sum())
    assert repr(free) == f"{type(free).__name__}({free.n} of {net.n_params})"


def test_parameters_may_be_held_by_a_mask_all_of_them_too():
    net = network([3, 4, 2])
    assert reparam.holding(net.params, np.zeros(net.n_params, bool)) is None
    everything = reparam.holding(net.params, np.ones(net.n_params, bool))
    assert everything.n == 0
    assert np.array_equal(everything.expand(np.zeros(0)), net.params)
    held = np.arange(net.n_params) % 3 == 0
    some, named = reparam.holding(net.params, held), reparam.make(net._architecture, net.params, held, None)
    assert some.same_as(named)
    assert np.array_equal(some.first, named.first)


def test_it_can_be_sent_to_another_process():
    seen = NET.objective(*data(NET, 20), fixed=FIXED, tied=TIED, penalty=DECAY)
    other = pickle.loads(pickle.dumps(seen))
    assert np.array_equal(other.grad(seen.x0), seen.grad(seen.x0))


# ---- solvers ----


def options(solver):
    return {"rng": 0, "batch_size": 7, "learning_rate": 0.05} if solver in MINIBATCH else {}


@pytest.mark.parametrize("solver", WITH_GRADIENT)
def test_every_solver_holds_what_is_fixed_and_keeps_ties(solver, dtype):
    net = network([3, 4, 2], dtype=dtype)
    X, T = data(net, 30)
    before = net.params
    res = net.fit(X, T, solver, penalty=DECAY, fixed=FIXED, tied=TIED, max_iter=15, **options(solver))
    W1, b1, b2 = net.weights[0], *net.biases
    assert res.x.shape == (26,)
    assert np.array_equal(res.x, net.params)
    assert np.array_equal(W1[:, 1], before[1:12:3])
    assert np.array_equal(b2, before[24:])
    assert W1[0, 0] == W1[1, 0] != before[0]
    assert b1[0] == b1[2]
    assert net.weights[1][1, 3] == pytest.approx(-0.25 * net.weights[1][0, 0], rel=1e-6)
    objective = net.objective(X, T, penalty=DECAY)
    assert res.fun == pytest.approx(objective.value(net.params), rel=1e-6)
    assert res.history["loss"][-1] < res.history["loss"][0]
    if solver not in MINIBATCH:
        assert res.history["loss"][-1] == pytest.approx(res.fun, rel=1e-6)


@pytest.mark.parametrize("solver", but(WITH_GRADIENT, "tnc"))  # whose differences of gradients show their rounding
def test_a_shared_column_is_a_network_of_the_sum_of_its_inputs(solver):
    """With w_j1 = w_j2 units see w_j (x_1 + x_2): step by step the training of the smaller network."""
    small, large = network([1, 3, 1]), network([2, 3, 1])
    X = np.random.default_rng(0).normal(size=(25, 2))
    T = np.sin(X.sum(axis=1))
    large.weights[0][...] = small.weights[0]
    large.params = np.concatenate([large.weights[0].ravel(), small.params[3:]])
    steps = {"max_iter": 4, **options(solver)}
    columns = [[f"W1[{j},0]", f"W1[{j},1]"] for j in range(3)]
    one = small.fit(X.sum(axis=1, keepdims=True), T, solver, penalty=WeightDecay([0.2, 0.1], 0.1), **steps)
    two = large.fit(X, T, solver, penalty=WeightDecay([0.1, 0.1], 0.1), tied=columns, **steps)
    assert np.allclose(two.history["loss"], one.history["loss"], rtol=1e-9)
    assert np.allclose(two.history["train_loss"], one.history["train_loss"], rtol=1e-9)
    assert np.allclose(large(X), small(X.sum(axis=1, keepdims=True)), rtol=1e-9)


@pytest.mark.parametrize("solver", WITH_GRADIENT)
def test_an_input_with_weights_fixed_at_zero_is_not_there(solver):
    small, large = network([1, 3, 1]), network([2, 3, 1])
    X, T = data(large, 25)
    large.params = np.concatenate([np.column_stack([small.weights[0], np.zeros(3)]).ravel(), small.params[3:]])
    steps = {"max_iter": 4, "penalty": DECAY, **options(solver)}
    one = small.fit(X[:, :1], T, solver, **steps)
    two = large.fit(X, T, solver, fixed="W1[:,1]", **steps)
    assert np.allclose(two.history["loss"], one.history["loss"], rtol=1e-9)
    assert np.allclose(large(X), small(X[:, :1]), rtol=1e-9)


def test_lm_without_matrices_takes_the_free_parameters_too(monkeypatch):
    monkeypatch.setattr("fastmlp.optimize.lm.MOST_PARAMS", 10)
    net = network([3, 4, 2])
    X, T = data(net, 30)
    res = net.fit(X, T, "lm", penalty=DECAY, fixed=FIXED, tied=TIED)
    seen = net.objective(X, T, penalty=DECAY, fixed=FIXED, tied=TIED)
    assert res.success
    assert np.abs(seen.grad(seen.x0)).max() <= 1e-6


def test_a_linear_network_with_a_known_coefficient_is_a_regression_of_the_rest():
    net = network([3, 1])
    X, T = data(net, 40)
    net.weights[0][0, 1] = 0.7
    net.fit(X, T, "lm", fixed="W1[0,1]", tol=1e-10)
    A = np.column_stack([X[:, [0, 2]], np.ones(40)])
    expected = np.linalg.lstsq(A, T[:, 0] - 0.7 * X[:, 1], rcond=None)[0]
    assert np.allclose(net.params[[0, 2, 3]], expected, rtol=1e-11)


def test_a_convolution_is_a_dense_layer_with_ties():
    """A 10 x 10 map of one 5 x 5 patch has 26 free parameters; its gradient is the sum over the copies."""
    size, patch = 10, 5
    out = size - patch + 1
    net = fastmlp.Network([size * size, out * out], hidden="tanh", output="tanh", rng=0)
    W = np.arange(out * out * size * size).reshape(out, out, size, size)
    copies = [
        [W[i, j, i + r, j + c] for i in range(out) for j in range(out)] for r in range(patch) for c in range(patch)
    ]
    zero = np.setdiff1d(W, np.ravel(copies))
    w, p = np.random.default_rng(0).normal(size=(patch, patch)), np.zeros(net.n_params)
    for (r, c), where in zip(np.ndindex(patch, patch), copies, strict=True):
        p[where] = w[r, c]
    p[W.size :] = 0.3
    net.params = p
    X = np.random.default_rng(1).normal(size=(8, size * size))
    T = np.zeros((8, out * out))
    seen = net.objective(X, T, fixed=zero, tied=[*copies, "b1"])
    assert seen.x0.shape == (26,)
    windows = np.lib.stride_tricks.sliding_window_view(X.reshape(8, size, size), (patch, patch), axis=(1, 2))
    y = np.tanh(np.einsum("nijrc,rc->nij", windows, w) + 0.3)
    assert np.allclose(net(X).reshape(8, out, out), y, rtol=1e-13)
    delta = y * (1 - y**2)
    by_hand = np.append(np.einsum("nij,nijrc->rc", delta, windows), delta.sum())
    assert relative_error(seen.grad(seen.x0), by_hand) < 1e-12


@pytest.mark.parametrize("solver", RESUMABLE)
def test_k_and_k_iterations_equal_2_k_with_ties(solver, dtype):
    whole, halves = network([3, 4, 2], dtype=dtype), network([3, 4, 2], dtype=dtype)
    X, T = data(whole, 30)
    seen = {"fixed": FIXED, "tied": TIED[:2], "penalty": DECAY, "tol": 0.0, **options(solver)}
    whole.fit(X, T, solver, max_iter=6, **seen)
    first = halves.fit(X, T, solver, max_iter=3, **seen)
    halves.fit(X, T, solver, max_iter=3, warm_start=pickle.loads(pickle.dumps(first)), **seen)
    assert whole == halves


def test_a_warm_start_with_other_ties_is_refused():
    net = network([3, 4, 2])
    X, T = data(net, 30)
    first = net.fit(X, T, "lm", max_iter=2, fixed="b1")
    for other in ({}, {"fixed": "b2"}, {"fixed": "b1", "tied": ["W2"]}):
        with pytest.raises(ValueError, match="warm_start: expected the result for the same fixed and tied"):
            net.fit(X, T, "lm", warm_start=first, **other)
    plain = net.fit(X, T, "lm", max_iter=1)
    with pytest.raises(ValueError, match="warm_start: expected the result for the same fixed and tied"):
        net.fit(X, T, "lm", warm_start=plain, fixed="b1")
