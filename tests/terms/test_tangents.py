"""Tangent propagation and derivative data in objectives and fits: against formulas, other ways, and other objects."""

import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.optimize

import autodiff
import fastmlp
from cases import data, network, relative_error
from fastmlp import TangentPropagation, WeightDecay
from fastmlp._core.fits.train import Minibatches
from fastmlp._core.sums.batch import Batch
from fastmlp._core.sums.tangents import Tangents
from fastmlp.model.functional import check_samples
from specimens import Diagonal


def drawn(net, n_samples=20, n_tangents=2, seed=0):
    rng = np.random.default_rng([seed, n_samples])
    X, T = data(net, n_samples)
    tau = rng.normal(size=(n_samples, n_tangents, net.layers[0]))
    return X, T, tau, rng.normal(size=(n_samples, n_tangents, net.layers[-1])), rng.random(n_samples)


def everything(objective, p, v):
    return [objective.value(p), objective.grad(p), objective.hess(p), objective.ggn(p), objective.hessp(p, v),
            objective.ggnp(p, v), *objective.normal_equations(p)]  # fmt: skip


# ---- objectives ----


@pytest.mark.parametrize("of", ["logits", "outputs"])
def test_objectives_are_loss_penalty_and_term(of):
    net = network([3, 4, 2], "tanh", "softmax")
    X, T, tau, d, s = drawn(net)
    penalty = WeightDecay(0.3) + TangentPropagation(tau, 0.7, of=of, targets=d)
    both = net.objective(X, T, penalty=penalty, noise_precision=2.5, sample_weight=s)
    plain = net.objective(X, T, penalty=WeightDecay(0.3), noise_precision=2.5, sample_weight=s)
    term = autodiff.tangents(net, X, tau.swapaxes(0, 1), d.swapaxes(0, 1), 0.7, s, of_logits=of == "logits")
    p, v = net.params, np.random.default_rng(1).normal(size=net.n_params)
    expected = [term["value"], term["gradient"], term["hessian"], term["ggn"], term["hessian"] @ v, term["ggn"] @ v,
                term["value"], term["gradient"], term["ggn"]]  # fmt: skip
    for got, base, own in zip(everything(both, p, v), everything(plain, p, v), expected, strict=True):
        assert relative_error(got - base, own) < 1e-11
    assert both.penalty_value(p) - plain.penalty_value(p) == pytest.approx(term["value"], rel=1e-12)


def test_residuals_are_those_of_the_loss_and_of_each_direction():
    net = network([3, 4, 2])
    X, T, tau, d, s = drawn(net)
    objective = net.objective(X, T, penalty=TangentPropagation(tau, 0.7, targets=d), sample_weight=s)
    term = autodiff.tangents(net, X, tau.swapaxes(0, 1), d.swapaxes(0, 1), 0.7, s, of_logits=True)
    p, n = net.params, 40
    assert relative_error(objective.residuals(p)[n:], term["rows"]) < 1e-12
    assert relative_error(objective.residual_jac(p)[n:], term["jacobian"]) < 1e-12
    assert 0.5 * np.sum(objective.residuals(p) ** 2) == pytest.approx(objective.value(p), rel=1e-13)


def test_tikhonov_is_tangents_with_the_identity():
    net = network([3, 5, 2], "tanh", "logistic")
    X, T, *_ = drawn(net)
    p, v = net.params, np.ones(net.n_params)
    ways = ("inputs", np.eye(3), np.tile(np.eye(3), (20, 1, 1)))
    found = [everything(net.objective(X, T, penalty=TangentPropagation(way, 0.4)), p, v) for way in ways]
    for one, *others in zip(*found, strict=True):
        assert all(relative_error(other, one) < 1e-12 for other in others)
    J = net.jacobian(X, of="logits")
    alone = net.objective(X, T).value(p)
    assert found[0][0] - alone == pytest.approx(0.2 * np.sum(J**2), rel=1e-12)


