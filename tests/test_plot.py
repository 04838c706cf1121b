"""Pictures: what they show is looked up in matplotlib's objects."""

import math
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.optimize import OptimizeResult

import fastmlp
from fastmlp import plot
from fastmlp.invariance import RandomAffine, RandomShift, TimeWarp

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
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError('not there', name='matplotlib')")
    code = "from fastmlp import plot\nplot.confusion_matrix([0, 1], [0, 1])"
    failed = subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert "ImportError: fastmlp.plot needs matplotlib: pip install matplotlib" in failed.stderr


def test_importing_the_library_or_its_plots_does_not_import_matplotlib():
    code = "import sys, fastmlp, fastmlp.plot; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def line(x):
    return 2 * x + 1


def test_a_function_goes_a_little_beyond_the_data_which_are_circles(ax):
    assert plot.function(line, [0.0, 2.0, 1.0], [[1.0], [5.0], [4.0]], ax, label="twice") is ax
    curve, data = ax.get_lines()
    np.testing.assert_allclose(curve.get_xdata()[[0, -1]], [-0.1, 2.1])
    np.testing.assert_allclose(curve.get_ydata(), 2 * curve.get_xdata() + 1)
    np.testing.assert_array_equal(data.get_xydata(), [[0, 1], [2, 5], [1, 4]])
    assert (curve.get_label(), data.get_marker(), data.get_linestyle()) == ("twice", "o", "None")


def test_a_network_is_a_function(ax):
    net = fastmlp.Network([1, 4, 1], rng=0)
    (curve,) = plot.function(net, X, ax=ax).get_lines()
    np.testing.assert_array_equal(curve.get_ydata(), net(curve.get_xdata()[:, None])[:, 0])


@pytest.mark.parametrize("band", [0.25, lambda x: np.full(len(x), 0.25), lambda x: np.full_like(x, 0.25)])
def test_a_band_is_two_standard_deviations_wide_on_both_sides(ax, band):
    plot.function(line, X, ax=ax, band=band)
    x, y = ax.collections[0].get_paths()[0].vertices.T
    np.testing.assert_allclose(np.unique(np.round(np.abs(y - line(x)), 12)), 0.5)


