"""What the evidence says about networks and inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._types import Axes
from fastmlp.model.names import or_numbered
from fastmlp.plot._drawing import BLUE, GREY, ORANGE, axes_or_new, hide_spines, rule_behind


def evidence(starts: Any, errors: Any, ax: Axes | None = None) -> Axes:
    """Test error of each network against its log evidence: whether what the evidence prefers is what foretells best.

    Parameters
    ----------
    starts : Starts
        What `fastmlp.fit_evidence` has trained, ``posterior.starts``.
    errors : sequence of float
        One for each of them, such as the mean loss of a test set.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.

    Returns
    -------
    matplotlib.axes.Axes
        A dot for each network, darker for more hidden units, the one with the largest evidence ringed.

    Raises
    ------
    TypeError, ValueError
        If `starts` is something else, or there is not one error for each.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp import plot
    >>> X, T = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.1, 0.9, 0.2, 1.1, -0.1]
    >>> posterior = fastmlp.fit_evidence(fastmlp.Network([1, 1, 1]), X, T, hidden=[1, 2], n_starts=2, rng=0)
    >>> plot.evidence(posterior.starts, [0.3, 0.2, 0.1, 0.2]).get_xlabel()
    'log evidence'
    """
    if not hasattr(starts, "by_size"):
        raise TypeError(f"starts: expected those of fastmlp.fit_evidence, got {type(starts).__name__}")
    errors = np.asarray(errors, np.float64)
    if errors.shape != (len(starts),):
        raise ValueError(f"errors: expected one for each of {len(starts)} networks, got shape {errors.shape}")
    ax = axes_or_new(ax)
    sizes = list(starts.by_size())
    for number, hidden in enumerate(sizes):
        chosen = [place for place, start in enumerate(starts) if start.hidden == hidden]
        values = [starts[place].log_evidence for place in chosen]
        shade = 1.0 if len(sizes) == 1 else 0.2 + 0.8 * number / (len(sizes) - 1)
        label = "-".join(map(str, hidden)) or "none"
        ax.plot(values, errors[chosen], "o", color=BLUE, alpha=shade, markersize=5, markeredgewidth=0, label=label)
    best = max(range(len(starts)), key=lambda place: starts[place].log_evidence)
    place = starts[best].log_evidence, errors[best]
    ax.plot(*place, "o", color=ORANGE, markersize=11, fillstyle="none", markeredgewidth=1.5)
    ax.set(xlabel="log evidence", ylabel="test error")
    if (errors > 0).all():
        ax.set_yscale("log")
    ax.legend(frameon=False, title="hidden units")
    hide_spines(ax, "top", "right")
    rule_behind(ax, "y")
    return ax


def relevances(posterior: Any, ax: Axes | None = None, *, names: Sequence[str] | None = None) -> Axes:
    """How far the weights from each input may be from zero, 1 / sqrt(alpha), as bars: what the evidence makes of it.

    Parameters
    ----------
    posterior : Evidence
        Of ``fastmlp.fit_evidence(..., groups="ard")``.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; None makes a figure.
    names : sequence of str, optional
        Of the inputs; None: what the network calls them (`Network.input_names`), else x1, x2 and so on.

    Returns
    -------
    matplotlib.axes.Axes
        The inputs in their order, the first at the top; those that were pruned have a cross.

    Raises
    ------
    TypeError, ValueError
        If `posterior` has no precision for each input, or there is not one name for each.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> from fastmlp import plot
    >>> X = np.random.default_rng(0).normal(size=(30, 2))
    >>> posterior = fastmlp.fit_evidence(fastmlp.Network([2, 2, 1], rng=0), X, X[:, 0] + 0.1 * X[:, 1] ** 3, "ard")
    >>> plot.relevances(posterior, names=["a", "b"]).get_xlabel()
    'prior standard deviation of the weights from an input'
    """
    alpha = [value for name, value in getattr(posterior, "group_precisions", {}).items() if name.startswith("W1[:,")]
    if not alpha:
        raise TypeError('posterior: expected that of fastmlp.fit_evidence with groups="ard", got another')
    names = or_numbered(posterior._architecture.input_names if names is None else names, len(alpha))
    if len(names) != len(alpha):
        raise ValueError(f"names: expected one for each of {len(alpha)} inputs, got {len(names)}")
    ax = axes_or_new(ax)
    places = np.arange(len(alpha))
    ax.barh(places, [1 / math.sqrt(value) for value in alpha], color=BLUE, height=0.7)
    pruned = [place for place, value in enumerate(alpha) if math.isinf(value)]
    ax.plot([0] * len(pruned), pruned, "x", color=GREY, clip_on=False)
    ax.set_xlabel("prior standard deviation of the weights from an input")
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    rule_behind(ax, "x")
    hide_spines(ax, "top", "right", "left")
    return ax
