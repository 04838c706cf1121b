"""Arguments that change while a call looks at others: by their own hooks, or by another thread. Right values or errors.

What runs between the check of an array and its use may assign the array's shape, which is legal NumPy: a view of our
own keeps the one that was checked. Under sanitizers the same tests look for reads and writes out of bounds.
"""

import contextlib
import sys
import threading

import numpy as np
import pytest

import fastmlp
from changing import ACCEPTED, CHANGES, SIZES, Array, D, K, Threads, net_of, values
from changing_calls import CALLS, arguments_of
from changing_numbers import CALLS as NUMBERS
from changing_numbers import Real


def outcome(call, given, dtype):
    try:
        return call(**given, dtype=dtype)
    except (TypeError, ValueError) as error:
        assert ":" in str(error)  # noqa: PT017 - which argument, or what is wrong
        return None


@ACCEPTED
@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", CALLS)
def test_hooks_of_other_arguments_change_nothing(name, n, dtype):
    """X is exact, and would be read where it lies: the others give it another shape while they are converted."""
    call = CALLS[name]
    expected = outcome(call, arguments_of(call, values(n, dtype)), dtype)
    for change in CHANGES:
        for other in set(arguments_of(call, values(n, dtype))) - {"X"}:
            given = arguments_of(call, values(n, dtype))
            X = given["X"]
            given[other] = Threads(X, change) if other == "n_threads" else Array(given[other], X, change)
            found = outcome(call, given, dtype)
            assert found is None or np.array_equal(found, expected), (change.__name__, other)


@ACCEPTED
@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", NUMBERS)
def test_hooks_of_numbers_change_nothing(name, n, dtype):
    call, numbers = NUMBERS[name]

    def run(X, T, dtype, options):
        return call(X, T, **options)

    given = values(n, dtype)
    expected = outcome(run, {"X": given["X"], "T": given["T"], "options": numbers}, dtype)
    for change in CHANGES:
        for option, value in numbers.items():
            X = given["X"].copy()
            hooked = numbers | {option: Real(value, X, change)}
            found = outcome(run, {"X": X, "T": given["T"], "options": hooked}, dtype)
            assert found is None or np.array_equal(found, expected), (change.__name__, option)


@ACCEPTED
@pytest.mark.parametrize("n", SIZES)
def test_an_output_array_is_written_as_it_was_checked(n, dtype):
    net, X = net_of(dtype), values(n, dtype)["X"]
    expected = net.predict(X)
    for change in CHANGES:
        out = np.empty((n, K), dtype)
        net.predict(X, out=out, n_threads=Threads(out, lambda array: setattr(array, "shape", (-1,))))
        assert np.array_equal(out.reshape(n, K), expected)
        found = net.predict(X.copy(), out=np.empty((n, K), dtype), n_threads=Threads(X, change))
        assert np.array_equal(found, expected)
        X.shape = (n, D)


@ACCEPTED
@pytest.mark.parametrize("n", [130, 20_000])
@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "loss_and_grad",
        "predict",
        "jacobian",
        "hessp",
        "lm",
        "adam",
        "sensitivity",
        "saliencies",
        "refit",
        "prune",
        "importances",
        "lekprofile",
        "olden",
        "Laplace.predict",
        "Laplace.log_density",
        "convolution",
        "predict images",
        "jacobian of images",
        "train images",
        "tangents",
        "warp",
        "augmented",
        "augment",
        "TangentPropagation",
        "derivatives",
        "invariance",
        "features",
    ],
)
def test_another_thread_assigns_shapes(name, n, dtype):
    call, given = CALLS[name], arguments_of(CALLS[name], values(n, dtype))
    expected = call(**given, dtype=dtype)
    with restless(given["X"], (2 * n, D // 2)):
        for _ in range(5 if n > 1000 else 50):
            found = outcome(call, given, dtype)
            assert found is None or np.array_equal(found, expected)


@contextlib.contextmanager
def beside(change):
    """While another thread does that over and over; each has Python for a tenth of a millisecond in turn."""
    stop, interval = threading.Event(), sys.getswitchinterval()

    def work():
        while not stop.is_set():
            change()

    other = threading.Thread(target=work)
    sys.setswitchinterval(1e-4)
    other.start()
    try:
        yield
    finally:
        stop.set()
        other.join()
        sys.setswitchinterval(interval)


def restless(array, shape):
    """While another thread gives the array that shape and its own in turn."""
    own = array.shape

    def assign():
        array.shape = shape
        array.shape = own

    return beside(assign)


@ACCEPTED
@pytest.mark.parametrize(("name", "argument"), [("fixed", "chosen"), ("labels", "labels")])
def test_another_thread_writes_indices_that_are_none(name, argument, dtype):
    call, given = CALLS[name], arguments_of(CALLS[name], values(9, dtype))
    expected, array, own = call(**given, dtype=dtype), given[argument], given[argument].copy()

    def write():
        array[...] = 2**40
        array[...] = own

    with beside(write):
        for _ in range(200):
            found = outcome(call, given, dtype)
            assert found is None or np.array_equal(found, expected)


@ACCEPTED
@pytest.mark.parametrize("n", [1, 130, 20_000])
def test_another_thread_assigns_the_shape_of_what_is_written(n, dtype):
    net, X, out = net_of(dtype), values(n, dtype)["X"], np.empty((n, K), dtype)
    expected = net.predict(X)
    with restless(out, (K * n,)):
        for _ in range(5 if n > 1000 else 200):
            out.reshape(-1)[:] = 7.0
            found = outcome(lambda dtype: net.predict(X, out=out), {}, dtype)
            assert found is None or np.array_equal(out.reshape(-1), expected.reshape(-1))


@ACCEPTED
@pytest.mark.parametrize("fixed", [None, "b1"])
def test_another_thread_assigns_the_shape_of_the_parameters(fixed, dtype):
    given = values(9, dtype)
    objective = net_of(dtype).objective(given["X"], given["T"], penalty=fastmlp.WeightDecay(0.5), fixed=fixed)
    p = objective.x0
    expected = objective.normal_equations(p)
    with restless(p, (1, p.size)):
        for _ in range(200):
            found = outcome(lambda dtype: objective.normal_equations(p), {}, dtype)
            assert found is None or all(map(np.array_equal, found, expected))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of NumPy
@pytest.mark.parametrize("change", ["dtype", "strides"])
def test_an_array_whose_type_or_layout_is_changed_by_another_thread_is_refused(change, monkeypatch):
    """Between a look at it and the view that is taken: of smaller numbers there would seem to be more rows."""
    require = np.require

    def changing(array, *rest):
        result = require(array, *rest)
        if change == "dtype":
            result.dtype, result.shape = np.int32, (-1, 3)
        else:
            result.strides = (8, 8)
        return result

    rows = np.zeros((130, 3))
    rows[0, 0] = np.nan  # exact arrays are taken within C
    monkeypatch.setattr(np, "require", changing)
    with pytest.raises(ValueError, match=r"^X: expected an array that stays as it is, got one that was changed"):
        fastmlp.Network([3, 4, 2], rng=0).predict(rows)
