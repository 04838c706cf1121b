"""Folders of finished runs: killed at any point, a call goes on to the same bits; other settings are refused."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

import fastmlp
from cases import sinusoid
from executors import Backwards
from fastmlp import replacement
from fastmlp.checkpoint import MANIFEST
from fastmlp.runs import tasks
from test_sweep import same

X, T = sinusoid(20, 0)
DECAY = fastmlp.WeightDecay(1e-3, 1e-3)
HOW = {"hidden_sizes": (1, 3), "n_starts": 8, "validation": 0.3, "max_iter": 20, "rng": 0, "n_threads": 1}


class Bowl:
    """A term that is not weight decay."""

    def __init__(self, height=1.0):
        self.height = height

    def value(self, params):
        return float(self.height * params @ params)

    def value_and_grad(self, params):
        return self.value(params), 2 * self.height * params


@pytest.fixture(scope="module")
def whole():
    return fastmlp.sweep(X, T, **HOW)


@pytest.fixture
def trained(monkeypatch):
    """Numbers of the networks that are trained, as they are begun."""
    numbers = []
    for name in ("_at_once", "_by_itself"):
        monkeypatch.setattr(tasks, name, noting(getattr(tasks, name), numbers))
    return numbers


def noting(function, numbers):
    def noted(some, *others):
        numbers.extend(some)
        return function(some, *others)

    return noted


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".npz")


def test_what_is_there_is_not_trained_again(tmp_path, whole, trained):
    assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path / "new" / "folder"))
    folder = tmp_path / "new" / "folder"
    assert sorted(trained) == list(range(16))
    assert len(files(folder)) == 4
    trained.clear()
    again = fastmlp.sweep(X, T, **HOW, checkpoint=str(folder))
    assert same(whole, again)
    assert [run.nit for run in again.runs] == [run.nit for run in whole.runs]
    assert trained == []
    (folder / files(folder)[1]).unlink()
    assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=folder, executor=Backwards()))
    assert len(trained) == 4


CASES = {
    "folds, standardized": {"validation": None, "folds": 2, "standardize": True, "n_starts": 2},
    "float32, lbfgs": {"dtype": "float32", "method": "lbfgs", "n_starts": 2},
    "adam": {"method": "adam", "learning_rate": fastmlp.schedules.step_decay(0.01, 0.5, 5), "n_starts": 2},
    "terms": {"penalties": [None, DECAY + Bowl()], "n_starts": 2},
    "diverged": {"method": "sgd", "learning_rate": 1e9, "n_starts": 2},
}


@pytest.mark.parametrize("case", CASES)
def test_all_kinds_of_results_come_back_to_the_bit(case, tmp_path):
    expected = fastmlp.sweep(X, T, **HOW | CASES[case])
    for _ in range(2):
        found = fastmlp.sweep(X, T, **HOW | CASES[case], checkpoint=tmp_path)
        for one, other in zip(found.runs, expected.runs, strict=True):
            assert np.array_equal(one.params, other.params, equal_nan=True)
            assert one.units == other.units
            assert repr(one) == repr(other)


def test_fit_many_goes_on_to_the_same_results(tmp_path, trained):
    def networks():
        return [fastmlp.Network([1, M, 1], rng=M, dtype=dtype) for M in (2, 3, 5) for dtype in ("float64", "float32")]

    nets, again = networks(), networks()
    expected = fastmlp.fit_many(nets, X, T, standardize=True, max_iter=10, checkpoint=tmp_path, n_threads=1)
    trained.clear()
    found = fastmlp.fit_many(again, X, T, standardize=True, max_iter=10, checkpoint=tmp_path, n_threads=1)
    assert trained == []
    assert nets == again
    for each, other in zip(found, expected, strict=True):
        assert repr(dict(each)) == repr(dict(other))
    with pytest.raises(ValueError, match="with others: networks; take another folder"):
        fastmlp.fit_many(networks()[:5], X, T, standardize=True, max_iter=10, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"with others: call \(fit_many there, sweep here\); take"):
        fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)


PROGRAM = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from cases import sinusoid
import fastmlp
from fastmlp.runs import anywhere, tasks

folder, workers, n_starts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
begun = os.open(folder + ".begun", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
train = tasks._at_once

def noted(some, *others):
    os.write(begun, f"{len(some)}\\n".encode())
    train(some, *others)

tasks._at_once = noted  # which forks have, too
anywhere.SECONDS = 0.02
options = dict(hidden_sizes=range(1, 11), n_starts=n_starts, validation=0.3, rng=0, max_iter=200, checkpoint=folder)
if workers == 0:
    fastmlp.sweep(*sinusoid(20, 0), n_threads=1, **options)
else:
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as executor:
        fastmlp.sweep(*sinusoid(20, 0), executor=executor, **options)
"""


