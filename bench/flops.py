"""Floating-point operations of an operation: what its matrix products need, whoever does them.

Two for each multiply-add; activations, and what is linear in the number of units, do not count.
"""

from itertools import pairwise


def flops(operation: str, layers: tuple[int, ...], n_samples: int) -> int:
    """Of one piece of work: an epoch, all rows, or as many directions or steps as the operation says.

    With w weights, w' of them beyond the first layer, v between hidden layers, P parameters and K outputs, in
    multiply-adds for each sample:

    ==============  ============================================================================
    predict         w
    gradient, adam  2 w + w': forward; the weights' gradient, and the deltas of all layers but the first
    input_jacobian  w, and for each output back through all layers but the last, or for each input
                    forward through all layers but the first, whichever is less
    param_jacobian  w + K v, and K P multiplications, which are half of a multiply-add each
    ggn, hessian    gradient + K v + P (P + 1) / 2: one product for each pair of parameters, however many outputs
    ggnp            w, and for each direction the tangents of a forward pass, w + w', and a backward pass, w + w'
    hessp           2 w + w', and for each direction w + w', and the tangents of a backward pass, w + 3 w'
    lm              for each step predict and ggn, and P^3 / 6 for Cholesky's factorisation
    ==============  ============================================================================
    """
    kind, number = split(operation)
    weights = [n_in * n_out for n_in, n_out in pairwise(layers)]
    n_params, n_outputs = sum(weights) + sum(layers[1:]), layers[-1]
    w, later, between = sum(weights), sum(weights[1:]), sum(weights[1:-1])
    matrix = 2 * w + later + n_outputs * between + n_params * (n_params + 1) / 2
    each = {
        "row": w,
        "predict": w,
        "gradient": 2 * w + later,
        "adam": 2 * w + later,
        "input_jacobian": w + min(n_outputs * (w - weights[-1]), layers[0] * later),
        "param_jacobian": w + n_outputs * between + n_outputs * n_params / 2,
        "ggn": matrix,
        "hessian": matrix,
        "ggnp": w + number * 2 * (w + later),
        "hessp": 2 * w + later + number * (2 * w + 4 * later),
        "lm": number * (w + matrix),
    }[kind]
    factorisations = number * n_params**3 / 6 if kind == "lm" else 0
    return round(2 * ((1 if kind == "row" else n_samples) * each + factorisations))


def split(operation: str) -> tuple[str, int]:
    """Kind and number: adam32 is ("adam", 32), gradient ("gradient", 1)."""
    kind = operation.rstrip("0123456789")
    return kind, int(operation[len(kind) :] or 1)
