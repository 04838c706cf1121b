"""What deletions would do, against JAX's second derivatives and the KKT equations of the quadratic model."""

import numpy as np
import pytest

import autodiff
import fastmlp
from cases import PAIRS, data, network, relative_error
from fastmlp.model import selection
from fastmlp.pruning.deletions import Deletions
from specimens import Averages, Diagonal

LAMBDA = {"weights": 0.3, "biases": 0.1}


def trained(output="identity", loss=None, layers=(3, 4, 2), n_samples=40, weight=None, seed=0, **decay):
    net = network(list(layers), "tanh", output, loss, seed=seed, scale=0.7)
    X, T = data(net, n_samples)
    penalty = fastmlp.WeightDecay(**(decay or LAMBDA))
    net.fit(X, T, "lm", penalty=penalty, sample_weight=weight, tol=1e-11)
    return net, X, T, penalty


def second_derivatives(net, X, T, penalty, weight=None):
    return autodiff.hessian(net, X, T, weight) + np.diag(penalty.diagonal(net._architecture))


def constrained(A, w, S):
    """Rise and place of the minimum of (v - w)'A(v - w)/2 with v_S = 0, by Lagrange's multipliers."""
    n, k = len(A), len(S)
    E = np.eye(n)[:, S]
    kkt = np.block([[A, E], [E.T, np.zeros((k, k))]])
    change = np.linalg.solve(kkt, np.concatenate([np.zeros(n), -w[S]]))[:n]
    return 0.5 * change @ A @ change, w + change


def blocks(net, what):
    architecture = net._architecture
    places = architecture.unravel(np.arange(net.n_params))
    if what == "weights":
        return [[i] for i in range(net.n_params)]
    if what == "inputs":
        return [list(column) for column in places.weights[0].T]
    return [
        [*places.weights[0][j], places.biases[0][j], *places.weights[1][:, j]] for j in range(architecture.widths[1])
    ]


@pytest.mark.parametrize("what", ["weights", "units", "inputs"])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_rises_and_parameters_are_those_of_a_constrained_minimum(output, loss, what):
    weight = np.random.default_rng(1).uniform(0.5, 2.0, 40)
    net, X, T, penalty = trained(output, loss, weight=weight)
    A, w = second_derivatives(net, X, T, penalty, weight), net.params
    found = fastmlp.saliencies(net, X, T, penalty=penalty, sample_weight=weight, what=what)
    assert found.hessian == "exact"
    expected = [constrained(A, w, S) for S in blocks(net, what)]
    rises, places = np.array([rise for rise, _ in expected]), np.array([place for _, place in expected])
    assert relative_error(found.rise, rises) < 1e-9
    assert relative_error(np.asarray(found.params), places) < 1e-9
    for k, S in enumerate(blocks(net, what)):
        assert (found.params[k][S] == 0.0).all()
    decay = penalty.diagonal(net._architecture)
    changes = 0.5 * (places**2 @ decay - w**2 @ decay)
    assert relative_error(found.data_rise, rises - changes) < 1e-9


def log_evidence(A, w, decay, beta, value, free):
    """Of a quadratic model at the minimum w of the parameters `free`, whose objective is `value`."""
    sub = beta * A[np.ix_(free, free)]
    alpha = beta * decay[free]
    return -beta * value + 0.5 * np.log(alpha).sum() - 0.5 * np.linalg.slogdet(sub)[1]


@pytest.mark.parametrize("what", ["weights", "units", "inputs"])
def test_the_gain_of_evidence_is_that_of_the_quadratic_model(what):
    net, X, T, penalty = trained()
    beta = 3.0
    A, w, decay = second_derivatives(net, X, T, penalty), net.params, penalty.diagonal(net._architecture)
    value = net.objective(X, T, penalty=penalty).value(w)
    before = log_evidence(A, w, decay, beta, value, np.arange(len(w)))
    gains = []
    for S in blocks(net, what):
        rise, _ = constrained(A, w, S)
        left = np.setdiff1d(np.arange(len(w)), S)
        gains.append(log_evidence(A, w, decay, beta, value + rise, left) - before)
    found = fastmlp.saliencies(net, X, T, penalty=penalty, noise_precision=beta, what=what)
    assert relative_error(found.evidence_gain, gains) < 1e-9


