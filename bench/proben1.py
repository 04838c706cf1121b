"""Early stopping on Proben1 (L. Prechelt, Technical Report 21/94, Karlsruhe 1994), beside the published errors.

    python bench/proben1.py --data FOLDER
    python bench/proben1.py --data FOLDER --inits glorot 0.1     # starting values beside each other, by rprop

FOLDER holds published_results.csv, and for each problem NAME.npz with A (rows, inputs first), n_in, n (how many rows
train, validate and test) and order1 .. order3. Networks are those of tables 10 and 11, without shortcut connections.

Each solver trains from 60 starts, until `patience` finds no smaller validation error. The solver with the smallest mean
validation error is chosen: test rows have no say in that.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import fastmlp

PROBLEMS = ("cancer1", "diabetes1", "glass1", "heart1", "thyroid1")
PATIENCE = {"scg": 50, "rprop": 100}
MAX_ITER = 3000  # as published
OUTPUTS = {"identity": "identity", "sigmoid": "logistic"}


class Part(NamedTuple):
    """Rows to train on, to validate by or to test with."""

    X: NDArray[Any]
    T: NDArray[Any]

    def errors(self, net: fastmlp.Network) -> tuple[float, float]:
        """Squared error percentage, and percentage of rows whose largest output is not that of their class."""
        Y = net.predict(self.X)
        return 100 * float(np.mean((Y - self.T) ** 2)), 100 * float(np.mean(Y.argmax(axis=1) != self.T.argmax(axis=1)))


class Published(NamedTuple):
    """A line of the report's tables: hidden layers, output, mean and standard deviation of both test errors."""

    hidden: list[int]
    output: str
    squared: tuple[float, float]
    classes: tuple[float, float] | None


def load(folder: Path, problem: str) -> tuple[Part, Part, Part]:
    """The three parts of a problem in one of its orders, such as cancer1."""
    file = np.load(folder / f"{problem[:-1]}.npz")
    rows, n_in = file["A"][file[f"order{problem[-1]}"]].astype(float), int(file["n_in"])
    training, validation, test = np.split(rows, np.cumsum(file["n"])[:-1])
    return tuple(Part(part[:, :n_in], part[:, n_in:]) for part in (training, validation, test))  # type: ignore[return-value]


def published(folder: Path) -> dict[str, Published]:
    """Tables 10 and 11 by problem."""
    with (folder / "published_results.csv").open() as file:
        lines = [line for line in csv.DictReader(file) if line["network"] == "no_shortcut"]
    return {
        line["problem"]: Published(
            [int(line[layer]) for layer in ("hidden1", "hidden2") if int(line[layer])],
            OUTPUTS[line["output"]],
            (float(line["test_mse"]), float(line["test_sd"])),
            (float(line["test_err"]), float(line["test_err_sd"])) if line["test_err"] else None,
        )
        for line in lines
    }


def run(
    method: str, init: str | float, parts: tuple[Part, Part, Part], hidden: list[int], output: str, seed: int
) -> tuple[float, ...]:
    """One training: squared validation error, squared test error, test error of classes, all in percent."""
    training, validation, test = parts
    layers = [training.X.shape[1], *hidden, training.T.shape[1]]
    net = fastmlp.Network(layers, output=output, loss="squared_error", rng=seed, init=init)
    net.fit(*training, method, validation=validation, patience=PATIENCE[method], max_iter=MAX_ITER, n_threads=1)
    return (validation.errors(net)[0], *test.errors(net))


def measure(parallel: Callable[..., Any], folder: Path, problem: str, known: Published, n_runs: int) -> dict[str, str]:
    """The line of a table: the solver that validation chooses, its test errors, the published ones."""
    parts = load(folder, problem)
    errors = {
        method: np.array(
            list(parallel(partial(run, method, "glorot", parts, known.hidden, known.output), range(n_runs)))
        )
        for method in PATIENCE
    }
    validation = {method: runs[:, 0].mean() for method, runs in errors.items()}
    chosen = min(validation, key=validation.__getitem__)
    means, deviations = errors[chosen].mean(axis=0), errors[chosen].std(axis=0, ddof=1)
    ours = [(means[k], deviations[k]) for k in (1, 2)]
    theirs = [known.squared, known.classes]
    both = [pair for pair in zip(ours, theirs, strict=True) if pair[1] is not None]
    return {
        "problem": problem,
        "hidden": "+".join(map(str, known.hidden)),
        "validation error": ", ".join(f"{method} {error:.2f}" for method, error in validation.items()),
        "solver": chosen,
        "test error %": spread(ours[0]),
        "published": spread(known.squared),
        "wrong classes %": spread(ours[1]) if known.classes else "",
        "published ": spread(known.classes) if known.classes else "",
        "within one sd": "yes" if all(mean <= sum(other) for (mean, _), other in both) else "no",
    }


def beside(
    parallel: Callable[..., Any], folder: Path, problem: str, known: Published, n_runs: int, inits: list[str | float]
) -> dict[str, str]:
    """The line of another table: errors by rprop from starting values drawn in several ways."""
    parts = load(folder, problem)
    line = {"problem": problem, "hidden": "+".join(map(str, known.hidden))}
    for init in inits:
        task = partial(run, "rprop", init, parts, known.hidden, known.output)
        runs = np.array(list(parallel(task, range(n_runs))))
        means, errors = runs.mean(axis=0), runs.std(axis=0, ddof=1) / n_runs**0.5
        for name, k in (("validation", 0), ("test", 1), ("wrong classes", 2)):
            line[f"{init}: {name} %"] = spread((means[k], errors[k]))
    return line


def width_or_name(text: str) -> str | float:
    """A number if it is one."""
    try:
        return float(text)
    except ValueError:
        return text


def spread(pair: tuple[float, float]) -> str:
    """A mean and its standard deviation."""
    return f"{pair[0]:.2f} ± {pair[1]:.2f}"


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the .npz files and published_results.csv")
    parser.add_argument("--problems", nargs="+", default=PROBLEMS)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--inits", nargs="+", type=width_or_name, help="compare these, and no solvers")
    asked = parser.parse_args()
    known = published(asked.data)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for number, problem in enumerate(asked.problems):
            given = partial(pool.map, chunksize=5), asked.data, problem, known[problem], asked.runs
            line = beside(*given, asked.inits) if asked.inits else measure(*given)
            if number == 0:
                print(f"| {' | '.join(line)} |\n|{'---|' * len(line)}")
            print(f"| {' | '.join(line.values())} |", flush=True)


if __name__ == "__main__":
    main()
