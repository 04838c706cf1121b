"""Parts of the data, one after the other: arrays that need no second look, what is drawn, curves that grow on."""

import numpy as np
import pandas as pd
import pytest

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.watch import Watch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
TARGETS = {MLPRegressor: X[:, 0] + 0.1, MLPClassifier: np.arange(12) % 3}
KINDS = list(TARGETS)


def begun(kind, X=X, **arguments):
    model = kind(**{"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0, "batch_size": 5, **arguments})
    return model.partial_fit(X, TARGETS[kind], **({"classes": [0, 1, 2]} if kind is MLPClassifier else {}))


def vector(model):
    return model.network_.params


# ---- what needs no second look ----

FORMS = {
    "lists": lambda a: a.tolist(),
    "columns first": np.asfortranarray,
    "objects": lambda a: a.astype(object),
    "strides": lambda a: np.repeat(a, 2, axis=0)[::2],
    "another byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "a subclass": lambda a: a.view(np.memmap),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_plain_arrays_are_what_the_careful_path_makes_of_others(kind, form):
    plain, others, of = begun(kind), begun(kind), FORMS[form]
    for _ in range(3):
        plain.partial_fit(X, TARGETS[kind])
        others.partial_fit(of(X), of(TARGETS[kind]) if form != "objects" else TARGETS[kind])
    assert np.array_equal(vector(plain), vector(others))
    assert np.array_equal(plain.predict(X), others.predict(of(X)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_the_other_number_type_is_cast_as_before(kind):
    model = begun(kind, X.astype("f4"))
    assert model.network_.dtype == np.float32
    before = vector(model)
    model.partial_fit(X, TARGETS[kind])
    assert not np.array_equal(vector(model), before)
    assert model.predict(X).shape == (12,)


def spoilt(a, value):
    a = a.astype(float)
    a[3] = value
    return a


BAD_INPUTS = [X[:, :2], X[:, 0], X[:0], np.zeros((2, 3, 1)), spoilt(X, np.nan), spoilt(X, np.inf), X.astype(complex)]
BAD_TARGETS = [lambda y: y[:5], lambda y: y[:0], lambda y: np.c_[y, y], lambda y: spoilt(y, np.nan), lambda y: None]


def complaint(call, *arguments):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_refused_in_the_words_of_a_first_look(kind):
    model, y = begun(kind), TARGETS[kind]
    params, n_iter = vector(model), len(model.loss_curve_)
    for bad in BAD_INPUTS:
        listed = bad.tolist() if bad.dtype.kind == "f" and len(bad) else bad
        assert complaint(model.partial_fit, bad, y) == complaint(model.partial_fit, listed, y)
        assert complaint(model.predict, bad) == complaint(model.predict, listed)
    for bad in BAD_TARGETS:
        assert complaint(model.partial_fit, X, bad(y)) == complaint(model.partial_fit, X.tolist(), bad(y))
    assert np.array_equal(vector(model), params)
    assert len(model.loss_curve_) == n_iter


def test_names_that_are_missing_are_still_told_of():
    model = begun(MLPRegressor, pd.DataFrame(X, columns=["a", "b", "c"]))
    for call in (model.predict, lambda inputs: model.partial_fit(inputs, TARGETS[MLPRegressor])):
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            call(X)


# ---- what is drawn ----


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_a_generator_goes_on_with_every_part(make):
    """As it did when each part made a generator of its own: what is drawn elsewhere from it stays the same."""
    random, same = make(3), make(3)
    model = begun(MLPRegressor, random_state=random)
    for _ in range(2):
        model.partial_fit(X, TARGETS[MLPRegressor])
    for part in range(3):
        legacy = same if make is np.random.RandomState else np.random.RandomState(same.integers(2**32, dtype=np.uint32))
        if not part:
            for n_in, n_out in ((3, 4), (4, 1)):
                legacy.uniform(size=(n_in + 1) * n_out)
        legacy.randint(2**31 - 1, size=1)
    assert (random.rand() == same.rand()) if make is np.random.RandomState else (random.random() == same.random())


def test_a_number_is_looked_at_in_every_part():
    model = begun(MLPRegressor).set_params(random_state=-1)
    with pytest.raises(ValueError, match="random_state: expected an integer >= 0"):
        model.partial_fit(X, TARGETS[MLPRegressor])
    with pytest.raises(ValueError, match="cannot be used to seed"):
        model.set_params(random_state="no").partial_fit(X, TARGETS[MLPRegressor])


def test_another_solver_draws_from_the_number_anew():
    models = [begun(MLPRegressor).set_params(solver="sgd") for _ in range(2)]
    for model in models:
        model.partial_fit(X, TARGETS[MLPRegressor])
    assert np.array_equal(vector(models[0]), vector(models[1]))


# ---- curves that grow on ----


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_part_that_fails_leaves_curves_as_they_were(monkeypatch, error):
    model = begun(MLPRegressor)
    for _ in range(5):
        model.partial_fit(X, TARGETS[MLPRegressor])
    curve, seen, loss = list(model.loss_curve_), model.t_, model.loss_
    look = Watch.__call__

    def failing(self, state):
        look(self, state)
        raise error("no")

    monkeypatch.setattr(Watch, "__call__", failing)
    with pytest.raises(error):
        model.partial_fit(X, TARGETS[MLPRegressor])
    assert (model.loss_curve_, model.t_, model.loss_) == (curve, seen, loss)
    monkeypatch.undo()
    model.partial_fit(X, TARGETS[MLPRegressor])
    assert model.loss_curve_[:-1] == curve
    assert len(model.loss_curve_) == 7
    assert model.t_ == seen + 12


def test_a_part_that_fails_leaves_arguments_that_are_lists():
    model = begun(MLPRegressor, hidden_layer_sizes=[4])
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(spoilt(X, np.nan), TARGETS[MLPRegressor])
    assert model.hidden_layer_sizes == [4]


def test_an_earlier_state_may_lie_in_a_file(tmp_path):
    """A memory map is a plain array, but not quite."""
    net = fastmlp.Network([3, 4, 1], rng=0)
    result = net.fit(X, TARGETS[MLPRegressor], "adam", max_iter=3, rng=0)
    expected = net.copy().fit(X, TARGETS[MLPRegressor], "adam", max_iter=3, warm_start=result).x
    np.save(tmp_path / "moment.npy", result.state["first_moment"])
    result.state["first_moment"] = np.load(tmp_path / "moment.npy", mmap_mode="r")
    assert np.array_equal(net.fit(X, TARGETS[MLPRegressor], "adam", max_iter=3, warm_start=result).x, expected)
