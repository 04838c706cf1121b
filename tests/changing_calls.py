"""Public calls with arrays by their names, which tests change while a call looks at others: a function for each.

`tests/test_every_argument.py` says which arguments have to be among them.
"""

import functools

import numpy as np

import fastmlp
from changing import D, K, net_of, values
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


def estimated_of_measured(X, T, sigma, dtype):
    own = fastmlp.MLPRegressor(hidden_layer_sizes=(3,), solver="lm", alpha=1.0, random_state=0, max_iter=3)
    return own.fit(X, T, sigma=sigma).network_.params


@functools.cache
def regressor(dtype):
    """Trained, of targets whose errors are known."""
    given = values(130, dtype)
    own = fastmlp.MLPRegressor(hidden_layer_sizes=(3,), solver="lm", alpha=1.0, random_state=0, absolute_sigma=True)
    return own.fit(given["X"], given["T"], sigma=given["sigma"])


def noise_of_an_estimator(X, sigma, dtype):
    return regressor(dtype).predict(X, return_std=True, noise_std=sigma)[1]


def evidence_of_known_noise(X, T, noise, dtype):
    options = {"noise": "known", "noise_precision": noise, "standardize": False, "max_iter": 2, "n_threads": 1}
    return fastmlp.fit_evidence(net_of(dtype), X, T, **options).params


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


def in_chunks(X, T, sample_weight, n_threads, dtype):
    parts, cut = fastmlp.Chunks([(X, T, sample_weight), (X, T)]), fastmlp.Chunks(X, T, sample_weight, rows=4)
    return sum(net_of(dtype).loss_and_grad(each, n_threads=n_threads)[1] for each in (parts, cut))


def objective(X, T, v, sample_weight, n_threads, dtype):
    return (
        net_of(dtype)
        .objective(X, T, penalty=DECAY, sample_weight=sample_weight, n_threads=n_threads)
        .hessp(net_of(dtype).params, v)
    )


# ---- what only some calls take ----


def held_out(X, T, held_X, held_T, n_threads, dtype):
    net = net_of(dtype)
    return net.fit(X, T, "lbfgs", validation=(held_X, held_T), n_threads=n_threads, max_iter=3).x


def many_held_out(X, T, held_X, held_T, chosen, dtype):
    options = {"validation": (held_X, held_T), "fixed": chosen, "n_threads": 1, "max_iter": 3}
    return fastmlp.fit_many([net_of(dtype)], X, T, "lbfgs", **options)[0].x


def swept_held_out(X, T, held_X, held_T, chosen, dtype):
    options = {"fixed": ["b1"] if len(X) == 1 else chosen, "n_threads": 1, "max_iter": 2, "rng": 0, "dtype": dtype}
    return fastmlp.sweep(X, T, (3,), 1, validation=(held_X, held_T), **options).runs[0].params


def with_some_fixed(X, T, chosen, n_threads, dtype):
    return net_of(dtype).fit(X, T, "lm", fixed=chosen, n_threads=n_threads, max_iter=3).x


def with_targets_along(X, T, tau, slopes, dtype):
    return fitted("lbfgs", penalty=fastmlp.TangentPropagation(tau, 0.1, targets=slopes))(X, T, None, 1, dtype)


def with_given_noise(X, T, noise, precision, dtype):
    own = fastmlp.Laplace(net_of(dtype), X, T, prior_precision=precision, noise_precision=noise)
    return own.params_std


def pruned_held_out(X, T, held_X, held_T, dtype):
    options = {"noise_precision": 1.0, "validation": (held_X, held_T), "max_iter": 2, "n_params": 18}
    return fastmlp.prune(net_of(dtype), X, T, penalty=DECAY, n_threads=1, **options).best.params


def objective_asked(X, T, v, u, noise, chosen, dtype):
    own = net_of(dtype).objective(X, T, penalty=DECAY, noise_precision=noise, n_threads=1)
    some = net_of(dtype).objective(X, T, penalty=DECAY, fixed=chosen)
    several = *own.value_and_grad(v), *own.normal_equations(v)
    answers = (own.value(v), own.grad(v), own.hess(v), own.ggn(v), own.hessp(v, u), own.ggnp(v, u), own.expand(v),
               own.native(v), own.penalty_value(v), own.residuals(v), own.residual_jac(v), some.reduce(v))  # fmt: skip
    return np.concatenate([np.ravel(each) for each in (*several, *answers)])


def estimated_with_validation(X, T, held_X, held_T, dtype):
    own = fastmlp.MLPRegressor(hidden_layer_sizes=(3,), solver="lm", alpha=1.0, random_state=0, max_iter=3)
    return own.fit(X, T, X_val=held_X, y_val=held_T).network_.params


def estimated_path_with_validation(X, T, held_X, held_T, dtype):
    own = fastmlp.MLPRegressor.from_network(net_of(dtype), alpha=10.0)
    return np.nan_to_num(own.prune_path(X, T, X_val=held_X, y_val=held_T, n_params=21, max_iter=2).scores)


def classified(X, labels, sample_weight, held_X, held_labels, dtype):
    own = fastmlp.MLPClassifier(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0, max_iter=3)
    return own.fit(X, labels, sample_weight, X_val=held_X, y_val=held_labels).network_.params


def classified_path(X, labels, sample_weight, held_X, held_labels, dtype):
    own = fastmlp.MLPClassifier.from_network(classes_of(dtype), alpha=10.0)
    path = own.prune_path(X, labels, sample_weight, X_val=held_X, y_val=held_labels, n_params=21, max_iter=2)
    return np.nan_to_num(path.scores)


