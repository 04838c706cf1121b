"""What `to_onnx` writes, as `from_onnx` reads it: the same to the bit; estimators as skl2onnx has them."""

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

import fastmlp
from fastmlp import AveragePool, Conv, MaxPool
from fastmlp.model.activations import HIDDEN, OUTPUT
from onnx_cases import TARGETS, X, bare, computed, network

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning"),
]
IMAGES = [
    ([(1, 12, 12), Conv(3, 5), AveragePool(2), Conv(4, 3, bias="position", padding="same"), MaxPool(2), 3], "tanh"),
    ([(2, 14), Conv(3, 5, shared=False), 4], "relu"),
    ([(2, 12), Conv(2, 5, connections=[[True, False], [True, True]], bias=None), 1], "silu"),
]


# ---- our own ----


@pytest.mark.parametrize("output", OUTPUT)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_to_onnx_writes_comes_back_to_the_bit_told_or_not(hidden, output, dtype):
    for n_outputs in (1, 3)[output == "softmax" :]:
        net = network([4, 5, 1, 6, n_outputs], hidden=hidden, output=output, dtype=dtype)
        model = fastmlp.to_onnx(net)
        assert fastmlp.from_onnx(model) == net
        assert fastmlp.from_onnx(bare(model)) == net


@pytest.mark.parametrize(("layers", "hidden"), IMAGES)
def test_convolutions_come_back_to_the_bit(layers, hidden, dtype):
    net = network(layers, hidden=hidden, dtype=dtype)
    assert fastmlp.from_onnx(fastmlp.to_onnx(net)) == net


def test_convolutions_are_read_without_being_told():
    net = network(*IMAGES[0][:1], hidden="tanh", dtype="float32")
    assert fastmlp.from_onnx(bare(fastmlp.to_onnx(net))) == net


def test_a_loss_that_is_not_the_canonical_one_comes_back():
    net = network([2, 3, 1], output="logistic", loss="squared_error")
    assert fastmlp.from_onnx(fastmlp.to_onnx(net)) == net
    assert fastmlp.from_onnx(bare(fastmlp.to_onnx(net)), loss="squared_error") == net


def test_metadata_that_do_not_fit_the_graph_count_for_nothing():
    net, other = network([3, 4, 2]), network([3, 4, 2], rng=1, hidden="sin")
    model = fastmlp.to_onnx(net)
    for text in (fastmlp.to_onnx(other).metadata_props[0].value, "[" * 5000, "null", '{"layers": [3, 100000000000]}'):
        model.metadata_props[0].value = text
        assert fastmlp.from_onnx(model) == net


def test_a_file_is_read(tmp_path):
    net = network([3, 4, 2], dtype="float32")
    fastmlp.to_onnx(net, tmp_path / "net.onnx")
    assert fastmlp.from_onnx(tmp_path / "net.onnx") == net == fastmlp.from_onnx(str(tmp_path / "net.onnx"))


# ---- estimators ----


@pytest.mark.parametrize("kind", TARGETS)
def test_classifiers_give_labels_and_probabilities(kind, dtype):
    model = fastmlp.MLPClassifier(hidden_layer_sizes=(5,), random_state=0, max_iter=50).fit(
        X.astype(dtype), TARGETS[kind]
    )
    written = fastmlp.to_onnx(model)
    onnx.checker.check_model(written, full_check=True)
    assert [each.name for each in written.graph.output] == ["label", "probabilities"]
    session = onnxruntime.InferenceSession(written.SerializeToString())
    labels, P = session.run(None, {"X": X.astype(dtype)})
    assert np.array_equal(labels, model.predict(X.astype(dtype)))
    assert np.allclose(P, model.predict_proba(X.astype(dtype)), rtol=0, atol=1e-5 if dtype == "float32" else 1e-12)
    with pytest.warns(UserWarning, match="no labels"):
        net = fastmlp.from_onnx(written)
    assert net == model.network_


def test_regressors_and_names(dtype):
    frame = pd.DataFrame(X.astype(dtype), columns=["width", "height", "age"])
    model = fastmlp.MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", random_state=0).fit(frame, X[:, :2])
    written = fastmlp.to_onnx(model)
    assert [each.name for each in written.graph.output] == ["variable"]
    assert {each.key: each.value for each in written.metadata_props}["feature_names"] == '["width", "height", "age"]'
    assert np.allclose(computed(written, X.astype(dtype)), model.predict(frame), rtol=0, atol=1e-5)
    assert fastmlp.from_onnx(written) == model.network_


def test_a_classifier_of_one_class_is_refused():
    model = fastmlp.MLPClassifier(hidden_layer_sizes=(2,)).fit(X, np.ones(len(X), int))
    with pytest.raises(ValueError, match="net: expected at least two classes, got"):
        fastmlp.to_onnx(model)
