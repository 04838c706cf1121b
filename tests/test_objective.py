"""The objective: the network's loss plus penalty, as SciPy calls it."""

import pickle

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from cases import data, network, relative_error
from fastmlp._core.fits import objective as compiled


def test_it_is_the_loss_and_gradient_at_any_parameters(dtype):
    net = network([3, 4, 2], dtype=dtype, output="softmax")
    X, T = data(net, 40)
    weight = np.random.default_rng(0).random(40)
    objective = net.objective(X, T, sample_weight=weight)
    p = objective.x0 + 0.1
    net.params = p
    value, gradient = net.loss_and_grad(X, T, sample_weight=weight)
    assert objective.value(p) == value
    assert np.array_equal(objective.grad(p), gradient)
    assert objective.value_and_grad(p)[0] == value
    assert objective.grad(p).dtype == np.float64


def test_x0_is_a_copy_of_the_parameters_then():
    net = network([3, 4, 2])
    objective = net.objective(*data(net, 5))
    start = net.params
    net.params = start + 1
    objective.x0[:] = 7
    assert np.array_equal(objective.x0, start)


def test_the_penalty_is_added_to_value_and_gradient():
    net = network([3, 4, 2])
    X, T = data(net, 10)
    plain, with_penalty = net.objective(X, T), net.objective(X, T, penalty=fastmlp.WeightDecay([0.3, 0.7], biases=0.1))
    p, h = plain.x0, 1e-6
    decay = np.repeat([0.3, 0.1, 0.7, 0.1], [12, 4, 8, 2])
    assert with_penalty.value(p) == pytest.approx(plain.value(p) + 0.5 * decay @ p**2, rel=1e-14)
    assert relative_error(with_penalty.grad(p), plain.grad(p) + decay * p) < 1e-14
    slope = (with_penalty.value(p + h * p) - with_penalty.value(p - h * p)) / (2 * h)
    assert with_penalty.grad(p) @ p == pytest.approx(slope, rel=1e-7)


@pytest.mark.parametrize("layers", [[1, 1], [1, 3, 1], [9, 11, 2], [40, 60, 30], [300, 200, 2]])
def test_the_penalty_has_the_bits_of_numpy(layers):
    """Whatever is compiled for small calls, and whatever BLAS makes of the sum."""
    net = network(layers)
    X, T = data(net, 3)
    plain, penalised = net.objective(X, T), net.objective(X, T, penalty=fastmlp.WeightDecay(0.3, biases=0.1))
    p, decay = plain.x0, penalised.decay
    expected = 0.5 * float(np.dot(decay * p, p))
    (value, gradient), (total, slope) = plain.value_and_grad(p), penalised.value_and_grad(p)
    assert penalised.penalty_value(p) == expected
    assert penalised.value(p) == total == value + expected
    assert np.array_equal(slope, gradient + decay * p)
    if p.size < 2000:
        value, gradient, matrix = plain.normal_equations(p)
        matrix[np.diag_indices_from(matrix)] += decay
        found = penalised.normal_equations(p)
        assert found[0] == value + expected
        assert np.array_equal(found[1], gradient + decay * p)
        assert np.array_equal(found[2], matrix)
        assert np.array_equal(penalised.ggn(p), matrix)


def unaligned(p):
    return np.frombuffer(b"\0" + p.tobytes(), np.uint8)[1:].view(p.dtype)


@pytest.mark.parametrize("fixed", [None, "b1"])
@pytest.mark.parametrize(
    "kind", [list, unaligned, lambda p: np.repeat(p, 2)[::2], lambda p: p.astype(">f8"), lambda p: p.view(np.memmap)]
)
def test_parameters_of_any_kind_are_penalised_alike(kind, fixed, dtype):
    net = network([3, 4, 2], dtype=dtype)
    objective = net.objective(*data(net, 10), penalty=fastmlp.WeightDecay(0.3, biases=0.1), fixed=fixed)
    p = objective.x0
    assert objective.value(kind(p)) == objective.value(p)
    assert objective.penalty_value(kind(p)) == objective.penalty_value(p)
    for got, expected in zip(objective.normal_equations(kind(p)), objective.normal_equations(p), strict=True):
        assert np.array_equal(got, expected)
    assert np.array_equal(objective.hess(kind(p)), objective.hess(p))
    assert np.array_equal(objective.residuals(kind(p)), objective.residuals(p))


@pytest.mark.parametrize("size", [0.0, 1e-200, 1e200, np.inf, np.nan])
def test_a_penalty_beyond_all_bounds_is_no_warning(size):
    net = network([2, 3, 1])
    objective = net.objective(*data(net, 5), penalty=fastmlp.WeightDecay(1e-3))
    p = np.full(objective.x0.size, size)
    with np.errstate(all="raise"):
        value, gradient = objective.value_and_grad(p)
    assert objective.value(p) == value or np.isnan(value)
    assert gradient.shape == p.shape


