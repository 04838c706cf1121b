"""Folders of finished runs: a call that was killed goes on where it was, to the same bits.

The folder holds `fastmlp-checkpoint.json`, what was asked for, setting by setting, and an archive (`model/archive.py`)
of each chunk of runs, named by what is in it. Both appear whole or not at all, and archives say what they are part of:
so several processes may share a folder, and whichever is killed leaves nothing wrong behind.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from numpy.typing import NDArray

from fastmlp import _executors, _memory, replacement
from fastmlp import _validation as check
from fastmlp.errors import CheckpointWarning, ModelFormatError, warn_caller
from fastmlp.model import archive
from fastmlp.model.archive import Archive

MANIFEST, FORMAT, RUNS, VERSION = "fastmlp-checkpoint.json", "fastmlp-checkpoint", "fastmlp-runs", 1
MOST = 1 << 20  # bytes of a manifest
PLAIN = (type(None), bool, int, float, str)
LONG = 80  # characters of a setting, from which on its digest stands for it
TYPES = ("float64", "int64", "bool")
Arrays = Mapping[str, NDArray[Any]]


class Checkpoint:
    """The folder of a call.

    Parameters
    ----------
    folder : str or path-like
        Made if it is not there.
    call : str
        The function's name.
    settings : dict
        What the results depend on, by the names of the arguments.

    Raises
    ------
    ValueError
        If the folder is that of another call, or of other settings, which are named.
    TypeError
        If a setting cannot be pickled, so that nothing tells whether it is the same.
    OSError
        If the folder cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], call: str, settings: Mapping[str, Any]) -> None:
        version, isa = _executors.build()
        described = {name: _described(value, name) for name, value in settings.items()}
        own = {"call": call, **described, "version of fastmlp": version, "instruction set": isa}
        _memory.late("zipfile")  # not between the first results and their file
        self._folder, self._key, self._has_failed = _made(folder), _digest(repr(own).encode()), False
        found = self._settings()
        if found is None:
            self._write_settings(own)
        elif found != own:
            raise ValueError(
                f"checkpoint: expected the folder of a call with the same data and settings, got {self._folder!r} with "
                f"others: {_differences(found, own)}; take another folder, or the same settings"
            )

    def read(self) -> Iterator[tuple[list[int], dict[str, NDArray[Any]]]]:
        """The numbers of the runs in each archive, and their arrays; of a damaged one is said that it is."""
        for name in sorted(os.listdir(self._folder)):
            if name.endswith(".npz"):
                try:
                    yield archive.load(os.path.join(self._folder, name), self._chunk)
                except ModelFormatError as error:
                    self._warn(f"{name} is damaged ({error}): its runs are trained again")

    def write(self, numbers: Sequence[int], arrays: Arrays) -> None:
        """Keep the arrays of these runs; where that fails, say so once, and go on."""
        if not numbers:
            return
        told = {name: [array.dtype.name, list(array.shape)] for name, array in arrays.items()}
        manifest = {"format": RUNS, "version": VERSION, "of": self._key, "runs": list(numbers), "arrays": told}
        name = f"{min(numbers):07d}-{_digest(repr(list(numbers)).encode())[:12]}.npz"
        try:
            archive.save(os.path.join(self._folder, name), manifest, arrays, lasting=False)
        except OSError as error:
            if not self._has_failed:
                self._warn(f"runs cannot be kept ({error}); training goes on, and would be lost if it were killed now")
            self._has_failed = True

    def _chunk(self, opened: Archive) -> tuple[list[int], dict[str, NDArray[Any]]]:
        opened.check_version(VERSION)
        told = opened.manifest
        if told.get("format") != RUNS or told["of"] != self._key:
            raise ModelFormatError("it is of another call")
        arrays = {}
        for name, (dtype, shape) in told["arrays"].items():
            sizes = tuple(check.integer(size, "shape", 0) for size in shape)
            arrays[name] = opened.array(name, check.choice(dtype, "dtype", TYPES), sizes)
        return [check.integer(number, "runs", 0) for number in told["runs"]], arrays

    def _settings(self) -> dict[str, str] | None:
        """What stands in the folder: None if nothing does, or what does is damaged."""
        try:
            told = _memory.late("json").loads(replacement.read(self._path, MOST))
            if told["format"] != FORMAT or not isinstance(told["settings"], dict):
                raise ValueError("it is something else")
            return told["settings"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:  # archives know what they are of
            self._warn(f"{MANIFEST} is damaged ({error}): it is written anew")
            return None

    def _write_settings(self, own: Mapping[str, str]) -> None:
        told = {"format": FORMAT, "version": VERSION, "settings": own}
        try:
            replacement.write(self._path, _memory.late("json").dumps(told, indent=1).encode())
        except OSError as error:
            raise _of(self._folder, error) from error

    @property
    def _path(self) -> str:
        return os.path.join(self._folder, MANIFEST)

    def _warn(self, text: str) -> None:
        warn_caller(f"checkpoint: in {self._folder!r} {text}", CheckpointWarning)


def refuse_unseeded(rng: Any, checkpoint: Any) -> None:
    """Of a call that draws: the next one could not draw the same."""
    if rng is None and checkpoint is not None:
        raise ValueError("rng: expected an int with checkpoint=, so that the next call draws the same, got None")


def _made(folder: Any) -> str:
    try:
        name = check.path(folder)
    except (TypeError, ValueError) as error:
        raise type(error)(f"checkpoint{str(error).removeprefix('path')}") from None
    try:
        os.makedirs(name, exist_ok=True)
    except OSError as error:
        raise _of(name, error) from error
    return name


def _of(folder: str, error: OSError) -> OSError:
    """The same error, by the argument's name."""
    return OSError(error.errno, f"checkpoint: expected a folder that can be written, got {error.strerror}", folder)


def _described(value: Any, name: str) -> str:
    """A setting as it is written, or its digest."""
    if _is_plain(value) and len(repr(value)) <= LONG:
        return repr(value)
    content = BytesIO()
    pickler = pickle.Pickler(content, 4)
    pickler.fast = True  # no references to what came before: the same numbers have the same bytes, whoever shares them
    try:
        pickler.dump(value)
    except (pickle.PicklingError, AttributeError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: expected what can be pickled, with checkpoint=, got {check.shown(value)} ({error}); define "
            "functions and classes in a module"
        ) from error
    return f"sha256:{_digest(content.getbuffer())}"


def _is_plain(value: Any) -> bool:
    return type(value) in PLAIN or (type(value) in (tuple, list) and all(map(_is_plain, value)))


def _digest(content: bytes | memoryview) -> str:
    return _memory.late("hashlib").sha256(content).hexdigest()  # type: ignore[no-any-return]


def _differences(found: Mapping[str, str], own: Mapping[str, str]) -> str:
    """By name, with what stands there and here if that can be read."""
    names = [name for name in {**own, **found} if found.get(name) != own.get(name)]
    if "call" in names:  # settings have other names
        names = ["call"]
    return ", ".join(f"{name}{_values(found.get(name, 'nothing'), own.get(name, 'nothing'))}" for name in names)


def _values(there: Any, here: Any) -> str:
    if any(str(value).startswith("sha256:") for value in (there, here)):
        return ""
    return f" ({there} there, {here} here)"
