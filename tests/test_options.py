"""Bad names, numbers and other options: refused as bad arrays are, see test_validation.py."""

import numpy as np
import pytest

import fastmlp
from complaints import DERIVATIVES, EVALUATIONS, NET, NETS, T, X, complaint
from fastmlp.model.activations import HIDDEN, OUTPUT

# ---- Network ----

BAD_NETWORKS = [
    ({"layers": 3}, TypeError, "layers", "got 3"),
    ({"layers": None}, TypeError, "layers", "got None"),
    ({"layers": "31"}, TypeError, "layers", "got '31'"),
    ({"layers": b"31"}, TypeError, "layers", "got b'31'"),
    ({"layers": {3, 1}}, TypeError, "layers", "got {"),
    ({"layers": []}, ValueError, "layers", "got []"),
    ({"layers": [3]}, ValueError, "layers", "got [3]"),
    ({"layers": [0, 1]}, ValueError, "layers", "got 0"),
    ({"layers": [3, 0, 1]}, ValueError, "layers", "got 0"),
    ({"layers": [3, -1]}, ValueError, "layers", "got -1"),
    ({"layers": [3.0, 1]}, TypeError, "layers", "got 3.0"),
    ({"layers": [3, True]}, TypeError, "layers", "got True"),
    ({"layers": [3, "4", 1]}, TypeError, "layers", "got '4'"),
    ({"layers": [3, None, 1]}, TypeError, "layers", "got None"),
    ({"layers": [[3, 1]]}, ValueError, "layers", "got [[3, 1]]"),
    ({"layers": [2**21, 2**21]}, ValueError, "layers", "1 to 2^40 parameters, got [2097152, 2097152]"),
    ({"layers": [2**200, 2]}, ValueError, "layers", "an integer < 2^63, got"),
    ({"hidden": "sigmoid"}, ValueError, "hidden", f"one of {', '.join(HIDDEN)}, got 'sigmoid'"),
    ({"hidden": "exp"}, ValueError, "hidden", "got 'exp'"),
    ({"hidden": "softmax"}, ValueError, "hidden", "got 'softmax'"),
    ({"hidden": "Tanh"}, ValueError, "hidden", "got 'Tanh'"),
    ({"hidden": ""}, ValueError, "hidden", "got ''"),
    ({"hidden": None}, TypeError, "hidden", "got None"),
    ({"hidden": np.tanh}, TypeError, "hidden", "got <ufunc 'tanh'>"),
    ({"hidden": []}, ValueError, "hidden", "each of the 1 hidden layers, got 0"),
    ({"hidden": ["tanh", "sin"]}, ValueError, "hidden", "each of the 1 hidden layers, got 2"),
    ({"hidden": [3]}, TypeError, "hidden", "got 3"),
    ({"output": "linear"}, ValueError, "output", f"one of {', '.join(OUTPUT)}, got 'linear'"),
    ({"output": None}, TypeError, "output", "got None"),
    ({"output": ["identity"]}, TypeError, "output", "got ['identity']"),
    ({"output": "softmax"}, ValueError, "output", "at least 2 outputs for softmax, got 1; use 'logistic'"),
    ({"loss": "mse"}, ValueError, "loss", "squared_error, binary_cross_entropy, cross_entropy, poisson, got 'mse'"),
    ({"loss": 1}, TypeError, "loss", "got 1"),
    ({"loss": "poisson"}, ValueError, "loss", "squared_error with output 'identity', got 'poisson'"),
    ({"output": "logistic", "loss": "cross_entropy"}, ValueError, "loss", "with output 'logistic', got"),
    ({"layers": [3, 2], "hidden": [], "output": "softmax", "loss": "squared_error"}, ValueError, "loss", "got"),
    ({"dtype": "float16"}, ValueError, "dtype", "float32 or float64, got 'float16'"),
    ({"dtype": "longdouble"}, ValueError, "dtype", "got 'longdouble'"),
    ({"dtype": ">f8"}, ValueError, "dtype", "got '>f8'"),
    ({"dtype": int}, ValueError, "dtype", "got <class 'int'>"),
    ({"dtype": complex}, ValueError, "dtype", "got <class 'complex'>"),
    ({"dtype": None}, ValueError, "dtype", "got None"),
    ({"dtype": "double precision"}, ValueError, "dtype", "got 'double precision'"),
    ({"init": "xavier"}, ValueError, "init", "glorot, lecun, he, nguyen_widrow, normal, zeros, got 'xavier'"),
    ({"init": None}, TypeError, "init", "got None"),
    ({"init": -0.1}, ValueError, "init", "got -0.1"),
    ({"init": [0.1]}, TypeError, "init", "got [0.1]"),
    ({"rng": -1}, ValueError, "rng", "got -1"),
    ({"rng": 1.5}, TypeError, "rng", "got 1.5"),
    ({"rng": True}, TypeError, "rng", "got True"),
    ({"rng": "seed"}, TypeError, "rng", "got 'seed'"),
]


