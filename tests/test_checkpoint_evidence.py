"""Folders of searches by the evidence: killed at any point, a call goes on to the same bits; others are refused."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import fastmlp
from executors import Backwards
from fastmlp import Chunks, replacement
from fastmlp.bayes import journal
from fastmlp.checkpoint import MANIFEST
from fastmlp.optimize import settled

rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, (60, 2))
T = np.sin(2 * X[:, :1]) + 0.1 * rng.normal(size=(60, 1))
LABELS = (X[:, 0] > 0).astype(int) + (T[:, 0] > 0.5)
pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning")
HOW = {"n_starts": 3, "hidden": (2, 3), "rng": 0, "n_threads": 1}


def search(checkpoint=None, data=(X, T), **how):
    return fastmlp.fit_evidence(fastmlp.Network([2, 2, 1], rng=0), *data, checkpoint=checkpoint, **HOW | how)


def same(one, other):
    """To the bit, of all starts."""

    def told(start):
        found = start.posterior
        precisions = [*found.group_precisions.values()]
        return start.hidden, start.number, found.stationary, found.log_evidence, precisions, found.params.tolist()

    histories = ((a.posterior.history, b.posterior.history) for a, b in zip(one.starts, other.starts, strict=True))
    return list(map(told, one.starts)) == list(map(told, other.starts)) and all(
        np.array_equal(a[name], b[name]) for a, b in histories for name in a
    )


@pytest.fixture(scope="module")
def whole():
    return search()


@pytest.fixture
def trained(monkeypatch):
    """Trainings, as they are begun; the last one that is left is interrupted."""

    class Trained(list):
        left = np.inf

    made = Trained()

    def noted(function):
        def train(*arguments, **named):
            made.append(function.__name__)
            if len(made) > made.left:
                raise KeyboardInterrupt
            return function(*arguments, **named)

        return train

    for name in ("to_minimum", "towards"):
        monkeypatch.setattr(settled, name, noted(getattr(settled, name)))
    return made


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".npz")


def test_what_is_there_is_not_trained_again(tmp_path, whole, trained):
    assert same(whole, search(tmp_path))
    assert len(trained) > 30
    assert len(files(tmp_path)) == 6
    trained.clear()
    assert same(whole, search(tmp_path))
    assert trained == []
    (tmp_path / files(tmp_path)[1]).unlink()
    assert same(whole, search(tmp_path, executor=Backwards()))
    assert 0 < len(trained) < 20


def test_a_call_that_ends_within_a_start_goes_on_there(tmp_path, whole, trained, monkeypatch):
    monkeypatch.setattr(journal, "SECONDS", 0.0)
    search()
    n_trainings, ended = len(trained), 0
    for after in (0, 1, 2, 7, 15, 23):
        trained.clear()
        trained.left = after
        with pytest.raises(KeyboardInterrupt):
            search(tmp_path)
        ended += after
    trained.clear()
    trained.left = np.inf
    assert same(whole, search(tmp_path))
    assert len(trained) == n_trainings - ended


CASES = {
    "classes": {"data": (X, LABELS), "net": ([2, 2, 3], {"output": "softmax"})},
    "ard, average": {"groups": "ard", "combine": "average"},
    "fixed point": {"method": "fixed_point"},
    "two outputs, sigma": {"data": (X, np.hstack([T, T**2])), "net": ([2, 2, 2], {}), "sigma": np.full(60, 0.1)},
    "more inputs than samples": {"data": (np.hstack([X] * 40), T), "net": ([80, 2, 1], {}), "max_iter": 5},
    "chunks": {"data": (Chunks(X, T, rows=25),)},
    "without noise": {"data": (X, np.sin(X[:, :1])), "max_iter": 20},
}


@pytest.mark.parametrize("case", CASES)
def test_all_kinds_of_searches_go_on(case, tmp_path, trained):
    how = {"net": ([2, 2, 1], {}), "data": (X, T), "n_starts": 2, "rng": 0, "n_threads": 1} | CASES[case]
    (layers, named), data = how.pop("net"), how.pop("data")

    def run(folder):
        return fastmlp.fit_evidence(fastmlp.Network(layers, rng=0, **named), *data, checkpoint=folder, **how)

    expected = run(None)
    assert same(expected, run(tmp_path))
    trained.clear()
    assert same(expected, run(tmp_path))
    assert trained == []


PROGRAM = """
import sys
from fastmlp.bayes import journal
from test_checkpoint_evidence import search