def test_optimal_brain_damage_and_magnitude_leave_the_others_where_they_are():
    net, X, T, penalty = trained()
    A, w = second_derivatives(net, X, T, penalty), net.params
    damage = fastmlp.saliencies(net, X, T, "obd", penalty=penalty, what="units")
    assert relative_error(damage.rise, [0.5 * np.diag(A)[S] @ w[S] ** 2 for S in blocks(net, "units")]) < 1e-12
    magnitude = fastmlp.saliencies(net, X, T, "magnitude", penalty=penalty, what="units")
    assert relative_error(magnitude.rise, [0.5 * w[S] @ A[np.ix_(S, S)] @ w[S] for S in blocks(net, "units")]) < 1e-12
    assert relative_error(magnitude.score, [w[S] @ w[S] for S in blocks(net, "units")]) < 1e-14
    for found in (damage, magnitude):
        changed = np.flatnonzero(found.params[1] != w)
        assert sorted(changed) == sorted(blocks(net, "units")[1])
        with pytest.raises(ValueError, match=r"^method: expected obs or evidence"):
            _ = found.evidence_gain


def test_selections_of_the_user_and_their_names():
    net, X, T, penalty = trained()
    found = fastmlp.saliencies(net, X, T, penalty=penalty, what=["b1", [0, 5], "W2[0,1]"])
    assert found.names == ["b1", "W1[0,0], W1[1,2]", "W2[0,1]"]
    A, w = second_derivatives(net, X, T, penalty), net.params
    expected = [constrained(A, w, S)[0] for S in ([12, 13, 14, 15], [0, 5], [17])]
    assert relative_error(found.rise, expected) < 1e-9
    assert fastmlp.saliencies(net, X, T, penalty=penalty).names[:2] == ["W1[0,0]", "W1[0,1]"]
    assert fastmlp.saliencies(net, X, T, penalty=penalty, what="units").names == ["a1[0]", "a1[1]", "a1[2]", "a1[3]"]


def test_standardized_saliencies_are_those_of_the_standardized_problem():
    _net, X, T, penalty = trained()
    raw, targets = 1e5 + 30 * X, -7.0 + 1e-3 * T
    own = network([3, 4, 2], seed=3, scale=0.5)
    own.fit(raw, targets, "lm", penalty=penalty, standardize=True, tol=1e-11)
    found = fastmlp.saliencies(own, raw, targets, penalty=penalty, standardize=True)
    U = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    V = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    inner = fastmlp.Network([3, 4, 2])
    inner.params = own.units.unfolded(own._architecture, own.params)
    expected = fastmlp.saliencies(inner, U, V, penalty=penalty)
    assert relative_error(found.rise, expected.rise) < 1e-7
    inner.params = expected.params[4]
    outer = own.copy()
    outer.params = found.params[4]
    assert relative_error((outer(raw) - targets.mean(axis=0)) / targets.std(axis=0), inner(U)) < 1e-6


def test_a_matrix_that_is_not_positive_definite_gives_way_to_gauss_newton():
    net = network([2, 3, 1], seed=4, scale=2.0)
    X, T = data(net, 30)
    penalty = fastmlp.WeightDecay(1e-2, 1e-2)
    assert np.linalg.eigvalsh(net.objective(X, T, penalty=penalty).hess(net.params))[0] < 0
    with pytest.warns(fastmlp.PosteriorWarning, match=r"^net: expected a network at an optimum"):
        found = fastmlp.saliencies(net, X, T, penalty=penalty)
    assert found.hessian == "ggn"
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match="smallest eigenvalue"):
        fastmlp.saliencies(network([2, 3, 1]), X[:3], T[:3])


