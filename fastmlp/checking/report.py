"""`check_derivatives`: every derivative that a network offers, against central differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._tables import Page, Table, printed
from fastmlp._types import Array, ArrayLike, Index, Seed
from fastmlp.checking import differences
from fastmlp.checking.differences import Direction, Slopes, Twin
from fastmlp.model import functional
from fastmlp.network.network import Network, check_network

TOLERANCE = {"float64": 1e-6, "float32": 1e-3}
TITLES = ("quantity", "group", "error", "tolerance", "")
NAMES = {"exact": "hessian", "ggn": "ggn"}
MATRIX_SIZE = 1000  # parameters up to which whole curvature matrices are formed
JACOBIAN_SIZE = 2**22  # numbers of a Jacobian or of second derivatives by the inputs that are held at most
#: a slope below this part of what was differenced is not asked for digits of its own
FLOOR = {"float64": 1e-3, "float32": 1e-1}


@dataclass(frozen=True)
class Comparison:
    """One derivative in one group of parameters, or by the inputs ("x")."""

    quantity: str
    group: str
    error: float
    step: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; nan is not."""
        return self.error <= self.tolerance


@printed
@dataclass(frozen=True)
class DerivativeReport:
    """What `check_derivatives` found; `str` has a line for every comparison, `repr` for what matters.

    Attributes
    ----------
    comparisons : tuple of Comparison
        Each with `quantity`, `group`, `error`, `step`, `tolerance` and `passed`.
    n_samples, n_left_out : int
        Samples that were used, and those that were not because they lie at a kink.
    """

    comparisons: tuple[Comparison, ...]
    n_samples: int
    n_left_out: int

    @property
    def passed(self) -> bool:
        """Whether all comparisons passed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Comparison, ...]:
        """Those that did not pass."""
        return tuple(each for each in self.comparisons if not each.passed)

    def __str__(self) -> str:
        return f"{Table([_row(each) for each in self.comparisons], TITLES)}\n{self._verdict()}"

    def _verdict(self) -> str:
        n = len(self.comparisons)
        verdict = f"{len(self.failed)} of {n} comparisons FAILED" if self.failed else f"all {n} comparisons passed"
        verdict += f", on {self.n_samples} samples"
        if self.comparisons:
            verdict += f" with steps of {self.comparisons[0].step:.0e}"
        if self.n_left_out:
            verdict += f"; {self.n_left_out} samples at kinks were left out"
        return verdict

    def _shown(self) -> Page:
        """The groups that have failed; if none has, the largest error of each quantity."""
        worst: dict[str, Comparison] = {}
        for each in self.comparisons:
            if each.error >= worst.setdefault(each.quantity, each).error:
                worst[each.quantity] = each
        rows = [_row(each) for each in self.failed or worst.values()]
        return Page(f"DerivativeReport: {self._verdict()}", (Table(rows, TITLES),))


def _row(each: Comparison) -> tuple[str, ...]:
    outcome = "passed" if each.passed else "FAILED"
    return each.quantity, each.group, f"{each.error:.1e}", f"{each.tolerance:.0e}", outcome


@quiet
def check_derivatives(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    step: float | None = None,
    tol: float | None = None,
    rng: Seed = 0,
) -> DerivativeReport:
    """Compare the network's derivatives with central differences, (f(p + h v) - f(p - h v)) / 2h.

    Parameters
    ----------
    net : Network
        Or one of a subclass with methods of its own; it is not changed.
    X, T, sample_weight
        As for `Network.loss`; at least one sample. A few dozen are enough.
    step : float, optional
        h: how far a step moves pre-activations at most; eps^(1/3) = 6e-6 by default, which balances what is cut off,
        of order h^2, against rounding, eps / h. Identity layers count only where a step acts on them directly.
    tol : float, optional
        Largest error that passes; 1e-6 by default, 1e-3 for a float32 network.
    rng : None, int or numpy.random.Generator, default=0
        Source of the directions.

    Returns
    -------
    DerivativeReport
        Its `comparisons`, whether all of them `passed`, those that `failed`; `str(report)` is a table.

    Raises
    ------
    TypeError, ValueError
        If net is not a network, arguments are refused as by `Network.loss`, there are no samples, or all of them lie
        at kinks; if step or tol are not positive.

    Notes
    -----
    By parameters, group by group: the gradient; the Jacobian, `jvp`, `vjp`; rows of the products `hessp` and `ggnp`,
    and of the matrices for up to 1000 parameters; both diagonals. By the inputs: the Jacobian, `jvp`, `vjp`, and second
    derivatives. Differenced are losses of samples, outputs, and, for second derivatives, the gradient (5.91) and the
    input Jacobian: where these fail, second derivatives may fail with them. G v is compared with J' Lambda (J v), with
    J v by differences and J' by `vjp`.

    Directions v are each parameter of a group of up to 32; of a larger one 16 of them, and 16 random mixtures of the
    whole group, which leave out nothing. Of large Jacobians the rows of some samples are formed.

    The error is the largest difference found in a group over a scale: the largest slope there, with sums over samples
    taken of magnitudes for gradient and `vjp`; or, where slopes vanish, 1e-3 times the size of the numbers that were
    differenced, since rounding leaves an error of eps / h relative to these (0.1 times for a float32 network, whose own
    rounding counts). Parameters count in units of 1 / max_n |a_nj|, inputs in those of 1 / max_j |w_ji|, so that a
    change of units changes nothing. Differences are taken in float64, at the same numbers, for a float32 network too.

    Next to a kink of relu, leaky_relu or elu a difference is no derivative: samples with a pre-activation within 10 h
    of one are left out, and counted in `n_left_out`.

    Cost: about 15 gradients a direction, so some hundred gradients for a small network, a few thousand for a deep one.

    References
    ----------
    PRML (5.69), (5.90)-(5.91).

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 3, 1], rng=0)
    >>> report = fastmlp.check_derivatives(net, [[0.0, 1.0], [1.0, 0.5]], [1.0, 2.0])
    >>> report.passed
    True
    >>> print(str(report).splitlines()[-1])
    all 44 comparisons passed, on 2 samples with steps of 6e-06
    """
    architecture = check_network(net)._architecture
    samples = functional.check_samples(architecture, X, T, sample_weight)
    step = differences.STEP if step is None else check.number(step, "step", 0.0, above=True)
    tol = TOLERANCE[net.dtype.name] if tol is None else check.number(tol, "tol", 0.0, above=True)
    rng = check.generator(rng)
    check.at_least_one(samples.X)
    kept = differences.away_from_kinks(net, samples, step)
    if len(kept) == 0:
        raise ValueError("X: expected a sample away from the kinks of the activations, got none")
    ledger = _Ledger()
    examination = _Examination(net, samples.rows(kept), ledger, rng)
    examination.by_params(step)
    examination.by_inputs(step)
    return DerivativeReport(ledger.comparisons(step, tol), len(kept), len(samples.X) - len(kept))


class _Ledger:
    """Largest difference and largest scale so far of each quantity and group."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[float, float]] = {}

    def enter(self, quantity: str, group: str, got: Any, expected: Any, *scales: Any) -> None:
        """A derivative and its difference quotient; `scales` beside the quotient's own size."""
        difference, scale = self._found.get((quantity, group), (0.0, 0.0))
        difference = np.maximum(difference, np.max(np.abs(np.asarray(got, np.float64) - expected)))  # keeps nan
        scale = max(scale, float(np.max(np.abs(expected))), *map(float, scales))
        self._found[quantity, group] = float(difference), scale

    def comparisons(self, step: float, tol: float) -> tuple[Comparison, ...]:
        """All of them, by quantity in the order in which these came up first."""
        quantities = list(dict.fromkeys(quantity for quantity, _ in self._found))
        return tuple(
            Comparison(quantity, group, float(np.divide(difference, scale)) if difference else 0.0, step, tol)
            for (quantity, group), (difference, scale) in sorted(
                self._found.items(), key=lambda found: quantities.index(found[0][0])
            )
        )


