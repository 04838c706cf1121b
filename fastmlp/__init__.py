"""fastmlp: dense multi-layer perceptrons on CPUs, with microsecond calls and exact derivatives.

`Network` is where to start: ``fastmlp.Network([D, M, K])``, then `fit`, `predict`, `loss_and_grad`, `objective`.
Samples are rows; losses and derivatives are sums over samples. README.md has a first example.
"""

import logging
import sys
from typing import TYPE_CHECKING, Any

from fastmlp import _hints, _memory, _optional
from fastmlp._version import __version__
from fastmlp.config import show_config
from fastmlp.errors import (
    CheckpointWarning,
    ConvergenceWarning,
    ForkWarning,
    IdenticalUnitsWarning,
    ModelFormatError,
    NotPositiveDefiniteError,
    PosteriorWarning,
    ScaleWarning,
    ThreadWarning,
)
from fastmlp.files import load
from fastmlp.model.activations import Activation
from fastmlp.model.chunks import Chunks
from fastmlp.model.convolution import AveragePool, Conv, MaxPool
from fastmlp.model.losses import Loss
from fastmlp.model.traces import Trace
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.optimize import schedules
from fastmlp.terms import Quadratic, Sum, TangentPropagation, Term, WeightDecay
from fastmlp.terms.objective import Objective

if TYPE_CHECKING:  # what is imported when it is first asked for
    from fastmlp import features, invariance, plot, report
    from fastmlp.bayes import Evidence, Laplace, LeaveOneOut, Mixture, Prediction, Starts, fit_evidence
    from fastmlp.bayes.prior_samples import prior_samples
    from fastmlp.bridges import (
        from_keras,
        from_mat,
        from_onnx,
        from_pmml,
        from_r,
        from_safetensors,
        from_sklearn,
        from_torch,
        to_onnx,
        to_pmml,
        to_sklearn,
        to_torch,
    )
    from fastmlp.checking import DerivativeReport, check_derivatives
    from fastmlp.estimators import MLPClassifier, MLPRegressor
    from fastmlp.importance import Importances, LekProfile, garson, importances, lekprofile, olden
    from fastmlp.optimize.least_squares import levenberg_marquardt
    from fastmlp.optimize.results import FitResult, FitResults, LeastSquaresResult
    from fastmlp.pruning import PruningPath, PruningStep, Saliencies, compact, refit
    from fastmlp.pruning.prune import prune
    from fastmlp.pruning.saliencies import saliencies
    from fastmlp.runs import Run, Sweep, fit_many, sweep
    from fastmlp.sensitivities import Sensitivity, propagate, sensitivity
    from fastmlp.source import to_c, to_formula, to_fortran

__all__ = [
    "Activation",
    "AveragePool",
    "CheckpointWarning",
    "Chunks",
    "Conv",
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
    "MaxPool",
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
    "features",
    "fit_evidence",
    "fit_many",
    "from_keras",
    "from_mat",
    "from_onnx",
    "from_pmml",
    "from_r",
    "from_safetensors",
    "from_sklearn",
    "from_torch",
    "garson",
    "importances",
    "invariance",
    "lekprofile",
    "levenberg_marquardt",
    "load",
    "olden",
    "plot",
    "prior_samples",
    "propagate",
    "prune",
    "refit",
    "report",
    "saliencies",
    "schedules",
    "sensitivity",
    "show_config",
    "sweep",
    "to_c",
    "to_formula",
    "to_fortran",
    "to_onnx",
    "to_pmml",
    "to_sklearn",
    "to_torch",
]

LATER = {  # where the other names of __all__ come from
    "bayes": ("Evidence", "Laplace", "LeaveOneOut", "Mixture", "Prediction", "Starts", "fit_evidence", "prior_samples"),
    "bridges": (
        "from_keras",
        "from_mat",
        "from_onnx",
        "from_pmml",
        "from_r",
        "from_safetensors",
        "from_sklearn",
        "from_torch",
        "to_onnx",
        "to_pmml",
        "to_sklearn",
        "to_torch",
    ),
    "checking": ("DerivativeReport", "check_derivatives"),
    "estimators": ("MLPClassifier", "MLPRegressor"),
    "features": (),
    "importance": ("Importances", "LekProfile", "garson", "importances", "lekprofile", "olden"),
    "invariance": (),
    "optimize.least_squares": ("levenberg_marquardt",),
    "optimize.results": ("FitResult", "FitResults", "LeastSquaresResult"),
    "plot": (),
    "pruning": ("PruningPath", "PruningStep", "Saliencies", "compact", "prune", "refit", "saliencies"),
    "report": (),
    "runs": ("Run", "Sweep", "fit_many", "sweep"),
    "sensitivities": ("Sensitivity", "propagate", "sensitivity"),
    "source": ("to_c", "to_formula", "to_fortran"),
}

logging.getLogger("fastmlp").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """A module of LATER, or a name of one, imported when it is first asked for: `import fastmlp` takes half as long."""
    for module, names in LATER.items():
        if name == module or name in names:
            found = _imported(module, name)
            return found if name == module else globals().setdefault(name, getattr(found, name))
    meant = _hints.hint(name, __all__)
    raise AttributeError(f"module 'fastmlp' has no attribute {name!r}{meant}", name=name, obj=sys.modules[__name__])


def _imported(module: str, name: str) -> Any:
    if module in ("estimators", "features"):
        return _optional.load(f"fastmlp.{module}", "sklearn", f"fastmlp.{name}")
    if module == "optimize.results":
        _memory.scipy("optimize")
    return _memory.undisturbed(f"fastmlp.{module}", "fastmlp")


def __dir__() -> list[str]:
    return list(__all__)
