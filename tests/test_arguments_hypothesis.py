"""Arrays of any type, shape and layout: taken where they are what is asked for, else refused; never changed."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cases import DTYPES, PAIRS, data, network
from complaints import snapshot

N_ROWS = 5
FINITE = st.floats(-4, 4, width=16)
EXAMPLES = settings(max_examples=150, derandomize=True, deadline=None)

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary()
LISTS = st.recursive(ANYTHING, lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner), max_leaves=12)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
REAL_DTYPES = st.sampled_from(["f8", "f4", "f2", ">f8", "i1", "u8", "?"]).map(np.dtype)
DTYPES_OF_ALL_KINDS = (
    arrays.scalar_dtypes()
    | arrays.byte_string_dtypes()
    | arrays.unicode_string_dtypes()
    | arrays.array_dtypes(max_size=3)
    | st.just(np.dtype(object))
)


@st.composite
def layouts(draw, array):
    """The same numbers, held in memory in another way."""
    kind = draw(st.sampled_from(["plain", "transposed", "strided", "reversed", "misaligned", "read-only", "broadcast"]))
    if kind == "transposed":
        return array.T.copy().T
    if kind == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if kind == "reversed" and array.ndim:
        return array[::-1].copy()[::-1]
    if kind == "misaligned" and not array.dtype.hasobject:
        raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
        moved = np.ndarray(array.shape, array.dtype, raw)
        moved[...] = array
        return moved
    if kind == "read-only":
        array.flags.writeable = False
    if kind == "broadcast" and array.ndim and len(array):
        return np.broadcast_to(array[:1], array.shape)
    return array


@st.composite
def arguments(draw, *shapes, numbers=FINITE):
    """Arrays that often, but not always, have one of the shapes, real types and numbers that are asked for."""
    mostly = st.integers(0, 3)  # false for one in four
    shape = draw(st.sampled_from(shapes) if draw(mostly) else SHAPES)
    dtype = draw(REAL_DTYPES if draw(mostly) else DTYPES_OF_ALL_KINDS)
    elements = None
    if dtype.kind == "O":
        elements = ANYTHING
    elif dtype.kind == "f" and draw(mostly):
        elements = numbers
    return draw(layouts(draw(arrays.arrays(dtype, shape, elements=elements, fill=elements))))


def real_and_finite(array, dtype):
    """Whether the array holds real numbers that the type can hold."""
    with np.errstate(over="ignore"):
        return array.dtype.kind in "biuf" and bool(np.isfinite(array.astype(dtype)).all())


def outcome(call, argument, *inputs):
    """What a call returns, None if it refuses the argument in the one way that is allowed; inputs stay as they are."""
    before = snapshot(*inputs)
    result, message = None, f"{argument}: expected "
    try:
        result = call()
    except (ValueError, TypeError) as error:
        message = str(error)
    assert message.startswith(f"{argument}: expected ")
    assert snapshot(*inputs) == before
    return result


@pytest.mark.parametrize("dtype", DTYPES)
@EXAMPLES
@given(X=arguments((N_ROWS, 3), (1, 3), (20, 3)))
def test_any_array_as_inputs(dtype, X):
    net = network([3, 4, 2], dtype=dtype)
    outputs = outcome(lambda: net.predict(X, n_threads=1), "X", X)
    few_rows = outcome(lambda: net.predict(X), "X", X)
    assert (outputs is None) == (few_rows is None)
    assert (outputs is not None) == (X.ndim in (1, 2) and X.shape[-1] == 3 and real_and_finite(X, dtype))
    if outputs is not None:
        assert np.array_equal(outputs, net.predict(np.array(X, dtype, order="C"), n_threads=1), equal_nan=True)


@EXAMPLES
@given(X=LISTS)
def test_any_nest_of_lists_as_inputs(X):
    outputs = outcome(lambda: network([1, 2]).predict(X), "X", X)
    if outputs is not None:
        assert outputs.shape == ((len(X), 2) if isinstance(X[0], list) else (2,))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("output", "loss"), PAIRS)
@EXAMPLES
@given(T=arguments((N_ROWS, 2), (N_ROWS,), (N_ROWS, 1), numbers=st.sampled_from([0.0, 0.0, 1.0, 0.5, -1.0, 2.0])))
def test_any_array_as_targets_of_every_loss(output, loss, dtype, T):
    net = network([3, 4, 2], output=output, loss=loss, dtype=dtype)
    X, _ = data(net, N_ROWS)
    result = outcome(lambda: net.loss_and_grad(X, T), "T", X, T)
    labels = loss == "cross_entropy" and T.shape == (N_ROWS,)
    if result is None:
        assert loss != "squared_error" or T.shape != (N_ROWS, 2) or not real_and_finite(T, dtype)
    else:
        assert real_and_finite(T, dtype)
        assert labels or T.shape == (N_ROWS, 2)
        value, gradient = net.loss_and_grad(X, np.array(T, int if labels else dtype, order="C"))
        assert np.array_equal(result[0], value, equal_nan=True)
        assert np.array_equal(result[1], gradient, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
@EXAMPLES
@given(weight=arguments((N_ROWS,), numbers=st.floats(0, 4, width=16)))
def test_any_array_as_sample_weights(dtype, weight):
    net = network([3, 4, 2], dtype=dtype)
    X, T = data(net, N_ROWS)
    result = outcome(lambda: net.loss(X, T, sample_weight=weight), "sample_weight", X, T, weight)
    fits = weight.shape == (N_ROWS,) and real_and_finite(weight, dtype) and (weight >= 0).all()
    assert (result is not None) == fits


@pytest.mark.parametrize("dtype", DTYPES)
@EXAMPLES
@given(params=arguments((8,), (2, 4)))
def test_any_array_as_parameters(dtype, params):
    net = network([3, 2], dtype=dtype)
    before = net.params
    outcome(lambda: setattr(net, "params", params), "params", params)
    if params.shape == (8,) and real_and_finite(params, dtype):
        assert np.array_equal(net.params, params.astype(dtype))
    else:
        assert np.array_equal(net.params, before)


@pytest.mark.parametrize("dtype", DTYPES)
@EXAMPLES
@given(out=arguments((N_ROWS, 2)))
def test_any_array_as_out(dtype, out):
    net = network([3, 4, 2], dtype=dtype)
    X, _ = data(net, N_ROWS)
    fits = out.shape == (N_ROWS, 2) and out.dtype == np.dtype(dtype) and out.flags.carray
    if fits:
        assert net.predict(X, out=out) is out
        assert np.array_equal(out, net.predict(X, n_threads=1))
    else:
        assert outcome(lambda: net.predict(X, out=out), "out", X, out) is None


@EXAMPLES
@given(X=arguments((N_ROWS, 3)), T=arguments((N_ROWS, 2)), weight=st.none() | arguments((N_ROWS,)))
def test_any_three_arrays_together(X, T, weight):
    net = network([3, 4, 2])
    before = snapshot(X, T, weight)
    for function in (net.loss, net.loss_and_grad, net.sample_losses, net.trace):
        with contextlib.suppress(ValueError, TypeError):
            function(X, T, sample_weight=weight)
    assert snapshot(X, T, weight) == before
