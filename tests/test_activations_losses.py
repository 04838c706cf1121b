"""Activations and losses as objects: their facts agree with their numbers, these with what networks compute."""

import copy
import math
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp import Activation, Loss
from fastmlp._core.bridge import kernels
from fastmlp.bridges import sklearn
from fastmlp.model import activations, losses
from fastmlp.model.losses import Targets

ROOT = Path(__file__).parent.parent
ELEMENTWISE = kernels.activation_names
Z = np.linspace(-6, 6, 241)


def layer(output, loss=None, width=1, dtype="float64"):
    """A network whose logits are its inputs."""
    net = fastmlp.Network([width, width], output=output, loss=loss, dtype=dtype)
    net.params = np.append(np.eye(width).ravel(), np.zeros(width))
    return net


# ---- activations ----


def test_the_rows_are_the_compiled_list_and_softmax():
    assert (*kernels.activation_names, "softmax") == activations.OUTPUT == tuple(Activation._rows)
    assert kernels.loss_names == losses.NAMES == tuple(Loss._rows)
    assert kernels.loss_outputs == tuple(Loss(name).output.name for name in losses.NAMES)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_facts_of_activations_are_what_their_numbers_say(name):
    h, far = Activation(name), np.concatenate([Z, [-1e3, 1e3] if name != "exp" else [-1e3, 300]])
    a, jump = h.value(far), np.array([-1e-9, 1e-9])
    assert h.is_odd == np.array_equal(h.value(-Z), -h.value(Z))
    assert h.is_linear == np.array_equal(h.value(Z), Z)
    low, high = h.range
    assert np.all((low <= a) & (a <= high))
    assert a.min() == pytest.approx(low, abs=1e-3) if math.isfinite(low) else a.min() < -5
    assert a.max() == pytest.approx(high, abs=1e-3) if math.isfinite(high) else a.max() > 5
    assert h.is_bounded == (a.max() - a.min() < 3)
    assert h.is_smooth == (abs(np.diff(h.slope(jump))[0]) < 1e-8)
    assert (h.smoothness == math.inf) == (h.is_smooth and abs(np.diff(h.curvature(jump))[0]) < 1e-8)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_activations_have_the_bits_of_layers(name, dtype):
    h, net, z = Activation(name), layer(name, dtype=dtype), Z.astype(dtype)
    rows = z[:, np.newaxis]
    assert h.value(z).dtype == h.slope(z).dtype == h.curvature(z).dtype == dtype
    assert np.array_equal(h.value(z), net(rows)[:, 0])
    assert np.array_equal(h.slope(z), net.jacobian(rows).ravel())
    assert np.array_equal(h.curvature(z), net.input_hessian(rows).ravel())


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (fastmlp.Network, (*activations.OUTPUT, *losses.NAMES)),
        ("docs/networks.md", (*activations.OUTPUT, *losses.NAMES)),
        ("docs/exchange.md", activations.OUTPUT),
        (fastmlp.MLPRegressor, activations.HIDDEN),
        (fastmlp.MLPClassifier, activations.HIDDEN),
        ("docs/estimators.md", set(activations.HIDDEN) - set(sklearn.ACTIVATIONS)),  # what is more than scikit-learn's
    ],
)
def test_documents_name_each(told, names):
    text = (ROOT / told).read_text() if isinstance(told, str) else told.__doc__
    assert not [name for name in names if not re.search(rf"\b{name}\b", text)]


def test_activations_take_arrays_of_any_shape():
    tanh = Activation("tanh")
    cube = Z[:240].reshape(4, 5, 12)
    assert np.array_equal(tanh.slope(cube.T), tanh.slope(cube).T)
    assert np.array_equal(tanh.value(Z[::3]), tanh.value(Z)[::3])
    assert tanh.value(0.5) == tanh.value([0.5])[0]
    assert tanh.value(np.zeros((0, 3))).shape == (0, 3)
    assert tanh.slope([0, 1]).dtype == np.float64
    assert np.isnan(tanh.value([np.nan, 1.0])).tolist() == [True, False]
    with pytest.raises(TypeError, match="z: expected real numbers, got dtype complex128"):
        tanh.value([1j])


def test_arguments_of_activations_stay_as_they_are():
    z = Z.copy()
    Activation("gelu").curvature(z)
    Activation("softmax").value(z)
    assert np.array_equal(z, Z)


