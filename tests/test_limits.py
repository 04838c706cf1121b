"""Too little memory and no threads: MemoryError or one thread with a warning, never the end of the process."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import fastmlp
import limits
from fastmlp import _memory, _threads
from fastmlp._core.threads import crew

QUICK = ("predict", "hessian", "fit bfgs", "Laplace", "fit_evidence")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("expected")


@pytest.mark.parametrize("limit", [2, 64, "threads"])
@pytest.mark.parametrize("operation", QUICK)
def test_before_any_call(operation, limit, folder):
    assert limits.ending(operation, "cold", limit, 2, folder) in limits.ALLOWED


@pytest.mark.parametrize("limit", [1, 16])
@pytest.mark.parametrize("operation", QUICK)
def test_after_a_call(operation, limit, folder):
    assert limits.ending(operation, "warm", limit, 1, folder) in limits.ALLOWED


def test_one_thread_is_told_of(folder):
    assert limits.ending("hessian", "cold", "threads", 2, folder) == "right, warned"
    assert limits.ending("hessian", "cold", "threads", 1, folder) == "right"
    assert limits.ending("hessian", "warm", "threads", 2, folder) == "right"  # the threads were there before


@pytest.mark.parametrize(
    ("stack", "expected"),
    [("1 K", "right"), ("20 K", "right, warned"), ("100 G", "right, warned"), ("garbage", "right"), ("2M", "right")],
)
def test_stacks(stack, expected, folder):
    assert limits.ending("predict", "cold", "none", 2, folder, OMP_STACKSIZE=stack) == expected


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("operation", limits.OPERATIONS)
def test_every_operation_under_some_limits(operation, folder):
    """A seventh of the table, which takes half an hour as a whole: `python tests/limits.py`."""
    endings = {
        (state, limit, n_threads, *environment.values()): limits.ending(
            operation, state, limit, n_threads, folder, **environment
        )
        for each, state, limit, n_threads, environment in list(limits.cases())[::7]
        if each == operation
    }
    assert {case: ended for case, ended in endings.items() if ended not in limits.ALLOWED} == {}


AGAIN = """
import resource, sys, warnings
import numpy as np
import numpy.random
import fastmlp
sys.path.insert(0, "tests")
import limits

X = np.ones((20_000, 8))
free = resource.getrlimit(resource.RLIMIT_AS)

def call(n_threads, mb):
    resource.setrlimit(resource.RLIMIT_AS, (limits.in_use() + mb * limits.MB, free[1]) if mb else free)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fastmlp.Network([8, 50, 1], rng=0).predict(X, n_threads=n_threads)  # who has not found out what pays
    time.sleep(0.15)  # after which threads are asked for again
    threads = len([name for name in os.listdir("/proc/self/task")])
    return threads, [(each.category.__name__, each.filename) for each in caught]

import os, time
before = len(os.listdir("/proc/self/task"))
for n_threads, mb in ((2, 4), (2, 4), (2, 0), (3, 4), (2, 0), (3, 0)):
    threads, warned = call(n_threads, mb)
    print(threads - before, *warned)
"""


def test_it_warns_once_at_the_callers_line_and_a_later_call_tries_again():
    done = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["0 ('ThreadWarning', '<string>')", "0", "1", "1", "1", "2"], done.stderr


def test_a_warning_that_is_an_error_is_raised():
    program = """
import warnings; warnings.simplefilter("error")
import numpy as np, fastmlp
net = fastmlp.Network([8, 50, 1], rng=0)
try:
    net.predict(np.ones((20_000, 8)), n_threads=2)
except fastmlp.ThreadWarning as warning:
    print(warning)
