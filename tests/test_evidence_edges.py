"""Where the evidence rises up to an edge beyond which the network's optimum ceases to exist, and what lies across."""

import numpy as np
import pytest

import fastmlp
from fastmlp.bayes import ascent
from posterior_cases import seam


def sine(w, noise, seed):
    """70 samples of sin(w x) with noise, in standardised units."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (70, 1))
    t = np.sin(w * x) + noise * rng.normal(size=x.shape)
    return (x - x.mean()) / x.std(), (t - t.mean()) / t.std()


def fitted(data, seed, **options):
    return fastmlp.fit_evidence(fastmlp.Network([1, 5, 1], rng=seed), *data, n_threads=1, **options)


METHODS = ("maximum", "fixed_point")
ACROSS = [(3, 0.1, 15), (4, 0.3, 12), (4, 0.3, 13)]


@pytest.mark.parametrize("data", ACROSS)
def test_the_search_for_a_maximum_comes_as_high_as_plain_re_estimation(data):
    """Which goes across edges: up to 7 nats lay beyond those at which all starts ended."""
    data = sine(*data)
    found, plain = ([fitted(data, seed, method=method).log_evidence for seed in range(6)] for method in METHODS)
    assert max(found) > max(plain) - 0.1
    assert sum(one > other - 0.1 for one, other in zip(found, plain, strict=True)) >= 4


@pytest.mark.parametrize("data", ACROSS)
def test_what_lies_across_an_edge_is_not_worse_than_it(monkeypatch, data):
    data = sine(*data)
    found = [fitted(data, seed) for seed in range(3)]
    monkeypatch.setattr(ascent, "CROSSING", 0)
    before = [fitted(data, seed) for seed in range(3)]
    gains = [one.log_evidence - other.log_evidence for one, other in zip(found, before, strict=True)]
    assert min(gains) == 0 or min(gains) > ascent.WORTH - 0.1
    assert max(gains) > 2
    assert all(other.stationary == "edge" for other, gain in zip(before, gains, strict=True) if gain)
    for posterior in found:
        assert posterior.log_evidence == posterior.history["log_evidence"][-1]
        assert posterior.log_evidence > posterior.history["log_evidence"][seam(posterior.history) :].max() - 1e-4
        assert posterior.log_evidence > posterior.history["log_evidence"].max() - 0.1  # of samples on a grid


def test_re_estimations_across_an_edge_are_counted_shown_and_ended_like_others():
    data, steps = sine(*ACROSS[0]), []
    fitted(data, 1, callback=lambda state: steps.append((state.nit, state.log_evidence, state.prior_precision)))
    numbers, evidences, precisions = zip(*steps, strict=True)
    assert numbers == tuple(range(len(numbers)))
    across = next(n for n, each in enumerate(evidences) if each > max(evidences[:n], default=each) + 3 and n > 10)
    ended = fitted(data, 1, max_iter=across - 4)  # between
    assert ended.stationary == "edge"
    best = int(np.argmax(evidences[: across - 3]))
    assert list(ended.group_precisions.values()) == precisions[best].tolist()
    assert abs(ended.log_evidence - evidences[best]) < 0.1  # of samples on a grid
    stopped = fitted(data, 1, callback=lambda state: state.nit == across - 4)
    assert stopped.stationary == ""
    assert abs(stopped.log_evidence - ended.log_evidence) < 1e-6  # an end is trained as far as rounding allows
    with pytest.warns(fastmlp.ConvergenceWarning, match="max_iter=5"):
        assert not fitted(data, 1, max_iter=5).converged
