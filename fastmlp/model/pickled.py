"""What pickles of networks hold: plain types, of the versions that files have, each looked at before it is believed."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp.errors import ModelFormatError
from fastmlp.model import io
from fastmlp.model.architecture import Architecture
from fastmlp.model.io import Stored


def state_of(network: Stored) -> dict[str, Any]:
    """For `Network.__getstate__`."""
    architecture, params, table, trained, pruned = network
    state = {"format": io.version_of(network), "network": io.describe(architecture), "params": params.copy()}
    state |= {"units": table, "trained": trained}
    return state if pruned is None else state | {"pruned": pruned.copy()}


def stored_in(state: Any) -> Stored:
    """What `state_of` gave, or an earlier version of it; ModelFormatError if it is something else."""
    version = state.get("format") if isinstance(state, dict) else None
    if type(version) is not int or not 1 <= version <= io.VERSION:
        raise ModelFormatError(
            f"state: expected a pickled network of a format up to {io.VERSION}, got another; upgrade fastmlp"
        )
    architecture = Architecture.restored(state.get("network"))
    params, pruned = state.get("params"), state.get("pruned")
    _check(params, architecture, architecture.dtype, "parameters")
    if pruned is not None:
        _check(pruned, architecture, np.dtype(bool), "a mask")
        if (pruned.view(np.uint8) > 1).any():  # which NumPy takes for True, and files do not
            raise ModelFormatError("state: expected a mask of zeros and ones, got other bytes")
    return Stored(architecture, params, state.get("units"), state.get("trained", True) is True, pruned)


def _check(array: Any, architecture: Architecture, dtype: np.dtype[Any], what: str) -> None:
    shape = (architecture.n_params,)
    plain = isinstance(array, np.ndarray) and type(array) in check.PLAIN
    if not plain or array.shape != shape or array.dtype != dtype:
        raise ModelFormatError(f"state: expected {what} of shape {shape} and type {dtype}, got others")
