"""What `fit_evidence` does in turn: training at given precisions, and asking the posterior for better ones.

Precisions are one vector (G + 1,): alpha of each group, inf where it is pruned, and beta last.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp import selection
from fastmlp.architecture import Architecture
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.occam import corrections
from fastmlp.bayes.training import to_maximum
from fastmlp.functional import Samples
from fastmlp.network import Network
from fastmlp.terms import DataTerm

Float = NDArray[np.float64]

GROUPS = ("layers", "all", "ard")
DEAD = 1e-3  # share of a group's parameters that the data determine, at which it is pruned
PERFECT = 1e-12  # sum of squared errors over that of the targets, below which there is no noise
START_SIGNAL = 100.0  # variance of the targets over that of the noise
FARTHEST = 3.0  # change of a logarithm at once


class Proposal(NamedTuple):
    """What the evidence says about the precisions; each (G + 1,), 0 for what is pruned or not to be estimated."""

    gradient: Float  #: of the log evidence by their logarithms
    change: Float  #: of the logarithms by re-estimation, of the gradient's sign
    dead: NDArray[np.bool_]  #: groups to be pruned


class Alternation:
    """A network in float64, checked samples in its units, and the groups whose precisions are sought."""

    def __init__(self, net: Network, samples: Samples, groups: Any, tol: float, n_threads: Any) -> None:
        architecture = net._architecture
        self.net, self.samples, self.tol, self.n_threads = net, samples, tol, n_threads
        self.groups = _named_groups(architecture, check.choice(groups, "groups", GROUPS))
        self.where = [selection.positions(architecture, names, "groups") for names in self.groups.values()]
        self.is_regression = architecture.loss == "squared_error"
        values = self.samples.targets.values
        self.squares = 0.0 if values is None else float((values.astype(np.float64) ** 2).sum())

    def start(self, alpha: Any, beta: Any, frame: Frame) -> Float:
        """The precisions to begin with; beta is given in the units of the user's targets."""
        alpha = check.number(alpha, "prior_precision", 0.0, above=True)
        return np.array([*(alpha for _ in self.groups), self._start_beta(beta, frame)])

    def _start_beta(self, value: Any, frame: Frame) -> float:
        if not self.is_regression:
            if value is not None:
                raise ValueError(f"noise_precision: expected None for {self.net.loss_name}, got {value!r}")
            return 1.0
        assert self.samples.targets.values is not None
        variance = float(self.samples.targets.values.var(axis=0, dtype=np.float64).mean())
        if variance == 0:
            raise ValueError("T: expected targets with noise, got constant ones")
        if value is None:
            return START_SIGNAL / variance
        return float(np.mean(frame.own_precision(check.number(value, "noise_precision", 0.0, above=True))))

    def trained(self, precisions: Float) -> Laplace:
        """The posterior at the optimum for these precisions that is next to the present parameters."""
        alpha, beta = np.empty(len(self.net._params)), float(precisions[-1])
        for where, each in zip(self.where, precisions, strict=False):
            alpha[where] = each
        params = np.where(np.isinf(alpha), 0.0, self.net._params)
        architecture = self.net._architecture
        self.net.params = to_maximum(architecture, params, self.samples, alpha, beta, self.tol, self.n_threads)
        frame = Frame(architecture, None)
        return Laplace._of(frame, self.net.params, self.samples, alpha, beta, "ggn", self.n_threads)

    def proposal(self, posterior: Laplace, precisions: Float, corrected: bool) -> Proposal:
        """Re-estimation: alpha_g |w_g|^2 = gamma_g and beta SSE = N K - gamma.

        Half the difference of both sides is the derivative of the log evidence by the logarithm, with w held; if
        `corrected`, twice the effect of the optimum's motion is added (`occam`), and it is the derivative along it.
        """
        gamma = np.array([posterior.gamma[where].sum() for where in self.where])
        sizes = np.array([len(where) for where in self.where])
        squares = np.array([(posterior._params[where] ** 2).sum() for where in self.where])
        alive = np.isfinite(precisions[:-1])
        data, own = np.zeros(len(precisions)), np.zeros(len(precisions))
        data[:-1] = gamma
        own[:-1][alive] = precisions[:-1][alive] * squares[alive]
        if self.is_regression:
            data[-1] = self.samples.total_weight * self.net.layers[-1] - posterior.effective_n_params
            own[-1] = precisions[-1] * self._sse(posterior)
        dead = np.append(alive & ((gamma <= DEAD * sizes) | (squares == 0)), False)
        if corrected and not dead.any():
            data += 2 * corrections(posterior, self.where)
        fixed = np.append(~alive, not self.is_regression) | dead
        data[fixed] = own[fixed] = 1.0
        ratio = np.clip(data / own, math.exp(-FARTHEST), math.exp(FARTHEST)) if corrected else data / own
        return Proposal((data - own) / 2, np.log(ratio), dead)

    def _sse(self, posterior: Laplace) -> float:
        sse = 2 * DataTerm(posterior._architecture, posterior._samples).value(posterior._params)
        if sse <= PERFECT * self.squares:
            raise ValueError(
                "T: expected targets with noise, which the network cannot fit perfectly, got a sum of squared errors "
                f"of {sse:g}, where that of zero outputs is {self.squares:g}"
            )
        return sse


def _named_groups(architecture: Architecture, groups: str) -> dict[str, list[str]]:
    """What shares a precision, by names that `selection` knows."""
    layers = list(architecture.groups)
    if groups == "all":
        return {"all": layers}
    if groups == "ard":
        layers[:1] = [f"W1[:,{i}]" for i in range(architecture.n_inputs)]
    return {name: [name] for name in layers}
