"""Terms of one's own: objectives and fits with them, against formulas and weight decay."""

import pickle
import traceback

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from cases import FULL_BATCH, MINIBATCH, OWN, WITHOUT_GRADIENT, data, network, relative_error
from fastmlp import Quadratic, Sum, WeightDecay


class Quartic:
    """sum_i a_i w_i^4 + a_i/2 w_i^2, which counts its calls."""

    def __init__(self, a):
        self.a, self.calls = a, []

    def value(self, w):
        self.calls.append("value")
        return np.sum(self.a * (w**4 + w**2 / 2))  # complex w too

    def value_and_grad(self, w):
        self.calls.append("value_and_grad")
        return np.sum(self.a * (w**4 + w**2 / 2)), self.a * (4 * w**3 + w)


class WithProduct(Quartic):
    def hessp(self, w, v):
        self.calls.append("hessp")
        return self.a * (12 * w**2 + 1) * v


class WithMatrix(Quartic):
    def hess(self, w):
        self.calls.append("hess")
        return np.diag(self.a * (12 * w**2 + 1))


class Decay:
    """Weight decay as somebody would write it."""

    def __init__(self, decay):
        self.decay = decay

    def value(self, w):
        return self.value_and_grad(w)[0]

    def value_and_grad(self, w):
        return 0.5 * float(self.decay @ w**2), self.decay * w

    def hess(self, w):
        return np.diag(self.decay)


class Broken(WithMatrix):
    """A term that answers something else from the tenth time on that it is asked for its value."""

    def __init__(self, a, answer):
        super().__init__(a)
        self.answer = answer

    def value(self, w):
        return self.value_and_grad(w)[0]  # which the compiled lm asks for in its trials

    def value_and_grad(self, w):
        pair = super().value_and_grad(w)
        return pair if self.calls.count("value_and_grad") < 10 else self.answer(*pair)


def problem(layers=(2, 3, 1), dtype="float64", **options):
    net = network(list(layers), dtype=dtype, **options)
    X, T = data(net, 40)
    return net, X, T, np.random.default_rng(3).uniform(0.1, 0.5, net.n_params)


# ---- the objective ----


@pytest.mark.parametrize("kind", [Quartic, WithProduct, WithMatrix])
@pytest.mark.parametrize("free", [{}, {"fixed": "b1", "tied": [{"W1[0,:]": 1.0, "W1[1,:]": -2.0}]}])
def test_the_objective_is_the_sum_of_its_terms_seen_through_the_free_map(kind, free):
    net, X, T, a = problem()
    plain = net.objective(X, T, penalty=WeightDecay(0.1), **free)
    both = net.objective(X, T, penalty=WeightDecay(0.1) + kind(a), **free)
    p = plain.x0 + 0.1
    J = np.column_stack([plain.expand(p + e) - plain.expand(p) for e in np.eye(p.size)])
    w = plain.expand(p)
    slope, curvature = J.T @ (a * (4 * w**3 + w)), J.T @ np.diag(a * (12 * w**2 + 1)) @ J
    value = np.sum(a * (w**4 + w**2 / 2))
    tolerance = 1e-9 if kind is Quartic else 1e-13
    assert both.value(p) == pytest.approx(plain.value(p) + value, rel=1e-14)
    assert both.penalty_value(p) == pytest.approx(plain.penalty_value(p) + value, rel=1e-14)
    assert relative_error(both.grad(p), plain.grad(p) + slope) < 1e-13
    for name in ("hess", "ggn"):
        assert relative_error(getattr(both, name)(p), getattr(plain, name)(p) + curvature) < tolerance
    V = np.random.default_rng(0).normal(size=(p.size, 3))
    assert relative_error(both.hessp(p, V), both.hess(p) @ V) < max(tolerance, 1e-12)
    assert relative_error(both.ggnp(p, V[:, 0]), both.ggn(p) @ V[:, 0]) < max(tolerance, 1e-12)
    equations = both.normal_equations(p)
    assert equations[0] == pytest.approx(both.value(p), rel=1e-14)
    assert relative_error(equations[1], both.grad(p)) < 1e-13
    assert np.array_equal(equations[2], both.ggn(p))
    assert np.array_equal(both.hess(p), both.hess(p).T)


