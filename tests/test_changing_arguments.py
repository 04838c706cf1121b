"""Arguments that change while a call looks at others: by their own hooks, or by another thread. Right values or errors.

What runs between the check of an array and its use may assign the array's shape, which is legal NumPy: a view of our
own keeps the one that was checked. Under sanitizers the same tests look for reads and writes out of bounds.
"""

import contextlib
import threading

import numpy as np
import pytest

import fastmlp

D, K = 4, 2
LAYERS = [D, 3, K]
SIZES = [1, 9, 130]


class Array:
    """An array-like that gives `target` another shape, or other numbers, whenever it is looked at."""

    def __init__(self, array, target, change):
        self.array, self.target, self.change = array, target, change

    def __array__(self, dtype=None, copy=None):
        self.change(self.target)
        return np.array(self.array, dtype)

    def __len__(self):
        self.change(self.target)
        return len(self.array)


class Threads(int):
    """An integer that does the same when it is compared or converted."""

    def __new__(cls, target, change):
        result = super().__new__(cls, 1)
        result.target, result.change = target, change
        return result

    def _hook(self, *_):
        self.change(self.target)
        return NotImplemented

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _hook
    __hash__ = int.__hash__

    def __index__(self):
        self.change(self.target)
        return 1

    __int__ = __index__


def taller(X):
    """Twice the rows, half the columns."""
    X.shape = (2 * X.shape[0], X.shape[1] // 2) if X.ndim == 2 and X.shape[1] == D else (-1, D)


def flat(X):
    X.shape = (-1,)


def shorter(X):
    if X.size % (2 * D) == 0:
        X.shape = (X.size // (2 * D), 2 * D)


CHANGES = [taller, flat, shorter]


def values(n, dtype):
    rng = np.random.default_rng(n)
    return {
        "X": rng.normal(size=(n, D)).astype(dtype),
        "T": rng.normal(size=(n, K)).astype(dtype),
        "sample_weight": rng.uniform(0.5, 2.0, n).astype(dtype),
        "v": rng.normal(size=net_of(dtype).n_params).astype(dtype),
        "U": rng.normal(size=(n, K)).astype(dtype),
        "n_threads": 1,
    }


def net_of(dtype):
    return fastmlp.Network(LAYERS, dtype=dtype, rng=1)


def fitted(method, **options):
    def call(X, T, sample_weight, n_threads, dtype):
        net = net_of(dtype)
        net.fit(X, T, method, sample_weight=sample_weight, n_threads=n_threads, max_iter=3, rng=0, **options)
        return net.params

    return call


def many(X, T, sample_weight, n_threads, dtype):
    return fastmlp.fit_many([net_of(dtype)], X, T, sample_weight=sample_weight, n_threads=n_threads, max_iter=3)[0].x


def swept(X, T, sample_weight, n_threads, dtype):
    runs = fastmlp.sweep(X, T, (2,), 2, folds=2, sample_weight=sample_weight, n_threads=n_threads, max_iter=2, rng=0,
                         dtype=dtype).runs  # fmt: skip
    return np.array([run.params for run in runs])


def posterior(X, T, sample_weight, n_threads, dtype):
    return fastmlp.Laplace(net_of(dtype), X, T, prior_precision=1.0, noise_precision=2.0, sample_weight=sample_weight,
                           n_threads=n_threads).params_covariance  # fmt: skip


DECAY = fastmlp.WeightDecay(1.0, 1.0)


def pruned(X, T, sample_weight, n_threads, dtype):
    path = fastmlp.prune(net_of(dtype), X, T, penalty=DECAY, noise_precision=1.0, sample_weight=sample_weight,
                         n_params=18, max_iter=2, n_threads=n_threads)  # fmt: skip
    return path.best.params


def saliencies(X, T, sample_weight, n_threads, dtype):
    return fastmlp.saliencies(net_of(dtype), X, T, penalty=DECAY, noise_precision=1.0, sample_weight=sample_weight,
                              n_threads=n_threads).params  # fmt: skip


def refitted(X, T, sample_weight, n_threads, dtype):
    net = net_of(dtype)
    fastmlp.refit(net, X, T, penalty=DECAY, sample_weight=sample_weight, n_threads=n_threads)
    return net.params


def updated(X, T, sample_weight, dtype):
    given = values(9, dtype)
    known = fastmlp.Laplace(net_of(dtype), given["X"], given["T"], prior_precision=1.0, noise_precision=2.0)
    return known.updated(X, T, sample_weight=sample_weight).params


def objective(X, T, v, sample_weight, n_threads, dtype):
    return (
        net_of(dtype)
        .objective(X, T, penalty=DECAY, sample_weight=sample_weight, n_threads=n_threads)
        .hessp(net_of(dtype).params, v)
    )


CALLS = {
    "loss": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).loss(
        X, T, sample_weight=sample_weight, n_threads=n_threads)),
    "loss_and_grad": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).loss_and_grad(
        X, T, sample_weight=sample_weight, n_threads=n_threads)[1]),
    "plain": lambda X, T, dtype: net_of(dtype).loss_and_grad(X, T)[1],
    "sample_losses": lambda X, T, n_threads, dtype: net_of(dtype).sample_losses(X, T, n_threads=n_threads),
    "trace": lambda X, T, n_threads, dtype: net_of(dtype).trace(X, T, n_threads=n_threads).delta[0],
    "predict": lambda X, n_threads, dtype: net_of(dtype).predict(X, n_threads=n_threads),
    "jacobian": lambda X, n_threads, dtype: net_of(dtype).jacobian(X, n_threads=n_threads),
    "jacobian by params": lambda X, n_threads, dtype: net_of(dtype).jacobian(X, wrt="params", n_threads=n_threads),
    "vjp": lambda X, U, n_threads, dtype: net_of(dtype).vjp(X, U, n_threads=n_threads),
    "hessian": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).hessian(
        X, T, sample_weight=sample_weight, n_threads=n_threads)),
    "hessp": (lambda X, T, v, sample_weight, n_threads, dtype: net_of(dtype).hessp(
        X, T, v, sample_weight=sample_weight, n_threads=n_threads)),
    "hessian_diagonal": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).hessian_diagonal(
        X, T, sample_weight=sample_weight, n_threads=n_threads)),
    "input_hessian": lambda X, n_threads, dtype: net_of(dtype).input_hessian(X, n_threads=n_threads),
    "sensitivity": (lambda X, sample_weight, n_threads, dtype: fastmlp.sensitivity(
        net_of(dtype), X, sample_weight=sample_weight, n_threads=n_threads).raw.mean),
    "lm": fitted("lm"), "lbfgs": fitted("lbfgs"), "adam": fitted("adam", batch_size=8), "sgd": fitted("sgd"),
    "standardised": fitted("lm", standardize=True), "held out": fitted("rprop", validation=0.5),
    "prune": pruned, "saliencies": saliencies, "refit": refitted, "updated": updated, "objective": objective,
    "fit_many": many, "sweep": swept, "Laplace": posterior,
}  # fmt: skip
ACCEPTED = pytest.mark.filterwarnings(
    "ignore::fastmlp.ScaleWarning", "ignore::fastmlp.PosteriorWarning", "ignore:Setting the shape:DeprecationWarning"
)


