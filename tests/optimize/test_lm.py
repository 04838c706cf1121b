"""Levenberg-Marquardt with Newton's method at the end: where it arrives, how soon, and what it survives."""

import numpy as np
import pytest

import fastmlp
from cases import PAIRS, data, degenerate, network
from fastmlp import datasets
from fastmlp._core.fits.lm import Descent
from fastmlp.optimize import lm
from fastmlp.optimize.loops import compiled

X = np.random.default_rng(0).normal(size=(50, 3))
T = np.sin(X.sum(axis=1))
DECAY = fastmlp.WeightDecay(weights=0.1, biases=0.1)


def yacht():
    """Standardised inputs and targets of 308 towed hulls."""
    hulls = datasets.load_yacht()
    return tuple((a - a.mean(axis=0)) / a.std(axis=0) for a in (hulls.X, hulls.T))


def lowest_curvature(objective, params):
    """The smallest eigenvalue of the Hessian, by differences of the gradient."""
    step = 1e-5 * np.eye(params.size)
    H = [(objective.grad(params + e) - objective.grad(params - e)) / 2e-5 for e in step]
    return np.linalg.eigvalsh(0.5 * (np.array(H) + np.array(H).T))[0]


@pytest.mark.parametrize("seed", range(20))
def test_a_noisy_regression_converges_to_1e_8(seed):
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(442, 10))
    targets = inputs @ rng.normal(size=10) + 2 * np.tanh(inputs[:, 0] * inputs[:, 1]) + 3 * rng.normal(size=442)
    targets = (targets - targets.mean()) / targets.std()
    net = fastmlp.Network([10, 5, 1], rng=seed)
    penalty = fastmlp.WeightDecay(weights=1.0, biases=1.0)
    res = net.fit(inputs, targets, "lm", tol=1e-8, penalty=penalty)
    assert res.success
    assert res.nit <= 150
    assert np.abs(net.objective(inputs, targets, penalty=penalty).grad(net.params)).max() <= 1e-8
    assert res.nhev >= 3  # Newton's method at the end


@pytest.mark.parametrize("seed", range(3))
def test_a_function_without_noise_is_learnt_to_ten_digits(seed):
    x = np.linspace(-1, 1, 300)[:, np.newaxis]
    net = fastmlp.Network([1, 20, 1], rng=seed)
    target = np.sinc(10 * x / np.pi)
    net.fit(x, target, "lm", tol=0.0, callback=lambda state: state.train_loss <= 0.5e-10)
    assert np.mean((net.predict(x) - target) ** 2) <= 1e-10


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_loss_arrives_at_a_minimum(output, loss):
    net = network([3, 4, 2], "tanh", output, loss)
    inputs, targets = data(net, 40)
    objective = net.objective(inputs, targets, penalty=DECAY)
    res = net.fit(inputs, targets, "lm", penalty=DECAY, tol=1e-8)
    assert res.success
    assert np.abs(objective.grad(net.params)).max() <= 1e-8
    assert lowest_curvature(objective, net.params) > -1e-5
    again = net.fit(inputs, targets, "lbfgs", penalty=DECAY, tol=1e-8)
    assert again.fun >= res.fun - 1e-9 * abs(res.fun)


@pytest.mark.parametrize("layers", [[6, 1], [6, 4, 3, 1], [6, 5, 1]])
def test_networks_of_any_depth_converge(layers):
    inputs, targets = yacht()
    res = fastmlp.Network(layers, rng=0).fit(inputs, targets, "lm", penalty=DECAY, tol=1e-8)
    assert res.success
    assert res.grad_norm <= 1e-8


def test_a_converged_network_is_left_as_it_is():
    net = fastmlp.Network([3, 5, 1], rng=0)
    net.fit(X, T, "lm", penalty=DECAY)
    before = net.params
    res = net.fit(X, T, "lm", penalty=DECAY)
    assert res.success
    assert (res.nit, res.nhev) == (0, 1)
    assert np.array_equal(net.params, before)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.IdenticalUnitsWarning")
