"""Chunks that fail, change, or are none: what is refused, by what words, and what stays."""

import errno
import os
from itertools import pairwise

import numpy as np
import pytest

import fastmlp
from chunk_cases import DECAY, ROWS, TANGENTS, Failing, N, Stored, cut, network, posterior, samples
from fastmlp import Chunks
from fastmlp._core.fits import many
from fastmlp.features import HuMoments
from fastmlp.optimize import loops

# ---- what goes wrong ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, T: (np.where(X[3] == X, np.nan, X), T), r"chunk 2: X: expected finite .* \(3, 0\)"),
        (lambda X, T: (X[:, :2], T), r"chunk 2: X: expected shape \(n_samples, 3\), got \(128, 2\)"),
        (lambda X, T: (X, T[:-1]), r"chunk 2: T: expected shape .* n_samples = 128"),
        (lambda X, T: (X, T, -np.ones(len(X))), "chunk 2: sample_weight: expected non-negative"),
        (lambda X, T: (X,), "chunk 2: T: expected an array"),
        (lambda X, T: lambda: X, "chunk 2: expected a tuple"),
        (lambda X, T: Failing((X, T), 0, OSError("disk")), "chunk 2: disk"),
        (lambda X, T: Failing((X, T), 0, KeyError("name")), "chunk 2: KeyError: 'name'"),
        (lambda X, T: Failing((X, T), 0, StopIteration("end")), "chunk 2: StopIteration: end"),
        (lambda X, T: lambda: (X, T, None, None), "chunk 2: expected a tuple .*, got one of 4 items"),
    ],
)
def test_an_error_names_the_chunk(change, message):
    parts = cut(*samples())
    parts[2] = change(*parts[2])
    for call in (network().loss, network().objective, network().fit):
        with pytest.raises((TypeError, ValueError, OSError, RuntimeError), match=message):
            call(Chunks(parts))


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "rprop"])
@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt()])
def test_a_chunk_that_fails_later_leaves_the_best_so_far(method, error):
    X, T = samples()
    parts = cut(X, T)
    parts[1] = Failing(parts[1], 14, error)
    net = network()
    before = net.loss(X, T)
    with pytest.raises(type(error), match="chunk 1: gone" if isinstance(error, OSError) else None):
        net.fit(Chunks(parts), method=method)
    assert net.loss(X, T) < before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, T: (np.where(X[3] == X, np.nan, X), T), r"chunk 1: X: expected finite .* \(3, 0\)"),
        (lambda X, T: (X, T, np.full(len(X), 0.5)), "chunk 1: expected 128 samples .* no weights as .* of sum 64$"),
    ],
)
@pytest.mark.parametrize("method", ["lm", "lbfgs", "l-bfgs-b"])
def test_a_chunk_that_is_damaged_later_is_named(change, message, method):
    X, T = samples()
    parts = cut(X, T)
    whole, reads = parts[1], iter(range(10**6))
    parts[1] = lambda: whole if next(reads) < 14 else change(*whole)
    net = network()
    before = net.loss(X, T)
    with pytest.raises(ValueError, match=message):
        net.fit(Chunks(parts), method=method)
    assert net.loss(X, T) < before


def test_a_memory_map_that_is_cut_short_is_an_error_of_the_chunk(tmp_path):
    X, T = samples()
    X.tofile(tmp_path / "X")
    mapped = np.memmap(tmp_path / "X", np.float64, "r", shape=X.shape)
    objective = network().objective(Chunks(mapped[64:], T[64:], rows=ROWS))
    objective.value(objective.x0)
    os.truncate(tmp_path / "X", X.nbytes // 2)
    with pytest.raises(OSError, match=f"chunk 0: expected a file of {X.nbytes} bytes as .*, got {X.nbytes // 2}: .*X"):
        objective.value(objective.x0)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system reserves no room")
@pytest.mark.parametrize("cut_up", [False, True])
def test_a_disk_without_room_for_outputs_is_an_error(cut_up, tmp_path, monkeypatch):
    X, _ = samples()
    Y = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float64, (N, 1))
    data = Chunks(X, rows=ROWS) if cut_up else X
    network().predict(data, out=Y)
    assert (tmp_path / "y.npy").stat().st_blocks * 512 >= Y.nbytes

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"out: No space left on device: .*y\.npy"):
        network().predict(data, out=Y)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system reserves no room")
