"""Temperature scaling: probabilities of classes to a power, so that rows that were not trained on are most probable.

p_k is proportional to q_k^(1 / temperature): above 1 where q promises too much, below 1 where it is too flat, as the
mean over a posterior is where classes hardly overlap. The order of the classes stays. Guo et al. (2017).
"""

from __future__ import annotations

import numpy as np

from fastmlp._types import Float, Index

LEAST, MOST = 0.1, 10.0
PRIOR = 0.5  # standard deviation of ln temperature: a few rows that all are right would make it 0
HALVINGS = 40  # of an interval of logarithms


def scaled(Q: Float, temperature: float) -> Float:
    """Probabilities (N, K) at this temperature."""
    logs = np.log(np.maximum(Q, np.finfo(np.float64).tiny)) / temperature
    P: Float = np.exp(logs - logs.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return P


def best(Q: Float, classes: Index) -> float:
    """The temperature that makes these classes (N,) most probable, with ln temperature of the prior N(0, 0.5^2).

    With s = 1 / temperature, sum_n (ln sum_k q_nk^s - s ln q_nt) is convex: its slope has one sign on each side.
    """
    logs = np.log(np.maximum(Q, np.finfo(np.float64).tiny))
    given = logs[np.arange(len(classes)), classes].sum()
    low, high = np.log(1.0 / MOST), np.log(1.0 / LEAST)  # of ln s
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        s = np.exp(middle)
        slope = (scaled(Q, 1.0 / s) * logs).sum() - given + middle / (PRIOR**2 * s)
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(np.exp(-0.5 * (low + high)))
