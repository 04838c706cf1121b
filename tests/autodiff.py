"""The independent oracle: the same quantities by JAX in float64, with nothing derived by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from reference import one_hot

jax.config.update("jax_enable_x64", True)

ACTIVATIONS = {
    "identity": lambda z: z,
    "tanh": jnp.tanh,
    "logistic": jax.nn.sigmoid,
    "relu": lambda z: jnp.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: jnp.where(z > 0, z, 0.01 * z),
    "softplus": jax.nn.softplus,
    "elu": jax.nn.elu,
    "silu": jax.nn.silu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "sin": jnp.sin,
    "exp": jnp.exp,
    "softmax": lambda z: jax.nn.softmax(z, axis=-1),
}
LOSSES = {
    "squared_error": lambda z, y, t: 0.5 * jnp.sum((y - t) ** 2, axis=-1),
    "binary_cross_entropy": lambda z, y, t: jnp.sum(
        -t * jax.nn.log_sigmoid(z) - (1 - t) * jax.nn.log_sigmoid(-z), axis=-1
    ),
    "cross_entropy": lambda z, y, t: -jnp.sum(t * jax.nn.log_softmax(z, axis=-1), axis=-1),
    "poisson": lambda z, y, t: jnp.sum(jnp.exp(z) - t * z, axis=-1),
}


def outputs_and_logits(net, params, X):
    a, start = X, 0
    for layer, (n_in, n_out) in enumerate(zip(net.layers[:-1], net.layers[1:], strict=True)):
        W = params[start : start + n_in * n_out].reshape(n_out, n_in)
        b = params[start + n_in * n_out : start + (n_in + 1) * n_out]
        start += (n_in + 1) * n_out
        z = a @ W.T + b
        a = ACTIVATIONS[net.hidden[layer] if layer < len(net.hidden) else net.output](z)
    return a, z


def evaluate(net, X, T, weight=None):
    """Outputs (N, K), losses (N,) and gradient (P,) of a network."""
    X = jnp.asarray(np.asarray(X, dtype=float))
    T = jnp.asarray(one_hot(T, net.layers[-1]).astype(float))
    weight = jnp.ones(len(X)) if weight is None else jnp.asarray(weight, dtype=float)
    params = jnp.asarray(net.params.astype(float))

    def losses(p):
        y, z = outputs_and_logits(net, p, X)
        return weight * LOSSES[net.loss_name](z, y, T)

    gradient = jax.grad(lambda p: jnp.sum(losses(p)))(params)
    return tuple(np.asarray(a) for a in (outputs_and_logits(net, params, X)[0], losses(params), gradient))


def jacobians(net, X):
    """dy/dx (N, K, D) and dy/dparams (N, K, P) of the outputs and of the logits, by ("inputs", "outputs") and so on."""
    X, params = jnp.asarray(np.asarray(X, dtype=float)), jnp.asarray(net.params.astype(float))
    by = {
        "inputs": jax.vmap(jax.jacfwd(lambda x: outputs_and_logits(net, params, x)))(X),
        "params": jax.jacfwd(lambda p: outputs_and_logits(net, p, X))(params),
    }
    return {(wrt, of): np.asarray(J) for wrt in by for of, J in zip(("outputs", "logits"), by[wrt], strict=True)}


def input_hessian(net, X):
    """d2y/dx dx (N, K, D, D)."""
    X, params = jnp.asarray(np.asarray(X, dtype=float)), jnp.asarray(net.params.astype(float))
    return np.asarray(jax.vmap(jax.hessian(lambda x: outputs_and_logits(net, params, x)[0]))(X))


def _summed_loss(net, X, T, weight, scale):
    """The sum of the losses as a function of the parameters, and those of each sample."""
    X = jnp.asarray(np.asarray(X, dtype=float))
    T = jnp.asarray(one_hot(T, net.layers[-1]).astype(float))
    weight = jnp.ones(len(X)) if weight is None else jnp.asarray(weight, dtype=float)

    def losses(p):
        y, z = outputs_and_logits(net, p, X)
        if scale is None:
            return LOSSES[net.loss_name](z, y, T)
        return 0.5 * jnp.sum(jnp.asarray(scale, dtype=float) * (y - T) ** 2, axis=-1)

    return (lambda p: jnp.sum(weight * losses(p))), losses


def hessian(net, X, T, weight=None, scale=None):
    """The exact Hessian (P, P); `scale` is the precision of each output, for squared error."""
    total, _ = _summed_loss(net, X, T, weight, scale)
    return np.asarray(jax.hessian(total)(jnp.asarray(net.params.astype(float))))


def empirical_fisher(net, X, T, weight=None, scale=None):
    """sum_n s_n g_n g_n' (P, P)."""
    _, losses = _summed_loss(net, X, T, weight, scale)
    G = np.asarray(jax.jacfwd(losses)(jnp.asarray(net.params.astype(float))))
    return (G.T * (1.0 if weight is None else weight)) @ G


def gauss_newton(net, X, T, weight=None, scale=None):
    """sum_n J' (d2e/df2) J (P, P), f the outputs of squared error and the logits of any other loss."""
    X, T = np.asarray(X, dtype=float), one_hot(T, net.layers[-1]).astype(float)
    params = jnp.asarray(net.params.astype(float))
    squared = net.loss_name == "squared_error"

    def f(p):
        y, z = outputs_and_logits(net, p, jnp.asarray(X))
        return y if squared else z

    def sample_loss(z, t):
        return 0.5 * jnp.sum(precision * (z - t) ** 2) if squared else LOSSES[net.loss_name](z, z, t)

    precision = jnp.ones(net.layers[-1]) if scale is None else jnp.asarray(scale, dtype=float)
    J = np.asarray(jax.jacfwd(f)(params))
    curvature = np.asarray(jax.vmap(jax.hessian(sample_loss))(f(params), jnp.asarray(T)))
    if weight is not None:
        curvature = curvature * np.asarray(weight, dtype=float)[:, None, None]
    return np.einsum("nkp,nkl,nlq->pq", J, curvature, J, optimize=True)
