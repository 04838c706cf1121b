"""What is to be written as source code: of networks, posteriors and estimators; and where it goes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp import replacement
from fastmlp._tables import how_many
from fastmlp._types import Float
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.mixture import Mixture
from fastmlp.derivatives.definite import Covariance
from fastmlp.derivatives.wide import WideCovariance
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.source.c_formula import Deviation, Formula, Scale, Wide
from fastmlp.source.c_layers import KINDS


def identifier(name: Any) -> str:
    """What C, Fortran and others take for a name."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,40}", name):
        raise ValueError(f"name: expected at most 41 letters, digits and _, a letter first, got {check.shown(name)}")
    return name


def write(path: str, text: str) -> None:
    """A file, whole or not at all."""
    replacement.write(path, text.encode())


def formula(model: Any, std: bool) -> tuple[Formula, str]:
    """What is to be written, and in which type if none is asked for."""
    if isinstance(model, Mixture):
        raise TypeError("model: expected one network, got a Mixture of several; choose one of its members")
    if isinstance(model, Laplace):
        own, units = model._posterior, model._frame.units
        found = _of(own.architecture, own.params, units, "the network of a posterior")
        return found._replace(deviation=_deviation(model) if std else None), "float64"
    net, origin = getattr(model, "network_", model), "a network" if isinstance(model, Network) else "an estimator"
    if not isinstance(net, Network):
        came = type(model).__name__ + ("; call its fit" if hasattr(model, "get_params") else "")
        raise TypeError(f"model: expected a Network, a posterior or a fitted estimator, got {came}")
    if std:
        if not hasattr(model, "_posterior_now"):
            raise ValueError(f"std: expected False for {origin} without a posterior; give Laplace(net, X, T)")
        found = formula(model._posterior_now(), std)[0]
    else:
        architecture, units = net._architecture.changed(dtype="float64"), net.units
        params = net.params.astype(np.float64) if units is None else net._in_units(units)
        found = _of(architecture, params, units, origin)
    return found._replace(names=_names(model), classes=_classes(model)), net.dtype.name


def _names(model: Any) -> tuple[str, ...]:
    """What the inputs of a network, or an estimator's features, are called in its data."""
    named = getattr(model, "feature_names_in_", getattr(model, "input_names", None))
    return () if named is None else tuple(map(str, named))


def _classes(model: Any) -> tuple[str, ...]:
    """What a classifier's classes are called, if a sample is of one of them."""
    if getattr(model, "class_names", None) is not None:
        return tuple(model.class_names)
    several = getattr(model, "_multilabel", True)
    return () if several else tuple(map(str, model.classes_.tolist()))


def _of(architecture: Architecture, params: Float, units: Units | None, origin: str) -> Formula:
    for place, layer in enumerate(architecture.layers, 1):
        if type(layer.kind) not in KINDS:
            names = ", ".join(kind.name for kind in KINDS)
            raise ValueError(f"model: expected layers of kinds {names}, got layer {place}, which is {layer.kind!r}")
    if units is None:
        return Formula(architecture, params, origin=origin)
    inputs, targets = units.inputs, units.targets
    each = architecture.layers[0].n_in // len(inputs.scale)  # a channel's units are those of all its places
    return Formula(
        architecture,
        params,
        Scale(np.repeat(inputs.scale, each), np.repeat(inputs.shift, each)),
        None if targets is None else Scale(targets.scale, targets.shift),
        origin=origin,
    )


def _deviation(model: Laplace) -> Deviation:
    own, frame = model._posterior, model._frame
    if not own.architecture.loss.has_noise:
        raise ValueError(f"std: expected a posterior of squared error, got one of {own.architecture.loss}")
    covariance, free = own.covariance, own.free
    noise = np.where(frame.varying & (not frame.measured), 1 / np.asarray(model._noise_precision), 0.0)
    return Deviation(_root(covariance), free.index, free.coefficient, noise)


def _root(covariance: Covariance | WideCovariance) -> Float | Wide:
    if isinstance(covariance, Covariance):
        return covariance.root if covariance.root.ndim == 1 else covariance.root.T
    if len(covariance.flat):
        raise ValueError(
            "std: expected a prior on each parameter, where there are far fewer samples than parameters, got "
            f"{how_many(len(covariance.flat), 'parameter')} without; penalise biases too"
        )
    return Wide(covariance.H, covariance.X, covariance.scale)
