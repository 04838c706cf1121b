"""By hand in NumPy with BLAS, for tanh or relu and identity or softmax: a peer, and the answer all others are held to.

All parameters lie in one vector, so that a step of Adam is a few calls; arrays are reused as far as sizes allow.
"""

from itertools import pairwise

import numpy as np

from peers import BLOCK, Peer
from problems import Problem, epoch_orders


class NumpyByHand(Peer):
    """Forward and backward pass, Adam."""

    needs = ("numpy",)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        net, self.X, self.T = problem
        self.relu, self.softmax = "relu" in net.hidden, net.output == "softmax"
        self.start = np.concatenate([array.ravel() for array in problem.arrays])
        self.params, self.gradient = self.start.copy(), np.empty_like(self.start)
        self.layers = self.views(self.params, net.layers)
        self.gradients = self.views(self.gradient, net.layers)

    @staticmethod
    def views(vector, layers):
        """(W, b) of each layer as views of the vector."""
        parts, first = [], 0
        for n_in, n_out in pairwise(layers):
            W, first = vector[first : first + n_in * n_out].reshape(n_out, n_in), first + n_in * n_out
            b, first = vector[first : first + n_out], first + n_out
            parts.append((W, b))
        return parts

    def forward(self, X):
        """Activations of all layers, inputs first."""
        activations = [X]
        for W, b in self.layers:
            z = activations[-1] @ W.T
            z += b
            activations.append(z)
            if len(activations) <= len(self.layers):
                np.maximum(z, 0, out=z) if self.relu else np.tanh(z, out=z)
        if self.softmax:
            z -= z.max(axis=1, keepdims=True)
            np.exp(z, out=z)
            z /= z.sum(axis=1, keepdims=True)
        return activations

    def backward(self, X, T):
        """Sum of losses; the gradient goes into `self.gradient`."""
        activations = self.forward(X)
        delta = activations.pop()
        if self.softmax:
            rows = np.arange(len(X))
            loss = -np.log(delta[rows, T]).sum(dtype=np.float64)
            delta[rows, T] -= 1
        else:
            delta -= T
            loss = 0.5 * np.vdot(delta, delta)
        for layer in range(len(self.layers) - 1, -1, -1):
            W, b = self.gradients[layer]
            a = activations.pop()
            np.matmul(delta.T, a, out=W)
            np.sum(delta, axis=0, out=b)
            if layer:
                delta = delta @ self.layers[layer][0]
                if self.relu:
                    delta *= a > 0
                else:
                    np.multiply(a, a, out=a)
                    np.subtract(1, a, out=a)
                    delta *= a
        return loss

    def predict_row(self, row):
        return self.forward(row)[-1]

    def predict(self):
        return np.concatenate([self.forward(self.X[i : i + BLOCK])[-1] for i in range(0, len(self.X), BLOCK)])

    def loss_and_grad(self):
        loss, total = 0.0, np.zeros_like(self.gradient)
        for i in range(0, len(self.X), BLOCK):
            loss += self.backward(self.X[i : i + BLOCK], self.T[i : i + BLOCK])
            total += self.gradient
        return loss, [total]

    def train(self, batch_size, n_epochs):
        p, g = self.params, self.gradient
        p[:] = self.start
        m, v, change = np.zeros_like(p), np.zeros_like(p), np.empty_like(p)
        steps = 0
        for order, _ in zip(epoch_orders(len(self.X)), range(n_epochs), strict=False):
            for first in range(0, len(order), batch_size):
                rows = order[first : first + batch_size]
                self.backward(self.X[rows], self.T[rows])
                steps += 1
                g /= len(rows)
                m *= 0.9
                v *= 0.999
                m += np.multiply(g, 0.1, out=change)
                g *= g
                v += np.multiply(g, 0.001, out=g)
                np.multiply(v, 1 / (1 - 0.999**steps), out=change)
                np.sqrt(change, out=change)
                change += 1e-8
                np.divide(m, change, out=change)
                change *= 0.001 / (1 - 0.9**steps)
                p -= change
        result = p.copy()
        p[:] = self.start
        return [result]
