"""The Laplace approximation beside a straightforward one in JAX: the posterior, and error bars of 1,000 predictions.

    python bench/error_bars.py [--seconds 5]

Both start from the same trained network. The posterior is the root of the precision A = beta J'J + alpha I, its log
determinant and the diagonal of A^-1; the prediction is the mean and variance of new targets. JAX makes the Jacobians,
jitted, and goes on by itself, as the formulas stand, or with the routines of BLAS and LAPACK that do least. Results are
compared first, to 1e-8; times are processor time on one thread, in interleaved rounds: ratios of medians and of minima.
"""

# ruff: noqa: E402 - one thread for everybody, which NumPy is to know before it is imported
import one_thread

one_thread.restrict()

import argparse
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
from scipy.linalg import blas, lapack

import fastmlp
import peers.jax_peer  # noqa: F401 - which has JAX compute in double, on this thread
from timing import interleave, repeat

ALPHA, BETA = 1.0, 100.0
PROBLEMS = {"10-20-1, N = 442": ([10, 20, 1], 442), "8-20-20-1, N = 1,000": ([8, 20, 20, 1], 1000)}
NEW = 1000


class JaxLaplace:
    """Everything jitted, as the formulas stand."""

    def __init__(self, net: fastmlp.Network, X: np.ndarray, new: np.ndarray) -> None:
        self.layers, self.w = net.layers, jnp.asarray(net.params)
        self.X, self.new = jnp.asarray(X), jnp.asarray(new)
        self.jacobian = jax.jit(jax.vmap(jax.grad(self.output), (None, 0)))
        self.both = jax.jit(jax.vmap(jax.value_and_grad(self.output), (None, 0)))
        self._posterior, self._predict = jax.jit(self.posterior_of), jax.jit(self.predict_of)

    def output(self, w: Any, x: Any) -> Any:
        """The output for one sample; parameters in the order of `Network.params`."""
        first = 0
        for number, (n_in, n_out) in enumerate(pairwise(self.layers)):
            W = w[first : first + n_in * n_out].reshape(n_out, n_in)
            z = W @ x + w[first + n_in * n_out : first + (n_in + 1) * n_out]
            first += (n_in + 1) * n_out
            x = jnp.tanh(z) if number < len(self.layers) - 2 else z
        return x[0]

    def posterior_of(self, w: Any) -> Any:
        J = self.jacobian(w, self.X)
        eye = jnp.eye(w.size)
        L = jnp.linalg.cholesky(BETA * J.T @ J + ALPHA * eye)
        return L, 2 * jnp.log(jnp.diag(L)).sum(), jnp.diag(jsl.cho_solve((L, True), eye))

    def predict_of(self, w: Any, L: Any) -> Any:
        y, J = self.both(w, self.new)
        return y, (jsl.solve_triangular(L, J.T, lower=True) ** 2).sum(0) + 1 / BETA

    def posterior(self) -> Any:
        return jax.block_until_ready(self._posterior(self.w))

    def predict(self, L: Any) -> Any:
        return jax.block_until_ready(self._predict(self.w, L))


class JaxBlasLaplace(JaxLaplace):
    """Jitted Jacobians; the routines of BLAS and LAPACK that do least, called directly."""

    def posterior(self) -> Any:
        J = np.asarray(self.jacobian(self.w, self.X))
        A = blas.dsyrk(BETA, J.T, lower=1)
        A[np.diag_indices_from(A)] += ALPHA
        L, _ = lapack.dpotrf(A, lower=1, overwrite_a=1)
        inverse, _ = lapack.dtrtri(L, lower=1)
        return L, 2 * np.log(np.diag(L)).sum(), np.einsum("ij,ij->j", inverse, inverse)

    def predict(self, L: Any) -> Any:
        y, J = self.both(self.w, self.new)
        V = blas.dtrsm(1.0, L, np.asarray(J).T, lower=1)
        return np.asarray(y), np.einsum("ij,ij->j", V, V) + 1 / BETA


def compare(layers: list[int], n_samples: int, seconds: float) -> dict[str, list[float]]:
    """For the posterior and the predictions: our milliseconds, ratios of medians of both forms, and of minima."""
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(n_samples, layers[0])), rng.normal(size=(NEW, layers[0]))
    T = np.sin(X[:, :1]) + 0.1 * rng.normal(size=(n_samples, 1))
    net = fastmlp.Network(layers, rng=0)
    net.fit(X, T, penalty=fastmlp.WeightDecay(ALPHA / BETA, ALPHA / BETA), max_iter=30)

    make = partial(fastmlp.Laplace, net, X, T, prior_precision=ALPHA, noise_precision=BETA)
    ours, peers = make(), {"jax": JaxLaplace(net, X, new), "jax-blas": JaxBlasLaplace(net, X, new)}
    roots = {}
    for name, peer in peers.items():
        roots[name], _, diagonal = peer.posterior()
        np.testing.assert_allclose(np.sqrt(diagonal), ours.params_std, rtol=1e-8, err_msg=name)
        for got, expected in zip(peer.predict(roots[name]), ours.predict(new), strict=True):
            np.testing.assert_allclose(got, expected[:, 0], rtol=1e-8, atol=1e-8, err_msg=name)
    posteriors = {"ours": repeat(make)} | {name: repeat(peer.posterior) for name, peer in peers.items()}
    predictions = {"ours": repeat(ours.predict, new)}
    predictions |= {name: repeat(peer.predict, roots[name]) for name, peer in peers.items()}
    found = {}
    for what, jobs in (("posterior", posteriors), ("predictions", predictions)):
        timings = interleave(jobs, seconds)
        mine = timings.pop("ours")
        found[what] = [1e3 * mine.median]
        found[what] += [timing.median / mine.median for timing in timings.values()]
        found[what] += [timing.minimum / mine.minimum for timing in timings.values()]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="error bars beside JAX's")
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    print("| problem | what | ours | JAX over ours | JAX with BLAS over ours | of minima | |")
    print("|---|---|---|---|---|---|---|")
    for name, (layers, n_samples) in PROBLEMS.items():
        for what, (ms, *ratios) in compare(layers, n_samples, seconds).items():
            print(f"| {name} | {what} | {ms:.2f} ms | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |", flush=True)


if __name__ == "__main__":
    main()
