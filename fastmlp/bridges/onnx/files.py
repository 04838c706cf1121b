"""ONNX models in files, whose weights may lie in others beside them."""

from __future__ import annotations

import os
from math import prod
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp import replacement
from fastmlp._types import Array

EXTERNAL = 1  # TensorProto.DataLocation
SIZES = {1: 4, 11: 8, 6: 4, 7: 8, 9: 1, 8: 0}  # bytes of FLOAT, DOUBLE, INT32, INT64, BOOL; of text nobody knows
MOST_AXES = 32  # of a tensor
MOST = 1 << 31  # bytes of a file: protobuf has no longer messages


def load(onnx: Any, path: str) -> tuple[Any, str]:
    """The model, and the folder of what lies beside it."""
    content = replacement.read(path, MOST, "model")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # DecodeError, of a module that onnx may have from elsewhere
        raise ValueError(f"model: expected a file of ONNX, got another or a damaged one ({error})") from None
    if not model.HasField("graph") or not model.graph.node:
        raise ValueError("model: expected a file of ONNX with a graph of nodes, got one without")
    return model, os.path.dirname(os.path.abspath(path))


def array(onnx: Any, tensor: Any, folder: str | None) -> Array:
    """The numbers of a tensor.

    Raises
    ------
    ValueError
        If they are of another type, are not there, or lie outside of the folder.
    """
    name = check.shown(tensor.name)
    if len(tensor.dims) > MOST_AXES:
        raise ValueError(f"model: expected at most {MOST_AXES} axes in tensor {name}, got {len(tensor.dims)}")
    shape = tuple(tensor.dims)
    if tensor.data_type not in SIZES:
        known = dict(zip(onnx.TensorProto.DataType.values(), onnx.TensorProto.DataType.keys(), strict=True))
        got = known.get(tensor.data_type, tensor.data_type)
        raise ValueError(f"model: expected numbers of float32 or float64 in tensor {name}, got {got}")
    if any(each < 0 for each in shape):
        raise ValueError(f"model: expected a shape in tensor {name}, got {shape}")
    size = prod(shape) * SIZES[tensor.data_type]
    try:
        if tensor.data_location == EXTERNAL:
            content = _beside(tensor, folder, size)
            dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
            return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))
        return np.asarray(onnx.numpy_helper.to_array(tensor))
    except ValueError as error:
        raise ValueError(
            f"model: expected {size} bytes of numbers in tensor {name} of shape {shape}, got {error}"
        ) from None
    except (TypeError, OverflowError) as error:
        raise ValueError(f"model: expected numbers in tensor {name}, got {error}") from None


def n_bytes_beside(tensor: Any) -> int:
    """How many a tensor claims of another file."""
    is_beside = tensor.data_location == EXTERNAL and len(tensor.dims) <= MOST_AXES
    return abs(prod(tensor.dims)) * SIZES.get(tensor.data_type, 0) if is_beside else 0


def _beside(tensor: Any, folder: str | None, size: int) -> bytes:
    """So many bytes of a file in the folder of the model."""
    if folder is None:
        raise ValueError("data in another file; give the path of the model, or onnx.load it with its data")
    entries = {each.key: each.value for each in tensor.external_data}
    location, root = entries.get("location", ""), os.path.realpath(folder)
    path = os.path.realpath(os.path.join(root, location))
    if not location or os.path.isabs(location) or os.path.commonpath([root, path]) != root or not os.path.isfile(path):
        raise ValueError(f"data in {check.shown(location)}, which is no file in the folder of the model")
    offset, length = (int(entries.get(name, default)) for name, default in (("offset", 0), ("length", size)))
    if length != size or offset < 0 or offset + length > os.path.getsize(path):
        raise ValueError(f"{length} bytes from {offset} on of a file of {os.path.getsize(path)}")
    with replacement.opened(path) as file:
        return replacement.part(file, offset, length)
