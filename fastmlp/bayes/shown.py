"""What posteriors print of themselves: what they hold already, since P^3 multiplications are not for a look at them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastmlp._tables import Table, number, numbers
from fastmlp.model import names, selection

GROUPS = ("group", "parameters", "prior precision", "effective")
MEMBERS = ("start", "log evidence", "effective parameters", "noise", "converged")
STATIONARY = {
    "maximum": "maximum of the evidence",
    "edge": "best point seen, at an edge beyond which the network's optimum ceases to exist",
    "fixed_point": "fixed point of re-estimation",
    "screened": "not trained to the end, as other starts were better",
    "": "not converged: best point seen",
}


def facts(posterior: Any, noise: str = "") -> Table:
    """Of any posterior; `noise` is what else there is to say of it."""
    distance = vars(posterior._posterior).get("distance")
    own, deviation = posterior.units, _noise(posterior)
    unit = "times sigma" if posterior._frame.measured else "in the units of T"
    apart = None if posterior._own_noise is None else "each output's own, beside a posterior with one for all"
    return Table([
        ("network", posterior._architecture.phrase()),
        ("samples", _samples(posterior)),
        ("formed in", None if own is None else own.phrase()),
        ("log evidence", f"{posterior.log_evidence:.6g}"),
        ("log likelihood", f"{posterior.log_likelihood:.6g}"),
        ("effective parameters", f"{posterior.effective_n_params:.4g} of {len(posterior.gamma)}"),
        ("noise deviation", deviation and f"{deviation}, {unit}{noise}"),
        ("noise", apart),
        ("distance", None if distance is None else f"{distance:.2g} standard deviations from the optimum"),
    ])  # fmt: skip


def layers(posterior: Any) -> Table:
    """The groups of the network: how many parameters, their precisions, how many of them the data determine."""
    alpha = posterior.prior_precision
    return Table(
        [
            (name, where.stop - where.start, _range(alpha[where]), float(posterior.gamma[where].sum()))
            for name, where in posterior._architecture.groups.items()
        ],
        GROUPS,
        "<>",
    )


def groups(evidence: Any) -> Table:
    """The groups that have a precision of their own, likewise; those that have been pruned last."""
    rows = []
    for name, alpha in sorted(evidence.group_precisions.items(), key=lambda group: group[1] == math.inf):
        where = slice(None) if name == "all" else selection.named(evidence._architecture, name, "groups")
        gamma = evidence.gamma[where]
        shown = names.called(evidence._architecture.input_names, name)
        rows.append((shown, len(gamma), "pruned" if alpha == math.inf else alpha, float(gamma.sum())))
    return Table(rows, GROUPS, "<>")


def members(several: Iterable[Any]) -> Table:
    """A row for each posterior of a mixture."""
    rows = [
        (place, f"{each.log_evidence:.2f}", each.effective_n_params, _noise(each) or "none", each.converged)
        for place, each in enumerate(several)
    ]
    return Table(rows, MEMBERS, "<>")


def _samples(posterior: Any) -> str:
    objective, weight = posterior._posterior.objective, posterior._posterior.total_weight
    if objective is None:
        return f"{weight:.6g}, left out of this copy"
    n_samples = len(objective.data.samples.X)
    return str(n_samples) if weight == n_samples else f"{n_samples}, with weights that add up to {weight:.4g}"


def _noise(posterior: Any) -> str | None:
    """The noise's standard deviation; None for classifiers and counts, which have no other noise than their own."""
    if not posterior._architecture.loss.has_noise:
        return None
    if posterior._own_noise is not None:
        return numbers(posterior.noise_std)
    beta = np.atleast_1d(posterior.noise_precision)
    return numbers(np.where(beta > 0, beta, math.nan) ** -0.5)


def _range(values: Any) -> str:
    low, high = values.min(), values.max()
    return number(low) if low == high else f"{number(low)} to {number(high)}"