def test_fixed_and_tied_parameters_are_a_linear_map():
    net = network([3, 4, 2])
    X, T, tau, d, _ = drawn(net)
    penalty = TangentPropagation(tau, 0.7, targets=d) + WeightDecay(0.1)
    whole = net.objective(X, T, penalty=penalty)
    some = net.objective(X, T, penalty=penalty, fixed="b1", tied=["W1[:,0]"])
    p = some.x0
    J = np.array([some.expand(p + e) - some.expand(p) for e in np.eye(len(p))]).T
    w = some.expand(p)
    assert some.value(p) == pytest.approx(whole.value(w), rel=1e-14)
    assert relative_error(some.grad(p), J.T @ whole.grad(w)) < 1e-12
    assert relative_error(some.hess(p), J.T @ whole.hess(w) @ J) < 1e-12
    assert relative_error(some.ggn(p), J.T @ whole.ggn(w) @ J) < 1e-12


def test_objectives_with_tangents_are_pickled():
    net = network([3, 4, 2], dtype="float32")
    X, T, tau, d, _ = drawn(net)
    objective = net.objective(X, T, penalty=WeightDecay(0.1) + TangentPropagation(tau, 0.7, targets=d))
    again = pickle.loads(pickle.dumps(objective))
    p = objective.x0
    assert again.value(p) == objective.value(p)
    assert np.array_equal(again.hess(p), objective.hess(p))


def test_results_are_the_same_bits_for_any_number_of_threads(dtype, n_threads):
    net = network([20, 30, 5], output="softmax", dtype=dtype)
    X, T, tau, _, s = drawn(net, 700)
    penalty = TangentPropagation(tau, 0.7)
    ends = []
    for n in (1, n_threads):
        other = net.copy()
        other.fit(X, T, "lbfgs", penalty=penalty, sample_weight=s, max_iter=5, n_threads=n)
        other.fit(X, T, "adam", penalty=penalty, sample_weight=s, max_iter=2, batch_size=300, rng=0, n_threads=n)
        ends.append(other.params)
    assert np.array_equal(*ends)


# ---- fits ----

FULL_BATCH = ("lm", "lbfgs", "scg", "l-bfgs-b", "newton-cg", "trust-ncg", "trust-exact")


@pytest.mark.parametrize("method", FULL_BATCH)
def test_every_method_finds_the_minimum_of_a_linear_network(method):
    net = fastmlp.Network([3, 2], rng=0)
    X, T, tau, d, s = drawn(net)
    penalty = WeightDecay(0.2) + TangentPropagation(tau, 0.7, targets=d)
    result = net.fit(X, T, method, penalty=penalty, sample_weight=s, tol=1e-9)
    assert result.success
    A = np.column_stack([X, np.ones(20)])
    rows = np.einsum("n,nmi,nmj->ij", s, tau, tau)
    left = (A.T * s) @ A + np.diag([0.2, 0.2, 0.2, 0.0])
    left[:3, :3] += 0.7 * rows
    right = (A.T * s) @ T
    right[:3] += 0.7 * np.einsum("n,nmi,nmk->ik", s, tau, d)
    closed = np.linalg.solve(left, right)
    tolerance = 1e-12 if method in ("lm", "trust-exact") else 1e-8
    assert relative_error(np.vstack([net.weights[0].T, net.biases[0]]), closed) < tolerance
    assert result.fun == pytest.approx(
        net.objective(X, T, penalty=penalty, sample_weight=s).value(net.params), rel=1e-12
    )


def test_gradients_that_are_summed_with_the_loss_are_those_of_a_term_apart():
    net = network([3, 4, 2], "tanh", "softmax")
    X, T, tau, d, s = drawn(net, 100)
    penalty = TangentPropagation(tau, 0.7, of="outputs", targets=d) + TangentPropagation([[1.0, 0, 0]], 0.2)
    objective = net.objective(X, T, penalty=penalty, sample_weight=s)
    value, gradient = net.loss_and_grad(X, T, sample_weight=s)
    other, slope = objective.terms.value_and_grad(net.params)
    assert objective.value(net.params) == pytest.approx(value + other, rel=1e-14)
    assert relative_error(objective.grad(net.params), gradient + slope) < 1e-14


