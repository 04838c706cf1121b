"""`to_fortran`: the module by which Fortran calls the C of a network."""

from __future__ import annotations

import os
import textwrap
from string import Template
from typing import Any, NamedTuple

from fastmlp import _validation as check
from fastmlp._version import __version__
from fastmlp.source import c_numbers, models
from fastmlp.source.c import program
from fastmlp.source.c_program import Program

KINDS = {"float32": "c_float", "float64": "c_double"}


def to_fortran(
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
    r"""A Fortran 2008 module over the C of a network, which a C compiler makes of what `to_c` writes.

    Parameters
    ----------
    model, name, dtype, jacobian, std, layout, max_bytes
        As for `to_c`.
    path : str or path-like, optional
        A file to write the module to, which does not end in .c; the program in C goes beside it, with that ending.

    Returns
    -------
    str
        The module ``NAME_module``, with ``NAME_inputs`` = D and ``NAME_outputs`` = K, the kind ``NAME_kind`` of its
        reals, and what C has: ``y = NAME_predict(x)`` for x (D,), or for a matrix x (D, N) of
        samples in columns; ``call NAME_jacobian(x, y, J)`` with J (K, D); ``call NAME_std(x, y, s)``.

    Raises
    ------
    TypeError, ValueError, OSError
        As `to_c`; if the path ends in .c.

    Notes
    -----
    Compile both and link them: ``cc -O3 -c net.c; gfortran main.f90 net.o``, with the module before what uses it.

    Examples
    --------
    >>> import fastmlp
    >>> text = fastmlp.to_fortran(fastmlp.Network([2, 3, 1], rng=0), name="wave")
    >>> print("\n".join(line for line in text.splitlines() if "parameter" in line))
      integer, parameter, public :: wave_kind = c_double
      integer, parameter, public :: wave_inputs = 2
      integer, parameter, public :: wave_outputs = 1
    """
    made = program(model, name, dtype, std, layout, max_bytes)
    chosen = [PREDICT, *[JACOBIAN] * check.boolean(jacobian, "jacobian"), *[STD] * std]
    text = _text(made, chosen)
    if path is not None:
        path = check.path(path)
        stem, suffix = os.path.splitext(path)
        if suffix == ".c":
            raise ValueError(f"path: expected one for Fortran, as {stem}.f90, beside which C goes, got {path!r}")
        models.write(f"{stem}.c", made.text(jacobian))
        models.write(path, text)
    return text


class Procedure(NamedTuple):
    """What is called of C, and what calls it."""

    name: str
    interface: str
    text: str


def _text(made: Program, chosen: list[Procedure]) -> str:
    name, formula = made.net, made.formula
    title = f"{name}: {formula.phrase}; over the functions of C that `to_c` writes, by fastmlp {__version__}. "
    title += "".join(f"x({i}) is {c_numbers.quoted(each)}. " for i, each in enumerate(formula.names, 1))
    head = "".join(f"! {line}\n" for line in textwrap.wrap(title, 110))
    return Template(head.replace("$", "$$") + MODULE).substitute(
        public="\n".join(f"  public :: {name}_{each.name}" for each in chosen),
        interfaces="\n".join(_filled(each.interface, made) for each in chosen),
        procedures="\n".join(_filled(each.text, made) for each in chosen),
        **_numbers(made),
    )


def _filled(template: str, made: Program) -> str:
    return Template(template).substitute(_numbers(made))


def _numbers(made: Program) -> dict[str, str | int]:
    return {"name": made.net, "kind": KINDS[made.style.dtype], "D": made.D, "K": made.K}


MODULE = """\
module ${name}_module
  use, intrinsic :: iso_c_binding, only: c_float, c_double
  implicit none
  private
  integer, parameter, public :: ${name}_kind = $kind
  integer, parameter, public :: ${name}_inputs = $D
  integer, parameter, public :: ${name}_outputs = $K
$public

  interface
$interfaces  end interface

  interface ${name}_predict
    module procedure predict_one, predict_all
  end interface

contains

$procedures
end module
"""

PREDICT = Procedure("predict", """\
    pure subroutine predict_in_c(x, y) bind(C, name="${name}_predict")
      import :: ${name}_kind
      real(${name}_kind), intent(in) :: x(*)
      real(${name}_kind), intent(out) :: y(*)
    end subroutine
""", """\
  pure function predict_one(x) result(y)
    real(${name}_kind), intent(in) :: x($D)
    real(${name}_kind) :: y($K)
    call predict_in_c(x, y)
  end function

  function predict_all(x) result(y)
    real(${name}_kind), intent(in) :: x(:, :)
    real(${name}_kind) :: y($K, size(x, 2))
    integer :: n
    if (size(x, 1) /= $D) error stop "${name}_predict: expected x of shape ($D, N)"
    do n = 1, size(x, 2)
      y(:, n) = predict_one(x(:, n))
    end do
  end function
""")  # fmt: skip
JACOBIAN = Procedure("jacobian", """\
    pure subroutine jacobian_in_c(x, y, rows) bind(C, name="${name}_jacobian")
      import :: ${name}_kind
      real(${name}_kind), intent(in) :: x(*)
      real(${name}_kind), intent(out) :: y(*), rows(*)
    end subroutine
""", """\
  pure subroutine ${name}_jacobian(x, y, J)
    real(${name}_kind), intent(in) :: x($D)
    real(${name}_kind), intent(out) :: y($K), J($K, $D)
    real(${name}_kind) :: rows($D, $K)  ! of C, whose last index runs first
    call jacobian_in_c(x, y, rows)
    J = transpose(rows)
  end subroutine
""")  # fmt: skip
STD = Procedure("std", """\
    pure subroutine std_in_c(x, y, s) bind(C, name="${name}_std")
      import :: ${name}_kind
      real(${name}_kind), intent(in) :: x(*)
      real(${name}_kind), intent(out) :: y(*), s(*)
    end subroutine
""", """\
  pure subroutine ${name}_std(x, y, s)
    real(${name}_kind), intent(in) :: x($D)
    real(${name}_kind), intent(out) :: y($K), s($K)
    call std_in_c(x, y, s)
  end subroutine
""")  # fmt: skip
