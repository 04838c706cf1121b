"""PyTorch's modules, one after the other, as a list of layers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from math import prod
from typing import Any, NamedTuple

from fastmlp._types import Array
from fastmlp.bridges.assembly import shortest
from fastmlp.bridges.torch.layers import CONVS, PADS, POOLS, UNITS, array_of, joined, unit_class
from fastmlp.model.activations import IDENTITY, SOFTMAX
from fastmlp.model.convolution import Conv, Windowed
from fastmlp.model.layers import Dense, Kind, Shape

DROPOUT = ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "Dropout1d", "Dropout2d")
#: attributes of convolutions and pools, and the values that are ours
PLAIN: dict[str, tuple[Any, ...]] = {
    "groups": (1,), "dilation": (1, (1,), (1, 1)), "padding_mode": ("zeros",), "ceil_mode": (False,),
    "return_indices": (False,), "divisor_override": (None,), "transposed": (False,),
}  # fmt: skip

Zeros = tuple[tuple[int, int], ...]  # before and after the inputs, along each axis


class Found(NamedTuple):
    """A layer, its weights and biases if any, and what activation follows."""

    place: str
    kind: Kind
    W: Array | None = None
    b: Array | None = None
    activation: str | None = None
    n_axes: int = 0  #: of maps
    zeros: Zeros | None = None  #: where they are given as numbers


class Reading:
    """Modules on the way through a sequence: the layers so far, and what passes from one to the next."""

    def __init__(self, torch: Any) -> None:
        from fastmlp.bridges import torch_modules

        self.nn, self.own = torch.nn, torch_modules
        self.found: list[Found] = []
        self.shape: Shape | None = None  # of the inputs
        self.maps: bool | None = None  # whether samples have several axes here; None: who knows
        self.zeros: Zeros | None = None  # around the inputs of the convolution that comes

    def take(self, place: str, module: Any) -> None:
        """The next module.

        Raises
        ------
        TypeError, ValueError
            If it has no counterpart, or cannot be here.
        """
        name = f"{type(module).__name__} {place}".strip()
        is_conv = type(module) is self.own.Local or self._is_one_of(module, CONVS)
        if self.zeros is not None and not is_conv:
            raise ValueError(f"module: expected a convolution behind zeros, got {name}")
        if isinstance(module, self.nn.Linear):
            self._need(False, name)
            W, b = _numbers(module, place)
            self.found.append(Found(place, Dense(len(W)), W, b))
        elif is_conv:
            self._need(True, name)
            self._take_convolution(place, module, name)
        elif self._is_one_of(module, sum(POOLS.values(), ())):
            self._need(True, name)
            self._take_pool(place, module, name)
        elif self._is_one_of(module, PADS):
            self._need(True, name)
            pads = module.padding  # left, right, top, bottom
            self.zeros = tuple(zip(pads[-2::-2], pads[-1::-2], strict=True))
        elif self._is_one_of(module, ("Flatten", "Unflatten")):
            self._reshape(module, name)
        elif type(module) is self.own.PositionBias:
            self._take_biases(place, module, name)
        elif not (self._is_one_of(module, ("Identity",)) or (self._is_one_of(module, DROPOUT) and not module.training)):
            self._take_activation(module, name)

    def _take_convolution(self, place: str, module: Any, name: str) -> None:
        _check_plain(module, name)
        W, b = _numbers(module, place)
        n_axes, zeros, padding = len(module.stride), self.zeros, getattr(module, "padding", "valid")
        if not isinstance(padding, str) and any(padding):
            around = zeros or ((0, 0),) * n_axes
            zeros = tuple([(a + n, b + n) for (a, b), n in zip(around, padding, strict=True)])
        kind = Conv(
            len(W), shortest(W.shape[-n_axes:]), shortest(module.stride), "same" if padding == "same" else "valid",
            None if b is None else "channel", type(module) is not self.own.Local,
        )  # fmt: skip
        self.found.append(Found(place, kind, W, b, n_axes=n_axes, zeros=zeros))
        self.zeros = None

    def _take_pool(self, place: str, module: Any, name: str) -> None:
        _check_plain(module, name)
        cls, n_axes = next(
            (cls, names.index(type(module).__name__) + 1)
            for cls, names in POOLS.items()
            if type(module).__name__ in names
        )
        size, stride, padding = (
            (value,) * n_axes if isinstance(value, int) else tuple(value)
            for value in (module.kernel_size, module.stride, module.padding)
        )
        if stride != size or any(padding):
            raise ValueError(
                f"module: expected windows side by side, without zeros, in {name}, got kernel_size "
                f"{module.kernel_size}, stride {module.stride}, padding {module.padding}"
            )
        self.found.append(Found(place, cls(shortest(size)), n_axes=n_axes))

    def _take_biases(self, place: str, module: Any, name: str) -> None:
        last = self.found[-1] if self.found else None
        if last is None or not isinstance(last.kind, Conv) or last.kind.bias is not None or last.activation:
            raise ValueError(f"module: expected a convolution without biases before {name}")
        b = array_of(module.bias, joined(place, "bias"))
        self.found[-1] = last._replace(kind=replace(last.kind, bias="position"), b=b)

    def _take_activation(self, module: Any, name: str) -> None:
        activation = _activation(self.nn, module)
        last = self.found[-1] if self.found else None
        if last is not None and not last.kind.has_activation:
            raise ValueError(f"module: expected activations before pools, got {name} behind one")
        if last is None or last.activation is not None:
            raise ValueError(f"module: expected a linear layer before {type(module).__name__}, got none")
        if activation == SOFTMAX.name and self.maps:
            raise ValueError(f"module: expected Flatten before {name}, got none")
        self.found[-1] = last._replace(activation=activation)

    def _reshape(self, module: Any, name: str) -> None:
        """Flatten, anywhere, and Unflatten, in front."""
        if type(module) is self.nn.Flatten:
            if module.start_dim != 1 and (module.start_dim != -1 or self.maps):
                raise ValueError(f"module: expected Flatten with start_dim 1, got {module.start_dim}")
            self.maps = False
        elif self.found or module.dim != 1:
            raise ValueError(f"module: expected Unflatten in front only, and with dim 1, got {name}")
        else:
            self.shape, self.maps = tuple(module.unflattened_size), True

    def _need(self, maps: bool, name: str) -> None:
        """Refuse rows where maps are needed, and the other way round."""
        if self.maps is (not maps):
            raise ValueError(f"module: expected {'Unflatten' if maps else 'Flatten'} before {name}, got none")
        self.maps = maps

    def _is_one_of(self, module: Any, names: Sequence[str]) -> bool:
        return _is_one_of(self.nn, module, names)


def read(torch: Any, module: Any) -> Reading:
    """All modules of a sequence, also of sequences within it."""
    reading = Reading(torch)
    for place, each in _flat(torch.nn, module, ""):
        reading.take(place, each)
    return reading


def _numbers(module: Any, place: str) -> tuple[Array, Array | None]:
    W = array_of(module.weight, joined(place, "weight"))
    return W, None if module.bias is None else array_of(module.bias, joined(place, "bias"))


def _is_one_of(nn: Any, module: Any, names: Sequence[str]) -> bool:
    """Whether it is of one of PyTorch's classes, no subclass."""
    return type(module) in [getattr(nn, name, None) for name in names]


