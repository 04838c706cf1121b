"""The activations, read from the compiled list (`src_c/activations.def` holds h, h' and h'' of each)."""

from __future__ import annotations

from fastmlp._core import kernels, plan

#: Names for hidden layers. exp grows too fast to be one, and serves as output only.
HIDDEN: tuple[str, ...] = tuple(name for name in kernels.activation_names if name != "exp")
#: Names for the output layer.
OUTPUT: tuple[str, ...] = (*kernels.activation_names, "softmax")


def index(name: str) -> int:
    """Place of an activation in the compiled list; softmax, which couples the units of a layer, has a number apart."""
    return plan.softmax_index if name == "softmax" else kernels.activation_names.index(name)