@pytest.mark.parametrize(
    ("workers", "n_starts", "n_files"), [(0, 10, 3), (2, 10, 3), pytest.param(2, 300, 60, marks=pytest.mark.slow)]
)
def test_a_sweep_that_is_killed_goes_on_where_it_was(workers, n_starts, n_files, tmp_path, trained):
    program, folder = tmp_path / "program.py", tmp_path / "folder"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, os.path.dirname(__file__)])}
    command = [sys.executable, str(program), str(folder), str(workers), str(n_starts)]
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        while process.poll() is None and (not folder.exists() or len(files(folder)) < n_files):
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
    kept = [len(json.loads(np.load(folder / name)["manifest.json"])["runs"]) for name in files(folder)]
    begun = [int(line) for line in (tmp_path / "folder.begun").read_text().split()]
    assert n_files <= len(kept) < len(begun) + 1
    assert len(begun) - len(kept) <= 2 * max(workers, 1)  # in work, or come while a file was written
    how = HOW | {"hidden_sizes": range(1, 11), "n_starts": n_starts, "max_iter": 200}
    expected = fastmlp.sweep(X, T, **how)
    trained.clear()
    found = fastmlp.sweep(X, T, **how, checkpoint=folder)
    assert same(expected, found)
    assert len(trained) == 10 * n_starts - sum(kept)


# ---- refusals ----

OTHERS = {
    "max_iter (20 there, 30 here);": {"max_iter": 30},
    "n_starts (8 there, 9 here);": {"n_starts": 9},
    "rng ((0, (0,)) there, (1, (0,)) here)": {"rng": 1},
    "penalties;": {"penalties": DECAY},
    "method ('lm' there, 'lbfgs' here), ": {"method": "lbfgs"},
    "damping (0.001 there, 0.1 here);": {"damping": 0.1},
    "fixed (None there, 'b1' here);": {"fixed": "b1"},
    "init (['glorot'] there, [0.3] here);": {"init": 0.3},
    "init;": {"init": lambda net, rng: np.ones(net.n_params)},
    "hidden ('tanh' there, 'logistic' here);": {"hidden": "logistic"},
    "loss ('squared_error' there, 'poisson' here)": {"output": "exp", "T": abs(T)},
}


@pytest.mark.parametrize("named", OTHERS)
def test_other_settings_are_refused_by_name(named, tmp_path):
    fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"^checkpoint: expected the folder of a call with the same data") as caught:
        fastmlp.sweep(X, **{"T": T} | HOW | OTHERS[named], checkpoint=tmp_path)
    assert named in str(caught.value)


def test_other_data_are_refused_by_name(tmp_path):
    how = HOW | {"validation": (X, T)}
    fastmlp.sweep(X, T, **how, checkpoint=tmp_path)
    fastmlp.sweep(X.tolist(), T.tolist(), **how, checkpoint=tmp_path)  # the same numbers
    with pytest.raises(ValueError, match="with others: X; take"):
        fastmlp.sweep(np.nextafter(X, 9), T, **how, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="with others: T; take"):
        fastmlp.sweep(X, 2 * T, **how, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="with others: validation; take"):
        fastmlp.sweep(X, T, **how | {"validation": (X, 2 * T)}, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="with others: sample_weight; take"):
        fastmlp.sweep(X, T, sample_weight=np.ones(20), **how, checkpoint=tmp_path)


def test_another_build_is_refused_by_name(tmp_path, monkeypatch):
    fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)
    monkeypatch.setattr("fastmlp._executors.__version__", "9.9.9")
    with pytest.raises(ValueError, match=r"version of fastmlp \(.* there, 9\.9\.9 here\)"):
        fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)


