"""The mask of a pruned network: who keeps it, and that every training does."""

import copy
import pickle

import numpy as np
import pytest

import fastmlp
from cases import DTYPES, MINIBATCH, WITH_GRADIENT, data, network

PENALTY = fastmlp.WeightDecay(0.1, 0.1)


def pruned(dtype="float64", layers=(3, 4, 2)):
    net = network(list(layers), dtype=dtype)
    mask = np.random.default_rng(0).random(net.n_params) < 0.4
    net.pruned = mask
    return net, mask


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_pickles_and_files_keep_it(dtype, tmp_path):
    net, mask = pruned(dtype)
    net.save(tmp_path / "net.fastmlp")
    for other in (
        net.copy(),
        copy.deepcopy(net),
        pickle.loads(pickle.dumps(net)),
        fastmlp.load(tmp_path / "net.fastmlp"),
    ):
        assert np.array_equal(other.pruned, mask)
        assert other == net
        assert (other.params[mask] == 0).all()
    assert net != fastmlp.Network([3, 4, 2], dtype=dtype)
    whole = net.copy().unprune()
    assert not whole.pruned.any()
    assert whole != net
    assert np.array_equal(whole.params, net.params)


def test_bytes_that_count_as_true_are_ones_in_files_too(tmp_path):
    net, mask = pruned()
    twos = (mask * np.uint8(2)).view(bool)  # NumPy takes them for True
    net.pruned = twos
    net.save(tmp_path / "net")
    assert fastmlp.load(tmp_path / "net") == net
    with pytest.raises(fastmlp.ModelFormatError, match=r"^state: expected a mask of zeros and ones"):
        fastmlp.Network.__new__(fastmlp.Network).__setstate__(net.__getstate__() | {"pruned": twos})


def test_files_without_a_mask_are_as_before(tmp_path):
    net = network([3, 4, 2])
    net.save(tmp_path / "a")
    own, _ = pruned()
    own.save(tmp_path / "b")
    assert b"pruned.npy" not in (tmp_path / "a").read_bytes()
    assert b"pruned.npy" in (tmp_path / "b").read_bytes()
    state = own.__getstate__()
    for wrong in (state["pruned"][1:], state["pruned"].astype(int), "mask", np.ma.array(state["pruned"])):
        with pytest.raises(fastmlp.ModelFormatError, match=r"^state: expected a mask"):
            fastmlp.Network([1, 1]).__class__.__new__(fastmlp.Network).__setstate__(state | {"pruned": wrong})


def test_a_damaged_mask_in_a_file_is_refused(tmp_path):
    import hashlib

    own, mask = pruned()
    own.save(tmp_path / "net")
    content = (tmp_path / "net").read_bytes()
    place = content.rindex(mask.tobytes(), 0, content.index(b"PK\x01\x02"))
    body = content[:place] + b"\x02" + content[place + 1 : -64]
    (tmp_path / "net").write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    with pytest.raises(fastmlp.ModelFormatError):
        fastmlp.load(tmp_path / "net")


@pytest.mark.parametrize("method", WITH_GRADIENT)
@pytest.mark.parametrize("standardize", [False, True])
def test_every_training_keeps_it(method, standardize):
    net, mask = pruned()
    X, T = data(net, 40)
    X = 5 + 3 * X
    options = {"max_iter": 20} | ({"rng": 0} if method in MINIBATCH else {})
    with np.errstate(all="ignore"):
        net.fit(X, T, method, penalty=PENALTY, standardize=standardize, **options)
    own = net.params if not standardize else net.units.unfolded(net._architecture, net.params)
    assert np.allclose(own[mask], 0.0, atol=1e-12)
    if not standardize:
        assert (own[mask] == 0).all()
    assert np.array_equal(net.pruned, mask)
    other = fastmlp.Network([3, 4, 2])
    other.params = network([3, 4, 2]).params * ~mask
    if not standardize:
        with np.errstate(all="ignore"):
            other.fit(X, T, method, penalty=PENALTY, fixed=mask, **options)
        assert np.array_equal(other.params, net.params)


