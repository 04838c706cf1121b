"""What the tests of scales have in common: data, the share that a fit explains, the warnings of scale that it gives."""

import warnings

import numpy as np

from fastmlp.errors import ScaleWarning


def nearly_linear(seed):
    """Inputs and targets of which a straight line explains 88 %."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 3))
    return X, 2.5 + 0.8 * np.tanh(X[:, 0] + 0.5 * X[:, 1]) + 0.3 * X[:, 2] + 0.1 * rng.normal(size=200)


def explained(net, inputs, targets):
    return 1 - np.sum((net(inputs)[:, 0] - targets) ** 2) / np.sum((targets - targets.mean()) ** 2)


def caught(net, *arguments, **options):
    """The result of a fit and the texts of its warnings."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        res = net.fit(*arguments, **options)
    found = [each for each in found if each.category is ScaleWarning]
    assert len(found) <= 1
    return res, [str(each.message) for each in found]
