"""Stop where the validation error is smallest, before the network learns the noise (PRML, figure 5.12).

20 hidden units and ten noisy points of a sine. The training error only falls; the error at 50 other points soon has its
minimum. `patience` restores the network from there; without it one gets the grey curve at the right.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot


def sinusoid(x, rng):
    """Points of a sine with noise of standard deviation 0.3."""
    X = x[:, np.newaxis]
    return X, np.sin(2 * np.pi * X) + rng.normal(scale=0.3, size=X.shape)


def train(seed=2, patience=None):
    """A network, its training points, and the result of the training, which watches 50 validation points."""
    rng = np.random.default_rng(seed)
    training, validation = sinusoid(np.linspace(0, 1, 10), rng), sinusoid(rng.uniform(size=50), rng)
    net = fastmlp.Network([1, 20, 1], init="normal", rng=rng)
    result = net.fit(*training, "lbfgs", validation=validation, patience=patience, max_iter=300)
    return net, training, result


def draw():
    """Errors during the training at the left; what it leaves with and without patience at the right."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    errors, curves = figure.subplots(1, 2)
    net, training, result = train()
    stopped, _, _ = train(patience=50)
    plot.learning_curves(result, errors)
    plot.function(stopped, *training, curves, label="stopped early")
    plot.function(net, training[0], ax=curves, label="300 iterations", color="#5f6b76")
    curves.set_ylim(-2, 2)
    curves.legend(frameon=False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
