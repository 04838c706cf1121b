"""`prune_path` of the estimators: from a fitted one to ever smaller ones, each with its score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._tables import Table
from fastmlp._types import ArrayLike, DataFrame, Float
from fastmlp.bayes.laplace import Laplace
from fastmlp.estimators import fitting
from fastmlp.estimators.arguments import EVIDENCE, standardizes
from fastmlp.estimators.mean_objective import Problem, Samples
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.optimize import advice
from fastmlp.pruning import PruningPath, prune

OWN = ("penalty", "standardize", "validation")  # arguments of `prune` that the estimator gives


@dataclass(frozen=True, eq=False, repr=False)
class EstimatorPath(PruningPath):
    """A `fastmlp.PruningPath` whose networks are estimators too: what `prune_path` returns.

    Attributes
    ----------
    scores : ndarray of shape (n_steps,)
        Of each step, as of the estimator's `score`: on the validation set if there is one, else on (X, y). R^2 of one
        sample is nan.
    """

    scores: Float
    _source: Any = field(repr=False)

    @property
    def best_estimator(self) -> Any:
        """A new estimator, fitted: that of the chosen step."""
        return self.estimator(self.best_step)

    def estimator(self, step: int) -> Any:
        """A new estimator with the source's arguments, fitted: its network is that of a step.

        Parameters
        ----------
        step : int
            As an index of `steps`.

        Returns
        -------
        MLPRegressor or MLPClassifier
            What trains it further, `partial_fit` and ``warm_start=True``, leaves deleted what is.

        Raises
        ------
        IndexError
            If there is no such step.
        """
        own = clone(self._source)
        for name in ("classes_", "_multilabel", "feature_names_in_"):
            if hasattr(self._source, name):
                setattr(own, name, getattr(self._source, name))
        return own._take_over(self.network(step))

    def frame(self) -> DataFrame:
        """All steps as a pandas DataFrame, a row each, with the scores and without parameters.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return super().frame().assign(score=self.scores)

    def _table(self) -> Table:
        table = super()._table()
        rows = [(*row[:-1], score, row[-1]) for row, score in zip(table.rows, self.scores, strict=True)]
        return Table(rows, (*table.heading[:-1], "score", table.heading[-1]), ">" + table.align)


class Prunable:
    """The method; what it asks of an estimator, `BaseMLP` has."""

    network_: Network

    @quiet
    def prune_path(
        self: Any,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        **arguments: Any,
    ) -> EstimatorPath:
        """Delete weights, units or inputs one after the other, the least significant first, and train what is left.

        `fastmlp.prune` on what `fit` minimises, `alpha` included, from the fitted weights on. The estimator stays as it
        is.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        X_val, y_val : array-like, optional
            A validation set, for the scores and ``stop="validation"``.
        **arguments
            Of `fastmlp.prune`: method, what, stop, keep, n_params, max_rise, at_once and others.

        Returns
        -------
        EstimatorPath
            `steps`, `scores`, `estimator(k)`, `best_estimator`, and all that a `fastmlp.PruningPath` has.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong; see `fastmlp.prune`.
        NotFittedError
            If the estimator has not been fitted.
        NotPositiveDefiniteError
            If `alpha` is too small for second derivatives that are positive definite.

        Notes
        -----
        Biases are not in `alpha`, so that there is no evidence to choose by: the smallest BIC chooses, unless `stop`,
        `n_params` or `max_rise` say otherwise. With ``alpha="evidence"`` everything has a prior, that of `posterior_`,
        and the evidence chooses. The objective of the steps is the library's, a sum over the samples.
        """
        check_is_fitted(self)
        for name in OWN:
            if name in arguments:
                raise TypeError(
                    f"{name}: expected none, as the estimator has its own, got {check.shown(arguments[name])}"
                )
        for name, value in {"X": X, "y": y, "sample_weight": sample_weight, "X_val": X_val, "y_val": y_val}.items():
            check.refuse_masked_and_lazy(value, name)
        inputs, y = self._arrays(X, y, self._shape, reset=False)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, inputs, dtype=np.float64)
        samples, held_out = self._samples(inputs, y, weight), self._validation_set(X_val, y_val, self._shape)
        if held_out is not None:
            arguments["validation"] = held_out[:2]
        own = fitting.units_for(self.network_, samples, True, False) if standardizes(self) else None
        with advice.once(advice.ESTIMATOR):
            path = _pruned(self, samples, own, arguments)
        judged = Samples(inputs, self._encode(y), weight) if held_out is None else held_out
        outputs = (path.network(step).predict(judged.X) for step in range(len(path.steps)))
        scores = [self._score(Y, judged.T, judged.importance) for Y in outputs]
        return EstimatorPath(**vars(path), scores=np.array(scores), _source=self)


def _pruned(estimator: Any, samples: Samples, own: Units | None, arguments: dict[str, Any]) -> PruningPath:
    """The path by the estimator's objective, or by the negative log posterior with its priors."""
    net, (X, T, weight, *_) = estimator.network_, samples
    if estimator.alpha != EVIDENCE:
        problem = Problem(net, samples, estimator.alpha, own)
        return prune(
            net, X, T, penalty=problem.penalty, sample_weight=problem.weight, standardize=own or False, **arguments
        )
    known = estimator.posterior_
    if known is None:
        raise ValueError("alpha: expected a number, or a model that was fitted with 'evidence', got one that was not")
    noise = known.noise_precision if net._architecture.loss.has_noise else None
    posterior = Laplace(
        net, X, T, sample_weight=weight, missing=samples.missing, prior_precision=known.prior_precision,
        noise_precision=noise, standardize=own or False,
    )  # fmt: skip
    return prune(posterior, **arguments)
