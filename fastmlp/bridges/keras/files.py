"""Files of Keras: what a model is made of, in JSON, and its numbers, in HDF5.

`.keras` is a zip with `config.json` and `model.weights.h5`, in which groups are named by classes ("dense", "dense_1");
`.h5` is one file of HDF5 with the JSON in an attribute, and groups named as layers are. Nothing in them is executed, no
other file is read, and none takes more memory than a few times its own size.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fastmlp import _memory, replacement
from fastmlp import _validation as check
from fastmlp._types import Array
from fastmlp.bridges.keras import hdf5

CONFIG, WEIGHTS = "config.json", "model.weights.h5"  #: members of the zip
ZIP = b"PK"  #: what it begins with
MAX_CONFIG = 1 << 22  #: bytes; a layer takes a thousand
MAX_FILE = 1 << 32
MOST_PACKED = 20  #: how many times as long as the zip its numbers may be; Keras does not compress them
ENDING = 22 + (1 << 16)  #: longest end of a zip, after the list of its members

Wanted = tuple[int | None, ...]
OfLayer = Callable[[hdf5.Node, str, str], list[hdf5.Node]]


class Stored(NamedTuple):
    """A model: what it is made of, how it was trained, and where its numbers are."""

    config: dict[str, Any]
    training: dict[str, Any]
    numbers: Numbers


class Numbers:
    """The arrays of layers."""

    def __init__(self, root: hdf5.Node, path: str, of_layer: OfLayer) -> None:
        self._root, self._path, self._of_layer = root, path, of_layer

    def of(self, layer: str, group: str, shapes: Sequence[Wanted], beside: int = 0) -> list[Array]:
        """Those of a layer: as many arrays as there are shapes, in which None is any extent; `beside` more are left.

        Raises
        ------
        ValueError
            If there are others, or numbers that are not finite.
        """
        what = f"arrays of {layer:.100}"
        with _sound(self._path, what):
            found = self._of_layer(self._root, layer, group)
        if len(found) != len(shapes) + beside:
            raise ValueError(f"path: expected {len(shapes) + beside} {what} in {self._path}, got {len(found)}")
        with _sound(self._path, what):
            datasets = [each.dataset for each in found[: len(shapes)]]
        for dataset, wanted in zip(datasets, shapes, strict=True):
            shape = dataset.shape
            fits = len(shape) == len(wanted) and all(b in (None, a) for a, b in zip(shape, wanted, strict=True))
            if not fits or 0 in shape or dataset.dtype is None:
                expected = f"({', '.join('n' if each is None else str(each) for each in wanted)})"
                raise ValueError(
                    f"path: expected {what} of float32 or float64 and of shape {expected:.100} in {self._path}, "
                    f"got {np.dtype(dataset.dtype).name if dataset.dtype else 'other numbers'}, {shape}"
                )
        with _sound(self._path, what):
            arrays = [each.read(self._root.file) for each in datasets]
        for array in arrays:
            if not np.isfinite(array).all():
                raise ValueError(f"path: expected {what} with finite numbers in {self._path}, got others")
        return arrays


def stored(path: str) -> Stored:
    """The model in a file.

    Raises
    ------
    ValueError
        If it is none.
    """
    with replacement.opened(path) as file:
        size = replacement.regular(file, MAX_FILE)
        start = replacement.part(file, 0, len(hdf5.SIGNATURE))
        if not start.startswith((ZIP, hdf5.SIGNATURE)):
            raise ValueError(f"path: expected a model of Keras, .keras or .h5, got another file, {path}")
        if start == hdf5.SIGNATURE:
            return _whole(replacement.part(file, 0, size), path)
        config, weights = _unpacked(file, size, path)
    with _sound(path, WEIGHTS):
        root = hdf5.opened(weights)
    return Stored(config, _part(config, "compile_config"), Numbers(root, path, _by_class))


# ---- .keras ----


def _unpacked(file: BinaryIO, size: int, path: str) -> tuple[dict[str, Any], bytes]:
    """The two members that matter, no longer than they say, and not much longer than the file."""
    zipfile = _memory.late("zipfile")
    end = replacement.part(file, max(0, size - ENDING), ENDING)
    at = end.rfind(b"PK\x05\x06")
    listed = int.from_bytes(end[at + 12 : at + 16], "little")
    if at < 0 or listed > MAX_CONFIG or b"PK\x06\x07" in end[max(0, at - 20) : at]:
        raise ValueError(f"path: expected a zip of a few members, got a damaged or a huge one, {path}")
    with _sound(path, "its members"), zipfile.ZipFile(file) as opened:
        members = opened.infolist()
        names = [each.filename for each in members]
    for name in (CONFIG, WEIGHTS):
        if names.count(name) != 1:
            raise ValueError(
                f"path: expected one {name} in {path}, as Keras 3 writes, got {', '.join(names) or 'none'}"
            )
    contents = []
    for name, limit in ((CONFIG, MAX_CONFIG), (WEIGHTS, MOST_PACKED * size + MAX_CONFIG)):
        member = members[names.index(name)]
        if member.file_size > limit:
            raise ValueError(f"path: expected at most {limit} bytes of {name} in {path}, got {member.file_size}")
        with _sound(path, name), zipfile.ZipFile(file) as opened, opened.open(member) as content:
            contents.append(b"".join(iter(partial(content.read, replacement.AT_ONCE), b"")))
    return _json(contents[0], path), contents[1]


def _by_class(root: hdf5.Node, layer: str, group: str) -> list[hdf5.Node]:
    """By the group of a layer, which is called after its class, and counted."""
    variables = _at(root, f"{group}/vars")
    name = variables.texts("name")  # later versions of Keras 3 say which layer it is
    if name is not None and name != [layer]:
        raise hdf5.DamagedError(f"expected numbers of {layer:.100} in {group:.100}, got those of {_brief(name)}")
    return [variables.member(str(number)) for number in range(len(variables.members))]


def _at(root: hdf5.Node, names: str) -> hdf5.Node:
    """What lies at this path."""
    for name in filter(None, names.split("/")):
        root = root.member(name)
    return root


# ---- .h5 ----


def _whole(content: bytes, path: str) -> Stored:
    with _sound(path, "a model"):
        root = hdf5.opened(content)
        config, training = root.texts("model_config"), root.texts("training_config")
    if not config:
        raise ValueError(
            f"path: expected a whole model in {path}, got weights alone; model.save('model.keras') writes both"
        )
    return Stored(_json(config[0], path), _json(training[0], path) if training else {}, Numbers(root, path, _by_name))


def _by_name(root: hdf5.Node, layer: str, group: str) -> list[hdf5.Node]:
    """By the group that is called as the layer."""
    home = _at(root, "model_weights").member(layer)
    return [_at(home, each) for each in home.texts("weight_names") or []]


# ---- both ----


def _json(text: Any, path: str) -> dict[str, Any]:
    """What a model is made of."""
    try:
        found = _memory.late("json").loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"path: expected the layers in JSON in {path}, got {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"path: expected a model with names in {path}, got {_brief(found)}")
    return found


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _brief(value: Any) -> str:
    return f"{check.shown(value):.200}"


@contextlib.contextmanager
def _sound(path: str, what: str) -> Iterator[None]:
    """ValueError where a zip or an HDF5 is damaged."""
    zipfile, zlib = _memory.late("zipfile"), _memory.late("zlib")
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:  # of passwords, too
        raise ValueError(f"path: expected {what} in {path}, got damaged or other content ({error!s:.300})") from error
