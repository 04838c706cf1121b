"""The evidence of more inputs than samples, in the coordinates of what the samples span.

Where one precision alpha holds all weights of the first layer, data say nothing of what these have outside of the span:
there A is alpha, as the prior is, and neither the evidence nor gamma knows of it. So precisions are sought for the
network on the coordinates (`optimize/subspace.py`), and the posterior of the network itself is formed at the end.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from fastmlp._types import Float
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.posterior import Posterior
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.functional import Samples
from fastmlp.optimize.subspace import Subspace, pays
from fastmlp.terms import DataTerm, gaussian, reparam
from fastmlp.terms.objective import Objective


class Narrow:
    """A problem on the coordinates.

    Attributes
    ----------
    params : ndarray
        Where training goes on, of the network on the coordinates.
    frame : Frame
        Its frame, of which architecture and positions of known parameters differ.
    samples : Samples
    """

    def __init__(self, params: Float, frame: Frame, samples: Samples) -> None:
        self._frame, self._samples = frame, samples
        first = frame.architecture.layers[0]
        end = first.n_in * first.n_out
        self._subspace = Subspace(frame.architecture, samples.X, params[:end].reshape(first.n_out, -1))
        pruned = None if frame.pruned is None else self._subspace.by_parameter(frame.pruned)
        self.params = self._subspace.reduced(params)
        self.frame = frame._replace(architecture=self._subspace.architecture, pruned=pruned)
        self.samples = self._subspace.samples(samples)

    @classmethod
    def of(cls, params: Float, frame: Frame, samples: Samples, groups: Any) -> Self | None:
        """The problem so, where that pays and is the same."""
        first = frame.architecture.layers[0]
        known = frame.known
        if groups == "ard" or isinstance(samples, ChunkedSamples) or not pays(frame.architecture, len(samples.X)):
            return None
        if (known < first.n_in * first.n_out).any():  # weights that are held, or of outputs that are known
            return None
        return cls(params, frame, samples)

    def expanded(self, params: Float) -> Float:
        """All parameters from those on the coordinates."""
        return self._subspace.expanded(params)

    def whole(self, own: Posterior) -> Posterior:
        """The posterior of all parameters, from that of the coordinates."""
        alpha = self._subspace.by_parameter_there(own.prior_precision)
        held = np.isinf(alpha)
        params = np.where(held, 0.0, self.expanded(own.params))
        data = DataTerm(self._frame.architecture, self._samples, own.beta, own.n_threads)
        prior = gaussian.by_parameter(np.where(held, 0.0, alpha))
        objective = Objective(data, prior, params, reparam.holding(params, held))
        return Posterior(objective, objective.x0, varying=self._frame.varying, helped=True)
