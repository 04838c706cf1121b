"""The library itself, by its public face."""

from typing import ClassVar

from peers import Peer
from problems import Problem


class Fastmlp(Peer):
    """`Network`: arguments are checked at each call."""

    needs = ("fastmlp",)
    n_threads: ClassVar[int] = 1

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.net = problem.net.copy()
        self.start = self.net.params
        self.predict_row = self.net.predict

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


class FastmlpObjective(Peer):
    """The objective that optimizers are given: samples are checked once."""

    needs = ("fastmlp",)
    offers = ("gradient",)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.objective = problem.net.objective(problem.X, problem.T, n_threads=Fastmlp.n_threads)
        self.params = self.objective.x0

    def loss_and_grad(self):
        loss, gradient = self.objective.value_and_grad(self.params)
        return loss, [gradient]
