"""What the tests of bad arguments share: good arguments, and the form of a complaint about bad ones."""

import contextlib
import pickle
import re

import numpy as np
import pandas as pd
import pytest

from cases import network

NETS = {
    "squared_error": network([3, 4, 1]),
    "two outputs": network([3, 4, 2]),
    "binary_cross_entropy": network([3, 4, 1], output="logistic"),
    "cross_entropy": network([3, 4, 3], output="softmax"),
    "poisson": network([3, 4, 1], output="exp"),
    "float32": network([3, 4, 1], dtype="float32"),
}
NET = NETS["squared_error"]
X = np.random.default_rng(0).normal(size=(5, 3))
T = X[:, :1] * X[:, 1:2]
WEIGHT = np.array([0.0, 1.0, 2.0, 0.5, 1.0])
DERIVATIVES = ("jacobian", "input_hessian")
EVALUATIONS = ("loss", "loss_and_grad", "sample_losses", "trace", "hessian", "hessian_diagonal", "hessian_operator",
               "objective", "fit")  # fmt: skip


def lazy(module):
    """An array of another package, which lies outside of memory."""
    members = {
        "__module__": module,
        "__array__": lambda self, dtype=None, copy=None: pytest.fail("it was loaded"),
        "__reduce__": lambda self: (lazy, (module,)),
    }
    return type("Array", (), members)()


def snapshot(*inputs):
    """All that could be changed; of a frame the values, not pandas' caches."""
    inputs = [each.to_dict() if isinstance(each, pd.DataFrame) else each for each in inputs]
    return pickle.dumps((X, T, WEIGHT, inputs))


@contextlib.contextmanager
def complaint(error, argument, came, *inputs, net=NET):
    """Exactly this error, its message of the one form, nothing changed by the attempt."""
    before, params = snapshot(*inputs), net.params
    with pytest.raises(error, match=rf"^{re.escape(argument)}: .*expected .*{re.escape(came)}") as caught:
        yield
    assert caught.type is error
    assert snapshot(*inputs) == before
    assert np.array_equal(net.params, params)
