"""The search for precisions by the evidence, beside that of another build: how high it comes, in how much time.

    python bench/evidence.py FOLDER --data FOLDER [--seeds 5] [--singles 20] [--sets boston concrete yacht diabetes]

FOLDER is a checkout with its compiled modules; --data has NAME.npz with X and y (`bench/uci.py`). Seed by seed each
build trains the same networks, 10 hidden units, on the same standardised data, by one thread; times are of the
processor. Eight starts, `--seeds` times, and single ones, `--singles` times, of these sets, sin(2x) by 1-8-1 and a
random teacher by 8-20-1. Differences are in nats, ours less the other's.
"""

import one_thread

if __name__ == "__main__":
    one_thread.restrict()  # before NumPy is imported

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import mean, median

import numpy as np

HERE = Path(__file__).parents[1]
SETS = ("boston", "concrete", "yacht", "diabetes")
MADE = ("sin", "teacher")


def standardised(a: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and variance 1."""
    return (a - a.mean(axis=0)) / np.where(a.std(axis=0) > 0, a.std(axis=0), 1.0)


def problem(name: str, folder: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Inputs, targets, hidden units."""
    if name == "sin":
        rng = np.random.default_rng(3)
        x = rng.uniform(-2, 2, (60, 1))
        return x, np.sin(2 * x) + 0.1 * rng.normal(size=x.shape), 8
    if name == "teacher":
        rng = np.random.default_rng(0)
        X, W = rng.normal(size=(1000, 8)), 1.5 * rng.normal(size=(20, 8)) / np.sqrt(8)
        f = np.tanh(X @ W.T + rng.normal(size=20)) @ rng.normal(size=20)
        return X, (standardised(f) + 0.1 * rng.normal(size=1000))[:, np.newaxis], 20
    if name == "diabetes":
        from sklearn.datasets import load_diabetes

        X, y = load_diabetes(return_X_y=True)
    else:
        file = np.load(Path(folder) / f"{name}.npz")
        X, y = file["X"].astype(float), file["y"].astype(float)
    return standardised(X), standardised(y[:, np.newaxis]), 10


def work(folder: str) -> None:
    """Be a build: train what is asked for, line by line."""
    import fastmlp

    warnings.simplefilter("ignore")
    for line in sys.stdin:
        name, n_starts, seed = line.split()
        X, T, hidden = problem(name, folder)
        net = fastmlp.Network([X.shape[1], hidden, 1], rng=int(seed))
        began = time.process_time()
        posterior = fastmlp.fit_evidence(net, X, T, n_starts=int(n_starts), rng=int(seed), n_threads=1)
        print(json.dumps([posterior.log_evidence, time.process_time() - began]), flush=True)


class Build:
    """A process that trains with the library of one checkout."""

    def __init__(self, folder: Path, data: str) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), str(folder), "--data", data, "--work"]
        environment = os.environ | {"PYTHONPATH": str(folder.resolve())}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)

    def evidence_and_time(self, name: str, n_starts: int, seed: int) -> list[float]:
        """Of one search."""
        self.process.stdin.write(f"{name} {n_starts} {seed}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def line(builds: tuple[Build, Build], name: str, n_starts: int, seeds: int) -> str:
    """Of the table."""
    results = [[build.evidence_and_time(name, n_starts, seed) for build in builds] for seed in range(seeds)]
    gains = [ours[0] - other[0] for ours, other in results]
    ours, other = (sum(pair[i][1] for pair in results) for i in (0, 1))
    spread = f"{median(gains):.2f} | {mean(gains):.1f} | {min(gains):.1f} to {max(gains):.1f}"
    return f"| {name} | {n_starts} | {seeds} | {spread} | {ours:.2f} | {other:.2f} | {other / ours:.2f} |"


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--singles", type=int, default=20)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=[*SETS, *MADE])
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(asked.data)
        return
    builds = Build(HERE, asked.data), Build(asked.folder, asked.data)
    print("| set | starts | seeds | median gain | mean | from, to | our seconds | the other's | ratio |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in asked.sets:
        print(line(builds, name, 8, asked.seeds), flush=True)
    for name in dict.fromkeys([*asked.sets, *MADE]):
        print(line(builds, name, 1, asked.singles), flush=True)


if __name__ == "__main__":
    main()
