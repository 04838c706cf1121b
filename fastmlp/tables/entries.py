"""The entries of one column of a table: numbers or texts, and where it cannot be told, a line that says where."""

from __future__ import annotations

import contextlib
import math
import re
from typing import Any, NoReturn

import numpy as np

from fastmlp._types import Array, Float

MISSING = {"", "na", "n/a", "nan", "null", "nil", "#n/a", "?", "<na>"}  # in small letters
AMONG_NUMBERS = MISSING | {"none", "-", "--", "."}  # which may be levels among texts
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")
GROUPED = re.compile(r"[-+]?\d{1,3}([,' ]\d{3})+(\.\d*)?|[-+]?\d{1,3}(\.\d{3})+,\d*|[-+]?\d*,\d+([eE][-+]?\d+)?")
MOST = 0.5  # the share of its entries from which on a column is what they are
LARGEST = 1e100  # of a number whose square can be summed


def read(frame: Any, name: str) -> Float | Array:
    """A column as float64, or as texts (of type object) where most entries are no numbers.

    Raises
    ------
    ValueError
        If an entry is missing, infinite or too large, is no number while most are, or if the column holds dates or
        numbers written with commas.
    """
    series = frame[name]
    if series.dtype.kind in "iuf":
        return _finite(frame, name, np.asarray(series.to_numpy(np.float64, na_value=math.nan)))
    if series.dtype.kind in "mM":
        _refuse_dates(frame, name, 0, str(series.iloc[0]))
    texts = of_texts(series)
    numbers = _numbers(texts)
    written = ~np.isnan(numbers)
    missing = np.array([text.lower() in AMONG_NUMBERS for text in texts])
    if missing.all():
        raise ValueError(f"column {name!r}: expected numbers or texts, got nothing in any row; remove the column")
    if written.sum() > MOST * (~missing).sum():
        for i in np.flatnonzero(~written & ~missing)[:1]:
            _refuse(frame, name, i, "a number, as most entries are", texts[i], _remedy(texts[i]))
        return _finite(frame, name, numbers)
    return _words(frame, name, texts)


def of_texts(series: Any) -> Array:
    """The entries as texts without spaces around them, "" where there is none."""
    there = ~series.isna().to_numpy()
    values = series.to_numpy(object)
    return np.array([str(v).strip() if is_there else "" for v, is_there in zip(values, there, strict=True)], object)


def place(frame: Any, i: int, name: str) -> str:
    """Where an entry stands in its file; the index of a frame that was read has the rows of the file."""
    counted = f" ({frame.index.name})" if frame.index.name else ""
    return f"row {frame.index[i]}{counted}, column {name!r}"


def plain(number: float) -> str:
    """A number that names a class or a level."""
    return f"{number:.15g}"


def canonical(text: str) -> str:
    """Of a text that is a number the one that names a level, as "1" of "1.0"."""
    return plain(_number(text)) if is_number(text) else text


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    return not math.isnan(_number(text))


def _numbers(texts: Array) -> Float:
    """Nan where one is none."""
    with contextlib.suppress(ValueError):
        if not any("_" in text for text in texts):
            return texts.astype(np.float64)  # in a third of the time
    return np.array([_number(text) for text in texts])


def _number(text: str) -> float:
    """Nan if it is none; Python takes 1_000."""
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def _finite(frame: Any, name: str, numbers: Float) -> Float:
    for i in np.flatnonzero(np.isnan(numbers))[:1]:
        _refuse_missing(frame, name, i, "a number", np.isnan(numbers).sum())
    for i in np.flatnonzero(~(np.abs(numbers) <= LARGEST))[:1]:
        what = f"a finite number, of at most {LARGEST:g} in size"
        _refuse(frame, name, i, what, str(frame[name].iloc[i]).strip(), "correct it, or delete the row")
    return numbers


def _words(frame: Any, name: str, texts: Array) -> Array:
    """Texts none of which is missing, and which are not numbers or dates in disguise."""
    missing = np.array([text.lower() in MISSING for text in texts])
    for i in np.flatnonzero(missing)[:1]:
        _refuse_missing(frame, name, i, "a text", missing.sum())
    grouped = np.array([GROUPED.fullmatch(text) is not None for text in texts])
    if grouped.mean() > MOST:
        i = int(np.flatnonzero(grouped)[0])
        _refuse(frame, name, i, "a number with a decimal point", texts[i], _remedy(texts[i]))
    dates = np.array([DATE.fullmatch(text) is not None for text in texts])
    if dates.mean() > MOST:
        i = int(np.flatnonzero(dates)[0])
        _refuse_dates(frame, name, i, texts[i])
    return texts


def _remedy(text: str) -> str:
    if GROUPED.fullmatch(text):
        return "write numbers as 1234.5, without commas"
    return "correct it, or delete the row"


def _refuse(frame: Any, name: str, i: int, expected: str, got: str, remedy: str) -> NoReturn:
    shown = got if len(got) <= 40 else f"{got[:37]}..."
    raise ValueError(f"{place(frame, i, name)}: expected {expected}, got {shown!r}; {remedy}")


def _refuse_missing(frame: Any, name: str, i: int, expected: str, count: int) -> NoReturn:
    others = f" (and in {count - 1} more of its rows)" if count > 1 else ""
    remedy = "fill it in, or delete the row or the column"
    raise ValueError(f"{place(frame, i, name)}: expected {expected}, got a missing value{others}; {remedy}")


def _refuse_dates(frame: Any, name: str, i: int, got: str) -> NoReturn:
    remedy = f"write it as a number, such as days since the first, or leave it out: --ignore {name!r}"
    _refuse(frame, name, i, "a number or a category", got, f"this is a date: {remedy}")