print(net.predict(np.ones((20_000, 8)), n_threads=2).shape)
"""
    environment = {**os.environ, "OMP_STACKSIZE": "100G"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    message, shape = done.stdout.splitlines()
    assert message.startswith("n_threads: expected 2 threads, got one")
    assert shape == "(20000, 1)"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 0), ({"OMP_STACKSIZE": "512"}, 512 << 10), ({"OMP_STACKSIZE": " 2 m "}, 2 << 20),
        ({"OMP_STACKSIZE": "7b"}, 7), ({"OMP_STACKSIZE": "1G"}, 1 << 30), ({"OMP_STACKSIZE": "garbage"}, 0),
        ({"OMP_STACKSIZE": "-1"}, 0), ({"OMP_STACKSIZE": "9" * 30}, 0), ({"GOMP_STACKSIZE": "64"}, 64 << 10),
        ({"OMP_STACKSIZE": "x", "GOMP_STACKSIZE": "64"}, 64 << 10), ({"OMP_STACKSIZE": "1 k k"}, 0),
    ],
)  # fmt: skip
def test_stack_sizes_are_read_as_openmp_reads_them(variables, expected):
    assert crew.stack_bytes({name.encode(): value.encode() for name, value in variables.items()}) == expected


def test_each_calling_thread_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(_threads, "_warned", {})
    net, X = fastmlp.Network([8, 50, 1], rng=0), np.random.default_rng(0).normal(size=(20_000, 8))
    expected, wrong = net.predict(X, n_threads=1), []

    def work(n_threads):
        results = [net.predict(X, n_threads=n_threads) for _ in range(20)]
        wrong.extend(n_threads for result in results if not np.array_equal(result, expected))

    threads = [threading.Thread(target=work, args=(n_threads,)) for n_threads in (2, 3, 2, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_memory_that_cannot_be_had_is_named():
    with pytest.raises(MemoryError, match=r"no memory for this: expected 1073741824 MB .*ulimit -v"):
        _memory.ask(1 << 50, "this")
    with pytest.raises(MemoryError, match=r"^no memory for this"):
        _memory.ask(1 << 80, "this")
    _memory.ask(1 << 20, "this")


@pytest.mark.parametrize(
    "error",
    [
        'SystemError("error return without exception set")',
        'ImportError("libx.so: failed to map segment from shared object")',
        'ImportError("libx.so: cannot open: Cannot allocate memory")',
    ],
)
def test_what_an_import_raises_for_want_of_memory_is_a_memory_error(error, tmp_path, monkeypatch):
    """The interpreter's compiler and importer may end without a word, its loader with an ImportError."""
    (tmp_path / "starved.py").write_text(f"raise {error}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MemoryError, match=r"libraries of Starved|to import Starved"):
        _memory.undisturbed("starved", "Starved")


FIRST = """
import os, resource, sys, warnings
import fastmlp
from fastmlp import config, datasets

def in_use():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

path = sys.argv[1]
calls = {
    "drawn": lambda: fastmlp.Network([3, 4, 1], rng=0),
    "loaded": lambda: fastmlp.load(path),
    "saved": lambda: fastmlp.load(path).save(path + "2"),
    "trained": lambda: fastmlp.load(path).fit([[1.0, 2.0, 3.0]] * 50, [[1.0]] * 50, "adam", max_iter=1),
    "data": datasets.load_yacht,
    "config": config.config,
}
free = resource.getrlimit(resource.RLIMIT_AS)
call = calls[sys.argv[2]]
warnings.simplefilter("ignore", fastmlp.ForkWarning)
for kb in (*range(0, 4096, 512), 4096, 6144, 8192, 16384):
    if os.fork() == 0:
        resource.setrlimit(resource.RLIMIT_AS, (in_use() + 1024 * kb, free[1]))
        try:
            call()
        except MemoryError:
            resource.setrlimit(resource.RLIMIT_AS, free)
            call()
        except BaseException as error:
            resource.setrlimit(resource.RLIMIT_AS, free)
            print(kb, type(error).__name__, error, flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, kb
"""


@pytest.mark.parametrize("call", ["drawn", "loaded", "saved", "trained", "data", "config"])
def test_modules_that_are_imported_late_are_there_whole_or_not_at_all(call, tmp_path):
    """numpy.random, once half imported, is so for good: what the first call has no memory for, the second one does."""
    path = tmp_path / "net"
    fastmlp.Network([3, 4, 1], rng=0).save(path)
    command = [sys.executable, "-c", FIRST, str(path), call]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr) == ("", "")


STARVED = """
import resource, signal, sys, threading
import fastmlp
from fastmlp import _memory, _threads

first = threading.Thread(target=bytes)  # whose stack the next one gets
first.start()
first.join()
call = {
    "import": lambda: _memory.undisturbed("colorsys", "it"),
    "each": lambda: _threads.each(abs, [(-1,), (-2,), (-3,)], 2),
}[sys.argv[1]]
signal.alarm(60)
free = resource.getrlimit(resource.RLIMIT_AS)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used, free[1]))
try:
    call()
except MemoryError:
    resource.setrlimit(resource.RLIMIT_AS, free)
    call()
"""


@pytest.mark.parametrize("call", ["import", "each"])
def test_a_thread_without_memory_to_begin_with_is_not_waited_for(call):
    command = [sys.executable, "-c", STARVED, call]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_masked_arrays_are_refused_without_importing_them():
    program = """
import sys
import fastmlp
net = fastmlp.Network([1, 2, 1], rng=0)
net.predict([[0.0], [1.0]])
assert "numpy.ma" not in sys.modules
import numpy.ma
for call in (lambda: net.predict(numpy.ma.ones((2, 1))), lambda: net.predict([[0.0]], out=numpy.ma.ones((1, 1)))):
    try:
        call()
    except TypeError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["X", "out"], done.stderr


def test_products_are_those_of_numpy():
    rng = np.random.default_rng(0)
    for A, B in ((rng.normal(size=(60, 70)), rng.normal(size=(70, 80))), (rng.normal(size=(3, 4, 5)), np.ones((5, 2)))):
        assert np.array_equal(_memory.product(A, B), A @ B)
