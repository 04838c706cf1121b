"""Formulas, run by the programs that they are for, against the networks."""

import math
import re
import sqlite3

import numpy as np
import pytest

import fastmlp
from engines import ENGINES, THERE, expanded
from fastmlp import Conv, WeightDecay, to_formula

HIDDEN = ("identity", "tanh", "logistic", "relu", "leaky_relu", "softplus", "elu", "silu", "gelu", "sin")
OUTPUTS = (*HIDDEN, "softmax", "exp")
LACKS_GELU = ("javascript", "sql")
DOUBLE, OF_15_DIGITS = 4e-15, 4e-14  # of the largest output


def bound(dialect):
    return OF_15_DIGITS if dialect == "excel" else DOUBLE


def test_somewhere_each_is_run():
    assert {"python", "sql"} <= set(THERE) <= set(ENGINES)


@pytest.mark.parametrize("dialect", THERE)
def test_every_activation_and_output(dialect, tmp_path):
    for number, output in enumerate(OUTPUTS):
        hidden = HIDDEN[number % len(HIDDEN)]
        if dialect in LACKS_GELU and "gelu" in (hidden, output):
            continue
        net = fastmlp.Network([3, 5, 3], hidden=hidden, output=output, rng=number)
        net.params = 2 * net.params + 0.1 * np.random.default_rng(number).normal(size=net.n_params)
        X = np.random.default_rng(1).normal(size=(30, 3))
        Y = ENGINES[dialect](to_formula(net, dialect), X, tmp_path)
        assert np.abs(Y - net(X)).max() <= bound(dialect) * np.abs(net(X)).max(), (hidden, output)


@pytest.mark.parametrize("dialect", THERE)
def test_a_posterior_in_units_of_the_data(dialect, tmp_path):
    """Deep, one output, constants pruned away, and inputs in any units."""
    rng = np.random.default_rng(0)
    X = np.array([1e6, -3.0, 1e-7]) + np.array([1e2, 2.0, 1e-8]) * rng.normal(size=(60, 3))
    t = 300 + 20 * np.sin(X[:, 1]) + rng.normal(size=60)
    net = fastmlp.Network([3, 4, 3, 1], rng=0)
    net.pruned = np.isin(np.arange(net.n_params), [0, 5, 20])
    net.fit(X, t, max_iter=50, standardize=True, penalty=WeightDecay(0.1))
    Y = ENGINES[dialect](to_formula(net, dialect), X, tmp_path)
    assert np.abs(Y - net(X)).max() <= bound(dialect) * np.abs(net(X)).max()


@pytest.mark.parametrize("dialect", THERE)
@pytest.mark.parametrize("form", [*HIDDEN, "exp"])
def test_far_from_zero(dialect, form, tmp_path):
    """Nothing overflows on the way, and small results keep their digits."""
    if dialect in LACKS_GELU and form == "gelu":
        return
    z = np.array([-1e4, -720.0, -300.0, -40.0, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 40.0, 300.0, 700.0, 720.0, 1e4])
    if form == "exp":
        z = z[z < 709]  # beyond, databases and spreadsheets tell of an error
    net = fastmlp.Network([1, 1], output=form)
    net.params = [1.0, 0.0]
    found = ENGINES[dialect](to_formula(net, dialect), z[:, None], tmp_path)[:, 0]
    exact = net(z[:, None])[:, 0]
    small = form == "gelu" and dialect == "excel"  # whose normal distribution has absolute digits
    assert np.allclose(found, exact, rtol=1e-13, atol=1e-15 if small else 1e-300)


@pytest.mark.parametrize("dialect", THERE)
def test_softmax_of_any_size(dialect, tmp_path):
    net = fastmlp.Network([2, 3], output="softmax")
    net.params = [1e3, 0.0, 0.0, 1e3, -1e3, -1e3, 0.0, 0.0, 0.0]
    X = np.array([[5.0, 5.0], [5.0, 4.99], [-9.0, -9.0], [0.0, 0.0]])
    found = ENGINES[dialect](to_formula(net, dialect), X, tmp_path)
    assert np.allclose(found, net(X), rtol=1e-11, atol=1e-300)


def test_what_is_missing_stays_missing(tmp_path):
    """Nan, and NULL, whatever the activation."""
    for form in HIDDEN:
        net = fastmlp.Network([1, 1, 1], hidden=form)
        net.params = [1.0, 0.0, 1.0, 0.0]
        for dialect in set(THERE) - {"excel"}:  # which has no word for it
            if dialect in LACKS_GELU and form == "gelu":
                continue
            found = ENGINES[dialect](to_formula(net, dialect), np.array([[math.nan]]), tmp_path)
            assert np.isnan(found).all(), (dialect, form)