def test_what_is_wrong_is_named():
    net, X, T, penalty = trained()
    with pytest.raises(ValueError, match=r"^what: expected 'weights', 'units', 'inputs' or a list of selections, got"):
        fastmlp.saliencies(net, X, T, penalty=penalty, what="layers")
    with pytest.raises(ValueError, match=r"^what: expected selections of parameters, each once"):
        fastmlp.saliencies(net, X, T, penalty=penalty, what=[[1, 1]])
    with pytest.raises(ValueError, match=r"^method: expected"):
        fastmlp.saliencies(net, X, T, "obsd", penalty=penalty)
    with pytest.raises(ValueError, match=r"^method: expected a penalty on all that may be deleted"):
        fastmlp.saliencies(net, X, T, "evidence", penalty=fastmlp.WeightDecay(0.1))
    with pytest.raises(ValueError, match=r"^noise_precision: expected None"):
        fastmlp.saliencies(*trained("softmax")[:3], penalty=penalty, noise_precision=1.0)


def test_flat_priors_have_no_evidence():
    net, X, T, penalty = trained(weights=0.3)
    gains = fastmlp.saliencies(net, X, T, penalty=penalty).evidence_gain
    flat = penalty.diagonal(net._architecture) == 0
    assert np.isnan(gains[flat]).all()
    assert np.isfinite(gains[~flat]).all()
    with pytest.raises(ValueError, match=r"^penalty: expected weight decay > 0"):
        _ = fastmlp.saliencies(net, X, T, penalty=penalty, what=["b1", "b2"]).evidence_gain


def test_it_prints_as_a_table_with_the_first_deletion_at_the_top():
    net, X, T, penalty = trained()
    found = fastmlp.saliencies(net, X, T, penalty=penalty)
    lines = repr(found).splitlines()
    assert lines[0] == "Saliencies of 26 deletions (weights), obs, exact"
    assert lines[2].split()[0] == found.names[int(np.argmin(found.rise))]
    assert len(found.table().splitlines()) == 27
    assert np.asarray(found.params).shape == (26, 26)
    assert len(found.params[1:3]) == 2


@pytest.mark.parametrize("evidence", [False, True])
def test_a_posterior_brings_everything_along(evidence):
    net, X, T, penalty = trained(layers=(3, 4, 1), n_samples=60)
    T = np.tanh(X[:, :1] - X[:, 1:2]) + 0.1 * T
    if evidence:
        posterior = fastmlp.fit_evidence(net, X, T, standardize=False)
    else:
        net.fit(X, T, "lm", penalty=penalty, tol=1e-11)
        posterior = fastmlp.Laplace(net, X, T, penalty=penalty, hessian="exact")
    found = fastmlp.saliencies(posterior)
    beta, alpha = posterior.noise_precision, posterior.prior_precision
    left = np.isfinite(alpha)
    A = (beta * autodiff.hessian(net, X, T))[np.ix_(left, left)] + np.diag(alpha[left])
    expected = [constrained(A, posterior.params[left], [k])[0] for k in range(left.sum())]
    assert relative_error(found.rise, expected) < 1e-7
    V = np.linalg.inv(A)
    gains = -np.array(expected) - 0.5 * np.log(np.diagonal(V) * alpha[left])
    assert relative_error(found.evidence_gain, gains) < 1e-7
    path = fastmlp.prune(posterior, stop="evidence")
    assert path.steps[0].log_evidence == pytest.approx(
        posterior.log_evidence if not evidence else path.steps[0].log_evidence, rel=1e-9
    )
    assert path.best_step > 0
    assert (path.best.params[path.best.pruned] == 0).all()
    for name in ("X", "penalty", "noise_precision", "sample_weight"):
        with pytest.raises(TypeError, match=f"^{name}: expected None with a posterior"):
            fastmlp.saliencies(posterior, **{name: X})


