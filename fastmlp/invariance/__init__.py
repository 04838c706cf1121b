"""Outputs that stay where inputs are transformed: tangents of transformations, and what a network makes of them.

directions  tangents of transformations at each sample, for `TangentPropagation`
report      how much a network changes along them
"""

from fastmlp.invariance.directions import tangents
from fastmlp.invariance.report import invariance

__all__ = ["invariance", "tangents"]