@pytest.mark.parametrize(("options", "error", "argument", "came"), BAD_NETWORKS)
def test_network_refuses_bad_arguments(options, error, argument, came):
    with complaint(error, argument, came, options):
        fastmlp.Network(**{"layers": [3, 4, 1], **options})


@pytest.mark.parametrize(("options", "error", "argument", "came"), BAD_NETWORKS[-8:])
def test_initialize_refuses_what_the_constructor_refuses(options, error, argument, came):
    with complaint(error, argument, came):
        NET.initialize(**options)


# ---- n_threads ----

BAD_THREADS = [(0, ValueError), (-1, ValueError), (2.5, TypeError), (2.0, TypeError), (True, TypeError),
               ("2", TypeError), ([2], TypeError), (np.bool_(True), TypeError)]  # fmt: skip


@pytest.mark.parametrize(("n_threads", "error"), BAD_THREADS)
@pytest.mark.parametrize(
    "function", ["predict", "__call__", *DERIVATIVES, *[f for f in EVALUATIONS if f != "objective"]]
)
def test_n_threads_is_a_positive_integer(function, n_threads, error):
    with complaint(error, "n_threads", f"got {n_threads!r}"):
        getattr(NET, function)(X, *[T] * (function in EVALUATIONS), n_threads=n_threads)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "1e3", "0x2", "²"])
def test_the_environment_gives_a_positive_integer_of_threads(monkeypatch, text):
    monkeypatch.setenv("FASTMLP_NUM_THREADS", text)
    with complaint(ValueError, "FASTMLP_NUM_THREADS", f"an integer >= 1, got {text!r}".replace("'0'", "0")):
        NET.predict(X.tolist())  # plain arrays of little work are for one thread, whatever is granted


# ---- objective and penalty ----

BAD_OBJECTIVES = [
    ({"penalty": 0.1}, TypeError, "penalty", "value and value_and_grad, got 0.1"),
    ({"penalty": {"W1": 0.1}}, TypeError, "penalty", "got {'W1': 0.1}"),
    ({"penalty": fastmlp.WeightDecay([1, 2, 3])}, ValueError, "penalty", "each of 2 layers, got 3"),
    ({"penalty": fastmlp.WeightDecay({"W3": 1.0})}, ValueError, "penalty", "W1, b1, W2, b2, got 'W3'"),
    ({"penalty": fastmlp.WeightDecay({"W1[:,3]": 1.0})}, ValueError, "penalty", "an index below 3, got '3'"),
    ({"penalty": fastmlp.WeightDecay({"W1[-1,:]": 1.0})}, ValueError, "penalty", "an index below 4, got '-1'"),
    ({"penalty": fastmlp.WeightDecay({"W1[0]": 1.0})}, ValueError, "penalty", "got 'W1[0]'"),
    ({"penalty": fastmlp.WeightDecay({"b1[0,:]": 1.0})}, ValueError, "penalty", "one index of b1, got 'b1[0,:]'"),
    ({"noise_precision": 0.0}, ValueError, "noise_precision", "> 0, got 0.0"),
    ({"noise_precision": -1.0}, ValueError, "noise_precision", "> 0, got -1.0"),
    ({"noise_precision": np.nan}, ValueError, "noise_precision", "got nan"),
    ({"noise_precision": np.inf}, ValueError, "noise_precision", "got inf"),
    ({"noise_precision": 10**400}, ValueError, "noise_precision", "got inf"),
    ({"noise_precision": None}, TypeError, "noise_precision", "got None"),
    ({"noise_precision": True}, TypeError, "noise_precision", "got True"),
    ({"noise_precision": "1"}, TypeError, "noise_precision", "got '1'"),
    ({"noise_precision": 1j}, TypeError, "noise_precision", "got 1j"),
    ({"noise_precision": [1.0, 1.0]}, ValueError, "noise_precision", "(1,), got (2,)"),
    ({"noise_precision": [0.0]}, ValueError, "noise_precision", "numbers > 0, got 0.0"),
]