def test_derivatives_are_those_of_differences_and_of_the_complex_step():
    net, X, T, a = problem()
    objective = net.objective(X, T, penalty=WithMatrix(a) + WeightDecay(0.2) + Quadratic(net.params + 1, a))
    p, h = objective.x0, 1e-5
    ends = [[objective.value_and_grad(p + sign * h * e) for e in np.eye(p.size)] for sign in (1, -1)]
    slopes = [(up[0] - down[0]) / (2 * h) for up, down in zip(*ends, strict=True)]
    matrix = [(up[1] - down[1]) / (2 * h) for up, down in zip(*ends, strict=True)]
    assert relative_error(objective.grad(p), np.array(slopes)) < 1e-8
    assert relative_error(objective.hess(p), np.array(matrix)) < 1e-8
    term = Quartic(a)
    by_complex_step = np.array([term.value(p + 1e-30j * e).imag / 1e-30 for e in np.eye(p.size)])
    assert relative_error(net.objective(X, T, penalty=term).grad(p) - net.objective(X, T).grad(p), by_complex_step) < (
        1e-12
    )


def test_a_term_is_asked_as_often_as_the_objective():
    net, X, T, a = problem()
    term = WithMatrix(a)
    objective = net.objective(X, T, penalty=term)
    objective.value(objective.x0)
    objective.value_and_grad(objective.x0)
    assert objective.penalty_value(objective.x0) == pytest.approx(term.value(objective.x0))
    objective.hess(objective.x0)
    assert term.calls == ["value", "value_and_grad", "value", "hess"]


def test_a_term_may_do_as_it_likes_with_its_parameters():
    class Greedy(Quartic):
        def value_and_grad(self, w):
            pair = super().value_and_grad(w)
            w[:] = np.nan
            return pair

    net, X, T, a = problem()
    greedy, plain = (net.objective(X, T, penalty=Sum(kind(a), WithMatrix(a))) for kind in (Greedy, Quartic))
    p = plain.x0
    assert greedy.value_and_grad(p)[0] == plain.value_and_grad(p)[0]
    assert np.array_equal(p, plain.x0)


def test_residuals_of_terms_that_have_them():
    net, X, T, a = problem()
    A = np.cov(np.random.default_rng(0).normal(size=(net.n_params, 50)))
    for precision in (0.3, a, A):
        objective = net.objective(X, T, penalty=WeightDecay(0.1) + Quadratic(net.params + 1, precision), fixed="b1")
        p = objective.x0 + 0.1
        r, J = objective.residuals(p), objective.residual_jac(p)
        assert 0.5 * r @ r == pytest.approx(objective.value(p), rel=1e-12)
        assert relative_error(J.T @ r, objective.grad(p)) < 1e-12
    with pytest.raises(TypeError, match=r"penalty: expected terms with residuals and residual_jac, got Quartic"):
        net.objective(X, T, penalty=Quartic(a)).residuals(net.params)


def test_objectives_with_terms_are_pickled():
    net, X, T, a = problem()
    objective = net.objective(X, T, penalty=Quartic(a) + Quadratic(net.params, 2.0), fixed="b1")
    again = pickle.loads(pickle.dumps(objective))
    assert again.value(objective.x0 + 1) == objective.value(objective.x0 + 1)


# ---- fits ----


@pytest.mark.parametrize("kind", [Quartic, WithMatrix])
@pytest.mark.parametrize("method", FULL_BATCH)
def test_every_full_batch_method_comes_to_the_optimum(method, kind):
    net, X, T, a = problem()
    term = kind(a)
    result = net.fit(X, T, method, penalty=term, max_iter=5000, tol=1e-6)
    objective = net.objective(X, T, penalty=kind(a))
    assert result.success
    assert np.abs(objective.grad(net.params)).max() <= 1e-6
    assert np.linalg.eigvalsh(objective.hess(net.params)).min() > 0
    assert result.fun == pytest.approx(objective.value(net.params), rel=1e-14)
    assert result.history["train_loss"][-1] == pytest.approx(net.loss(X, T) / 40, rel=1e-9)
    asked = sum(call.startswith("value") for call in term.calls)
    if kind is WithMatrix and method in (*OWN, "l-bfgs-b"):
        assert asked == result.nfev + 1  # the result's own


@pytest.mark.parametrize("method", WITHOUT_GRADIENT)
def test_methods_without_gradients_ask_for_values(method):
    net, X, T, a = problem([1, 1])
    net.fit(X, T, method, penalty=Quartic(a), max_iter=2000)
    best = scipy.optimize.minimize(net.objective(X, T, penalty=Quartic(a)).value, net.params).fun
    assert net.objective(X, T, penalty=Quartic(a)).value(net.params) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