def test_histories_tell_the_loss_from_the_term(dtype):
    net = network([3, 4, 2], "tanh", "softmax", dtype=dtype)
    X, T, tau, d, s = drawn(net, 100)
    penalty = TangentPropagation(tau, 0.01, targets=d) + WeightDecay(0.1)
    close = 1e-12 if dtype == "float64" else 1e-4
    for method in ("lm", "lbfgs", "scg", "adam"):
        other = net.copy()
        result = other.fit(X, T, method, penalty=penalty, sample_weight=s, max_iter=3, rng=0)
        start = result.history
        assert start["train_loss"][0] == pytest.approx(net.loss(X, T, sample_weight=s) / s.sum(), rel=close)
        assert start["loss"][0] == pytest.approx(
            net.objective(X, T, penalty=penalty, sample_weight=s).value(net.params), rel=close
        )
        if method != "adam":
            assert start["train_loss"][-1] == pytest.approx(other.loss(X, T, sample_weight=s) / s.sum(), rel=close)


@pytest.mark.parametrize("tied", [None, ["W1[:,0]"]])
def test_a_step_on_a_minibatch_has_the_rows_of_its_samples(tied):
    net = network([3, 4, 2])
    X, T, tau, d, s = drawn(net, 30)
    penalty = WeightDecay(0.4) + TangentPropagation(tau, 0.7, targets=d)
    other = net.copy()
    other.fit(X, T, "sgd", penalty=penalty, sample_weight=s, tied=tied, max_iter=1, batch_size=10, learning_rate=0.01,
              rng=5)  # fmt: skip
    order = np.arange(30)
    np.random.default_rng(5).shuffle(order)
    w = net.objective(X, T, tied=tied).x0
    for batch in np.split(order, 3):
        some = TangentPropagation(tau[batch], 0.7, targets=d[batch])
        one = net.objective(X[batch], T[batch], penalty=some, sample_weight=s[batch], tied=tied).grad(w)
        decay = net.objective(X, T, penalty=WeightDecay(0.4), tied=tied).grad(w) - net.objective(X, T, tied=tied).grad(
            w
        )
        w = w - 0.01 * (one / 10 + decay / 30)
    assert relative_error(other.params, net.objective(X, T, tied=tied).expand(w)) < 1e-13


def test_memory_of_a_minibatch_step_does_not_grow_with_the_samples():
    def peak(n_samples):
        net = network([30, 20, 2])
        X, T, tau, _, _ = drawn(net, n_samples, 3)
        samples = check_samples(net._architecture, X, T)
        batch = Batch(net._plan, samples.X, *samples.targets, None, None)
        term = Tangents(batch, ((np.ascontiguousarray(tau.swapaxes(0, 1)), None, 0.1, True),))
        vectors = (net.params, np.arange(n_samples), None, np.empty(net.n_params), np.zeros(net.n_params))
        tracemalloc.start()
        loop = Minibatches(batch, 32, 1, 0, None, term)
        loop.run(vectors, 0, 2, 0.01, (0.0, 0.0, 0.0))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(4000) <= peak(100) + 1000


def test_samples_held_back_have_no_say():
    net = network([3, 4, 2])
    X, T, tau, d, _ = drawn(net, 40)
    first, second = net.copy(), net.copy()
    result = first.fit(X, T, "lm", penalty=TangentPropagation(tau, 0.7, targets=d), validation=0.25, max_iter=5, rng=3)
    kept = np.setdiff1d(np.arange(40), result.state["held_back"])
    second.fit(X[kept], T[kept], "lm", penalty=TangentPropagation(tau[kept], 0.7, targets=d[kept]), max_iter=5)
    assert np.array_equal(first.params, second.params)


