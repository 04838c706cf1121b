"""The independent oracle: the same quantities by JAX in float64, with nothing derived by hand.

Each quantity is compiled as a whole: one operation after the other takes JAX many times as long.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from autodiff_layers import LAYERS, input_shape, is_pool
from reference import one_hot

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)  # networks are small: it is compiling that takes the time


def known(options):
    """Options of the compiler, or none where this JAX does not know them."""
    try:
        jax.jit(lambda x: x, compiler_options=options)(0.0)
    except (TypeError, RuntimeError):
        return None
    return options


#: the emitters before the newest ones compile in a third of the time, and one piece of code in half the time of many
QUICK = known({"xla_cpu_use_fusion_emitters": False, "xla_cpu_parallel_codegen_split_count": 1})

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
    "squared_error": lambda z, y, t, scale: 0.5 * jnp.sum(scale * (y - t) ** 2, axis=-1),
    "binary_cross_entropy": lambda z, y, t, scale: jnp.sum(
        -t * jax.nn.log_sigmoid(z) - (1 - t) * jax.nn.log_sigmoid(-z), axis=-1
    ),
    "cross_entropy": lambda z, y, t, scale: -jnp.sum(t * jax.nn.log_softmax(z, axis=-1), axis=-1),
    "poisson": lambda z, y, t, scale: jnp.sum(jnp.exp(z) - t * z, axis=-1),
}


compiled = functools.partial(jax.jit, static_argnames="model", compiler_options=QUICK)


class Model(NamedTuple):
    """What of a network does not change while JAX computes."""

    layers: tuple[object, ...]  # as `Network` takes them
    hidden: tuple[str, ...]
    output: str
    loss: str


def model_of(net):
    return Model(net._architecture.specification, tuple(net.hidden), net.output, net.loss_name)


def doubles(*arrays):
    return tuple(np.asarray(array, dtype=np.float64) for array in arrays)


def problem(net, X, T, weight, scale=None):
    """Arguments of the functions below: `weight` for each sample, `scale` the precision of each output."""
    weight = np.ones(len(X)) if weight is None else weight
    scale = np.ones(net.layers[-1]) if scale is None else scale
    return *doubles(net.params, X, one_hot(T, net.layers[-1]), weight, scale), model_of(net)


def outputs_and_logits(params, X, model):
    a, start, shape = X, 0, input_shape(model.layers[0])
    activations = iter((*model.hidden, model.output))
    for entry in model.layers[1:]:
        z, shape, n_params = LAYERS[type(entry)](entry, params[start:], a, shape)
        start += n_params
        a = z if is_pool(entry) else ACTIVATIONS[next(activations)](z)
    return a, z


def sample_losses(params, X, T, scale, model):
    y, z = outputs_and_logits(params, X, model)
    return LOSSES[model.loss](z, y, T, scale)


def total_loss(params, X, T, weight, scale, model):
    return jnp.sum(weight * sample_losses(params, X, T, scale, model))


@compiled
def _evaluate(params, X, T, weight, scale, model):
    outputs = outputs_and_logits(params, X, model)[0]
    losses = weight * sample_losses(params, X, T, scale, model)
    return outputs, losses, jax.grad(total_loss)(params, X, T, weight, scale, model)


def evaluate(net, X, T, weight=None):
    """Outputs (N, K), losses (N,) and gradient (P,) of a network."""
    return tuple(map(np.asarray, _evaluate(*problem(net, X, T, weight))))


@compiled
def _jacobians(params, X, model):
    by_inputs = jax.vmap(jax.jacfwd(lambda x: outputs_and_logits(params, x, model)))(X)
    by_params = jax.jacfwd(outputs_and_logits)(params, X, model)
    return {"inputs": by_inputs, "params": by_params}


def jacobians(net, X):
    """dy/dx (N, K, D) and dy/dparams (N, K, P) of the outputs and of the logits, by ("inputs", "outputs") and so on."""
    by = _jacobians(*doubles(net.params, X), model_of(net))
    return {(wrt, of): np.asarray(J) for wrt in by for of, J in zip(("outputs", "logits"), by[wrt], strict=True)}


@compiled
def _input_hessian(params, X, model):
    return jax.vmap(jax.hessian(lambda x: outputs_and_logits(params, x, model)[0]))(X)


def input_hessian(net, X):
    """d2y/dx dx (N, K, D, D)."""
    return np.asarray(_input_hessian(*doubles(net.params, X), model_of(net)))


_hessian = compiled(jax.hessian(total_loss))


def hessian(net, X, T, weight=None, scale=None):
    """The exact Hessian (P, P)."""
    return np.asarray(_hessian(*problem(net, X, T, weight, scale)))


@compiled
def _empirical_fisher(params, X, T, weight, scale, model):
    G = jax.jacfwd(sample_losses)(params, X, T, scale, model)
    return (G.T * weight) @ G


def empirical_fisher(net, X, T, weight=None, scale=None):
    """sum_n s_n g_n g_n' (P, P)."""
    return np.asarray(_empirical_fisher(*problem(net, X, T, weight, scale)))


@compiled
def _gauss_newton(params, X, T, weight, scale, model):
    squared = model.loss == "squared_error"

    def f(p):
        return outputs_and_logits(p, X, model)[0 if squared else 1]

    def sample_loss(f, t):
        return LOSSES[model.loss](f, f, t, scale)

    J = jax.jacfwd(f)(params)
    curvature = weight[:, None, None] * jax.vmap(jax.hessian(sample_loss))(f(params), T)
    return jnp.einsum("nkp,nkl,nlq->pq", J, curvature, J)


def gauss_newton(net, X, T, weight=None, scale=None):
    """sum_n J' (d2e/df2) J (P, P), f the outputs of squared error and the logits of any other loss."""
    return np.asarray(_gauss_newton(*problem(net, X, T, weight, scale)))


def _tangent_rows(params, X, tau, d, factor, of_logits, model):
    """sqrt(w s_n) (J tau - d), sample by sample (N M K,), with the factor sqrt(w s_n) (N,)."""

    def f(X):
        return outputs_and_logits(params, X, model)[of_logits]

    R = jax.vmap(lambda t: jax.jvp(f, (X,), (t,))[1])(tau) - d
    return jnp.swapaxes(factor[:, None] * R, 0, 1).ravel()


@functools.partial(compiled, static_argnames=("of_logits", "model"))
def _tangents(params, X, tau, d, factor, of_logits, model):
    def gradient(p):
        r, pull = jax.vjp(lambda q: _tangent_rows(q, X, tau, d, factor, of_logits, model), p)
        return pull(r)[0], r

    H, rows = jax.jacfwd(gradient, has_aux=True)(params)
    J = jax.jacfwd(_tangent_rows)(params, X, tau, d, factor, of_logits, model)
    return rows, J, H


def tangents(net, X, tau, d, weight, s, *, of_logits):
    """The term w/2 sum_n s_n sum_m |J tau - d|^2 for tau (M, N, D), by name."""
    arrays = doubles(net.params, X, tau, d, np.sqrt(weight * s))
    rows, J, H = map(np.asarray, _tangents(*arrays, of_logits, model_of(net)))
    value, gradient = 0.5 * float(rows @ rows), J.T @ rows
    return {"value": value, "gradient": gradient, "rows": rows, "jacobian": J, "hessian": H, "ggn": J.T @ J}
