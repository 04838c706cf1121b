"""Paths from one quadratic model: evidence and criteria by its matrix, which is asked for once."""

import numpy as np
import pytest
from scipy.special import gammaln

import fastmlp
from cases import PAIRS, data, network
from fastmlp.pruning.reduced import Reduced

PENALTY = fastmlp.WeightDecay(0.2, 0.1)


def trained(output="identity", loss=None, layers=(3, 4, 2)):
    net = network(list(layers), "tanh", output, loss, scale=0.7)
    X, T = data(net, 60)
    net.fit(X, T, "lm", penalty=PENALTY, tol=1e-11)
    return net, X, T


@pytest.mark.parametrize("what", ["weights", "units", "inputs"])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_evidence_and_criteria_are_those_of_the_first_matrix(output, loss, what):
    net, X, T = trained(output, loss)
    path = fastmlp.prune(net, X, T, penalty=PENALTY, retrain=False, what=what, stop="nic")
    A, decay = net.objective(X, T, penalty=PENALTY).hess(net.params), PENALTY.diagonal(net._architecture)
    assert len(path.steps) > 2
    for step in path.steps:
        left = ~step.pruned
        sub, n = A[np.ix_(left, left)], step.n_params
        C = np.linalg.inv(sub)
        other = net.copy()
        other.params = step.params
        loss_now, beta = other.loss(X, T), 1.0
        log_likelihood = -loss_now
        if net.loss_name == "squared_error":
            gamma = n - decay[left] @ np.diagonal(C)
            beta = (120 - max(0.0, gamma)) / (2 * loss_now)
            log_likelihood = 60 * np.log(beta / (2 * np.pi)) - beta * loss_now
        elif net.loss_name == "poisson":  # ln t! too
            log_likelihood -= gammaln(T + 1).sum()
        prior = 0.5 * (np.log(beta * decay[left]).sum() - beta * decay @ step.params**2)
        evidence = log_likelihood + prior - 0.5 * np.linalg.slogdet(beta * sub)[1]
        assert step.log_evidence == pytest.approx(evidence, rel=1e-9)
        assert step.bic == pytest.approx(n * np.log(60) - 2 * log_likelihood, rel=1e-9)
        F = other.hessian(X, T, kind="empirical_fisher")[np.ix_(left, left)]
        assert step.nic == pytest.approx(2 * (beta * (F * C).sum() - log_likelihood), rel=1e-9)
        assert step.hessian == "exact"


def test_a_path_without_training_asks_for_one_matrix(monkeypatch):
    net, X, T = trained(layers=(3, 8, 1))
    asked = []
    matrix = Reduced.matrix
    monkeypatch.setattr(Reduced, "matrix", lambda self, v, kind: asked.append(kind) or matrix(self, v, kind))
    path = fastmlp.prune(net, X, T, penalty=PENALTY, retrain=False)
    assert len(path.steps) > 20
    assert asked == ["exact"]