def test_standardised_units_scale_directions_and_targets():
    net = fastmlp.Network([3, 4, 2], rng=0)
    X, T, tau, d, s = drawn(net, 40)
    X, T = X * [1.0, 10.0, 0.1] + 3, T * [5.0, 0.2] - 1
    first, second = net.copy(), net.copy()
    penalty = TangentPropagation(tau, 0.7, targets=d)
    result = first.fit(X, T, "lm", penalty=penalty, sample_weight=s, standardize=True, max_iter=5)
    a, c = result.units.inputs, result.units.targets
    inside = TangentPropagation(tau / a.scale, 0.7, targets=d / c.scale)
    second.fit((X - a.shift) / a.scale, (T - c.shift) / c.scale, "lm", penalty=inside, sample_weight=s, max_iter=5)
    assert relative_error(result.units.folded(net._architecture, second.params), first.params) < 1e-9


def test_derivatives_by_standardised_inputs_are_in_units_of_each():
    net = fastmlp.Network([3, 4, 1], rng=0)
    X, T, *_ = drawn(net, 40)
    X = X * [1.0, 10.0, 0.1] + 3
    d = np.random.default_rng(2).normal(size=(40, 1, 3))
    first, second = net.copy(), net.copy()
    result = first.fit(X, T, "lm", derivatives=("inputs", d), derivative_weight=0.5, standardize=True, max_iter=5)
    a, c = result.units.inputs, result.units.targets
    inside = TangentPropagation("inputs", 0.5, targets=d * a.scale / c.scale[:, np.newaxis])
    second.fit((X - a.shift) / a.scale, (T - c.shift) / c.scale, "lm", penalty=inside, max_iter=5)
    assert relative_error(result.units.folded(net._architecture, second.params), first.params) < 1e-9


def test_constant_inputs_have_no_directions():
    net = fastmlp.Network([3, 4, 1], rng=0)
    X, T, tau, _, _ = drawn(net, 40)
    X[:, 1] = 7.0
    for way in (tau, "inputs"):
        other = net.copy()
        other.fit(X, T, "lm", penalty=TangentPropagation(way, 0.1), standardize=True, max_iter=50)
        assert not other.weights[0][:, 1].any()


# ---- derivative data ----


def surface(X):
    return np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1]) + 0.5 * X[:, 0] * X[:, 1]


def slopes(X):
    a, b = 3 * X[:, 0], 2 * X[:, 1]
    return np.stack([3 * np.cos(a) * np.cos(b) + 0.5 * X[:, 1], -2 * np.sin(a) * np.sin(b) + 0.5 * X[:, 0]], axis=1)


def test_derivative_data_make_a_surrogate_of_few_samples():
    grid = np.random.default_rng(9).uniform(-1, 1, (1000, 2))
    ratios = []
    for seed in range(5):
        X = np.random.default_rng(seed).uniform(-1, 1, (15, 2))
        errors = []
        for derivatives in (None, ("inputs", slopes(X)[:, np.newaxis])):
            fits = []
            for start in range(3):
                net = fastmlp.Network([2, 10, 1], rng=start)
                result = net.fit(
                    X, surface(X), "lm", penalty=WeightDecay(1e-6, 1e-6), derivatives=derivatives, max_iter=300
                )
                fits.append((result.fun, np.sqrt(np.mean((net(grid)[:, 0] - surface(grid)) ** 2))))
            errors.append(min(fits)[1])
        ratios.append(errors[0] / errors[1])
    assert np.median(ratios) >= 4


