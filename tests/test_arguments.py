"""Every argument of public functions and anything that it may be: a result, or an error that names it."""

import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from children import outcomes
from fastmlp import features, invariance, plot, schedules

DATA = Path(__file__).parent / "data"
X = np.random.default_rng(0).normal(size=(30, 3))
T = np.sin(X[:, :1])
DECAY = fastmlp.WeightDecay(1.0, 1.0)


class OwnError(Exception):
    """Of an argument's own methods: it may come through."""


def failing(*_, **__):
    raise OwnError


class Unspeakable:
    __repr__ = __str__ = failing


class Unwalkable:
    __iter__ = failing


class Undecided:
    """Equal to some."""

    def __eq__(self, other):
        return np.array([True, False])

    __hash__ = object.__hash__


def list_of_itself():
    result = []
    result.append(result)
    return result


ODDITIES = (
    None, True, -1, 2**70, 1j, 0.5, np.nan, np.inf, 5e-324, 1e308, "adam", "\0", b"\xff", np.array(3), np.zeros(2),
    np.array(["a"]), np.ones((2, 2)), np.zeros(21, bool), [], [None], ["W1", "W1"], {1: 2}, {"W1": "a"}, {1, 2}, (X, T),
    range(3), len, Unspeakable(), Unwalkable(), Undecided(), {"W1": Unspeakable()}, np.random.RandomState(0),
)  # fmt: skip


def net():
    return fastmlp.Network([3, 4, 1], rng=0)


def transformed(kind):
    return lambda X=IMAGES, **options: kind(**options).fit_transform(X)


def posterior(**measured):
    own = net()
    own.fit(X, T, "lm", penalty=DECAY, tol=1e-10, **measured)
    return fastmlp.Laplace(own, X, T, penalty=DECAY, noise_precision=1.0, **measured)


def mixture():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fastmlp.fit_evidence(net(), X, T, n_starts=2, combine="average", rng=0, max_iter=2)


IMAGES = np.random.default_rng(1).uniform(size=(5, 16))
SHORT = {"max_iter": 2, "time_limit": 0.1}
SAMPLES = {"X": X, "T": T}
ALL = {"net": net(), "penalty": DECAY, **SAMPLES}
OBJECTIVE, POSTERIOR, MIXTURE = net().objective(X, T, fixed="b1"), posterior(), mixture()
SIGMA = np.random.default_rng(2).uniform(0.5, 2.0, T.shape)
MEASURED = posterior(sigma=SIGMA)
POINT = {"p": OBJECTIVE.x0, "v": OBJECTIVE.x0}
VECTORS = {"v": np.zeros(21), "U": T, "damping": 0.1}
NETWORK = ("hessian", "hessian_diagonal", "hessian_operator", "hessp", "ggnp", "input_hessian", "inverse_hessian",
           "jacobian", "jvp", "loss", "loss_and_grad", "objective", "predict", "sample_losses", "trace",
           "value_and_jacobian", "vjp")  # fmt: skip
ASKED = (
    "covariance",
    "extrapolation",
    "influence",
    "leave_one_out",
    "log_density",
    "predict",
    "predict_jacobian",
    "sample",
    "updated",
)
EVALUATED = ("value", "grad", "value_and_grad", "hess", "ggn", "hessp", "ggnp", "residuals", "residual_jac", "expand",
             "normal_equations", "penalty_value", "native")  # fmt: skip
