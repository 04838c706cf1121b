"""Samples in chunks: sums and fits against the same samples as arrays, bits, what is refused, and by what words."""

import errno
import os
import pickle
from itertools import pairwise

import numpy as np
import pytest

import fastmlp
from fastmlp import Chunks
from fastmlp._core.fits import many
from fastmlp.features import HuMoments
from fastmlp.model import moments
from fastmlp.model.sums import Sums
from fastmlp.optimize import loops

N, ROWS = 700, 128
TANGENTS = fastmlp.TangentPropagation(np.eye(3), 1.0)
DECAY = fastmlp.WeightDecay(0.05, 0.05)


def samples(dtype=np.float64, offset=0.0):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 3))
    T = np.sin(2 * X[:, :1]) + np.tanh(X[:, 1:2] * X[:, 2:]) + 0.1 * rng.normal(size=(N, 1))
    return (X + offset).astype(dtype), (T + offset).astype(dtype)


def network(dtype="float64", **named):
    return fastmlp.Network([3, 4, 1], rng=3, dtype=dtype, **named)


def posterior(chunks):
    net = network()
    net.fit(chunks, method="lm", penalty=DECAY, tol=1e-9)
    return fastmlp.Laplace(net, chunks, penalty=DECAY)


class Failing:
    """A chunk that can be read some times."""

    def __init__(self, parts, times, error):
        self.parts, self.times, self.error = parts, times, error

    def __call__(self):
        self.times -= 1
        if self.times < 0:
            raise self.error
        return self.parts


def cut(X, T, rows=ROWS):
    return [(X[i : i + rows], T[i : i + rows]) for i in range(0, len(X), rows)]


