"""Files of tables, CSV and Parquet, as frames whose index is the row of the file."""

from __future__ import annotations

import collections
import io
import os
from pathlib import Path
from typing import Any

from fastmlp import _memory, _optional, replacement
from fastmlp.tables.entries import is_number

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LOOKED_AT = 50  # rows, for the separator
KINDS = {  # what files begin with that are no text
    b"PK\x03\x04": "an Excel workbook or another archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "a compressed file",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUM": "an array of NumPy",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
HEADER_IS_1 = "the header is row 1"


def table(path: str | os.PathLike[str]) -> Any:
    """Read a table.

    Parameters
    ----------
    path : str or path-like
        CSV, separated by commas, semicolons, tabs or bars, in UTF-8, names of columns in its first row; or Parquet,
        told by its first bytes.

    Returns
    -------
    pandas.DataFrame
        Of a CSV all entries are texts, and the index is the row of the file, the header being row 1; of Parquet
        rows are counted from 1. Blank rows are left out.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no table: empty, without rows, rows of different lengths, names missing or double, not text.
    ImportError
        If pandas is not installed, or pyarrow for Parquet.
    """
    if os.path.isdir(path):
        raise ValueError("expected a file, got a folder")
    with replacement.opened(os.fspath(path)) as file:
        content = replacement.part(file, 0, replacement.regular(file, argument="data"))
    frame = _parquet(content) if content[:4] == b"PAR1" else _csv(content)
    _check_names(frame)
    return frame


def _parquet(content: bytes) -> Any:
    pd = _optional.load("pandas", "pandas", "reading tables")
    _optional.load("pyarrow", "pyarrow", "reading Parquet")
    try:
        frame = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except (OSError, ValueError) as error:  # pyarrow's errors are of these classes
        raise ValueError(f"expected a table in Parquet, got a file that is damaged ({error})") from None
    if not len(frame):
        raise ValueError("expected rows, got none")
    if frame.index.name is not None or None not in frame.index.names:
        frame = frame.reset_index()
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _csv(content: bytes) -> Any:
    pd = _optional.load("pandas", "pandas", "reading tables")
    text = _text(content)
    separator = _separator(text)
    rows = _rows(text, separator)
    if not rows:
        raise ValueError("expected a table, got an empty file")
    (first, names), *entries = rows
    if first != 1 or all(map(is_number, names)):
        got = f"a blank one; row {first} is the first that is not" if first != 1 else "numbers"
        raise ValueError(f"expected the names of the columns in row 1, got {got}; put a row of names there")
    if not entries:
        raise ValueError("expected rows below the header, got none")
    for number, row in entries:
        if len(row) != len(names):
            raise ValueError(
                f"row {number} ({HEADER_IS_1}): expected {len(names)} entries, as in the header, got {len(row)}; "
                f"columns are separated by {SEPARATORS[separator]}; entries with one inside need quotes"
            )
    columns = zip(*(row for _, row in entries), strict=True)
    names = [name.strip() for name in names]
    index = pd.Index([number for number, _ in entries], name=HEADER_IS_1)
    found = {i: pd.Series(list(column), dtype=object, index=index) for i, column in enumerate(columns)}
    frame = pd.DataFrame(found, index=index)
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _text(content: bytes) -> str:
    """UTF-8, with a mark at its beginning or without."""
    for mark, kind in KINDS.items():
        if content.startswith(mark):
            raise ValueError(f"expected CSV or Parquet, got {kind}; save it as CSV in UTF-8")
    if b"\0" in content:
        raise ValueError("expected CSV or Parquet, got a file that is not text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"row {row} ({HEADER_IS_1}): expected text in UTF-8, got the byte 0x{content[error.start]:02x}; "
            "save it as CSV in UTF-8"
        ) from None


def _separator(text: str) -> str:
    """The one that cuts the most rows at the beginning into as many entries as the header, and that into the most."""
    head = "\n".join(text.splitlines()[:LOOKED_AT])

    def merit(separator: str) -> tuple[float, int]:
        widths = [len(row) for _, row in _rows(head, separator)]
        if not widths or widths[0] == 1:
            return 0.0, 1
        return widths.count(widths[0]) / len(widths), widths[0]

    return max(SEPARATORS, key=merit)


def _rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Rows that are not blank, with their numbers."""
    csv = _memory.late("csv")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        return [(number, row) for number, row in enumerate(reader, 1) if any(map(str.strip, row))]
    except csv.Error as error:
        raise ValueError(f"row {reader.line_num} ({HEADER_IS_1}): expected a row of CSV, got none ({error})") from None


def _check_names(frame: Any) -> None:
    names = list(frame.columns)
    for i, name in enumerate(names):
        if not isinstance(name, str) or not name:
            got = repr(name) if name else "none"
            raise ValueError(f"column {i + 1}: expected a name in the header, got {got}; name it, or delete it")
    for name, count in collections.Counter(names).items():
        if count > 1:
            first, second = [i + 1 for i, other in enumerate(names) if other == name][:2]
            raise ValueError(
                f"column {second}: expected another name than {name!r}, which column {first} has; rename one"
            )


def write(path: str | os.PathLike[str], frame: Any) -> None:
    """Write a table as CSV, or as Parquet if that is what the name ends with; it appears whole or not at all."""
    if Path(path).suffix.lower() in (".parquet", ".pq"):
        _optional.load("pyarrow", "pyarrow", "writing Parquet")
        content = frame.to_parquet(index=False, engine="pyarrow")
    else:
        content = frame.to_csv(index=False, lineterminator="\n").encode()
    replacement.write(os.fspath(path), content)
