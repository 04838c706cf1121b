"""NumPy's warnings and floating-point errors stay inside, whatever the caller has made of them by `np.errstate`."""

import contextlib
import warnings

import numpy as np
import pytest

import fastmlp
from cases import ALL, RESUMABLE
from fastmlp.model import losses

X = np.random.default_rng(0).normal(size=(30, 3))
DECAY = fastmlp.WeightDecay(1.0, 1.0)
SCALES = {"tiny": 1e-160, "usual": 1.0, "huge": 1e150}


def net(dtype="float64", **options):
    return fastmlp.Network([3, 4, 1], rng=0, dtype=dtype, **options)


def data(scale, dtype):
    if dtype == "float32":
        scale = scale**0.2
    return scale * X, scale * np.sin(X[:, 0])


OPERATIONS = {
    **{f"fit {m}": lambda n, X, T, m=m: n.fit(X, T, m, max_iter=10, rng=0) for m in ALL},
    **{f"fit {m} standardize": lambda n, X, T, m=m: n.fit(
        X, T, m, max_iter=10, rng=0, standardize=True, validation=0.3, patience=3
    ) for m in RESUMABLE},
    "sgd that diverges": lambda n, X, T: n.fit(X, T, "sgd", learning_rate=1e10, max_iter=20, rng=0),
    "Laplace": lambda n, X, T: _ask(fastmlp.Laplace(n, X, T, prior_precision=1.0, noise_precision=1.0), X, T),
    "fit_evidence": lambda n, X, T: fastmlp.fit_evidence(n, X, T, "ard", max_iter=5).predict(X),
    "fit_evidence raw": lambda n, X, T: fastmlp.fit_evidence(n, X, T, max_iter=5, standardize=False).predict(X),
    "prior_samples": lambda n, X, T: fastmlp.prior_samples(n, 1.0, X, n=2),
    "fit_many": lambda n, X, T: fastmlp.fit_many([n, n.copy()], X, T, max_iter=5),
    "sweep": lambda n, X, T: fastmlp.sweep(X, T, (1, 2), n_starts=2, folds=3, max_iter=5, rng=0).table(),
    "sensitivity": lambda n, X, T: fastmlp.sensitivity(n, X).table(),
    "propagate": lambda n, X, T: fastmlp.propagate(n, X, np.eye(3)),
    "importances": lambda n, X, T: fastmlp.importances(n, X, T, penalty=DECAY, hessian="ggn").table(),
    "garson, olden": lambda n, X, T: (fastmlp.garson(n, X), fastmlp.olden(n, X)),
    "lekprofile": lambda n, X, T: fastmlp.lekprofile(n, X, steps=5).table(),
    "saliencies": lambda n, X, T: fastmlp.saliencies(n, X, T, penalty=DECAY, hessian="ggn").evidence_gain,
    "prune": lambda n, X, T: fastmlp.prune(n, X, T, penalty=DECAY, n_params=18, max_iter=3).table(),
    "refit": lambda n, X, T: fastmlp.refit(n, X, T, penalty=DECAY),
    "compact": lambda n, X, T: fastmlp.compact(n),
    "updated": lambda n, X, T: fastmlp.Laplace(
        n, X, T, prior_precision=1.0, noise_precision=1.0).updated(X, T).predict(X),
    "covariances": lambda n, X, T: _ask_more(fastmlp.Laplace(n, X, T, prior_precision=1.0, noise_precision=1.0), X),
    "inverse_hessian": lambda n, X, T: (n.inverse_hessian(X, T, 1.0, "ggn"), n.inverse_hessian(
        X, T, 1.0, method="sequential")),
    "products": lambda n, X, T: (n.hessp(X, T, n.params), n.ggnp(X, T, n.params), n.jvp(X, n.params),
                                 n.vjp(X, T[:, None]), n.hessian_diagonal(X, T), n.sample_losses(X, T)),
    "residuals": lambda n, X, T: _evaluate(n.objective(X, T, penalty=DECAY + fastmlp.Quadratic(n.params, 1.0))),
    "prune_path": lambda n, X, T: fastmlp.MLPRegressor.from_network(n, alpha=1.0).prune_path(
        X, T, n_params=18, max_iter=3).table(),
    "check_derivatives": lambda n, X, T: fastmlp.check_derivatives(n, X, T),
    **{f"hessian {k}": lambda n, X, T, k=k: n.hessian(X, T, k)
       for k in ("exact", "ggn", "empirical_fisher", "finite_difference")},
    "Activation, Loss": lambda n, X, T: _ask_rows(X),
    "predict": lambda n, X, T: (n.predict(X), n.loss_and_grad(X, T), n.trace(X, T), n.jacobian(X)),
    "objective": lambda n, X, T: n.objective(X, T, noise_precision=1e-200).value_and_grad(n.params),
    "MLPRegressor": lambda n, X, T: fastmlp.MLPRegressor(
        hidden_layer_sizes=(4,), max_iter=10, random_state=0
    ).fit(X, T).predict(X),
    "return_std": lambda n, X, T: fastmlp.MLPRegressor(
        hidden_layer_sizes=(4,), solver="lm", alpha=0.1, max_iter=50, random_state=0
    ).fit(X, T).predict(X, return_std=True),
    "MLPClassifier": lambda n, X, T: fastmlp.MLPClassifier(
        hidden_layer_sizes=(4,), max_iter=10, random_state=0
    ).fit(X, X[:, 0] > 0).predict_proba(X),
}  # fmt: skip


