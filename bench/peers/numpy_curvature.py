"""NumPy by hand, continued: Jacobians, the Gauss-Newton matrix as J'J by SYRK, products by tangents of both sweeps."""

import numpy as np
from scipy.linalg import blas, cho_factor, cho_solve

from peers import BLOCK
from peers.numpy_by_hand import NumpyByHand

MIRRORED = 256  # rows of a triangle that are copied at a time


def mirror(matrix):
    """The upper triangle copied into the lower one."""
    for i in range(0, len(matrix), MIRRORED):
        rows = slice(i, i + MIRRORED)
        matrix[rows, :i] = matrix[:i, rows].T
        matrix[rows, rows] = np.triu(matrix[rows, rows]) + np.triu(matrix[rows, rows], 1).T
    return matrix


class NumpyCurvature(NumpyByHand):
    """Everything in blocks of samples; `hessian`, a product with each unit vector, is an answer but no contestant."""

    needs = ("numpy", "scipy")
    offers = (*NumpyByHand.offers, "input_jacobian", "param_jacobian", "ggn", "hessp", "ggnp", "lm")

    def slope(self, a):
        """Derivative h'(z) from a = h(z)."""
        return (a > 0).astype(a.dtype) if self.relu else 1 - a * a

    def output_deltas(self, y, of_logits=False):
        """dy_k / dz (n, K, K), or unit vectors for the logits."""
        eye = np.broadcast_to(np.eye(y.shape[1], dtype=y.dtype), (*y.shape, y.shape[1]))
        return eye if of_logits or not self.softmax else y[:, :, np.newaxis] * (eye - y[:, np.newaxis])

    def back(self, layer, deltas, a):
        """Deltas (n, K, units) of a layer's inputs a = h(z)."""
        W = self.layers[layer][0]
        below = (deltas.reshape(-1, len(W)) @ W).reshape(*deltas.shape[:2], -1)
        below *= self.slope(a)[:, np.newaxis]
        return below

    def input_jacobian(self):
        net, X = self.problem.net, self.X
        result = np.empty((len(X), net.layers[-1], net.layers[0]), X.dtype)
        for i in range(0, len(X), BLOCK):
            *activations, y = self.forward(X[i : i + BLOCK])
            deltas = self.output_deltas(y)
            for layer in range(len(self.layers) - 1, 0, -1):
                deltas = self.back(layer, deltas, activations[layer])
            np.matmul(deltas, self.layers[0][0], out=result[i : i + BLOCK])
        return result

    def fill_jacobian(self, activations, deltas, J):
        """J (n, K, P) by outer products, written in place."""
        views, first = [], 0
        for W, b in self.layers:
            views.append((slice(first, first + W.size), slice(first + W.size, first + W.size + b.size)))
            first += W.size + b.size
        for layer in range(len(self.layers) - 1, -1, -1):
            a, (weights, biases) = activations[layer], views[layer]
            block = J[:, :, weights].reshape(*deltas.shape, a.shape[1])  # a view
            np.multiply(deltas[..., np.newaxis], a[:, np.newaxis, np.newaxis], out=block)
            J[:, :, biases] = deltas
            if layer:
                deltas = self.back(layer, deltas, a)

    def param_jacobian(self):
        X = self.X
        J = np.empty((len(X), self.problem.net.layers[-1], self.params.size), X.dtype)
        for i in range(0, len(X), BLOCK):
            *activations, y = self.forward(X[i : i + BLOCK])
            self.fill_jacobian(activations, self.output_deltas(y), J[i : i + BLOCK])
        return J

    def loss_at(self, params):
        """Sum of losses at other parameters."""
        self.params[:] = params
        loss = self.loss_and_grad()[0]
        self.params[:] = self.start
        return loss

    def triangle(self):
        """Loss, gradient, and J' Lambda J in one triangle: of the outputs, or of the logits before softmax."""
        X, n_outputs, n_params = self.X, self.problem.net.layers[-1], self.params.size
        syrk = blas.dsyrk if X.dtype == np.float64 else blas.ssyrk
        J = np.empty((min(BLOCK, len(X)), n_outputs, n_params), X.dtype)
        loss, gradient = 0.0, np.zeros(n_params, X.dtype)
        matrix = np.zeros((n_params, n_params), X.dtype, order="F")
        for i in range(0, len(X), BLOCK):
            T = self.T[i : i + BLOCK]
            *activations, y = self.forward(X[i : i + BLOCK])
            block = J[: len(y)]
            self.fill_jacobian(activations, self.output_deltas(y, of_logits=True), block)
            rows = block.reshape(-1, n_params)
            residuals = y - (np.eye(n_outputs, dtype=y.dtype)[T] if self.softmax else T)
            gradient += residuals.ravel() @ rows
            if self.softmax:
                loss -= np.log(y[np.arange(len(y)), T]).sum(dtype=np.float64)
                block -= np.matmul(y[:, np.newaxis], block)  # Lambda = B B', B' = diag(sqrt y) (I - 1 y')
                block *= np.sqrt(y)[:, :, np.newaxis]
            else:
                loss += 0.5 * np.vdot(residuals, residuals)
            matrix = syrk(1.0, rows.T, 1.0, matrix, overwrite_c=1)
        return loss, gradient, matrix

    def ggn(self):
        loss, gradient, matrix = self.triangle()
        return loss, gradient, mirror(matrix)

    def tangents(self, activations, directions):
        """Derivatives of hidden activations, and of the last pre-activation, along directions of the parameters."""
        result = [None]
        for layer, ((W, _), (V, c)) in enumerate(zip(self.layers, directions, strict=True)):
            z = activations[layer] @ V.T
            z += c
            if layer:
                z += result[-1] @ W.T
            if layer < len(self.layers) - 1:
                z *= self.slope(activations[layer + 1])
            result.append(z)
        return result

    def product(self, v, exact):
        """H v, or G v."""
        directions, total = self.views(v, self.problem.net.layers), np.zeros_like(v)
        part = np.empty_like(v)
        views = self.views(part, self.problem.net.layers)
        for i in range(0, len(self.X), BLOCK):
            T = self.T[i : i + BLOCK]
            activations = self.forward(self.X[i : i + BLOCK])
            y = activations[-1]
            tangents = self.tangents(activations, directions)
            moved = tangents[-1]
            if self.softmax:
                moved = y * (moved - np.sum(y * moved, axis=1, keepdims=True))
            delta = y - (np.eye(y.shape[1], dtype=y.dtype)[T] if self.softmax else T) if exact else None
            for layer in range(len(self.layers) - 1, -1, -1):
                (W, _), (V, _), a = self.layers[layer], directions[layer], activations[layer]
                dW, db = views[layer]
                np.matmul(moved.T, a, out=dW)
                np.sum(moved, axis=0, out=db)
                if exact and layer:
                    dW += delta.T @ tangents[layer]
                if layer:
                    slope = self.slope(a)
                    moved = moved @ W
                    if exact:
                        moved += delta @ V
                        delta = delta @ W
                    moved *= slope
                    if exact and not self.relu:
                        moved -= 2 * delta * a * tangents[layer]  # h'' z. = -2 h h' z.
                    if exact:
                        delta *= slope
            total += part
        return total

    def products(self, m, exact):
        """With one direction after the other."""
        directions = self.directions(m)
        if m == 1:
            return self.product(directions, exact)
        return np.stack([self.product(np.ascontiguousarray(v), exact) for v in directions.T], axis=1)

    def hessp(self, m):
        return self.products(m, exact=True)

    def ggnp(self, m):
        return self.products(m, exact=False)

    def hessian(self):
        return np.stack([self.product(e, exact=True) for e in np.eye(self.params.size, dtype=self.params.dtype)])

    def levenberg_marquardt(self, n_steps):
        """Damped by the identity, with Nielsen's rule (1999); Cholesky's factorisation of the Gauss-Newton matrix."""
        p, growth = self.params, 2.0
        loss, gradient, matrix = self.triangle()
        diagonal = matrix.ravel("K")[:: len(p) + 1]  # a view
        damping, done = 1e-3 * diagonal.max(), 0
        while done < n_steps:
            diagonal += damping
            step = cho_solve(cho_factor(matrix, check_finite=False), -gradient, check_finite=False)
            diagonal -= damping
            promised = 0.5 * (damping * step @ step - gradient @ step)
            p += step
            residuals = self.forward(self.X)[-1] - self.T
            rho = (loss - 0.5 * np.vdot(residuals, residuals)) / promised
            if rho > 1e-4:
                damping, growth, done = damping * max(1 / 3, 1 - (2 * min(rho, 1) - 1) ** 3), 2.0, done + 1
                loss, gradient, matrix = self.triangle()
                diagonal = matrix.ravel("K")[:: len(p) + 1]
            else:
                p -= step
                damping, growth = damping * growth, 2 * growth
        result = p.copy()
        p[:] = self.start
        return result
