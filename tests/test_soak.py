"""The soak of `bench/soak.py` for a second, and what it calls wrong."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import soak
from soak import State

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it looks at /proc"),
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),  # JAX's
    *(pytest.mark.filterwarnings(f"ignore::{each.__module__}.{each.__name__}") for each in soak.EXPECTED),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("soak"))


SECOND = """
import sys
import soak
soaked = soak.Soak(sys.argv[1])
soaked.run(1.0, n_threads=8, period=0.1)
print(soak.report(soaked))
print(dict(soaked.wrong), soaked.done["children"] >= 1, sum(soaked.done.values()) > 20)
"""


def test_threads_and_children_get_the_bits_of_one_alone(folder):
    # in a process of its own: others' libraries, such as JAX, may be in this one, with threads that a fork leaves
    done = subprocess.run(
        [sys.executable, "-c", SECOND, folder], cwd=Path(soak.__file__).parent, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| children |" in done.stdout
    assert done.stdout.splitlines()[-1] == "{} True True", done.stdout


def test_other_bits_an_exception_and_a_child_that_dies_are_told(folder, monkeypatch):
    works = {
        "other": lambda problem, n: [np.array(threading.current_thread() is threading.main_thread())],
        "raises": lambda problem, n: [1 // (threading.current_thread() is threading.main_thread())],
    }
    monkeypatch.setattr(soak, "WORK", works)
    soaked = soak.Soak(folder)
    worker = threading.Thread(target=soaked.shift, args=(0,))
    worker.start()
    worker.join()
    assert {
        "other, float32: other bits",
        "raises, float64: ZeroDivisionError: integer division or modulo by zero",
    } <= set(soaked.wrong)
    main = os.getpid()
    monkeypatch.setattr(soaked, "piece", lambda *_: os.getpid() == main or os.kill(os.getpid(), 9))
    soaked.fork(0)
    assert soaked.wrong["a child: -9"] == 1
    monkeypatch.setattr(soaked, "piece", lambda *_: ("it", "it is wrong"))
    soaked.fork(0)
    assert soaked.wrong["a child was wrong"] == 1


def test_pieces_are_of_all_kinds_by_chance(folder):
    soaked, chance = soak.Soak(folder), random.Random(0)
    names = {name for name, wrong in (soaked.piece(chance) for _ in range(150)) if wrong is None}
    assert names == set(soak.WORK)


def rested(folder, states, after, n_threads=8):
    """What is said of samples taken while eight work, and of those after."""
    soaked = soak.Soak(folder)
    soaked.states, soaked.rest, soaked.after = states, State(90_000_000, 5, 2), after
    soaked.limit = 2 + n_threads * soak.TEAM
    return soaked.growth()


def test_growth_of_memory_is_what_the_last_quarter_has_more_than_the_first(folder):
    after = State(100_000_000, 5, 2)
    flat = [State(100_000_000 + 1_000_000 * (i % 3), 6 + i % 2, 13) for i in range(40)]
    assert rested(folder, flat, after) == []
    leaks = [State(each.resident + 1_000_000 * i, *each[1:]) for i, each in enumerate(flat)]
    assert [each.partition(" ")[0] for each in rested(folder, leaks, after)] == ["resident"]


def test_descriptors_and_threads_are_counted_while_nobody_works(folder):
    """Under load the work of a quarter may be another: no number of threads up to all teams says anything."""
    busy = [State(100_000_000, 6 + i // 20, 5 + i // 4) for i in range(40)]
    assert rested(folder, busy, State(100_000_000, 5, 2)) == []
    told = rested(folder, busy, State(100_000_000, 6, 3))
    assert told == ["descriptors grew from 5 to 6", "threads grew from 2 to 3"]
    crowd = [State(100_000_000, 6, 19)] * 40
    expected = ["threads: 19 half of the time, 18 with all teams of all workers"]
    assert rested(folder, crowd, State(100_000_000, 5, 2)) == expected


@pytest.mark.parametrize("leaks", ["threads", "descriptors", None])
def test_one_thread_or_descriptor_that_stays_is_a_leak(leaks, folder, monkeypatch):
    over, opened = threading.Event(), []

    def leak():
        if leaks == "threads" and threading.active_count() < 20:
            threading.Thread(target=over.wait, daemon=True).start()
        elif leaks == "descriptors":
            opened.append(os.open(os.devnull, os.O_RDONLY))

    def work(problem, n):
        if threading.current_thread() is not threading.main_thread() and not done:
            done.append(leak())
        time.sleep(0.001)
        return [0]

    done = []
    monkeypatch.setattr(soak, "WORK", {"it": work})
    monkeypatch.setattr(soak, "REST", 1)
    soaked = soak.Soak(folder)
    monkeypatch.setattr(soaked, "fork", lambda *_, **__: None)
    soaked.run(0.5, n_threads=2, period=0.05)
    over.set()
    for each in opened:
        os.close(each)
    assert [each.partition(" ")[0] for each in soaked.growth()] == ([leaks] if leaks else [])
