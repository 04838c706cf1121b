"""ONNX Runtime: prediction only, from the graph that the library exports."""

import onnxruntime

import fastmlp
from peers import Peer
from problems import Problem


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
            fastmlp.to_onnx(problem.net).SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def predict_row(self, row):
        return self.session.run(None, {"X": row})[0]

    def predict(self):
        return self.session.run(None, {"X": self.problem.X})[0]
