"""Samples left out of a posterior, without training anew: what is predicted then, and what each of them changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastmlp import _matrices, _memory
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import ArrayLike, Float
from fastmlp.bayes import derivative_data
from fastmlp.bayes.influence import LeaveOneOut, Removal
from fastmlp.bayes.predictive import BLOCK, Predictive
from fastmlp.model import functional
from fastmlp.optimize import settled
from fastmlp.terms import DataTerm

TOLERANCE = 1e-8  # gradient of the log posterior without a sample


@quiet
class Omitting(Predictive):
    """What a posterior says of its own samples."""

    def leave_one_out(self, retrain: str = "none") -> LeaveOneOut:
        """Each sample predicted by the network that was trained without it, without training any.

        Parameters
        ----------
        retrain : {"none", "doubtful", "all"}
            For which samples a network is trained after all, from w on, without the sample.

        Returns
        -------
        LeaveOneOut
            `outputs`, `residuals` (outputs less targets), `losses`, `leverage`, `cooks_distance`, and `doubtful`.

        Raises
        ------
        ValueError
            If retrain is not one of these, or the posterior has left out its samples, as copies of an estimator's do.

        Notes
        -----
        For one output and squared error the residual r_n becomes r_n / (1 - h_n), h_n = beta J_n A^-1 J_n'; else one
        Newton step with the sample's K x K part of the curvature taken off. Exact without hidden layer under squared
        error. With hidden units it holds at a minimum, best with ``hessian="exact"``, and less the nearer h_n is to 1.
        alpha and beta stay as they are, and the network in its basin: all three were chosen with the sample. A sample
        weighted s_n leaves with all of its weight. Where h_n is 1 to rounding, or more, the sample alone determines a
        parameter, and all but its leverage is nan; `retrain` trains there.

        Cost: as `predict` for all samples; memory N K P numbers twice. A training from near by for each of `retrain`.

        References
        ----------
        Hansen and Larsen (1996), Linear unlearning for cross-validation; Monari and Dreyfus (2002).

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([1, 1])
        >>> net.params = [0.0, 2.0]  # the mean of 1, 2 and 3
        >>> prior = {"W1": float("inf"), "b1": 0.0}
        >>> posterior = fastmlp.Laplace(net, [[0.0]] * 3, [1.0, 2.0, 3.0], prior_precision=prior)
        >>> posterior.leave_one_out().outputs.T.round(12)  # means of the two others
        array([[2.5, 2. , 1.5]])
        """
        retrain = check.choice(retrain, "retrain", ("none", "doubtful", "all"))
        if retrain != "none" and self._posterior.data.in_chunks:
            raise ValueError(f"retrain: expected 'none' for a posterior of Chunks, got {retrain!r}; form it of arrays")
        gamma = self._posterior.effective_n_params
        first, *others = (removal.leave_one_out(gamma) for removal in self._removals())
        result = LeaveOneOut(*map(np.concatenate, zip(first, *others, strict=True))) if others else first
        if retrain != "none":
            for n in range(len(result.outputs)) if retrain == "all" else np.flatnonzero(result.doubtful):
                self._train_without(int(n), result)
        return self._for_the_user(result)

    def _for_the_user(self, result: LeaveOneOut) -> LeaveOneOut:
        if self._frame.units is None or self._frame.units.targets is None:
            return result
        residuals = self._frame.output_scale * result.residuals
        losses = 0.5 * (residuals**2).sum(axis=1)
        return result._replace(outputs=self._frame.outputs(result.outputs), residuals=residuals, losses=losses)

    def _train_without(self, n: int, result: LeaveOneOut) -> None:
        """Put what the trained network says in the place of what the formula does."""
        own, row = self._posterior, slice(n, n + 1)
        architecture, samples = own.architecture, own.samples
        weight = np.ones(len(samples.X)) if samples.weight is None else samples.weight.copy()
        weight[n] = 0.0
        data = DataTerm(architecture, samples._replace(weight=weight), own.beta, own.n_threads)
        without = own.known_objective.on(data, own.params)
        v = settled.to_minimum(without, TOLERANCE).v
        params = without.expand(v)
        result.outputs[row] = functional.predict(architecture, params, samples.X[row])
        result.residuals[row] = result.outputs[row] - samples.targets.told(architecture.n_outputs)[row]
        result.losses[row] = functional.sample_losses(architecture, params, samples.rows(np.array([n])))
        result.cooks_distance[n] = own.precision(v - without.x0) / own.effective_n_params

    def influence(self, X: ArrayLike | None = None) -> Float:
        """What leaving out each sample changes: the parameters, or the predictions at X.

        Parameters
        ----------
        X : array-like of shape (N_new, D), optional

        Returns
        -------
        ndarray of shape (N, P) or (N, N_new, K)
            w_(-n) - w, or the change of the outputs at X, to first order in w; of the logits but for squared error.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N_new, D), or the posterior has left out its samples.

        Notes
        -----
        As `leave_one_out`; nan for a sample that alone determines a parameter.
        """
        change = np.concatenate([removal.params_change() for removal in self._removals()])
        if X is None:
            return self._frame.directions(self._posterior.free.spread(change))
        X = self._checked(X)
        result = _matrices.zeros(len(change), len(X), self._architecture.n_outputs)
        for rows, _, J in self._posterior.linearised(X, BLOCK):
            at = _memory.banded(change, J.reshape(-1, J.shape[-1]).T)
            result[:, rows] = self._frame.output_scale * at.reshape(len(change), *J.shape[:2])
        return result

    def _removals(self) -> Iterator[Removal]:
        """Of the samples that are in memory at once."""
        own = self._posterior
        derivative_data.refuse(own.objective, "formulas of samples left out")
        for samples in own.samples.each():
            shape = len(samples.X), own.architecture.n_outputs
            center, J = np.empty(shape), np.empty((*shape, own.free.n))
            for rows, own_center, own_J in own.linearised(samples.X, BLOCK):
                center[rows], J[rows] = own_center, own_J
            yield Removal(own.architecture, samples, center, J, own.covariance, own.beta)