@pytest.mark.parametrize("free", [{}, {"fixed": "b2", "tied": ["W2"]}])
def test_compiled_solvers_make_the_steps_that_they_make_with_weight_decay(method, free, dtype):
    net, X, T, _ = problem(dtype=dtype)
    decay = WeightDecay(2.0, 1.0)
    own = net.copy()
    expected = net.fit(X, T, method, penalty=decay, **free)
    found = own.fit(X, T, method, penalty=Decay(decay.diagonal(net._architecture)), **free)
    assert found.success
    assert expected.success
    assert (found.nit, found.nfev, found.nhev) == (expected.nit, expected.nfev, expected.nhev)
    assert found.fun == pytest.approx(expected.fun, rel=1e-12)
    assert relative_error(own.params, net.params) < (1e-6 if dtype == "float64" else 1e-4)


def test_large_networks_go_without_matrices():
    net, X, T, a = problem([40, 80, 1])
    assert net.n_params > 3000
    result = net.fit(X, T, "lm", penalty=WithProduct(a), max_iter=300)
    assert result.success


@pytest.mark.parametrize("method", ["lm", "lbfgs", "trust-krylov"])
def test_an_objective_is_a_term_samples_from_another_source(method):
    net, X, T, _ = problem()
    at_once, decay = net.copy(), WeightDecay(1.0, 1.0)
    other = net.objective(X[25:], T[25:], penalty=decay)
    found = net.fit(X[:25], T[:25], method, penalty=other)
    expected = at_once.fit(X, T, method, penalty=decay, tol=1e-9)
    assert found.fun == pytest.approx(expected.fun, rel=1e-12)
    assert relative_error(net.params, at_once.params) < 1e-6
    if method == "lm":
        assert abs(found.nit - expected.nit) <= 1  # of another tol
    r = net.objective(X[:25], T[:25], penalty=other).residuals(net.params)
    assert 0.5 * r @ r == pytest.approx(found.fun, rel=1e-12)


def test_standardised_problems_have_the_term_in_their_units():
    net, X, T, a = problem()
    mapped, scale, target = net.copy(), X.std(0), T.std()
    result = net.fit(5 * X + 2, 3 * T - 1, "lm", penalty=WithMatrix(a), standardize=True, tol=1e-9)
    same = mapped.fit((X - X.mean(0)) / scale, (T - T.mean()) / target, "lm", penalty=WithMatrix(a), tol=1e-9)
    assert result.fun == pytest.approx(same.fun, rel=1e-9)


def test_warm_starts_go_on():
    net, X, T, a = problem()
    once, twice = net.copy(), net.copy()
    for method in OWN:
        once.fit(X, T, method, penalty=WithMatrix(a), max_iter=6, tol=0)
        first = twice.fit(X, T, method, penalty=WithMatrix(a), max_iter=3, tol=0)
        twice.fit(X, T, method, penalty=WithMatrix(a), max_iter=3, tol=0, warm_start=first)
        assert once == twice


def test_auto_takes_what_the_terms_allow():
    net, X, T, a = problem()
    assert net.copy().fit(X, T, penalty=WithMatrix(a), max_iter=1).method == "lm"
    assert net.copy().fit(X, T, penalty=Quadratic(net.params, a), max_iter=1).method == "lm"
    assert net.copy().fit(X, T, penalty=WeightDecay(1) + Quartic(a), max_iter=1).method == "lbfgs"


def test_many_networks_and_sweeps():
    net, X, T, a = problem()
    networks = [net.copy() for _ in range(3)]
    penalties = [WithMatrix(a), WeightDecay(0.1), None]
    results = fastmlp.fit_many(networks, X, T, penalty=penalties)
    for penalty, result in zip(penalties, results, strict=True):
        alone = net.copy().fit(X, T, "lm", penalty=penalty, max_iter=500)
        assert result.fun == pytest.approx(alone.fun, rel=1e-9)
    sweep = fastmlp.sweep(X, T, [3], 2, 0.2, penalties=[Quadratic(np.zeros(13), 0.1), WeightDecay(0.1, 0.1)], rng=0)
    assert sweep.runs[0].fun == pytest.approx(sweep.runs[2].fun, rel=1e-8)
    assert "Quadratic(13 parameters" in str(sweep)


# ---- what goes wrong ----