def test_a_saddle_is_no_minimum():
    net = fastmlp.Network([3, 5, 1], rng=0, init="zeros")
    targets = T - T.mean()
    objective = net.objective(X, targets, penalty=DECAY)
    assert np.abs(objective.grad(net.params)).max() < 1e-12
    at_saddle = net.fit(X, targets, "lm", penalty=DECAY, max_iter=0)
    assert not at_saddle.success
    res = net.fit(X, targets, "lm", penalty=DECAY)
    assert res.success
    assert res.fun < 0.5 * at_saddle.fun
    assert lowest_curvature(objective, net.params) > -1e-5


@pytest.mark.parametrize("seed", [2, 7])
def test_saddles_are_told_by_the_smallest_decay(seed):
    """Curvature of -5e-5 beside others of 1e4: a unit that is 0, where a precision is 1e-3, and another one 4e6."""
    rng = np.random.default_rng(21)
    inputs = rng.uniform(-2, 2, (70, 3))
    targets = np.sin(1.5 * inputs[:, 0]) + 0.3 * inputs[:, 1] + 0.1 * rng.normal(size=70)
    names = ["W1[:,0]", "W1[:,1]", "W1[:,2]", "b1", "W2", "b2"]
    decay = np.exp([2.15, 7.7, 15.1, 5.6, -7.5, -2.7]) / 192.0
    penalty = fastmlp.WeightDecay(dict(zip(names, decay, strict=True)))
    net = fastmlp.Network([3, 4, 1], rng=seed)
    for array in (net.weights[0][3], net.biases[0][3:], net.weights[1][:, 3]):
        array[...] = 0.0
    res = net.fit(inputs, targets, "lm", penalty=penalty, max_iter=5000)
    objective = net.objective(inputs, targets, penalty=penalty)
    assert res.success
    assert np.linalg.eigvalsh(objective.hess(net.params))[0] > 0
    assert res.fun == pytest.approx(0.17610765, rel=1e-6)


def test_the_objective_never_rises_by_more_than_rounding():
    inputs, targets = yacht()
    loss = fastmlp.Network([6, 8, 1], rng=0).fit(inputs, targets, "lm", penalty=DECAY, tol=1e-10).history["loss"]
    assert np.all(np.diff(loss) <= 1e-13 * loss[:-1])


def test_what_is_reached_is_not_given_back_to_rounding():
    net = fastmlp.Network([3, 5, 1], rng=0)
    net.fit(X, T, "lm", penalty=DECAY, tol=1e-5)
    for tol in (1e-8, 1e-11, 1e-13):
        assert net.fit(X, T, "lm", penalty=DECAY, tol=tol).success


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_noise_precision_and_sample_weights_have_the_same_effect(weight):
    nets = [fastmlp.Network([3, 4, 1], rng=0) for _ in range(2)]
    first = nets[0].fit(X, T, "lm", penalty=DECAY, sample_weight=np.full(50, weight), tol=1e-10)
    second = nets[1].fit(X, T, "lm", penalty=fastmlp.WeightDecay(0.1 / weight, 0.1 / weight), tol=1e-10)
    assert first.fun == pytest.approx(weight * second.fun, rel=1e-9)
    assert np.allclose(nets[0].params, nets[1].params, rtol=1e-6, atol=1e-8)


def test_float32_networks_converge_to_what_float32_tells(n_threads):
    net = fastmlp.Network([3, 5, 1], rng=0, dtype="float32")
    res = net.fit(X, T, "lm", penalty=DECAY, n_threads=n_threads)
    double = fastmlp.Network([3, 5, 1], rng=0)
    double.params = net.params.astype(float)
    expected = double.fit(X, T, "lm", penalty=DECAY)
    assert res.success
    assert net.params.dtype == np.float32
    assert res.fun == pytest.approx(expected.fun, rel=1e-3)


