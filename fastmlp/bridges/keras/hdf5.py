"""The part of HDF5 that h5py writes where nothing else is asked for: groups, attributes of text, arrays in one piece.

The HDF5 library itself ends the process on some damaged files. Here every address is looked at before it is followed,
and what a file claims to have can take no more time and memory than its length allows. Layout of format version 0
(superblock 0, object headers 1, groups as B-trees with a local heap), after the HDF5 File Format Specification.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fastmlp._cached import cached_property
from fastmlp._types import Array

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_TEXTS = 16  #: of an attribute; they may all be the same one
MAX_AXES = 32
#: of messages in object headers
DATASPACE, DATATYPE, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION, TABLE = 1, 3, 7, 8, 11, 12, 16, 17
COMPACT, CONTIGUOUS = 0, 1  #: layouts
FIXED, VARIABLE = 3, 9  #: classes of text
SOFT = 2  #: kind of an entry that is a link to a name
#: IEEE numbers, little endian: classes and bits of the datatype, without its version
FLOATS = {
    bytes.fromhex("01201f0004000000 00002000 17080017 7f000000"): "<f4",
    bytes.fromhex("01203f0008000000 00004000 340b0034 ff030000"): "<f8",
}


class DamagedError(ValueError):
    """Something else than what the format has here."""


class Bytes:
    """The content of a file, with a look at each place before it is read."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.nodes: dict[int, Node] = {}  # that have been looked at
        self._steps, self._numbers = len(content) // 8, len(content)  # that are left

    def step(self) -> None:
        """Count a message, an entry or a branch: each has 8 bytes of its own at least."""
        self._steps -= 1
        if self._steps < 0:
            raise DamagedError("expected each part of the file once")

    def numbers(self, start: int, size: int) -> bytes:
        """Those of an array, which no other has."""
        self._numbers -= size
        if self._numbers < 0:
            raise DamagedError("expected arrays with numbers of their own")
        return self.part(start, size)

    def node(self, address: int) -> Node:
        """A group or an array."""
        if address not in self.nodes:
            self.nodes[address] = Node(self, address)
        return self.nodes[address]

    def part(self, start: int, size: int) -> bytes:
        """So many bytes."""
        if size < 0 or start < 0 or start + size > len(self.content):
            raise DamagedError(f"expected {size} bytes at byte {start}, got a file of {len(self.content)}")
        return self.content[start : start + size]

    def number(self, start: int, size: int = 8) -> int:
        """An unsigned integer."""
        return int.from_bytes(self.part(start, size), "little")

    def signed(self, start: int, signature: bytes) -> int:
        """Where a block goes on behind its signature."""
        if self.part(start, len(signature)) != signature:
            raise DamagedError(f"expected {signature.decode()} at byte {start}")
        return start + len(signature)

    def text(self, start: int, end: int | None = None) -> str:
        """Up to the next zero, before `end`."""
        stop = self.content.find(b"\0", start, end)
        if stop < 0:
            raise DamagedError(f"expected a name at byte {start}")
        return self.part(start, stop - start).decode(errors="replace")


class Message(NamedTuple):
    """One of an object's header."""

    kind: int
    start: int
    size: int


class Dataset(NamedTuple):
    """An array before it is read: its type, None where it is none that is known here, and where its bytes are."""

    dtype: str | None
    shape: tuple[int, ...]
    start: int

    def read(self, file: Bytes) -> Array:
        """Its numbers, which the file holds as they are."""
        assert self.dtype is not None
        content = file.numbers(self.start, math.prod(self.shape) * np.dtype(self.dtype).itemsize)
        return np.frombuffer(content, self.dtype).astype(self.dtype[1:]).reshape(self.shape)


class Node:
    """A group or an array of a file."""

    def __init__(self, file: Bytes, address: int) -> None:
        self.file = file
        self._messages = list(_messages(file, address))

    def _first(self, kind: int) -> Message | None:
        return next((each for each in self._messages if each.kind == kind), None)

    @cached_property
    def members(self) -> dict[str, int | None]:
        """The addresses of what is in a group, by name; None where it is a link to a name elsewhere."""
        table = self._first(TABLE)
        if table is None or table.size < 16:
            raise DamagedError("expected a group, of names in the file only, got none")
        tree, heap = self.file.number(table.start), self.file.number(table.start + 8)
        names = self.file.number(self.file.signed(heap, b"HEAP") + 4 + 16)
        end = names + self.file.number(heap + 8)
        found: dict[str, int | None] = {}
        for entry in _entries(self.file, tree, set()):
            name = self.file.text(names + self.file.number(entry), end)
            found[name] = None if self.file.number(entry + 16, 4) == SOFT else self.file.number(entry + 8)
        return found

    def member(self, name: str) -> Node:
        """What is called so in a group."""
        address = self.members.get(name)
        if address is None:
            raise DamagedError(f"expected {name:.100}, got {'a link' if name in self.members else 'nothing'}")
        return self.file.node(address)

    @cached_property
    def dataset(self) -> Dataset:
        """The array that it is."""
        space, kind, layout = self._first(DATASPACE), self._first(DATATYPE), self._first(LAYOUT)
        if space is None or kind is None or layout is None:
            raise DamagedError("expected an array, got none")
        shape, dtype = _shape(self.file, space.start), _float(self.file, kind)
        version, form = self.file.part(layout.start, 2)
        if self._first(EXTERNAL) or self._first(FILTERS) or version != 3 or form not in (COMPACT, CONTIGUOUS):
            raise DamagedError("expected an array in one piece, in the file and uncompressed")
        size = 0 if dtype is None else math.prod(shape) * np.dtype(dtype).itemsize
        start = layout.start + 4 if form == COMPACT else self.file.number(layout.start + 2)
        stored = self.file.number(layout.start + 2, 2) if form == COMPACT else self.file.number(layout.start + 10)
        if dtype is not None and (stored != size or start + size > len(self.file.content)):
            raise DamagedError(f"expected {size} bytes of an array of shape {shape}")
        return Dataset(dtype, shape, start)

    def texts(self, name: str) -> list[str] | None:
        """The text of an attribute, or the texts; None if there is none."""
        for message in self._messages:
            if message.kind == ATTRIBUTE:
                found, texts = _attribute(self.file, message, name)
                if found:
                    return texts
        return None


