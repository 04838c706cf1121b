"""What is looked at after each iteration: curves, early stopping, learning rates, progress."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from fastmlp import _progress
from fastmlp._types import Array
from fastmlp.estimators.arguments import STOCHASTIC, measure
from fastmlp.estimators.mean_objective import Problem, Validation
from fastmlp.network import Network

LEAST_RATE = 1e-6


@dataclass
class Progress:
    """What a warm start takes over from the fit before.

    `gain` is what has to grow: by `measure` the score, or minus a loss; `idle` counts iterations in which it has not,
    by tol; `slowdown` is what learning_rate="adaptive" has divided by.
    """

    measure: str | None
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    gain: float = -math.inf
    idle: int = 0
    slowdown: float = 1.0
    samples_seen: int = 0


class Watch:
    """The callback of a fit: records, prints, and stops it where there is no progress any more.

    sgd and adam are stopped by their loss, with early stopping every solver by its validation set. Where it has nothing
    to do but to record, it is not `needed` as a callback, and may `catch_up` after the fit.
    """

    def __init__(
        self,
        estimator: Any,
        net: Network,
        problem: Problem,
        validation: Validation | None,
        progress: Progress | None,
        shown: _progress.Progress,
    ) -> None:
        self.estimator, self.net, self.problem, self.validation = estimator, net, problem, validation
        self.measure = measure(estimator)
        self.stochastic = estimator.solver in STOCHASTIC
        self.progress = progress or Progress(self.measure)
        if self.progress.measure != self.measure:
            self.progress.measure, self.progress.gain = self.measure, -math.inf
        if self.progress.idle > estimator.n_iter_no_change:
            self.progress.idle = 0
        self.best_x, self._shown = net.params, shown
        self.stopped = False

    def rate(self, epoch: int) -> float:
        """The learning rate of sgd; what it depends on is counted here."""
        e, p = self.estimator, self.progress
        divisor = (p.samples_seen + 1.0) ** e.power_t if e.learning_rate == "invscaling" else p.slowdown
        return float(e.learning_rate_init / divisor)

    @property
    def needed(self) -> bool:
        """Whether something has to be done after each iteration."""
        return self.stochastic or self.validation is not None or bool(self.estimator.verbose)

    def catch_up(self, losses: Array) -> None:
        """Take note of iterations, afterwards."""
        self.progress.loss_curve.extend(self.problem.mean(loss) for loss in losses)

    def __call__(self, state: Any) -> bool:
        """Take note of an iteration; True where it is to be the last one."""
        p = self.progress
        p.loss_curve.append(self.problem.mean(state.loss))
        if self.stochastic:
            p.samples_seen += self.problem.n_samples
        if self.validation is not None:
            p.validation_loss_curve.append(self.validation.loss(state.x))
            if self.measure == "score":
                p.scores.append(self.validation.score(self.net))
        if self._shown.in_place:
            self._shown.tell(state.nit, self._words)
        elif self.estimator.verbose:
            _progress.say(f"Iteration {state.nit}, {self._words()}")
        self.stopped = self._no_more_progress(state.x)
        return self.stopped

    def _words(self) -> str:
        """What there is to say of the latest iteration."""
        p = self.progress
        shown = [f"loss = {p.loss_curve[-1]:.8f}"]
        if self.validation is not None:
            shown.append(f"validation loss = {p.validation_loss_curve[-1]:.8f}")
            if self.measure == "score":
                shown.append(f"validation score = {p.scores[-1]:.6f}")
        return ", ".join(shown)

    def _no_more_progress(self, x: Any) -> bool:
        p, e = self.progress, self.estimator
        if self.measure is None:
            gain = -p.loss_curve[-1]
        else:
            gain = p.scores[-1] if self.measure == "score" else -p.validation_loss_curve[-1]
        p.idle = 0 if gain >= p.gain + e.tol else p.idle + 1
        if gain > p.gain:
            p.gain = gain
            if self.measure is not None:
                self.best_x = x
        if p.idle <= e.n_iter_no_change or not (self.stochastic or self.measure):
            return False
        if e.solver == "sgd" and e.learning_rate == "adaptive" and self.rate(0) > LEAST_RATE:
            p.slowdown, p.idle = 5.0 * p.slowdown, 0
            if self.estimator.verbose and not self._shown.in_place:
                _progress.say(f"Learning rate = {self.rate(0):g}")
            return False
        return True