@pytest.mark.parametrize(("options", "error", "argument", "came"), BAD_OBJECTIVES)
def test_objective_refuses_bad_arguments(options, error, argument, came):
    with complaint(error, argument, came):
        NET.objective(X, T, **options)


def test_noise_precisions_one_an_output_go_with_squared_error_only():
    with complaint(ValueError, "noise_precision", "one number for poisson, got an array", net=NETS["poisson"]):
        NETS["poisson"].objective(X, np.ones(5), noise_precision=[1.0])


BAD_PENALTIES = [
    ((-1.0,), ValueError, "weights", "got -1.0"),
    ((np.nan,), ValueError, "weights", "got nan"),
    ((np.inf,), ValueError, "weights", "got inf"),
    ((True,), TypeError, "weights", "got True"),
    ((None,), TypeError, "weights", "got None"),
    (("0.1",), TypeError, "weights", "got '0.1'"),
    ((1j,), TypeError, "weights", "got 1j"),
    (([0.1, -0.1],), ValueError, "weights", "got -0.1"),
    (([0.1, "a"],), TypeError, "weights", "got 'a'"),
    ((0.0, -1.0), ValueError, "biases", "got -1.0"),
    (({"W1": -1.0},), ValueError, "weights['W1']", "got -1.0"),
    (({"W1": [1.0]},), TypeError, "weights['W1']", "got [1.0]"),
    (({"V1": 1.0},), ValueError, "weights", "got 'V1'"),
    (({"W1[0,0,0]": 1.0},), ValueError, "weights", "got 'W1[0,0,0]'"),
    (({1: 1.0},), ValueError, "weights", "got '1'"),
]


@pytest.mark.parametrize(("arguments", "error", "argument", "came"), BAD_PENALTIES)
def test_weight_decay_refuses_bad_coefficients(arguments, error, argument, came):
    with complaint(error, argument, came, arguments):
        fastmlp.WeightDecay(*arguments)


# ---- fit ----

