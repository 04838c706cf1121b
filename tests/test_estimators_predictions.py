"""What estimators predict: probabilities, logarithms, labels, in the type of the inputs."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

from estimator_cases import BINARY, LABELS, SEVERAL, X, small, y
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(("target", "n_columns"), [(BINARY, 2), (LABELS, 3), (SEVERAL, 2)])
def test_probabilities_their_logarithms_and_logits_agree(target, n_columns):
    model = small(MLPClassifier, max_iter=50).fit(X, target)
    P, Z = model.predict_proba(X), model.decision_function(X)
    assert P.shape == (90, n_columns)
    assert model.predict_log_proba(X) == pytest.approx(np.log(P), abs=1e-12)
    if target is LABELS:
        assert P.sum(axis=1) == pytest.approx(1.0)
        assert np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True) == pytest.approx(P)
        assert np.array_equal(model.predict(X), Z.argmax(axis=1))
    else:
        of_interest = P[:, 1] if target is BINARY else P
        assert 1 / (1 + np.exp(-Z)) == pytest.approx(of_interest)
        assert np.array_equal(model.predict(X), (Z > 0).astype(int))


@pytest.mark.parametrize("target", [BINARY, LABELS, SEVERAL])
def test_logarithms_are_finite_where_probabilities_vanish(target):
    model = small(MLPClassifier, max_iter=5).fit(X, target)
    model.coefs_[-1][...] *= 1e4
    Z = model.decision_function(X)
    least = {1: lambda: -abs(Z).max(), 2: lambda: Z.min(), 3: lambda: -np.ptp(Z, axis=1).max()}
    assert (model.predict_proba(X) == 0).any()
    assert model.predict_log_proba(X).min() == pytest.approx(least[model.n_outputs_]())


def test_labels_may_be_strings():
    names = np.array(["red", "green", "blue"])[LABELS]
    model = small(MLPClassifier, max_iter=50, early_stopping=True).fit(X, names)
    assert model.classes_.tolist() == ["blue", "green", "red"]
    assert set(model.predict(X)) <= set(names)
    assert model.score(X, names) > 0.5


def test_a_single_class_is_always_predicted():
    model = small(MLPClassifier, "adam", max_iter=3).fit(X, np.full(90, 7))
    assert (model.predict(X) == 7).all()
    assert model.predict_proba(X).tolist() == [[1.0]] * 90
    assert model.predict_log_proba(X).tolist() == [[0.0]] * 90


@pytest.mark.parametrize("cls", [MLPRegressor, MLPClassifier])
def test_float32_stays_float32(cls):
    model = small(cls, "adam", max_iter=5).fit(X.astype(np.float32), BINARY)
    assert {array.dtype for array in (*model.coefs_, *model.intercepts_)} == {np.dtype(np.float32)}
    outputs = model.predict(X) if cls is MLPRegressor else model.predict_proba(X)
    assert outputs.dtype == np.float32


def test_sparse_inputs_are_made_dense():
    S = scipy.sparse.csr_array(np.where(abs(X) > 0.5, X, 0.0))
    dense = small(MLPRegressor, max_iter=5).fit(S.toarray(), y)
    model = small(MLPRegressor, max_iter=5).fit(S, y)
    assert np.array_equal(model.predict(S), dense.predict(S.toarray()))
    with pytest.raises(MemoryError, match="fits into memory when dense"):
        model.fit(scipy.sparse.csr_array((90, 10**13)), y)
