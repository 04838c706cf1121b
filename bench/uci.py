"""UCI regression on the standard 20 splits: error and log likelihood of test rows, beside the best published ones.

    python bench/uci.py --data FOLDER [--sets yacht energy concrete boston wine] [--splits 20] [--folds 5]

FOLDER holds NAME.npz with X, y and test_idx (splits, rows), those of Hernandez-Lobato and Adams (2015). Inputs and
targets are standardised by the training rows; figures are in units of the targets, with standard errors over splits.

Nothing is chosen by hand for a set, or by test rows. In each split the training rows are cut in `--folds` parts, and
networks trained on all but one in turn: with a weak prior, or with precisions by the evidence, one for each input;
larger ones as long as they are the best so far. The likelihood of the rows left out chooses a committee, the equal
average of its networks, or of all, and the noise: a Student t distribution of scale^2 = a + b v(x), v the variance of
the function. Twice as many parts take twice the time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import t as student

import fastmlp
from fastmlp.model import units

Float = NDArray[np.float64]

DECAY = 0.1
#: best of the published tables: RMSE and its standard error, log likelihood and its
PUBLISHED = {
    "yacht": (0.66, 0.06, -1.18, 0.05),
    "energy": (0.47, 0.01, -1.212, 0.005),
    "concrete": (4.50, 0.18, -2.82, 0.02),
    "boston": (2.80, 0.13, -2.34, 0.02),
    "wine": (0.60, 0.01, -0.90, 0.01),
}


class Function(NamedTuple):
    """What networks say about f(x): mean and variance, each (N,)."""

    mean: Float
    variance: Float


def together(members: list[Function]) -> Function:
    """The equal mixture."""
    means = np.array([each.mean for each in members])
    return Function(means.mean(axis=0), np.mean([each.variance for each in members], axis=0) + means.var(axis=0))


def by_evidence(hidden: int, n_starts: int, X: Float, T: Float, seed: int) -> Callable[[Float], Function]:
    """Networks at maxima of the evidence."""
    mixture = fastmlp.fit_evidence(
        fastmlp.Network([X.shape[1], hidden, 1], rng=seed), X, T, "ard", n_starts=n_starts, rng=seed,
        combine="average", max_iter=10, tol=0.01, n_threads=1,
    )  # fmt: skip

    def function(new: Float) -> Function:
        mean, epistemic, _ = mixture.predict(new, parts=True)
        return Function(mean[:, 0], epistemic[:, 0])

    return function


def by_decay(hidden: int, n_starts: int, X: Float, T: Float, seed: int) -> Callable[[Float], Function]:
    """Networks with the same weak prior, which disagree where it leaves them free."""
    networks = [fastmlp.Network([X.shape[1], hidden, 1], rng=[seed, start]) for start in range(n_starts)]
    fastmlp.fit_many(networks, X, T, penalty=fastmlp.WeightDecay(DECAY, DECAY), max_iter=50, n_threads=1)

    def function(new: Float) -> Function:
        means = np.array([net.predict(new)[:, 0] for net in networks])
        return Function(means.mean(axis=0), means.var(axis=0))

    return function


class Kind(NamedTuple):
    """Networks of some size, and how many of them are trained on each share of the rows."""

    train: Callable[..., Callable[[Float], Function]]
    sizes: tuple[int, ...]
    n_starts: int


KINDS = {"weak prior": Kind(by_decay, (10, 20, 40), 3), "evidence": Kind(by_evidence, (10, 20), 1)}


class Noise(NamedTuple):
    """t distribution with scale^2 = a + b v."""

    a: float
    b: float
    freedom: float

    def log_density(self, f: Function, t: Float) -> Float:
        """Of targets."""
        scale = np.sqrt(self.a + self.b * f.variance)
        return np.asarray(student.logpdf((t - f.mean) / scale, self.freedom) - np.log(scale))

    @classmethod
    def fitted(cls, f: Function, t: Float) -> Noise:
        """Of maximum likelihood."""

        def of(logs: Float) -> Noise:
            a, b, freedom = np.exp(np.clip(logs, -20, 7))
            return cls(a, b, 2 + freedom)

        start = np.log([np.mean((t - f.mean) ** 2) / 2, 0.5, 4.0])
        return of(minimize(lambda logs: -of(logs).log_density(f, t).mean(), start, method="Nelder-Mead").x)


class Committee(NamedTuple):
    """What networks that have not seen them say about the training rows, all of them about new ones, and the noise."""

    left_out: Function
    new: Function
    noise: Noise
    value: float  #: mean log likelihood of the training rows, each by networks that have not seen it


def committee(left_out: Function, new: Function, T: Float) -> Committee:
    """With the noise that the rows left out have."""
    noise = Noise.fitted(left_out, T)
    return Committee(left_out, new, noise, float(noise.log_density(left_out, T).mean()))


def trained(kind: Kind, hidden: int, X: Float, T: Float, new: Float, folds: list[NDArray[Any]]) -> Committee:
    """A network, or some, on all rows but a fold, for each of them."""
    left_out, others = Function(np.empty(len(X)), np.empty(len(X))), []
    for number, fold in enumerate(folds):
        rest = np.delete(np.arange(len(X)), fold)
        function = kind.train(hidden, kind.n_starts, X[rest], T[rest], number)
        for whole, part in zip(left_out, function(X[fold]), strict=True):
            whole[fold] = part
        others.append(function(new))
    return committee(left_out, together(others), T)


def chosen(X: Float, T: Float, new: Float, folds: list[NDArray[Any]]) -> tuple[str, Committee]:
    """The best by the rows left out: of each kind larger ones as long as they are the best so far, and all together."""
    found: dict[str, Committee] = {}
    for name, kind in KINDS.items():
        for hidden in kind.sizes:
            best = max((each.value for each in found.values()), default=-np.inf)
            found[f"{name} {hidden}"] = trained(kind, hidden, X, T, new, folds)
            if found[f"{name} {hidden}"].value < best:
                break
    left_out, all_new = (together([each[part] for each in found.values()]) for part in (0, 1))  # type: ignore[misc]
    found["together"] = committee(left_out, all_new, T)
    return max(found.items(), key=lambda item: item[1].value)


def run(file: Path, n_folds: int, split: int) -> tuple[str, float, float, float]:
    """One split: the committee that was chosen, RMSE, mean log likelihood, seconds."""
    data, start = np.load(file), time.process_time()
    X, y, test = data["X"].astype(float), data["y"].astype(float), data["test_idx"][split].astype(int)
    train = np.delete(np.arange(len(X)), test)
    X = units.columns(X[train], None, "X").standardized(X)
    target = units.columns(y[train, np.newaxis], None, "y")
    T, unit = target.standardized(y[:, np.newaxis])[:, 0], target.scale[0]
    folds = np.array_split(np.random.default_rng(split).permutation(len(train)), n_folds)
    name, best = chosen(X[train], T[train], X[test], folds)
    error = unit * np.sqrt(np.mean((best.new.mean - T[test]) ** 2))
    likelihood = best.noise.log_density(best.new, T[test]).mean() - np.log(unit)
    return name, float(error), float(likelihood), time.process_time() - start


def spread(values: Any) -> tuple[float, float]:
    """Mean and standard error."""
    values = np.asarray(values)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def line(name: str, results: list[tuple[str, float, float, float]]) -> dict[str, str]:
    """Of the table."""
    kinds, errors, likelihoods, seconds = zip(*results, strict=True)
    (error, error_se), (likelihood, likelihood_se) = spread(errors), spread(likelihoods)
    best = PUBLISHED[name]
    return {
        "set": name,
        "RMSE": f"{error:.3f} ± {error_se:.3f}",
        "best published": f"{best[0]} ± {best[1]}",
        "log likelihood": f"{likelihood:.3f} ± {likelihood_se:.3f}",
        "best published ": f"{best[2]} ± {best[3]}",
        "chosen": ", ".join(f"{kind}: {kinds.count(kind)}" for kind in sorted(set(kinds))),
        "seconds": f"{sum(seconds):.0f}",
    }


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the .npz files")
    parser.add_argument("--sets", nargs="+", default=list(PUBLISHED), choices=list(PUBLISHED))
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--processes", type=int)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        for number, name in enumerate(asked.sets):
            split = partial(run, asked.data / f"{name}.npz", asked.folds)
            result = line(name, list(pool.map(split, range(asked.splits))))
            if number == 0:
                print(f"| {' | '.join(result)} |\n|{'---|' * len(result)}")
            print(f"| {' | '.join(result.values())} |", flush=True)


if __name__ == "__main__":
    main()
