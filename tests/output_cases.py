"""Two outputs whose noise is not the same share of what they vary by, and what is said of them."""

import numpy as np

import fastmlp

RNG = np.random.default_rng(0)
N, K = 80, 2  # lines, with these deviations about them
X = RNG.normal(size=(N, 3))
T = X @ RNG.normal(size=(3, K)) + 0.3 + RNG.normal(size=(N, K)) * [0.05, 3.0]
COUNT = RNG.integers(0, 3, N).astype(float)
DESIGN = np.column_stack([X, np.ones(N)])
DECAY = fastmlp.WeightDecay(0.5, 0.5)

NOISES = [(0.1, 100.0), (0.1, 0.005)]


def data(noise, seed, n=300):
    """Inputs and targets, and new ones: a sine, and a cosine that is as far above its noise."""
    rng = np.random.default_rng(seed)
    scale = np.array([1.0, 3 * noise[1] if noise[1] > 1 else 1.0])

    def draw(n):
        x = rng.uniform(-2, 2, (n, 1))
        return x, np.column_stack([np.sin(2 * x[:, 0]), np.cos(x[:, 0])]) * scale + noise * rng.normal(size=(n, 2))

    return *draw(n), *draw(2000)


def coverage(predict, noise, seeds=range(20)):
    """Of 95 % intervals, mean over data sets (K,); ``predict(X, T, new, seed)`` gives means and deviations."""
    shares = []
    for seed in seeds:
        X, T, new, targets = data(np.array(noise), seed)
        mean, std = predict(X, T, new, seed)
        shares.append((np.abs(targets - mean) < 1.959964 * std).mean(axis=0))
    return np.mean(shares, axis=0)
