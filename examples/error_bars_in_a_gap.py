"""Error bars that widen where data are missing: 60 noisy points of a sine, none of them in the middle.

All precisions come from the evidence, the network is the best of ten starts by it. Left the function; the dark band is
what the data leave open, +-2 standard deviations, the pale one that of a new target, noise included. Right its
derivative, which is least certain in the gap and at the ends. Dotted lines are the true ones.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot

NOISE = 0.1
rng = np.random.default_rng(0)
X = np.sort(np.concatenate([rng.uniform(-3, -1, 30), rng.uniform(0.7, 2, 30)]))[:, np.newaxis]
T = np.sin(2 * X) + NOISE * rng.normal(size=X.shape)


def best_posterior(n_starts=10):
    """That of the network with the largest evidence."""
    networks = [fastmlp.Network([1, 8, 1], rng=seed) for seed in range(n_starts)]
    return max((fastmlp.fit_evidence(net, X, T) for net in networks), key=lambda posterior: posterior.log_evidence)


def draw():
    """Two pictures in one figure."""
    posterior = best_posterior()
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    grid = np.linspace(-3.2, 2.2, 300)

    def mean(x):
        return posterior.predict(x)[0]

    plot.function(mean, X, T, left, band=lambda x: np.sqrt(posterior.predict(x)[1]))
    plot.function(mean, X, None, left, band=lambda x: np.sqrt(posterior.predict(x, parts=True).epistemic))
    left.plot(grid, np.sin(2 * grid), ":", color="#5f6b76")
    left.set_title(
        f"y, noise {posterior.noise_precision**-0.5:.2f}, {posterior.effective_n_params:.1f} of 25 parameters"
    )
    plot.function(
        lambda x: posterior.predict_jacobian(x)[0][:, 0], X, None, right,
        band=lambda x: np.sqrt(posterior.predict_jacobian(x)[1][:, 0]),
    )  # fmt: skip
    right.plot(grid, 2 * np.cos(2 * grid), ":", color="#5f6b76")
    right.set(title="dy/dx", ylabel="dy/dx")
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
