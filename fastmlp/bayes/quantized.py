"""Samples on a grid: what the search for precisions sees until they are near, whatever the units of the data.

Data in other units, or far from zero, are the same but for rounding. A training that lingers at a saddle makes 1e-10 of
that as large as parameters, and leaves it to rounding where the search goes. On a grid of 2^-10 standard deviations the
samples are the same to the bit, and so is the search: at an offset of 1e7 deviations, which leaves errors of 1e-9, one
number of a million lies on a border. It goes on from there with the samples as they are, close to the end, where paths
come together.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from fastmlp._types import Array
from fastmlp.bayes.frame import Frame
from fastmlp.model.functional import Samples
from fastmlp.optimize.settled import shortened

BITS = 10  # behind the point: the deviation of what is lost is 3e-4, below that of most noise


def quantized(frame: Frame, samples: Samples) -> Samples | None:
    """Inputs, and targets that have units, on the grid; None where the search sees the samples as they are at once.

    Without hidden layer there are no saddles, and samples in the units of the data are the same to the bit anyway.
    """
    if frame.units is None or len(frame.architecture.layers) == 1:
        return None
    has_units = frame.units.targets is not None
    return samples.mapped(partial(_quantized, has_units))


def _quantized(has_units: bool, samples: Samples) -> Samples:
    targets = samples.targets
    if has_units and targets.values is not None:
        precision = None if targets.precision is None else shortened(targets.precision, BITS)
        targets = targets._replace(values=_on_grid(targets.values), precision=precision)
    X = samples.X if samples.X is None else _on_grid(samples.X)  # None of a chunk whose targets alone are wanted
    return samples._replace(X=X, targets=targets)


def _on_grid(array: Array) -> Array:
    """Multiples of 2^-BITS, in new memory."""
    result = array * 2.0**BITS
    np.rint(result, out=result)
    result *= 2.0**-BITS
    return result