def test_results_do_not_depend_on_the_number_of_threads(n_threads):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(5000, 4))
    targets = np.tanh(inputs @ rng.normal(size=(4, 2)))
    nets = [fastmlp.Network([4, 10, 2], rng=0) for _ in range(2)]
    for net, threads in zip(nets, (1, n_threads), strict=True):
        net.fit(inputs, targets, "lm", penalty=DECAY, max_iter=5, n_threads=threads)
    assert nets[0] == nets[1]


CASES = degenerate(X, T)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")  # of huge targets
@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4, 1e150])
@pytest.mark.parametrize("penalty", [None, DECAY])
@pytest.mark.parametrize("case", CASES)
def test_degenerate_data_and_saturated_starts_give_finite_parameters(case, penalty, scale):
    layers, inputs, targets = CASES[case]
    net = fastmlp.Network(layers, rng=0)
    net.params = scale * net.params
    before = net.objective(inputs, targets, penalty=penalty).value(net.params)
    res = net.fit(inputs, targets, "lm", penalty=penalty, max_iter=100)
    assert np.all(np.isfinite(net.params))
    assert res.fun <= before
    assert res.success == (res.message == "converged: the gradient is within tol")


@pytest.mark.parametrize("case", [name for name in CASES if name not in ("ten outputs", "huge targets")])
def test_degenerate_data_converge_from_an_ordinary_start(case):
    layers, inputs, targets = CASES[case]
    assert fastmlp.Network(layers, rng=0).fit(inputs, targets, "lm").success


def test_separable_classes_end_with_a_small_gradient():
    net = fastmlp.Network([3, 5, 3], output="softmax", rng=0)
    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    res = net.fit(X, labels, "lm")
    assert res.success
    assert np.array_equal(net.predict(X).argmax(axis=1), labels)


def test_an_exponential_output_finds_its_scale():
    net = fastmlp.Network([3, 5, 1], output="exp", loss="poisson", rng=0)
    net.params = 40 * net.params
    counts = np.random.default_rng(1).poisson(np.exp(T))
    res = net.fit(X, counts, "lm", penalty=DECAY)
    assert res.history["loss"][0] > 1e30
    assert res.success


def test_the_damping_at_the_start_shortens_the_first_step():
    steps = []
    for damping in (1e-3, 1e3):
        net = fastmlp.Network([3, 5, 1], rng=0)
        before = net.params
        net.fit(X, T, "lm", damping=damping, max_iter=1)
        steps.append(np.linalg.norm(net.params - before))
    assert steps[1] < 0.1 * steps[0]


def test_evaluations_are_counted():
    res = fastmlp.Network([3, 5, 1], rng=0).fit(X, T, "lm", penalty=DECAY)
    assert res.nfev >= res.njev > res.nit
    assert 1 <= res.nhev <= res.njev


def check_steps(objective, tol):
    """(B + mu I) s = -g with some mu >= 0 for each step s, where B is one of both matrices; which ones were."""
    descent = Descent(compiled(objective, 1), objective.x0, 0.0, {"damping": 1e-3})
    solved = set()
    for _ in range(25):
        x = descent.params
        value, g, ggn = objective.normal_equations(x)
        assert descent.value == pytest.approx(value, rel=tol)
        assert descent.grad_norm == pytest.approx(np.abs(g).max(), rel=tol, abs=tol)
        if descent.advance(1) != "running":
            break
        s, errors = descent.params - x, {}
        for kind, B in (("ggn", ggn), ("exact", objective.hess(x))):
            left = B @ s + g
            mu = max(0.0, -(left @ s) / (s @ s))
            size = np.linalg.norm(B) * (np.linalg.norm(s) + 1e-3) + np.linalg.norm(g)
            errors[kind] = np.linalg.norm(left + mu * s) / size
        kind = min(errors, key=errors.get)
        assert errors[kind] < tol
        solved.add(kind)
    return solved