def arguments_of(call, given):
    names = call.__code__.co_varnames[: call.__code__.co_argcount]
    return {name: given[name] for name in names if name != "dtype"}


def outcome(call, given, dtype):
    try:
        return call(**given, dtype=dtype)
    except (TypeError, ValueError) as error:
        assert ":" in str(error)  # noqa: PT017 - which argument, or what is wrong
        return None


@ACCEPTED
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
def restless(array, shape):
    """While another thread gives the array that shape and its own in turn."""
    own, stop = array.shape, threading.Event()

    def assign():
        while not stop.is_set():
            array.shape = shape
            array.shape = own

    other = threading.Thread(target=assign)
    other.start()
    try:
        yield
    finally:
        stop.set()
        other.join()


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


# ---- lists of sizes, names and the like ----


class Liar(list):
    """A list with its own methods in place of its items, but for the walk over them, which it gives once."""

    def __iter__(self):
        walk, self[:] = list(list.__iter__(self)), [1j]
        return iter(walk)

    def __getitem__(self, key):
        return 1j

    def __len__(self):
        return -1

    def __contains__(self, item):
        return 1j


class Unwalkable(list):
    def __iter__(self):
        return 1j


LISTS = {
    "layers": ([4, 3, 2], lambda given: fastmlp.Network(given, rng=0).params),
    "hidden": (["relu"], lambda given: fastmlp.Network([4, 3, 2], given, rng=0).params),
    "fixed": (["W1", "b2"], lambda given: net_of("f8").fit(*samples(), max_iter=2, fixed=given).x),
    "tied": (["W1"], lambda given: net_of("f8").fit(*samples(), max_iter=2, tied=given).x),
    "validation": ([*map(np.ones, ([5, 4], [5, 2]))], lambda given: net_of("f8").fit(
        *samples(), "adam", validation=given, max_iter=2, rng=0).x),
    "what": (["W1[:,0]", "b1"], lambda given: fastmlp.saliencies(
        net_of("f8"), *samples(), method="magnitude", what=given).rise),
    "weights": ([0.1, 0.2], lambda given: net_of("f8").fit(
        *samples(), max_iter=2, penalty=fastmlp.WeightDecay(weights=given)).x),
    "penalty": ([None], lambda given: fastmlp.fit_many([net_of("f8")], *samples(), penalty=given, max_iter=2)[0].x),
    "hidden_sizes": ([1, 2], lambda given: [run.fun for run in fastmlp.sweep(
        *samples(), given, 1, folds=2, max_iter=2, rng=0).runs]),
    "activation": (["relu"], lambda given: estimator(activation=given).fit(*samples()).coefs_[0]),
    "hidden_layer_sizes": ([3], lambda given: estimator(hidden_layer_sizes=given).fit(*samples()).coefs_[0]),
}  # fmt: skip