@pytest.mark.parametrize("what", ["weights", "units"])
@pytest.mark.parametrize("hessian", ["exact", "ggn"])
@pytest.mark.filterwarnings("ignore::fastmlp.ScaleWarning")  # which says the same before
def test_what_is_not_finite_is_refused(what, hessian):
    net, X, T, penalty = trained()
    X[0, 0] = 1e200  # of which the squares are not
    for call in (fastmlp.saliencies, fastmlp.prune):
        with pytest.raises(ValueError, match=r"^net: expected one whose (objective|second derivatives)"):
            call(net, X, T, penalty=penalty, what=what, hessian=hessian, noise_precision=1.0)
    with pytest.raises(ValueError, match=r"^net: expected one whose (objective|second derivatives)"):
        fastmlp.refit(net, X, T, penalty=penalty)


def test_sets_that_are_singular_to_rounding_are_refused():
    """Digits do not tell C_SS from an indefinite matrix where its eigenvalues, up to 1 / lambda, lie far apart."""
    block = np.array([[1.0, 1.0], [1.0, 1.0 - 1e-13]])
    chain = Deletions(np.eye(2), np.ones(2), np.ones(2))
    chain._formed = block
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match=r"^penalty: expected one with which second derivatives"):
        chain.rises([np.array([0, 1])])
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match=r"^penalty: expected"):
        chain.delete(np.array([0, 1]))


@pytest.mark.parametrize("layers", [[3, 3], [3, 4, 3], [3, 4, 3, 2]])
@pytest.mark.parametrize("seed", range(3))
def test_biases_of_softmax_that_nothing_holds_cost_nothing_to_delete(layers, seed):
    """All may be shifted: whichever goes, the outputs stay, and rounding does not decide whether there is a path."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 3))
    labels = (X @ rng.normal(size=(3, layers[-1])) + rng.normal(size=(80, layers[-1]))).argmax(axis=1)
    net, penalty = fastmlp.Network(layers, output="softmax", rng=seed), fastmlp.WeightDecay(0.1)
    net.fit(X, labels, "lm", penalty=penalty, tol=1e-10)
    found = fastmlp.saliencies(net, X, labels, penalty=penalty)
    names = [f"b{len(layers) - 1}[{k}]" for k in range(layers[-1])]
    for name in names:
        k = found.names.index(name)
        assert 0 <= found.rise[k] < 1e-7 * net.objective(X, labels, penalty=penalty).value(net.params)
        without = net.copy()
        without.params = found.params[k]
        assert without.biases[-1][names.index(name)] == 0
        np.testing.assert_allclose(without(X), net(X), atol=1e-7)
    path = fastmlp.prune(net, X, labels, penalty=penalty, what=names)
    assert path.steps[1].removed[0] in names
    assert path.steps[1].objective == pytest.approx(path.steps[0].objective, rel=1e-9)


def test_names_that_are_shown_may_be_given():
    net = fastmlp.Network([2, 3, 2], rng=0)
    X, T = np.random.default_rng(0).normal(size=(2, 20, 2))
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-8)
    found = fastmlp.saliencies(net, X, T, penalty=penalty)
    again = fastmlp.saliencies(net, X, T, penalty=penalty, what=found.names)
    assert again.names == found.names
    np.testing.assert_allclose(again.rise, found.rise, rtol=1e-12)
    assert len(fastmlp.prune(net, X, T, penalty=penalty, keep=found.names[:-1]).steps) == 2


def test_names_of_all_parameters_are_those_of_each():
    for layers in ([2, 3, 1], [4, Diagonal(), 6, Averages(2), 2]):
        architecture = network(layers)._architecture
        assert selection.names(architecture) == [
            selection.name_of(architecture, i) for i in range(architecture.n_params)
        ]
