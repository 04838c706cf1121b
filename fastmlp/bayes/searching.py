"""The search for precisions, starts and sizes by the evidence: what is tried, and what is said of its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any, cast

import numpy as np

from fastmlp import _executors, _threads
from fastmlp import _validation as check
from fastmlp._hints import hinting
from fastmlp._partial import handing_over
from fastmlp._quiet import quiet_but
from fastmlp._types import ArrayLike, Seed
from fastmlp.bayes import ending, journal, screening, starts, workers
from fastmlp.bayes.alternation import GROUPS
from fastmlp.bayes.ascent import to_fixed_point, to_maximum
from fastmlp.bayes.budget import Budget
from fastmlp.bayes.evidence import Evidence
from fastmlp.bayes.frame import Frame, framed
from fastmlp.bayes.mixture import Mixture
from fastmlp.bayes.problem import measured_noise, noise_given
from fastmlp.bayes.quantized import quantized
from fastmlp.bayes.screening import Candidate, Search
from fastmlp.bayes.starts import Start, Starts
from fastmlp.checkpoint import refuse_unseeded
from fastmlp.model import functional, units
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunks import Chunks
from fastmlp.model.functional import Samples
from fastmlp.model.targets import without_missing
from fastmlp.model.units import Units
from fastmlp.network.network import Network, check_network
from fastmlp.optimize import advice, explained, reference, scale
from fastmlp.terms import objective as objectives

START_ALPHA = 0.1
NOISES = ("per_output", "shared", "known")
METHODS = {"maximum": to_maximum, "fixed_point": to_fixed_point}


@quiet_but("callback")
@hinting
def fit_evidence(
    net: Network,
    X: ArrayLike | Chunks,
    T: ArrayLike | None = None,
    groups: str = "layers",
    method: str = "maximum",
    *,
    n_starts: int = 1,
    hidden: Any = None,
    combine: str = "best",
    init: str | float = "glorot",
    rng: Seed = None,
    prior_precision: float = START_ALPHA,
    noise_precision: ArrayLike | None = None,
    noise: str | None = None,
    standardize: bool | Units = True,
    sample_weight: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    missing: str = "raise",
    max_iter: int = 200,
    tol: float = 1e-4,
    n_threads: int | None = None,
    time_limit: float | None = None,
    callback: Callable[[Any], Any] | None = None,
    verbose: int = 0,
    executor: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Evidence | Any:
    """Train a network with prior and noise precisions that maximise the evidence, and no validation set.

    Parameters
    ----------
    net : Network
        Trained in place, from its present parameters, by Levenberg-Marquardt.
    X, T, sample_weight, n_threads
        As for `Network.loss`.
    groups : {"layers", "all", "ard"}
        What has a precision of its own: the weights and the biases of each layer, as in ``net.groups``; all together;
        the weights from each input ("W1[:,0]"), and the other groups (automatic relevance determination).
    method : {"maximum", "fixed_point"}
        A maximum of the log evidence, or the fixed point of re-estimation, which takes no notice of that the
        trained network, and with it A, moves with the precisions. Without hidden layer they are the same.
    n_starts : int
        Networks that are trained: from the parameters of `net`, and from others drawn as by ``net.initialize(init)``.
        With ``combine="best"`` the two thirds with the largest evidence after the first re-estimations go on close to
        the end, and the best of these to the end; else all do.
    hidden : None, "auto", or sequence of int
        Numbers of hidden units to try, in each hidden layer, `n_starts` networks of each; "auto" tries 1, 2, 3, 5, 8,
        13, 20, 32, ..., as long as there are as many samples, until the largest evidence has not risen by half a nat
        twice. The first size within half a nat of the largest evidence is taken. `net` tells what else the networks
        are, and stays as it is.
    combine : {"best", "average"}
        The start with the largest evidence, or all starts (of its number of hidden units) with equal weights.
    init, rng
        As for `Network`.
    prior_precision, noise_precision : float, optional
        Where to start: alpha, 0.1, and beta, in the units of T, 100 over the variance of the targets: a weak prior,
        since a strong one may flatten the network before it has learnt anything. Classifiers and counts have beta = 1.
    noise : {None, "per_output", "shared", "known"}
        A noise precision for each output, or one for all, in the units in which the evidence is maximised; or what
        `noise_precision` tells, one for all or (K,). None: for each output, but one factor of `sigma`, which tells by
        how much outputs differ.
    standardize : bool or Units, default=True
        Work in standardised units of X, and of T where outputs are linear, as `Network.fit` does with
        ``standardize=True``; parameters that a fit has left are mapped into them. Results do not depend on the units of
        the data then, and the start makes sense. alpha is that of the standardised problem, where "layers" means one
        for all inputs; all else is in the units of the data. False: the problem of X and T as they are.
    sigma : array-like of shape (N,) or (N, K), optional
        Measurement errors of the targets, standard deviations in the units of T: target n, k has the variance
        sigma_nk^2 / beta, and beta has no unit, as of `Laplace`.
    missing : {"raise", "ignore"}
        As for `fastmlp.Laplace`.
    absolute_sigma : bool, default=False
        True: errors are known, beta = 1, and ``noise="known"``. False: they are known up to one factor.
    max_iter : int
        Re-estimations.
    tol : float
        Converged once no ln alpha_g, and not ln beta, would change by more than this.
    time_limit : float, optional
        Seconds, for all starts together; asked before each step of a training. The first training of a start takes half
        of what is left at most, each of the others a thirtieth of the limit, as precisions matter more than their last
        steps; starts are drawn for half of the time.
    callback : callable, optional
        ``callback(state)`` after each re-estimation, from the thread of its start, one at a time. `state` has `nit`,
        `start` (its number), `log_evidence`, `effective_n_params`, `noise_precision`, `prior_precision` (groups),
        `time` and `posterior`. All ends where it returns True or raises StopIteration.
    verbose : int, default=0
        1: progress as by `Network.fit`; where no line can update, and with 2, a line for each re-estimation.
    executor : concurrent.futures.Executor, optional
        Who trains the starts, as for `fit_many`: without `callback` and `verbose`.
    checkpoint : str or path-like, optional
        A folder, made if it is not there, that keeps what each start has come to, every second and with an executor
        each time that a start comes back. A call that was killed and is made again, with the same data and settings,
        trains only what is missing, to the same bits; `callback` sees all again. Where starts are drawn, `rng` has to
        be told.

    Returns
    -------
    Evidence or Mixture
        A `Laplace` of the trained network, with `group_precisions`, `pruned`, `history` and `converged` too; with
        ``combine="average"`` a `Mixture` of such. Both have `starts`: all networks that were trained.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or T is constant.
    RuntimeError
        If workers of the executor have died.
    OSError
        If the checkpoint cannot be made.

    Warns
    -----
    CheckpointWarning
        If a file of the checkpoint is damaged, whose start is trained again, or cannot be written: training goes on.
    ScaleWarning
        If columns lie so far from zero that float32, of the network, or rounding leaves nothing of them; and with
        ``standardize=False``, as `Network.fit`, unless the network explains far more than a straight line.
    ConvergenceWarning
        Once, if what is returned has not converged, unless the callback has ended it; if its noise is at its floor; or
        if it explains less than half of what a straight line does for sure.

    Notes
    -----
    In turn the network is trained with weight decay alpha_g / beta, and the precisions are re-estimated,

        alpha_g |w_g|^2 = gamma_g + 2 c_g,    beta SSE = N K - sum gamma_g + 2 c,    gamma_g = P_g - alpha_g tr_g A^-1,

    with the Gauss-Newton matrix in A; of several outputs each weighs as much as its beta_k, and tells it by

        beta_k SSE_k = N - gamma_k + 2 c_k,    gamma_k = beta_k tr(A^-1 J_k'J_k),    sum_k gamma_k = sum_g gamma_g.

    MacKay's fixed point has c = 0: there the log evidence has no gradient while w is
    held. But w is the optimum for these precisions, and moves with them. What this adds to the gradient is

        c_g = -alpha_g w_g . s_g,    c_k = -beta_k grad E_k . s,    c = sum_k c_k,    s = -1/2 H^-1 d ln|A| / dw,

    E_k half of SSE_k, H the exact second derivatives of the log posterior. With it re-estimation goes uphill; steps, in
    logarithms, are made quicker by the curvature along the last eight (L-BFGS), and halved where the log evidence would
    fall. Plain re-estimation lets it fall, mostly by some tenths, but by tens where weights into hidden units shrink
    and those out of them grow. Where the evidence rises up to an edge at which the network's optimum ceases to exist,
    training goes on from there once, and then plain re-estimation does, for up to 60 steps: where it comes to networks
    that are better by half a nat the search goes on uphill. What is returned is the best point seen, and `stationary`
    says what it is.

    A group that is determined to less than a thousandth of its parameters, gamma_g <= 0.001 P_g, seems to be on its way
    to an infinite precision. From the third re-estimation on it is taken out, its weights 0 for good, if the evidence
    of the network that is trained without it is no lower: it is the limit of that with it for alpha_g -> inf.

    The prior that it chooses is all that holds the parameters: there is no `penalty`. An old posterior is the prior of
    new samples, at its own precisions, in `Laplace.updated`, and any `Quadratic` in ``Laplace(penalty=)``.

    Outputs with constant targets take no part in the noise where units are standardised ones; else an output that
    is constant starts from the variance of the others, and ends at the floor.

    Without noise the evidence grows with beta without end. It ends at beta = 1e12 over the variance of the targets,
    noise of a millionth of their standard deviation; it is held there as long as it would grow (`noise_at_floor`).
    Rounding hides as much of A_ii as n eps A_ii, which is added there if Cholesky's factorisation asks for it. In the
    end A^-1 comes from the rows of J by reflections, if more than 1e-10 of it would be lost.

    Of several starts the best of which is wanted, and where the first training takes a tenth of the time limit, the
    first re-estimations, which `callback` and `history` do not see, are plain and quick: five steps of training, and no
    logarithm changes by more than one, until none wants to. Then starts are compared.

    Where the prior to begin with holds all weights near zero, as it does in units in which targets are large, weaker
    ones are tried. Data in other units differ by rounding, which grows in training. With `standardize` the search
    therefore sees inputs and targets on a grid of 2^-10 standard deviations, where they are the same to the bit, until
    no logarithm would change by more than 0.02, or the noise is less than a 360th of the targets' deviation; with the
    last precisions again, and to the end, as they are. Besides, logarithms are multiples of a tenth of `tol`, of 1/4096
    after steps of more than a sixteenth, each to a power of two; the first training goes on from parameters of 12
    binary digits at every tenth step, later ones where the ten steps have brought more than a tenth of a nat; and a
    step whose training does not end is shortened.

    Sizes are compared by ``log_evidence + log_distinct_symmetries``. Starts are trained by one thread each; the result
    does not depend on the number of threads, nor on who trains them, to the bit.

    On an exception, also KeyboardInterrupt, the network is as it was, and the exception's `partial` are the starts that
    were done, as in `starts`; `callback` sees how far the others had come.

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
    combine = check.choice(combine, "combine", ("best", "average"))
    n_starts, generator = check.integer(n_starts, "n_starts", 1, check.START_BITS), check.generator(rng)
    check.seed_sequence(generator)  # from which those of the starts are spawned
    threads = 1 if n_threads is None else n_threads  # of a worker
    n_threads, budget = _threads.resolve(n_threads), Budget(time_limit, callback, verbose)
    if _executors.checked(executor) is not None and budget.watched:
        raise ValueError("callback, verbose: expected None and 0 with executor=, since workers are not watched")

    groups = check.choice(groups, "groups", GROUPS)
    named = net._architecture.told_by(X, T)
    X, T, sample_weight = functional.in_chunks(X, named.numbered(T), sample_weight)
    frame, samples = _problem(net, named, X, T, sample_weight, sigma, missing, standardize)
    if samples.targets.observed is not None:
        T, _ = without_missing(net._architecture.loss, cast("ArrayLike", T), missing)
    if noise is None:
        noise = "per_output" if sigma is None else "shared"
    noise = check.choice(noise, "noise", NOISES)
    noise_precision = measured_noise(noise_precision, sigma, absolute_sigma)
    known = _noise_known(frame, noise_precision) if noise == "known" or absolute_sigma else None
    start, constant = screening.params_in(frame.units, net), reference.of(frame.architecture, samples)

    given = explained.given(X, T, samples)

    def look_at_scale() -> None:
        scale.before(net._architecture, start, samples, constant, False, frame.units, given)

    if frame.units is not None:
        look_at_scale()

    sizes = starts.sizes(net, hidden, len(samples.X))
    settings: dict[str, Any] = {}
    if checkpoint is not None:
        if draws := n_starts > 1 or hidden is not None:
            refuse_unseeded(rng, checkpoint)
        settings = {
            "net": net.__getstate__(), "groups": groups, "method": method, "n_starts": n_starts,
            "hidden": None if hidden is None else np.asarray(hidden).tolist(), "combine": combine, "init": init,
            "rng": _drawn_from(generator) if draws else None,
            "prior_precision": np.asarray(prior_precision).tolist(), "noise": noise, "max_iter": max_iter, "tol": tol,
            "noise_precision": None if noise_precision is None else np.asarray(noise_precision).tolist(),
            **journal.told(samples, frame.units),
        }  # fmt: skip
    journals = journal.Journals(checkpoint, settings)
    is_screened = combine == "best" and n_starts > 1
    search = Search(
        frame, samples, quantized(frame, samples), noise == "per_output", known, groups, prior_precision,
        noise_precision, max_iter, tol, is_screened, n_threads,
    )  # fmt: skip
    done: list[Candidate] = []
    found: list[Start] = []

    def begun(n_before: int, network: Network, threads: int, number: int) -> Candidate | None:
        if budget.over and done:
            return None
        candidate = search.begun(network, threads, number, budget, journals.of(n_before + number))
        journals.keep(candidate.journal)
        done.append(candidate)
        return candidate

    def networks(size: tuple[int, ...]) -> Iterator[Network]:
        """The starts of a size, for half of the time; the first of all is trained in any case."""
        half = budget.left / 2
        for number in range(n_starts):
            if (budget.over or (number and budget.left < half)) and done:
                return
            (own,) = generator.spawn(1)
            yield net if hidden is None and number == 0 else starts.drawn(net, size, init, own)

    def chosen(candidates: list[Candidate]) -> list[Candidate]:
        """Those of a size that go on to the end."""
        if not is_screened:
            return candidates
        some = screening.best(candidates, screening.SHARE)
        if len(some) > 1:
            go(Candidate.comes_close, some)
        return screening.best(some)

    def go(how: Any, candidates: list[Candidate]) -> None:
        def gone(each: Candidate, *_: Any) -> None:
            how(each, climb, max_iter, tol)
            journals.keep(each.journal)

        if executor is not None:
            workers.go(executor, how, candidates, (climb, max_iter, tol), budget, journals)
        else:
            starts.at_once(gone, candidates, n_starts, n_threads)

    cut = False
    with handing_over(lambda: Starts(each.start for each in done)), budget, journals:
        for n_before, size in zip(count(0, n_starts), sizes):
            if executor is not None:
                drawn = [(network, journals.of(n_before + number)) for number, network in enumerate(networks(size))]
                tried = workers.begin(executor, search, drawn, threads, budget, done, journals)
            else:
                tried = starts.at_once(partial(begun, n_before), networks(size), n_starts, n_threads)
            candidates = [each for each in tried if each is not None]
            go(Candidate.goes_on, chosen(candidates))
            found += [each.start for each in candidates]
            if isinstance(hidden, str) and starts.have_passed_the_best(found):
                break
            cut = cut or len(candidates) < n_starts
            if budget.over:
                cut = cut or next(sizes, None) is not None
                break
    best = Starts(found).best
    ending.warn_about(best.posterior, budget, max_iter, len(found) if cut else None)
    if frame.units is None and not ending.is_settled(net, best.posterior):
        look_at_scale()
    if said := frame.beyond(best.posterior._posterior.beta):
        advice.say(said)
    if hidden is None:
        net._take(best.posterior._posterior.params, frame.units)
        net._architecture = named
    if combine == "average":
        return Mixture([start.posterior for start in found if start.hidden == best.hidden], Starts(found))
    best.posterior.starts = Starts(found)
    return best.posterior


def _drawn_from(generator: np.random.Generator) -> tuple[Any, ...]:
    """What the seeds of the next starts follow from."""
    sequence = check.seed_sequence(generator)
    return sequence.entropy, sequence.spawn_key, sequence.n_children_spawned


def _noise_known(frame: Frame, value: Any) -> Any:
    """The noise that is told, in the frame's units: a number, or one for each output (K,)."""
    own = noise_given(frame, value)
    if own is None:
        raise ValueError("noise_precision: expected numbers with noise='known', or absolute_sigma=True, got None")
    return own


def _problem(
    net: Network, named: Architecture, X: ArrayLike | Chunks, T: ArrayLike | None, sample_weight: ArrayLike | None,
    sigma: Any, missing: str, standardize: bool | Units,
) -> tuple[Frame, Samples]:  # fmt: skip
    """The checked samples, in the units in which the evidence is maximised."""
    architecture = named.changed(dtype="float64")
    samples = functional.check_samples(architecture, X, T, sample_weight, sigma, missing)
    objectives.require_samples(samples)
    return framed(architecture, units.chosen(standardize, None, architecture, samples), samples, net._pruned)