def test_settings_are_the_same_after_they_were_used(tmp_path):
    terms = [fastmlp.TangentPropagation("inputs", 0.1), fastmlp.Quadratic(np.ones(10), np.eye(10)), DECAY]
    how = HOW | {"hidden_sizes": (3,), "n_starts": 1, "penalties": terms}
    expected = fastmlp.sweep(X, T, **how, checkpoint=tmp_path)
    assert same(expected, fastmlp.sweep(X, T, **how, checkpoint=tmp_path))


def test_what_draws_needs_a_seed(tmp_path):
    for call in (
        lambda: fastmlp.sweep(X, T, **HOW | {"rng": None}, checkpoint=tmp_path),
        lambda: fastmlp.fit_many([fastmlp.Network([1, 1])], X, T, "adam", checkpoint=tmp_path),
        lambda: fastmlp.fit_many([fastmlp.Network([1, 1])], X, T, validation=0.3, checkpoint=tmp_path),
    ):
        with pytest.raises(ValueError, match=r"^rng: expected an int with checkpoint="):
            call()
    with pytest.raises(TypeError, match=r"^penalties: expected what can be pickled, with checkpoint="):
        fastmlp.sweep(X, T, **HOW, penalties=Bowl(lambda: 0), checkpoint=tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---- disks ----


@pytest.mark.parametrize("damage", ["cut", "a bit", "foreign", "empty"])
def test_damaged_files_are_named_and_their_runs_trained_again(damage, tmp_path, whole, trained):
    fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)
    trained.clear()
    path = tmp_path / files(tmp_path)[2]
    content = bytearray(path.read_bytes())
    if damage == "a bit":
        content[len(content) // 2] ^= 4
    if damage == "foreign":
        fastmlp.sweep(X, T, **HOW | {"max_iter": 3}, checkpoint=tmp_path / "other")
        content = (tmp_path / "other" / path.name).read_bytes()
        trained.clear()
    path.write_bytes({"cut": content[:-3], "empty": b""}.get(damage, content))
    with pytest.warns(fastmlp.CheckpointWarning, match=f"{path.name} is damaged") as said:
        assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path))
    assert [each.filename for each in said] == [__file__]
    assert len(trained) == 4
    assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path))  # mended


def test_a_damaged_manifest_is_named_and_written_anew(tmp_path, whole, trained):
    fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)
    trained.clear()
    for content in (b"{", b"[]", b'{"format": 1}', b"\xff"):
        (tmp_path / MANIFEST).write_bytes(content)
        with pytest.warns(fastmlp.CheckpointWarning, match=f"{MANIFEST} is damaged"):
            assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path))
    assert trained == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)


def test_a_full_disk_is_told_once_and_nothing_is_lost(tmp_path, whole, monkeypatch):
    write, full = replacement.write, [True]

    def write_or_fail(path, *others, **how):
        if full[0] and not path.endswith(MANIFEST):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, *others, **how)

    monkeypatch.setattr(replacement, "write", write_or_fail)
    with pytest.warns(fastmlp.CheckpointWarning, match="runs cannot be kept .*No space left on device") as said:
        assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path))
    assert len(said) == 1
    assert str(tmp_path) in str(said[0].message)
    assert files(tmp_path) == []
    full[0] = False
    assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path))
    assert len(files(tmp_path)) == 4


def test_folders_that_cannot_be_made_are_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="checkpoint: expected a folder that can be written") as caught:
        fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path / "file")
    assert caught.value.filename == str(tmp_path / "file")
    with pytest.raises(TypeError, match=r"^checkpoint: expected a str or path-like, got 3"):
        fastmlp.sweep(X, T, **HOW, checkpoint=3)
    (tmp_path / "something.npz").mkdir()


def test_what_a_time_limit_has_ended_is_trained_by_the_next_call(tmp_path, whole):
    cut = fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path, time_limit=0.0)
    assert not same(whole, cut)
    assert files(tmp_path) == []
    assert same(whole, fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path))


def test_progress_counts_what_is_there(tmp_path, capsys):
    fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path)
    fastmlp.sweep(X, T, **HOW, checkpoint=tmp_path, verbose=2)
    assert capsys.readouterr().out == "sweep 16/16\n"
