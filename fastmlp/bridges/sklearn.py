"""scikit-learn's multi-layer perceptrons as networks, and networks as scikit-learn's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import _optional, _sets
from fastmlp import _validation as check
from fastmlp.bridges.assembly import assembled, sizes
from fastmlp.network.network import Network, check_network

if TYPE_CHECKING:  # need not be installed
    from sklearn.neural_network import MLPClassifier, MLPRegressor

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


def from_sklearn(estimator: Any) -> Network:
    """The network of a fitted MLPRegressor or MLPClassifier, of scikit-learn's or of this library's.

    Parameters
    ----------
    estimator : MLPRegressor or MLPClassifier

    Returns
    -------
    Network
        With the same weights, to the last bit, and the loss that belongs to the outputs. What a classifier's outputs
        are called, ``estimator.classes_``, the network does not know: its targets are their numbers 0, 1, ...

    Raises
    ------
    ImportError
        If scikit-learn is not installed.
    TypeError
        If it is something else.
    sklearn.exceptions.NotFittedError
        If it has not been fitted.

    Examples
    --------
    >>> import fastmlp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((5,), "tanh", solver="lbfgs", alpha=1.0, max_iter=2000, random_state=0).fit(X, y)
    >>> net = fastmlp.from_sklearn(model)
    >>> bool(abs(net(X) - model.predict_proba(X)).max() < 1e-14)
    True
    >>> net.jacobian(X).shape  # what scikit-learn does not have
    (150, 3, 4)
    """
    neural = _optional.load("sklearn.neural_network", "sklearn", "fastmlp.from_sklearn")
    validation = _optional.load("sklearn.utils.validation", "sklearn", "fastmlp.from_sklearn")
    if isinstance(getattr(estimator, "network_", None), Network):
        return estimator.network_.copy()  # type: ignore[no-any-return]
    if not isinstance(estimator, (neural.MLPRegressor, neural.MLPClassifier)):
        raise TypeError(f"estimator: expected an MLPRegressor or MLPClassifier, got {type(estimator).__name__}")
    validation.check_is_fitted(estimator)
    weights = [W.T for W in estimator.coefs_]
    hidden = [estimator.activation] * (len(weights) - 1)
    return assembled(
        sizes(weights), weights, estimator.intercepts_, hidden, estimator.out_activation_, None, argument="estimator"
    )


def to_sklearn(net: Network, classes: Any = None) -> MLPRegressor | MLPClassifier:
    """A fitted estimator of scikit-learn's with the network's weights.

    Parameters
    ----------
    net : Network
        One activation in all hidden layers: identity, logistic, tanh or relu. Outputs with their canonical loss.
    classes : array-like of shape (n_classes,), optional
        What the classes are called, in the order of the outputs, in which they have to be sorted; by default what the
        network calls them, else 0, 1, ... A single logistic output has two.

    Returns
    -------
    sklearn.neural_network.MLPRegressor
        For identity and, with scikit-learn 1.7, exp outputs.
    sklearn.neural_network.MLPClassifier
        For logistic and softmax outputs. Several logistic ones are labels of which a sample may have many; two classes
        have one logistic output there, so that two of softmax are refused.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.
    TypeError, ValueError
        If scikit-learn has no counterpart of the network, or `classes` do not fit.

    Notes
    -----
    The weights are the same to the last bit, outputs to rounding. Solver and penalty are scikit-learn's defaults:
    set_params changes them, ``warm_start=True`` goes on from the weights.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([4, 5, 3], output="softmax", rng=0)
    >>> model = fastmlp.to_sklearn(net, classes=["setosa", "versicolor", "virginica"])
    >>> model.predict([[5.1, 3.5, 1.4, 0.2]]).shape, fastmlp.from_sklearn(model) == net
    ((1,), True)
    """
    neural = _optional.load("sklearn.neural_network", "sklearn", "fastmlp.to_sklearn")
    loss, names = check_network(net)._architecture.loss, set(net.hidden)
    net._architecture.check_dense("net")
    if loss.is_of_classes and net.layers[-1] < 3 and not net._architecture.output.is_elementwise:
        raise ValueError(
            f"net: expected one logistic output for two classes, as scikit-learn has, got {net.layers[-1]} of softmax"
        )
    if len(names) > 1 or not names <= set(ACTIVATIONS):
        raise ValueError(f"net: expected hidden layers of one of {', '.join(ACTIVATIONS)}, got {', '.join(net.hidden)}")
    arguments = {"hidden_layer_sizes": net.layers[1:-1], "activation": next(iter(names), "relu"), "random_state": 0}
    if loss.is_of_classes:
        y, labels = _all_classes(net, net.class_names if classes is None else classes)
        model = neural.MLPClassifier(**arguments)
        model.partial_fit(_one_of_each(net, y), y, classes=labels)
    elif loss.is_of_counts or net._architecture.output.is_linear:
        if classes is not None:
            raise ValueError(f"classes: expected None for {loss}, got {check.shown(classes)}")
        y = np.zeros((1, net.layers[-1]) if net.layers[-1] > 1 else 1)
        model = neural.MLPRegressor(**arguments, **({"loss": loss.name} if loss.is_of_counts else {}))
        model.partial_fit(_one_of_each(net, y), y)
    else:
        raise ValueError(
            "net: expected outputs with their canonical loss (identity, logistic, softmax, exp), "
            f"got {net.output} with {loss}"
        )
    model.coefs_ = [np.ascontiguousarray(W.T) for W in net.weights]
    model.intercepts_ = [b.copy() for b in net.biases]
    if net.input_names is not None:
        model.feature_names_in_ = np.array(net.input_names, dtype=object)
    vars(model).pop("_optimizer", None)  # adam's moments of the epoch above
    model.t_, model.n_iter_, model.loss_curve_, model.best_loss_ = 0, 0, [], np.inf
    return model.set_params(random_state=None)


def _one_of_each(net: Network, y: Any) -> Any:
    """Inputs for one epoch, by which scikit-learn sets up all its attributes; its result is thrown away."""
    return np.zeros((len(y), net.layers[0]), net.dtype)


def _all_classes(net: Network, classes: Any) -> tuple[Any, Any]:
    """Targets in which every class appears, and the classes."""
    n_outputs = net.layers[-1]
    several_labels = n_outputs > 1 and net._architecture.output.is_elementwise
    n_classes = max(n_outputs, 2)
    labels = np.arange(n_classes) if classes is None else np.asarray(classes)
    if labels.shape != (n_classes,) or not np.array_equal(_sets.unique(labels), labels):
        raise ValueError(f"classes: expected {n_classes} different ones in sorted order, got {check.shown(classes)}")
    if several_labels and classes is not None:
        raise ValueError(f"classes: expected None for several labels a sample, got {check.shown(classes)}")
    return (np.eye(n_outputs, dtype=int) if several_labels else labels), labels
