"""Networks of MATLAB out of .mat files: NETLAB's structs, and the constants of functions that `genFunction` writes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastmlp import _sets
from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import Float
from fastmlp.bridges.assembly import assembled, sizes
from fastmlp.bridges.mat import files
from fastmlp.model.activations import IDENTITY
from fastmlp.network.network import Network

NETLAB = {"linear": "identity", "logistic": "logistic", "softmax": "softmax"}
FIRST, WEIGHTS = "IW1_1", re.compile(r"[IL]W\d+_\d+|b\d+")
MOST_WEIGHTS = 1 << 26  #: of a matrix, those of inputs that removeconstantrows has left out counted
FORGETFUL = "which constants do not tell ('tanh' is tansig, 'logistic' logsig, 'identity' purelin, 'relu' poslin)"


@quiet
def from_mat(
    path: str | os.PathLike[str],
    *,
    variable: str | None = None,
    hidden: str | Sequence[str] | None = None,
    output: str | None = None,
) -> Network:
    """The network in a .mat file: a struct of NETLAB, or constants of a function that MATLAB's genFunction has written.

    Parameters
    ----------
    path : str or path-like
        Saved with ``save('-v7', ...)``, or -v6, by MATLAB or Octave.
    variable : str, optional
        Where the network is, if the file has several: "net", a field "model.net", one of a struct array "nets(2)", or
        of a cell "nets{2}"; "" for the variables themselves.
    hidden, output : str, or for `hidden` a sequence of them, optional
        Activations, of which constants do not tell; NETLAB's structs do.

    Returns
    -------
    Network
        In float64. Of constants, with the maps of inputs and targets folded into its weights: it takes and gives the
        data's own units. Its samples are rows.

    Raises
    ------
    TypeError, ValueError
        If there is no such network, or several; if the file is of version 7.3 (HDF5), too large or damaged; if
        constants have other connections than from layer to layer, or maps that are not known; if activations are
        missing.
    OSError
        If the file cannot be read.

    Notes
    -----
    A NETLAB struct has `type` 'mlp' (tanh hidden units: w1, b1, w2, b2) or 'glm' (w1, b1), with w1 (n_in, n_out), and
    `outfn`. Constants are b1, IW1_1, b2, LW2_1, ... with matrices (n_out, n_in), and structs x1_step1, x1_step2, ...,
    y1_step1, ..., whose fields tell what they do: `xoffset`, `gain` and `ymin` (mapminmax), x' = (x - xoffset) gain +
    ymin; the same with `ymean` (mapstd); `keep` (removeconstantrows).

    Examples
    --------
    >>> import fastmlp, numpy as np, scipy.io, tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "net.mat")
    >>> scipy.io.savemat(path, {"IW1_1": [[2.0, 0.5]], "b1": [[1.0]]})
    >>> fastmlp.from_mat(path, output="identity")([[1.0, 2.0]])
    array([[4.]])
    >>> folder.cleanup()
    """
    if hidden is not None and not isinstance(hidden, str):
        hidden = check.sequence(hidden, "hidden", "activations")
    contents = files.read(check.path(path))
    found = _chosen(dict(_networks("", contents)), variable)
    if FIRST in found:
        return _of_constants(found, hidden, output)
    for name, given in (("hidden", hidden), ("output", output)):
        if given is not None:
            raise ValueError(f"{name}: expected None, as NETLAB's structs tell it, got {check.shown(given)}")
    return _of_netlab(found)


def _networks(name: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All structs with weights, by what they are called in MATLAB."""
    if isinstance(value, dict):
        if FIRST in value or {"w1", "b1"} <= set(value):
            yield name, value
        for field, each in value.items():
            yield from _networks(f"{name}.{field}".lstrip("."), each)
    elif isinstance(value, files.Several):
        for place, each in enumerate(value.items, 1):
            yield from _networks(f"{name}{value.brackets[0]}{place}{value.brackets[1]}", each)


def _chosen(networks: Mapping[str, Mapping[str, Any]], variable: str | None) -> Mapping[str, Any]:
    if not networks:
        raise ValueError(
            "path: expected a struct of NETLAB, with w1 and b1, or constants IW1_1 and b1, got none of them; save of a "
            "network object IW1_1 = net.IW{1,1}, b1 = net.b{1}, LW2_1 = net.LW{2,1}, b2 = net.b{2}, x1_step1 = "
            "net.inputs{1}.processSettings{1}, ..., y1_step1 = net.outputs{2}.processSettings{1}, ..."
        )
    some = list(networks)[:20]
    if variable is None:
        if len(networks) > 1:
            names = ", ".join(map(repr, some))
            raise ValueError(f"variable: expected one of {names}, as the file has several networks, got None")
        return networks[some[0]]
    if isinstance(variable, str) and str.__str__(variable) in networks:
        return networks[str.__str__(variable)]
    return networks[check.choice(variable, "variable", some)]


def _of_netlab(net: Mapping[str, Any]) -> Network:
    kind, output = (net.get(field) for field in ("type", "outfn"))
    if kind not in ("mlp", "glm"):
        raise ValueError(f"path: expected type mlp or glm of a NETLAB struct, got {check.shown(kind)}")
    if output is None:  # as in 1998
        output = net.get("actfn")
    if not isinstance(output, str) or output not in NETLAB:
        raise ValueError(f"path: expected outfn {', '.join(NETLAB)} of a NETLAB struct, got {check.shown(output)}")
    layers = (1, 2) if kind == "mlp" else (1,)
    weights = [_matrix(net, f"w{layer}").T for layer in layers]
    biases = [_vector(net, f"b{layer}", len(W)) for layer, W in zip(layers, weights, strict=True)]
    return assembled(
        sizes(weights), weights, biases, ["tanh"] * (len(layers) - 1), NETLAB[output], None, argument="path"
    )