@pytest.mark.parametrize(
    ("f", "X", "T", "message"),
    [
        (line, np.zeros((2, 1, 1)), None, r"X: expected shape \(N,\) or \(N, D\), got \(2, 1, 1\)"),
        (line, [[0.0, 1.0]], None, r"ax: expected axes for each output and input, of shape \(2, 2\), got 1"),
        (line, [], None, "X: expected at least one sample, got none"),
        (line, [0.0, 1.0], [1.0], r"T: expected shape \(2,\) or \(2, 1\), got \(1,\)"),
        (lambda x: x[:7], [0.0, 1.0], None, r"f: expected shape \(500,\) or \(500, K\), got \(7, 1\)"),
        (lambda x: np.hstack([x, x]), [0.0, 1.0], [1.0, 2.0], r"T: expected shape \(2, 2\), got \(2,\)"),
        (lambda x: x / 0 if x.any() else x, [0.0], None, "f: expected finite numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_wrong_functions_and_data_are_refused_by_name(ax, f, X, T, message):
    with pytest.raises(ValueError, match=message):
        plot.function(f, X, T, ax)


@pytest.mark.parametrize("label", [["a", "b"], iter("ab"), 5])
def test_a_label_that_is_no_text_is_refused_by_name(ax, label):
    with pytest.raises(TypeError, match="label: expected a str, got"):
        plot.function(line, [0.0, 1.0], ax=ax, label=label)


def plane(X):
    return np.column_stack([X[:, 0] * X[:, 1], X[:, 1] - 2 * X[:, 2]])


def test_of_several_inputs_there_is_a_slice_through_each_at_the_medians_of_the_others():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(31, 3)) * [1.0, 10.0, 100.0]
    noise = rng.normal(size=(31, 2))
    axes = plot.function(plane, inputs, plane(inputs) + noise, band=plane)
    assert axes.shape == (2, 3)
    medians = np.median(inputs, axis=0)
    for (k, i), ax in np.ndenumerate(axes):
        curve, data = ax.get_lines()
        there = np.tile(medians, (500, 1))
        there[:, i] = curve.get_xdata()
        np.testing.assert_allclose(curve.get_ydata(), plane(there)[:, k])
        seen = np.tile(medians, (31, 1))
        seen[:, i] = inputs[:, i]
        np.testing.assert_allclose(data.get_ydata(), plane(seen)[:, k] + noise[:, k], rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(data.get_xdata(), inputs[:, i])
        assert ax.get_xlabel() == (f"x{i + 1}" if k == 1 else "")
        assert ax.get_ylabel() == (f"y{k + 1}" if i == 0 else "")
        low, high = ax.collections[0].get_paths()[0].get_extents().intervaly
        assert high - low >= 4 * np.abs(plane(there)[:, k]).max() * (1 - 1e-9)
    again = plot.function(plane, inputs, ax=axes, color="k")
    assert [len(ax.get_lines()) for ax in axes.flat] == [3] * 6
    assert again.shape == (2, 3)
    assert plot.function(plane, inputs[:, :3])[0, 0] is not axes[0, 0]


@pytest.mark.parametrize("kind", ["regression", "average", "classes", "counts"])
def test_a_band_of_a_posterior_is_its_interval(kind):
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(60, 2))
    score = inputs[:, 0] - 0.5 * inputs[:, 1]
    output = {"classes": "logistic", "counts": "exp"}.get(kind, "identity")
    targets = {"classes": (score + rng.normal(size=60) > 0) * 1.0, "counts": rng.poisson(np.exp(score))}.get(
        kind, score + rng.normal(size=60)
    )
    several = {"n_starts": 2, "rng": 0, "combine": "average"} if kind == "average" else {}
    posterior = fastmlp.fit_evidence(fastmlp.Network([2, 1], output=output, rng=0), inputs, targets, **several)
    f = lambda X: posterior.predict(X, parts=True).mean  # noqa: E731
    axes = plot.function(f, inputs, targets, band=posterior)
    for i, ax in enumerate(axes):
        points = np.tile(np.median(inputs, axis=0), (500, 1))
        points[:, i] = ax.get_lines()[0].get_xdata()
        low, high = posterior.predict(points, interval=0.95)
        edges = ax.collections[0].get_paths()[0].get_extents().intervaly
        np.testing.assert_allclose(edges, [low.min(), high.max()])


def test_functions_are_a_line_each_from_pale_to_dark(ax):
    curves = np.random.default_rng(0).normal(size=(4, 40))
    assert plot.functions(X, curves[:, :, None], ax) is ax
    lines = ax.get_lines()
    np.testing.assert_array_equal([line.get_ydata() for line in lines], curves)
    darkness = [-sum(line.get_color()[:3]) for line in lines]
    assert darkness == sorted(darkness)
    with pytest.raises(ValueError, match=r"Y: expected shape \(n, 40\), a function in each row, got \(40, 4\)"):
        plot.functions(X, curves.T, ax)


def test_squares_of_a_hinton_diagram_have_the_weights_as_areas_and_their_signs_as_colours(ax):
    net = fastmlp.Network([2, 1, 1], rng=0)
    net.params = [1.0, -0.25, 0.0, 1.0, 1.0]
    assert plot.hinton(net, 0, ax) is ax
    (squares,) = ax.collections
    boxes = [path.get_extents() for path in squares.get_paths()]
    np.testing.assert_allclose([box.width * box.height / 0.92**2 for box in boxes], [1, 0.25, 0])
    np.testing.assert_allclose([(box.x0 + box.x1) / 2 for box in boxes], [0, 1, 2.5])
    (red, _, blue), (red_below, _, blue_below) = squares.get_facecolors()[:2, :3]
    assert blue > red
    assert red_below > blue_below
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "b"]


@pytest.mark.parametrize(
    ("layer", "labels"),
    [
        (0, ("input", "unit of hidden layer 1")),
        (1, ("unit of hidden layer 1", "unit of hidden layer 2")),
        (2, ("unit of hidden layer 2", "output")),
    ],
)
def test_a_hinton_diagram_names_what_a_layer_connects(ax, layer, labels):
    plot.hinton(fastmlp.Network([2, 3, 40, 1], rng=0), layer, ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == labels


def test_a_network_of_zeros_has_a_hinton_diagram_without_squares(ax):
    plot.hinton(fastmlp.Network([2, 3], init="zeros"), ax=ax)
    assert {path.get_extents().width for path in ax.collections[0].get_paths()} == {0.0}


def test_hinton_diagrams_ask_for_a_network_and_one_of_its_layers(ax):
    with pytest.raises(TypeError, match=r"net: expected a fastmlp\.Network, got ndarray"):
        plot.hinton(X, 0, ax)
    with pytest.raises(ValueError, match="layer: expected an index below 2, got 2"):
        plot.hinton(fastmlp.Network([1, 2, 1], rng=0), 2, ax)


def test_the_error_of_each_network_stands_over_its_evidence(ax):
    t = np.sin(3 * X[:, 0]) + 0.1 * np.cos(50 * X[:, 0])
    posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1, 1]), X, t, hidden=[1, 2], n_starts=3, rng=0)
    errors = [0.3, 0.4, 0.5, 0.1, 0.2, 0.6]
    plot.evidence(posterior.starts, errors, ax)
    small, large, ring = ax.lines
    evidence = [start.log_evidence for start in posterior.starts]
    assert np.array_equal(small.get_xydata(), np.column_stack([evidence, errors])[:3])
    assert np.array_equal(large.get_xydata(), np.column_stack([evidence, errors])[3:])
    assert ring.get_xdata()[0] == max(evidence)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["1", "2"]
    assert ax.get_yscale() == "log"
    with pytest.raises(ValueError, match=r"errors: expected one for each of 6 networks, got shape \(2,\)"):
        plot.evidence(posterior.starts, [0.1, 0.2])
    with pytest.raises(TypeError, match=r"starts: expected those of fastmlp.fit_evidence, got list"):
        plot.evidence([], [])


