"""Data as other libraries have them, given to the estimators: masks, arrays out of memory, names of pandas'."""

import numpy as np
import pandas as pd
import pytest
import sklearn.neural_network as theirs

from complaints import lazy
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
y = X[:, 0] + 0.1 * RNG.normal(size=30)
NAMES = np.array(["pear", "apple", "fig"])[np.arange(30) % 3]
SMALL = {"hidden_layer_sizes": (2,), "max_iter": 2, "random_state": 0}
DATA = {"X": X, "y": y, "sample_weight": np.ones(30), "X_val": X, "y_val": y}


def masked(array):
    array = np.ma.array(array)
    array[0] = np.ma.masked
    return array


BAD = {
    "a mask": lambda a: (masked(a), "an array without a mask, got a masked array"),
    "masked rows": lambda a: (list(masked(a)), "an array without a mask, got a masked array"),
    "dask": lambda a: (lazy("dask.array.core"), r"an array in memory, got dask\.array\.core\.Array"),
    "zarr": lambda a: (lazy("zarr.core.array"), r"an array in memory, .*\[:\] does so"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("argument", DATA)
@pytest.mark.parametrize("cls", [MLPRegressor, MLPClassifier])
def test_what_numpy_would_unmask_or_load_is_refused_by_name(cls, argument, name):
    data = {**DATA, **({} if cls is MLPRegressor else {"y": y > 0, "y_val": y > 0})}
    data[argument], message = BAD[name](X if argument == "X_val" else data[argument])
    with pytest.raises(TypeError, match=f"^{argument}: expected {message}"):
        cls(**SMALL).fit(**data)


@pytest.mark.parametrize("name", BAD)
def test_predictions_and_parts_refuse_it_too(name):
    model = MLPRegressor(**SMALL).fit(X, y)
    bad, message = BAD[name](X)
    with pytest.raises(TypeError, match=f"^X: expected {message}"):
        model.predict(bad)
    with pytest.raises(TypeError, match=f"^X: expected {message}"):
        model.partial_fit(bad, y)


TARGETS = {
    "the default type": pd.Series(NAMES),
    "string": pd.Series(NAMES, dtype="string"),
    "string by Python": pd.Series(NAMES, dtype=pd.StringDtype("python")),
    "object": pd.Series(NAMES, dtype=object),
    "categories": pd.Series(NAMES, dtype="category"),
    "an extension array": pd.array(NAMES, dtype="string"),
    "a frame": pd.DataFrame({"fruit": NAMES}),
    "Int64": pd.Series(np.arange(30) % 3, dtype="Int64"),
    "boolean": pd.Series(np.arange(30) % 2 > 0, dtype="boolean"),
    "integers": pd.Series(np.arange(30) % 3),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")  # a frame has a column too many
@pytest.mark.parametrize("name", TARGETS)
def test_classes_are_scikit_learns(name):
    model, peer = (cls(**SMALL).fit(X, TARGETS[name]) for cls in (MLPClassifier, theirs.MLPClassifier))
    assert (model.classes_.dtype, model.classes_.tolist()) == (peer.classes_.dtype, peer.classes_.tolist())
    assert model.predict(X).dtype == peer.predict(X).dtype
    assert model.score(X, TARGETS[name]) == np.mean(model.predict(X) == np.ravel(TARGETS[name]))


def test_names_of_pandas_go_on_in_parts_and_warm_starts():
    target = TARGETS["the default type"]
    model = MLPClassifier(**SMALL).partial_fit(X, target, classes=pd.unique(target)).partial_fit(X[:5], target[:5])
    assert model.classes_.tolist() == ["apple", "fig", "pear"]
    model = MLPClassifier(**SMALL, warm_start=True).fit(X, target).fit(X, NAMES)
    assert model.classes_.tolist() == ["apple", "fig", "pear"]
    held_out = MLPClassifier(**SMALL, early_stopping=True).fit(X, target, X_val=X, y_val=target)
    assert set(held_out.predict(X)) <= set(NAMES)
