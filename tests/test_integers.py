"""Integers at the edge of what C counts to: a result or an error that names them, whatever takes them."""

import inspect
import re
import sys

import numpy as np
import pytest

import fastmlp
from cases import ALL
from children import outcomes
from fastmlp import MLPClassifier, MLPRegressor, features, invariance, plot, schedules

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the memory in use")

X = np.random.default_rng(0).normal(size=(30, 3))
T = np.sin(X[:, :1])


def net(n_hidden=4, **options):
    return fastmlp.Network([3, n_hidden, 1], rng=0, **options)


def fit(method="lbfgs", **options):
    return net().fit(X, T, method, **{"max_iter": 5, "rng": 0, **options}).fun


def convolved(**options):
    return fastmlp.Network([(1, 3), fastmlp.Conv(**{"channels": 2, "size": 2, **options}), 1], rng=0)


def posterior():
    return fastmlp.Laplace(net(), X, T, prior_precision=1.0, noise_precision=1.0)


def sweep(hidden_sizes=(2,), **options):
    return fastmlp.sweep(X, T, hidden_sizes, rng=0, **{"n_starts": 2, "folds": 2, "max_iter": 3, **options})


def many(method="lbfgs", **options):
    return fastmlp.fit_many([net(), net(3)], X, T, method, **{"max_iter": 5, **options})[0].fun


def evidence(**options):
    return fastmlp.fit_evidence(net(), X, T, rng=0, **{"max_iter": 2, **options}).log_evidence


def estimator(**options):
    return MLPRegressor(
        **{"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 3, "solver": "lbfgs", **options}
    ).fit(X, T[:, 0])


def classifier(**options):
    defaults = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 3, "solver": "lbfgs"}
    return MLPClassifier(**defaults | options).fit(X, T[:, 0] > 0).loss_


def changed(kind, shape):
    """By a random change of images, or signals, of that shape."""
    sizes = (1.0, 1.0) if kind in (invariance.Elastic, invariance.TimeWarp) else (1.0,)
    return invariance.augmented(X, T, kind(*sizes, shape=shape), 2, rng=0)[0].shape


def pruned(**options):
    options = {"penalty": fastmlp.WeightDecay(0.1, 0.1), "max_iter": 2, "n_params": 14, "time_limit": 0.02, **options}
    return fastmlp.prune(net(), X, T, **options).best.n_params


def saliencies(**options):
    return fastmlp.saliencies(net(), X, T, "magnitude", penalty=fastmlp.WeightDecay(9.0, 9.0), **options).rise


def refitted(**options):
    return fastmlp.refit(net(), X, T, penalty=fastmlp.WeightDecay(9.0, 9.0), **options).fun


