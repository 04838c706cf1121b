"""Progress: a line that updates where that can be done, lines elsewhere, and the same numbers as in silence."""

import fcntl
import io
import os
import pty
import struct
import sys
import termios
import warnings

import numpy as np
import pytest

import fastmlp
from fastmlp import _progress
from fastmlp.estimators import MLPRegressor

X = np.linspace(-1, 1, 30)[:, np.newaxis]
T = np.sin(3 * X)
DECAY = fastmlp.WeightDecay(0.01)


def net():
    return fastmlp.Network([1, 4, 1], rng=0)


def fitted(method, verbose=0, **options):
    own = net()
    own.fit(X, T, method, penalty=DECAY, max_iter=20, verbose=verbose, rng=0, **options)
    return own.params


def many(verbose):
    networks = [fastmlp.Network([1, 3, 1], rng=seed) for seed in range(9)]
    fastmlp.fit_many(networks, X, T, max_iter=5, verbose=verbose, n_threads=1)
    return networks


CALLS = {
    **{f"fit {method}": lambda verbose, m=method: fitted(m, verbose)
       for method in ("lm", "lbfgs", "scg", "rprop", "adam", "newton-cg", "bfgs")},
    "fit_evidence": lambda verbose: fastmlp.fit_evidence(net(), X, T, max_iter=5, verbose=verbose).network.params,
    "sweep": lambda verbose: fastmlp.sweep(
        X, T, (1, 2), 4, 0.3, rng=0, max_iter=5, verbose=verbose, n_threads=1).best.params,
    "fit_many": lambda verbose: many(verbose)[2].params,
    "prune": lambda verbose: fastmlp.prune(net(), X, T, penalty=DECAY, n_params=9, verbose=verbose).best.params,
}  # fmt: skip


def estimated(verbose, solver="lbfgs", **options):
    options |= {"hidden_layer_sizes": 3, "activation": "tanh", "solver": solver, "max_iter": 8, "random_state": 0}
    return MLPRegressor(verbose=verbose, **options).fit(X, T.ravel())


class Terminal:
    """A real one, as stderr; `text` is what it has been sent."""

    def __init__(self, monkeypatch, columns=100):
        self._reader, writer = pty.openpty()
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.stream = os.fdopen(writer, "w")
        monkeypatch.setattr(sys, "stderr", self.stream)

    def text(self):
        self.stream.close()
        parts = []
        try:
            while part := os.read(self._reader, 65536):
                parts.append(part)
        except OSError:  # Linux's end of a terminal
            pass
        os.close(self._reader)
        return b"".join(parts).decode()


@pytest.fixture(params=["tqdm", "plain"])
def terminal(request, monkeypatch):
    """Called within a test, since pytest has an stderr of its own for each of its phases."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "tqdm.std", None)
    else:
        pytest.importorskip("tqdm")
    return lambda: Terminal(monkeypatch)


@pytest.fixture
def quiet_numbers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of searches that few steps end
        yield


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.usefixtures("quiet_numbers")
def test_a_terminal_has_one_line_and_the_numbers_are_those_of_silence(call, terminal, capsys):
    expected, screen = CALLS[call](0), terminal()
    got = CALLS[call](1)
    text = screen.text()
    assert np.array_equal(got, expected)
    assert "\r" in text
    assert text.endswith("\n")
    assert text.replace("\r\n", "\n").count("\n") == 1
    assert call.removeprefix("fit ").removeprefix("fit_") in text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.usefixtures("quiet_numbers")
def test_elsewhere_there_are_lines_without_returns(call, capsys):
    CALLS[call](1)
    out, err = capsys.readouterr()
    assert out.count("\n") >= 2
    assert "\r" not in out + err
    assert err == ""


STARTS = {  # what goes on, and how many lines that are
    "lbfgs": ("lbfgs 3/3", 3, {}),
    "adam": ("adam 3/3", 3, {"early_stopping": True}),
    "lm": ("many", 2, {"alpha": 0.01}),
    "evidence": ("evidence", 3, {"alpha": "evidence"}),
}


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.usefixtures("quiet_numbers")
def test_starts_of_estimators_have_a_line_each(name, terminal, capsys):
    (what, lines, options), solver = STARTS[name], "lm" if name == "evidence" else name
    expected, screen = estimated(0, solver, n_init=3, **options), terminal()
    model = estimated(True, solver, n_init=3, **options)
    text = screen.text()
    assert np.array_equal(model.network_.params, expected.network_.params)
    assert what in text
    assert text.replace("\r\n", "\n").count("\n") == lines
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("quiet_numbers")
def test_starts_of_estimators_have_lines_elsewhere(capsys):
    model = estimated(np.True_, n_init=2)
    out = capsys.readouterr().out.splitlines()
    assert len(out) > model.n_iter_
    assert out[0].startswith("Iteration 1, loss = ")
    with pytest.raises(ValueError, match="verbose: expected an integer >= 0, got -1"):
        estimated(-1)


@pytest.mark.usefixtures("quiet_numbers")
def test_an_interrupt_leaves_the_terminal_a_line_of_its_own(terminal):
    def interrupt(state):
        if state.nit == 3:
            raise KeyboardInterrupt

    screen = terminal()
    with pytest.raises(KeyboardInterrupt):
        fitted("lm", 1, callback=interrupt)
    assert screen.text().endswith("\n")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


class Broken(io.StringIO):
    """A terminal that has gone away."""

    def isatty(self):
        return True

    def write(self, text):
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [lambda: None, closed, Broken, io.StringIO])
@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("tqdm", [True, False])
def test_streams_of_all_kinds_end_no_training(stream, verbose, tqdm, monkeypatch):
    if not tqdm:
        monkeypatch.setitem(sys.modules, "tqdm.std", None)
    expected = fitted("lm")
    monkeypatch.setattr(sys, "stderr", stream())
    assert np.array_equal(fitted("lm", verbose), expected)
    monkeypatch.setattr(sys, "stdout", stream())
    assert np.array_equal(fitted("lm", verbose), expected)


@pytest.mark.parametrize(("columns", "width"), [(40, 40), (100, 100), (0, _progress.WIDTH)])
def test_a_long_text_stays_within_the_terminal(columns, width, monkeypatch):
    if columns:
        monkeypatch.setitem(sys.modules, "tqdm.std", None)
    terminal = Terminal(monkeypatch, columns)
    progress = _progress.Progress("lm", 1, 10)
    progress.tell(1, lambda: "x" * 1000)
    progress.tell(2, lambda: "short")
    progress.close()
    lines = terminal.text().replace("\n", "\r").split("\r")
    assert max(map(len, lines)) == width - 1
    assert any("short" in line for line in lines)


def test_a_call_that_refuses_its_arguments_shows_nothing(terminal):
    screen = terminal()
    with pytest.raises(ValueError, match=r"^groups: expected"):
        fastmlp.fit_evidence(net(), X, T, groups="none", verbose=1)
    with pytest.raises(ValueError, match=r"^params: expected"):
        fastmlp.Network([1, 1], init=1e300).fit(X, 1e300 * T, "lm", verbose=1)
    assert screen.text() == ""


def test_nothing_is_said_or_loaded_unasked(monkeypatch, capsys):
    monkeypatch.setattr(_progress, "_line", lambda *_: pytest.fail("it was asked for"))
    screen = Terminal(monkeypatch)
    fitted("lm")
    fitted("adam")
    assert screen.text() == capsys.readouterr().out == ""
