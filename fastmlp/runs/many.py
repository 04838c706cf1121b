"""Many networks on one data set: `fit_many`, and beneath it `train`, which gives each network samples of its own."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastmlp import _memory, _threads
from fastmlp import _validation as check
from fastmlp._core.fits import many
from fastmlp._partial import Later, handing_over
from fastmlp._quiet import quiet_but
from fastmlp.model import units
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples, check_samples
from fastmlp.model.units import Units
from fastmlp.network.network import Network, check_network
from fastmlp.optimize import explained, holdout, lbfgs, lm, reference, scale
from fastmlp.optimize.monitor import (
    CONVERGED,
    DIVERGED,
    FLAT,
    MAX_FUN,
    MAX_ITER,
    MESSAGES,
    SLOW,
    STALLED,
    TIME_LIMIT,
    optimize_result,
)
from fastmlp.terms import DataTerm
from fastmlp.terms import objective as objectives
from fastmlp.terms.penalties import split as split_penalty

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult

_STATUS = {
    "converged": CONVERGED, "max_iter": MAX_ITER, "stalled": STALLED, "slow": SLOW, "flat": FLAT,
    "max_fun": MAX_FUN, "time_limit": TIME_LIMIT, "diverged": DIVERGED,
}  # fmt: skip
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


Done = dict[int, Outcome]  # by the places of the networks


class Rules(NamedTuple):
    """How networks are trained; `fit_many` documents the fields."""

    method: str
    max_iter: int
    tol: float | None
    ftol: float
    time_limit: float
    n_threads: int
    options: dict[str, Any]
    standardize: Any


def rules(
    method: Any, max_iter: Any, tol: Any, ftol: Any, time_limit: Any, n_threads: Any, options: Any, standardize: Any
) -> Rules:
    """The arguments, checked, but for those that are left to `Network.fit`."""
    if not isinstance(method, str):
        raise TypeError(f"method: expected a name, got {check.shown(method)}")
    method = method.lower()
    if method in AT_ONCE:
        known = AT_ONCE[method].OPTIONS
        for name in set(options) - set(known):
            raise TypeError(f"{name}: expected an option of fit_many or of {method} ({', '.join(known)}), got {name!r}")
        options = AT_ONCE[method].checked(options)
    return Rules(
        method,
        check.integer(max_iter, "max_iter", 0),
        None if tol is None else check.number(tol, "tol", 0.0),
        check.number(ftol, "ftol", 0.0),
        math.inf if time_limit is None else check.number(time_limit, "time_limit", 0.0),
        _threads.resolve(n_threads),
        options,
        standardize,
    )


@quiet_but("callback", "learning_rate")
def fit_many(
    networks: Sequence[Network],
    X: Any,
    T: Any,
    method: str = "lm",
    *,
    sample_weight: Any = None,
    penalty: Any = None,
    standardize: Any = False,
    validation: Any = None,
    max_iter: int = 500,
    tol: float | None = None,
    ftol: float = 1e-8,
    rng: Any = None,
    time_limit: float | None = None,
    n_threads: int | None = None,
    **options: Any,
) -> list[FitResult]:
    """Train many networks on the same data: each by one thread, all threads at once.

    Parameters
    ----------
    networks : sequence of Network
        Trained in place, as by `Network.fit`. Sizes, activations, losses and number types may differ.
    X : array-like of shape (N, D)
    T : array-like of shape (N, K)
        As for `Network.loss`.
    method : str, default="lm"
        Levenberg-Marquardt, lbfgs, or any method of `Network.fit`. Methods other than these two, and networks of more
        than 3,000 parameters, are left to `Network.fit`, one network after the other.
    sample_weight : array-like of shape (N,), optional
    penalty : WeightDecay, Term or Sum, or one (or None) for each network, optional
        Networks with other terms than weight decay are trained one by one, by `Network.fit`.
    standardize : bool or Units, default=False
        Train in standardised units, as `Network.fit`: `penalty`, `tol`, and `fun` and `grad_norm` of the results are
        of the standardised problem.
    validation : (X, T) or float, optional
        A validation set, or the fraction of the samples that is held back from all networks as one.
    max_iter : int, default=500
        Accepted steps; epochs for sgd and adam.
    tol : float, optional
        For |gradient|_inf, as in `Network.fit`.
    ftol : float, default=1e-8
        With lm or lbfgs, three successive steps that each change the objective by less than this share of it are the
        last; 0 goes on until one of the other rules holds.
    rng : None, int or numpy.random.Generator
        For the samples that are held back, and for the order of minibatches.
    time_limit : float, optional
        Seconds for all networks together; those not begun by then stay where they are.
    n_threads : int, optional
    **options
        Options of the method: damping (1e-3) of lm; maxcor, maxls, maxfun, fatol of lbfgs.

    Returns
    -------
    list of FitResult
        One for each network: x, fun, nit, nfev, njev, nhev, status, message, success, grad_norm, units, train_loss and
        validation_loss (means, without penalty, in the units of T). `success` says that `tol` was met at a minimum. An
        objective that is not finite at the start leaves its network as it is, with the message "diverged".

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or there are no samples.
    RuntimeError
        If a network is being fitted already.
    MemoryError
        If there is no memory for the matrices of all threads.

    Warns
    -----
    ScaleWarning
        As `Network.fit`, but once for all networks.

    Notes
    -----
    Results equal those of ``net.fit(X, T, method)`` stopped at the same step, and do not depend on the number of
    threads, to the bit. The networks with the most parameters come first. On an exception, also KeyboardInterrupt,
    every network has the parameters of its last completed step, and the exception's `partial` holds the results, None
    for networks that were not done.

    Cost: see `Network.fit`. Memory for each thread, of the largest network: four matrices (P, P), with lbfgs 2 maxcor P
    numbers.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.linspace(-1, 1, 30)[:, None]
    >>> networks = [fastmlp.Network([1, M, 1], rng=seed) for M in (1, 2, 3) for seed in range(5)]
    >>> results = fastmlp.fit_many(networks, X, np.sin(4 * X), penalty=fastmlp.WeightDecay(1e-3))
    >>> best = min(range(15), key=lambda i: results[i].fun)
    >>> networks[best].layers, results[best].success
    ((1, 3, 1), True)
    """
    networks = [check_network(net) for net in check.several(networks, "networks", "a sequence of networks")]
    if len({id(net) for net in networks}) < len(networks):
        raise ValueError("networks: expected networks of their own, got the same one twice")
    how = rules(method, max_iter, tol, ftol, time_limit, n_threads, options, standardize)
    penalties = list(penalty) if isinstance(penalty, Sequence) else [penalty] * len(networks)
    if len(penalties) != len(networks):
        raise ValueError(f"penalty: expected one, or one for each of {len(networks)} networks, got {len(penalties)}")
    generator = check.generator(rng)
    for net in networks:
        units.checked(standardize, net._architecture)
    sets = split([net._architecture for net in networks], X, T, sample_weight, validation, generator)
    training = [sets[net._architecture][0] for net in networks]
    for net in networks:
        net._warn_about_identical_units("before fit_many")
    tasks = prepared(networks, training, penalties, [generator] * len(networks), how)
    warned = warn_about_scale(tasks, how, (X, T))
    starts = [np.array(_start(task)) for task in tasks]
    _memory.scipy("optimize")  # for the results
    done: Done = {}

    def results(ended: Sequence[Network]) -> list[Any]:  # None where it is not done
        pairs = enumerate(ended)
        return [_result(net, how.method, done[i], *sets[net._architecture]) if i in done else None for i, net in pairs]

    def those_done() -> Later[Any]:
        return Later(partial(results, [net.copy() if i in done else net for i, net in enumerate(networks)]))

    with handing_over(those_done):
        train(tasks, how, done)
        if not warned:
            _warn_about_poor_fits(tasks, starts, done, how)
        return results(networks)


def split(
    architectures: Sequence[Architecture], X: Any, T: Any, weight: Any, validation: Any, rng: np.random.Generator
) -> dict[Architecture, tuple[Samples, Samples | None]]:
    """Training and validation samples for each kind of network; a fraction is drawn once for all."""
    sets: dict[Architecture, tuple[Samples, Samples | None]] = {}
    held_back = None
    for architecture in architectures:
        if architecture not in sets:
            samples = check_samples(architecture, X, T, weight)
            training, held_out, held_back = holdout.split(architecture, samples, validation, rng, held_back)
            sets[architecture] = training, held_out
    return sets


def _result(net: Network, method: str, outcome: Outcome, training: Samples, held_out: Samples | None) -> FitResult:
    return optimize_result(
        x=net.params.astype(np.float64), **outcome._asdict(), message=MESSAGES[outcome.status],
        success=outcome.status == CONVERGED, train_loss=mean_loss(net, training),
        validation_loss=math.nan if held_out is None else mean_loss(net, held_out), method=method, units=net.units,
    )  # fmt: skip


def total_loss(net: Network, samples: Samples) -> float:
    """Sum of the losses."""
    return DataTerm(net._architecture, samples, 1.0, 1).value(net._params)


def mean_loss(net: Network, samples: Samples) -> float:
    """Mean loss of a sample."""
    weight = samples.total_weight
    return total_loss(net, samples) / weight if weight else math.nan


# ---- training, each network on samples of its own ----


def train(tasks: list[Task], how: Rules, done: Done, tick: Callable[[int], Any] | None = None) -> None:
    """Train each network in place, and note in `done` what has become of it, also of those before an exception.

    `tick` is told now and then how many more of them are done.
    """
    deadline = time.perf_counter() + how.time_limit
    order = sorted(range(len(tasks)), key=lambda i: -tasks[i].net.n_params)
    alone = [i for i in order if _is_alone(tasks[i], how)]
    together = [i for i in order if not _is_alone(tasks[i], how)]
    size = max(1, len(together)) if tick is None else max(4 * how.n_threads, len(together) // CHUNKS)
    chunks = [together[first : first + size] for first in range(0, len(together), size)]
    for chunk in [*([i] for i in alone), *chunks]:
        left = how._replace(time_limit=max(0.0, deadline - time.perf_counter()))
        method = _by_itself if chunk[0] in alone else _at_once
        method({i: tasks[i] for i in chunk}, left, done)
        if tick is not None:
            tick(len(chunk))


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


def _by_itself(tasks: dict[int, Task], how: Rules, done: Done) -> None:
    """Whatever `Network.fit` does, with all threads."""
    ((number, (net, (X, targets, weight), own, _, penalty, rng)),) = tasks.items()
    result = net.fit(
        X, targets.values if targets.labels is None else targets.labels, how.method, sample_weight=weight,
        penalty=penalty, standardize=own or False, max_iter=how.max_iter, tol=how.tol, rng=rng,
        n_threads=how.n_threads, time_limit=None if math.isinf(how.time_limit) else how.time_limit, **how.options,
    )  # fmt: skip
    done[number] = Outcome(*(result[name] for name in Outcome._fields))


def _at_once(numbered: dict[int, Task], how: Rules, done: Done) -> None:
    """Each network by one thread; nothing is random."""
    tasks = list(numbered.values())
    terms = [
        objectives.make(task.net._architecture, _start(task), task.inside, task.penalty, 1.0, how.n_threads)
        for task in tasks
    ]
    params = [term.x0 for term in terms]
    tols = _default_tols(tasks) if how.tol is None else [how.tol] * len(tasks)
    records = many.unwritten(len(tasks))
    claim = (os.getpid(), object())
    try:
        for task in tasks:
            task.net._claim(claim, "fit_many")
        try:
            many.train(
                [term.data.batch for term in terms], params, [term.decay for term in terms], tols, how.ftol,
                how.max_iter, how.method, how.options, how.time_limit, how.n_threads, records,
            )  # fmt: skip
        finally:
            for task, x in zip(tasks, params, strict=True):
                task.net._take(x, task.own)
            for number, (*counts, ending) in zip(numbered, records.tolist(), strict=True):
                if many.ENDINGS[ending] in _STATUS:
                    done[number] = Outcome._make([*counts, _STATUS[many.ENDINGS[ending]]])
    finally:
        for task in tasks:
            if "by" in task.net._fitting and task.net._fitting["by"] is claim:
                del task.net._fitting["by"]


def _start(task: Task) -> Any:
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


def warn_about_scale(tasks: list[Task], how: Rules, given: tuple[Any, Any]) -> bool:
    """Warn if the data are not for one of these networks, by a first one of each kind; whether that is so.

    Those that are left to `Network.fit` are looked at there.
    """
    seen = set()
    for task in tasks:
        architecture = task.net._architecture
        key = architecture, id(task.inside)
        if key in seen or how.max_iter < scale.FEW_ITERATIONS or _is_alone(task, how):
            continue
        seen.add(key)
        constant = reference.of(architecture, task.inside)
        if scale.before(architecture, _start(task), task.inside, constant, False, task.own, given):
            return True
    return False


def _warn_about_poor_fits(tasks: list[Task], starts: list[Any], done: Done, how: Rules) -> None:
    """By a first one, as `Network.fit` warns of the same problem; those that are left to it are looked at there."""
    for number, (task, start) in enumerate(zip(tasks, starts, strict=True)):
        if done[number].status == CONVERGED and how.max_iter >= scale.FEW_ITERATIONS and not _is_alone(task, how):
            architecture = task.net._architecture
            objective = objectives.make(architecture, start, task.inside, task.penalty, 1.0, how.n_threads)
            constant, params = reference.of(architecture, task.inside), _start(task)
            loss = objective.data.value(params)
            if explained.after(objective, constant, params, loss, standardized=task.own is not None):
                return


def _is_alone(task: Task, how: Rules) -> bool:
    return how.method not in AT_ONCE or task.net.n_params > lm.MOST_PARAMS or bool(split_penalty(task.penalty)[1])
