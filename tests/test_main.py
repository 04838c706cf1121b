"""`python -m fastmlp` as a user runs it: in a process and a folder of its own. And the examples of README.md."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

import fastmlp
from fastmlp import datasets, demo, selftest
from fastmlp.__main__ import main
from fastmlp.model import activations, functional, losses

README = Path(__file__).parent.parent / "README.md"


def python_m_fastmlp(folder, *arguments):
    command = [sys.executable, "-m", "fastmlp", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


# ---- the demo ----


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, python_m_fastmlp(folder, "demo", "--output", "new/pictures")


def number_after(text, printed):
    return float(re.search(re.escape(text) + r"\s*([0-9.e+-]*[0-9])", printed)[1])


def test_the_demo_reads_more_than_97_percent_of_digits_it_was_not_trained_on(demonstration):
    _, process = demonstration
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    accuracy = number_after("->", process.stdout)
    assert 97 < accuracy < 100
    assert "of the 599 digits it was not trained on are read correctly" in process.stdout


def test_the_demo_predicts_yachts_far_better_than_their_mean_does(demonstration):
    _, process = demonstration
    error = number_after("root mean square error", process.stdout)
    assert 0 < error < 0.1 * number_after("standard deviation", process.stdout)


def test_the_demo_shows_progress_times_and_the_ratio_to_numpy_at_the_same_loss(demonstration):
    _, process = demonstration
    assert re.search(r"^adam   100  loss .* train .* validation ", process.stdout, re.MULTILINE)
    assert re.search(r"^lbfgs .* gradient ", process.stdout, re.MULTILINE)
    assert "both end with the same mean loss" in process.stdout
    ratio = number_after("fastmlp to NumPy:", process.stdout)
    assert number_after("that is", process.stdout) == pytest.approx(1 / ratio, rel=0.1)
    assert number_after("All done in", process.stdout) > 0


@pytest.mark.parametrize("name", ["demo_learning_curve.png", "demo_confusion.png"])
def test_the_demo_draws_pictures_and_says_where(demonstration, name):
    folder, process = demonstration
    path = Path("new/pictures", name)
    assert f"wrote {path}" in process.stdout
    assert (folder / path).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    pixels = image.imread(folder / path)
    assert min(pixels.shape[:2]) > 500
    assert pixels[..., :3].std() > 0.05  # of numbers from 0 to 1
    assert len(np.unique(pixels[..., 0])) > 30


def test_without_matplotlib_the_demo_says_what_to_install_and_does_the_rest(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not there')")
    process = python_m_fastmlp(tmp_path, "demo")
    assert process.returncode == 0, process.stderr
    assert "pip install matplotlib" in process.stdout
    assert "All done" in process.stdout
    assert not list(tmp_path.glob("*.png"))


def test_no_plots_means_no_pictures_and_no_folder_for_them(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "EPOCHS", 2)
    assert main(["demo", "--no-plots", "--output", str(tmp_path / "pictures")]) == 0
    assert not list(tmp_path.iterdir())


def test_the_digits_are_cut_so_that_a_third_of_each_is_held_back():
    labels = datasets.load_digits().T
    train, test = demo.hold_back_a_third(labels, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(1797))
    np.testing.assert_array_equal(np.bincount(labels[test]), np.round(np.bincount(labels) / 3))


def test_the_results_of_the_demo_are_not_luck_and_nothing_prints_unasked(capsys):
    seeds = (2, 3)
    assert np.mean([demo.read_digits(seed, verbose=0).accuracy for seed in seeds]) > 0.97
    for rmse, sd in (demo.predict_resistance(seed, verbose=0) for seed in seeds):
        assert rmse < 0.1 * sd
    assert capsys.readouterr().out == ""


def test_the_comparison_refuses_a_numpy_job_that_ends_elsewhere(monkeypatch):
    monkeypatch.setattr(demo, "EPOCHS", 2)
    digits = demo.read_digits(verbose=0)
    honest = demo.train_in_numpy
    monkeypatch.setattr(demo, "train_in_numpy", lambda *arguments: honest(*arguments) * 1.0001)
    with pytest.raises(RuntimeError, match="the two trainings differ"):
        demo.compare_with_numpy(digits)


# ---- the self-test ----


def test_the_selftest_passes_and_names_every_activation_and_loss(tmp_path):
    process = python_m_fastmlp(tmp_path, "--selftest")
    assert process.returncode == 0, process.stdout + process.stderr
    for name in activations.HIDDEN:
        assert f"hidden {name} " in process.stdout
    for name in activations.OUTPUT:
        assert f"output {name}, {losses.for_output(None, activations.Activation(name))} " in process.stdout
    assert "FAILED" not in process.stdout
    assert re.search(r"all \d+ checks passed$", process.stdout)


def wrong_gradient(monkeypatch):
    honest = functional.loss_and_grad

    def loss_and_grad(*arguments):
        value, gradient = honest(*arguments)
        gradient[-1] *= 1.001
        return value, gradient

    monkeypatch.setattr(functional, "loss_and_grad", loss_and_grad)


def gradient_of_nan(monkeypatch):
    honest = functional.loss_and_grad
    monkeypatch.setattr(functional, "loss_and_grad", lambda *a: (honest(*a)[0], np.nan * honest(*a)[1]))


def wrong_loss(monkeypatch):
    honest = functional.loss_and_grad
    monkeypatch.setattr(functional, "loss_and_grad", lambda *a: (1.001 * honest(*a)[0], honest(*a)[1]))


def wrong_outputs(monkeypatch):
    honest = fastmlp.Network.__call__
    monkeypatch.setattr(fastmlp.Network, "__call__", lambda *a: 1.001 * honest(*a))


def file_of_another_network(monkeypatch):
    monkeypatch.setattr(fastmlp, "load", lambda path: fastmlp.Network([4, 5, 3]))


def threads_that_matter(monkeypatch):
    honest = functional.predict
    monkeypatch.setattr(functional, "predict", lambda *a: honest(*a) * (1 + 1e-6 * (a[-1] == 3)))


@pytest.mark.parametrize(
    "fault",
    [wrong_gradient, gradient_of_nan, wrong_loss, wrong_outputs, file_of_another_network, threads_that_matter],
)
def test_the_selftest_finds_a_seeded_fault(fault, monkeypatch, capsys):
    fault(monkeypatch)
    assert not selftest.run()
    printed = capsys.readouterr().out
    assert " FAILED\n" in printed
    assert re.search(r"\d+ of \d+ checks FAILED", printed)


def test_a_failed_selftest_ends_with_status_1(monkeypatch):
    monkeypatch.setattr(selftest, "run", lambda: False)
    assert main(["--selftest"]) == 1


# ---- the rest of the command line ----


def test_version_and_config_say_what_runs_here(tmp_path):
    version = python_m_fastmlp(tmp_path, "--version")
    assert (version.returncode, version.stdout) == (0, f"fastmlp {fastmlp.__version__}\n")
    config = python_m_fastmlp(tmp_path, "--config")
    assert config.returncode == 0
    assert re.search(r"^instruction set +\w+$", config.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected one of fit, predict, show, export, demo, --selftest, --config, --version"),
        (
            ["--config", "--selftest"],
            "expected one of fit, predict, show, export, demo, --selftest, --config, --version",
        ),
        (["--config", "demo"], "expected one of fit, predict, show, export, demo, --selftest, --config, --version"),
        (["train"], "invalid choice: 'train'"),
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["demo", "--bogus"], "unrecognized arguments: --bogus"),
        (["demo", "--output"], "argument --output: expected one argument"),
        (["demo", "--output", "file/folder"], "argument --output: expected a folder"),
    ],
)
def test_a_wrong_command_line_ends_with_status_2_and_says_why(arguments, message, tmp_path):
    (tmp_path / "file").touch()
    process = python_m_fastmlp(tmp_path, *arguments)
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout == ""


# ---- README.md ----


def test_the_examples_of_the_readme_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert tried > 0
    assert failed == 0


# ---- export ----


@pytest.fixture
def saved(tmp_path):
    net = fastmlp.Network([2, 3, 1], rng=0)
    net.save(tmp_path / "a.fastmlp")
    return net, tmp_path


def test_what_is_exported_is_what_functions_write(saved, capsys):
    net, folder = saved
    model, place = str(folder / "a.fastmlp"), folder / "out"
    for given, text in (
        (["--to", "c", "--dtype", "float32", "--jacobian", "--layout", "rows", "--name", "a"],
         fastmlp.to_c(net, dtype="float32", jacobian=True, layout="rows", name="a")),
        (["--to", "fortran", "--jacobian"], fastmlp.to_fortran(net, jacobian=True)),
        (["--to", "sql", "--inputs", "dose,age"], fastmlp.to_formula(net, "sql", inputs=["dose", "age"])),
        *((["--to", each], fastmlp.to_formula(net, each)) for each in ("python", "javascript", "matlab", "excel")),
    ):  # fmt: skip
        assert main(["export", model, *given]) == 0
        assert capsys.readouterr().out.rstrip("\n") == text.rstrip("\n")
        assert main(["export", model, *given, "-o", str(place)]) == 0
        assert capsys.readouterr().out == ""
        assert place.read_text() == text


def test_onnx_is_written_to_a_file(saved):
    net, folder = saved
    assert main(["export", str(folder / "a.fastmlp"), "--to", "onnx", "-o", str(folder / "a.onnx")]) == 0
    assert (folder / "a.onnx").read_bytes() == fastmlp.to_onnx(net).SerializeToString()


def test_pmml_is_printed_or_written(saved, capsys):
    net, folder = saved
    given = ["export", str(folder / "a.fastmlp"), "--to", "pmml", "--inputs", "dose,age"]
    text = fastmlp.to_pmml(net, inputs=["dose", "age"])
    assert main(given) == 0
    assert capsys.readouterr().out == text
    assert main([*given, "-o", str(folder / "a.pmml")]) == 0
    assert (folder / "a.pmml").read_text(encoding="utf-8") == text


def test_of_a_posterior_others_get_the_network(tmp_path, capsys):
    X = np.linspace(0, 1, 20)[:, None]
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1], rng=0), X, X + 0.1 * np.sin(20 * X))
    posterior.save(tmp_path / "p")
    assert main(["export", str(tmp_path / "p"), "--to", "pmml"]) == 0
    assert capsys.readouterr().out == fastmlp.to_pmml(posterior.network)
    assert main(["export", str(tmp_path / "p"), "--to", "onnx", "-o", str(tmp_path / "p.onnx")]) == 0
    assert fastmlp.from_onnx(tmp_path / "p.onnx") == posterior.network


def test_a_posterior_is_exported_in_a_process_of_its_own(tmp_path):
    X = np.linspace(0, 1, 20)[:, None]
    net = fastmlp.Network([1, 1], rng=0)
    net.fit(X, X + 0.1 * np.sin(20 * X), penalty=fastmlp.WeightDecay(0.1))
    posterior = fastmlp.Laplace(net, X, X + 0.1 * np.sin(20 * X), penalty=fastmlp.WeightDecay(0.1))
    posterior.save(tmp_path / "p")
    process = python_m_fastmlp(tmp_path, "export", "p", "--to", "c", "--std", "--name", "line", "-o", "line.h")
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert (tmp_path / "line.c").read_text() == fastmlp.to_c(posterior, std=True, name="line")
    assert "line_std" in (tmp_path / "line.h").read_text()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["a.fastmlp"], "the following arguments are required: --to"),
        (["a.fastmlp", "--to", "cobol"], "argument --to: invalid choice: 'cobol'"),
        (["nowhere", "--to", "c"], "nowhere"),
        (["damaged", "--to", "c"], "path: expected a saved network or posterior"),
        (["a.fastmlp", "--to", "c", "--std"], "std: expected False for a network without a posterior"),
        (["a.fastmlp", "--to", "c", "--dtype", "float16"], "dtype: expected"),
        (["a.fastmlp", "--to", "c", "--max-bytes", "3"], "max_bytes: expected at least 104"),
        (["a.fastmlp", "--to", "c", "-o", "no/folder/a.c"], "no/folder"),
        (
            ["a.fastmlp", "--to", "c", "-o", "a.fastmlp"],
            "argument --output: expected another file than that of the model",
        ),
        (["a.fastmlp", "--to", "c", "-o", "folder.h"], "path: expected the name of a file"),
        (["a.fastmlp", "--to", "sql", "--jacobian"], "argument --jacobian: expected none for --to sql, which lacks it"),
        (["a.fastmlp", "--to", "onnx"], "argument --output: expected a file for --to onnx"),
        (["a.fastmlp", "--to", "python", "--inputs", "a"], "inputs: expected 2 names, got ['a']"),
    ],
)
def test_what_cannot_be_exported(saved, monkeypatch, capsys, given, words):
    monkeypatch.chdir(saved[1])
    Path("damaged").write_bytes(b"PK" + bytes(100))
    Path("folder.c").mkdir()
    before = {each: each.read_bytes() for each in Path().iterdir() if each.is_file()}
    with pytest.raises(SystemExit) as stopped:
        main(["export", *given])
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert "usage: python -m fastmlp export" in printed.err
    assert {each: each.read_bytes() for each in Path().iterdir() if each.is_file()} == before
