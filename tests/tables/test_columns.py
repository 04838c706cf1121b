"""What columns are taken for, and the numbers that stand for them."""

import numpy as np
import pandas as pd
import pytest

from fastmlp.tables import columns, reading, rows


def frame(**entries):
    return pd.DataFrame({name: pd.Series(list(column), dtype=object) for name, column in entries.items()})


MIXED = frame(
    x=["1", "2.5", "-3e2", "4"], on=["yes", "no", "no", "yes"], colour=["red", "blue", "green", "red"], k=list("1111"),
    y=["1", "2", "3", "5"],
)  # fmt: skip


def test_numbers_are_taken_as_they_are_and_texts_become_a_column_for_each_level():
    schema = columns.schema_of(pd.concat([MIXED] * 2), "y")
    assert [column.kind for column in schema.inputs] == ["number", "category", "category", "constant"]
    assert schema.names == ["x", "on=yes", "colour=blue", "colour=green", "colour=red"]
    assert schema.places == [0, 1, 2, 2, 2]
    expected = [[1, 1, 0, 0, 1], [2.5, 0, 1, 0, 0], [-300, 0, 0, 1, 0], [4, 1, 0, 0, 1]]
    np.testing.assert_array_equal(schema.encoded(MIXED), expected)
    np.testing.assert_array_equal(schema.target_of(MIXED), [1, 2, 3, 5])
    shuffled = MIXED.assign(other="?")[["other", "colour", "y", "x", "on"]]  # without the constant one
    np.testing.assert_array_equal(schema.encoded(shuffled), expected)


def test_what_is_measured_is_that_of_the_rows_that_train():
    schema = columns.schema_of(pd.concat([MIXED] * 2), "y").measured(
        np.array([[1.0, 0, 0, 0, 0], [3, 1, 0, 0, 1]]), np.ones(2)
    )
    assert schema.inputs[0][3:] == (2.0, 1.0, 1.0, 3.0)
    assert schema.inputs[1][3:] == (0.0, 1.0, 0.0, 1.0)
    assert schema.inputs[3][3:] == (1.0, 0.0, 1.0, 1.0)


def test_texts_two_numbers_and_numbers_that_are_said_to_be_are_classes():
    table = frame(x=map(str, range(8)), a=["u", "v"] * 4, b=["0", "1.0"] * 4, c=["1", "2", "3", "3"] * 2)
    for name, classes, levels in (("a", False, ("u", "v")), ("b", False, ("0", "1")), ("c", True, ("1", "2", "3"))):
        schema = columns.schema_of(table, name, classes=classes)
        assert schema.target.levels == levels
        assert schema.target_of(table).tolist()[:4] == ([0, 1, 2, 2] if name == "c" else [0, 1, 0, 1])
    assert columns.schema_of(table, "c").target.kind == "number"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": ["1", "2", "oops", "4"]}, "row 2, column 'x': expected a number, as most entries are, got 'oops'"),
        ({"x": ["a", "b", "c", "d"]}, "row 0, column 'x': expected a number, as in training, got 'a'"),
        (
            {"colour": ["red", "pink", "red", "red"]},
            "row 1, column 'colour': expected one of 'blue', 'green', 'red', as in",
        ),
        (
            {"colour": ["red", "", "red", "red"]},
            "row 1, column 'colour': expected one of 'blue', 'green', 'red', as in",
        ),
    ],
)
def test_later_tables_have_the_kinds_and_levels_of_the_first(changed, words):
    schema = columns.schema_of(pd.concat([MIXED] * 2), "y")
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        schema.encoded(MIXED.assign(**changed))
    with pytest.raises(ValueError, match=r"expected a column 'on', got 'x', 'colour', 'k', 'y'"):
        schema.encoded(MIXED.drop(columns="on"))


# ---- files ----


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_separator_and_end_of_line_with_a_mark_quotes_and_blank_rows(tmp_path, separator, end):
    lines = [
        separator.join(row)
        for row in (
            ['"a,;b"', " my x ", "y|z" if separator != "|" else "y"],
            ["1", "two words", "3"],
            [],
            ["4", '"5', "6"],
        )
    ]
    lines[-1] = separator.join(["4", f'"5{separator}5"', "6"])
    (tmp_path / "t").write_bytes(("\ufeff" + end.join(lines) + end + end).encode())
    table = reading.table(tmp_path / "t")
    assert list(table.columns) == ["a,;b", "my x", "y|z" if separator != "|" else "y"]
    assert table.index.tolist() == [2, 4]  # rows of the file
    assert table.iloc[1].tolist() == ["4", f"5{separator}5", "6"]


def test_parquet_holds_the_same_table(tmp_path):
    pytest.importorskip("pyarrow")
    words = pd.Categorical(["red", "blue", "green", "red"] * 2)
    on = [True, False, False, True] * 2
    typed = pd.DataFrame({"x": [1.0, 2.5, -300.0, 4.0] * 2, "n": [1, 2, 3, 4] * 2, "on": on, "colour": words})
    typed["y"] = [1.0, 2, 3, 5] * 2
    typed.to_parquet(tmp_path / "t.parquet")
    typed.to_csv(tmp_path / "t.csv", index=False)
    read = [reading.table(tmp_path / name) for name in ("t.parquet", "t.csv")]
    schemas = [columns.schema_of(each, "y") for each in read]
    assert schemas[0] == schemas[1]
    np.testing.assert_array_equal(schemas[0].encoded(read[0]), schemas[0].encoded(read[1]))
    reading.write(tmp_path / "u.parquet", read[0])
    pd.testing.assert_frame_equal(reading.table(tmp_path / "u.parquet"), read[0])


def test_missing_values_and_dates_of_parquet_are_refused_with_their_row(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"x": pd.array([1, None, 3], "Int64"), "d": pd.Timestamp("2024-01-01"), "y": [1.0, 2, 3]}).to_parquet(
        tmp_path / "t"
    )
    table = reading.table(tmp_path / "t")
    with pytest.raises(ValueError, match="row 2, column 'x': expected a number, got a missing value"):
        columns.schema_of(table, "y")
    with pytest.raises(ValueError, match="column 'd': expected a number or a category, got '2024-01-01 00:00:00'"):
        columns.schema_of(table, "y", ["x"])


# ---- rows kept back ----


def test_of_each_class_its_share_is_kept_back():
    T = np.repeat([0, 1, 2], [50, 20, 2])
    kept, held = rows.kept_back(T, 0.2, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(T[held]), [10, 4, 1])
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(72))
    folds = rows.dealt(T, 5, np.random.default_rng(0))
    assert all(np.bincount(T[folds == fold], minlength=3)[:2].tolist() == [10, 4] for fold in range(5))
