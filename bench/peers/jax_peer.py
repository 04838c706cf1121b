"""JAX: everything jitted, data and parameters on the device, an epoch as one scan with donated state.

`one_thread.py` tells XLA to use one thread before JAX is imported.
"""

import timeit
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from peers import BLOCK, Peer
from problems import Problem, epoch_orders

jax.config.update("jax_enable_x64", True)  # float32 stays float32
jax.config.update("jax_cpu_enable_async_dispatch", False)  # one thread: no handing over to another


def quicker(args: tuple[Any, ...], *functions: Callable[..., Any]) -> Callable[..., Any]:
    """The one, jitted, that takes less time: XLA's loops gain a third on narrow layers and lose all on wide ones."""

    def seconds(function):
        return min(timeit.repeat(lambda: jax.block_until_ready(function(*args)), number=1, repeat=3))

    return min((jax.jit(function) for function in functions), key=seconds)


class Jax(Peer):
    """Weights as (n_in, n_out), so that products need no transposition."""

    needs = ("jax", "jaxlib")

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.relu, self.softmax = "relu" in problem.net.hidden, problem.net.output == "softmax"
        self.start = [jnp.asarray(array.T) for array in problem.arrays]
        self.X = jnp.asarray(problem.X)
        self.T = jnp.asarray(problem.one_hot if self.softmax else problem.T)
        self._outputs = jax.jit(self.outputs_for)
        self._epoch = jax.jit(self.epoch, static_argnames="batch_size", donate_argnums=0)

    @cached_property
    def _predict(self):
        return quicker((self.start, self.X), self.outputs_for, self.predict_in_blocks)

    @cached_property
    def _loss_and_grad(self):
        whole = jax.value_and_grad(self.loss)
        return quicker((self.start, self.X, self.T), whole, self.loss_and_grad_in_blocks)

    def logits(self, params, X):
        for V, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            z = X @ V + b
            X = jnp.maximum(z, 0) if self.relu else jnp.tanh(z)
        return X @ params[-2] + params[-1]

    def outputs_for(self, params, X):
        z = self.logits(params, X)
        return jax.nn.softmax(z) if self.softmax else z

    def loss(self, params, X, T):
        z = self.logits(params, X)
        if self.softmax:
            return jnp.sum(jax.nn.logsumexp(z, axis=1)) - jnp.sum(z * T)
        return 0.5 * jnp.sum((z - T) ** 2)

    def predict_in_blocks(self, params, X):
        full = len(X) // BLOCK * BLOCK
        Y = jax.lax.map(partial(self.outputs_for, params), X[:full].reshape(-1, BLOCK, X.shape[1]))
        return jnp.concatenate([Y.reshape(full, Y.shape[-1]), self.outputs_for(params, X[full:])])

    def loss_and_grad_in_blocks(self, params, X, T):
        def add(sums, block):
            return jax.tree.map(jnp.add, sums, jax.value_and_grad(self.loss)(params, *block)), None

        full = len(X) // BLOCK * BLOCK
        sums = jax.value_and_grad(self.loss)(params, X[full:], T[full:])
        blocks = [array[:full].reshape(-1, BLOCK, array.shape[1]) for array in (X, T)]
        return jax.lax.scan(add, sums, blocks)[0]

    def adam(self, state, X, T):
        """One step."""
        params, m, v, step = state
        step += 1
        rate, scale = 0.001 / (1 - 0.9**step), 1 / (1 - 0.999**step)
        grads = [g / len(X) for g in jax.grad(self.loss)(params, X, T)]
        m = [0.9 * a + 0.1 * g for a, g in zip(m, grads, strict=True)]
        v = [0.999 * a + 0.001 * g * g for a, g in zip(v, grads, strict=True)]
        params = [
            p - rate.astype(p.dtype) * a / (jnp.sqrt(c * scale.astype(p.dtype)) + 1e-8)
            for p, a, c in zip(params, m, v, strict=True)
        ]
        return params, m, v, step

    def epoch(self, state, X, T, order, batch_size):
        """All steps of an epoch; the last minibatch may be a short one."""

        def one_batch(state, rows):
            return self.adam(state, X[rows], T[rows]), None

        full = len(X) // batch_size * batch_size
        state, _ = jax.lax.scan(one_batch, state, order[:full].reshape(-1, batch_size))
        return one_batch(state, order[full:])[0] if full < len(X) else state

    def predict_row(self, row):
        return np.asarray(self._outputs(self.start, row))

    def predict(self):
        return self._predict(self.start, self.X).block_until_ready()

    def loss_and_grad(self):
        return jax.block_until_ready(self._loss_and_grad(self.start, self.X, self.T))

    def train(self, batch_size, n_epochs):
        params = [jnp.copy(p) for p in self.start]
        m, v = ([jnp.zeros_like(p) for p in params] for _ in range(2))
        state = (params, m, v, jnp.zeros(()))
        for order, _ in zip(epoch_orders(len(self.X)), range(n_epochs), strict=False):
            state = self._epoch(state, self.X, self.T, order.astype(np.int32), batch_size=min(batch_size, len(self.X)))
        return jax.block_until_ready(state[0])

    def vector(self, arrays):
        """As everywhere; its weights are transposed."""
        return super().vector([np.asarray(array).T for array in arrays])
