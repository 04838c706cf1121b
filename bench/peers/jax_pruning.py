"""Optimal Brain Surgeon in JAX and LAPACK, in its strongest form: a network of one hidden layer, tanh, squared error.

Everything that depends on the data is compiled once for all parameters, as shapes that change are compiled anew; what
depends on the number of those that are left is done by BLAS and LAPACK in their size. A Hessian takes 300 times as long
as a gradient, so that one is formed for each deletion, and its inverse gone on with (BFGS) to the optimum. Other ways
took longer on the diabetes path (5.0 s): Newton's method with few such steps 19 s, Levenberg-Marquardt after them 7 s.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.linalg import blas, lapack

jax.config.update("jax_enable_x64", True)

ROUNDS, QUASI_STEPS, HALVINGS, LM_STEPS = 50, 200, 10, 10


class Path:
    """The deletions from P weights to few, with a penalty lam/2 |w|^2 on all."""

    def __init__(self, X, T, n_hidden, lam, tol):
        self.lam, self.tol, d = lam, tol, X.shape[1]
        start = (np.zeros((n_hidden, d)), np.zeros(n_hidden), np.zeros((1, n_hidden)), np.zeros(1))
        flat, unravel = ravel_pytree(start)
        X, t = jnp.asarray(X), jnp.asarray(T[:, 0])

        def output(p, x):
            W1, b1, W2, b2 = unravel(p)
            return (W2 @ jnp.tanh(W1 @ x + b1) + b2)[0]

        def objective(p):
            r = jax.vmap(output, (None, 0))(p, X) - t
            return 0.5 * (r @ r + lam * p @ p)

        self.jacobian = jax.jit(jax.vmap(jax.grad(output), (None, 0)))
        self.rows = X
        self.value_and_grad = jax.jit(jax.value_and_grad(objective))
        self.second = jax.jit(jax.jacfwd(jax.grad(objective)))
        jax.block_until_ready((self.jacobian(flat, X), self.value_and_grad(flat), self.second(flat)))

    def at(self, p, free):
        """Value and gradient."""
        value, g = self.value_and_grad(p)
        return float(value), np.asarray(g)[free]

    def inverse(self, p, free):
        """Of the second derivatives of what is left, or None."""
        root, info = lapack.dpotrf(np.asarray(self.second(p))[np.ix_(free, free)], lower=1)
        if info:
            return None
        C, _ = lapack.dpotri(root, lower=1)
        return np.tril(C) + np.tril(C, -1).T

    def near(self, p, free, C):
        """Quasi-Newton steps from p, in place; whether it is there."""
        value, g = self.at(p, free)
        for _ in range(QUASI_STEPS):
            if np.abs(g).max() <= self.tol:
                return True
            s = -C @ g
            for _ in range(HALVINGS):
                new = p.copy()
                new[free] += s
                new_value, new_g = self.at(new, free)
                if new_value <= value + 1e-12 * abs(value):
                    break
                s *= 0.5
            else:
                return False
            y = new_g - g
            curvature, Cy = s @ y, C @ y
            if curvature > 0:
                cross = np.outer(Cy, s) / curvature
                C = C + (1 + y @ Cy / curvature) / curvature * np.outer(s, s) - cross - cross.T
            p[...], value, g = new, new_value, new_g
        return np.abs(g).max() <= self.tol

    def farther(self, p, free):
        """Some steps of Levenberg-Marquardt from p, in place."""
        mu = 1e-3
        value, g = self.at(p, free)
        for _ in range(LM_STEPS):
            J = np.asarray(self.jacobian(p, self.rows))[:, free]
            A = blas.dsyrk(1.0, J, trans=1, lower=1)
            while True:
                damped, new = A.copy(order="F"), p.copy()
                damped[np.diag_indices(len(g))] += self.lam + mu
                new[free] -= lapack.dposv(damped, g, lower=1)[1]
                new_value, new_g = self.at(new, free)
                if new_value < value or mu > 1e6:
                    break
                mu *= 4
            p[...], value, g, mu = new, new_value, new_g, 0.2 * mu

    def train(self, p, free, C):
        """To the optimum, in place; `C` the inverse second derivatives not far away, or None."""
        for _ in range(ROUNDS):
            if C is None:
                self.farther(p, free)
            elif self.near(p, free, C):
                return
            C = self.inverse(p, free)

    def go(self, p, n_params):
        """All the way; the objective at its end."""
        p, free = p.copy(), np.arange(len(p))
        C = self.inverse(p, free)
        self.train(p, free, C)
        while len(free) > n_params:
            C = self.inverse(p, free)
            assert C is not None
            v, variances = p[free], np.diagonal(C).copy()
            q = int(np.argmin(v**2 / (2 * variances)))
            p[free] -= C[:, q] * v[q] / variances[q]
            p[free[q]] = 0.0
            kept = np.delete(np.arange(len(free)), q)
            C = (C - np.outer(C[q], C[q]) / variances[q])[np.ix_(kept, kept)]
            free = free[kept]
            self.train(p, free, C)
        return self.at(p, free)[0]
