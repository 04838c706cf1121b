"""Saving and loading: to the bit, all or nothing, and as an ordinary file."""

import copy
import os
import pathlib
import pickle
import signal
import stat
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastmlp
from cases import DTYPES, HIDDEN, PAIRS, data, network
from children import fork
from fastmlp import replacement
from fastmlp.model import archive

NET = network([3, 4, 2])
DATA = pathlib.Path(__file__).parent / "data"


def loaded(net, folder):
    path = folder / "net.fastmlp"
    net.save(path)
    return fastmlp.load(path)


def pickled(net, _):
    return pickle.loads(pickle.dumps(net))


def deep_copied(net, _):
    return copy.deepcopy(net)


def same_to_the_bit(one, other):
    return repr(one) == repr(other) and one == other and one.params.tobytes() == other.params.tobytes()


# ---- round trips ----


@pytest.mark.parametrize("way", [loaded, pickled, deep_copied])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_output_and_type_comes_back_to_the_bit(tmp_path, output, loss, dtype, way):
    net = network([3, 5, 4, 2], ["relu", "sin"], output, loss, dtype)
    back = way(net, tmp_path)
    assert same_to_the_bit(back, net)
    X, T = data(net, 20)
    assert np.array_equal(back.predict(X), net.predict(X))
    assert np.array_equal(back.loss_and_grad(X, T)[1], net.loss_and_grad(X, T)[1])
    back.weights[0][0, 0] += 1  # its memory is its own, and may be written to
    assert back != net


@pytest.mark.parametrize("way", [loaded, pickled, deep_copied])
def test_every_activation_and_any_depth_comes_back(tmp_path, way):
    for net in (network([2, *[3] * len(HIDDEN), 1], list(HIDDEN)), network([2, 1]), network([1] * 300)):
        assert same_to_the_bit(way(net, tmp_path), net)


@pytest.mark.parametrize("way", [loaded, deep_copied])
@pytest.mark.parametrize("dtype", DTYPES)
def test_parameters_come_back_whatever_they_are(tmp_path, dtype, way):
    """Also those a diverged training leaves: a file keeps what was there, it is no judge of it."""
    net = network([3, 2], dtype=dtype)
    kind = np.finfo(dtype)
    strange = [np.nan, np.inf, -np.inf, -0.0, kind.smallest_subnormal, kind.max]
    net.weights[0].flat[:] = strange
    assert way(net, tmp_path).params.tobytes() == net.params.tobytes()


def test_pickle_works_in_every_protocol():
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert same_to_the_bit(pickle.loads(pickle.dumps(NET, protocol)), NET)


