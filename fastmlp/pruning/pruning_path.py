"""What pruning has found: a path of ever smaller networks, and the one that was chosen."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fastmlp import _optional, plot
from fastmlp import _validation as check
from fastmlp._tables import Page, Table, how_many, printed, shortened, unless_nan
from fastmlp._types import Axes, DataFrame, Float, Mask
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units
from fastmlp.network.network import Network

NUMBERS = (
    "rise",
    "objective",
    "train_loss",
    "validation_loss",
    "log_evidence",
    "bic",
    "aic",
    "nic",
    "grad_norm",
    "nit",
)
COLUMNS = ("step", "weights", "rise", "objective", "training", "validation", "evidence", "bic", "removed")


@printed
@dataclass(frozen=True, eq=False)
class PruningStep:
    """The network after a round of deletions, and a training.

    Attributes
    ----------
    removed : tuple of str
        What was deleted since the step before: names of parameters, units or inputs. What has died with them, such as
        the weights into a unit that none leaves any more, is not named.
    n_params : int
        Weights and biases that are left.
    rise : float
        By how much the objective was predicted to rise, before training.
    objective : float
        What is minimised: the data loss, a sum over the samples, and the penalty; in standardised units if asked for.
    train_loss, validation_loss : float
        Mean loss of a sample, without penalty; nan without a validation set.
    log_evidence : float
        ``Laplace(...).log_evidence`` of this network, without training with the second derivatives of the first step
        (obs, evidence); nan where the prior is flat for some of its parameters.
    bic, aic, nic : float
        n ln N - 2 ln p(T|w), 2 n - 2 ln p(T|w), n = n_params; 2 tr(F A^-1) - 2 ln p(T|w), nan unless it was asked for.
    grad_norm : float
        The largest element of the gradient by what is left.
    nit : int
        Steps of the training.
    hessian : str
        Which second derivatives the next deletions come from: exact, or ggn where these are not positive definite.
    params : ndarray of shape (P,)
        Of the network, in the data's units.
    pruned : ndarray of shape (P,), bool
        What has been deleted, and what is dead.
    """

    removed: tuple[str, ...]
    n_params: int
    rise: float
    objective: float
    train_loss: float
    validation_loss: float
    log_evidence: float
    bic: float
    aic: float
    nic: float
    grad_norm: float
    nit: int
    hessian: str
    params: Float = field(repr=False)
    pruned: Mask = field(repr=False)

    def _shown(self) -> Page:
        removed = f"without {', '.join(self.removed)}" if self.removed else "nothing removed"
        title = f"PruningStep: {how_many(self.n_params, 'weight')} left, {removed}"
        numbers = [(name, unless_nan(getattr(self, name))) for name in NUMBERS]
        rest = [("second derivatives", self.hessian), ("parameters", self.params)]
        return Page(title, (Table([*numbers, *rest]),))


@printed
@dataclass(frozen=True, eq=False)
class PruningPath:
    """The path from a whole network to a small one: what `fastmlp.prune` returns.

    Attributes
    ----------
    steps : sequence of PruningStep
        The first one is the network before any deletion, trained.
    best_step : int
        Number of the chosen one.
    message : str
        What ended the path.
    criterion : str
        By which it was chosen.
    """

    steps: Sequence[PruningStep]
    best_step: int
    message: str
    criterion: str
    architecture: Architecture = field(repr=False)
    units: Units | None = field(repr=False)

    @property
    def best(self) -> Network:
        """A new network with the parameters of the chosen step, and its mask."""
        return self.network(self.best_step)

    def network(self, step: int) -> Network:
        """A new network with the parameters of a step; its `pruned` says what was deleted.

        Parameters
        ----------
        step : int
            As an index of `steps`.

        Returns
        -------
        Network

        Raises
        ------
        TypeError, IndexError
            If there is no such step.
        """
        chosen = self._at(step)
        params = chosen.params.astype(self.architecture.dtype)
        return Network._make(self.architecture, params, self.units, trained=True, pruned=chosen.pruned)

    def fixed(self, step: int) -> Mask:
        """What was deleted by a step, a mask (P,) as ``Network.fit(fixed=)`` takes it; a copy.

        Parameters
        ----------
        step : int
            As an index of `steps`.

        Returns
        -------
        ndarray of shape (P,), bool

        Raises
        ------
        TypeError, IndexError
            If there is no such step.
        """
        return self._at(step).pruned.copy()

    def _at(self, step: Any) -> PruningStep:
        number, n = check.integer(step, "step", -sys.maxsize), len(self.steps)
        if not -n <= number < n:
            raise IndexError(f"step: expected a number from {-n} to {n - 1}, got {number}")
        return self.steps[number]

    def table(self) -> str:
        """A line for each step; a star marks the chosen one.

        Returns
        -------
        str
            Weights left, predicted rise, objective, mean training and validation loss, log evidence, BIC, and what was
            deleted.
        """
        return str(self._table())

    def _table(self) -> Table:
        rows = []
        for number, step in enumerate(self.steps):
            star, removed = "*" if number == self.best_step else "", shortened(", ".join(step.removed), 40)
            rows.append((
                f"{number}{star}", step.n_params, step.rise, step.objective, step.train_loss,
                "" if math.isnan(step.validation_loss) else step.validation_loss,
                "" if math.isnan(step.log_evidence) else step.log_evidence, step.bic, removed,
            ))  # fmt: skip
        return Table(rows, COLUMNS, ">>>>>>>><")

    def _shown(self) -> Page:
        first, best, last = self.steps[0], self.steps[self.best_step], self.steps[-1]
        title = f"PruningPath of {how_many(len(self.steps) - 1, 'step')}, {first.n_params} to {last.n_params} weights"
        known = ("objective", "train_loss", "validation_loss", "log_evidence", "bic")
        rows = [
            (name, *(getattr(step, name) for step in (first, best, last)))
            for name in ("n_params", *known)
            if not math.isnan(getattr(first, name))
        ]
        chosen = Table([("chosen", f"step {self.best_step}, by {self.criterion}"), ("ended", self.message)])
        return Page(title, (chosen, Table(rows, ("", "start", "chosen", "last"), "<>>>")))

    def frame(self) -> DataFrame:
        """All steps as a pandas DataFrame, a row each, without parameters.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pd = _optional.load("pandas", "pandas", "PruningPath.frame")
        names = [name for name in PruningStep.__dataclass_fields__ if name not in ("params", "pruned")]
        rows = [{name: getattr(step, name) for name in names} for step in self.steps]
        return cast("DataFrame", pd.DataFrame([{**row, "removed": ", ".join(row["removed"])} for row in rows]))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw objective, evidence and validation loss against the weights; see `fastmlp.plot.pruning`."""
        return plot.pruning(self, ax)
