"""Posteriors in files: what a file has of each, and the state of a pickle made of it again.

The manifest lists posteriors: their architecture and what is a name or a yes; arrays are members named by the number of
the posterior and their own name, with shapes in the manifest. What is read back goes through
`posterior_state.restored`, which looks at everything, as at a pickle's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array
from fastmlp.bayes import posterior_state
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.posterior import Posterior
from fastmlp.derivatives.definite import Covariance
from fastmlp.derivatives.gram import Gram
from fastmlp.derivatives.wide import MATRICES, WideCovariance
from fastmlp.errors import ModelFormatError
from fastmlp.model import archive, io, units
from fastmlp.model.archive import Archive
from fastmlp.model.functional import Samples
from fastmlp.model.losses import Targets

VERSION = 1
HESSIANS = ("ggn", "exact", "diagonal")
#: arrays of each posterior, in float64, under the names of the pickle's state
ARRAYS = {
    "params": "_params", "noise_precision": "_beta", "curvature": "_curvature", "gradient": "_gradient",
    "prior_precision": "prior_precision", "gamma": "gamma", "prior": "_prior", "counts": "_counts",
}  # fmt: skip
#: numbers, side by side in one array
NUMBERS = ("grad_norm", "_log_likelihood", "_log_evidence", "_total_weight")
SAMPLES = ("X", "values", "labels", "precision", "observed", "weight")
#: of a covariance that is held by the rows of the curvature, which then are `curvature` (m, n)
WIDE = ("curved", "flat", "scale", *MATRICES)
TYPES = {
    **dict.fromkeys(("labels", "wide/curved", "wide/flat"), np.dtype(np.int64)),
    "pruned": np.dtype(bool),
    "observed": np.dtype(bool),
}


class Entry(NamedTuple):
    """One posterior of a file."""

    told: dict[str, Any]  #: of the manifest
    arrays: dict[str, Array]


def entry(frame: Frame, posterior: Posterior, *, samples: bool) -> Entry:
    """What a file has of a posterior.

    Raises
    ------
    TypeError
        If parameters are shared.
    ValueError
        If samples are asked for which it does not know, or with them a penalty that no file can tell of.
    """
    if samples:
        if posterior.known_objective.data.in_chunks:
            raise ValueError(
                "samples: expected False for a posterior of Chunks, got True; pickles tell where these lie"
            )
    else:
        posterior = posterior.without_samples()
    state = posterior_state.packed(frame, posterior)
    if "_penalty" in state:
        raise ValueError(
            f"samples: expected False for a posterior with a penalty of its own, got True: {state['_penalty']}; "
            "pickles hold both"
        )
    covariance, curvature = state["_covariance"], state["_curvature"]
    if isinstance(curvature, Gram):
        state["_curvature"] = curvature.rows
    arrays: dict[str, Array] = {
        name: np.asarray(state[key], np.float64) for name, key in ARRAYS.items() if key in state
    }
    if isinstance(covariance, WideCovariance):
        arrays |= {f"wide/{name}": getattr(covariance, name) for name in WIDE}
    else:
        arrays["root"] = covariance.root
    arrays["precisions"] = covariance.precisions
    numbers = [*(state[name] for name in NUMBERS), covariance.log_det_precision]
    arrays["numbers"] = np.array([*numbers, *([state["distance"]] if "distance" in state else [])], np.float64)
    if frame.units is not None:
        arrays["units"] = frame.units.as_array()
    if frame.pruned is not None:
        arrays["pruned"] = frame.pruned
    if frame.seen is not None:
        arrays["seen"] = frame.seen
    if state["_known_samples"] is not None:
        X, targets, weight = state["_known_samples"]
        given = dict(zip(SAMPLES, (X, *targets, weight), strict=True))
        arrays |= {
            name: array.astype(TYPES.get(name, np.float64)) for name, array in given.items() if array is not None
        }
    told = {
        "network": io.describe(posterior.architecture), "hessian": posterior.hessian, "measured": frame.measured
    }  # fmt: skip
    return Entry(told, arrays)


def contents(kind: str, entries: Sequence[Entry]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The manifest and the arrays of a file of posteriors."""
    listed = [
        each.told | {"arrays": {name: list(array.shape) for name, array in each.arrays.items()}} for each in entries
    ]
    arrays = {member(n, name): array for n, each in enumerate(entries) for name, array in each.arrays.items()}
    return {"format": archive.POSTERIOR, "version": VERSION, "kind": kind, "posteriors": listed}, arrays


