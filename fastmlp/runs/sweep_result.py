"""What a sweep has found: its runs, the distinct optima among them, the best one, table and picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from fastmlp import _optional, plot
from fastmlp._partial import Later
from fastmlp._quiet import quiet
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp._types import Array, ArrayLike, Axes, DataFrame
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.optimize.monitor import CONVERGED, MESSAGES
from fastmlp.terms.term import Penalty

SAME = 0.01  # root mean square difference of outputs that counts as none, in standard deviations,
ROUNDING = 1e-6  # plus this share of the outputs themselves
SIZES = ("hidden", "weights", "runs", "converged", "optima", "steps", "training", "validation", "median")


@printed
@dataclass(frozen=True, eq=False)
class Run:
    """One training of a sweep.

    Attributes
    ----------
    size : int or tuple
        Hidden units or layers, as in `hidden_sizes`.
    start : int
        From 0.
    seed : int
        Of the starting values: ``Network(layers, ..., init=init, rng=seed)``.
    penalty : WeightDecay, Term, Sum or None
    fun, grad_norm : float
        The objective that was minimised, and the largest element of its gradient.
    train_loss, validation_loss : float
        Mean loss of a sample, without penalty, infinite where training diverged; with folds validation_loss is that of
        the samples while held back.
    nit, status, message
        Accepted steps, and what ended the training.
    optimum : int
        Number of the distinct optimum among those of its size, penalty and init, from 0, the one with the lowest
        objective; -1 where training diverged.
    params : ndarray of shape (P,)
    units : Units or None
        As `Network.units`.
    init : str, float or callable
        How the starting values were drawn.
    """

    size: int | tuple[Any, ...]
    start: int
    seed: int
    penalty: Penalty | None
    fun: float
    grad_norm: float
    train_loss: float
    validation_loss: float
    nit: int
    status: int
    optimum: int
    params: Array = field(repr=False)
    architecture: Architecture = field(repr=False)
    units: Units | None = field(default=None, repr=False)
    init: str | float | Callable[[Network, np.random.Generator], ArrayLike] = "glorot"

    def _shown(self) -> Page:
        return Page(
            f"Run of {self.size_name} hidden, start {self.start}: validation {self.validation_loss:.4g}, training "
            f"{self.train_loss:.4g}, {how_many(self.nit, 'step')}, optimum {self.optimum}"
        )

    @property
    def message(self) -> str:
        """What ended the training."""
        return MESSAGES[self.status]

    @property
    def size_name(self) -> str:
        """The hidden layers in short; without the shape of a sample, which all runs share."""
        if not isinstance(self.size, tuple) or all(isinstance(each, int) for each in self.size):
            return str(self.size)
        return ", ".join(str(each) for each in self.size if not isinstance(each, tuple))

    @property
    def penalty_name(self) -> str:
        """The penalty in short."""
        return "none" if self.penalty is None else repr(self.penalty)

    @property
    def init_name(self) -> str:
        """How the starting values were drawn, in short."""
        if isinstance(self.init, (str, float, int)):
            return str(self.init)
        return getattr(self.init, "__name__", type(self.init).__name__)

    @property
    def network(self) -> Network:
        """A new network with these parameters."""
        return Network._make(self.architecture, self.params, self.units, trained=True)


@printed
@quiet
@dataclass(frozen=True, eq=False)
class Sweep:
    """Every run of a sweep, by size, penalty, init and start: what `fastmlp.sweep` returns.

    Attributes
    ----------
    runs : tuple of Run
        Where an exception has ended the sweep, a sequence of those that were done.
    n_starts : int
    """

    runs: Sequence[Run]
    n_starts: int

    @property
    def best_run(self) -> Run:
        """The run with the smallest validation loss, the first one of equals."""
        if not self.runs:
            raise ValueError("runs: expected one that is done at least, got none")
        return min(self.runs, key=lambda run: run.validation_loss)

    @property
    def best(self) -> Network:
        """A new network with the parameters of the best run."""
        return self.best_run.network

    def groups(self) -> list[tuple[Run, ...]]:
        """The runs of each size, penalty and init."""
        return list(_grouped(self.runs))

    def table(self) -> str:
        """A line for each size, penalty and init; a star marks that of the best run.

        Returns
        -------
        str
            Runs, how many of them came to a gradient within tol, distinct optima, median number of steps, the smallest
            training loss, the smallest and the median validation loss.
        """
        return str(self._sizes())

    def _sizes(self) -> Table:
        several = {name: len({id(getattr(run, name)) for run in self.runs}) > 1 for name in ("penalty", "init")}
        best = self.best_run if self.runs else None
        rows = []
        for group in self.groups():
            validation = [run.validation_loss for run in group]
            rows.append((
                group[0].size_name, len(group[0].params), len(group), sum(run.status == CONVERGED for run in group),
                1 + max(run.optimum for run in group), int(np.median([run.nit for run in group])),
                min(run.train_loss for run in group), min(validation), np.median(validation),
                "*" if best in group else "", *(getattr(group[0], f"{name}_name") for name in several if several[name]),
            ))  # fmt: skip
        return Table(rows, (*SIZES, "", *(name for name in several if several[name])), "<>>>>>>>><<<")

    def _shown(self) -> Page:
        if isinstance(self.runs, Later) and not self.runs.is_made:
            return Page("Sweep that an exception has ended; its runs are judged when they are first looked at")
        if not self.runs:
            return Page("Sweep without runs")
        title = f"Sweep of {how_many(len(self.runs), 'run')}, {how_many(self.n_starts, 'start')} for each size"
        best = self.best_run
        facts = [("best", best._shown().title), ("its penalty", best.penalty and best.penalty_name)]
        return Page(title, (Table(facts), self._sizes()))

    def frame(self) -> DataFrame:
        """All runs as a pandas DataFrame, a row each, without parameters.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pd = _optional.load("pandas", "pandas", "Sweep.frame")
        names = [name for name in Run.__dataclass_fields__ if name not in ("params", "architecture", "units")]
        names.insert(names.index("status") + 1, "message")
        return cast("DataFrame", pd.DataFrame([{name: getattr(run, name) for name in names} for run in self.runs]))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the validation loss of every run against its size into `ax`, and return it; see `fastmlp.plot.sweep`."""
        return plot.sweep(self, ax)


def _grouped(runs: Iterable[Run]) -> Iterator[tuple[Run, ...]]:
    """The runs of each size, penalty and init, which follow each other by their starts."""
    group: list[Run] = []
    for run in runs:
        last = group[-1] if group else run
        is_same = run.size == last.size and run.penalty is last.penalty and run.init is last.init
        if not is_same or run.start < last.start:
            yield tuple(group)
            group = []
        group.append(run)
    if group:
        yield tuple(group)


def with_optima(runs: Iterable[Run], probes: Array, n_training: int) -> Iterator[Run]:
    """The runs with the numbers of their optima in a size, penalty and init; `fastmlp.sweep` has the rule."""
    for group in _grouped(runs):
        outputs = np.array([run.network.predict(probes) for run in group], np.float64)
        found: list[int] = []  # the first run of each optimum
        numbers = [-1] * len(group)
        for place in sorted(range(len(group)), key=lambda place: group[place].fun):
            Y = outputs[place]
            if np.isfinite(Y).all() and np.isfinite(group[place].fun):
                near = SAME * np.sqrt(Y[:n_training].var(axis=0).mean()) + ROUNDING * np.sqrt(np.mean(Y**2))
                apart = np.sqrt(np.mean((outputs[found] - Y) ** 2, axis=(1, 2)))
                numbers[place] = int(np.argmax(apart <= near)) if (apart <= near).any() else len(found)
                if numbers[place] == len(found):
                    found.append(place)
        for run, number in zip(group, numbers, strict=True):
            yield replace(run, optimum=number)
