"""The state of a posterior in a pickle: arrays, units and samples of one network, under the names they have always had.

Held parameters are told by a precision of infinity, so that a posterior of any version is formed of what is there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Float
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.posterior import Posterior
from fastmlp.derivatives.gram import Gram
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.errors import ModelFormatError
from fastmlp.model import functional, units
from fastmlp.model.architecture import Architecture
from fastmlp.terms import DataTerm, gaussian, reparam
from fastmlp.terms.objective import Objective
from fastmlp.terms.term import Penalty

#: names of the state, and of a posterior's parts that are kept as they are
KEPT = {
    "_architecture": "architecture", "_params": "params", "_beta": "beta", "hessian": "hessian",
    "_n_threads": "n_threads", "_curvature": "curvature", "_gradient": "gradient", "grad_norm": "grad_norm",
    "_covariance": "covariance", "_log_likelihood": "log_likelihood", "_log_evidence": "log_evidence",
    "_total_weight": "total_weight",
}  # fmt: skip
#: others, of which the last four need not be there
OTHERS = ("_frame", "_free", "prior_precision", "gamma", "_known_samples", "_prior", "_counts", "_penalty", "distance")
#: what earlier versions had besides
FORMER = ("_words", "_rounding", "negative_eigenvalues")


def packed(frame: Frame, posterior: Posterior) -> dict[str, Any]:
    """The state.

    Raises
    ------
    TypeError
        If parameters are shared, which no version can read.
    """
    free, objective = posterior.free, posterior.objective
    if not free.is_selection:
        raise TypeError("posterior: expected one without shared parameters for a pickle, got one with them")
    state = {name: getattr(posterior, part) for name, part in KEPT.items()}
    state |= {
        "_frame": frame,
        "_free": free.first,
        "prior_precision": posterior.prior_precision,
        "gamma": free.at_first(posterior.gamma),
        "_known_samples": None if objective is None else objective.data.samples,
    }
    if posterior.prior.ndim == 2:
        state["_prior"] = posterior.prior
    if (posterior.counts != posterior.total_weight).any():  # where targets are missing
        state["_counts"] = posterior.counts
    if objective is not None and objective.terms is not None:
        state["_penalty"] = objective.penalty
    if "distance" in vars(posterior):  # which is printed, if it is known
        state["distance"] = posterior.distance
    return state


def restored(state: Any) -> tuple[Frame, Posterior, dict[str, Any]]:
    """Frame and posterior, checked, since kernels trust the shapes of what they are given; and what else there is.

    Raises
    ------
    ModelFormatError
        If that is not the state of a posterior.
    """
    try:
        posterior = _posterior(**{name: state[name] for name in (*KEPT, "_free", "prior_precision", "gamma")},
                               _prior=state.get("_prior"), _counts=state.get("_counts"))  # fmt: skip
        frame = state["_frame"]
        whole = isinstance(frame, Frame) and frame.architecture == posterior.architecture and _is_whole(posterior)
        units.checked(frame.units or False, posterior.architecture)
        by_output = (state.get("_own_noise"), state.get("_freedom"))
        whole = whole and all(_are_of_outputs(own, frame) for own in by_output)
        if frame.seen is not None:
            whole = whole and frame.seen.shape == (3, posterior.architecture.n_inputs)
        if frame.pruned is not None:
            check.mask(frame.pruned, "pruned", len(posterior.params))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise ModelFormatError("state: expected the posterior of a network, got something else")
    samples, penalty = state.get("_known_samples"), state.get("_penalty")
    if samples is not None:
        posterior.objective = _objective(posterior, samples, state["prior_precision"], penalty)
    if "distance" in state:
        vars(posterior)["distance"] = float(state["distance"])
    known = {*KEPT, *OTHERS, *FORMER}
    return frame, posterior, {name: value for name, value in state.items() if name not in known}


def _posterior(
    _free: Any, prior_precision: Float, gamma: Any, _prior: Any, _counts: Any, **kept: Any
) -> Posterior:  # fmt: skip
    """As it is told, without its objective."""
    parts = {part: kept[name] for name, part in KEPT.items()}
    held = np.isinf(prior_precision)
    if not np.array_equal(np.flatnonzero(~held), _free):
        raise ValueError("_free: expected the parameters with a finite precision, got others")
    parts["free"] = reparam.holding(parts["params"], held) or reparam.Whole(len(held))
    parts |= {"prior": prior_precision[_free] if _prior is None else _prior, "gamma": gamma[_free], "objective": None}
    K = parts["architecture"].n_outputs
    parts["counts"] = np.full(K, float(parts["total_weight"])) if _counts is None else _counts
    if parts["counts"].shape != (K,) or parts["counts"].dtype != np.float64:
        raise ValueError("_counts: expected one for each output, got others")
    if gamma.shape != held.shape:
        raise ValueError("gamma: expected one for each parameter, got others")
    return Posterior.of_parts(**parts)


def _are_of_outputs(value: Any, frame: Frame) -> bool:
    """Whether that is None, a number, or one for each output (K,)."""
    if value is None or isinstance(value, float):
        return True
    return bool(value.shape == frame.varying.shape and value.dtype == np.float64)


def _is_whole(posterior: Posterior) -> bool:
    if not isinstance(posterior.architecture, Architecture) or posterior.architecture.dtype != np.float64:
        return False
    if isinstance(posterior.covariance, WideCovariance):
        return _is_wide(posterior)
    if isinstance(posterior.curvature, Gram):
        return False
    P, n, root = posterior.architecture.n_params, posterior.free.n, posterior.covariance.root
    vectors = (posterior.gamma, posterior.gradient, posterior.covariance.precisions)
    matrices = (root, posterior.curvature, posterior.prior)
    return (
        len(posterior.free.index) == P
        and posterior.params.shape == (P,)
        and all(vector.shape == (n,) for vector in vectors)
        and all(matrix.shape in ((n,), (n, n)) for matrix in matrices)
        and (root.ndim == max(posterior.curvature.ndim, posterior.prior.ndim) or n == 0)
        and all(array.dtype == np.float64 for array in (posterior.params, *vectors, *matrices))
        and root.flags.c_contiguous
    )


def _is_wide(posterior: Posterior) -> bool:
    """The same for one whose curvature is held by its rows, of which NumPy alone computes."""
    P, n = posterior.architecture.n_params, posterior.free.n
    B, A = posterior.curvature, posterior.covariance
    vectors = (posterior.gamma, posterior.gradient, A.precisions, posterior.prior)
    return (
        isinstance(B, Gram) and isinstance(A, WideCovariance) and len(posterior.free.index) == P
        and posterior.params.shape == (P,) and all(vector.shape == (n,) for vector in vectors)
        and B.rows.shape[1:] == (n,) and A.H.shape == (len(B.rows), len(A.curved)) and len(A.curved) + len(A.flat) == n
        and all(array.dtype == np.float64 for array in (posterior.params, B.rows, A.H, *vectors))
    )  # fmt: skip


def _objective(posterior: Posterior, samples: Any, prior_precision: Float, penalty: Penalty | None) -> Objective:
    """What it was formed of, on samples that are checked anew."""
    architecture = posterior.architecture
    samples = functional.restored_samples(architecture, samples)
    if penalty is None:
        penalty = gaussian.by_parameter(np.where(np.isinf(prior_precision), 0.0, prior_precision))
    try:
        data = DataTerm(architecture, samples, posterior.beta, posterior.n_threads)
        return Objective(
            data, penalty, posterior.params, None if isinstance(posterior.free, reparam.Whole) else posterior.free
        )
    except (TypeError, ValueError) as error:
        raise ModelFormatError(f"state: expected the posterior of a network, got another ({error})") from error