# ---- the tree ----


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 13])
def test_sums_are_a_tree_over_numbers_whatever_arrives_first(n):
    rng = np.random.default_rng(n)
    parts = [(float(x), 10.0 ** rng.integers(-8, 9) * rng.normal(size=3)) for x in rng.normal(size=n)]
    level = [np.r_[value, array] for value, array in parts]
    while len(level) > 1:
        level = [level[i] + level[i + 1] if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    for order in (range(n), reversed(range(n)), rng.permutation(n)):
        sums = Sums()
        for number in order:
            sums.add(int(number), (parts[number][0], parts[number][1].copy()))
        value, array = sums.total
        assert value == level[0][0]
        assert np.array_equal(array, level[0][1:])


# ---- sums over samples ----


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sums_are_those_of_arrays(dtype):
    X, T = samples(dtype)
    net, chunks, v = network(dtype), Chunks(X, T, rows=ROWS), np.linspace(-1, 1, 21)
    close = {"rtol": 1e-12 if dtype == "float64" else 2e-5, "atol": 1e-10 if dtype == "float64" else 1e-3}
    for name, *others in (("loss_and_grad",), ("hessian",), ("hessian", "ggn"), ("hessian_diagonal", "ggn")):
        got, expected = getattr(net, name)(chunks, None, *others), getattr(net, name)(X, T, *others)
        if name == "loss_and_grad":
            assert got[0] == pytest.approx(expected[0], rel=close["rtol"])
            assert net.loss(chunks) == got[0]
            got, expected = got[1], expected[1]
        np.testing.assert_allclose(got, expected, **close)
        assert got.dtype == expected.dtype
    operator = net.hessian_operator(chunks, None)
    np.testing.assert_allclose(operator @ v.astype(dtype), net.hessp(chunks, None, v), **close)
    for product in (net.hessp, net.ggnp):
        np.testing.assert_allclose(product(chunks, None, v), product(X, T, v), **close)
    for method in ("cholesky", "sequential"):
        got, expected = (net.inverse_hessian(*data, 1.0, method=method) for data in ((chunks, None), (X, T)))
        np.testing.assert_allclose(got, expected, **close)
    objective, whole = net.objective(chunks, penalty=DECAY), net.objective(X, T, penalty=DECAY)
    for name in ("hess", "ggn", "grad", "value"):
        np.testing.assert_allclose(getattr(objective, name)(objective.x0), getattr(whole, name)(whole.x0), **close)


def test_the_number_of_threads_and_the_form_of_chunks_change_no_bit():
    X, T = samples()
    net = fastmlp.Network([3, 30, 1], rng=0)
    forms = Chunks(X, T, rows=ROWS), Chunks(cut(X, T)), Chunks([lambda part=part: part for part in cut(X, T)])
    results = [net.loss_and_grad(chunks, n_threads=n) for chunks in forms for n in (1, 2)]
    for value, gradient in results[1:]:
        assert value == results[0][0]
        assert np.array_equal(gradient, results[0][1])


def test_classes_weights_and_images_come_in_chunks():
    rng = np.random.default_rng(0)
    X, labels, weight = rng.normal(size=(N, 1, 4, 4)), rng.integers(0, 3, N), rng.uniform(0, 2, N)
    net = fastmlp.Network([(1, 4, 4), fastmlp.Conv(2, 3), 3], output="softmax", rng=0)
    expected = net.loss(X, labels, sample_weight=weight)
    assert net.loss(Chunks(X, labels, weight, rows=ROWS)) == pytest.approx(expected, rel=1e-13)
    start = net.params.copy()
    whole, parts = net.copy(), net.copy()
    whole.fit(X, labels, "lbfgs", sample_weight=weight, penalty=fastmlp.WeightDecay(2.0), tol=1e-9)
    result = parts.fit(Chunks(X, labels, weight, rows=ROWS), method="lbfgs", penalty=fastmlp.WeightDecay(2.0), tol=1e-9)
    assert result.success
    assert not np.array_equal(parts.params, start)
    np.testing.assert_allclose(parts.params, whole.params, rtol=0, atol=1e-9)


def test_float64_networks_read_float32_chunks():
    X, T = samples(np.float32)
    net = network()
    assert net.loss(Chunks(X, T, rows=ROWS)) == pytest.approx(net.loss(X.astype(float), T.astype(float)), rel=1e-14)


def test_predictions_go_where_they_are_wanted(tmp_path):
    X, T = samples()
    net, chunks = network(), Chunks(X, T, rows=ROWS)
    Y = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", net.dtype, (N, 1))
    assert net.predict(chunks, out=Y) is Y
    assert np.array_equal(np.load(tmp_path / "y.npy"), net.predict(X))
    assert np.array_equal(net(Chunks(X, rows=100)), net(X))
    for wrong in (np.empty((N - 1, 1)), np.empty((N + 1, 1)), np.empty(N), np.array(1.0), np.empty((N, 1), np.float32)):
        with pytest.raises(ValueError, match=r"^out: expected"):
            net.predict(chunks, out=wrong)
    with pytest.raises(TypeError, match=r"^out: expected a numpy array, got list"):
        net.predict(chunks, out=[0.0] * N)


class Stored:
    """An array that lies in a file, as those of zarr and h5py do; notes what is read."""

    def __init__(self, array):
        self._array, self.shape, self.dtype, self.reads = array, array.shape, array.dtype, []

    def __getitem__(self, rows):
        self.reads.append((rows.start, rows.stop))
        return self._array[rows].copy()


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i2"])
def test_what_lies_in_a_file_is_read_once_a_pass_in_order(dtype):
    X, T = ((10 * array).astype(dtype) for array in samples())
    stored, targets = Stored(X), Stored(T)
    objective = network().objective(Chunks(stored, targets, rows=300))
    objective.value(objective.x0)
    whole = network().objective(Chunks(X, T, rows=300))
    for name in ("value", "grad", "value_and_grad", "hess", "ggn"):
        stored.reads.clear()
        targets.reads.clear()
        got, expected = getattr(objective, name)(objective.x0), getattr(whole, name)(whole.x0)
        assert stored.reads == targets.reads == [(0, 300), (300, 600), (600, N)]
        assert all(map(np.array_equal, got, expected)) if isinstance(got, tuple) else np.array_equal(got, expected)
    stored.reads.clear()
    assert np.array_equal(network().predict(Chunks(stored, rows=300)), network().predict(X))
    assert stored.reads == [(0, 300), (300, 600), (600, N)]
    stored.reads.clear()
    network().fit(Chunks(stored, targets, rows=300), method="lbfgs", max_iter=3, penalty=DECAY)
    assert stored.reads == [(0, 300), (300, 600), (600, N)] * (len(stored.reads) // 3)


# ---- fits ----


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "rprop", "trust-krylov", "l-bfgs-b", "trust-exact"])
def test_fits_end_where_those_on_arrays_do(method):
    X, T = samples()
    whole, parts, single = network(), network(), network()
    named = {"penalty": DECAY, "max_iter": 3000, "tol": 1e-8}
    expected = whole.fit(X, T, method, **named)
    result = parts.fit(Chunks(X, T, rows=ROWS), method=method, **named)
    single.fit(Chunks(X, T, rows=N), method=method, **named)
    assert result.success == expected.success
    assert result.fun == pytest.approx(expected.fun, rel=1e-10)
    assert np.array_equal(single.params, whole.params)
    if method in ("lm", "lbfgs", "trust-exact"):
        np.testing.assert_allclose(parts.params, whole.params, rtol=0, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("method", ["lm", "lbfgs"])
def test_compiled_loops_see_what_is_free_and_other_terms(dtype, method):
    X, T = samples(dtype)
    named = {"fixed": "b2", "tied": ["W1[0,:]"], "penalty": DECAY + fastmlp.Quadratic(np.zeros(21), 0.3)}
    whole, parts = network(dtype), network(dtype)
    expected = whole.fit(X, T, method, **named)
    result = parts.fit(Chunks(X, T, rows=ROWS), method=method, **named)
    assert result.success
    assert result.fun == pytest.approx(expected.fun, rel=1e-10 if dtype == "float64" else 1e-5)
    np.testing.assert_allclose(result.history["train_loss"][-1], expected.history["train_loss"][-1], rtol=1e-4)


def test_more_inputs_than_samples():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(20, 60)), rng.normal(size=(20, 1))
    whole, parts = (fastmlp.Network([60, 3, 1], rng=0) for _ in range(2))
    expected = whole.fit(X, T, "lm", penalty=DECAY)
    assert parts.fit(Chunks(X, T, rows=7), method="lm", penalty=DECAY).fun == pytest.approx(expected.fun, rel=1e-8)


