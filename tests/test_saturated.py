"""Classes that are all but certain: 1 - y has all of its digits in curvature, products, posteriors and densities.

References are in forty digits (mpmath); a plain 1 - y has lost eps / (1 - y) of them.
"""

import functools

import mpmath
import numpy as np
import pytest

import fastmlp
from fastmlp import Loss
from fastmlp.bayes import likelihood
from fastmlp.model import functional, moderation

mpmath.mp.dps = 40
LOGITS = np.array([[30.0, 0.0, -2.0], [-25.0, 8.0, -31.0], [12.0, 1.0, -40.0], [0.3, -0.2, 0.1], [35.0, 35.0, 1.0]])
EPS = 2.0**-52
CLASSES = ("binary_cross_entropy", "cross_entropy")
exact = np.frompyfunc(mpmath.mpf, 1, 1)


def outputs(name, a):
    """Probabilities in forty digits (N, K)."""
    z = exact(a)
    if name == "binary_cross_entropy":
        return 1 / (1 + np.vectorize(mpmath.exp, otypes=[object])(-z))
    e = np.vectorize(mpmath.exp, otypes=[object])(z)
    return e / e.sum(axis=1, keepdims=True)


def curvature(name, a):
    """Lambda (N, K, K) in forty digits."""
    y, eye = outputs(name, a), np.eye(a.shape[1], dtype=int)
    if name == "binary_cross_entropy":
        return (y * (1 - y))[:, None] * eye
    return y[:, None] * eye - y[:, :, None] * y[:, None]


def close(got, expected, rtol, size=0):
    """Entry by entry, however small; `size` is what they are a difference of."""
    expected = np.asarray(expected, object)
    off, allowed = np.ravel(abs(exact(np.asarray(got, float)) - expected)), np.ravel(rtol * abs(expected) + EPS * size)
    assert all(off <= allowed), (off / allowed).max() * rtol


def softly(name):
    """A network without hidden layer and of one input, 0, whose outputs are those of its biases."""
    return fastmlp.Network([1, 3], output=str(Loss(name).output), loss=name)


@pytest.fixture(params=CLASSES)
def name(request):
    return request.param


def test_formulas_of_losses(name):
    loss, T = Loss(name), np.eye(3)[[0, 1, 0, 2, 1]]
    L, y = curvature(name, LOGITS), outputs(name, LOGITS)
    close(loss.curvature(LOGITS), L, 1e-13)
    u = np.eye(3)[[0, 1, 0, 2, 1]]
    close(loss.curved(LOGITS, u), np.einsum("nkl,nl->nk", L, exact(u)), 1e-13)
    root = loss.root_product(LOGITS, np.broadcast_to(np.eye(3), (5, 3, 3)))
    close(np.einsum("nkp,nkp->np", root, root), np.diagonal(L, axis1=1, axis2=2), 1e-13)
    close(loss.slope(LOGITS, T), y - exact(T), 1e-13)
    variance = y * (1 - y)
    V = np.zeros((5, 3, 3))
    for k in range(3):
        V[:, k, k] = 1.0
        close(loss.third(LOGITS, V)[:, k], (variance * (1 - 2 * y))[:, k], 1e-12, variance[:, k])
        V[:, k, k] = 0.0


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 2e-14), ("float32", 2e-5)])
def test_second_derivatives_of_networks(name, dtype, rtol):
    for a, L in zip(LOGITS, curvature(name, LOGITS), strict=True):
        net = fastmlp.Network([1, 3], output=str(Loss(name).output), loss=name, dtype=dtype)
        net.params = [0, 0, 0, *a]
        a = net.params[3:].astype(float)
        L = curvature(name, a[None])[0]
        T = np.eye(3)[[0]]
        for kind in ("exact", "ggn"):
            close(net.hessian([[0.0]], T, kind)[3:, 3:], L, rtol)
            close(net.hessian_diagonal([[0.0]], T, kind)[3:], np.diag(L), rtol)
        for product in (net.hessp, net.ggnp):
            close(product([[0.0]], T, np.eye(6)[3])[3:], L[0], rtol)
        J = net.jacobian([[0.0]], wrt="params")[0, :, 3:]
        close(J, L, rtol)  # dy/dz of a canonical output


