"""A network that may only rise: bounds on weights through L-BFGS-B.

Dose and response, say: more is never less, but the measurements are noisy. With increasing activations (tanh) and no
negative weight between input and output the network cannot fall; an unrestricted one follows the noise.

    python examples/monotone_network.py [--no-plots]
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp

NOT_NEGATIVE = {"W1": (0, None), "W2": (0, None)}  # biases are free


def truth(dose):
    """A response that sets in at a dose of 4."""
    return 1 / (1 + (4 / np.maximum(dose, 1e-9)) ** 4)


rng = np.random.default_rng(4)
dose = np.sort(rng.uniform(0, 10, 40))[:, np.newaxis]
response = truth(dose) + 0.12 * rng.normal(size=dose.shape)
grid = np.linspace(0, 10, 400)[:, np.newaxis]


def train(bounds):
    """A network's function on the grid, and the result of its training."""
    net = fastmlp.Network([1, 6, 1], rng=0)
    penalty = fastmlp.WeightDecay(weights=0.01, biases=0.01)
    result = net.fit(dose, response, "lbfgs", bounds=bounds, penalty=penalty, standardize=True)
    return net(grid), result


def table(curves):
    """Whether they rise, and how far they are from the truth, as text."""
    rows = [f"{'weights':14}{'falls somewhere':>16}{'rms error':>11}"]
    for name, curve in curves.items():
        falls = "yes" if (np.diff(curve[:, 0]) < 0).any() else "no"
        rows.append(f"{name:14}{falls:>16}{np.sqrt(np.mean((curve - truth(grid)) ** 2)):11.3f}")
    return "\n".join(rows)


def draw(curves):
    """Data and both functions."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    ax = figure.subplots()
    ax.plot(dose, response, "o", color="#5f6b76", markersize=4, label="measurements")
    ax.plot(grid, truth(grid), color="black", linestyle=":", linewidth=1.2, label="truth")
    for (name, curve), color in zip(curves.items(), ("#d1661f", "#2a6f97"), strict=True):
        ax.plot(grid, curve, color=color, label=f"weights {name}")
    ax.set(xlabel="dose", ylabel="response", title="A network that may only rise")
    ax.legend(frameon=False, loc="lower right")
    ax.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-plots", action="store_true", help="print the table only")
    plots = not parser.parse_args().no_plots
    curves = {name: train(bounds)[0] for name, bounds in (("unrestricted", None), ("not negative", NOT_NEGATIVE))}
    print(table(curves))
    if plots:
        draw(curves).savefig(Path(__file__).with_suffix(".png").name, dpi=150)
