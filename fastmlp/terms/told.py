"""Columns that do not vary, of which derivatives are known: units in which they are learnt from all the same."""

from __future__ import annotations

import numpy as np

from fastmlp._quiet import quiet
from fastmlp._types import Float
from fastmlp.model import units
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units
from fastmlp.terms.penalties import split
from fastmlp.terms.tangents import TangentPropagation
from fastmlp.terms.term import Penalty


@quiet
def told_units(penalty: Penalty | None, architecture: Architecture, n_samples: int, own: Units) -> Units:
    """The units, in which no column is called constant of which derivative data say that it has a slope.

    Points of a surface f(x) = 0 with their normals have constant targets, and a simulator may differentiate by what has
    been the same in all its runs. The units of such columns come from the slopes: a constant target's is the root mean
    square of its slopes by standardised inputs, and a constant input's what gives its slopes that of the targets, where
    directions are "inputs"; else it is 1.
    """
    for term in split(penalty)[1]:
        if isinstance(term, TangentPropagation) and term.targets is not None and term.targets.any():
            term.require(architecture, n_samples)
            own = _inputs_told(term.tau, term.targets, _targets_told(term.tau, term.targets, own), architecture)
    return own


def _targets_told(tau: Float | None, d: Float, own: Units) -> Units:
    """By targets d (N, M, K) in directions (M, D), (N, M, D) or None, the unit vectors."""
    slope = d.any(axis=(0, 1))
    if own.targets is None or not (own.targets.constant & slope).any():
        return own
    (scale, _, constant), known = own.inputs, own.targets
    directions = np.eye(len(scale)) if tau is None else tau
    length = np.broadcast_to(np.linalg.norm(directions * ~constant / scale, axis=-1), d.shape[:2])
    size = _root_mean_square(d[length > 0] / length[length > 0][:, np.newaxis])
    scales = np.where(known.constant & slope, size, known.scale)
    return own._replace(targets=known._replace(scale=scales, constant=known.constant & ~slope))


def _inputs_told(tau: Float | None, d: Float, own: Units, architecture: Architecture) -> Units:
    """By the same, once the targets have their units."""
    scale, _, constant = own.inputs
    slope = constant & (d.any(axis=(0, 2)) if tau is None else tau.reshape(-1, len(scale)).any(axis=0))
    if not slope.any():
        return own
    if tau is None and architecture.layers[0].is_dense:
        unit = 1.0 if own.targets is None else own.targets.scale
        size = _root_mean_square((d / unit).swapaxes(1, 2).reshape(-1, len(scale)))
        scale = np.where(slope, 1 / size, scale)
    inputs = own.inputs._replace(scale=scale, constant=constant & ~slope)
    return own._replace(inputs=units.by_channel(architecture, inputs))


def _root_mean_square(slopes: Float) -> Float:
    """Of each column, 1 where there is nothing, or nothing but zeros."""
    largest = np.abs(slopes).max(axis=0, initial=0.0)
    largest = np.where(largest > 0, largest, 1.0)
    size = largest * np.sqrt(np.square(slopes / largest).sum(axis=0) / max(1, len(slopes)))
    return np.where((size > 0) & np.isfinite(size), size, 1.0)
