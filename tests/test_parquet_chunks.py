"""Row groups of a Parquet file as chunks: against the same columns as arrays; what is refused names the column."""

import numpy as np
import pytest

import fastmlp
from fastmlp import Chunks

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
N = 100


@pytest.fixture
def columns(tmp_path):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=N), rng.integers(0, 9, N)
    found = {
        "a": a, "b": b, "y": a * b, "w": rng.uniform(1, 2, N), "flag": b > 4, "single": a.astype(np.float32),
        "holes": pa.array([None if i == 57 else i for i in range(N)]), "text": ["x"] * N,
        "when": np.arange(N).astype("M8[s]"),
    }  # fmt: skip
    parquet.write_table(pa.table(found), tmp_path / "t.parquet", row_group_size=30)
    return tmp_path / "t.parquet", found


def test_row_groups_are_chunks(columns):
    path, of = columns
    net, X = fastmlp.Network([3, 3, 1], rng=0), np.column_stack([of[name] for name in ("b", "flag", "single")])
    chunks = Chunks.of_parquet(path, ["b", "flag", "single"], ["y"], "w")
    assert len(chunks) == 4
    assert net.loss(chunks) == pytest.approx(net.loss(X, of["y"], sample_weight=of["w"]), rel=1e-13)
    np.testing.assert_array_equal(
        net.predict(Chunks.of_parquet(str(path), ["b", "flag", "single"], [])), net.predict(X)
    )
    twice = Chunks.of_parquet(path, ["y", "b", "y"], ["y", "b"])
    other = fastmlp.Network([3, 2], rng=0)
    expected = other.loss(np.column_stack([of["y"], of["b"], of["y"]]), np.column_stack([of["y"], of["b"]]))
    assert other.loss(twice) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["a", "z"], ["y"]), ValueError, r"inputs: expected columns of the file, \['a', .*\], got 'z'"),
        ((["a", 1], ["y"]), ValueError, r"inputs: expected columns of the file, .*, got 1"),
        ((["a", "b"], ["z"]), ValueError, "targets: expected columns of the file, .*, got 'z'"),
        ((["a", "b"], ["y"], "z"), ValueError, "sample_weight: expected columns of the file, .*, got 'z'"),
        (("ab", ["y"]), TypeError, "inputs: expected a sequence of names of columns, got 'ab'"),
        ((["a", "b"], "y"), TypeError, "targets: expected a sequence of names of columns, got 'y'"),
        (([], ["y"]), ValueError, "inputs: expected at least one column, got none"),
        ((["a", "holes"], ["y"]), ValueError, "chunk 1: column 'holes': expected a number in each row, got 1 without"),
        ((["a", "b"], ["holes"]), ValueError, "chunk 1: column 'holes': expected a number in each row"),
        ((["a", "b"], ["y"], "holes"), ValueError, "chunk 1: column 'holes': expected a number in each row"),
        ((["a", "text"], ["y"]), TypeError, "chunk 0: column 'text': expected real numbers, got string"),
        ((["a", "when"], ["y"]), TypeError, r"chunk 0: column 'when': expected real numbers, got timestamp\["),
    ],
)
def test_what_is_no_column_of_numbers_is_named(columns, arguments, error, message):
    with pytest.raises(error, match=message):
        fastmlp.Network([2, 3, 1], rng=0).loss(Chunks.of_parquet(columns[0], *arguments))


def test_a_file_that_is_damaged_or_gone_is_an_error_of_the_chunk(columns):
    path, _ = columns
    chunks, net = Chunks.of_parquet(path, ["a", "b"], ["y"]), fastmlp.Network([2, 3, 1], rng=0)
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)
    with pytest.raises((OSError, ValueError), match="chunk 0: "):
        net.loss(chunks)
    path.unlink()
    with pytest.raises(OSError, match="chunk 0: "):
        net.fit(chunks, method="lm")
