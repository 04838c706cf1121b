"""What Keras writes of a model, in JSON, as a chain of layers; nothing in it is executed."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Float
from fastmlp.model.activations import SOFTMAX

CHAINS = ("Sequential", "Functional", "Model")
SQUARED = ("mse", "mean_squared_error", "MeanSquaredError")
PRECISIONS = ("float32", "float64")
LARGEST = sys.float_info.max  #: integers of JSON may be larger


class Described(NamedTuple):
    """A layer: its class, what Keras says of it, and the group of its numbers."""

    name: str
    kind: str
    config: dict[str, Any]
    group: str = ""

    def __str__(self) -> str:
        return f"{self.kind:.100} {self.name[:100]!r}"

    def refuse(self, expected: str, got: Any) -> NoReturn:
        """ValueError that says where."""
        raise ValueError(f"path: expected {expected:.400} in layer {self}, got {f'{got}':.200}")

    def integer(self, key: str) -> int:
        """A number of at least 1."""
        value = self.config.get(key)
        if type(value) is not int or value < 1:
            self.refuse(f"{key} of at least 1", value)
        return value

    def number(self, key: str, default: float) -> float:
        """A finite number, plain or as an array."""
        value = self.config.get(key, default)
        value = _plain(default if value is None else value)
        if type(value) not in (int, float) or not abs(value) <= LARGEST:
            self.refuse(f"a finite number {key}", value)
        return float(value)

    def vector(self, key: str, n: int) -> Float:
        """A number, or one for each channel: plain, or an array as Keras writes it."""
        value = _plain(self.config.get(key))
        try:
            numbers: Float = np.asarray(value, np.float64).ravel()
        except (ValueError, TypeError, OverflowError):
            numbers = np.empty(0)
        if numbers.size not in (1, n) or not np.isfinite(numbers).all():
            self.refuse(f"{key}, a finite number or one for each of {n} channels", value)
        return numbers

    def extents(self, key: str, n_axes: int, default: int | None = None) -> tuple[int, ...]:
        """A number for all axes, or one for each."""
        value = self.config.get(key, default)
        values = [value] * n_axes if type(value) is int else value
        if not isinstance(values, list) or len(values) != n_axes or any(type(n) is not int or n < 1 for n in values):
            self.refuse(f"{key} of {n_axes} extents", value)
        return tuple(values)

    def sizes(self, value: Any) -> tuple[int | None, ...]:
        """A shape, in which None is not known."""
        if not isinstance(value, list) or not all(n is None or (type(n) is int and n >= -1) for n in value):
            self.refuse("a shape", value)
        return tuple(value)


def _plain(value: Any) -> Any:
    """A number or a list, also as Keras writes arrays; None where there is none."""
    config = value.get("config") if isinstance(value, dict) else None
    return config.get("value") if isinstance(config, dict) else None if isinstance(value, dict) else value


def layers_of(model: dict[str, Any], group: str = "") -> Iterator[Described]:
    """The layers of a model, one after the other; also of models within it.

    Raises
    ------
    ValueError
        If they are no chain, or of a class that is not Keras' own.
    """
    here = described(model)
    if here.kind not in CHAINS:
        here.refuse(f"one of {', '.join(CHAINS)}", here.kind)
    entries = here.config.get("layers")
    if not isinstance(entries, list) or not entries:
        here.refuse("a list of layers", "none")
    numbered, layers = Counter[str](), {}
    for entry in entries:
        layer = described(entry)
        stem, number = _snake_case(layer.kind), numbered[_snake_case(layer.kind)]
        numbered[stem] += 1
        layer = layer._replace(group=f"{group}layers/{stem}_{number}" if number else f"{group}layers/{stem}")
        if layer.name in layers:
            layer.refuse("layers of different names", "one that comes twice")
        layers[layer.name] = (layer, entry)
    names = list(layers) if here.kind == "Sequential" else _linked(here, {name: e for name, (_, e) in layers.items()})
    for name in names:
        layer, entry = layers[name]
        if layer.kind in CHAINS:
            yield from layers_of(entry, f"{layer.group}/")
        else:
            yield layer


def described(entry: Any) -> Described:
    """A layer of Keras' own classes."""
    config = entry.get("config") if isinstance(entry, dict) else None
    if not isinstance(config, dict) or not isinstance(entry.get("class_name"), str):
        raise ValueError(f"path: expected layers with class_name and config, got {check.shown(entry):.200}")
    layer = Described(str(config.get("name")), entry["class_name"], config)
    own = entry.get("module", "keras"), entry.get("registered_name")
    if not re.match(r"keras(\.|$)", str(own[0])) or own[1] not in (None, layer.kind):
        layer.refuse("a class of Keras' own", f"{own[0]}, registered as {own[1]}")
    _check_precision(layer)
    return layer


def precision(layer: Described) -> str | None:
    """In which type a layer computes, None if it does not say."""
    policy = layer.config.get("dtype")
    if isinstance(policy, dict):
        inner = policy.get("config")
        policy = inner.get("name", policy.get("class_name")) if isinstance(inner, dict) else policy
    return None if policy is None else str(policy)


def _check_precision(layer: Described) -> None:
    if layer.kind != "InputLayer" and precision(layer) not in (None, *PRECISIONS):
        layer.refuse(f"dtype {' or '.join(PRECISIONS)}", precision(layer))


def _linked(model: Described, entries: dict[str, Any]) -> list[str]:
    """Names from the input to the output, each layer called once, with the outputs of the one before."""
    first, last = _single(model, "input_layers"), _single(model, "output_layers")
    names = [last]
    while names[-1] != first:
        sources = _sources(entries.get(names[-1], {}))
        if len(sources) != 1 or sources[0] not in entries or sources[0] in names:
            got = ", ".join(sources) or "none"
            model.refuse(f"layers one after the other, with one input to {names[-1]!r}", got)
        names.append(sources[0])
    left = [name for name in entries if name not in names]
    if left:
        model.refuse("layers one after the other", f"others beside them: {', '.join(left)}")
    return names[::-1]


def _single(model: Described, key: str) -> str:
    """The layer of the one input, or output: ["name", 0, 0], maybe in a list."""
    found = model.config.get(key)
    while isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, list) or len(found) != 3 or not isinstance(found[0], str):
        model.refuse(f"one of {key}", found)
    return found[0]


def _sources(entry: Any) -> list[str]:
    """Of which layers a layer takes the outputs: tensors of Keras 3, lists [name, 0, 0, {}] of Keras 2."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            config = value.get("config")
            history = config.get("keras_history") if "class_name" in value and isinstance(config, dict) else None
            if isinstance(history, list) and history:
                yield str(history[0])
            elif "class_name" not in value:
                for each in value.values():
                    yield from walk(each)
        elif isinstance(value, list):
            if len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int):
                yield value[0]
            else:
                for each in value:
                    yield from walk(each)

    return list(walk(entry.get("inbound_nodes", [])))


def _snake_case(name: str) -> str:
    """As Keras makes names of classes: "LeakyReLU" is "leaky_re_lu"."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def loss_of(training: dict[str, Any], output: str) -> str | None:
    """The loss that a model was compiled with, where it is not what belongs to the outputs: a squared error."""
    loss = training.get("loss")
    name = loss.get("class_name") if isinstance(loss, dict) else loss
    return "squared_error" if name in SQUARED and output != SOFTMAX.name else None
