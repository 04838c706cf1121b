"""`fit`: from the user's arguments to a trained parameter vector and an OptimizeResult."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._quiet import quiet_but
from fastmlp.model import units
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.model.model import Model
from fastmlp.optimize import bounds as limits
from fastmlp.optimize import (
    earlier,
    explained,
    holdout,
    lbfgs,
    lm,
    minibatch,
    points,
    reference,
    rprop,
    scale,
    scg,
    scipy_bridge,
)
from fastmlp.optimize import monitor as monitoring
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
from fastmlp.terms import DataTerm, penalties, reparam
from fastmlp.terms import objective as objectives
from fastmlp.terms.objective import Objective

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult

MINIBATCH = tuple(minibatch.OPTIONS)
#: full-batch solvers of our own: modules with OPTIONS and `solve`, whose state a warm start continues
FULL_BATCH = {"rprop": rprop, "lm": lm, "scg": scg, "lbfgs": lbfgs}
RESUMABLE = (*MINIBATCH, *FULL_BATCH)
#: Names for `method`; capitals do not matter.
METHODS: tuple[str, ...] = ("auto", *MINIBATCH, *FULL_BATCH, *scipy_bridge.METHODS)
# up to which `auto` takes Levenberg-Marquardt: parameters, and samples times their square, about 20 ms for a step; it
# reaches there what L-BFGS does not within its 1,000 steps
AUTO_LM_PARAMS, AUTO_LM_WORK = 1_000, 1_000_000_000
# samples times parameters up to which it takes the full batch: about 0.1 s for a gradient
AUTO_FULL_BATCH = 100_000_000
ABOVE_A_CONSTANT = "all epochs done, but the loss is above that of a constant"


def choose_method(
    method: Any, architecture: Architecture, n_samples: int, *, bounded: bool = False, penalty: Any = None
) -> str:
    """The solver's name; `Network.fit` documents the rule behind `auto`."""
    name = check.choice(method.lower() if isinstance(method, str) else method, "method", METHODS)
    if bounded:
        if name not in ("auto", "lbfgs", scipy_bridge.BOUNDED):
            raise ValueError(f"bounds: expected with lbfgs or {scipy_bridge.BOUNDED} only, got them with {name}")
        return scipy_bridge.BOUNDED
    if name == "auto":
        n_params = architecture.n_params
        # second derivatives leave out the kinks: it takes L-BFGS
        smooth = all(activation.is_smooth for activation in (*architecture.hidden, architecture.output))
        small = n_params <= AUTO_LM_PARAMS and n_samples * n_params**2 <= AUTO_LM_WORK
        if smooth and small and penalties.has_matrix(penalty):
            name = "lm"
        else:
            by_epochs = n_samples * n_params > AUTO_FULL_BATCH and not penalties.split(penalty)[1]
            name = "adam" if by_epochs else "lbfgs"
    return name