def test_softmax_couples_the_last_axis():
    softmax, z = Activation("softmax"), Z[:240].reshape(-1, 3)
    assert np.allclose(softmax.value(z), layer("softmax", width=3)(z), rtol=1e-14)
    assert np.array_equal(softmax.value(z.reshape(4, -1, 3)).reshape(-1, 3), softmax.value(z))
    assert softmax.value(np.zeros((2, 0))).shape == (2, 0)
    assert not softmax.is_elementwise
    assert not softmax.is_bounded
    for derivative in (softmax.slope, softmax.curvature):
        with pytest.raises(ValueError, match="expected an activation element by element, got softmax"):
            derivative(z)
    with pytest.raises(ValueError, match="z: expected an array of the logits of a layer, got a number"):
        softmax.value(1.0)


@pytest.mark.parametrize(("kind", "names"), [(Activation, activations.OUTPUT), (Loss, losses.NAMES)])
def test_there_is_one_object_of_each_name(kind, names):
    for name in names:
        row = kind(name)
        assert str(row) == row.name == name
        assert repr(row) == f"{kind.__name__}({name!r})"
        assert kind(name) is pickle.loads(pickle.dumps(row)) is copy.deepcopy(row) is row
        with pytest.raises(AttributeError, match="name: expected to be read only"):
            row.name = "another"
    with pytest.raises(ValueError, match=f"name: expected one of {names[0]}"):
        kind("another")
    with pytest.raises(TypeError, match="name: expected a name, got 3"):
        kind(3)


def test_networks_give_names():
    net = fastmlp.Network([2, 3, 4, 2], hidden=["relu", "sin"], output="softmax")
    assert (net.hidden, net.output, net.loss_name) == (("relu", "sin"), "softmax", "cross_entropy")
    assert {type(name) for name in (*net.hidden, net.output, net.loss_name)} == {str}


# ---- losses ----


@pytest.fixture(params=losses.NAMES)
def loss(request):
    return Loss(request.param)


@pytest.fixture
def problem(loss):
    """Logits, or outputs, of 30 samples, and targets."""
    rng = np.random.default_rng(3)
    a = 2 * rng.normal(size=(30, 3))
    T = {
        "squared_error": rng.normal(size=(30, 3)),
        "binary_cross_entropy": rng.uniform(size=(30, 3)),
        "cross_entropy": rng.dirichlet(np.ones(3), 30) * (1 + 5e-4 * rng.uniform(-1, 1, (30, 1))),
        "poisson": rng.poisson(2.0, (30, 3)).astype(float),
    }[loss.name]
    return a, T


def differences(function, a, step=1e-5):
    """Derivatives of f(a) by the columns of a, along a new last axis."""
    steps = step * np.eye(a.shape[1])
    return np.stack([(function(a + each) - function(a - each)) / (2 * step) for each in steps], axis=-1)


def test_each_output_has_its_default():
    defaults = {name: str(losses.fitting(Activation(name))[0]) for name in activations.OUTPUT}
    own = {"logistic": "binary_cross_entropy", "softmax": "cross_entropy", "exp": "poisson"}
    assert defaults == {name: own.get(name, "squared_error") for name in activations.OUTPUT}


def test_a_further_loss_of_an_output_goes_with_it_and_does_not_replace_the_first(monkeypatch):
    robust = object.__new__(Loss)
    robust.__dict__.update(Loss("squared_error").__dict__, name="robust")
    monkeypatch.setitem(Loss._rows, "robust", robust)
    assert losses.for_output(None, Activation("identity")) is Loss("squared_error")
    assert losses.fitting(Activation("identity")) == (Loss("squared_error"), robust)
    assert losses.fitting(Activation("tanh")) == (Loss("squared_error"),)


def test_targets_are_judged_by_the_domain_of_any_loss(monkeypatch):
    monkeypatch.setitem(Loss("squared_error").__dict__, "domain", (-1.0, 2.0))
    net, X = fastmlp.Network([2, 1]), np.zeros((3, 2))
    assert np.isfinite(net.loss(X, [-1.0, 2.0, 0.5]))
    for wrong in (-1.001, 2.001):
        with pytest.raises(ValueError, match=rf"T: expected targets in \[-1, 2\] for squared_error, got {wrong}"):
            net.loss(X, [0.0, wrong, 0.0])