#: what is called, and good arguments that it needs
CALLS = {
    "Network": (fastmlp.Network, {"layers": [3, 4, 1]}),
    "Chunks": (fastmlp.Chunks, {"X": X, "T": T, "rows": 10}),
    "WeightDecay": (fastmlp.WeightDecay, {}),
    "rescaled": (DECAY.rescaled, {}),
    "Quadratic": (fastmlp.Quadratic, {"center": np.zeros(21), "precision": 1.0}),
    "Sum": (lambda term: fastmlp.Sum(term), {"term": DECAY}),
    "Activation": (fastmlp.Activation, {"name": "tanh"}),
    "Loss": (fastmlp.Loss, {"name": "poisson"}),
    "load": (fastmlp.load, {"path": "nothing"}),
    "from_keras": (fastmlp.from_keras, {"path": DATA / "keras" / "nested.keras"}),
    "from_safetensors": (
        fastmlp.from_safetensors,
        {"path": DATA / "safetensors" / "flax.safetensors", "hidden": "tanh"},
    ),
    "save": (net().save, {"path": "something"}),
    "Laplace.save": (POSTERIOR.save, {"path": "something", "samples": False}),
    "fit": (lambda **given: net().fit(**SHORT | given), SAMPLES, fastmlp.Network.fit),
    "fit by output": (
        lambda **given: net().fit(**SHORT | given),
        SAMPLES | {"noise": "per_output"},
        fastmlp.Network.fit,
    ),
    "initialize": (net().initialize, {}),
    "rescale_inputs": (net().rescale_inputs, {"scale": 2.0}),
    "rescale_outputs": (net().rescale_outputs, {"scale": 2.0}),
    **{name: (getattr(net(), name), SAMPLES | VECTORS) for name in NETWORK},
    **{f"Objective.{name}": (getattr(OBJECTIVE, name), POINT) for name in EVALUATED},
    "Objective.reduce": (OBJECTIVE.reduce, {"params": np.zeros(21)}),
    "Laplace": (fastmlp.Laplace, {"prior_precision": 1.0, "net": net(), **SAMPLES}),
    **{f"Laplace.{name}": (getattr(POSTERIOR, name), SAMPLES) for name in ASKED},
    "Laplace of measured": (fastmlp.Laplace, {"prior_precision": 1.0, "net": net(), **SAMPLES, "sigma": SIGMA}),
    **{
        f"Laplace.{name} of measured": (getattr(MEASURED, name), SAMPLES | {"sigma": SIGMA, "noise_std": SIGMA})
        for name in ("log_density", "predict", "updated")
    },
    "Laplace of gaps": (fastmlp.Laplace, {"prior_precision": 1.0, "net": net(), **SAMPLES, "missing": "ignore"}),
    "fit of gaps": (lambda **given: net().fit(**SHORT | given), SAMPLES | {"missing": "ignore"}, fastmlp.Network.fit),
    "fit_evidence of measured": (
        fastmlp.fit_evidence,
        {"net": net(), **SAMPLES, "sigma": SIGMA, "absolute_sigma": True, "rng": 0, **SHORT},
    ),
    "fit_evidence of known noise": (
        fastmlp.fit_evidence,
        {"net": net(), **SAMPLES, "noise": "known", "noise_precision": 2.0, "rng": 0, **SHORT},
    ),
    "Mixture.predict": (MIXTURE.predict, SAMPLES),
    "Mixture.log_density": (MIXTURE.log_density, SAMPLES),
    "Mixture.extrapolation": (MIXTURE.extrapolation, SAMPLES),
    "fit_evidence": (fastmlp.fit_evidence, {"net": net(), **SAMPLES, "rng": 0, **SHORT}),
    "fit_many": (fastmlp.fit_many, {"networks": [net()], **SAMPLES, **SHORT}),
    "sweep": (fastmlp.sweep, {**SAMPLES, "hidden_sizes": [1], "n_starts": 1, "validation": 0.3, "rng": 0, **SHORT}),
    "levenberg_marquardt": (
        fastmlp.levenberg_marquardt,
        {"fun": lambda x: x, "jac": lambda x: np.eye(2), "x0": [1, 2]},
    ),
    "prune": (fastmlp.prune, {**ALL, "n_params": 19, **SHORT}),
    "saliencies": (fastmlp.saliencies, ALL),
    "refit": (fastmlp.refit, ALL),
    "compact": (fastmlp.compact, ALL),
    "importances": (fastmlp.importances, ALL),
    "garson": (fastmlp.garson, ALL),
    "olden": (fastmlp.olden, ALL),
    "lekprofile": (fastmlp.lekprofile, ALL),
    "sensitivity": (fastmlp.sensitivity, ALL),
    "propagate": (fastmlp.propagate, {"net": net(), "X": X, "cov": np.eye(3)}),
    "prior_samples": (fastmlp.prior_samples, {"net": net(), "precisions": 1.0, "X": X}),
    "check_derivatives": (fastmlp.check_derivatives, {"net": net(), "X": X[:5], "T": T[:5]}),
    "from_mat": (fastmlp.from_mat, {"path": Path(__file__).parent / "data" / "mat" / "genfunction.mat"}),
    "from_pmml": (fastmlp.from_pmml, {"path": "nothing"}),
    "to_pmml": (fastmlp.to_pmml, {"net": net(), "path": None}),
    "from_r": (fastmlp.from_r, {"text": "list(n = c(1, 0, 1), wts = c(1, 2), entropy = TRUE)"}),
    "from_sklearn": (fastmlp.from_sklearn, {"estimator": None}),
    "to_sklearn": (fastmlp.to_sklearn, ALL),
    "to_c": (fastmlp.to_c, {"model": net(), "path": None}),
    "to_formula": (fastmlp.to_formula, {"model": net(), "dialect": "sql", "path": None}),
    "to_fortran": (fastmlp.to_fortran, {"model": net(), "path": None}),
    "from_network": (fastmlp.MLPRegressor.from_network, {"net": net()}),
    "inverse_time_decay": (schedules.inverse_time_decay, {"initial": 0.1, "decay": 0.5}),
    "exponential_decay": (schedules.exponential_decay, {"initial": 0.1, "factor": 0.5}),
    "step_decay": (schedules.step_decay, {"initial": 0.1, "factor": 0.5, "every": 2}),
    "cosine_decay": (schedules.cosine_decay, {"initial": 0.1, "n_epochs": 5}),
    "Conv": (fastmlp.Conv, {"channels": 2, "size": 3}),
    "AveragePool": (fastmlp.AveragePool, {"size": 2}),
    "MaxPool": (fastmlp.MaxPool, {"size": 2}),
    "TangentPropagation": (fastmlp.TangentPropagation, {"tau": np.eye(3), "weight": 0.1}),
    "invariance": (invariance.invariance, {"net": net(), "X": X, "tau": np.eye(3)}),
    "tangents": (invariance.tangents, {"X": IMAGES, "shape": (4, 4)}),
    "warp": (invariance.warp, {"images": IMAGES.reshape(5, 4, 4)}),
    "augmented": (
        invariance.augmented,
        {"X": IMAGES, "T": np.zeros(5), "augment": invariance.RandomShift(1.0), "copies": 2},
    ),
    **{
        f"invariance.{name}": (getattr(invariance, name), {"shift": 1.0, "alpha": 1.0, "sigma": 2.0})
        for name in ("RandomShift", "RandomAffine", "Elastic", "TimeShift", "TimeWarp", "Transform")
    },
    "Composition": (lambda step: invariance.Composition(step), {"step": invariance.TimeShift(1.0)}),
    **{
        f"features.{name}": (transformed(getattr(features, name)), {"X": IMAGES}, getattr(features, name))
        for name in ("CentralMoments", "HuMoments", "PowerSpectrum", "ZernikeMoments")
    },
    "diagram": (plot.diagram, ALL),
    "function": (plot.function, {"f": fastmlp.Network([1, 1], rng=0), "X": X[:, 0]}),
    "hinton": (plot.hinton, ALL),
}
NAMED = re.compile(r"[\w .,\[\]'()]+: .*expected ", re.DOTALL)


