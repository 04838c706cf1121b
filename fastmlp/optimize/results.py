"""What trainings return: SciPy's results, as tables. Imported, with SciPy's optimizers, when the first one is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scipy.optimize import OptimizeResult

from fastmlp._tables import LINES, Page, Table, how_many, numbers, printed, unless_nan
from fastmlp._types import Float
from fastmlp.model.units import Units

COUNTS = {"nfev": "values", "njev": "gradients", "nhev": "Hessians"}
#: of `FitResults`
COLUMNS = {
    "iterations": "nit", "objective": "fun", "|gradient|": "grad_norm", "training": "train_loss",
    "validation": "validation_loss",
}  # fmt: skip


@printed
class _Result(OptimizeResult):  # type: ignore[misc]
    """A dict whose items are attributes too, and what all of them say of themselves."""

    def _shown(self) -> Page:
        method, message = self.get("method"), self.get("message")
        title = type(self).__name__ + (f" of {method}" if method else "") + (f": {message}" if message else "")
        facts = list(self._facts())
        told = {"method", "message", *COUNTS, *(key for key, *_ in facts)}
        others = ", ".join(key for key in self if key not in told)
        return Page(title, (Table([fact[1:] for fact in facts] + [("more", others or None)]),))

    def _facts(self) -> Iterable[tuple[str, str, Any]]:
        """Key, name and value of what is told, by its importance: by default nothing but the keys."""
        return ()

    def _counts(self) -> str | None:
        counts = [f"{self[key]} {name}" for key, name in COUNTS.items() if self.get(key)]
        return ", ".join(counts) or None


class FitResult(_Result):
    """What `Network.fit` and `fit_many` return: a `scipy.optimize.OptimizeResult`, a dict whose items are attributes.

    Attributes
    ----------
    x : ndarray of shape (P,)
        The parameters that the network was left with, in the units of X and T.
    fun : float
        The objective there, the sum of the losses and the penalty; in standardised units if they were used.
    grad_norm : float
        The largest element of its gradient, in absolute value; nan with sgd and adam, which do not know it.
    nit, nfev, njev, nhev : int
        Accepted steps, or epochs; evaluations of the objective, of its gradient, and of Hessians or products with them.
    success, status, message : bool, int, str
        Whether the training ended as it should, and what ended it.
    warned : str
        Of `Network.fit`: what its ScaleWarning said, "" if there was none.
    method : str
    units : Units or None
        In which the network was trained, if not in those of X and T: as `Network.units`.
    noise_precision : ndarray of shape (K,)
        Of `Network.fit` with ``noise="per_output"``: the precision of each output's noise, in the units of T.
    history : dict of ndarray
        Of `Network.fit`: arrays of equal length, entry 0 the start: ``loss`` (the objective), ``train_loss`` and
        ``validation_loss`` (means of a sample, without penalty), ``grad_norm``, ``time`` (seconds).
    state : dict
        Of `Network.fit`: what ``warm_start=`` continues from.
    train_loss, validation_loss : float
        Of `fit_many`: means of a sample, without penalty, in the units of T.

    Notes
    -----
    A callback is given one too, with `x`, `fun`, `nit` and the latest entries of the history.
    """

    x: Float
    fun: float
    grad_norm: float
    nit: int
    nfev: int
    njev: int
    nhev: int
    success: bool
    status: int
    message: str
    warned: str
    method: str
    units: Units | None
    noise_precision: Float
    history: dict[str, Float]
    state: dict[str, Any]
    train_loss: float
    validation_loss: float

    def _facts(self) -> Iterable[tuple[str, str, Any]]:
        units, seconds = self.get("units"), self._latest("time")
        yield "success", "success", self.get("success")
        yield "warned", "warned", self.get("warned") or None
        yield "fun", "objective", self.get("fun")
        yield "grad_norm", "|gradient|", unless_nan(self.get("grad_norm"))
        yield "train_loss", "training loss", self._mean("train_loss")
        yield "validation_loss", "validation loss", self._mean("validation_loss")
        yield "nit", "iterations", self.get("nit")
        yield "predicted_decrease", "predicted decrease", unless_nan(self.get("predicted_decrease"))
        yield "moved", "moved", self._moved()
        yield "nfev", "evaluations", self._counts()
        yield "time", "time", None if seconds is None else f"{seconds:.3g} s"
        yield "noise_precision", "noise deviation", self._noise()
        yield "units", "trained in", None if units is None else units.phrase()
        yield "x", "parameters", self.get("x")

    def _mean(self, name: str) -> str | None:
        value = unless_nan(self._latest(name))
        return None if value is None else f"{value:.4g}, mean of a sample"

    def _moved(self) -> str | None:
        deviations = unless_nan(self.get("moved"))
        return None if deviations is None else f"{deviations:.4g} posterior standard deviations"

    def _noise(self) -> str | None:
        beta = self.get("noise_precision")
        return None if beta is None else f"{numbers(beta**-0.5)}, of each output"

    def _latest(self, name: str) -> Any:
        history = self.get("history", {}).get(name, ())
        return self[name] if name in self else history[-1] if len(history) else None


@printed
class FitResults(list[FitResult]):
    """What `fit_many` returns: a list of `FitResult`."""

    def _shown(self) -> Page:
        rows = [(i, fit.get("success", ""), *_cells(fit), fit.get("message", "")) for i, fit in enumerate(self[:LINES])]
        table = Table(rows, ("fit", "success", *COLUMNS, "ended"), "><>>>>><", len(self))
        return Page(f"FitResults of {how_many(len(self), 'fit')}", (table,) if rows else ())


class LeastSquaresResult(_Result):
    """What `levenberg_marquardt` returns: a `scipy.optimize.OptimizeResult`, a dict whose items are attributes.

    Attributes
    ----------
    x : ndarray of shape (n,)
        The solution.
    cost : float
        1/2 sum r_i^2 there.
    fun : ndarray of shape (m,)
        The residuals r.
    jac : ndarray of shape (m, n)
        Their derivatives J.
    grad : ndarray of shape (n,)
        J'r.
    optimality : float
        Its largest element, in absolute value.
    nit, nfev, njev : int
        Accepted steps; evaluations of r and of J.
    mu : float
        The damping at the end.
    success, status, message : bool, int, str
        Whether it came to a minimum, and what ended the search, as `levenberg_marquardt` lists it.
    """

    x: Float
    cost: float
    fun: Float
    jac: Float
    grad: Float
    optimality: float
    nit: int
    nfev: int
    njev: int
    mu: float
    success: bool
    status: int
    message: str

    def _facts(self) -> Iterable[tuple[str, str, Any]]:
        yield "success", "success", self.get("success")
        yield "x", "x", self.get("x")
        yield "cost", "1/2 |r|^2", self.get("cost")
        yield "optimality", "|J'r|", self.get("optimality")
        yield "nit", "iterations", self.get("nit")
        yield "nfev", "evaluations", self._counts()
        yield "fun", "residuals r", self.get("fun")


def _cells(fit: FitResult) -> list[Any]:
    known = [unless_nan(fit.get(name)) for name in COLUMNS.values()]
    return ["" if value is None else value for value in known]