def _ask_more(posterior, X):
    posterior.covariance(X), posterior.predict_jacobian(X), posterior.influence(X), posterior.sandwich_covariance


def _evaluate(objective):
    p = objective.x0
    (
        objective.hess(p),
        objective.ggn(p),
        objective.normal_equations(p),
        objective.residuals(p),
        objective.residual_jac(p),
    )


def _ask_rows(Z):
    for name in losses.NAMES:
        loss = fastmlp.Loss(name)
        y = loss.outputs(Z)
        loss.value(Z, np.abs(y)), loss.slope(Z, y), loss.curvature(Z), loss.output.value(Z)


def _ask(posterior, X, T):
    posterior.predict(X, parts=True), posterior.log_density(X, T), posterior.sample(2), posterior.leave_one_out()
    return posterior.log_evidence, posterior.effective_n_params, posterior.params_std, posterior.nic


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_raised_or_said(operation, scale, dtype):
    with warnings.catch_warnings(record=True) as said, np.errstate(all="raise"):
        warnings.simplefilter("always")
        with contextlib.suppress(ValueError):  # columns out of reach are refused, by name
            OPERATIONS[operation](net(dtype), *data(SCALES[scale], dtype))
    assert not [each for each in said if each.category is RuntimeWarning]


def test_the_state_of_the_caller_is_left_as_it_is():
    with np.errstate(all="raise", under="warn"):
        before = np.geterr()
        net().fit(X, X[:, 0], max_iter=3)
        assert np.geterr() == before


# ---- functions of the caller's own ----


def _log_of_zero(*_):
    """What a caller's function of its own may do."""
    np.log(np.zeros(1))


def _rate(epoch):
    _log_of_zero()
    return 0.01


def _drawn(net, rng):
    _log_of_zero()
    return rng.normal(size=net.n_params)


CALLING = {
    **{f"callback of {m}": lambda n, X, T, m=m: n.fit(X, T, m, max_iter=3, rng=0, callback=_log_of_zero)
       for m in ALL},
    "learning_rate": lambda n, X, T: n.fit(X, T, "sgd", max_iter=3, rng=0, learning_rate=_rate),
    "learning_rate of fit_many": lambda n, X, T: fastmlp.fit_many([n], X, T, "sgd", max_iter=3, rng=0,
                                                                  learning_rate=_rate),
    "init of sweep": lambda n, X, T: fastmlp.sweep(X, T, (1, 2), 2, folds=3, max_iter=3, rng=0, init=_drawn),
    "callback of fit_evidence": lambda n, X, T: fastmlp.fit_evidence(n, X, T, max_iter=3, callback=_log_of_zero),
    "callback of fit_evidence, by threads": lambda n, X, T: fastmlp.fit_evidence(
        n, X, T, max_iter=3, n_starts=3, n_threads=2, rng=0, callback=_log_of_zero),
    "a fit within a callback": lambda n, X, T: n.fit(
        X, T, max_iter=1, callback=lambda _: n.copy().fit(X, T, "scg", max_iter=1, callback=_log_of_zero)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:the precisions have not converged")
@pytest.mark.parametrize("called", CALLING)
def test_functions_of_the_callers_own_run_under_the_callers_errstate(called):
    def call():
        CALLING[called](net(), *data(1.0, "float64"))

    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        call()
    with np.errstate(divide="ignore"):
        call()
    told = []
    with np.errstate(divide="call", call=lambda *error: told.append(error)):
        call()
    assert told
    assert {error[0] for error in told} == {"divide by zero"}


# ---- soft labels, frames, names ----


@pytest.mark.parametrize("off", [1e-9, 1e-7, 5e-4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_class_targets_may_be_off_by_a_thousandth_in_every_way(off, dtype):
    classifier = fastmlp.Network([3, 4, 3], output="softmax", rng=0, dtype=dtype)
    rows = np.eye(3)[np.arange(30) % 3]
    for wrong in (rows * (1 + off), rows - off / 3, rows + off * (rows - 1)):
        assert classifier.loss(X, wrong) == pytest.approx(classifier.loss(X, rows), rel=2e-3)
    binary = net(dtype, output="logistic")
    ones = (X[:, 0] > 0).astype(float)
    assert binary.loss(X, ones + off * (2 * ones - 1)) == binary.loss(X, ones)
    for far in (1.002, -0.002):
        with pytest.raises(ValueError, match=r"^T: expected targets in \[0, 1\]"):
            binary.loss(X, np.full(30, far))


def test_a_frame_that_gives_nothing_is_named():
    frame = type("Frame", (), {"to_numpy": lambda self: None, "dtypes": ()})()
    with pytest.raises(TypeError, match=r"^X: expected to_numpy\(\) of a Frame to give an array, got NoneType"):
        net().predict(frame)


def test_dir_shows_what_is_public():
    assert dir(fastmlp) == sorted(fastmlp.__all__)
