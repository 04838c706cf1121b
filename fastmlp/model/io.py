"""Networks in files: the members of their archives, and what is looked at before it is believed.

The manifest has `network`, the architecture, and `trained`, whether a fit has left the parameters; `params.npy` has
these, `units.npy` the table of `Units.as_array` where the network has units, and `pruned.npy` tells which parameters
have been pruned, where some have. Parameters that are not finite, as a diverged training leaves them, are kept.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp.errors import ModelFormatError
from fastmlp.model import archive
from fastmlp.model.architecture import Architecture
from fastmlp.model.archive import MANIFEST, NPY_HEADER, Archive

VERSION = 4  #: the newest; 2 knows dense layers only, 3 no names
PARAMS, UNITS, PRUNED = "params.npy", "units.npy", "pruned.npy"
MEMBERS = (MANIFEST, PARAMS, UNITS, PRUNED)
LEAST_BYTES = 8  # of a dense layer


class Stored(NamedTuple):
    """What a file holds."""

    architecture: Architecture
    params: NDArray[Any]
    units: NDArray[np.float64] | None  #: the table of `Units.as_array`
    trained: bool  #: whether a fit has left the parameters
    pruned: NDArray[np.bool_] | None  #: which parameters have been deleted


def save(path: str | os.PathLike[str], network: Stored) -> None:
    """Write a network: the new file, or the old one, is there whole."""
    archive.save(path, *contents(network))


def contents(network: Stored) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The manifest and the arrays of its file."""
    architecture, params, units, trained, pruned = network
    manifest = {
        "format": archive.NETWORK, "version": version_of(network), "network": describe(architecture), "trained": trained
    }  # fmt: skip
    arrays = {PARAMS: params, UNITS: units, PRUNED: pruned}
    return manifest, {name: array for name, array in arrays.items() if array is not None}


def describe(architecture: Architecture) -> dict[str, Any]:
    """The architecture in JSON's types."""
    state = architecture.__getstate__()
    return state | {"layers": list(state["layers"])}


def version_of(network: Stored) -> int:
    """The oldest version that can tell of such a network, so that older libraries read what they can."""
    architecture = network.architecture
    if architecture.input_names is not None or architecture.class_names is not None:
        return VERSION
    return 2 if architecture.is_plain and network.pruned is None else 3


def read(file: Archive) -> Stored:
    """A network read back."""
    version = file.check_version(VERSION)  # first of all: a newer one may have other members
    trained = version == 1 or check.boolean(file.manifest["trained"], "trained")  # a file seldom is a start
    if file.names != [name for name in MEMBERS if name in file.names] or PARAMS not in file.names:
        raise ModelFormatError(f"path: expected the members {', '.join(MEMBERS)}, the last two maybe, got {file.names}")
    architecture = read_architecture(file.manifest["network"], file.size(PARAMS))
    params = file.array(PARAMS, architecture.dtype, (architecture.n_params,))
    units = read_units(file, UNITS) if UNITS in file.names else None
    pruned = file.array(PRUNED, bool, (architecture.n_params,)) if PRUNED in file.names else None
    return Stored(architecture, params, units, trained, pruned)


def read_units(file: Archive, name: str) -> NDArray[np.float64]:
    """A table of `Units.as_array`, of any width."""
    return file.array(name, np.float64, (3, (file.size(name) - NPY_HEADER) // (3 * 8)))


def read_architecture(network: Any, size: int) -> Architecture:
    """The architecture, whose parameters are in a member of so many bytes: two numbers a dense layer at least."""
    if set(network) - {"input_names", "class_names"} != {"layers", "hidden", "output", "loss", "dtype"}:
        raise ModelFormatError(f"path: expected the items of an architecture, got {sorted(network)}")
    if LEAST_BYTES * sum(type(each) is int for each in network["layers"][1:]) > size:
        raise ModelFormatError(f"path: expected the parameters of all layers in {PARAMS}, got {size} bytes")
    check.choice(network["dtype"], "dtype", ("float32", "float64"))  # NumPy would read much more as a type
    return Architecture.read(network)