class _Examination:
    """The derivatives of one network on some samples, entered into a ledger beside their differences."""

    def __init__(self, net: Network, samples: functional.Samples, ledger: _Ledger, rng: np.random.Generator) -> None:
        self.net, self.ledger, self.rng = net, ledger, rng
        self.twin = Twin(net, samples)
        self.X, self.data = samples.X, (samples.X, samples.targets.given)
        self.weight: dict[str, Any] = {"sample_weight": samples.weight}
        self.cotangents = rng.standard_normal(self.twin.outputs.shape)
        #: what the curvature Lambda of the loss, and its slope y - t, belong to
        self.of = "logits" if net._architecture.loss.of_logits else "outputs"
        self.floor = FLOOR[net.dtype.name]

    # ---- by parameters ----

    def by_params(self, step: float) -> None:
        net = self.net
        rows = self._rows(net.n_params)
        first = {
            "gradient": net.loss_and_grad(*self.data, **self.weight)[1],
            "vjp": net.vjp(self.X, self.cotangents),
            "jacobian": net.jacobian(self.X[rows], wrt="params"),
        }
        kinds = ("exact", "ggn")
        diagonals = {kind: net.hessian_diagonal(*self.data, kind, **self.weight) for kind in kinds}
        matrices = {}
        if net.n_params <= MATRIX_SIZE:
            matrices = {kind: net.hessian(*self.data, kind, **self.weight) for kind in kinds}
        sizes = self._row_sizes()
        for direction in self.twin.directions(self.rng):
            slopes = self.twin.slopes(direction.v, step)
            self._first_order(direction.group, slopes, first, rows)
            expected = {"exact": slopes.gradient, "ggn": self._pull_back(self._curve(getattr(slopes, self.of)))}
            for kind in kinds:
                found = {"": matrices[kind] @ slopes.v} if matrices else {}
                found[" product"] = (net.hessp if kind == "exact" else net.ggnp)(*self.data, slopes.v, **self.weight)
                self._rows_of_curvature(kind, found, expected[kind], sizes[kind])
                if direction.single is not None:
                    self._diagonal(kind, direction, diagonals[kind] * slopes.v, expected[kind], sizes[kind])

    def _first_order(self, group: str, slopes: Slopes, first: dict[str, Array], rows: Index) -> None:
        twin, v, dY = self.twin, slopes.v, slopes.outputs
        de, terms = twin.weight @ slopes.losses, twin.weight @ np.abs(twin.outputs * getattr(slopes, self.of))
        sizes = twin.weight @ np.abs(slopes.losses), self.floor * terms.sum(), self.floor * twin.loss_size
        self.ledger.enter(
            "gradient", group, first["gradient"] @ v, de, *sizes
        )  # de_n = (y - t) dz: its terms may cancel
        size = self.floor * np.abs(twin.outputs).max()
        self.ledger.enter("jacobian by params", group, first["jacobian"] @ v, dY[rows], size)
        self.ledger.enter("jvp by params", group, self.net.jvp(self.X, v), dY, size)
        products, size = self.cotangents * dY, self.floor * np.abs(self.cotangents * twin.outputs).sum()
        self.ledger.enter("vjp by params", group, first["vjp"] @ v, products.sum(), np.abs(products).sum(), size)

    def _rows_of_curvature(self, kind: str, found: dict[str, Array], expected: Array, sizes: Array) -> None:
        unit = self.twin.unit
        for group, part in self.net.groups.items():
            for what, got in found.items():
                self.ledger.enter(
                    NAMES[kind] + what, group, unit[part] * got[part], unit[part] * expected[part], sizes[part].max()
                )

    def _diagonal(self, kind: str, direction: Direction, got: Array, expected: Array, sizes: Array) -> None:
        i, unit, group = direction.single, self.twin.unit, direction.group
        size = sizes[self.net.groups[group]].max()
        self.ledger.enter(f"{NAMES[kind]} diagonal", group, unit[i] * got[i], unit[i] * expected[i], size)

    def _row_sizes(self) -> dict[str, Array]:
        """Sizes of what is differenced for the rows of curvature matrices: gradients of samples, terms of Lambda z."""
        twin = self.twin
        squares = twin.net.hessian_diagonal(twin.X, twin.T, "empirical_fisher", sample_weight=twin.weight)
        gradients = np.sqrt(twin.weight.sum() * squares)  # at least sum_n s_n |de_n/dp|
        terms = np.abs(twin.outputs if self.of == "outputs" else twin.outputs * twin.logits)
        sums = np.abs(self._pull_back(terms))
        return {"exact": self.floor * twin.unit * (gradients + sums), "ggn": self.floor * twin.unit * sums}

    def _curve(self, u: Array) -> Array:
        """Lambda u, sample by sample."""
        T = self.twin.T
        return self.net._architecture.loss.curved(
            getattr(self.twin, self.of), u, 1.0 if T.ndim == 1 else T.sum(axis=1, keepdims=True)
        )

    def _pull_back(self, u: Array) -> Array:
        """J' u, summed over the samples with their weights."""
        return self.twin.net.vjp(self.twin.X, self.twin.weight[:, np.newaxis] * u, of=self.of)

    # ---- by inputs ----

    def by_inputs(self, step: float) -> None:
        net, twin, unit = self.net, self.twin, self.twin.input_unit
        rows, few = self._rows(net.layers[0]), self._rows(net.layers[0] ** 2)
        J, H = net.jacobian(self.X[rows]), net.input_hessian(self.X[few])
        vjp = net.vjp(self.X, self.cotangents, wrt="inputs")
        size = self.floor * np.abs(twin.outputs).max()
        vjp_size = self.floor * np.abs(self.cotangents * twin.outputs).max()
        jacobian_size = self.floor * self._jacobian_terms(few).max()
        for direction in twin.input_directions(self.rng):
            V, dY, dJ = twin.input_slopes(direction.v, step, few)
            group, products = direction.group, self.cotangents * dY
            sums, magnitudes = products.sum(axis=1), np.abs(products).sum(axis=1)
            self.ledger.enter("jacobian by inputs", group, np.einsum("nki,ni->nk", J, V[rows]), dY[rows], size)
            self.ledger.enter("jvp by inputs", group, net.jvp(self.X, V, wrt="inputs"), dY, size)
            self.ledger.enter("vjp by inputs", group, (vjp * V).sum(axis=1), sums, magnitudes.max(), vjp_size)
            HV = np.einsum("nkij,nj->nki", H, V[few])
            self.ledger.enter("hessian by inputs", group, unit * HV, unit * dJ, jacobian_size)

    def _jacobian_terms(self, rows: Index) -> Array:
        """Magnitudes of the Jacobian, or for softmax of the terms of y_k (dz_k - sum_j y_j dz_j), which may cancel."""
        twin, alone = self.twin, self.net._architecture.output.is_elementwise
        J = twin.net.jacobian(twin.X[rows], of="outputs" if alone else "logits")
        terms: Array = twin.input_unit * (J if alone else twin.outputs[rows, :, np.newaxis] * J)
        return np.abs(terms)

    def _rows(self, numbers: int) -> Index:
        """Samples of which so many numbers for each output can be held, spread over all."""
        n = len(self.X)
        held = min(n, max(1, JACOBIAN_SIZE // (numbers * self.net.layers[-1])))
        return np.linspace(0, n - 1, held).astype(np.intp)
