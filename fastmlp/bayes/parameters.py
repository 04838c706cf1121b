"""What a posterior says of the parameters, in the user's units: values, errors, evidence, criteria, draws."""

from __future__ import annotations

import copy
import math
import os
from typing import Any, Self

import numpy as np

from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._quiet import quiet
from fastmlp._types import Array, Float, Seed
from fastmlp.bayes import modes, posterior_state, stored
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.posterior import Posterior
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.errors import ModelFormatError
from fastmlp.model import archive
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units

ROWS = 2**20  # numbers of a root that are held at once
AT_ONCE = 1_000  # networks whose parameters are drawn together


@quiet
class Parameters:
    """A `Posterior`, seen through the `Frame` of the user's units; `fastmlp.Laplace` documents the attributes."""

    _frame: Frame
    _posterior: Posterior
    _freedom: float | Float = math.inf  #: of pickles that do not know
    _own_noise: Float | None = None  #: precisions (K,) in the frame's units, where they are not those of the posterior

    @classmethod
    def _of(cls, frame: Frame, posterior: Posterior, freedom: Any = math.inf) -> Self:
        """The posterior of a problem in the units of `frame`, and the degrees of freedom of its noise precision."""
        seen = cls.__new__(cls)
        seen._frame, seen._posterior, seen._freedom = frame, posterior, freedom
        return seen

    def _be_new(self) -> None:
        """As a network is made once, so is a posterior: calls that have begun count on what they have read."""
        if "_posterior" in self.__dict__:
            raise RuntimeError("Laplace: expected a new object, got one that is a posterior already; make another one")

    def __getstate__(self) -> dict[str, Any]:
        others = {name: value for name, value in self.__dict__.items() if name not in ("_frame", "_posterior")}
        return posterior_state.packed(self._frame, self._posterior) | others

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._be_new()
        self._frame, self._posterior, others = posterior_state.restored(state)
        for name, value in others.items():
            setattr(self, name, value)

    def save(self, path: str | os.PathLike[str], *, samples: bool = False) -> None:
        """Write the posterior to a file, which `fastmlp.load` reads; the file appears complete or not at all.

        Parameters
        ----------
        path : str or path-like
            Any name; an existing file is replaced.
        samples : bool, default=False
            With the samples too, which `leave_one_out`, `influence`, `nic` and `sandwich_covariance` look at.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If the posterior does not know the samples that are asked for, or has a penalty of its own beside them; or
            if it would not fit into a file.

        Notes
        -----
        As of `Network.save`, and 2 P^2 numbers; nothing in it is executed by who reads it. Predictions of what is read
        are the same, to the bit. The other starts of `fastmlp.fit_evidence` are left out.
        """
        archive.save(path, *self._contents(samples=check.boolean(samples, "samples")))

    def _contents(self, *, samples: bool = False) -> tuple[dict[str, Any], dict[str, Array]]:
        """The manifest and the arrays of its file."""
        return stored.contents(type(self).__name__, [self._entry(samples=samples)])

    def _entry(self, *, samples: bool) -> stored.Entry:
        """What a file has of it."""
        own = stored.entry(self._frame, self._posterior, samples=samples)
        others = {"degrees_of_freedom": np.asarray(self._freedom, np.float64), "own_noise": self._own_noise}
        return own._replace(arrays=own.arrays | {name: each for name, each in others.items() if each is not None})

    @classmethod
    def _of_entry(cls, own: stored.Entry) -> Self:
        """What `_entry` gave, read from a file."""
        frame, posterior = stored.restored(own)
        freedom, noise = own.arrays["degrees_of_freedom"], own.arrays.get("own_noise")
        for array in (freedom, noise):
            if array is not None and (array.shape not in ((), frame.varying.shape) or not (array > 0).all()):
                raise ModelFormatError(f"path: expected positive numbers for each output, got {array}")
        seen = cls._of(frame, posterior, freedom if freedom.ndim else float(freedom))
        seen._own_noise = noise
        return seen

    def _without_samples(self) -> Self:
        """The same but for what looks at them: `nic`, `sandwich_covariance`, `leave_one_out`, `influence`."""
        light = copy.copy(self)
        light._posterior = self._posterior.without_samples()
        return light

    @property
    def _architecture(self) -> Architecture:
        return self._posterior.architecture

    # ---- the parameters ----

    @property
    def params(self) -> Float:
        """The parameters w (P,) of the network in the data's units; a copy."""
        return self._frame.params(self._posterior.params).copy()

    @property
    def units(self) -> Units | None:
        """In which the posterior was found, if not in those of the data: as `Network.units`."""
        return self._frame.units

    @property
    def params_covariance(self) -> Float:
        """A^-1 (P, P), with zeros for parameters that are held; in the data's units, as `params`."""
        return self._frame.covariance(self._posterior.all_params(self._posterior.covariance.matrix))

    @property
    def params_std(self) -> Float:
        """Standard errors of the parameters (P,), sqrt((A^-1)_ii), likewise."""
        own = self._posterior
        if self.units is None and own.free.is_selection:
            return own.free.at_first(np.sqrt(own.covariance.diagonal))
        if isinstance(own.covariance, WideCovariance):
            return self._std_by_parts(own.covariance)
        root = own.covariance.root
        rows = self._frame.directions(own.free.spread(np.diag(root) if root.ndim == 1 else root.T))
        largest = np.maximum(np.abs(rows).max(axis=0, initial=0.0), np.finfo(np.float64).tiny)
        return np.asarray(largest * np.linalg.norm(rows / largest, axis=0))  # squares of small units may not be numbers

    def _std_by_parts(self, covariance: WideCovariance) -> Float:
        """The same from some rows of the root's transpose after the other."""
        own, total = self._posterior, np.zeros(self._architecture.n_params)
        size = max(1, ROWS // own.free.n)
        for first in range(0, own.free.n, size):
            units = np.eye(min(size, own.free.n - first), own.free.n, first)
            rows = self._frame.directions(own.free.spread(covariance.from_root(units)))
            for row in rows:
                np.hypot(total, row, out=total)
        return total

    @property
    def sandwich_covariance(self) -> Float:
        """A^-1 F A^-1 (P, P), F the sum of outer products of the samples' gradients: holds for any kind of noise."""
        own = self._posterior
        half = own.times_covariance(own.empirical_fisher())
        return self._frame.covariance(own.all_params(own.times_covariance(half.T)))

    # ---- precisions, and what the data determine ----

    @property
    def hessian(self) -> str:
        """Which second derivatives it was formed with: "ggn", "exact" or "diagonal"."""
        return self._posterior.hessian

    @property
    def prior_precision(self) -> Float:
        """Alpha of all parameters (P,) in the units of the posterior; see above."""
        return self._posterior.prior_precision

    @property
    def noise_precision(self) -> float | Float:
        """The noise precision beta in the units of the targets, or of 1/sigma^2; 1 for classifiers and counts."""
        return self._frame.precision(self._posterior.beta)

    @property
    def degrees_of_freedom(self) -> float | Float:
        """Of the noise precision: N K - gamma where it was estimated, infinite where it is told, or there is none.

        Where each output has its own (K,), N - gamma_k.
        """
        return self._freedom

    @property
    def noise_std(self) -> Float | None:
        """Standard deviations of the noise of new targets (K,) in the units of T; times sigma beside `sigma`.

        Of each output, see above; None for classifiers and counts.
        """
        frame, varying = self._frame, self._frame.varying
        if not self._architecture.loss.has_noise:
            return None
        scale = 1.0 if frame.measured else frame.output_scale
        return np.where(varying, scale / np.sqrt(self._noise_precision), 0.0)

    @property
    def _noise_precision(self) -> Float:
        """Of new targets, a number or (K,), in the units of the posterior."""
        return np.asarray(self._posterior.beta if self._own_noise is None else self._own_noise)

    @property
    def gamma(self) -> Float:
        """How far the data determine each parameter (P,); see above."""
        return self._posterior.free.at_first(self._posterior.gamma)

    @property
    def effective_n_params(self) -> float:
        """Gamma = P - sum alpha_i (A^-1)_ii: how many parameters the data determine (PRML 3.91)."""
        return float(self.gamma.sum())

    @property
    def effective_n_params_by_group(self) -> dict[str, float]:
        """The share of each group of parameters in gamma."""
        gamma = self.gamma
        return {name: float(gamma[where].sum()) for name, where in self._posterior.architecture.groups.items()}

    # ---- whether to trust it ----

    @property
    def grad_norm(self) -> float:
        """Largest derivative of the negative log posterior; see above."""
        return self._posterior.grad_norm

    @property
    def distance(self) -> float:
        """By so many posterior standard deviations the network is away from the optimum, to second order."""
        return self._posterior.distance

    @property
    def rounding(self) -> float:
        """Eps times the condition number of A scaled to a unit diagonal: at most about so wrong are variances."""
        return self._posterior.rounding.share

    @property
    def negative_eigenvalues(self) -> Float:
        """Those of beta H, beyond rounding: only the exact one has any, which the prior then outweighs."""
        return self._posterior.negative_eigenvalues

    # ---- the evidence and other criteria ----

    @property
    def log_likelihood(self) -> float:
        """Ln p(T | X, w), at w, a density in the units of the targets."""
        return float(self._posterior.log_likelihood - self._frame.log_volume(self._posterior.counts))

    @property
    def log_evidence(self) -> float:
        """Ln p(T | X), likewise; see above."""
        return float(self._posterior.log_evidence - self._frame.log_volume(self._posterior.counts))

    @property
    def log_symmetries(self) -> float:
        """Ln of the number of equivalent modes; see above."""
        return modes.log_symmetries(self._posterior.architecture)

    @cached_property
    def log_distinct_symmetries(self) -> float:
        """Ln of the number of those that do not overlap; see above."""
        own = self._posterior
        return modes.log_distinct(own.architecture, own.params, own.apart())

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 (gamma - ln p(T | X, w)): the smaller the better."""
        return 2 * (self.effective_n_params - self.log_likelihood)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, gamma ln N - 2 ln p(T | X, w)."""
        return self.effective_n_params * math.log(self._posterior.total_weight) - 2 * self.log_likelihood

    @property
    def nic(self) -> float:
        """The network information criterion, 2 (tr(F A^-1) - ln p(T | X, w)): that of Akaike where the model is wrong.

        F is the sum of outer products of the samples' gradients; Murata, Yoshizawa and Amari (1994).
        """
        own = self._posterior
        return 2 * (float(np.trace(own.times_covariance(own.empirical_fisher()))) - self.log_likelihood)

    def sample(self, n: int = 1, rng: Seed = None) -> Float:
        """Parameters drawn from the posterior.

        Parameters
        ----------
        n : int, default=1
        rng : None, int or numpy.random.Generator

        Returns
        -------
        ndarray of shape (n, P)
            A row for each draw, in the data's units, as `params`.

        Raises
        ------
        TypeError, ValueError
            If n is not an integer from 0 on, or rng not a seed or generator.

        Notes
        -----
        A network with such parameters is not what `predict` averages over, which is linear in them: where the posterior
        is wide its outputs scatter more, and far from the normal distribution.
        """
        n = check.integer(n, "n", 0, check.bits_for(self._posterior.architecture.n_params))
        generator = check.generator(rng)
        own = self._posterior
        result = np.empty((n, self._posterior.architecture.n_params))
        for first in range(0, n, AT_ONCE):  # signals are answered in between
            rows = result[first : first + AT_ONCE]
            draws = generator.standard_normal((len(rows), own.free.n))
            moves = own.free.spread(own.covariance.from_root(draws, own.n_threads))
            np.add(self.params, self._frame.directions(moves), out=rows)
        return result