@pytest.fixture(autouse=True)
def _no_figures():
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_every_argument_may_be_anything(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    function, good, *described = CALLS[name]
    parameters = inspect.signature(*(described or [function])).parameters
    good = {argument: value for argument, value in good.items() if argument in parameters}
    for argument, parameter in parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD or argument in ("self", "color", "label", "callback", "max_iter"):
            continue  # matplotlib's, the user's own, and what may take long
        for odd in ODDITIES:
            try:
                function(**good | {argument: odd})
            except (OwnError, MemoryError):
                pass
            except OSError:
                assert argument == "path"
            except (TypeError, ValueError) as error:
                assert NAMED.match(str(error)) or argument in ("stop", "init", "augment"), (argument, type(odd))  # noqa: PT017


def test_a_list_of_itself_is_no_seed():
    """NumPy would follow it until the stack is used up."""
    walks = [list_of_itself(), (list_of_itself(),), iter([list_of_itself()])]
    endings = outcomes([lambda rng=rng: fastmlp.Network([1, 1], rng=rng) for rng in walks])
    assert len(endings) == len(walks)
    assert all(re.match(r"TypeError: rng: expected ", ending) for ending in endings)


@pytest.mark.parametrize("seed", [3, np.int8(3), 2**200, [1, 2, 3], (4,), np.array([1, 2])])
def test_seeds_are_those_of_numpy(seed):
    expected = fastmlp.Network([2, 3, 1], rng=np.random.default_rng(seed))
    assert fastmlp.Network([2, 3, 1], rng=seed) == expected
