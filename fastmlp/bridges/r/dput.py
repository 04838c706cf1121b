"""What `dput` of R writes, read as data: numbers, strings, vectors, lists and their attributes; nothing is evaluated.

Calls, formulas and functions, and fields that nobody asks for, are passed over bracket by bracket, so that a text takes
little more memory than its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

LONGEST = 1 << 26  #: of a text, in characters
DEEPEST = 64  #: lists within lists
MOST = 1 << 22  #: numbers of a range such as 1:5

#: quantifiers are possessive: a string without end is read once
TOKEN = re.compile(
    r"""(?:\s|\#[^\n]*+)++
    |(?P<number>(?:0[xX][0-9a-fA-F]++(?:\.[0-9a-fA-F]*+)?(?:[pP][+-]?\d++)?
               |(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?)L?(?![\w.]))
    |(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+')
    |(?P<name>`[^`\\]*+(?:\\.[^`\\]*+)*+`|(?:[^\W\d]|\.)[\w.]*+)
    |(?P<mark><-|.)""",
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|[uU]\{?([0-9a-fA-F]{1,8})\}?|([0-7]{1,3})|(.))", re.DOTALL)
LETTERS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
WORDS: dict[str, Any] = {
    "TRUE": True, "FALSE": False, "Inf": float("inf"), "NaN": float("nan"), "NA": None, "NA_real_": None,
    "NA_integer_": None, "NA_character_": None,
}  # fmt: skip
EMPTY = ("numeric", "integer", "character", "logical", "double")  # numeric(0)
ATTRIBUTES = ("class", "names", ".Names", "dim", "type")


@dataclass
class Data:
    """A vector or a list: floats, strings, booleans, None for NA, and what lists hold; NULL is an empty one."""

    items: list[Any] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The first of this name, or None."""
        return self.items[self.names.index(name)] if name in self.names else None


SKIPPED = Data()  #: a call, a formula, a function


def read(text: str, wanted: Collection[str]) -> Data:
    """The value that a text is, also behind an assignment; fields of lists that are not wanted are passed over.

    Raises
    ------
    ValueError
        If it is too long, too deep, or broken off.
    """
    if len(text) > LONGEST:
        raise ValueError(f"text: expected at most {LONGEST} characters, got {len(text)}")
    reading = _Reading(text, wanted)
    value = reading.value()
    if reading.token == "<-" and value is SKIPPED:  # of `dump`
        reading.step()
        value = reading.value()
    if reading.kind != "end":
        raise reading.error("the end of the value")
    return value


class _Reading:
    """A text on the way through it, token by token."""

    def __init__(self, text: str, wanted: Collection[str]) -> None:
        self._text, self._wanted, self._depth = text, wanted, 0
        self._tokens = self._all()
        self.kind, self.token, self.at = "", "", 0
        self.step()

    def _all(self) -> Iterator[tuple[str, str, int]]:
        for found in TOKEN.finditer(self._text):
            if found.lastgroup:
                yield found.lastgroup, found.group(), found.start()
        while True:
            yield "end", "", len(self._text)

    def step(self) -> str:
        """On to the next token; gives the last one."""
        last = self.token
        self.kind, self.token, self.at = next(self._tokens)
        if self.kind == "mark" and self.token in "\"'`":
            raise self.error("a string with an end")
        return last

    def error(self, expected: str) -> ValueError:
        """That something else stands here."""
        line = self._text.count("\n", 0, self.at) + 1
        got = "its end" if self.kind == "end" else repr(self._text[self.at : self.at + 20])
        return ValueError(f"text: expected {expected}, got {got} in line {line}; it is to be what dput has written")

    def value(self) -> Data:
        """A value; SKIPPED where it is none, and its first token alone is read."""
        kind, token = self.kind, self.step()
        if kind == "string":
            return Data([_unquoted(token)])
        if kind == "number" or (token == "-" and (self.kind == "number" or self.token == "Inf")):
            return self._number(token)
        if kind == "name" and self.token != "(":
            return Data() if token == "NULL" else Data([WORDS[token]]) if token in WORDS else SKIPPED
        if kind == "name" and token in ("c", "list", "structure", *EMPTY):
            return self._call(token)
        return SKIPPED

    def _number(self, token: str) -> Data:
        """A number, or a range of them, -1:3 from -1 on; its first token has been read."""
        start = self._signed(token)
        if self.token != ":":
            return Data([start])
        self.step()
        token = self.step()
        last = self._signed(token) if token == "-" or token[:1].isdigit() else float("nan")
        if not (abs(start) < 2**53 and abs(last - start) <= MOST):
            raise self.error(f"a range of at most {MOST} numbers before this")
        step = 1 if last >= start else -1
        return Data([start + step * each for each in range(int(abs(last - start)) + 1)])

    def _signed(self, token: str) -> float:
        sign = 1.0
        if token == "-":
            sign, token = -1.0, self.step()
        return sign * (_float(token) if token[:1].isdigit() or token[:1] == "." else WORDS.get(token) or float("nan"))

    def _call(self, function: str) -> Data:
        """c(...), list(...), structure(...) or numeric(0); the name has been read."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.error(f"at most {DEEPEST} lists within each other before this")
        self.step()
        result, first = Data(), True
        while self.token != ")":
            name, asked = None, True
            if self.kind in ("name", "string"):
                name, asked = self._named(function)
            value = self._argument() if asked else self._skipped()
            self._add(result, function, name, value, first)
            first = False
            if self.token == ",":
                self.step()
            elif self.token != ")":
                raise self.error("a comma or bracket")
        self._closed()
        self._depth -= 1
        if function in EMPTY:
            return Data()
        return SKIPPED if any(each is SKIPPED for each in result.items) and function == "c" else result

    def _named(self, function: str) -> tuple[str | None, bool]:
        """The name before an argument, if it has one, and whether the argument is to be read."""
        after = TOKEN.match(self._text, self.at + len(self.token))
        at = self.at + len(self.token)
        while after is not None and not after.lastgroup:
            at = after.end()
            after = TOKEN.match(self._text, at)
        if after is None or after.group() != "=" or self._text[at + 1 : at + 2] == "=":
            return None, True
        name = _unquoted(self.step()) if self.token[0] in "\"'`" else self.step()
        self.step()
        asked = {"list": self._wanted, "structure": ATTRIBUTES}.get(function)
        return name, asked is None or name in asked

    def _add(self, result: Data, function: str, name: str | None, value: Data, first: bool) -> None:
        if function == "structure":
            if name == ".Data" or (name is None and first):
                result.items, result.names = value.items, value.names
                result.attributes = value.attributes | result.attributes
            elif name in ("names", ".Names"):
                result.names = [str(each) for each in value.items]
            elif name is not None:
                result.attributes[name] = value
        elif function == "list":
            result.items.append(value)
            result.names.append(name)
        elif value is SKIPPED:
            result.items.append(SKIPPED)
        else:
            result.items += value.items
            result.names += [name] * len(value.items)

    def _argument(self) -> Data:
        """A value up to a comma or bracket; SKIPPED where more follows."""
        value = self.value() if self.token not in ("(", "[", "{") else SKIPPED
        return value if self.token in (",", ")") else self._skipped()

    def _skipped(self) -> Data:
        """Pass over all up to the comma or bracket that belongs here."""
        depth = 0
        while depth or self.token not in (",", ")"):
            if self.kind == "end":
                raise self.error("as many brackets that close as open")
            if self.kind == "mark":
                depth += (self.token in "([{") - (self.token in ")]}")
            self.step()
        return SKIPPED

    def _closed(self) -> None:
        if self.token != ")":
            raise self.error("a bracket")
        self.step()


def _float(token: str) -> float:
    digits = token.removesuffix("L")
    if digits[:2] in ("0x", "0X"):
        try:
            return float.fromhex(digits)
        except OverflowError:
            return float("inf")
    return float(digits)


def _unquoted(token: str) -> str:
    """A string without its quotes."""

    def letter(found: re.Match[str]) -> str:
        two, long, octal, other = found.groups()
        code = int(two or long, 16) if two or long else int(octal, 8) if octal else None
        if code is None:
            return LETTERS.get(other, other)
        return chr(code) if code < 0x110000 else "\ufffd"

    return ESCAPE.sub(letter, token[1:-1])
