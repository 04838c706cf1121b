"""What importing costs over NumPy, in processes of their own: processor time and resident memory."""

import statistics
import subprocess
import sys

PROGRAM = """
import os, time
import numpy
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
seconds, size = time.process_time(), resident()
import {module}
print(time.process_time() - seconds, resident() - size)
"""
MODULES = ("fastmlp", "scipy.optimize", "sklearn.neural_network", "torch", "jax", "onnxruntime")
GOAL = (0.030, 10e6)  # seconds and bytes, for fastmlp


def measure(repeats: int = 7, modules: tuple[str, ...] = MODULES) -> dict[str, tuple[float, float]]:
    """Medians of seconds and bytes for each module that is there; turn by turn, after a round that fills the caches."""
    samples: dict[str, list[tuple[float, float]]] = {module: [] for module in modules}
    for turn in range(repeats + 1):
        for module in list(samples):
            program = [sys.executable, "-c", PROGRAM.format(module=module)]
            done = subprocess.run(program, capture_output=True, text=True, check=False)
            if done.returncode:
                del samples[module]
            elif turn:
                seconds, size = map(float, done.stdout.split())
                samples[module].append((seconds, size))
    return {
        module: tuple(statistics.median(values) for values in zip(*pairs, strict=True))
        for module, pairs in samples.items()
    }


def rows(measured: dict[str, tuple[float, float]]) -> list[dict[str, str]]:
    """For a table."""
    return [
        {"import over NumPy": module, "time": f"{1e3 * seconds:.0f} ms", "memory": f"{size / 1e6:.1f} MB"}
        | ({"goal": f"{1e3 * GOAL[0]:.0f} ms, {GOAL[1] / 1e6:.0f} MB"} if module == "fastmlp" else {"goal": ""})
        for module, (seconds, size) in measured.items()
    ]
