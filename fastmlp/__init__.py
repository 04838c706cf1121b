"""fastmlp: dense multi-layer perceptrons on CPUs, with microsecond calls and exact derivatives.

`Network` is where to start: ``fastmlp.Network([D, M, K])``, then `fit`, `predict`, `loss_and_grad`, `objective`.
Samples are rows; losses and derivatives are sums over samples. README.md has a first example.
"""

import logging
from typing import Any

from fastmlp import plot
from fastmlp._version import __version__
from fastmlp.bayes import Laplace, fit_evidence, prior_samples
from fastmlp.checking import check_derivatives
from fastmlp.choosing import sweep
from fastmlp.config import show_config
from fastmlp.errors import ForkWarning, IdenticalUnitsWarning, ModelFormatError, NotPositiveDefiniteError
from fastmlp.many import fit_many
from fastmlp.network import Network, load
from fastmlp.optimize import schedules
from fastmlp.optimize.least_squares import levenberg_marquardt
from fastmlp.sensitivities import propagate, sensitivity
from fastmlp.terms import WeightDecay

__all__ = [
    "ForkWarning",
    "IdenticalUnitsWarning",
    "Laplace",
    "MLPClassifier",
    "MLPRegressor",
    "ModelFormatError",
    "Network",
    "NotPositiveDefiniteError",
    "WeightDecay",
    "__version__",
    "check_derivatives",
    "fit_evidence",
    "fit_many",
    "levenberg_marquardt",
    "load",
    "plot",
    "prior_samples",
    "propagate",
    "schedules",
    "sensitivity",
    "show_config",
    "sweep",
]

logging.getLogger("fastmlp").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """The estimators, which need scikit-learn, when they are first asked for."""
    if name not in ("MLPClassifier", "MLPRegressor"):
        raise AttributeError(f"module 'fastmlp' has no attribute {name!r}")
    try:
        from fastmlp import estimators
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "sklearn":
            raise
        raise ImportError(f"fastmlp.{name} needs scikit-learn: pip install scikit-learn") from error
    return getattr(estimators, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
