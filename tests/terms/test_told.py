"""Columns that are constant among the samples, of which derivative data know more; derivatives that are not known."""

import numpy as np
import pytest

import fastmlp
from cases import relative_error
from fastmlp import TangentPropagation, WeightDecay

DECAY = WeightDecay(1e-6, 1e-6)


def simulated(n, seed=0):
    """Runs whose third input is the same, and the gradients by all three."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.uniform(-1, 1, (n, 2)), np.full(n, 0.7)])
    a, b, c = X.T
    slopes = [2 * np.cos(2 * a) + 0.5 * c, -np.sin(b), 0.5 * a]
    return X, np.sin(2 * a) + np.cos(b) + 0.5 * a * c, np.stack(slopes, axis=1)


def circle(n, seed=0):
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    return np.column_stack([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_slopes_by_a_constant_input_are_learnt(scale):
    X, T, slopes = simulated(40)
    away, _, there = simulated(200, 1)
    size = [1.0, 1.0, scale]
    net = fastmlp.Network([3, 8, 1], rng=0)
    result = net.fit(X * size, T, "lm", derivatives=("inputs", slopes / size), standardize=True, penalty=DECAY)
    assert result.success
    assert result.fun < 0.01
    J = net.jacobian(away * size)[:, 0] * size
    assert np.sqrt(np.mean((J - there) ** 2, axis=0)).max() < 0.1


@pytest.mark.parametrize("own", [False, True])
def test_slopes_in_directions_along_a_constant_input_are_learnt(own):
    X, T, slopes = simulated(40)
    tau = np.random.default_rng(3).normal(size=(40, 2, 3) if own else (2, 3))
    d = np.einsum("nmd,nd->nm", np.broadcast_to(tau, (40, 2, 3)), slopes)
    net = fastmlp.Network([3, 8, 1], rng=0)
    result = net.fit(X, T, "lm", derivatives=(tau, d), standardize=True, penalty=DECAY)
    assert result.fun < 0.01
    assert not result.units.inputs.constant.any()


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1e6, 0.0), (1e-3, 5.0)])
def test_a_surface_is_learnt_from_points_and_normals(method, scale, shift):
    X = circle(40)
    net = fastmlp.Network([2, 10, 1], rng=0)
    result = net.fit(X, np.full(40, shift), method, derivatives=("inputs", scale * X), standardize=True, penalty=DECAY,
                     max_iter=2000)  # fmt: skip
    assert not result.units.targets.constant.any()
    away = circle(100, 1)
    assert abs(net(away) - shift).max() < 0.01 * scale
    assert abs(net.jacobian(away)[:, 0] - scale * away).max() < 0.05 * scale


def test_of_several_outputs_the_constant_one_has_the_unit_of_its_slopes():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (40, 2)) * [1, 10]
    T = np.column_stack([X[:, 0], np.ones(40)])
    slopes = np.zeros((40, 2, 2))
    slopes[:, 0, 0], slopes[:, 1, 1] = 1.0, 3.0
    result = fastmlp.Network([2, 4, 2], rng=0).fit(X, T, derivatives=("inputs", slopes), standardize=True, max_iter=0)
    a, c = result.units.inputs, result.units.targets
    assert not c.constant.any()
    assert c.scale[0] == pytest.approx(T[:, 0].std(), rel=1e-12)
    assert c.scale[1] == pytest.approx(3 * a.scale[1] / np.sqrt(2), rel=1e-12)  # the mean square over two directions


def test_what_has_no_slope_stays_constant():
    X, T, slopes = simulated(40)
    slopes[:, 2] = 0.0
    net = fastmlp.Network([3, 5, 1], rng=0)
    result = net.fit(X, T, "lm", derivatives=("inputs", slopes), standardize=True, max_iter=50)
    assert result.units.inputs.constant.tolist() == [False, False, True]
    assert not net.weights[0][:, 2].any()


def test_a_lone_sample_with_its_slopes():
    net = fastmlp.Network([2, 4, 1], rng=0)
    net.fit([[1.0, 2.0]], [3.0], "lm", derivatives=("inputs", [[5e4, -2e-4]]), standardize=True)
    assert net([[1.0, 2.0]]) == pytest.approx(3.0)
    assert net.jacobian([[1.0, 2.0]])[0, 0] == pytest.approx([5e4, -2e-4], rel=1e-5)


def test_the_noise_is_that_of_derivatives_that_were_learnt():
    rng = np.random.default_rng(0)
    X, T, slopes = simulated(80)
    T, slopes = T + 0.05 * rng.normal(size=T.shape), slopes + 0.05 * rng.normal(size=slopes.shape)
    net, found = fastmlp.Network([3, 6, 1], rng=0), []
    for standardize in (True, False):
        own = net.copy()
        penalty = WeightDecay(0.01) + TangentPropagation(np.eye(3), 1.0, of="outputs", targets=slopes)
        own.fit(X, T, "lm", penalty=penalty, standardize=standardize)
        found.append(fastmlp.Laplace(own, X, T, penalty=penalty, standardize=standardize).noise_std[0])
    assert found == pytest.approx([0.05, 0.05], rel=0.25)


@pytest.mark.parametrize("weighed", [False, True])
def test_directions_of_zeros_are_no_data(weighed):
    X, T, slopes = simulated(40)
    tau, d = np.tile(np.eye(3), (40, 1, 1)), slopes.copy()
    net = fastmlp.Network([3, 4, 1], rng=0)
    weight = np.random.default_rng(5).uniform(0.5, 2, 40) if weighed else None
    more, of_more = np.concatenate([tau, np.zeros((40, 2, 3))], axis=1), np.column_stack([d, np.zeros((40, 2))])
    found = []
    for directions, targets in ((tau, d), (more, of_more), (more[:, [3, 0, 1, 2]], of_more[:, [3, 0, 1, 2]])):
        penalty = WeightDecay(0.01) + TangentPropagation(directions, 1.0, of="outputs", targets=targets)
        own = net.copy()
        own.fit(X, T, "lm", penalty=penalty, sample_weight=weight)
        posterior = fastmlp.Laplace(own, X, T, penalty=penalty, sample_weight=weight)
        found.append([posterior.noise_precision, posterior.log_evidence])
    assert relative_error(found[1], found[0]) < 1e-9
    assert relative_error(found[2], found[0]) < 1e-9


def test_slopes_that_are_not_known_are_left_out():
    X, T, slopes = simulated(40)
    known = np.arange(40) % 2 == 0
    tau = np.tile(np.eye(3), (40, 1, 1)) * known[:, np.newaxis, np.newaxis]
    net, p = fastmlp.Network([3, 4, 1], rng=0), fastmlp.Network([3, 4, 1], rng=0).params
    some = net.objective(X, T, penalty=TangentPropagation(tau, 2.0, targets=slopes * known[:, np.newaxis]))
    values = net.objective(X, T)
    other = net.objective(X[known], T[known], penalty=TangentPropagation("inputs", 2.0, targets=slopes[known]))
    alone = other.value(p) - net.objective(X[known], T[known]).value(p)
    assert some.value(p) - values.value(p) == pytest.approx(alone, rel=1e-12)
    slopes[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"derivatives: targets: .* nan at index \(3, 1\); a direction of zeros with"):
        net.fit(X, T, derivatives=("inputs", slopes))


def test_the_message_tells_the_shape_of_one_output():
    X, T, _ = simulated(40)
    with pytest.raises(ValueError, match=r"shape \(N, M, K\), got \(40,\); with one output \(N, M\) will"):
        fastmlp.Network([3, 4, 1], rng=0).fit(X, T, derivatives=(np.ones((40, 1, 3)), np.ones(40)))
