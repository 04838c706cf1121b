"""A training: from the user's arguments to a trained parameter vector and an OptimizeResult."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._quiet import quiet
from fastmlp._types import Array, Float
from fastmlp.model import units
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.functional import Samples
from fastmlp.model.model import Model
from fastmlp.optimize import bounds as limits
from fastmlp.optimize import (
    earlier,
    explained,
    holdout,
    methods,
    minibatch,
    points,
    reference,
    scale,
    scipy_bridge,
)
from fastmlp.optimize import monitor as monitoring
from fastmlp.optimize.changes import Changes, varying
from fastmlp.optimize.methods import FULL_BATCH, MINIBATCH, RESUMABLE
from fastmlp.optimize.monitor import (
    CONVERGED,
    DIVERGED,
    MAX_ITER,
    MESSAGES,
    PATIENCE,
    STALLED,
    Monitor,
    optimize_result,
)
from fastmlp.optimize.options import FitOptions
from fastmlp.terms import DataTerm, penalties, reparam
from fastmlp.terms import objective as objectives
from fastmlp.terms.objective import Objective
from fastmlp.terms.told import told_units

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult

ABOVE_A_CONSTANT = "all epochs done, but the loss is above that of a constant"


class Trained(NamedTuple):
    """A training that has ended."""

    result: FitResult
    objective: Objective
    params: Array  #: that the network was left with, in its type, in the units of the objective


@quiet
def trained(net: Model, samples: Samples, asked: FitOptions, share: Float | None = None) -> Trained:
    """Minimise the objective from the network's parameters; the result is left there, whatever ends the training.

    `share` is by what the squared errors of each output are multiplied (K,), in the units of the training.
    """
    architecture = net._architecture
    methods.check_all(asked, architecture, len(samples.X))
    name, by_batches = asked.method, asked.method in MINIBATCH
    if asked.augment is not None and isinstance(samples, ChunkedSamples):
        raise ValueError("augment: expected None with Chunks, got a change; let callables that give chunks make it")
    standardize = units.checked(asked.standardize, architecture)
    state = _state(asked.warm_start, name, architecture, len(samples.X), bool(standardize))
    generator = _generator(asked, state)

    held_back = None if state is None else state["held_back"]
    training, held_out, held_back = holdout.split(
        architecture, samples, asked.validation, generator, held_back, asked.missing
    )
    own: units.Units | None = None
    raw = None if asked.augment is None else training.X.reshape(len(training.X), *architecture.layers[0].inputs)
    if standardize:
        objectives.require_samples(training)
        own = units.chosen(standardize if state is None else state["units"], None, architecture, training)
        assert own is not None
        own = told_units(asked.penalty, architecture, len(samples.X), own if asked.augment is None else varying(own))
        training, held_out = own.applied(training), None if held_out is None else own.applied(held_out)
    if share is not None:
        training, held_out = training.weighed(share), None if held_out is None else held_out.weighed(share)
    kept = None if held_back is None else holdout.others(len(samples.X), held_back)
    asked.penalty = penalties.seen_in(asked.penalty, architecture, len(samples.X), kept, own)
    start, progress = _start(net, own, state, asked.warm_start)
    free = reparam.make(architecture, start, asked.fixed, asked.tied, net._pruned)
    within = limits.make(architecture, start, asked.bounds, free)
    _check_state(state, name, architecture, free)
    objective = objectives.make(architecture, start, training, asked.penalty, 1.0, asked.n_threads, free)
    constant = reference.of(architecture, training)
    if asked.tol is None:
        asked.tol = reference.default_tol(architecture, constant)
    whole = asked.warm_start is None and asked.max_iter >= scale.FEW_ITERATIONS
    warned = scale.before(architecture, start, training, constant, by_batches, own, asked.given) if whole else ""
    validation_term = None if held_out is None else DataTerm(architecture, held_out, 1.0, asked.n_threads)
    monitor = Monitor(asked, validation_term, net, own, progress)
    changes = None if raw is None else Changes(asked.augment, raw, training, own)
    try:
        status, counts, solver_state = _solve(asked, objective, monitor, state, within, generator, changes)
    finally:
        x = monitor.final_x if by_batches else monitor.no_worse_x
        if x is not None:
            net._take(x, own)
        monitor.progress.close()
    assert x is not None
    monitor.end()
    state = {
        "method": name,
        "held_back": held_back,
        "rng": earlier.rng_state(generator),
        "n_samples": len(samples.X),
        "dtype": architecture.dtype.type.__name__,  # `name` takes ten times as long
        "progress": monitor.state,
        "free": free,
        "units": own,
        **solver_state,
    }
    result, loss = _result(asked, objective, constant, x, within, monitor, status, counts, state)
    result.x, result.units = net._params.astype(np.float64), own
    judged = whole and not warned and within is None and (not by_batches or asked.max_iter >= scale.FEW_EPOCHS)
    judged = judged and (asked.noise == "shared" or share is not None)  # the first of several rounds is not the last
    told = explained.at_hand(samples)
    measured = told.weight, told.targets.factors
    if result.success and warned and (lost := explained.lost(objective, net._params, asked.given, *measured)):
        result.success, result.status, result.message = False, STALLED, lost
    if result.success and judged:
        warned = explained.after(objective, constant, x, loss, standardized=own is not None, minibatch=by_batches)
    result.warned = warned
    return Trained(result, objective, x.astype(architecture.dtype, copy=False))


def _generator(asked: FitOptions, state: dict[str, Any] | None) -> np.random.Generator | None:
    """That of the fit which is continued, else the user's, else a new one where something is drawn."""
    # to make one takes as long as a step of a small fit
    generator = None if state is None else state["rng"]
    if asked.rng is not None or (generator is None and (asked.method in MINIBATCH or holdout.draws(asked.validation))):
        own_generator = check.generator(asked.rng)
        generator = own_generator if generator is None else generator
    return generator


