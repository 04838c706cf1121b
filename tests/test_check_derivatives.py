"""The check of derivatives: right ones pass whatever the network is, wrong ones fail, and the report says which."""

import numpy as np
import pytest

import fastmlp
from cases import HIDDEN, PAIRS, data, network

X, T = data(network([3, 5, 2]), 20)
#: derivatives by parameters, which are checked group by group
BY_PARAMS = (
    "gradient", "jacobian by params", "jvp by params", "vjp by params", "hessian product", "hessian",
    "hessian diagonal", "ggn product", "ggn", "ggn diagonal",
)  # fmt: skip
BY_INPUTS = ("jacobian by inputs", "jvp by inputs", "vjp by inputs", "hessian by inputs")


def spoil(net, method, change):
    """Let one method of one network give what `change(result, *arguments)` makes of it; returns the network."""
    right = getattr(net, method)
    setattr(net, method, lambda *arguments, **options: change(right(*arguments, **options), *arguments, **options))
    return net


def scaled(group, factor=1 + 1e-4):
    """A change that multiplies the rows of one group of parameters."""

    def change(result, *_arguments, **_options):
        result = np.array(result)
        result[network([3, 5, 2]).groups[group]] *= factor
        return result

    return change


def failures(net, X=X, T=T, **options):
    report = fastmlp.check_derivatives(net, X, T, **options)
    assert report.passed == (not report.failed)
    assert str(report).count("FAILED") == (len(report.failed) + 1 if report.failed else 0)
    return {(each.quantity, each.group) for each in report.failed}


# ---- right derivatives ----


@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_activation_passes(hidden, dtype):
    net = network([3, 6, 4, 2], hidden, dtype=dtype, seed=1)
    assert failures(net, *data(net, 25)) == set()


@pytest.mark.parametrize(("output", "loss"), [*PAIRS, ("exp", "squared_error"), ("logistic", "squared_error")])
@pytest.mark.parametrize("soft", [False, True])
def test_every_loss_passes_with_weights(output, loss, soft, dtype):
    net = network([3, 5, 2], "tanh", output, loss, dtype=dtype, seed=2)
    weight = np.random.default_rng(0).random(20)
    weight[3] = 0.0
    assert failures(net, *data(net, 20, soft=soft), sample_weight=weight) == set()


@pytest.mark.parametrize("layers", [[1, 1], [1, 3, 1], [40, 30, 2], [3, 4, 2, 5, 3]])
def test_every_shape_passes_and_is_compared_in_every_group(layers):
    net = network(layers)
    report = fastmlp.check_derivatives(net, *data(net, 9))
    assert report.passed
    matrices = () if net.n_params <= 1000 else ("hessian", "ggn")
    compared = {(q, group) for q in BY_PARAMS if q not in matrices for group in net.groups}
    assert {(each.quantity, each.group) for each in report.comparisons} == compared | {(q, "x") for q in BY_INPUTS}


def test_a_trained_network_passes_where_its_gradient_vanishes(dtype):
    net = fastmlp.Network([3, 6, 2], dtype=dtype, rng=0)
    net.fit(X, T, max_iter=300)
    assert failures(net) == set()


def test_units_do_not_matter():
    net, scale = network([3, 5, 2]), np.array([1e6, 1e-8, 1.0])
    net.weights[0][...] /= scale
    net.weights[1][...] *= 1e7
    assert failures(net, scale * X, 1e7 * T) == set()


def test_steep_networks_pass():
    net = network([3, 5, 3], output="softmax", scale=30.0)
    assert failures(net, *data(net, 20)) == set()


def test_differences_err_as_little_as_central_differences_can():
    report = fastmlp.check_derivatives(network([3, 5, 2]), X, T)
    assert max(each.error for each in report.comparisons) < 1e-9
    assert all(each.step == pytest.approx(6.055e-6, rel=1e-3) for each in report.comparisons)


