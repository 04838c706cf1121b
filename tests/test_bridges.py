"""Networks from and for scikit-learn, and for ONNX: the same weights to the bit, the same outputs to rounding."""

import pickle
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import sklearn.neural_network
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import fastmlp
from cases import HIDDEN, network
from fastmlp.bridges.sklearn import ACTIVATIONS
from fastmlp.model import activations

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = np.sin(X[:, 0]) + X[:, 1]
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0]))
NAMES = np.array(["blue", "green", "red"])[np.digitize(y, [-0.5, 0.5])]
SEVERAL = (np.c_[y, X] > 0).astype(int)
REGRESSOR, CLASSIFIER = sklearn.neural_network.MLPRegressor, sklearn.neural_network.MLPClassifier
TARGETS = {
    "squared error": (REGRESSOR, y, {}),
    "two outputs": (REGRESSOR, X[:, :2], {}),
    "poisson": (REGRESSOR, COUNTS, {"loss": "poisson"}),
    "two classes": (CLASSIFIER, NAMES == "red", {}),
    "three classes": (CLASSIFIER, NAMES, {}),
    "labels": (CLASSIFIER, SEVERAL, {}),
}


def outputs(model, X):
    """What the network behind an estimator gives: of two classes the second one's probability."""
    if isinstance(model, REGRESSOR):
        return model.predict(X).reshape(len(X), -1)
    P = model.predict_proba(X)
    return P[:, 1:] if model.out_activation_ == "logistic" and model.n_outputs_ == 1 else P


def same_weights(model, net):
    pairs = [*zip(model.coefs_, net.weights, strict=True), *zip(model.intercepts_, net.biases, strict=True)]
    return all(np.array_equal(theirs.T, ours) and theirs.dtype == ours.dtype for theirs, ours in pairs)


# ---- scikit-learn ----


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", TARGETS)
def test_an_estimator_of_scikit_learn_becomes_a_network_and_comes_back(name, activation, dtype):
    cls, target, more = TARGETS[name]
    model = cls(hidden_layer_sizes=(5, 4), activation=activation, max_iter=3, random_state=0, **more)
    model.fit(X.astype(dtype), target)
    net = fastmlp.from_sklearn(model)
    assert same_weights(model, net)
    tolerance = {"float64": 1e-14, "float32": 1e-6}[dtype]
    assert net(X) == pytest.approx(outputs(model, X.astype(dtype)), rel=tolerance, abs=tolerance)
    loss = {"squared error": "squared_error", "two outputs": "squared_error", "poisson": "poisson",
            "three classes": "cross_entropy"}.get(name, "binary_cross_entropy")  # fmt: skip
    assert net.loss_name == loss
    again = fastmlp.to_sklearn(net, classes=model.classes_ if "classes" in name else None)
    assert type(again) is cls
    assert same_weights(again, net)
    assert np.array_equal(again.predict(X.astype(dtype)), model.predict(X.astype(dtype)))
    assert fastmlp.from_sklearn(again) == net


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("name", TARGETS)
def test_scikit_learn_goes_on_from_the_weights_of_a_network(name, solver):
    cls, target, more = TARGETS[name]
    net = fastmlp.from_sklearn(cls(hidden_layer_sizes=(4,), max_iter=1, random_state=0, **more).fit(X, target))
    model = fastmlp.to_sklearn(net, classes=np.unique(target) if "classes" in name else None)
    model = pickle.loads(pickle.dumps(model)).set_params(solver=solver, warm_start=True, max_iter=20)
    T = np.unique(target, return_inverse=True)[1] if "classes" in name else target
    assert fastmlp.from_sklearn(model.fit(X, target)).loss(X, T) < net.loss(X, T)
    assert solver == "lbfgs" or len(model.loss_curve_) == 20
    assert not hasattr(clone(model), "coefs_")


def test_networks_without_hidden_layers_go_to_scikit_learn_and_back():
    net = network([3, 2])
    model = fastmlp.to_sklearn(net)
    assert model.predict(X) == pytest.approx(net(X), abs=1e-14)
    assert fastmlp.from_sklearn(model) == net


def test_our_estimators_become_networks_of_their_own():
    model = fastmlp.MLPRegressor(hidden_layer_sizes=3, activation="sin", solver="lm", random_state=0).fit(X, y)
    net = fastmlp.from_sklearn(model)
    assert net == model.network_
    net.params = np.zeros(net.n_params)
    assert net != model.network_


