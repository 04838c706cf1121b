"""Pictures of training and of what came of it. matplotlib is imported by the functions only.

Each takes the axes to draw into (`ax`, None: a new figure) and returns them, so that pictures combine with any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check

__all__ = ["confusion_matrix", "learning_curves", "sensitivity", "sweep"]

BLUE, ORANGE, GREY = "#2a6f97", "#d1661f", "#5f6b76"
PENALTIES = (BLUE, "#7a9e3b", "#8c5a9e", "#b08a2e", GREY)


def learning_curves(result: Any, ax: Any = None) -> Any:
    """Training and validation loss, a mean over samples, against the iteration.

    Parameters
    ----------
    result : OptimizeResult
        What `Network.fit` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        The loss is on a logarithmic scale if it is positive throughout. A dot marks the smallest validation loss.

    Raises
    ------
    TypeError
        If `result` has no history.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> result = fastmlp.Network([1, 3, 1], rng=0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0], max_iter=20)
    >>> plot.learning_curves(result).get_xlabel()
    'iteration'
    """
    history = getattr(result, "history", None)
    if not isinstance(history, dict) or "train_loss" not in history:
        raise TypeError(f"result: expected what Network.fit returns, got {type(result).__name__}")
    ax = _axes(ax)
    training, validation = history["train_loss"], history["validation_loss"]
    iterations = np.arange(len(training))
    ax.plot(iterations, training, color=BLUE, label="training")
    if np.isfinite(validation).any():
        best = int(np.nanargmin(validation))
        ax.plot(iterations, validation, color=ORANGE, label="validation")
        ax.plot(best, validation[best], "o", color=ORANGE, markersize=5)
        ax.annotate(
            f"{validation[best]:.3g} at {best}", (best, validation[best]), (0, 8), textcoords="offset points",
            ha="right" if 2 * best > len(training) else "left", color=ORANGE,
        )  # fmt: skip
    shown = np.concatenate([training, validation])
    if (shown[np.isfinite(shown)] > 0).all():
        ax.set_yscale("log")
    ax.set_xlim(0, max(1, len(training) - 1))
    ax.set(xlabel="iteration", ylabel="mean loss of a sample")
    ax.legend(frameon=False)
    _lighten(ax, "top", "right")
    ax.grid(axis="y", color=GREY, alpha=0.2, linewidth=0.6)
    return ax


def confusion_matrix(labels: Any, predicted: Any, ax: Any = None, *, names: Sequence[str] | None = None) -> Any:
    """How many samples of each class were taken for which: one row a class, one column a prediction.

    Parameters
    ----------
    labels, predicted : array-like of int, shape (N,)
        True and predicted classes, counted from 0.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    names : sequence of str, optional
        What the classes are called; their numbers by default.

    Returns
    -------
    matplotlib.axes.Axes
        Right answers are blue, the darker the larger their share of the class, which stands at the right of the row.
        Mistakes are orange, the darker the more frequent.

    Raises
    ------
    TypeError, ValueError
        If labels are not integers >= 0 of one length, or there are fewer names than classes.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import plot
    >>> ax = plot.confusion_matrix([0, 1, 1], [0, 1, 0], names=["cat", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '1']
    """
    truth, guess = _classes(labels, "labels"), _classes(predicted, "predicted")
    if len(truth) != len(guess):
        raise ValueError(f"predicted: expected {len(truth)} classes, as many as labels, got {len(guess)}")
    n_classes = int(max(truth.max(), guess.max())) + 1
    if names is None:
        names = [str(label) for label in range(n_classes)]
    if len(names) < n_classes:
        raise ValueError(f"names: expected a name for each of {n_classes} classes, got {len(names)}")
    n_classes = len(names)
    counts = np.bincount(truth * n_classes + guess, minlength=n_classes**2).reshape(n_classes, n_classes)
    return _draw_counts(_axes(ax), counts, names)


def _draw_counts(ax: Any, counts: NDArray[np.intp], names: Sequence[str]) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    n_classes, diagonal, sizes = len(counts), np.diag(counts), counts.sum(axis=1)
    share = diagonal / np.maximum(sizes, 1)
    mistakes = counts - np.diag(diagonal)
    blues = LinearSegmentedColormap.from_list("right", ["#e3eef5", BLUE])
    oranges = LinearSegmentedColormap.from_list("wrong", ["#fbe3d0", ORANGE])
    colours = oranges(mistakes / max(1, mistakes.max()))
    colours[mistakes == 0] = (0.975, 0.975, 0.975, 1.0)
    colours[np.diag_indices(n_classes)] = blues(share)
    ax.imshow(colours, aspect="equal")
    for row, column in np.argwhere(counts):
        dark = share[row] > 0.5 if row == column else mistakes[row, column] > 0.7 * mistakes.max()
        ink = "white" if dark else "black"
        ax.text(column, row, str(counts[row, column]), ha="center", va="center_baseline", color=ink)
    ticks = np.arange(n_classes)
    ax.set_xticks(ticks, names)
    ax.set_yticks(ticks, names)
    ax.set(xlabel="predicted", ylabel="true")
    right = ax.secondary_yaxis("right")
    right.set_yticks(ticks, [f"{100 * part:.0f} %" if size else "" for part, size in zip(share, sizes, strict=True)])
    right.set_ylabel("share recognised")
    for axis in (ax, right):  # white lines between the cells, and nothing around them
        axis.tick_params(length=0)
        _lighten(axis, *axis.spines)
    ax.set_xticks(ticks[1:] - 0.5, minor=True)
    ax.set_yticks(ticks[1:] - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="minor", length=0)
    return ax


def sensitivity(result: Any, ax: Any = None, *, output: int | None = None, n_inputs: int = 20) -> Any:
    """Standardised root-mean-square derivatives of the outputs by each input as bars, the largest at the top.

    Parameters
    ----------
    result : Sensitivity
        What `fastmlp.sensitivity` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    output : int, optional
        Which output, counted from 0. None: the root mean square over all outputs too.
    n_inputs : int, default=20
        At most so many inputs are shown, those with the longest bars.

    Returns
    -------
    matplotlib.axes.Axes
        For a single output a dot marks the mean with its sign: at the end of the bar, or opposite to it, where the
        input always acts in one direction; near zero where it acts in both.

    Raises
    ------
    TypeError, ValueError
        If `result` is something else, there is no such output, or n_inputs < 1.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> result = fastmlp.sensitivity(fastmlp.Network([2, 3, 1], rng=0), [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> plot.sensitivity(result).get_xlabel()
    'dy1/dx · sd(x) / sd(y1)'
    """
    if not hasattr(result, "standardized"):
        raise TypeError(f"result: expected what fastmlp.sensitivity returns, got {type(result).__name__}")
    names = result.output_names
    n_inputs = check.integer(n_inputs, "n_inputs", 1)
    if output is not None and check.integer(output, "output", 0) >= len(names):
        raise ValueError(f"output: expected an index below {len(names)}, got {output}")
    if output is None and len(names) == 1:
        output = 0
    mean, _, spread = result.standardized
    length = np.sqrt((spread**2).mean(axis=0)) if output is None else spread[output]
    order = np.argsort(-np.nan_to_num(length), kind="stable")[:n_inputs]
    places = np.arange(len(order))
    ax = _axes(ax)
    ax.barh(places, length[order], color=BLUE, height=0.7, label="root mean square")
    if output is not None:
        ax.plot(mean[output, order], places, "o", color=ORANGE, markersize=5, label="mean", clip_on=False)
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.legend(frameon=False, loc="lower right")
    y = "y" if output is None else names[output]
    ax.set_xlabel(f"d{y}/dx · sd(x) / sd({y})" + (", root mean square over the outputs" if output is None else ""))
    ax.set_yticks(places, [result.input_names[i] for i in order])
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=GREY, alpha=0.2, linewidth=0.6)
    ax.set_axisbelow(True)
    _lighten(ax, "top", "right", "left")
    return ax


def sweep(result: Any, ax: Any = None) -> Any:
    """Validation loss of every run against the number of hidden units, as in PRML figure 5.10; the best one is ringed.

    Parameters
    ----------
    result : Sweep
        What `fastmlp.sweep` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        A dot for each run, a line through the smallest loss of each size, and one of each kind for each penalty, side
        by side. The loss is on a logarithmic scale if it is positive throughout.

    Raises
    ------
    TypeError
        If `result` is something else.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> result = fastmlp.sweep(X, [0.0, 1.0, 0.0, 1.0], (1, 2), n_starts=3, validation=(X, [0.0, 1.0, 0.0, 1.0]), rng=0)
    >>> plot.sweep(result).get_xlabel()
    'hidden units'
    """
    if not hasattr(result, "best_run"):
        raise TypeError(f"result: expected what fastmlp.sweep returns, got {type(result).__name__}")
    groups = result.groups()
    sizes = list(dict.fromkeys(group[0].size for group in groups))
    n_penalties = len(groups) // len(sizes)
    ax = _axes(ax)
    for number in range(n_penalties):
        own = groups[number::n_penalties]
        colour = PENALTIES[number % len(PENALTIES)]
        places = np.arange(len(sizes)) + 0.6 * ((number + 0.5) / n_penalties - 0.5)
        losses = [[run.validation_loss for run in group] for group in own]
        ax.plot(places, [np.nanmin(each) for each in losses], color=colour, linewidth=0.8, label=own[0][0].penalty_name)
        for place, each in zip(places, losses, strict=True):
            ax.plot([place] * len(each), each, "o", color=colour, markersize=4, alpha=0.5, markeredgewidth=0)
            if result.best_run.validation_loss in each:
                lowest = result.best_run.validation_loss
                ax.plot(place, lowest, "o", color=ORANGE, markersize=10, fillstyle="none", markeredgewidth=1.5)
                ax.annotate(
                    f"{lowest:.3g}", (place, lowest), (0, -16), textcoords="offset points", ha="center", color=ORANGE
                )
    if all(run.validation_loss > 0 for run in result.runs):
        ax.set_yscale("log")
    ax.set_xticks(range(len(sizes)), [_size_name(size) for size in sizes])
    ax.set(xlabel="hidden units", ylabel="validation loss of a sample")
    if n_penalties > 1:
        ax.legend(frameon=False, title="penalty")
    ax.margins(y=0.12)
    _lighten(ax, "top", "right")
    ax.grid(axis="y", color=GREY, alpha=0.2, linewidth=0.6)
    return ax


def _size_name(size: Any) -> str:
    return "-".join(map(str, size)) or "none" if isinstance(size, tuple) else str(size)


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("fastmlp.plot needs matplotlib: pip install matplotlib") from error
    return pyplot.subplots(layout="constrained")[1]


def _classes(values: Any, name: str) -> NDArray[np.intp]:
    array = check.real_array(values, name, None)
    if array.dtype.kind not in "iu" or array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name}: expected integers in one dimension, got {array.dtype} of shape {array.shape}")
    if array.min() < 0:
        raise ValueError(f"{name}: expected classes >= 0, got {array.min()}")
    return array.astype(np.intp)


def _lighten(ax: Any, *spines: str) -> None:
    for spine in spines:
        ax.spines[spine].set_visible(False)
