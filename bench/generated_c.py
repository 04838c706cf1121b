"""Generated C, called from C, beside one row from Python, ONNX Runtime and emlearn: 8-50-50-1, in one run.

    python bench/generated_c.py [--seconds 10] [--compilers gcc clang-19]

`to_c` with -O3 -march=native -fno-math-errno -fno-trapping-math, in a file of its own, called by a loop in C over rows
that differ; each other way with one row, again and again. All take turns; of each the shortest of all rounds counts.
emlearn has float alone, and is left out where it is not installed.
"""

import one_thread

if __name__ == "__main__":
    one_thread.restrict()  # before NumPy is imported

import argparse
import ctypes
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from report import duration, number, table
from timing import Job, interleave, repeat

LAYERS = [8, 50, 50, 1]
ROWS = 64  # a power of two
FLAGS = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fPIC"]
REALS = {"float32": "float", "float64": "double"}
GOALS = {"float32": 0.8, "float64": 1.0}  # of the time of one row from Python
TIMES_ONNX = 8.0  # faster than ONNX Runtime

LOOP = """
{declared}
void run(long n, const {real} *X, {real} *y)
{{
    long k;
    for (k = 0; k < n; k++)
        {call};
}}
"""


def built(folder: Path, name: str, compiler: str, sources: list[str], flags: list[str]) -> Any:
    """The function `run` of a library of these texts, each compiled apart."""
    paths = []
    for number_, text in enumerate(sources):
        paths.append(folder / f"{name}{number_}.c")
        paths[-1].write_text(text)
    library = folder / f"{name}.so"
    subprocess.run([compiler, *FLAGS, *flags, "-shared", *paths, "-lm", "-o", library], check=True)
    return ctypes.CDLL(str(library)).run


def in_c(run: Any, X: np.ndarray, expected: np.ndarray, eps: float) -> Job:
    """The job of n calls, whose result was compared."""
    y = np.empty(len(expected), X.dtype)
    pointers = [ctypes.c_void_p(each.ctypes.data) for each in (X, y)]
    run(ctypes.c_long(len(X)), *pointers)
    assert np.abs(y - expected).max() <= eps * np.abs(expected).max()

    def job(n: int, kept: tuple[np.ndarray, np.ndarray] = (X, y)) -> None:
        run(ctypes.c_long(n), *pointers)

    return job


def ours_in_c(net: Any, compiler: str, folder: Path, X: np.ndarray) -> Job:
    """`to_c` by a compiler."""
    import fastmlp

    dtype = X.dtype.name
    real = REALS[dtype]
    loop = LOOP.format(
        declared=f"void net_predict(const {real} *x, {real} *y);", real=real,
        call=f"net_predict(X + k % {ROWS} * {LAYERS[0]}, y + k % {ROWS})",
    )  # fmt: skip
    run = built(folder, f"{compiler}_{dtype}", compiler, [fastmlp.to_c(net, dtype=dtype), loop], [])
    return in_c(run, X, net(X.astype(np.float64))[:, 0], 16 * float(np.finfo(dtype).eps))


def emlearn(net: Any, compiler: str, folder: Path, X: np.ndarray) -> Job:
    """Its program of the same network."""
    import emlearn as library

    import fastmlp

    made = library.convert(fastmlp.to_sklearn(net), method="loadable", return_type="regressor")
    made.save(file=str(folder / "em.h"), name="em")
    declared = "float predicted(const float *x);"
    program = (
        '#include "em.h"\n' + f"{declared}\nfloat predicted(const float *x) {{ return em_regress1(x, {LAYERS[0]}); }}\n"
    )
    loop = LOOP.format(declared=declared, real="float", call=f"y[k % {ROWS}] = predicted(X + k % {ROWS} * {LAYERS[0]})")
    flags = [f"-I{library.includedir}", f"-I{folder}", "-w"]
    run = built(folder, f"emlearn_{compiler}", compiler, [program, loop], flags)
    return in_c(run, X, net(X.astype(np.float64))[:, 0], 1e-4)


def onnx(net: Any, X: np.ndarray) -> Job:
    """ONNX Runtime, one thread."""
    import onnxruntime

    import fastmlp

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(fastmlp.to_onnx(net).SerializeToString(), options)
    return repeat(session.run, None, {"X": X[:1]})


def network(dtype: str) -> Any:
    """The same function in both number types."""
    import fastmlp

    net = fastmlp.Network(LAYERS, dtype=dtype, rng=0)
    net.params = fastmlp.Network(LAYERS, rng=0).params
    return net


def jobs(dtype: str, compilers: list[str], folder: Path) -> dict[str, Job]:
    """All ways, of one number type."""
    net, typed = network("float64"), network(dtype)
    X = np.random.default_rng(0).normal(size=(ROWS, LAYERS[0])).astype(dtype)
    found = {f"C, {compiler}": ours_in_c(net, compiler, folder, X) for compiler in compilers}
    row, out = X[:1].copy(), np.empty((1, 1), dtype)
    found["Python, net(x)"] = repeat(typed, row)
    found["Python, predict(x, out=)"] = lambda n: [typed.predict(row, out=out) for _ in range(n)]
    if find_spec("onnxruntime"):
        found["ONNX Runtime"] = onnx(typed, X)
    if dtype == "float32" and find_spec("emlearn"):
        found |= {f"emlearn, {compiler}": emlearn(net, compiler, folder, X) for compiler in compilers}
    return found


def rows(seconds: dict[str, float], dtype: str) -> list[dict[str, str]]:
    """For the table, with what acceptance asks of the first compiler."""
    base, other = seconds["Python, net(x)"], seconds.get("ONNX Runtime")
    result = []
    for name, time in seconds.items():
        goal = met = ""
        if name.startswith("C, "):
            goal = f"{GOALS[dtype]} of Python" + (f", ONNX Runtime / {TIMES_ONNX:g}" if other else "")
            met = "yes" if time <= GOALS[dtype] * base and time * TIMES_ONNX <= (other or np.inf) else "no"
        result.append({"what": name, "type": dtype, "time": duration(time), "over Python's": number(time / base),
                       "goal": goal, "met": met})  # fmt: skip
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number type")
    there = [each for each in ("gcc", "clang-19", "clang") if shutil.which(each)][:2]
    parser.add_argument("--compilers", nargs="+", default=there)
    options = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for dtype in REALS:
            timings = interleave(jobs(dtype, options.compilers, Path(folder)), options.seconds)
            lines += rows({name: timing.minimum for name, timing in timings.items()}, dtype)
    print(f"load {os.getloadavg()[0]:.1f}\n{table(lines)}")


if __name__ == "__main__":
    main()
