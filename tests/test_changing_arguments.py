"""Arguments that change while a call looks at others: by their own hooks, or by another thread. Right values or errors.

What runs between the check of an array and its use may assign the array's shape, which is legal NumPy: a view of our
own keeps the one that was checked. Under sanitizers the same tests look for reads and writes out of bounds.
"""

import contextlib
import threading

import numpy as np
import pytest

import fastmlp
from changing import ACCEPTED, CHANGES, SIZES, Array, D, K, Threads, net_of, values
from fastmlp import invariance


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


def measured(X, T, sample_weight, sigma, n_threads, dtype):
    return fastmlp.Laplace(net_of(dtype), X, T, prior_precision=1.0, absolute_sigma=True, sample_weight=sample_weight,
                           sigma=sigma, n_threads=n_threads).params_covariance  # fmt: skip


DECAY = fastmlp.WeightDecay(1.0, 1.0)


def fitted_to_measured(X, T, sample_weight, sigma, n_threads, dtype):
    net = net_of(dtype)
    net.fit(X, T, "lm", sample_weight=sample_weight, sigma=sigma, n_threads=n_threads, max_iter=3, standardize=True,
            penalty=DECAY)  # fmt: skip
    return net.params


def measured_evidence(X, T, sigma, dtype):
    return fastmlp.fit_evidence(net_of(dtype), X, T, sigma=sigma, absolute_sigma=True, max_iter=2, n_threads=1).params


def updated_by_measured(X, T, sigma, dtype):
    given = values(9, dtype)
    old = fastmlp.Laplace(net_of(dtype), given["X"], given["T"], prior_precision=1.0, absolute_sigma=True,
                          sigma=given["sigma"])  # fmt: skip
    return old.updated(X, T, sigma=sigma).params


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


def known(dtype):
    given = values(9, dtype)
    return fastmlp.Laplace(net_of(dtype), given["X"], given["T"], prior_precision=1.0, noise_precision=2.0)


def updated(X, T, sample_weight, dtype):
    return known(dtype).updated(X, T, sample_weight=sample_weight).params


def evidence(X, T, sample_weight, n_threads, dtype):
    found = fastmlp.fit_evidence(net_of(dtype), X, T, sample_weight=sample_weight, max_iter=2, rng=0,
                                 noise_precision=1.0, standardize=False, n_threads=n_threads)  # fmt: skip
    return found.params


def weighed(X, T, sample_weight, n_threads, dtype):
    found = fastmlp.importances(net_of(dtype), X, T, penalty=fastmlp.WeightDecay(100.0, 100.0), hessian="ggn",
                                sample_weight=sample_weight, n_threads=n_threads)  # fmt: skip
    return np.concatenate(
        [found.saliency, np.nan_to_num(found.sensitivity).ravel(), found.olden.ravel(), found.garson.ravel()]
    )


def estimated(X, T, sample_weight, dtype):
    own = fastmlp.MLPRegressor(hidden_layer_sizes=(3,), solver="lm", alpha=1.0, random_state=0, max_iter=3)
    return own.fit(X, T, sample_weight=sample_weight).network_.params


def estimated_path(X, T, sample_weight, dtype):
    own = fastmlp.MLPRegressor.from_network(net_of(dtype), alpha=10.0)
    return np.nan_to_num(own.prune_path(X, T, sample_weight, n_params=21, max_iter=2).scores)


def convolved(dtype, shared=True):
    first, second = fastmlp.Conv(3, 2, shared=shared), fastmlp.Conv(2, 1)
    return fastmlp.Network([(1, D), first, fastmlp.MaxPool(2), second, fastmlp.AveragePool(1), K], dtype=dtype, rng=0)


def trained_images(X, T, sample_weight, n_threads, dtype):
    net = convolved(dtype, shared=False)
    return net.fit(X, T, "lm", sample_weight=sample_weight, n_threads=n_threads, max_iter=3).x


def with_derivatives(X, T, tau, slopes, n_threads, dtype):
    return net_of(dtype).fit(X, T, "lbfgs", derivatives=(tau, slopes), n_threads=n_threads, max_iter=3).x


def along_rows(X, T, tau, sample_weight, dtype):
    return fitted("lm", penalty=DECAY + fastmlp.TangentPropagation(tau, 0.1))(X, T, sample_weight, 1, dtype)


