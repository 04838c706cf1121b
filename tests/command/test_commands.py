"""`fastmlp fit`, `predict`, `show` and `export` of tables, as users type them."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import fastmlp
from fastmlp.command.parser import main
from test_progress import Terminal

FIT = ["fit", "data.csv", "--target", "y", "--size", "3", "--quiet"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.uniform(-2, 2, 80).round(3), "colour": rng.choice(["red", "blue"], 80)})
    frame["y"] = (np.sin(2 * frame.x) + (frame.colour == "red") + 0.1 * rng.normal(size=80)).round(4)
    frame.to_csv("data.csv", index=False)
    return tmp_path


def test_from_a_table_to_predictions(folder, capsys):
    assert main([*FIT, "--report", "page.html"]) == 0
    printed = capsys.readouterr()
    assert "wrote data.fastmlp and page.html" in printed.out
    assert "straight line" in printed.out
    assert "90 % intervals" in printed.out
    assert printed.err == ""  # no progress where nobody looks
    assert "<svg" in (folder / "page.html").read_text()

    new = pd.read_csv("data.csv").rename(columns={"y": "remark"})[["remark", "colour", "x"]]
    new.to_csv("new.csv", index=False)
    assert main(["predict", "data.fastmlp", "new.csv", "-o", "out.csv", "--interval", "0.95"]) == 0
    out = pd.read_csv("out.csv")
    assert list(out.columns) == ["remark", "colour", "x", "predicted y", "predicted y low", "predicted y high"]
    pd.testing.assert_frame_equal(out[["remark", "colour", "x"]], new)
    assert out["remark"].between(out["predicted y low"], out["predicted y high"]).mean() > 0.8
    assert np.corrcoef(out["remark"], out["predicted y"])[0, 1] > 0.95
    assert main(["predict", "data.fastmlp", "data.csv"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("x,colour,y,predicted y\n")
    assert printed.count("\n") == 81

    assert main(["show", "data.fastmlp"]) == 0
    printed = capsys.readouterr().out
    assert "'y' of data.csv: 80 rows, 16 of them kept back, seed 0; size by evidence" in printed
    assert "blue, red" in printed
    assert "2-3-1" in printed

    model = fastmlp.load("data.fastmlp")
    assert main(["export", "data.fastmlp", "--to", "python", "--inputs", "x,is_red"]) == 0
    assert (
        capsys.readouterr().out.rstrip()
        == fastmlp.to_formula(model.posterior, "python", inputs=["x", "is_red"]).rstrip()
    )


def test_classes_have_probabilities_and_no_intervals(folder, capsys):
    assert main(["fit", "data.csv", "--target", "colour", "--size", "2", "-o", "m", "--quiet"]) == 0
    assert main(["predict", "m", "data.csv", "-o", "out.csv"]) == 0
    out = pd.read_csv("out.csv")
    assert list(out.columns)[3:] == ["predicted colour", "predicted P(blue)", "predicted P(red)"]
    assert set(out["predicted colour"]) <= {"blue", "red"}
    capsys.readouterr()
    assert main(["predict", "m", "data.csv", "--interval", "0.9"]) == 2
    assert "argument --interval: expected none for a model of classes" in capsys.readouterr().err


def test_the_same_seed_writes_the_same_bytes_in_processes_of_their_own(folder):
    for name in ("a", "b"):
        command = [sys.executable, "-m", "fastmlp", *FIT, "-o", name, "--report", f"{name}.html"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()
    assert (folder / "a.html").read_bytes() == (folder / "b.html").read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="x"), "new.csv: expected a column 'x', got 'colour', 'y'"),
        (lambda f: f.rename(columns={"x": "X"}), "expected a column 'x', got 'X', 'colour', 'y', did you mean 'X'?"),
        (
            lambda f: f.assign(colour=["pink", *f.colour[1:]]),
            "row 2 (the header is row 1), column 'colour': expected one of ",
        ),
        (
            lambda f: f.assign(x=[np.nan, *f.x[1:]]),
            "row 2 (the header is row 1), column 'x': expected a number, got a missi",
        ),
        (
            lambda f: f.assign(x=["a", *f.x[1:]]),
            "row 2 (the header is row 1), column 'x': expected a number, as most entri",
        ),
        (
            lambda f: f.assign(x="a"),
            "row 2 (the header is row 1), column 'x': expected a number, as in training, got 'a'",
        ),
        (lambda f: f[:0], "new.csv: expected rows below the header, got none"),
    ],
)
def test_tables_that_a_model_cannot_predict(folder, capsys, change, words):
    if not hasattr(test_tables_that_a_model_cannot_predict, "model"):
        assert main([*FIT, "-o", "m"]) == 0
        test_tables_that_a_model_cannot_predict.model = (folder / "m").read_bytes()
    (folder / "m").write_bytes(test_tables_that_a_model_cannot_predict.model)
    change(pd.read_csv("data.csv")).to_csv("new.csv", index=False)
    capsys.readouterr()
    assert main(["predict", "m", "new.csv", "-o", "out.csv"]) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert not (folder / "out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["predict", "data.csv", "data.csv"],
            "fastmlp predict: error: data.csv: expected a saved network or posterior",
        ),
        (["predict", "nowhere", "data.csv"], "nowhere: expected a file that can be read, got none"),
        (["predict", "net", "data.csv"], "net: expected a model of a table, as fastmlp fit writes"),
        (["predict", "net", "data.csv", "-o", "data.csv"], "argument --output: expected another file than data.csv"),
        (["predict", "net", "data.csv", "-o", "net"], "error: argument --output: expected another file than net"),
        (["predict", "net", "data.csv", "-o", "-"], "argument --output: expected the name of a file, got -, which"),
        (["show", "data.csv"], "fastmlp show: error: data.csv: expected a saved network or posterior"),
    ],
)
def test_files_that_are_no_models(folder, capsys, arguments, words):
    fastmlp.Network([1, 1], rng=0).save("net")
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert main(["show", "net"]) == 0
    assert "1 x 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size", "0"],
        ["--size", "a"],
        ["--size", "8,"],
        ["--keep-back", "0.7"],
        ["--keep-back", "20%"],
        ["--seed", "-1"],
        ["--seed", "1.5"],
        ["--seconds", "0"],
        ["--seconds", "nan"],
    ],
)
def test_numbers_that_are_out_of_range(folder, capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main([*FIT, *arguments])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {arguments[0]}: expected " in said
    assert f", got {arguments[1]!r}" in said


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_who_is_killed_leaves_the_old_model_whole(folder, sent):
    (folder / "m").write_bytes(b"old")
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); " \
        "from fastmlp.tables import fitting; from fastmlp.command.parser import main; " \
        "own = fitting.SEARCHES['evidence']; " \
        "fitting.SEARCHES['evidence'] = lambda problem: (print('ready', flush=True), own(problem))[1]; " \
        "sys.exit(main(sys.argv[1:]))"  # fmt: skip
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(2000, 11)), columns=[*"abcdefghij", "y"]).to_csv("data.csv", index=False)
    command = [sys.executable, "-c", code, "fit", "data.csv", "--target", "y", "-o", "m"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL), said
    assert (folder / "m").read_bytes() == b"old"
    assert sorted(each.name for each in folder.iterdir()) == ["data.csv", "m"]


# ---- progress ----


def test_progress_is_one_line_that_updates(folder, monkeypatch):
    terminal = Terminal(monkeypatch)
    main(FIT[:-1])
    text = terminal.text()
    assert "time" in text
    assert ", log evidence " in text
    assert text.count("\n") == 1


def test_no_progress_where_it_is_not_wanted(folder, monkeypatch):
    terminal = Terminal(monkeypatch)
    main(FIT)
    assert terminal.text() == ""
