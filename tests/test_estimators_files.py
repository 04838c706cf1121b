"""Copies and files of estimators and posteriors: pickle, cloudpickle, skops; those of estimators without the samples.

With the real skops where it is installed, else with a stand-in.
"""

import copy
import functools
import pickle
import tempfile
from pathlib import Path

import joblib
import numpy as np
import pytest

import fastmlp
from cases import network
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.arguments import SOLVERS

try:
    import cloudpickle
except ModuleNotFoundError:  # older joblib has its own
    from joblib.externals import cloudpickle
try:
    import skops.io as skops
except ModuleNotFoundError:
    import skops_stand_in as skops

pytestmark = [  # trainings are short here
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::fastmlp.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::fastmlp.errors.PosteriorWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
y = np.sin(X[:, 0]) + 0.1 * RNG.normal(size=80)
NAMES = np.array(["low", "middle", "high"])[np.digitize(y, [-0.3, 0.4])]
SMALL = {"hidden_layer_sizes": (3,), "activation": "tanh", "random_state": 0, "max_iter": 10}


def by_skops(obj):
    data = skops.dumps(obj)
    trusted = skops.get_untrusted_types(data=data)
    ours = ("fastmlp.", "scipy.optimize._optimize.OptimizeResult", "numpy.random._pcg64.PCG64")
    assert all(name.startswith(ours) for name in trusted if not name.startswith("numpy.dtype")), trusted
    return skops.loads(data, trusted=trusted)


def by_mapped_joblib(obj):
    """All arrays are read-only maps of a file."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        joblib.dump(obj, Path(folder, "model.joblib"))
        return joblib.load(Path(folder, "model.joblib"), mmap_mode="r")


def by_buffers(obj):
    """All arrays lie in buffers beside the pickle, which cannot be written to."""
    buffers = []
    data = pickle.dumps(obj, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(each.raw()) for each in buffers])


WAYS = {
    "pickle": lambda obj: pickle.loads(pickle.dumps(obj)),
    "cloudpickle": lambda obj: pickle.loads(cloudpickle.dumps(obj)),
    "deepcopy": copy.deepcopy,
    "skops": by_skops,
    "joblib, mapped": by_mapped_joblib,
    "buffers": by_buffers,
}


def regression(solver="lm", times=1, asked=False, **arguments):
    """On the samples so many times; one that has been asked for deviations, if so."""
    model = MLPRegressor(**SMALL, solver=solver, **arguments).fit(np.tile(X, (times, 1)), np.tile(y, times))
    if asked:
        model.predict(X, return_std=True)
    return model


def classes(solver="lm", times=1, **arguments):
    return MLPClassifier(**SMALL, solver=solver, **arguments).fit(np.tile(X, (times, 1)), np.tile(NAMES, times))


WITH_POSTERIOR = {
    "deviations": lambda times=1: regression(times=times, alpha=1.0, asked=True),
    "evidence": lambda times=1: regression(times=times, alpha="evidence"),
    "evidence of classes": lambda times=1: classes(times=times, alpha="evidence"),
}
MODELS = {
    **{f"regression by {solver}": functools.partial(regression, solver) for solver in SOLVERS},
    **{f"classes by {solver}": functools.partial(classes, solver) for solver in SOLVERS},
    "nothing fitted": MLPRegressor,
    "early stopping": lambda times=1: classes("adam", times, early_stopping=True),
    "standardised": lambda times=1: regression("lbfgs", times, standardize=True),
    **WITH_POSTERIOR,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_estimators_come_back(name, way):
    model = MODELS[name]()
    again = WAYS[way](model)
    assert repr(again) == repr(model)
    if name == "nothing fitted":
        return
    assert again.network_ == model.network_
    assert np.array_equal(again.predict(X), model.predict(X))
    if name in ("deviations", "evidence"):
        assert np.array_equal(again.predict(X, return_std=True)[1], model.predict(X, return_std=True)[1])
    if model.posterior_ is not None:
        assert again.posterior_.group_precisions == model.posterior_.group_precisions
        assert again.posterior_.starts.table() == model.posterior_.starts.table()
        assert again.posterior_.starts[0].posterior is again.posterior_
    for each in (again, model):
        each.set_params(warm_start=True).fit(X, NAMES if hasattr(each, "classes_") else y)
    assert again.network_ == model.network_


@pytest.mark.parametrize("name", [*WITH_POSTERIOR, "early stopping"])
def test_files_of_estimators_do_not_grow_with_the_samples(name):
    few, many = (len(pickle.dumps(MODELS[name](times))) for times in (1, 40))
    assert many < few + 5000 < X.nbytes * 40 / 2  # histories differ in length


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", WITH_POSTERIOR)
def test_what_needs_the_samples_says_so_in_a_copy(name, way):
    model = MODELS[name]()
    before, after = (getattr(each, "_posterior", None) or each.posterior_ for each in (model, WAYS[way](model)))
    for quantity in ("bic", "aic", "log_evidence", "effective_n_params", "log_symmetries"):
        assert getattr(after, quantity) == getattr(before, quantity)
    assert np.array_equal(after.predict_jacobian(X)[1], before.predict_jacobian(X)[1])
    assert np.array_equal(after.sample(3, rng=0), before.sample(3, rng=0))
    needy = {
        "leave_one_out": lambda each: each.leave_one_out(),
        "influence": lambda each: each.influence(),
        "nic": lambda each: each.nic,
        "sandwich_covariance": lambda each: each.sandwich_covariance,
    }
    for ask in needy.values():
        ask(before)
        with pytest.raises(
            ValueError,
            match=r"^posterior: expected one that knows its samples, .* of an estimator: .* ask it before",
        ):
            ask(after)


@pytest.fixture(scope="module")
def trained():
    net = network([3, 3, 1])
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    net.fit(X, y, penalty=penalty)
    return net, penalty


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hessian", ["ggn", "exact", "diagonal"])
def test_a_laplace_comes_back_with_its_samples(trained, hessian, way):
    net, penalty = trained
    posterior = fastmlp.Laplace(net, X, y, penalty=penalty, hessian=hessian, sample_weight=np.ones(80))
    mean, variance = posterior.predict(X)
    again = WAYS[way](posterior)
    assert np.array_equal(again.predict(X), (mean, variance))
    assert (again.log_evidence, again.noise_precision) == (posterior.log_evidence, posterior.noise_precision)
    if hessian != "diagonal":
        assert again.nic == posterior.nic
        assert np.array_equal(again.leave_one_out("doubtful").residuals, posterior.leave_one_out("doubtful").residuals)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("output", ["identity", "softmax"])
def test_evidence_and_its_starts_come_back(output, way):
    net = network([3, 3, 1] if output == "identity" else [3, 3, 3], output=output)
    target = y if output == "identity" else np.digitize(y, [-0.3, 0.4])
    best = fastmlp.fit_evidence(net.copy(), X, target, n_starts=2, rng=0, max_iter=4)
    again = WAYS[way](best)
    assert np.array_equal(again.predict(X), best.predict(X))
    assert again.starts.table() == best.starts.table()
    assert type(again.starts) is type(best.starts)
    assert sum(start.posterior is again for start in again.starts) == 1
    assert np.array_equal(again.leave_one_out().losses, best.leave_one_out().losses)
    assert (again.group_precisions, again.stationary) == (best.group_precisions, best.stationary)
    mixture = fastmlp.fit_evidence(net, X, target, n_starts=2, rng=0, max_iter=4, combine="average")
    assert np.array_equal(WAYS[way](mixture).predict(X), mixture.predict(X))


GENERATORS = {
    "number": 3, "RandomState": np.random.RandomState(3), "Generator": np.random.default_rng(3),
    "PCG64": np.random.RandomState(np.random.PCG64(3)),
    "somebody's own": np.random.RandomState(type("Own", (np.random.MT19937,), {})(3)),
}  # fmt: skip


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_warm_start_holds_back_the_samples_of_the_fit_before(kind):
    """Whatever else the generator has drawn since, and whatever fraction is asked for by now."""

    def parts():
        return model._hold_back(model._samples(X, y, None), None)

    model = regression("adam", early_stopping=True, warm_start=True).set_params(random_state=GENERATORS[kind])
    model.fit(X, y)
    before = parts()
    model.set_params(validation_fraction=0.5).fit(X, y)
    assert [len(part.X) for part in before] == [72, 8]
    assert all(np.array_equal(a.X, b.X) for a, b in zip(before, parts(), strict=True))
    assert not set(map(tuple, before[0].X)) & set(map(tuple, before[1].X))
