"""Files of arrays: an uncompressed npz with a JSON manifest and a checksum of the whole file.

The archive holds `manifest.json` (format, version, producer, and what the format has besides) and arrays. Its zip
comment holds the SHA-256 of all bytes before the digest, so that any damage is found before anything is parsed.

A file may also be hostile, its checksum right. Nothing in a file is ever executed, and none takes more memory than a
few times its own size: members are uncompressed, and arrays have to begin with the one header that belongs to the type
and shape that are expected. Numbers that are not finite are kept as they are.

Modules for files are imported on first use: they would take half the time of the library's import.
"""

from __future__ import annotations

import copy
import io
import math
import os
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastmlp import _matrices, _memory, replacement
from fastmlp import _validation as check
from fastmlp._version import __version__
from fastmlp.errors import ModelFormatError

if TYPE_CHECKING:
    import zipfile

T = TypeVar("T")

NETWORK, POSTERIOR, TABLE = "fastmlp-network", "fastmlp-posterior", "fastmlp-table"  #: formats
MANIFEST = "manifest.json"
MARK = b"sha256:"
DIGEST_SIZE = 64
NPY_HEADER = 128
MAX_MANIFEST = 1 << 20
MAX_FILE = 1 << 32
STORED = 0  # zipfile.ZIP_STORED


