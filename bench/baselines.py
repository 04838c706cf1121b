"""The same work by hand in NumPy with BLAS, for tanh or relu hidden layers and identity or softmax outputs."""

import numpy as np


def forward(weights, biases, hidden, output, X):
    """Activations of all layers, inputs first."""
    activations = [X]
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        z = activations[-1] @ W.T
        z += b
        if layer < len(hidden):
            a = np.tanh(z, out=z) if hidden[layer] == "tanh" else np.maximum(z, 0, out=z)
        elif output == "softmax":
            z -= z.max(axis=1, keepdims=True)
            a = np.exp(z, out=z)
            a /= a.sum(axis=1, keepdims=True)
        else:
            a = z
        activations.append(a)
    return activations


def loss_and_grad(weights, biases, hidden, output, X, T):
    """Sum of losses, and gradients of weights and biases layer by layer."""
    activations = forward(weights, biases, hidden, output, X)
    delta = activations[-1].copy()
    if output == "softmax":
        rows = np.arange(len(X))
        loss = -np.log(delta[rows, T]).sum()
        delta[rows, T] -= 1
    else:
        delta -= T
        loss = 0.5 * np.sum(delta * delta)
    gradients = []
    for layer in range(len(weights) - 1, -1, -1):
        gradients.append((delta.T @ activations[layer], delta.sum(axis=0)))
        if layer:
            a = activations[layer]
            delta = delta @ weights[layer]
            delta *= 1 - a * a if hidden[layer - 1] == "tanh" else a > 0
    return loss, gradients[::-1]


def adam_epoch(weights, biases, hidden, output, X, T, order, batch_size, state, rate=1e-3):
    """One epoch of Adam in place; `state` holds the step count and the moments of each parameter array."""
    params = [array for pair in zip(weights, biases, strict=True) for array in pair]
    for first in range(0, len(X), batch_size):
        rows = order[first : first + batch_size]
        gradients = loss_and_grad(weights, biases, hidden, output, X[rows], T[rows])[1]
        state["steps"] += 1
        step = rate / (1 - 0.9 ** state["steps"])
        correction = 1 / (1 - 0.999 ** state["steps"])
        flat = [g / len(rows) for pair in gradients for g in pair]
        for w, g, m, v in zip(params, flat, state["m"], state["v"], strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            w -= step * m / (np.sqrt(v * correction) + 1e-8)