def _activation(nn: Any, module: Any) -> str:
    """Name of the activation that a module is."""
    for name, (_, attributes) in UNITS.items():
        if type(module) is unit_class(nn, name):
            for attribute, values in attributes.items():
                if getattr(module, attribute) not in values:
                    wanted = f"{type(module).__name__} with {attribute} {' or '.join(map(str, values))}"
                    raise ValueError(f"module: expected {wanted}, got {getattr(module, attribute)}")
            return name
    if _is_one_of(nn, module, DROPOUT):
        raise ValueError("module: expected no dropout, or .eval(), in which it does nothing, got it in training mode")
    raise TypeError(
        "module: expected nn.Sequential of Linear, Conv1d or Conv2d, pools and activations, or a state dict, "
        f"got {type(module).__module__}.{type(module).__name__}"
    )


def _flat(nn: Any, module: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The modules of a sequence, also of sequences within it, with their names."""
    if isinstance(module, nn.Module):
        _refuse_changes(nn, module, place)
    if isinstance(module, nn.Sequential):
        for name, each in module._modules.items():  # named_children() leaves out what comes twice
            yield from _flat(nn, each, f"{place}.{name}".lstrip("."))
    else:
        yield place, module


def _refuse_changes(nn: Any, module: Any, place: str) -> None:
    """TypeError where a sequence or a layer does something else than its class, or something besides."""
    what = f"{type(module).__name__} {place}".strip()
    own = next((cls for cls in (nn.Sequential, nn.Linear) if isinstance(module, cls)), None)
    changed = list(getattr(module, "parametrizations", ()))
    if changed:
        raise TypeError(
            f"module: expected plain weights, got a parametrization of {', '.join(changed)} in {what}; "
            "torch.nn.utils.parametrize.remove_parametrizations leaves their values"
        )
    if (own and type(module).forward is not own.forward) or "forward" in vars(module):
        raise TypeError(f"module: expected layers without a forward of their own, got one in {what}")
    hooks = [hook for kind in ("_forward_pre_hooks", "_forward_hooks") for hook in vars(module).get(kind, {}).values()]
    if hooks:
        names = ", ".join(getattr(hook, "__name__", type(hook).__name__) for hook in hooks)
        raise TypeError(
            f"module: expected layers without hooks, got {names} in {what}; remove it (weight_norm and the like by "
            "torch.nn.utils.remove_weight_norm, pruning by torch.nn.utils.prune.remove)"
        )


def _check_plain(module: Any, name: str) -> None:
    """ValueError where an attribute makes something of a module that our layers are not."""
    for attribute, values in PLAIN.items():
        value = getattr(module, attribute, values[0])
        if value not in values:
            raise ValueError(f"module: expected {attribute} {values[0]} in {name}, got {value}")


# ---- the list of layers ----


def specified(found: Sequence[Found], shape: Shape | None) -> list[Any]:
    """The list that `Network` takes, for inputs of this shape; None: of the shape that fits.

    Raises
    ------
    ValueError
        If none fits, or if zeros lie otherwise than ours.
    """
    shape = shape or _fitting(found)
    layers: list[Any] = [shape if len(shape) > 1 else shape[0]]
    for each in found:
        kind = _around(each)
        if each.zeros is not None and isinstance(kind, Conv):
            windows = kind.windows(shape)
            places = zip(each.zeros, _extents(each, shape), strict=True)
            if [(w.before, w.n) for w in windows] != [(before, n) for (before, _), n in places]:
                wanted = tuple([(w.before, w.after) for w in windows])
                raise ValueError(
                    f"module: expected zeros before and after the inputs of convolution {each.place} as padding='same' "
                    f"has them, {wanted} along the axes, got {each.zeros}"
                )
        shape = kind.after(shape, IDENTITY).outputs
        layers.append(kind.n_units if isinstance(kind, Dense) else kind)
    return layers


def _around(each: Found) -> Kind:
    """Its kind, with zeros if there are any."""
    return replace(each.kind, padding="same") if each.zeros is not None else each.kind  # type: ignore[call-arg]


def _extents(each: Found, shape: Shape) -> Shape:
    """Of the maps behind a layer, by PyTorch's rule."""
    kind = _around(each)
    assert isinstance(kind, Windowed)
    windows = kind.windows(shape)
    if each.zeros is None:
        return tuple([w.n for w in windows])
    return tuple(
        [(n + sum(zeros) - w.size) // w.stride + 1 for n, w, zeros in zip(shape[1:], windows, each.zeros, strict=True)]
    )


def _fitting(found: Sequence[Found]) -> Shape:
    """The shape of the inputs: the smallest square, or shortest signal, that leaves the linear layer its inputs."""
    maps = list(takewhile(lambda each: each.n_axes, found))
    channels = [each.W.shape for each in maps if each.W is not None]
    linear = found[len(maps)].W if len(maps) < len(found) else None
    if not maps and linear is not None:
        return (linear.shape[1],)
    n_axes = maps[0].n_axes
    if linear is None or not channels:
        expected = "(channels, height, width)" if n_axes == 2 else "(channels, length)"
        raise ValueError(f"shape: expected {expected} of the inputs, which the modules do not tell, got None")
    n_inputs = linear.shape[1]

    def units(n: int) -> int:
        """Behind the maps; 0 if a window does not fit."""
        shape: Shape = (1,) + (n,) * n_axes
        for each in maps:
            try:
                shape = (1, *_extents(each, shape))
            except ValueError:
                return 0
        return int(channels[-1][0]) * prod(max(extent, 0) for extent in shape[1:])

    n = 1 + bisect_left(range(1, n_inputs + 2**20), n_inputs, key=units)
    if units(n) != n_inputs:
        what = "square images" if n_axes == 2 else "signals"
        raise ValueError(f"shape: expected that of the inputs, as {what} leave no {n_inputs} units, got None")
    return (channels[0][-1 - n_axes], *(n,) * n_axes)
