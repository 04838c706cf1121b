"""The one file that speaks SciPy's language: `scipy.optimize.minimize` on an objective."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.objective import Objective
from fastmlp.optimize.monitor import CONVERGED, MAX_ITER, STALLED, Monitor, Stop

UNLIMITED = 2**31 - 1


class Method(NamedTuple):
    """How to ask SciPy for one of its minimizers."""

    name: str
    tol: str | None  # the option that stops on the gradient
    settings: dict[str, Any]  # those that would stop earlier are switched off
    options: tuple[str, ...]  # left to the user


METHODS: dict[str, Method] = {
    "lbfgs": Method(
        "l-bfgs-b", "gtol", {"ftol": 0.0, "maxfun": UNLIMITED, "maxcor": 20, "maxls": 50}, ("maxcor", "maxls")
    ),
    "bfgs": Method("bfgs", "gtol", {}, ("c1", "c2", "hess_inv0")),
    "cg": Method("cg", "gtol", {}, ("c1", "c2")),
    "tnc": Method(
        "tnc", "gtol", {"ftol": 0.0, "xtol": 0.0, "maxfun": UNLIMITED}, ("eta", "stepmx", "rescale", "scale")
    ),
    "slsqp": Method("slsqp", None, {"ftol": 0.0}, ()),
    "trust-constr": Method("trust-constr", "gtol", {"xtol": 0.0}, ("initial_tr_radius",)),
    "nelder-mead": Method("nelder-mead", None, {}, ("xatol", "fatol", "adaptive", "initial_simplex")),
    "powell": Method("powell", None, {}, ("xtol", "ftol", "direc")),
}
WITHOUT_GRADIENT = ("nelder-mead", "powell")
MAX_RESTARTS = 10


def options(method: str) -> tuple[str, ...]:
    """Options of SciPy's that a user may set; tol and max_iter have names of their own."""
    return METHODS[method].options


class _Enough(Exception):  # noqa: N818 - it ends SciPy's loop from within its callback
    pass


class _Evaluations:
    """Values and gradients on SciPy's demand; remembers the latest, because accepted steps are among them."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.count = 0
        self._latest: list[tuple[NDArray[Any], float, NDArray[Any]]] = []

    def value_and_grad(self, x: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        self.count += 1
        value, gradient = self.objective.value_and_grad(x)
        if not np.isfinite(value):  # a step out of range is a bad step, and its gradient means nothing
            value, gradient = np.inf, np.zeros_like(gradient)
        self._latest = [*self._latest[-3:], (x.copy(), value, gradient)]
        return value, gradient.copy()

    def value(self, x: NDArray[Any]) -> float:
        self.count += 1
        value = self.objective.value(x)
        return value if np.isfinite(value) else np.inf

    def at(self, x: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        for point, value, gradient in reversed(self._latest):
            if np.array_equal(point, x):
                return value, gradient
        return self.value_and_grad(x)


def solve(
    method: str, objective: Objective, monitor: Monitor, *, max_iter: int, tol: float, options: dict[str, Any]
) -> tuple[int, int]:
    """Minimise until |g|_inf <= tol; returns a status and the number of evaluations.

    A line search that fails near the optimum, where differences of the objective drown in rounding errors, is
    restarted from where it stopped as long as that brings the objective down.
    """
    from scipy.optimize import minimize

    way = METHODS[method]
    evaluations = _Evaluations(objective)
    x = objective.x0
    value, gradient = evaluations.at(x)
    norm = _norm(value, gradient)
    monitor.begin(x, value, _train_loss(objective, x, value), norm)

    def callback(x: NDArray[Any], *_: Any) -> None:
        nonlocal norm, value
        value, gradient = evaluations.at(x)
        norm = _norm(value, gradient)
        monitor.step(x, value, _train_loss(objective, x, value), norm)
        if norm <= tol or monitor.n_iter >= max_iter:
            raise _Enough

    settings = {**way.settings, **options}
    if method != "tnc":  # which counts evaluations only; the callback counts steps for all
        settings["maxiter"] = max_iter
    if way.tol:
        settings[way.tol] = tol
    fun: Callable[[NDArray[Any]], Any] = evaluations.value if method in WITHOUT_GRADIENT else evaluations.value_and_grad
    try:
        for _ in range(MAX_RESTARTS if norm > tol and max_iter > 0 else 0):
            before = value
            assert monitor.x is not None
            with warnings.catch_warnings():
                # trust-constr on two equal gradients in a row
                warnings.filterwarnings("ignore", message="delta_grad == 0.0", category=UserWarning)
                minimize(fun, monitor.x, jac=method not in WITHOUT_GRADIENT, method=way.name, options=settings,
                         callback=callback)  # fmt: skip
            if norm <= tol or not value < before:
                break
    except _Enough:
        pass
    except Stop as stop:
        return (CONVERGED if norm <= tol else stop.status), evaluations.count
    if norm <= tol:
        return CONVERGED, evaluations.count
    return (MAX_ITER if monitor.n_iter >= max_iter else STALLED), evaluations.count


def _norm(value: float, gradient: NDArray[Any]) -> float:
    return float(np.abs(gradient).max()) if np.isfinite(value) else np.inf


def _train_loss(objective: Objective, x: NDArray[Any], value: float) -> float:
    return objective.data.mean(value - objective.penalty_value(x))
