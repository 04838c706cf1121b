"""`MLPClassifier`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from fastmlp import _validation as check
from fastmlp._hints import hinting
from fastmlp._types import Array, ArrayLike, Augment, Seed
from fastmlp.estimators import given
from fastmlp.estimators.arguments import documented, of_network
from fastmlp.estimators.base import BaseMLP
from fastmlp.network.network import Network, check_network


@documented
class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Classification by a multi-layer perceptron, with the arguments of scikit-learn's.

    Minimises the mean over samples (by weight) of the cross-entropy in nats, plus alpha/(2 n_samples) |W|^2 (biases
    excluded), with every solver. Two classes have one logistic output, more have softmax; several labels a sample, in
    an indicator matrix, have a logistic output each.

    Parameters
    ----------
    {parameters}
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights by class; "balanced": n_samples / (n_classes * samples of the class).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    {attributes}

    Raises
    ------
    TypeError, ValueError
        By `fit`, if an argument is wrong; the message names it.

    Examples
    --------
    >>> import fastmlp
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = fastmlp.MLPClassifier(hidden_layer_sizes=3, activation="tanh", solver="lm", alpha=0.1, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.97
    True
    >>> model.predict_proba(X).shape
    (150, 3)
    """

    @hinting
    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str = "adam",
        alpha: float | str = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Seed = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool | str = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        standardize: bool | None = None,
        n_init: int = 1,
        augment: Augment | None = None,
        layers: Sequence[Any] | None = None,
        class_weight: Any = None,
    ) -> None:
        self._store(locals())

    @classmethod
    def from_network(cls, net: Network, classes: Any = None, **arguments: Any) -> Self:
        """An estimator that is fitted: with this network.

        Parameters
        ----------
        net : Network
            With a dense last layer; logistic or softmax outputs, and the cross-entropy.
            A copy is taken, with its units and with the mask of what has been pruned.
        classes : array-like of shape (n_classes,), optional
            What the classes are called, in the order of the outputs, in which they have to be sorted; by default what
            the network calls them, else 0, 1, ... A single logistic output has two; several are labels of which a
            sample may have many, which have no other names.
        **arguments
            Of the constructor; sizes and activations of the hidden layers are the network's.

        Returns
        -------
        MLPClassifier
            `partial_fit` and ``warm_start=True`` go on from the network, and leave deleted what is; `fit` without the
            latter starts anew, as that of a clone. There is no `loss_` yet: it is nan, and its curve is empty.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, contradicts the network, or the network is none of a classification.

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([4, 5, 3], output="softmax", rng=0)
        >>> model = fastmlp.MLPClassifier.from_network(net, ["setosa", "versicolor", "virginica"])
        >>> model.predict([[5.1, 3.5, 1.4, 0.2]]).tolist()
        ['versicolor']
        """
        loss, output = check_network(net)._architecture.loss, net._architecture.output
        if not loss.is_of_classes:
            raise ValueError(
                f"net: expected outputs logistic or softmax with the cross-entropy, got {net.output} with {loss}"
            )
        classes = net.class_names if classes is None else classes
        model = cls(**of_network(net, arguments))
        n_outputs = net.layers[-1]
        model._multilabel = n_outputs > 1 and output.is_elementwise
        n_classes = max(n_outputs, 2) if output.is_elementwise else n_outputs
        try:
            labels = np.arange(n_classes) if classes is None else np.asarray(classes)
        except (TypeError, ValueError) as error:
            raise TypeError(f"classes: expected an array of {n_classes} labels, got none ({error})") from error
        if labels.shape != (n_classes,) or not np.array_equal(np.unique(labels), labels):
            raise ValueError(
                f"classes: expected {n_classes} different ones in sorted order, got {check.shown(classes)}"
            )
        if model._multilabel and classes is not None:
            raise ValueError(f"classes: expected None for several labels a sample, got {check.shown(classes)}")
        model.classes_ = labels
        return model._take_over(net.copy())

    @available_if(lambda self: self._is_stochastic())  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, classes: Any = None
    ) -> Self:
        """Go on for one epoch, on these samples, from where the last call or `fit` has ended.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like, optional
            All classes there are to be; needed in the first call, unless there are several labels a sample.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            As `fit`; also with early stopping, and if `classes` are missing, or others than before.
        """
        known = getattr(self, "classes_", None)
        if classes is None and known is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None and known is not None and not np.array_equal(known, unique_labels(classes)):
            raise ValueError(f"classes: expected {known} as before, got {classes}")
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight: expected a dict or None for partial_fit, got {check.shown(self.class_weight)}"
            )
        return self._partial_fit(given.Data(X, y, sample_weight), classes)

    def predict(self, X: ArrayLike) -> Array:
        """The most probable class of each sample; with several labels, those that are more probable than not.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        chosen = self._choose(self._predict_outputs(X))
        if self._multilabel:
            return chosen.astype(int)
        return self.classes_[np.minimum(chosen, len(self.classes_) - 1)]

    def predict_proba(self, X: ArrayLike) -> Array:
        """Probabilities of the classes, or of each label.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        Y = self._predict_outputs(X)
        if Y.shape[1] > 1 or self._multilabel:
            return Y
        return np.hstack([1 - Y, Y]) if len(self.classes_) > 1 else np.ones_like(Y)

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Logarithms of the probabilities, finite also where these vanish.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        P = self.predict_proba(X)
        vanished = np.finfo(P.dtype).tiny > P
        if not vanished.any():
            return np.log(P)
        Z = self._predict_outputs(X, logits=True)
        if not self.network_._architecture.output.is_elementwise:
            exact = log_softmax(Z, axis=1)
        else:
            exact = log_expit(Z if self._multilabel else np.hstack([-Z, Z]))
        return np.log(P, where=~vanished, out=exact)

    def decision_function(self, X: ArrayLike) -> Array:
        """The logits z: log probabilities but for a constant; with two classes, the log odds of the second.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), (n_samples,) with two classes
        """
        Z = self._predict_outputs(X, logits=True)
        if len(self.classes_) == 2 and not self._multilabel:
            return Z[:, 0] if Z.shape[1] == 1 else Z[:, 1] - Z[:, 0]
        return Z

    def _choose(self, Y: Array) -> Array:
        if self._multilabel:
            return Y > 0.5
        return Y.argmax(axis=1) if Y.shape[1] > 1 else (Y[:, 0] > 0.5).astype(int)

    def _outputs(self, y: Array, classes: Any) -> tuple[int, str]:
        if y.ndim == 1 and y.dtype.kind in "biu" and classes is None:
            self.classes_ = np.unique(y)
            if 2 * len(self.classes_) <= len(y):  # what scikit-learn would find out too, but in fifty times the time
                self._multilabel = False
                return self._one_label_outputs()
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError("y: expected labels or an indicator matrix of 0 and 1, got several labels a sample")
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            check_classification_targets(y)
        self._multilabel = kind == "multilabel-indicator"
        if self._multilabel:
            self.classes_ = np.arange(y.shape[1])
            return y.shape[1], "logistic"
        self.classes_ = unique_labels(y if classes is None else classes)  # names of type object or pandas' are str too
        return self._one_label_outputs()

    def _one_label_outputs(self) -> tuple[int, str]:
        return (len(self.classes_), "softmax") if len(self.classes_) > 2 else (1, "logistic")

    def _check_outputs(self, y: Array) -> None:
        present = unique_labels(y)
        if set(present) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {present}"
            )

    def _encode(self, y: Any) -> Array:
        if self._multilabel:
            y = y.toarray() if hasattr(y, "toarray") else y
            return y.astype(float)  # type: ignore[no-any-return]
        y = y if y.ndim == 1 else column_or_1d(y, warn=True)
        if y.dtype.kind in "iu" and self.classes_.dtype.kind in "iu":
            places = np.searchsorted(self.classes_, y)  # a third of the time of all that follows
            if np.array_equal(np.take(self.classes_, places, mode="clip"), y):
                return np.asarray(places)
        present, index = np.unique(y, return_inverse=True)
        if np.array_equal(present, self.classes_):
            return index
        if not set(present) <= set(self.classes_):
            raise ValueError(f"`y` has classes not in `self.classes_`: {self.classes_} against {present}")
        return np.searchsorted(self.classes_, y)  # type: ignore[no-any-return]

    def _classes_of(self, T: Array) -> Array | None:
        return None if self._multilabel else self.classes_[T]

    def _class_factors(self, y: Array) -> Array | None:
        return None if self.class_weight is None else compute_sample_weight(self.class_weight, y)

    def _score(self, Y: Array, T: Array, weight: Array | None) -> float:
        right = self._choose(Y) == T
        return float(np.average(right.all(axis=1) if self._multilabel else right, weights=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
