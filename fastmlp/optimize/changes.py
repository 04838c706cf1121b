"""Samples changed at random for each epoch: what `augment` draws, in the units of the training."""

from __future__ import annotations

import numpy as np

from fastmlp import _images
from fastmlp._quiet import quiet
from fastmlp._types import Array, Augment
from fastmlp.model import units
from fastmlp.model.functional import Samples


class Changes:
    """Changed samples, like those that training sees, but for what `augment` has made of them.

    Parameters
    ----------
    augment : callable
    X : ndarray of shape (N, D) or (N, channels, ...)
        The inputs in the user's units, where they are changed; in the shape that the network was given.
    samples : Samples
        The same, in the units of the training, with targets and weights.
    own : Units or None
        These units.
    """

    def __init__(self, augment: Augment, X: Array, samples: Samples, own: units.Units | None) -> None:
        self.augment, self.X, self.own = augment, X, own
        self.samples = samples._replace(X=np.empty_like(samples.X))  # written to by each draw

    @quiet
    def draw(self, rng: np.random.Generator) -> None:
        """Change all samples anew."""
        if self.own is None:
            _images.drawn(self.augment, self.X, rng, self.samples.X.reshape(self.X.shape))
        else:
            changed = _images.drawn(self.augment, self.X, rng).reshape(self.samples.X.shape)
            self.samples.X[...] = self.own.inputs.standardized(changed)


def varying(own: units.Units) -> units.Units:
    """The units, where no input is called constant: what is, among the samples as they are, changes may move."""
    return own._replace(inputs=own.inputs._replace(constant=np.zeros_like(own.inputs.constant)))
