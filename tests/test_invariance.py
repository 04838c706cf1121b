"""Tangents of transformations, and how much networks change along them, against formulas and SciPy's warps."""

import numpy as np
import pytest
import scipy.ndimage

import fastmlp
from cases import network, relative_error
from fastmlp.invariance import invariance, tangents


@pytest.mark.parametrize("of", ["outputs", "logits"])
def test_the_report_is_the_mean_square_of_directional_derivatives(of):
    net = network([3, 5, 2], output="softmax")
    rng = np.random.default_rng(0)
    X, tau = rng.normal(size=(30, 3)), rng.normal(size=(30, 4, 3))
    J = net.jacobian(X, of=of)
    expected = np.mean(np.einsum("nkd,nmd->nmk", J, tau) ** 2, axis=0).sum(axis=1)
    assert relative_error(invariance(net, X, tau, of), expected) < 1e-13
    assert relative_error(invariance(net, X, tau[0], of), np.mean((J @ tau[0].T) ** 2, axis=0).sum(axis=0)) < 1e-13
    assert invariance(net, X, "inputs", of).sum() == pytest.approx(np.mean((J**2).sum(axis=(1, 2))), rel=1e-13)


def test_the_report_shows_what_the_penalty_has_done():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    T = np.tanh(X[:, 0] + X[:, 1]) + 0.1 * rng.normal(size=60)
    direction = [[1.0, -1.0]]
    before, after = (fastmlp.Network([2, 10, 1], rng=1) for _ in range(2))
    before.fit(X, T, max_iter=50)
    after.fit(X, T, penalty=fastmlp.TangentPropagation(direction, 1.0), max_iter=50)
    assert invariance(after, X, direction)[0] < 0.1 * invariance(before, X, direction)[0]


def smooth_images(n=3, shape=(24, 28)):
    noise = np.random.default_rng(0).normal(size=(n, *shape))
    noise[:, :7] = noise[:, -7:] = noise[:, :, :7] = noise[:, :, -7:] = 0
    return scipy.ndimage.gaussian_filter(noise, (0, 2, 2))


def warped(images, matrix, offset=(0, 0)):
    """Each image at matrix (p - middle) + middle + offset, by splines."""
    middle = (np.array(images.shape[1:]) - 1) / 2
    shift = middle - matrix @ middle + offset
    return np.array([scipy.ndimage.affine_transform(image, matrix, shift, order=5, mode="nearest") for image in images])


WARPS = {  # image(p) -> image(A(t) p + b(t)), for (row, column): the pixel at p comes from there
    ("shift", 0): lambda t: (np.eye(2), (-t, 0)),
    ("shift", 1): lambda t: (np.eye(2), (0, -t)),
    ("rotation", 0): lambda t: (np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]), (0, 0)),
    ("scale", 0): lambda t: (np.exp(-t) * np.eye(2), (0, 0)),
    ("shear", 0): lambda t: (np.array([[1, -t], [0, 1]]), (0, 0)),
    ("shear", 1): lambda t: (np.array([[1, 0], [-t, 1]]), (0, 0)),
}


@pytest.mark.parametrize("kind", WARPS)
def test_tangents_of_images_are_derivatives_of_their_warps(kind):
    images = smooth_images()
    found = tangents(images.reshape(3, -1), images.shape[1:], [kind[0]], sigma=0.8, normalize=False)[:, kind[1]]
    soft = scipy.ndimage.gaussian_filter(images, (0, 0.8, 0.8))
    t = 1e-4
    expected = (warped(soft, *WARPS[kind](t)) - warped(soft, *WARPS[kind](-t))) / (2 * t)
    assert relative_error(found.reshape(images.shape), expected) < 0.01


def test_thickness_is_the_squared_gradient():
    images = smooth_images()
    tau = tangents(images.reshape(3, -1), images.shape[1:], ["shift", "thickness"], normalize=False)
    assert relative_error(tau[:, 2], tau[:, 0] ** 2 + tau[:, 1] ** 2) < 1e-14


def test_all_kinds_are_normalised():
    images = smooth_images()
    tau = tangents(images.reshape(3, -1), images.shape[1:])
    assert tau.shape == (3, 7, images[0].size)
    assert relative_error((tau**2).sum(axis=2).mean(axis=0), np.ones(7)) < 1e-13
    assert not tangents(np.zeros((2, 6)), (2, 3)).any()


def test_tangents_of_callables_are_central_differences():
    X = np.random.default_rng(0).normal(size=(20, 2))

    def turned(X, t):
        return X @ [[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]

    found = tangents(X, kinds=[turned, lambda X, t: X * np.exp(t)], normalize=False)
    assert relative_error(found[:, 0], np.stack([-X[:, 1], X[:, 0]], axis=1)) < 1e-9
    assert relative_error(found[:, 1], X) < 1e-9


def test_tangents_of_images_with_axes_of_their_own():
    images = np.random.default_rng(0).normal(size=(4, 3, 5, 6))
    kinds = ("shift", "rotation", "scale", "shear", "thickness")
    rows = images.reshape(4, 90)
    found = tangents(images, kinds=kinds, normalize=False)
    assert np.array_equal(found, tangents(rows, (3, 5, 6), kinds, normalize=False))
    assert np.array_equal(found, tangents(images, (3, 5, 6), kinds, normalize=False))
    channels = [tangents(images[:, c], kinds=kinds, normalize=False) for c in range(3)]
    assert np.array_equal(found.reshape(4, 7, 3, 30), np.stack(channels, axis=2))
    assert np.array_equal(channels[0], tangents(rows[:, :30], (5, 6), kinds, normalize=False))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((2, 6)),), ValueError, "shape: expected rows and columns of the images, got None"),
        ((np.zeros((2, 6)), (2, 2)), ValueError, "shape: expected rows and columns of images of 6 pixels"),
        ((np.zeros((2, 6)), (2, 3), ["twist"]), ValueError, "kinds: expected one of shift, rotation"),
        ((np.zeros((2, 6)), (2, 3), []), ValueError, "kinds: expected at least one"),
        ((np.zeros((2, 6)), None, [lambda X, t: X[:1]]), ValueError, "transformed samples of shape"),
        ((np.zeros(6), (2, 3)), ValueError, r"X: expected shape \(n_samples, n_inputs\)"),
    ],
)
def test_misuse_of_tangents_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        tangents(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((0, 3)), "inputs"), ValueError, "X: expected at least one sample"),
        ((np.zeros((4, 3)), "outputs"), ValueError, "tau: expected one of inputs"),
        ((np.zeros((4, 3)), np.zeros((5, 1, 3))), ValueError, r"tau: expected shape \(4, M, 3\) or \(M, 3\)"),
        ((np.zeros((4, 3)), np.zeros(3)), ValueError, "tau: expected shape"),
    ],
)
def test_misuse_of_the_report_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        invariance(network([3, 2]), *arguments)
