"""ONNX Runtime: prediction only, from a graph of Gemm and activation nodes."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from peers import Peer
from problems import Problem

OPSET, IR_VERSION = 18, 9  # old enough for every runtime of the last years


def model_of(problem: Problem) -> onnx.ModelProto:
    """The network as an ONNX model."""
    net, arrays = problem.net, problem.arrays
    operator = {"tanh": "Tanh", "relu": "Relu", "softmax": "Softmax", "identity": "Identity"}
    nodes, at = [], "x"
    for layer, name in enumerate((*net.hidden, net.output)):
        last = layer == len(net.hidden)
        nodes.append(helper.make_node("Gemm", [at, f"W{layer}", f"b{layer}"], [f"z{layer}"], transB=1))
        at = "y" if last else f"a{layer}"
        nodes.append(helper.make_node(operator[name], [f"z{layer}"], [at]))
    number = TensorProto.DOUBLE if net.dtype == np.float64 else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", number, ["n", net.layers[0]])],
        [helper.make_tensor_value_info("y", number, ["n", net.layers[-1]])],
        [numpy_helper.from_array(array, f"{'Wb'[i % 2]}{i // 2}") for i, array in enumerate(arrays)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


class Onnx(Peer):
    """A session with one thread and all graph optimisations."""

    needs = ("onnxruntime",)
    offers = ("row", "predict")

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(
            model_of(problem).SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def predict_row(self, row):
        return self.session.run(None, {"x": row})[0]

    def predict(self):
        return self.session.run(None, {"x": self.problem.X})[0]