def test_moments_and_densities_are_those_of_the_distribution_of_targets(loss, problem):
    """By sums over all targets that are possible, and by logits that are drawn."""
    a, _ = problem
    z = np.minimum(a, 4.0)  # rates that 200 counts cover
    if loss.couples_outputs:
        possible = [np.tile(row, (30, 1)) for row in np.eye(3)]
    else:
        z, n = z[:, :1], 2 if loss.is_of_classes else 200
        possible = [np.full((30, 1), float(t)) for t in range(n)]
    if not loss.has_noise:  # p = exp(log_base - e), which sums to 1
        p = [np.exp(loss.log_base(t).sum(axis=1) - loss.value(z, t)) for t in possible]
        assert np.allclose(sum(p), 1.0, rtol=1e-12)
    if loss.couples_outputs:
        return
    draws = np.random.default_rng(0).normal(size=400_000)
    for m, v in ((-1.0, 0.3), (0.5, 1.5)):
        a = m + np.sqrt(v) * draws[:, np.newaxis]
        y = loss.outputs(a)
        mean, variance, noise = loss.moderated(np.array([[m]]), np.array([[v]]))
        assert mean == pytest.approx(y.mean(), rel=1e-2)
        assert variance == pytest.approx(y.var(), rel=0.1)
        assert noise == pytest.approx(loss.curvature(a).mean(), rel=1e-2)


def test_losses_are_those_of_networks(loss, problem):
    a, T = problem
    net = layer(loss.output.name, width=3)
    assert np.allclose(loss.value(a, T), net.sample_losses(a, T), rtol=1e-13)
    assert np.allclose(loss.outputs(a), net(a), rtol=1e-14)
    delta = net.trace(a, T).delta[-1]
    assert np.allclose(loss.slope(a, T, Targets(T, None).totals), delta, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy"])
def test_losses_of_classes_keep_their_digits_far_out(name):
    z, T = np.array([[40.0, -40.0], [300.0, -300.0], [-35.0, 36.0]]), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    loss = Loss(name)
    assert np.allclose(loss.value(z, T), layer(loss.output.name, width=2).sample_losses(z, T), rtol=1e-14, atol=0)
    assert np.all(loss.value(z, T) > 0)


def test_derivatives_of_losses_are_what_differences_say(loss, problem):
    a, T = problem
    totals, V = Targets(T, None).totals, np.random.default_rng(0).normal(size=(30, 3, 3))
    V += V.transpose(0, 2, 1)
    curvature = loss.curvature(a, totals)
    assert np.allclose(loss.slope(a, T, totals), differences(lambda a: loss.value(a, T), a), atol=1e-8)
    by_differences = differences(lambda a: loss.slope(a, T, totals), a)
    assert np.allclose(curvature, by_differences, atol=1e-7)
    changes = differences(lambda a: loss.curvature(a, totals), a)
    assert np.allclose(loss.third(a, V, totals), np.einsum("nkl,nklm->nm", V, changes), atol=1e-6)


def test_products_with_the_curvature(loss, problem):
    a, T = problem
    J = np.random.default_rng(1).normal(size=(30, 3, 4))
    totals = Targets(T, None).totals
    product = np.einsum("nkl,nlp->nkp", loss.curvature(a, totals), J)
    assert np.allclose(loss.curved(a, J[..., 0], totals), product[..., 0], rtol=1e-12, atol=1e-14)
    root = loss.root_product(a, J)
    assert np.allclose(root.transpose(0, 2, 1) @ root, J.transpose(0, 2, 1) @ loss.curvature(a) @ J, atol=1e-12)


def test_the_least_loss_is_that_of_outputs_that_equal_the_targets(loss, problem):
    T = loss.outputs(problem[0])  # as targets, within reach
    assert np.allclose(loss.least(T).sum(axis=1), loss.value(problem[0], T), rtol=1e-12, atol=1e-14)
    corners = loss.least(np.array([[0.0, 1.0]]))
    assert corners.tolist() == ([[0.0, 1.0]] if loss.is_of_counts else [[0.0, 0.0]])


def test_facts_of_losses(loss):
    assert loss.has_noise + loss.is_of_classes + loss.is_of_counts == 1
    assert loss.of_logits != loss.has_noise
    assert loss.domain == loss.output.range
    assert losses.for_output(None, loss.output) is loss


def test_losses_refuse_what_does_not_fit(loss):
    with pytest.raises(ValueError, match=r"expected one shape \(n_samples, n_outputs\), got \(2, 3\) and \(3, 2\)"):
        loss.value(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(TypeError, match="T: expected an array of real numbers, got None"):
        loss.value(np.zeros((2, 3)), None)


def test_targets_as_rows_and_their_sums():
    labels = Targets(None, np.array([2, 0]))
    assert labels.rows(3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert labels.totals == 1.0
    values = Targets(np.array([[0.25, 0.5], [1.0, 0.0]], np.float32), None)
    assert values.rows(2) is values.values
    assert values.totals.tolist() == [[0.75], [1.0]]
    assert values.totals.dtype == np.float64
