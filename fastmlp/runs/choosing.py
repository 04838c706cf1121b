"""Choosing a network: `sweep` trains from many starts at many sizes, and judges every run by samples held back."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._partial import Later, handing_over
from fastmlp._progress import Count
from fastmlp._quiet import quiet_but
from fastmlp._types import Array, ArrayLike, Chosen, DTypeLike, Seed, Tied, Validation
from fastmlp.checkpoint import refuse_unseeded
from fastmlp.model import layers as kinds
from fastmlp.model import names, units
from fastmlp.model.activations import SOFTMAX
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples, check_samples
from fastmlp.model.targets import MISSING, without_missing
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.optimize import advice, holdout
from fastmlp.runs import anywhere
from fastmlp.runs.sweep_result import Run, Sweep, with_optima
from fastmlp.runs.tasks import Done, Rules, mean_loss, prepared, total_loss, warn_about_scale
from fastmlp.terms.term import Penalty


@quiet_but("init", "callback", "learning_rate")
def sweep(
    X: ArrayLike,
    T: ArrayLike,
    hidden_sizes: Iterable[int | tuple[int, ...]] = range(1, 11),
    n_starts: int = 30,
    validation: Validation | None = None,
    *,
    folds: int | None = None,
    penalties: Penalty | Sequence[Penalty | None] | None = None,
    hidden: str | Sequence[str] = "tanh",
    output: str = "identity",
    loss: str | None = None,
    dtype: DTypeLike = "float64",
    init: Any = "glorot",
    sample_weight: ArrayLike | None = None,
    missing: str = "raise",
    standardize: bool | Units = False,
    fixed: Chosen | None = None,
    tied: Tied | None = None,
    method: str = "lm",
    max_iter: int = 500,
    tol: float | None = None,
    ftol: float = 1e-8,  # `fit` has none: among hundreds of runs some creep along valleys without end
    rng: Seed = None,
    verbose: int = 0,
    progress: bool = False,
    time_limit: float | None = None,
    n_threads: int | None = None,
    executor: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Sweep:
    """Train networks of several sizes from many starts each, and choose by the error on samples held back.

    Parameters
    ----------
    X : array-like of shape (N, D), (N, height, width) or (N, channels, height, width)
    T : array-like of shape (N, K) or (N,)
        As for `Network.loss`; with softmax also labels, of which the largest tells the number of classes.
    hidden_sizes : iterable of int or tuple of int, default=range(1, 11)
        Hidden units; a tuple for several hidden layers, () for none. Layers may be of any kind, as
        ``(Conv(4, 5), AveragePool(2), 20)``: of images in the shape of X, or in one that stands in front,
        ``((1, 28, 28), Conv(4, 5))``.
    n_starts : int, default=30
        Random starts for each size and `init`; all penalties share them.
    validation : (X, T) or float
        A validation set, or the fraction of the samples to hold back as one.
    folds : int
        Instead of `validation`: k-fold cross-validation. From each start one network is trained on all samples, and one
        without each fold in turn; its validation loss is that of each sample by the network that has not seen it.
    penalties : WeightDecay, Term or Sum, or sequence of these or None, optional
        As for `fit_many`.
    hidden, output, loss, dtype
        As for `Network`.
    init : str, float or callable, or a list of them, default="glorot"
        As for `Network`, or a function of network and generator that returns the parameters (P,). Of several each draws
        starts of its own, from the same seeds: ``["glorot", 0.1]`` makes twice as many runs.
    sample_weight : array-like of shape (N,), optional
    missing : {"raise", "ignore"}
        As for `Network.fit`; each output needs a target among the samples that every run is trained on.
    standardize : bool or Units, default=False
        Train in standardised units, those of the samples that a run is trained on: with folds of the samples without
        the fold. `penalties`, `tol`, and `fun` and `grad_norm` of the runs are of the standardised problem; losses are
        in the units of T. Networks know the units.
    fixed, tied, method, max_iter, tol, ftol, time_limit, n_threads, executor, checkpoint, **options
        As for `fit_many`. Training stops where |gradient|_inf <= tol, after three successive steps that change
        the objective by less than ftol of it, or after max_iter steps.
    rng : None, int or numpy.random.Generator
        For the starts and the samples that are held back: each run has a seed of its own, spawned from this one.
    verbose : int, default=0
        1: one line tells how many networks are trained, a bar of tqdm's if that is installed; where none can update, a
        line for each tenth of them. 2: a line whenever some are.
    progress : bool, default=False
        True is ``verbose=1``.

    Returns
    -------
    Sweep
        `runs`, `best` (the network with the smallest validation loss), `best_run`, `table()`, `plot()`, `frame()`.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or neither or both of validation and folds are given.
    RuntimeError, OSError
        If workers of the executor have died, or the checkpoint cannot be made.

    Warns
    -----
    IdenticalUnitsWarning
        If hidden units start out identical.
    ScaleWarning
        As `Network.fit`, before training, once for all runs.
    CheckpointWarning
        As `fit_many`.

    Notes
    -----
    *Distinct optima.* Networks of one size and penalty have come to the same optimum if they are the same function:
    their outputs differ by less than 1 % of the outputs' standard deviation over the training inputs, in the root mean
    square over training inputs, validation inputs, and points halfway from each training input to the next. So the
    symmetries of the hidden units (2^M M! sign flips and permutations with tanh) do not count, nor do weights of
    saturated units, which have no definite value; different functions through the same targets do.

    The validation loss of the best of many runs is too good to be true of new data, since it was chosen for being
    small: keep a test set apart to measure what was chosen.

    Results do not depend on the number of threads, to the bit; the runs of the first sizes and starts do not
    depend on how many follow, if `rng` is an int. Cost: see `fit_many`; one training for each run, with folds 1 + k.
    On an exception, also KeyboardInterrupt, its `partial` is the `Sweep` of the runs that were done.

    References
    ----------
    PRML section 5.5, figures 5.9 and 5.10.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> rng = np.random.default_rng(0)
    >>> X = np.linspace(0, 1, 40)[:, None]
    >>> T = np.sin(2 * np.pi * X) + 0.1 * rng.normal(size=(40, 1))
    >>> result = fastmlp.sweep(X, T, (1, 2, 3), n_starts=10, validation=0.5, rng=0)
    >>> len(result.runs), result.best.layers
    (30, (1, 2, 1))
    """
    if (validation is None) == (folds is None):
        raise ValueError("validation: expected either a set (X, T) or a fraction, or folds=, got neither or both")
    how = anywhere.rules(
        Rules(method, max_iter, tol, ftol, time_limit, n_threads, options, standardize, fixed, tied), executor
    )
    refuse_unseeded(rng, checkpoint)
    verbose = max(check.verbosity(verbose), int(check.boolean(progress, "progress")))
    n_starts = check.integer(n_starts, "n_starts", 1, check.START_BITS)
    sizes = [_size(size) for size in _items(hidden_sizes, "hidden_sizes")]
    if len(set(sizes)) < len(sizes):
        raise ValueError(f"hidden_sizes: expected different sizes, got {sizes}")
    choices = _items(penalties, "penalties") if isinstance(penalties, Sequence) else [penalties]
    inits = _items(init, "init") if isinstance(init, (list, tuple)) else [init]
    missing = check.choice(missing, "missing", MISSING)
    table, found = X, names.texts(T)
    if found is not None:
        T = names.numbers(sorted(set(found)), found)
    X, T = check.real_array(X, "X", None), check.real_array(T, "T", None, finite=missing != "ignore")  # read once
    K = _n_outputs(T, output)
    created = [Architecture.create([*_layers(size, X), K], hidden, output, loss, dtype) for size in sizes]
    if found is not None and not created[0].n_classes:
        raise TypeError(f"T: expected real numbers for {created[0].loss}, got texts")
    architectures = [each.told_by(table, found) for each in created]
    for size, architecture in zip(sizes, architectures, strict=True):
        if architecture.n_inputs != architectures[0].n_inputs:
            expected = f"shapes of {architectures[0].n_inputs} inputs"
            raise ValueError(f"hidden_sizes: expected {expected}, got {check.shown(size)}")
    sequence, *spawned = check.seed_sequence(rng).spawn(1 + len(architectures) * n_starts)
    splitting = np.random.default_rng(sequence)
    units.checked(standardize, architectures[0])
    check.refuse_masked_and_lazy(X, "X")
    check.refuse_masked_and_lazy(validation, "validation")
    samples = check_samples(architectures[0], X, T, sample_weight, missing=missing)  # and so for all
    training, held_out, _ = holdout.split(architectures[0], samples, validation, splitting, missing=missing)
    T, _ = without_missing(architectures[0].loss, T, missing)  # for what is said of their scale
    shares = [] if folds is None else _folds(architectures[0], samples, folds, splitting)

    seeds = [int(each.generate_state(1, np.uint64)[0]) for each in spawned]
    starts = [
        [_start(architectures[number // n_starts], each, seed) for each in inits] for number, seed in enumerate(seeds)
    ]
    plan = [
        (number, penalty, by)
        for first in range(0, len(starts), n_starts)
        for penalty in choices
        for by in range(len(inits))
        for number in range(first, first + n_starts)
    ]
    sets = [training, *(kept for kept, _ in shares)]
    networks = [starts[number][by].copy() for _ in sets for number, _, by in plan]
    done: Done = {}
    told = {
        "hidden_sizes": sizes, "n_starts": n_starts, "hidden": hidden, "output": output,
        "loss": architectures[0].loss.name, "dtype": architectures[0].dtype.name, "penalties": choices,
        "folds": [kept for kept, _ in shares], "rng": (sequence.entropy, sequence.spawn_key),
        "init": [net._params for net in networks[: len(plan)]] if any(map(callable, inits)) else inits,
    }  # fmt: skip
    kept = anywhere.opened(checkpoint, "sweep", how, [(training, held_out)], told)

    def run(place: int) -> Run:
        (number, penalty, by), net, outcome = plan[place], networks[place], done[place]
        if held_out is not None:
            validation_loss = mean_loss(net, held_out)
        else:
            others = networks[place + len(plan) :: len(plan)]
            total = sum(total_loss(other, left) for other, (_, left) in zip(others, shares, strict=True))
            validation_loss = total / samples.total_weight
        train_loss, validation_loss = _or_infinity(mean_loss(net, training)), _or_infinity(validation_loss)
        size, start = divmod(number, n_starts)
        return Run(
            size=sizes[size], start=start, seed=seeds[number], penalty=penalty, fun=outcome.fun,
            grad_norm=outcome.grad_norm, train_loss=train_loss, validation_loss=validation_loss,
            nit=outcome.nit, status=outcome.status, optimum=-1, params=net.params, architecture=net._architecture,
            units=net.units, init=inits[by],
        )  # fmt: skip

    def runs() -> tuple[Run, ...]:  # with all their folds done
        places = [i for i in range(len(plan)) if all(j in done for j in range(i, len(networks), len(plan)))]
        probes = [training.X, 0.5 * (training.X[1:] + training.X[:-1]), *([] if held_out is None else [held_out.X])]
        return tuple(with_optima(map(run, places), np.concatenate(probes), len(training.X)))

    count = Count("sweep", verbose, len(networks))
    with count, handing_over(lambda: Sweep(Later(runs), n_starts)):
        tasks = prepared(
            networks,
            [each for each in sets for _ in plan],
            [penalty for _ in sets for _, penalty, _ in plan],
            [seeds[number] for _ in sets for number, _, _ in plan],
            how,
        )
        with advice.once(advice.SWEEP):
            warn_about_scale(tasks[: len(plan)], how, (X, T))
            anywhere.train(tasks, how, done, executor, kept, count.update if count.shown else None)
        return Sweep(runs(), n_starts)


def _items(values: Any, name: str) -> list[Any]:
    items = check.several(values, name, "several")
    if not items:
        raise ValueError(f"{name}: expected at least one, got none")
    return items


def _or_infinity(loss: float) -> float:
    """For comparisons, where training diverged."""
    return math.inf if math.isnan(loss) else loss


def _size(size: Any) -> Any:
    """Hidden units: an integer, or a tuple of integers and other layers."""
    if not isinstance(size, (tuple, list)):
        return check.integer(size, "hidden_sizes", 1)
    shape, hidden = kinds.hidden(size, "hidden_sizes")
    listed = tuple(map(kinds.shown, hidden))
    return listed if shape is None else (shape, *listed)


def _layers(size: Any, X: Array) -> tuple[Any, ...]:
    """The list that `Network` takes but for the outputs: the shape of a sample is that of X, if the size has none."""
    layers = size if isinstance(size, tuple) else (size,)
    if layers and isinstance(layers[0], tuple):
        return layers
    shape = X.shape[1:] if X.ndim != 3 else (1, *X.shape[1:])
    if X.ndim not in (2, 3, 4):
        raise ValueError(f"X: expected shape (n_samples, n_inputs), got {X.shape}")
    return (shape if len(shape) > 1 else shape[0], *layers)


def _n_outputs(T: Array, output: str) -> int:
    if T.ndim == 1 and T.size and output == SOFTMAX.name:
        return max(2, int(np.nan_to_num(T).max()) + 1)
    return T.shape[1] if T.ndim == 2 else 1


def _folds(
    architecture: Architecture, samples: Samples, n_folds: Any, rng: np.random.Generator
) -> list[tuple[Samples, Samples]]:
    """For each fold the samples without it, and itself."""
    n_samples, n_folds = len(samples.X), check.integer(n_folds, "folds", 2)
    if n_folds > n_samples:
        raise ValueError(f"folds: expected at most one for each of {n_samples} samples, got {n_folds}")
    shares = holdout.folds(architecture, samples, n_folds, rng)
    return [(samples.rows(holdout.others(n_samples, share)), samples.rows(share)) for share in shares]


def _start(architecture: Architecture, init: Any, seed: int) -> Network:
    net = Network._make(architecture, np.zeros(architecture.n_params, architecture.dtype))
    if callable(init):
        net.params = init(net, np.random.default_rng(seed))
        return net
    return net.initialize(init, seed)
