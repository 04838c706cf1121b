"""What may take a second: calls long enough to be broken off, and what has to be whole after that; see interrupt.py.

Every public call that has samples to go through, or steps to make: tests/test_every_call.py says which are left out.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import fastmlp


class Work(NamedTuple):
    """A long call, and whether everything is whole after it was broken off."""

    call: Callable[[], Any]
    intact: Callable[[], bool]


def samples(n_samples: int, inputs: Any, n_outputs: int = 1) -> tuple[Any, Any]:
    """Inputs, a number of them or a shape, and a smooth function of them with noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, math.prod(np.atleast_1d(inputs))))
    return X, np.sin(X[:, :1] + np.arange(n_outputs)) + 0.1 * rng.normal(size=(n_samples, n_outputs))


def asking(layers: list[Any], n_samples: int, call: Callable[[Any, Any, Any], Any]) -> Callable[[], Work]:
    """What only asks a network, and leaves it as it is."""

    def make() -> Work:
        net, (X, T) = fastmlp.Network(layers, rng=0), samples(n_samples, layers[0], layers[-1])
        before, few = net.copy(), net.predict(X[:10])
        return Work(lambda: call(net, X, T), lambda: net == before and np.array_equal(net.predict(X[:10]), few))

    return make


def training(layers: list[Any], n_samples: int, method: str, **options: Any) -> Callable[[], Work]:
    """A training without end; the network is no worse than at the start, and may be trained on."""

    def make() -> Work:
        net, (X, T) = fastmlp.Network(layers, rng=0), samples(n_samples, layers[0], layers[-1])
        start = net.copy()

        def call() -> None:
            net.params = start.params
            net.fit(X, T, method, **({"tol": 0.0, "max_iter": 10**6, "rng": 0} | options))

        def intact() -> bool:
            whole = bool(np.isfinite(net.params).all()) and net.loss(X, T) <= start.loss(X, T) * (1 + 1e-12)
            net.fit(X[:100], T[:100], method, max_iter=1)
            return whole

        return Work(call, intact)

    return make


def many(call: Callable[[list[Any], Any, Any], Any], layers: list[int], n: int, n_samples: int) -> Callable[[], Work]:
    """Many networks at once: each is at its start or lower."""

    def make() -> Work:
        X, T = samples(n_samples, layers[0], layers[-1])
        starts = [fastmlp.Network(layers, rng=seed) for seed in range(n)]
        networks = [net.copy() for net in starts]

        def begin() -> None:
            for net, start in zip(networks, starts, strict=True):
                net.params = start.params
            call(networks, X, T)

        return Work(
            begin, lambda: all(a == b or a.loss(X, T) < b.loss(X, T) for a, b in zip(networks, starts, strict=True))
        )

    return make


def posterior(
    layers: list[int], n_samples: int, call: Callable[[Any, Any, Any], Any], n_new: int = 0, **options: Any
) -> Callable[[], Work]:
    """What asks a posterior, which answers the same afterwards."""

    def make() -> Work:
        X, T = samples(n_samples, layers[0], layers[-1])
        net, decay = fastmlp.Network(layers, rng=0), fastmlp.WeightDecay(0.1, 0.1)
        net.fit(X, T, "lbfgs", penalty=decay, max_iter=30)
        own = fastmlp.Laplace(net, X, T, penalty=decay, **options)
        few, new = own.predict(X[:3])[1], samples(max(1, n_new), layers[0])[0]
        return Work(lambda: call(own, new, T), lambda: np.array_equal(own.predict(X[:3])[1], few))

    return make


def evidence(layers: list[int], n_samples: int, **options: Any) -> Callable[[], Work]:
    """The network is at its start, or trained: never broken off in between."""

    def make() -> Work:
        X, T = samples(n_samples, layers[0], layers[-1])
        start = fastmlp.Network(layers, rng=0)
        net = start.copy()

        def call() -> None:
            net.params = start.params
            fastmlp.fit_evidence(net, X, T, **({"max_iter": 1000, "tol": 1e-14, "rng": 0} | options))

        return Work(call, lambda: net == start)

    return make


