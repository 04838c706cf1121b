"""`to_c`: networks as C99 programs of their own, which need neither Python nor this library."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp import replacement
from fastmlp._types import Float
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.mixture import Mixture
from fastmlp.derivatives.definite import Covariance
from fastmlp.model.architecture import Architecture, number_type_of
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.source.c_formula import Deviation, Formula, Scale, Style
from fastmlp.source.c_layers import KINDS
from fastmlp.source.c_program import Program

LAYOUTS = ("columns", "rows")


def to_c(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    name: str = "net",
    dtype: Any = None,
    jacobian: bool = False,
    std: bool = False,
    layout: str = "columns",
    max_bytes: int | None = None,
) -> str:
    """The network as C99: one file that needs math.h only, for programs and devices without Python.

    Parameters
    ----------
    model : Network, Laplace, Evidence, MLPRegressor or MLPClassifier
        Of a posterior the network y(x, w) at its maximum; of a classifier the probabilities that its network gives, of
        two classes that of the second.
    path : str or path-like, optional
        A file to write it to. If its name ends in .h, declarations for other files are written there, and the program
        beside it, with .c in place of .h.
    name : str, default="net"
        What functions and constants begin with.
    dtype : {"float32", "float64"}, optional
        float or double. None: the network's own type; of posteriors float64.
    jacobian : bool, default=False
        Write ``NAME_jacobian`` too.
    std : bool, default=False
        Write ``NAME_std`` too, for posteriors of squared error and regressors that have one.
    layout : {"columns", "rows"}, default="columns"
        How the weights of dense layers lie: by inputs, for vector instructions, or by units, for small machines, where
        it makes the shorter program.
    max_bytes : int, optional
        The largest size of all constants: what fits into a device's memory.

    Returns
    -------
    str
        The program: ``void NAME_predict(const real *x, real *y)`` with x (D,) and y (K,), in the units of the data;
        ``NAME_jacobian(x, y, J)`` with J (K, D), dy_k/dx_i output by output; ``NAME_std(x, y, s)`` with s (K,), the
        standard deviations of targets, noise included: the root of the variance that `Laplace.predict` gives.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; if the constants are too many, or beyond the type's range; if there is no posterior
        that `std` needs, or it is of classes, of counts, or of more inputs than samples.
    OSError
        If the file cannot be written.

    Notes
    -----
    Outputs differ from the network's by rounding, a few eps of the largest one. Where the network knows its units
    (`Network.units`), x is mapped to (x - shift) / scale first, with the shift to twice the digits of float, so that
    float32 keeps its own far from zero. Constants are hexadecimal, and read as the same bits; exp and tanh are a few
    lines of C right to about an ulp, which compilers vectorise. Layers of sin and exp are summed in double, as these
    need more digits of z than float has.

    Nothing is allocated, and no memory is shared between calls. The stack takes two layers; for derivatives all of
    them, and for `std` P numbers more; its root adds n (n + 1) / 2 constants for n free parameters. With
    ``-DNAME_MAIN`` the file is a program that compares outputs with the network's.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 3, 1], dtype="float32", rng=0)
    >>> print(fastmlp.to_c(net, name="yacht").partition("#include")[0].splitlines()[0])
    /* yacht: a network, 2 -> 3 tanh -> 1.
    """
    formula, own = _formula(model, check.boolean(std, "std"))
    style = Style(
        _identifier(name),
        own if dtype is None else number_type_of(dtype).name,
        check.choice(layout, "layout", LAYOUTS),
    )
    program = Program(formula, style)
    if max_bytes is not None and program.n_bytes > check.integer(max_bytes, "max_bytes", 0):
        raise ValueError(
            f"max_bytes: expected at least {program.n_bytes} for the constants of this program, got {max_bytes}; "
            "float32 halves them, fewer units or pruning make them fewer" + ", and so does std=False" * std
        )
    jacobian = check.boolean(jacobian, "jacobian")
    text = program.text(jacobian)
    if path is not None:
        _write(check.path(path), text, program.header(jacobian))
    return text


def _write(path: str, text: str, header: str) -> None:
    stem, suffix = os.path.splitext(path)
    if suffix == ".h":
        replacement.write(path, header.encode("ascii"))
        path = f"{stem}.c"
    replacement.write(path, text.encode("ascii"))


def _identifier(name: Any) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,40}", name):
        raise ValueError(f"name: expected at most 41 letters, digits and _, a letter first, got {check.shown(name)}")
    return name


def _formula(model: Any, std: bool) -> tuple[Formula, str]:
    """What is to be written, and in which type if none is asked for."""
    if isinstance(model, Mixture):
        raise TypeError("model: expected one network, got a Mixture of several; choose one of its members")
    if isinstance(model, Laplace):
        own, units = model._posterior, model._frame.units
        formula = _of(own.architecture, own.params, units, "the network of a posterior")
        return formula._replace(deviation=_deviation(model) if std else None), "float64"
    net, origin = getattr(model, "network_", model), "a network" if isinstance(model, Network) else "an estimator"
    if not isinstance(net, Network):
        raise TypeError(f"model: expected a Network, a posterior or a fitted estimator, got {type(model).__name__}")
    if std:
        if not hasattr(model, "_posterior_now"):
            raise ValueError(f"std: expected False for {origin} without a posterior; give Laplace(net, X, T)")
        return _formula(model._posterior_now(), std)[0], net.dtype.name
    architecture, units = net._architecture.changed(dtype="float64"), net.units
    params = net.params.astype(np.float64) if units is None else net._in_units(units)
    return _of(architecture, params, units, origin), net.dtype.name


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
    if not isinstance(covariance, Covariance):
        raise ValueError(
            f"std: expected a posterior of at most as many parameters as samples have outputs, got {free.n} "
            "parameters, whose covariance is not held as a matrix"
        )
    noise = np.where(frame.varying & (not frame.measured), 1 / np.asarray(model._noise_precision), 0.0)
    root = covariance.root if covariance.root.ndim == 1 else covariance.root.T
    return Deviation(root, free.index, free.coefficient, noise)
