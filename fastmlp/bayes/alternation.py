"""What `fit_evidence` does in turn: training at given precisions, and asking the posterior for better ones.

Precisions are one vector (G + B,): alpha of each group, inf where it is pruned, and then those of the noise, one, or
one for each output whose targets vary.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _sets
from fastmlp import _validation as check
from fastmlp._types import Mask
from fastmlp.bayes.budget import Budget, Stop
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.journal import Journal
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.levels import CLOSE, Levels
from fastmlp.bayes.narrow import Narrow
from fastmlp.bayes.occam import corrections
from fastmlp.bayes.posterior import Posterior
from fastmlp.bayes.sharpened import sharpened
from fastmlp.derivatives import definite
from fastmlp.derivatives.definite import EPS
from fastmlp.model import selection
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.optimize import settled
from fastmlp.terms import DataTerm, gaussian, reparam
from fastmlp.terms.objective import Objective

Float = NDArray[np.float64]

GROUPS = ("layers", "all", "ard")
# share of a group's parameters that the data determine, at which pruning is tried, a rule without units; refused: a cap
# on alpha, which would depend on the units, and leave precisions that mean nothing
DEAD = 1e-3
FARTHEST = 3.0  # change of a logarithm at once
FARTHEST_PLAIN = 30.0  # the same without correction
# binary, of parameters, where there is noise. Of 672 runs on eight sets, offsets of 1e6 and 1e7 deviations, 1.6 % and
# 2.7 % come out elsewhere, with 14 digits 2 to 4 %, with 20 4.4 % and 6.1 %; as quick, and as good in the mean
DIGITS = 12
SETTLED = 1e-9  # posterior standard deviations from the optimum, which means and slopes are off by at most
VAST = 1e300  # in place of an infinite signal
GRID = 12.0  # of the gradient's tolerance: the distance between logarithms of precisions
COARSE = 2.0**-12  # the same on the way
ROUNDING = 1e-9  # of the log evidence
FLAT = 0.1  # share of the variance, and of the parameters, that a network explains and uses if its prior holds it down
# shares of the time limit: of a first training, from which on there is no time for long ways, and of each of the others
SLOW, LONGEST = 0.1, 1 / 30
WEAKER = 1e-2, 8  # what such a prior is multiplied by, and how often


class Step(NamedTuple):
    """A point of the path: the posterior at the optimum for these precisions."""

    posterior: Posterior
    precisions: Float
    finished: bool = True  #: whether its training has come to the end, not stopped on the way
    passing: bool = False  #: whether it was trained by a few steps only, since the precisions will change
    cut: bool = False  #: whether time has ended its training


class Proposal(NamedTuple):
    """What the evidence says about the precisions; each (G + B,), 0 for what is pruned or not to be estimated."""

    gradient: Float  #: of the log evidence by their logarithms
    change: Float  #: of the logarithms by re-estimation, of the gradient's sign
    at_floor: Mask  #: (B,), where the noise would be smaller still if it could


class Alternation:
    """Where training goes on (P,), bound samples in the frame's units, and the groups whose precisions are sought."""

    def __init__(
        self, params: Float, frame: Frame, samples: Samples, groups: Any, tol: float, n_threads: Any,
        budget: Budget | None = None, number: int = 0, levels: Levels | None = None, journal: Journal | None = None,
    ) -> None:  # fmt: skip
        self.narrow = Narrow.of(params, frame, samples, groups)
        self.whole_frame, self._kind = frame, groups
        if self.narrow is not None:
            params, frame, samples = self.narrow.params, self.narrow.frame, self.narrow.samples
        architecture = frame.architecture
        self.params, self.frame, self.tol = params, frame, tol
        self.data = DataTerm(architecture, samples, 1.0, n_threads)
        self.grid = 2.0 ** math.floor(math.log2(GRID * tol)) if tol else 0.0
        self.groups = _named_groups(architecture, check.choice(groups, "groups", GROUPS))
        positions = (selection.positions(architecture, names, "groups") for names in self.groups.values())
        self.where = [_sets.without(own, frame.known) for own in positions]
        self.sizes = np.array([len(where) for where in self.where])
        self.levels = Levels(frame, samples, by_output=False) if levels is None else levels
        self.budget, self.number, self._begun = Budget() if budget is None else budget, number, False
        self.journal = journal or Journal()
        self._damping, self._is_far = 0.0, False  # of the latest training; whether that was a few steps only
        self._told: Step | None = None  # of which whoever looks on knows
        self._n_before = 0  # steps of which this knew before

    def on(self, samples: Samples, begin: Float, n_before: int = 0) -> Alternation:
        """The same search, which goes on with other samples from parameters (P,) after so many steps."""
        own = self.levels.on(samples)
        other = Alternation(
            begin, self.whole_frame, samples, self._kind, self.tol, self.data.n_threads, self.budget, self.number, own,
            self.journal,
        )  # fmt: skip
        other._begun, other._n_before = self._begun, n_before
        return other

    def start(self, alpha: Any, beta: Any) -> Float:
        """The precisions to begin with; beta is given in the units of the user's targets."""
        alpha = check.number(alpha, "prior_precision", 0.0, above=True)
        return np.array([*(alpha for _ in self.groups), *self.levels.start(beta)])

    def alphas(self, precisions: Float) -> Float:
        """Those of the prior (G,), a view."""
        return precisions[: len(self.where)]

    def betas(self, precisions: Float) -> Float:
        """Those of the noise (B,), a view."""
        return precisions[len(self.where) :]

    def moved(self, precisions: Float, change: Float, on_the_way: bool = False) -> Float:
        """The precisions after a change of their logarithms, the noise at its floor where it would be close to it.

        Logarithms are multiples of a tenth of what they are sought to, of more on the way there, so that rounding does
        not move them.
        """
        grid = max(self.grid, COARSE) if on_the_way else self.grid
        logs = np.log(precisions) + change
        after = np.exp(grid * np.rint(logs / grid) if grid else logs)
        self.betas(after)[...] = self.levels.moved(self.betas(precisions), self.betas(after))
        return np.asarray(after)

    def at_floor(self, precisions: Float) -> Mask:
        """Where the noise is at its floor (B,), or as good as there."""
        return self.levels.at_floor(self.betas(precisions))

    def is_beyond_grid(self, step: Step) -> bool:
        """Whether the noise is less than what samples on a grid can tell, so that it is to go on with others."""
        return self.levels.are_on_grid and self.levels.are_fine(self.betas(step.precisions))

    def first(self, precisions: Float) -> Step:
        """The posterior at the precisions to begin with, or at weaker priors where these allow no function at all.

        In units in which the right weights are large a prior may hold them all near zero: there the evidence has a
        maximum, which is the better of two only if a network that has learnt something is not better.
        """
        begin, step = self.params, self.trained(precisions)
        self._begun = True
        other = self._weaker(begin, precisions) if self._is_flat(step.posterior) else None
        if other is not None and other.posterior.log_evidence > step.posterior.log_evidence:
            return other
        self.params = step.posterior.params
        return step

    def _weaker(self, begin: Float, precisions: Float) -> Step | None:
        """The first network that is not flat, from the same parameters at ever weaker priors."""
        factor, most = WEAKER
        for power in range(1, most + 1):
            self.params = begin
            weaker = precisions.copy()
            self.alphas(weaker)[...] *= factor**power
            try:
                step = self.trained(weaker)
            except Stop:
                return None
            if not self._is_flat(step.posterior):
                return step
        return None

    def _is_flat(self, posterior: Posterior) -> bool:
        """Whether the prior, not the data, has determined a network that explains nothing."""
        if not self.levels.is_regression or posterior.effective_n_params > FLAT * len(posterior.params):
            return False
        return self.levels.unexplained(self.data, posterior) > 1 - FLAT

    def trained(self, precisions: Float) -> Step:
        """The posterior at the optimum for these precisions that is next to the present parameters.

        Raises Stop where the time for it was over, unless there is no other yet.
        """
        objective = self._objective(precisions)
        tol, digits = max(self._least_gradient(precisions), self._gradient_tolerance()), self._digits(precisions)
        left = self._left(LONGEST * self.budget.seconds if self._begun else self.budget.left / 2)
        anew = self._is_far or not self._begun
        place = self._place("train", precisions, lambda: settled.to_minimum(objective, tol, digits, anew, left))
        self._is_far = False
        step = self._at(place, objective, precisions)
        if self._begun and self.budget.over:
            raise Stop(step)
        return step

    def approached(self, precisions: Float, n_steps: int) -> Step:
        """The posterior after a few steps from the present parameters towards the optimum for these precisions."""
        objective = self._objective(precisions)
        digits, left, damping = self._digits(precisions), self._left(), self._damping
        place = self._place("approach", precisions, lambda: settled.towards(objective, n_steps, digits, left, damping))
        self._is_far = True
        return self._at(place, objective, precisions)._replace(passing=True)

    def _place(self, how: str, precisions: Float, find: Callable[[], settled.Place]) -> settled.Place:
        """Where training comes to from the present parameters, unless it is known already."""
        question = (how, self.levels.are_on_grid, precisions, self.params)
        known = self.journal.known(question)
        if known is not None:
            return settled.Place(known[2:].copy(), bool(known[0]), float(known[1]))
        place = find()
        if place.cut:
            self.journal.close()
        self.journal.note(question, np.concatenate([[place.finished, place.damping], place.v]))
        return place

    def _at(self, place: settled.Place, objective: Objective, precisions: Float) -> Step:
        """Where training has come to, from where the next one goes on."""
        self._damping, self.params = place.damping, objective.expand(place.v)
        return Step(self._posterior(objective, place.v), precisions, place.finished, cut=place.cut)

    def polished(self, step: Step) -> Step:
        """The same precisions, trained as far as rounding allows; as it is where that leads elsewhere."""
        if step.posterior.distance <= SETTLED:
            return self._sharpened(step._replace(cut=False), step.posterior)
        self.params = step.posterior.params
        objective = self._objective(step.precisions)
        tol, left = self._least_gradient(step.precisions), self._left()
        place = self._place("polish", step.precisions, lambda: settled.to_minimum(objective, tol, left=left))
        posterior = self._posterior(objective, place.v)
        step = step._replace(cut=step.cut and place.cut)
        return self._sharpened(step, posterior if place.finished and self._is_same(step, posterior) else step.posterior)

    def _sharpened(self, step: Step, posterior: Posterior) -> Step:
        """With the digits that the matrix A has lost, unless rounding leads elsewhere."""
        sharp = sharpened(posterior, self.frame.varying)
        return step._replace(posterior=sharp if self._is_same(step, sharp) else posterior)

    def _is_same(self, step: Step, posterior: Posterior) -> bool:
        """Whether the log evidence is that of the step, as far as can be told."""
        return bool(abs(posterior.log_evidence - step.posterior.log_evidence) <= self.rounding(posterior))

    def _posterior(self, objective: Objective, v: Float) -> Posterior:
        return Posterior(objective, v, varying=self.frame.varying, helped=True)

    def _left(self, most: float = math.inf) -> Callable[[], float] | None:
        """The seconds that are left for a training, so many at most: precisions matter more than its end."""
        if self.budget.seconds == math.inf:
            return None
        end = max(0.0, self.budget.left - most)
        return lambda: self.budget.left - end

    def _objective(self, precisions: Float) -> Objective:
        """The negative log posterior at these precisions; groups that are pruned are held at 0."""
        alpha, held = np.zeros(len(self.params)), np.ones(len(self.params), bool)
        for where, each in zip(self.where, self.alphas(precisions), strict=True):
            if each < math.inf:
                alpha[where], held[where] = each, False
        params = np.where(held, 0.0, self.params)
        data = self.data.at(self.levels.of_outputs(self.betas(precisions)))
        return Objective(data, gaussian.by_parameter(alpha), params, reparam.holding(params, held))

    def _digits(self, precisions: Float) -> int:
        """Binary digits of parameters, from the last of which on they do not matter; 0, all, on a grid.

        Which has taken what differs by rounding out of the samples: there paths are the same to the bit as they are.
        """
        if self.levels.are_on_grid:
            return 0
        signal = self.levels.signal(self.betas(precisions)) / 1e4
        return DIGITS + math.ceil(0.5 * math.log2(min(max(1.0, signal), VAST)))

    def _gradient_tolerance(self) -> float:
        """`tol` where weights are of order one, less where they are as large as the targets."""
        return self.tol / max(1.0, float(self.levels.deviations.max())) if self.levels.is_regression else self.tol

    def _least_gradient(self, precisions: Float) -> float:
        """What rounding of the targets leaves of the residuals r in beta J'r."""
        return 2 * EPS * self.levels.least_gradient(self.betas(precisions), self.data.samples)

    def report(self, path: list[Step]) -> None:
        """Tell whoever looks on of the last point of a path, once; raises Stop where it is to be the last."""
        step = path[-1]
        if step is self._told:
            if self.budget.over:
                raise Stop
            return
        self._told = step
        posterior = self.whole(step.posterior) if self.budget.watched else step.posterior
        told = Laplace._of(self.whole_frame, posterior)
        self.budget.report(self.number, self._n_before + len(path) - 1, told, self.alphas(step.precisions))

    def whole(self, posterior: Posterior) -> Posterior:
        """That of all parameters, where it is of coordinates."""
        return posterior if self.narrow is None else self.narrow.whole(posterior)

    def params_at(self, step: Step) -> Float:
        """All parameters (P,)."""
        params = step.posterior.params
        return params if self.narrow is None else self.narrow.expanded(params)

    def seen(self, step: Step) -> Step:
        """The posterior of these samples where others have led to."""
        objective = self._objective(step.precisions)
        return step._replace(posterior=self._posterior(objective, objective.x0))

    def proposal(self, step: Step, corrected: bool) -> Proposal:
        """Re-estimation: alpha_g |w_g|^2 = gamma_g, beta SSE = N K - gamma, or beta_k SSE_k = N - gamma_k.

        Half the difference of both sides is the derivative of the log evidence by the logarithm, with w held; if
        `corrected`, twice the effect of the optimum's motion is added (`occam`), and it is the derivative along it.
        """
        question = ("proposal", corrected, self.levels.are_on_grid, step.precisions, step.posterior.params)
        known = self.journal.known(question)
        if known is None:
            found = self._proposal(step, corrected)
            self.journal.note(question, np.concatenate(found))
            return found
        gradient, change, at_floor = np.split(known, [len(step.precisions), 2 * len(step.precisions)])
        return Proposal(gradient, change, at_floor.astype(bool))

    def _proposal(self, step: Step, corrected: bool) -> Proposal:
        posterior, precisions, *_ = step
        levels, alphas, betas = self.levels, self.alphas(precisions), self.betas(precisions)
        squares = np.array([(posterior.params[where] ** 2).sum() for where in self.where])
        alive = np.isfinite(alphas)
        data, own = np.zeros(len(precisions)), np.zeros(len(precisions))
        self.alphas(data)[...] = self.gamma(posterior)
        self.alphas(own)[alive] = alphas[alive] * squares[alive]
        if levels.is_regression:
            self.betas(data)[...] = levels.n_targets - levels.determined(posterior)
            self.betas(own)[...] = betas * levels.squared_errors(self.data, posterior)
        if corrected:
            data += 2 * corrections(posterior, self.where, levels.varying if levels.by_output else None)
        at_floor = self.at_floor(precisions) & (self.betas(data) > CLOSE * self.betas(own))
        fixed = np.append(~alive, at_floor | levels.are_known)
        data[fixed] = own[fixed] = 1.0
        farthest = math.exp(FARTHEST if corrected else FARTHEST_PLAIN)
        ratio = np.clip(data, own / farthest, own * farthest)
        nothing = own == 0  # neither a weight nor an error
        ratio[nothing] = np.where(data[nothing] > 0, farthest, 1.0)
        ratio[~nothing] /= own[~nothing]
        return Proposal((data - own) / 2, np.log(ratio), at_floor)

    def gamma(self, posterior: Posterior) -> Float:
        """How many parameters of each group the data determine."""
        gamma = posterior.free.at_first(posterior.gamma)
        return np.array([gamma[where].sum() for where in self.where])

    def dead(self, step: Step) -> NDArray[np.bool_]:
        """Groups that may be on their way to an infinite precision."""
        posterior = step.posterior
        empty = np.array([not posterior.params[where].any() for where in self.where])
        return np.isfinite(self.alphas(step.precisions)) & (empty | (self.gamma(posterior) <= DEAD * self.sizes))

    def rounding(self, posterior: Posterior) -> float:
        """Differences of the log evidence that mean nothing: what training leaves, and in ln|A| of A up to eps A_ii."""
        diagonal = definite.diagonal(posterior.curvature) + posterior.prior
        lost = 4 * EPS * float(diagonal @ posterior.covariance.diagonal)
        return self.tol + ROUNDING * abs(posterior.log_evidence) + lost


def _n_relevances(architecture: Architecture) -> int:
    """How many inputs, or channels of a convolution, have weights of their own in the first layer that has any."""
    first = architecture.first
    if not first.is_dense and len(first.weights) != 1 + len(first.inputs):
        raise ValueError(
            f"groups='ard': expected a first layer with weights of each input or channel, got {first.kind!r}"
        )
    return first.n_in if first.is_dense else first.inputs[0]


def _named_groups(architecture: Architecture, groups: str) -> dict[str, list[str]]:
    """What shares a precision, by names that `selection` knows."""
    layers = list(architecture.groups)
    if groups == "all":
        return {"all": layers}
    if groups == "ard":
        layers[:1] = [f"W1[:,{i}]" for i in range(_n_relevances(architecture))]
    return {name: [name] for name in layers}