def opened(content: bytes) -> Node:
    """The group of all others.

    Raises
    ------
    DamagedError
        If it is no HDF5, or of a later format version.
    """
    file = Bytes(content)
    file.signed(0, SIGNATURE)
    version, sizes, base = file.number(8, 1), file.part(13, 2), file.number(24)
    if version or sizes != b"\x08\x08" or base:
        raise DamagedError(f"expected HDF5 of format version 0, as h5py writes by default, got {version}")
    return file.node(file.number(64))


def _messages(file: Bytes, address: int) -> Iterator[Message]:
    """Those of an object's header, also of its continuations."""
    if file.number(address, 1) != 1:
        raise DamagedError(f"expected an object at byte {address}")
    left = file.number(address + 2, 2)
    blocks, seen = [(address + 16, file.number(address + 8, 4))], set[int]()
    while blocks:
        at, size = blocks.pop(0)
        if at in seen:
            raise DamagedError("expected a header with an end")
        seen.add(at)
        end = at + size
        while at + 8 <= end and left:
            file.step()
            message = Message(file.number(at, 2), at + 8, file.number(at + 2, 2))
            if file.number(at + 4, 1) & 2 and message.kind in (DATASPACE, DATATYPE, LAYOUT, TABLE):
                raise DamagedError("expected messages of its own, got shared ones")
            file.part(message.start, message.size)
            if message.kind == CONTINUATION:
                blocks.append((file.number(message.start), file.number(message.start + 8)))
            yield message
            at, left = message.start + message.size, left - 1


def _entries(file: Bytes, node: int, seen: set[int]) -> Iterator[int]:
    """Where the entries of a group are, from the leaves of its tree, left to right."""
    nodes = [node]
    while nodes:
        node = nodes.pop()
        if node in seen:
            raise DamagedError("expected a group with an end")
        seen.add(node)
        if file.part(node, 4) == b"SNOD":
            for number in range(file.number(node + 6, 2)):
                file.step()
                file.part(node + 8 + 40 * number, 40)
                yield node + 8 + 40 * number
        else:
            used = file.number(file.signed(node, b"TREE") + 2, 2)
            for number in reversed(range(used)):
                file.step()
                nodes.append(file.number(node + 32 + 16 * number))


def _shape(file: Bytes, start: int) -> tuple[int, ...]:
    """Of a dataspace."""
    version, rank = file.part(start, 2)
    if version not in (1, 2) or rank > MAX_AXES or (version == 2 and file.number(start + 3, 1) > 1):
        raise DamagedError("expected a shape")
    first = start + (8 if version == 1 else 4)
    return tuple([file.number(first + 8 * axis) for axis in range(rank)])


def _float(file: Bytes, kind: Message) -> str | None:
    """Its type, if that is one of FLOATS; None for others."""
    content = file.part(kind.start, min(kind.size, 20))
    return FLOATS.get(bytes([content[0] & 15]) + content[1:]) if len(content) == 20 else None


def _attribute(file: Bytes, message: Message, wanted: str) -> tuple[bool, list[str]]:
    """Whether it is the one that is wanted, and its texts."""
    version = file.number(message.start, 1)
    sizes = [file.number(message.start + 2 + 2 * each, 2) for each in range(3)]
    at = message.start + {1: 8, 2: 8, 3: 9}.get(version, 0)
    if at == message.start or file.text(at, at + sizes[0]) != wanted:
        return False, []
    padded = [-(-size // 8) * 8 if version == 1 else size for size in sizes]
    kind, space, data = at + padded[0], at + padded[0] + padded[1], at + sum(padded)
    shape, form, size = _shape(file, space), file.number(kind, 1) & 15, file.number(kind + 4, 4)
    count = math.prod(shape)
    if form not in (FIXED, VARIABLE) or count > MAX_TEXTS or (form == VARIABLE and size != 16):
        return True, []
    places = [data + size * number for number in range(count)]
    if form == FIXED:
        return True, [file.part(each, size).rstrip(b"\0").decode(errors="replace") for each in places]
    return True, [_from_heap(file, each) for each in places]


def _from_heap(file: Bytes, place: int) -> str:
    """A text of any length, which lies in a collection of such."""
    size, heap, index = file.number(place, 4), file.number(place + 4), file.number(place + 12, 4)
    at = file.signed(heap, b"GCOL") + 12
    end = heap + file.number(heap + 8)
    while at + 16 <= min(end, len(file.content)):
        found, length = file.number(at, 2), file.number(at + 8)
        if found == index and found and size <= length:
            return file.part(at + 16, size).decode(errors="replace")
        if not found:
            break
        at += 16 + -(-length // 8) * 8
    raise DamagedError(f"expected a text at byte {heap}")
