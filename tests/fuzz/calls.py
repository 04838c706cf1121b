"""Target `calls`: a public call with arguments that are mostly right, some of them hostile: a result or a named error.

The same network and arrays are used before and after: what a call that is no fit has looked at, it has not changed.
"""

import re
import reprlib
import warnings

import numpy as np

import fastmlp
from fuzz import asked, trained
from fuzz.arguments import HookError, N, array, hostile, integer, name, odd, real
from fuzz.draws import Draws

#: all of ours, and of SciPy's, which go one way, two; in this order, by which bytes of the corpus choose
METHODS = ("lm", "adam", "sgd", "rprop", "scg", "lbfgs", "l-bfgs-b", "newton-cg", "auto")
SPENT = 0.3  # seconds, where a call takes a limit
NAMED = re.compile(r"[\w .,\[\]'()]+: .*expected ", re.DOTALL)
IN_USE = re.compile(r"(fit|fit_many|network): .*")  # a network that is being fitted, by a hook or a callback
NETS = (
    fastmlp.Network([3, 4, 2], rng=0),
    fastmlp.Network([3, 4, 2], rng=0, dtype="float32"),
    fastmlp.Network([3, 2], rng=0),
    fastmlp.Network([3, 5, 4, 2], ["relu", "sin"], "softmax", rng=0),
    fastmlp.Network([3, 4, 2], "elu", "logistic", rng=0, dtype="float32"),
    fastmlp.Network([3, 2, 2], "gelu", "exp", rng=0),
    fastmlp.Network([3, 4, 2], output="tanh", rng=0),
)


class World:
    """A network and samples, among them those that other arguments may change; arguments drawn by name."""

    small = fastmlp.Network([1, 1], rng=0)

    def __init__(self, draws):
        self.disturbed = False  # by a hook of an argument, or a callback
        self.draws, self.net = draws, draws.among(NETS).copy()
        rng = np.random.default_rng(0)
        self.good_X = rng.normal(size=(N, 3))
        self.good_T = rng.dirichlet(np.ones(2), N)
        self.X, self.T = (each.astype(self.net.dtype) for each in (self.good_X, self.good_T))

    def samples(self, *names):
        """X, T and more, exact arrays for the most part, and maybe weights and a number of threads."""
        drawn = {each: getattr(self, f"_{each}")() for each in ("X", "T", *names)}
        for each in ("sample_weight", "n_threads"):
            if self.draws.seldom():
                drawn[each] = getattr(self, f"_{each}")()
        return drawn

    def _X(self):
        return hostile(self.draws, self, self.X.copy()) if self.draws.seldom() else self.X

    def _T(self):
        return hostile(self.draws, self, self.T.copy()) if self.draws.seldom() else self.T

    def _sample_weight(self):
        return array(self.draws, self, (N,), np.random.Generator.random)

    def _sigma(self):
        return array(self.draws, self, self.draws.among(((N,), self.T.shape)), np.random.Generator.random)

    def _n_threads(self):
        return integer(self.draws, self)

    def vector(self):
        return array(self.draws, self, (self.net.n_params,))

    def array(self, *shape):
        return array(self.draws, self, shape)

    def integer(self, good=1):
        return integer(self.draws, self, good)

    def real(self, good=1.0):
        return real(self.draws, self, good)

    def name(self, *names):
        return name(self.draws, self, names)

    def callback(self):
        """What looks at the network while it is trained, or does more."""

        def called(*_):
            if self.draws.seldom():
                self.disturbed = True
                self.draws.among((self.net.initialize, lambda: self.net.fit(self.good_X, self.good_T),
                                  lambda: self.net.__init__([2, 1]), lambda: setattr(self.net, "params", 0),
                                  lambda: setattr(self.X, "shape", (-1,))))()  # fmt: skip
            return self.draws.among((None, False, True, *[odd(self.draws, self, None)]))

        return called

    def sometimes(self, **options):
        """Each option, if it is drawn."""
        return {key: draw() for key, draw in options.items() if self.draws.below(4) == 3}


def wrt(world):
    return {"wrt": world.name("inputs", "params"), "of": world.name("outputs", "logits")}


