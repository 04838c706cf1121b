"""Posteriors of networks that were trained with one weight for all outputs, whose noise is not the same."""

import pickle

import numpy as np
import pytest
import scipy.stats

import fastmlp
import output_cases
from cases import relative_error
from fastmlp import MLPRegressor
from output_cases import COUNT, DECAY, DESIGN, K, N, T, X


def lines(weight=None, **options):
    net = fastmlp.Network([3, K], rng=0)
    net.fit(X, T, "lm", penalty=DECAY, sample_weight=weight)
    given = {"penalty": DECAY} | options
    return fastmlp.Laplace(net, X, T, sample_weight=weight, **given)


@pytest.mark.parametrize("weight", [None, COUNT], ids=["once", "counted"])
@pytest.mark.parametrize("hessian", ["ggn", "exact", "diagonal"])
def test_each_output_adds_its_own_noise_and_nothing_else_changes(hessian, weight):
    """Variances of residuals of ridge regression; A, beta and the evidence are those of one noise."""
    own, shared = (lines(weight, hessian=hessian, noise=noise) for noise in ("per_output", "shared"))
    s = np.ones(N) if weight is None else weight
    A = DESIGN.T @ (s[:, None] * DESIGN) + 0.5 * np.eye(4)
    A = np.diag(np.diag(A)) if hessian == "diagonal" else A
    gamma = np.einsum("n,ni,ij,nj->", s, DESIGN, np.linalg.inv(A), DESIGN)
    sse = (s[:, None] * (own.network(X) - T) ** 2).sum(axis=0)
    assert own.noise_std == pytest.approx(np.sqrt(sse / (s.sum() - gamma)), rel=1e-12)
    assert 2 * gamma == pytest.approx(own.effective_n_params, rel=1e-12)
    assert own.noise_precision == shared.noise_precision
    assert own.log_evidence == shared.log_evidence
    assert np.array_equal(own.params_covariance, shared.params_covariance)
    parts, plain = own.predict(X, parts=True), shared.predict(X, parts=True)
    assert np.array_equal(parts.epistemic, plain.epistemic)
    assert parts.noise == pytest.approx(np.tile(own.noise_std**2, (N, 1)), rel=1e-14)
    assert plain.noise == pytest.approx(np.full((N, K), 1 / shared.noise_precision), rel=1e-14)
    assert shared.noise_std == pytest.approx([shared.noise_precision**-0.5] * K, rel=1e-14)


def test_it_says_so():
    own, shared = lines(), lines(noise="shared")
    assert "noise                 each output's own, beside a posterior with one for all" in str(own)
    assert "each output's own" not in str(shared)
    assert "each output's own" not in str(lines(noise_precision=own.noise_precision))


def test_density_of_new_targets_has_each_outputs_noise():
    own = lines()
    mean, variance = own.predict(X)
    expected = scipy.stats.norm(mean, np.sqrt(variance)).logpdf(T).sum(axis=1)
    assert own.log_density(X, T) == pytest.approx(expected, rel=1e-12)
    assert own.log_density(X, T).sum() > lines(noise="shared").log_density(X, T).sum() + 50
    told = own.predict(X, parts=True, noise_std=0.5)
    assert np.array_equal(told.noise, np.full((N, K), 0.25))


def test_with_prior_precisions_too():
    own = lines(penalty=None, prior_precision=0.01)
    assert own.noise_std == pytest.approx([0.05, 3.0], rel=0.4)
    assert isinstance(own.noise_precision, float)


@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")  # not what it was trained with
@pytest.mark.parametrize("given", [{"noise_precision": 2.0}, {"noise_precision": [400.0, 0.1]}, {"sigma": np.ones(N)}])
def test_noise_that_is_told_is_not_found(given):
    posterior = lines(**given) if "sigma" not in given else lines(noise_precision=None, sigma=given["sigma"])
    assert posterior.noise_std == pytest.approx(
        np.broadcast_to(np.asarray(posterior.noise_precision) ** -0.5, K), rel=1e-14
    )


def test_units_of_each_output_change_no_bit():
    scale, ends = 2.0 ** np.array([40, -30]), []
    for targets in (T, scale * T):
        net = fastmlp.Network([3, 4, K], rng=0)
        net.fit(X, targets, "lm", penalty=DECAY, standardize=True)
        ends.append(fastmlp.Laplace(net, X, targets, penalty=DECAY, standardize=True))
    one, two = ends
    assert np.array_equal(scale * one.noise_std, two.noise_std)
    assert np.array_equal(scale**2 * one.predict(X)[1], two.predict(X)[1])


def test_pickles_updates_and_old_states_keep_it():
    own = lines()
    copy = pickle.loads(pickle.dumps(own))
    assert np.array_equal(copy.predict(X), own.predict(X))
    assert np.array_equal(own.updated(X[:5], T[:5]).noise_std, own.noise_std)
    state = {name: value for name, value in own.__getstate__().items() if name != "_own_noise"}
    former = fastmlp.Laplace.__new__(fastmlp.Laplace)
    former.__setstate__(state)
    assert former.noise_std == pytest.approx([own.noise_precision**-0.5] * K, rel=1e-14)


@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")  # the other has some at the optimum only
def test_an_output_without_residuals_has_no_noise():
    net = fastmlp.Network([1, 2], rng=0)
    net.params = [0.0, 1.0, 0.0, 0.0]
    x = np.array([[-1.0], [0.0], [1.0], [2.0]])
    posterior = fastmlp.Laplace(net, x, np.column_stack([[0.0] * 4, [-0.5, 0.0, 0.5, 2.5]]), penalty=DECAY)
    assert posterior.noise_std[0] == 0.0
    assert posterior.noise_std[1] > 0.1