def test_inputs_of_other_types_count_as_doubles(tmp_path):
    """Float32 would lose digits, integers of MATLAB all after the point, and texts of a web page would be joined."""
    net = fastmlp.Network([2, 1])
    net.params = [1 / 3, 1 / 7, 1e-9]
    expected = net([[5.0, 3.0]])[0, 0]
    place = {}
    exec(to_formula(net, "python"), place)
    assert place["net"](np.float32(5), np.int8(3)) == pytest.approx(expected, rel=1e-15)
    base = sqlite3.connect(":memory:")
    assert base.execute(f"SELECT {to_formula(net, 'sql')} FROM (SELECT '5' AS x1, 3 AS x2)").fetchone()[
        0
    ] == pytest.approx(expected, rel=1e-15)
    if "javascript" in THERE:
        text = to_formula(net, "javascript").replace("(x1, x2) {", "(x1, x2) {\n  x1 = String(x1);")
        assert ENGINES["javascript"](text, np.array([[5.0, 3.0]]), tmp_path)[0, 0] == pytest.approx(expected, rel=1e-15)
    if "matlab" in THERE:
        text = to_formula(net, "matlab").replace("(x1, x2)\n", "(x1, x2)\n  x1 = int32(x1);\n")
        assert ENGINES["matlab"](text, np.array([[5.0, 3.0]]), tmp_path)[0, 0] == pytest.approx(expected, rel=1e-15)


def test_numbers_go_without_loss(tmp_path):
    """Every bit of a double, the smallest too."""
    net = fastmlp.Network([5, 1])
    net.params = [5e-324, np.nextafter(1, 2), -1 / 3, 1.7976931348623157e308, 1e22, 0.0]
    for dialect in ("python", "javascript", "matlab"):
        if dialect in THERE:
            found = ENGINES[dialect](to_formula(net, dialect), np.eye(5), tmp_path)
            assert np.array_equal(found[:, 0], net.params[:5]), dialect


def test_many_inputs_and_layers(tmp_path):
    """Deeper than databases take an expression, and wider than a sum of theirs."""
    wide = fastmlp.Network([1500, 2, 1], rng=0)
    deep = fastmlp.Network([2, *[3] * 40, 1], hidden="relu", rng=0)
    middle = fastmlp.Network([8, 50, 50, 1], rng=0)
    for net in (wide, deep, middle):
        X = np.random.default_rng(0).normal(size=(3, net.layers[0]))
        for dialect in [each for each in THERE if each not in ("excel", "matlab")]:
            found = ENGINES[dialect](to_formula(net, dialect), X, tmp_path)
            assert np.abs(found - net(X)).max() <= 8 * DOUBLE * np.abs(net(X)).max(), dialect


def test_names_of_inputs(tmp_path):
    net = fastmlp.Network([2, 3, 1], rng=0)
    X = np.random.default_rng(0).normal(size=(4, 2))
    text = to_formula(net, "sql", inputs=["order", 'so "called"'])
    found = ENGINES["sql"](text, X, tmp_path, names=['"order"', '"so ""called"""'])
    assert np.abs(found - net(X)).max() < DOUBLE
    assert "samples.dose" in to_formula(net, "sql", inputs=["samples.dose", "age"])
    assert "def risk(dose, Größe):" in to_formula(net, "python", inputs=["dose", "Größe"], name="risk")
    assert "CHOOSE({1,2},B7,$A$7)" in to_formula(net, "excel", inputs=["B7", "$A$7"])
    assert "MMULT(Y5:Z5," in to_formula(net, "excel", inputs=["Y5", "Z5"])
    assert "CHOOSE({1,2},[@dose],'my sheet'!B2)" in to_formula(net, "excel", inputs=["[@dose]", "'my sheet'!B2"])
    wide = fastmlp.Network([30, 1])
    assert "MMULT(A2:AD2," in to_formula(wide, "excel")


def test_names_of_an_estimator(tmp_path):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["dose", "age"])
    model = fastmlp.MLPRegressor(hidden_layer_sizes=(3,), solver="lm", alpha=0.1, random_state=0, standardize=True)
    model.fit(X, X["dose"])
    assert "def net(dose, age):" in to_formula(model, "python")
    assert "A2:B2" in to_formula(model, "excel")
    rows = np.random.default_rng(1).normal(size=(4, 2))
    for names in (["sepal.length", "x²"], ["user", "nothing"]):
        model.fit(X.set_axis(names, axis=1), X["dose"])
        found = ENGINES["sql"](to_formula(model, "sql"), rows, tmp_path, names=[f'"{each}"' for each in names])
        assert np.allclose(found[:, 0], model.predict(pandas.DataFrame(rows, columns=names)), rtol=1e-13)
        assert all(f'CAST("{each}" AS' in to_formula(model, "sql") for each in names)
    model.fit(X, X["dose"])
    place = {}
    exec(to_formula(model, "python"), place)
    assert np.allclose([place["net"](*row) for row in X.to_numpy()], model.predict(X), rtol=1e-14)


