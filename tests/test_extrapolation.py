"""How far new samples lie outside of those that a posterior was formed of."""

import pickle

import numpy as np
import pytest

import fastmlp

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning", "ignore::fastmlp.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)) * [1.0, 1e-3, 1e6] + [0.0, 5.0, 1e7]
T = X @ [1.0, 100.0, 1e-6] + 0.1 * RNG.normal(size=50)
NEW = RNG.normal(size=(20, 3)) * [2.0, 3e-3, 3e6] + [0.0, 5.0, 1e7]


def by_hand(new, seen=X):
    result = np.zeros(new.shape)
    for (n, i), x in np.ndenumerate(new):
        sd = seen[:, i].std()
        if x > seen[:, i].max():
            result[n, i] = (x - seen[:, i].max()) / sd
        if x < seen[:, i].min():
            result[n, i] = (x - seen[:, i].min()) / sd
    return result


def posterior(inputs=X, targets=T, **options):
    net = fastmlp.Network([inputs.shape[1], 1], rng=0)
    return fastmlp.Laplace(net, inputs, targets, **{"prior_precision": 1.0, "noise_precision": 1.0} | options)


@pytest.mark.parametrize("standardize", [False, True])
def test_it_is_the_distance_from_the_range_in_standard_deviations(standardize):
    own = posterior(standardize=standardize)
    assert np.allclose(own.extrapolation(NEW), by_hand(NEW), rtol=1e-9)
    assert not own.extrapolation(X).any()
    assert (own.extrapolation(NEW) < 0).any()
    assert (own.extrapolation(NEW) > 0).any()
    assert own.extrapolation(NEW[:0]).shape == (0, 3)


def test_found_posteriors_and_mixtures_know_it_too():
    net = fastmlp.Network([3, 2, 1], rng=0)
    for combine in ("best", "average"):
        found = fastmlp.fit_evidence(net, X, T, n_starts=2, rng=0, combine=combine, max_iter=5)
        assert np.allclose(found.extrapolation(NEW), by_hand(NEW), rtol=1e-9)


def test_samples_without_weight_or_target_are_not_seen():
    weight = (np.arange(50) < 30).astype(float)
    assert np.allclose(posterior(sample_weight=weight).extrapolation(NEW), by_hand(NEW, X[:30]), rtol=1e-9)
    holed = np.where(weight, T, np.nan)
    assert np.allclose(posterior(targets=holed, missing="ignore").extrapolation(NEW), by_hand(NEW, X[:30]), rtol=1e-9)


def test_an_input_that_never_varied_is_infinitely_far_away_where_it_does():
    inputs = np.column_stack([X[:, 0], np.full(50, 0.1 * 3)])
    own = posterior(inputs)
    assert own.extrapolation([[0.0, 0.3], [0.0, 0.1 * 3], [0.0, 0.31], [0.0, -1.0]])[:, 1].tolist() == [
        0.0, 0.0, np.inf, -np.inf
    ]  # fmt: skip


def test_what_was_seen_grows_with_an_update_in_the_old_units():
    own = posterior(X[:30], T[:30], standardize=True)
    new = own.updated(X[30:], T[30:])
    assert not new.extrapolation(X).any()
    assert own.extrapolation(X).any()
    far = X.max(axis=0) + X[:30].std(axis=0)
    assert np.allclose(new.extrapolation([far]), 1.0, rtol=1e-9)


def test_it_travels_without_the_samples(tmp_path):
    own = posterior(standardize=True)
    own.save(tmp_path / "own")
    for other in (fastmlp.load(tmp_path / "own"), pickle.loads(pickle.dumps(own))):
        assert np.array_equal(other.extrapolation(NEW), own.extrapolation(NEW))


def test_pickles_of_former_versions_say_what_they_lack():
    state = posterior().__getstate__()
    state["_frame"] = state["_frame"]._replace(seen=None)
    old = fastmlp.Laplace.__new__(fastmlp.Laplace)
    old.__setstate__(state)
    with pytest.raises(ValueError, match="posterior: expected one that knows how far its inputs went"):
        old.extrapolation(NEW)
    assert old.updated(X, T)._frame.seen is None
    state["_frame"] = state["_frame"]._replace(seen=np.zeros((3, 2)))
    with pytest.raises(fastmlp.ModelFormatError):
        fastmlp.Laplace.__new__(fastmlp.Laplace).__setstate__(state)


def test_the_share_of_what_is_not_known_is_a_column_of_what_is_printed():
    parts = posterior().predict(NEW[:3], parts=True)
    assert np.allclose(parts.share, parts.epistemic / (parts.epistemic + parts.noise))
    assert "share" in str(parts).splitlines()[1]
    assert str(parts).splitlines()[2].split()[-1] == f"{parts.share[0, 0]:.4g}"