def asked_of_an_estimator(X, T, dtype):
    own, other = fastmlp.MLPRegressor.from_network(net_of(dtype)), fastmlp.MLPClassifier.from_network(classes_of(dtype))
    answers = own.predict(X), other.predict(X), other.predict_proba(X), other.predict_log_proba(X)
    return np.concatenate([each.ravel() for each in (*answers, other.decision_function(X))])


def classes_of(dtype):
    return fastmlp.Network([D, 3, K + 1], output="softmax", dtype=dtype, rng=1)


@functools.cache
def mixture(dtype):
    given = values(130, dtype)
    return fastmlp.fit_evidence(net_of(dtype), given["X"], given["T"], n_starts=2, combine="average", max_iter=2, rng=0)


CALLS = {
    "loss": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).loss(
        X, T, sample_weight=sample_weight, n_threads=n_threads)),
    "loss_and_grad": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).loss_and_grad(
        X, T, sample_weight=sample_weight, n_threads=n_threads)[1]),
    "plain": lambda X, T, dtype: net_of(dtype).loss_and_grad(X, T)[1],
    "sample_losses": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).sample_losses(
        X, T, sample_weight=sample_weight, n_threads=n_threads)),
    "trace": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).trace(
        X, T, sample_weight=sample_weight, n_threads=n_threads).delta[0]),
    "predict": lambda X, n_threads, dtype: net_of(dtype).predict(X, n_threads=n_threads),
    "predict by threads": lambda X, dtype: net_of(dtype).predict(X, n_threads=2),
    "jacobian": lambda X, n_threads, dtype: net_of(dtype).jacobian(X, n_threads=n_threads),
    "value_and_jacobian": lambda X, n_threads, dtype: net_of(dtype).value_and_jacobian(X, n_threads=n_threads)[0],
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
    "ggnp": (lambda X, T, v, sample_weight, n_threads, dtype: net_of(dtype).ggnp(
        X, T, v, sample_weight=sample_weight, n_threads=n_threads)),
    "hessian_operator": (lambda X, T, v, sample_weight, n_threads, dtype: net_of(dtype).hessian_operator(
        X, T, sample_weight=sample_weight, n_threads=n_threads).matvec(v)),
    "inverse_hessian": (lambda X, T, sample_weight, n_threads, dtype: net_of(dtype).inverse_hessian(
        X, T, 1.0, sample_weight=sample_weight, n_threads=n_threads)),
    "propagate": lambda X, n_threads, dtype: fastmlp.propagate(net_of(dtype), X, np.eye(D), n_threads=n_threads),
    "propagate of": lambda X, cov, dtype: fastmlp.propagate(net_of(dtype), X, cov),
    "prior_samples": lambda X, precision, n_threads, dtype: fastmlp.prior_samples(
        net_of(dtype), precision, X, 3, rng=0, n_threads=n_threads),
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
    "Laplace.extrapolation": lambda X, dtype: known(dtype).extrapolation(X),
    "Mixture.extrapolation": lambda X, dtype: mixture(dtype).extrapolation(X),
    "MLPRegressor": estimated, "prune_path": estimated_path, "fit_evidence": evidence,
    "lm": fitted("lm"), "lbfgs": fitted("lbfgs"), "adam": fitted("adam", batch_size=8), "sgd": fitted("sgd"),
    "standardised": fitted("lm", standardize=True), "held out": fitted("rprop", validation=0.5),
    "prune": pruned, "saliencies": saliencies, "refit": refitted, "updated": updated, "objective": objective,
    "Chunks": in_chunks,
    "fit_many": many, "sweep": swept, "Laplace": posterior,
    "measured": measured, "fit to measured": fitted_to_measured, "fit_evidence of measured": measured_evidence,
    "updated by measured": updated_by_measured,
    "MLPRegressor of measured": estimated_of_measured, "MLPRegressor with noise": noise_of_an_estimator,
    "fit_evidence of known noise": evidence_of_known_noise,
    "objective of measured": (lambda X, T, v, sigma, n_threads, dtype: net_of(dtype).objective(
        X, T, sigma=sigma, n_threads=n_threads).ggnp(net_of(dtype).params, v)),
    "noise of new targets": lambda X, sigma, dtype: known(dtype).predict(X, noise_std=sigma)[1],
    "held out as given": held_out, "fixed": with_some_fixed, "fit_many held out": many_held_out,
    "sweep held out": swept_held_out, "targets along": with_targets_along, "noise as given": with_given_noise,
    "prune held out": pruned_held_out,
    "asked of an objective": objective_asked, "MLPRegressor held out": estimated_with_validation,
    "prune_path held out": estimated_path_with_validation, "MLPClassifier": classified,
    "MLPClassifier.prune_path": classified_path, "asked of estimators": asked_of_an_estimator,
    "labels": lambda X, labels, sample_weight, n_threads, dtype: classes_of(dtype).loss_and_grad(
        X, labels, sample_weight=sample_weight, n_threads=n_threads)[1],
    "Mixture.predict": lambda X, dtype: mixture(dtype).predict(X)[1],
    "Mixture with noise": lambda X, sigma, dtype: mixture(dtype).predict(X, noise_std=sigma)[1],
    "Mixture.log_density": lambda X, T, sigma, dtype: mixture(dtype).log_density(X, T, noise_std=sigma),
    "density with noise": lambda X, T, sigma, dtype: known(dtype).log_density(X, T, noise_std=sigma),
}  # fmt: skip


def arguments_of(call, given):
    names = call.__code__.co_varnames[: call.__code__.co_argcount]
    return {name: given[name] for name in names if name != "dtype"}
