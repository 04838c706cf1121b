"""torch, continued: torch.func's Jacobians over samples, Hessian and products with one flat vector of parameters."""

import numpy as np
import torch
from scipy.linalg import blas
from torch import func
from torch.nn import functional

from peers import CURVATURE
from peers.numpy_curvature import mirror
from peers.torch_peer import Torch

CHUNK = 64  # columns of the Hessian at a time


class TorchCurvature(Torch):
    """vmap of jacrev, J'J by SYRK of BLAS; forward over reverse, or jvp and vjp, for products."""

    needs = ("torch", "scipy")
    offers = (*Torch.offers, *(kind for kind in CURVATURE if kind != "lm"))

    def __init__(self, problem):
        super().__init__(problem)
        self.shapes = [array.shape for array in self.start]
        self.flat = torch.cat([array.ravel() for array in self.start])

    def draw_directions(self, m):
        return torch.from_numpy(super().draw_directions(m))

    def arrays(self, flat):
        """W1, b1, ... as views of a vector."""
        parts = flat.split([shape.numel() for shape in self.shapes])
        return [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def logits_of(self, arrays, X):
        for W, b in zip(arrays[:-2:2], arrays[1:-2:2], strict=True):
            X = self.activation(functional.linear(X, W, b))
        return functional.linear(X, *arrays[-2:])

    def outputs_of(self, arrays, X):
        z = self.logits_of(arrays, X)
        return torch.softmax(z, -1) if self.softmax else z

    def loss_of(self, flat):
        z = self.logits_of(self.arrays(flat), self.X)
        if self.softmax:
            return functional.cross_entropy(z, self.T, reduction="sum")
        return 0.5 * functional.mse_loss(z, self.T, reduction="sum")

    def input_jacobian(self):
        return func.vmap(func.jacrev(self.outputs_of, 1), (None, 0))(self.start, self.X)

    def rows(self, function):
        """Jacobian of each row by all parameters (N, K, P)."""
        parts = func.vmap(func.jacrev(function), (None, 0))(self.start, self.X)
        return torch.cat([part.flatten(2) for part in parts], 2)

    def param_jacobian(self):
        return self.rows(self.outputs_of)

    @torch.no_grad()
    def ggn(self):
        J, z = self.rows(self.logits_of), self.logits_of(self.start, self.X)
        if self.softmax:
            loss, y = functional.cross_entropy(z, self.T, reduction="sum"), torch.softmax(z, 1)
            residuals = y - functional.one_hot(self.T, z.shape[1])
        else:
            residuals = z - self.T
            loss = 0.5 * torch.sum(residuals * residuals)
        gradient = residuals.ravel() @ J.flatten(0, 1)
        if self.softmax:
            J = y.sqrt()[:, :, None] * (J - y[:, None] @ J)
        rows = J.flatten(0, 1).numpy()
        syrk = blas.dsyrk if rows.dtype == np.float64 else blas.ssyrk
        return loss, gradient, mirror(syrk(1.0, rows.T))

    def hessian_product(self, v):
        return func.jvp(func.grad(self.loss_of), (self.flat,), (v,))[1]

    def ggn_product(self, v):
        def logits(flat):
            return self.logits_of(self.arrays(flat), self.X)

        z, moved = func.jvp(logits, (self.flat,), (v,))
        if self.softmax:
            y = torch.softmax(z, 1)
            moved = y * (moved - (y * moved).sum(1, keepdim=True))
        return func.vjp(logits, self.flat)[1](moved)[0]

    def products(self, product, m):
        directions = self.directions(m)
        return product(directions) if m == 1 else func.vmap(product, 1, 1)(directions)

    def hessp(self, m):
        return self.products(self.hessian_product, m)

    def ggnp(self, m):
        return self.products(self.ggn_product, m)

    def hessian(self):
        eye = torch.eye(self.flat.numel(), dtype=self.flat.dtype)
        return func.vmap(self.hessian_product, chunk_size=CHUNK)(eye)
