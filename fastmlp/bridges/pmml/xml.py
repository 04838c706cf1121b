"""Files of XML as trees of elements: no document types, no entities of their own, nothing outside the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fastmlp import _memory, replacement

LARGEST = 1 << 26  #: of a file, in bytes
MOST = 1 << 19  #: elements
DEEPEST = 64  #: elements within elements
NO_MEMORY = 1  #: of expat
NAMESPACE = "http://www.dmg.org/PMML-"  # and a version


class Node:
    """An element."""

    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes, self.text = tag, attributes, ""
        self.children: list[Node] = []

    def each(self, tag: str) -> Iterator[Node]:
        """The children of this name."""
        return (child for child in self.children if child.tag == tag)

    def only(self, tag: str) -> Node:
        """The child of this name."""
        found = list(self.each(tag))
        if len(found) != 1:
            raise ValueError(f"path: expected one {tag} in {self.tag}, got {len(found) or 'none'}")
        return found[0]

    def value(self, attribute: str) -> str:
        """Of an attribute that has to be there."""
        if attribute not in self.attributes:
            raise ValueError(f"path: expected {attribute} of {self.tag}, got none")
        return self.attributes[attribute]

    def number(self, attribute: str, default: float | None = None) -> float:
        """Likewise, or the default."""
        if default is not None and attribute not in self.attributes:
            return default
        return number(self.value(attribute), f"{attribute} of {self.tag}")


def number(text: str, what: str) -> float:
    """A finite number."""
    try:
        result = float(text) if len(text) < 1000 else math.nan
    except ValueError:
        result = math.nan
    if not math.isfinite(result):
        raise ValueError(f"path: expected a finite number as {what}, got {text[:40]!r}")
    return result


def read(path: str) -> Node:
    """The root of a file; elements of other namespaces than PMML's are left out.

    Raises
    ------
    ValueError
        If it is none, has a document type, or is too large.
    OSError
        If it cannot be read.
    """
    data = replacement.read(path, LARGEST)
    expat = _memory.late("xml.parsers.expat")
    building = _Building()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = building.refuse
    parser.StartElementHandler, parser.EndElementHandler = building.start, building.end
    parser.CharacterDataHandler, parser.buffer_text = building.text, True
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:  # LookupError: of an encoding
        if getattr(error, "code", None) == NO_MEMORY:
            raise MemoryError("path: too little memory for XML") from error
        raise ValueError(f"path: expected XML, got a file that is none or is broken off ({error})") from error
    return building.roots[0]


class _Building:
    """Elements as they come."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.open: list[Node] = []
        self.n_elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.n_elements += 1
        if self.n_elements > MOST or len(self.open) >= DEEPEST:
            raise ValueError(f"path: expected at most {MOST} elements, {DEEPEST} within each other, got more")
        namespace, _, tag = name.rpartition(" ")
        node = Node(tag, attributes)
        if not self.open:
            self.roots.append(node)
        elif not namespace or namespace.startswith(NAMESPACE):
            self.open[-1].children.append(node)
        self.open.append(node)

    def end(self, _: str) -> None:
        self.open.pop()

    def text(self, text: str) -> None:
        if not self.open[-1].text and not text.isspace():
            self.open[-1].text = text.strip()

    def refuse(self, *_: Any) -> None:
        raise ValueError("path: expected XML without a document type, which may name entities and other files, got one")
