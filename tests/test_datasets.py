"""The bundled data sets: the very numbers of their sources, and not loaded unless asked for."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from fastmlp import datasets


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def test_the_digits_are_those_of_the_source():
    digits = datasets.load_digits()
    assert digits.X.shape == (1797, 64)
    assert digits.X.dtype == np.float64
    assert (digits.X.min(), digits.X.max(), digits.X.sum()) == (0, 16, 561718)
    # the counts of each digit in the repository's description of the test part
    assert np.bincount(digits.T).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert sha256(digits.X.astype(np.uint8)) == "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
    assert sha256(digits.T.astype(np.uint8)) == "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"


def test_the_digits_look_like_digits():
    digits = datasets.load_digits()
    zero = digits.X[digits.T == 0].mean(axis=0).reshape(8, 8)
    one = digits.X[digits.T == 1].mean(axis=0).reshape(8, 8)
    assert zero[3:5, 3:5].max() < 3 < one[3:5, 3:5].min()  # the hole of the 0, the stroke of the 1


def test_the_yachts_are_those_of_the_source():
    yacht = datasets.load_yacht()
    assert yacht.X.shape == (308, 6)
    assert yacht.T.shape == (308,)
    assert (yacht.T.min(), yacht.T.max()) == (0.01, 62.42)
    np.testing.assert_allclose(yacht.X.sum(axis=0), [-733.6, 173.754, 1474.9, 1212.54, 987.7, 88.55], rtol=1e-12)
    assert sha256(yacht.X) == "cfee469bd75844078732e2197f89767cf7c3feb11848e40b7085ea648898da72"
    assert sha256(yacht.T) == "830b8fefb460a74aeeb6d46aa8869501ddcd9d97cd12d64b05461b95fc4793c2"


def test_there_are_22_yachts_at_14_rising_speeds():
    hulls = datasets.load_yacht().X.reshape(22, 14, 6)
    assert (hulls[:, :, :5] == hulls[:, :1, :5]).all()
    assert len(np.unique(hulls[:, 0, :5], axis=0)) == 22
    assert (np.diff(hulls[:, :, 5]) > 0).all()


@pytest.mark.parametrize("load", [datasets.load_digits, datasets.load_yacht])
def test_a_data_set_names_its_columns_its_source_and_its_licence(load):
    dataset = load()
    assert len(dataset.feature_names) == len(set(dataset.feature_names)) == dataset.X.shape[1]
    assert "doi:10.24432/" in dataset.description
    assert "CC BY 4.0" in dataset.description


@pytest.mark.parametrize("load", [datasets.load_digits, datasets.load_yacht])
def test_each_call_gives_arrays_of_its_own(load):
    first, second = load(), load()
    first.X[...] = 0
    first.T[...] = 0
    assert second.X.any()
    assert second.T.any()


def test_importing_the_library_does_not_import_the_data_sets():
    code = "import sys, fastmlp; assert 'fastmlp.datasets' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
