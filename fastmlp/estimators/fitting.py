"""From starting values to trained networks: one start or several, from nothing or from where an earlier fit ended."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from fastmlp import _progress
from fastmlp import _validation as check
from fastmlp._core.sums.moments import largest
from fastmlp.bayes.evidence import Evidence
from fastmlp.bayes.searching import fit_evidence
from fastmlp.errors import ConvergenceWarning, ScaleWarning, warn_caller
from fastmlp.estimators.arguments import STOCHASTIC, standardizes
from fastmlp.estimators.mean_objective import Problem, Samples, Validation
from fastmlp.estimators.watch import Progress, Watch
from fastmlp.model import units
from fastmlp.model.activations import IDENTITY
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import check_samples
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.optimize import reference
from fastmlp.optimize.monitor import MAX_FUN, MAX_ITER
from fastmlp.runs.many import fit_many


class Trained(NamedTuple):
    """A network, and what there is to say of its training."""

    net: Network
    watch: Watch
    result: Any

    @property
    def is_finite(self) -> bool:
        """Whether the parameters are."""
        return math.isfinite(largest(self.net._params))

    @property
    def loss(self) -> float:
        """What the best of several starts has the least of: infinite where training diverged."""
        if not self.is_finite:
            return math.inf
        loss = -self.watch.progress.gain if self.watch.measure else self.result.fun
        return float(loss) if math.isfinite(loss) else math.inf

    @property
    def limit(self) -> str:
        """The limit that it ran into, if so."""
        e, status = self.watch.estimator, self.result.status
        if status == MAX_FUN:
            return f"max_fun={e.max_fun}"
        reached = status == MAX_ITER or (self.watch.stochastic and not self.watch.stopped)
        return f"max_iter={e.max_iter}" if reached else ""


def new_network(layers: Sequence[Any], hidden: list[str], output: str, dtype: Any, random: Any) -> Network:
    """A network with the starting values that scikit-learn draws from the same generator.

    Weights and biases are U(-r, r), r = sqrt(6 / (n_in + n_out)), or sqrt(2 / ...) if the units are logistic; W is
    drawn as (n_in, n_out). Of a convolution these are the fans of a window.
    """
    architecture = Architecture.create(layers, hidden, output, None, np.dtype(dtype))
    params = np.empty(architecture.n_params, architecture.dtype)
    factor = 2.0 if set(hidden) == {"logistic"} else 6.0
    for place, W, b in zip(architecture.places, *architecture.unravel(params), strict=True):
        r = math.sqrt(factor / (place.layer.fan_in + place.layer.fan_out))
        W[...] = random.uniform(-r, r, W.shape[::-1]).T
        b[...] = random.uniform(-r, r, b.shape)
    return Network._make(architecture, params)


def units_for(net: Network, samples: Samples, goes_on: bool, part: bool) -> Units:
    """Those of the samples; those of before where they come in parts, a fit goes on, or a mask holds in them."""
    if net.units is not None and (goes_on or net.pruned.any()):
        return net.units
    own = units.of(net._architecture, check_samples(net._architecture, *samples))
    if part and (constants := own.constants("y")):
        message = (
            f"partial_fit: {constants} are constant in the first samples, which give the units: standardised "
            "as they are, others may lie far outside; begin with samples like all the data"
        )
        warn_caller(message, ScaleWarning)
    return own


def as_logits(net: Network) -> Network:
    """A network whose outputs are the pre-activations of this one's."""
    return Network._make(net._architecture.changed(output=IDENTITY.name, loss=None), net.params)


def train(
    estimator: Any,
    net: Network,
    seeds: Iterator[int],
    problem: Problem,
    validation: Validation | None,
    *,
    progress: Progress | None,
    earlier: Any,
    max_iter: int,
    start: str = "",
) -> Trained:
    """Train a network in place, from its parameters and, with an `earlier` result, from the solver's state there.

    One of the seeds is for what is drawn, unless an earlier generator continues. `start` tells which of several it is.
    """
    with closing(_progress.Progress(estimator.solver + start, check.verbosity(estimator.verbose), max_iter)) as shown:
        watch = Watch(estimator, net, problem, validation, progress, shown)
        result = _fitted(watch, seeds, earlier, max_iter)
    if not watch.needed:
        watch.catch_up(result.history["loss"][1:])
    if watch.measure:
        net._params[...] = watch.best_x
    return Trained(net, watch, result)


