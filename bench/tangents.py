"""What a term on tangents costs: loss and gradient with M directions, in gradients, beside JAX and the peak.

    python bench/tangents.py [--seconds 8] [--directions 6]

Each sample has directions of its own, and the term is of the logits. JAX differentiates the sum of the loss and of the
squares of `jvp`, jitted, by `vmap` over the directions or one after the other, whichever is quicker. "At most" is what
JAX's time would be in units of ours if ours went at the peak: no program that multiplies as many numbers is faster.
Times are the shortest of interleaved rounds, of processor time. The goals are 1.15 gradients for each of 1 + M, and a
third of JAX's time.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
import one_thread

one_thread.restrict()

import argparse
import os
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fastmlp
from flops import flops
from peak import Peak
from peers.jax_peer import quicker
from report import number, table
from timing import interleave, repeat

SHAPES = [([2, 10, 1], 1000), ([20, 50, 50, 3], 1000), ([64, 30, 10], 1000), ([256, 40, 10], 1000),
          ([784, 256, 128, 10], 512)]  # fmt: skip
STRENGTH = 0.03


def drawn(layers: list[int], n: int, n_directions: int, dtype: str) -> tuple[Any, ...]:
    """A network, inputs, targets and directions (N, M, D)."""
    rng = np.random.default_rng(0)
    net = fastmlp.Network(layers, output="softmax" if layers[-1] > 1 else "logistic", dtype=dtype, rng=0)
    X, tau = rng.normal(size=(n, layers[0])), rng.normal(size=(n, n_directions, layers[0])) / np.sqrt(layers[0])
    labels = rng.integers(0, max(2, layers[-1]), n)
    T = np.eye(layers[-1])[labels] if layers[-1] > 1 else labels[:, np.newaxis]
    return net, X.astype(dtype), T.astype(dtype), tau.astype(dtype)


def logits(params: list[Any], X: Any) -> Any:
    """Of tanh layers, whose weights are (n_in, n_out)."""
    for V, b in params[:-1]:
        X = jnp.tanh(X @ V + b)
    V, b = params[-1]
    return X @ V + b


def objective(params: list[Any], X: Any, T: Any, tau: Any, *, side_by_side: bool) -> Any:
    """The loss and the term, of directions (M, N, D)."""
    z = logits(params, X)
    loss = (jax.nn.logsumexp(z, axis=1) if z.shape[1] > 1 else jax.nn.softplus(z)).sum() - (z * T).sum()

    def along(direction: Any) -> Any:
        return jax.jvp(partial(logits, params), (X,), (direction,))[1]

    R = jax.vmap(along)(tau) if side_by_side else jnp.stack([along(direction) for direction in tau])
    return loss + 0.5 * STRENGTH * (R**2).sum()


def of_jax(net: Any, X: Any, T: Any, tau: Any) -> Any:
    """A function without arguments that returns JAX's value and gradient."""
    params = [(jnp.asarray(W.T), jnp.asarray(b)) for W, b in zip(net.weights, net.biases, strict=True)]
    args = params, jnp.asarray(X), jnp.asarray(T), jnp.asarray(tau.swapaxes(0, 1).copy())
    ways = [jax.value_and_grad(partial(objective, side_by_side=way)) for way in (True, False)]
    program = quicker(args, *ways)
    return lambda: jax.block_until_ready(program(*args))


def measured(layers: list[int], n: int, n_directions: int, dtype: str, seconds: float) -> dict[str, str]:
    """A row of the table."""
    net, X, T, tau = drawn(layers, n, n_directions, dtype)
    start, peer, peak = net.params.astype(float), of_jax(net, X, T, tau), Peak(net.dtype.itemsize)
    plain = net.objective(X, T, n_threads=1)
    both = net.objective(X, T, penalty=fastmlp.TangentPropagation(tau, STRENGTH), n_threads=1)
    value, gradient = both.value_and_grad(start)
    theirs, slopes = peer()
    flat = np.concatenate([np.concatenate([np.asarray(V).T.ravel(), np.asarray(b)]) for V, b in slopes])
    close = 1e-3 if dtype == "float32" else 1e-11
    assert abs(value - float(theirs)) <= close * abs(value)
    assert np.linalg.norm(flat - gradient) <= close * np.linalg.norm(gradient)
    jobs = {
        "plain": repeat(plain.value_and_grad, start),
        "ours": repeat(both.value_and_grad, start),
        "jax": repeat(peer),
        "peak": peak.run,
    }
    times = {name: timing.minimum for name, timing in interleave(jobs, seconds).items()}
    least = (1 + n_directions) * flops("gradient", tuple(layers), n) * times["peak"] / peak.flops
    return {
        "layers": "-".join(map(str, layers)), "N": str(n), "type": dtype, "ours, ms": number(1e3 * times["ours"]),
        "/ (1 + M) gradients": number(times["ours"] / ((1 + n_directions) * times["plain"])),
        "JAX / ours": number(times["jax"] / times["ours"]), "at most": number(times["jax"] / least),
        "share of peak": f"{100 * least / times['ours']:.0f} %",
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each row")
    parser.add_argument("--directions", type=int, default=6)
    options = parser.parse_args()
    rows = [
        measured(layers, n, options.directions, dtype, options.seconds)
        for dtype in ("float32", "float64")
        for layers, n in SHAPES
    ]
    print(table(rows))
    print("load", *(f"{load:.1f}" for load in os.getloadavg()))


if __name__ == "__main__":
    main()
