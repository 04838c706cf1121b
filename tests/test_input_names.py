"""Columns of tables: networks and posteriors remember them, results show them, other columns are refused by name."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import fastmlp
from fastmlp import plot

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["age", "mass", "height"])
NAMES = tuple(TABLE.columns)
T = (np.tanh(TABLE.age) - 0.5 * TABLE.mass).to_numpy() + 0.1 * RNG.normal(size=60)
DECAY = fastmlp.WeightDecay(0.1, 0.1)

TURNED = TABLE[["mass", "age", "height"]]
RENAMED = TABLE.rename(columns={"mass": "weight"})
WIDER = TABLE.assign(shoe=1.0)
NARROWER = TABLE[["age", "mass"]]


class Polars:
    """A table with the face that polars has: names, no axes, numbers on demand."""

    def __init__(self, frame):
        self.columns, self._frame = list(frame.columns), frame

    def __array__(self, dtype=None, copy=None):
        return self._frame.to_numpy(dtype)


def network(table=TABLE, dtype="float64"):
    net = fastmlp.Network([3, 3, 1], rng=0, dtype=dtype)
    net.fit(table, T, penalty=DECAY, max_iter=200)
    return net


@pytest.fixture(scope="module")
def net():
    return network()


@pytest.fixture(scope="module")
def posterior():
    return fastmlp.fit_evidence(fastmlp.Network([3, 2, 1], rng=0), TABLE, T, "ard", max_iter=30)


@pytest.mark.parametrize("kind", [lambda table: table, Polars], ids=["pandas", "polars"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_fit_takes_the_names_and_the_same_numbers(kind, dtype):
    net, plain = network(kind(TABLE), dtype), network(TABLE.to_numpy(), dtype)
    assert net.input_names == NAMES
    assert plain.input_names is None
    assert (net.params == plain.params).all()
    assert net == plain
    assert (net.predict(kind(TABLE)) == plain.predict(TABLE)).all()
    with pytest.raises(ValueError, match="order of the fit"):
        net.predict(kind(TURNED))


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (TURNED, r"order of the fit, 'age', 'mass', 'height', got 'mass', 'age', 'height'; give X\[list"),
        (RENAMED, r"columns of the fit, 'age', 'mass', 'height', got a table without 'mass' and with 'weight'; give"),
        (WIDER, "got a table with 'shoe'; give"),
        (NARROWER, "got a table without 'height'; give"),
    ],
    ids=["turned", "renamed", "wider", "narrower"],
)
def test_other_columns_are_named(net, posterior, table, complaint):
    for predict in (net, net.predict, posterior.predict):
        with pytest.raises(ValueError, match=f"X: expected the? ?.*{complaint}"):
            predict(table)
    assert (net.predict(table[list(NAMES)] if set(NAMES) <= set(table) else TABLE) == net.predict(TABLE)).all()


CALLS = {
    "loss": lambda net, X: net.loss(X, T),
    "loss_and_grad": lambda net, X: net.loss_and_grad(X, T),
    "hessian": lambda net, X: net.hessian(X, T),
    "jacobian": lambda net, X: net.jacobian(X),
    "value_and_jacobian": lambda net, X: net.value_and_jacobian(X),
    "sample_losses": lambda net, X: net.sample_losses(X, T),
    "vjp": lambda net, X: net.vjp(X, np.ones((60, 1))),
    "input_hessian": lambda net, X: net.input_hessian(X),
    "trace": lambda net, X: net.trace(X),
    "objective": lambda net, X: net.objective(X, T),
    "fit": lambda net, X: net.copy().fit(X, T),
    "validation": lambda net, X: net.copy().fit(TABLE, T, validation=(X, T), max_iter=2),
    "first validation": lambda net, X: fastmlp.Network([3, 2, 1], rng=0).fit(TABLE, T, validation=(X, T), max_iter=2),
    "fit_many": lambda net, X: fastmlp.fit_many([net.copy()], X, T, max_iter=2),
    "validation of fit_many": lambda net, X: fastmlp.fit_many([net.copy()], TABLE, T, validation=(X, T), max_iter=2),
    "validation of sweep": lambda net, X: fastmlp.sweep(TABLE, T, [2], validation=(X, T), max_iter=2),
    "Laplace": lambda net, X: fastmlp.Laplace(net, X, T, penalty=DECAY),
    "fit_evidence": lambda net, X: fastmlp.fit_evidence(net.copy(), X, T),
    "prune": lambda net, X: fastmlp.prune(net, X, T, penalty=DECAY),
    "saliencies": lambda net, X: fastmlp.saliencies(net, X, T, penalty=DECAY),
    "sensitivity": lambda net, X: fastmlp.sensitivity(net, X),
    "importances": lambda net, X: fastmlp.importances(net, X, T, penalty=DECAY),
    "lekprofile": lambda net, X: fastmlp.lekprofile(net, X),
    "propagate": lambda net, X: fastmlp.propagate(net, X, [1.0, 1.0, 1.0]),
    "check_derivatives": lambda net, X: fastmlp.check_derivatives(net, X, T),
    "to_sklearn": lambda net, X: fastmlp.to_sklearn(net).predict(X),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_looks_at_the_names(net, call):
    before = net.params
    with pytest.raises(ValueError, match=r"columns|feature names"):
        call(net, TURNED)
    assert (net.params == before).all()
    assert net.input_names == NAMES


POSTERIOR_CALLS = {
    "interval": lambda posterior, X: posterior.predict(X, interval=0.9),
    "predict_jacobian": lambda posterior, X: posterior.predict_jacobian(X),
    "extrapolation": lambda posterior, X: posterior.extrapolation(X),
    "updated": lambda posterior, X: posterior.updated(X, T),
    "log_density": lambda posterior, X: posterior.log_density(X, T),
}


@pytest.mark.parametrize("call", POSTERIOR_CALLS.values(), ids=POSTERIOR_CALLS)
def test_posteriors_look_at_the_names(posterior, call):
    with pytest.raises(ValueError, match="X: expected the columns"):
        call(posterior, TURNED)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ConvergenceWarning")
def test_searches_keep_the_names():
    nets = [fastmlp.Network([3, 2, 1], rng=seed) for seed in range(2)]
    fastmlp.fit_many(nets, TABLE, T, max_iter=3)
    assert [net.input_names for net in nets] == [NAMES, NAMES]
    assert fastmlp.sweep(TABLE, T, [2], validation=0.3, max_iter=3).best.input_names == NAMES
    mixture = fastmlp.fit_evidence(
        fastmlp.Network([3, 2, 1], rng=0), TABLE, T, n_starts=2, combine="average", rng=0, max_iter=3
    )
    for several in (mixture, fastmlp.fit_evidence(fastmlp.Network([3, 2, 1]), TABLE, T, hidden=[1], max_iter=3)):
        with pytest.raises(ValueError, match="X: expected the columns"):
            several.predict(TURNED)
    with pytest.raises(ValueError, match="X: expected the columns"):
        fastmlp.Laplace(network(TABLE.to_numpy()), TABLE, T, penalty=DECAY).predict(TURNED)


def test_results_show_the_names(net, posterior):
    assert repr(net).endswith("with inputs 'age', 'mass', 'height'")
    assert net.summary().endswith("\ninputs 'age', 'mass', 'height'")
    X = TABLE.to_numpy()
    assert fastmlp.sensitivity(net, X).input_names == NAMES
    assert fastmlp.lekprofile(net, X).input_names == NAMES
    assert fastmlp.importances(net, X, T, penalty=DECAY).input_names == NAMES
    assert "W1[:,1] mass" in repr(fastmlp.saliencies(net, X, T, penalty=DECAY, what="inputs"))
    assert "W1[:,2] height" in repr(posterior)
    assert [tick.get_text() for tick in plot.relevances(posterior).get_yticklabels()] == list(NAMES)
    assert {"age", "mass"} <= {text.get_text() for text in plot.diagram(net).texts}
    assert [ax.get_xlabel() for ax in plot.function(net, TABLE)] == list(NAMES)
    with pytest.raises(ValueError, match="X: expected the columns"):
        plot.function(net, TURNED)
    assert "def net(age, mass, height)" in fastmlp.to_formula(net, "python")
    assert fastmlp.to_sklearn(net).feature_names_in_.tolist() == list(NAMES)


def test_names_go_with_copies_and_files(net, posterior, tmp_path):
    net.save(tmp_path / "net")
    posterior.save(tmp_path / "posterior")
    others = [net.copy(), copy.deepcopy(net), pickle.loads(pickle.dumps(net)), fastmlp.load(tmp_path / "net")]
    others += [net.rescale_inputs(2.0)]
    assert [other.input_names for other in others] == [NAMES] * len(others)
    for other in (fastmlp.load(tmp_path / "posterior"), pickle.loads(pickle.dumps(posterior))):
        with pytest.raises(ValueError, match="X: expected the columns"):
            other.predict(TURNED)
    pruned = net.copy()
    pruned.pruned = np.isin(np.arange(net.n_params), range(1, 9, 3))
    assert fastmlp.compact(pruned)[0].input_names == ("age", "height")


def test_names_are_given_and_forgotten():
    net = network(TABLE.to_numpy())
    net.input_names = ["age", "mass", "height"]
    with pytest.raises(ValueError, match="X: expected the columns"):
        net(TURNED)
    net.input_names = None
    assert (net(TURNED) == net(TURNED.to_numpy())).all()
    with pytest.raises(ValueError, match="input_names: expected 3, one for each input, got 2"):
        net.input_names = ["age", "mass"]
    with pytest.raises(TypeError, match="input_names: expected texts, got int"):
        net.input_names = ["age", "mass", 3]
    with pytest.raises(TypeError, match="input_names: expected a name for each input, got 'abc'"):
        net.input_names = "abc"
    assert net.input_names is None


def test_a_fit_that_fails_leaves_the_names():
    net = fastmlp.Network([3, 2, 1], rng=0)
    with pytest.raises(ValueError, match="method"):
        net.fit(TABLE, T, method="none such")
    assert net.input_names is None
    for table in (TABLE.set_axis([0, 1, 2], axis=1), TABLE.set_axis(["a", 1, 2], axis=1)):  # as estimators: no names
        net.fit(table, T, max_iter=2)
        assert net.input_names is None


@pytest.mark.parametrize("kind", [list, np.array, lambda T: np.array(T, object)], ids=["list", "str", "object"])
def test_names_of_classes_are_told_how_to_be_numbers(kind):
    labels = kind(["yes", "no", "no"])
    for net in (fastmlp.Network([1, 2, 1], output="logistic"), fastmlp.Network([1, 2, 2], output="softmax")):
        with pytest.raises(TypeError, match=r"T: expected real numbers, got dtype .*; classes, T = np.unique"):
            net.loss([[0.0], [1.0], [2.0]], labels)
        _, numbers = np.unique(labels, return_inverse=True)
        assert np.isfinite(net.fit([[0.0], [1.0], [2.0]], numbers, max_iter=2).fun)
    with pytest.raises(TypeError, match=r"T: expected real numbers, got dtype [^;]*$"):
        fastmlp.Network([1, 1]).fit([[0.0], [1.0], [2.0]], labels)


def test_the_library_needs_no_pandas():
    code = "import sys, fastmlp; fastmlp.Network([1, 1])([[0.0]]); raise SystemExit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