def features(X, dtype):
    return fastmlp.features.PowerSpectrum(shape=(1, D)).fit_transform(X)


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
    "jvp": lambda X, v, n_threads, dtype: net_of(dtype).jvp(X, v, n_threads=n_threads),
    "ggnp": lambda X, T, v, n_threads, dtype: net_of(dtype).ggnp(X, T, v, n_threads=n_threads),
    "hessian_operator": (lambda X, T, v, sample_weight, n_threads, dtype: net_of(dtype).hessian_operator(
        X, T, sample_weight=sample_weight, n_threads=n_threads).matvec(v)),
    "inverse_hessian": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).inverse_hessian(
        X, T, 1.0, sample_weight=sample_weight, n_threads=n_threads)),
    "propagate": lambda X, n_threads, dtype: fastmlp.propagate(net_of(dtype), X, np.eye(D), n_threads=n_threads),
    "prior_samples": lambda X, n_threads, dtype: fastmlp.prior_samples(
        net_of(dtype), 1.0, X, 3, rng=0, n_threads=n_threads),
    "check_derivatives": lambda X, T, sample_weight, dtype: np.array([fastmlp.check_derivatives(
        net_of(dtype), X, T, sample_weight=sample_weight).passed]),
    "importances": weighed,
    "garson": lambda X, dtype: fastmlp.garson(net_of(dtype), X),
    "olden": lambda X, dtype: fastmlp.olden(net_of(dtype), X),
    "lekprofile": lambda X, n_threads, dtype: fastmlp.lekprofile(net_of(dtype), X, steps=3, n_threads=n_threads).y,
    "invariance": lambda X, n_threads, dtype: invariance.invariance(net_of(dtype), X, np.eye(D), n_threads=n_threads),
    "convolution": lambda X, T, n_threads, dtype: convolved(dtype).loss_and_grad(X, T, n_threads=n_threads)[1],
    "predict images": lambda X, n_threads, dtype: convolved(dtype).predict(X, n_threads=n_threads),
    "jacobian of images": lambda X, n_threads, dtype: convolved(dtype, shared=False).jacobian(
        X, wrt="params", n_threads=n_threads),
    "hessian of images": lambda X, T, sample_weight, n_threads, dtype: convolved(dtype).hessian(
        X, T, sample_weight=sample_weight, n_threads=n_threads),
    "train images": trained_images,
    "tangents": lambda X, dtype: invariance.tangents(X, kinds=[lambda X, t: (1 + t) * X]),
    "warp": lambda X, n_threads, dtype: invariance.warp(X, offset=(0.5, 0.25), n_threads=n_threads),
    "augmented": lambda X, T, dtype: invariance.augmented(X, T, invariance.TimeShift(0.5), 2, rng=0)[0],
    "augment": fitted("adam", batch_size=8, augment=invariance.TimeShift(0.5)),
    "TangentPropagation": fitted("lbfgs", penalty=fastmlp.TangentPropagation(np.eye(D), 0.1)),
    "TangentPropagation of rows": along_rows, "derivatives": with_derivatives, "features": features,
    "invariance of rows": lambda X, tau, n_threads, dtype: invariance.invariance(
        net_of(dtype), X, tau, n_threads=n_threads),
    "warp by": lambda X, displacement, n_threads, dtype: invariance.warp(
        X, displacement=displacement, n_threads=n_threads),
    "Laplace.predict": lambda X, dtype: known(dtype).predict(X)[1],
    "Laplace.predict_jacobian": lambda X, dtype: known(dtype).predict_jacobian(X)[1],
    "Laplace.covariance": lambda X, dtype: known(dtype).covariance(X),
    "Laplace.influence": lambda X, dtype: known(dtype).influence(X),
    "Laplace.log_density": lambda X, T, dtype: known(dtype).log_density(X, T),
    "MLPRegressor": estimated, "prune_path": estimated_path, "fit_evidence": evidence,
    "lm": fitted("lm"), "lbfgs": fitted("lbfgs"), "adam": fitted("adam", batch_size=8), "sgd": fitted("sgd"),
    "standardised": fitted("lm", standardize=True), "held out": fitted("rprop", validation=0.5),
    "prune": pruned, "saliencies": saliencies, "refit": refitted, "updated": updated, "objective": objective,
    "fit_many": many, "sweep": swept, "Laplace": posterior,
    "measured": measured, "fit to measured": fitted_to_measured, "fit_evidence of measured": measured_evidence,
    "updated by measured": updated_by_measured,
    "objective of measured": (lambda X, T, v, sigma, n_threads, dtype: net_of(dtype).objective(
        X, T, sigma=sigma, n_threads=n_threads).ggnp(net_of(dtype).params, v)),
    "noise of new targets": lambda X, sigma, dtype: known(dtype).predict(X, noise_std=sigma)[1],
    "density with noise": lambda X, T, sigma, dtype: known(dtype).log_density(X, T, noise_std=sigma),
}  # fmt: skip


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
