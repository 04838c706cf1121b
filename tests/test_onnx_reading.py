"""ONNX models of others as networks: outputs are those of ONNX Runtime, or of onnx's own evaluator."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import skl2onnx
from onnx import TensorProto, helper
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from onnx_cases import CONSTANTS, DENSE, LAST, RNG, TARGETS, V, W, X, b, computed, evaluated, hand_made

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning"),
]
STORED = sorted((Path(__file__).parent / "data" / "onnx").glob("*.onnx"))
UNLIKE = {"torch_script_float32_relu6"}  # no network of ours
LOGS = {"torch_dynamo_float32_bn", "torch_script_float64_bn"}  # which end in the logarithm of softmax

# ---- others' ----


@pytest.mark.parametrize("path", [each for each in STORED if each.stem not in UNLIKE], ids=lambda path: path.stem)
def test_stored_models_of_other_systems(path):
    model = onnx.load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        net = fastmlp.from_onnx(path)
    x = model.graph.input[0]
    dtype = helper.tensor_dtype_to_np_dtype(x.type.tensor_type.elem_type)
    shape = [each.dim_value for each in x.type.tensor_type.shape.dim]
    own = shape[1:] if len(shape) > 2 else [net.layers[0]]
    n = shape[0] or 7
    Z = (2 * np.random.default_rng(1).normal(size=(n, *own))).astype(dtype)
    Y = net(Z.reshape(n, -1))
    if "multilabel" in path.stem:  # ZipMap cannot be run; its columns are 1 - p and p
        del model.graph.output[:], model.graph.node[-1], model.graph.node[-1]
        model.graph.output.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, None))
        Y = np.hstack([1 - Y, Y])
    theirs = np.reshape(computed(model, Z), (n, -1))
    rounding = (
        1e-5 if dtype == np.float32 else 1e-8 if "leaky" in path.stem else 1e-12
    )  # the slope is single in the file
    assert np.allclose(np.log(Y) if path.stem in LOGS else Y, theirs, rtol=0, atol=rounding)


def test_there_are_stored_models():
    assert len(STORED) >= 17


def test_another_activation_is_refused_by_the_nodes_that_make_it():
    path = next(each for each in STORED if each.stem == "torch_script_float32_relu6")
    with pytest.raises(
        ValueError, match=r"model: expected one of identity, .*got another function, by node /1/Clip \(Clip\)"
    ):
        fastmlp.from_onnx(path)


@pytest.mark.parametrize("opset", [13, 18, 21])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scikit_learns_converter(dtype, opset):
    data = (1e3 + 50 * X).astype(dtype)
    for target in (X[:, 0], TARGETS["three names"], TARGETS["text"]):
        cls = MLPRegressor if target.dtype == float else MLPClassifier
        model = make_pipeline(StandardScaler(), cls(hidden_layer_sizes=(5, 4), activation="tanh", max_iter=40)).fit(
            data, target
        )
        options = {} if target.dtype == float else {"zipmap": False}
        written = skl2onnx.to_onnx(model, data[:1], target_opset=opset, options=options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            net = fastmlp.from_onnx(written)
        theirs = computed(written, data)
        close = {"rtol": 0, "atol": 2e-5 if dtype == np.float32 else 1e-12}
        assert np.allclose(net(data), theirs[:, -net.layers[-1] :], **close)


FORMS = {
    "Gemm with alpha and beta": (
        [("Gemm", ["x", "W", "b"], "z", {"alpha": 0.5, "beta": 2.0}), ("Tanh", ["z"], "h"), LAST],
        {},
    ),
    "Gemm of a transposed matrix": (
        [("Gemm", ["x", "Wt", "b"], "z", {"transB": 1}), ("Sin", ["z"], "h"), LAST],
        {"Wt": np.ascontiguousarray(W.T)},
    ),
    "biases first": (
        [("MatMul", ["x", "W"], "u"), ("Add", ["row", "u"], "z"), ("Softplus", ["z"], "h"), LAST],
        {"row": b[None]},
    ),
    "a transposed constant": (
        [("Transpose", ["Wt"], "W2"), ("MatMul", ["x", "W2"], "z"), ("Elu", ["z"], "h"), LAST],
        {"Wt": np.ascontiguousarray(W.T)},
    ),
    "silu of parts": ([*DENSE, ("Sigmoid", ["z"], "s"), ("Mul", ["z", "s"], "h"), LAST], {}),
    "logistic of parts": (
        [
            *DENSE,
            ("Neg", ["z"], "m"),
            ("Exp", ["m"], "e"),
            ("Add", ["e", "one"], "d"),
            ("Reciprocal", ["d"], "h"),
            LAST,
        ],
        {"one": 1.0},
    ),
    "tanh by logistic": (
        [
            *DENSE,
            ("Mul", ["z", "two"], "t"),
            ("Sigmoid", ["t"], "s"),
            ("Mul", ["s", "two"], "d"),
            ("Sub", ["d", "one"], "h"),
            LAST,
        ],
        {"one": 1.0, "two": 2.0},
    ),
    "gelu by Erf": (
        [
            *DENSE,
            ("Div", ["z", "root"], "t"),
            ("Erf", ["t"], "e"),
            ("Add", ["e", "one"], "s"),
            ("Mul", ["z", "s"], "p"),
            ("Mul", ["p", "half"], "h"),
            LAST,
        ],
        {"root": np.sqrt(2.0), "one": 1.0, "half": 0.5},
    ),
    "softplus by parts": (
        [*DENSE, ("Exp", ["z"], "e"), ("Add", ["e", "one"], "s"), ("Log", ["s"], "h"), LAST],
        {"one": 1.0},
    ),
    "relu as Clip": ([*DENSE, ("Clip", ["z", "zero"], "h"), LAST], {"zero": 0.0}),
    "leaky relu as PRelu": ([*DENSE, ("PRelu", ["z", "slope"], "h"), LAST], {"slope": np.full(4, 0.01)}),
    "standardised": (
        [
            ("Sub", ["x", "m"], "c"),
            ("Div", ["c", "sd"], "x2"),
            ("MatMul", ["x2", "W"], "z"),
            ("Tanh", ["z"], "h"),
            LAST,
        ],
        {"m": np.array([1e3, -2.0, 0.0]), "sd": np.array([50.0, 1e-3, 1.0])},
    ),
    "in and out": (
        [
            ("Mul", ["x", "s"], "x2"),
            ("Gemm", ["x2", "W", "b"], "z"),
            ("Tanh", ["z"], "h"),
            ("MatMul", ["h", "V"], "v"),
            ("Mul", ["v", "t"], "w"),
            ("Add", ["w", "t"], "y"),
        ],
        {"s": np.array([[1e-3, 2.0, -1.0]]), "t": np.array([1e5, -3.0])},
    ),
    "a map between layers": (
        [*DENSE, ("Tanh", ["z"], "a"), ("Mul", ["a", "b"], "c"), ("Sub", ["half", "c"], "h"), LAST],
        {"half": np.float64(0.5)},
    ),
    "nothing between layers": ([("MatMul", ["x", "W"], "h"), LAST], {}),
    "two classes": (
        [
            *DENSE,
            ("Relu", ["z"], "h"),
            ("MatMul", ["h", "V1"], "v"),
            ("Sigmoid", ["v"], "p"),
            ("Sub", ["one", "p"], "q"),
            ("Concat", ["q", "p"], "y", {"axis": 1}),
        ],
        {"V1": V[:, :1], "one": 1.0},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_network_in_many_forms(form):
    nodes, more = FORMS[form]
    model = hand_made(
        *nodes, constants=CONSTANTS | {name: np.asarray(value, np.float64) for name, value in more.items()}
    )
    Z = RNG.normal(size=(9, 3)) * ([50, 1e-3, 1] if form == "standardised" else 1) + (
        [1e3, -2, 0] if form == "standardised" else 0
    )
    Y, theirs = fastmlp.from_onnx(model)(Z), evaluated(model, Z)
    scale = max(1.0, np.abs(theirs).max())
    assert np.allclose(Y, theirs[:, -Y.shape[1] :], rtol=0, atol=1e-12 * scale)


def test_softmax_is_of_the_last_axis_from_set_13_on():
    nodes = [("MatMul", ["x", "W"], "z"), ("Softmax", ["z"], "y")]
    for opset in (11, 13):
        assert fastmlp.from_onnx(hand_made(*nodes, constants={"W": W}, opset=opset)).output == "softmax"
