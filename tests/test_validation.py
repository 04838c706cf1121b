"""Bad arrays: ValueError or TypeError, in a message that says which argument, what was expected and what came.

The tables hold one bad array a line. Besides the message every test looks that inputs and parameters are as before.
"""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from complaints import DERIVATIVES, EVALUATIONS, NET, NETS, WEIGHT, T, X, complaint, lazy

# ---- arrays of numbers: X, T, sample_weight, params, wherever they are taken ----


class Refusing:
    """As a PyTorch tensor that requires a gradient does."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach first")


def with_last(array, value):
    changed = array.copy()
    changed.flat[-1] = value
    return changed


def frame(array, *, last):
    """A data frame whose last column is another one."""
    columns = pd.DataFrame(array.reshape(len(array), -1))
    columns["last"] = last
    return columns


#: what is made of a good array, the error, what the message says has come
BAD_VALUES = {
    "nan": (lambda a: with_last(a, np.nan), ValueError, "got nan at index"),
    "infinity": (lambda a: with_last(a, np.inf), ValueError, "got inf at index"),
    "minus infinity": (lambda a: with_last(a, -np.inf), ValueError, "got -inf at index"),
    "both infinities": (lambda a: with_last(with_last(a, np.inf)[::-1], -np.inf), ValueError, "got"),
    "nan in float16": (lambda a: with_last(a.astype("f2"), np.nan), ValueError, "got nan at index"),
    "too large for float64": (lambda a: with_last(a.astype("g"), np.longdouble("1e400")), ValueError, "got 1e+400 at"),
    "None": (lambda a: None, TypeError, "got None"),
    "complex": (lambda a: a + 0j, TypeError, "got dtype complex128"),
    "objects": (lambda a: a.astype(object), TypeError, "got dtype object"),
    "text": (lambda a: a.astype(str), TypeError, "got dtype <U"),
    "bytes": (lambda a: a.astype("S8"), TypeError, "got dtype |S8"),
    "variable text": (lambda a: a.astype(np.dtypes.StringDType()), TypeError, "got dtype StringDType"),
    "a str": (lambda a: "1.0 2.0", TypeError, "got dtype <U7"),
    "a bytes": (lambda a: b"1.0", TypeError, "got dtype |S3"),
    "dates": (lambda a: a.astype("M8[s]"), TypeError, "got dtype datetime64[s]"),
    "durations": (lambda a: a.astype("m8[s]"), TypeError, "got dtype timedelta64[s]"),
    "records": (lambda a: a.astype([("a", "f8")]), TypeError, "got dtype [('a', '<f8')]"),
    "raw bytes": (lambda a: np.zeros(a.shape, "V8"), TypeError, "got dtype |V8"),
    "a mask": (lambda a: np.ma.array(a, mask=a > 1), TypeError, "got a masked array"),
    "a mask that hides nothing": (np.ma.array, TypeError, "got a masked array"),
    "a list of masked rows": (lambda a: list(np.ma.array(a, mask=True)), TypeError, "got a masked array"),
    "sparse": (lambda a: scipy.sparse.coo_array(a), TypeError, "got coo_array; use .toarray()"),
    "a ragged list": (lambda a: [[1.0, 2.0, 3.0], [4.0]], ValueError, "got list (setting an array element"),
    "a list of Nones": (lambda a: [[None, None, None]], TypeError, "got dtype object"),
    "a dict": (lambda a: {"a": 1.0}, TypeError, "got dtype object"),
    "an iterator": (lambda a: iter(a.tolist()), TypeError, "got dtype object"),
    "a function": (lambda a: len, TypeError, "got dtype object"),
    "integers beyond 64 bits": (lambda a: [[2**70, 0, 0]], TypeError, "got dtype object"),
    "dask": (lambda a: lazy("dask.array.core"), TypeError, "got dask.array.core.Array, all of which"),
    "zarr": (lambda a: lazy("zarr.core.array"), TypeError, "[:] does so"),
    "a list of chunks": (lambda a: [lazy("dask.array.core")] * 2, TypeError, "in memory, got dask.array.core.Array"),
    "what refuses to be an array": (lambda a: Refusing(), ValueError, "got Refusing (call detach first)"),
    "a frame with text": (lambda a: frame(a, last="1.0"), TypeError, "got a column of dtype"),
    "a frame with a date": (lambda a: frame(a, last=pd.Timestamp(0)), TypeError, "got a column of dtype datetime64"),
    "a frame with categories": (lambda a: frame(a, last=pd.Categorical(["a"] * len(a))), TypeError, "dtype category"),
    "a frame with a gap": (lambda a: frame(a, last=pd.array([None] * len(a), "Int64")), ValueError, "got nan at index"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_VALUES)
@pytest.mark.parametrize("function", ["predict", "__call__", *DERIVATIVES, *EVALUATIONS])
def test_bad_numbers_are_refused_as_inputs(function, name):
    make, error, came = BAD_VALUES[name]
    bad = make(X)
    with complaint(error, "X", came, bad):
        getattr(NET, function)(bad, *[T] * (function in EVALUATIONS))


@pytest.mark.parametrize("name", [name for name in BAD_VALUES if name != "None"])
@pytest.mark.parametrize("function", EVALUATIONS)
def test_bad_numbers_are_refused_as_targets(function, name):
    make, error, came = BAD_VALUES[name]
    bad = make(T)
    with complaint(error, "T", came, bad):
        getattr(NET, function)(X, bad)


@pytest.mark.parametrize("function", [name for name in EVALUATIONS if name != "trace"])
def test_none_is_refused_as_targets_but_by_trace(function):
    with complaint(TypeError, "T", "got None"):
        getattr(NET, function)(X, None)


@pytest.mark.parametrize("name", [name for name in BAD_VALUES if name not in ("None", "sparse")])
def test_bad_numbers_are_refused_as_weights_and_as_parameters(name):
    make, error, came = BAD_VALUES[name]
    bad = make(WEIGHT)
    for function in EVALUATIONS:
        with complaint(error, "sample_weight", came, bad):
            getattr(NET, function)(X, T, sample_weight=bad)
    bad = make(NET.params)
    with complaint(error, "params", came, bad):
        NET.params = bad


@pytest.mark.parametrize("argument", ["X", "T", "sample_weight"])
def test_numbers_that_float32_cannot_hold_are_refused_by_a_float32_network(argument):
    arguments = {"X": X, "T": T, "sample_weight": WEIGHT}
    arguments[argument] = with_last(arguments[argument], 1e39)
    for function in EVALUATIONS:
        with complaint(ValueError, argument, "float32 can hold, got 1e+39 at index", arguments):
            getattr(NETS["float32"], function)(**arguments)
    with complaint(ValueError, "params", "float32 can hold, got 1e+39 at index", net=NETS["float32"]):
        NETS["float32"].params = with_last(NETS["float32"].params.astype(float), 1e39)


# ---- shapes ----

BAD_SHAPES = [
    ("X", X[:, :2], "(n_samples, 3), got (5, 2)"),
    ("X", np.hstack([X, X]), "(n_samples, 3), got (5, 6)"),
    ("X", X[:, :0], "(n_samples, 3), got (5, 0)"),
    ("X", X.T, "(n_samples, 3), got (3, 5)"),
    ("X", X[0], "got (3,); reshape your data with .reshape(-1, 1) for one feature or .reshape(1, -1) for one sample"),
    ("X", X[np.newaxis], "(n_samples, 3), got (1, 5, 3)"),
    ("X", 1.0, "(n_samples, 3), got ()"),
    ("X", [], "(n_samples, 3), got (0,)"),
    ("T", np.vstack([T, T]), "(n_samples, 1) or (n_samples,) with n_samples = 5, got (10, 1)"),
    ("T", T[:4], "(n_samples, 1) or (n_samples,) with n_samples = 5, got (4, 1)"),
    ("T", T[:4, 0], "(n_samples, 1) or (n_samples,) with n_samples = 5, got (4,)"),
    ("T", T.T, "got (1, 5)"),
    ("T", np.hstack([T, T]), "got (5, 2)"),
    ("T", T[:, :0], "got (5, 0)"),
    ("T", T[..., np.newaxis], "got (5, 1, 1)"),
    ("T", 0.0, "got ()"),
    ("T", [], "got (0,)"),
    ("sample_weight", WEIGHT[:4], "(5,), got (4,)"),
    ("sample_weight", WEIGHT[:, np.newaxis], "(5,), got (5, 1)"),
    ("sample_weight", 1.0, "(5,), got ()"),
    ("sample_weight", -WEIGHT, "non-negative numbers, got -2.0"),
]


@pytest.mark.parametrize(("argument", "value", "came"), BAD_SHAPES)
@pytest.mark.parametrize("function", EVALUATIONS)
def test_wrong_shapes_and_negative_weights_are_refused(function, argument, value, came):
    arguments = {"X": X, "T": T, "sample_weight": WEIGHT, argument: value}
    with complaint(ValueError, argument, came, value):
        getattr(NET, function)(**arguments)


@pytest.mark.parametrize("value", [np.zeros(20), np.zeros(22), np.zeros((1, 21)), np.zeros((21, 1)), 0.0, []])
def test_parameters_of_a_wrong_shape_are_refused(value):
    with complaint(ValueError, "params", f"(21,), got {np.shape(value)}"):
        NET.params = value


@pytest.mark.parametrize("function", ["objective", "fit"])
def test_no_samples_and_no_weight_are_refused_where_there_is_something_to_minimise(function):
    with complaint(ValueError, "X", "at least one sample, got none"):
        getattr(NET, function)(X[:0], T[:0])
    with complaint(ValueError, "sample_weight", "at least one positive number, got zeros only"):
        getattr(NET, function)(X, T, sample_weight=0 * WEIGHT)


# ---- targets of each loss ----

BAD_TARGETS = [
    ("two outputs", [0, 1, 0, 1, 1], "(n_samples, 2) with n_samples = 5, got (5,)"),
    ("binary_cross_entropy", [0, 1, 0, 1, 2], "in [0, 1] for binary_cross_entropy, got 2.0"),
    ("binary_cross_entropy", [0, 1, 0, 1, -0.01], "in [0, 1] for binary_cross_entropy, got -0.01"),
    ("poisson", [0, 1, 2, 3, -1], "non-negative targets for poisson, got -1.0"),
    ("cross_entropy", [0, 1, 2, 2, 3], "class labels 0 .. 2, got 3"),
    ("cross_entropy", [0, 1, 2, 2, -1], "class labels 0 .. 2, got -1"),
    ("cross_entropy", [0, 1, 2, 2, 0.5], "class labels 0 .. 2, got 0.5"),
    ("cross_entropy", [0, 1, 2, 2, 1e300], "class labels 0 .. 2, got 1e+300"),
    ("cross_entropy", np.array([0, 1, 2, 2, 2**63], "u8"), "class labels 0 .. 2, got 9223372036854775808"),
    ("cross_entropy", [0, 1, 2, 2], "5 class labels, as many as samples, got 4"),
    ("cross_entropy", [[0], [1], [2], [2], [2]], "(n_samples, 3) or (n_samples,) with n_samples = 5, got (5, 1)"),
    ("cross_entropy", [[0.2, 0.3, 0.4]] * 5, "rows that sum to 1 for cross_entropy, got the sum 0.9"),
    ("cross_entropy", [[0.5, 0.5, 0.01]] * 5, "rows that sum to 1 for cross_entropy, got the sum 1.01"),
    ("cross_entropy", [[0.0, 0.0, 0.0]] * 5, "rows that sum to 1 for cross_entropy, got the sum 0.0"),
    ("cross_entropy", [[1.5, -0.5, 0.0]] * 5, "in [0, 1] for cross_entropy, got 1.5"),
]


@pytest.mark.parametrize(("name", "targets", "came"), BAD_TARGETS)
@pytest.mark.parametrize("function", EVALUATIONS)
def test_targets_outside_the_domain_of_the_loss_are_refused(function, name, targets, came):
    net = NETS[name]
    with complaint(ValueError, "T", came, targets, net=net):
        getattr(net, function)(X, targets)


def test_rows_of_targets_sum_to_1_up_to_rounding_in_whatever_type():
    rows = np.random.default_rng(0).dirichlet(np.ones(3), size=5)
    exact = NETS["cross_entropy"].loss(X, rows)
    for dtype, tolerance in (("f2", 1e-2), ("f4", 1e-6), ("f8", 0.0)):
        assert NETS["cross_entropy"].loss(X, rows.astype(dtype)) == pytest.approx(exact, rel=tolerance)
        assert NETS["cross_entropy"].loss(X, rows.astype(dtype).astype(float)) == pytest.approx(exact, rel=tolerance)


# ---- out ----


def read_only(array):
    array.flags.writeable = False
    return array


BAD_OUTPUTS = [
    ([[0.0]] * 5, TypeError, "a numpy array, got list"),
    (memoryview(np.zeros((5, 1))), TypeError, "a numpy array, got memoryview"),
    (np.ma.zeros((5, 1)), TypeError, "a numpy array, got MaskedArray"),
    (np.zeros(5), ValueError, "shape (5, 1) and dtype float64, got (5,) and float64"),
    (np.zeros((4, 1)), ValueError, "got (4, 1) and float64"),
    (np.zeros((5, 1), "f4"), ValueError, "got (5, 1) and float32"),
    (np.zeros((5, 1), ">f8"), ValueError, "got (5, 1) and >f8"),
    (np.zeros((5, 1), complex), ValueError, "got (5, 1) and complex128"),
    (np.zeros((5, 2))[:, :1], ValueError, "a C-contiguous, aligned, writeable array, got one that is not"),
    (np.zeros((5, 1))[::-1], ValueError, "got one that is not"),
    (read_only(np.zeros((5, 1))), ValueError, "got one that is not"),
    (np.zeros(41, "u1")[1:].view("f8").reshape(5, 1), ValueError, "got one that is not"),
]


@pytest.mark.parametrize(("out", "error", "came"), BAD_OUTPUTS)
def test_predict_refuses_an_out_that_does_not_fit(out, error, came):
    before = np.array(out)
    with complaint(error, "out", came):
        NET.predict(X, out=out)
    assert np.array_equal(out, before)
