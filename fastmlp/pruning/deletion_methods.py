"""How deletions are chosen: a model of what they do, and what is asked of it, by name of the method."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastmlp._types import Float
from fastmlp.pruning.candidates import Sets
from fastmlp.pruning.deletions import Deletions, Removals, singles
from fastmlp.pruning.optimum import Optimum

Model = Deletions | Removals


class Method(NamedTuple):
    """A way to choose."""

    model: Callable[[Optimum], Model]  #: what a deletion does to the others, and to the objective
    scores: Callable[[Optimum, Model, Sets], Float]  #: of sets of parameters: the least is deleted


def _surgeon(optimum: Optimum) -> Model:
    return Deletions(optimum.factor, optimum.variances, optimum.v)


def _rises(optimum: Optimum, model: Model, sets: Sets) -> Float:
    return model.rises(sets)


def _squares(optimum: Optimum, model: Model, sets: Sets) -> Float:
    where = singles(sets)
    if where is not None:
        return np.asarray(model.w[where] ** 2)
    return np.array([float(model.w[S] @ model.w[S]) for S in sets])


def _losses(optimum: Optimum, model: Model, sets: Sets) -> Float:
    """Of log evidence; a flat prior is none."""
    return -gains(optimum, model, sets)


METHODS = {
    "obs": Method(_surgeon, _rises),
    "evidence": Method(_surgeon, _losses),
    "obd": Method(lambda optimum: Removals(np.diagonal(optimum.matrix).copy(), optimum.v), _rises),
    "magnitude": Method(lambda optimum: Removals(optimum.matrix, optimum.v), _squares),
}


def gains(optimum: Optimum, model: Model, sets: Sets) -> Float:
    """By how much the log evidence grows with each deletion, to second order; nan where a prior is flat.

    With V = (A^-1)_SS / beta the ratio of the posterior's density at w_S = 0 to the prior's (Savage and Dickey) gives

        -1/2 (w_S' V^-1 w_S + ln|V| + sum ln alpha_i).
    """
    assert isinstance(model, Deletions)
    lambdas, rises = optimum.reduced.decay, model.rises(sets)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(lambdas)
        where = singles(sets)
        if where is not None:
            volumes = np.log(model.variances[where]) + logs[where]
        else:
            volumes = np.array([np.linalg.slogdet(model.block(S))[1] + logs[S].sum() for S in sets])
    return np.where(np.isfinite(volumes), -optimum.noise_precision * rises - 0.5 * volumes, np.nan)
