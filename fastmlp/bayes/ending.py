"""What is said of the end of a search by the evidence: what has not converged, has no noise, or explains nothing."""

from __future__ import annotations

import numpy as np

from fastmlp.bayes.budget import Budget
from fastmlp.bayes.evidence import Evidence
from fastmlp.errors import ConvergenceWarning, warn_caller
from fastmlp.network.network import Network
from fastmlp.optimize import explained, reference


def warn_about(posterior: Evidence, budget: Budget, max_iter: int, cut: int | None) -> None:
    """Once, for the caller of `fit_evidence`; the search was `cut` short after so many networks."""
    said = []
    if cut is not None and budget.ended == "time_limit":
        said.append(f"time_limit={budget.seconds:g} has ended the search after {cut} of its networks; raise it")
    if not posterior.converged and budget.ended != "callback":
        limit = f"time_limit={budget.seconds:g}" if budget.over else f"max_iter={max_iter}"
        said.append(
            f"the precisions have not converged within {limit}: the best point seen is returned; raise the limit, or "
            "try other starts (n_starts) or fewer hidden units"
        )
    if posterior.noise_at_floor:
        each = np.broadcast_to(posterior.noise_precision, posterior._frame.varying.shape)
        noise = ", ".join(f"{each[k] ** -0.5:.3g}" for k in posterior.outputs_at_floor)
        some = bool(len(posterior.outputs_at_floor) < np.count_nonzero(posterior._frame.varying))
        of_some = f" of outputs {', '.join(map(str, posterior.outputs_at_floor))}" * some
        unit = " times sigma" if posterior._frame.measured else ""
        said.append(
            f"the noise{of_some} is at its floor, a standard deviation of {noise}{unit}, a millionth of "
            "that of the targets: T has no noise that the network could tell from the function, and error bars know of "
            "none; as it should be if T is computed, else try fewer hidden units or more samples"
        )
    said += filter(None, [poor(posterior)])
    if said:
        warn_caller("; ".join(said), ConvergenceWarning)


def is_settled(net: Network, posterior: Evidence) -> bool:
    """Whether nothing is to be said of the scale of data that were not standardised.

    Without hidden layer it does not matter. Else the network may have come to terms with it, if it has learnt what a
    straight line cannot know; or it is so far from one that this is said already.
    """
    if net.dtype == np.float32:  # which may have lost what the posterior knows
        return False
    if len(posterior._architecture.layers) == 1 or poor(posterior):
        return True
    own = posterior._posterior
    return explained.is_more_than_a_line(own.architecture, own.samples, own.params)


def poor(posterior: Evidence) -> str:
    """What to say of a network that has not learnt what a straight line knows for sure."""
    own = posterior._posterior
    architecture, samples, params = own.architecture, own.samples, own.params
    loss = own.data.at(1.0).value(params)
    shares = explained.poor(architecture, samples, reference.of(architecture, samples), params, loss)
    n_samples = samples.n_counting
    if shares is None or not explained.is_sure(shares.line, architecture.n_inputs, n_samples):
        return ""
    if samples.total_weight < n_samples:
        advice = f"sample_weight counts samples, and adds up to {samples.total_weight:.4g} for {n_samples} of them"
    elif posterior.units is None:
        advice = "standardize=True works in units in which all columns are of one size"
    else:
        advice = "try other starts (n_starts)" + (", or groups='layers'" if shares.output is not None else "")
    return f"{shares}: {advice}"