def test_units_are_those_of_arrays_far_from_zero():
    X, T = samples(offset=1e6)
    whole, parts = network(), network()
    expected = whole.fit(X, T, "lm", standardize=True, penalty=DECAY)
    result = parts.fit(Chunks(X, T, rows=ROWS), method="lm", standardize=True, penalty=DECAY)
    for got, wanted in zip(result.units, expected.units, strict=True):
        np.testing.assert_allclose(got.shift, wanted.shift, rtol=1e-15)
        np.testing.assert_allclose(got.scale, wanted.scale, rtol=1e-12)
    assert result.fun == pytest.approx(expected.fun, rel=1e-10)
    again = parts.fit(Chunks(X, T, rows=ROWS), method="lm", standardize=parts.units, penalty=DECAY)
    assert again.success
    assert again.nit <= 2


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_moments_are_those_of_arrays_where_some_chunks_have_weights(dtype):
    X, T = samples(dtype, offset=100.0)
    X[:, 2] = 7
    weight = np.r_[np.ones(300), np.linspace(0, 3, N - 300)].astype(dtype)
    parts = Chunks([(X[:300], T[:300]), (X[300:301], T[300:301], weight[300:301]), (X[301:], T[301:], weight[301:])])
    whole, cut = (network(dtype).objective(*data, **named).data.samples for data, named in (
        ((X, T), {"sample_weight": weight}), ((parts,), {}),
    ))  # fmt: skip
    for targets in (False, True):
        found, expected = moments.of_samples(cut, targets=targets), moments.of_samples(whole, targets=targets)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=0)


def test_a_fit_goes_on_with_validation_and_a_warm_start():
    X, T = samples()
    chunks, net, other = Chunks(X, T, rows=ROWS), network(), network()
    first = net.fit(chunks, method="lbfgs", max_iter=10, validation=(X[:50], T[:50]), penalty=DECAY)
    held_out = Chunks(X[:50], T[:50], rows=20)
    net.fit(chunks, method="lbfgs", max_iter=10, warm_start=first, validation=held_out, penalty=DECAY)
    other.fit(chunks, method="lbfgs", max_iter=20, penalty=DECAY)
    assert np.array_equal(net.params, other.params)


