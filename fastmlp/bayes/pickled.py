"""What the pickle of a posterior has to hold: arrays, units and samples of one network."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.errors import ModelFormatError
from fastmlp.model import functional, units
from fastmlp.model.architecture import Architecture


def restored(state: Any) -> dict[str, Any]:
    """The state, checked, since kernels trust the shapes of what they are given.

    Raises
    ------
    ModelFormatError
        If that is not what a posterior's ``__getstate__`` gives.
    """
    try:
        whole = _is_whole(**{name: state[name] for name in NAMES})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise ModelFormatError("state: expected the posterior of a network, got something else")
    samples = state.get("_known_samples")
    if samples is None:
        return dict(state)
    return {**state, "_known_samples": functional.restored_samples(state["_architecture"], samples)}


NAMES = (
    "_architecture", "_frame", "_free", "_params", "prior_precision", "gamma", "_gradient", "_curvature", "_covariance",
)  # fmt: skip


def _is_whole(
    _architecture: Any, _frame: Any, _free: Any, _params: Any, prior_precision: Any, gamma: Any, _gradient: Any,
    _curvature: Any, _covariance: Any,
) -> bool:  # fmt: skip
    if not isinstance(_architecture, Architecture) or _architecture.dtype != np.float64:
        return False
    units.checked(_frame.units or False, _architecture)
    P, n, root = _architecture.n_params, len(_free), _covariance.root
    expected = [((P,), _params), ((P,), prior_precision), ((P,), gamma), ((n,), _gradient), (root.shape, _curvature)]
    expected.append(((n,) if root.ndim == 1 else (n, n), root))
    return (
        all(array.shape == shape and array.dtype == np.float64 for shape, array in expected)
        and root.flags.c_contiguous
        and np.array_equal(np.arange(P)[_free], _free)
    )
