"""fastmlp: dense multi-layer perceptrons on CPUs, with microsecond calls and exact derivatives.

`Network` is where to start: ``fastmlp.Network([D, M, K])``, then `fit`, `predict`, `loss_and_grad`, `objective`.
Samples are rows; losses and derivatives are sums over samples. README.md has a first example.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

from fastmlp import _memory, _optional, plot
from fastmlp._version import __version__
from fastmlp.bayes import Evidence, Laplace, LeaveOneOut, Mixture, Prediction, Starts, fit_evidence, prior_samples
from fastmlp.checking import DerivativeReport, check_derivatives
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
from fastmlp.importance import Importances, LekProfile, garson, importances, lekprofile, olden
from fastmlp.model.activations import Activation
from fastmlp.model.functional import Trace
from fastmlp.model.losses import Loss
from fastmlp.model.units import Units
from fastmlp.network import Network, load
from fastmlp.optimize import schedules
from fastmlp.optimize.least_squares import levenberg_marquardt
from fastmlp.pruning import PruningPath, PruningStep, Saliencies, compact, prune, refit, saliencies
from fastmlp.runs import Run, Sweep, fit_many, sweep
from fastmlp.sensitivities import Sensitivity, propagate, sensitivity
from fastmlp.terms import Quadratic, Sum, TangentPropagation, Term, WeightDecay
from fastmlp.terms.objective import Objective

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult, FitResults, LeastSquaresResult

__all__ = [
    "Activation",
    "ConvergenceWarning",
    "DerivativeReport",
    "Evidence",
    "FitResult",
    "FitResults",
    "ForkWarning",
    "IdenticalUnitsWarning",
    "Importances",
    "Laplace",
    "LeastSquaresResult",
    "LeaveOneOut",
    "LekProfile",
    "Loss",
    "MLPClassifier",
    "MLPRegressor",
    "Mixture",
    "ModelFormatError",
    "Network",
    "NotPositiveDefiniteError",
    "Objective",
    "PosteriorWarning",
    "Prediction",
    "PruningPath",
    "PruningStep",
    "Quadratic",
    "Run",
    "Saliencies",
    "ScaleWarning",
    "Sensitivity",
    "Starts",
    "Sum",
    "Sweep",
    "TangentPropagation",
    "Term",
    "ThreadWarning",
    "Trace",
    "Units",
    "WeightDecay",
    "__version__",
    "check_derivatives",
    "compact",
    "fit_evidence",
    "fit_many",
    "from_sklearn",
    "from_torch",
    "garson",
    "importances",
    "lekprofile",
    "levenberg_marquardt",
    "load",
    "olden",
    "plot",
    "prior_samples",
    "propagate",
    "prune",
    "refit",
    "saliencies",
    "schedules",
    "sensitivity",
    "show_config",
    "sweep",
    "to_onnx",
    "to_sklearn",
    "to_torch",
]

logging.getLogger("fastmlp").addHandler(logging.NullHandler())


RESULTS = ("FitResult", "FitResults", "LeastSquaresResult")
BRIDGES = ("from_sklearn", "from_torch", "to_onnx", "to_sklearn", "to_torch")


def __getattr__(name: str) -> Any:
    """What needs scikit-learn, SciPy's optimizers or other libraries, when it is first asked for."""
    if name in ("MLPClassifier", "MLPRegressor"):
        _memory.estimators()
        return getattr(_optional.load("fastmlp.estimators", "sklearn", f"fastmlp.{name}"), name)
    if name in RESULTS:
        _memory.scipy("optimize")
        return getattr(importlib.import_module("fastmlp.optimize.results"), name)
    if name in BRIDGES:
        return getattr(importlib.import_module("fastmlp.bridges"), name)
    raise AttributeError(f"module 'fastmlp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