@quiet_but("callback", "learning_rate")
def fit(
    net: Model,
    samples: Samples,
    method: Any,
    *,
    given: tuple[Any, Any],
    penalty: Any,
    fixed: Any,
    tied: Any,
    bounds: Any,
    standardize: Any,
    validation: Any,
    patience: Any,
    max_iter: Any,
    tol: Any,
    batch_size: Any,
    learning_rate: Any,
    callback: Callable[[Any], Any] | None,
    verbose: Any,
    rng: Any,
    time_limit: Any,
    warm_start: Any,
    n_threads: Any,
    options: dict[str, Any],
) -> FitResult:
    """Minimise the objective from the network's parameters; the result is left there, whatever ends the training.

    `Network.fit` documents the arguments; `given` are X and T as the user gave them.
    """
    architecture = net._architecture
    name = choose_method(method, architecture, len(samples.X), bounded=bounds is not None, penalty=penalty)
    if name in MINIBATCH:
        penalties.refuse_terms(penalty, f"with {name}")
    _check_options(name, options, learning_rate)
    standardize = units.checked(standardize, architecture)
    state = _state(warm_start, name, architecture, len(samples.X), bool(standardize))
    # to make a generator takes as long as a step of a small fit; that of the fit which is continued comes first
    generator = None if state is None else state["rng"]
    if rng is not None or (generator is None and (name in MINIBATCH or holdout.draws(validation))):
        own_generator = check.generator(rng)
        generator = own_generator if generator is None else generator
    if callback is not None and not callable(callback):
        raise TypeError(f"callback: expected a callable or None, got {check.shown(callback)}")
    if patience is not None:
        patience = check.integer(patience, "patience", 1)
        if validation is None:
            raise ValueError("patience: expected together with validation, got no validation set")
    tol = None if tol is None else check.number(tol, "tol", 0.0)
    default_iter = 200 if name in MINIBATCH else 1000
    max_iter = default_iter if max_iter is None else check.integer(max_iter, "max_iter", 0)
    batch_size = check.integer(batch_size, "batch_size", 1)
    verbose = check.integer(int(verbose) if isinstance(verbose, bool) else verbose, "verbose", 0)
    if time_limit is not None:
        time_limit = check.number(time_limit, "time_limit", 0.0)

    held_back = None if state is None else state["held_back"]
    training, held_out, held_back = holdout.split(architecture, samples, validation, generator, held_back)
    own: units.Units | None = None
    if standardize:
        objectives.require_samples(training)
        own = units.chosen(standardize if state is None else state["units"], None, architecture, training)
        assert own is not None
        training, held_out = own.applied(training), None if held_out is None else own.applied(held_out)
    start, progress = _start(net, own, state, warm_start)
    free = reparam.make(architecture, start, fixed, tied)
    within = limits.make(architecture, start, bounds, free)
    _check_state(state, name, architecture, free)
    objective = objectives.make(architecture, start, training, penalty, 1.0, n_threads, free)
    constant = reference.of(architecture, training)
    tol = reference.default_tol(architecture, constant) if tol is None else tol
    whole = warm_start is None and max_iter >= scale.FEW_ITERATIONS
    warned = scale.before(architecture, start, training, constant, name in MINIBATCH, own, given) if whole else ""
    validation_term = None if held_out is None else DataTerm(architecture, held_out, 1.0, n_threads)
    monitor = Monitor(name, validation_term, patience, callback, verbose, time_limit, max_iter, net, own, progress)
    counts = (0, 0, 0)  # of values, gradients, and Hessians or their products
    solver_state: dict[str, Any] = {}
    try:
        if name in MINIBATCH:
            assert generator is not None
            status, solver_state = minibatch.solve(
                name, objective, monitor, max_iter=max_iter, batch_size=batch_size, learning_rate=learning_rate,
                rng=generator, state=state, options=options,
            )  # fmt: skip
        elif name in FULL_BATCH:
            status, solver_state, counts = FULL_BATCH[name].solve(
                objective, monitor, max_iter=max_iter, tol=tol, state=state, options=options
            )
        else:
            status, counts = scipy_bridge.solve(
                name, objective, monitor, max_iter=max_iter, tol=tol, options=options, bounds=within
            )
    finally:
        x = monitor.final_x if name in MINIBATCH else monitor.no_worse_x
        if x is not None:
            net._take(x, own)
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
    result, loss = _result(objective, constant, x, within, monitor, status, name, tol, max_iter, counts, state)
    result.x, result.units = net._params.astype(np.float64), own
    judged = whole and not warned and within is None and (name not in MINIBATCH or max_iter >= scale.FEW_EPOCHS)
    if result.success and judged:
        in_units, by_batches = own is not None, name in MINIBATCH
        warned = explained.after(objective, constant, x, loss, standardized=in_units, minibatch=by_batches)
    result.warned = warned
    return result


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
) -> tuple[NDArray[Any], dict[str, Any] | None]:
    """Where to begin, in the units of the problem; and the monitor's state where an earlier fit is to be continued."""
    known = state is not None and (own is None or own == state["units"])  # else columns vary that were constant
    if state is not None and known and np.array_equal(net._params, warm_start.x):
        progress = state["progress"]
        return progress["x"], progress  # the last point, which need not be the best
    # else the user has changed the parameters, and the steps go on from there
    if own is None:
        return net._params, None
    with np.errstate(over="ignore"):
        return net._in_units(own).astype(net.dtype), None


def _result(
    objective: Objective,
    constant: reference.Reference,
    x: NDArray[Any],
    within: limits.Bounds | None,
    monitor: Monitor,
    status: int,
    name: str,
    tol: float,
    max_iter: int,
    counts: tuple[int, int, int],
    state: dict[str, Any],
) -> tuple[FitResult, float]:
    """The result, and the data loss there."""
    free = objective.reduce(x.astype(objective.architecture.dtype))
    if name in MINIBATCH:
        fun, grad_norm = objective.value(free), math.nan
        if not math.isfinite(fun):
            status = DIVERGED
        ended = monitor.n_iter == max_iter and status != DIVERGED
        loss = fun - objective.penalty_value(free)
        success = (ended or status == PATIENCE) and loss <= reference.bound(objective, constant)
        message = MESSAGES[status]
        if ended:
            status, message = (CONVERGED, "all epochs done") if success else (MAX_ITER, ABOVE_A_CONSTANT)
    else:
        fun, gradient = objective.value_and_grad(free)
        grad_norm = points.grad_norm(free, gradient, within)
        # the gradient vanishes at saddles too, which lm alone tells from minima
        success = grad_norm <= tol and (status == CONVERGED or name != "lm")
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


def _options_of(name: str) -> Collection[str]:
    if name in MINIBATCH:
        return minibatch.OPTIONS[name]
    return FULL_BATCH[name].OPTIONS if name in FULL_BATCH else scipy_bridge.options(name)


def _check_options(name: str, options: dict[str, Any], learning_rate: Any) -> None:
    known = _options_of(name) if options else ()
    for option in options:
        if option not in known:
            raise TypeError(f"{option}: expected an option of fit or of {name} ({', '.join(known)}), got {option!r}")
    if learning_rate is not None and name not in MINIBATCH:
        raise ValueError(f"learning_rate: expected with {' or '.join(MINIBATCH)} only, got it with {name}")
