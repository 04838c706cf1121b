"""Threads and signals that meet the first use of SciPy, or another import that is under way."""

import signal
import sys
import threading

import pytest

from fastmlp import _memory
from interrupting import run


def test_threads_whose_first_calls_come_together_wait_for_scipy():
    program = """
    X = np.random.default_rng(0).normal(size=(50, 3))
    wrong = []
    def work(i):
        time.sleep(0.02 * i)
        try:
            fastmlp.Network([3, 4, 1], rng=i).fit(X, X[:, 0], ("lm", "bfgs", "lbfgs")[i % 3], max_iter=2)
        except Exception as error:
            wrong.append(repr(error))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(len(wrong), *wrong[:1])
    """
    assert run(program) == ["0"]


@pytest.mark.parametrize("after", [0.02, 0.08, 0.15, 0.25])
def test_ctrl_c_during_the_first_use_of_scipy_leaves_it_whole(after):
    program = f"""
    X = np.random.default_rng(0).normal(size=(50, 3))
    net = fastmlp.Network([3, 4, 1], rng=0)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, {after})
    try:
        while True:
            net.fit(X, X[:, 0], "bfgs", max_iter=2)
    except KeyboardInterrupt:
        pass
    print(net.fit(X, X[:, 0], "bfgs", max_iter=2).nit)
    """
    assert run(program) == ["2"]


def test_a_module_that_is_half_imported_is_waited_for_by_another_thread(tmp_path, monkeypatch):
    """Python's lock of imports would stay taken where a signal's exception meets the main thread within it."""
    (tmp_path / "slowly_imported.py").write_text("import time\ntime.sleep(0.5)\n")
    monkeypatch.syspath_prepend(tmp_path)
    importers, original = [], _memory._imported

    def imported(module):
        importers.append(threading.current_thread())
        return original(module)

    monkeypatch.setattr(_memory, "_imported", imported)
    before = signal.signal(signal.SIGALRM, lambda *_: signal.default_int_handler(signal.SIGINT, None))
    try:
        for _ in range(2):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                _memory.undisturbed("slowly_imported", "a test")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    module = _memory.undisturbed("slowly_imported", "a test")
    assert len(importers) == 3
    assert threading.main_thread() not in importers
    assert _memory.undisturbed("slowly_imported", "a test") is module is sys.modules.pop("slowly_imported")
    assert importers[3] is threading.main_thread()


@pytest.mark.parametrize("operation", ["fit_evidence", "lekprofile", "prune", "fit lm", "save, load, from_sklearn"])
def test_nothing_is_imported_but_by_way_of_memory_that_was_asked_for(operation):
    """Where Python's compiler gets no memory it may raise SystemError, which `_memory` tells as MemoryError."""
    program = f"""
    import sys, traceback
    sys.path.insert(0, "tests")
    import limits
    problem, strays = limits.Problem(1000, 1), []
    def hook(event, arguments):
        if event == "import" and "_imported" not in "".join(traceback.format_stack()):
            strays.append(arguments[0])
    sys.addaudithook(hook)
    limits.OPERATIONS[{operation!r}](problem)
    print(*strays or ["none"])
    """
    assert run(program) == ["none"]
