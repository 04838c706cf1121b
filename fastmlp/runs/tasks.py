"""Networks to be trained, each on samples of its own: many at once in the compiled floor, or one by one by `fit`."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._core.fits import many
from fastmlp._core.fits.descent import STATUS
from fastmlp.model import units
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.model.units import Units
from fastmlp.network.network import Network
from fastmlp.optimize import lbfgs, lm, reference, scale, subspace
from fastmlp.optimize.loops import compiled
from fastmlp.optimize.methods import unknown_option
from fastmlp.optimize.monitor import OUTCOMES
from fastmlp.terms import DataTerm, reparam
from fastmlp.terms import objective as objectives
from fastmlp.terms.objective import Objective
from fastmlp.terms.penalties import seen_in
from fastmlp.terms.penalties import split as split_penalty

AT_ONCE: dict[str, Any] = {"lm": lm, "lbfgs": lbfgs}  # the methods that train many networks at once
CHUNKS = 100  # in which networks are handed to the compiled floor where somebody watches the progress


class Outcome(NamedTuple):
    """What has become of a network."""

    fun: float
    grad_norm: float
    nit: int
    nfev: int
    njev: int
    nhev: int
    status: int


#: of `fit_many`
ARGUMENTS = ("method", "max_iter", "tol", "ftol", "time_limit", "n_threads", "standardize", "fixed", "tied",
             "sample_weight", "penalty", "validation", "missing", "rng")  # fmt: skip
Done = dict[int, Outcome]  # by the places of the networks


class Rules(NamedTuple):
    """How networks are trained: arguments of `fit_many`, which documents them."""

    method: Any
    max_iter: Any
    tol: Any
    ftol: Any
    time_limit: Any
    n_threads: Any
    options: dict[str, Any]
    standardize: Any
    fixed: Any
    tied: Any

    def checked(self) -> Rules:
        """The same, all looked at but for what is left to `Network.fit`."""
        method, options = self.method, self.options
        if not isinstance(method, str):
            raise TypeError(f"method: expected a name, got {check.shown(method)}")
        method = method.lower()
        if method in AT_ONCE:
            known = AT_ONCE[method].OPTIONS
            for name in set(options) - set(known):
                raise unknown_option(name, method, known, "fit_many", ARGUMENTS)
            options = AT_ONCE[method].checked(options)
        return self._replace(
            method=method,
            max_iter=check.integer(self.max_iter, "max_iter", 0),
            tol=None if self.tol is None else check.number(self.tol, "tol", 0.0),
            ftol=check.number(self.ftol, "ftol", 0.0),
            time_limit=math.inf if self.time_limit is None else check.number(self.time_limit, "time_limit", 0.0),
            n_threads=_threads.resolve(self.n_threads),
            options=options,
        )


class Task(NamedTuple):
    """A network, and what it is trained on."""

    net: Network
    samples: Samples
    own: Units | None
    inside: Samples  #: the samples in these units
    penalty: Any
    rng: Any


def prepared(
    networks: Sequence[Network],
    samples: Sequence[Samples],
    penalties: Sequence[Any],
    rngs: Sequence[Any],
    how: Rules,
) -> list[Task]:
    """A task for each network; those that share their samples share the standardised ones."""
    known: dict[tuple[Architecture, int], tuple[Units | None, Samples]] = {}
    tasks = []
    for net, given, penalty, rng in zip(networks, samples, penalties, rngs, strict=True):
        key = net._architecture, id(given)
        if key not in known:
            objectives.require_samples(given)
            own = units.chosen(how.standardize, None, net._architecture, given)
            known[key] = own, given if own is None else own.applied(given)
        tasks.append(Task(net, given, *known[key], penalty, rng))
    return tasks


def train(
    tasks: Mapping[int, Task], how: Rules, done: Done, ended: Callable[[Sequence[int]], Any] | None = None
) -> None:
    """Train each network in place, and note in `done` what has become of it, also of those before an exception.

    `ended` is told now and then the numbers of those that are done.
    """
    deadline = time.perf_counter() + how.time_limit
    order = sorted(tasks, key=lambda i: -tasks[i].net.n_params)
    alone = [i for i in order if is_alone(tasks[i], how)]
    together = [i for i in order if not is_alone(tasks[i], how)]
    size = max(1, len(together)) if ended is None else max(4 * how.n_threads, len(together) // CHUNKS)
    chunks = [together[first : first + size] for first in range(0, len(together), size)]
    for chunk in [*([i] for i in alone), *chunks]:
        left = how._replace(time_limit=max(0.0, deadline - time.perf_counter()))
        method = _by_itself if chunk[0] in alone else _at_once
        method({i: tasks[i] for i in chunk}, left, done)
        if ended is not None:
            ended(chunk)


def _by_itself(tasks: dict[int, Task], how: Rules, done: Done) -> None:
    """Whatever `Network.fit` does, with all threads."""
    ((number, (net, (X, targets, weight), own, _, penalty, rng)),) = tasks.items()
    seconds = None if math.isinf(how.time_limit) else how.time_limit
    some = targets.observed is not None
    result = net.fit(
        X, targets.told(net._architecture.n_outputs) if some else targets.given, how.method, sample_weight=weight,
        missing="ignore" if some else "raise",
        penalty=penalty, standardize=own or False, fixed=how.fixed, tied=how.tied, max_iter=how.max_iter, tol=how.tol,
        rng=rng, n_threads=how.n_threads, time_limit=seconds, **how.options,
    )  # fmt: skip
    done[number] = Outcome(*(result[name] for name in Outcome._fields))


def _at_once(numbered: dict[int, Task], how: Rules, done: Done) -> None:
    """Each network by one thread; nothing is random."""
    tasks = list(numbered.values())
    terms = [objective_of(task, how, params_of(task)) for task in tasks]
    params = [term.x0 for term in terms]
    tols = _default_tols(tasks) if how.tol is None else [how.tol] * len(tasks)
    records = many.unwritten(len(tasks))
    with claimed(tasks):
        try:
            options = {**how.options, "ftol": how.ftol, "max_iter": how.max_iter}
            fits = [(compiled(term, 1), x, tol) for term, x, tol in zip(terms, params, tols, strict=True)]
            many.train(fits, how.method, options, how.time_limit, how.n_threads, records)
        finally:
            for task, term, x in zip(tasks, terms, params, strict=True):
                task.net._take(term.expand(x), task.own)
            for number, term, (value, *counts, ending) in zip(numbered, terms, records.tolist(), strict=True):
                if STATUS[ending] in OUTCOMES:
                    done[number] = Outcome._make([value + term.constant, *counts, OUTCOMES[STATUS[ending]]])


@contextmanager
def claimed(tasks: Collection[Task]) -> Iterator[None]:
    """The networks are this call's; RuntimeError if one is another's."""
    claim = (os.getpid(), object())
    try:
        for task in tasks:
            task.net._claim(claim, "fit_many")
        yield
    finally:
        for task in tasks:
            if "by" in task.net._fitting and task.net._fitting["by"] is claim:
                del task.net._fitting["by"]


def objective_of(task: Task, how: Rules, start: Any) -> Objective:
    """Of what is neither fixed nor pruned."""
    architecture = task.net._architecture
    free = reparam.make(architecture, start, how.fixed, how.tied, task.net._pruned)
    penalty = seen_in(task.penalty, architecture, len(task.inside.X), None, task.own)
    return objectives.make(architecture, start, task.inside, penalty, 1.0, how.n_threads, free)


def params_of(task: Task) -> Any:
    """Where to begin, or what has come of it, in the units of the problem."""
    if task.own is None:
        return task.net._params
    with np.errstate(over="ignore"):
        return task.net._in_units(task.own).astype(task.net.dtype)


def _default_tols(tasks: list[Task]) -> list[float]:
    """As of `Network.fit`; networks that share their samples look at them once."""
    known: dict[tuple[Architecture, int], float] = {}
    keys = [(task.net._architecture, id(task.inside)) for task in tasks]
    for key, task in zip(keys, tasks, strict=True):
        if key not in known:
            known[key] = reference.default_tol(key[0], reference.of(key[0], task.inside))
    return [known[key] for key in keys]


def is_alone(task: Task, how: Rules) -> bool:
    """Whether it is left to `Network.fit`."""
    wide = how.method == "lm" and subspace.pays(task.net._architecture, len(task.inside.X))
    large = task.net.n_params > lm.MOST_PARAMS
    return how.method not in AT_ONCE or wide or large or bool(split_penalty(task.penalty)[1])


def warn_about_scale(tasks: list[Task], how: Rules, given: tuple[Any, Any]) -> bool:
    """Warn if the data are not for one of these networks, by a first one of each kind; whether that is so.

    Those that are left to `Network.fit` are looked at there.
    """
    seen = set()
    for task in tasks:
        architecture = task.net._architecture
        key = architecture, id(task.inside)
        if key in seen or how.max_iter < scale.FEW_ITERATIONS or is_alone(task, how):
            continue
        seen.add(key)
        constant = reference.of(architecture, task.inside)
        if scale.before(architecture, params_of(task), task.inside, constant, False, task.own, given):
            return True
    return False


def total_loss(net: Network, samples: Samples) -> float:
    """Sum of the losses."""
    return DataTerm(net._architecture, samples, 1.0, 1).value(net._params)


def mean_loss(net: Network, samples: Samples) -> float:
    """Mean loss of a sample."""
    weight = samples.total_weight
    return total_loss(net, samples) / weight if weight else math.nan
