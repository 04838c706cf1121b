"""torch on the CPU: eager with autograd and fused Adam; and with everything by hand on one flat vector."""

import numpy as np
import torch
from torch.nn import functional

from peers import BLOCK, Peer
from problems import Problem, epoch_orders

torch.set_num_threads(1)


class Torch(Peer):
    """Layers with autograd, as users write them; inference without a graph."""

    needs = ("torch",)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        net = problem.net
        self.activation = torch.relu if "relu" in net.hidden else torch.tanh
        self.softmax = net.output == "softmax"
        self.X, self.T = torch.from_numpy(problem.X), torch.from_numpy(problem.T)
        self.start = [torch.from_numpy(array) for array in problem.arrays]
        self.params = [array.clone().requires_grad_() for array in self.start]

    def logits(self, X):
        params = self.params
        for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            X = self.activation(functional.linear(X, W, b))
        return functional.linear(X, params[-2], params[-1])

    def loss(self, X, T):
        z = self.logits(X)
        if self.softmax:
            return functional.cross_entropy(z, T, reduction="sum")
        return 0.5 * functional.mse_loss(z, T, reduction="sum")

    @torch.inference_mode()
    def outputs_for(self, X):
        z = self.logits(X)
        return torch.softmax(z, 1) if self.softmax else z

    def predict_row(self, row):
        return self.outputs_for(torch.from_numpy(row)).numpy()

    def predict(self):
        return self.outputs_for(self.X)

    def loss_and_grad(self):
        loss = self.loss(self.X, self.T)
        return loss.detach(), torch.autograd.grad(loss, self.params)

    def train(self, batch_size, n_epochs):
        self.restart()
        adam = torch.optim.Adam(self.params, lr=0.001, fused=True)
        for order, _ in zip(epoch_orders(len(self.X)), range(n_epochs), strict=False):
            for rows in torch.from_numpy(order).split(batch_size):
                adam.zero_grad(set_to_none=True)
                (self.loss(self.X[rows], self.T[rows]) / len(rows)).backward()
                adam.step()
        result = [p.detach().clone() for p in self.params]
        self.restart()
        return result

    @torch.no_grad()
    def restart(self):
        """The starting values."""
        for p, start in zip(self.params, self.start, strict=True):
            p.copy_(start)


class TorchFlat(Peer):
    """Backpropagation by hand, parameters and gradient one vector each, so that a step of fused Adam is one kernel."""

    needs = ("torch",)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        net = problem.net
        self.relu, self.softmax = "relu" in net.hidden, net.output == "softmax"
        self.X, self.T = torch.from_numpy(problem.X), torch.from_numpy(problem.T)
        self.targets = torch.from_numpy(problem.one_hot) if self.softmax else self.T
        arrays = problem.arrays
        self.start = torch.from_numpy(np.concatenate([array.ravel() for array in arrays]))
        self.params, self.gradient = self.start.clone(), torch.empty_like(self.start)
        self.W, self.b = self.views(self.params, arrays)
        self.dW, self.db = self.views(self.gradient, arrays)

    @staticmethod
    def views(vector, arrays):
        """Weights and biases of all layers as views of the vector."""
        parts = [part.view(a.shape) for part, a in zip(vector.split([a.size for a in arrays]), arrays, strict=True)]
        return parts[::2], parts[1::2]

    def forward(self, X):
        """Activations of all layers, inputs first, logits last."""
        activations = [X]
        for W, b in zip(self.W, self.b, strict=True):
            z = torch.addmm(b, activations[-1], W.t())
            activations.append(z)
            if len(activations) <= len(self.W):
                z.relu_() if self.relu else z.tanh_()
        return activations

    def backward(self, X, T):
        """Sum of losses; the gradient goes into `self.gradient`."""
        activations = self.forward(X)
        z = activations.pop()
        if self.softmax:
            log_y = torch.log_softmax(z, 1)
            loss, delta = -torch.sum(log_y * T), log_y.exp_().sub_(T)
        else:
            delta = z.sub_(T)
            loss = 0.5 * torch.sum(delta * delta)
        for layer in range(len(self.W) - 1, -1, -1):
            a = activations[layer]
            torch.mm(delta.t(), a, out=self.dW[layer])
            torch.sum(delta, 0, out=self.db[layer])
            if layer:
                back = torch.ops.aten.threshold_backward if self.relu else torch.ops.aten.tanh_backward
                delta = back(delta @ self.W[layer], a, *([0] if self.relu else []))
        return loss

    @torch.inference_mode()
    def predict_row(self, row):
        return self.probabilities(torch.from_numpy(row)).numpy()

    @torch.inference_mode()
    def predict(self):
        return torch.cat([self.probabilities(X) for X in self.X.split(BLOCK)])

    def probabilities(self, X):
        """Outputs of the network."""
        z = self.forward(X)[-1]
        return torch.softmax(z, 1) if self.softmax else z

    def loss_and_grad(self):
        loss, total = 0.0, torch.zeros_like(self.gradient)
        for X, T in zip(self.X.split(BLOCK), self.targets.split(BLOCK), strict=True):
            loss += self.backward(X, T)
            total += self.gradient
        return loss, [total]

    def train(self, batch_size, n_epochs):
        p, g = self.params.copy_(self.start), self.gradient
        m, v, steps = torch.zeros_like(p), torch.zeros_like(p), torch.zeros(())
        for order, _ in zip(epoch_orders(len(self.X)), range(n_epochs), strict=False):
            rows = torch.from_numpy(order)
            for X, T in zip(self.X[rows].split(batch_size), self.targets[rows].split(batch_size), strict=True):
                self.backward(X, T)
                g /= len(X)
                steps += 1
                torch._fused_adam_(
                    [p], [g], [m], [v], [], [steps],
                    lr=0.001, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
                )  # fmt: skip
        result = [self.params.clone()]
        self.params.copy_(self.start)
        return result