@pytest.mark.parametrize("method", ["sgd", "adam"])
def test_minibatches_are_those_of_arrays_in_the_order_drawn(method):
    X, T = samples()
    named = {"method": method, "batch_size": 16, "penalty": fastmlp.WeightDecay(3.0, 1.0), "standardize": True}
    straight = {**named, "shuffle": False, "max_iter": 3}
    whole, parts = network(), network()
    whole.fit(X, T, **straight)
    result = parts.fit(Chunks(X, T, rows=ROWS), **straight)  # 128 is 8 minibatches: the same steps
    np.testing.assert_allclose(parts.params, whole.params, rtol=1e-12)
    again = network()
    state = again.fit(Chunks(X, T, rows=ROWS), **straight | {"max_iter": 1})
    again.fit(Chunks(X, T, rows=ROWS), **straight | {"max_iter": 2}, warm_start=state)
    assert np.array_equal(again.params, parts.params)
    assert result.state["n_steps"] == 3 * 44
    shuffled = [network().fit(Chunks(X, T, rows=100), **named, max_iter=40, rng=rng) for rng in (0, 0, 1)]
    assert np.array_equal(shuffled[0].x, shuffled[1].x)
    assert not np.array_equal(shuffled[0].x, shuffled[2].x)
    assert shuffled[0].success
    assert shuffled[0].fun < shuffled[0].history["loss"][0]


def test_columns_of_no_use_are_warned_of_as_with_arrays():
    X, T = samples()
    with pytest.warns(fastmlp.ScaleWarning, match="X: column 1 is so far from zero"):
        network().fit(Chunks(X + np.array([0, 1e4, 0]), T, rows=ROWS), method="lbfgs")


def test_an_objective_is_pickled_with_its_chunks():
    X, T = samples()
    objective = network().objective(Chunks(X, T, rows=ROWS))
    again = pickle.loads(pickle.dumps(objective))
    assert again.value(again.x0) == objective.value(objective.x0)


# ---- posteriors ----