def test_room_is_reserved_for_the_rows_that_are_written_alone(tmp_path, monkeypatch):
    X, asked = samples()[0], []
    monkeypatch.setattr(os, "posix_fallocate", lambda file, first, length: asked.append((first, length)))
    for offset in (8, 40_000):
        Y = np.memmap(tmp_path / "y", np.float64, "w+", offset, (N, 1))
        network().predict(X[100:150], out=Y[100:150])
        network().predict(Chunks(X[:90], rows=ROWS), out=Y[:90])
        assert asked == [(offset + 800, 400), (offset, 720)]
        asked.clear()
    os.unlink(tmp_path / "y")
    network().predict(X, out=Y)
    assert asked == []
    assert np.array_equal(Y, network().predict(X))


def test_no_samples_at_all():
    X, T = samples()
    empty = Chunks([(X[:0], T[:0]), (X[:0], T[:0])])
    nothing = Chunks([(X, T, np.zeros(N)), (X, T, np.zeros(N))])
    assert network().predict(empty).shape == (0, 1)
    for method in ("lm", "adam", "l-bfgs-b"):
        with pytest.raises(ValueError, match=r"^X: expected at least one sample, got none"):
            network().fit(empty, method=method)
        with pytest.raises(ValueError, match=r"^sample_weight: expected at least one positive number, got zeros only"):
            network().fit(nothing, method=method)
    for call in (fastmlp.fit_evidence, fastmlp.Laplace):
        with pytest.raises(ValueError, match=r"^X: expected at least one sample"):
            call(network(), empty)


@pytest.mark.parametrize("sizes", [(0, 700), (700, 0), (1, 3, 17, 0, 79, 600), (1,) * 700])
def test_chunks_of_any_sizes(sizes):
    X, T = samples()
    ends = np.cumsum([0, *sizes])
    chunks = Chunks([(X[i:j], T[i:j]) for i, j in pairwise(ends)])
    whole, parts = network(), network()
    assert parts.loss(chunks) == pytest.approx(whole.loss(X, T), rel=1e-12)
    named = {"method": "lm", "penalty": DECAY, "standardize": True}
    assert parts.fit(chunks, **named).fun == pytest.approx(whole.fit(X, T, **named).fun, rel=1e-10)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (lambda X, T: [(X[:0], T[:0])] * 2, "^validation: expected at least one sample, got none"),
        (lambda X, T: [(X, T, np.zeros(N))] * 2, "^validation: expected a sample_weight above 0, got zeros only"),
        (lambda X, T: [(X, T), (X[:, :2], T)], "^validation: chunk 1: X: expected shape"),
        (lambda X, T: [(X, T), Failing((X, T), 0, OSError("disk"))], "^validation: chunk 1: disk"),
    ],
)
def test_chunks_for_validation_are_looked_at_first(validation, message):
    X, T = samples()
    net = network()
    before = net.params.copy()
    with pytest.raises((ValueError, OSError), match=message):
        net.fit(Chunks(X, T, rows=ROWS), method="lbfgs", validation=Chunks(validation(X, T)))
    assert np.array_equal(net.params, before)


def test_many_networks_at_once_take_no_chunks():
    X, T = samples()
    objective = network().objective(Chunks(X, T, rows=ROWS))
    fits = [(loops.compiled(objective), objective.x0.copy(), 1e-6)]
    with pytest.raises(TypeError, match="fits: expected samples in memory, got chunks"):
        many.train(fits, "lm", {"max_iter": 5, "ftol": 0.0}, np.inf, 1)


def test_a_chunk_that_changes_is_noticed():
    X, T = samples()
    sizes = iter([100, 100, 100, 100, 99] + [100] * 100)
    changing = lambda: (X[: (n := next(sizes))], T[:n])  # noqa: E731
    objective = network().objective(Chunks([(X, T), changing]))
    message = r"chunk 1: expected 100 samples with .* as when it was read first, got 99 samples"
    with pytest.raises(ValueError, match=message):
        [objective.value(objective.x0) for _ in range(9)]


