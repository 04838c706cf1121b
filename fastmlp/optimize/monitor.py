"""What every solver reports to: history, validation, patience, callback, time limit, progress.

A solver calls `begin` once and `step` after each iteration (epoch). `step` keeps a copy of the parameters, so that
whatever ends the training, the last completed step, or with patience the best one, is there to be restored. A solver
that makes many iterations at a time, while nobody watches, calls `absorb` after them instead.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp._progress import Progress, say
from fastmlp.model.model import Model
from fastmlp.model.units import Units
from fastmlp.optimize import advice
from fastmlp.optimize.earlier import NETWORKS, Earlier
from fastmlp.optimize.options import FitOptions
from fastmlp.terms import DataTerm

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult

FIELDS = ("loss", "train_loss", "validation_loss", "grad_norm", "time")
PROGRESS_SECONDS = 1.0  # between lines with verbose=1

CONVERGED, MAX_ITER, STALLED, TIME_LIMIT, CALLBACK, PATIENCE, DIVERGED, SLOW, MAX_FUN, FLAT = range(10)
MESSAGES = {
    CONVERGED: "converged: the gradient is within tol",
    MAX_ITER: "stopped at max_iter",
    STALLED: "stopped: no further decrease within rounding error",
    TIME_LIMIT: "stopped at time_limit",
    CALLBACK: "stopped by the callback",
    PATIENCE: "stopped by patience: the validation loss did not improve",
    DIVERGED: "diverged: the objective is not finite; try a smaller learning rate, or standardize=True",
    SLOW: "stopped by ftol: three steps in a row have hardly changed the objective",
    MAX_FUN: "stopped at maxfun",
    FLAT: "stopped by ftol: the last step has hardly changed the objective",
}
#: what the compiled floor says of the end of a fit, "interrupted" aside
OUTCOMES = {
    "running": MAX_ITER, "max_iter": MAX_ITER, "converged": CONVERGED, "stalled": STALLED, "flat": FLAT, "slow": SLOW,
    "max_fun": MAX_FUN, "time_limit": TIME_LIMIT, "diverged": DIVERGED,
}  # fmt: skip


class Stop(Exception):  # noqa: N818 - not an error: it ends a solver from within a callback of SciPy's
    """A solver is to end now."""

    def __init__(self, status: int) -> None:
        super().__init__(MESSAGES[status])
        self.status = status


def check_state(progress: Earlier) -> None:
    """Of `Monitor.state`: where the training stands, and what later points are compared with."""
    loss = progress.number("loss", -math.inf, math.inf, nan=True)
    if not math.isfinite(loss):
        raise ValueError(f"warm_start: expected a fit that has not diverged, got one whose objective is {loss}")
    progress.vector("x", NETWORKS)
    start = progress.members("start", "loss", "grad_norm")
    start.number("loss")
    start.number("grad_norm", 0.0, nan=True)  # sgd and adam know none
    lowest = progress.members("lowest", "loss", "x")
    lowest.number("loss")
    lowest.vector("x", NETWORKS)
    best = progress.members("best", "loss", "iteration", "x")
    best.number("loss", high=math.inf)
    best.count("iteration", -(2**62), 62)
    if best.get("x") is not None:
        best.vector("x", NETWORKS)


@functools.cache
def _results() -> Any:
    """The module of results: imported, with SciPy's optimizers, on first use, not with the library."""
    _memory.scipy("optimize")
    return _memory.late("fastmlp.optimize.results")


def optimize_result(**fields: Any) -> FitResult:
    """Of one fit."""
    return _results().FitResult(**fields)  # type: ignore[no-any-return]


def fit_results(results: list[FitResult]) -> list[FitResult]:
    """Of several, a list that is printed as a table."""
    return _results().FitResults(results)  # type: ignore[no-any-return]


def asks_for_end(callback: Callable[[Any], Any], state: Any) -> bool:
    """Whether a callback wants no more: it returns True, or raises StopIteration."""
    try:
        answer = callback(state)
    except StopIteration:
        return True
    return isinstance(answer, (bool, np.bool_)) and bool(answer)


