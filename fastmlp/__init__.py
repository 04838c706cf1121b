"""fastmlp: dense multi-layer perceptrons on CPUs, with microsecond calls and exact derivatives.

`Network` is where to start: ``fastmlp.Network([D, M, K])``, then `fit`, `predict`, `loss_and_grad`, `objective`.
Samples are rows; losses and derivatives are sums over samples. README.md has a first example.
"""

import importlib
import logging
from typing import Any

from fastmlp import _memory, _optional, plot
from fastmlp._version import __version__
from fastmlp.bayes import Laplace, fit_evidence, prior_samples
from fastmlp.checking import check_derivatives
from fastmlp.choosing import sweep
from fastmlp.config import show_config
from fastmlp.errors import (
    ConvergenceWarning,
    ForkWarning,
    IdenticalUnitsWarning,
    ModelFormatError,
    NotPositiveDefiniteError,
    PosteriorWarning,
    ScaleWarning,
    ThreadWarning,
)
from fastmlp.many import fit_many
from fastmlp.network import Network, load
from fastmlp.optimize import schedules
from fastmlp.optimize.least_squares import levenberg_marquardt
from fastmlp.sensitivities import propagate, sensitivity
from fastmlp.terms import WeightDecay

__all__ = [
    "ConvergenceWarning",
    "ForkWarning",
    "IdenticalUnitsWarning",
    "Laplace",
    "MLPClassifier",
    "MLPRegressor",
    "ModelFormatError",
    "Network",
    "NotPositiveDefiniteError",
    "PosteriorWarning",
    "ScaleWarning",
    "ThreadWarning",
    "WeightDecay",
    "__version__",
    "check_derivatives",
    "fit_evidence",
    "fit_many",
    "from_sklearn",
    "from_torch",
    "levenberg_marquardt",
    "load",
    "plot",
    "prior_samples",
    "propagate",
    "schedules",
    "sensitivity",
    "show_config",
    "sweep",
    "to_onnx",
    "to_sklearn",
    "to_torch",
]

logging.getLogger("fastmlp").addHandler(logging.NullHandler())


BRIDGES = ("from_sklearn", "from_torch", "to_onnx", "to_sklearn", "to_torch")


def __getattr__(name: str) -> Any:
    """The estimators, which need scikit-learn, and the bridges to other libraries, when they are first asked for."""
    if name in ("MLPClassifier", "MLPRegressor"):
        _memory.estimators()
        return getattr(_optional.load("fastmlp.estimators", "sklearn", f"fastmlp.{name}"), name)
    if name in BRIDGES:
        return getattr(importlib.import_module("fastmlp.bridges"), name)
    raise AttributeError(f"module 'fastmlp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