def test_labels_in_one_chunk_and_rows_in_another():
    X, _ = samples()
    net = fastmlp.Network([3, 2], output="softmax", rng=0)
    mixed = Chunks([(X[:9], np.zeros(9, int)), (X[:9], np.eye(2)[[0] * 9])])
    with pytest.raises(ValueError, match="chunk 1: expected targets of the form that chunk 0 has"):
        net.fit(mixed)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net, chunks, T: net.loss(chunks, T), "T: expected None with Chunks, which hold their own targets"),
        (lambda net, chunks, T: net.loss(chunks, sample_weight=T[:, 0]), "sample_weight: expected None with Chunks"),
        (lambda net, chunks, T: net.fit(chunks, "lm"), "method= takes its name"),
        (lambda net, chunks, T: net.fit(chunks, sigma=T), "sigma: expected None with Chunks"),
        (lambda net, chunks, T: net.fit(chunks, missing="ignore"), "missing: expected 'raise' with Chunks"),
        (lambda net, chunks, T: net.fit(chunks, validation=0.1), "validation: expected a pair"),
        (lambda net, chunks, T: net.fit(chunks, noise="per_output"), "noise: expected 'shared' with Chunks"),
        (lambda net, chunks, T: net.fit(chunks, augment=lambda X, rng: X), "augment: expected None with Chunks"),
        (lambda net, chunks, T: net.objective(chunks).residuals(net.params), "X: expected arrays for this"),
        (lambda net, chunks, T: net.fit(chunks, penalty=TANGENTS), "penalty: expected none on the samples"),
        (
            lambda net, chunks, T: posterior(chunks).leave_one_out("all"),
            "retrain: expected 'none' for a posterior of Chunks",
        ),
        (lambda net, chunks, T: net.jacobian(chunks), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: fastmlp.fit_many([net], chunks, None), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: fastmlp.fit_many([net], T, T, validation=chunks), "validation: expected an array"),
        (lambda net, chunks, T: fastmlp.sweep(chunks, None, (2,), folds=2), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: fastmlp.sweep(T, T, (2,), validation=chunks), "validation: expected an array"),
        (
            lambda net, chunks, T: posterior(chunks).save("nowhere", samples=True),
            "samples: expected False for a posterior of Chunks",
        ),
        (lambda net, chunks, T: fastmlp.sensitivity(net, chunks, sample_weight=T), "sample_weight: expected None with"),
        (lambda net, chunks, T: fastmlp.importances(net, chunks, None), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: fastmlp.propagate(net, chunks, np.eye(3)), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: fastmlp.check_derivatives(net, chunks, None), "X: expected arrays for this"),
        (lambda net, chunks, T: posterior(chunks).predict(chunks), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: posterior(chunks).log_density(chunks, None), "X: expected arrays for this"),
        (lambda net, chunks, T: fastmlp.MLPRegressor().fit(chunks, T[:, 0]), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: fastmlp.MLPClassifier().fit(chunks, T[:, 0] > 0), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: HuMoments().fit(chunks), "X: expected an array, got Chunks"),
        (lambda net, chunks, T: Chunks([]), "at least one chunk"),
        (lambda net, chunks, T: Chunks(T, T), "rows: expected how many"),
        (lambda net, chunks, T: Chunks(T), "rows: expected how many rows a chunk has, of X that is ndarray"),
        (lambda net, chunks, T: Chunks([T]), "chunk 0: expected a tuple .* arrays take rows="),
        (lambda net, chunks, T: Chunks(T, T[1:], rows=3), "T: expected 700 rows, as many as X, got 699"),
        (lambda net, chunks, T: Chunks(T, T, rows=0), "rows: expected an integer >= 1"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(call, message):
    X, T = samples()
    with pytest.raises((TypeError, ValueError), match=message):
        call(network(), Chunks(X, T, rows=ROWS), T)


def test_a_file_that_is_closed_is_told_by_name():
    class Closed:
        @property
        def shape(self):
            raise RuntimeError("not open")

        def __getitem__(self, rows):
            raise RuntimeError("not open")

    X, T = samples()
    with pytest.raises(ValueError, match=r"^T: expected an array whose rows .*, got Closed that cannot be read \(not"):
        Chunks(X, Closed(), rows=ROWS)
    stored = Stored(X)
    chunks = Chunks(stored, T, rows=ROWS)
    stored._array = Closed()
    with pytest.raises(RuntimeError, match=r"^chunk 0: RuntimeError: not open"):
        network().loss(chunks)


def test_what_has_a_shape_and_no_rows_is_refused_by_name():
    class Shaped:
        shape = (3, 2)

    for name, arrays in (("X", (Shaped(),)), ("T", (np.zeros((3, 2)), Shaped())), ("X", ({"X": [1.0]},))):
        with pytest.raises(TypeError, match=rf"^{name}: expected an array whose rows are taken as {name}\[i:j\]"):
            Chunks(*arrays, rows=1)