def test_derivatives_of_a_fit_are_a_term_of_its_penalty():
    net = fastmlp.Network([2, 5, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    d = slopes(X)
    ways = [
        {"derivatives": ("inputs", d[:, np.newaxis]), "derivative_weight": 0.3},
        {"derivatives": ("inputs", d), "derivative_weight": 0.3},
        {"derivatives": (np.eye(2), d[:, :, np.newaxis]), "derivative_weight": 0.3},
        {"derivatives": (np.eye(2), d), "derivative_weight": 0.3, "penalty": WeightDecay(0.0)},
        {"penalty": TangentPropagation("inputs", 0.3, of="outputs", targets=d)},
    ]
    ends = []
    for arguments in ways:
        other = net.copy()
        other.fit(X, surface(X), "lm", max_iter=10, **arguments)
        ends.append(other.params)
    assert all(relative_error(end, ends[0]) < 1e-9 for end in ends)


def test_auto_takes_tangents_for_what_they_are():
    net = fastmlp.Network([2, 5, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    assert net.fit(X, surface(X), derivatives=("inputs", slopes(X)), max_iter=5).method == "lm"
    wide, X = fastmlp.Network([2, 100, 1], rng=0), np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    assert wide.fit(X, surface(X), max_iter=0).method == "lm"
    assert wide.fit(X, surface(X), derivatives=("inputs", slopes(X)), max_iter=0).method == "lbfgs"


def test_many_networks_are_trained_one_by_one():
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    penalty = TangentPropagation("inputs", 0.3, targets=slopes(X))
    nets = [fastmlp.Network([2, 4, 1], rng=seed) for seed in (0, 1)]
    alone = [net.copy() for net in nets]
    fastmlp.fit_many(nets, X, surface(X), "lbfgs", penalty=penalty, max_iter=20)
    for net, other in zip(nets, alone, strict=True):
        other.fit(X, surface(X), "lbfgs", penalty=penalty, max_iter=20)
        assert relative_error(net.params, other.params) < 1e-6


def test_layers_of_other_kinds_go_by_products():
    net = fastmlp.Network([3, 4, Diagonal(), 2], rng=0)
    X, T, tau, d, s = drawn(net)
    objective = net.objective(X, T, penalty=TangentPropagation(tau, 0.7, targets=d), sample_weight=s)
    J = objective.residual_jac(objective.x0)
    assert relative_error(objective.ggn(objective.x0), J.T @ J) < 1e-12


@pytest.mark.filterwarnings("ignore:T. column:fastmlp.ScaleWarning")
@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "trust-exact", "adam"])
def test_numbers_that_overflow_end_no_fit_with_an_error(method, dtype):
    net = network([3, 4, 2], "softplus", dtype=dtype)
    X, T, tau, _, _ = drawn(net)
    d = np.full((20, 2, 2), 1e18 if dtype == "float32" else 1e150)
    net.fit(X, T, method, penalty=TangentPropagation(tau, 1.0, targets=d), max_iter=20)
    assert np.isfinite(net.params).all()
    objective = net.objective(X, T, penalty=TangentPropagation(tau, 1.0))
    far = np.full(net.n_params, 1e37 if dtype == "float32" else 1e300)
    assert not np.isfinite(objective.value(far))
    assert not np.isfinite(objective.normal_equations(far)[0])


def test_pruning_keeps_the_term():
    net = fastmlp.Network([2, 5, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    penalty = WeightDecay(1e-2, 1e-2) + TangentPropagation("inputs", 0.3, targets=slopes(X))
    net.fit(X, surface(X), "lm", penalty=penalty)
    found = fastmlp.saliencies(net, X, surface(X), "obd", penalty=penalty)
    A = net.objective(X, surface(X), penalty=penalty).hess(net.params)
    rises = dict(zip(found.names, found.rise, strict=True))
    assert rises["W1[2,1]"] == pytest.approx(0.5 * A[5, 5] * net.weights[0][2, 1] ** 2, rel=1e-9)


def test_least_squares_of_scipy_takes_the_rows():
    net = fastmlp.Network([2, 4, 1], rng=0)
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    penalty = TangentPropagation("inputs", 0.3, targets=slopes(X)) + WeightDecay(1e-3)
    objective = net.objective(X, surface(X), penalty=penalty)
    found = scipy.optimize.least_squares(
        objective.residuals, objective.x0, objective.residual_jac, ftol=1e-15, xtol=1e-15, gtol=1e-8
    )
    assert abs(objective.grad(found.x)).max() < 1e-6


# ---- misuse ----


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((2, 3)), -1.0), ValueError, "weight: expected a finite number >= 0"),
        ((np.zeros((2, 3)), "a"), TypeError, "weight: expected a real number"),
        ((np.zeros((2, 3)), 1.0, "states"), ValueError, "of: expected one of logits, outputs"),
        (("outputs", 1.0), ValueError, "tau: expected directions .* or 'inputs', got 'outputs'"),
        ((np.zeros(3), 1.0), ValueError, r"tau: expected shape \(N, M, D\) or \(M, D\)"),
        ((np.zeros((0, 3)), 1.0), ValueError, r"tau: expected shape .* with M >= 1"),
        ((np.full((2, 3), np.nan), 1.0), ValueError, "tau: expected finite numbers"),
        (
            (np.zeros((2, 3)), 1.0, "logits", np.zeros(3)),
            ValueError,
            r"targets: expected shape \(N, M, K\), got \(3,\)",
        ),
        (("inputs", 1.0, "logits", np.zeros(3)), ValueError, r"targets: expected shape \(N, K, D\), got \(3,\)"),
    ],
)
def test_arguments_are_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        TangentPropagation(*arguments)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (TangentPropagation(np.ones((5, 2, 3)), 1.0), "tau: expected a row for each of 20 samples, got 5"),
        (TangentPropagation(np.ones((2, 4)), 1.0), r"tau: expected directions of 3 inputs, .* got \(2, 4\)"),
        (
            TangentPropagation(np.ones((2, 3)), 1.0, targets=np.ones((5, 2, 2))),
            "targets: expected a row for each of 20",
        ),
        (TangentPropagation(np.ones((2, 3)), 1.0, targets=np.ones((20, 2, 1))), r"expected shape \(20, 2, 2\), got"),
        (
            TangentPropagation("inputs", 1.0, targets=np.ones((20, 3, 2))),
            r"expected shape \(20, 2, 3\), got \(20, 3, 2\)",
        ),
    ],
)
def test_networks_and_samples_have_to_fit(term, message):
    net = network([3, 4, 2])
    X, T, *_ = drawn(net)
    with pytest.raises(ValueError, match=message):
        net.objective(X, T, penalty=term)
    for standardize in (False, True):
        with pytest.raises(ValueError, match=message):
            net.fit(X, T, penalty=WeightDecay(0.1) + term, standardize=standardize)


