"""The hashes of `bench/bits.py`: of a few quantities of one network, and what a comparison finds."""

import json
import sys

import numpy as np
import pytest

import bits

FEW = {name: bits.SUMS[name] for name in ("predict", "loss_and_grad", "objective, decay: value_and_grad")}


@pytest.fixture
def table(monkeypatch):
    """Of three quantities, a fit and a posterior."""
    monkeypatch.setattr(bits, "SUMS", FEW)
    monkeypatch.setattr(bits, "MATRICES", {})
    monkeypatch.setattr(bits, "FITS", {"fit, lm": bits.FITS["fit, lm"]})
    monkeypatch.setattr(bits, "POSTERIORS", {"Laplace, ggn": bits.POSTERIORS["Laplace, ggn"]})
    monkeypatch.setitem(bits.NETWORKS, "tanh", bits.Case([1, 3, 1], {}, (0, 17)))
    return bits.measured(["tanh"], threads=(1, 2))


def compared(tmp_path, monkeypatch, *tables):
    paths = [tmp_path / name for name in ("old.json", "new.json")]
    for path, table in zip(paths, tables, strict=True):
        path.write_text(json.dumps(table))
    monkeypatch.setattr(sys, "argv", ["bits.py", "--compare", *map(str, paths)])
    return bits.main()


def key(table, *parts):
    (found,) = (key for key in table if all(part in key for part in parts))
    return found


def test_a_table_has_a_value_for_each_quantity_type_and_number_of_threads(table):
    assert len(table) == 2 * 2 * (len(FEW) + len(FEW) + 2)
    assert table[key(table, "float64/tanh/0/2/", "objective")] == "ValueError"
    assert len(table[key(table, "float64/tanh/17/1/predict")]) == 16
    assert isinstance(table[key(table, "float32/tanh/17/1/Laplace")], list)
    assert bits.differing_by_threads(table) == []


def test_all_quantities_of_all_networks_are_computed():
    for case in bits.NETWORKS.values():
        problem = bits.Problem(case, "float64", 17, 1)
        found = {q: bits.outcome(function, problem, bits.hashed) for q, function in bits.tables(case, 17).items()}
        failed = {quantity for quantity, value in found.items() if value.endswith("Error")} - {"Laplace, exact"}
        assert not failed or (problem.net.loss_name != "squared_error" and all("residual" in each for each in failed))


def test_equal_tables_are_the_same(table, tmp_path, monkeypatch, capsys):
    assert compared(tmp_path, monkeypatch, table, table) == 0
    assert capsys.readouterr().out == f"0 of {len(table)} differ\n"


def test_another_hash_is_a_difference(table, tmp_path, monkeypatch, capsys):
    other = table | {key(table, f"{dtype}/tanh/17/2/predict"): "0" * 16 for dtype in bits.DTYPES}
    assert compared(tmp_path, monkeypatch, table, other) == 1
    assert "predict: 2 (" in (out := capsys.readouterr().out)
    assert "| float64, float32 | tanh | 17 | 2)" in out
    assert bits.differing_by_threads(other) == [key(table, f"{dtype}/tanh/17/2/predict") for dtype in bits.DTYPES]


def test_what_only_one_table_has_is_a_difference(table, tmp_path, monkeypatch):
    less = {each: value for each, value in table.items() if "fit" not in each}
    assert compared(tmp_path, monkeypatch, table, less) == 1


@pytest.mark.parametrize(("share", "expected"), [(1e-14, 0), (1e-12, 1)])
def test_posteriors_may_differ_by_rounding(share, expected, table, tmp_path, monkeypatch):
    place = key(table, "float64/tanh/17/1/Laplace")
    other = table | {place: [[number + share * max(map(abs, part)) for number in part] for part in table[place]]}
    assert compared(tmp_path, monkeypatch, table, other) == expected


def test_infinite_numbers_are_compared_with_themselves():
    assert bits.same([[np.inf, 1.0]], [[np.inf, 1.0]])
    assert not bits.same([[np.inf, 1.0]], [[np.inf, 2.0]])
    assert not bits.same([[1.0]], "ValueError")
