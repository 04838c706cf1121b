"""Invariances: what may be done to inputs without a change of the outputs, and how networks learn it.

transforms  random changes of images and signals, drawn anew for each epoch of ``fit(augment=)``
augmented   copies with such changes
warping     images seen through maps of their coordinates
directions  tangents of transformations at each sample, for `TangentPropagation`
report      how much a network changes along them
"""

from fastmlp.invariance.augmented import augmented
from fastmlp.invariance.directions import tangents
from fastmlp.invariance.report import invariance
from fastmlp.invariance.transforms import (
    Composition,
    Elastic,
    RandomAffine,
    RandomShift,
    TimeShift,
    TimeWarp,
    Transform,
)
from fastmlp.invariance.warping import warp

__all__ = [
    "Composition",
    "Elastic",
    "RandomAffine",
    "RandomShift",
    "TimeShift",
    "TimeWarp",
    "Transform",
    "augmented",
    "invariance",
    "tangents",
    "warp",
]
