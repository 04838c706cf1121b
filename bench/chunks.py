"""Fits on a memory map in chunks beside the same samples in memory: time, and the private memory of the process.

    python bench/chunks.py [--rows 60000000] [--repeats 2] [--folder /tmp] [--methods lm] [--dtypes float32]

A map of 20 inputs in float32 (80 bytes a row: 60 million are 4.8 GB) is written into the folder, read once, so that it
lies in the system's cache where that has room, and deleted at the end. Each fit is a process of its own, the two in
turns; seconds, those of the processor, and memory are the least of the repeats. Memory is the most anonymous memory
while the fit runs (RssAnon of Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

import fastmlp

N_INPUTS = 20
BLOCK = 500_000
CHUNK = 65_536
#: hidden units and steps of each method
FITS = {"lbfgs": (10, 10), "lm": (4, 3)}


def write(folder: Path, n_rows: int) -> None:
    """Inputs and a function of theirs."""
    rng = np.random.default_rng(0)
    with open(folder / "X", "wb") as inputs, open(folder / "T", "wb") as targets:
        for first in range(0, n_rows, BLOCK):
            X = rng.standard_normal((min(BLOCK, n_rows - first), N_INPUTS), np.float32)
            X.tofile(inputs)
            (np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:3]).tofile(targets)


def anonymous() -> float:
    """Private memory of this process in GiB."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 2**20


def fit(folder: Path, in_memory: bool, method: str, dtype: str) -> dict[str, float]:
    """One fit, of this process."""
    warnings.simplefilter("ignore")
    X, T = (np.memmap(folder / name, np.float32, "r").reshape(-1, m) for name, m in (("X", N_INPUTS), ("T", 1)))
    n_hidden, n_steps = FITS[method]
    net = fastmlp.Network([N_INPUTS, n_hidden, 1], rng=0, dtype=dtype)
    data = (np.array(X, dtype), np.array(T, dtype)) if in_memory else (fastmlp.Chunks(X, T, rows=CHUNK), None)
    if not in_memory:
        for first in range(0, len(X), BLOCK):
            X[first : first + BLOCK].max()
    most, done = anonymous(), threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, anonymous())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        started, used = time.perf_counter(), time.process_time()
        result = net.fit(*data, method=method, max_iter=n_steps)
        seconds, processor = time.perf_counter() - started, time.process_time() - used
    finally:
        done.set()
        watching.join()
    return {"seconds": seconds, "processor": processor, "memory": most, "fun": result.fun}


def measured(folder: Path, in_memory: bool, method: str, dtype: str) -> dict[str, float]:
    """The same by another process."""
    command = [sys.executable, __file__, "--one", str(int(in_memory)), method, dtype, "--folder", str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--methods", nargs="+", default=list(FITS), choices=FITS)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        in_memory, method, dtype = asked.one
        print(json.dumps(fit(asked.folder, in_memory == "1", method, dtype)))
        return
    print(f"{asked.rows} rows of {N_INPUTS} inputs, chunks of {CHUNK}; load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        write(folder, asked.rows)
        for dtype in asked.dtypes:
            for method in asked.methods:
                runs = [
                    [measured(folder, where, method, dtype) for where in (False, True)] for _ in range(asked.repeats)
                ]
                for name, each in zip(("chunks", "memory"), zip(*runs, strict=True), strict=True):
                    least = {key: min(run[key] for run in each) for key in ("seconds", "processor", "memory")}
                    print(
                        f"{dtype} {method:6} {name} {least['seconds']:8.2f} s, processor {least['processor']:8.2f} s, "
                        f"{least['memory']:5.2f} GiB; objective {each[0]['fun']:.10g}; load {os.getloadavg()[0]:.1f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
