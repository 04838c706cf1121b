"""How far a search is, on a terminal: a bar of tqdm's if that is installed, else one line that is written over."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
import time
from collections.abc import Iterator

from fastmlp import _optional
from fastmlp.tables.problem import Told

EVERY = 0.1  # seconds
FORMAT = "{percentage:3.0f} % of the time |{bar:20}| {desc}"


@contextlib.contextmanager
def progress(shown: bool) -> Iterator[Told]:
    """What takes ``told(text, share)``: a text, and the share of the time that is over; nothing where none looks."""
    if not (shown and sys.stderr.isatty()):
        yield lambda text, share: None
    elif importlib.util.find_spec("tqdm") is not None:
        tqdm = _optional.load("tqdm", "tqdm", "the progress bar")
        with tqdm.tqdm(total=100, bar_format=FORMAT, leave=False, mininterval=EVERY) as bar:

            def told(text: str, share: float) -> None:
                bar.set_description_str(text, refresh=False)
                bar.update(max(0.0, 100 * share - bar.n))

            yield told
    else:
        yield from _line()


def _line() -> Iterator[Told]:
    last = 0.0

    def told(text: str, share: float) -> None:
        nonlocal last
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r" + f"{100 * share:3.0f} % of the time  {text}"[:width].ljust(width))
            sys.stderr.flush()

    try:
        yield told
    finally:
        sys.stderr.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
        sys.stderr.flush()
