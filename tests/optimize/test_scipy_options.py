"""Options that are left to SciPy's minimizers: what is wrong has a name, and what is right is SciPy's to use."""

import inspect

import numpy as np
import pytest
from scipy.optimize import _optimize, _trustregion

import fastmlp
from fastmlp.optimize import scipy_bridge, scipy_options

X = np.random.default_rng(0).normal(size=(20, 2))
T = np.sin(X[:, :1])
P = 13
WRONG = ("x", True, np.nan, np.inf, -np.inf, 10**400, 1j, [], [1.0], [[1, 2], [3]], object(), {}, np.array("x"),
         np.ones((2, P, P)), np.full((P, P), np.nan), np.full((P, P), "x"),
         np.ma.masked_array(np.eye(P), True))  # fmt: skip
OUTSIDE = {  # of the right kind, but not of the right size
    "c1": (None, 0.0, 1.0, 0.95), "c2": (None, 0.0, 1.0, 1e-5), "stepmx": (None, -1.0), "rescale": (None,),
    "scale": (0.0, np.ones(P + 1), np.zeros(P), -np.ones(P)),
    "eta": (None, np.eye(P)), "inexact": (None, 1, 0.0), "adaptive": (None, 1, "yes"),
    "initial_trust_radius": (None, 0.0, -1.0, 1000.0, 1e200), "max_trust_radius": (None, 0.0, 1.0, 1e200),
    "initial_tr_radius": (None, 0.0, -1.0, 1e200), "xatol": (None, -1.0), "fatol": (None, -1.0),
    "xtol": (None, -1.0), "ftol": (None, -1.0),
    "hess_inv0": (1.0, -np.eye(P), np.ones((P, P)), np.eye(P + 1), np.triu(np.ones((P, P)))),
    "direc": (1.0, np.ones(P), np.ones((P, P)), np.zeros((P, P)), np.eye(P)[:-1]),
    "initial_simplex": (1.0, np.ones(P), np.eye(P)), "maxcor": (0, 1.5), "maxls": (0, 1.5), "maxfun": (0, 1.5),
}  # fmt: skip
RIGHT = {
    "c1": 0.01, "c2": 0.3, "hess_inv0": 0.5 * np.eye(P), "eta": 0.1, "stepmx": 10.0, "rescale": -1, "scale": np.ones(P),
    "initial_trust_radius": 0.5, "max_trust_radius": 10, "inexact": True, "initial_tr_radius": 0.5, "xatol": 1e-3,
    "fatol": 1e-3, "adaptive": True, "initial_simplex": np.vstack([np.zeros(P), np.eye(P)]), "xtol": 1e-3,
    "ftol": 1e-3, "direc": -np.eye(P), "maxcor": 5, "maxls": 10, "maxfun": 50,
}  # fmt: skip
OPTIONS = [(method, name) for method, way in scipy_bridge.METHODS.items() for name in way.options]


def fit(method, **options):
    net = fastmlp.Network([2, 3, 1], rng=0)
    return net, net.fit(X, T, method, max_iter=5, **options)


@pytest.mark.parametrize(("method", "name"), OPTIONS)
def test_what_is_wrong_has_its_name(method, name):
    own = [value for value in WRONG if not (isinstance(value, bool) and name in ("inexact", "adaptive"))]
    for value in (*own, *OUTSIDE[name]):
        with pytest.raises((TypeError, ValueError), match=rf"^(c1|initial_trust_radius|{name}): expected "):
            fit(method, **{name: value})


@pytest.mark.parametrize(("method", "name"), OPTIONS)
def test_what_is_right_is_taken_and_left_as_it_is(method, name):
    value, before = RIGHT[name], np.array(RIGHT[name])
    net, result = fit(method, **{name: value})
    start = fastmlp.Network([2, 3, 1], rng=0)
    assert net.loss(X, T) == pytest.approx(result.fun)
    assert result.fun <= start.loss(X, T)
    assert np.array_equal(value, before)


def test_an_option_reaches_scipy():
    assert not np.array_equal(fit("bfgs", hess_inv0=0.1 * np.eye(P))[1].x, fit("bfgs")[1].x)
    assert not np.array_equal(fit("trust-ncg", initial_trust_radius=0.01)[1].x, fit("trust-ncg")[1].x)


@pytest.mark.parametrize("method", ["bfgs", "cg", "newton-cg", "trust-ncg", "trust-krylov", "trust-exact"])
def test_the_defaults_are_scipys_own(method):
    functions = {
        "bfgs": _optimize._minimize_bfgs,
        "cg": _optimize._minimize_cg,
        "newton-cg": _optimize._minimize_newtoncg,
    }
    function = functions.get(method, _trustregion._minimize_trust_region)
    known = {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}
    for name, value in scipy_bridge.METHODS[method].settings.items():
        assert name == "xtol" or value == known[name]


def test_each_option_has_its_check():
    assert set(scipy_options.CHECKS) == {name for _, name in OPTIONS}
