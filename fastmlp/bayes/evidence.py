"""The posterior at precisions that the evidence has chosen."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp._quiet import quiet
from fastmlp._tables import Page, how_many
from fastmlp.bayes import shown
from fastmlp.bayes.alternation import Alternation
from fastmlp.bayes.ascent import Path
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.starts import Start, Starts

Float = NDArray[np.float64]


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
        noise_precision, prior_precision (steps, groups).
    converged : bool
        Else this is the posterior with the largest evidence up to `max_iter`, `time_limit`, or what the callback said.
    stationary : str
        "maximum"; "fixed_point", the last point, whatever the evidence on the way; "edge", the best point seen, where
        the evidence rises up to precisions beyond which the network's optimum ceases to exist; "screened", of a start
        that was not trained to the end, since after some re-estimations others were better; or "" if not converged.
    noise_at_floor : bool
        Whether the targets have no noise that could be told, so that `noise_precision` is as large as it may be.
    starts : Starts
        All networks that were trained: a tuple with `hidden`, `number`, `log_evidence` with symmetries, and
        `posterior` of each, and a `table`.
    """

    starts: Starts

    def __init__(self, path: Path, alternation: Alternation, n_threads: int) -> None:
        steps, frame, last = [step.posterior for step in path.steps], alternation.frame, path.steps[-1]
        self._frame, self._posterior = frame, last.posterior.changed(n_threads=n_threads)
        *alpha, _ = last.precisions.tolist()
        self.group_precisions: dict[str, float] = dict(zip(alternation.groups, alpha, strict=True))
        self.pruned: tuple[str, ...] = tuple(name for name, a in self.group_precisions.items() if a == math.inf)
        self.converged, self.stationary = path.end not in ("", "screened"), path.end
        self.noise_at_floor = alternation.at_floor(last.precisions)
        precisions = np.array([step.precisions for step in path.steps])
        volume = frame.log_volume(last.posterior.total_weight)
        self.history: dict[str, Float] = {
            "log_evidence": np.array([step.log_evidence for step in steps]) - volume,
            "effective_n_params": np.array([step.effective_n_params for step in steps]),
            "noise_precision": np.array([frame.precision(step.beta) for step in steps]),
            "prior_precision": precisions[:, :-1],
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

    def _without_samples(self) -> Self:
        light = super()._without_samples()
        if "starts" in light.__dict__:
            light.starts = Starts(
                start if start.posterior is light else start._replace(posterior=start.posterior._without_samples())
                for start in light.starts
            )
        return light
