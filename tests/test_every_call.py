"""Tables that try every public call have each of them: a new name is in all, or a reason why it is not."""

import ast
import inspect
import operator
from pathlib import Path

import pytest

import fastmlp

ROOT = Path(__file__).parent.parent
#: results and what else callers do not make
MADE = {
    "DerivativeReport", "Evidence", "FitResult", "FitResults", "Importances", "LeastSquaresResult", "LeaveOneOut",
    "LekProfile", "Mixture", "Objective", "Prediction", "PruningPath", "PruningStep", "Run", "Saliencies",
    "Sensitivity", "Starts", "Sweep", "Term", "Trace", "Units", "report.Measures",
}  # fmt: skip
#: whose methods are calls of their own
ASKED = ("Network", "Laplace", "Mixture", "Objective", "MLPRegressor", "MLPClassifier")
#: scikit-learn's, and what our own modules say to each other
OTHERS = {"get_metadata_routing", "get_params", "set_params", "on", "rounded", "index", "count"}

ROWS = {"Activation", "Loss"}  # of a table, found by their names
TERMS = {"WeightDecay", "Quadratic", "Sum"}  # numbers that are kept until an objective asks for them
RATES = {"step_decay", "cosine_decay", "exponential_decay", "inverse_time_decay"}  # numbers
SMALL = {"copy", "summary", "unprune", "show_config"}  # no argument
OF_WEIGHTS = {"initialize", "rescale_inputs", "rescale_outputs", "compact", "garson", "olden"}  # no samples, no loop
TEXTS = {"to_c", "to_formula", "to_fortran", "to_pmml"}  # likewise
COLUMNS = {"extrapolation"}  # X less a number of each column
VECTORS = {"expand", "reduce", "native", "penalty_value"}  # a copy of a vector
PICTURES = {f"plot.{name}" for name in fastmlp.plot.__all__}  # matplotlib's time and memory
LIBRARIES = {
    "from_keras", "from_mat", "from_onnx", "from_pmml", "from_r", "from_safetensors", "from_sklearn", "from_torch",
    "to_onnx", "to_sklearn", "to_torch",
}  # theirs  # fmt: skip
NOT_HERE = {"from_onnx", "from_torch", "to_onnx", "to_torch"}  # need libraries that tests stand in for
FILES = {"save", "load"}
OF_PREDICT = {"predict_proba", "predict_log_proba", "decision_function", "score"}  # `predict`, and a little more
WITHOUT_INTEGERS = {
    "covariance", "influence", "leave_one_out", "log_density", "predict_jacobian", "updated", "exponential_decay",
    "inverse_time_decay", "to_formula", "value", "grad", "value_and_grad", "hess", "ggn", "ggnp", "hessp", "residuals",
    "residual_jac", "normal_equations",
}  # fmt: skip

CHANGES = {f"invariance.{name}" for name in ("Composition", "Elastic", "RandomAffine", "RandomShift", "TimeShift",
                                             "TimeWarp", "Transform")}  # numbers, until they are called  # fmt: skip
FEATURES = {f"features.{name}" for name in fastmlp.features.__all__}  # scikit-learn's transformers of X alone
REPORTS = {f"report.{name}" for name in fastmlp.report.__all__} - MADE  # models of tables; arrays are read at once

LITTLE = TEXTS | REPORTS | SMALL | ROWS | COLUMNS | RATES | PICTURES | VECTORS | OF_PREDICT | OF_WEIGHTS
#: the tables, and what is left out of them
TABLES = {
    "tests/fuzz/{calls,trained,asked}.py": REPORTS | SMALL | NOT_HERE | PICTURES | FILES,  # `load` has its own
    "tests/test_arguments.py": REPORTS | SMALL | NOT_HERE | PICTURES | OF_PREDICT | {"MLPClassifier", "prune_path"},
    "tests/changing_calls.py": LITTLE | TERMS | CHANGES | FEATURES | LIBRARIES | FILES
    | {"levenberg_marquardt", "leave_one_out", "sample", "MLPClassifier", "from_network"}
    | {"value", "grad", "value_and_grad", "hess", "ggn", "residuals", "residual_jac"},  # of the objective's own vectors
    "tests/test_integers.py": (LITTLE | TERMS | CHANGES | LIBRARIES | FILES | WITHOUT_INTEGERS | {"MLPClassifier"})
    - {"step_decay", "cosine_decay"},
    "tests/limits.py": LITTLE | NOT_HERE | CHANGES,
    "bench/long_calls.py": LITTLE | TERMS | CHANGES | LIBRARIES | FILES,
}  # fmt: skip


def calls():
    """By their names, methods as Network.fit."""
    yield from (name for name in callables() if name not in MADE)


def callables():
    for name in fastmlp.__all__:
        thing = getattr(fastmlp, name)
        if inspect.ismodule(thing):
            yield from (f"{name}.{each}" for each in dir(thing) if is_call_of(thing, each))
        elif inspect.isfunction(thing) or (inspect.isclass(thing) and not issubclass(thing, BaseException)):
            yield name
    for name in ASKED:
        yield from (f"{name}.{each}" for each in dir(getattr(fastmlp, name)) if is_method_of(name, each))


def is_call_of(module, name):
    return name in getattr(module, "__all__", [each for each in vars(module) if each.endswith("_decay")])


def is_method_of(name, method):
    found = inspect.getattr_static(getattr(fastmlp, name), method)
    return method[0] != "_" and method not in OTHERS and (callable(found) or isinstance(found, classmethod))


def said(pattern):
    """All names, attributes and strings of these files."""
    paths = [path for path in ROOT.glob("*/**/*.py") if matches(path.relative_to(ROOT).as_posix(), pattern)]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def matches(path, pattern):
    folder, brace, rest = pattern.partition("{")
    if not brace:
        return path == pattern
    names, _, end = rest.partition("}")
    return path in {folder + name + end for name in names.split(",")}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_every_call(table):
    words = set(said(table))
    forgotten = {call for call in calls() if not {call, call.split(".")[-1]} & (words | TABLES[table])}
    assert forgotten == set()


def test_what_is_left_out_is_public():
    known = {part for call in calls() for part in (call, call.split(".")[-1])}
    assert {name for left_out in TABLES.values() for name in left_out} <= known


def test_every_class_is_a_call_or_made_by_one():
    assert {name for name in MADE if not inspect.isclass(operator.attrgetter(name)(fastmlp))} == set()
    assert {"prune", "importances", "Network.fit", "MLPRegressor.prune_path", "MLPRegressor.from_network"} <= set(
        calls()
    )