def test_a_wrong_name_is_told():
    with pytest.raises(ValueError, match="noise: expected one of per_output, shared, got 'known'"):
        lines(noise="known")


# ---- estimators ----


def regressor(standardize=False, **arguments):
    given = {"hidden_layer_sizes": 6, "activation": "tanh", "solver": "lm", "max_iter": 2000, "random_state": 0}
    return MLPRegressor(**given | {"standardize": standardize, "tol": 1e-9} | arguments)


@pytest.mark.filterwarnings("ignore::fastmlp.ScaleWarning")
@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")  # of one raw set, 0.119 deviations from the optimum
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("noise", output_cases.NOISES)
def test_intervals_of_estimators_cover_as_much_as_they_say(noise, standardize):
    """Of each output; with one noise for both they cover all of the one, and 83 % of the other."""

    def predict(inputs, targets, new, seed):
        return regressor(standardize, random_state=seed).fit(inputs, targets).predict(new, return_std=True)

    shares = output_cases.coverage(predict, noise)
    assert (shares >= 0.94).all()
    assert (shares <= 0.96).all()


def test_deviations_are_of_a_network_that_is_trained_on_by_output():
    inputs, targets, new, _ = output_cases.data(np.array([0.1, 0.005]), 0)
    model = regressor(alpha=1e-3).fit(inputs, targets)
    before, params = model.predict(new), model.network_.params.copy()
    mean, std = model.predict(new, return_std=True)
    assert np.array_equal(model.predict(new), before)
    assert np.array_equal(model.network_.params, params)
    net = model.network_.copy()
    result = net.fit(
        inputs, targets, "lm", noise="per_output", penalty=fastmlp.WeightDecay(2e-3), max_iter=2000
    )  # a mean over two outputs
    assert np.array_equal(mean, net(new))
    assert model._posterior.noise_precision == pytest.approx(result.noise_precision, rel=1e-12)
    posterior = model._posterior
    assert np.array_equal(model.predict(new, return_std=True)[1], std)
    assert model._posterior is posterior  # once for each fit
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.predict(new, return_std=True), (mean, std))
    model.coefs_[0][...] *= 1.1
    model.predict(new, return_std=True)
    assert model._posterior is not posterior


def test_weights_that_sum_to_one_are_told():
    model = regressor(alpha=1e-4).fit(X, T, sample_weight=np.full(N, 1 / N))
    with pytest.raises(ValueError, match="noise: expected samples that determine the noise of each output, got 1 by"):
        model.predict(X, return_std=True)


@pytest.mark.parametrize("constant", [5.0, 0.0])
def test_a_constant_beside_an_output_takes_nothing_from_it(constant):
    inputs, targets, *_ = output_cases.data(np.array([0.1, 0.1]), 0)
    model = regressor(alpha=1e-3).fit(inputs, np.column_stack([targets[:, 0], np.full(300, constant)]))
    mean, std = model.predict(inputs, return_std=True)
    assert np.abs(mean[:, 0] - np.sin(2 * inputs[:, 0])).max() < 0.1
    assert std[:, 0] == pytest.approx(np.full(300, 0.1), rel=0.15)
    assert np.abs(mean[:, 1] - constant).max() < 1e-2
    assert (std[:, 1] < 1e-3).all()


@pytest.mark.filterwarnings("ignore::fastmlp.ScaleWarning")
def test_without_a_posterior_by_output_the_network_stays_as_it_is(monkeypatch):
    """As where raw targets are in units so different that second derivatives are lost in rounding."""
    inputs, targets, *_ = output_cases.data(np.array([0.1, 0.1]), 0)
    model, make = regressor(alpha=1e-3).fit(inputs, targets * [10, 1]), fastmlp.Laplace._make

    def refused(*args, **options):
        if "noise_precision" in options:
            raise fastmlp.NotPositiveDefiniteError("lost")
        return make(*args, **options)

    monkeypatch.setattr(fastmlp.Laplace, "_make", refused)
    mean, std = model.predict(inputs, return_std=True)
    assert np.array_equal(mean, model.predict(inputs))
    assert "each output's own" in str(model._posterior)
    assert std[:, 0] == pytest.approx(np.full(300, 1.0), rel=0.15)


@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("arguments", [{"solver": "adam", "max_iter": 100}, {"early_stopping": True}])
def test_networks_that_are_not_at_a_minimum_are_left_where_they_are(arguments):
    model = regressor(**{"tol": 1e-4} | arguments).fit(X, T)
    mean, std = model.predict(X, return_std=True)
    assert np.array_equal(mean, model.predict(X))
    assert "each output's own" in str(model._posterior)
    assert np.array_equal(std, np.sqrt(model._posterior.predict(X)[1]))


def test_the_evidence_has_the_noise_of_each_output_at_once():
    inputs, targets, new, _ = output_cases.data(np.array([0.1, 0.005]), 0)
    model = regressor(alpha="evidence", standardize=None, tol=1e-4).fit(inputs, targets)
    mean, std = model.predict(new, return_std=True)
    assert model.posterior_.noise_std == pytest.approx([0.1, 0.005], rel=0.1)
    assert relative_error(mean, model.predict(new)) < 1e-12
    assert np.array_equal(std, np.sqrt(model.posterior_.predict(new)[1]))