def test_what_scikit_learn_does_not_have_is_named():
    def refused(*arguments, got, **more):
        with pytest.raises(ValueError, match=rf"^(net|classes): expected .* got .*{got}"):
            fastmlp.to_sklearn(network(*arguments), **more)

    refused([3, 4, 1], "sin", got="sin")
    refused([3, 4, 4, 1], ["tanh", "relu"], got="tanh, relu")
    refused([3, 4, 1], "tanh", "tanh", got="tanh with squared_error")
    refused([3, 4, 1], "tanh", "logistic", "squared_error", got="logistic with squared_error")
    refused([3, 4, 3], "tanh", "softmax", classes=["a", "b"], got="'b'")
    refused([3, 4, 1], "tanh", "logistic", classes=["b", "a"], got="'a'")
    refused([3, 4, 3], "tanh", "logistic", classes=[0, 1, 2], got="2")
    refused([3, 4, 1], "tanh", classes=[0, 1], got="1")
    with pytest.raises(TypeError, match=r"^net: expected a fastmlp\.Network, got str"):
        fastmlp.to_sklearn("net")
    with pytest.raises(TypeError, match=r"^estimator: expected an MLPRegressor or MLPClassifier, got list"):
        fastmlp.from_sklearn([])
    with pytest.raises(NotFittedError):
        fastmlp.from_sklearn(REGRESSOR())


def test_two_outputs_of_softmax_have_no_counterpart_in_scikit_learn():
    with pytest.raises(ValueError, match=r"^net: expected one logistic output for two classes"):
        fastmlp.to_sklearn(fastmlp.Network([3, 4, 2], output="softmax", rng=0))


def test_weights_that_do_not_fit_each_other_are_refused():
    model = REGRESSOR(hidden_layer_sizes=(4,), max_iter=1).fit(X, y)
    model.coefs_[1] = np.ones((3, 1))
    with pytest.raises(ValueError, match=r"^estimator: expected weights of 4 inputs, .* got 3"):
        fastmlp.from_sklearn(model)
    model.coefs_[1] = np.ones((4, 1), np.float32)
    with pytest.raises(ValueError, match=r"^estimator: expected weights of one number type, got float32 and float64"):
        fastmlp.from_sklearn(model)
    model.coefs_[1] = np.full((4, 1), np.nan)
    with pytest.raises(ValueError, match=r"^estimator: expected finite numbers, got nan"):
        fastmlp.from_sklearn(model)


# ---- ONNX ----


def in_onnx_runtime(model, X):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"X": X})[0]


@pytest.mark.parametrize("output", activations.OUTPUT)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_onnx_runtime_computes_what_the_network_does(hidden, output, dtype):
    net = network([3, 6, 5, 4], hidden, output, dtype=dtype)
    inputs = (3 * X).astype(dtype)
    model = fastmlp.to_onnx(net)
    onnx.checker.check_model(model, full_check=True)
    Y = in_onnx_runtime(model, inputs)
    assert Y.dtype == dtype
    assert (np.abs(Y - net(inputs)) <= {"float64": 1e-14, "float32": 1e-6}[dtype] * np.maximum(1, abs(Y))).all()


@pytest.mark.parametrize("name", activations.OUTPUT[:-1])
def test_exported_activations_are_right_far_out_too(name, dtype):
    net = fastmlp.Network([1, 1], output=name, dtype=dtype)
    net.params = [1.0, 0.0]
    z = np.r_[-np.geomspace(1e-20, 100, 200), np.geomspace(1e-20, 80, 200), 0.0, np.linspace(-10, 10, 401)]
    z = z.astype(dtype)[:, np.newaxis]
    Y = in_onnx_runtime(fastmlp.to_onnx(net), z)
    assert (np.abs(Y - net(z)) <= {"float64": 1e-14, "float32": 1e-6}[dtype] * np.maximum(1, abs(Y))).all()


def test_a_model_is_written_to_a_file(tmp_path):
    net = network([3, 4, 1], dtype="float32")
    model = fastmlp.to_onnx(net, tmp_path / "net.onnx")
    read = onnx.load(tmp_path / "net.onnx")
    assert read == model
    assert (read.producer_name, read.producer_version) == ("fastmlp", fastmlp.__version__)
    assert read.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n_samples"


# ---- libraries that are missing ----


@pytest.mark.parametrize(
    ("call", "package"),
    [
        ("from_sklearn(None)", "scikit-learn"),
        ("to_sklearn(net)", "scikit-learn"),
        ("from_torch(None)", "torch"),
        ("to_torch(net)", "torch"),
        ("to_onnx(net)", "onnx"),
        ("from_onnx(None)", "onnx"),
    ],
)
def test_an_import_error_says_what_to_install(call, package, tmp_path):
    library = {"scikit-learn": "sklearn"}.get(package, package)
    program = (
        f"import sys; sys.modules[{library!r}] = None; import fastmlp; net = fastmlp.Network([1, 1]); fastmlp.{call}"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    name = call.split("(")[0]
    assert f"ImportError: fastmlp.{name} needs {package}: pip install {package}" in process.stderr


def test_what_is_missing_within_a_library_is_not_mistaken_for_the_library(tmp_path):
    (tmp_path / "onnx.py").write_text("import something_else_that_is_not_there")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import fastmlp; fastmlp.to_onnx(fastmlp.Network([1, 1]))"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "No module named 'something_else_that_is_not_there'" in process.stderr
    assert "needs onnx" not in process.stderr
