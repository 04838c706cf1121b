"""How a step of a pruning path is chosen, and when the path has gone far enough beyond it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastmlp import _validation as check
from fastmlp.pruning.pruning_path import PruningStep

Steps = Sequence[PruningStep]

LEAST = 10  # steps that have to be worse than the best one
#: by name: how much better a step is, the larger
SCORES: dict[str, Callable[[PruningStep], float]] = {
    "evidence": lambda step: step.log_evidence,
    "bic": lambda step: -step.bic,
    "aic": lambda step: -step.aic,
    "nic": lambda step: -step.nic,
    "validation": lambda step: -step.validation_loss,
}
LAST = "the last one"


class Chooser(NamedTuple):
    """A criterion by its name, or what the user has given for one."""

    name: str
    stops: Callable[[Steps], bool]  #: whether the path has gone far enough
    best: Callable[[Steps], tuple[int, str]]  #: the chosen step, and by what
    asks_nic: bool = False  #: it costs as much as a Hessian, and is computed where it is asked for


def make(stop: Any, *, asked: bool) -> Chooser:
    """From `stop`; `asked`: whether the user has said where the path is to end."""
    if callable(stop):
        return Chooser("stop", lambda steps: _answer(stop(list(steps))), lambda steps: (len(steps) - 1, "stop"))
    if stop is not None:
        name = check.choice(stop, "stop", tuple(SCORES))
        return Chooser(
            name, lambda steps: _gone_by(steps, name), lambda steps: (_best(steps, name), name), name == "nic"
        )
    if asked:
        return Chooser(LAST, lambda steps: False, lambda steps: (len(steps) - 1, LAST))
    return Chooser("", lambda steps: False, _by_evidence)


def _answer(answer: Any) -> bool:
    """Of the user's function; None goes on."""
    return answer is not None and check.boolean(answer, "stop")


def _by_evidence(steps: Steps) -> tuple[int, str]:
    name = "bic" if any(math.isnan(step.log_evidence) for step in steps) else "evidence"
    return _best(steps, name), name


def _best(steps: Steps, name: str) -> int:
    """The first of the best."""
    scores = [SCORES[name](step) for step in steps]
    return max(range(len(steps)), key=lambda number: -math.inf if math.isnan(scores[number]) else scores[number])


def _gone_by(steps: Steps, name: str) -> bool:
    best = _best(steps, name)
    return len(steps) - 1 - best >= max(LEAST, steps[best].n_params // 2)
