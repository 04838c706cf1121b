"""More inputs than samples: spectra of 2,000 wavelengths, trained, with error bars, and by the evidence.

    python bench/wide.py [--samples 50] [--seeds 3] [--beside BUILD]

Sums of four peaks, and a function of their heights with noise, in standardised units. `lm` from as many starts at each
size and decay, of this build, and of another one in the folder BUILD, in turns: processor seconds of one thread, steps,
the objective, and the ratio of both. Then `Laplace` and `fit_evidence` of this build.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
from __future__ import annotations

import one_thread

one_thread.restrict()

import argparse
import json
import os
import subprocess
import sys
import time
import warnings

import numpy as np

import fastmlp

WAVELENGTHS = 2000
PROBLEMS = [(1, 0.1), (1, 0.001), (5, 0.1), (5, 0.001)]  # hidden units, decay of the weights


def spectra(n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    rng, place = np.random.default_rng(0), np.linspace(0, 1, WAVELENGTHS)
    heights = rng.uniform(0, 1, (n_samples, 4))
    peaks = [
        np.exp(-(((place - mean) / width) ** 2)) for mean, width in ((0.2, 0.05), (0.4, 0.1), (0.55, 0.03), (0.8, 0.15))
    ]
    X = heights @ np.array(peaks) + 0.01 * rng.normal(size=(n_samples, WAVELENGTHS))
    T = np.tanh(2 * heights[:, 0] - heights[:, 1]) + heights[:, 2] * heights[:, 3] + 0.02 * rng.normal(size=n_samples)
    return X, T


def trained(n_samples: int, hidden: int, decay: float, seed: int) -> tuple[float, int, float]:
    """Seconds, steps and the objective."""
    X, T = spectra(n_samples)
    net = fastmlp.Network([WAVELENGTHS, hidden, 1], rng=seed)
    started = time.process_time()
    result = net.fit(X, T, "lm", standardize=True, penalty=fastmlp.WeightDecay(decay), max_iter=3000, n_threads=1)
    return time.process_time() - started, result.nit, result.fun


def elsewhere(build: str, *arguments: object) -> tuple[float, int, float]:
    """The same by another build, in a process of its own, which has imported what it needs before."""
    warm = "fastmlp.Network([2, 1], rng=0).fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0], 'lm', max_iter=1)"
    program = f"import wide, fastmlp, json; {warm}; print(json.dumps(wide.trained(*{arguments!r})))"
    path = os.pathsep.join([build, os.path.dirname(os.path.abspath(__file__))])
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, cwd=build, capture_output=True, text=True, check=True
    )
    return tuple(json.loads(done.stdout))  # type: ignore[return-value]


def table(n_samples: int, seeds: int, build: str | None) -> None:
    print(f"{'P':>6} {'decay':>6} {'seconds':>8} {'steps':>6} {'objective':>12}" + "   beside" * bool(build))
    for hidden, decay in PROBLEMS:
        for seed in range(seeds):
            seconds, steps, fun = trained(n_samples, hidden, decay, seed)
            line = f"{hidden * WAVELENGTHS + 2 * hidden + 1:6d} {decay:6g} {seconds:8.4f} {steps:6d} {fun:12.6g}"
            if build:
                theirs = elsewhere(build, n_samples, hidden, decay, seed)
                line += f"   {theirs[0] / seconds:.0f} times as long, objective {theirs[2]:.6g}"
            print(line, flush=True)


def error_bars(n_samples: int) -> None:
    X, T = spectra(n_samples)
    penalty = fastmlp.WeightDecay(0.1)
    net = fastmlp.Network([WAVELENGTHS, 5, 1], rng=0)
    net.fit(X, T, "lm", standardize=True, penalty=penalty)
    seconds = []
    for _ in range(5):
        started = time.process_time()
        posterior = fastmlp.Laplace(net, X, T, penalty=penalty, standardize=True)
        seconds.append(time.process_time() - started)
    started = time.process_time()
    posterior.predict(X)
    predicted = time.process_time() - started
    started = time.process_time()
    found = fastmlp.fit_evidence(fastmlp.Network([WAVELENGTHS, 5, 1], rng=0), X, T)
    print(
        f"Laplace {min(seconds):.4f} s, predictions of {n_samples} {predicted:.4f} s; fit_evidence "
        f"{time.process_time() - started:.2f} s, log evidence {found.log_evidence:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--beside", metavar="BUILD")
    args = parser.parse_args()
    warnings.simplefilter("ignore", fastmlp.ScaleWarning)
    trained(args.samples, 1, 0.1, 0)
    table(args.samples, args.seeds, args.beside)
    error_bars(args.samples)


if __name__ == "__main__":
    main()