def refitting(layers: list[int], n_samples: int) -> Callable[[], Work]:
    """From an optimum of other data; what is broken off leaves the network where it was."""

    def make() -> Work:
        X, T = samples(n_samples, layers[0], layers[-1])
        net = fastmlp.Network(layers, rng=0)
        net.fit(X[::2], T[::2], "lbfgs", penalty=DECAY, max_iter=300)
        start = net.copy()

        def call() -> None:
            net.params = start.params
            fastmlp.refit(net, X, T, penalty=DECAY, tol=0.0)

        return Work(call, lambda: net == start)

    return make


def squares(n_residuals: int, n_params: int) -> Callable[[], Work]:
    """Residuals of the user's own: sums of exponentials by a Jacobian of NumPy's."""

    def make() -> Work:
        rng = np.random.default_rng(0)
        A, t, x0 = rng.normal(size=(n_residuals, n_params)), rng.normal(size=n_residuals), np.zeros(n_params)

        def call() -> None:
            fastmlp.levenberg_marquardt(lambda x: np.tanh(A @ x) - t, lambda x: A / np.cosh(A @ x)[:, None] ** 2, x0)

        return Work(call, lambda: not x0.any())

    return make


def estimator(name: str, n_samples: int, **options: Any) -> Callable[[], Work]:
    """scikit-learn's face: a refit that is broken off leaves the fit before it."""

    def make() -> Work:
        X, T = samples(n_samples, 8)
        y = T[:, 0] if name == "MLPRegressor" else np.digitize(T[:, 0], [-0.5, 0.5])
        own = getattr(fastmlp, name)(random_state=0, **options).set_params(max_iter=2).fit(X[:200], y[:200])
        few = own.predict(X[:50])
        own.set_params(max_iter=10**6)

        def call() -> None:
            own.fit(X, y)
            few[...] = own.predict(X[:50])  # it was over before anything came

        return Work(call, lambda: np.array_equal(own.predict(X[:50]), few))

    return make


def for_ever(method: str) -> Callable[[list[Any], Any, Any], Any]:
    """`fit_many` without end."""
    return lambda nets, X, T: fastmlp.fit_many(nets, X, T, method, tol=0.0, ftol=0.0, max_iter=10**5)


def sweep(_: list[Any], X: Any, T: Any) -> None:
    """A long one."""
    fastmlp.sweep(X, T, [5, 50], n_starts=100, validation=0.3, tol=0.0, ftol=0.0, rng=0)


def draw(net: Any, X: Any, T: Any) -> None:
    """Networks from the prior, at many inputs."""
    fastmlp.prior_samples(net, [1.0] * 4, samples(3000, 1)[0], 3000, rng=0)


def laplace(net: Any, X: Any, T: Any) -> None:
    """A posterior whose noise is to be found."""
    fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(10.0, 10.0))


def classes(net: Any, X: Any, T: Any) -> None:
    """A posterior of labels: probabilities in closed form, and by draws."""
    net, new = fastmlp.Network(net.layers, output="softmax", rng=0), np.tile(X, (10, 1))
    own = fastmlp.Laplace(net, X, np.arange(len(X)) % T.shape[1], prior_precision=1.0)
    own.predict(new), own.predict(new, n_draws=300, rng=0)


def of_few_samples(net: Any, X: Any, T: Any) -> None:
    """A posterior held by rows; some parameters have no prior."""
    own = fastmlp.Laplace(net, X, T, penalty=fastmlp.WeightDecay(1.0), noise_precision=10.0)
    own.predict(X), own.params_std, own.sample(200, rng=0)


def saved(layers: list[int], n_samples: int) -> Callable[[], Work]:
    """A posterior saved and read again; the file is whole."""

    def make() -> Work:
        X, T = samples(n_samples, layers[0], layers[-1])
        own = fastmlp.Laplace(fastmlp.Network(layers, rng=0), X, T, prior_precision=1.0, noise_precision=10.0)
        folder, few = tempfile.TemporaryDirectory(), own.predict(X[:3])[1]
        path = f"{folder.name}/own"

        def call() -> None:
            for _ in range(10):
                own.save(path)
                fastmlp.load(path)

        return Work(call, lambda: bool(folder) and np.array_equal(fastmlp.load(path).predict(X[:3])[1], few))

    return make


def mixed(net: Any, X: Any, T: Any) -> None:
    """Several posteriors at once."""
    own = fastmlp.fit_evidence(net.copy(), X[:1000], T[:1000], n_starts=3, combine="average", max_iter=2, rng=0)
    own.predict(X), own.log_density(X, T)


