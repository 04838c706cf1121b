"""Names of classes as targets: networks remember and number them, wherever targets are taken."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import fastmlp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
PLACES = np.argmax(X @ RNG.normal(size=(2, 3)) + 0.3 * RNG.normal(size=(60, 3)), axis=1)
NAMES = ("ash", "beech", "oak")
T = np.array(NAMES)[PLACES]
TWO = np.where(X[:, 0] > 0, "yes", "no")
DECAY = fastmlp.WeightDecay(0.1, 0.1)
KINDS = [list, tuple, np.array, lambda T: np.array(T, object), pd.Series, lambda T: pd.Series(pd.Categorical(T))]


def network(K=3):
    return fastmlp.Network([2, 3, K], output="softmax" if K > 1 else "logistic", rng=0)


@pytest.fixture(scope="module")
def net():
    own = network()
    own.fit(X, T, penalty=DECAY)
    return own


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("K", "targets", "numbers"), [(3, T, PLACES), (1, TWO, (TWO == "yes").astype(int))])
def test_a_fit_numbers_them_in_sorted_order(kind, K, targets, numbers):
    net, plain = network(K), network(K)
    assert net.fit(X, kind(targets), penalty=DECAY).fun == plain.fit(X, numbers, penalty=DECAY).fun
    assert net.class_names == tuple(sorted(set(targets.tolist())))
    assert plain.class_names is None
    assert net == plain
    assert np.array_equal(net.params, plain.params)
    assert net.loss(X, kind(targets)) == plain.loss(X, numbers)
    assert np.array_equal(net.hessian(X, kind(targets)), plain.hessian(X, numbers))
    assert net.objective(X, kind(targets)).value(net.params) == plain.objective(X, numbers).value(net.params)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ConvergenceWarning")  # few steps
def test_all_that_trains_takes_them(net):
    posterior = fastmlp.fit_evidence(network(), X, T, max_iter=5)
    plain = fastmlp.fit_evidence(network(), X, PLACES, max_iter=5)
    assert posterior.log_evidence == plain.log_evidence
    assert posterior.network.class_names == NAMES
    own = (fastmlp.Laplace(net, X, each, penalty=DECAY).log_evidence for each in (T, PLACES))
    assert len(set(own)) == 1
    several, others = [network(), network()], [network(), network()]
    results = fastmlp.fit_many(several, X, T, max_iter=5)
    assert [r.fun for r in results] == [r.fun for r in fastmlp.fit_many(others, X, PLACES, max_iter=5)]
    assert {each.class_names for each in several} == {NAMES}
    sweep, plain = (fastmlp.sweep(X, each, [2], 2, 0.3, output="softmax", rng=0, max_iter=5) for each in (T, PLACES))
    assert [run.validation_loss for run in sweep.runs] == [run.validation_loss for run in plain.runs]
    assert sweep.best.class_names == NAMES
    with pytest.raises(TypeError, match="T: expected real numbers for squared_error, got texts"):
        fastmlp.sweep(X, T, [2], 2, 0.3, rng=0)
    path = fastmlp.prune(
        network(), pd.DataFrame(X, columns=["a", "b"]), T, penalty=DECAY, n_params=15, standardize=True
    )
    assert path.best.class_names == NAMES
    assert path.best.input_names == ("a", "b")
    validated = network()
    validated.fit(X, T, "lbfgs", validation=(X[:9], T[:9]), max_iter=5)
    chunks = fastmlp.Chunks([lambda: (X[:30], T[:30]), lambda: (X[30:], T[30:])])
    assert net.loss(chunks) == pytest.approx(net.loss(X, T), rel=1e-13)


def test_they_go_with_the_network(net, tmp_path):
    net.save(tmp_path / "trees")
    for other in (net.copy(), copy.deepcopy(net), pickle.loads(pickle.dumps(net)), fastmlp.load(tmp_path / "trees")):
        assert other.class_names == NAMES
        assert other.loss(X, T) == net.loss(X, T)
    assert "classes 'ash', 'beech', 'oak'" in repr(net)
    assert fastmlp.to_sklearn(net).predict(X).tolist() == np.array(NAMES)[net(X).argmax(axis=1)].tolist()
    for name in NAMES:
        assert name in fastmlp.to_c(net)
    assert fastmlp.MLPClassifier.from_network(net).classes_.tolist() == list(NAMES)
    assert all(f'value="{name}"' in fastmlp.to_pmml(net) for name in NAMES)
    forgetful = net.copy()
    forgetful.class_names = None
    assert fastmlp.MLPClassifier.from_network(forgetful).classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("K", "targets", "complaint"),
    [
        (4, T, "T: expected names of 4 classes, as many as the network has, got 3: 'ash', 'beech', 'oak'; net.class_"),
        (1, T, "T: expected names of 2 classes"),
        (3, [*T[:-1], 1], "T: expected real numbers"),
    ],
)
def test_what_cannot_be_numbered_is_told(K, targets, complaint):
    net = network(K)
    with pytest.raises((TypeError, ValueError), match=complaint):
        net.fit(X, targets)
    assert net.class_names is None


def test_other_names_are_refused(net):
    with pytest.raises(ValueError, match="T: expected classes 'ash', 'beech', 'oak', got 'elm'"):
        net.loss(X, np.where(T == "oak", "elm", T))
    with pytest.raises(ValueError, match="class_names: expected 3, one for each class, got 2"):
        net.copy().class_names = ["ash", "oak"]
    with pytest.raises(ValueError, match="class_names: expected different ones"):
        net.copy().class_names = ["ash", "oak", "oak"]
    with pytest.raises(TypeError, match="class_names: expected texts, got int"):
        net.copy().class_names = [1, 2, 3]
    with pytest.raises(ValueError, match="class_names: expected None for squared_error"):
        fastmlp.Network([2, 1]).class_names = ["a"]
    mixed = [network(), network()]
    mixed[0].class_names = ["oak", "ash", "beech"]
    with pytest.raises(ValueError, match="networks: expected the same class_names"):
        fastmlp.fit_many(mixed, X, T)
    mixed[0].fit(X, T, max_iter=2)
    assert mixed[0].class_names == ("oak", "ash", "beech")