def test_rows_that_are_too_few_are_no_rows_of_a_share_either():
    net = network([3, 4, 2])
    X, T, *_ = drawn(net)
    with pytest.raises(ValueError, match="tau: expected a row for each of 20 samples, got 15"):
        net.fit(X, T, penalty=TangentPropagation(np.ones((15, 1, 3)), 1.0), validation=0.25)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"derivatives": "inputs"}, TypeError, "derivatives: expected a pair"),
        ({"derivatives": ("inputs",)}, ValueError, "derivatives: expected a pair .* got 1 items"),
        ({"derivatives": ("inputs", None)}, TypeError, "derivatives: targets: expected an array"),
        ({"derivatives": ("inputs", np.ones((20, 2, 4)))}, ValueError, "derivatives: targets: expected shape"),
        (
            {"derivatives": (np.ones((5, 1, 3)), np.ones((20, 1, 2)))},
            ValueError,
            "derivatives: directions: expected a row",
        ),
        ({"derivatives": ("inputs", np.ones((20, 2, 3))), "derivative_weight": -1}, ValueError, "derivative_weight"),
        ({"derivative_weight": 2.0}, ValueError, "derivative_weight: expected with derivatives only"),
    ],
)
def test_derivatives_of_a_fit_are_checked(arguments, error, message):
    net = network([3, 4, 2])
    X, T, *_ = drawn(net)
    with pytest.raises(error, match=message):
        net.fit(X, T, **arguments)


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "rprop", "adam", "sgd"])
def test_warm_starts_go_on_with_the_term(method):
    net = network([3, 4, 2])
    X, T, tau, d, _ = drawn(net, 40)
    penalty = TangentPropagation(tau, 0.1, targets=d) + WeightDecay(0.01)
    settings = {"penalty": penalty, "validation": 0.25}
    once, twice = net.copy(), net.copy()
    once.fit(X, T, method, max_iter=8, rng=0, **settings)
    first = twice.fit(X, T, method, max_iter=4, rng=0, **settings)
    twice.fit(X, T, method, max_iter=4, warm_start=first, **settings)
    assert np.array_equal(once.params, twice.params)
