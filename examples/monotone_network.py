"""A network that may only rise: bounds on weights through L-BFGS-B.

Dose and response, say: more is never less, but the measurements are noisy. With increasing activations (tanh) and no
negative weight between input and output the network cannot fall; an unrestricted one follows the noise.

    python examples/monotone_network.py [--no-plots]
"""

import argparse
from pathlib import Path

import numpy as np

import fastmlp

NOT_NEGATIVE = {"W1": (0, None), "W2": (0, None)}  # biases are free


def main(plots):
    """Train both, print the table, draw."""
    rng = np.random.default_rng(4)
    dose = np.sort(rng.uniform(0, 10, 40))[:, np.newaxis]
    response = truth(dose) + 0.12 * rng.normal(size=dose.shape)
    grid = np.linspace(0, 10, 400)[:, np.newaxis]
    curves = {}
    print(f"{'weights':14}{'converged':>10}{'falls somewhere':>17}{'rms error':>11}")
    for name, bounds in {"unrestricted": None, "not negative": NOT_NEGATIVE}.items():
        net = fastmlp.Network([1, 6, 1], rng=0)
        penalty = fastmlp.WeightDecay(weights=0.01, biases=0.01)
        result = net.fit(dose, response, "lbfgs", bounds=bounds, penalty=penalty, standardize=True)
        curves[name] = net(grid)
        falls = bool((np.diff(curves[name][:, 0]) < 0).any())
        error = np.sqrt(np.mean((curves[name] - truth(grid)) ** 2))
        print(f"{name:14}{result.success!s:>10}{falls!s:>17}{error:11.3f}")
    if plots:
        draw(dose, response, grid, curves)


def truth(dose):
    """A response that sets in at a dose of 4."""
    return 1 / (1 + (4 / np.maximum(dose, 1e-9)) ** 4)


def draw(dose, response, grid, curves):
    """Data and both functions."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(dose, response, "o", color="#5f6b76", markersize=4, label="measurements")
    axes.plot(grid, truth(grid), color="black", linestyle=":", linewidth=1.2, label="truth")
    for (name, curve), color in zip(curves.items(), ("#d1661f", "#2a6f97"), strict=True):
        axes.plot(grid, curve, color=color, label=f"weights {name}")
    axes.set(xlabel="dose", ylabel="response", title="A network that may only rise")
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(Path(__file__).with_suffix(".png").name, dpi=150)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-plots", action="store_true", help="print the table only")
    main(plots=not parser.parse_args().no_plots)
