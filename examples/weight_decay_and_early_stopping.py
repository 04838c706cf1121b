"""Early stopping resembles weight decay (PRML, figure 5.13 and exercise 5.25).

On a quadratic error with eigenvalues eta_j, tau steps of gradient descent at rate rho from w = 0 reach the share
1 - (1 - rho eta_j)^tau of the minimum along eigenvector j, weight decay alpha the share eta_j / (eta_j + alpha). With
alpha = 1 / (rho tau) both leave directions with eta_j >> alpha alone and suppress those with eta_j << alpha.

At the left the path of gradient descent, with a dot for the stop, and all solutions of weight decay, with a square.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp

RATE, STEPS = 0.05, 200


def quadratic(eigenvalues, minimum):
    """Samples of which the squared error of a linear network is 1/2 sum_j eta_j (w_j - minimum_j)^2, plus N/2 b^2."""
    half = np.diag(np.sqrt(np.divide(eigenvalues, 2)))
    X = np.vstack([half, -half])  # opposite samples, so that the bias stays 0
    return X, X @ np.asarray(minimum, dtype=float)


def descend(eigenvalues, minimum, rate=RATE, steps=STEPS):
    """Weights at the start and after each step of gradient descent, shape (steps + 1, D)."""
    X, T = quadratic(eigenvalues, minimum)
    net = fastmlp.Network([X.shape[1], 1], init="zeros")
    path = [net.weights[0][0].copy()]
    net.fit(X, T, "sgd", batch_size=len(X), learning_rate=rate * len(X), max_iter=steps,
            callback=lambda state: path.append(state.x[:-1]))  # fmt: skip
    return np.array(path)


def decay(eigenvalues, minimum, alpha):
    """Weights at the minimum with weight decay alpha."""
    X, T = quadratic(eigenvalues, minimum)
    net = fastmlp.Network([X.shape[1], 1], init="zeros")
    net.fit(X, T, "lm", penalty=fastmlp.WeightDecay(weights=alpha), tol=1e-12)
    return net.weights[0][0].copy()


def draw(eigenvalues=(0.02, 0.4), minimum=(2.0, 1.0)):
    """Both paths in two dimensions; the shares that are left in four."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    plane, shares = figure.subplots(1, 2)
    w1, w2 = np.meshgrid(np.linspace(-0.3, 3.5, 100), np.linspace(-0.4, 1.7, 100))
    error = 0.5 * (eigenvalues[0] * (w1 - minimum[0]) ** 2 + eigenvalues[1] * (w2 - minimum[1]) ** 2)
    plane.contour(w1, w2, error, levels=0.04 * np.arange(0.2, 2.5, 0.45) ** 2, colors="#c9d3da", linewidths=0.8)
    path, steps = descend(eigenvalues, minimum, steps=20 * STEPS), STEPS // 2
    alpha = 1 / (RATE * steps)
    decayed = np.array([decay(eigenvalues, minimum, alpha * factor) for factor in np.logspace(-3, 3, 61)])
    plane.plot(*path.T, color="#2a6f97", label="early stopping")
    plane.plot(*decayed.T, "--", color="#d1661f", label="weight decay")
    plane.plot(*path[steps], "o", color="#2a6f97")
    plane.plot(*decay(eigenvalues, minimum, alpha), "s", color="#d1661f")
    plane.plot(*minimum, "+", color="black", markersize=9)
    plane.set(xlabel="$w_1$", ylabel="$w_2$")
    plane.legend(frameon=False, loc="lower right")
    plane.spines[["top", "right"]].set_visible(False)

    eta = np.array([10, 1, 0.1, 0.01])
    places = np.arange(len(eta))
    shares.bar(places - 0.2, descend(eta, np.ones(4))[-1], 0.36, color="#2a6f97", label=f"{STEPS} steps")
    alpha = 1 / (RATE * STEPS)
    shares.bar(places + 0.2, decay(eta, np.ones(4), alpha), 0.36, color="#d1661f", label=f"weight decay {alpha:g}")
    shares.set_xticks(places, [f"{value:g}" for value in eta])
    shares.set(xlabel="eigenvalue", ylabel="share of the minimum that is reached")
    shares.legend(frameon=False)
    shares.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