VALIDATION = (X, T)
BAD_FITS = [
    ({"method": "newton"}, ValueError, "method", "got 'newton'"),
    ({"method": None}, TypeError, "method", "got None"),
    ({"method": 3}, TypeError, "method", "got 3"),
    ({"penalty": 0.1}, TypeError, "penalty", "got 0.1"),
    ({"max_iter": -1}, ValueError, "max_iter", "got -1"),
    ({"max_iter": 1e3}, TypeError, "max_iter", "got 1000.0"),
    ({"max_iter": True}, TypeError, "max_iter", "got True"),
    ({"tol": -1e-6}, ValueError, "tol", "got -1e-06"),
    ({"tol": np.nan}, ValueError, "tol", "got nan"),
    ({"tol": 10**400}, ValueError, "tol", "got inf"),
    ({"tol": "1e-6"}, TypeError, "tol", "got '1e-6'"),
    ({"batch_size": 0}, ValueError, "batch_size", "got 0"),
    ({"batch_size": 2.0}, TypeError, "batch_size", "got 2.0"),
    ({"batch_size": None}, TypeError, "batch_size", "got None"),
    ({"patience": 0, "validation": 0.5}, ValueError, "patience", "got 0"),
    ({"patience": 2.5, "validation": 0.5}, TypeError, "patience", "got 2.5"),
    ({"patience": 3}, ValueError, "patience", "got no validation set"),
    ({"time_limit": -1}, ValueError, "time_limit", "got -1"),
    ({"time_limit": "1 h"}, TypeError, "time_limit", "got '1 h'"),
    ({"verbose": -1}, ValueError, "verbose", "got -1"),
    ({"verbose": "yes"}, TypeError, "verbose", "got 'yes'"),
    ({"callback": 3}, TypeError, "callback", "got 3"),
    ({"rng": -1}, ValueError, "rng", "got -1"),
    ({"rng": "seed"}, TypeError, "rng", "got 'seed'"),
    ({"warm_start": True}, TypeError, "warm_start", "got bool"),
    ({"warm_start": {"state": 1}}, TypeError, "warm_start", "got dict"),
    ({"validation": 0.0}, ValueError, "validation", "got 0.0"),
    ({"validation": 1.0}, ValueError, "validation", "got 1.0"),
    ({"validation": -0.5}, ValueError, "validation", "got -0.5"),
    ({"validation": 0.01}, ValueError, "validation", "a fraction that splits 5 samples, got 0.01"),
    ({"validation": True}, TypeError, "validation", "got True"),
    ({"validation": "half"}, TypeError, "validation", "got 'half'"),
    ({"validation": (X,)}, ValueError, "validation", "a pair (X, T) or a fraction, got 1 items"),
    ({"validation": (X[:0], T[:0])}, ValueError, "validation", "at least one sample, got none"),
    ({"validation": (X, T[:3])}, ValueError, "validation: T", "got (3, 1)"),
    ({"validation": (X[:, :2], T)}, ValueError, "validation: X", "got (5, 2)"),
    ({"validation": (X + 0j, T)}, TypeError, "validation: X", "got dtype complex128"),
    ({"method": "sgd", "learning_rate": 0.0}, ValueError, "learning_rate", "got 0.0"),
    ({"method": "adam", "learning_rate": np.nan}, ValueError, "learning_rate", "got nan"),
    ({"method": "adam", "learning_rate": "adaptive"}, TypeError, "learning_rate", "got 'adaptive'"),
    ({"method": "sgd", "learning_rate": lambda epoch: None}, TypeError, "learning_rate", "got None"),
    ({"method": "sgd", "learning_rate": lambda epoch: -0.1}, ValueError, "learning_rate", "got -0.1"),
    ({"method": "lbfgs", "learning_rate": 0.1}, ValueError, "learning_rate", "got it with lbfgs"),
    ({"method": "adam", "augment": 1}, TypeError, "augment", "(X, rng) such as those of fastmlp.invariance, got 1"),
    ({"method": "lm", "augment": lambda X, rng: X}, ValueError, "augment", "got it with lm; fastmlp.invariance"),
    ({"method": "sgd", "augment": lambda X, rng: X[1:]}, ValueError, "augment", "like X, got (4, 3)"),
    ({"method": "sgd", "augment": lambda X, rng: X * np.nan}, ValueError, "augment", "finite"),
    ({"method": "sgd", "momentum": 1.0}, ValueError, "momentum", "< 1, got 1.0"),
    ({"method": "sgd", "velocity": "keras"}, ValueError, "velocity", "gradients, steps, got 'keras'"),
    ({"method": "sgd", "nesterov": "yes"}, TypeError, "nesterov", "got 'yes'"),
    ({"method": "sgd", "shuffle": 1}, TypeError, "shuffle", "got 1"),
    ({"method": "adam", "beta1": -0.1}, ValueError, "beta1", "got -0.1"),
    ({"method": "adam", "beta2": 1}, ValueError, "beta2", "< 1, got 1.0"),
    ({"method": "adam", "epsilon": 0}, ValueError, "epsilon", ">= 2.22507e-308, got 0.0"),
    ({"method": "adam", "momentum": 0.9}, TypeError, "momentum", "got 'momentum'"),
    ({"method": "rprop", "increase": 0.9}, ValueError, "decrease, increase", "got 0.5, 0.9"),
    ({"method": "lm", "damping": 0}, ValueError, "damping", "> 0, got 0.0"),
    ({"method": "scg", "damping": 0.0}, ValueError, "damping", "> 0, got 0.0"),
    ({"method": "rprop", "min_step": 0}, ValueError, "min_step", "> 0, got 0.0"),
]


@pytest.mark.parametrize(("options", "error", "argument", "came"), BAD_FITS)
def test_fit_refuses_bad_arguments(options, error, argument, came):
    with complaint(error, argument, came):
        NET.fit(X, T, **options)


def test_fit_continues_a_fit_of_the_same_method_and_network_only():
    adam = NET.copy().fit(X, T, "adam", max_iter=1)
    with complaint(ValueError, "warm_start", "got one by adam for sgd"):
        NET.fit(X, T, "sgd", warm_start=adam)
    with complaint(ValueError, "warm_start", "(26, 'float64', 5), got (21, 'float64', 5)", net=NETS["two outputs"]):
        NETS["two outputs"].fit(X, X[:, :2], "adam", warm_start=adam)
    scipys = NET.copy().fit(X, T, "l-bfgs-b", max_iter=1)
    with complaint(ValueError, "warm_start", "one of sgd, adam, rprop, lm, scg, lbfgs, got one by l-bfgs-b"):
        NET.fit(X, T, "l-bfgs-b", warm_start=scipys)


