"""Training on samples that are changed anew in each epoch."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import fastmlp
from fastmlp.datasets import load_digits
from fastmlp.invariance import Elastic, RandomAffine, RandomShift

DIGITS = load_digits()
X, T = DIGITS.X[:400] / 16, DIGITS.T[:400]
CHANGE = RandomAffine(shift=0.5, rotation=10, scale=0.1, shear=0.1) + Elastic(4, 2)


def network(dtype="float64"):
    return fastmlp.Network([64, 12, 10], output="softmax", dtype=dtype, rng=0)


@pytest.mark.parametrize("method", ["sgd", "adam"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_each_epoch_is_one_on_changed_samples(method, standardize, shuffle):
    net, by_hand = network(), network()
    net.fit(X, T, method, augment=CHANGE, max_iter=3, batch_size=50, rng=3, standardize=standardize, shuffle=shuffle)
    generator, result, mean, sd = np.random.default_rng(3), None, 0.0, 1.0
    if standardize:
        mean, sd = X.mean(axis=0), np.where(np.ptp(X, axis=0) == 0, 1.0, X.std(axis=0))
    for _ in range(3):
        order = np.arange(len(X))
        if shuffle:
            generator.shuffle(order)
        changed = ((CHANGE(X, generator) - mean) / sd)[order]
        result = by_hand.fit(changed, T[order], method, max_iter=1, batch_size=50, shuffle=False, warm_start=result)
    raw = by_hand.rescale_inputs(sd, mean) if standardize else by_hand
    assert np.allclose(net.params, raw.params, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("method", ["sgd", "adam"])
@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"validation": 0.2}])
def test_k_and_k_epochs_are_2k(method, options):
    whole, halves = network(), network()
    expected = whole.fit(X, T, method, augment=CHANGE, max_iter=6, rng=1, **options)
    first = halves.fit(X, T, method, augment=CHANGE, max_iter=3, rng=1, **options)
    first = pickle.loads(pickle.dumps(first))
    halves.fit(X, T, method, augment=CHANGE, max_iter=3, rng=99, warm_start=first, **options)
    assert (halves.params == whole.params).all()
    assert expected.nit == 6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_of_threads_changes_no_bit(dtype):
    found = []
    for n in ("1", "2", "5"):
        script = (
            "import numpy as np, fastmlp; from fastmlp.datasets import load_digits\n"
            "from fastmlp.invariance import *\nd = load_digits()\n"
            f"net = fastmlp.Network([64, 12, 10], output='softmax', dtype='{dtype}', rng=0)\n"
            "net.fit(d.X, d.T, 'adam', augment=RandomShift(1) + Elastic(4, 2), max_iter=2, batch_size=512, rng=0)\n"
            "print(net.params.tobytes().hex())"
        )
        environment = {**os.environ, "FASTMLP_NUM_THREADS": n, "FASTMLP_CROWD": "ignore"}
        found.append(subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True))
    assert found[0].stdout == found[1].stdout == found[2].stdout


def test_seeds_decide():
    def trained(seed):
        net = network()
        net.fit(X, T, "adam", augment=RandomShift(1), max_iter=2, rng=seed)
        return net.params

    assert (trained(0) == trained(0)).all()
    assert (trained(0) != trained(1)).any()


def test_what_is_told_is_of_the_samples_as_they_are():
    net, start = network(), network()
    result = net.fit(X, T, "adam", augment=CHANGE, max_iter=30, rng=0)
    assert result.history["loss"][0] == start.loss(X, T)
    assert result.fun == pytest.approx(net.loss(X, T), rel=1e-12)
    assert result.success


def test_auto_is_adam():
    assert network().fit(X, T, augment=RandomShift(1), max_iter=1, rng=0).method == "adam"


@pytest.mark.parametrize("method", ["lm", "lbfgs", "rprop", "scg", "newton-cg", "cg"])
def test_other_methods_name_augmented(method):
    with pytest.raises(ValueError, match=rf"augment: expected with sgd or adam only.*{method}.*augmented makes copies"):
        network().fit(X, T, method, augment=CHANGE)


def test_directions_of_single_samples_are_refused_and_those_of_all_follow_the_changes():
    tau = np.random.default_rng(0).normal(size=(2, 64))
    term = fastmlp.TangentPropagation(tau, 0.3)

    def shifted(X, rng):
        return X[::-1] + 0.1

    net, by_hand = network(), network()
    net.fit(X, T, "adam", augment=shifted, penalty=term, max_iter=1, shuffle=False)
    by_hand.fit(shifted(X, None), T, "adam", penalty=term, max_iter=1, shuffle=False)
    assert (net.params == by_hand.params).all()
    of_samples = fastmlp.TangentPropagation(fastmlp.invariance.tangents(X, (8, 8)), 0.1)
    with pytest.raises(ValueError, match="augment: expected without directions or derivatives of single samples"):
        net.fit(X, T, "adam", augment=CHANGE, penalty=of_samples)
    with pytest.raises(ValueError, match="augment: expected without"):
        net.fit(X, T, "adam", augment=CHANGE, derivatives=("inputs", np.zeros((len(X), 10, 64))))


def test_a_users_own_change_keeps_its_errstate_and_the_network_whole():
    net = network()
    before = net.params

    def change(X, rng):
        return X + np.float64(1e308) * 10 * 0

    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        net.fit(X, T, "adam", augment=change, max_iter=1)
    assert (net.params == before).all()


@pytest.mark.parametrize("made", [
    None, "changed", [[1.0]], np.ones((400, 64), complex), np.full((400, 64), "x"), np.ones((400, 64, 1)),
    np.ma.masked_array(np.ones((400, 64))), np.full((400, 64), np.inf), 1e300 * np.ones((400, 64)),
])  # fmt: skip
def test_what_is_not_like_the_samples_is_refused(made):
    net = network("float32")
    before = net.params
    with pytest.raises((ValueError, TypeError), match=r"^augment: expected"):
        net.fit(X, T, "adam", augment=lambda X, rng: made, max_iter=1)
    assert (net.params == before).all()


def test_samples_in_other_types_and_orders_serve():
    net, other = network(), network()
    net.fit(X, T, "adam", augment=lambda X, rng: (4 * X).astype(int).tolist(), max_iter=1, rng=0)
    other.fit(X, T, "adam", augment=lambda X, rng: np.asfortranarray((4 * X).astype(int), float), max_iter=1, rng=0)
    assert (net.params == other.params).all()


def test_inputs_that_only_changes_move_are_learnt():
    """A border that is always 0, in standardised units, where constants have no say."""
    rng = np.random.default_rng(0)
    inner = rng.uniform(size=(200, 1))
    X = np.hstack([np.zeros((200, 1)), inner])

    def swapped(X, rng):
        return X[:, ::-1] if rng.integers(2) else X

    net = fastmlp.Network([2, 1], rng=0)
    net.fit(X, inner[:, 0], "adam", augment=swapped, standardize=True, learning_rate=0.05, max_iter=300, rng=0)
    W = net.weights[0][0]
    assert abs(W[0]) > 0.3
    assert np.abs(net(X[:, ::-1]) - net(X)).max() < 0.4


def test_estimators_take_it():
    from sklearn.base import clone

    settings = {"hidden_layer_sizes": 12, "solver": "adam", "max_iter": 4, "random_state": 0, "tol": 0.0}
    model = fastmlp.MLPClassifier(augment=CHANGE, n_iter_no_change=100, **settings)
    plain = fastmlp.MLPClassifier(n_iter_no_change=100, **settings)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (clone(model).fit(X, T).network_.params == model.fit(X, T).network_.params).all()
        assert (plain.fit(X, T).network_.params != model.network_.params).any()
        model.partial_fit(X, T)
        assert pickle.loads(pickle.dumps(model)).augment == CHANGE
    with pytest.raises(ValueError, match="augment: expected with sgd or adam only, got it with lm"):
        fastmlp.MLPClassifier(solver="lm", augment=CHANGE).fit(X, T)
    with pytest.raises(TypeError, match="augment: expected a callable"):
        fastmlp.MLPRegressor(augment=1).fit(X, T)


def test_augmentation_pays_on_few_samples():
    mixed = np.random.default_rng(0).permutation(len(DIGITS.X))
    images, digits = DIGITS.X[mixed] / 16, DIGITS.T[mixed]
    change = RandomAffine(shift=0.3, rotation=8, scale=0.05, shear=0.1)

    def errors(augment):
        wrong = []
        for seed in range(3):
            net = fastmlp.Network([64, 30, 10], output="softmax", dtype="float32", rng=seed)
            rate = fastmlp.schedules.cosine_decay(0.01, 400)
            net.fit(images[:100], digits[:100], "adam", penalty=fastmlp.WeightDecay(0.05), augment=augment,
                    max_iter=400, learning_rate=rate, rng=seed)  # fmt: skip
            wrong.append((net(images[800:]).argmax(axis=1) != digits[800:]).mean())
        return np.mean(wrong)

    assert errors(change) < errors(None) - 0.004