def fitted(world):
    given = world.samples()
    method = world.name(*METHODS)
    given |= {"method": method, "max_iter": world.integer(3), "time_limit": SPENT, "rng": 0}
    given |= world.sometimes(
        penalty=lambda: penalty(world), fixed=lambda: world.name("b1", "W1", "W1[:,0]"),
        validation=lambda: world.real(0.3),
        tied=lambda: [[world.name("W1[0,0]"), world.name("W1[0,1]")]], patience=lambda: world.integer(2),
        tol=lambda: world.real(1e-3), batch_size=lambda: world.integer(3), learning_rate=lambda: world.real(0.01),
        standardize=lambda: world.draws.among((True, False, *[odd(world.draws, world, None)])), callback=world.callback,
        rng=lambda: world.integer(0), warm_start=lambda: earlier(world, method),
        bounds=lambda: (world.real(-1.0), world.real(1.0)), momentum=lambda: world.real(0.5),
        maxcor=lambda: world.integer(3), max_iter=lambda: world.integer(2**40),
    )  # fmt: skip
    return world.net.fit, given


def earlier(world, method):
    """A result of the same method, one entry of its state edited."""
    try:
        result = world.net.copy().fit(world.good_X, world.good_T, method, max_iter=3, rng=0)
    except (ValueError, TypeError):
        return odd(world.draws, world, None)
    if isinstance(result.state, dict) and result.state:
        key = world.draws.among(sorted(result.state))
        value = result.state[key]
        result.state[key] = (
            array(world.draws, world, np.shape(value)) if isinstance(value, np.ndarray) else world.real(value)
        )
    return result


def penalty(world):
    return fastmlp.WeightDecay(world.real(0.1), world.array(2) if world.draws.seldom() else world.real(0.0))


def made(world):
    layers = [world.integer(size) for size in (3, 4, 2)]
    hidden, output, dtype = (
        world.name("tanh", "relu"),
        world.name("identity", "softmax"),
        world.name("float64", "float32"),
    )
    return fastmlp.Network, {"layers": layers if not world.draws.seldom() else world.array(3), "hidden": hidden,
                             "output": output, "dtype": dtype, "rng": world.integer(0),
                             "init": world.name("glorot", "he", "nguyen_widrow", "zeros")}  # fmt: skip


def restored(world):
    state = world.net.__getstate__()
    for _ in range(world.draws.below(3)):
        place = world.draws.among([each for each in (state, state["network"]) if isinstance(each, dict) and each])
        place[world.draws.among(sorted(place))] = world.draws.among((
            lambda: world.array(3), world.vector, world.integer, world.real, lambda: world.name("tanh"),
            lambda: [world.integer(3), world.name("tanh")],
        ))()  # fmt: skip
    return fastmlp.Network.__new__(fastmlp.Network).__setstate__, {"state": state}


def assigned(world):
    return (lambda value: setattr(world.net, "params", value)), {"value": world.vector()}


def decay(world):
    given = {"weights": world.real(), "biases": world.array(2) if world.draws.seldom() else world.real()}
    scale, form = world.real(), world.name("lambda", "alpha")
    return (lambda **given: fastmlp.WeightDecay(**given).rescaled(scale, form=form)), given


def objective(world):
    given = world.samples() | world.sometimes(
        penalty=lambda: penalty(world), noise_precision=world.real, fixed=lambda: world.name("b1", "W1"),
        tied=lambda: [[world.name("W1[0,0]"), world.name("W1[0,1]")]],
    )  # fmt: skip
    asked = world.draws.among(("value", "value_and_grad", "hess", "ggn", "normal_equations", "hessp", "residual_jac"))
    vectors = [world.vector() for _ in range(2 if asked == "hessp" else 1)]
    return (lambda **given: getattr(world.net.objective(**given), asked)(*vectors)), given


def operator(world):
    v = np.ones(world.net.n_params)  # SciPy looks at it
    return (lambda **given: world.net.hessian_operator(**given) @ v), world.samples() | {
        "kind": world.name("exact", "ggn")
    }


