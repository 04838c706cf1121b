"""curvlinops: the Hessian and the Gauss-Newton matrix of a torch network as linear operators."""

from functools import cached_property

import curvlinops
from torch import nn

from peers.torch_curvature import TorchCurvature


class Curvlinops(TorchCurvature):
    """All samples as one batch. Its squared error has no factor 1/2."""

    needs = ("curvlinops", "torch")
    offers = ("hessp", "ggnp")

    def operator(self, kind):
        """An operator of the given class."""
        net = self.problem.net
        layers = []
        for W, b in zip(self.start[::2], self.start[1::2], strict=True):
            linear = nn.Linear(*W.shape[::-1], dtype=W.dtype)
            linear.weight.data, linear.bias.data = W.clone(), b.clone()
            layers += [linear, nn.ReLU() if "relu" in net.hidden else nn.Tanh()]
        model = nn.Sequential(*layers[:-1])
        loss = nn.CrossEntropyLoss(reduction="sum") if self.softmax else nn.MSELoss(reduction="sum")
        return kind(model, loss, list(model.parameters()), [(self.X, self.T)], check_deterministic=False)

    @cached_property
    def hessian_operator(self):
        return self.operator(curvlinops.HessianLinearOperator)

    @cached_property
    def ggn_operator(self):
        return self.operator(curvlinops.GGNLinearOperator)

    @property
    def factor(self):
        return 1.0 if self.softmax else 0.5

    def hessp(self, m):
        return self.factor * (self.hessian_operator @ self.directions(m))

    def ggnp(self, m):
        return self.factor * (self.ggn_operator @ self.directions(m))
