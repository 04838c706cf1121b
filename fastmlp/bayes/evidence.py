"""The posterior at precisions that the evidence has chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._tables import Page, how_many
from fastmlp.bayes import shown, stored
from fastmlp.bayes.alternation import Alternation, Step
from fastmlp.bayes.ascent import Path
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.starts import Start, Starts

Float = NDArray[np.float64]
HISTORY = ("log_evidence", "effective_n_params", "noise_precision", "prior_precision")


@quiet
class Evidence(Laplace):
    """The posterior at precisions that the evidence has chosen: what `fastmlp.fit_evidence` returns.

    Attributes
    ----------
    group_precisions : dict
        alpha by name of the group; inf for those that were pruned. `prior_precision` has it by parameter.
    pruned : tuple of str
        Groups that the data say nothing about: their parameters are 0.
    history : dict of ndarray
        One entry for each step up to this posterior, the start first: log_evidence, effective_n_params,
        noise_precision, prior_precision (steps, groups). Before the first step that has the precisions of the last one
        they are of samples on a grid (see `fastmlp.fit_evidence`), with evidences that differ by hundredths of a nat,
        by more where there is hardly any noise.
    converged : bool
        Else this is the posterior with the largest evidence up to `max_iter`, `time_limit`, or what the callback said.
    stationary : str
        "maximum"; "fixed_point", the last point, whatever the evidence on the way; "edge", the best point seen, where
        the evidence rises up to precisions beyond which the network's optimum ceases to exist; "screened", of a start
        that was not trained to the end, since after some re-estimations others were better; or "" if not converged.
    noise_at_floor : bool
        Whether the targets have no noise that could be told, so that `noise_precision` is as large as it may be; those
        of some output, where each has its own.
    outputs_at_floor : tuple of int
        Which outputs that is said of.
    starts : Starts
        All networks that were trained: a tuple with `hidden`, `number`, `log_evidence` with symmetries, and
        `posterior` of each, and a `table`.
    """

    starts: Starts

    def __init__(self, path: Path, alternation: Alternation, n_threads: int, before: Sequence[Step] = ()) -> None:
        all_steps, frame, last = [*before, *path.steps], alternation.whole_frame, path.steps[-1]
        steps = [step.posterior for step in all_steps]
        self._frame, self._posterior = frame, alternation.whole(last.posterior).changed(n_threads=n_threads)
        alpha = alternation.alphas(last.precisions).tolist()
        self.group_precisions: dict[str, float] = dict(zip(alternation.groups, alpha, strict=True))
        self.pruned: tuple[str, ...] = _pruned(self.group_precisions)
        self.converged, self.stationary = path.end not in ("", "screened"), path.end
        self.outputs_at_floor = alternation.levels.outputs_where(alternation.at_floor(last.precisions))
        self.noise_at_floor = bool(self.outputs_at_floor)
        self._freedom = alternation.levels.freedom(last.posterior, alternation.betas(last.precisions))
        volume = frame.log_volume(last.posterior.counts)
        self.history: dict[str, Float] = {
            "log_evidence": np.array([step.log_evidence for step in steps]) - volume,
            "effective_n_params": np.array([step.effective_n_params for step in steps]),
            "noise_precision": np.array([frame.precision(step.beta) for step in steps]),
            "prior_precision": np.array([alternation.alphas(step.precisions) for step in all_steps]),
        }

    def _shown(self) -> Page:
        n_steps = len(self.history["log_evidence"]) - 1
        title = f"Evidence: {shown.STATIONARY[self.stationary]}, {how_many(n_steps, 'step')}"
        facts = shown.facts(self, ", at its floor" if self.noise_at_floor else "")
        starts = vars(self).get("starts", ())
        rows = [*facts.rows, ("starts", f"{len(starts)}, see starts" if len(starts) > 1 else None)]
        return Page(title, (facts._replace(rows=rows), shown.groups(self)))

    def __getstate__(self) -> dict[str, Any]:
        """With None for itself among its starts: skops cannot write what refers to itself."""
        state = super().__getstate__()
        if "starts" in state:
            others = (None if start.posterior is self else start.posterior for start in self.starts)
            numbered = zip(self.starts, others, strict=True)
            state["starts"] = [(start.hidden, start.number, other) for start, other in numbered]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "starts" in state:
            self.starts = Starts(
                Start(tuple(h), n, self if other is None else other) for h, n, other in state["starts"]
            )

    def _entry(self, *, samples: bool) -> stored.Entry:
        told, arrays = super()._entry(samples=samples)
        number = next((start.number for start in vars(self).get("starts", ()) if start.posterior is self), 0)
        own = {
            "groups": list(self.group_precisions),
            "stationary": self.stationary,
            "outputs_at_floor": list(self.outputs_at_floor),
            "number": number,
        }
        alpha = np.array(list(self.group_precisions.values()), np.float64)
        arrays |= {"group_precisions": alpha} | {f"history/{name}": self.history[name] for name in HISTORY}
        return stored.Entry(told | {"evidence": own}, arrays)

    @classmethod
    def _of_entry(cls, own: stored.Entry) -> Self:
        (told, arrays), posterior = own, super()._of_entry(own)
        told = told["evidence"]
        groups = [name for name in told["groups"] if isinstance(name, str)]
        posterior.group_precisions = dict(zip(groups, arrays["group_precisions"].tolist(), strict=True))
        posterior.pruned = _pruned(posterior.group_precisions)
        posterior.stationary = check.choice(told["stationary"], "stationary", tuple(shown.STATIONARY))
        posterior.converged = bool(posterior.stationary)
        posterior.outputs_at_floor = tuple(check.integer(k, "outputs_at_floor", 0) for k in told["outputs_at_floor"])
        posterior.noise_at_floor = bool(posterior.outputs_at_floor)
        posterior.history = {name: arrays[f"history/{name}"] for name in HISTORY}
        number = check.integer(told["number"], "number", 0)
        posterior.starts = Starts([Start(posterior.network.layers[1:-1], number, posterior)])
        return posterior

    def _without_samples(self) -> Self:
        light = super()._without_samples()
        if "starts" in light.__dict__:
            light.starts = Starts(
                start if start.posterior is light else start._replace(posterior=start.posterior._without_samples())
                for start in light.starts
            )
        return light


def _pruned(group_precisions: dict[str, float]) -> tuple[str, ...]:
    return tuple(name for name, alpha in group_precisions.items() if alpha == math.inf)
