"""Every argument of public functions and anything that it may be: a result, or an error that names it."""

import inspect
import re

import numpy as np
import pytest

import fastmlp
from children import outcomes
from fastmlp import plot, schedules

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


def posterior():
    own = net()
    own.fit(X, T, "lm", penalty=DECAY, tol=1e-10)
    return fastmlp.Laplace(own, X, T, penalty=DECAY, noise_precision=1.0)


SHORT = {"max_iter": 2, "time_limit": 0.1}
#: what is called, good arguments that it needs, and what tells its other ones if not the call
CALLS = {
    "Network": (fastmlp.Network, {"layers": [3, 4, 1]}),
    "WeightDecay": (fastmlp.WeightDecay, {}),
    "rescaled": (DECAY.rescaled, {}),
    "Quadratic": (fastmlp.Quadratic, {"center": np.zeros(21), "precision": 1.0}),
    "load": (fastmlp.load, {"path": "nothing"}),
    "objective": (net().objective, {"X": X, "T": T}),
    "initialize": (net().initialize, {}),
    "rescale_inputs": (net().rescale_inputs, {"scale": 2.0}),
    "Laplace": (fastmlp.Laplace, {"net": net(), "X": X, "T": T, "prior_precision": 1.0}),
    "predict": (posterior().predict, {"X": X}),
    "sample": (posterior().sample, {}),
    "updated": (posterior().updated, {"X": X, "T": T}),
    "leave_one_out": (posterior().leave_one_out, {}),
    "fit_evidence": (fastmlp.fit_evidence, {"net": net(), "X": X, "T": T, "rng": 0, **SHORT}),
    "fit_many": (fastmlp.fit_many, {"networks": [net()], "X": X, "T": T, **SHORT}),
    "sweep": (
        fastmlp.sweep,
        {"X": X, "T": T, "hidden_sizes": [1], "n_starts": 1, "validation": 0.3, "rng": 0, **SHORT},
    ),
    "prune": (fastmlp.prune, {"net": net(), "X": X, "T": T, "penalty": DECAY, "n_params": 19, **SHORT}),
    "saliencies": (fastmlp.saliencies, {"net": net(), "X": X, "T": T, "penalty": DECAY}),
    "refit": (fastmlp.refit, {"net": net(), "X": X, "T": T, "penalty": DECAY}),
    "compact": (fastmlp.compact, {"net": net()}),
    "sensitivity": (fastmlp.sensitivity, {"net": net(), "X": X}),
    "propagate": (fastmlp.propagate, {"net": net(), "X": X, "cov": np.eye(3)}),
    "prior_samples": (fastmlp.prior_samples, {"net": net(), "precisions": 1.0, "X": X}),
    "check_derivatives": (fastmlp.check_derivatives, {"net": net(), "X": X[:5], "T": T[:5]}),
    "step_decay": (schedules.step_decay, {"initial": 0.1, "factor": 0.5, "every": 2}),
    "diagram": (plot.diagram, {"net": net()}),
    "function": (plot.function, {"f": fastmlp.Network([1, 1], rng=0), "X": X[:, 0]}),
    "hinton": (plot.hinton, {"net": net()}),
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
    function, good = CALLS[name]
    for argument, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD or argument in ("color", "label", "callback", "max_iter"):
            continue  # matplotlib's, the user's own, and what may take long
        for odd in ODDITIES:
            try:
                function(**good | {argument: odd})
            except (OwnError, MemoryError):
                pass
            except ImportError as error:
                assert argument == "progress", argument
                assert "needs tqdm" in str(error)  # noqa: PT017
            except OSError:
                assert argument == "path"
            except (TypeError, ValueError) as error:
                assert NAMED.match(str(error)) or argument in ("stop", "init"), (argument, type(odd))  # noqa: PT017


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