def test_objectives_are_functions_of_what_is_left():
    net, mask = pruned()
    X, T = data(net, 20)
    objective = net.objective(X, T, penalty=PENALTY)
    expected = net.objective(X, T, penalty=PENALTY, fixed=mask)
    assert np.array_equal(objective.x0, net.params[~mask])
    assert np.array_equal(objective.hess(objective.x0), expected.hess(objective.x0))
    both = net.objective(X, T, fixed="b1")
    held = mask.copy()
    held[net.groups["b1"]] = True
    assert len(both.x0) == np.count_nonzero(~held)
    with pytest.raises(ValueError, match=r"^tied: expected parameters that are not pruned"):
        net.objective(X, T, tied=[np.flatnonzero(mask)[:2]])


def test_many_networks_and_refits_keep_it():
    net, mask = pruned()
    X, T = data(net, 40)
    for method in ("lm", "lbfgs"):
        nets = [net.copy(), network([3, 4, 2])]
        fastmlp.fit_many(nets, X, T, method, penalty=PENALTY, max_iter=10)
        assert (nets[0].params[mask] == 0).all()
        assert not nets[1].pruned.any()
        alone = net.copy()
        alone.fit(X, T, method, penalty=PENALTY, max_iter=10)
        assert np.allclose(nets[0].params, alone.params, rtol=1e-9, atol=1e-12)
    own = net.copy()
    fastmlp.refit(own, X, T, penalty=PENALTY)
    assert (own.params[mask] == 0).all()
    path = fastmlp.prune(net, X, T, penalty=PENALTY, n_params=5)
    assert (path.steps[0].pruned >= mask).all()


def test_posteriors_hold_what_is_pruned():
    net, mask = pruned()
    X, T = data(net, 60)
    net.fit(X, T, "lm", penalty=PENALTY, tol=1e-10)
    prior = np.where(mask, np.inf, 0.1)
    posterior = fastmlp.Laplace(net, X, T, prior_precision=0.1, noise_precision=1.0)
    expected = fastmlp.Laplace(net.copy().unprune(), X, T, prior_precision=prior, noise_precision=1.0)
    assert (posterior.params_std[mask] == 0).all()
    assert np.allclose(posterior.params_covariance, expected.params_covariance, rtol=1e-12)
    assert np.isclose(posterior.log_evidence, expected.log_evidence, rtol=1e-12)
    found = fastmlp.fit_evidence(net, X, T, standardize=False)
    assert (found.params[mask] == 0).all()
    assert (found.network.pruned == mask).all()


def test_units_that_are_dead_by_the_mask_are_not_identical(recwarn):
    net = network([2, 4, 1])
    mask = np.zeros(net.n_params, bool)
    for i in (0, 1, 2, 3, 8, 9, 12, 13):  # two units, whole
        mask[i] = True
    net.pruned = mask
    X, T = data(net, 20)
    net.fit(X, T, "lm", penalty=PENALTY, max_iter=3)
    assert not [w for w in recwarn if w.category is fastmlp.IdenticalUnitsWarning]


def test_assigning_and_drawing_anew():
    net, mask = pruned()
    with pytest.raises(ValueError, match=r"^params: expected zeros where the network is pruned"):
        net.params = np.ones(net.n_params)
    net.initialize("normal", rng=3)
    assert (net.params[mask] == 0).all()
    assert net.params[~mask].all()
    with pytest.raises(ValueError, match=r"^pruned: expected a boolean mask of shape \(26,\)"):
        net.pruned = mask[1:]
    with pytest.raises(ValueError, match=r"^pruned: expected a boolean mask"):
        net.pruned = mask.astype(int)
    net.pruned = np.zeros(26, bool)
    assert "pruned" not in repr(net)


def test_it_says_so():
    net, mask = pruned()
    n = np.count_nonzero(mask)
    assert repr(net).endswith(f" with {n} of 26 parameters pruned")
    assert net.summary().splitlines()[-1] == f"{n} of 26 parameters pruned"


def test_in_other_units():
    net, mask = pruned()
    shifted = net.rescale_inputs(2.0, 1.0)
    biases = np.zeros(26, bool)
    biases[net.groups["b1"]] = True
    assert np.array_equal(shifted.pruned, mask & ~(biases & (shifted.params != 0)))
    assert np.array_equal(net.rescale_inputs(2.0).pruned, mask)
    X, T = data(net, 40)
    net.fit(4 + X, T - 3, "lm", penalty=PENALTY, standardize=True)
    assert np.array_equal(net.rescale_inputs(2.0, 1.0).pruned, mask)
    own = net.units.unfolded(net._architecture, net.params)
    assert np.allclose(own[mask], 0.0, atol=1e-12)
