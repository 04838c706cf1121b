"""Networks out of files of safetensors: 8 bytes with the length of a header, the header in JSON, the numbers.

Nothing in such a file is ever executed. Before a number is read, the header has to describe every byte once.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fastmlp import _memory, replacement
from fastmlp import _validation as check
from fastmlp._types import Array
from fastmlp.bridges.assembly import assembled, sizes
from fastmlp.model.activations import IDENTITY
from fastmlp.network.network import Network

MAX_HEADER = 1 << 22  #: bytes; those of a thousand layers take a tenth of a megabyte
MAX_NAME, MAX_AXES = 1000, 8
MAX_SIZE = 1 << 62
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}  #: BF16 is the upper half of F32
#: the last word of a name, and whether its rows are the inputs
KERNELS = {"weight": False, "kernel": True}


class Tensor(NamedTuple):
    """What the header says of a tensor."""

    name: str
    type: str
    shape: tuple[int, ...]
    start: int
    stop: int


def from_safetensors(
    path: str | os.PathLike[str],
    hidden: Any = None,
    output: str | None = None,
    order: Sequence[str] | None = None,
    loss: str | None = None,
) -> Network:
    """The network whose linear layers a file of safetensors holds.

    Parameters
    ----------
    path : str or path-like
        A file with "NAME.weight" (n_out, n_in), as PyTorch has them, or "NAME.kernel" (n_in, n_out), as Flax and Keras
        do, and "NAME.bias" (n_out,), if any, of each layer; a slash in place of the dot will do.
    hidden : str or sequence of str, optional
        Activations of the hidden layers, of which the file does not tell.
    output : str, optional
        That of the outputs, identity by default; what belongs to the loss, as softmax to a cross-entropy of logits.
    order : sequence of str, optional
        Names of the layers, first to last. Where names differ by their numbers only ("0", "2.1", "10"; "fc1", "fc2"),
        these are their order by default; the file itself has none.
    loss : str, optional
        As for `Network`.

    Returns
    -------
    Network
        In the widest type of the tensors, which keep their values to the last bit; float16 and bfloat16 become
        float32.

    Raises
    ------
    OSError
        If the file cannot be opened.
    TypeError, ValueError
        If it is none of safetensors, or damaged; if it has other tensors than those of linear layers, of another type,
        or with numbers that are not finite; if their order is not told. The message has the name of the tensor.

    Notes
    -----
    safetensors is not needed. Memory is that of the network and of one of its tensors.

    Examples
    --------
    >>> import json, pathlib, tempfile, numpy as np, fastmlp
    >>> W, b = np.array([[1.0, -1.0]]), np.array([0.5])
    >>> header = json.dumps({
    ...     "0.weight": {"dtype": "F64", "shape": [1, 2], "data_offsets": [0, 16]},
    ...     "0.bias": {"dtype": "F64", "shape": [1], "data_offsets": [16, 24]},
    ... }).encode()
    >>> with tempfile.TemporaryDirectory() as folder:  # safetensors.torch.save_file(module.state_dict(), path)
    ...     path = pathlib.Path(folder, "net.safetensors")
    ...     n_bytes = path.write_bytes(len(header).to_bytes(8, "little") + header + W.tobytes() + b.tobytes())
    ...     fastmlp.from_safetensors(path, output="logistic")
    Network([2, 1], hidden=[], output='logistic', loss='binary_cross_entropy', dtype='float64')
    """
    name = check.path(path)
    with replacement.opened(name) as file:
        start, tensors = _header(file, name)
        layers = _layers(tensors, order, name)
        if hidden is None and len(layers) > 1:
            raise ValueError(f"hidden: expected the activations of {len(layers) - 1} hidden layers, got None")
        dtype = np.result_type(*(_number_type(each) for each in tensors.values()))
        weights = [_numbers(file, start, kernel, dtype, name) for kernel, _ in layers]
        biases = [bias and _numbers(file, start, bias, dtype, name) for _, bias in layers]
    weights = [W.T if _is_turned(kernel) else W for W, (kernel, _) in zip(weights, layers, strict=True)]
    hidden = [] if len(layers) == 1 and hidden is None else hidden
    return assembled(
        sizes(weights), weights, biases, hidden, IDENTITY.name if output is None else output, loss, argument="path"
    )


# ---- the header ----


def _header(file: BinaryIO, path: str) -> tuple[int, dict[str, Tensor]]:
    """Where the numbers begin, and the tensors, which fill the rest of the file without gaps."""
    size = replacement.regular(file)
    length = int.from_bytes(replacement.part(file, 0, 8), "little")
    if not 2 <= length <= min(size - 8, MAX_HEADER):
        raise ValueError(
            f"path: expected a file of safetensors, whose header of 2 to {MAX_HEADER} bytes it holds, got the length "
            f"{length} in {path} of {size} bytes"
        )
    tensors = [_tensor(*each, path) for each in _described(replacement.part(file, 8, length), path)]
    at = 0
    for each in sorted(tensors, key=lambda each: (each.start, each.stop)):
        if each.start != at:
            raise ValueError(
                f"path: expected {each.name} of {path} to begin at byte {at} of the data, got {each.start}"
            )
        at = each.stop
    if at != size - 8 - length:
        raise ValueError(f"path: expected {at} bytes of data in {path}, as its header says, got {size - 8 - length}")
    return 8 + length, {each.name: each for each in tensors}


def _described(header: bytes, path: str) -> list[tuple[str, Any]]:
    """Names and what is said of them, but for the metadata."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError(f"a name that comes twice among {_shown([name for name, _ in pairs])}")
        return dict(pairs)

    try:
        found = _memory.late("json").loads(header.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are such
        raise ValueError(f"path: expected a header of safetensors in JSON in {path}, got {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"path: expected names of tensors in the header of {path}, got {_shown(found)}")
    return [(name, said) for name, said in found.items() if name != "__metadata__"]


def _tensor(name: str, said: Any, path: str) -> Tensor:
    """What is said of a tensor, if it is what the format has."""
    if len(name) > MAX_NAME:
        raise ValueError(f"path: expected names of at most {MAX_NAME} letters in {path}, got {len(name)}")
    if not isinstance(said, dict) or set(said) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"path: expected dtype, shape and data_offsets of {name} in {path}, got {_shown(said)}")
    kind, shape, offsets = said["dtype"], said["shape"], said["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise ValueError(f"path: expected one of the types {', '.join(TYPES)} in {name} of {path}, got {_shown(kind)}")
    if not _are_sizes(shape) or len(shape) > MAX_AXES:
        raise ValueError(
            f"path: expected a shape of at most {MAX_AXES} extents of {name} in {path}, got {_shown(shape)}"
        )
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise ValueError(f"path: expected where {name} of {path} begins and ends, got data_offsets {_shown(offsets)}")
    n_bytes = math.prod(shape) * np.dtype(TYPES[kind]).itemsize
    if offsets[1] - offsets[0] != n_bytes:
        raise ValueError(
            f"path: expected {n_bytes} bytes of {name} in {path}, for {kind} of shape {tuple(shape)}, "
            f"got data_offsets {offsets}"
        )
    return Tensor(name, kind, tuple(shape), *offsets)


def _shown(value: Any) -> str:
    """The beginning of it: a header may be long."""
    return f"{check.shown(value):.300}"


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(each) is int and 0 <= each < MAX_SIZE for each in values)


# ---- the layers ----


def _layers(tensors: Mapping[str, Tensor], order: Any, path: str) -> list[tuple[Tensor, Tensor | None]]:
    """Weights and biases of each layer, first to last, that fit each other."""
    kernels: dict[str, Tensor] = {}
    left = dict(tensors)
    for name, each in tensors.items():
        place, word = _parted(name)
        if word in KERNELS and len(each.shape) == 2 and 0 not in each.shape:
            if place in kernels:
                raise ValueError(
                    f"path: expected one matrix of {place} in {path}, got {kernels[place].name} and {name}"
                )
            kernels[place] = left.pop(name)
    if not kernels:
        names = ", ".join(tensors) or "none"
        raise ValueError(f"path: expected matrices NAME.weight or NAME.kernel in {path}, got {names:.500}")
    biases = {
        place: left.pop(kernel.name.removesuffix(_parted(kernel.name)[1]) + "bias", None)
        for place, kernel in kernels.items()
    }
    if left:
        names = ", ".join(f"{each.name} {each.shape}" for each in left.values())
        raise ValueError(
            f"path: expected weights of two axes and biases of linear layers only in {path}, got {names:.500}"
        )
    layers = [(kernels[place], biases[place]) for place in _in_order(kernels, order)]
    before = 0
    for kernel, bias in layers:
        n_out, n_in = kernel.shape[::-1] if _is_turned(kernel) else kernel.shape
        if before not in (0, n_in):
            raise ValueError(
                f"path: expected {before} inputs in {kernel.name} of {path}, as many as units before it, got {n_in}; "
                "`order` has the names of the layers, first to last"
            )
        if bias is not None and bias.shape != (n_out,):
            raise ValueError(f"path: expected shape ({n_out},) of {bias.name} in {path}, got {bias.shape}")
        before = n_out
    return layers


def _parted(name: str) -> tuple[str, str]:
    """The name of a layer, and what it has by this name."""
    *place, word = re.split(r"[./]", name)
    return ".".join(place), word


def _is_turned(kernel: Tensor) -> bool:
    return KERNELS[_parted(kernel.name)[1]]


def _in_order(kernels: Mapping[str, Tensor], order: Any) -> list[str]:
    """Names of layers as `order` has them, or by their numbers, if nothing else tells them apart."""
    if order is not None:
        given = check.sequence(order, "order", "names of layers, first to last")
        if sorted(map(str, given)) != sorted(kernels):
            raise ValueError(f"order: expected each of {_found(kernels)} once, got {_shown(given)}")
        return [str(each) for each in given]
    numbers = {place: [(len(n), n) for n in map(_stripped, re.findall("[0-9]+", place))] for place in kernels}
    stems = {re.sub(r"[0-9]+(\.[0-9]+)*", "#", place) for place in kernels}  # 2.0, 2.1 are within 2
    if len(stems) > 1 or len(set(map(tuple, numbers.values()))) < len(numbers):
        raise ValueError(f"order: expected the names of the layers, first to last, of {_found(kernels)}, got None")
    return sorted(kernels, key=lambda place: numbers[place])


def _stripped(number: str) -> str:
    """Without zeros in front, so that lengths and then digits are in the order of the numbers, however long."""
    return number.lstrip("0")


def _found(kernels: Mapping[str, Tensor]) -> str:
    return f"{', '.join(f'{place!r} {each.shape}' for place, each in kernels.items()):.1000}"


# ---- the numbers ----


def _number_type(tensor: Tensor) -> Any:
    return np.float64 if tensor.type == "F64" else np.float32


def _numbers(file: BinaryIO, start: int, tensor: Tensor, dtype: Any, path: str) -> Array:
    """Those of a tensor, in another type that holds them exactly."""
    content = replacement.part(file, start + tensor.start, tensor.stop - tensor.start)
    if len(content) != tensor.stop - tensor.start:
        raise ValueError(f"path: expected a file that stays as it is, got {path}, which was cut off meanwhile")
    numbers = np.frombuffer(content, TYPES[tensor.type])
    if tensor.type == "BF16":
        numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError(f"path: expected finite numbers in {tensor.name} of {path}, got others")
    return numbers.astype(dtype).reshape(tensor.shape)
