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
from matplotlib.figure import Figure

import fastmlp

A, B, C, D = 3.0, -1.5, 5.0, 2.0
LAMBDA = (0.05, 0.02)
RULES = {
    "the right rule": fastmlp.WeightDecay(LAMBDA).rescaled(input_scale=A, output_scale=C),
    "the lecture's rule": fastmlp.WeightDecay([A**0.5 * LAMBDA[0], C**-0.5 * LAMBDA[1]]),
    "simple weight decay": fastmlp.WeightDecay(LAMBDA),
}


rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-1, 1, 40))[:, np.newaxis]
t = np.sin(np.pi * x) + 0.2 * rng.normal(size=x.shape)
grid = np.linspace(-1.2, 1.2, 200)[:, np.newaxis]


def train():
    """The function learnt from raw data; under each rule that from mapped data, and the gradient at the raw optimum."""
    start = fastmlp.Network([1, 6, 1], rng=1)
    raw = start.copy()
    raw.fit(x, t, "lm", penalty=fastmlp.WeightDecay(LAMBDA), tol=1e-9)
    image = raw.rescale_inputs(A, B).rescale_outputs(C, D)
    curves, steepness = {}, {}
    for rule, penalty in RULES.items():
        # the optimum on raw data, seen in the new units, should be an optimum there
        gradient = image.objective(A * x + B, C * t + D, penalty=penalty).grad(image.params)
        steepness[rule] = np.abs(gradient).max()
        mapped = start.rescale_inputs(A, B).rescale_outputs(C, D)
        mapped.fit(A * x + B, C * t + D, "lm", penalty=penalty, tol=1e-9)
        curves[rule] = (mapped(A * grid + B) - D) / C
    return raw(grid), curves, steepness


def table(raw, curves, steepness):
    """What the rules come to, as text."""
    rows = [f"{'on mapped data':22}{'|gradient| at the raw optimum':>30}{'largest difference':>20}"]
    for rule, curve in curves.items():
        rows.append(f"{rule:22}{steepness[rule]:30.1e}{np.abs(curve - raw).max():20.1e}")
    return "\n".join(rows)


def draw(raw, curves):
    """All functions in raw units: under the right rule two curves are one."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    ax = figure.subplots()
    ax.plot(x, t, "o", color="#5f6b76", markersize=4, label="data")
    ax.plot(grid, raw, color="#2a6f97", linewidth=5, label="raw data")
    styles = (("#d1661f", "-"), ("black", ":"), ("black", "--"))
    for (rule, curve), (color, line) in zip(curves.items(), styles, strict=True):
        ax.plot(grid, curve, color=color, linestyle=line, linewidth=1.3, label=f"mapped data, {rule}")
    ax.set(xlabel="x", ylabel="y", ylim=(-1.2, 2.2), title="One network, two sets of units")
    ax.legend(frameon=False, loc="upper left")
    ax.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-plots", action="store_true", help="print the table only")
    plots = not parser.parse_args().no_plots
    results = train()
    print(table(*results))
    if plots:
        draw(*results[:2]).savefig(Path(__file__).with_suffix(".png").name, dpi=150)
