"""`fit` with a noise of each output: generalised least squares where there is no hidden layer, and what is drawn."""

import numpy as np
import pytest
import scipy.linalg

import fastmlp
import output_cases
from cases import relative_error
from fastmlp.optimize import rounds
from output_cases import COUNT, DECAY, DESIGN, RNG, K, N, T, X


def by_hand(weight=None, n_rounds=60):
    """The fixed point for lines: of each output ridge regression with the decay over omega_k; and its precisions."""
    s, omega = np.ones(N) if weight is None else weight, np.ones(K)
    for _ in range(n_rounds):
        C = [np.linalg.inv(DESIGN.T @ (s[:, None] * DESIGN) + 0.5 / each * np.eye(4)) for each in omega]
        W = np.column_stack([C[k] @ DESIGN.T @ (s * T[:, k]) for k in range(K)])
        gamma = np.array([np.trace(each @ DESIGN.T @ (s[:, None] * DESIGN)) for each in C])
        beta = (s.sum() - gamma) / (s[:, None] * (DESIGN @ W - T) ** 2).sum(axis=0)
        omega = beta / scipy.stats.hmean(beta)
    return W, beta


@pytest.mark.parametrize("weight", [None, COUNT], ids=["once", "counted"])
@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg"])
def test_lines_come_to_the_fixed_point(method, weight, monkeypatch):
    monkeypatch.setattr(rounds, "SETTLED", 1e-9)
    monkeypatch.setattr(rounds, "MOST", 20)
    net = fastmlp.Network([3, K], rng=0)
    result = net.fit(X, T, method, noise="per_output", penalty=DECAY, sample_weight=weight, tol=1e-10)
    W, beta = by_hand(weight)
    assert result.success
    assert relative_error(net(X), DESIGN @ W) < 1e-8
    assert relative_error(result.noise_precision, beta) < 1e-7


def test_a_few_rounds_come_close():
    net = fastmlp.Network([3, K], rng=0)
    result = net.fit(X, T, "lm", noise="per_output", penalty=DECAY)
    W, beta = by_hand()
    assert np.abs(net(X) - DESIGN @ W).max() < 1e-3
    assert np.abs(np.log(result.noise_precision / beta)).max() < 0.5 * rounds.SETTLED
    plain = fastmlp.Network([3, K], rng=0)
    plain.fit(X, T, "lm", penalty=DECAY)
    assert np.abs(plain(X) - DESIGN @ W).max() > 1e-2
    assert "noise deviation" in str(result)


@pytest.mark.filterwarnings("ignore::fastmlp.ScaleWarning")
@pytest.mark.parametrize("noise", output_cases.NOISES)
@pytest.mark.parametrize("standardize", [True, False])
def test_hidden_units_serve_the_quieter_output_too(noise, standardize):
    inputs, targets, new, unseen = output_cases.data(np.array(noise), 1)
    penalty = fastmlp.WeightDecay(1e-3, 1e-3)
    net = fastmlp.Network([1, 6, 2], rng=0)
    result = net.fit(inputs, targets, "lm", noise="per_output", penalty=penalty, standardize=standardize)
    assert result.noise_precision**-0.5 == pytest.approx(noise, rel=0.1)
    assert np.sqrt(((net(new) - unseen) ** 2).mean(axis=0)) == pytest.approx(noise, rel=0.06)


@pytest.mark.parametrize("standardize", [True, False])
def test_its_posterior_is_at_the_optimum(standardize):
    """And has prior precisions beta lambda, with the mean variance of the noise for 1/beta."""
    inputs, targets, *_ = output_cases.data(np.array([0.1, 0.005]), 0)
    penalty, net = fastmlp.WeightDecay(1e-3, 1e-3), fastmlp.Network([1, 4, 2], rng=0)
    result = net.fit(inputs, targets, "lm", noise="per_output", penalty=penalty, standardize=standardize)
    posterior = fastmlp.Laplace(
        net, inputs, targets, penalty=penalty, standardize=standardize, noise_precision=result.noise_precision
    )
    assert posterior.distance < 1e-2
    assert posterior.noise_precision == pytest.approx(result.noise_precision, rel=1e-14)
    beta = scipy.stats.hmean(result.noise_precision * (targets.var(axis=0) if standardize else 1.0))
    assert posterior.prior_precision == pytest.approx(1e-3 * beta, rel=1e-9)
    other = fastmlp.Laplace(
        net, inputs, targets, prior_precision=posterior.prior_precision, standardize=standardize,
        noise_precision=result.noise_precision,
    )  # fmt: skip
    assert posterior.log_evidence == pytest.approx(other.log_evidence, rel=1e-12)


