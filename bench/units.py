"""The evidence in other units: how often the same network, precisions and error bars come out.

    python bench/units.py [--data FOLDER] [--sets sin three diabetes yacht ...] [--groups layers all ard] [--seeds 5]

Each set is fitted as it is, and with its columns multiplied by 10^u, u uniform in -8 .. 8, and shifted by up to 1e4
standard deviations. A run agrees if predictive means and standard deviations are the same to 1e-4 of the targets'
standard deviation, the log evidence to 1e-4 nats less N sum ln c, and the pruned groups are the same. With --powers
scales are powers of two, without shifts, and all bits of the standardised problem are to be the same. FOLDER holds
NAME.npz with X and y, as for `uci.py`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import fastmlp
from fastmlp.datasets import load_yacht

Float = NDArray[np.float64]

AGREES = 1e-4
HIDDEN = {"sin": 8}


class Comparison(NamedTuple):
    """Of two runs: differences of means and deviations, in sd(t), and of log evidence; whether groups are the same."""

    mean: float
    deviation: float
    evidence: float  #: of the run in other units, less that of the first
    groups: bool

    @property
    def agrees(self) -> bool:
        """Whether they are the same."""
        return max(self.mean, self.deviation, abs(self.evidence)) <= AGREES and self.groups


def load(name: str, folder: Path | None) -> tuple[Float, Float]:
    """X (N, D) and T (N, K)."""
    rng = np.random.default_rng(3)
    if name == "sin":
        x = rng.uniform(-2, 2, (60, 1))
        return x, np.sin(2 * x) + 0.1 * rng.normal(size=x.shape)
    if name == "three":
        X = rng.normal(size=(150, 4))
        T = np.column_stack([np.tanh(X[:, 0]) + X[:, 1], X[:, 1] * X[:, 2], np.sin(2 * X[:, 3])])
        return X, T + np.array([0.1, 0.3, 0.05]) * rng.normal(size=T.shape)
    if name == "diabetes":
        from sklearn.datasets import load_diabetes

        data = load_diabetes()
        return data.data, data.target[:, np.newaxis]
    if folder is None:
        yacht = load_yacht()
        return yacht.X, yacht.T[:, np.newaxis]
    with np.load(folder / f"{name}.npz") as archive:
        return archive["X"].astype(float), archive["y"].astype(float).reshape(len(archive["X"]), -1)


def moved(array: Float, rng: np.random.Generator, *, powers: bool) -> tuple[Float, Float, Float]:
    """The columns in other units, their scales and shifts."""
    D = array.shape[1]
    if powers:
        scale, shift = 2.0 ** rng.integers(-26, 27, D), np.zeros(D)
    else:
        scale, shift = 10.0 ** rng.uniform(-8, 8, D), rng.uniform(-1e4, 1e4, D) * array.std(axis=0)
        shift *= scale
    return scale * array + shift, scale, shift


def compare(X: Float, T: Float, groups: str, seed: int, *, powers: bool, **options: Any) -> Comparison:
    """The same start on the data as they are, and in other units."""
    rng = np.random.default_rng([seed, 7])
    (A, _, _), (B, c, d) = (moved(array, rng, powers=powers) for array in (X, T))
    layers = [X.shape[1], options.pop("hidden"), T.shape[1]]
    one = fastmlp.fit_evidence(fastmlp.Network(layers, rng=seed), X, T, groups, n_threads=1, **options)
    two = fastmlp.fit_evidence(fastmlp.Network(layers, rng=seed), A, B, groups, n_threads=1, **options)
    (mean, variance), (other, other_variance) = one.predict(X), two.predict(A)
    sd = T.std(axis=0)
    if powers:
        same = np.array_equal(other / c, mean) and np.array_equal(other_variance / c**2, variance)
        return Comparison(
            0.0 if same else 1.0, 0.0, 0.0, bool(np.array_equal(one.prior_precision, two.prior_precision))
        )
    evidence = two.log_evidence + len(X) * float(np.log(c).sum()) - one.log_evidence
    return Comparison(
        float(np.abs(((other - d) / c - mean) / sd).max()),
        float(np.abs((np.sqrt(other_variance) / c - np.sqrt(variance)) / sd).max()),
        evidence,
        one.pruned == two.pruned,
    )


def main() -> None:
    """Print a line for each set and kind of groups."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["sin", "three", "diabetes", "yacht"])
    parser.add_argument("--groups", nargs="+", default=["layers", "all", "ard"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hidden", type=int, default=5)
    parser.add_argument("--powers", action="store_true")
    arguments = parser.parse_args()
    print(f"{'set':10}{'groups':8}{'agree':>9}{'mean':>10}{'sd':>10}{'evidence':>10}{'lowest':>10}{'CPU s':>8}")
    total = agree = 0
    for name in arguments.sets:
        X, T = load(name, arguments.data)
        for groups in arguments.groups:
            started = time.process_time()
            runs = [
                compare(X, T, groups, seed, powers=arguments.powers, hidden=HIDDEN.get(name, arguments.hidden))
                for seed in range(arguments.seeds)
            ]
            count = sum(run.agrees for run in runs)
            total, agree = total + len(runs), agree + count
            middle = [np.median([abs(each) for each in column]) for column in list(zip(*runs, strict=True))[:3]]
            figures = "".join(f"{value:10.1e}" for value in (*middle, min(run.evidence for run in runs)))
            seconds = time.process_time() - started
            print(f"{name:10}{groups:8}{count:5} / {len(runs)}{figures}{seconds:8.1f}", flush=True)
    print(f"{agree} of {total} agree")


if __name__ == "__main__":
    main()