def member(number: int, name: str) -> str:
    """What an array of a posterior is called in the archive."""
    return f"{number}/{name}.npy"


def read_entry(file: Archive, number: int) -> Entry:
    """One posterior of a file as it was written: arrays of the types and shapes that the manifest tells."""
    told = file.manifest["posteriors"][number]
    arrays = {}
    for name, listed in told["arrays"].items():
        shape = tuple(check.integer(size, "shape", 0) for size in listed)
        arrays[name] = file.array(member(number, name), TYPES.get(name, np.dtype(np.float64)), shape)
    return Entry(told, arrays)


def restored(own: Entry) -> tuple[Frame, Posterior]:
    """The posterior that was saved; ModelFormatError if that is none."""
    told, arrays = own
    architecture = io.read_architecture(told["network"], arrays["params"].nbytes)
    state: dict[str, Any] = {key: arrays[name] for name, key in ARRAYS.items() if name in arrays}
    *numbers, log_det = arrays["numbers"].tolist()[: len(NUMBERS) + 1]
    state |= dict(zip(NUMBERS, numbers, strict=True))
    beta = arrays["noise_precision"]
    state["_beta"] = float(beta) if beta.ndim == 0 else check.vector(beta, "beta", architecture.n_outputs, np.float64)
    if not np.all(beta > 0):
        raise ModelFormatError(f"path: expected noise precisions > 0, got {beta}")
    covariance: Any = Covariance.__new__(Covariance)
    if "root" in arrays:
        covariance.root = arrays["root"]
    else:
        covariance, state["_curvature"] = _wide(arrays), Gram(arrays["curvature"])
    covariance.precisions, covariance.log_det_precision = arrays["precisions"], log_det
    table = units.restored(architecture, arrays.get("units"))
    measured = check.boolean(told["measured"], "measured")
    frame = Frame(architecture, table, arrays.get("pruned"), measured, arrays.get("seen"))
    state |= {
        "_architecture": architecture,
        "hessian": check.choice(told["hessian"], "hessian", HESSIANS),
        "_n_threads": None,
        "_covariance": covariance,
        "_frame": frame,
        "_free": np.flatnonzero(np.isfinite(arrays["prior_precision"])),
        "_known_samples": _samples(arrays) if "X" in arrays else None,
    }
    if len(arrays["numbers"]) > len(NUMBERS) + 1:
        state["distance"] = arrays["numbers"][-1]
    frame, posterior, _ = posterior_state.restored(state)
    return frame, posterior


def _wide(arrays: dict[str, Array]) -> WideCovariance:
    """One that is held by the rows of the curvature: arrays whose shapes belong together."""
    covariance = WideCovariance.__new__(WideCovariance)
    for name in WIDE:
        setattr(covariance, name, arrays[f"wide/{name}"])
    m, c, z = len(covariance.H), len(covariance.curved), len(covariance.flat)
    shapes = {
        "curved": (c,), "flat": (z,), "scale": (c,), "H": (m, c), "of_flat": (m, z), "flat_root": (z, z), "X": (m, m),
        "G": (c, z), "_inverse": (m, m),
    }  # fmt: skip
    both = np.sort(np.concatenate([covariance.curved, covariance.flat]))
    if any(getattr(covariance, name).shape != shape for name, shape in shapes.items()) or not np.array_equal(
        both, np.arange(c + z)
    ):
        raise ModelFormatError("path: expected arrays of a posterior of few samples that belong together, got others")
    return covariance


def _samples(arrays: dict[str, Array]) -> Samples:
    X, *targets, weight = (arrays.get(name) for name in SAMPLES)
    assert X is not None
    return Samples(X, Targets(*targets), weight)
