"""`to_c`: networks as C99 programs of their own, which need neither Python nor this library."""

from __future__ import annotations

import os
from typing import Any

from fastmlp import _validation as check
from fastmlp.model.arguments import number_type_of
from fastmlp.source import models
from fastmlp.source.c_formula import Style
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
        of a classifier ``NAME_class(x)``, the place of the most probable class in ``NAME_classes``, the names as text;
        ``NAME_jacobian(x, y, J)`` with J (K, D), dy_k/dx_i output by output; ``NAME_std(x, y, s)`` with s (K,), the
        standard deviations of targets, noise included: the root of the variance that `Laplace.predict` gives.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; if the constants are too many, or beyond the type's range; if there is no posterior
        that `std` needs, or it is of classes or counts, or, of many parameters and few samples, has no prior on some.
    OSError
        If the file cannot be written.

    Notes
    -----
    Outputs differ from the network's by rounding, a few eps of the largest one. Where the network knows its units
    (`Network.units`), x is mapped to (x - shift) / scale first, with the shift to twice the digits of float, so that
    float32 keeps its own far from zero. Constants are hexadecimal, and read as the same bits; exp and tanh are a few
    lines of C right to about an ulp, which compilers vectorise. Layers of sin and exp are summed in double, as these
    need more digits of z than float has. Where |z| reaches 10 in several of them, float32 is off by up to 25 eps all
    the same, of which the rounding of the weights alone is 22; take float64 there.

    Nothing is allocated, and no memory is shared between calls. The stack takes two layers; for derivatives all of
    them, and for `std` P numbers more; its root adds n (n + 1) / 2 constants for n free parameters, or m n
    + m^2 + n where m samples times outputs are far fewer. With
    ``-DNAME_MAIN`` the file is a program that compares outputs with the network's.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([2, 3, 1], dtype="float32", rng=0)
    >>> print(fastmlp.to_c(net, name="yacht").partition("#include")[0].splitlines()[0])
    /* yacht: a network, 2 -> 3 tanh -> 1.
    """
    made = program(model, name, dtype, std, layout, max_bytes)
    jacobian = check.boolean(jacobian, "jacobian")
    text = made.text(jacobian)
    if path is not None:
        path = check.path(path)
        stem, suffix = os.path.splitext(path)
        models.write(f"{stem}.c" if suffix == ".h" else path, text)
        if suffix == ".h":
            models.write(path, made.header(jacobian))
    return text


def program(model: Any, name: str, dtype: Any, std: bool, layout: str, max_bytes: int | None) -> Program:
    """What is to be written, if it may be."""
    formula, own = models.formula(model, check.boolean(std, "std"))
    style = Style(
        models.identifier(name),
        own if dtype is None else number_type_of(dtype).name,
        check.choice(layout, "layout", LAYOUTS),
    )
    found = Program(formula, style)
    if max_bytes is not None and found.n_bytes > check.integer(max_bytes, "max_bytes", 0):
        raise ValueError(
            f"max_bytes: expected at least {found.n_bytes} for the constants of this program, got {max_bytes}; "
            "float32 halves them, fewer units or pruning make them fewer" + ", and so does std=False" * std
        )
    return found
