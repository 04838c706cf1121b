"""Precisions alpha of a Gaussian prior, one number, by group or by parameter, as one for each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Float
from fastmlp.model import selection
from fastmlp.model.architecture import Architecture


def by_parameter(architecture: Architecture, value: Any, name: str) -> Float:
    """The precision of each parameter (P,), from 0 (flat) to inf (held).

    `value` is one number, one for each group in the order of ``net.groups``, one for each parameter, or a dict by names
    of groups, columns and rows, whose overlaps add up, and which leaves what it does not name at 0.
    """
    alpha = np.zeros(architecture.n_params)
    if isinstance(value, Mapping):
        for key, precision in value.items():
            where = selection.positions(architecture, key, name)
            alpha[where] += _precision(precision, f"{name}[{check.shown(key)}]")
        return alpha
    numbers = check.real_array(value, name, np.float64, finite=False)
    for number in numbers[~(numbers >= 0)]:
        _precision(number, name)
    groups = architecture.groups
    if numbers.shape == (len(groups),):
        for group, number in zip(groups.values(), numbers, strict=True):
            alpha[group] = number
    elif numbers.shape in ((), alpha.shape):
        alpha[...] = numbers
    else:
        raise ValueError(
            f"{name}: expected one number, one for each of {', '.join(groups)}, or {alpha.size}, for all parameters, "
            f"got shape {numbers.shape}"
        )
    return alpha


def _precision(value: Any, name: str) -> float:
    return math.inf if value == math.inf else check.number(value, name, 0.0)