def close(got, expected):
    assert got.log_evidence == pytest.approx(expected.log_evidence, rel=1e-10)
    X = samples()[0]
    for one, other in zip(got.predict(X), expected.predict(X), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("hessian", ["ggn", "exact", "diagonal"])
def test_posteriors_are_those_of_arrays(hessian):
    X, T = samples()
    net, chunks = network(), Chunks(X, T, rows=ROWS)
    net.fit(X, T, "lm", penalty=DECAY, tol=1e-9)
    named = {"penalty": DECAY, "hessian": hessian}
    expected, got = fastmlp.Laplace(net, X, T, **named), fastmlp.Laplace(net, chunks, **named)
    close(got, expected)
    close(got.updated(chunks), expected.updated(X, T))
    for one, other in zip(got.leave_one_out(), expected.leave_one_out(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(got.influence(X[:3]), expected.influence(X[:3]), rtol=1e-9, atol=1e-12)


def test_one_chunk_is_a_posterior_of_arrays_to_the_bit():
    X, T = samples()
    net = network()
    net.fit(X, T, "lm", penalty=DECAY, tol=1e-9)
    expected = fastmlp.Laplace(net, X, T, penalty=DECAY)
    got = fastmlp.Laplace(net, Chunks(X, T, rows=N), penalty=DECAY)
    assert got.log_evidence == expected.log_evidence
    assert np.array_equal(got.predict(X)[1], expected.predict(X)[1])


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_evidence_is_that_of_arrays(outputs):
    X, T = samples()
    T = np.hstack([T, T**2 + 0.1 * np.random.default_rng(0).normal(size=T.shape)])[:, :outputs]
    whole, parts = (fastmlp.Network([3, 4, outputs], rng=3) for _ in range(2))
    expected = fastmlp.fit_evidence(whole, X, T, rng=0)
    got = fastmlp.fit_evidence(parts, Chunks(X, T, rows=ROWS), rng=0)
    assert got.converged
    close(got, expected)
    np.testing.assert_allclose(got.noise_precision, expected.noise_precision, rtol=1e-9)


def test_the_evidence_of_classes_is_that_of_arrays():
    X, T = samples()
    whole, parts = (fastmlp.Network([3, 2, 3], output="softmax", rng=3) for _ in range(2))
    labels = (T[:, 0] > 0).astype(int) + (X[:, 0] > 1)
    expected = fastmlp.fit_evidence(whole, X, labels, rng=0)
    got = fastmlp.fit_evidence(parts, Chunks(X, labels, rows=ROWS), rng=0)
    assert got.log_evidence == pytest.approx(expected.log_evidence, rel=1e-9)


# ---- what is asked about a network ----


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weighted", [False, True])
def test_sensitivities_are_those_of_arrays(dtype, weighted):
    X, T = samples(dtype)
    net, weight = network(dtype), np.linspace(0, 3, N) if weighted else None
    expected = fastmlp.sensitivity(net, X, sample_weight=weight)
    got = fastmlp.sensitivity(net, Chunks(X, T, weight, rows=ROWS))
    for one, other in zip((*got.raw, *got.standardized), (*expected.raw, *expected.standardized), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
    single = fastmlp.sensitivity(net, Chunks(X, None, weight, rows=N))
    assert np.array_equal(single.standardized, expected.standardized)
    assert np.array_equal(single.output_sd, expected.output_sd)


def test_sensitivities_of_nothing():
    X, _ = samples()
    with pytest.raises(ValueError, match="X: expected at least one sample"):
        fastmlp.sensitivity(network(), Chunks([(X[:0],), (X[:0],)]))
    with pytest.raises(ValueError, match="sample_weight: expected at least one positive number"):
        fastmlp.sensitivity(network(), Chunks(X, None, np.zeros(N), rows=ROWS))
    with pytest.raises(ValueError, match="chunk 1: X: expected finite numbers"):
        fastmlp.sensitivity(network(), Chunks([(X,), (X * np.nan,)]))


@pytest.mark.parametrize("standardize", [False, True])
def test_pruning_is_that_of_arrays(standardize):
    X, T = samples()
    X = np.hstack([X, np.zeros((N, 1))])  # an input that says nothing
    net = fastmlp.Network([4, 2, 1], rng=3)
    net.fit(X, T, "lm", penalty=DECAY, standardize=standardize, tol=1e-9)
    named = {"penalty": DECAY, "standardize": net.units if standardize else False}
    chunks = Chunks(X, T, rows=ROWS)
    expected, got = fastmlp.saliencies(net, X, T, **named), fastmlp.saliencies(net, chunks, **named)
    assert got.names == expected.names
    np.testing.assert_allclose(got.rise, expected.rise, rtol=1e-6, atol=1e-12)
    found = [fastmlp.Laplace(net, *data, **named, noise_precision=1.0) for data in ((X, T), (chunks,))]
    expected, got = (fastmlp.saliencies(each, what="inputs") for each in found)
    np.testing.assert_allclose(got.rise, expected.rise, rtol=1e-6, atol=1e-12)
    named |= {"what": "inputs", "validation": (X[:50], T[:50]), "tol": 1e-8}
    expected, got = fastmlp.prune(net, X, T, **named), fastmlp.prune(net, chunks, **named)
    assert [step.removed for step in got.steps] == [step.removed for step in expected.steps]
    np.testing.assert_allclose(
        [step.objective for step in got.steps], [step.objective for step in expected.steps], rtol=1e-9
    )


def test_a_network_is_trained_again_on_chunks():
    X, T = samples(offset=5.0)
    whole = network()
    whole.fit(X[:600], T[:600], "lm", penalty=DECAY, standardize=True)
    parts = whole.copy()
    named = {"penalty": DECAY, "standardize": whole.units, "fixed": "b2"}
    expected = fastmlp.refit(whole, X, T, **named)
    got = fastmlp.refit(parts, Chunks(X, T, rows=ROWS), **named)
    assert got.success
    assert got.fun == pytest.approx(expected.fun, rel=1e-12)
    np.testing.assert_allclose(parts.params, whole.params, rtol=1e-6)


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