class Archive:
    """What a file holds, looked at member by member."""

    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._opened = opened
        manifest = _memory.late("json").loads(self.content(MANIFEST, MAX_MANIFEST))
        if not isinstance(manifest, dict):
            raise ModelFormatError(f"path: expected a manifest with names, got {check.shown(manifest)}")
        self.manifest: dict[str, Any] = manifest
        self.names = opened.namelist()

    def inside(self, manifest: Any, outside: Collection[str]) -> Archive:
        """An archive within this one: what has a manifest there, and all members but those outside of it."""
        if not isinstance(manifest, dict):
            raise ModelFormatError(f"path: expected a manifest with names, got {check.shown(manifest)}")
        other = copy.copy(self)
        other.manifest, other.names = manifest, [name for name in self.names if name not in outside]
        return other

    def size(self, name: str) -> int:
        """Of a member, in bytes."""
        return self._opened.getinfo(name).file_size

    def content(self, name: str, limit: int) -> bytes:
        """A member of at most so many bytes."""
        member = self._opened.getinfo(name)
        if member.compress_type != STORED or member.file_size > limit:
            raise ModelFormatError(f"path: expected {name} uncompressed, of at most {limit} bytes, got {member}")
        with self._opened.open(member) as opened:
            return b"".join(iter(lambda: opened.read(replacement.AT_ONCE), b""))

    def array(self, name: str, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
        """A member that `save` wrote, of this type and shape; of bool zeros and ones."""
        dtype = np.dtype(dtype)
        size = NPY_HEADER + math.prod(shape) * dtype.itemsize
        content = self.content(name, size)
        if not content.startswith(_npy_header(dtype, shape)) or len(content) != size:
            raise ModelFormatError(f"path: expected numbers of type {dtype} and shape {shape} in {name}, got others")
        stored = np.uint8 if dtype.kind == "b" else _stored_type(dtype)
        numbers = np.frombuffer(content, stored, offset=NPY_HEADER)
        if dtype.kind == "b" and (numbers > 1).any():
            raise ModelFormatError(f"path: expected a mask of zeros and ones in {name}, got other bytes")
        result = np.empty(shape, dtype)
        for part in _matrices.parts(len(numbers), 1):
            result.reshape(-1)[part] = numbers[part]
        return result

    def check_version(self, newest: int) -> int:
        """The version of the format; ModelFormatError if it is none up to the newest that is known."""
        version = check.integer(self.manifest["version"], "version", 1)
        if version > newest:
            raise ModelFormatError(
                f"path: expected format version {newest} or older, got version {version}, "
                f"written by {self.manifest.get('producer')!r}; upgrade fastmlp"
            )
        return version


def save(
    path: str | os.PathLike[str], manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *,
    lasting: bool = True,
) -> None:  # fmt: skip
    """Write them, the producer in the manifest too: the new file, or the old one, is there whole."""
    replacement.write(check.path(path), _serialize(manifest, arrays), lasting=lasting)


def load(path: str | os.PathLike[str], read: Callable[[Archive], T]) -> T:
    """What `read` makes of a file; ModelFormatError where it is not what was written, or `read` fails."""
    zipfile = _memory.late("zipfile")
    name = check.path(path)
    try:
        data = replacement.read(name, MAX_FILE)
    except ValueError as error:
        raise ModelFormatError(str(error)) from None
    _check_digest(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return read(Archive(opened))
    except ModelFormatError:
        raise
    except (  # RuntimeError is zipfile's, of passwords and of compressions that it lacks
        zipfile.BadZipFile, AttributeError, KeyError, TypeError, ValueError, EOFError, OSError, RuntimeError,
        OverflowError, struct.error,
    ) as error:  # fmt: skip
        raise ModelFormatError(
            f"path: expected a saved network or posterior, got a file that is none ({error})"
        ) from error


def _serialize(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> memoryview:
    json, zipfile = _memory.late("json"), _memory.late("zipfile")
    kind = manifest["format"].removeprefix("fastmlp-")
    head = {name: manifest[name] for name in ("format", "version")} | {"producer": f"fastmlp {__version__}"}
    text = json.dumps(head | {name: value for name, value in manifest.items() if name not in head}, indent=1).encode()
    size = sum(array.nbytes for array in arrays.values())
    if len(text) > MAX_MANIFEST or size > MAX_FILE - 2 * MAX_MANIFEST:  # a file that would not load
        raise ValueError(
            f"{kind}: expected one that fits into a file of {MAX_FILE} bytes, its manifest into {MAX_MANIFEST}, "
            f"got {size} bytes of numbers and {len(text)} of manifest"
        )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", STORED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST), text)
        for name, array in arrays.items():
            member = zipfile.ZipInfo(name)
            member.file_size = NPY_HEADER + array.nbytes
            with archive.open(member, "w") as opened:
                for part in _npy(array):
                    opened.write(part)
        archive.comment = MARK + b"0" * DIGEST_SIZE
    content = file.getbuffer()
    content[-DIGEST_SIZE:] = _digest(content[:-DIGEST_SIZE])
    return content


def _npy(array: NDArray[Any]) -> Iterator[bytes]:
    """An array in version 1.0 of NumPy's format, part by part."""
    yield _npy_header(array.dtype, array.shape)
    numbers, stored = np.ascontiguousarray(array).reshape(-1), _stored_type(array.dtype)
    for part in _matrices.parts(len(numbers), 1):
        yield numbers[part].astype(stored, copy=False).tobytes()


def _stored_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("<")


def _npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What NumPy writes before the numbers of an array."""
    text = f"{{'descr': '{_stored_type(dtype).str}', 'fortran_order': False, 'shape': {shape}, }}"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", NPY_HEADER - 10)
    return start + text.ljust(NPY_HEADER - len(start) - 1).encode() + b"\n"


def _digest(body: memoryview) -> bytes:
    """Of some bytes at a time, between which Ctrl-C is answered."""
    found = _memory.late("hashlib").sha256()
    for first in range(0, len(body), replacement.AT_ONCE):
        found.update(body[first : first + replacement.AT_ONCE])
    return found.hexdigest().encode()  # type: ignore[no-any-return]


def _check_digest(data: bytes) -> None:
    body, digest = memoryview(data)[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    if body[-len(MARK) :] != MARK:
        raise ModelFormatError(
            "path: expected a saved network or posterior with a checksum at its end, got a file without"
        )
    if _digest(body) != digest:
        raise ModelFormatError("path: expected an undamaged file, got one whose checksum does not match")
