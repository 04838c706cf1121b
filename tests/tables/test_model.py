"""Models of tables: their files, their intervals, and how good they are on rows that they have not seen."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import fastmlp
from fastmlp.tables import fitting
from fastmlp.tables.problem import Wishes


def table(n=150, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.uniform(-2, 2, n), "colour": rng.choice(["red", "blue", "green"], n), "k": 1.0})
    frame["y"] = np.sin(2 * frame.x) + (frame.colour == "red") + 0.1 * rng.normal(size=n)
    frame["kind"] = np.where(frame.x**2 > 1.5, "far", np.where(frame.colour == "red", "near red", "near"))
    return frame


def fitted(target, frame=None, **wishes):
    frame = table() if frame is None else frame
    other = {"y": "kind", "kind": "y"}[target]
    return fitting.fit(frame, target, Wishes(ignored=(other,), **wishes), "t.csv", lambda text, share: None)


@pytest.fixture(scope="module")
def models():
    large = fitting.LARGEST
    fitting.LARGEST = 0.0
    by_rows = fitted("y", table(600), size=(8,)).model
    classes_by_rows = fitted("kind", table(600), size=(8,)).model
    fitting.LARGEST = large
    return {"evidence": fitted("y", size=(4,)).model, "classes": fitted("kind", size=(4,)).model, "rows": by_rows,
            "classes by rows": classes_by_rows}  # fmt: skip


@pytest.mark.parametrize("name", ["evidence", "classes", "rows", "classes by rows"])
def test_a_file_holds_the_whole_model(models, name, tmp_path):
    model, frame = models[name], table(20, seed=1)
    model.save(tmp_path / "a")
    read = fastmlp.load(tmp_path / "a")
    assert (read.schema, read.settings, read.notes, read.noise_std) == (
        model.schema, model.settings, model.notes, model.noise_std
    )  # fmt: skip
    assert read.network == model.network
    assert type(read.posterior) is type(model.posterior)
    interval = 0.9 if model.classes is None else None
    pd.testing.assert_frame_equal(read.predict(frame, interval), model.predict(frame, interval), check_exact=True)
    read.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_damaged_file_is_refused(models, tmp_path):
    models["evidence"].save(tmp_path / "a")
    content = bytearray((tmp_path / "a").read_bytes())
    content[2000] ^= 1
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(fastmlp.ModelFormatError, match="checksum does not match"):
        fastmlp.load(tmp_path / "a")


def test_the_same_seed_gives_the_same_model_and_another_seed_another(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fitted("y", table(60), size=(2,), seed=seed).model.save(tmp_path / name)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_predictions_have_the_rows_of_the_table_and_names_that_tell(models):
    frame = table(5, seed=1).set_index(pd.Index([3, 5, 7, 9, 11]))
    found = models["evidence"].predict(frame, 0.9)
    assert list(found.columns) == ["y", "y low", "y high"]
    assert found.index.equals(frame.index)
    assert (found["y low"] < found["y"]).all()
    assert (found["y"] < found["y high"]).all()
    found = models["classes"].predict(frame)
    assert list(found.columns) == ["kind", "P(far)", "P(near)", "P(near red)"]
    np.testing.assert_allclose(found.iloc[:, 1:].sum(axis=1), 1.0, rtol=1e-12)
    assert (found.iloc[:, 1:].idxmax(axis=1) == "P(" + found["kind"] + ")").all()
    with pytest.raises(ValueError, match="interval: expected none for classes"):
        models["classes"].predict(frame, 0.9)


def test_intervals_are_quantiles_of_the_errors_and_normal_beyond_them(models):
    normal = dataclasses.replace(models["rows"], scores=None)
    X = normal.encoded(table(3, seed=1))
    mean, low, high = normal.predictive(X, 0.9)
    np.testing.assert_allclose((high - mean) / normal.noise_std, scipy.stats.norm.ppf(0.95), rtol=1e-12)
    np.testing.assert_allclose(mean - low, high - mean, rtol=1e-9)
    scores = np.arange(1.0, 20.0) - 7.0  # 19 of them: quantile p is number 20 p
    model = dataclasses.replace(models["rows"], scores=scores)
    for interval, ends in ((0.9, (-6.0, 12.0)), (0.5, (-2.0, 8.0)), (0.8, (-5.0, 11.0))):
        mean, low, high = model.predictive(X, interval)
        np.testing.assert_allclose(
            [(low - mean) / model.noise_std, (high - mean) / model.noise_std], np.outer(ends, np.ones(3))
        )
    mean, low, high = model.predictive(X, 0.99)
    further = scipy.stats.norm.ppf(0.995) / scipy.stats.norm.ppf(0.95)
    np.testing.assert_allclose((high - mean) / model.noise_std, 12 * further, rtol=1e-12)


def test_intervals_hold_new_rows_where_the_noise_differs_from_row_to_row():
    rng = np.random.default_rng(3)
    frame = table(200)
    frame["y"] = np.sin(2 * frame.x) + 0.2 * np.exp(0.7 * rng.normal(size=200)) * rng.normal(size=200)
    model = fitted("y", frame, size=(4,)).model
    new = table(4000, seed=5)
    noise = 0.2 * np.exp(0.7 * rng.normal(size=4000)) * rng.normal(size=4000)
    _, low, high = model.predictive(model.encoded(new), 0.9)
    T = np.sin(2 * new.x) + noise
    assert 0.85 < np.mean((low <= T) & (high >= T)) < 0.95


def test_what_was_done_is_told(models):
    assert "colour holds texts (blue, green, red): 3 columns of 0 and 1" in models["evidence"].notes
    assert "left out, as they are the same in all rows: k" in models["evidence"].notes
    settings = models["evidence"].settings
    assert [settings[name] for name in ("file", "target", "seed", "rows", "rows_held_out", "method")] == [
        "t.csv", "y", 0, 150, 30, "evidence"
    ]  # fmt: skip
    assert models["rows"].settings["method"] == "validation"


def test_a_straight_line_is_taken_where_there_is_no_more():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 4))
    frame = pd.DataFrame(x, columns=list("abcd")).assign(y=x @ [1.0, -2.0, 0.5, 0.0] + rng.standard_t(2.0, size=60))
    model = fitting.fit(frame, "y", Wishes(), "t.csv", lambda text, share: None).model
    assert model.network.layers == (4, 1)
    assert "a straight line foretells rows that it has not seen better than networks with hidden units" in model.notes
    assert len(model.scores) == 48  # all rows but those kept back, each by networks that have not seen it


def test_the_size_is_chosen():
    assert fitted("y").model.settings["hidden_tried"] == [[], [1], [2], [4], [8]]
    assert fitting.is_small(2000, 10, 1)
    assert not fitting.is_small(80_000, 12, 1)
    assert fitting.is_small(48, 2000, 1)
