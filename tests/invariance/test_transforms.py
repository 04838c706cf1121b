"""Random changes of images and signals: what they do, their shapes, seeds, sums and copies."""

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import ndimage

import fastmlp
from fastmlp._images import drawn
from fastmlp.datasets import load_digits
from fastmlp.invariance import Elastic, RandomAffine, RandomShift, TimeShift, TimeWarp, augmented
from fastmlp.invariance.transforms import inverse_maps

IMAGES = [RandomShift(1.5), RandomAffine(1, 12, 0.12, 0.2), Elastic(34, 4), RandomShift(1) + Elastic(5, 2)]
SIGNALS = [TimeShift(2.0), TimeWarp(6, 4)]
rng = np.random.default_rng(0)


def twice(X, rng):
    return 2 * X


@pytest.mark.parametrize("t", IMAGES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flat_rows_and_images_are_the_same(t, dtype):
    X = rng.uniform(size=(7, 9, 9)).astype(dtype)
    before = X.copy()
    found = t(X, 5)
    assert found.dtype == dtype
    assert np.array_equal(X, before)
    assert (found != X).any()
    assert (t(X.reshape(7, 81), 5) == found.reshape(7, 81)).all()
    assert (t(X[:, None], np.random.default_rng(5)) == found[:, None]).all()
    assert (t(X, 6) != found).any()


@pytest.mark.parametrize("t", SIGNALS, ids=repr)
def test_signals_of_one_channel_and_of_several(t):
    X = rng.uniform(size=(7, 3, 30))
    found = t(X, 5)
    for c in range(3):
        assert (t(np.ascontiguousarray(X[:, c]), 5) == found[:, c]).all()
    flat = dataclasses.replace(t, shape=(3, 30))
    assert (flat(X.reshape(7, 90), 5) == found.reshape(7, 90)).all()


def test_shapes_that_are_told():
    X = rng.uniform(size=(4, 2 * 5 * 3))
    told = RandomShift(1, shape=(2, 5, 3))
    assert (told(X, 0) == RandomShift(1)(X.reshape(4, 2, 5, 3), 0).reshape(4, 30)).all()
    assert (told(X.reshape(4, 2, 5, 3), 0).reshape(4, 30) == told(X, 0)).all()
    for t, rows, words in [
        (RandomShift(1), X, "shape: expected the shape of images of 30 pixels, which are no square"),
        (told, X[:, :29], r"X: expected rows of shape \(2, 5, 3\), or of 30 numbers"),
        (told, X.reshape(4, 2, 3, 5), "X: expected rows of shape"),
        (RandomShift(1), X[0], "X: expected rows of shape"),
        (RandomShift(1), X.reshape(4, 2, 5, 3, 1), "X: expected rows of shape"),
        (TimeShift(1), X.reshape(4, 2, 5, 3), "X: expected rows of shape"),
    ]:
        with pytest.raises(ValueError, match=words):
            t(rows, 0)


@pytest.mark.parametrize("make", [
    lambda: RandomShift(-1), lambda: RandomShift("far"), lambda: RandomAffine(scale=1.0), lambda: Elastic(1, -1),
    lambda: Elastic(np.nan, 1), lambda: RandomShift(1, shape=5), lambda: RandomShift(1, shape=(5,)),
    lambda: TimeShift(1, shape=(1, 2, 3)), lambda: RandomShift(1, shape=(0, 5)), lambda: Elastic(1, 1e30),
    lambda: RandomShift(1) + 3, lambda: 3 + RandomShift(1), lambda: RandomShift(1)([[np.nan]], 0),
    lambda: RandomShift(1)(np.ones((2, 4)), "seed"),
])  # fmt: skip
def test_misuse_is_refused(make):
    with pytest.raises((ValueError, TypeError), match="expected"):
        make()


def test_a_shift_moves_uniformly_within_its_bound():
    X = np.zeros((4000, 15, 15))
    X[:, 7, 7] = 1.0
    found = RandomShift(3.0)(X, 0)
    rows, columns = (np.einsum("nij,ij->n", found, grid) - 7 for grid in np.indices((15, 15)))
    for moved in (rows, columns):
        assert np.abs(moved).max() <= 3
        assert np.allclose(np.quantile(moved, [0.25, 0.5, 0.75]), [-1.5, 0, 1.5], atol=0.15)
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.06


def test_an_affine_map_is_the_inverse_of_scale_shear_and_rotation():
    angle, size, slant = rng.uniform(-1, 1, 5), rng.uniform(0.5, 2, 5), rng.uniform(-1, 1, 5)
    for M, a, k, s in zip(inverse_maps(angle, size, slant), angle, size, slant, strict=True):
        R = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        assert np.allclose(M @ R @ (k * np.array([[1, 0], [s, 1]])), np.eye(2), atol=1e-14)


def test_affine_changes_keep_the_centre_and_their_bounds():
    grid = np.indices((41, 41)) - 20.0
    blob = np.exp(-0.5 * ((grid[0] / 2) ** 2 + (grid[1] / 6) ** 2))
    X = np.repeat(blob[None], 500, axis=0)

    def moments(images):
        mass = images.sum(axis=(1, 2))
        y, x = (np.einsum("nij,ij->n", images, g) / mass for g in grid)
        yy, xx, yx = (np.einsum("nij,ij->n", images, g * h) / mass for g, h in ((grid[0],) * 2, (grid[1],) * 2, grid))
        return mass, y, x, yy, xx, yx

    _, y, x, yy, xx, yx = moments(RandomAffine(rotation=30)(X, 0))
    tilt = np.rad2deg(0.5 * np.arctan2(2 * yx, xx - yy))
    assert np.abs([y, x]).max() < 1e-3
    assert np.abs(tilt).max() < 30.1
    assert np.allclose(np.quantile(tilt, [0.25, 0.75]), [-15, 15], atol=3)
    mass, *_ = moments(RandomAffine(scale=0.2)(X, 0))
    factor = np.sqrt(mass / blob.sum())
    assert 0.79 < factor.min() < 0.82
    assert 1.18 < factor.max() < 1.21
    _, _, _, yy, xx, yx = moments(RandomAffine(shear=0.3)(X, 0))
    assert np.allclose(yy, yy[0], rtol=0.01)
    assert 0.28 < np.abs(yx / yy).max() < 0.305


def test_a_rotation_by_some_degrees_is_scipys():
    X = rng.uniform(size=(1, 12, 12))
    found = RandomAffine(rotation=40)(X, 3)
    angle = 40 * np.random.default_rng(3).uniform(-1, 1, (1, 5))[0, 2]
    expected = ndimage.rotate(X[0], angle, reshape=False, order=1, mode="grid-constant")
    assert np.abs(found[0] - expected).max() < 1e-12


def test_elastic_fields_are_alpha_times_smooth_uniform_numbers():
    X = rng.uniform(size=(3, 28, 28))
    field = 2 * np.random.default_rng(1).random((3, 2, 28, 28)) - 1
    field = 34 * ndimage.gaussian_filter(field, 4, axes=(2, 3), mode="constant")
    places = np.indices((28, 28)) + field
    expected = [ndimage.map_coordinates(x, p, order=1, mode="grid-constant") for x, p in zip(X, places, strict=True)]
    assert np.abs(Elastic(34, 4)(X, 1) - expected).max() < 1e-12


def test_blocks_of_fields_are_those_of_all_at_once(monkeypatch):
    X = rng.uniform(size=(9, 12, 12)).astype(np.float32)
    expected = Elastic(10, 2)(X, 1), TimeWarp(5, 3)(X.reshape(9, 144), 1)
    monkeypatch.setattr("fastmlp.invariance.transforms.BLOCK_NUMBERS", 2 * 2 * 144)
    assert (Elastic(10, 2)(X, 1) == expected[0]).all()
    assert (TimeWarp(5, 3)(X.reshape(9, 144), 1) == expected[1]).all()


def test_warped_time_stays_within_the_signal():
    t = np.linspace(0, 1, 60)
    found = TimeWarp(20, 5)(np.repeat((1 + t)[None], 200, axis=0), 0)
    assert found.min() >= 1 - 1e-12
    assert found.max() <= 2 + 1e-12
    moved = (found[:, 30] - found[:, 30].mean()) * 59
    assert np.sqrt((moved**2).mean()) == pytest.approx(20 / np.sqrt(6 * 5 * np.sqrt(np.pi)), rel=0.15)
    assert np.abs(TimeShift(0)(found, 0) - found).max() == 0


def test_sums_are_done_one_after_the_other():
    a, b = RandomShift(1), Elastic(10, 2)
    X = rng.uniform(size=(5, 64))
    generator = np.random.default_rng(2)
    assert ((a + b)(X, 2) == b(a(X, generator), generator)).all()
    assert ((a + twice)(X, 2) == 2 * a(X, 2)).all()
    assert ((twice + a)(X, 2) == a(2 * X, 2)).all()
    assert ((a + b) + twice).steps == (a + (b + twice)).steps == (a, b, twice)
    assert sum([a, b, a]).steps == (a, b, a)
    assert (fastmlp.invariance.Composition()(X, 2) == X).all()
    assert repr(a + b) == "RandomShift(shift=1) + Elastic(alpha=10, sigma=2)"
    with pytest.raises(ValueError, match=r"augment: expected an array of shape \(5, 64\), like X"):
        (a + (lambda X, rng: X[1:]))(X, 0)


@pytest.mark.parametrize("t", [*IMAGES, *SIGNALS, RandomShift(1, shape=(2, 3))], ids=repr)
def test_they_are_values(t):
    assert pickle.loads(pickle.dumps(t)) == t
    assert eval(repr(t), vars(fastmlp.invariance)) == t
    assert hash(t) == hash(pickle.loads(pickle.dumps(t)))


def test_augmented_copies():
    digits = load_digits()
    X, T = digits.X[:30].astype(np.float32), digits.T[:30]
    new, targets, weight = augmented(X, T, RandomShift(1), copies=4, rng=0)
    generator = np.random.default_rng(0)
    assert (new == np.concatenate([RandomShift(1)(X, generator) for _ in range(4)])).all()
    assert (targets == np.tile(T, 4)).all()
    assert (weight == 0.25).all()
    assert new.dtype == np.float32
    images, *_ = augmented(X.reshape(30, 8, 8), T[:, None], twice, copies=2)
    assert images.shape == (60, 8, 8)
    for arguments, name in [
        ((X, T[:29], twice), "T"), ((X, 3, twice), "T"), ((X, T, 3), "augment"), ((X, T, twice, 0), "copies"),
        ((X, T, twice, 2, "seed"), "rng"), ((X, T, lambda X, rng: X.T), "augment"),
        ((X, T, lambda X, rng: X / 0.0), "augment"),
    ]:  # fmt: skip
        with np.errstate(all="ignore"), pytest.raises((ValueError, TypeError), match=f"^{name}: expected"):
            augmented(*arguments)


def test_one_cannot_write_to_what_is_changed():
    def careless(X, rng):
        X *= 2
        return X

    with pytest.raises(ValueError, match="read-only"):
        augmented(np.ones((3, 4)), np.ones(3), careless)


@pytest.mark.parametrize("shift", [-0.0, 5e-324, 1e308])
def test_shifts_of_any_size_are_drawn(shift):
    X = np.random.default_rng(0).uniform(size=(3, 9))
    for kind in (RandomShift, TimeShift):
        moved = kind(shift)(X, 0)
        assert np.array_equal(moved, X if shift < 1 else np.zeros_like(X))


class Brighter(RandomShift):
    """A user's own, which calls ours."""

    def __call__(self, X, rng=None):
        """Shift, then add."""
        return super().__call__(X, rng) + 1.0


def test_a_change_of_a_users_that_is_made_of_ours_is_asked_itself():
    X = np.random.default_rng(0).uniform(size=(3, 9))
    expected = RandomShift(1)(X, 0) + 1.0
    assert (Brighter(1)(X, 0) == expected).all()
    assert (augmented(X, np.ones(3), Brighter(1), copies=1, rng=0)[0] == expected).all()
    out = np.empty_like(X)
    assert drawn(Brighter(1), X, np.random.default_rng(0), out) is not X
    assert (out == expected).all()


@pytest.mark.parametrize("t", [*IMAGES, *SIGNALS, RandomShift(1) + RandomShift(1), RandomShift(1) + twice])
def test_what_is_drawn_into_an_array_is_what_is_returned(t):
    X = np.random.default_rng(0).uniform(size=(5, 16))
    X = X if t.__class__ in {type(each) for each in SIGNALS} else X.reshape(5, 4, 4)
    out = np.empty_like(X)
    drawn(t, X, np.random.default_rng(1), out)
    assert (out == t(X, 1)).all()


def test_a_change_without_a_way_to_change_is_none():
    with pytest.raises(TypeError, match="abstract"):
        fastmlp.invariance.Transform()
