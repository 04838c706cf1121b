"""Arrays in every form of memory: the same numbers give the same results as a plain array does, and are left alone."""

import array
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cases import DTYPES, PAIRS, TOLERANCE, data, network, relative_error
from complaints import snapshot

NET = network([3, 4, 2])
X, T = data(NET, 20)
WEIGHT = np.random.default_rng(1).random(20)


class Subclass(np.ndarray):
    """As those of other libraries, which may redefine arithmetic."""

    def sum(self, *args, **kwargs):
        raise AssertionError("a subclass was computed with")


class Convertible:
    """Not an array, but can be made one."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


def misaligned(values):
    raw = np.zeros(values.nbytes + 1, np.uint8)[1:]
    result = raw.view(values.dtype).reshape(values.shape)
    result[...] = values
    assert not result.flags.aligned
    return result


def read_only(values):
    result = values.copy()
    result.flags.writeable = False
    return result


def integers(dtype):
    return lambda values: np.rint(20 * values.clip(0, 3)).astype(dtype)


FORMS = {
    "Fortran order": np.asfortranarray,
    "every second row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every second column": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "rows backwards": lambda a: a[::-1].copy()[::-1],
    "columns backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
    "one row broadcast": lambda a: np.broadcast_to(a[3], a.shape),
    "part of a record": lambda a: np.array([(0, row) for row in a], [("n", "i4"), ("row", "f8", a.shape[1:])])["row"],
    "swapped bytes": lambda a: a.astype(a.dtype.newbyteorder()),
    "read-only": read_only,
    "misaligned": misaligned,
    "misaligned float32": lambda a: misaligned(a.astype("f4")),
    "float16": lambda a: a.astype("f2"),
    "float32": lambda a: a.astype("f4"),
    "longdouble": lambda a: a.astype("g"),
    "swapped float32": lambda a: a.astype("f4").astype(">f4" if sys.byteorder == "little" else "<f4"),
    "bool": lambda a: a > 0,
    **{dtype: integers(dtype) for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i2", ">i8")},
    "lists": lambda a: a.tolist(),
    "tuples": lambda a: tuple(map(tuple, a.tolist())) if a.ndim == 2 else tuple(a.tolist()),
    "list of arrays": list,
    "list of integers": lambda a: np.rint(a.clip(0, 3)).astype(int).tolist(),
    "subclass": lambda a: a.view(Subclass),
    "what has __array__": Convertible,
    "frame or series": lambda a: pd.DataFrame(a) if a.ndim == 2 else pd.Series(a),
}


def agree_to_the_bit(dtype, given, plain):
    """Parameters, inputs, targets and weights in two forms, the first of which is left as it is."""
    before = snapshot(*given)
    results = []
    for params, x, t, weight in (given, plain):
        net = network([3, 4, 2], dtype=dtype)
        net.params = params
        results.append((net.params, net.predict(x), *net.loss_and_grad(x, t, sample_weight=weight)))
    assert snapshot(*given) == before
    return all(np.array_equal(got, expected) for got, expected in zip(*results, strict=True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_bits_of_a_plain_array(form, dtype):
    given = [FORMS[form](values) for values in (NET.params, X, T, WEIGHT)]
    plain = [np.array(np.asarray(values), dtype=dtype, order="C") for values in given]
    assert agree_to_the_bit(dtype, given, plain)


def test_a_matrix_is_taken_as_an_array():
    outputs = NET.predict(X.view(np.matrix))
    assert type(outputs) is np.ndarray
    assert np.array_equal(outputs, NET.predict(X))
    assert NET.loss(X, T.view(np.matrix)) == NET.loss(X, T)


def test_one_dimension_comes_from_whatever_holds_numbers():
    weight = NET.loss(X, T, sample_weight=WEIGHT)
    for form in (array.array("d", WEIGHT), memoryview(WEIGHT), pd.Index(WEIGHT), WEIGHT.tolist()):
        assert NET.loss(X, T, sample_weight=form) == weight


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i2"])
def test_a_read_only_memory_map_is_read_where_it_lies(tmp_path, dtype):
    given = []
    for number, values in enumerate((NET.params, X, T, WEIGHT)):
        path = tmp_path / f"{number}.npy"
        np.save(path, np.rint(3 * values.clip(0)).astype(dtype))
        given.append(np.load(path, mmap_mode="r"))
    contents = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert agree_to_the_bit("float64", given, [np.array(values, dtype=float) for values in given])
    assert contents == [path.read_bytes() for path in sorted(tmp_path.iterdir())]


# ---- pandas ----


def test_frames_may_mix_types_of_columns():
    plain = np.array([[1, 0.5, 1], [2, 1.5, 0], [3, -2.5, 1]] * 5, dtype=float)
    columns = {
        "n": pd.array(plain[:, 0].astype(int), dtype="Int64"),
        "x": plain[:, 1].astype("f4"),
        "yes": plain[:, 2] > 0,
    }
    frames = [
        pd.DataFrame(columns),
        pd.DataFrame({**columns, "x": pd.array(plain[:, 1], dtype="Float64")}),
        pd.DataFrame({**columns, "yes": pd.array(plain[:, 2] > 0, dtype="boolean")}, index=range(30, 15, -1)),
        pd.DataFrame({**columns, "yes": pd.arrays.SparseArray(plain[:, 2])}),
        pd.DataFrame({"n": plain[:, 0].astype("u1"), "x": columns["x"], "yes": columns["yes"]}),
    ]
    for frame in frames:
        before = frame.copy()
        assert np.array_equal(NET.predict(frame), NET.predict(plain))
        assert frame.equals(before)


def test_series_and_frames_are_targets_and_weights():
    classifier = network([3, 4, 3], output="softmax")
    labels = np.arange(20) % 3
    expected = classifier.loss(X, labels, sample_weight=WEIGHT)
    for dtype in ("i8", "Int8", "f4", "Float64", "category"):
        weight = pd.Series(WEIGHT, index=range(20, 0, -1))
        assert classifier.loss(X, pd.Series(labels).astype(dtype), sample_weight=weight) == expected
    yes = network([3, 1], output="logistic")
    for dtype in ("bool", "boolean", "Int64"):
        assert yes.loss(X, pd.Series(labels == 1, dtype=dtype)) == yes.loss(X, labels == 1)
        assert yes.loss(X, pd.DataFrame({"yes": labels == 1}, dtype=dtype)) == yes.loss(X, labels == 1)


# ---- nothing ----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_no_samples_have_no_outputs_and_no_loss(output, loss, dtype):
    net = network([3, 4, 2], output=output, loss=loss, dtype=dtype)
    no_inputs, no_targets = np.empty((0, 3)), np.empty((0, 2))
    for form in (no_inputs, np.asfortranarray(no_inputs), no_inputs.astype(int), pd.DataFrame(no_inputs)):
        assert net.predict(form).shape == (0, 2)
        assert net.predict(form).dtype == dtype
    out = np.empty((0, 2), dtype)
    assert net.predict(no_inputs, out=out) is out
    assert net.loss(no_inputs, no_targets, sample_weight=[]) == 0.0
    loss, gradient = net.loss_and_grad(no_inputs, no_targets)
    assert loss == 0.0
    assert np.array_equal(gradient, np.zeros(net.n_params))
    assert net.sample_losses(no_inputs, no_targets).shape == (0,)
    assert net.jacobian(no_inputs).shape == (0, 2, 3)
    assert net.jacobian(no_inputs, wrt="params").shape == (0, 2, net.n_params)
    assert net.input_hessian(no_inputs).shape == (0, 2, 3, 3)
    assert net.jvp(no_inputs, net.params).shape == (0, 2)
    assert net.vjp(no_inputs, no_targets, wrt="inputs").shape == (0, 3)
    zeros = [net.vjp(no_inputs, no_targets), net.hessp(no_inputs, no_targets, net.params)]
    zeros += [net.ggnp(no_inputs, no_targets, net.params), net.hessian_diagonal(no_inputs, no_targets)]
    assert all(np.array_equal(zero, np.zeros(net.n_params)) for zero in zeros)
    for kind in ("exact", "ggn", "empirical_fisher"):
        assert not net.hessian(no_inputs, no_targets, kind).any()
    assert [layer.shape for layer in net.trace(no_inputs, no_targets).delta] == [(0, 4), (0, 2)]


# ---- one to eight rows, which have a path of their own ----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("n_rows", range(1, 10))
def test_few_rows_agree_with_a_batch_to_rounding(output, loss, dtype, n_rows):
    net = network([3, 7, 5, 2], output=output, loss=loss, dtype=dtype)
    batch = net.predict(X)[:n_rows]
    rows = X[:n_rows].astype(dtype)
    assert relative_error(net.predict(rows), batch) < TOLERANCE[dtype]
    assert net.predict(rows).dtype == dtype
    for form in ("Fortran order", "every second row", "rows backwards", "swapped bytes", "misaligned", "read-only"):
        given = FORMS[form](rows)
        before = snapshot(given)
        assert relative_error(net.predict(given), batch) < TOLERANCE[dtype]
        assert snapshot(given) == before


def test_outputs_of_few_rows_are_new_arrays():
    first = NET.predict(X[:1])
    kept = first.copy()
    second = NET.predict(X[1:2])
    assert not np.may_share_memory(first, second)
    assert np.array_equal(first, kept)


# ---- out ----


@pytest.mark.parametrize("n_rows", [1, 8, 20])
@pytest.mark.parametrize("dtype", DTYPES)
def test_out_is_filled_and_returned(dtype, n_rows):
    net = network([3, 4, 2], dtype=dtype)
    expected = net.predict(X)[:n_rows]
    inside = np.full((n_rows + 2, 2), 7.0, dtype)
    for out in (np.empty((n_rows, 2), dtype), inside[1:-1], np.empty((n_rows, 2), dtype).view(Subclass)):
        assert net.predict(X[:n_rows], out=out) is out
        assert relative_error(out, expected) < TOLERANCE[dtype]
    assert np.array_equal(inside[[0, -1]], np.full((2, 2), 7.0))


@pytest.mark.parametrize("shift", [0, 1, 2])
@pytest.mark.parametrize("n_rows", [1, 20])
def test_out_may_overlap_the_inputs(shift, n_rows):
    net = network([3, 4, 3])
    for inputs, outputs in ((slice(0, n_rows), slice(shift, n_rows + shift)),
                            (slice(shift, n_rows + shift), slice(0, n_rows))):  # fmt: skip
        buffer = np.random.default_rng(0).normal(size=(n_rows + shift, 3))
        expected = net.predict(buffer[inputs].copy(), n_threads=1)
        net.predict(buffer[inputs], out=buffer[outputs])
        assert np.array_equal(buffer[outputs], expected)


def test_out_may_be_the_weights_themselves():
    net = network([3, 4, 3])
    expected = net.predict(X[:4], n_threads=1)
    net.predict(X[:4], out=net.weights[0])
    assert np.array_equal(net.weights[0], expected)


# ---- n_threads ----

MANY_THREADS = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
import numpy as np
import fastmlp

net = fastmlp.Network([8, 50, 50, 1], rng=0)
X = np.random.default_rng(0).normal(size=(20_000, 8))
outputs = net.predict(X, n_threads=1)
loss, gradient = net.loss_and_grad(X, outputs + 1, n_threads=1)
for n_threads in (1_000, 10**9, 10**30):
    assert np.array_equal(net.predict(X, n_threads=n_threads), outputs)
    again, same = net.loss_and_grad(X, outputs + 1, n_threads=n_threads)
    assert again == loss and np.array_equal(same, gradient)
"""


def test_any_number_of_threads_is_safe_in_two_gigabytes():
    subprocess.run([sys.executable, "-c", MANY_THREADS], check=True, timeout=100)