def test_units_of_each_output_change_no_bit():
    scale, ends = 2.0 ** np.array([40, -30]), []
    for targets in (T, scale * T):
        net = fastmlp.Network([3, 4, K], rng=0)
        result = net.fit(X, targets, "lm", noise="per_output", penalty=DECAY, standardize=True)
        ends.append((net(X), result))
    (one, result), (two, other) = ends
    assert np.array_equal(scale * one, two)
    assert np.array_equal(result.noise_precision, scale**2 * other.noise_precision)
    assert result.fun == other.fun


def test_one_output_is_trained_once():
    nets = [fastmlp.Network([3, 4, 1], rng=0) for _ in range(2)]
    plain, own = (net.fit(X, T[:, 0], "lm", noise=noise) for net, noise in zip(nets, rounds.NOISES, strict=True))
    assert nets[0] == nets[1]
    assert plain.nit == own.nit
    assert "noise_precision" not in plain
    assert own.noise_precision.shape == (1,)


def test_outputs_alike_keep_the_plain_objective():
    """Those of one noise to rounding: two copies of one output."""
    nets = [fastmlp.Network([3, K], rng=0) for _ in range(2)]
    for net, noise in zip(nets, rounds.NOISES, strict=True):
        net.fit(X, np.column_stack([T[:, 0]] * 2), "lm", noise=noise, penalty=DECAY)
    assert relative_error(nets[0].params, nets[1].params) < 1e-9


def test_sigma_stays_beside_the_weights():
    """Twice the errors are a quarter of the precision, and the same network."""
    sigma = RNG.uniform(0.5, 2.0, (N, K))
    nets, found = [fastmlp.Network([3, K], rng=0) for _ in range(2)], []
    for net, factor in zip(nets, ([1.0, 1.0], [2.0, 0.5]), strict=True):
        slight = fastmlp.WeightDecay(1e-6, 1e-6)
        found.append(net.fit(X, T, "lm", noise="per_output", penalty=slight, sigma=factor * sigma).noise_precision)
    assert found[1] == pytest.approx(found[0] * [4.0, 0.25], rel=1e-3)
    assert np.abs(nets[0](X) - nets[1](X)).max() < 1e-3


@pytest.mark.parametrize("standardize", [False, True], ids=["raw", "standardised"])
def test_beside_sigma_precisions_are_factors_in_all_units(standardize):
    """Those of weighted least squares, output by output."""
    sigma, scale = RNG.uniform(0.5, 2.0, (N, K)), np.array([1e-3, 1e4])
    result = fastmlp.Network([3, K], rng=0).fit(
        X, scale * T, "lm", noise="per_output", sigma=scale * sigma, standardize=standardize
    )
    A = np.column_stack([X, np.ones(N)])
    for k in range(K):
        _, (sse,), *_ = np.linalg.lstsq(A / sigma[:, [k]], T[:, k] / sigma[:, k], rcond=None)
        assert result.noise_precision[k] == pytest.approx((N - 4) / sse, rel=1e-2)


def test_a_constant_output_takes_no_part():
    net = fastmlp.Network([3, 3], rng=0)
    result = net.fit(
        X, np.column_stack([T, np.full(N, 7.0)]), "lm", noise="per_output", penalty=DECAY, standardize=True
    )
    assert result.noise_precision[2] == np.inf
    assert result.noise_precision[:2] ** -0.5 == pytest.approx([0.05, 3.0], rel=0.3)
    assert np.abs(net(X)[:, 2] - 7.0).max() < 1e-9


def test_an_output_that_is_met_is_not_all_there_is():
    line = X @ [1.0, -2.0, 0.5] + 0.3
    net = fastmlp.Network([3, K], rng=0)
    result = net.fit(X, np.column_stack([line, T[:, 1]]), "lm", noise="per_output")
    assert np.isfinite(result.noise_precision).all()
    least = np.linalg.lstsq(DESIGN, T[:, 1], rcond=None)[0]
    assert np.abs(net(X)[:, 1] - DESIGN @ least).max() < 1e-4


