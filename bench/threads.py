"""Two threads against one, ours only: real time over numbers of samples. Never slower, and twice as fast when it pays.

A process of its own, without any other library's threads; run with all CPUs.
"""

import json
import sys
import time
from typing import Any

from problems import make
from timing import interleave

COUNTS = (1, 8, 32, 64, 128, 256, 512, 1000, 2000, 5000, 10_000)
CASES = [*(("S1", n) for n in COUNTS), ("T2", 1000), ("S2", 1797), ("D1", 10_000), ("M1", 10_000)]
OPERATIONS = ("predict", "gradient")


def measure(seconds: float, n_threads: int = 2) -> list[dict[str, Any]]:
    """Medians of seconds with one thread and with `n_threads`, for predictions and gradients in both types."""
    measured = []
    for shape, n_samples in CASES:
        for dtype in ("float64", "float32"):
            net, X, T = make(shape, dtype, n_samples)
            for operation in OPERATIONS:
                call, args = (net.predict, (X,)) if operation == "predict" else (net.loss_and_grad, (X, T))

                def job(n, threads, call=call, args=args):
                    for _ in range(n):
                        call(*args, n_threads=threads)

                jobs = {"one": lambda n, job=job: job(n, 1), "more": lambda n, job=job: job(n, n_threads)}
                timings = interleave(jobs, seconds, least_rounds=7, clock=time.perf_counter)
                measured.append(
                    {
                        "operation": operation, "shape": shape, "samples": n_samples, "dtype": dtype,
                        "one": timings["one"].median, "more": timings["more"].median, "threads": n_threads,
                    }
                )  # fmt: skip
    return measured


def rows(measured: list[dict[str, Any]]) -> list[dict[str, str]]:
    """For a table: how many times as fast, float64 / float32."""
    table: dict[tuple[str, int], dict[str, list[str]]] = {}
    for entry in measured:
        ratio = entry["one"] / entry["more"]
        row = table.setdefault((entry["shape"], entry["samples"]), {})
        row.setdefault(entry["operation"], []).append(f"{ratio:.2f}")
    return [
        {f"{measured[0]['threads']} threads": shape, "samples": str(n)}
        | {operation: " / ".join(ratios) for operation, ratios in row.items()}
        for (shape, n), row in table.items()
    ]


if __name__ == "__main__":
    json.dump(measure(float(sys.argv[1])), sys.stdout)
