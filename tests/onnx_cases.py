"""Models that tests of ONNX have in common, and what onnx's own evaluator makes of them."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from scipy import special

import fastmlp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
TARGETS = {
    "numbers": np.digitize(X[:, 0], [-0.5, 0.5]) * 10,
    "text": np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)],
    "three names": np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.5, 0.5])],
    "bool": X[:, 0] > 0,
    "labels": (X[:, :2] > 0).astype(int),
}
W, V, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2)), RNG.normal(size=4)
DENSE = [("MatMul", ["x", "W"], "u"), ("Add", ["u", "b"], "z")]
LAST = ("MatMul", ["h", "V"], "y")
CONSTANTS = {"W": W, "V": V, "b": b}


def network(layers, rng=0, **arguments):
    """With biases that are not zero."""
    net = fastmlp.Network(layers, rng=rng, **arguments)
    rng = np.random.default_rng(rng)
    for b in net.biases:
        b[...] = rng.normal(size=b.shape)
    return net


def bare(model):
    """As others write it, who tell of no architecture."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.metadata_props[:]
    return copy


def computed(model, X):
    """Its last output, of ONNX Runtime where that can."""
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString())
        return session.run(None, {session.get_inputs()[0].name: X})[-1]
    except Exception:  # of double, or of an output that is a list
        return evaluated(model, X)


class Erf(OpRun):
    """In double; onnx's own is in single."""

    def _run(self, x):
        return (special.erf(x),)


class Gelu(OpRun):
    """Likewise."""

    def _run(self, x, approximate=None):
        assert approximate in (None, "none")
        return (x * special.ndtr(x),)


def evaluated(model, X):
    """By onnx, operator by operator."""
    return ReferenceEvaluator(model, new_ops=[Erf, Gelu]).run(None, {model.graph.input[0].name: X})[-1]


def hand_made(*nodes, constants=None, opset=18):
    """A graph of (operator, inputs, output, attributes)."""
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, shape) for name, shape in (("x", ["n", 3]), ("y", None))
    )
    made = [
        helper.make_node(op, given, [out], name=f"the_{op}", **(more[0] if more else {}))
        for op, given, out, *more in nodes
    ]
    graph = helper.make_graph(
        made, "g", [x], [y],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )  # fmt: skip
    sets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=sets, ir_version=9)
