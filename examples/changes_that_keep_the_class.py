"""A digit that is turned a little, or written by a shakier hand, is the same digit: augmentation.

Left: handwritten digits as they are, and as `RandomAffine` and `Elastic` change them for some epochs. Right: wrong
digits among 997 that were not trained on, against the number of those that were. Changes that are drawn anew in each
epoch help most where samples are few; a shift by a whole pixel is too much for images of 8 x 8, and does harm.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmlp
from fastmlp import plot
from fastmlp.datasets import load_digits
from fastmlp.invariance import Elastic, RandomAffine, RandomShift

SIZES = (50, 100, 200, 400, 800)
EPOCHS = 60_000  # over the number of samples: as many steps for each
CHANGES = {
    "as they are": None,
    "turned, sheared, scaled": RandomAffine(shift=0.3, rotation=8, scale=0.05, shear=0.1),
    "moved by up to a pixel": RandomShift(1),
}


def digits():
    """Images with pixels from 0 to 1, and labels, mixed."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.X))
    return data.X[order] / 16, data.T[order]


def error(n, augment, seed=0):
    """Wrong digits among the last 997, in percent, after training on n."""
    X, T = digits()
    net = fastmlp.Network([64, 30, 10], output="softmax", dtype="float32", rng=seed)
    epochs = EPOCHS // n
    net.fit(X[:n], T[:n], "adam", penalty=fastmlp.WeightDecay(0.05), augment=augment, max_iter=epochs,
            learning_rate=fastmlp.schedules.cosine_decay(0.01, epochs), rng=seed)  # fmt: skip
    return 100 * float((net(X[800:]).argmax(axis=1) != T[800:]).mean())


def draw(seeds=2):
    """Changed digits at the left, errors at the right."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    pictures, errors = figure.subplots(1, 2)
    shaky = RandomAffine(shift=0.3, rotation=15, scale=0.1, shear=0.2) + Elastic(alpha=5, sigma=2)
    plot.transformed(load_digits().X[:6], shaky, 0, ax=pictures)
    for (name, augment), color in zip(CHANGES.items(), ("#5f6b76", "#2a6f97", "#d1661f"), strict=True):
        means = [np.mean([error(n, augment, seed) for seed in range(seeds)]) for n in SIZES]
        errors.loglog(SIZES, means, "o-", color=color, label=name)
    errors.set(xlabel="training digits", ylabel="wrong test digits, %", xticks=SIZES, yticks=[2, 5, 10, 20])
    errors.xaxis.set_major_formatter("{x:g}")
    errors.yaxis.set_major_formatter("{x:g}")
    errors.minorticks_off()
    errors.legend(frameon=False)
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png").name, dpi=150)
