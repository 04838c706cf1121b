"""Samples in chunks: sums and fits against the same samples as arrays, and bits."""

import pickle

import numpy as np
import pytest

import fastmlp
from chunk_cases import DECAY, ROWS, N, Stored, cut, network, samples
from fastmlp import Chunks
from fastmlp.model import moments
from fastmlp.model.sums import Sums

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
