"""JAX, continued: Jacobians and curvature on one flat vector of parameters; of two forms, the one that is quicker."""

from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.linalg import blas

from peers import BLOCK, CURVATURE
from peers.jax_peer import Jax, quicker
from peers.numpy_curvature import mirror

COLUMNS = 64  # of the Hessian at a time, where it is not made at once


class JaxCurvature(Jax):
    """jacrev or jacfwd over samples, J'J by XLA or by BLAS, forward over reverse for products and the Hessian."""

    needs = ("jax", "jaxlib", "scipy")
    offers = (*Jax.offers, *CURVATURE)

    def __init__(self, problem):
        super().__init__(problem)
        self.flat, self.unravel = ravel_pytree(self.start)
        self.programs = {}

    @cached_property
    def order(self):
        """Where each of `Network.params` lies in the flat vector."""
        return self.vector(self.unravel(jnp.arange(self.flat.size, dtype=self.flat.dtype))).astype(np.intp)

    def ordered(self, array, *axes):
        array = np.asarray(array)
        for axis in axes:
            array = np.take(array, self.order, axis)
        return array

    def draw_directions(self, m):
        given = super().draw_directions(m)
        mine = np.empty_like(given)
        mine[self.order] = given
        return jnp.asarray(mine)

    def run(self, name, args, *functions):
        """The quickest of the functions, found out in the first call."""
        if name not in self.programs:
            self.programs[name] = quicker(args, *functions)
        return jax.block_until_ready(self.programs[name](*args))

    # ---- Jacobians ----

    def row_outputs(self, flat, x):
        return self.outputs_for(self.unravel(flat), x)

    def row_logits(self, flat, x):
        return self.logits(self.unravel(flat), x)

    @staticmethod
    def each_row(derivative):
        """A derivative for one row, over all rows at once."""
        return jax.vmap(derivative, (None, 0))

    @staticmethod
    def in_blocks(derivative):
        """A derivative for one row, over blocks of rows."""
        return lambda flat, X: jax.lax.map(lambda x: derivative(flat, x), X, batch_size=BLOCK)

    def rows(self, function, argnum):
        """The Jacobian in its forms; forward mode where there are fewer inputs than outputs."""
        by_inputs_forward = argnum == 1 and self.problem.net.layers[0] < self.problem.net.layers[-1]
        derivative = (jax.jacfwd if by_inputs_forward else jax.jacrev)(function, argnum)
        return self.each_row(derivative), self.in_blocks(derivative)

    def input_jacobian(self):
        return self.run("input_jacobian", (self.flat, self.X), *self.rows(self.row_outputs, 1))

    def param_jacobian(self):
        return self.run("param_jacobian", (self.flat, self.X), *self.rows(self.row_outputs, 0))

    # ---- matrices ----

    def flat_loss(self, flat, X, T):
        return self.loss(self.unravel(flat), X, T)

    def factors(self, flat, X, T):
        """Loss, gradient, and the rows B' J of G = J' Lambda J, Lambda = B B'."""
        J = self.each_row(jax.jacrev(self.row_logits))(flat, X)
        z = self.logits(self.unravel(flat), X)
        y = jax.nn.softmax(z) if self.softmax else z
        loss = jnp.sum(jax.nn.logsumexp(z, axis=1)) - jnp.sum(z * T) if self.softmax else 0.5 * jnp.sum((z - T) ** 2)
        gradient = (y - T).ravel() @ J.reshape(-1, flat.size)
        if self.softmax:
            J = jnp.sqrt(y)[:, :, None] * (J - jnp.einsum("nk,nkp->np", y, J)[:, None])
        return loss, gradient, J.reshape(-1, flat.size)

    def normal_equations(self, flat, X, T):
        loss, gradient, rows = self.factors(flat, X, T)
        return loss, gradient, rows.T @ rows

    def normal_equations_in_blocks(self, flat, X, T):
        def add(sums, block):
            return jax.tree.map(jnp.add, sums, self.normal_equations(flat, *block)), None

        full = len(X) // BLOCK * BLOCK
        sums = self.normal_equations(flat, X[full:], T[full:])
        blocks = [array[:full].reshape(-1, BLOCK, array.shape[1]) for array in (X, T)]
        return jax.lax.scan(add, sums, blocks)[0]

    def ggn(self):
        return self.run("ggn", (self.flat, self.X, self.T), self.normal_equations, self.normal_equations_in_blocks)

    def hessian_in_blocks(self, flat, X, T):
        def column(v):
            return self.hessian_product(flat, v, X, T)

        return jax.lax.map(column, jnp.eye(flat.size, dtype=flat.dtype), batch_size=COLUMNS)

    def hessian(self):
        args = (self.flat, self.X, self.T)
        return self.run("hessian", args, jax.hessian(self.flat_loss), self.hessian_in_blocks)

    # ---- products ----

    def hessian_product(self, flat, v, X, T):
        return jax.jvp(lambda p: jax.grad(self.flat_loss)(p, X, T), (flat,), (v,))[1]

    def ggn_product(self, flat, v, X, T):
        z, moved = jax.jvp(lambda p: self.row_logits(p, X), (flat,), (v,))
        if self.softmax:
            y = jax.nn.softmax(z)
            moved = y * (moved - jnp.sum(y * moved, axis=1, keepdims=True))
        return jax.vjp(lambda p: self.row_logits(p, X), flat)[1](moved)[0]

    def summed(self, product):
        """A product as a sum over blocks of samples."""

        def total(flat, v, X, T):
            def add(sums, block):
                return sums + product(flat, v, *block), None

            full = len(X) // BLOCK * BLOCK
            blocks = [array[:full].reshape(-1, BLOCK, array.shape[1]) for array in (X, T)]
            return jax.lax.scan(add, product(flat, v, X[full:], T[full:]), blocks)[0]

        return total

    def products(self, name, product, m):
        forms = (product, self.summed(product))
        if m > 1:
            forms = [jax.vmap(form, (None, 1, None, None), 1) for form in forms]
        return self.run((name, m), (self.flat, self.directions(m), self.X, self.T), *forms)

    def hessp(self, m):
        return self.products("hessp", self.hessian_product, m)

    def ggnp(self, m):
        return self.products("ggnp", self.ggn_product, m)

    # ---- Levenberg-Marquardt ----

    def trial(self, state):
        """One step, made or not; Nielsen's rule for the damping (1999)."""
        flat, damping, growth, done, (loss, gradient, matrix) = state
        factor = jax.scipy.linalg.cho_factor(matrix + damping * jnp.eye(flat.size))
        step = jax.scipy.linalg.cho_solve(factor, -gradient)
        rho = (loss - self.flat_loss(flat + step, self.X, self.T)) / (0.5 * (damping * step @ step - gradient @ step))
        shrink = jnp.maximum(1 / 3, 1 - (2 * jnp.minimum(rho, 1) - 1) ** 3)

        def make():
            moved = flat + step
            return moved, damping * shrink, 2.0, done + 1, self.normal_equations(moved, self.X, self.T)

        def refuse():
            return flat, damping * growth, 2 * growth, done, (loss, gradient, matrix)

        return jax.lax.cond(rho > 1e-4, make, refuse)

    def descend(self, flat, n_steps):
        sums = self.normal_equations(flat, self.X, self.T)
        state = (flat, 1e-3 * jnp.max(jnp.diag(sums[2])), 2.0, 0, sums)
        return jax.lax.while_loop(lambda state: state[3] < n_steps, self.trial, state)[0]

    def levenberg_marquardt(self, n_steps):
        return self.run("lm", (self.flat, n_steps), self.descend)


class JaxBlas(JaxCurvature):
    """The rows of J by JAX, J'J by SYRK of BLAS."""

    offers = ("ggn",)

    def ggn(self):
        loss, gradient, rows = self.run("factors", (self.flat, self.X, self.T), self.factors)
        rows = np.asarray(rows)
        syrk = blas.dsyrk if rows.dtype == np.float64 else blas.ssyrk
        return loss, gradient, mirror(syrk(1.0, rows.T))