def test_float32_and_more_parameters_than_are_counted(monkeypatch):
    net = fastmlp.Network([3, K], dtype="float32", rng=0)
    result = net.fit(X, T, "lm", noise="per_output", penalty=DECAY)
    _, beta = by_hand()
    assert np.abs(np.log(result.noise_precision / beta)).max() < 0.05
    monkeypatch.setattr(rounds, "MOST_PARAMS", 3)
    other = fastmlp.Network([3, K], rng=0).fit(X, T, "lm", noise="per_output", penalty=DECAY)
    assert other.noise_precision == pytest.approx(beta * N / (N - 4), rel=0.02)  # without gamma_k


class Gradual:
    """A term that has no second derivatives to give."""

    def value(self, params):
        return 0.25 * (params**2).sum()

    def value_and_grad(self, params):
        return self.value(params), 0.5 * params


def test_terms_without_a_matrix_are_penalties_all_the_same():
    net = fastmlp.Network([3, K], rng=0)
    result = net.fit(X, T, "lbfgs", noise="per_output", penalty=Gradual())
    other = fastmlp.Network([3, K], rng=0)
    own = other.fit(X, T, "lbfgs", noise="per_output", penalty=DECAY)
    assert result.noise_precision * (N - 4) / N == pytest.approx(own.noise_precision, rel=0.02)
    assert np.abs(net(X) - other(X)).max() < 1e-2


# ---- what is drawn, watched, ended ----


@pytest.mark.parametrize("rng", [0, np.random.default_rng(0), None])
def test_rounds_hold_back_the_same_samples(rng, monkeypatch):
    seen, trained = [], rounds.trained
    monkeypatch.setattr(rounds, "trained", lambda *args: seen.append(trained(*args)) or seen[-1])
    net = fastmlp.Network([3, 3, K], rng=0)
    net.fit(X, T * [1, 100], "adam", noise="per_output", validation=0.25, max_iter=5, rng=rng)
    held_back = [each.result.state["held_back"] for each in seen]
    assert len(held_back) > 1
    assert all(np.array_equal(held_back[0], other) for other in held_back)


def test_the_same_seed_gives_the_same_network():
    nets = [fastmlp.Network([3, 3, K], rng=0) for _ in range(2)]
    for net in nets:
        net.fit(X, T, "adam", noise="per_output", max_iter=5, rng=1)
    assert nets[0] == nets[1]


def test_a_callback_ends_all():
    seen = []

    def stop(state):
        seen.append(state.nit)
        return True

    result = fastmlp.Network([3, K], rng=0).fit(X, T, "lm", noise="per_output", callback=stop)
    assert seen == [1]
    assert result.message == "stopped by the callback"
    assert result.noise_precision.shape == (K,)


def test_a_time_limit_is_that_of_all_rounds():
    result = fastmlp.Network([3, 4, K], rng=0).fit(X, T, "lm", noise="per_output", time_limit=0.0)
    assert result.message == "stopped at time_limit"
    assert result.nit <= 1


@pytest.mark.parametrize(
    ("net", "options", "message"),
    [
        ([3, K], {"noise": "known"}, "noise: expected one of shared, per_output, got 'known'"),
        (
            fastmlp.Network([3, K], output="softmax", rng=0),
            {"noise": "per_output"},
            "noise: expected 'shared' for cross_entropy",
        ),
        ([3, K], {"noise": "per_output", "warm_start": 3}, "warm_start: expected None with noise='per_output'"),
        (
            [3, 4, K],
            {"noise": "per_output", "sample_weight": np.full(N, 1 / N)},
            "noise: expected samples that determine the noise of each output, got 1 by sample_weight",
        ),
    ],
)
def test_contradictions_are_named(net, options, message):
    net = fastmlp.Network(net, rng=0) if isinstance(net, list) else net
    targets = np.arange(N) % K if net.loss_name == "cross_entropy" else T
    with pytest.raises(ValueError, match=message):
        net.fit(X, targets, "lm", **options)


def test_missing_entries_are_refused():
    holes = T.copy()
    holes[3, 1] = np.nan
    with pytest.raises(ValueError, match="T: expected finite numbers"):
        fastmlp.Network([3, K], rng=0).fit(X, holes, "lm", noise="per_output")
