"""What is asked about networks with convolutions: on images as on rows, or refused by name."""

import numpy as np
import pytest

import fastmlp
from fastmlp import AveragePool, Conv, TangentPropagation, WeightDecay
from fastmlp.invariance import invariance, tangents

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2, 5, 4))
ROWS = X.reshape(60, 40)
T = X[:, 0, 1:3, 1].sum(axis=1) + 0.1 * RNG.normal(size=60)
PENALTY = WeightDecay(0.3, 0.3)
TAU = tangents(X)


def network(last=1, seed=0):
    return fastmlp.Network([(2, 5, 4), Conv(2, 3), AveragePool(2), last], rng=seed)


NET = network()
NET.fit(X, T, "lm", penalty=PENALTY, max_iter=500)
SAME = fastmlp.Network([(2, 5, 4), Conv(2, 3, padding="same"), 1], rng=0)


def laplace(inputs):
    return fastmlp.Laplace(NET, inputs, T, prior_precision=1.0, noise_precision=10.0)


def fitted(inputs, method="lm", **arguments):
    return network().fit(inputs, T, method, max_iter=3, rng=0, **arguments).x


CALLS = {
    "sensitivity": lambda x: fastmlp.sensitivity(NET, x).standardized.root_mean_square,
    "propagate": lambda x: fastmlp.propagate(NET, x[:3], 0.01 * np.eye(40)),
    "lekprofile": lambda x: fastmlp.lekprofile(NET, x, steps=5).y,
    "saliencies": lambda x: fastmlp.saliencies(NET, x, T, penalty=PENALTY).rise,
    "prune": lambda x: fastmlp.prune(NET, x, T, penalty=PENALTY, n_params=NET.n_params - 3).best.params,
    "prune a posterior": lambda x: fastmlp.prune(laplace(x), n_params=NET.n_params - 2).best.params,
    "refit": lambda x: fastmlp.refit(NET.copy(), x, T + 0.01, penalty=PENALTY).x,
    "Laplace": lambda x: [*laplace(x).predict(x[:2])[:2], *laplace(x).predict_jacobian(x[:2])],
    "leave_one_out": lambda x: laplace(x).leave_one_out().outputs,
    "updated": lambda x: laplace(x).updated(x[:5], T[:5]).params,
    "nic": lambda x: [laplace(x).nic, laplace(x).sandwich_covariance],
    "evidence": lambda x: fastmlp.fit_evidence(network(), x, T, max_iter=3).params,
    "prior_samples": lambda x: fastmlp.prior_samples(network(), 1.0, x[:3], 4, rng=0),
    "tangents": lambda x: fitted(x, penalty=TangentPropagation(TAU, 0.1)),
    "Tikhonov": lambda x: fitted(x, penalty=TangentPropagation("inputs", 0.1)),
    "derivatives": lambda x: fitted(x, derivatives=(TAU[:, :1], np.zeros((60, 1)))),
    "invariance": lambda x: invariance(NET, x, TAU),
    "bounds": lambda x: fitted(x, "l-bfgs-b", bounds={"W1": (0, None)}),
    "validation": lambda x: fitted(x, "adam", validation=(x[:9], T[:9]), patience=2),
    "standardize": lambda x: fitted(x, standardize=True),
    "inverse_hessian": lambda x: NET.inverse_hessian(x, T, damping=1.0),
    "finite differences": lambda x: NET.hessian(x, T, "finite_difference"),
    "hessian_operator": lambda x: NET.hessian_operator(x, T) @ NET.params,
    "check_derivatives": lambda x: fastmlp.check_derivatives(NET, x, T).passed,
}


@pytest.mark.filterwarnings("ignore::fastmlp.ConvergenceWarning", "ignore::fastmlp.PosteriorWarning")
@pytest.mark.parametrize("name", CALLS)
def test_images_are_asked_about_as_rows_are(name):
    on_rows, on_images = (CALLS[name](each) for each in (ROWS, X))
    for one, other in zip(_parts(on_rows), _parts(on_images), strict=True):
        assert np.array_equal(one, other)
        assert np.isfinite(one).all()


def _parts(result):
    return result if isinstance(result, list) else [result]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NET.hessian_diagonal(X, T, "backprop"), "kind='backprop': expected dense layers, got layer 1"),
        (lambda: network().initialize("nguyen_widrow"), "init='nguyen_widrow': expected dense layers, got layer 1"),
        (lambda: fastmlp.prune(NET, X, T, penalty=PENALTY, what="units"), "what: expected dense layers, got layer 1"),
        (lambda: fastmlp.prune(NET, X, T, penalty=PENALTY, what="inputs"), "what: expected dense layers, got layer 1"),
        (lambda: fastmlp.saliencies(NET, X, T, what="inputs"), "what: expected dense layers, got layer 1"),
        (lambda: fastmlp.compact(NET), "net: expected dense layers, got layer 1"),
        (lambda: SAME.rescale_inputs(2.0, 1.0), "rescale_inputs: expected a first layer whose biases can take up"),
        (lambda: fastmlp.importances(NET, X, T), "net: expected dense layers, got layer 1"),
        (lambda: fastmlp.olden(NET), "net: expected dense layers, got layer 1"),
        (lambda: fastmlp.garson(NET), "net: expected dense layers, got layer 1"),
        (lambda: fastmlp.to_sklearn(NET), "net: expected dense layers, got layer 1"),
        (lambda: fastmlp.plot.diagram(NET), "net: expected dense layers, got layer 1"),
        (lambda: fastmlp.plot.hinton(NET), "layer: expected one with a matrix of weights"),
    ],
)
def test_what_rests_on_dense_layers_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_dense_networks_of_images_have_importances():
    net = fastmlp.Network([(2, 5, 4), 2, 1], rng=0)
    net.fit(X, T, "lm", penalty=PENALTY, max_iter=500)
    on_rows, on_images = (fastmlp.importances(net, each, T, penalty=PENALTY).saliency for each in (ROWS, X))
    assert np.array_equal(on_rows, on_images)
