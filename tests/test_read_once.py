"""Lists and array-likes that are others at the next look: what they held at the first one is what counts."""

import numpy as np
import pytest

import fastmlp
from changing import ACCEPTED, CHANGES, Array, Threads, flat, net_of, shorter, taller, values

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
    "layers, of images": ([1, 4], lambda given: fastmlp.Network([given, fastmlp.Conv(2, 2), 1], rng=0).params),
    "size": ([2], lambda given: fastmlp.Network([(1, 4), fastmlp.Conv(2, given), 1], rng=0).params),
    "size, of a pool": ([2], lambda given: fastmlp.Network([(1, 4), fastmlp.MaxPool(given), 1], rng=0).params),
    "stride": ([2], lambda given: fastmlp.Network([(1, 4), fastmlp.Conv(2, 2, given), 1], rng=0).params),
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
    with pytest.raises(TypeError, match=rf"^{name.partition(',')[0]}: expected "):
        call(Unwalkable(items))


class Strange(np.ndarray):
    """An array that says nothing of itself."""

    ndim = shape = property(lambda self: None)


def test_what_a_subclass_says_of_itself_does_not_count():
    """Arrays have as many axes as they have, names the letters that they have, whatever else they are."""
    assert np.array_equal(
        fastmlp.Network(np.array([4, 3, 2]).view(Strange), rng=0).params, fastmlp.Network([4, 3, 2], rng=0).params
    )
    with pytest.raises(ValueError, match=r"^layers: expected .*in one dimension, got shape \(1, 3\)"):
        fastmlp.Network(np.array([[4, 3, 2]]).view(Strange))


@pytest.mark.parametrize("name", ["X", "sigma"])
def test_rows_that_cannot_be_walked_are_refused_by_their_name(name):
    X, T = samples()
    given = {"X": X, "sigma": np.ones(30)}
    with pytest.raises(ValueError, match=rf"^{name}: expected an array of real numbers, got Unwalkable"):
        net_of("f8").fit(T=T, max_iter=1, **given | {name: Unwalkable(given[name].tolist())})


class Unwritten(str):
    def __repr__(self):
        return 1j

    def __getitem__(self, key):
        return 1j

    __bool__ = __len__ = __repr__


def test_files_have_the_name_that_they_were_given(tmp_path):
    net_of("f8").save(Unwritten(tmp_path / "net"))
    assert fastmlp.load(Unwritten(tmp_path / "net")) == net_of("f8")


WRONG = {
    "tau": lambda given: fastmlp.TangentPropagation(given, 0.1),
    "derivatives": lambda given: net_of("f8").fit(*samples(), derivatives=(given, np.zeros((30, 2, 4)))),
    "weights": lambda given: fastmlp.WeightDecay({given: -1.0}),
    "penalty": lambda given: fastmlp.WeightDecay({given: -1.0}),
    "activation": lambda given: estimator(activation=given).fit(*samples()),
    "solver": lambda given: estimator(solver=given).fit(*samples()),
    "tied": lambda given: net_of("f8").fit(*samples(), tied=[{given: "1"}]),
    "prior_precision": lambda given: fastmlp.Laplace(net_of("f8"), *samples(), prior_precision={given: "1"}),
    "class_weight": lambda given: fastmlp.MLPClassifier(class_weight=given).partial_fit(
        samples()[0], np.arange(30) % 2, classes=[0, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_written_is_refused_all_the_same(name):
    with pytest.raises((TypeError, ValueError), match=r"^\w+(\[.*\])?: .*expected .*got "):
        WRONG[name](Unwritten("a"))


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


def test_what_several_methods_look_at_is_read_once():
    given = values(60, "f8")
    X, T, weight = given["X"], given["T"], given["sample_weight"]
    net, penalty = net_of("f8"), fastmlp.WeightDecay(1.0, 1.0)
    net.fit(X[1:], T[1:], "lm", penalty=penalty, sample_weight=weight[1:], tol=1e-10)
    found = fastmlp.importances(net, Fewer(X), T[1:], penalty=penalty, sample_weight=Fewer(weight))
    expected = fastmlp.importances(net, X[1:], T[1:], penalty=penalty, sample_weight=weight[1:])
    assert all(np.array_equal(found.shares[name], share) for name, share in expected.shares.items())
