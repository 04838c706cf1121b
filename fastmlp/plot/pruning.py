"""What pruning has found."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp._types import Axes
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, axes_or_new, hide_spines, rule_behind


def pruning(result: Any, ax: Axes | None = None) -> Axes:
    """Objective, log evidence and validation loss against the weights that are left; the chosen step is marked.

    Parameters
    ----------
    result : PruningPath
        What `fastmlp.prune` returned.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        The mean training loss on its own scale, with the validation loss where there is one; the log evidence on a
        second one at the right. The path goes from the right, all weights, to the left, down to half of those chosen.

    Raises
    ------
    TypeError
        If `result` is something else.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    >>> net = fastmlp.Network([2, 3, 1], rng=0)
    >>> path = fastmlp.prune(net, X, np.tanh(2 * X[:, :1]), penalty=fastmlp.WeightDecay(1e-2, 1e-2))
    >>> fastmlp.plot.pruning(path).get_xlabel()
    'weights left'
    """
    if not hasattr(result, "best_step"):
        raise TypeError(f"result: expected what fastmlp.prune returns, got {type(result).__name__}")
    ax = axes_or_new(ax)
    chosen = result.steps[result.best_step].n_params
    # those that are much smaller than the chosen one are far off, and would hide what leads to it
    steps = [step for step in result.steps if 2 * step.n_params >= chosen]
    weights = [step.n_params for step in steps]
    for name, colour in (("train_loss", BLUE), ("validation_loss", ORANGE)):
        losses = np.array([getattr(step, name) for step in steps])
        if np.isfinite(losses).any():
            ax.plot(weights, losses, color=colour, linewidth=1.2, label=name.replace("_", " "))
    evidence = np.array([step.log_evidence for step in steps])
    ax.set(xlabel="weights left", ylabel="mean loss of a sample")
    ax.set_ylim(bottom=0 if min(step.train_loss for step in steps) >= 0 else None)
    handles, labels = ax.get_legend_handles_labels()
    if np.isfinite(evidence).any():
        right = ax.twinx()
        (line,) = right.plot(weights, evidence, color=GREY, linewidth=1.2, linestyle="--", label="log evidence")
        right.set_ylabel("log evidence")
        hide_spines(right, "top", "left")
        handles, labels = [*handles, line], [*labels, "log evidence"]
    ax.axvline(chosen, color=GREY, linewidth=0.8, linestyle=":")
    where: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
    ax.annotate(f"{chosen}", (chosen, 1), (3, -3), **where)
    ax.legend(handles, labels, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=3)
    hide_spines(ax, "top", *(() if np.isfinite(evidence).any() else ("right",)))
    rule_behind(ax, "y")
    return ax