def test_relevances_are_a_bar_for_each_input_and_a_cross_for_the_pruned(ax):
    inputs = np.column_stack([X, np.random.default_rng(0).normal(size=40)])
    T = np.sin(3 * X[:, 0]) + 0.1 * np.random.default_rng(1).normal(size=40)
    posterior = fastmlp.fit_evidence(fastmlp.Network([2, 3, 1], rng=0), inputs, T, "ard")
    assert "W1[:,1]" in posterior.pruned
    plot.relevances(posterior, ax)
    lengths = [bar.get_width() for bar in ax.patches]
    assert lengths == [1 / math.sqrt(posterior.group_precisions["W1[:,0]"]), 0.0]
    assert ax.lines[0].get_xydata().tolist() == [[0, 1]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x1", "x2"]
    with pytest.raises(ValueError, match="names: expected one for each of 2 inputs, got 1"):
        plot.relevances(posterior, names=["a"])
    with pytest.raises(TypeError, match='groups="ard", got another'):
        plot.relevances(fastmlp.fit_evidence(fastmlp.Network([2, 1], rng=0), inputs, T))


def test_a_diagram_counts_inputs_as_tables_do(ax):
    net = fastmlp.Network([3, 2, 1], rng=0)
    net.weights[0][:, 1] = 0.0
    fastmlp.plot.diagram(net, ax=ax)
    assert [text.get_text() for text in ax.texts] == ["x1", "x3"]
    assert fastmlp.sensitivity(net, np.eye(3)).input_names == ("x1", "x2", "x3")


def test_changes_of_images_and_signals(ax):
    X = np.random.default_rng(0).uniform(size=(3, 8 * 8))
    change = RandomShift(2) + RandomAffine(rotation=10)
    assert plot.transformed(X, change, 0, n_draws=4, ax=ax) is ax
    (sheet,) = (image.get_array() for image in ax.get_images())
    assert sheet.shape == (3 * 9 - 1, 5 * 9 - 1)
    assert (sheet[9:17, :8] == X[1].reshape(8, 8)).all()
    generator = np.random.default_rng(0)
    draws = [change(X, generator) for _ in range(4)]
    assert (sheet[18:26, 27:35] == draws[2][2].reshape(8, 8)).all()
    assert ax.get_xlabel() == "as it is, and 4 draws"


def test_changes_are_drawn_in_their_own_shape(ax):
    X = np.random.default_rng(0).uniform(size=(2, 2 * 4 * 5))
    plot.transformed(X, RandomShift(1, shape=(2, 4, 5)), 0, n_draws=1, ax=ax)
    sheet = ax.get_images()[0].get_array()
    assert np.allclose(sheet[:4, :5], X[0].reshape(2, 4, 5).mean(axis=0))
    other = Figure().subplots()
    plot.transformed(X, lambda X, rng: X, 0, shape=(8, 5), ax=other)
    assert other.get_images()[0].get_array().shape == (17, 8 * 6 - 1)


def test_changes_of_signals_are_curves(ax):
    X = np.random.default_rng(0).normal(size=(3, 30))
    plot.transformed(X, TimeWarp(3, 4), 0, n_draws=5, ax=ax)
    assert len(ax.get_lines()) == 3 * 6
    offset = X[1] - ax.get_lines()[11].get_ydata()
    assert np.allclose(offset, offset[0])


@pytest.mark.parametrize(("X", "augment", "options", "name"), [
    (np.ones((2, 8)), RandomShift(1), {}, "shape"), (np.ones((0, 9)), RandomShift(1), {}, "X"),
    (np.ones((2, 9)), 3, {}, "augment"), (np.ones((2, 9)), RandomShift(1), {"n_draws": 0}, "n_draws"),
    (np.ones((2, 9)), lambda X, rng: X[0], {}, "augment"), (np.ones((2, 9)), RandomShift(1), {"rng": "a"}, "rng"),
])  # fmt: skip
def test_wrong_changes_are_refused(X, augment, options, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected"):
        plot.transformed(X, augment, **options)
