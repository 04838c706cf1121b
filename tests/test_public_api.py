"""The public face: exactly the documented names, each explained, and a light import."""

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastmlp

NAMES = {
    "Activation",
    "AveragePool",
    "Chunks",
    "Conv",
    "CheckpointWarning",
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
}
MODULES = sorted(
    "fastmlp" + "".join(f".{part}" for part in path.relative_to(Path(fastmlp.__file__).parent).with_suffix("").parts)
    for path in Path(fastmlp.__file__).parent.glob("**/*.py")
    if path.name not in ("__init__.py", "__main__.py", "torch_modules.py")  # the last needs PyTorch
)
OBJECTS = [
    getattr(fastmlp, name)
    for name in sorted(NAMES - {"__version__", "features", "invariance", "plot", "report", "schedules"})
    if not (inspect.isclass(getattr(fastmlp, name)) and issubclass(getattr(fastmlp, name), Exception))
]


def public_members(thing):
    yield thing.__name__, thing
    if inspect.isclass(thing):
        for name, member in inspect.getmembers(thing):
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                yield f"{thing.__name__}.{name}", member


def test_all_is_what_is_documented():
    assert set(fastmlp.__all__) == NAMES
    assert all(hasattr(fastmlp, name) for name in NAMES)


@pytest.mark.parametrize(("name", "member"), [pair for thing in OBJECTS for pair in public_members(thing)])
def test_every_public_name_is_explained(name, member):
    assert member.__doc__
    assert len(member.__doc__.split()) >= 3


@pytest.mark.parametrize("module", ["fastmlp", *MODULES])
def test_examples_in_docstrings_run(module):
    results = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def test_there_are_examples():
    found = [
        t
        for m in ("fastmlp.network.network", "fastmlp.network.trainable", "fastmlp.terms.objective")
        for t in doctest.DocTestFinder().find(importlib.import_module(m))
        if t.examples
    ]
    assert len(found) >= 5


def run(program, *arguments):
    return subprocess.run(
        [sys.executable, *arguments, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_import_pulls_in_nothing_heavy():
    loaded = run("import fastmlp, sys; print(*sys.modules)").split()
    assert not {
        "scipy.optimize",
        "scipy.linalg",
        "matplotlib",
        "sklearn",
        "torch",
        "onnx",
        "pandas",
        "zipfile",
        "concurrent.futures",
        "multiprocessing",
        "fastmlp.datasets",
        *(f"fastmlp.{module}" for module in fastmlp.LATER),
    } & set(loaded)


def test_names_that_are_imported_later_are_listed_once_for_python_and_once_for_type_checkers():
    tree = ast.parse(Path(fastmlp.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    checked = {name.name for node in block.body for name in node.names}
    modules = ["features", "invariance", "plot", "report"]
    later = [name for names in fastmlp.LATER.values() for name in names] + modules
    assert len(set(later)) == len(later)
    assert checked == set(later)


def test_subjects_are_there_without_an_import_of_their_own():
    program = "import fastmlp; print(fastmlp.bayes.__name__, fastmlp.Laplace is fastmlp.bayes.Laplace, fastmlp.plot)"
    assert run(program).startswith("fastmlp.bayes True <module 'fastmlp.plot'")


def test_no_module_takes_a_name_outside_of_the_package():
    program = "import sys, numpy; before = set(sys.modules); import fastmlp; print(*set(sys.modules) - before)"
    top = {name for name in run(program).split() if "." not in name} - sys.stdlib_module_names
    assert {name for name in top if not re.match("fastmlp|cython_runtime|_cython_", name)} == set()


def test_import_is_silent_also_where_warnings_are_errors():
    assert run("import fastmlp", "-X", "dev", "-W", "error") == ""


def test_the_floating_point_state_of_the_process_is_left_alone():
    program = """
import numpy as np, fastmlp
net = fastmlp.Network([2, 3, 1], rng=0)
net.fit(np.ones((50, 2)), np.ones(50), max_iter=3)
assert 5e-324 * np.float64(1) > 0 and np.float32(1e-45) * np.float32(1) > 0
np.finfo(np.float64)
"""
    run(program, "-W", "error")


def test_the_version_is_the_installed_ones():
    from importlib.metadata import version

    assert fastmlp.__version__ == version("fastmlp")