def _solve(
    asked: FitOptions,
    objective: Objective,
    monitor: Monitor,
    state: dict[str, Any] | None,
    within: limits.Bounds | None,
    generator: np.random.Generator | None,
    changes: Changes | None,
) -> tuple[int, tuple[int, int, int], dict[str, Any]]:
    """Status, counts of values, gradients, and Hessians or their products; and what a warm start continues."""
    name = asked.method
    if asked.method in MINIBATCH:
        assert generator is not None
        status, left = minibatch.solve(
            name, objective, monitor, max_iter=asked.max_iter, batch_size=asked.batch_size,
            learning_rate=asked.learning_rate, rng=generator, state=state, options=asked.of_method, changes=changes,
        )  # fmt: skip
        return status, (0, 0, 0), left
    if name in FULL_BATCH:
        status, left, counts = FULL_BATCH[name].solve(
            objective, monitor, max_iter=asked.max_iter, tol=asked.tol, state=state, options=asked.of_method
        )
        return status, counts, left
    status, counts = scipy_bridge.solve(
        name, objective, monitor, max_iter=asked.max_iter, tol=asked.tol, options=asked.of_method, bounds=within
    )
    return status, counts, {}


def _state(
    warm_start: Any, name: str, architecture: Architecture, n_samples: int, standardize: bool
) -> dict[str, Any] | None:
    """Of the fit that is continued, looked at, but for what the solver has left."""
    state = earlier.state_of(warm_start, name, RESUMABLE, architecture, n_samples, standardize)
    if state is not None:
        n_params = architecture.n_params
        monitoring.check_state(earlier.Earlier(state.get("progress"), n_params, n_params, "progress"))
    return state


def _check_state(
    state: dict[str, Any] | None, name: str, architecture: Architecture, free: reparam.FreeParameters | None
) -> None:
    """ValueError or TypeError where the solver could not go on from it."""
    if state is None:
        return
    if state["free"] is not free and (free is None or not free.same_as(state["free"])):
        raise ValueError("warm_start: expected the result for the same fixed and tied parameters, got one for others")
    own = earlier.Earlier(state, architecture.n_params if free is None else free.n, architecture.n_params)
    if name in MINIBATCH:
        minibatch.check_state(own, name, architecture.dtype)
    else:
        FULL_BATCH[name].check_state(own)


def _start(
    net: Model, own: units.Units | None, state: dict[str, Any] | None, warm_start: Any
) -> tuple[Array, dict[str, Any] | None]:
    """Where to begin, in the units of the problem; and the monitor's state where an earlier fit is to be continued."""
    known = state is not None and (own is None or own == state["units"])  # else columns vary that were constant
    if state is not None and known and arrays.same(net._params, warm_start.x):
        progress = state["progress"]
        return progress["x"], progress  # the last point, which need not be the best
    # else the user has changed the parameters, and the steps go on from there
    if own is None:
        return net._params, None
    with np.errstate(over="ignore"):
        return net._in_units(own).astype(net.dtype), None


def _result(
    asked: FitOptions,
    objective: Objective,
    constant: reference.Reference,
    x: Array,
    within: limits.Bounds | None,
    monitor: Monitor,
    status: int,
    counts: tuple[int, int, int],
    state: dict[str, Any],
) -> tuple[FitResult, float]:
    """The result, and the data loss there."""
    name = asked.method
    free = objective.reduce(x.astype(objective.architecture.dtype))
    if name in MINIBATCH:
        fun, grad_norm = objective.value(free), math.nan
        if not math.isfinite(fun):
            status = DIVERGED
        ended = monitor.n_iter == asked.max_iter and status != DIVERGED
        loss = fun - objective.penalty_value(free)
        success = (ended or status == PATIENCE) and loss <= reference.bound(objective, constant)
        message = MESSAGES[status]
        if ended:
            status, message = (CONVERGED, "all epochs done") if success else (MAX_ITER, ABOVE_A_CONSTANT)
    else:
        fun, gradient = objective.value_and_grad(free)
        grad_norm = points.grad_norm(free, gradient, within)
        # the gradient vanishes at saddles too, which lm alone tells from minima
        success = grad_norm <= asked.tol and (status == CONVERGED or name != "lm")
        if status == CONVERGED and not success:  # at a point that lies above the start by rounding, and is not returned
            status = STALLED
        message = MESSAGES[status]
        loss = fun - objective.penalty_value(free)
        if status == PATIENCE:
            success = loss <= reference.bound(objective, constant)
    result = optimize_result(
        fun=fun, nit=monitor.n_iter, nfev=counts[0], njev=counts[1], nhev=counts[2], status=status,
        message=message, success=bool(success), grad_norm=grad_norm, history=monitor.arrays(), state=state,
        method=name,
    )  # fmt: skip
    return result, loss
