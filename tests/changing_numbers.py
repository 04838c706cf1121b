"""Public calls with real numbers by their names, each of which may be one that changes X when it is looked at."""

import numpy as np

import fastmlp
from changing import D, K, net_of, values
from fastmlp import MLPRegressor, invariance, schedules

DECAY = fastmlp.WeightDecay(1.0, 1.0)


class Real(float):
    """A number that gives an array another shape, or other numbers, whenever it is converted or compared."""

    def __new__(cls, value, target, change):
        result = super().__new__(cls, value)
        result.value, result.target, result.change = value, target, change
        return result

    def __float__(self):
        self.change(self.target)
        return self.value

    def _compared(self, _):
        self.change(self.target)
        return NotImplemented

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _compared
    __hash__ = float.__hash__


def fitted(method, **more):
    return lambda X, T, **options: net_of(X.dtype).fit(X, T, method, max_iter=2, rng=0, **more, **options).x


def following(X, T, derivative_weight):
    slopes = np.zeros((len(X), K, D))
    options = {"derivatives": ("inputs", slopes), "derivative_weight": derivative_weight, "max_iter": 2}
    return net_of(X.dtype).fit(X, T, "lbfgs", **options).x


def many(X, T, **options):
    return fastmlp.fit_many([net_of(X.dtype)], X, T, "lbfgs", max_iter=2, n_threads=1, **options)[0].x


def swept(X, T, **options):
    return fastmlp.sweep(X, T, (2,), 1, folds=2, max_iter=2, rng=0, n_threads=1, **options).runs[0].params


def evidence(X, T, **options):
    return fastmlp.fit_evidence(net_of(X.dtype), X, T, max_iter=2, rng=0, standardize=False, **options).params


def drawn(X, T, init):
    """Starting values of a network, of another one, and of further starts."""
    net = fastmlp.Network([D, 3, K], init=init, rng=0, dtype=X.dtype).initialize(init, rng=1)
    options = {"n_starts": 2, "rng": 0, "max_iter": 2, "init": init, "standardize": False}
    return np.concatenate([net.params, fastmlp.fit_evidence(net, X, T, **options).params])


def between(X, T, interval):
    own = fastmlp.Laplace(net_of(X.dtype), X, T, prior_precision=1.0, noise_precision=2.0)
    return own.predict(X, interval=interval)[1]


def between_of_several(X, T, interval):
    options = {"n_starts": 2, "combine": "average", "max_iter": 2, "rng": 0, "standardize": False}
    own = fastmlp.fit_evidence(net_of(X.dtype), X.copy(), T.copy(), **options)
    return own.predict(X, interval=interval)[1]


def pruned(X, T, **options):
    return fastmlp.prune(net_of(X.dtype), X, T, penalty=DECAY, n_params=18, max_iter=2, **options).best.params


def saliencies(X, T, **options):
    return fastmlp.saliencies(net_of(X.dtype), X, T, penalty=DECAY, **options).rise


def refitted(X, T, **options):
    net = net_of(X.dtype)
    return fastmlp.refit(net, X, T, penalty=fastmlp.WeightDecay(9.0, 9.0), **options).x


def along(X, T, weight):
    penalty = DECAY + fastmlp.TangentPropagation(np.eye(D), weight)
    return net_of(X.dtype).fit(X, T, "lm", penalty=penalty, max_iter=2).x


def changed(kind):
    """Copies of X by a random change of that kind."""
    return lambda X, T, **options: invariance.augmented(X, T, kind(shape=(1, D), **options), 2, rng=0)[0]


def checked(X, T, **options):
    return np.array([fastmlp.check_derivatives(net_of(X.dtype), X, T, **options).passed])


def squares(X, T, **options):
    residuals = lambda x: X.reshape(-1)[:4] * x - 1  # noqa: E731
    return fastmlp.levenberg_marquardt(residuals, lambda x: np.diag(values(9, "f8")["v"][:4]), np.ones(4), **options).x


def scheduled(make):
    return lambda X, T, **options: (
        net_of(X.dtype).fit(X, T, "sgd", learning_rate=make(**options), batch_size=8, max_iter=2, rng=0).x
    )


def estimated(solver, **more):
    def call(X, T, **options):
        more_options = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0, "batch_size": 1}
        own = MLPRegressor(solver=solver, **more_options | more | options)
        return own.fit(X, T).network_.params

    return call


LIMITS = {"tol": 1e-3, "ftol": 1e-9, "time_limit": 60.0}
CALLS = {
    "adam": (fitted("adam", batch_size=8), {"learning_rate": 0.01, "tol": 1e-3, "time_limit": 60.0}),
    "lm": (fitted("lm"), {"tol": 1e-3, "time_limit": 60.0}),
    "derivatives": (following, {"derivative_weight": 0.5}),
    "fit_many": (many, LIMITS), "sweep": (swept, LIMITS), "starting values": (drawn, {"init": 0.3}),
    "fit_evidence": (evidence, {"prior_precision": 1.0, "noise_precision": 2.0, "tol": 1e-3, "time_limit": 60.0}),
    "prune": (pruned, {"noise_precision": 2.0, "max_rise": 9.0, "at_once": 0.1, "tol": 1e-3, "time_limit": 60.0}),
    "interval": (between, {"interval": 0.9}), "interval of a mixture": (between_of_several, {"interval": 0.9}),
    "saliencies": (saliencies, {"noise_precision": 2.0}), "refit": (refitted, {"tol": 1e-3}),
    "TangentPropagation": (along, {"weight": 0.1}),
    "inverse_hessian": (lambda X, T, **options: net_of(X.dtype).inverse_hessian(X, T, **options), {"damping": 2.0}),
    "check_derivatives": (checked, {"step": 1e-2, "tol": 0.1}),
    "Elastic": (changed(invariance.Elastic), {"alpha": 1.0, "sigma": 1.0}),
    "RandomAffine": (changed(invariance.RandomAffine), {"shift": 1.0, "rotation": 5.0, "scale": 0.1, "shear": 0.1}),
    "RandomShift": (changed(invariance.RandomShift), {"shift": 1.0}),
    "TimeShift": (changed(invariance.TimeShift), {"shift": 1.0}),
    "TimeWarp": (changed(invariance.TimeWarp), {"alpha": 1.0, "sigma": 1.0}),
    "tangents": (lambda X, T, **options: invariance.tangents(X, (1, D), **options), {"sigma": 0.9, "step": 0.01}),
    "levenberg_marquardt": (squares, {"ftol": 1e-8, "xtol": 1e-8, "gtol": 1e-8}),
    "cosine_decay": (scheduled(lambda **options: schedules.cosine_decay(n_epochs=3, **options)),
                     {"initial": 0.01, "final": 0.001}),
    "exponential_decay": (scheduled(schedules.exponential_decay), {"initial": 0.01, "factor": 0.9}),
    "inverse_time_decay": (scheduled(schedules.inverse_time_decay), {"initial": 0.01, "decay": 0.9}),
    "step_decay": (scheduled(lambda **options: schedules.step_decay(every=1, **options)),
                   {"initial": 0.01, "factor": 0.9}),
    "estimator by adam": (estimated("adam"), {"alpha": 0.1, "learning_rate_init": 0.01, "tol": 1e-3, "beta_1": 0.8,
                                              "beta_2": 0.9, "epsilon": 1e-8, "n_iter_no_change": 5.0}),
    "estimator by sgd": (estimated("sgd", learning_rate="invscaling"), {"power_t": 0.5, "momentum": 0.5}),
}  # fmt: skip