def pictured(name, *arguments, **options):
    """Without a window: the picture is let go again."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, ax = pyplot.subplots()
    try:
        getattr(plot, name)(*arguments, ax=ax, **options)
    finally:
        pyplot.close(figure)


VECTORS = {"X": X, "T": T, "v": net().params, "U": T, "damping": 0.1}
EVALUATIONS = ("ggnp", "hessian_diagonal", "hessian_operator", "hessp", "input_hessian", "inverse_hessian", "jacobian",
               "jvp", "loss", "objective", "sample_losses", "trace", "value_and_jacobian",
               "vjp")  # fmt: skip


def evaluated(name, n_threads):
    method = getattr(net(), name)
    return method(**{each: VECTORS[each] for each in inspect.signature(method).parameters if each in VECTORS},
                  n_threads=n_threads)  # fmt: skip


OPERATIONS = {
    **{f"{name} n_threads": lambda n, name=name: evaluated(name, n) for name in EVALUATIONS},
    "Network layers": lambda n: net(n).n_params,
    "predict n_threads": lambda n: net().predict(X, n_threads=n),
    "loss_and_grad n_threads": lambda n: net().loss_and_grad(X, T, n_threads=n),
    "hessian n_threads": lambda n: net().hessian(X, T, n_threads=n),
    "fit n_threads": lambda n: fit(n_threads=n),
    **{f"fit {method} max_iter": lambda n, method=method: fit(method, max_iter=n, time_limit=0.02, tol=0.0)
       for method in ALL},
    "fit verbose": lambda n: fit(verbose=n),
    "fit batch_size": lambda n: fit("adam", batch_size=n),
    "fit patience": lambda n: fit(patience=n, validation=0.3),
    "fit rng": lambda n: fit("adam", rng=n),
    **{f"fit {method} {name}": lambda n, method=method, name=name: fit(method, **{name: n})
       for method in ("lbfgs", "l-bfgs-b") for name in ("maxcor", "maxls", "maxfun")},
    "fit maxcor max_iter": lambda n: fit(maxcor=n, max_iter=n, time_limit=0.02),
    **{f"fit_many {name}": lambda n, name=name: many(**{name: n})
       for name in ("maxcor", "maxls", "maxfun", "n_threads", "verbose")},
    "fit_many max_iter": lambda n: many(max_iter=n, time_limit=0.02),
    "fit_many maxcor max_iter": lambda n: many(maxcor=n, max_iter=n, time_limit=0.02),
    "fit_many lm max_iter": lambda n: many("lm", max_iter=n, time_limit=0.02),
    "sweep hidden_sizes": lambda n: sweep((n,)).best.layers,
    "sweep maxcor": lambda n: sweep(method="lbfgs", maxcor=n).best.layers,
    "sweep max_iter": lambda n: sweep(max_iter=n, time_limit=0.02).best.layers,
    **{f"sweep {name}": lambda n, name=name: sweep(**{name: n}).best.layers
       for name in ("n_starts", "folds", "n_threads", "verbose")},
    "fit_evidence max_iter": lambda n: evidence(max_iter=n, time_limit=0.02),
    "fit_evidence n_starts": lambda n: evidence(n_starts=n, time_limit=0.02),
    "fit_evidence hidden": lambda n: evidence(hidden=(n,)),
    "fit_evidence verbose": lambda n: evidence(verbose=n),
    "fit_evidence n_threads": lambda n: evidence(n_threads=n),
    "Laplace.sample n": lambda n: posterior().sample(n).shape,
    "Laplace.predict n_draws": lambda n: fastmlp.Laplace(
        fastmlp.Network([3, 4, 3], output="softmax", rng=0), X, np.arange(30) % 3, prior_precision=1.0
    ).predict(X, n_draws=n),
    "prior_samples n": lambda n: fastmlp.prior_samples(net(), 1.0, X, n=n).shape,
    "levenberg_marquardt max_iter": lambda n: fastmlp.levenberg_marquardt(
        lambda x: x - 1, lambda x: np.eye(2), np.zeros(2), max_iter=n
    ).cost,
    **{f"prune {name}": lambda n, name=name: pruned(**{name: n})
       for name in ("n_params", "max_iter", "verbose", "n_threads", "max_rise", "at_once", "tol")},
    "saliencies n_threads": lambda n: saliencies(n_threads=n),
    "refit n_threads": lambda n: refitted(n_threads=n),
    "importances n_threads": lambda n: fastmlp.importances(
        net(), X, T, penalty=fastmlp.WeightDecay(9.0, 9.0), hessian="ggn", n_threads=n).saliency,
    **{f"lekprofile {name}": lambda n, name=name: fastmlp.lekprofile(net(), X, **{name: n}).ranges
       for name in ("steps", "n_threads")},
    "table output": lambda n: fastmlp.lekprofile(net(), X).table(n),
    "sensitivity n_threads": lambda n: fastmlp.sensitivity(net(), X, n_threads=n).raw.mean,
    **{f"Conv {name}": lambda n, name=name: convolved(**{name: n}).n_params for name in ("channels", "size", "stride")},
    "Chunks rows": lambda n: net().loss(fastmlp.Chunks(X, T, rows=n)),
    "Conv n_threads": lambda n: convolved().loss_and_grad(X, T, n_threads=n),
    **{f"{pool.__name__} size": lambda n, pool=pool: fastmlp.Network([(1, 3), pool(n), 1]).n_params
       for pool in (fastmlp.AveragePool, fastmlp.MaxPool)},
    "layers channels": lambda n: fastmlp.Network([(n, 3), fastmlp.Conv(1, 1), 1]).n_params,
    "invariance n_threads": lambda n: invariance.invariance(net(), X, np.eye(3), n_threads=n),
    "warp n_threads": lambda n: invariance.warp(X, offset=(0.5, 0.5), n_threads=n),
    "augmented copies": lambda n: invariance.augmented(X, T, invariance.TimeShift(1.0), n)[0].shape,
    "tangents shape": lambda n: invariance.tangents(X, (n, 1)).shape,
    "TangentPropagation": lambda n: fit(penalty=fastmlp.TangentPropagation(np.eye(3), n)),
    **{f"{kind.__name__} {name}": lambda n, kind=kind, name=name: kind(**{name: n}).fit_transform(X).shape
       for kind, name in ((features.ZernikeMoments, "degree"), (features.CentralMoments, "order"))},
    **{f"{kind.__name__} shape": lambda n, kind=kind: kind(shape=(n, 1)).fit_transform(X).shape
       for kind in (features.CentralMoments, features.HuMoments, features.PowerSpectrum, features.ZernikeMoments)},
    "to_c max_bytes": lambda n: len(fastmlp.to_c(net(), max_bytes=n)),
    "to_fortran max_bytes": lambda n: len(fastmlp.to_fortran(net(), max_bytes=n)),
    "propagate n_threads": lambda n: fastmlp.propagate(net(), X, np.eye(3), n_threads=n),
    **{f"prune_path {name}": lambda n, name=name: MLPRegressor.from_network(net(), alpha=1.0).prune_path(
        X, T, **{"max_iter": 2, "n_params": 14, "time_limit": 0.02, name: n}).scores
       for name in ("n_params", "max_iter", "verbose", "at_once")},
    "check_derivatives rng": lambda n: fastmlp.check_derivatives(net(), X, T, rng=n).passed,
    "Laplace n_threads": lambda n: fastmlp.Laplace(net(), X, T, prior_precision=1.0, n_threads=n).params_std,
    **{f"Laplace.{name} rng": lambda n, name=name, given=given: getattr(posterior(), name)(*given, rng=n)
       for name, given in (("predict", (X,)), ("sample", (2,)))},
    "prior_samples rng": lambda n: fastmlp.prior_samples(net(), 1.0, X, 2, rng=n).shape,
    "prior_samples n_threads": lambda n: fastmlp.prior_samples(net(), 1.0, X, 2, rng=0, n_threads=n).shape,
    "fit_evidence rng": lambda n: fastmlp.fit_evidence(net(), X, T, max_iter=2, rng=n).log_evidence,
    "fit_many rng": lambda n: many("adam", rng=n, max_iter=2),
    "sweep rng": lambda n: fastmlp.sweep(X, T, (2,), 2, 0.3, max_iter=3, rng=n).best.layers,
    "augmented rng": lambda n: invariance.augmented(X, T, invariance.TimeShift(1.0), 2, rng=n)[0].shape,
    **{f"{kind.__name__} shape": lambda n, kind=kind: changed(kind, (n, 1))
       for kind in (invariance.Elastic, invariance.RandomAffine, invariance.RandomShift)},
    **{f"{kind.__name__} shape": lambda n, kind=kind: changed(kind, (1, n))
       for kind in (invariance.TimeShift, invariance.TimeWarp)},
    **{f"MLPClassifier {name}": lambda n, name=name: classifier(**{name: n})
       for name in ("max_fun", "n_init", "random_state", "verbose", "layers")},
    "MLPClassifier max_iter": lambda n: classifier(max_iter=n, solver="lm", alpha=1.0),
    "MLPClassifier batch_size": lambda n: classifier(batch_size=n, solver="adam"),
    "MLPClassifier hidden_layer_sizes": lambda n: classifier(hidden_layer_sizes=(n,)),
    "MLPRegressor layers": lambda n: estimator(layers=(n,)).loss_,
    "plot.filters layer": lambda n: pictured("filters", convolved(), layer=n),
    "plot.hinton layer": lambda n: pictured("hinton", net(), layer=n),
    "plot.importances n_inputs": lambda n: pictured("importances", fastmlp.importances(
        net(), X, T, penalty=fastmlp.WeightDecay(9.0, 9.0), hessian="ggn"), n_inputs=n),
    **{f"plot.lekprofile {name}": lambda n, name=name: pictured(
        "lekprofile", fastmlp.lekprofile(net(), X), **{name: n}) for name in ("output", "input")},
    **{f"plot.sensitivity {name}": lambda n, name=name: pictured(
        "sensitivity", fastmlp.sensitivity(net(), X), **{name: n}) for name in ("output", "n_inputs")},
    **{f"plot.transformed {name}": lambda n, name=name: pictured(
        "transformed", X, invariance.TimeShift(1.0, shape=(1, 3)), **{name: n}) for name in ("rng", "n_draws")},
    "plot.transformed shape": lambda n: pictured("transformed", X, invariance.TimeShift(1.0), shape=(1, n)),
    "step_decay every": lambda n: schedules.step_decay(0.1, 0.5, n)(3),
    "cosine_decay n_epochs": lambda n: schedules.cosine_decay(0.1, n)(3),
    **{f"MLPRegressor {name}": lambda n, name=name: estimator(**{name: n}).loss_
       for name in ("max_fun", "n_init", "random_state", "n_iter_no_change", "verbose")},
    "MLPRegressor max_iter": lambda n: estimator(max_iter=n, solver="lm").loss_,
    "MLPRegressor batch_size": lambda n: estimator(batch_size=n, solver="adam").loss_,
    "MLPRegressor hidden_layer_sizes": lambda n: estimator(hidden_layer_sizes=(n,)).loss_,
}  # fmt: skip
NAMED = re.compile(r"result|MemoryError|ValueError: \w[\w, ]*: .*expected ")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_huge_integer_has_a_result_or_a_named_error(operation):
    edges = [2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**70, 10**5000]
    ends = outcomes([lambda edge=edge: OPERATIONS[operation](edge) for edge in edges])
    assert len(ends) == len(edges)
    assert not [end for end in ends if not NAMED.match(end)]
