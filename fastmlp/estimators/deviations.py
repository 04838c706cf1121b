"""How far targets scatter about what a regressor predicts: the posterior of its weights, formed when asked for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp._types import Array, Float
from fastmlp.bayes import doubts
from fastmlp.bayes.laplace import Laplace
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.estimators.arguments import STOCHASTIC
from fastmlp.estimators.mean_objective import Samples
from fastmlp.network.network import Network
from fastmlp.optimize import advice
from fastmlp.terms import WeightDecay


class Deviations:
    """What a regressor keeps for its posterior, and forms it of."""

    if TYPE_CHECKING:  # of the estimator
        network_: Network
        posterior_: Any
        solver: str
        max_iter: int
        early_stopping: bool | str
        absolute_sigma: bool

    _trained_on: tuple[Samples, dict[str, Any]] | None = None
    _posterior: Laplace | None = None
    _weighed_at: Array | None = None  #: weights from which a network was trained on for the posterior, if one was

    def _posterior_now(self) -> Laplace:
        """The posterior of the present weights; that of the last call, as long as they are the same."""
        net, known = self.network_, self._posterior
        if known is None or not np.array_equal(
            known.params if self._weighed_at is None else self._weighed_at, net.params
        ):
            if self._trained_on is None:
                raise ValueError(
                    "return_std: expected a model that knows its training samples, got one after partial_fit "
                    "or from_network, or a copy of one that had not been asked for deviations before"
                )
            samples, prior = self._trained_on
            with advice.once(advice.ESTIMATOR):
                self._form_posterior(samples, **prior)
        assert self._posterior is not None
        return self._posterior

    def _form_posterior(self, samples: Samples, decay: float | None = None, **prior: Any) -> None:
        """From the present weights on; `decay` is what `fit` has had of weight decay, if precisions are not told."""
        net, options = self.network_, {"sample_weight": samples.weight, **prior}
        self._weighed_at = None
        if decay is not None:
            options |= {"penalty": WeightDecay(decay, decay), "centred": "b"}  # `fit` leaves the biases out of it
            if samples.sigma is None and self._is_weighed():
                own, beta = self._trained_by_output(samples, decay, prior["standardize"])
                with suppress(NotPositiveDefiniteError):  # lost in rounding, as of outputs in units that differ by much
                    self._posterior = self._laplace(own, samples, noise_precision=beta, **options)
                    self._weighed_at = net.params.copy()
                    return
        self._posterior = self._laplace(net, samples, **options)

    def _laplace(self, net: Network, samples: Samples, **options: Any) -> Laplace:
        if samples.sigma is not None:
            known = self.absolute_sigma and "noise_precision" not in options
            options |= {"sigma": samples.sigma, "absolute_sigma": known}
        return Laplace._make(self._words(), net, samples.X, samples.T, missing=samples.missing, **options)

    def _is_weighed(self) -> bool:
        """Whether the posterior is of a network that is trained on with the noise of each output."""
        several = self.network_.layers[-1] > 1 and self.network_._architecture.loss.has_noise
        return several and self.solver not in STOCHASTIC and not self.early_stopping

    def _trained_by_output(self, samples: Samples, decay: float, standardize: Any) -> tuple[Network, Float]:
        """A copy of the network, trained on, and the noise precision of each output."""
        own = self.network_.copy()
        result = own.fit(
            samples.X, samples.T, self.solver, noise="per_output", sample_weight=samples.weight,
            missing=samples.missing, penalty=WeightDecay(decay), standardize=standardize, max_iter=self.max_iter,
        )  # fmt: skip
        return own, result.noise_precision

    def _words(self) -> doubts.Words:
        """What messages about the posterior are to name."""
        solver = "" if self.solver == "lm" else "solver='lm', "
        whole = ", early_stopping=False" if self.early_stopping else ""
        return doubts.Words(
            subject="return_std",
            noise="return_std: expected samples that determine the noise",
            prior="alpha",
            remedy=f"fit with {solver}a smaller tol and a larger max_iter{whole}",
        )

    def _remember(self, samples: Samples | None, **prior: Any) -> None:
        self._trained_on = None if samples is None else (samples, prior)
        self._posterior, self._weighed_at = self.posterior_, None
