"""Arguments whose methods answer nonsense, or that have no end: an error that names them, soon."""

import numbers
import pickle

import numpy as np
import pytest

import fastmlp
from cases import MINIBATCH, RESUMABLE, data, network

NET = network([3, 4, 2])
X, T = np.random.default_rng(0).normal(size=(2, 20, 3))
T = T[:, :2]


class Number(float):
    def __float__(self):
        return "one"


class Integer(int):
    def bit_length(self):
        return []


class Name(str):
    def __hash__(self):
        return None

    def __eq__(self, other):
        raise ZeroDivisionError


class Rows:
    def __array__(self, dtype=None, copy=None):
        return "rows"


CALLS = {
    "tol": lambda: NET.copy().fit(X, T, tol=Number(1)),
    "noise_precision": lambda: NET.objective(X, T, noise_precision=Rows()),
    "noise_precision of a posterior": lambda: fastmlp.Laplace(NET, X, T, prior_precision=1.0, noise_precision=Rows()),
    "rng": lambda: fastmlp.Network([1, 1], rng=Integer(-1)),
    "kind": lambda: NET.hessian(X, T, Name("exactly")),
    "hidden": lambda: fastmlp.Network([1, 1, 1], hidden=np.array("tanh")),
    "method": lambda: fastmlp.fit_many([NET.copy()], X, T, method={1}),
    "fixed": lambda: NET.objective(X, T, fixed=Rows()),
    "tied": lambda: NET.objective(X, T, tied=[[[0, 1], [2]]]),
    "weights": lambda: fastmlp.WeightDecay(np.broadcast_to(0.5, 2**40)),
    "weights of a range": lambda: fastmlp.WeightDecay(range(2**60)),
    "standardize": lambda: NET.copy().fit(X, T, standardize=10**5000),
    "callback": lambda: NET.copy().fit(X, T, callback=10**5000),
    "output": lambda: fastmlp.Network([1, 1], output=10**5000),
    "loss": lambda: fastmlp.Network([1, 1], loss=[10**5000]),
    "layers": lambda: fastmlp.Network(10**5000),
    "penalty": lambda: NET.objective(X, T, penalty=10**5000),
    "p": lambda: NET.objective(X, T).value(Rows()),
    "v": lambda: NET.objective(X, T).hessp(NET.params, Rows()),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("argument", CALLS)
def test_nonsense_is_named(argument):
    with pytest.raises((TypeError, ValueError), match=rf"^{argument.split()[0]}: .*expected "):
        CALLS[argument]()


def test_a_name_that_compares_as_it_likes_is_the_name_it_is():
    assert np.array_equal(NET.hessian(X, T, Name("ggn")), NET.hessian(X, T, "ggn"))


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")
@pytest.mark.parametrize("precision", [5e-324, 1e-308, 1e308])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_a_search_may_begin_at_any_noise_precision(precision, scale):
    found = fastmlp.fit_evidence(network([3, 2, 2]), X, scale * T, noise_precision=precision, max_iter=2)
    assert np.isfinite(found.log_evidence)


ASKED = {
    "predict": lambda posterior: posterior.predict(X)[0],
    "predict_jacobian": lambda posterior: posterior.predict_jacobian(X)[0],
    "covariance": lambda posterior: posterior.covariance(X),
    "influence": lambda posterior: posterior.influence(),
    "leave_one_out": lambda posterior: posterior.leave_one_out()[0],
    "sample": lambda posterior: posterior.sample(2),
    "log_density": lambda posterior: posterior.log_density(X, T),
    "nic": lambda posterior: posterior.nic,
    "params_std": lambda posterior: posterior.params_std,
    "params_covariance": lambda posterior: posterior.params_covariance,
    "sandwich": lambda posterior: posterior.sandwich_covariance,
    "updated": lambda posterior: posterior.updated(X, T).log_evidence,
}


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("hessian", ["ggn", "diagonal"])
@pytest.mark.parametrize("name", ASKED)
def test_a_posterior_without_free_parameters_answers(name, hessian, standardize):
    options = {"noise_precision": 1.0, "hessian": hessian, "standardize": standardize}
    posterior = fastmlp.Laplace(NET, X, T, prior_precision=np.inf, **options)
    assert np.isfinite(ASKED[name](posterior)).all()
    assert np.isfinite(ASKED[name](pickle.loads(pickle.dumps(posterior)))).all()


def test_a_convolution_without_free_parameters_has_no_errors():
    net, images = fastmlp.Network([(1, 6), fastmlp.Conv(2, 3), 1], rng=0), np.random.default_rng(0).normal(size=(9, 6))
    posterior = fastmlp.Laplace(net, images, images[:, 0], prior_precision=np.inf, standardize=True)
    assert not posterior.params_std.any()


@pytest.mark.parametrize("hessian", ["ggn", "exact", "diagonal"])
@pytest.mark.parametrize("output", ["identity", "exp"])
def test_a_posterior_of_numbers_that_overflow_is_refused_by_name(output, hessian):
    net = network([3, 4, 2], output=output)
    given = {"noise_precision": 1.0} if output == "identity" else {}
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match=r"^posterior: expected .*finite"):
        fastmlp.Laplace(net, 1e3 * X, np.abs(T), prior_precision=1.0, hessian=hessian,
                        sample_weight=np.full(20, 1e307), **given)  # fmt: skip


@pytest.mark.parametrize("value", [2**40, -(10**9), 10**6])
@pytest.mark.parametrize("method", MINIBATCH)
def test_what_a_generator_shuffles_is_looked_at(method, value):
    class Hostile(np.random.Generator):
        def shuffle(self, x, axis=0):
            kept.append(x)
            x[-1] = value

    net, kept = network([3, 4, 1]), []
    X, T = data(net, 20)
    with pytest.raises(ValueError, match=r"^rng: expected a shuffle of the indices of 20 samples"):
        net.fit(X, T, method, max_iter=2, rng=Hostile(np.random.PCG64(0)))
    assert kept


@pytest.mark.parametrize("method", RESUMABLE)
def test_a_hook_may_take_away_what_a_warm_start_has_given(method):
    @numbers.Integral.register
    class Threads:
        def __index__(self):
            for value in list(result.state.values()):
                if isinstance(value, np.ndarray):
                    value.resize(0, refcheck=False)
            return 1

    net = network([3, 20, 1])
    X, T = data(net, 20)
    whole, parts = net.copy(), net.copy()
    whole.fit(X, T, method, max_iter=8, rng=0)
    result = parts.fit(X, T, method, max_iter=4, rng=0)
    parts.fit(X, T, method, max_iter=4, warm_start=result, n_threads=Threads())
    assert parts == whole
