"""Leaving out each sample in turn: the closed form, against training 80 networks without it.

Left, with strong weight decay, every sample has a small leverage, and one Newton step from the optimum is as good as
training. Right, with weak decay, samples of leverage 0.3 and more (orange) are flagged: there the formula is rough, and
``leave_one_out("doubtful")`` trains without them after all.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 2))
T = np.sin(2 * X[:, 0]) + X[:, 1] + 0.3 * rng.normal(size=80)


def residuals(decay):
    """By the formula, by training, and which are doubtful."""
    net, penalty = fastmlp.Network([2, 5, 1], rng=1), fastmlp.WeightDecay(decay, decay)
    net.fit(X, T, method="lm", penalty=penalty, tol=1e-9)
    posterior = fastmlp.Laplace(net, X, T, penalty=penalty, hessian="exact")
    formula, trained = posterior.leave_one_out(), posterior.leave_one_out("all")
    return formula.residuals[:, 0], trained.residuals[:, 0], formula.doubtful


def draw():
    """Two pictures in one figure."""
    figure = Figure(figsize=(9, 4.3), layout="constrained")
    for ax, decay in zip(figure.subplots(1, 2), (1.0, 0.05), strict=True):
        formula, trained, doubtful = residuals(decay)
        limit = 1.1 * np.abs(trained).max()
        ax.plot([-limit, limit], [-limit, limit], color="#5f6b76", linewidth=0.8)
        for chosen, colour, label in ((~doubtful, "#2f6690", "h < 0.3"), (doubtful, "#d1603d", "h ≥ 0.3")):
            ax.plot(trained[chosen], formula[chosen], "o", color=colour, markersize=4, alpha=0.7, label=label)
        rms = [np.sqrt(np.mean(each**2)) for each in (formula, trained)]
        ax.set(
            title=f"decay {decay}: RMS {rms[0]:.3f}, by training {rms[1]:.3f}", xlabel="residual by training",
            ylabel="residual by formula", xlim=(-limit, limit), ylim=(-limit, limit),
        )  # fmt: skip
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
