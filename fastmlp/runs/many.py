"""Many networks on one data set: `fit_many`, which gives the tasks beneath it a training and a validation set."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._partial import Later, handing_over
from fastmlp._progress import Count
from fastmlp._quiet import quiet_but
from fastmlp._types import ArrayLike, Chosen, Seed, Tied, Validation
from fastmlp.checkpoint import refuse_unseeded
from fastmlp.model import names, units
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples, check_samples
from fastmlp.model.targets import MISSING, without_missing
from fastmlp.model.units import Units
from fastmlp.network.network import Network, check_network
from fastmlp.optimize import advice, explained, holdout, reference, scale
from fastmlp.optimize.monitor import CONVERGED, MESSAGES, STALLED, fit_results, optimize_result
from fastmlp.runs import anywhere
from fastmlp.runs.tasks import (
    AT_ONCE,
    Done,
    Outcome,
    Rules,
    Task,
    is_alone,
    mean_loss,
    objective_of,
    params_of,
    prepared,
    warn_about_scale,
)
from fastmlp.terms.term import Penalty

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult


@quiet_but("callback", "learning_rate")
def fit_many(
    networks: Sequence[Network],
    X: ArrayLike,
    T: ArrayLike,
    method: str = "lm",
    *,
    sample_weight: ArrayLike | None = None,
    penalty: Penalty | None = None,
    standardize: bool | Units = False,
    fixed: Chosen | None = None,
    tied: Tied | None = None,
    validation: Validation | None = None,
    missing: str = "raise",
    max_iter: int = 500,
    tol: float | None = None,
    ftol: float = 1e-8,
    rng: Seed = None,
    verbose: int = 0,
    time_limit: float | None = None,
    n_threads: int | None = None,
    executor: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
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
    fixed, tied
        Parameters that keep their values, or share one, as in `Network.objective`; of all networks, so by names that
        each of them has.
    validation : (X, T) or float, optional
        A validation set, or the fraction of the samples that is held back from all networks as one.
    missing : {"raise", "ignore"}
        As for `Network.fit`.
    max_iter : int, default=500
        Accepted steps; epochs for sgd and adam.
    tol : float, optional
        For |gradient|_inf, as in `Network.fit`.
    ftol : float, default=1e-8
        With lm or lbfgs, three successive steps that each change the objective by less than this share of it are the
        last; 0 goes on until one of the other rules holds.
    rng : None, int or numpy.random.Generator
        For the samples that are held back, and for the order of minibatches, of which each network has a generator of
        its own, ``np.random.default_rng(seed)``, by a seed of its own.
    verbose : int, default=0
        How many networks are trained, as by `sweep`.
    time_limit : float, optional
        Seconds for all networks together; those not begun by then stay where they are.
    n_threads : int, optional
        With `executor` those of each worker, by default one.
    executor : concurrent.futures.Executor, optional
        Who trains the networks, in place of threads here: a process pool, Dask's ``client.get_executor()``, mpi4py's,
        or whatever has the same `submit`. What is sent has to be pickled.
    checkpoint : str or path-like, optional
        A folder where results are kept as they come. The same call goes on from there after it was killed, with the
        same results to the bit; one with other data or settings is refused.
    **options
        Options of the method: damping (1e-3) of lm; maxcor, maxls, maxfun, fatol of lbfgs.

    Returns
    -------
    FitResults
        A list of `FitResult`, one for each network: x, fun, nit, nfev, njev, nhev, status, message, success, grad_norm,
        units, train_loss and validation_loss (means, without penalty, in the units of T). `success` says that `tol` was
        met at a minimum. An objective that is not finite at the start leaves its network as it is, with the message
        "diverged".

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or there are no samples.
    RuntimeError
        If a network is being fitted already; if workers have died, or have another build of this library.
    MemoryError
        If there is no memory for the matrices of all threads.
    OSError
        If the checkpoint cannot be made.

    Warns
    -----
    ScaleWarning
        As `Network.fit`, but once for all networks.
    CheckpointWarning
        If a file of the checkpoint is damaged, whose networks are trained again, or cannot be written: training goes
        on.

    Notes
    -----
    Results equal those of ``net.fit(X, T, method)`` stopped at the same step, and do not depend on the number of
    threads, nor on who trains the networks, to the bit. The networks with the most parameters come first. On an
    exception, also KeyboardInterrupt, every network has the parameters of its last completed step, and the exception's
    `partial` holds the results, None for networks that were not done. Networks that workers have not done stay where
    they were.

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
    how = anywhere.rules(
        Rules(method, max_iter, tol, ftol, time_limit, n_threads, options, standardize, fixed, tied), executor
    )
    verbose = check.verbosity(verbose)
    penalties = [penalty] * len(networks)
    if isinstance(penalty, Sequence):
        penalties = check.sequence(penalty, "penalty", "one, or one for each network")
    if len(penalties) != len(networks):
        raise ValueError(f"penalty: expected one, or one for each of {len(networks)} networks, got {len(penalties)}")
    is_random = how.method not in AT_ONCE
    if is_random or holdout.draws(validation):
        refuse_unseeded(rng, checkpoint)
    generator, missing = check.generator(rng), check.choice(missing, "missing", MISSING)
    seeds = check.seeds(generator, len(networks)) if is_random else [None] * len(networks)
    drawn = (seeds[:1], generator.bit_generator.state) if rng is not None else None
    for net in networks:
        units.checked(standardize, net._architecture)
    named = [net._architecture.told_by(X, T) for net in networks]
    T = _numbered(named, T)
    sets = split(named, X, T, sample_weight, validation, generator, missing)
    if networks:  # for what is said of their scale
        T, _ = without_missing(networks[0]._architecture.loss, T, missing)
    training = [sets[net._architecture][0] for net in networks]
    for net in networks:
        net._warn_about_identical_units("before fit_many")
    tasks = prepared(networks, training, penalties, seeds, how)
    starts = [np.array(params_of(task)) for task in tasks]
    _memory.scipy("optimize")  # for the results
    own = penalties if isinstance(penalty, Sequence) else penalty
    told = {"networks": [net.__getstate__() for net in networks], "penalty": own, "rng": drawn}
    kept = anywhere.opened(checkpoint, "fit_many", how, sets.values(), told)
    done: Done = {}

    def results(ended: Sequence[Network]) -> list[Any]:  # None where it is not done
        pairs = enumerate(ended)
        return [_result(net, how.method, done[i], *sets[net._architecture]) if i in done else None for i, net in pairs]

    def those_done() -> Later[Any]:
        return Later(partial(results, [net.copy() if i in done else net for i, net in enumerate(networks)]))

    count = Count("fit_many", verbose, len(networks))
    with count, handing_over(those_done), advice.once():
        warned = warn_about_scale(tasks, how, (X, T))
        anywhere.train(tasks, how, done, executor, kept, count.update if count.shown else None)
        found = results(networks)
        for net, architecture in zip(networks, named, strict=True):
            net._architecture = architecture
        if warned:
            weight = None if sample_weight is None else check.real_array(sample_weight, "sample_weight", None)
            _take_back(found, tasks, starts, how, (X, T), weight)
        else:
            _warn_about_poor_fits(tasks, starts, done, how)
        return fit_results(found)


def _numbered(architectures: Sequence[Architecture], T: Any) -> Any:
    """Targets as numbers; ValueError if they are names of classes, which networks call otherwise."""
    if len({each.class_names for each in architectures}) > 1 and names.texts(T) is not None:
        raise ValueError("networks: expected the same class_names of all, with such targets, got others")
    return architectures[0].numbered(T) if architectures else T


def split(
    architectures: Sequence[Architecture],
    X: ArrayLike,
    T: ArrayLike,
    weight: ArrayLike | None,
    validation: Validation | None,
    rng: np.random.Generator,
    missing: str = "raise",
) -> dict[Architecture, tuple[Samples, Samples | None]]:
    """Training and validation samples for each kind of network; a fraction is drawn once for all."""
    sets: dict[Architecture, tuple[Samples, Samples | None]] = {}
    held_back = None
    check.refuse_masked_and_lazy(X, "X")
    check.refuse_masked_and_lazy(validation, "validation")
    for architecture in architectures:
        if architecture not in sets:
            samples = check_samples(architecture, X, T, weight, missing=missing)
            training, held_out, held_back = holdout.split(architecture, samples, validation, rng, held_back, missing)
            sets[architecture] = training, held_out
    return sets


def _result(net: Network, method: str, outcome: Outcome, training: Samples, held_out: Samples | None) -> FitResult:
    return optimize_result(
        x=net.params.astype(np.float64), **outcome._asdict(), message=MESSAGES[outcome.status],
        success=outcome.status == CONVERGED, train_loss=mean_loss(net, training),
        validation_loss=math.nan if held_out is None else mean_loss(net, held_out), method=method, units=net.units,
    )  # fmt: skip


def _take_back(
    found: list[FitResult],
    tasks: list[Task],
    starts: list[Any],
    how: Rules,
    given: tuple[Any, Any],
    weight: Any,
) -> None:
    """Successes that are none, since float32 has lost the data."""
    for task, start, result in zip(tasks, starts, found, strict=True):
        if result.success and (lost := explained.lost(objective_of(task, how, start), task.net._params, given, weight)):
            result.success, result.status, result.message = False, STALLED, lost


def _warn_about_poor_fits(tasks: list[Task], starts: list[Any], done: Done, how: Rules) -> None:
    """By a first one, as `Network.fit` warns of the same problem; those that are left to it are looked at there."""
    for number, (task, start) in enumerate(zip(tasks, starts, strict=True)):
        if done[number].status == CONVERGED and how.max_iter >= scale.FEW_ITERATIONS and not is_alone(task, how):
            architecture = task.net._architecture
            objective = objective_of(task, how, start)
            constant, params = reference.of(architecture, task.inside), params_of(task)
            loss = objective.data.value(params)
            if explained.after(objective, constant, params, loss, standardized=task.own is not None):
                return
