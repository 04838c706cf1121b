"""Networks in files: an uncompressed npz with a JSON manifest and a checksum of the whole file.

The archive holds `manifest.json` (format, version, architecture, whether a fit has left the parameters, producer),
`params.npy` and, where the network has units, `units.npy`, the table of `Units.as_array`; where parameters have been
pruned, `pruned.npy` tells which. Its zip comment holds the
SHA-256 of all bytes before the digest, so that any damage is found before anything is parsed.

A file may also be hostile, its checksum right. Nothing in a file is ever executed, and none takes more memory than a
few times its own size: members are uncompressed, and arrays have to begin with the one header that belongs to the
architecture. Parameters that are not finite, as a diverged training leaves them, are kept as they are.

Modules for files are imported on first use: they would take half the time of the library's import.
"""

from __future__ import annotations

import io
import math
import os
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory, replacement
from fastmlp import _validation as check
from fastmlp._version import __version__
from fastmlp.errors import ModelFormatError
from fastmlp.model.architecture import Architecture

if TYPE_CHECKING:
    import zipfile

FORMAT = "fastmlp-network"
VERSION = 3  #: the newest; 2 knows dense layers only
MANIFEST, PARAMS, UNITS, PRUNED = "manifest.json", "params.npy", "units.npy", "pruned.npy"
MEMBERS = (MANIFEST, PARAMS, UNITS, PRUNED)
MARK = b"sha256:"
DIGEST_SIZE = 64
NPY_HEADER = 128
LEAST_BYTES = 8  # of a dense layer
MAX_MANIFEST = 1 << 20
MAX_FILE = 1 << 32
STORED = 0  # zipfile.ZIP_STORED


class Stored(NamedTuple):
    """What a file holds."""

    architecture: Architecture
    params: NDArray[Any]
    units: NDArray[np.float64] | None  #: the table of `Units.as_array`
    trained: bool  #: whether a fit has left the parameters
    pruned: NDArray[np.bool_] | None  #: which parameters have been deleted


def save(path: str | os.PathLike[str], network: Stored) -> None:
    """Write a network: the new file, or the old one, is there whole."""
    replacement.write(check.path(path), _serialize(network))


def load(path: str | os.PathLike[str]) -> Stored:
    """Read a network back."""
    zipfile = _memory.late("zipfile")
    data, expected = replacement.read(check.path(path), MAX_FILE)
    if data is None:
        raise ModelFormatError(f"path: expected {expected}")
    _check_digest(data)
    try:
        return _parse(data)
    except ModelFormatError:
        raise
    except (  # RuntimeError is zipfile's, of passwords and of compressions that it lacks
        zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, OSError, RuntimeError, OverflowError,
        struct.error,
    ) as error:  # fmt: skip
        raise ModelFormatError(f"path: expected a saved network, got a file that is not one ({error})") from error


def describe(architecture: Architecture) -> dict[str, Any]:
    """The architecture in JSON's types."""
    state = architecture.__getstate__()
    return state | {"layers": list(state["layers"])}


def version_of(network: Stored) -> int:
    """The oldest version that can tell of such a network, so that older libraries read what they can."""
    architecture = network.architecture
    dense = architecture.is_plain
    return 2 if dense and network.pruned is None else VERSION


def _serialize(network: Stored) -> bytes:
    json, zipfile = _memory.late("json"), _memory.late("zipfile")
    architecture, params, units, trained, pruned = network
    manifest = {
        "format": FORMAT,
        "version": version_of(network),
        "producer": f"fastmlp {__version__}",
        "network": describe(architecture),
        "trained": trained,
    }
    text = json.dumps(manifest, indent=1).encode()
    size = params.nbytes + (0 if units is None else units.nbytes)
    if len(text) > MAX_MANIFEST or size > MAX_FILE - 2 * MAX_MANIFEST:  # a file that would not load
        raise ValueError(
            f"network: expected one that fits into a file of {MAX_FILE} bytes, its manifest into {MAX_MANIFEST}, "
            f"got {size} bytes of numbers and {len(text)} of manifest"
        )
    arrays = {PARAMS: params, UNITS: units, PRUNED: pruned}
    members = {MANIFEST: text} | {name: _npy(array) for name, array in arrays.items() if array is not None}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        archive.comment = MARK + b"0" * DIGEST_SIZE
    body = file.getvalue()[:-DIGEST_SIZE]
    return body + _digest(body)


