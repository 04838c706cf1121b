"""`Measures`: how well a model foretells rows that it has not seen, and what it owes to which column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from fastmlp._types import Index
from fastmlp.report.effects import Effect


class Score(NamedTuple):
    """Of regression: root-mean-square error, and the share of the variance that is explained, 1 - SSE / SST."""

    rmse: float
    r2: float


class Recognition(NamedTuple):
    """Of classes: the share that is named right, the same as a mean over the classes, and the mean of -ln p."""

    accuracy: float
    balanced_accuracy: float
    log_loss: float


class Coverage(NamedTuple):
    """How many rows an interval holds."""

    level: float  #: how many it should
    share: float  #: how many it does
    low: float  #: limits of what the share would be over ever more rows, with a probability of 95 %
    high: float
    width: float  #: mean width of the interval


class Bin(NamedTuple):
    """Rows whose most probable class has nearly the same probability."""

    rows: int
    probability: float  #: mean
    share: float  #: how many were named right
    low: float  #: limits, as of a coverage
    high: float


@dataclass(frozen=True, eq=False)
class Measures:
    """What `fastmlp.report.measured` returns, and `fastmlp.report.text` puts in words.

    Attributes
    ----------
    target : str
    classes : tuple of str or None
    n_train, n_held : int
    network, line, base : Score or Recognition
        On the rows kept back: the network, a straight line that has seen the same rows (for classes: for the logits),
        and the mean of the targets (for classes: their frequencies).
    over_line, over_base : float
        By how many of its standard errors the network's loss per row (squared error; -ln p) is less than theirs.
    line_over_base : float
        The same of the line.
    noise_std : float or None
    intervals : tuple of Coverage
        Empty for classes.
    confusion : ndarray of shape (K, K) or None
        How many rows of each class were taken for which.
    calibration : tuple of Bin
        Of classes; `calibration_error` is the mean of their |probability - share|, weighted by rows.
    effects : tuple of Effect
        By column, the largest first.
    pruned, constant : tuple of str
        Columns that the network does not look at, and those that never varied.
    outside : tuple of (str, int)
        Columns in which rows kept back lie outside of the training rows' range, and how many; most first.
    n_outside : int
        How many rows do so in any column.
    notes : tuple of str
        What was told while the model was made.
    """

    target: str
    classes: tuple[str, ...] | None
    n_train: int
    n_held: int
    network: Any
    line: Any
    base: Any
    over_line: float
    over_base: float
    line_over_base: float
    noise_std: float | None
    intervals: tuple[Coverage, ...]
    confusion: Index | None
    calibration: tuple[Bin, ...]
    effects: tuple[Effect, ...]
    pruned: tuple[str, ...]
    constant: tuple[str, ...]
    outside: tuple[tuple[str, int], ...]
    n_outside: int
    notes: tuple[str, ...]

    @property
    def calibration_error(self) -> float:
        """By how much the probability of the most probable class is off, on average over the rows."""
        return sum(each.rows * abs(each.probability - each.share) for each in self.calibration) / self.n_held
