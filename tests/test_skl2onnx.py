"""This library's estimators in graphs of skl2onnx, against ONNX Runtime and their own predictions."""

import numpy as np
import onnx
import onnxruntime
import pytest
import skl2onnx
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import AveragePool, Conv, MLPClassifier, MLPRegressor
from fastmlp.bridges.skl2onnx import register

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::fastmlp.errors.ConvergenceWarning"),
]

X = np.random.default_rng(0).normal(size=(60, 4)) * [1, 2, 5, 10] + 3
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 30}
HIGH = (X[:, 0] > 3).astype(int)
TARGETS = {
    "one": (MLPRegressor, X[:, 0], {}),
    "two": (MLPRegressor, X[:, :2], {"standardize": True, "solver": "lbfgs"}),
    "counts": (MLPRegressor, np.floor(abs(X[:, 1])), {"loss": "poisson"}),
    "evidence": (MLPRegressor, X[:, 0], {"alpha": "evidence", "solver": "lm"}),
    "names": (MLPClassifier, np.array(["low", "high"])[HIGH], {}),
    "truths": (MLPClassifier, HIGH == 1, {}),
    "three": (MLPClassifier, np.digitize(X[:, 0], [2.5, 3.5]), {"activation": "gelu"}),
    "large": (MLPClassifier, 10**12 * np.digitize(X[:, 0], [2.5, 3.5]) - 7, {}),
    "labels": (MLPClassifier, (X[:, :2] > 3).astype(int), {}),
    "more labels": (MLPClassifier, (X[:, :3] > 3).astype(int), {"activation": "silu"}),
}


@pytest.fixture(autouse=True, scope="module")
def registered():
    register()
    register()


def fitted(name):
    kind, y, options = TARGETS[name]
    return make_pipeline(StandardScaler(), kind(**SMALL | options)).fit(X, y)


def answers(graph, inputs=X):
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"X": inputs}), [each.shape for each in session.get_outputs()]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TARGETS)
def test_a_pipeline_answers_as_in_python(name, dtype):
    model, inputs = fitted(name), X.astype(dtype)
    options = {"zipmap": False} if hasattr(model, "classes_") else None
    graph = skl2onnx.to_onnx(model, inputs[:1], options=options)
    onnx.checker.check_model(graph, full_check=True)
    results, shapes = answers(graph, inputs)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    if options is None:
        (Y,) = results
        expected = model.predict(X).reshape(60, -1)
        assert Y.dtype == dtype
        assert shapes == [[None, expected.shape[1]]]
        assert np.allclose(Y, expected, rtol=tolerance, atol=tolerance)
        return
    labels, P = results
    assert P.dtype == dtype
    assert np.allclose(P, model.predict_proba(X), rtol=tolerance, atol=tolerance)
    assert np.array_equal(labels, model.predict(X))
    assert labels.dtype == (object if name == "names" else np.int64)
    assert shapes == [[None, *labels.shape[1:]], [None, P.shape[1]]]


def test_options_of_classifiers():
    model = fitted("names")
    graph = skl2onnx.to_onnx(model, X[:1].astype(np.float32))
    (labels, P), _ = answers(graph, X.astype(np.float32))
    assert [max(each, key=each.get) for each in P] == list(labels) == list(model.predict(X))
    options = {MLPClassifier: {"zipmap": False, "output_class_labels": True}}
    (*_, names), _ = answers(skl2onnx.to_onnx(model, X[:1], options=options))
    assert list(names) == ["high", "low"]


def test_an_estimator_alone_and_two_in_one_graph():
    one, other = (MLPRegressor(**SMALL | {"random_state": seed}) for seed in (0, 1))
    model = VotingRegressor([("one", one), ("other", other)]).fit(X, X[:, 0])
    for each in (model, one.fit(X, X[:, 0])):
        (Y,), _ = answers(skl2onnx.to_onnx(each, X[:1]))
        assert np.allclose(Y[:, 0], each.predict(X), rtol=1e-12)


def test_a_reader_of_images():
    images = np.random.default_rng(1).normal(size=(40, 36))
    layers = [(1, 6, 6), Conv(3, 3), AveragePool(2)]
    model = MLPClassifier(layers=layers, random_state=0, max_iter=20).fit(images, np.arange(40) % 3)
    (labels, P), _ = answers(skl2onnx.to_onnx(model, images[:1], options={"zipmap": False}), images)
    assert np.array_equal(labels, model.predict(images))
    assert np.allclose(P, model.predict_proba(images), rtol=1e-12)


def test_what_cannot_be_converted_says_why():
    with pytest.raises(ValueError, match=r"^target_opset: expected 18 or more for estimators of fastmlp, got 15$"):
        skl2onnx.to_onnx(fitted("one"), X[:1], target_opset=15)
    with pytest.raises(NotFittedError):
        skl2onnx.to_onnx(MLPRegressor(), X[:1])
    single = MLPClassifier(**SMALL).fit(X, np.zeros(60))
    with pytest.raises(ValueError, match=r"^net: expected at least two classes, got"):
        skl2onnx.to_onnx(single, X[:1], options={"zipmap": False})
    columns = [(name, skl2onnx.common.data_types.DoubleTensorType([None, 2])) for name in ("a", "b")]
    with pytest.raises(
        ValueError, match=r"^initial_types: expected one input with a column for each feature, got a, b$"
    ):
        skl2onnx.convert_sklearn(fitted("one")[-1], initial_types=columns)
