"""Worker processes of every kind: they answer, with the parent's results, whichever OpenMP the parent has used."""

import os
import subprocess
import sys

import pytest

TASK = """
import ctypes, multiprocessing, os, pickle, signal, sys, warnings
import numpy as np

HANGS = 20  # seconds
USED_IN_PARENT, KIND = sys.argv[1:]
if __name__ == "__main__" and USED_IN_PARENT == "scikit-learn":
    from sklearn.metrics import pairwise_distances_argmin
if not USED_IN_PARENT.endswith("only in the child"):
    import fastmlp

def compute():
    "Results, the warnings given, and whether the process takes itself for the child of a fork."
    import fastmlp
    from fastmlp.config import config

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net = fastmlp.Network([8, 50, 50, 1], rng=0)
        X = np.random.default_rng(0).normal(size=(5_000, 8))
        results = [net.predict(X, n_threads=2), *net.loss_and_grad(X, np.sin(X[:, 0]), n_threads=2)]
        net.fit(X, np.sin(X[:, 0]), "adam", max_iter=1, rng=0, batch_size=1000, n_threads=2)
        results.append(net.params)
    return results, [warning.category.__name__ for warning in caught], config()["child of a fork"] != "no"

def use_openmp():
    "In the way of the library that is to have used it."
    if USED_IN_PARENT.startswith("fastmlp"):
        compute()
    elif USED_IN_PARENT.startswith("scikit-learn"):
        X = np.random.default_rng(0).normal(size=(5_000, 4))
        pairwise_distances_argmin(X, X[:100])
    elif USED_IN_PARENT.startswith("libgomp"):
        gomp, getpid = ctypes.CDLL("libgomp.so.1"), ctypes.CDLL(None).getpid
        gomp.GOMP_parallel(getpid, None, 2, 0)

def report(result, expected):
    numbers, warned, forked = result
    assert all(np.array_equal(a, b) for a, b in zip(numbers, expected[0], strict=True))
    print(forked, *warned, flush=True)
"""

WORKERS = """
if __name__ == "__main__":
    use_openmp()
    if KIND in ("loky", "multiprocessing"):
        import joblib

        results = joblib.Parallel(2, backend=KIND, timeout=HANGS)(joblib.delayed(compute)() for _ in range(2))
    else:
        pool = multiprocessing.get_context(KIND).Pool(2)
        results = [task.get(HANGS) for task in [pool.apply_async(compute) for _ in range(2)]]
        pool.terminate()
    expected = compute()
    assert expected[1:] == ([], False)
    for result in results:
        report(result, expected)
"""

BARE_FORK = """
use_openmp()
child = os.fork()
if child == 0:
    signal.alarm(HANGS)
    with open("result", "wb") as file:
        pickle.dump(compute(), file)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
with open("result", "rb") as file:
    report(pickle.load(file), compute())
"""


def run(tmp_path, program, *arguments):
    """Run a program as a file, which children may import; the lines it prints."""
    path = tmp_path / "program.py"
    path.write_text(TASK + program)
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


@pytest.mark.parametrize(
    "used_in_parent", ["nothing", "fastmlp", "scikit-learn", "libgomp, and fastmlp only in the child"]
)
@pytest.mark.parametrize("kind", ["fork", "multiprocessing"])
def test_forked_workers_compute_on_one_thread_and_are_warned_once(tmp_path, kind, used_in_parent):
    lines = run(tmp_path, WORKERS, used_in_parent, kind)
    assert len(lines) == 2
    assert lines[0] == "True ForkWarning"
    assert lines[1] in ("True ForkWarning", "True")  # one worker may have done both tasks


@pytest.mark.parametrize("used_in_parent", ["fastmlp", "libgomp, and fastmlp only in the child"])
def test_a_process_forked_by_hand_computes_on_one_thread_and_is_warned_once(tmp_path, used_in_parent):
    assert run(tmp_path, BARE_FORK, used_in_parent, "by hand") == ["True ForkWarning"]


@pytest.mark.parametrize("used_in_parent", ["fastmlp", "scikit-learn"])
@pytest.mark.parametrize("kind", ["spawn", "forkserver", "loky"])
def test_started_workers_have_all_threads(tmp_path, kind, used_in_parent):
    assert run(tmp_path, WORKERS, used_in_parent, kind) == ["False", "False"]


def test_a_fork_server_that_has_computed_puts_its_threads_down(tmp_path):
    preloaded = """
import numpy as np, fastmlp
fastmlp.Network([8, 50, 50, 1], rng=0).predict(np.ones((5_000, 8)), n_threads=2)
"""
    (tmp_path / "preloaded.py").write_text(preloaded)
    preload = 'multiprocessing.set_forkserver_preload(["preloaded"])'
    program = WORKERS.replace("    use_openmp()", f"    {preload}")
    assert run(tmp_path, program, "nothing", "forkserver") == ["False", "False"]