def _fitted(watch: Watch, seeds: Iterator[int], earlier: Any, max_iter: int) -> Any:
    estimator, problem = watch.estimator, watch.problem
    earlier = _resumable(earlier, estimator.solver, problem.n_samples, problem.units)
    continues = earlier is not None and earlier.state.get("rng") is not None
    return watch.net.fit(
        problem.X, problem.T, estimator.solver, sample_weight=problem.weight, sigma=problem.sigma,
        missing=problem.missing, penalty=problem.penalty, max_iter=max_iter, callback=watch if watch.needed else None,
        rng=None if continues else next(seeds), standardize=problem.units or False, warm_start=earlier,
        **problem.options(estimator, watch.rate),
    )  # fmt: skip


@contextmanager
def whole(estimator: Any) -> Iterator[None]:
    """An estimator that a fit is tried on: if that fails it is as it was before.

    A first fit that Ctrl-C ends leaves the network at its last step, and so does one that goes on from where it is.
    """
    net = getattr(estimator, "network_", None)
    before, progress = dict(estimator.__dict__), getattr(estimator, "_progress", None)
    counts = None if progress is None else dict(vars(progress))
    lengths, own_lengths = _lengths(before), _lengths(counts or {})  # lists grow on: copies would take ever longer
    state = None if net is None else (net.params, net.units, net._trained)
    try:
        yield
    except BaseException as error:
        if net is not None or isinstance(error, Exception):
            restored = _cut(before, lengths)
            if counts is not None:
                restored["_progress"] = Progress(**_cut(counts, own_lengths))
            estimator.__dict__ = restored
        if net is not None and state is not None and isinstance(error, Exception):
            net._params[...], net._units, net._trained = state
        raise


def _lengths(items: dict[str, Any]) -> dict[str, int]:
    return {name: len(value) for name, value in items.items() if type(value) is list}


def _cut(items: dict[str, Any], lengths: dict[str, int]) -> dict[str, Any]:
    """The items, lists as they were when they had these lengths."""
    return {name: value[: lengths[name]] if name in lengths else value for name, value in items.items()}


def best_start(estimator: Any, networks: list[Network], problem: Problem) -> int:
    """Which of these starts Levenberg-Marquardt brings farthest down, all being trained at once, as copies."""
    results = fit_many(
        [net.copy() for net in networks], problem.X, problem.T, sample_weight=problem.weight,
        penalty=problem.penalty, standardize=problem.units or False, max_iter=estimator.max_iter, ftol=0.0,
        verbose=check.verbosity(estimator.verbose), **problem.options(estimator, float),
    )  # fmt: skip
    return int(np.argmin([result.fun if math.isfinite(result.fun) else math.inf for result in results]))


def is_worse_than_a_constant(net: Network, problem: Problem) -> bool:
    """Whether the training samples say so, by what `Network.fit` takes for a success."""
    objective = net.objective(
        problem.X, problem.T, penalty=problem.penalty, sample_weight=problem.weight, sigma=problem.sigma,
        missing=problem.missing,
    )  # fmt: skip
    samples = objective.data.samples
    return objective.data.value(net._params) > reference.bound(objective, reference.of(net._architecture, samples))


def by_evidence(estimator: Any, networks: list[Network], samples: Samples) -> tuple[Network, Evidence]:
    """The start that ends with the largest evidence, trained in place; and its posterior."""
    with warnings.catch_warnings():  # the estimator says it, as scikit-learn does
        warnings.simplefilter("ignore", ConvergenceWarning)
        posteriors = [
            fit_evidence(
                net,
                samples.X,
                samples.T,
                sample_weight=samples.weight,
                sigma=samples.sigma,
                missing=samples.missing,
                absolute_sigma=samples.sigma is not None and estimator.absolute_sigma,
                max_iter=estimator.max_iter,
                tol=estimator.tol,
                standardize=standardizes(estimator),
                verbose=check.verbosity(estimator.verbose),
            )
            for net in networks
        ]
    best = int(np.argmax([each.log_evidence for each in posteriors]))  # symmetries are the same for all
    return networks[best], posteriors[best]


def _resumable(earlier: Any, solver: str, n_samples: int, own: Units | None) -> Any:
    """The earlier result, if the solver can go on from it: sgd and adam also with another number of samples."""
    if earlier is None or earlier.state["method"] != solver or (earlier.state["units"] is None) != (own is None):
        return None
    if solver in STOCHASTIC:
        return OptimizeResult(x=earlier.x, state={**earlier.state, "n_samples": n_samples})
    return earlier if earlier.state["n_samples"] == n_samples else None
