"""Two trainings at once over one, in processes with two threads each: threads that wait must not hold up the others."""

import json
import subprocess
import sys
from statistics import median

PROGRAM = """
import sys, time
from problems import make
net, X, T = make(sys.argv[1], "float32", 10_000)
options = {"max_iter": int(sys.argv[3]), "n_threads": 2}
if sys.argv[2] == "adam":
    options["batch_size"] = 256
net.fit(X, T, sys.argv[2], **options | {"max_iter": 1})
print("ready", flush=True)
sys.stdin.readline()
started = time.perf_counter()
net.fit(X, T, sys.argv[2], **options)
print(time.perf_counter() - started)
"""
CASES = (("S1", "adam", 200), ("D1", "adam", 60), ("S1", "rprop", 300))  # shape, method, iterations: half a second
GOAL = 2.5


def together(count: int, case: tuple[str, str, int]) -> float:
    """Seconds until the last of so many trainings is done, which begin at the same time."""
    command = [sys.executable, "-c", PROGRAM, *map(str, case)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": sys.path[0]}
    fits = [subprocess.Popen(command, **pipes) for _ in range(count)]
    for fit in fits:
        fit.stdout.readline()
    for fit in fits:
        fit.stdin.write("\n")
        fit.stdin.flush()
    return max(float(fit.communicate()[0]) for fit in fits)


def measure(repeats: int = 5) -> list[dict[str, object]]:
    """Medians of seconds for one training and for two at once, turn by turn."""
    results = []
    for case in CASES:
        seconds = [(together(1, case), together(2, case)) for _ in range(repeats)]
        one, two = (median(column) for column in zip(*seconds, strict=True))
        results.append({"shape": case[0], "method": case[1], "one": one, "two": two})
    return results


def rows(measured: list[dict[str, object]]) -> list[dict[str, str]]:
    """For a table."""
    return [
        {
            "two trainings at once": f"{entry['shape']} {entry['method']}",
            "one": f"{entry['one']:.2f} s",
            "two": f"{entry['two']:.2f} s",
            "ratio": f"{entry['two'] / entry['one']:.2f}",
            "goal": f"at most {GOAL}",
        }
        for entry in measured
    ]


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
