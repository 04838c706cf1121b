"""Networks of R's packages: files that nnet, brnn and neuralnet have written, beside what `predict` gave there.

tests/data/r/README.md has the versions and the script.
"""

import contextlib
import random
import time
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.bridges.r import dput

FOLDER = Path(__file__).parent / "data" / "r"
X = np.loadtxt(FOLDER / "X.txt")  # four columns of iris
DUMMIES = np.column_stack([X[:, 2:4], np.arange(7) // 2 == 1, np.arange(7) > 3])  # versicolor, virginica
TWO = X[2:]
FITS = {  # inputs, layers, hidden, output, loss
    "nnet-linout": (DUMMIES, [4, 2, 1], "logistic", "identity", "squared_error"),
    "nnet-logistic": (X, [4, 3, 2], "logistic", "logistic", "squared_error"),
    "nnet-entropy": (X, [4, 2, 1], "logistic", "logistic", "binary_cross_entropy"),
    "nnet-softmax": (X, [4, 2, 3], "logistic", "softmax", "cross_entropy"),
    "nnet-short": (X, [4, 2, 3], "logistic", "softmax", "cross_entropy"),
    "nnet-without-hidden": (X, [4, 1], None, "identity", "squared_error"),
    "nnet-exact": (X, [4, 2, 1], "logistic", "logistic", "binary_cross_entropy"),
    "dump": (X, [4, 2, 1], "logistic", "logistic", "binary_cross_entropy"),
    "multinom": (X, [4, 3], None, "softmax", "cross_entropy"),
    "multinom-two": (X, [4, 1], None, "logistic", "binary_cross_entropy"),
    "multinom-without-intercept": (X[:, [0, 2]], [2, 3], None, "softmax", "cross_entropy"),
    "brnn": (X[:, 2:], [2, 2, 1], "tanh", "identity", "squared_error"),
    "brnn-raw": (X[:, :2], [2, 2, 1], "tanh", "identity", "squared_error"),
    "neuralnet": (X[:, 2:], [2, 3, 2, 1], "logistic", "identity", "squared_error"),
    "neuralnet-tanh": (TWO[:, 2:], [2, 2, 1], "tanh", "tanh", "squared_error"),
    "neuralnet-ce": (TWO[:, 2:3], [1, 2, 1], "logistic", "logistic", "binary_cross_entropy"),
}


def text(name):
    return (FOLDER / f"{name}.R").read_text()


@pytest.mark.parametrize("name", FITS)
def test_a_fit_of_r_predicts_here_what_it_does_there(name):
    inputs, layers, hidden, output, loss = FITS[name]
    net = fastmlp.from_r(text(name))
    assert list(net.layers) == layers
    assert set(net.hidden) == ({hidden} if hidden else set())
    assert (net.output, net.loss_name, net.dtype) == (output, loss, np.float64)
    there = np.loadtxt(FOLDER / f"{name}.txt", ndmin=2)
    digits = 1e-11 if name == "nnet-logistic" else 1e-14  # written with the default 15 digits; the others without loss
    assert net(inputs) == pytest.approx(there, rel=digits, abs=digits)


def test_hexadecimal_digits_are_the_weights_to_the_bit():
    net = fastmlp.from_r(text("nnet-entropy"))
    wts = dput.read(text("nnet-entropy"), {"wts"}).get("wts").items
    rows = np.reshape(wts[:10], (2, 5))
    assert np.array_equal(net.biases[0], rows[:, 0])
    assert np.array_equal(net.weights[0], rows[:, 1:])


def test_columns_of_multinom_follow_coefnames():
    """The intercept may stand anywhere; a class's bias is 0 there."""
    net = fastmlp.from_r(
        "structure(list(n = c(3, 0, 2), wts = c(0, 1, 2, 3, 0, 4, 5, 6), softmax = TRUE, coefnames = c('a', "
        "'(Intercept)', 'b')), class = c('multinom', 'nnet'))"
    )
    assert net.weights[0].tolist() == [[1, 3], [4, 6]]
    assert net.biases[0].tolist() == [2, 5]
    default = "structure(list(n = c(3, 0, 2), wts = c(0, 1, 2, 3, 0, 4, 5, 6), softmax = TRUE), class = 'multinom')"
    assert fastmlp.from_r(default).biases[0].tolist() == [1, 4]


BARE = "list(n = c(1, 1, 1), wts = c(1, 2, 3, 4){})"


@pytest.mark.parametrize(
    ("fields", "possible"),
    [
        ("", {"identity", "logistic"}),
        (", softmax = FALSE", {"identity", "logistic"}),
        (", softmax = FALSE, entropy = FALSE", {"identity", "logistic"}),
        (", entropy = TRUE", {"logistic"}),
        (", nsunits = 4L, softmax = FALSE", {"logistic"}),
        (", nsunits = 3, softmax = FALSE", {"identity"}),
        (", nsunits = 3", {"identity"}),
    ],
)
def test_the_output_is_asked_for_where_the_text_does_not_tell(fields, possible):
    for output in ("identity", "logistic", "softmax"):
        if output in possible:
            assert fastmlp.from_r(BARE.format(fields), output=output).output == output
        else:
            with pytest.raises(ValueError, match=rf"^output: expected .* got '{output}'"):
                fastmlp.from_r(BARE.format(fields), output=output)
    if len(possible) == 1:
        assert fastmlp.from_r(BARE.format(fields)).output in possible
    else:
        with pytest.raises(ValueError, match=r"^output: expected 'logistic' or 'identity', got None; linout"):
            fastmlp.from_r(BARE.format(fields))


def test_several_outputs_may_be_classes():
    bare = "list(n = c(1, 0, 2), wts = c(1, 2, 3, 4))"
    assert fastmlp.from_r(bare, output="softmax").output == "softmax"
    with pytest.raises(ValueError, match=r"^output: expected 'logistic' or 'identity' or 'softmax', got None"):
        fastmlp.from_r(bare)


REFUSED = {
    "summary": ((FOLDER / "summary.txt").read_text(), "summary(fit) prints"),
    "skip": (text("nnet-skip"), "expected 19 weights wts of a 4-2-3 network, got 31, as many as with skip-layer"),
    "repetitions": (text("neuralnet-reps"), "one repetition of neuralnet, got 2; in R, fit$weights <-"),
    "no names": (text("nnet-digits17"), 'got one without names; in R, dput(fit, control = "exact") has them'),
    "other names": ("list(a = 1)", "weights (neuralnet), got one without; in R"),
    "no list": ("c(1, 2, 3)", "expected a list with n and wts"),
    "a path": ("fit.R", "weights (neuralnet), got 'fit.R'; in R"),
    "nothing": ("", "weights (neuralnet), got ''; in R"),
    "connections": (BARE.format(", nsunits = 3, softmax = FALSE, conn = c(0, 1, 0, 1)"), "connections conn"),
    "few": ("list(n = c(1, 1, 1), wts = c(1, 2, 3), entropy = TRUE)", "4 weights wts of a 1-1-1 network, got 3"),
    "NA": ("list(n = c(1, 1, 1), wts = c(1, 2, 3, NA), entropy = TRUE)", "expected numbers as wts, got NA"),
    "NaN": ("list(n = c(1, 1, 1), wts = c(1, 2, 3, NaN), entropy = TRUE)", "expected finite numbers as wts, got nan"),
    "words": ("list(n = c('1', 'b'), wts = 1)", "expected numbers as n, got '1'"),
    "a call": ("list(n = c(1, 1, 1), wts = rnorm(4))", "expected numbers as wts, got none"),
    "units": ("list(n = c(1e300, 1, 1), wts = c(1, 2, 3, 4))", "expected integers as n, got 1e+300"),
    "many": ("list(n = c(1e15, 1e15, 1), wts = 1)", "wts of a 1000000000000000-1000000000000000-1 network, got 1"),
    "broken off": (text("multinom")[:700], "as many brackets that close as open, got its end in line"),
    "quote": ("list(a = 'b, n = 1)", "a string with an end, got"),
    "deep": ("list(" * 200, "at most 64 lists within each other"),
    "range": ("list(n = 1:9e9)", "a range of at most 4194304 numbers"),
    "minus": ("-" * 10**6, "the end of the value"),
    "multinom without names": ("list(n = c(2, 0, 2), wts = c(0, 1, 2, 0, 3, 4), softmax = TRUE)", "coefnames of a fit"),
    "intercept alone": (
        "structure(list(n = c(1, 0, 2), wts = c(0, 1, 0, 2), softmax = TRUE), class = 'multinom')", "an input besides",
    ),
    "theta": ("list(theta = list(c(1, 2, 3), c(1, 2)), normalize = FALSE)", "theta with as many numbers for each unit"),
    "not normalized": ("list(theta = list(c(1, 2, 3)))", "got no normalize"),
    "spread": (
        "list(theta = list(c(1, 2, 3)), normalize = TRUE, x_base = 0, x_spread = 0, y_base = 0, y_spread = 1)",
        "x_spread with 1 numbers",
    ),
    "dim": (
        "list(weights = list(list(structure(1:4, dim = c(2L, 3L)))), linear.output = TRUE, "
        "act.fct = structure(function(x) x, type = 'tanh'))",
        "matrices as weights of neuralnet, got 4 numbers",
    ),
    "own activation": (
        "list(weights = list(list(structure(1:2, dim = 2:1))), linear.output = TRUE, act.fct = function(x) x)",
        "act.fct of type logistic or tanh",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_network_is_refused(name):
    given, expected = REFUSED[name]
    with pytest.raises(ValueError, match=r"^text: expected ") as raised:
        fastmlp.from_r(given)
    assert expected in str(raised.value)


def test_only_texts_are_read():
    for given in (b"list()", None, FOLDER / "nnet-short.R"):
        with pytest.raises(TypeError, match=r"^text: expected a str"):
            fastmlp.from_r(given)


# ---- the language ----


def test_literals_of_r():
    def items(written):
        return dput.read(written, ()).items

    assert items("c(1, -2L, 1e-05, .5, 1e5L, 0x1.8p+1, -0x1p-3)") == [1, -2, 1e-5, 0.5, 1e5, 3, -0.125]
    assert items("c(-1:2, 3:1, 2:-1)") == [-1, 0, 1, 2, 3, 2, 1, 2, 1, 0, -1]  # of R: unary minus comes before ranges
    assert items("c(TRUE, NA, NULL, Inf, -Inf, NA_real_)") == [True, None, np.inf, -np.inf, None]
    assert items(r"""c("a\"b\\", 'it''s')""".replace("''", r"\'")) == ['a"b\\', "it's"]
    assert items(r'"\u00e9\x41\101\n\U{1F600}"') == ["éAA\n😀"]
    assert items("numeric(0)") == items("NULL") == items("character(0)") == []
    assert dput.read("c(a = 1, `b c` = 2, 'd' = 3)", ()).names == ["a", "b c", "d"]


def test_what_is_no_literal_is_passed_over():
    found = dput.read(
        "fit <- structure(list(call = f(a, b = c(')', \"(\")), t = y ~ x + (1 | `g)`), # a comment, with (\n"
        "  fn = function (x, y = 2) \n { if (x > 1, 2) x[[1]] else '}' }, n = 1:3, e = <environment>, w = c(1, f(2)),\n"
        "  .Environment = <pointer: 0x55>), row.names = c(NA, -2L), class = c('a', 'b'))",
        {"n", "w", "fn", "e"},
    )
    assert found.get("n").items == [1, 2, 3]
    assert found.attributes["class"].items == ["a", "b"]
    assert all(found.get(name) is dput.SKIPPED for name in ("call", "t", "fn", "e", "w"))


def test_names_of_old_versions_stand_behind():
    written = "structure(list(c(1, 0, 1), c(2, 3), TRUE), .Names = c('n', 'wts', 'entropy'), class = 'nnet')"
    assert fastmlp.from_r(written).params.tolist() == [3, 2]


def test_damaged_texts_give_value_errors():
    draws = random.Random(0)
    for name in FITS:
        whole = text(name)
        for _ in range(60):
            place = draws.randrange(len(whole))
            length = draws.choice([1, 1, 5, len(whole)])
            other = "".join(draws.choices("(){}[],=\"'`\\-:c<~#1eL.\n", k=draws.randrange(3)))
            with contextlib.suppress(ValueError):
                fastmlp.from_r(whole[:place] + other + whole[place + length :])


def test_large_texts_are_read_once():
    started = time.process_time()
    for given in ('list(x = "' + "\\n" * 10**6, "list(x = c(" + "1.5," * 10**6, " " * 10**7, "1:" * 10**6, "`" * 10**6):
        with pytest.raises(ValueError, match=r"^text: expected"):
            fastmlp.from_r(given)
    assert time.process_time() - started < 20
    with pytest.raises(ValueError, match=r"^text: expected at most 67108864 characters"):
        fastmlp.from_r(" " * (dput.LONGEST + 1))