def test_posteriors_of_certain_classes(name):
    T = np.eye(3)[[0]]
    for a in LOGITS[:3]:
        net = softly(name)
        net.params = [0, 0, 0, *a]
        L = curvature(name, a[None])[0]
        with pytest.warns(fastmlp.PosteriorWarning):  # nobody has trained it
            posterior = fastmlp.Laplace(net, [[0.0]], T, prior_precision={"W1": np.inf, "b1": 1e-3})
        _, delta, curved = likelihood.derivatives(Loss(name), posterior._posterior.samples, a[None], 1.0)
        close(curved[0], L, 1e-13)
        close(delta[0], outputs(name, a[None])[0] - exact(T[0]), 1e-13)


@pytest.mark.parametrize("s", [1e-6, 0.3, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("m", [-60.0, -30.0, -4.0, 0.0, 2.0, 33.0])
def test_moments_of_a_logistic_output(m, s):
    sigma = functools.cache(lambda a: 1 / (1 + mpmath.exp(-a)))
    density = functools.cache(lambda a: mpmath.npdf(a, m, s))
    points = sorted({m + s * x for x in range(-12, 13)} | {m + s * s + s * x for x in range(-12, 13)})
    mean = lambda f: mpmath.quad(lambda a: f(a) * density(a), points, method="gauss-legendre")  # noqa: E731
    first, noise = mean(sigma), mean(lambda a: sigma(a) * sigma(-a))
    variance = mean(lambda a: (sigma(a) - first) ** 2)
    found = moderation.logistic(np.array([m]), np.array([s * s]))
    for got, expected in zip(found, (first, variance, noise), strict=True):
        close(got, [expected], 1e-9)


def test_log_density_of_a_class_that_was_all_but_excluded():
    net = fastmlp.Network([1, 1], output="logistic")
    net.params = [0.0, 50.0]
    with pytest.warns(fastmlp.PosteriorWarning):
        posterior = fastmlp.Laplace(net, [[0.0]], [[1.0]], prior_precision={"W1": np.inf, "b1": 1.0})
    got = posterior.log_density([[0.0]], [[0.0]])[0]
    expected = mpmath.log(mpmath.exp(-50 + mpmath.mpf(1) / 2))  # E[sigma(-a)], where sigma is its exponential
    assert got == pytest.approx(float(expected), rel=1e-9)


def test_draws_of_softmax_know_what_targets_vary_by():
    a, draws = np.array([[40.0, 0.0, 1.0]]), moderation.opposite_draws(200, 3, np.random.default_rng(0))
    p, variance, noise = moderation.softmax(a, 1e-3 * np.eye(3)[None], draws)
    y = outputs("cross_entropy", moderation_logits(a, 1e-3 * np.eye(3), draws))
    close(noise[0, 0], (y[:, 0] * (1 - y[:, 0])).sum() / len(y), 1e-6)
    close(variance[0, 1], ((y[:, 1] - y[:, 1].sum() / len(y)) ** 2).sum() / len(y), 1e-6)
    assert p[0, 0] == 1.0


def moderation_logits(a, root, draws):
    """The logits that `moderation.softmax` draws for a diagonal covariance."""
    return a + draws @ root


def test_samples_weigh_as_much_as_they_say(name):
    net = softly(name)
    net.params = [0, 0, 0, *LOGITS[0]]
    samples = functional.check_samples(net._architecture, [[0.0]], np.eye(3)[[0]], [2.5])
    _, _, curved = likelihood.derivatives(Loss(name), samples, LOGITS[[0]], 1.0)
    close(curved[0], mpmath.mpf(2.5) * curvature(name, LOGITS[[0]])[0], 1e-13)