def measured(net: Any, X: Any, T: Any) -> None:
    """A posterior of samples with errors that are known."""
    fastmlp.Laplace(net, X, T, prior_precision=1.0, sigma=np.linspace(0.5, 2.0, len(X)), absolute_sigma=True)


def pruned(**options: Any) -> Callable[[Any, Any, Any], Any]:
    """A path whose trainings are short, so that what is between them is seen."""
    return lambda net, X, T: fastmlp.prune(net, X, T, penalty=DECAY, max_iter=5, tol=1e9, **options)


def saliencies(net: Any, X: Any, T: Any) -> None:
    """Of all weights, with the networks after some deletions."""
    found = fastmlp.saliencies(net, X, T, penalty=DECAY)
    found.data_rise.sum()
    list(found.params[:200])


def not_definite(net: Any, X: Any, T: Any) -> None:
    """Fewer samples than parameters, and next to no penalty: the error says the smallest eigenvalue."""
    with contextlib.suppress(fastmlp.NotPositiveDefiniteError):
        fastmlp.saliencies(net, X, T, penalty=fastmlp.WeightDecay(0.0, 1.0))


def importances(net: Any, X: Any, T: Any) -> None:
    """By all methods."""
    fastmlp.importances(net, X, T, penalty=DECAY)


def lekprofile(net: Any, X: Any, T: Any) -> None:
    """Of long curves."""
    fastmlp.lekprofile(net, X, steps=20_000)


def estimator_path(net: Any, X: Any, T: Any) -> None:
    """A path of an estimator's."""
    own = fastmlp.MLPRegressor.from_network(net, alpha=1.0)
    own.prune_path(X, T[:, 0], max_iter=5, tol=1e9)


def objective(net: Any, X: Any, T: Any) -> None:
    """All that solvers of a caller's own ask for."""
    own = net.objective(X, T, penalty=DECAY)
    for _ in range(100):
        own.value(own.x0), own.grad(own.x0), own.value_and_grad(own.x0), own.residuals(own.x0)
        own.hess(own.x0), own.ggn(own.x0), own.normal_equations(own.x0), own.residual_jac(own.x0)


def images(n: int, call: Callable[[Any], Any]) -> Callable[[], Work]:
    """What looks at images of 28 x 28 pixels, and leaves them as they are."""

    def make() -> Work:
        X = np.random.default_rng(0).uniform(size=(n, 28 * 28))
        few = X[:10].copy()
        return Work(lambda: call(X), lambda: np.array_equal(X[:10], few))

    return make


FEATURES = ("CentralMoments", "HuMoments", "PowerSpectrum", "ZernikeMoments")


def features(X: Any) -> None:
    """All of them."""
    for name in FEATURES:
        getattr(fastmlp.features, name)().fit_transform(X)


def augmented(X: Any) -> None:
    """Copies by all that images may be."""
    change = fastmlp.invariance.RandomAffine(rotation=10) + fastmlp.invariance.Elastic(34, 4)
    fastmlp.invariance.augmented(X, np.zeros(len(X)), change, 3, rng=0)


