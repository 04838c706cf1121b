"""Features of images by direct sums, by what does not change them, and as scikit-learn takes them."""

import pickle

import mpmath
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fastmlp.datasets import load_digits
from fastmlp.features import CentralMoments, HuMoments, PowerSpectrum, ZernikeMoments
from fastmlp.features.moments import radial, zernike_degrees

ALL = [CentralMoments(), HuMoments(), ZernikeMoments(), PowerSpectrum()]
rng = np.random.default_rng(0)
IMAGES = rng.uniform(size=(4, 9, 12)) ** 3
ROWS = IMAGES.reshape(4, -1)


def named(transformer, X):
    return dict(zip(transformer.fit(X).get_feature_names_out(), transformer.transform(X).T, strict=True))


def exact_central(image):
    """mu and m00 with 50 digits, by the definition."""
    pixels = [(x, y, mpmath.mpf(float(v))) for (y, x), v in np.ndenumerate(image)]
    m00 = sum(v for *_, v in pixels)
    cx, cy = sum(x * v for x, _, v in pixels) / m00, sum(y * v for _, y, v in pixels) / m00
    return lambda p, q: sum((x - cx) ** p * (y - cy) ** q * v for x, y, v in pixels), m00


def test_central_moments_are_their_sums():
    with mpmath.workdps(50):
        found, raw = named(CentralMoments((9, 12), order=4), ROWS), named(CentralMoments((9, 12), 4, False), ROWS)
        assert list(raw)[:4] == ["mu00", "mu20", "mu11", "mu02"]
        for i, image in enumerate(IMAGES):
            mu, m00 = exact_central(image)
            for name, values in raw.items():
                scale = mu(2, 0) ** (int(name[2]) / 2) * mu(0, 2) ** (int(name[3]) / 2)
                p, q = int(name[2]), int(name[3])
                scale = m00 * (mu(2, 0) / m00) ** (p / 2) * (mu(0, 2) / m00) ** (q / 2)
                assert abs(values[i] - mu(p, q)) <= 1e-12 * scale
                if p + q:
                    assert abs(found[f"nu{p}{q}"][i] - mu(p, q) / m00 ** (1 + mpmath.mpf(p + q) / 2)) <= (
                        1e-12 * scale / m00 ** (1 + mpmath.mpf(p + q) / 2)
                    )


def test_hu_moments_by_complex_moments():
    """With c_pq the normalized sum of (x + iy)^p (x - iy)^q: c11, |c20|^2, |c30|^2, |c21|^2, Re and Im of c30 c12^3."""
    found = HuMoments((9, 12), log=False).fit_transform(ROWS)
    for image, h in zip(IMAGES, found, strict=True):
        y, x = np.indices(image.shape)
        m = image.sum()
        z = (x - (x * image).sum() / m) + 1j * (y - (y * image).sum() / m)

        def c(p, q, z=z, m=m, image=image):
            return (z**p * z.conj() ** q * image).sum() / m ** (1 + (p + q) / 2)

        fifth, sixth = c(3, 0) * c(1, 2) ** 3, c(2, 0) * c(1, 2) ** 2
        sizes = [abs(c(p, q)) ** 2 for p, q in ((2, 0), (3, 0), (2, 1))]
        expected = [c(1, 1), *sizes, fifth.real, sixth.real, fifth.imag]
        assert np.allclose(h, np.real(expected), rtol=1e-10, atol=1e-10 * abs(fifth))


def test_hu_moments_and_reflections_and_logarithms():
    h = HuMoments((9, 12), log=False).fit_transform(ROWS)
    mirrored = HuMoments((9, 12), log=False).fit_transform(IMAGES[:, :, ::-1].reshape(4, -1))
    assert np.allclose(mirrored, h * [1, 1, 1, 1, 1, 1, -1], rtol=1e-9, atol=1e-18)
    logs = HuMoments((9, 12)).fit_transform(ROWS)
    assert np.allclose(logs, np.sign(h) * np.log10(np.abs(h)))
    assert (HuMoments((1, 1)).fit_transform([[2.0]]) == 0).all()


@pytest.mark.parametrize("transformer", [HuMoments(), ZernikeMoments(radius=9, degree=10), CentralMoments()], ids=repr)
def test_places_sizes_and_right_angles_do_not_count(transformer):
    image = np.zeros((2, 20, 20))
    image[:, 6:12, 5:13] = rng.uniform(size=(2, 6, 8))
    values = transformer.fit_transform(image.reshape(2, -1))
    moved = np.roll(image, (3, -2), axis=(1, 2)).reshape(2, -1)
    assert np.allclose(transformer.fit_transform(moved), values, rtol=1e-8, atol=1e-12)
    if not isinstance(transformer, CentralMoments):
        turned = np.rot90(image, axes=(1, 2)).reshape(2, -1)
        assert np.allclose(transformer.fit_transform(turned), values, rtol=1e-8, atol=1e-12)


