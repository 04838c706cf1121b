"""Pictures: what they show is looked up in matplotlib's objects."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.optimize import OptimizeResult

import fastmlp
from fastmlp import plot

X = np.linspace(-1, 1, 40)[:, None]


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def result():
    net = fastmlp.Network([1, 4, 1], rng=0)
    return net.fit(X, np.sin(3 * X), "adam", max_iter=30, validation=(X[::2], np.sin(3 * X[::2])), rng=0)


def history(training, validation):
    return OptimizeResult(history={"train_loss": np.array(training), "validation_loss": np.array(validation)})


def test_learning_curves_show_both_losses_of_every_iteration(ax, result):
    assert plot.learning_curves(result, ax) is ax
    lines = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_array_equal(lines["training"].get_ydata(), result.history["train_loss"])
    np.testing.assert_array_equal(lines["validation"].get_ydata(), result.history["validation_loss"])
    np.testing.assert_array_equal(lines["training"].get_xdata(), np.arange(31))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]


def test_a_dot_marks_the_smallest_validation_loss(ax):
    plot.learning_curves(history([3.0, 2.0, 1.0, 0.5], [3.0, 0.25, 0.75, 1.0]), ax)
    assert [text.get_text() for text in ax.texts] == ["0.25 at 1"]
    assert [tuple(line.get_xydata()[0]) for line in ax.get_lines() if line.get_marker() == "o"] == [(1.0, 0.25)]


def test_a_training_without_validation_shows_one_curve(ax):
    net = fastmlp.Network([1, 4, 1], rng=0)
    plot.learning_curves(net.fit(X, X**2, max_iter=10), ax)
    assert [line.get_label() for line in ax.get_lines()] == ["training"]


@pytest.mark.parametrize(("losses", "scale"), [([2.0, 1.0], "log"), ([2.0, 0.0], "linear"), ([2.0, -1.0], "linear")])
def test_the_scale_is_logarithmic_for_positive_losses_only(ax, losses, scale):
    plot.learning_curves(history(losses, [np.nan, np.nan]), ax)
    assert ax.get_yscale() == scale


def test_learning_curves_ask_for_the_result_of_a_fit(ax):
    with pytest.raises(TypeError, match=r"result: expected what Network\.fit returns, got ndarray"):
        plot.learning_curves(X, ax)


def test_the_confusion_matrix_counts_each_pair_of_classes(ax):
    assert plot.confusion_matrix([0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 2, 0], ax) is ax
    shown = {text.get_position(): text.get_text() for text in ax.texts}  # (column, row)
    assert shown == {(0, 0): "2", (1, 0): "1", (1, 1): "1", (2, 2): "1", (0, 2): "1"}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_the_share_of_each_class_that_is_recognised_stands_at_the_right(ax):
    plot.confusion_matrix([0, 0, 0, 0, 1], [0, 0, 0, 1, 1], ax, names=["cat", "dog", "eel"])
    assert [label.get_text() for label in ax.child_axes[0].get_yticklabels()] == ["75 %", "100 %", ""]


def test_right_answers_are_blue_and_mistakes_orange(ax):
    plot.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], ax)
    red, _, blue, _ = np.moveaxis(np.asarray(ax.images[0].get_array()), -1, 0)
    assert (np.diag(blue) > np.diag(red)).all()
    assert red[0, 1] > blue[0, 1]
    assert red[1, 0] == blue[1, 0]  # no such mistake: grey


def test_names_of_classes_are_shown_also_for_classes_that_do_not_occur(ax):
    plot.confusion_matrix([0, 1], [1, 1], ax, names=["cat", "dog", "eel"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog", "eel"]
    assert ax.images[0].get_array().shape[:2] == (3, 3)


@pytest.mark.parametrize(
    ("labels", "predicted", "names", "message"),
    [
        ([0, 1], [0], None, "predicted: expected 2 classes, as many as labels, got 1"),
        ([0.5, 1], [0, 1], None, "labels: expected integers in one dimension, got float64"),
        ([0, 1], [[0, 1]], None, r"predicted: expected integers in one dimension, got int64 of shape \(1, 2\)"),
        ([], [], None, "labels: expected integers in one dimension"),
        ([0, -1], [0, 1], None, "labels: expected classes >= 0, got -1"),
        ([0, 2], [0, 1], ["a", "b"], "names: expected a name for each of 3 classes, got 2"),
    ],
)
def test_wrong_labels_are_refused_by_name(ax, labels, predicted, names, message):
    with pytest.raises(ValueError, match=message):
        plot.confusion_matrix(labels, predicted, ax, names=names)


def test_without_axes_a_figure_is_made_and_without_matplotlib_the_error_says_what_to_install(tmp_path):
    code = (
        "import fastmlp, matplotlib; matplotlib.use('agg')\n"
        "from fastmlp import plot\n"
        "assert plot.confusion_matrix([0, 1], [0, 1]).figure is not None\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not there')")
    code = "from fastmlp import plot\nplot.confusion_matrix([0, 1], [0, 1])"
    failed = subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert "ImportError: fastmlp.plot needs matplotlib: pip install matplotlib" in failed.stderr


def test_importing_the_library_or_its_plots_does_not_import_matplotlib():
    code = "import sys, fastmlp, fastmlp.plot; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
