"""Target `calls`, what is done with trained networks: terms, posteriors, pruning; and layers of other kinds."""

import numpy as np

import fastmlp
from fuzz.arguments import odd
from specimens import Averages, Diagonal

OTHER_KINDS = (
    fastmlp.Network([3, 4, Diagonal(), 2], rng=0),
    fastmlp.Network([3, 4, Averages(2), 2], "sin", rng=0, dtype="float32"),
    fastmlp.Network([3, Diagonal(), 2], output="softmax", rng=0),
)


def maybe(world, option):
    """True or False, or something that is neither."""
    return odd(world.draws, world, None) if world.draws.seldom() else option


# ---- terms ----


class Own:
    """A term whose answers may be anything."""

    def __init__(self, world):
        self.world = world

    def value(self, params):
        return self.world.real(0.0)

    def value_and_grad(self, params):
        return self.world.draws.among(
            (lambda: (self.world.real(0.0), self.world.vector()), lambda: self.world.real())
        )()

    def hess(self, params):
        return self.world.array(params.size, params.size)


def by_group(world):
    names = ("W1", "b1", "W1[:,0]", "W2[0,:]")
    return fastmlp.WeightDecay({world.name(*names): world.real(0.1) for _ in range(2)}, world.real(0.0))


def quadratic(world):
    n = world.net.n_params
    symmetric = np.diag(np.arange(n, dtype=float))
    precision = world.draws.among((world.real, world.vector, lambda: symmetric, lambda: world.array(n, n)))()
    return fastmlp.Quadratic(world.vector(), np.abs(precision) if isinstance(precision, np.ndarray) else precision)


def decay(world):
    return fastmlp.WeightDecay(world.real(0.1), world.real(0.1))


def terms(world):
    """A penalty of any kind."""
    make = world.draws.among((decay, decay, by_group, quadratic, Own, lambda world: decay(world) + quadratic(world)))
    return make(world)


def objective(world):
    given = world.samples() | {"penalty": terms(world)}
    asked = world.draws.among(("value_and_grad", "hess", "hessp", "residuals", "residual_jac", "normal_equations"))
    vectors = [world.vector() for _ in range(2 if asked == "hessp" else 1)]
    given |= world.sometimes(sigma=world._sigma)
    return (lambda **given: getattr(world.net.objective(**given), asked)(*vectors)), given


def fitted(world):
    method = world.name("lm", "lbfgs", "scg", "auto", "slsqp", "trust-exact")
    given = world.samples() | {"penalty": terms(world), "method": method, "max_iter": 3}
    return world.net.fit, given | world.sometimes(sigma=world._sigma, noise=lambda: world.name("shared", "per_output"))


# ---- posteriors ----


def posterior(world):
    given = world.samples() | {"penalty": terms(world)}
    given |= world.sometimes(noise_precision=world.real, standardize=lambda: maybe(world, True))
    asked = world.draws.among(("log_evidence", "leave_one_out", "predict", "sample"))
    given |= world.sometimes(sigma=world._sigma, absolute_sigma=lambda: maybe(world, True))

    def call(**given):
        laplace = fastmlp.Laplace(world.net, **given)
        what = getattr(laplace, asked)
        return what(world._X()) if asked == "predict" else what() if callable(what) else what

    return call, given


def updated(world):
    known = fastmlp.Laplace(world.net, world.good_X, world.good_T, prior_precision=1.0)
    given = {name: value for name, value in world.samples("sample_weight").items() if name != "n_threads"}

    def call(**given):
        newer = known.updated(**given)
        return newer.log_evidence, newer.updated(world.good_X, world.good_T).params_std

    return call, given


# ---- pruning ----


def masked(world):
    """A network of which something has been deleted already, or none of it."""
    if world.draws.below(2):
        world.net.weights[0][..., 1] = 0.0
        state = world.net.__getstate__()
        pruned = np.zeros(world.net.n_params, bool)
        pruned[world.draws.among(([0, 3], [1], slice(None)))] = True
        state["params"][pruned] = 0.0
        world.net = fastmlp.Network.__new__(fastmlp.Network)
        world.net.__setstate__(state | {"pruned": pruned})
    return world.net


def what(world):
    names = ("weights", "units", "inputs")
    return world.draws.among((
        lambda: world.name(*names), lambda: [world.name("W1[:,0]", "b1"), world.name("W1[0,1]", "b2")],
        lambda: [world.array(2), [world.integer(3)]], lambda: world.array(world.net.n_params),
    ))()  # fmt: skip


def deleting(world):
    """Network, samples, and the arguments that `prune` and `saliencies` share."""
    given = {"net": masked(world)} | world.samples() | {"penalty": terms(world)}
    return given | world.sometimes(
        method=lambda: world.name("obs", "obd", "magnitude", "evidence"), what=lambda: what(world),
        hessian=lambda: world.name("exact", "ggn"), standardize=lambda: maybe(world, True), noise_precision=world.real,
    )  # fmt: skip


def pruned(world):
    given = deleting(world) | {"max_iter": world.integer(3), "time_limit": 0.3}
    given |= world.sometimes(
        keep=lambda: world.name("b1", "W1"), n_params=lambda: world.integer(20), max_rise=world.real,
        stop=lambda: world.draws.among((lambda: world.name("evidence", "bic", "nic"), world.callback))(),
        validation=lambda: (world._X(), world._T()), at_once=lambda: world.real(0.1), tol=lambda: world.real(1e-3),
        retrain=lambda: maybe(world, False), callback=world.callback,
    )  # fmt: skip
    if world.draws.seldom():
        known = fastmlp.Laplace(world.net, world.good_X, world.good_T, prior_precision=1.0)
        given = {name: value for name, value in given.items() if name not in ("X", "T", "penalty")} | {"net": known}

    def call(**given):
        path = fastmlp.prune(**given)
        return path.table(), fastmlp.compact(path.best), path.network(0).unprune(), path.fixed(path.best_step)

    return call, given


def saliencies(world):
    def call(**given):
        found = fastmlp.saliencies(**given)
        return found.table(), list(found.params), found.data_rise, found.evidence_gain

    return call, deleting(world)


def compacted(world):
    net = masked(world)

    def call(net, X):
        small, inputs = fastmlp.compact(net)
        return small.predict(np.asarray(world.good_X[:, inputs])), net.predict(X)

    return call, {"net": net, "X": world._X()}


def assigned(world):
    net = masked(world)

    def call(value):
        net.params = value
        net.unprune()

    return call, {"value": world.vector()}


def refitted(world):
    return fastmlp.refit, {"net": masked(world)} | world.samples() | world.sometimes(
        penalty=lambda: terms(world), fixed=lambda: world.name("b1", "W1[:,0]"), tol=lambda: world.real(1e-3),
        standardize=lambda: maybe(world, True),
    )  # fmt: skip


# ---- other kinds of layers ----


def of_other_kinds(calls):
    """One of these calls, for a network whose layers are not all dense."""

    def drawn(world):
        world.net = world.draws.among(OTHER_KINDS).copy()
        world.X, world.T = (each.astype(world.net.dtype) for each in (world.good_X, world.good_T))
        return world.draws.among(list(calls.values()))(world)

    return drawn


EVALUATIONS = {"objective of terms": objective, "Laplace of terms": posterior, "updated": updated, "prune": pruned,
               "saliencies": saliencies, "compact": compacted}  # fmt: skip
CHANGES = {"fit with terms": fitted, "refit": refitted, "params of pruned": assigned}
