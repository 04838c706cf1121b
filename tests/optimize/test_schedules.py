"""Learning rates that change with the epoch."""

import pickle

import numpy as np
import pytest

import fastmlp
from fastmlp import schedules


def test_their_values():
    assert [schedules.exponential_decay(1.0, 0.5)(e) for e in (0, 1, 3)] == [1.0, 0.5, 0.125]
    assert schedules.inverse_time_decay(0.3, 2.0)(1) == pytest.approx(0.1)
    cosine = schedules.cosine_decay(1.0, 10, final=0.2)
    assert [cosine(0), cosine(10), cosine(50)] == [1.0, 0.2, 0.2]
    assert cosine(5) == pytest.approx(0.6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.exponential_decay(0.0, 0.5),
        lambda: schedules.exponential_decay(0.1, 1.5),
        lambda: schedules.step_decay(0.1, 0.5, every=0),
        lambda: schedules.cosine_decay(0.1, 0),
        lambda: schedules.inverse_time_decay(0.1, -1.0),
    ],
)
def test_wrong_settings_are_refused(make):
    with pytest.raises(ValueError, match="expected"):
        make()


def test_the_epoch_is_passed_and_its_rate_used():
    net = fastmlp.Network([1, 1], rng=0)
    X, T, epochs = np.array([[1.0], [2.0]]), np.array([1.0, 0.0]), []

    def rate(epoch):
        epochs.append(epoch)
        return [0.1, 0.2][epoch]

    w = net.params
    for step in (0.1, 0.2):
        other = fastmlp.Network([1, 1])
        other.params = w
        w = w - step * other.loss_and_grad(X, T)[1] / 2
    net.fit(X, T, "sgd", batch_size=2, learning_rate=rate, max_iter=2)
    assert epochs == [0, 1]
    assert np.allclose(net.params, w, rtol=1e-14)


@pytest.mark.parametrize("rate", [-1.0, np.nan, "fast"])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises((TypeError, ValueError), match="learning_rate"):
        fastmlp.Network([1, 1]).fit([[1.0]], [1.0], "sgd", learning_rate=lambda epoch: rate)


def test_a_schedule_may_end_at_zero():
    net = fastmlp.Network([1, 1], rng=0)
    seen = []
    net.fit([[1.0]], [1.0], "adam", max_iter=5, learning_rate=schedules.cosine_decay(0.1, 3),
            callback=lambda state: seen.append(state.x))  # fmt: skip
    assert len(seen) == 5
    assert np.array_equal(seen[3], seen[4])


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (schedules.inverse_time_decay(0.3, 2.0), "inverse_time_decay(initial=0.3, decay=2.0)"),
        (schedules.step_decay(0.4, 0.5, every=10), "step_decay(initial=0.4, factor=0.5, every=10)"),
        (schedules.cosine_decay(0.2, 10), "cosine_decay(initial=0.2, n_epochs=10, final=0.0)"),
    ],
)
def test_they_print_as_they_are_written_and_can_be_pickled(rate, text):
    assert repr(rate) == text
    again = pickle.loads(pickle.dumps(rate))
    assert [again(epoch) for epoch in range(30)] == [rate(epoch) for epoch in range(30)]
