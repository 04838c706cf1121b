"""Networks in files: an uncompressed npz with a JSON manifest and a checksum of the whole file.

The archive holds `manifest.json` (format, version, architecture, producer) and `params.npy`. Its zip comment holds the SHA-256
of all bytes before the digest, so that any damage is found before anything is parsed. Sizes are checked against the
architecture before the parameters are read; nothing in a file is ever executed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import struct
import tempfile
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._version import __version__
from fastmlp.architecture import Architecture
from fastmlp.errors import ModelFormatError

FORMAT = "fastmlp-network"
VERSION = 1
MANIFEST, PARAMS = "manifest.json", "params.npy"
MARK = b"sha256:"
DIGEST_SIZE = 64
MAX_MANIFEST = 1 << 20
MAX_FILE = 1 << 32
NPY_HEADER = 128


def save(path: str | os.PathLike[str], architecture: Architecture, params: NDArray[Any]) -> None:
    """Write a network; the file appears complete or not at all."""
    target = os.path.abspath(os.fspath(path))
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".fastmlp-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_serialize(architecture, params))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def load(path: str | os.PathLike[str]) -> tuple[Architecture, NDArray[Any]]:
    """Read a network back: its architecture and parameters."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE:
            raise ModelFormatError(f"path: expected a file of at most {MAX_FILE} bytes, got {size}")
        data = file.read()
    _check_digest(data)
    try:
        return _parse(data)
    except ModelFormatError:
        raise
    except (
        zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, OSError, NotImplementedError, RuntimeError,
        OverflowError, struct.error,
    ) as error:  # fmt: skip
        raise ModelFormatError(f"path: expected a saved network, got a file that is not one ({error})") from error


def describe(architecture: Architecture) -> dict[str, Any]:
    """The arguments of `Architecture.create`, in JSON's types."""
    return {
        "layers": list(architecture.layers),
        "hidden": list(architecture.hidden),
        "output": architecture.output,
        "loss": architecture.loss,
        "dtype": architecture.dtype.name,
    }


def _serialize(architecture: Architecture, params: NDArray[Any]) -> bytes:
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "producer": f"fastmlp {__version__}",
        "network": describe(architecture),
    }
    numbers = io.BytesIO()
    np.lib.format.write_array(numbers, np.ascontiguousarray(params), version=(1, 0), allow_pickle=False)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as members:
        for name, content in ((MANIFEST, json.dumps(manifest, indent=1).encode()), (PARAMS, numbers.getvalue())):
            members.writestr(zipfile.ZipInfo(name), content)
        members.comment = MARK + b"0" * DIGEST_SIZE
    body = archive.getvalue()[:-DIGEST_SIZE]
    return body + hashlib.sha256(body).hexdigest().encode()


def _check_digest(data: bytes) -> None:
    body, digest = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    if not body.endswith(MARK):
        raise ModelFormatError("path: expected a saved network with a checksum at its end, got a file without")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ModelFormatError("path: expected an undamaged file, got one whose checksum does not match")


def _parse(data: bytes) -> tuple[Architecture, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if [member.filename for member in members] != [MANIFEST, PARAMS]:
            raise ModelFormatError(f"path: expected the members {MANIFEST} and {PARAMS}, got others")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.file_size > len(data):
                raise ModelFormatError(f"path: expected {member.filename} uncompressed, within the file")
        if members[0].file_size > MAX_MANIFEST:
            raise ModelFormatError(f"path: expected a manifest of at most {MAX_MANIFEST} bytes")
        architecture = _architecture(json.loads(archive.read(members[0])))
        expected = architecture.n_params * architecture.dtype.itemsize
        if not 0 < members[1].file_size - expected <= NPY_HEADER:
            raise ModelFormatError(
                f"path: expected {architecture.n_params} parameters, got {members[1].file_size} bytes for them"
            )
        with archive.open(members[1]) as numbers:
            params = np.lib.format.read_array(numbers, allow_pickle=False, max_header_size=NPY_HEADER)
    if params.dtype != architecture.dtype or params.shape != (architecture.n_params,):
        raise ModelFormatError(f"path: expected parameters of the architecture, got {params.dtype} {params.shape}")
    return architecture, params


def _architecture(manifest: Any) -> Architecture:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelFormatError(f"path: expected a manifest of format {FORMAT!r}")
    if not isinstance(manifest["version"], int) or manifest["version"] < 1:
        raise ModelFormatError(f"path: expected a version number, got {manifest['version']!r}")
    if manifest["version"] > VERSION:
        raise ModelFormatError(
            f"path: expected format version {VERSION} or older, got {manifest['version']}, "
            f"written by {manifest.get('producer')}; upgrade fastmlp"
        )
    network = manifest["network"]
    if set(network) != {"layers", "hidden", "output", "loss", "dtype"}:
        raise ModelFormatError(f"path: expected the five items of an architecture, got {sorted(network)}")
    return Architecture.create(**network)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
