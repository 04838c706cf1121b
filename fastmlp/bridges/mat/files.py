"""Files that MATLAB and Octave save with -v6 and -v7, read as arrays, texts, structs and cells; nothing is executed.

A file takes little more memory than its bytes, and what they are compressed of: arrays are views of them, and what a
header claims is believed only where the bytes are there.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _memory, replacement
from fastmlp._types import Array

LARGEST = 1 << 28  #: of a file, and of what it is compressed of, in bytes
MOST = 1 << 18  #: arrays, those in structs counted
DEEPEST = 32  #: structs within structs
COMPRESSED, MATRIX = 15, 14
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # miINT8, ...
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
CELL, STRUCT, OBJECT, CHAR, SPARSE, DOUBLE, LAST = 1, 2, 3, 4, 5, 6, 15
OPAQUE = 17
OTHER = {OBJECT: "an object", SPARSE: "a sparse array", 16: "a function handle", OPAQUE: "an object, or a string array"}
LOGICAL, COMPLEX = 0x0200, 0x0800


class Other(NamedTuple):
    """What is not read."""

    kind: str


class Several(NamedTuple):
    """A struct array or a cell, and the brackets by which MATLAB asks for one of its items."""

    items: list[Any]
    brackets: str


class Element(NamedTuple):
    """A type and its bytes."""

    kind: int
    data: memoryview


def read(path: str) -> dict[str, Any]:
    """The variables of a file.

    Arrays as they are stored, (rows, columns, ...); texts; a struct as a dict; struct arrays and cells as `Several`, in
    MATLAB's order; anything else as `Other`.

    Raises
    ------
    ValueError
        If it is none, of another version, damaged, or too large.
    OSError
        If it cannot be read.
    """
    data = replacement.read(path, LARGEST)
    _check_version(data)
    file = _File("<" if data[126:128] == b"IM" else ">")
    try:
        return dict(file.variables(memoryview(data)[128:]))
    except (struct.error, IndexError, UnicodeError) as error:
        raise ValueError(f"path: expected a MAT-file, got one that is broken off or damaged ({error})") from error


def _check_version(data: bytes) -> None:
    again = "; in MATLAB or Octave, save('-v7', ...)"
    if data[:10] == b"MATLAB 7.3" or data[:4] == b"\x89HDF":
        raise ValueError(f"path: expected a MAT-file of version 6 or 7, got HDF5 (version 7.3){again}")
    if data.startswith(b"# Created by Octave"):
        raise ValueError(f"path: expected a MAT-file, got a text file of Octave{again}")
    if len(data) < 128 or data[126:128] not in (b"IM", b"MI") or 0 in data[:4]:
        raise ValueError(f"path: expected a MAT-file of version 6 or 7, got something else, or an older version{again}")


class _File:
    """What is counted on the way through a file."""

    def __init__(self, order: str) -> None:
        self.order, self.n_arrays, self.depth, self.left = order, 0, 0, LARGEST

    def variables(self, data: memoryview) -> Iterator[tuple[str, Any]]:
        for element in self.elements(data):
            inner = element
            if element.kind == COMPRESSED:
                inner = _next(self.elements(self.inflated(element.data)))
            if inner.kind != MATRIX:
                raise ValueError(f"path: expected variables in a MAT-file, got an element of type {inner.kind}")
            yield self.matrix(inner.data)

    def inflated(self, data: memoryview) -> memoryview:
        """What was compressed, if there is room for it."""
        zlib = _memory.late("zlib")
        try:
            result = zlib.decompressobj().decompress(data, self.left + 1)
        except zlib.error as error:
            raise ValueError(f"path: expected a MAT-file, got one that is damaged ({error})") from error
        self.left -= len(result)
        if self.left < 0:
            raise ValueError(f"path: expected at most {LARGEST} bytes in a MAT-file, got more behind its compression")
        return memoryview(result)

    def elements(self, data: memoryview) -> Iterator[Element]:
        """One after the other; those of up to four bytes are in their tags."""
        at = 0
        while at < len(data):
            kind, size = struct.unpack_from(f"{self.order}II", data, at)
            at += 8
            if kind >> 16:
                kind, size, start, room = kind & 0xFFFF, kind >> 16, at - 4, 4
            else:
                start, room = at, len(data) - at
                at += size + (0 if kind == COMPRESSED else -size % 8)
            if size > room:
                raise ValueError(f"path: expected {size} bytes of an element in a MAT-file, got {room}")
            yield Element(kind, data[start : start + size])

    def matrix(self, data: memoryview) -> tuple[str, Any]:
        """A name and a value."""
        self.n_arrays += 1
        self.depth += 1
        if self.n_arrays > MOST or self.depth > DEEPEST:
            raise ValueError(
                f"path: expected at most {MOST} arrays, {DEEPEST} within each other, got a MAT-file of more"
            )
        parts = self.elements(data)
        flags = next(parts, None)
        if flags is None:  # an empty one in a struct
            self.depth -= 1
            return "", np.zeros((0, 0))
        bits, dims = struct.unpack_from(f"{self.order}I", flags.data)[0], (0, 0)
        kind = bits & 0xFF
        if kind != OPAQUE:  # whose next is a name
            dims = tuple(self.numbers(_next(parts)).tolist())
            if len(dims) < 2 or min(dims) < 0:
                raise ValueError(f"path: expected dimensions of an array in a MAT-file, got {dims}")
        name = bytes(_next(parts).data).decode("latin-1")
        value = self.value(kind, bits, dims, parts)
        self.depth -= 1
        return name, value

    def value(self, kind: int, bits: int, dims: tuple[int, ...], parts: Iterator[Element]) -> Any:
        if kind == CELL:
            return Several([self.matrix(each.data)[1] for each in parts], "{}")
        if kind == STRUCT:
            return self.structs(dims, parts)
        if kind == CHAR:
            return self.text(_next(parts))
        if not DOUBLE <= kind <= LAST or bits & COMPLEX:
            return Other(OTHER.get(kind, "complex numbers" if bits & COMPLEX else "an array of another kind"))
        values = self.numbers(_next(parts))
        if len(values) != math.prod(dims):
            raise ValueError(f"path: expected an array of shape {dims} in a MAT-file, got {len(values)} numbers")
        return (values != 0 if bits & LOGICAL else values).reshape(dims, order="F")

    def structs(self, dims: tuple[int, ...], parts: Iterator[Element]) -> Any:
        """A dict, or several where there is not one."""
        width = int(self.numbers(_next(parts))[0])
        names = bytes(_next(parts).data)
        if width < 1 or len(names) > MOST:
            raise ValueError(f"path: expected names of fields in a MAT-file, got {len(names)} bytes of {width} each")
        fields = [names[at : at + width].partition(b"\0")[0].decode("latin-1") for at in range(0, len(names), width)]
        values = [self.matrix(each.data)[1] for each in parts]
        if len(values) != len(fields) * math.prod(dims):
            raise ValueError(f"path: expected structs of shape {dims} in a MAT-file, got {len(values)} fields in all")
        n = len(fields) or 1
        structs = [dict(zip(fields, values[at : at + n], strict=True)) for at in range(0, len(values), n)]
        return structs[0] if len(structs) == 1 else Several(structs, "()")

    def text(self, element: Element) -> str:
        codec = TEXTS.get(element.kind, "latin-1")
        if codec in ("utf-16", "utf-32"):
            codec += "-le" if self.order == "<" else "-be"
            _memory.late(f"encodings.{codec.replace('-', '_')}")
        return bytes(element.data).decode(codec)

    def numbers(self, element: Element) -> Array:
        """A view of the bytes."""
        if element.kind not in NUMBERS:
            raise ValueError(f"path: expected numbers in a MAT-file, got an element of type {element.kind}")
        dtype = np.dtype(self.order + NUMBERS[element.kind])
        return np.frombuffer(element.data[: len(element.data) // dtype.itemsize * dtype.itemsize], dtype)


def _next(parts: Iterator[Element]) -> Element:
    element = next(parts, None)
    if element is None:
        raise ValueError("path: expected a whole array in a MAT-file, got a part")
    return element