def samples():
    given = values(30, "f8")
    return given["X"], given["T"]


def estimator(**options):
    return fastmlp.MLPRegressor(**{"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0} | options)


WARNING = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::fastmlp.ScaleWarning")


@WARNING
@pytest.mark.parametrize(
    "name", sorted(set(LISTS) - {"hidden_layer_sizes"})
)  # which is the estimator's, and stays as it is
def test_a_list_is_read_once(name):
    """What its items were then is what counts: neither its length nor its slices are asked for, nor a second walk."""
    items, call = LISTS[name]
    assert np.array_equal(call(Liar(items)), call(list(items)))


@WARNING
@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_cannot_be_read_is_refused_by_its_name(name):
    items, call = LISTS[name]
    with pytest.raises(TypeError, match=rf"^{name}: expected "):
        call(Unwalkable(items))


# ---- what is looked at more than once ----


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("change", [taller, flat, shorter, lambda X: setattr(X, "dtype", np.int16)])
def test_estimators_keep_to_the_array_that_they_were_given(change):
    """scikit-learn's checks give X itself back, and look at y, which changes it, then."""
    X, T = samples()
    expected = estimator().fit(X, T)
    got = estimator().fit(X, Array(T, X, change))
    assert np.array_equal(got.coefs_[0], expected.coefs_[0])
    X, T = samples()
    weight = np.ones(30)
    got = estimator().fit(X, T, sample_weight=Array(weight, X, change))
    assert np.array_equal(got.coefs_[0], estimator().fit(*samples(), sample_weight=weight).coefs_[0])


@ACCEPTED
@pytest.mark.parametrize("far", [1e6, 0.0])
def test_warnings_about_scale_look_again_at_what_may_have_another_shape(far, dtype):
    """Columns far from zero are looked at as they were given: by then they may be others."""
    for change in CHANGES:
        given = values(130, dtype)
        given["X"][:, 2] = far
        X, net = given["X"], net_of(dtype)
        expected = net.copy().fit(X.copy(), given["T"], "lm", standardize=True, max_iter=12).x
        got = net.fit(X, given["T"], "lm", standardize=True, max_iter=12, n_threads=Threads(X, change)).x
        assert np.array_equal(got, expected)


class Fewer:
    """An array-like that has a row less whenever it is looked at."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        self.array = self.array[1:]
        return np.array(self.array, dtype)


@WARNING
def test_samples_of_many_networks_are_read_once():
    X, T = samples()
    found = fastmlp.sweep(Fewer(X), T[1:], (1, 2), 1, folds=2, max_iter=2, rng=0)
    assert found.runs[0].fun == fastmlp.sweep(X[1:], T[1:], (1, 2), 1, folds=2, max_iter=2, rng=0).runs[0].fun


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning", "ignore::fastmlp.PosteriorWarning")
def test_mixtures_read_their_inputs_once():
    X, T = samples()
    mixture = fastmlp.fit_evidence(net_of("f8"), X, T, n_starts=2, combine="average", max_iter=2, rng=0)
    assert np.array_equal(mixture.predict(Fewer(X))[0], mixture.predict(X[1:])[0])