def _npy(array: NDArray[Any]) -> bytes:
    """An array in version 1.0 of NumPy's format."""
    return _npy_header(array.dtype, array.shape) + array.astype(_stored_type(array.dtype), copy=False).tobytes()


def _stored_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("<")


def _npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What NumPy writes before the numbers of an array."""
    text = f"{{'descr': '{_stored_type(dtype).str}', 'fortran_order': False, 'shape': {shape}, }}"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", NPY_HEADER - 10)
    return start + text.ljust(NPY_HEADER - len(start) - 1).encode() + b"\n"


def _array(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A member that `_npy` wrote, of this type and shape."""
    count = math.prod(shape)
    content = _member(archive, name, NPY_HEADER + count * dtype.itemsize)
    if not content.startswith(_npy_header(dtype, shape)) or len(content) != NPY_HEADER + count * dtype.itemsize:
        raise ModelFormatError(f"path: expected numbers of type {dtype} and shape {shape} in {name}, got others")
    numbers = np.frombuffer(content, _stored_type(dtype), offset=NPY_HEADER).astype(dtype)
    return numbers.reshape(shape)


def _mask(archive: zipfile.ZipFile, size: int) -> NDArray[np.bool_]:
    """What has been pruned."""
    content = _member(archive, PRUNED, NPY_HEADER + size)
    numbers = np.frombuffer(content, np.uint8, offset=min(NPY_HEADER, len(content)))
    if not content.startswith(_npy_header(np.dtype(bool), (size,))) or len(numbers) != size or (numbers > 1).any():
        raise ModelFormatError(f"path: expected a mask of {size} parameters in {PRUNED}, got something else")
    return numbers.astype(bool)


def _digest(body: bytes) -> bytes:
    return _memory.late("hashlib").sha256(body).hexdigest().encode()  # type: ignore[no-any-return]


def _check_digest(data: bytes) -> None:
    body, digest = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    if not body.endswith(MARK):
        raise ModelFormatError("path: expected a saved network with a checksum at its end, got a file without")
    if _digest(body) != digest:
        raise ModelFormatError("path: expected an undamaged file, got one whose checksum does not match")


def _parse(data: bytes) -> Stored:
    json, zipfile = _memory.late("json"), _memory.late("zipfile")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # first of all the version: a newer one may have other members
        manifest = json.loads(_member(archive, MANIFEST, MAX_MANIFEST))
        _check_version(manifest)
        trained = manifest["version"] == 1 or check.boolean(manifest["trained"], "trained")  # a file seldom is a start
        names = archive.namelist()
        if names != [name for name in MEMBERS if name in names] or PARAMS not in names:
            raise ModelFormatError(f"path: expected the members {', '.join(MEMBERS)}, the last two maybe, got {names}")
        architecture = _architecture(manifest["network"], archive.getinfo(PARAMS).file_size)
        params = _array(archive, PARAMS, architecture.dtype, (architecture.n_params,))
        units = None
        if UNITS in names:
            columns = archive.getinfo(UNITS).file_size - NPY_HEADER
            units = _array(archive, UNITS, np.dtype(np.float64), (3, columns // (3 * 8)))
        pruned = _mask(archive, architecture.n_params) if PRUNED in names else None
    return Stored(architecture, params, units, trained, pruned)


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    member = archive.getinfo(name)
    if member.compress_type != STORED or member.file_size > limit:
        raise ModelFormatError(f"path: expected {name} uncompressed, of at most {limit} bytes, got {member}")
    return archive.read(member)


def _check_version(manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelFormatError(f"path: expected a manifest of format {FORMAT!r}, got another")
    version = check.integer(manifest["version"], "version", 1)
    if version > VERSION:
        raise ModelFormatError(
            f"path: expected format version {VERSION} or older, got version {version}, "
            f"written by {manifest.get('producer')!r}; upgrade fastmlp"
        )


def _architecture(network: Any, size: int) -> Architecture:
    """The architecture, whose parameters are in a member of so many bytes: two numbers a dense layer at least."""
    if set(network) != {"layers", "hidden", "output", "loss", "dtype"}:
        raise ModelFormatError(f"path: expected the five items of an architecture, got {sorted(network)}")
    if LEAST_BYTES * sum(type(each) is int for each in network["layers"][1:]) > size:
        raise ModelFormatError(f"path: expected the parameters of all layers in {PARAMS}, got {size} bytes")
    check.choice(network["dtype"], "dtype", ("float32", "float64"))  # NumPy would read much more as a type
    return Architecture.read(network)