# ---- several ----


@pytest.mark.parametrize("value", ["words", b"bytes", 3, 2.5, np.array(3), object(), NET, len])
def test_one_is_not_several(value):
    got = f"got {value!r}"
    with complaint(TypeError, "networks", got):
        fastmlp.fit_many(value, X, T)
    with complaint(TypeError, "hidden_sizes", got):
        fastmlp.sweep(X, T, value, validation=0.4)
    with complaint(TypeError, "tied", got):
        NET.fit(X, T, tied=value)


def test_what_an_iterable_raises_comes_through():
    def networks():
        yield NET.copy()
        raise TypeError("of the iterable's own")

    with pytest.raises(TypeError, match=r"^of the iterable's own$"):
        fastmlp.fit_many(networks(), X, T)


# ---- files ----


@pytest.mark.parametrize("path", [None, 3, 2.5, True, ["net.npz"]])
def test_a_path_is_text_or_path_like(path):
    for function in (NET.save, fastmlp.load):
        with complaint(TypeError, "path", f"a str or path-like, got {path!r}"):
            function(path)


# ---- names ----


class Name(str):
    """A word that equals none, itself included."""

    __slots__ = ()

    def __eq__(self, other):
        return False

    def __ne__(self, other):
        return True

    __hash__ = str.__hash__


WEIGHT_DECAY = fastmlp.WeightDecay(0.1, 0.1)
NAMED = {
    "method": ("lm", lambda name: NET.copy().fit(X, T, name, max_iter=3).x),
    "method of fit_many": ("lbfgs", lambda name: fastmlp.fit_many([NET.copy()], X, T, name, max_iter=3)[0].x),
    "kind": ("ggn", lambda name: NET.hessian(X, T, kind=name)),
    "kind of a diagonal": ("backprop", lambda name: NET.hessian_diagonal(X, T, kind=name)),
    "kind of products": ("ggn", lambda name: NET.hessian_operator(X, T, kind=name) @ np.ones(NET.n_params)),
    "wrt": ("params", lambda name: NET.jacobian(X, wrt=name)),
    "of": ("logits", lambda name: NET.jacobian(X, of=name)),
    "hessian": ("exact", lambda name: fastmlp.Laplace(
        NET, X, T, prior_precision=10.0, noise_precision=1.0, hessian=name).predict(X)[1]),
    "retrain": ("all", lambda name: fastmlp.Laplace(
        NET, X, T, prior_precision=10.0, noise_precision=1.0).leave_one_out(retrain=name).outputs),
    "form": ("precision", lambda name: WEIGHT_DECAY.rescaled(2.0, [3.0], form=name).diagonal(NET._architecture)),
    "groups": ("ard", lambda name: fastmlp.fit_evidence(NET.copy(), X, T, name, max_iter=2).params),
    "method of fit_evidence": ("fixed_point", lambda name: fastmlp.fit_evidence(
        NET.copy(), X, T, method=name, max_iter=2).params),
    "combine": ("average", lambda name: fastmlp.fit_evidence(
        NET.copy(), X, T, max_iter=2, n_starts=2, combine=name, rng=0).predict(X)[0]),
    "init": ("he", lambda name: fastmlp.Network([3, 4, 1], init=name, rng=0).params),
    "output": ("softmax", lambda name: fastmlp.Network([3, 4, 2], output=name, rng=0).predict(X)),
    "hidden": ("relu", lambda name: fastmlp.Network([3, 4, 1], name, rng=0).predict(X)),
    "velocity": ("steps", lambda name: NET.copy().fit(
        X, T, "sgd", max_iter=2, momentum=0.5, velocity=name, learning_rate=lambda n: 0.01 / (n + 1), rng=0).x),
}  # fmt: skip


@pytest.mark.parametrize("argument", NAMED)
@pytest.mark.filterwarnings("ignore::fastmlp.errors.PosteriorWarning", "ignore::fastmlp.errors.ConvergenceWarning")
def test_a_name_is_what_it_spells(argument):
    name, call = NAMED[argument]
    assert np.array_equal(call(Name(name)), call(name))