def test_plain_where_names_are_not_needed(tmp_path):
    net = fastmlp.Network([2, 3, 3, 1], hidden="tanh", rng=0)
    assert "LET" not in to_formula(net, "excel")
    assert to_formula(net, "sql", tmp_path / "net.sql") == (tmp_path / "net.sql").read_text()
    assert expanded("SUM(LET(a_1,1+2,b_2,a_1*3,a_1+b_2))") == "SUM((1+2)+((1+2)*3))"


@pytest.mark.parametrize(
    ("dialect", "options", "error", "words"),
    [
        ("cobol", {}, ValueError, "dialect: expected"),
        ("python", {"inputs": ["a"]}, ValueError, "inputs: expected 2 names, got ['a']"),
        ("python", {"inputs": ["a", 3]}, ValueError, "inputs: expected 2 names"),
        ("python", {"inputs": "ab"}, TypeError, "inputs: expected"),
        ("python", {"inputs": ["a", "a"]}, ValueError, "inputs: expected different names"),
        ("python", {"inputs": ["a", "math"]}, ValueError, "inputs: expected names that python takes"),
        ("python", {"inputs": ["a", "z1_1"]}, ValueError, "inputs: expected names that python takes"),
        ("python", {"inputs": ["a", "b)"]}, ValueError, "inputs: expected names that python takes"),
        *(
            (each, {"inputs": ["a", "x²"]}, ValueError, f"inputs: expected names that {each} takes")
            for each in ("python", "javascript", "matlab")
        ),
        ("javascript", {"inputs": ["a", "new"]}, ValueError, "inputs: expected names that javascript takes"),
        ("matlab", {"inputs": ["a", "b_" * 40]}, ValueError, "inputs: expected names that matlab takes"),
        ("sql", {"inputs": ["a", "b\0"]}, ValueError, "inputs: expected names that sql takes"),
        ("excel", {"inputs": ["a", "b+1"]}, ValueError, "inputs: expected names that excel takes"),
        ("python", {"name": "7up"}, ValueError, "name: expected at most 41 letters"),
        ("matlab", {"name": "y1"}, ValueError, "name: expected one that matlab has no other use for, got 'y1'"),
        ("javascript", {"name": "NaN"}, ValueError, "name: expected one that javascript has no other use for"),
        ("javascript", {"name": "delete"}, ValueError, "name: expected one that javascript has no other use for"),
    ],
)
def test_what_is_refused(dialect, options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        to_formula(fastmlp.Network([2, 3, 1], rng=0), dialect, **options)


def test_what_dialects_lack(tmp_path):
    net = fastmlp.Network([2, 3, 1], hidden="gelu", rng=0)
    for dialect in LACKS_GELU:
        with pytest.raises(ValueError, match=f"expected activations that {dialect} has, got gelu in layer 1"):
            to_formula(net, dialect)
    with pytest.raises(
        ValueError, match=r"expected a formula of at most 8192 characters .* network of 3051 parameters"
    ):
        to_formula(fastmlp.Network([8, 50, 50, 1], rng=0), "excel")
    with pytest.raises(ValueError, match="at most 1664 units for columns of SQL, got 2 to 1665 in layer 1"):
        to_formula(fastmlp.Network([2, 1665, 1], rng=0), "sql")
    with pytest.raises(ValueError, match="at most 500 units"):
        to_formula(fastmlp.Network([2, 501], output="softmax", rng=0), "sql")
    with pytest.raises(ValueError, match="expected dense layers, got layer 1, which is Conv"):
        to_formula(fastmlp.Network([(1, 6), Conv(2, 3), 1], rng=0), "python")
    with pytest.raises(ValueError, match="inputs: expected cells side by side, or at most 254 of them, got 255"):
        to_formula(fastmlp.Network([255, 1]), "excel", inputs=[f"A{k}" for k in range(1, 256)])
    net.weights[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="model: expected finite parameters"):
        to_formula(net, "python")
    with pytest.raises(OSError, match="nowhere"):
        to_formula(fastmlp.Network([2, 1], rng=0), "python", tmp_path / "nowhere" / "net.py")