def test_what_is_penalised_has_the_shape_of_the_parameters():
    n, decay = 4, np.ones(4)
    for wrong in (np.ones(3), np.ones((2, 2)), np.ones(n, "f4"), np.ones(2 * n)[::2], [1.0] * n, None):
        with pytest.raises(ValueError, match="penalty: expected vectors of 4 numbers"):
            compiled.penalise(decay, wrong)
    with pytest.raises(ValueError, match="penalty: expected vectors of 4 numbers"):
        compiled.penalise(decay, decay, np.ones(5))
    for wrong in (np.ones((3, 3)), np.ones((4, 5)), np.ones(16), np.ones((4, 4), "f4")):
        with pytest.raises(ValueError, match="penalty: expected a matrix"):
            compiled.add_diagonal(wrong, decay)
    matrix = np.zeros((n, 2 * n))[:, ::2].T
    compiled.add_diagonal(matrix, decay)
    assert np.array_equal(matrix, np.eye(n))


def test_noise_precision_multiplies_the_data_term_only():
    net = network([3, 4, 2])
    X, T = data(net, 10)
    penalty = fastmlp.WeightDecay(0.5)
    one, four = (net.objective(X, T, penalty=penalty, noise_precision=beta) for beta in (1.0, 4.0))
    p = one.x0
    assert four.value(p) - one.value(p) == pytest.approx(3 * net.loss(X, T), rel=1e-13)
    assert np.allclose(four.grad(p) - one.grad(p), 3 * net.loss_and_grad(X, T)[1], rtol=1e-12, atol=1e-14)


def test_noise_precision_may_differ_between_outputs():
    net = network([3, 4, 2])
    X, T = data(net, 10)
    objective = net.objective(X, T, noise_precision=[2.0, 5.0])
    expected = np.sum(0.5 * np.array([2.0, 5.0]) * (net(X) - T) ** 2)
    assert objective.value(objective.x0) == pytest.approx(expected, rel=1e-14)
    classes = network([3, 4, 2], output="softmax")
    X, T = data(classes, 5)
    with pytest.raises(ValueError, match="noise_precision: expected one number for cross_entropy"):
        classes.objective(X, T, noise_precision=[1.0, 2.0])


def test_scipy_reaches_the_same_optimum_as_fit():
    net = network([2, 4, 1], seed=3)
    X = np.random.default_rng(0).normal(size=(60, 2))
    T = np.sin(X[:, 0]) * X[:, 1]
    objective = net.objective(X, T, penalty=fastmlp.WeightDecay(0.01, 0.01))
    direct = scipy.optimize.minimize(
        objective.value_and_grad, objective.x0, jac=True, method="L-BFGS-B",
        options={"gtol": 1e-6, "ftol": 0, "maxiter": 5000, "maxfun": 10000},
    )  # fmt: skip
    res = net.fit(X, T, method="lbfgs", penalty=fastmlp.WeightDecay(0.01, 0.01), max_iter=5000)
    assert res.success
    assert res.fun == pytest.approx(direct.fun, rel=1e-9)
    assert res.fun == pytest.approx(objective.value(net.params), rel=1e-15)
    assert np.allclose(net.params, direct.x, atol=1e-4)


@pytest.mark.parametrize("p", [np.zeros(3), np.zeros((26, 1)), 0.0])
def test_parameters_of_another_shape_are_refused(p):
    net = network([3, 4, 2])
    with pytest.raises(ValueError, match=r"p: expected shape \(26,\)"):
        net.objective(*data(net, 5)).value(p)


def test_it_can_be_sent_to_another_process():
    net = network([3, 4, 2], ["gelu"], "softmax")
    objective = net.objective(*data(net, 20), penalty=fastmlp.WeightDecay(0.1))
    other = pickle.loads(pickle.dumps(objective))
    assert other.value(objective.x0) == objective.value(objective.x0)


def test_it_prints_as_a_line():
    net = network([2, 3, 1])
    X, T = data(net, 20)

    class Term:
        def value(self, params):
            return 0.0

        def value_and_grad(self, params):
            return 0.0, np.zeros_like(params)

    plain = net.objective(X, T)
    kind = "2-3-1, tanh, identity, squared_error, float64"
    assert repr(plain) == f"Objective({kind}; 20 samples; 13 parameters)"
    assert repr(plain.data) == f"DataTerm({kind}; 20 samples)"
    penalty = fastmlp.WeightDecay(0.1) + Term()
    assert repr(net.objective(X[:1], T[:1], penalty=penalty, fixed=["b1"], tied=[["W1[:,0]"]])) == (
        f"Objective({kind}; 1 sample; 8 of 13 parameters free; WeightDecay({{'W': 0.1, 'b': 0.0}}) + Term)"
    )


def test_the_data_at_another_precision_are_bound_once():
    net = network([2, 3, 2])
    X, T = data(net, 20)
    term = net.objective(X, T).data
    for beta in (3.0, [2.0, 0.5]):
        other = term.at(beta)
        assert (other.batch is term.batch) == np.isscalar(beta)
        expected = net.objective(X, T, noise_precision=beta).value_and_grad(net.params)
        assert other.value(net.params) == expected[0]
        assert np.array_equal(other.value_and_grad(net.params)[1], expected[1])
        assert np.array_equal(other.noise_precision, beta)
        assert other.at(1.0).value(net.params) == term.value(net.params)