def posterior(world):
    given = world.samples() | {"prior_precision": world.real(1.0)}
    given |= world.sometimes(noise_precision=world.real, hessian=lambda: world.name("ggn", "exact", "diagonal"),
                             noise=lambda: world.name("per_output", "shared"))  # fmt: skip
    rows, asked = world._X(), world.draws.among(
        ("predict", "predict_jacobian", "extrapolation", "influence", "log_density", "sample")
    )  # fmt: skip

    def call(**given):
        laplace = fastmlp.Laplace(world.net, **given)
        if asked == "sample":
            return laplace.sample(world.integer(3))
        if asked == "log_density":
            return laplace.log_density(rows, world._T())
        return laplace.influence() if asked == "influence" else getattr(laplace, asked)(rows)

    return call, given


def evidence(world):
    given = world.samples() | {"net": world.net, "max_iter": 2, "time_limit": SPENT, "rng": world.integer(0)}
    return fastmlp.fit_evidence, given | world.sometimes(
        groups=lambda: world.name("layers", "all", "inputs"), n_starts=world.integer, prior_precision=world.real,
        noise_precision=world.real, tol=lambda: world.real(1e-4), callback=world.callback,
        hidden=lambda: [world.integer(2)], method=lambda: world.name("maximum", "fixed_point"),
        sigma=world._sigma, absolute_sigma=lambda: trained.maybe(world, True),
        noise=lambda: world.name("per_output", "shared", "known"),
    )  # fmt: skip


def many(world):
    nets = [world.net, world.net.copy(), world.small.copy()][: 2 + world.draws.seldom()]
    given = world.samples() | {"networks": nets, "max_iter": world.integer(3), "time_limit": SPENT}
    return fastmlp.fit_many, given | world.sometimes(
        method=lambda: world.name("lm", "lbfgs"), tol=lambda: world.real(1e-3), ftol=lambda: world.real(1e-8),
        penalty=lambda: [penalty(world), None], validation=lambda: world.real(0.3), maxcor=lambda: world.integer(3),
    )  # fmt: skip


def swept(world):
    given = world.samples() | {"hidden_sizes": [world.integer(2)], "n_starts": world.integer(2), "time_limit": SPENT,
                               "max_iter": world.integer(3), "rng": 0}  # fmt: skip
    return fastmlp.sweep, given | world.sometimes(
        folds=lambda: world.integer(2), validation=lambda: world.real(0.3), hidden=lambda: world.name("tanh"),
        output=lambda: world.name("identity", "softmax", "exp"),
        init=lambda: world.draws.among(("glorot", "he", "none", None, 1)),
    )  # fmt: skip


def least_squares(world):
    size, calls = world.draws.below(4), iter(range(2000))

    def residuals(x):
        if next(calls, None) is None:  # of a Jacobian that is none there may be as many steps as are asked for, 2^31
            raise HookError
        return world.array(4)

    return fastmlp.levenberg_marquardt, {
        "fun": residuals, "jac": lambda x: world.array(4, size), "x0": world.array(size),
        "max_iter": world.integer(5), "ftol": world.real(1e-14)}  # fmt: skip


def rescaled(world):
    method = world.draws.among((world.net.rescale_inputs, world.net.rescale_outputs))
    size = 3 if method == world.net.rescale_inputs else 2
    return method, {"scale": world.real() if world.draws.seldom() else world.array(size), "shift": world.array(size)}


def propagated(world):
    return fastmlp.propagate, {"net": world.net, "X": world._X(), "cov": world.array(3, 3)}


def drawn(world):
    return fastmlp.prior_samples, {"net": world.net, "precisions": world.real(), "X": world._X(), "n": world.integer(2)}


def checked(world):
    given = {"net": world.net, "X": world._X(), "T": world._T()}
    return fastmlp.check_derivatives, given | world.sometimes(
        step=lambda: world.real(1e-3), tol=lambda: world.real(1e-3), rng=world.integer
    )


