"""How a training went."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp._types import Axes
from fastmlp.plot._drawing import BLUE, ORANGE, axes_or_new, hide_spines, rule_behind


def learning_curves(result: Any, ax: Axes | None = None) -> Axes:
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
    ax = axes_or_new(ax)
    training, validation = history["train_loss"], history["validation_loss"]
    iterations = np.arange(len(training))
    ax.plot(iterations, training, color=BLUE, label="training")
    if np.isfinite(validation).any():
        best = int(np.nanargmin(validation))
        ax.plot(iterations, validation, color=ORANGE, label="validation")
        ax.plot(best, validation[best], "o", color=ORANGE, markersize=5)
        ax.axvline(best, color=ORANGE, linewidth=0.8, linestyle=":")
        late = 2 * best > len(training)  # then there is more room at the left
        ax.annotate(
            f"{validation[best]:.3g} at {best}", (best, 1), (-4 if late else 4, 0), xycoords=ax.get_xaxis_transform(),
            textcoords="offset points", ha="right" if late else "left", va="top", color=ORANGE,
        )  # fmt: skip
    shown = np.concatenate([training, validation])
    if (shown[np.isfinite(shown)] > 0).all():
        ax.set_yscale("log")
    ax.set_xlim(0, max(1, len(training) - 1))
    ax.set(xlabel="iteration", ylabel="mean loss of a sample")
    ax.legend(frameon=False)
    hide_spines(ax, "top", "right")
    rule_behind(ax, "y")
    return ax