class Monitor:
    """Record of one training run.

    Parameters
    ----------
    asked : FitOptions
        Checked. Of it: method, patience, callback, verbose (0 silent; 1 a line for each tenth of max_iter, and at least
        one a second; 2 every iteration), time_limit, max_iter.
    validation : DataTerm or None
    net : Model
        Whose parameters follow each step, so that a callback may use the network.
    own : Units or None
        In which the problem is solved, if not in those of the data.
    earlier : dict, optional
        The `state` of the monitor of the fit that this one continues.
    """

    def __init__(
        self,
        asked: FitOptions,
        validation: DataTerm | None,
        net: Model,
        own: Units | None,
        earlier: dict[str, Any] | None = None,
    ) -> None:
        _results()  # no training is to end without memory for its own
        self.method = asked.method
        self.validation = validation
        self.patience = asked.patience
        self.callback = asked.callback
        self.verbose = asked.verbose
        self.deadline = math.inf if asked.time_limit is None else asked.time_limit
        self.history: dict[str, list[float]] = {name: [] for name in FIELDS}
        self._at: tuple[float, float, NDArray[Any] | None] = (math.nan, math.nan, None)  # of the latest step
        self._start = (math.nan, math.nan)  # objective and |gradient|_inf
        self._best: tuple[float, int, NDArray[Any] | None] = (math.inf, 0, None)  # validation loss, iteration, x
        self._lowest: tuple[float, NDArray[Any] | None] = (math.inf, None)  # objective, x
        self._earlier = earlier
        self._net = net
        self._own = own
        self._started = time.perf_counter()
        self._milestone = max(1, asked.max_iter // 10)
        self._printed = (-math.inf, -1)  # seconds and iteration of the latest line
        self.progress = Progress(asked.method, asked.verbose, asked.max_iter)

    @property
    def x(self) -> NDArray[Any] | None:
        """Parameters of the latest step; None before `begin`."""
        return self._at[2]

    @property
    def watched(self) -> bool:
        """Whether somebody is to see the parameters of each iteration."""
        return self.validation is not None or self.callback is not None or self.verbose > 0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._started

    @property
    def n_iter(self) -> int:
        """Completed iterations."""
        return len(self.history["time"]) - 1

    @property
    def final_x(self) -> NDArray[Any] | None:
        """Parameters to leave in the network: the best with patience, else the last; None before `begin`."""
        best = self._best[2]
        return best if self.patience is not None and best is not None else self.x

    @property
    def no_worse_x(self) -> NDArray[Any] | None:
        """As `final_x`, but where the last step lies above the start, the lowest one.

        A rise within rounding is none if the gradient has fallen.
        """
        if self.x is None:
            return None
        (loss, grad_norm), (latest, own_norm, _) = self._start, self._at
        rounding = 100 * float(np.finfo(self._net.dtype).eps) * abs(loss) if own_norm < grad_norm else 0.0
        if self.patience is not None or latest <= loss + rounding:
            return self.final_x
        return self._lowest[1]

    @property
    def state(self) -> dict[str, Any]:
        """Where the training stands, and with what its points are compared; for the monitor of a fit that continues."""
        loss, iteration, x = self._best
        return {
            "x": self.x,
            "loss": self.history["loss"][-1],
            "start": self._start,
            "lowest": self._lowest,
            "best": (loss, iteration - self.n_iter, x),
        }

    def begin(self, x: NDArray[Any], fun: float, train_loss: float, grad_norm: float = math.nan) -> None:
        """Record the start; ValueError where the objective is not finite there, so that nothing can be minimised.

        Raises Stop where patience was exhausted already by the fit that this one continues.
        """
        if not math.isfinite(fun):
            start, units = advice.remedies().start, advice.remedies().units
            raise ValueError(
                f"params: expected parameters at which the objective is finite, got {fun}; {start}, or {units}"
            )
        self._start = (fun, grad_norm)
        if self._earlier is not None:
            self._take_over(self._earlier, fun)
        self._record(x, fun, train_loss, grad_norm)
        self._check_patience()

    def step(self, x: NDArray[Any], fun: float, train_loss: float, grad_norm: float = math.nan) -> None:
        """Record a completed iteration; raises Stop where it is to be the last."""
        self._record(x, fun, train_loss, grad_norm)
        if self.callback is not None and self._call_back():
            raise Stop(CALLBACK)
        self._check_patience()
        self.check_time()

    def absorb(
        self,
        x: NDArray[Any],
        columns: tuple[list[float], list[float], list[float], list[float]],
        lowest: tuple[float, NDArray[Any]],
    ) -> None:
        """Record completed iterations that nobody has watched, their last parameters and those of the lowest loss."""
        losses, train_losses, grad_norms, times = columns
        if losses:
            self._keep(x, losses[-1], grad_norms[-1])
        if lowest[0] < self._lowest[0]:
            self._lowest = lowest
        for name, values in zip(
            FIELDS, (losses, train_losses, [math.nan] * len(losses), grad_norms, times), strict=True
        ):
            self.history[name] += values

    def leave(self, x: NDArray[Any]) -> None:
        """Have the parameters within a step that was broken off, where each of its parts is one."""
        self._at = (*self._at[:2], x)

    def check_time(self) -> None:
        """Raise Stop once the time is over; for use within long iterations too."""
        if self.elapsed >= self.deadline:
            raise Stop(TIME_LIMIT)

    def end(self) -> None:
        """Show the last line of progress, where each has its own."""
        if self.verbose and not self.progress.in_place and self._printed[1] < self.n_iter:
            self._print()

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The history as arrays of equal length."""
        return {name: np.array(values) for name, values in self.history.items()}

    def _check_patience(self) -> None:
        if self.patience is not None and self.n_iter - self._best[1] >= self.patience:
            raise Stop(PATIENCE)

    def _take_over(self, earlier: dict[str, Any], fun: float) -> None:
        """The best parameters so far, by their loss on the present validation set; the lowest of the same objective."""
        _, iteration, x = earlier["best"]
        if self.validation is not None and x is not None:
            self._best = (self._validation_loss(x), iteration, x)
        if fun == earlier["loss"]:
            self._start, self._lowest = earlier["start"], earlier["lowest"]

    def _validation_loss(self, x: NDArray[Any]) -> float:
        if self.validation is None:
            return math.nan
        term = self.validation
        return float(term.mean(term.value(np.require(x, term.architecture.dtype))))

    def _keep(self, x: NDArray[Any], fun: float, grad_norm: float) -> None:
        """Parameters and what is known of them together, so that an exception finds both."""
        self._at = (fun, grad_norm, x.copy())
        self._net._take(x, self._own)

    def _record(self, x: NDArray[Any], fun: float, train_loss: float, grad_norm: float) -> None:
        validation_loss = self._validation_loss(x)
        self._keep(x, fun, grad_norm)
        if validation_loss < self._best[0]:
            self._best = (validation_loss, len(self.history["time"]), self.x)
        if fun < self._lowest[0]:
            self._lowest = (fun, self.x)
        elapsed = self.elapsed
        numbers = fun, train_loss, validation_loss, grad_norm, elapsed
        for values, value in zip(self.history.values(), numbers, strict=True):
            values.append(float(value))
        if self.progress.in_place:
            self.progress.tell(self.n_iter, self._told)
            return
        due = elapsed - self._printed[0] >= PROGRESS_SECONDS or self.n_iter % self._milestone == 0
        if self.verbose >= 2 or (self.verbose and due):
            self._print()

    def _call_back(self) -> bool:
        assert self.callback is not None
        assert self.x is not None
        latest = {name: values[-1] for name, values in self.history.items()}
        x = self.x.copy() if self._own is None else self._own.folded(self._net._architecture, self.x)
        state = optimize_result(x=x, fun=latest["loss"], nit=self.n_iter, **latest)
        return asks_for_end(self.callback, state)

    def _print(self) -> None:
        self._printed = (self.history["time"][-1], self.n_iter)
        say(f"{self.method} {self.n_iter:5d}  {self._told()}  {self.history['time'][-1]:.2f} s")

    def _told(self) -> str:
        """What there is to say of the latest iteration."""
        latest = {name: values[-1] for name, values in self.history.items() if values}
        shown = [f"loss {latest['loss']:.6g}  train {latest['train_loss']:.6g}"]
        if self.validation is not None:
            shown.append(f"validation {latest['validation_loss']:.6g}")
        if not math.isnan(latest["grad_norm"]):
            shown.append(f"gradient {latest['grad_norm']:.2g}")
        return "  ".join(shown)
