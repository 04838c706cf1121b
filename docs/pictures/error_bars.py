"""The picture of the first page, for light and dark ones: `python docs/pictures/error_bars.py` writes both files anew.

It shows the posterior of examples/error_bars_in_a_gap.py, and is the same to the byte for the same matplotlib.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "examples"))

import error_bars_in_a_gap as example  # noqa: E402

INK = {"light": "#3d4752", "dark": "#c5ced8"}
BLUE = {"light": "#1f6feb", "dark": "#6cb0ff"}
GREY = {"light": "#75808c", "dark": "#8b96a2"}


def draw(posterior, page):
    """Measurements, the network's curve and the interval of 95 %, on no ground."""
    figure = Figure(figsize=(7.2, 3.0), layout="constrained", facecolor="none")
    ax = figure.subplots()
    grid = np.linspace(-3.25, 2.25, 160)[:, np.newaxis]
    low, high = posterior.predict(grid, interval=0.95)
    ax.fill_between(grid[:, 0], low[:, 0], high[:, 0], color=BLUE[page], alpha=0.22, linewidth=0)
    ax.plot(grid, posterior.predict(grid)[0], color=BLUE[page], linewidth=2)
    ax.plot(grid, np.sin(2 * grid), ":", color=INK[page], linewidth=1.2)
    ax.plot(example.X, example.T, "o", color=INK[page], markersize=3.2)
    ax.text(-0.15, -1.6, "no data: the error bars say so", color=INK[page], ha="center")
    ax.set(xlim=(-3.25, 2.25), ylim=(-1.85, 1.6), xlabel="x", ylabel="y", facecolor="none")
    ax.spines[["top", "right"]].set_visible(False)
    for each in (*ax.spines.values(), ax.xaxis.label, ax.yaxis.label):
        each.set_color(GREY[page])
    ax.tick_params(colors=GREY[page])
    return figure


if __name__ == "__main__":
    posterior = example.best_posterior()
    with rc_context({"svg.hashsalt": "fastmlp", "font.size": 11}):
        for page in ("light", "dark"):
            draw(posterior, page).savefig(FOLDER / f"error-bars-{page}.svg", metadata={"Date": None})
