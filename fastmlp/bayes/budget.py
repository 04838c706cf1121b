"""What a search for precisions reports to, and what may end it early: a time limit, a callback, lines of progress."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from fastmlp import _validation as check
from fastmlp._progress import Progress, say
from fastmlp._types import Float
from fastmlp.bayes.laplace import Laplace
from fastmlp.optimize.monitor import asks_for_end, optimize_result


class Stop(Exception):  # noqa: N818 - not an error: it ends a search from within a training
    """A search is to end now; its arguments are the points that the path has come to besides."""


class Budget:
    """One for all starts of a search, whose threads share it.

    Parameters
    ----------
    time_limit : float, optional
        Seconds from now on, for all starts together.
    callback : callable, optional
        ``callback(state)`` after each re-estimation, `state` a `scipy.optimize.OptimizeResult` with `nit`, `start`,
        `log_evidence`, `effective_n_params`, `noise_precision`, `prior_precision` (groups), `time` and `posterior`. If
        it returns True, or raises StopIteration, the search ends.
    verbose : int, default=0
        With 1 a line that updates, or one for each re-estimation where none can; with 2 these.

    Attributes
    ----------
    ended : str
        "time_limit", "callback" or "exception" (of the block that this is used in) once the search is to end, else "".
    """

    def __init__(
        self, time_limit: float | None = None, callback: Callable[[Any], Any] | None = None, verbose: Any = 0
    ) -> None:
        check.callback(callback)
        self.callback = callback
        self.verbose = check.verbosity(verbose)
        self.seconds = math.inf if time_limit is None else check.number(time_limit, "time_limit", 0.0)
        self.ended = ""
        self._progress, self._n_told = Progress("evidence", self.verbose), 0
        self._started, self._lock = time.perf_counter(), threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Of what is left, by no clock: a worker's begins anew."""
        return {"seconds": self.seconds, "left": self.left, "ended": self.ended}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Budget.__init__(self, None if state["seconds"] == math.inf else state["seconds"])
        self.ended = state["ended"]
        if self.seconds < math.inf:
            self._started -= state["seconds"] - state["left"]

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._progress.close()
        if kind is not None:  # for the threads of other starts
            self.ended = "exception"

    @property
    def left(self) -> float:
        """Seconds until the time limit."""
        return self.seconds - (time.perf_counter() - self._started)

    @property
    def watched(self) -> bool:
        """Whether somebody looks at the points of the path."""
        return self.callback is not None or self.verbose > 0

    @property
    def used(self) -> float:
        """The share of the time limit that is over, 0 without one."""
        return 0.0 if self.seconds == math.inf else 1.0 - self.left / max(self.seconds, 1e-300)

    @property
    def over(self) -> bool:
        """Whether the search is to end."""
        if not self.ended and self.seconds < math.inf and self.left <= 0:
            self.ended = "time_limit"
        return bool(self.ended)

    def report(self, start: int, nit: int, posterior: Laplace, alphas: Float) -> None:
        """Tell of a point of the path; raises Stop where it is to be the last."""
        with self._lock:  # one start at a time
            if self.verbose:
                self._tell(self._line(start, nit, posterior, alphas))
            if self.callback is not None and not self.ended and self._call_back(start, nit, posterior, alphas):
                self.ended = "callback"
        if self.over:
            raise Stop

    def _tell(self, line: str) -> None:
        self._n_told += 1
        if self._progress.in_place:
            self._progress.tell(self._n_told, lambda: line.removeprefix("evidence "))
        else:
            say(line)

    def _call_back(self, start: int, nit: int, posterior: Laplace, alphas: Float) -> bool:
        assert self.callback is not None
        state = optimize_result(
            nit=nit, start=start, log_evidence=posterior.log_evidence, noise_precision=posterior.noise_precision,
            prior_precision=alphas.copy(), effective_n_params=posterior.effective_n_params,
            time=time.perf_counter() - self._started, posterior=posterior,
        )  # fmt: skip
        return asks_for_end(self.callback, state)

    def _line(self, start: int, nit: int, posterior: Laplace, alphas: Float) -> str:
        shown = [f"evidence {start:3d} {nit:4d}  log evidence {posterior.log_evidence:.6g}"]
        noise = ", ".join(f"{beta:.4g}" for beta in np.atleast_1d(posterior.noise_precision))
        shown += [f"effective parameters {posterior.effective_n_params:.4g}", f"noise precision {noise}"]
        shown += [f"pruned {np.isinf(alphas).sum()}", f"{time.perf_counter() - self._started:.2f} s"]
        return "  ".join(shown)