def test_cutting_off_costs_the_square_of_the_step():
    def error(step):
        report = fastmlp.check_derivatives(network([3, 5, 2]), X, T, step=step)
        return max(each.error for each in report.comparisons if each.quantity == "jacobian by params")

    assert error(1e-2) / error(1e-3) == pytest.approx(100, rel=0.1)


def test_samples_at_kinks_are_left_out_and_counted():
    net = network([3, 5, 2], "relu")
    at_kinks = X.copy()
    for n in (4, 7):  # onto the hyperplane where a unit's z = 0
        w, b = net.weights[0][n % 5], net.biases[0][n % 5]
        at_kinks[n] -= (w @ X[n] + b) / (w @ w) * w
    report = fastmlp.check_derivatives(net, at_kinks, T)
    assert report.passed
    assert (report.n_samples, report.n_left_out) == (18, 2)
    assert "on 18 samples" in str(report)
    assert "2 samples at kinks were left out" in str(report)


def test_the_network_and_the_samples_stay_as_they_are():
    net, rng = network([3, 5, 2]), np.random.default_rng(3)
    before, copies = net.copy(), (X.copy(), T.copy())
    fastmlp.check_derivatives(net, X, T, rng=rng)
    assert net == before
    assert np.array_equal(copies[0], X)
    assert np.array_equal(copies[1], T)


def test_a_repeated_check_gives_the_same_report():
    net = network([40, 30, 2])
    samples = data(net, 9)
    one, same, other = (fastmlp.check_derivatives(net, *samples, rng=rng) for rng in (0, 0, 1))
    assert one == same
    assert one != other
    assert other.passed


# ---- wrong derivatives ----


@pytest.mark.parametrize("group", ["W1", "b1", "W2", "b2"])
def test_a_gradient_off_by_one_part_in_ten_thousand_fails_in_its_layer_alone(group):
    change = scaled(group)
    net = spoil(network([3, 5, 2]), "loss_and_grad", lambda result, *_a, **_o: (result[0], change(result[1])))
    assert failures(net) == {("gradient", group)}


