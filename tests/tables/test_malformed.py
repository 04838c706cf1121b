"""Tables that cannot be learnt from: each is refused in one line that says where and what to change."""

import pytest

from fastmlp.command.parser import main

GOOD = [["x", "colour", "y"], *([f"{i}.5", "red" if i % 2 else "blue", f"{i * i}"] for i in range(12))]


def csv(rows, separator=","):
    return "".join(separator.join(row) + "\n" for row in rows)


def with_entry(row, column, entry):
    """The good table with one entry in place of another; row 1 is the header."""
    rows = [list(each) for each in GOOD]
    rows[row - 1][column] = entry
    return csv(rows)


def with_column(column, name="z"):
    return csv([[*row, name if i == 0 else column(i)] for i, row in enumerate(GOOD)])


def with_target(entry):
    return csv([GOOD[0], *([*row[:2], entry(i)] for i, row in enumerate(GOOD[1:]))])


def all_but(column):
    return csv([[entry for i, entry in enumerate(row) if i != column] for row in GOOD])


TABLES = {
    "a missing number": (
        with_entry(5, 0, ""),
        "row 5 (the header is row 1), column 'x': expected a number, got a missing",
    ),
    "nan": (with_entry(5, 0, "NaN"), "row 5 (the header is row 1), column 'x': expected a number, got a missing value"),
    "a question mark": (
        with_entry(6, 0, "?"),
        "row 6 (the header is row 1), column 'x': expected a number, got a missing",
    ),
    "two missing numbers": (with_entry(5, 0, "").replace("7.5", "NA"), "a missing value (and in 1 more of its rows)"),
    "a missing text": (
        with_entry(4, 1, " "),
        "row 4 (the header is row 1), column 'colour': expected a text, got a missing",
    ),
    "a missing target": (
        with_entry(13, 2, "null"),
        "row 13 (the header is row 1), column 'y': expected a number, got a m",
    ),
    "a text among numbers": (
        with_entry(7, 0, "abc"),
        "row 7 (the header is row 1), column 'x': expected a number, as most",
    ),
    "a text in the target": (
        with_entry(3, 2, "high"),
        "row 3 (the header is row 1), column 'y': expected a number, as mos",
    ),
    "a unit": (
        with_entry(3, 0, "1.5 kg"),
        "row 3 (the header is row 1), column 'x': expected a number, as most entries are",
    ),
    "infinity": (with_entry(2, 0, "inf"), "row 2 (the header is row 1), column 'x': expected a finite number"),
    "too large to be read": (with_entry(2, 0, "1e400"), "of at most 1e+100 in size, got '1e400'; correct it"),
    "minus infinity": (
        with_entry(2, 2, "-Infinity"),
        "row 2 (the header is row 1), column 'y': expected a finite number",
    ),
    "too large": (
        with_entry(2, 0, "1e300"),
        "row 2 (the header is row 1), column 'x': expected a finite number, of at most",
    ),
    "an underscore": (with_entry(2, 0, "1_000"), "row 2 (the header is row 1), column 'x': expected a number, as most"),
    "thousands": (with_entry(2, 0, '"1,000"'), "got '1,000'; write numbers as 1234.5, without commas"),
    "decimal commas": (
        csv(GOOD, ";").replace(".", ","),
        "row 2 (the header is row 1), column 'x': expected a number with a decimal point",
    ),
    "all thousands": (
        with_column(lambda i: f'"{i},000"'),
        "column 'z': expected a number with a decimal point, got '1,000'",
    ),
    "a double name": (
        with_column(str, "x"),
        "column 4: expected another name than 'x', which column 1 has; rename one",
    ),
    "a column without name": (with_column(str, ""), "column 4: expected a name in the header, got none"),
    "a short row": (
        with_entry(8, 2, "1").replace("6.5,blue,1\n", "6.5,blue\n"),
        "row 8 (the header is row 1): expected 3",
    ),
    "a long row": (with_entry(9, 2, "1,2"), "row 9 (the header is row 1): expected 3 entries, as in the header, got 4"),
    "an open quote": (with_entry(9, 1, '"red'), "row 9 (the header is row 1): expected 3 entries"),
    "no header": (csv([["1", "2", "3"], ["4", "5", "6"]]), "expected the names of the columns in row 1, got numbers"),
    "a blank first row": ("\n" + csv(GOOD), "expected the names of the columns in row 1, got a blank one; row 2 is"),
    "an empty file": ("", "expected a table, got an empty file"),
    "blank rows": ("\n\n \n", "expected a table, got an empty file"),
    "the header alone": (csv(GOOD[:1]), "expected rows below the header, got none"),
    "one row": (csv(GOOD[:2]), "column 'y': expected a target that varies, got 0.0 in all rows"),
    "few rows": (csv(GOOD[:7]), "expected at least 10 rows below the header, got 6"),
    "a constant target": (with_target(lambda i: "3"), "column 'y': expected a target that varies, got 3.0 in all rows"),
    "names as target": (
        with_target(lambda i: f"name {i}"),
        "got 12 different texts in 12 rows, as names or numbers of th",
    ),
    "a class of one row": (
        with_target(lambda i: "abc"[i % 2 if i else 2]),
        "row 2 (the header is row 1), column 'y': expected at least two ro",
    ),
    "no target": (all_but(2), "expected a column 'y', got 'x', 'colour'"),
    "another case": (
        csv([["x", "colour", "Y"], *GOOD[1:]]),
        "expected a column 'y', got 'x', 'colour', 'Y', did you mean 'Y'?",
    ),
    "the target alone": (csv([[row[2]] for row in GOOD]), "expected columns beside the target 'y', got none"),
    "constant inputs": (csv([["x", "y"], *(["1", row[2]] for row in GOOD[1:])]), "got only constant ones"),
    "names": (
        with_column(lambda i: f"n{i}"),
        "column 'z': expected numbers, or texts that come back, at most 100 differ",
    ),
    "dates": (
        with_column(lambda i: f"2024-01-{i:02}"),
        "column 'z': expected a number or a category, got '2024-01-01'; this",
    ),
    "an empty column": (with_column(lambda i: ""), "column 'z': expected numbers or texts, got nothing in any row"),
    "spaces as separators": (csv(GOOD, " "), "expected a column 'y', got 'x colour y'"),
    "binary": (b"\x00\x01\x02\x03" * 50, "expected CSV or Parquet, got a file that is not text"),
    "an Excel workbook": (
        b"PK\x03\x04" + bytes(50),
        "got an Excel workbook or another archive; save it as CSV in UTF-8",
    ),
    "compressed": (b"\x1f\x8b" + bytes(50), "got a compressed file; save it as CSV in UTF-8"),
    "UTF-16": (csv(GOOD).encode("utf-16"), "got text in UTF-16; save it as CSV in UTF-8"),
    "Latin-1": (
        with_entry(4, 1, "gr\xfcn").encode("latin-1"),
        "row 4 (the header is row 1): expected text in UTF-8, got the",
    ),
    "damaged Parquet": (b"PAR1" + bytes(50), "expected a table in Parquet, got a file that is damaged"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_it_is_refused_in_one_line_and_nothing_is_written(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    content, words = TABLES[kind]
    (tmp_path / "data.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["fit", "data.csv", "--target", "y", "--report", "page.html"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("fastmlp fit: error: data.csv: ")
    assert words in printed.err
    assert printed.err.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["data.csv"]


def test_a_file_that_is_not_there_and_a_folder(tmp_path, capsys):
    assert main(["fit", str(tmp_path / "nowhere.csv"), "--target", "y", "-o", str(tmp_path / "m")]) == 2
    assert (
        "nowhere.csv: expected a file that can be read, got none (No such file or directory)" in capsys.readouterr().err
    )
    assert main(["fit", str(tmp_path), "--target", "y", "-o", str(tmp_path / "m")]) == 2
    assert f"{tmp_path}: expected a file, got a folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "y", "-o", "data.csv"], "argument --output: expected another file than data.csv"),
        (["--target", "y", "-o", "m", "--report", "m"], "argument --report: expected another file than m"),
        (["--target", "y", "-o", "no/m"], "argument --output: expected a file in a folder that can be written to"),
        (["--target", "y", "-o", "."], "argument --output: expected the name of a file, got the folder ."),
        (
            ["--target", "y", "-o", "-"],
            "argument --output: expected the name of a file, got -, which is something else",
        ),
        (["--target", "y", "--report", "/dev/null"], "argument --report: expected the name of a file, got /dev/null"),
        (["--target", "y", "--ignore", "y"], "expected another column than the target 'y' to ignore"),
        (["--target", "y", "--ignore", "z"], "expected a column 'z', got 'x', 'colour', 'y'"),
        (["--target", "y", "--ignore", "x", "--ignore", "colour"], "expected columns beside the target 'y', got none"),
    ],
)
def test_what_is_asked_cannot_be_done(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(csv(GOOD))
    assert main(["fit", "data.csv", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["data.csv"]
