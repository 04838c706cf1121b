"""Digits on NIST's nonlinear regression problems, beside SciPy's least_squares with the same exact Jacobians."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize

import fastmlp

sys.path.append(str(Path(__file__).parent.parent / "tests"))
import nist

TIGHTEST = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "x_scale": "jac", "max_nfev": 20_000}


def scipys(method: str, **settings: Any) -> Callable[..., Any]:
    """One of SciPy's methods, called in our manner."""
    return lambda fun, jac, x0: scipy.optimize.least_squares(fun, x0, jac, method=method, **settings)


SOLVERS = {
    "fastmlp.levenberg_marquardt": fastmlp.levenberg_marquardt,
    "SciPy lm, defaults": scipys("lm"),
    "SciPy lm, tightest": scipys("lm", **TIGHTEST),
    "SciPy trf, tightest": scipys("trf", **TIGHTEST),
    "SciPy dogbox, tightest": scipys("dogbox", **TIGHTEST),
}


def measure(solver: Callable[..., Any]) -> tuple[list[float], list[int]]:
    """Correct digits of the worst parameter, and evaluations of the residuals, of the 54 runs."""
    digits, evaluations = [], []
    for name in nist.MODELS:
        problem, (fun, jac) = nist.load(name), nist.functions(name)
        for start in problem.starts:
            with np.errstate(all="ignore"):
                try:
                    result = solver(fun, jac, start)
                except ValueError:  # SciPy's, where a trial is not finite
                    digits.append(0.0)
                    continue
            digits.append(nist.log_relative_error(result.x, problem.certified))
            evaluations.append(result.nfev)
    return digits, evaluations


if __name__ == "__main__":
    print("| solver | mean digits of 11 | least | runs below 4 | median evaluations |\n|---|---|---|---|---|")
    for name, solver in SOLVERS.items():
        digits, evaluations = measure(solver)
        below = sum(d < 4 for d in digits)
        print(f"| {name} | {np.mean(digits):.2f} | {min(digits):.1f} | {below} | {np.median(evaluations):.0f} |")
