"""The rounds of a pruning path: deletions from a quadratic model, what dies with them, a training, a record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp._progress import Progress, say
from fastmlp._types import Float, Index, Mask
from fastmlp.model.functional import Samples
from fastmlp.optimize.monitor import asks_for_end
from fastmlp.pruning import retraining
from fastmlp.pruning.candidates import Candidates
from fastmlp.pruning.criteria import Chooser
from fastmlp.pruning.deletion_methods import Method, Model
from fastmlp.pruning.deletions import Deletions
from fastmlp.pruning.living import living_optimum
from fastmlp.pruning.optimum import FARTHEST, Foreseen, Optimum
from fastmlp.pruning.problem import Problem
from fastmlp.pruning.pruning_path import PruningPath, PruningStep
from fastmlp.pruning.reduced import Reduced
from fastmlp.terms import DataTerm

TIE = 1e-9  # of the smallest score: of equal ones the first is deleted, not the one that rounding prefers
FIRST_STEPS = 1000  # of the training before the first deletion, at most


class Rules(NamedTuple):
    """How a path goes, and when it ends; `prune` documents them."""

    method: Method
    hessian: str
    n_params: int
    noise_precision: float | None
    max_rise: float
    at_once: float
    retrain: bool
    tol: float
    max_iter: int
    callback: Callable[[Any], Any] | None
    verbose: int
    deadline: float


class Round(NamedTuple):
    """Some deletions."""

    pruned: Mask
    params: Float  # (P,), where the quadratic model has its minimum
    rise: float
    removed: tuple[str, ...]


class RoundModel(NamedTuple):
    """What a round goes by: the quadratic model at an optimum."""

    optimum: Optimum
    model: Model
    place: Index  # of each parameter (P,) among those of the optimum, or -1


class Walk:
    """One path.

    Parameters
    ----------
    problem : Problem
    candidates : Candidates
    rules : Rules
    chooser : Chooser
    validation : Samples or None
    """

    def __init__(
        self, problem: Problem, candidates: Candidates, rules: Rules, chooser: Chooser, validation: Samples | None
    ) -> None:
        self.problem, self.candidates, self.rules, self.chooser = problem, candidates, rules, chooser
        self.validation = None if validation is None else DataTerm(problem.architecture, validation, 1.0)
        self.steps: list[PruningStep] = []
        self.progress = Progress("prune", rules.verbose)

    def path(self, message: str) -> Any:
        """What has been found; None before the first training is done."""
        if not self.steps:
            return None
        best, criterion = self.chooser.best(self.steps)
        return PruningPath(self.steps, best, message, criterion, self.problem.own, self.problem.frame.units)

    def go(self, pruned: Mask) -> str:
        """Take steps until one is the last; why it is."""
        rules, problem = self.rules, self.problem
        reduced, nit = Reduced(problem, pruned), 0
        v = problem.params[reduced.free]
        if rules.retrain:
            optimum, nit = self._settle(reduced, v, FIRST_STEPS)
        else:
            optimum = self._optimum(reduced, v)
        if not rules.retrain:
            self._refuse_far(optimum)
        made: Round | None = Round(optimum.reduced.pruned, optimum.reduced.expand(optimum.v), 0.0, ())
        quadratic: RoundModel | None = None
        while made is not None:
            self._note(made, optimum, nit)
            if (message := self._ended()) is not None:
                return message
            if rules.retrain or quadratic is None:
                quadratic = RoundModel(optimum, rules.method.model(optimum), optimum.reduced.places)
            made = self._delete(quadratic, optimum.reduced.pruned)
            if made is None:
                break
            reduced, nit = Reduced(problem, made.pruned), 0
            v = made.params[reduced.free]
            if rules.retrain:
                optimum, nit = self._train(reduced, v, quadratic)
            else:
                optimum = self._foreseen(reduced, v, quadratic)
            if optimum.value_and_grad[0] > self.steps[0].objective + rules.max_rise:
                return "stopped by max_rise"
        return "nothing is left to delete"

    def _train(self, reduced: Reduced, v: Float, quadratic: RoundModel) -> tuple[Optimum, int]:
        """From the minimum of the quadratic model on; the steps."""
        rules, model, nit = self.rules, quadratic.model, 0
        if isinstance(model, Deletions):
            hessian = quadratic.optimum.hessian
            arrival = retraining.after_deletions(reduced, v, rules.tol, model, hessian, self.left)
            if arrival.there:
                return self._arrived(reduced, arrival)
            v, nit = arrival.v, arrival.nit
        return self._settle(reduced, v, rules.max_iter, nit)

    def _settle(self, reduced: Reduced, v: Float, max_iter: int, before: int = 0) -> tuple[Optimum, int]:
        """From anywhere on; after so many steps before."""
        tol = self.rules.tol
        v, nit = retraining.by_gradients(reduced, v, tol, max_iter, self.left)
        arrival = retraining.to_minimum(reduced, v, tol, max_iter, self.left)
        return self._arrived(reduced, arrival, before + nit)

    def _arrived(self, reduced: Reduced, arrival: retraining.Arrival, before: int = 0) -> tuple[Optimum, int]:
        """After so many steps before."""
        rules = self.rules
        optimum = living_optimum(reduced, arrival.v, rules.hessian, rules.noise_precision, arrival.known)
        return optimum, before + arrival.nit

    @property
    def left(self) -> float:
        """Seconds."""
        return self.rules.deadline - time.perf_counter()

    def _optimum(self, reduced: Reduced, v: Float) -> Optimum:
        return living_optimum(reduced, v, self.rules.hessian, self.rules.noise_precision)

    def _foreseen(self, reduced: Reduced, v: Float, quadratic: RoundModel) -> Optimum:
        """Where the first quadratic model leads to, evidence by it too where it has all other parameters follow."""
        if not isinstance(quadratic.model, Deletions):
            return self._optimum(reduced, v)
        result = Foreseen(reduced, v, quadratic.optimum, quadratic.model)
        result.require_finite()
        return result

    def _refuse_far(self, optimum: Optimum) -> None:
        if not optimum.distance <= FARTHEST:
            raise ValueError(
                f"retrain: expected True, or a network at an optimum of this objective, got one that is "
                f"{optimum.distance:.3g} posterior standard deviations away (at most: {FARTHEST}); train it with this "
                f"penalty (method='lm'){self.problem.hint}"
            )

    def _delete(self, quadratic: RoundModel, pruned: Mask) -> Round | None:
        """A round: one deletion, and more as long as they are predicted to cost little; None where all would go."""
        optimum, model, place = quadratic
        rules, rise = self.rules, 0.0
        removed: list[str] = []
        allowed = rules.at_once * abs(optimum.value_and_grad[0])
        while not removed or allowed > 0:
            left = self.candidates.left(pruned)
            if len(left.numbers) == 0 or np.count_nonzero(~pruned) <= rules.n_params:
                break
            sets = left.among(place)
            scores = rules.method.scores(optimum, model, sets)
            least = np.fmin.reduce(scores)
            number = int((scores <= least + TIE * abs(least)).argmax())
            if removed and rise + float(model.rises(sets[number : number + 1])[0]) > allowed:
                break
            after = pruned.copy()
            after[left.sets[number]] = True
            after = self.problem.dead(after)
            if after.all():
                break
            rise += model.delete(sets[number])
            also = place[after & ~pruned]
            for q in also[model.alive[also]]:
                model.delete(np.array([q]))
            pruned = after
            removed.append(self.candidates.names[left.numbers[number]])
        if not removed:
            return None
        params = np.zeros(len(pruned))
        params[place >= 0] = model.w
        return Round(pruned, params, rise, tuple(removed))

    def _note(self, made: Round, optimum: Optimum, nit: int) -> None:
        problem = self.problem
        params = optimum.reduced.expand(optimum.v)
        validation = math.nan
        if self.validation is not None:
            validation = self.validation.mean(self.validation.value(params))
        step = PruningStep(
            removed=made.removed, n_params=len(optimum.v), rise=made.rise, objective=optimum.value_and_grad[0],
            train_loss=float(optimum.reduced.data.mean(optimum.data_loss)), validation_loss=float(validation),
            log_evidence=optimum.log_evidence, bic=optimum.bic, aic=optimum.aic,
            nic=optimum.nic if self.chooser.asks_nic else math.nan, grad_norm=optimum.grad_norm, nit=nit,
            hessian=optimum.hessian, params=problem.frame.params(params), pruned=optimum.reduced.pruned,
        )  # fmt: skip
        self.steps.append(step)
        if self.progress.in_place:
            self.progress.tell(len(self.steps) - 1, lambda: _told(step))
        elif self.rules.verbose:
            say(f"prune {len(self.steps) - 1:4d}  {_told(step)}")

    def _ended(self) -> str | None:
        """Why the latest step is the last one, if it is."""
        rules, step = self.rules, self.steps[-1]
        if rules.callback is not None and asks_for_end(rules.callback, step):
            return "stopped by the callback"
        if self.chooser.stops(self.steps):
            return f"stopped by {self.chooser.name}"
        if step.n_params <= rules.n_params:
            return "n_params reached"
        return "stopped at time_limit" if self.left <= 0 else None


def _told(step: PruningStep) -> str:
    shown = [f"weights {step.n_params}  objective {step.objective:.6g}"]
    if not math.isnan(step.validation_loss):
        shown.append(f"validation {step.validation_loss:.6g}")
    return "  ".join([*shown, f"bic {step.bic:.6g}", f"rise {step.rise:.3g}", ", ".join(step.removed)])
