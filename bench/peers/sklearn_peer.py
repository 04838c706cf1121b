"""scikit-learn's MLP: its own loss and gradient, `partial_fit` for an epoch.

Its epsilon counts before the bias of the moments is corrected, so steps differ from everybody's by about 1e-8 / |g|.
"""

from typing import ClassVar

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from peers import Peer
from problems import Problem, epoch_orders


class Sklearn(Peer):
    """MLPRegressor or MLPClassifier without penalty and shuffling."""

    needs = ("sklearn",)
    training_tolerance: ClassVar[dict[str, float]] = {"float64": 0.1, "float32": 0.1}

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        net, self.X, T = problem
        self.classifier = net.output == "softmax"
        self.T = T.ravel() if T.ndim == 2 and T.shape[1] == 1 else T
        make = MLPClassifier if self.classifier else MLPRegressor
        self.model = make(hidden_layer_sizes=net.layers[1:-1], activation=net.hidden[0], alpha=0.0, shuffle=False)
        self.options = {"classes": np.arange(net.layers[-1])} if self.classifier else {}
        self.start = problem.arrays
        self.restart()
        self.predict_row = self.model.predict_proba if self.classifier else self.model.predict
        self.prepare_gradient()

    def restart(self):
        """The starting values, moments of zero."""
        model = self.model
        if not hasattr(model, "coefs_"):
            model.partial_fit(self.X[:1], self.T[:1], **self.options)
        for layer in range(len(model.coefs_)):
            model.coefs_[layer][...] = self.start[2 * layer].T
            model.intercepts_[layer][...] = self.start[2 * layer + 1]
        vars(model).pop("_optimizer", None)  # partial_fit makes a new one

    def prepare_gradient(self):
        """The arrays that its L-BFGS hands to `_backprop`."""
        model, net, X = self.model, self.problem.net, self.X
        self.targets = self.problem.one_hot if self.classifier else self.problem.T
        blank = [np.empty((len(X), width), X.dtype) for width in net.layers[1:]]
        self.work = (
            [X, *blank],
            [np.empty_like(array) for array in blank],
            [np.empty_like(W) for W in model.coefs_],
            [np.empty_like(b) for b in model.intercepts_],
        )

    def predict(self):
        return self.predict_row(self.X)

    def loss_and_grad(self):
        loss, coefs, intercepts = self.model._backprop(self.X, self.targets, None, *self.work)
        return loss, [array for pair in zip(coefs, intercepts, strict=True) for array in pair]

    def train(self, batch_size, n_epochs):
        self.restart()
        self.model.set_params(batch_size=min(batch_size, len(self.X)))
        for order, _ in zip(epoch_orders(len(self.X)), range(n_epochs), strict=False):
            self.model.partial_fit(self.X[order], self.T[order], **self.options)
        result = [
            array.copy() for pair in zip(self.model.coefs_, self.model.intercepts_, strict=True) for array in pair
        ]
        self.restart()
        return result

    def sums(self, result):
        """Its gradient is a mean over samples, its squared error also one over outputs."""
        n_samples, n_outputs = self.targets.shape
        loss, gradient = super().sums(result)
        return loss * n_samples * (1 if self.classifier else n_outputs), gradient * n_samples

    def vector(self, arrays):
        """As everywhere; its weights are transposed."""
        return super().vector([array.T for array in arrays])