@pytest.mark.parametrize("group", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize(("method", "quantity"), [("hessp", "hessian product"), ("ggnp", "ggn product")])
def test_a_wrong_product_fails_in_its_layer_alone(method, quantity, group):
    assert failures(spoil(network([3, 5, 2]), method, scaled(group))) == {(quantity, group)}


@pytest.mark.parametrize(
    ("method", "kind", "quantity"),
    [
        ("hessian", "exact", "hessian"),
        ("hessian", "ggn", "ggn"),
        ("hessian_diagonal", "exact", "hessian diagonal"),
        ("hessian_diagonal", "ggn", "ggn diagonal"),
    ],
)
def test_a_wrong_matrix_or_diagonal_fails_in_its_layer_alone(method, kind, quantity):
    def change(result, _X, _T, given, **_options):
        return scaled("b1")(result) if given == kind else result

    assert failures(spoil(network([3, 5, 2]), method, change)) == {(quantity, "b1")}


@pytest.mark.parametrize("wrt", ["inputs", "params"])
@pytest.mark.parametrize("axis", [0, 1], ids=["samples", "outputs"])
def test_swapped_rows_of_a_jacobian_fail(wrt, axis):
    def swap(J, _X, wrt="inputs", **_options):
        return np.flip(J, axis) if wrt == wrong else J

    wrong = wrt
    quantities = {quantity for quantity, _ in failures(spoil(network([3, 5, 2]), "jacobian", swap))}
    assert quantities == {f"jacobian by {wrt}"}


@pytest.mark.parametrize("wrt", ["inputs", "params"])
@pytest.mark.parametrize("method", ["jvp", "vjp"])
def test_wrong_products_with_a_jacobian_fail(method, wrt):
    def change(result, _X, _v, wrt="params", **_options):
        return result * (1 + 1e-4) if wrt == wrong else result

    wrong = wrt
    quantities = {quantity for quantity, _ in failures(spoil(network([3, 5, 2]), method, change))}
    assert quantities == {f"{method} by {wrt}"}


def test_wrong_second_derivatives_by_the_inputs_fail():
    def change(H, _X):
        H[:, 0, 1, 2] *= 1 + 1e-4
        return H

    assert failures(spoil(network([3, 5, 2]), "input_hessian", change)) == {("hessian by inputs", "x")}


def test_one_wrong_number_among_thousands_fails():
    net = network([40, 60, 2])
    samples = data(net, 30)

    def change(result, *_arguments, **_options):
        result[1][1234] += 1e-3 * np.abs(result[1]).max()
        return result

    assert failures(spoil(net, "loss_and_grad", change), *samples) == {("gradient", "W1")}


def test_a_derivative_that_is_not_a_number_fails():
    assert failures(spoil(network([3, 5, 2]), "hessp", scaled("W2", np.nan))) == {("hessian product", "W2")}


def test_a_float32_derivative_off_by_a_percent_fails():
    net = spoil(network([3, 5, 2], dtype="float32"), "hessp", scaled("W1", 1.01))
    assert failures(net) == {("hessian product", "W1")}


def test_a_derivative_that_ought_to_vanish_and_does_not_fails():
    net = network([3, 5, 2], hidden="identity")
    wrong = spoil(net, "input_hessian", lambda H, _X: H + 1e-4 * np.abs(net.jacobian(X)).max())
    assert failures(wrong) == {("hessian by inputs", "x")}


def test_the_methods_of_a_subclass_are_those_that_are_checked():
    class Forgetful(fastmlp.Network):
        """A network whose loss has a term that its gradient lacks."""

        def sample_losses(self, X, T, **options):
            return super().sample_losses(X, T, **options) + 0.01 * np.abs(self.weights[1]).sum()

    net = Forgetful([3, 5, 2], rng=0)
    assert failures(net) == {("gradient", "W2")}


def test_tol_decides_what_passes():
    net = spoil(network([3, 5, 2]), "hessp", scaled("b1"))
    assert failures(net, tol=1e-3) == set()
    assert ("hessian product", "b1") in failures(net, tol=1e-5)


def test_the_table_shows_what_failed():
    report = fastmlp.check_derivatives(spoil(network([3, 5, 2]), "hessp", scaled("b1")), X, T)
    lines = str(report).splitlines()
    assert lines[0].split() == ["quantity", "group", "error", "tolerance"]
    (failed,) = [line for line in lines if line.endswith("FAILED")]
    assert failed.split()[:3] == ["hessian", "product", "b1"]
    assert 1e-5 < float(failed.split()[3]) <= 1.1e-4
    assert lines[-1] == f"1 of {len(report.comparisons)} comparisons FAILED, on 20 samples with steps of 6e-06"
    assert len({line.rindex("1e-06") for line in lines[1:-1]}) == 1


# ---- arguments ----


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("net", X, T), {}, TypeError, r"net: expected a fastmlp\.Network, got str"),
        ((network([3, 5, 2]), X[:, :2], T), {}, ValueError, r"X: expected shape \(n_samples, 3\)"),
        ((network([3, 5, 2]), X, T[:4]), {}, ValueError, "T: expected shape"),
        ((network([3, 5, 2]), X[:0], T[:0]), {}, ValueError, "X: expected at least one sample, got none"),
        ((network([3, 5, 2]), X, T), {"step": 0}, ValueError, "step: expected a finite number > 0"),
        ((network([3, 5, 2]), X, T), {"tol": -1.0}, ValueError, "tol: expected a finite number > 0"),
        ((network([3, 5, 2]), X, T), {"rng": "seed"}, TypeError, "rng: expected"),
        ((fastmlp.Network([3, 5, 2], "relu", rng=0), 0 * X, T), {}, ValueError, "X: expected a sample away from the k"),
    ],
)
def test_wrong_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fastmlp.check_derivatives(*arguments, **options)
