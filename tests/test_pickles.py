"""Pickles that somebody has changed are ModelFormatErrors; operators pickle; what is being fitted is not made anew."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from cases import DTYPES, anywhere, data, network
from fastmlp import ModelFormatError

DATA = Path(__file__).parent / "data"

NET = network([3, 4, 2])
STATE = NET.__getstate__()
WRONG = (
    None,
    0,
    -1,
    3,
    2.5,
    "x",
    b"x",
    [],
    {},
    (),
    [1],
    {"a": 1},
    np.nan,
    np.zeros(3),
    np.zeros((2, 3)),
    object(),
    True,
)


def wrong_states():
    yield from WRONG
    for name in ("format", "network", "params"):
        yield {key: each for key, each in STATE.items() if key != name}
    for name in ("format", "network", "params", "units"):
        yield from (STATE | {name: other} for other in WRONG if not (name == "units" and other is None))
    for name in STATE["network"]:
        yield STATE | {"network": {key: each for key, each in STATE["network"].items() if key != name}}
        for other in (*WRONG, [3, 4], [3, -4, 2], [2**40] * 3, 10**400, [10**400, 1]):
            if not (name == "loss" and other is None):  # the one that belongs to the output
                yield STATE | {"network": STATE["network"] | {name: other}}
    params = STATE["params"]
    for other in (params[:-1], params[None], params.astype("f4"), params.astype(">f8"), params.astype(object)):
        yield STATE | {"params": other}
    yield STATE | {"params": np.ma.masked_array(params, params > 0)}
    yield STATE | {"units": np.ma.masked_array(np.ones((3, 5)))}


def test_a_wrong_state_of_a_network_is_a_format_error():
    for state in wrong_states():
        with pytest.raises(ModelFormatError, match=r"^(state|units): expected"):
            fastmlp.Network.__new__(fastmlp.Network).__setstate__(state)


@pytest.mark.parametrize("state", [*WRONG, *({**NET._architecture.__getstate__(), "output": each} for each in WRONG)])
def test_a_wrong_state_of_an_architecture_is_a_format_error(state):
    with pytest.raises(ModelFormatError, match=r"^state: expected the architecture"):
        type(NET._architecture).__new__(type(NET._architecture)).__setstate__(state)


def test_wrong_samples_of_a_pickled_objective_are_a_format_error():
    X, T = data(NET, 9)
    term = NET.objective(X, T).data
    state = term.__getstate__()
    good = state["samples"]
    samples = [good._replace(X=other) for other in (X[:-1], X[:, :2], X * np.nan, np.ma.masked_array(X), None)]
    samples += [good._replace(targets=good.targets._replace(values=other)) for other in (T[:-1], T[:, :1], "x")]
    samples += [good._replace(weight=other) for other in (np.ones(8), -np.ones(9))]
    for wrong in [*WRONG, state | {"scale": np.ones(3)}, *(state | {"samples": each} for each in [*samples, *WRONG])]:
        with pytest.raises(ModelFormatError, match=r"^state: expected"):
            type(term).__new__(type(term)).__setstate__(wrong)


# ---- operators ----


@pytest.mark.parametrize("way", [lambda H: pickle.loads(pickle.dumps(H)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["exact", "ggn"])
@pytest.mark.parametrize("output", ["identity", "softmax"])
def test_operators_pickle_and_copy(way, dtype, kind, output):
    net = network([3, 4, 3], output=output, dtype=dtype)
    X, T = data(net, 20)
    H = net.hessian_operator(X, T, kind, sample_weight=np.linspace(0, 1, 20))
    v = np.linspace(-1, 1, net.n_params).astype(dtype)
    for original in (H, H.T, 2 * H, H + H, H @ H):
        assert np.array_equal(way(original) @ v, original @ v)
    assert np.array_equal(way(H).diagonal(), H.diagonal())


def test_a_wrong_pickle_of_an_operator_is_a_format_error():
    X, T = data(NET, 9)
    make, arguments = NET.hessian_operator(X, T).__reduce__()
    for place in range(4):
        for other in WRONG:
            with pytest.raises(ModelFormatError, match=r"^state: expected"):
                make(*arguments[:place], other, *arguments[place + 1 :])


# ---- a network is made once ----

ANEW = {
    "__init__": lambda net: net.__init__([3, 9, 2]),
    "__setstate__": lambda net: net.__setstate__(network([3, 9, 2]).__getstate__()),
}


@pytest.mark.parametrize("way", ANEW)
def test_a_network_cannot_be_made_anew(way):
    """What a call has read of it has to stay in its place, whatever hooks, callbacks and other threads do."""
    net = network([3, 4, 2])
    params = net.params
    with pytest.raises(RuntimeError, match=r"^network: expected a new object, got one that is a network already"):
        ANEW[way](net)
    assert net.layers == (3, 4, 2)
    assert np.array_equal(net.params, params)


@anywhere
@pytest.mark.parametrize("way", ANEW)
@pytest.mark.parametrize(
    "call", [lambda net, X, T: net.hessian(X, T), lambda net, X, T: net.loss(X, T), lambda net, X, T: net.fit(X, T),
             lambda net, X, T: fastmlp.Laplace(net, X, T, prior_precision=1.0),
             lambda net, X, T: fastmlp.fit_many([net], X, T)],
)  # fmt: skip
def test_not_by_a_hook_of_an_argument_either(call, way):
    """The parameters of the new one would be read as far as those of the old one went."""

    class Rows:
        def __array__(self, dtype=None, copy=None):
            with pytest.raises(RuntimeError, match=r"^network: expected a new object"):
                ANEW[way](net)
            said.append(way)
            return X

    net, said = network([3, 4, 2]), []
    X, T = data(net, 20)
    call(net, Rows(), T)
    assert said
    assert net.layers == (3, 4, 2)


@anywhere
def test_nor_can_a_posterior():
    net = network([3, 4, 2])
    X, T = data(net, 20)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=1.0)
    with pytest.raises(RuntimeError, match=r"^Laplace: expected a new object"):
        posterior.__init__(network([3, 1]), X, T[:, :1], prior_precision=1.0)
    with pytest.raises(RuntimeError, match=r"^Laplace: expected a new object"):
        posterior.__setstate__(posterior.__getstate__())


# ---- posteriors ----

LOOKED_AT = ("_architecture", "_frame", "_params", "_free", "prior_precision", "gamma", "_gradient", "_curvature")


def looked_at(posterior, X):
    return [*posterior.predict(X), posterior.sample(2, rng=0), posterior.params_std, posterior.gamma.sum()]


@anywhere
@pytest.mark.parametrize("hessian", ["ggn", "diagonal"])
@pytest.mark.parametrize("standardize", [False, True])
def test_posteriors_pickle_and_a_wrong_state_is_a_format_error(hessian, standardize):
    net = network([3, 4, 2])
    X, T = data(net, 20)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=1.0, hessian=hessian, standardize=standardize)
    again = pickle.loads(pickle.dumps(posterior))
    assert all(np.array_equal(a, b) for a, b in zip(looked_at(again, X), looked_at(posterior, X), strict=True))
    whole = posterior.__getstate__()
    covariance, other = copy.copy(whole["_covariance"]), network([3, 2]).copy()
    covariance.root = covariance.root[:-1]
    wrong = [(name, value) for name in LOOKED_AT for value in (None, "text", np.ones(3), np.ones((99, 99)))]
    wrong += [(name, value[:-1]) for name, value in whole.items() if isinstance(value, np.ndarray)]
    wrong += [(name, value.astype("float32")) for name, value in whole.items() if isinstance(value, np.ndarray)]
    wrong += [("_covariance", covariance), ("_free", whole["_free"] + 1), ("_architecture", other._architecture)]
    wrong += [("_known_samples", value) for value in ("text", (X[:, :2], (T, None), None))]
    for name, value in wrong:
        with pytest.raises(ModelFormatError, match=r"^state: expected"):
            fastmlp.Laplace.__new__(fastmlp.Laplace).__setstate__(whole | {name: value})
    for state in (None, {}, 3):
        with pytest.raises(ModelFormatError, match=r"^state: expected the posterior"):
            fastmlp.Laplace.__new__(fastmlp.Laplace).__setstate__(state)


def said(posterior, X, has_samples):
    """What a posterior tells that depends on all of its parts."""
    scalars = ("log_evidence", "log_likelihood", "distance", "rounding", "grad_norm", "log_distinct_symmetries")
    yield from (*posterior.predict(X), posterior.sample(2, rng=0), posterior.params_covariance)
    yield from (posterior.gamma, posterior.prior_precision, np.atleast_1d(posterior.noise_precision))
    yield np.array([getattr(posterior, name) for name in scalars])
    if has_samples:
        yield from (posterior.leave_one_out("all").outputs, posterior.influence(), posterior.sandwich_covariance)


@pytest.mark.parametrize("place", range(4))
def test_pickles_of_before_posteriors_had_objectives_are_read(place):
    """Written by the version of 2026-11-29: standardised, with held parameters, by the evidence, without samples."""
    written, expected, text = pickle.loads((DATA / "posteriors-v1.pickle").read_bytes())[place]
    posterior = pickle.loads(written)
    told = list(said(posterior, np.linspace(-1, 1, 12)[:, None], place < 3))
    assert repr(posterior) == text
    for one, other in zip(told, expected, strict=True):
        finite = np.isfinite(other)
        assert np.array_equal(np.isfinite(one), finite)
        assert np.allclose(one[finite], other[finite], rtol=1e-9, atol=1e-12)
    assert place != 2 or len(posterior.starts) == 2


def test_what_the_evidence_returns_pickles_with_its_starts():
    net = network([2, 3, 1])
    X, T = data(net, 30)
    posterior = fastmlp.fit_evidence(net, X, T, n_starts=2, max_iter=20, tol=1.0, rng=0)
    again = pickle.loads(pickle.dumps(posterior))
    assert again.starts.table() == posterior.starts.table()
    assert any(start.posterior is again for start in again.starts)
    with pytest.raises(ModelFormatError, match=r"^state: expected the posterior"):
        type(posterior).__new__(type(posterior)).__setstate__(posterior.__getstate__() | {"_params": None})
