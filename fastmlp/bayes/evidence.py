"""Precisions, starts and sizes chosen by the evidence."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp.bayes import starts
from fastmlp.bayes.alternation import Alternation
from fastmlp.bayes.ascent import Path, to_fixed_point, to_maximum
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.mixture import Mixture
from fastmlp.bayes.starts import Start, Starts
from fastmlp.network import Network, check_network

Float = NDArray[np.float64]

START_ALPHA = 0.1
METHODS = {"maximum": to_maximum, "fixed_point": to_fixed_point}


class Evidence(Laplace):
    """The posterior at precisions that the evidence has chosen: what `fastmlp.fit_evidence` returns.

    Attributes
    ----------
    group_precisions : dict
        alpha by name of the group; inf for those that were pruned. `prior_precision` has it by parameter.
    pruned : tuple of str
        Groups that the data say nothing about: their parameters are 0.
    history : dict of ndarray
        One entry for each step up to this posterior, the start first: log_evidence, effective_n_params,
        noise_precision, prior_precision (steps, groups).
    converged : bool
        Else this is the posterior with the largest evidence up to `max_iter`.
    stationary : str
        "maximum" or "fixed_point", or "" if not converged.
    starts : Starts
        All networks that were trained: a tuple with `hidden`, `number`, `log_evidence` with symmetries, and
        `posterior` of each, and a `table`.
    """

    starts: Starts

    def __init__(self, path: Path, names: list[str], n_threads: int) -> None:
        steps = path.steps
        if not path.end:
            steps = steps[: 1 + int(np.argmax([step.posterior.log_evidence for step in steps]))]
        self.__dict__.update(steps[-1].posterior.__dict__)
        self._n_threads = n_threads
        *alpha, _ = steps[-1].precisions.tolist()
        self.group_precisions: dict[str, float] = dict(zip(names, alpha, strict=True))
        self.pruned: tuple[str, ...] = tuple(name for name, a in self.group_precisions.items() if a == math.inf)
        self.converged, self.stationary = bool(path.end), path.end
        precisions = np.array([step.precisions for step in steps])
        self.history: dict[str, Float] = {
            "log_evidence": np.array([step.posterior.log_evidence for step in steps]),
            "effective_n_params": np.array([step.posterior.effective_n_params for step in steps]),
            "noise_precision": precisions[:, -1],
            "prior_precision": precisions[:, :-1],
        }

    def __getstate__(self) -> dict[str, Any]:
        """With None for itself among its starts: skops cannot write what refers to itself."""
        state = self.__dict__.copy()
        if "starts" in state:
            others = (None if start.posterior is self else start.posterior for start in self.starts)
            numbered = zip(self.starts, others, strict=True)
            state["starts"] = [(start.hidden, start.number, other) for start, other in numbered]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "starts" in state:
            self.starts = Starts(
                Start(tuple(h), n, self if other is None else other) for h, n, other in state["starts"]
            )

    def _without_samples(self) -> Self:
        light = super()._without_samples()
        if "starts" in light.__dict__:
            light.starts = Starts(
                start if start.posterior is light else start._replace(posterior=start.posterior._without_samples())
                for start in light.starts
            )
        return light


def fit_evidence(
    net: Network,
    X: Any,
    T: Any,
    groups: str = "layers",
    method: str = "maximum",
    *,
    n_starts: int = 1,
    hidden: Any = None,
    combine: str = "best",
    init: str = "glorot",
    rng: Any = None,
    prior_precision: float = START_ALPHA,
    noise_precision: float | None = None,
    sample_weight: Any = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    n_threads: Any = None,
) -> Any:
    """Train a network with prior and noise precisions that maximise the evidence, and no validation set.

    Parameters
    ----------
    net : Network
        Trained in place, from its present parameters, by Levenberg-Marquardt.
    X, T, sample_weight, n_threads
        As for `Network.loss`; X, and T for regression, best in standardised units, in which the start makes sense.
    groups : {"layers", "all", "ard"}
        What has a precision of its own: the weights and the biases of each layer, as in ``net.groups``; all together;
        the weights from each input ("W1[:,0]"), and the other groups (automatic relevance determination).
    method : {"maximum", "fixed_point"}
        A maximum of the log evidence, or the fixed point of re-estimation, which takes no notice of that the
        trained network, and with it A, moves with the precisions. Without hidden layer they are the same.
    n_starts : int
        Networks that are trained: from the parameters of `net`, and from others drawn as by ``net.initialize(init)``.
    hidden : None, "auto", or sequence of int
        Numbers of hidden units to try, in each hidden layer, `n_starts` networks of each; "auto" tries 1, 2, 3, 5, 8,
        13, 20, 32, ..., until the largest evidence has not risen twice. `net` tells what else the networks are, and
        stays as it is.
    combine : {"best", "average"}
        The start with the largest evidence, or all starts (of its number of hidden units) with equal weights.
    init, rng
        As for `Network`.
    prior_precision, noise_precision : float, optional
        Where to start: alpha, 0.1, and beta, 100 over the variance of the targets: a weak prior, since a strong one may
        flatten the network before it has learnt anything. Classifiers and counts have beta = 1.
    max_iter : int
        Re-estimations.
    tol : float
        Converged once no ln alpha_g, and not ln beta, would change by more than this.

    Returns
    -------
    Evidence or Mixture
        A `Laplace` of the trained network, with `group_precisions`, `pruned`, `history` and `converged` too; with
        ``combine="average"`` a `Mixture` of such. Both have `starts`: all networks that were trained.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the fit becomes perfect, so that there is no noise to estimate.

    Notes
    -----
    In turn the network is trained with weight decay alpha_g / beta, and the precisions are re-estimated,

        alpha_g |w_g|^2 = gamma_g + 2 c_g,    beta SSE = N K - sum gamma_g + 2 c,    gamma_g = P_g - alpha_g tr_g A^-1,

    with the Gauss-Newton matrix in A. MacKay's fixed point has c = 0: there the log evidence has no gradient while w is
    held. But w is the optimum for these precisions, and moves with them. What this adds to the gradient is

        c_g = -alpha_g w_g . s_g,    c = sum_g alpha_g w_g . s_g,    s = -1/2 H^-1 d ln|A| / dw,

    H the exact second derivatives of the log posterior. With it re-estimation goes uphill; steps, in logarithms, are
    made quicker by the curvature along the last eight (L-BFGS), and halved where the log evidence would fall. Plain
    re-estimation lets it fall, mostly by some tenths, but by tens where weights into hidden units shrink and those out
    of them grow. Where the evidence rises up to an edge at which the network's optimum ceases to exist, the fixed
    point is sought instead: `stationary` says which was found.

    A group that is determined to less than a thousandth of its parameters, gamma_g <= 0.001 P_g, is on its way to an
    infinite precision: its weights become 0, and stay.

    Sizes are compared by ``log_evidence + log_distinct_symmetries``. Starts are trained by one thread each; the result
    does not depend on the number of threads, to the bit.

    Cost: a training from near by, a `Laplace`, an exact Hessian and N K P^2 multiplications for each step.

    References
    ----------
    PRML (3.91)-(3.98), (5.175)-(5.180), 7.2.1; MacKay (1992).

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2, 2, (100, 2))
    >>> T = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=100)  # the second input does not matter
    >>> posterior = fastmlp.fit_evidence(fastmlp.Network([2, 5, 1], rng=1), X, T, groups="ard")
    >>> bool(abs(posterior.noise_precision**-0.5 - 0.1) < 0.02), posterior.converged
    (True, True)
    >>> bool(posterior.group_precisions["W1[:,1]"] > 100 * posterior.group_precisions["W1[:,0]"])
    True
    """
    check_network(net)
    max_iter, tol = check.integer(max_iter, "max_iter", 0), check.number(tol, "tol", 0.0)
    climb = METHODS[check.choice(method, "method", METHODS)]
    check.choice(combine, "combine", ("best", "average"))
    n_starts, generator = check.integer(n_starts, "n_starts", 1), check.generator(rng)
    n_threads = _threads.resolve(n_threads)

    def trained(network: Network, threads: int) -> Evidence:
        alternation = Alternation(network, X, T, groups, 0.01 * tol, sample_weight, threads)
        path = climb(alternation, alternation.start(prior_precision, noise_precision), max_iter, tol)
        return Evidence(path, list(alternation.groups), n_threads)

    found: list[Start] = []
    for units in starts.sizes(net, hidden):
        others = (starts.drawn(net, units, init, each) for each in generator.spawn(n_starts))
        networks = [net if hidden is None and number == 0 else other for number, other in enumerate(others)]
        posteriors = starts.at_once(trained, networks, n_threads)
        found += [Start(units, number, posterior) for number, posterior in enumerate(posteriors)]
        if hidden == "auto" and starts.have_passed_the_best(found):
            break
    best = max(found, key=lambda start: start.log_evidence)
    if hidden is None:
        net.params = best.posterior.params
    if combine == "average":
        return Mixture([start.posterior for start in found if start.hidden == best.hidden], Starts(found))
    best.posterior.starts = Starts(found)
    return best.posterior