def test_zernike_moments_are_their_sums():
    transformer = ZernikeMoments((9, 12), radius=5.0, degree=12)
    found = named(transformer, ROWS)
    assert list(found)[:4] == ["z0_0", "z1_1", "z2_0", "z2_2"]
    with mpmath.workdps(40):
        for i, image in enumerate(IMAGES[:2]):
            y, x = np.indices(image.shape)
            mass = image.sum()
            u, v = (x - (x * image).sum() / mass) / 5, (y - (y * image).sum() / mass) / 5
            inside = np.hypot(u, v) <= 1
            columns = (map(mpmath.mpf, each[inside].tolist()) for each in (u, v, image))
            pixels = [(mpmath.mpc(a, b), c) for a, b, c in zip(*columns, strict=True)]
            total = sum(c for _, c in pixels)
            for n, m in zernike_degrees(12):
                Z = sum(_radial(n, m, abs(z)) * mpmath.expj(-m * mpmath.arg(z)) * c for z, c in pixels) / total
                assert abs(found[f"z{n}_{m}"][i] - (n + 1) / mpmath.pi * abs(Z)) <= 1e-10


def _radial(n, m, r):
    """By Jacobi polynomials."""
    return (-1) ** ((n - m) // 2) * r**m * mpmath.jacobi((n - m) // 2, m, 0, 1 - 2 * r**2)


def test_radial_polynomials():
    square = np.linspace(0, 1, 7)
    for m in (0, 1, 5, 30):
        for n, R in zip(range(m, 61, 2), radial(m, square), strict=False):
            expected = [_radial(n, m, mpmath.sqrt(s)) / mpmath.sqrt(s) ** m for s in square[1:].tolist()]
            assert np.allclose(R[1:], np.array(expected, float), rtol=1e-12, atol=1e-12)
            assert R[-1] == pytest.approx(1.0, rel=1e-12)


def test_power_spectra_are_their_sums_and_do_not_see_shifts():
    found = named(PowerSpectrum((9, 12)), ROWS)
    y, x = np.indices((9, 12))
    for u, v in [(0, 0), (3, 1), (8, 6), (5, 4)]:
        F = (IMAGES * np.exp(-2j * np.pi * (u * y / 9 + v * x / 12))).sum(axis=(1, 2))
        assert np.allclose(found[f"power{u}_{v}"], np.abs(F) ** 2, rtol=1e-10)
    moved = np.roll(IMAGES, (2, 5), axis=(1, 2)).reshape(4, -1)
    assert np.allclose(PowerSpectrum((9, 12)).fit_transform(moved), np.stack(list(found.values()), axis=1), rtol=1e-9)


@pytest.mark.parametrize("transformer", ALL, ids=repr)
def test_channels_are_images_of_their_own(transformer):
    X = rng.uniform(size=(5, 3, 6, 6))
    several = clone(transformer).set_params(shape=(3, 6, 6))
    found = several.fit_transform(X.reshape(5, -1))
    single = clone(transformer).fit_transform(X[:, 1].reshape(5, -1))
    n = single.shape[1]
    assert np.allclose(found[:, n : 2 * n], single, rtol=1e-12)
    assert several.get_feature_names_out()[n].startswith("channel1_")
    assert len(several.get_feature_names_out()) == found.shape[1]


@pytest.mark.parametrize("transformer", ALL, ids=repr)
def test_images_without_mass(transformer):
    assert (transformer.fit_transform(np.zeros((2, 16))) == 0).all()


def test_blocks_change_nothing(monkeypatch):
    X = rng.uniform(size=(9, 25))
    expected = [each.fit_transform(X) for each in ALL]
    monkeypatch.setattr("fastmlp.features.transformers.BLOCK", 60)
    for each, values in zip(ALL, expected, strict=True):
        assert np.allclose(each.fit_transform(X), values, rtol=1e-13)


@pytest.mark.parametrize(("transformer", "X", "name"), [
    (HuMoments((3, 4)), np.ones((2, 11)), "X"), (HuMoments(), np.ones((2, 11)), "shape"),
    (HuMoments(log=1), ROWS, "log"),
    (ZernikeMoments(radius=0), np.ones((2, 9)), "radius"), (ZernikeMoments(degree=101), np.ones((2, 9)), "degree"),
    (CentralMoments(order=1), np.ones((2, 9)), "order"), (CentralMoments((3,)), np.ones((2, 9)), "shape"),
    (HuMoments(), -np.ones((2, 9)), "X"), (ZernikeMoments(), [[1.0, -1.0, 0.0, 0.0]], "X"),
    (CentralMoments(normalized="no"), np.ones((2, 9)), "normalized"),
])  # fmt: skip
def test_misuse_is_named(transformer, X, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected"):
        transformer.fit_transform(X)


def test_they_work_in_pipelines():
    digits = load_digits()
    model = make_pipeline(ZernikeMoments(radius=5), LogisticRegression(C=1e4, max_iter=2000))
    assert model.fit(digits.X[:600], digits.T[:600]).score(digits.X[600:900], digits.T[600:900]) > 0.5
    assert (pickle.loads(pickle.dumps(model)).predict(digits.X[:50]) == model.predict(digits.X[:50])).all()
    assert repr(clone(HuMoments((8, 8)))) == "HuMoments(shape=(8, 8))"