def test_equal_networks_make_equal_files(tmp_path):
    for name in ("a", "b"):
        NET.copy().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_of_format_version_1_loads_for_ever():
    net = fastmlp.load(DATA / "network-v1.fastmlp")
    assert repr(net) == "Network([2, 3, 2], hidden='sin', output='softmax', loss='cross_entropy', dtype='float64')"
    assert np.array_equal(net.params, (np.arange(17) - 8) / 8)
    exponentials = np.exp(np.sin([[1.0, 2.0]] @ net.weights[0].T + net.biases[0]) @ net.weights[1].T + net.biases[1])
    assert np.allclose(net.predict([[1.0, 2.0]]), exponentials / exponentials.sum(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_reads_the_parameters_without_this_library(tmp_path, dtype):
    net = network([3, 4, 2], dtype=dtype)
    path = tmp_path / "net.npz"
    net.save(path)
    with np.load(path) as archive:
        assert archive.files == ["manifest.json", "params"]
        assert archive["params"].dtype == dtype
        assert np.array_equal(archive["params"], net.params)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        np.save(tmp_path / "params.npy", net.params)
        assert archive.read("params.npy") == (tmp_path / "params.npy").read_bytes()


# ---- paths ----


def test_a_path_may_be_text_bytes_or_path_like(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("net", "größer, mit Leerzeichen", b"bytes", pathlib.Path("net"), str(tmp_path / "net")):
        NET.save(path)
        assert fastmlp.load(path) == NET


def test_what_cannot_be_opened_is_an_oserror(tmp_path):
    for path in (tmp_path / "missing" / "net", tmp_path):
        with pytest.raises(OSError, match=r"No such file|expected the name of a file"):
            NET.save(path)
        with pytest.raises(OSError, match=r"No such file|Is a directory"):
            fastmlp.load(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [fastmlp.load, fastmlp.Network([1, 1], rng=0).save])
def test_a_name_that_no_file_can_have_is_refused(call):
    for name in ("\0", b"a\0b"):
        with pytest.raises(ValueError, match=r"^path: expected a name that can be one of a file"):
            call(name)


def test_nothing_but_a_file_is_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match=r"path: expected the name of a file, got .*pipe"):
        NET.save(pipe)
    assert pipe.is_fifo()


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "net", tmp_path / "link"
    link.symlink_to(target)
    NET.save(link)
    assert link.is_symlink()
    assert fastmlp.load(target) == NET


# ---- all or nothing ----


def fail_with(error):
    def failing(*_):
        raise error

    return failing


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failure_while_saving_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, function, error):
    path = tmp_path / "net"
    NET.save(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, function, fail_with(error))
    with pytest.raises(type(error)):
        network([9, 9]).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("limit", ["MAX_FILE", "MAX_MANIFEST"])
def test_a_network_too_large_to_be_loaded_is_not_saved(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(archive, limit, 100)
    with pytest.raises(ValueError, match=r"network: expected one that fits into a file of .* got 208 bytes"):
        NET.save(tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


# ---- killed saves, and live ones ----


def temporaries(folder):
    return [each for each in folder.iterdir() if each.name.startswith(".fastmlp-")]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.slow
@pytest.mark.parametrize("layers", [[30, 100, 100, 1], [(1, 16, 16), fastmlp.Conv(8, 5), fastmlp.MaxPool(2), 40, 1]])
def test_after_200_kills_the_file_is_whole_and_the_next_save_removes_what_they_left(tmp_path, layers):
    path, rng = tmp_path / "net", np.random.default_rng(0)
    wanted = [fastmlp.Network(layers, rng=seed) for seed in (1, 2)]
    most = 0
    for _ in range(20):
        kill_ten_saves(path, wanted, rng)
        assert fastmlp.load(path) in wanted
        most = max(most, len(temporaries(tmp_path)))
    assert most > 0  # else nothing was tried
    wanted[0].save(path)
    assert fastmlp.load(path) == wanted[0]
    assert temporaries(tmp_path) == []


def kill_ten_saves(path, networks, rng):
    for _ in range(10):
        child = fork()
        if child == 0:
            try:
                while True:
                    for net in networks:
                        net.save(path)
            finally:
                os._exit(1)
        while not path.exists():
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_the_temporary_file_of_a_live_save_is_left_alone(tmp_path, monkeypatch):
    path, other = tmp_path / "net", network([5, 5])
    replace, seen = os.replace, []

    def save_meanwhile(*names):
        if not seen:
            seen.append(temporaries(tmp_path))
            other.save(path)
            assert temporaries(tmp_path) == seen[0]
        replace(*names)

    monkeypatch.setattr(os, "replace", save_meanwhile)
    NET.save(path)
    assert len(seen[0]) == 1
    assert fastmlp.load(path) == NET
    assert temporaries(tmp_path) == []


def test_a_stale_temporary_file_of_another_target_is_left_alone(tmp_path):
    stale = [pathlib.Path(replacement._stem(str(tmp_path / name)) + "0.tmp") for name in ("net", "other")]
    for each in stale:
        each.write_bytes(b"")
    NET.save(tmp_path / "net")
    assert temporaries(tmp_path) == stale[1:]


def test_a_temporary_file_that_was_taken_for_stale_before_it_was_locked_is_made_anew(tmp_path, monkeypatch):
    lock, tries = replacement._lock, []

    def late(descriptor):
        tries.append(descriptor)
        if len(tries) == 1:
            for each in temporaries(tmp_path):
                each.unlink()
        return lock(descriptor)

    monkeypatch.setattr(replacement, "_lock", late)
    NET.save(tmp_path / "net")
    assert fastmlp.load(tmp_path / "net") == NET
    assert len(tries) == 2


def test_two_threads_that_save_all_the_time_leave_a_whole_file(tmp_path):
    path, nets = tmp_path / "net", [network([3, 4, 2]), network([5, 5])]

    def save(net):
        for _ in range(50):
            net.save(path)
            assert fastmlp.load(path) in nets

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(save, nets))
    assert temporaries(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(fastmlp.ModelFormatError, match=r"^path: expected a regular file, got a pipe"):
        fastmlp.load(tmp_path / "pipe")


# ---- permissions ----


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    umask = os.umask(0o027)
    try:
        NET.save(tmp_path / "net")
        (tmp_path / "other").write_bytes(b"")
    finally:
        os.umask(umask)
    assert mode(tmp_path / "net") == mode(tmp_path / "other") == 0o640


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    path = tmp_path / "net"
    NET.save(path)
    path.chmod(0o600)
    NET.save(path)
    assert mode(path) == 0o600


def test_saving_leaves_the_umask_of_the_process_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", fail_with(AssertionError("other threads would see it")))
    NET.save(tmp_path / "net")
    assert fastmlp.load(tmp_path / "net") == NET
