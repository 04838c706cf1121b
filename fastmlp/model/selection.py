"""Parameters by name: "W1", "b2", "W1[:,0]" (what comes from input 0), "W2[0,:]" (what goes to output 0), "W2[0,1]".

Of weights with one axis, or more than two, there is an index for each of the first two axes that they have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Index
from fastmlp.model.architecture import Architecture

_NAME = re.compile(r"(?P<group>[Wb]\d+)(\[(?P<indices>[^,\]]*(,[^,\]]*)?)\])?")


def is_name(name: str) -> bool:
    """Whether some network might have a group of this name."""
    return _NAME.fullmatch(name) is not None


def named(architecture: Architecture, name: str, argument: str) -> Index:
    """Where in the vector the parameters of a group lie; `argument` is what a complaint is about."""
    match, groups = _NAME.fullmatch(name), architecture.groups
    if match is None or match["group"] not in groups:
        raise ValueError(f"{argument}: expected a group among {', '.join(groups)}, got {check.shown(name)}")
    group = match["group"]
    if match["indices"] is None:
        return np.arange(groups[group].start, groups[group].stop)
    indices, shape = match["indices"].split(","), _shape(architecture, group)
    if len(indices) != min(2, len(shape)):
        axes = "rows and columns" if len(shape) > 1 else "one index"
        raise ValueError(f"{argument}: expected {axes} of {group}, got {check.shown(name)}")
    ranges = [_range(text.strip(), size, name, argument) for text, size in zip(indices, shape, strict=False)]
    ranges += [np.arange(size) for size in shape[2:]]
    where: Index = groups[group].start + np.ravel_multi_index(np.ix_(*ranges), shape)
    return where.ravel()


def name_of(architecture: Architecture, index: int) -> str:
    """The name of one parameter: "W1[2,0]", or "b1[2]"."""
    group, where = next(item for item in architecture.groups.items() if item[1].start <= index < item[1].stop)
    shape = _shape(architecture, group)
    return f"{group}[{','.join(map(str, np.unravel_index(index - where.start, shape)))}]"


def names(architecture: Architecture) -> list[str]:
    """Those of all parameters, in their order."""
    return [
        f"{group}[{','.join(map(str, index))}]"
        for group in architecture.groups
        for index in np.ndindex(_shape(architecture, group))
    ]


def _shape(architecture: Architecture, group: str) -> tuple[int, ...]:
    """Of the weights or biases of that name."""
    layer = architecture.places[int(group[1:]) - 1].layer
    return layer.weights if group.startswith("W") else layer.biases


def _range(text: str, size: int, name: str, argument: str) -> Index:
    if text == ":":
        return np.arange(size)
    if not text.isdecimal() or int(text) >= size:
        raise ValueError(f"{argument}: expected ':' or an index below {size}, got {text!r} in {check.shown(name)}")
    return np.array([int(text)])


def positions(architecture: Architecture, value: Any, argument: str) -> Index:
    """Where parameters lie that are given by name, by index, by a list of either, or by a boolean mask (P,)."""
    if isinstance(value, str):
        return named(architecture, value, argument)
    n_params = architecture.n_params
    kind = f"names of groups, indices or a boolean mask ({n_params},)"
    if isinstance(value, Sequence) and not isinstance(value, range):
        value = check.sequence(value, argument, kind)
        if any(isinstance(item, str) for item in value):
            return np.concatenate([positions(architecture, item, argument) for item in value])
    expected = f"{argument}: expected {kind}"
    try:
        array = np.array(value)  # our own, as the user's may hold other indices after the look at them
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{expected}, got {type(value).__name__} ({error})") from error
    if array.dtype.kind == "b" and array.shape == (n_params,):
        return np.flatnonzero(array)
    if array.size == 0:
        return np.zeros(0, np.intp)
    if array.dtype.kind not in "iu" or array.ndim > 1:
        raise TypeError(f"{expected}, got {check.shown(value)}")
    if array.min() < 0 or array.max() >= n_params:
        raise ValueError(f"{argument}: expected indices from 0 to {n_params - 1}, got {check.shown(value)}")
    return array.astype(np.intp).ravel()
