"""The library itself, by its public face."""

from typing import ClassVar

from peers import CURVATURE, Peer
from problems import Problem


class Fastmlp(Peer):
    """`Network`: arguments are checked at each call."""

    needs = ("fastmlp",)
    offers = (*Peer.offers, *CURVATURE)
    n_threads: ClassVar[int] = 1

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.net = problem.net.copy()
        self.start = self.net.params
        self.predict_row = self.net.predict
        self.objective = problem.net.objective(problem.X, problem.T, n_threads=self.n_threads)
        self.point = self.objective.x0

    def predict(self):
        return self.net.predict(self.problem.X, n_threads=self.n_threads)

    def loss_and_grad(self):
        loss, gradient = self.net.loss_and_grad(self.problem.X, self.problem.T, n_threads=self.n_threads)
        return loss, [gradient]

    def train(self, batch_size, n_epochs):
        self.net.params = self.start
        self.net.fit(
            self.problem.X, self.problem.T, "adam",
            max_iter=n_epochs, batch_size=batch_size, rng=0, n_threads=self.n_threads,
        )  # fmt: skip
        return [self.net.params]

    def input_jacobian(self):
        return self.net.jacobian(self.problem.X, n_threads=self.n_threads)

    def param_jacobian(self):
        return self.net.jacobian(self.problem.X, wrt="params", n_threads=self.n_threads)

    def ggn(self):
        """Value, gradient and matrix together are the objective's."""
        return self.objective.normal_equations(self.point)

    def hessian(self):
        return self.net.hessian(self.problem.X, self.problem.T, n_threads=self.n_threads)

    def hessp(self, m):
        return self.net.hessp(self.problem.X, self.problem.T, self.directions(m), n_threads=self.n_threads)

    def ggnp(self, m):
        return self.net.ggnp(self.problem.X, self.problem.T, self.directions(m), n_threads=self.n_threads)

    def levenberg_marquardt(self, n_steps):
        self.net.params = self.start
        self.net.fit(self.problem.X, self.problem.T, "lm", max_iter=n_steps, tol=0.0, n_threads=self.n_threads)
        return self.net.params


class FastmlpObjective(Peer):
    """The objective that optimizers are given: samples are checked once."""

    needs = ("fastmlp",)
    offers = ("gradient", "hessian", "hessp", "ggnp")

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.objective = problem.net.objective(problem.X, problem.T, n_threads=Fastmlp.n_threads)
        self.params = self.objective.x0

    def loss_and_grad(self):
        loss, gradient = self.objective.value_and_grad(self.params)
        return loss, [gradient]

    def hessian(self):
        return self.objective.hess(self.params)

    def hessp(self, m):
        return self.objective.hessp(self.params, self.directions(m))

    def ggnp(self, m):
        return self.objective.ggnp(self.params, self.directions(m))
