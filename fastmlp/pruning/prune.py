"""`prune`: deletions by rounds, each from the second derivatives at an optimum, with a training after it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._hints import hinting
from fastmlp._partial import handing_over
from fastmlp._quiet import quiet
from fastmlp._types import ArrayLike, Validation
from fastmlp.bayes import Laplace
from fastmlp.model.chunks import Chunks
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.optimize import holdout
from fastmlp.pruning import criteria
from fastmlp.pruning.candidates import Candidates
from fastmlp.pruning.deletion_methods import METHODS
from fastmlp.pruning.optimum import HESSIANS
from fastmlp.pruning.problem import posed
from fastmlp.pruning.pruning_path import PruningPath
from fastmlp.pruning.walk import Rules, Walk
from fastmlp.terms.term import Penalty


@quiet
@hinting
def prune(
    net: Network | Laplace,
    X: ArrayLike | Chunks | None = None,
    T: ArrayLike | None = None,
    method: str = "obs",
    *,
    penalty: Penalty | None = None,
    noise_precision: float | None = None,
    sample_weight: ArrayLike | None = None,
    what: Any = "weights",
    hessian: str = "exact",
    keep: Any = (),
    n_params: int = 1,
    standardize: bool | Units = False,
    stop: Any = None,
    validation: Validation | None = None,
    max_rise: float | None = None,
    at_once: float = 0.0,
    retrain: bool = True,
    tol: float | None = None,
    max_iter: int = 100,
    callback: Callable[[Any], Any] | None = None,
    verbose: int = 0,
    time_limit: float | None = None,
    n_threads: int | None = None,
) -> PruningPath:
    """Delete weights, units or inputs one after the other, the least significant first, and train what is left.

    Optimal Brain Surgeon with the exact Hessian of the objective, weight decay included, at each optimum.

    Parameters
    ----------
    net : Network or Laplace
        Stays as it is. With a posterior, also of `fit_evidence`, its negative logarithm is the objective: network,
        data, prior and noise precisions are the posterior's, in its units, and are not given.
    X : array-like of shape (N, D), or Chunks
    T : array-like of shape (N, K) or (N,)
        As for `Network.loss`.
    method : {"obs", "obd", "magnitude", "evidence"}
        Which deletion is next. obs: the one with the least rise of the objective where all other parameters follow;
        obd: where they stay, by the diagonal of the Hessian; magnitude: the smallest squares; evidence: the largest
        gain of log evidence, with the others following.
    penalty : WeightDecay, Term or Sum, optional
        As for `Network.fit`: what is trained is its objective.
    noise_precision : float, optional
        For evidence and criteria under squared error, in the units of the targets; None estimates it at each step, as
        `Laplace` does.
    sample_weight : array-like of shape (N,), optional
    what : {"weights", "units", "inputs"} or sequence
        What is deleted at once: single weights and biases; hidden units, with the weights into and out of them; inputs,
        with all that leaves them; or these selections, each as for ``Network.fit(fixed=)``.
    hessian : {"exact", "ggn"}
        Where the exact one is not positive definite, that of Gauss-Newton is taken for the round.
    keep : str or sequence, optional
        Parameters that stay, as for ``Network.fit(fixed=)``, unless they die.
    n_params : int, default=1
        Go on until so many are left.
    standardize : bool or Units, default=False
        As for `Network.fit`: penalty, deletions and training in standardised units, where deleted biases are 0.
    stop : {None, "evidence", "bic", "aic", "nic", "validation"} or callable, optional
        How a step is chosen. The path ends where the criterion has not become better for as many steps as half of the
        weights that the best one has, and at least 10. A function gets the list of steps so far, and ends the path by
        returning True; the last step is chosen then. None goes on to `n_params` or `max_rise` and takes the last step,
        where neither is given the one of the largest evidence, or with a flat prior of the smallest BIC.
    validation : (X, T), optional
        A validation set.
    max_rise : float, optional
        End before the objective is larger by more than this than before the first deletion.
    at_once : float, default=0.0
        How much of the objective may be predicted to be lost between two trainings, as a share: deletions of a round.
        0: one.
    retrain : bool, default=True
        False takes the whole path from the quadratic model at the first optimum, at which the network has to be; with
        obs and evidence, those of the steps' evidence and criteria too. A step costs a gradient then.
    tol : float, optional
        For the largest element of the gradient, as for `Network.fit`.
    max_iter : int, default=100
        Steps of each training by Levenberg-Marquardt, where quasi-Newton steps from the model's minimum do not arrive.
        With 1,000 parameters and more L-BFGS goes before, up to a hundred steps for each of these.
    callback : callable, optional
        ``callback(step)`` after each `PruningStep`; returning True ends the path.
    verbose : int, default=0
        1: progress as by `Network.fit`; where no line can update, and with 2, a line for each step.
    time_limit : float, optional
        Seconds.
    n_threads : int, optional

    Returns
    -------
    PruningPath
        `steps`, `best`, `best_step`, `network(k)`, `fixed(k)`, `table()`, `frame()`, `plot()`.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; if nothing is left to delete; with ``stop="validation"`` and no set; if evidence is
        asked for and the prior of something deletable is flat; with ``retrain=False`` away from an optimum.
    NotPositiveDefiniteError
        If not even the Gauss-Newton matrix is positive definite, of which it says the smallest eigenvalue, beyond
        biases without a penalty that others make up for; or where deletions leave nothing but rounding of it.

    Warns
    -----
    ScaleWarning
        As `Network.fit`: if nothing can be learned of the data as they are.

    Notes
    -----
    With A the second derivatives of the objective, the deletion of parameters S has L_S = w_S' (C_SS)^-1 w_S / 2 and
    moves the others by -C_.S (C_SS)^-1 w_S, C = A^-1. What can no longer change an output goes with it. On an
    exception, also KeyboardInterrupt, its `partial` is the path so far.

    Cost of a round: a Hessian, n^3 multiplications for its inverse and the steps of a training, all in the compact
    network of what is left; memory 5 n^2 numbers.

    References
    ----------
    PRML 5.4; Le Cun, Denker and Solla (1990), Optimal brain damage; Hassibi and Stork (1993), Optimal brain surgeon.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 3))
    >>> T = np.tanh(2 * X[:, :1])  # of one input, by one unit
    >>> net = fastmlp.Network([3, 4, 1], rng=0)
    >>> path = fastmlp.prune(net, X, T, penalty=fastmlp.WeightDecay(1e-3, 1e-3), noise_precision=100.0)
    >>> path.steps[0].n_params, path.steps[path.best_step].n_params
    (21, 2)
    """
    problem = posed(net, X, T, sample_weight, penalty, noise_precision, standardize, n_threads)
    candidates = Candidates(problem.architecture, what, keep)
    start = problem.start
    if len(candidates.left(start).numbers) == 0:
        problem.refuse_constant_targets()
        raise ValueError("what, keep: expected something that may be deleted, got nothing")
    n_params = check.integer(n_params, "n_params", 1)
    chosen = METHODS[check.choice(method, "method", tuple(METHODS))]
    chooser = criteria.make(stop, asked=max_rise is not None or n_params != 1)
    held_out = None
    if validation is not None:
        if holdout.draws(validation):
            raise TypeError(f"validation: expected a pair (X, T), got {check.shown(validation)}")
        held_out = problem.seen(holdout.split(problem.architecture, problem.samples, validation, None)[1])
    if chooser.name == "validation" and held_out is None:
        raise ValueError("stop: expected a validation set with 'validation', got none; give validation=(X, T)")
    if method == "evidence":
        problem.refuse_flat_priors(candidates.left(start).sets, "method")
    if chooser.name == "evidence":
        problem.refuse_flat_priors([np.flatnonzero(~start)], "stop")
    check.callback(callback)
    seconds = math.inf if time_limit is None else check.number(time_limit, "time_limit", 0.0)
    rules = Rules(
        method=chosen,
        hessian=check.choice(hessian, "hessian", HESSIANS),
        n_params=n_params,
        noise_precision=problem.own_precision(noise_precision),
        max_rise=math.inf if max_rise is None else check.number(max_rise, "max_rise", 0.0),
        at_once=check.number(at_once, "at_once", 0.0),
        retrain=check.boolean(retrain, "retrain"),
        tol=problem.default_tol if tol is None else check.number(tol, "tol", 0.0),
        max_iter=check.integer(max_iter, "max_iter", 1),
        callback=callback,
        verbose=check.verbosity(verbose),
        deadline=time.perf_counter() + seconds,
    )
    if rules.retrain and X is not None:
        problem.warn_of_scale()
    walk = Walk(problem, candidates, rules, chooser, held_out)
    with handing_over(lambda: walk.path("stopped by an exception")), closing(walk.progress):
        message = walk.go(start)
    path: PruningPath = walk.path(message)
    return path
