"""The contestants: one file each, each in its own strongest form, all doing the same work.

A peer is made for one problem and keeps the data in whatever form suits it. It does what it `offers`:

row        predict_row(row)              one row, from a NumPy array to a NumPy array
predict    predict()                     all rows
gradient   loss_and_grad()               sum of losses, gradients by W1, b1, W2, b2, ...
adam       train(batch_size, n_epochs)   W1, b1, ... after epochs of Adam from the start: step size 0.001, betas 0.9 and
                                         0.999, epsilon 1e-8, mean loss, in the order of `problems.epoch_orders`
input_jacobian, param_jacobian   ()      dy/dx (N, K, D), dy/dparams (N, K, P), in a new array
ggn        ggn()                         sum of losses, gradient (P,), Gauss-Newton matrix (P, P), both triangles of it
hessian    hessian()                     exact, (P, P)
hessp, ggnp   (m)                        products with `directions(m)`, (P,) for one, else (P, m)
lm         levenberg_marquardt(n_steps)  parameters (P,) after accepted steps from the start

`Peer` says how results are turned into NumPy arrays to be compared, with parameters in the order of `Network.params`;
that is not timed.
"""

import importlib
from functools import cache
from typing import Any, ClassVar

import numpy as np

from problems import Problem

BLOCK = 1024  # samples that peers take through the network at a time: faster than all at once, or 512, or 2048
CURVATURE = ("input_jacobian", "param_jacobian", "ggn", "hessian", "hessp", "ggnp", "lm")


class Peer:
    """What is common to all contestants."""

    needs: ClassVar[tuple[str, ...]] = ()  # modules, to tell the versions of
    offers: ClassVar[tuple[str, ...]] = ("row", "predict", "gradient", "adam")
    #: relative distance from NumPy by hand that a few steps of Adam may end at; in float32 a relu may switch
    training_tolerance: ClassVar[dict[str, float]] = {"float64": 1e-10, "float32": 0.05}
    #: of the loss that a few steps of Levenberg-Marquardt may end at
    descent_tolerance: ClassVar[dict[str, float]] = {"float64": 1e-10}

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.directions = cache(self.draw_directions)

    def draw_directions(self, m: int) -> Any:
        """Directions for products with curvature, as the peer wants them: a vector, or the columns of an array."""
        columns = self.problem.directions(m)
        return columns[:, 0].copy() if m == 1 else columns

    def ordered(self, array: Any, *axes: int) -> np.ndarray:
        """An array with the parameters along some axes in the order of `Network.params`."""
        return np.asarray(array)

    def outputs(self, Y: Any) -> np.ndarray:
        """Predictions as an array of shape (N, K)."""
        return np.asarray(Y).reshape(-1, self.problem.net.layers[-1])

    def sums(self, result: Any) -> tuple[float, np.ndarray]:
        """Loss and gradient, both summed over samples and outputs."""
        return float(result[0]), self.vector(result[1])

    def vector(self, arrays: Any) -> np.ndarray:
        """Gradients or parameters as one vector in the order of `Network.params`."""
        return np.concatenate([np.asarray(array).ravel() for array in arrays])


CLASSES = {  # name: module, class
    "fastmlp": ("ours", "Fastmlp"),
    "objective": ("ours", "FastmlpObjective"),
    "numpy": ("numpy_curvature", "NumpyCurvature"),
    "sklearn": ("sklearn_peer", "Sklearn"),
    "scipy-lm": ("scipy_peer", "Minpack"),
    "scipy-trf": ("scipy_peer", "TrustRegion"),
    "scipy-lsmr": ("scipy_peer", "TrustRegionLsmr"),
    "torch": ("torch_curvature", "TorchCurvature"),
    "torch-flat": ("torch_peer", "TorchFlat"),
    "curvlinops": ("curvlinops_peer", "Curvlinops"),
    "jax": ("jax_curvature", "JaxCurvature"),
    "jax-blas": ("jax_curvature", "JaxBlas"),
    "onnx": ("onnx_peer", "Onnx"),
}
OURS = ("fastmlp", "objective")
PEERS = tuple(name for name in CLASSES if name not in OURS)


def load(name: str) -> type[Peer] | None:
    """The class of that name; None where a module that it needs is not installed."""
    module, class_name = CLASSES[name]
    try:
        return getattr(importlib.import_module(f"peers.{module}"), class_name)
    except ModuleNotFoundError:
        return None