DECAY = fastmlp.WeightDecay(1.0, 1.0)
ALONG = fastmlp.TangentPropagation("inputs", 0.1)
WIDE, CURVED, NARROW = [8, 100, 100, 1], [8, 60, 60, 1], [20, 20, 1]
IMAGES = [(1, 16, 16), fastmlp.Conv(8, 5), fastmlp.MaxPool(2), 1]
CALLS: dict[str, Callable[[], Work]] = {
    "predict": asking(WIDE, 1_500_000, lambda net, X, T: net.predict(X)),
    "loss_and_grad": asking(WIDE, 500_000, lambda net, X, T: net.loss_and_grad(X, T)),
    "sample_losses": asking(WIDE, 1_500_000, lambda net, X, T: net.sample_losses(X, T)),
    "trace": asking([300, 500, 500, 1], 20_000, lambda net, X, T: net.trace(X, T)),
    "jacobian": asking(NARROW, 1_000_000, lambda net, X, T: net.jacobian(X)),
    "value_and_jacobian": asking(NARROW, 1_000_000, lambda net, X, T: net.value_and_jacobian(X)),
    "jacobian by parameters": asking(NARROW, 300_000, lambda net, X, T: net.jacobian(X, wrt="params")),
    "input_hessian": asking(NARROW, 200_000, lambda net, X, T: net.input_hessian(X)),
    "hessian": asking(CURVED, 2_000, lambda net, X, T: net.hessian(X, T)),
    "hessian ggn": asking([20, 120, 1], 20_000, lambda net, X, T: net.hessian(X, T, "ggn")),
    "hessian differences": asking([8, 60, 1], 20_000, lambda net, X, T: net.hessian(X, T, "finite_difference")),
    "hessp": asking(WIDE, 300_000, lambda net, X, T: net.hessp(X, T, np.ones(net.n_params))),
    "hessian_diagonal": asking(WIDE, 100_000, lambda net, X, T: net.hessian_diagonal(X, T)),
    "inverse_hessian": asking([20, 120, 1], 20_000, lambda net, X, T: net.inverse_hessian(X, T, 0.1)),
    "check_derivatives": asking([8, 100, 20, 1], 3_000, lambda net, X, T: fastmlp.check_derivatives(net, X, T)),
    "sensitivity": asking(NARROW, 1_000_000, lambda net, X, T: fastmlp.sensitivity(net, X)),
    "propagate": asking(NARROW, 1_000_000, lambda net, X, T: fastmlp.propagate(net, X, np.eye(20))),
    "prior_samples": asking([1, 30, 1], 1, draw),
    "sgd": training([8, 50, 50, 1], 100_000, "sgd", learning_rate=1e-4),
    "adam": training(NARROW, 1_000_000, "adam", standardize=True),
    "rprop": training(WIDE, 100_000, "rprop"),
    "lm": training([8, 30, 30, 1], 5_000, "lm"),
    "lm, P = 2,901": training([27, 100, 1], 5_000, "lm"),
    "lm without matrices": training([27, 120, 1], 20_000, "lm"),
    "lbfgs": training(WIDE, 100_000, "lbfgs"),
    "scg": training(WIDE, 100_000, "scg"),
    "l-bfgs-b": training(WIDE, 20_000, "l-bfgs-b"),
    "bfgs": training([27, 80, 1], 5_000, "bfgs"),
    "slsqp": training([27, 15, 1], 5_000, "slsqp"),
    "trust-exact": training([27, 40, 1], 5_000, "trust-exact"),
    "trust-krylov": training(CURVED, 20_000, "trust-krylov"),
    "fit_many": many(for_ever("lm"), [8, 20, 1], 30, 3_000),
    "fit_many lbfgs": many(for_ever("lbfgs"), [8, 20, 1], 30, 3_000),
    "fit_many scg": many(for_ever("scg"), [8, 20, 1], 30, 3_000),
    "sweep": many(sweep, [8, 1], 1, 3_000),
    "levenberg_marquardt": squares(3_000, 800),
    "Chunks": asking([20, 50, 1], 400_000, lambda net, X, T: net.hessian(fastmlp.Chunks(X, T, rows=50_000))),
    "Laplace": asking([27, 60, 1], 5_000, laplace),
    "Laplace.predict": posterior([27, 50, 1], 3_000, lambda own, X, T: own.predict(X), 30_000),
    "Laplace.sample": posterior([27, 50, 1], 3_000, lambda own, X, T: own.sample(20_000, rng=0)),
    "Laplace.leave_one_out": posterior([27, 50, 1], 20_000, lambda own, X, T: own.leave_one_out()),
    "Laplace.updated": posterior([27, 50, 1], 3_000, lambda own, X, T: own.updated(X, T), 3_000),
    "prune": asking([27, 60, 1], 3_000, pruned()),
    "prune units": asking([27, 60, 1], 3_000, pruned(what="units")),
    "prune_path": asking([27, 60, 1], 3_000, estimator_path),
    "importances": asking([100, 20, 1], 30_000, importances),
    "lekprofile": asking([20, 100, 1], 3_000, lekprofile),
    "TangentPropagation": training([20, 50, 1], 100_000, "lbfgs", penalty=ALONG),
    "TangentPropagation lm": training([8, 30, 1], 3_000, "lm", penalty=ALONG),
    "Conv": training(IMAGES, 50_000, "lbfgs"),
    "Conv augmented": training(IMAGES, 50_000, "adam", augment=fastmlp.invariance.RandomShift(1.0, shape=(16, 16))),
    "Conv lm": training([(1, 8, 8), fastmlp.Conv(4, 3), fastmlp.AveragePool(2), 1], 3_000, "lm"),
    "Conv predict": asking(IMAGES, 200_000, lambda net, X, T: net.predict(X)),
    "Conv jacobian by parameters": asking(IMAGES, 20_000, lambda net, X, T: net.jacobian(X, wrt="params")),
    "Conv hessian": asking(IMAGES, 2_000, lambda net, X, T: net.hessian(X, T)),
    "lm, sigma": training([8, 30, 1], 20_000, "lm", sigma=np.linspace(0.5, 2.0, 20_000)),
    "Laplace, sigma": asking([27, 60, 1], 5_000, measured),
    "fit_evidence, sigma": evidence([27, 20, 1], 5_000, sigma=np.linspace(0.5, 2.0, 5_000)),
    "derivatives": training([20, 50, 1], 100_000, "lbfgs", derivatives=("inputs", np.zeros((100_000, 1, 20)))),
    "invariance": asking(WIDE, 300_000, lambda net, X, T: fastmlp.invariance.invariance(net, X, np.eye(8))),
    "tangents": images(10_000, lambda X: fastmlp.invariance.tangents(X, (28, 28))),
    "warp": images(60_000, lambda X: fastmlp.invariance.warp(X.reshape(-1, 28, 28), offset=(0.5, 0.5))),
    "augmented": images(20_000, augmented),
    "features": images(20_000, features),
    "jvp": asking(WIDE, 500_000, lambda net, X, T: net.jvp(X, np.ones(net.n_params))),
    "vjp": asking(WIDE, 500_000, lambda net, X, T: net.vjp(X, T)),
    "ggnp": asking(WIDE, 300_000, lambda net, X, T: net.ggnp(X, T, np.ones(net.n_params))),
    "loss": asking(WIDE, 1_000_000, lambda net, X, T: net.loss(X, T)),
    "hessian_operator": asking(WIDE, 300_000, lambda net, X, T: net.hessian_operator(X, T) @ np.ones(net.n_params)),
    "objective": asking([20, 50, 1], 20_000, objective),
    "Laplace.predict_jacobian": posterior([27, 50, 1], 3_000, lambda own, X, T: own.predict_jacobian(X), 20_000),
    "Laplace.covariance": posterior([27, 50, 1], 3_000, lambda own, X, T: own.covariance(X), 4_000),
    "Laplace.influence": posterior([27, 50, 1], 20_000, lambda own, X, T: own.influence(X), 20_000),
    "Laplace.log_density": posterior([27, 50, 1], 3_000, lambda own, X, T: own.log_density(X, X[:, :1]), 100_000),
    "saliencies": asking([27, 60, 1], 3_000, saliencies),
    "saliencies, not definite": asking([27, 60, 1], 800, not_definite),
    "refit": refitting([27, 60, 1], 3_000),
    "fit_evidence": evidence([27, 20, 1], 5_000),
    "fit_evidence n_starts": evidence([8, 20, 1], 3_000, n_starts=6),
    "fit_evidence hidden": evidence([8, 10, 1], 3_000, hidden=range(5, 40), n_starts=3),
    "fit_evidence, average": evidence([8, 20, 1], 3_000, n_starts=6, combine="average"),
    "fit_evidence of outputs": evidence([8, 20, 5], 3_000),
    "fit_evidence, wide": evidence([3_000, 3, 1], 600),
    "lm, wide": training([3_000, 3, 1], 800, "lm", penalty=DECAY),
    "Laplace, wide": asking([5_000, 2, 1], 1_000, of_few_samples),
    "Laplace of classes": asking([20, 20, 10], 3_000, classes),
    "Mixture": asking([8, 20, 1], 300_000, mixed),
    "posterior.save": saved([27, 100, 1], 3_000),
    "MLPRegressor.fit": estimator("MLPRegressor", 200_000, solver="adam", tol=0.0, n_iter_no_change=10**6),
    "MLPRegressor.fit n_init": estimator("MLPRegressor", 3_000, solver="lm", n_init=20, tol=0.0),
    "MLPRegressor.fit evidence": estimator(
        "MLPRegressor", 3_000, solver="lm", alpha="evidence", hidden_layer_sizes=(20,), tol=1e-14
    ),
    "MLPClassifier.fit": estimator("MLPClassifier", 100_000, solver="lbfgs", tol=0.0),
}
LAPACK = ("bfgs", "slsqp", "trust-exact", "levenberg_marquardt", "Laplace.updated")
