"""The module for Fortran, with a program over it."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import fastmlp
from fastmlp import Laplace, WeightDecay, to_c, to_fortran

COMPILERS = [each for each in ("gfortran", "flang", "ifx") if shutil.which(each)][:1]
STRICT = ["-std=f2008", "-Wall", "-Wextra", "-Werror", "-O2"]

PROGRAM = """
program main
  use wave_module, only: wave_kind, wave_inputs, wave_outputs, wave_predict, wave_jacobian, wave_std
  implicit none
  real(wave_kind) :: x(wave_inputs, 4), y(wave_outputs), s(wave_outputs), J(wave_outputs, wave_inputs)
  integer :: n
  read (*, *) x
  print '(*(es24.16))', wave_predict(x)
  do n = 1, 4
    call wave_jacobian(x(:, n), y, J)
    print '(*(es24.16))', J
    call wave_std(x(:, n), y, s)
    print '(*(es24.16))', s
    if (any(abs(y - wave_predict(x(:, n))) > 0)) error stop 1
  end do
end program
"""


def posterior():
    rng = np.random.default_rng(0)
    X = 5 + rng.normal(size=(60, 3))
    T = np.c_[np.sin(X[:, 0]), X[:, 1]] + 0.1 * rng.normal(size=(60, 2))
    net = fastmlp.Network([3, 4, 2], rng=0)
    net.fit(X, T, penalty=WeightDecay(0.1), standardize=True)
    return Laplace(net, X, T, penalty=WeightDecay(0.1), standardize=True), X[:4]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(("dtype", "eps"), [("float32", 1e-5), ("float64", 1e-13)])
def test_a_program_over_it(tmp_path, compiler, dtype, eps):
    """Every function, all outputs: J is (K, D) here too."""
    model, X = posterior()
    text = to_fortran(model, tmp_path / "wave.f90", name="wave", dtype=dtype, jacobian=True, std=True)
    assert (tmp_path / "wave.f90").read_text() == text
    assert (tmp_path / "wave.c").read_text() == to_c(model, name="wave", dtype=dtype, jacobian=True, std=True)
    (tmp_path / "main.f90").write_text(PROGRAM)
    subprocess.run(["cc", "-O2", "-c", "wave.c"], cwd=tmp_path, check=True)
    subprocess.run([compiler, *STRICT, "wave.f90", "main.f90", "wave.o", "-lm", "-o", "main"], cwd=tmp_path, check=True)
    numbers = " ".join(map(repr, X.ravel().tolist()))
    run = subprocess.run([tmp_path / "main"], input=numbers, capture_output=True, text=True, check=True)
    lines = [np.array(line.split(), float) for line in run.stdout.splitlines()]
    mean, variance = model.predict(X)
    slopes = model.network.jacobian(X)
    assert np.allclose(lines[0].reshape(4, 2), mean, rtol=0, atol=eps * np.abs(mean).max())
    for n in range(4):
        assert np.allclose(lines[1 + 2 * n].reshape(3, 2).T, slopes[n], rtol=0, atol=eps * np.abs(slopes).max())
        assert np.allclose(lines[2 + 2 * n], np.sqrt(variance[n]), rtol=10 * eps)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", ["c", "x", "J", "predict", "a" * 41])
def test_any_name(tmp_path, compiler, name):
    """None of the module's own is in its way."""
    to_fortran(posterior()[0], tmp_path / "it.f90", name=name, jacobian=True, std=True)
    subprocess.run([compiler, *STRICT, "-c", "it.f90"], cwd=tmp_path, check=True)


def test_what_is_there_is_what_was_asked_for():
    net = fastmlp.Network([2, 3, 1], rng=0)
    long = to_fortran(fastmlp.Network([2, *[3] * 30, 1], rng=0), name="a" * 41, jacobian=True)
    assert max(map(len, long.splitlines())) <= 132
    text = to_fortran(net, name="Pump_7")
    assert "public :: Pump_7_predict\n" in text
    assert "jacobian" not in text
    assert "std" not in text
    assert "$" not in to_fortran(net, jacobian=True)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"name": "7up"}, ValueError, "name: expected at most 41 letters"),
        ({"jacobian": 1}, TypeError, "jacobian: expected"),
        ({"std": True}, ValueError, "std: expected False for a network without a posterior"),
        ({"max_bytes": 10}, ValueError, "max_bytes: expected at least 104 for the constants"),
        ({"path": "wave.c"}, ValueError, "path: expected one for Fortran, as wave.f90"),
    ],
)
def test_what_is_refused(options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        to_fortran(fastmlp.Network([2, 3, 1], rng=0), **options)