def test_what_cannot_work_is_refused():
    net, X, T, a = problem()
    with pytest.raises(TypeError, match=r"penalty: expected a fastmlp.WeightDecay or a fastmlp.Term, with the methods"):
        net.objective(X, T, penalty=0.1)
    with pytest.raises(TypeError, match=r"penalty: expected a fastmlp.WeightDecay or a fastmlp.Term"):
        net.fit(X, T, penalty=Quartic)
    for method in MINIBATCH:
        with pytest.raises(TypeError, match=f"penalty: expected a fastmlp.WeightDecay, .* or None with {method}, got"):
            net.fit(X, T, method, penalty=Quartic(a))
    with pytest.raises(TypeError, match=r"penalty: expected a fastmlp.WeightDecay or fastmlp.Quadratic, or their sum"):
        fastmlp.Laplace(net, X, T, penalty=WeightDecay(0.1) + Quartic(a))
    with pytest.raises(ValueError, match="penalty: expected a network of 2 parameters, as the center of the Quadratic"):
        net.fit(X, T, penalty=Quadratic([1.0, 2.0], 1.0))
    with pytest.raises(TypeError):
        Quartic(a) + Quartic(a)


class NoNumber(int):
    """Somebody's own."""

    def __float__(self):
        return "none"


@pytest.mark.parametrize("method", [*OWN, "trust-krylov"])
@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda v, g: (np.nan, g), ValueError, "Broken: expected a value that is a number, or inf, got nan"),
        (lambda v, g: (v, g[1:]), ValueError, r"Broken.value_and_grad: expected shape \(13,\), got \(12,\)"),
        (lambda v, g: (v, g * np.nan), ValueError, "Broken.value_and_grad: expected finite numbers, got nan"),
        (lambda v, g: (v, 1j * g), TypeError, "Broken.value_and_grad: expected real numbers"),
        (lambda v, g: ("1", g), TypeError, "Broken: expected a real number for its value, got '1'"),
        (lambda v, g: (NoNumber(v), g), TypeError, "Broken: expected a real number for its value, got NoNumber"),
        (lambda v, g: [v, g], TypeError, "Broken.value_and_grad: expected a value and a gradient, got"),
    ],
)
def test_wrong_answers_are_named(method, answer, error, message):
    net, X, T, a = problem()
    with pytest.raises(error, match=message):
        net.fit(X, T, method, penalty=Broken(a, answer))


@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt])
@pytest.mark.parametrize("method", [*OWN, "bfgs"])
def test_exceptions_come_through_and_leave_the_latest_step(method, kind):
    def raise_it(value, gradient):
        raise kind("of the term")

    net, X, T, a = problem()
    start = net.objective(X, T, penalty=Quartic(a)).value(net.params)
    term = Broken(a, raise_it)
    with pytest.raises(kind, match="of the term") as caught:
        net.fit(X, T, method, penalty=term)
    assert term.calls.count("value_and_grad") == 10
    assert "raise_it" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert net.objective(X, T, penalty=Quartic(a)).value(net.params) < start
    assert net.fit(X, T, method, penalty=Quartic(a)).success  # as if nothing had been


@pytest.mark.parametrize("method", OWN)
def test_solvers_turn_back_where_a_term_is_infinite(method):
    class Barrier:
        """- sum ln w_i: all parameters stay positive."""

        def value(self, w):
            return -np.log(w).sum() if w.min() > 0 else np.inf

        def value_and_grad(self, w):
            return self.value(w), -1 / w

    net, X, T, _ = problem([2, 1])
    net.params = np.ones(net.n_params)
    with np.errstate(all="ignore"):
        result = net.fit(X, T, method, penalty=Barrier(), tol=1e-6)
    assert result.success
    assert net.params.min() > 0


# ---- sums ----


def test_sums_are_flat_and_keep_weight_decay_apart():
    one, other = WithMatrix(np.ones(13)), Quartic(np.ones(13))
    total = WeightDecay(0.5) + one + (Sum(other, one) + WeightDecay(biases=1.0))
    assert [type(part).__name__ for part in total.parts] == [
        "WeightDecay", "WithMatrix", "Quartic", "WithMatrix", "WeightDecay",
    ]  # fmt: skip
    net, X, T, _ = problem()
    objective = net.objective(X, T, penalty=total)
    assert np.array_equal(objective.decay, WeightDecay(0.5, 1.0).diagonal(net._architecture))
    assert len((one + WeightDecay(0.5)).parts) == 2
    assert isinstance(one, fastmlp.Term)
    assert not isinstance(1.0, fastmlp.Term)