KINDS = ("exact", "ggn", "empirical_fisher", "finite_difference", "backprop")
EVALUATIONS = {
    "predict": lambda world: (world.net.predict, {"X": world._X()} | world.sometimes(
        out=lambda: world.draws.among((lambda: np.empty((N, 2), world.net.dtype), lambda: world.array(N, 2)))(),
        n_threads=world.integer)),
    "loss": lambda world: (world.net.loss, world.samples()),
    "loss_and_grad": lambda world: (world.net.loss_and_grad, world.samples()),
    "sample_losses": lambda world: (world.net.sample_losses, world.samples()),
    "trace": lambda world: (world.net.trace, world.samples()),
    "jacobian": lambda world: (world.net.jacobian, {"X": world._X()} | wrt(world)),
    "value_and_jacobian": lambda world: (world.net.value_and_jacobian, {"X": world._X()} | wrt(world)),
    "jvp": lambda world: (world.net.jvp, {"X": world._X(), "v": world.vector()} | wrt(world)),
    "vjp": lambda world: (world.net.vjp, {"X": world._X(), "U": world.array(N, 2)} | wrt(world)),
    "input_hessian": lambda world: (world.net.input_hessian, {"X": world._X()}),
    "hessian": lambda world: (world.net.hessian, world.samples() | {"kind": world.name(*KINDS)}),
    "hessian_diagonal": lambda world: (world.net.hessian_diagonal, world.samples() | {"kind": world.name(*KINDS)}),
    "hessp": lambda world: (world.net.hessp, world.samples() | {"v": world.vector()}),
    "ggnp": lambda world: (world.net.ggnp, world.samples() | {"v": world.vector()}),
    "inverse_hessian": lambda world: (world.net.inverse_hessian, world.samples() | {
        "damping": world.real(), "kind": world.name(*KINDS), "method": world.name("cholesky", "sequential")}),
    "hessian_operator": operator, "objective": objective, "Laplace": posterior, "rescale": rescaled,
    "sensitivity": lambda world: (fastmlp.sensitivity, {"net": world.net, "X": world._X()}),
    "propagate": propagated, "prior_samples": drawn, "check_derivatives": checked, "Network": made,
    "WeightDecay": decay,     "levenberg_marquardt": least_squares, "__setstate__": restored,
}  # fmt: skip
CHANGES = {"fit": fitted, "params": assigned, "fit_evidence": evidence, "fit_many": many,
           "sweep": swept}  # fmt: skip
EVALUATIONS_LATER = trained.EVALUATIONS | {"other kinds": trained.of_other_kinds(EVALUATIONS | trained.EVALUATIONS)}
CALLS = EVALUATIONS | CHANGES | {"fit again": fitted} | EVALUATIONS_LATER | trained.CHANGES  # files name them by place,
CALLS |= asked.EVALUATIONS | asked.ESTIMATORS | asked.INVARIANCES | asked.EXCHANGED  # so that new ones come last
#: what these have looked at, they have not changed
UNCHANGING = {*EVALUATIONS, *EVALUATIONS_LATER, *asked.EVALUATIONS, *asked.EXCHANGED}


def described(net, which, given):
    return f"{which} of {net!r} with " + ", ".join(f"{key}={brief(value)}" for key, value in given.items())


def brief(value):
    try:
        return reprlib.repr(value)
    except Exception:  # of a hook, or a number of too many digits
        return type(value).__name__


def run(content, tell=None):
    """One call; what is called is told before."""
    draws = Draws(content)
    which = draws.among(list(CALLS))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        world = World(draws)
        try:
            function, given = CALLS[which](world)
        except (HookError, TypeError, ValueError, RuntimeError, MemoryError):  # of arguments that the library makes
            return
        text = described(world.net, which, given)
        if tell:
            tell(text)
        params = world.net.params
        try:
            function(**given)
        except (HookError, MemoryError):
            pass
        except (TypeError, ValueError, RuntimeError) as error:
            form = IN_USE if isinstance(error, RuntimeError) else NAMED
            if not form.match(str(error)) and which not in asked.WITH_SCIKIT_LEARN:  # which has words of its own
                raise AssertionError(f"an error without a name: {text}") from error
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {text}") from error
        assert which not in UNCHANGING or world.disturbed or np.array_equal(world.net.params, params), text
        world.net.predict(np.zeros((1, world.net.layers[0]), world.net.dtype))
