"""`Trainable`: the facade's training. The objective, and `fit`; all done on lower floors."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fastmlp import _memory, optimize
from fastmlp._hints import hinting
from fastmlp._quiet import callers_own
from fastmlp._types import ArrayLike, Augment, Chosen, Seed, Tied, Validation
from fastmlp.derivatives.differentiable import Differentiable
from fastmlp.model import functional
from fastmlp.model.chunks import Chunks
from fastmlp.model.units import Units
from fastmlp.optimize import explained
from fastmlp.terms import objective as objectives
from fastmlp.terms import reparam
from fastmlp.terms.objective import Objective
from fastmlp.terms.tangents import with_derivatives
from fastmlp.terms.term import Penalty

if TYPE_CHECKING:
    import scipy.optimize

    from fastmlp.optimize.results import FitResult


class Trainable(Differentiable):
    """How a network is trained; `fastmlp.Network` documents the whole."""

    @hinting
    def objective(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        *,
        penalty: Penalty | None = None,
        noise_precision: ArrayLike | None = 1.0,
        fixed: Chosen | None = None,
        tied: Tied | None = None,
        sample_weight: ArrayLike | None = None,
        sigma: ArrayLike | None = None,
        missing: str = "raise",
        n_threads: int | None = None,
    ) -> Objective:
        """The function of the parameters that training minimises, for SciPy and the like.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`; checked once.
        sigma : array-like of shape (N,) or (N, K), optional
            Standard deviations of the targets' measurement errors, in their units, for squared error: it becomes
            sum_nk s_n 1/2 ((y_nk - t_nk) / sigma_nk)^2. A `sample_weight` counts samples, sigma does not.
        missing : {"raise", "ignore"}
            Of squared error, what nan in T means: an error, or a target that there is none of, which has no weight.
        penalty : WeightDecay, Term or Sum, optional
            Terms of one's own too (`Term`), and what `+` makes of several.
        noise_precision : float or array-like of shape (K,), default=1.0
            Factor beta of the data term; one for each output with squared error.
        fixed : str, sequence of str or int, or boolean array of shape (P,), optional
            Parameters that keep their present values: groups such as "b2" and "W1[:,0]", indices, or a mask.
        tied : sequence, optional
            Sets of parameters that share one value, each given as above; the start is that of the first one. In a set
            given as a dict, ``{"W1[0,:]": 1.0, "W1[1,:]": -1.0}``, parameters are the shared value times a coefficient.

        Returns
        -------
        Objective
            With `x0`, `value(p)`, `grad(p)`, `value_and_grad(p)`, and derivatives of second order. With `fixed` or
            `tied` p holds the free parameters only, in the order of the first of each set; ``objective.expand(p)`` has
            them all.

        Raises
        ------
        TypeError, ValueError
            As `loss`; also if there are no samples, if nothing is left free, or a parameter is in two sets.

        Notes
        -----
        Fixed and tied parameters are the linear map w = o + J v: gradients become J'g, matrices J'B J. The penalty on
        tied ones counts each of them, that on fixed ones is a constant.

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([2, 1])
        >>> net.params = [1.0, 2.0, 3.0]
        >>> obj = net.objective([[1.0, 1.0]], [0.0], fixed="b1", tied=["W1"])  # y = v x1 + v x2 + 3
        >>> obj.x0, obj.grad(obj.x0)
        (array([1.]), array([10.]))
        """
        _memory.for_scipy()
        samples = functional.check_samples(self._architecture, X, T, sample_weight, sigma, missing)
        free = reparam.make(self._architecture, self._params, fixed, tied, self._pruned)
        return objectives.make(self._architecture, self._params, samples, penalty, noise_precision, n_threads, free)

    # ---- training ----

    def fit(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        method: str = "auto",
        *,
        sample_weight: ArrayLike | None = None,
        sigma: ArrayLike | None = None,
        missing: str = "raise",
        noise: str = "shared",
        penalty: Penalty | None = None,
        derivatives: tuple[ArrayLike | str, ArrayLike] | None = None,
        derivative_weight: float = 1.0,
        fixed: Chosen | None = None,
        tied: Tied | None = None,
        bounds: Mapping[str, Any] | scipy.optimize.Bounds | None = None,
        validation: Validation | None = None,
        patience: int | None = None,
        max_iter: int | None = None,
        tol: float | None = None,
        batch_size: int = 32,
        augment: Augment | None = None,
        learning_rate: float | Callable[[int], float] | None = None,
        standardize: bool | Units = False,
        callback: Callable[[FitResult], Any] | None = None,
        verbose: int = 0,
        rng: Seed = None,
        time_limit: float | None = None,
        warm_start: FitResult | None = None,
        n_threads: int | None = None,
        client: Any = None,
        **options: Any,
    ) -> FitResult:
        """Minimise ``objective(X, T, sample_weight, sigma, penalty).value`` from the present parameters.

        Parameters
        ----------
        X : array-like of shape (N, D), or Chunks, or an array of Dask's
            The columns of a data frame are remembered as `input_names`.
        T : array-like of shape (N, K)
            As for `loss`.
        method : str, default="auto"
            Minibatches: sgd, adam. Full batch: rprop, lm (Levenberg-Marquardt, in the end Newton: up to some thousand
            parameters), lbfgs; with products with the exact Hessian scg (scaled conjugate gradients), newton-cg,
            trust-krylov, trust-ncg, with the Hessian trust-exact; or another minimizer of SciPy's: l-bfgs-b, bfgs, cg,
            tnc, slsqp, trust-constr, nelder-mead, powell.
            auto: lm for networks without relu or leaky_relu of P <= 1,000 parameters with N P^2 <= 1e9; else lbfgs
            where N P <= 1e8; else adam. With `augment` adam. With bounds l-bfgs-b, also for lbfgs. With a `Term` that
            has neither hess nor hessp lbfgs in place of lm, with one that is neither weight decay nor tangents lbfgs in
            place of adam; M directions of tangents make 24 M + 1 times as much of N P^2.
        sample_weight : array-like of shape (N,), optional
        sigma : array-like of shape (N,) or (N, K), optional
            As for `objective`. Samples that are held back for validation keep their errors; a pair that is given has
            none, and its loss is the plain one. Gradients are 1/sigma^2 times as large, for which sgd needs a smaller
            `learning_rate`.
        missing : {"raise", "ignore"}
            As for `objective`, also of a validation set.
        noise : {"shared", "per_output"}
            Of squared error: the noise of the targets is the same for all outputs, in the units of the training, or
            each has its own. Then the network is trained in two to five rounds, in each of which the squared errors of
            output k count beta_k / beta times, beta_k its noise precision by the last one, 1/beta the mean variance of
            the noise. The result is that of the last round, with `noise_precision` too, which ``Laplace(penalty=)``
            takes. Rounds draw the same, share `time_limit`, and have `max_iter` each.
        penalty : WeightDecay, Term or Sum, optional
            As for `objective`; sgd and adam take a WeightDecay, a TangentPropagation and their sums only.
        derivatives : (directions, targets), optional
            Known derivatives of the outputs, such as a simulator gives: directions (M, D), (N, M, D) or "inputs", and
            targets (N, M, K), or with "inputs" (N, K, D). Their squared errors count with the loss, as those of
            ``TangentPropagation(directions, derivative_weight, of="outputs", targets=targets)`` in `penalty`.
        derivative_weight : float, default=1.0
            Of the squared errors of derivatives, beside those of squared_error: the ratio of their noise precisions.
            With `sigma`, which is not theirs, their own precision in the units of the training.
        fixed, tied
            Parameters that keep their values, and sets of them that share one; as for `objective`. Any method.
        bounds : dict or scipy.optimize.Bounds, optional
            Limits of the parameters, for l-bfgs-b: pairs (low, high) by group, None for no limit, such as
            ``{"W1[:,0]": (0, None)}``, or one for each parameter. The start is moved within. With squashing units,
            weights >= 0 on the way from an input to an output make the output a non-decreasing function of the input.
        validation : (X, T) or float, optional
            A validation set, or the fraction of the samples to hold back as one (by class for classes). Recorded after
            each iteration.
        patience : int, optional
            Stop after so many iterations without a smaller validation loss, and restore the best parameters.
        max_iter : int, optional
            Epochs for sgd and adam (200), accepted steps else (1,000).
        tol : float, optional
            Full batch: stop where |gradient|_inf of the sum is at most this. The gradient is that by the free
            parameters; with bounds g becomes w - clip(w - g). Default: 1e-8, in float32 1e-5, times
            max_k sum_n s_n |t_nk - c_k| with c the mean of the targets (frequencies of classes), in the units of the
            training; where that is 0, 1e-6 and 1e-3.
        batch_size : int, default=32
            Samples in a minibatch.
        augment : callable, optional
            For sgd and adam: ``augment(X, rng)`` returns changed samples, an array like X, drawn anew for each epoch:
            those of `fastmlp.invariance`, such as ``RandomAffine(shift=1, rotation=12) + Elastic(34, 4)``, or one's
            own, which cannot write to X: rows, or in the shape that the network was given. Raw samples are changed;
            `standardize` takes its units from them as they are. `fun` and `success` are of these too, `history` is of
            the changed ones. Full-batch methods take copies made by `fastmlp.invariance.augmented`.
        learning_rate : float or callable, optional
            For sgd (0.01) and adam (0.001): a number, or a function of the epoch such as those of `fastmlp.schedules`.
        standardize : bool or Units, default=False
            Train in standardised units: columns of X, and of T where outputs are linear, minus their mean, divided by
            their standard deviation (1 if they are constant up to rounding), both over the training samples by weight.
            The network takes and gives raw units again as soon as `fit` is left, and in callbacks, and remembers the
            others (`units`). All else is of the standardised problem: `penalty`, `fixed`, `tied`, `bounds`, `tol`, and
            `fun` and `history` of the result. Parameters that a fit has left are mapped into these units, so that
            training goes on from where the network is; others are a start there as they are. Units such as
            ``net.units`` may be given in place of those of the training samples.
        callback : callable, optional
            Called with an OptimizeResult (x, fun, nit, loss, train_loss, validation_loss, grad_norm, time) after each
            iteration, when the network has the parameters x. Returning True or raising StopIteration stops.
        verbose : int, default=0
            1: a line that updates, on a terminal's stderr or in a notebook, by tqdm if it is installed; elsewhere lines
            on stdout, for each tenth of `max_iter`, and at least one a second. 2: a line for each iteration.
        rng : None, int or numpy.random.Generator
            Order of the minibatches, changes by `augment`, samples held back. With `warm_start` the earlier generator
            continues instead.
        time_limit : float, optional
            Seconds; an epoch that it cuts short counts for the parameters only.
        warm_start : OptimizeResult, optional
            The result of an earlier fit by sgd, adam, rprop, lm, scg or lbfgs, whose solver state, generator and count
            continue: two fits of k iterations then equal one of 2 k. With the parameters as that fit left them, steps
            go on from its last point, and its start, its best point and the count of `patience` continue too: what
            patience has ended needs more of it to go on. `standardize` is as in that fit, and so are the units.
            Its state may come from a file or a stranger: it is looked at, and nothing in it is executed.
        n_threads : int, optional
        client : distributed.Client, optional
            With X and T of Dask's, on whose workers sums over the samples are made. None: Dask's current one, or this
            process.
        **options
            Options of the method. sgd: momentum (0), nesterov (False), velocity ("gradients", as PyTorch's, or "steps",
            as scikit-learn's and Keras's, in which a gradient keeps the learning rate of its time), shuffle (True: a
            new order for each epoch).
            adam: beta1 (0.9), beta2 (0.999), epsilon (1e-8), shuffle (True). rprop: initial_step (0.01), increase
            (1.2), decrease (0.5), min_step, max_step. lm: damping (1e-3), at the start, relative to the curvature.
            scg: damping (1e-6), at the start. lbfgs: maxcor (20), the differences of gradients it keeps; maxls (50) and
            maxfun, evaluations of a line search and of all; ftol (0), fatol (0): a step that changes the objective by
            no more than this share of it, or than this, is the last. Others: SciPy's.

        Returns
        -------
        FitResult
            A `scipy.optimize.OptimizeResult` that prints as a table: x, fun, nit, nfev, njev, nhev (Hessians, or
            products with them), status, message, success, grad_norm, warned (what a ScaleWarning has said, or ""),
            history, state, method, units (as `Network.units`). `history` holds arrays of equal length, entry 0 the
            start: loss (the objective, a sum; for sgd and adam its running mean over the epoch), train_loss and
            validation_loss (mean loss a sample, without penalty), grad_norm, time (s).

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, there are no samples, or the objective is not finite at the start.
        RuntimeError
            If the network is being fitted already.

        Warns
        -----
        IdenticalUnitsWarning
            If hidden units start out identical.
        ScaleWarning
            At most once: if columns of X or T are so large, small or far from zero that hidden units saturate or the
            targets are out of reach from the start parameters; or if a fit has succeeded, but explains less than half
            of what a straight line does. Not with `warm_start` or `max_iter` < 10.

        Notes
        -----
        Full-batch methods without `patience` never end above where they started; `success` says whether `tol` was met.
        sgd and adam step along (1/B) sum s_n grad e_n + (1/N) grad penalty, and succeed when all epochs are done. They
        do not where a constant has a smaller loss on the training samples, or where all targets are one constant, and
        the outputs not within a tenth of it. What patience has ended is a success by the same rule, with any method. No
        success is it where float32 has lost what a straight line knows of X and T, far from zero as they are. On an
        exception, also KeyboardInterrupt, the parameters are those of the last completed step (full-batch methods: the
        lowest one, if that lies above the start), or the best ones with `patience`. Non-convergence is never a warning.

        Examples
        --------
        >>> import numpy as np, fastmlp
        >>> X = np.linspace(-3, 3, 100)[:, None]
        >>> net = fastmlp.Network([1, 5, 1], rng=0)
        >>> res = net.fit(X, np.sin(X), method="adam", max_iter=50, rng=0)
        >>> bool(res.history["loss"][-1] < res.history["loss"][0])
        True
        """
        unnamed = self._architecture
        named = unnamed.told_by(X, T)
        X, T, sample_weight = functional.in_chunks(X, named.numbered(T), sample_weight, client)
        samples = functional.check_samples(named, X, T, sample_weight, sigma, missing)
        if isinstance(X, Chunks):
            objectives.require_some(samples)
        given = explained.given(X, T if samples.targets.observed is None else samples.targets.given, samples)
        penalty = with_derivatives(penalty, derivatives, derivative_weight)
        asked = optimize.FitOptions(
            given=given, method=method, penalty=penalty, fixed=fixed, tied=tied, bounds=bounds,
            standardize=standardize, validation=validation, patience=patience, max_iter=max_iter, tol=tol,
            batch_size=batch_size, augment=callers_own(augment), learning_rate=callers_own(learning_rate),
            callback=callers_own(callback), verbose=verbose, rng=rng, time_limit=time_limit,
            warm_start=warm_start, n_threads=n_threads, noise=noise, missing=missing, of_method=options,
        )  # fmt: skip
        claim = (os.getpid(), object())
        try:
            self._claim(claim, "fit")
            self._warn_about_identical_units("before fit")
            try:
                self._architecture = named
                return optimize.fit(self, samples, asked)
            except Exception:
                self._architecture = unnamed
                raise
        finally:  # without a call, after which Python would look at signals
            if "by" in self._fitting and self._fitting["by"] is claim:
                del self._fitting["by"]
