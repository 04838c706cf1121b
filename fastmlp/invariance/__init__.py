"""Invariances: what may be done to inputs without a change of the outputs, and how networks learn it."""

from fastmlp.invariance.augmented import augmented
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
    "warp",
]
