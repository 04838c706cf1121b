"""What the fits of R's packages hold, as networks: nnet and multinom, brnn, neuralnet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp._types import Array
from fastmlp.bridges.assembly import assembled, sizes
from fastmlp.bridges.r.dput import SKIPPED, Data
from fastmlp.model.activations import IDENTITY, SOFTMAX
from fastmlp.network.network import Network

SIGMOID, LINEAR = "logistic", (IDENTITY.name, SOFTMAX.name)  #: nnet's outputs; softmax is of linear ones
OUTPUTS = (SIGMOID, *LINEAR)
NEURALNET = ("logistic", "tanh")
FIELDS = 'c("n", "wts", "nsunits", "entropy", "softmax", "coefnames")'
INTERCEPT = "(Intercept)"


def of_nnet(fit: Data, output: str | None) -> Network:
    """Units one after the other, hidden ones first, each with its bias before its weights."""
    n = [_integer(each, "n") for each in _numbers(fit, "n")]
    if len(n) != 3 or n[0] < 1 or n[1] < 0 or n[2] < 1:
        raise ValueError(f"text: expected three numbers of units n of nnet, got {n}")
    D, M, K = n
    wts = _numbers(fit, "wts")
    layers = [(M, D), (K, M)] if M else [(K, D)]
    _check_connections(fit, layers, len(wts))
    activation, loss = _output(fit, n, output)
    rows = _split(wts, layers)
    if M == 0:
        rows = [_without_intercept(fit, rows[0])]
    return _network(rows, SIGMOID, activation, loss)


def _check_connections(fit: Data, layers: list[tuple[int, int]], n_weights: int) -> None:
    """ValueError where there are others than from layer to layer."""
    shape = "-".join(map(str, [layers[0][1], *(n for n, _ in layers)]))
    n_expected = sum(n_out * (n_in + 1) for n_out, n_in in layers)
    n_skipped = layers[0][1] * layers[-1][0] if len(layers) > 1 else 0
    if n_weights != n_expected:
        hint = ""
        if n_skipped and n_weights == n_expected + n_skipped:
            hint = ", as many as with skip-layer connections (skip = TRUE), which networks do not have here"
        raise ValueError(f"text: expected {n_expected} weights wts of a {shape} network, got {n_weights}{hint}")
    conn = fit.get("conn")
    if conn is None:
        return
    expected, first = [], 1
    for n_out, n_in in layers:
        expected += [0, *range(first, first + n_in)] * n_out
        first += n_in
    if _numbers(fit, "conn") != expected:
        raise ValueError(
            f"text: expected connections conn from each layer of a {shape} network to the next, got others"
        )


def _output(fit: Data, n: list[int], given: str | None) -> tuple[str, str | None]:
    """Activation of the outputs, and the loss, None where it is the usual one."""
    softmax, entropy, censored = (_truth(fit, name) for name in ("softmax", "entropy", "censored"))
    possible = [each for each in OUTPUTS if each != SOFTMAX.name or (n[2] > 1 and softmax is not False)]
    if softmax or censored:
        possible = [SOFTMAX.name]
    elif entropy:
        possible = [SIGMOID]
    elif fit.get("nsunits") is not None:  # the units before it are sigmoids
        is_sigmoid = _integer(_numbers(fit, "nsunits")[0], "nsunits") > 1 + n[0] + n[1]
        possible = [SIGMOID] if is_sigmoid else [each for each in possible if each in LINEAR]
    activation = possible[0] if given is None else given
    if (given is None and len(possible) > 1) or activation not in possible:
        expected = " or ".join(map(repr, possible)) + (", as the text tells" if len(possible) == 1 else "")
        raise ValueError(
            f"output: expected {expected}, got {given!r}; linout, entropy and softmax of nnet are in the text of "
            f"dput(fit[{FIELDS}])"
        )
    return activation, "squared_error" if activation == SIGMOID and entropy is False else None


def _without_intercept(fit: Data, rows: Array) -> Array:
    """Units of multinom, whose bias is held at 0 and whose intercept is the weight of an input of 1."""
    names, classes = fit.get("coefnames"), fit.attributes.get("class", Data()).items
    if "multinom" not in classes and names is None:
        if rows[:, 0].any():
            return rows
        raise ValueError(
            "text: expected coefnames of a fit without hidden units whose biases are all 0, as those of multinom are, "
            f"got none; in R, dput(fit[{FIELDS}]) has them"
        )
    inputs = [INTERCEPT] if names is None else names.items
    if INTERCEPT not in inputs:
        return rows
    place = 1 + inputs.index(INTERCEPT)
    if names is not None and len(inputs) != rows.shape[1] - 1:
        raise ValueError(f"text: expected {rows.shape[1] - 1} coefnames, one for each input, got {len(inputs)}")
    if rows.shape[1] < 3:
        raise ValueError("text: expected an input besides the intercept, got none")
    return np.column_stack([rows[:, 0] + rows[:, place], np.delete(rows, [0, place], axis=1)])


def of_brnn(fit: Data, output: str | None) -> Network:
    """Theta has of each unit its weight to the output, its bias and its weights; inputs and targets lie in [-1, 1]."""
    _only(output, IDENTITY.name)
    units = [_vector(each, "theta") for each in _list(fit, "theta")]
    if len({len(each) for each in units}) != 1 or len(units[0]) < 3:
        raise ValueError("text: expected theta with as many numbers for each unit, and three at least, got others")
    theta = np.array(units)
    first = theta[:, 1:]
    last = np.concatenate([[0.0], theta[:, 0]])[np.newaxis]
    net = _network([first, last], "tanh", IDENTITY.name, None)
    normalized = _truth(fit, "normalize")
    if normalized is None:
        raise ValueError("text: expected normalize, x_base, x_spread, y_base and y_spread of brnn, got no normalize")
    if not normalized:
        return net
    (x_base, x_spread), (y_base, y_spread) = (
        [np.array(_numbers(fit, f"{axis}_{each}")) for each in ("base", "spread")] for axis in "xy"
    )
    for name, each, n in [("x_base", x_base, net.layers[0]), ("x_spread", x_spread, net.layers[0]),
                          ("y_base", y_base, 1), ("y_spread", y_spread, 1)]:  # fmt: skip
        if len(each) != n or not (each.all() or name.endswith("base")):
            raise ValueError(f"text: expected {name} with {n} numbers, of a spread other than 0, got {each.tolist()}")
    half = x_spread / 2
    return net.rescale_inputs(half, x_base + half).rescale_outputs(y_spread / 2, y_base + y_spread / 2)


def of_neuralnet(fit: Data, output: str | None) -> Network:
    """Weights has for each repetition a matrix (1 + n_in, n_out) for each layer, biases in the first row."""
    linear, act = _truth(fit, "linear.output"), _type(fit, "act.fct")
    told = None if linear is None else IDENTITY.name if linear else act
    _only(output, told)
    if act not in NEURALNET or told is None:
        raise ValueError("text: expected act.fct of type logistic or tanh, and linear.output of neuralnet, got others")
    repetitions = _list(fit, "weights")
    if len(repetitions) != 1:
        raise ValueError(
            f"text: expected weights of one repetition of neuralnet, got {len(repetitions)}; in R, "
            'fit$weights <- fit$weights[which.min(fit$result.matrix["error", ])]'
        )
    rows = []
    for each in repetitions[0].items:
        values, dim = _vector(each, "weights"), each.attributes.get("dim", Data()).items
        if len(dim) != 2 or any(type(n) is not float or n < 1 for n in dim) or dim[0] * dim[1] != len(values):
            raise ValueError(f"text: expected matrices as weights of neuralnet, got {len(values)} numbers of dim {dim}")
        rows.append(np.reshape(values, (int(dim[1]), int(dim[0]))))
    if not rows or any(each.shape[1] < 2 for each in rows):
        raise ValueError("text: expected weights with biases, in layers of neuralnet, got none")
    loss = None if told == IDENTITY.name or _type(fit, "err.fct") == "ce" else "squared_error"
    return _network(rows, act, told, loss)


def _only(output: str | None, told: str | None) -> None:
    if output is not None and told is not None and output != told:
        raise ValueError(f"output: expected None or {told!r}, as the text tells, got {output!r}")


def _network(rows: list[Array], hidden: str, output: str, loss: str | None) -> Network:
    weights, biases = [each[:, 1:] for each in rows], [each[:, 0] for each in rows]
    return assembled(sizes(weights), weights, biases, [hidden] * (len(rows) - 1), output, loss, argument="text")


def _split(wts: list[float], layers: list[tuple[int, int]]) -> list[Array]:
    """Of each layer (n_out, 1 + n_in)."""
    parts, start = [], 0
    for n_out, n_in in layers:
        stop = start + n_out * (n_in + 1)
        parts.append(np.reshape(wts[start:stop], (n_out, n_in + 1)))
        start = stop
    return parts


# ---- fields ----


def _numbers(fit: Data, name: str) -> list[float]:
    return _vector(fit.get(name), name)


def _vector(value: Any, name: str) -> list[float]:
    """At least one finite number."""
    items = value.items if isinstance(value, Data) else []
    if not items or any(type(each) is not float for each in items):
        other = next((each for each in items if type(each) is not float), "none")
        got = {None: "NA", "none": "none"}.get(other, repr(other)) if not isinstance(other, Data) else "a list"
        raise ValueError(f"text: expected numbers as {name}, got {got}")
    wrong = [each for each in items if not -np.inf < each < np.inf]
    if wrong:
        raise ValueError(f"text: expected finite numbers as {name}, got {wrong[0]}")
    return list(items)


def _integer(value: float, name: str) -> int:
    if value != int(value) or abs(value) > 2**53:
        raise ValueError(f"text: expected integers as {name}, got {value!r}")
    return int(value)


def _list(fit: Data, name: str) -> list[Data]:
    items = getattr(fit.get(name), "items", [])
    if not items or not all(isinstance(each, Data) for each in items):
        raise ValueError(f"text: expected a list as {name}, got something else")
    return list(items)


def _truth(fit: Data, name: str) -> bool | None:
    """TRUE or FALSE; None where the field is not there."""
    value = fit.get(name)
    if value is None or value is SKIPPED or value.items in ([], [None]):
        return None
    if len(value.items) != 1 or type(value.items[0]) is not bool:
        raise ValueError(f"text: expected TRUE or FALSE as {name}, got something else")
    return bool(value.items[0])


def _type(fit: Data, name: str) -> Any:
    """The type of a function of neuralnet."""
    value = fit.get(name)
    kind = value.attributes.get("type", Data()).items if isinstance(value, Data) else []
    return kind[0] if len(kind) == 1 else None


#: by the field that tells the package
FITS: dict[str, tuple[Callable[[Data, str | None], Network], frozenset[str]]] = {
    "wts": (of_nnet, frozenset(
        ["n", "wts", "conn", "nsunits", "entropy", "softmax", "censored", "coefnames"])),
    "theta": (of_brnn, frozenset(["theta", "normalize", "x_base", "x_spread", "y_base", "y_spread"])),
    "weights": (of_neuralnet, frozenset(["weights", "act.fct", "err.fct", "linear.output"])),
}  # fmt: skip