@pytest.mark.parametrize("n_samples", [1, 3, 17, 256, 257, 442, 512, 513, 1100])
@pytest.mark.parametrize("layers", [[1, 4, 1], [5, 4, 1], [4, 3, 3, 2]], ids=str)
def test_every_step_solves_its_equations(layers, n_samples, dtype):
    """Whether the samples stay in the workspace, for up to 512 of double, or are brought for each pass."""
    net = network(layers, dtype=dtype)
    inputs, targets = data(net, n_samples)
    weights = np.random.default_rng(2).uniform(0.5, 2, n_samples)
    objective = net.objective(inputs, targets, penalty=DECAY, sample_weight=weights, n_threads=1)
    solved = check_steps(objective, 1e-10 if dtype == "float64" else 1e-3)
    assert solved == {"ggn", "exact"} or n_samples < 256 or dtype == "float32"


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_step_of_every_loss_solves_its_equations(output, loss):
    net = network([3, 4, 2], "tanh", output, loss)
    inputs, targets = data(net, 40)
    assert check_steps(net.objective(inputs, targets, penalty=DECAY, n_threads=1), 1e-10)


@pytest.fixture
def without_matrices(monkeypatch):
    monkeypatch.setattr(lm, "MOST_PARAMS", 0)


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_without_matrices_every_loss_arrives_too(output, loss, without_matrices):
    net = network([3, 4, 2], "tanh", output, loss)
    inputs, targets = data(net, 40)
    objective = net.objective(inputs, targets, penalty=DECAY)
    res = net.fit(inputs, targets, "lm", penalty=DECAY, tol=1e-8, n_threads=1)
    assert res.success
    assert np.abs(objective.grad(net.params)).max() <= 1e-8
    assert lowest_curvature(objective, net.params) > -1e-5


def test_without_matrices_two_fits_of_k_equal_one_of_2k(without_matrices, dtype):
    halves, whole = (fastmlp.Network([3, 5, 1], rng=0, dtype=dtype) for _ in range(2))
    first = halves.fit(X, T, "lm", penalty=DECAY, max_iter=5, n_threads=1)
    halves.fit(X, T, "lm", penalty=DECAY, max_iter=5, warm_start=first, n_threads=1)
    whole.fit(X, T, "lm", penalty=DECAY, max_iter=10, n_threads=1)
    assert halves == whole


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")  # of huge targets
@pytest.mark.parametrize("case", CASES)
def test_without_matrices_degenerate_data_give_finite_parameters(case, without_matrices):
    layers, inputs, targets = CASES[case]
    net = fastmlp.Network(layers, rng=0)
    before = net.loss(inputs, targets)
    res = net.fit(inputs, targets, "lm", max_iter=20, n_threads=1)
    assert np.all(np.isfinite(net.params))
    assert res.fun <= before


def test_networks_of_many_parameters_are_fitted_without_matrices():
    net = fastmlp.Network([3, 1000, 1], rng=0)
    res = net.fit(X, T, "lm", penalty=DECAY, max_iter=3, n_threads=1)
    assert res.nit == 3
    assert res.fun < 0.5 * res.history["loss"][0]


@pytest.mark.parametrize("tol", [1e-6, None])
def test_a_loose_tolerance_ends_no_later_than_a_tight_one(tol):
    inputs, targets = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), [0, 1, 1, 0.0]
    for seed in range(5):
        net = fastmlp.Network([2, 8, 1], rng=seed)
        res = net.fit(inputs, targets, "lm", penalty=fastmlp.WeightDecay(1e-10), tol=tol)
        assert res.success
        assert res.nit < 50


@pytest.mark.parametrize("alpha", [1e-8, 1e-6, 1e-4])
def test_little_decay_does_not_make_saddles_of_what_is_within_tol(alpha):
    inputs = np.random.default_rng(1).normal(size=(20, 2))
    model = fastmlp.MLPRegressor(
        hidden_layer_sizes=(8,), activation="tanh", solver="lm", alpha=alpha, random_state=0, max_iter=1000
    )
    assert model.fit(inputs, np.sin(inputs[:, 0])).n_iter_ < 100