journal.SECONDS = 0.0
search(sys.argv[1], n_threads=2)
"""


def test_a_search_that_is_killed_goes_on_where_it_was(tmp_path, whole, trained):
    program, folder = tmp_path / "program.py", tmp_path / "folder"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, os.path.dirname(__file__)])}
    with subprocess.Popen([sys.executable, str(program), str(folder)], env=environment) as process:
        while process.poll() is None and (not folder.exists() or len(files(folder)) < 2):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert len([name for name in os.listdir(folder) if name.endswith(".tmp")]) <= 1
    search()
    n_trainings = len(trained)
    trained.clear()
    assert same(whole, search(folder))
    assert len(trained) < n_trainings


# ---- refusals ----

OTHERS = {
    "max_iter (200 there, 30 here);": {"max_iter": 30},
    "hidden ([2, 3] there, [2, 4] here);": {"hidden": (2, 4)},
    "rng ((0, (), 0) there, (1, (), 0) here)": {"rng": 1},
    "groups ('layers' there, 'ard' here)": {"groups": "ard"},
    "prior_precision (0.1 there, 0.2 here)": {"prior_precision": 0.2},
    "with others: X, T;": {"standardize": False},
    "with others: X;": {"data": (np.nextafter(X, 9), T)},
    "with others: T;": {"data": (X, 2 * T)},
    "with others: sample_weight;": {"sample_weight": np.full(60, 0.5)},
    "noise ('per_output' there, 'shared' here), sigma;": {"sigma": np.full(60, 0.1)},
}


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taken")
    search(folder)
    return folder


@pytest.mark.parametrize("named", OTHERS)
def test_other_problems_are_refused_by_name(named, taken):
    with pytest.raises(ValueError, match=r"^checkpoint: expected the folder of a call with the same data") as caught:
        search(taken, **OTHERS[named])
    assert named in str(caught.value)


def test_the_same_numbers_are_the_same_problem(taken, whole, trained):
    assert same(whole, search(taken, (X.tolist(), T[:, 0]), prior_precision=np.float64(0.1)))
    assert trained == []


def test_other_calls_and_what_draws_without_a_seed(tmp_path):
    fastmlp.sweep(X, T, (1,), n_starts=1, folds=2, rng=0, max_iter=2, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"with others: call \(sweep there, fit_evidence here\)"):
        search(tmp_path)
    with pytest.raises(ValueError, match=r"^rng: expected an int with checkpoint="):
        search(tmp_path / "other", rng=None)
    net = fastmlp.Network([2, 2, 1], rng=0)
    fastmlp.fit_evidence(net, X, T, checkpoint=tmp_path / "one", max_iter=1)  # draws nothing
    assert len(files(tmp_path / "one")) == 1


# ---- disks ----


def test_a_damaged_file_is_named_and_its_start_trained_again(tmp_path, whole, trained):
    search(tmp_path)
    path = tmp_path / files(tmp_path)[2]
    path.write_bytes(path.read_bytes()[:-3])
    trained.clear()
    with pytest.warns(fastmlp.CheckpointWarning, match=f"{path.name} is damaged") as said:
        assert same(whole, search(tmp_path))
    assert [each.filename for each in said] == [__file__]
    assert 0 < len(trained) < 20


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_full_disk_is_told_once(n_threads, tmp_path, whole, monkeypatch):
    def write_or_fail(path, *others, **how):
        if not path.endswith(MANIFEST):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, *others, **how)

    write = replacement.write
    monkeypatch.setattr(replacement, "write", write_or_fail)
    with pytest.warns(fastmlp.CheckpointWarning, match="runs cannot be kept .*No space left on device") as said:
        assert same(whole, search(tmp_path, n_threads=n_threads))
    assert [each.filename for each in said] == [__file__]


def test_what_a_time_limit_has_ended_is_trained_by_the_next_call(tmp_path, whole):
    search(tmp_path, time_limit=0.0)
    search(tmp_path, time_limit=0.2)
    assert same(whole, search(tmp_path))
