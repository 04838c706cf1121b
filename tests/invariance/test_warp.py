"""Warps and smoothing against SciPy's, at all kinds of sizes and places."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from fastmlp._core.bridge import kernels
from fastmlp.invariance import warp
from fastmlp.invariance.warping import gaussian, smoothed

SIZES = [(1, 1), (1, 7), (9, 1), (3, 3), (17, 17), (28, 20), (5, 70)]
TYPES = [(np.float64, 1e-12), (np.float32, 1e-5)]
LINEAR = {"order": 1, "mode": "grid-constant"}
rng = np.random.default_rng(0)


@pytest.mark.parametrize(("dtype", "tol"), TYPES)
@pytest.mark.parametrize("size", SIZES)
def test_affine_maps_are_scipys(size, dtype, tol):
    images = rng.uniform(size=(6, *size)).astype(dtype)
    matrices, offsets = rng.normal(size=(6, 2, 2)), 3 * rng.normal(size=(6, 2))
    matrices[1], offsets[1] = np.eye(2), 0.0
    matrices[2], offsets[2] = np.eye(2), 0.5
    offsets[3] = -1e9
    expected = [ndimage.affine_transform(i.astype(float), M, o, **LINEAR)
                for i, M, o in zip(images, matrices, offsets, strict=True)]  # fmt: skip
    found = warp(images, matrices, offsets)
    assert found.dtype == dtype
    assert np.abs(found - expected).max() <= tol
    assert (found[1] == images[1]).all()
    assert not found[3].any()


@pytest.mark.parametrize(("dtype", "tol"), TYPES)
@pytest.mark.parametrize("size", SIZES)
def test_displacements_are_scipys(size, dtype, tol):
    images = rng.uniform(size=(4, *size)).astype(dtype)
    displacement = (3 * rng.normal(size=(4, 2, *size))).astype(dtype)
    places = np.indices(size) + displacement.astype(float)
    expected = [ndimage.map_coordinates(i.astype(float), p, **LINEAR) for i, p in zip(images, places, strict=True)]
    assert np.abs(warp(images, displacement=displacement) - expected).max() <= tol
    one = ndimage.map_coordinates(images[0].astype(float), places[1], **LINEAR)
    assert np.abs(warp(images[0], displacement=displacement[1]) - one).max() <= tol


def test_within_the_image_it_is_scipys_other_mode_too():
    image = rng.uniform(size=(15, 12))
    places = rng.uniform(size=(2, 15, 12)) * np.array([14.0, 11.0])[:, None, None]
    expected = ndimage.map_coordinates(image, places, order=1, mode="constant")
    assert np.abs(warp(image, displacement=places - np.indices((15, 12))) - expected).max() <= 1e-12


def test_all_parts_of_a_map_add_up():
    image, M, o = rng.uniform(size=(8, 11)), rng.normal(size=(2, 2)), rng.normal(size=2)
    u = rng.normal(size=(2, 8, 11))
    places = np.einsum("ij,jhw->ihw", M, np.indices((8, 11))) + o[:, None, None] + u
    assert np.abs(warp(image, M, o, u) - ndimage.map_coordinates(image, places, **LINEAR)).max() <= 1e-12
    assert (warp(image) == image).all()


def test_channels_share_the_map_of_their_image():
    images, M, o = rng.uniform(size=(3, 4, 6, 5)), rng.normal(size=(3, 2, 2)), rng.normal(size=(3, 2))
    found = warp(images, M, o)
    for c in range(4):
        assert (found[:, c] == warp(np.ascontiguousarray(images[:, c]), M, o)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_places_beyond_all_bounds_are_outside(dtype):
    image = np.ones((3, 4), dtype)
    largest = np.finfo(dtype).max
    for factor in (1.0, -1.0):
        assert not warp(image, displacement=np.full((2, 3, 4), factor * largest)).any()
    assert not warp(image, [[1e308, 1e308], [1e308, -1e308]], [1e308, -1e308]).any()
    assert not warp(image, [[1e308, -1e308], [1e308, -1e308]], [-1.7e308, 1.7e308]).any()


@pytest.mark.parametrize(("dtype", "tol"), TYPES)
@pytest.mark.parametrize("w", range(1, 40))
def test_rows_of_every_length_are_whole_vectors_and_a_rest(w, dtype, tol):
    images = rng.uniform(size=(3, 5, w)).astype(dtype)
    matrices, displacement = rng.normal(size=(3, 2, 2)), rng.normal(size=(3, 2, 5, w)).astype(dtype)
    places = np.einsum("nij,jhw->nihw", matrices, np.indices((5, w))) + displacement
    expected = [ndimage.map_coordinates(i.astype(float), p, **LINEAR) for i, p in zip(images, places, strict=True)]
    assert np.abs(warp(images, matrices, displacement=displacement) - expected).max() <= tol


def test_places_far_into_large_images_are_as_exact():
    image = rng.uniform(size=(3000, 40)).astype(np.float32)
    M, o = np.array([[0.99, 0.3], [0.001, 0.9]]), np.array([7.3, 1.4])
    expected = ndimage.affine_transform(image.astype(float), M, o, **LINEAR)
    assert np.abs(warp(image, M, o) - expected).max() <= 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_of_the_largest_numbers_are_finite(dtype):
    largest = np.finfo(dtype).max
    image = largest * np.where(np.indices((6, 6)).sum(axis=0) % 2, 1, -1).astype(dtype)
    found = warp(image, offset=(0.5, 0.25))
    assert np.isfinite(found).all()
    assert found[0, 0] == 0  # halves of two pairs that cancel


def test_the_number_of_threads_changes_no_bit():
    images = rng.uniform(size=(500, 14, 14)).astype(np.float32)
    matrices, displacement = rng.normal(size=(500, 2, 2)), rng.normal(size=(500, 2, 14, 14)).astype(np.float32)
    several = [warp(images, matrices, displacement=displacement, n_threads=n) for n in (1, 2, 3, 7)]
    assert all(np.array_equal(each, several[0]) for each in several)
    fields = [displacement.copy() for _ in range(3)]
    for field, n in zip(fields, (1, 2, 5), strict=True):
        smoothed(field, 2.0, 3.0, n)
    assert all(np.array_equal(each, fields[0]) for each in fields)


@pytest.mark.parametrize("arguments", [
    {"images": [1.0]}, {"images": np.ones((2, 2, 2, 2, 2))}, {"images": [[np.nan]]}, {"images": [[1j]]},
    {"matrix": np.eye(3)}, {"matrix": np.ones((3, 2, 2))}, {"matrix": np.full((2, 2), np.inf)},
    {"offset": 1.0}, {"offset": np.ones((3, 2))}, {"offset": [0.0, np.nan]},
    {"displacement": np.ones((2, 4, 4))}, {"displacement": np.full((2, 4, 5), np.nan)}, {"n_threads": 0},
])  # fmt: skip
def test_what_is_no_map_is_refused_by_name(arguments):
    with pytest.raises((ValueError, TypeError), match=f"^{next(iter(arguments))}: expected"):
        warp(**{"images": np.ones((2, 4, 5)), **arguments})


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 3), (2, 3, 0), (0, 2, 3, 3)])
def test_nothing_to_warp(shape):
    assert warp(np.ones(shape)).shape == shape


@pytest.mark.parametrize(("dtype", "tol"), TYPES)
@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.9, 4.0, 30.0])
@pytest.mark.parametrize("size", SIZES)
def test_smoothing_is_scipys(size, sigma, dtype, tol):
    fields = rng.normal(size=(3, 2, *size)).astype(dtype)
    axes = tuple(axis for axis in (2, 3) if fields.shape[axis] > 1)
    expected = (
        ndimage.gaussian_filter(fields.astype(float), sigma, axes=axes, mode="constant") if axes else fields.copy()
    )
    smoothed(fields, sigma, 2.5)
    assert np.abs(fields - 2.5 * expected).max() <= tol


def test_a_gaussian_has_the_sum_one():
    half = gaussian(3.0)
    assert len(half) == 13
    assert half[0] + 2 * half[1:].sum() == pytest.approx(1.0, rel=1e-15)
    assert gaussian(0.0).tolist() == [1.0]


SCRIPT = """
import numpy as np
from fastmlp.invariance import Elastic, RandomAffine
X = np.random.default_rng(3).uniform(size=(40, 17, 13)).astype(np.float32)
t = RandomAffine(shift=2, rotation=30, scale=0.3, shear=0.3) + Elastic(alpha=30, sigma=3)
print(t(X, 1).tobytes().hex(), t(X.astype(float), 2).tobytes().hex())
"""


def test_instruction_sets_change_no_bit():
    said = [
        subprocess.run([sys.executable, "-c", SCRIPT], env={**os.environ, "FASTMLP_ISA": isa}, capture_output=True,
                       check=True).stdout
        for isa in kernels.isa_names
    ]  # fmt: skip
    assert set(said) == {said[0]}
    assert len(said[0]) > 10_000
