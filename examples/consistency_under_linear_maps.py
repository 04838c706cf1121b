"""Weight decay and the units of the data: the rule for its coefficients that makes training consistent.

A network is trained on raw data, and again on the same data in other units, x~ = a x + b and t~ = c t + d, from the
equivalent start. The outputs should be equivalent, y~ = c y + d. The coefficients of the layers have to become

    lambda_1 -> a^2 c^2 lambda_1,   lambda_2 -> lambda_2.

With the same coefficients for both they are not, and not with the rule that the lecture (and PRML, p. 258) prints,
lambda_1 -> a^(1/2) lambda_1, lambda_2 -> c^(-1/2) lambda_2. `docs/linear-maps.md` derives the rule.

    python examples/consistency_under_linear_maps.py [--no-plots]
"""

import argparse
from pathlib import Path

import numpy as np

import fastmlp

A, B, C, D = 3.0, -1.5, 5.0, 2.0
LAMBDA = (0.05, 0.02)
RULES = {
    "the right rule": fastmlp.WeightDecay(LAMBDA).rescaled(input_scale=A, output_scale=C),
    "the lecture's rule": fastmlp.WeightDecay([A**0.5 * LAMBDA[0], C**-0.5 * LAMBDA[1]]),
    "simple weight decay": fastmlp.WeightDecay(LAMBDA),
}


def main(plots):
    """Train, print the table, draw."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-1, 1, 40))[:, np.newaxis]
    t = np.sin(np.pi * x) + 0.2 * rng.normal(size=x.shape)
    start = fastmlp.Network([1, 6, 1], rng=1)
    raw = start.copy()
    raw.fit(x, t, "lm", penalty=fastmlp.WeightDecay(LAMBDA), tol=1e-9)
    there = raw.rescale_inputs(A, B).rescale_outputs(C, D)

    grid = np.linspace(-1.2, 1.2, 200)[:, np.newaxis]
    curves = {"raw data": raw(grid)}
    print(f"{'on mapped data':22}{'|gradient| at the image':>24}{'largest difference':>20}")
    for name, penalty in RULES.items():
        # the optimum on raw data, seen in the new units, should be an optimum there
        gradient = there.objective(A * x + B, C * t + D, penalty=penalty).grad(there.params)
        mapped = start.rescale_inputs(A, B).rescale_outputs(C, D)
        mapped.fit(A * x + B, C * t + D, "lm", penalty=penalty, tol=1e-9)
        curves[name] = (mapped(A * grid + B) - D) / C
        difference = np.abs(curves[name] - curves["raw data"]).max()
        print(f"{name:22}{np.abs(gradient).max():24.1e}{difference:20.1e}")
    if plots:
        draw(x, t, grid, curves)


def draw(x, t, grid, curves):
    """All functions in raw units: under the right rule two curves are one."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(x, t, "o", color="#5f6b76", markersize=4, label="data")
    styles = {"raw data": ("#2a6f97", "-", 5), "the right rule": ("#d1661f", "-", 1.5)}
    for name, curve in curves.items():
        color, line, width = styles.get(name, ("black", ":" if "lecture" in name else "--", 1.2))
        label = name if name == "raw data" else f"mapped data, {name}"
        axes.plot(grid, curve, color=color, linestyle=line, linewidth=width, label=label)
    axes.set(xlabel="x", ylabel="y", ylim=(-1.2, 2.2), title="One network, two sets of units")
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(Path(__file__).with_suffix(".png").name, dpi=150)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-plots", action="store_true", help="print the table only")
    main(plots=not parser.parse_args().no_plots)
