"""Which samples are held back: against the definition, written out with sets and a loop over the classes."""

import tracemalloc

import numpy as np
import pytest

import fastmlp
from cases import network
from fastmlp.model.functional import check_samples
from fastmlp.optimize import holdout

SIZES = (10, 97, 3000)
FRACTIONS = (0.05, 0.1, 0.2, 0.29, 0.5, 0.7)


def drawn(classes, n_samples, fraction, rng):
    """The largest remainders decide about the shares of the classes; the first ones of a permutation are held back."""
    if classes is None:
        return np.sort(rng.choice(n_samples, round(fraction * n_samples), replace=False, shuffle=False))
    order = rng.permutation(n_samples)
    labels, sizes = np.unique(classes, return_counts=True)
    shares = fraction * sizes
    counts = np.floor(shares).astype(int)
    largest = np.argsort(counts - shares, kind="stable")
    counts[largest[: round(fraction * n_samples) - counts.sum()]] += 1
    return np.sort(np.concatenate([order[classes[order] == c][:n] for c, n in zip(labels, counts, strict=True)]))


def problem(kind, n_samples):
    """A network's description, samples, and the classes by which they are dealt."""
    rng = np.random.default_rng(n_samples)
    X, n_classes = rng.normal(size=(n_samples, 2)), 300 if kind == "300 classes" else 5
    labels = rng.integers(300, size=n_samples) if n_classes == 300 else np.minimum(rng.geometric(0.4, n_samples), 5) - 1
    softmax, logistic = network([2, n_classes], output="softmax"), {"output": "logistic"}
    net, T, classes = {
        "numbers": (network([2, 1]), rng.normal(size=n_samples), None),
        "labels": (softmax, labels, labels),
        "300 classes": (softmax, labels, labels),
        "one-hot": (softmax, np.eye(n_classes)[labels], labels),
        "0 and 1": (network([2, 1], **logistic), (labels > 0).astype(float), labels > 0),
        "several outputs": (network([2, 2], **logistic), rng.integers(2, size=(n_samples, 2)), None),
    }[kind]
    return net._architecture, check_samples(net._architecture, X, T), classes


KINDS = ("numbers", "labels", "300 classes", "one-hot", "0 and 1", "several outputs")


@pytest.mark.parametrize("n_samples", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fraction_is_drawn_in_each_class_if_there_are_classes(kind, n_samples):
    architecture, samples, classes = problem(kind, n_samples)
    for seed, fraction in enumerate(FRACTIONS):
        expected = drawn(classes, n_samples, fraction, np.random.default_rng(seed))
        if not len(expected):
            continue
        kept, held_out, held_back = holdout.split(architecture, samples, fraction, np.random.default_rng(seed))
        assert np.array_equal(held_back, expected)
        assert np.array_equal(held_out.X, samples.X[expected])
        assert np.array_equal(kept.X, samples.X[np.setdiff1d(np.arange(n_samples), expected)])
        again = holdout.split(architecture, samples, fraction, None, held_back)
        assert np.array_equal(again[0].X, kept.X)


@pytest.mark.parametrize("kind", KINDS)
def test_folds_are_dealt_from_a_permutation_sorted_by_class(kind):
    architecture, samples, classes = problem(kind, 97)
    order = np.random.default_rng(3).permutation(97)
    if classes is not None:
        order = np.array(sorted(order, key=lambda n: classes[n]))
    for fold, index in enumerate(holdout.folds(architecture, samples, 4, np.random.default_rng(3))):
        assert np.array_equal(index, np.sort(order[fold::4]))


def test_the_draw_of_a_seed_is_what_it_was():
    """Seeds keep their splits from version to version."""
    architecture, samples, _ = problem("labels", 97)
    held_back = holdout.split(architecture, samples, 0.1, np.random.default_rng(0))[2]
    assert held_back.tolist() == [5, 10, 11, 13, 16, 20, 23, 27, 36, 96]
    architecture, samples, _ = problem("numbers", 97)
    held_back = holdout.split(architecture, samples, 0.1, np.random.default_rng(0))[2]
    assert held_back.tolist() == [1, 3, 7, 16, 24, 28, 46, 56, 74, 78]


def test_rows_keep_targets_and_weights_together(dtype):
    net = network([2, 1], dtype=dtype)
    numbers = np.arange(20.0)
    samples = check_samples(net._architecture, np.column_stack([numbers, -numbers]), numbers, numbers + 1)
    index = np.array([3, 17, 4])
    some = samples.rows(index)
    assert np.array_equal(some.X, np.column_stack([index, -index]))
    assert np.array_equal(some.targets.values[:, 0], index)
    assert np.array_equal(some.weight, index + 1)
    assert some.X.dtype == some.weight.dtype == dtype


def test_a_fraction_of_many_samples_costs_their_copy_and_indices():
    X = np.zeros((400_000, 20), np.float32)
    net = fastmlp.Network([20, 1], dtype="float32", rng=0)
    samples = check_samples(net._architecture, X, X[:, 0])
    tracemalloc.start()
    holdout.split(net._architecture, samples, 0.2, np.random.default_rng(0))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < X.nbytes + X.nbytes / 20 + 3 * 8 * len(X)
