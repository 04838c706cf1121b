"""Progress, where it was asked for: one line that updates on a terminal and in a notebook, lines elsewhere.

What can be written over goes to stderr, by tqdm if it is installed; lines go to stdout. A stream that is closed, or
that nobody reads, ends the showing and nothing else.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from fastmlp import _optional

SECONDS = 0.1  # between two looks of a line that updates
WIDTH = 80  # of a terminal that does not say


class Progress:
    """What ``verbose=1`` shows of a long call.

    Parameters
    ----------
    what : str
        What goes on, in a word.
    verbose : int
        As the call was given it; from 2 on each step has a line of its own.
    total : int, optional
        Steps at most, if that is known.

    Attributes
    ----------
    in_place : bool
        Whether there is a line that updates; else the caller chooses which steps have a line, by `say`.
    """

    def __init__(self, what: str, verbose: int, total: int | None = None) -> None:
        self.in_place = verbose == 1 and _can_update(sys.stderr)
        self._what, self._total = what, total
        self._line: _Plain | _Tqdm | None = None  # until there is something to show
        self._is_closed, self._shown = False, -SECONDS
        self._left: tuple[int, Callable[[], str]] | None = None  # told, and not shown yet

    def tell(self, step: int, text: Callable[[], str]) -> None:
        """Have the line say that this step is done, and `text()`; now, or with a later one."""
        self._left = step, text
        if time.perf_counter() - self._shown >= SECONDS:
            self._show()

    def close(self) -> None:
        """Leave the line as the latest step has it, and the next one to others."""
        self._show()
        self._is_closed = True
        if self._line is not None:
            with _whatever_the_stream_does():
                self._line.close()

    def _show(self) -> None:
        if self._left is None or self._is_closed:
            return
        (step, text), self._left = self._left, None
        words = text()
        with _whatever_the_stream_does():
            if self._line is None:
                self._line = _line(self._what, self._total)
            self._line.show(step, words)
        self._shown = time.perf_counter()


class Count:
    """How many of a known number are done, for `verbose`: the line that updates, or one for each tenth of them.

    Attributes
    ----------
    shown : bool
        Whether anybody wants to know.
    """

    def __init__(self, what: str, verbose: int, total: int) -> None:
        self.shown = verbose > 0
        self._what, self._total, self._each = what, total, verbose > 1
        self._done, self._line = 0, Progress(what, verbose, total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def update(self, more: int) -> None:
        """So many more are done."""
        tenths = 10 * self._done // self._total
        self._done += more
        if self._line.in_place:
            self._line.tell(self._done, str)
        elif self._each or 10 * self._done // self._total > tenths:
            say(f"{self._what} {self._done}/{self._total}")


def say(text: str) -> None:
    """A line of its own, at once."""
    with _whatever_the_stream_does():
        print(text, flush=True)


def _whatever_the_stream_does() -> contextlib.suppress:
    """A block that ends where its stream is closed, or broken."""
    return contextlib.suppress(OSError, ValueError)


def _can_update(stream: Any) -> bool:
    """Whether what is written to it can be written over: a terminal's line, a notebook's output."""
    if stream is None or getattr(stream, "closed", False):
        return False
    with _whatever_the_stream_does():
        return bool(stream.isatty()) or _in_notebook()
    return False


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _line(what: str, total: int | None) -> _Plain | _Tqdm:
    if not (_in_notebook() or _columns(sys.stderr)):  # where tqdm writes nothing
        return _Plain(what, total)
    widgets = _in_notebook() and importlib.util.find_spec("ipywidgets") is not None
    try:
        module = _optional.load("tqdm.notebook" if widgets else "tqdm.std", "tqdm", "verbose=1")
    except ImportError:
        return _Plain(what, total)
    with _whatever_the_stream_does():  # tqdm writes at once
        return _Tqdm(module.tqdm, what, total)
    return _Plain(what, total)


def _columns(stream: Any) -> int:
    """Of a terminal; 0 where it does not say."""
    with _whatever_the_stream_does():
        return os.get_terminal_size(stream.fileno()).columns
    return 0


class _Plain:
    """A line without tqdm."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._of = what, "" if total is None else f"/{total}"
        self._stream, self._length = sys.stderr, 0

    def show(self, step: int, text: str) -> None:
        line = f"{self._what} {step}{self._of}  {text}"[: (_columns(self._stream) or WIDTH) - 1]
        self._stream.write("\r" + line.ljust(self._length))
        self._stream.flush()
        self._length = len(line)

    def close(self) -> None:
        self._stream.write("\n")
        self._stream.flush()


class _Tqdm:
    """A bar of tqdm's; without its thread, which is for bars that are seldom told."""

    def __init__(self, kind: Any, what: str, total: int | None) -> None:
        quiet = type("Bar", (kind,), {"monitor_interval": 0})
        self._bar = quiet(total=total, desc=what, unit="", file=sys.stderr, dynamic_ncols=True)

    def show(self, step: int, text: str) -> None:
        self._bar.n = step
        self._bar.set_postfix_str(text, refresh=True)

    def close(self) -> None:
        self._bar.close()