def _of_constants(net: Mapping[str, Any], hidden: Any, output: Any) -> Network:
    n_layers = 1
    while f"LW{n_layers + 1}_{n_layers}" in net:
        n_layers += 1
    names = [FIRST, *(f"LW{layer + 1}_{layer}" for layer in range(1, n_layers))]
    known = [*names, *(f"b{layer}" for layer in range(1, n_layers + 1))]
    others = [name for name in net if WEIGHTS.fullmatch(name) and name not in known]
    if others:
        raise ValueError(f"path: expected connections from each layer to the next, {', '.join(known)}, got {others[0]}")
    weights = [_matrix(net, name) for name in names]
    biases = [_vector(net, name, len(W)) if name in net else np.zeros(len(W))
              for name, W in zip(known[n_layers:], weights, strict=True)]  # fmt: skip
    if hidden is None and n_layers > 1:
        raise ValueError(f"hidden: expected activations of {n_layers - 1} hidden layers, {FORGETFUL}, got None")
    if output is None:
        raise ValueError(f"output: expected the activation of the outputs, {FORGETFUL}, got None")
    for name, step in reversed(_steps(net, "x1")):
        weights[0], biases[0] = _before(weights[0], biases[0], name, step)
    for name, step in reversed(_steps(net, "y1")):
        if output != IDENTITY.name:
            raise ValueError(f"output: expected 'identity' behind which {name} is folded, got {check.shown(output)}")
        weights[-1], biases[-1] = _behind(weights[-1], biases[-1], name, step)
    return assembled(sizes(weights), weights, biases, hidden or [], output, None, argument="path")


def _steps(net: Mapping[str, Any], side: str) -> list[tuple[str, dict[str, Any]]]:
    """What is done to inputs (x1) or targets (y1), in MATLAB's order; until 2015 x1_step1_gain was a variable."""
    steps: dict[int, dict[str, Any]] = {}
    for name, value in net.items():
        found = re.fullmatch(rf"{side}_step(\d{{1,3}})(?:_(\w+))?", name)
        if found:
            place, field = int(found[1]), found[2]
            if not field and not isinstance(value, dict):
                raise ValueError(f"path: expected a struct {name}, got {type(value).__name__}")
            steps.setdefault(place, {}).update({field: value} if field else value)
    return [(f"{side}_step{place}", steps[place]) for place in sorted(steps)]


def _before(W: Float, b: Float, name: str, step: dict[str, Any]) -> tuple[Float, Float]:
    """W and b that take x, of those that take x' = (x - offset) gain + base, or some of x."""
    if "keep" not in step:
        offset, gain, base = _map(name, step, W.shape[1])
        return W * gain, b + W @ (base - gain * offset)
    keep = _vector(step, "keep", W.shape[1], name)
    n_inputs = (
        int(_vector(step, "xrows", 1, name)[0]) if "xrows" in step else len(keep) + np.size(step.get("remove", ()))
    )
    if not ("xrows" in step or "remove" in step):
        raise ValueError(f"path: expected {name}.xrows, the number of inputs, beside {name}.keep, got none")
    in_order = np.array_equal(_sets.unique(keep), keep) and np.array_equal(np.floor(keep), keep)
    if not in_order or keep[0] < 1 or keep[-1] > n_inputs or len(W) * n_inputs > MOST_WEIGHTS:
        raise ValueError(f"path: expected {name}.keep to be some of {n_inputs} inputs, 1 the first, got others")
    wide = np.zeros((len(W), n_inputs))
    wide[:, keep.astype(int) - 1] = W
    return wide, b


def _behind(W: Float, b: Float, name: str, step: dict[str, Any]) -> tuple[Float, Float]:
    """W and b that give y, of those that give y' = (y - offset) gain + base."""
    offset, gain, base = _map(name, step, len(W))
    return W / gain[:, np.newaxis], (b - base) / gain + offset


def _map(name: str, step: dict[str, Any], n: int) -> tuple[Float, Float, Float]:
    """offset, gain and base of mapminmax or mapstd."""
    bases = [each for each in ("ymin", "ymean") if each in step]
    if not {"xoffset", "gain"} <= set(step) or len(bases) != 1:
        raise ValueError(
            f"path: expected {name} with xoffset, gain and ymin (mapminmax) or ymean (mapstd), or with keep "
            f"(removeconstantrows, of inputs), got {', '.join(list(step)[:20]) or 'no fields'}"
        )
    offset, gain = (_vector(step, each, n, name) for each in ("xoffset", "gain"))
    base = _vector(step, bases[0], 1, name)
    if not gain.all():
        raise ValueError(f"path: expected {name}.gain other than 0, got 0")
    return offset, gain, np.broadcast_to(base, n)


def _matrix(net: Mapping[str, Any], name: str) -> Float:
    value = _array(net, name, name)
    if value.ndim != 2 or not value.size:
        raise ValueError(f"path: expected a matrix {name}, got shape {value.shape}")
    return value


def _vector(net: Mapping[str, Any], name: str, size: int, of: str = "") -> Float:
    """So many numbers, in a row or a column."""
    shown = f"{of}.{name}".lstrip(".")
    value = _array(net, name, shown)
    if value.size != size or max(value.shape) != size:
        raise ValueError(f"path: expected {size} numbers {shown}, got shape {value.shape}")
    return value.ravel()


def _array(net: Mapping[str, Any], name: str, shown: str) -> Float:
    value = net.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind == "b":
        kind = value.kind if isinstance(value, files.Other) else type(value).__name__
        raise ValueError(f"path: expected numbers {shown}, got {'none' if value is None else kind}")
    return check.real_array(value, f"path: {shown}", np.float64)
