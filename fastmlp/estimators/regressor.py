"""`MLPRegressor`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Self, overload

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from fastmlp import _validation as check
from fastmlp._hints import hinting
from fastmlp._types import Array, ArrayLike, Augment, Seed
from fastmlp.estimators import given
from fastmlp.estimators.arguments import documented, of_network
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.deviations import Deviations
from fastmlp.estimators.mean_objective import Samples
from fastmlp.model.losses import Loss
from fastmlp.network.network import Network, check_network

OUTPUTS = {"squared_error": "identity", "poisson": "exp"}
COUNTS = tuple(name for name in OUTPUTS if Loss(name).is_of_counts)


@documented
class MLPRegressor(RegressorMixin, Deviations, BaseMLP):  # type: ignore[misc]
    """Regression by a multi-layer perceptron, with the arguments of scikit-learn's.

    Minimises the mean over samples (by weight) and outputs of half the squared error, or the mean of half the Poisson
    deviance, plus alpha/(2 n_samples) |W|^2 (biases excluded), with every solver.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}, default="squared_error"
        poisson: for counts, with outputs exp(z).
    {parameters}
    absolute_sigma : bool, default=False
        Whether the `sigma` of a fit is right as it is, or up to one factor that deviations and alpha="evidence"
        estimate, as with `fastmlp.Laplace`.
    missing : {"raise", "ignore"}, default="raise"
        What nan in y means, for squared error: an error, or a target that there is none of, which has no weight in
        fits, validation sets, deviations and `score`. The mean objective is over all n_samples * n_outputs.

    Attributes
    ----------
    {attributes}

    Raises
    ------
    TypeError, ValueError
        By `fit`, if an argument is wrong; the message names it.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.linspace(-3, 3, 200)[:, None]
    >>> model = fastmlp.MLPRegressor(hidden_layer_sizes=5, activation="tanh", solver="lm", random_state=0)
    >>> model.fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.999
    True
    """

    @hinting
    def __init__(
        self,
        loss: str = "squared_error",
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
        absolute_sigma: bool = False,
        missing: str = "raise",
    ) -> None:
        self._store(locals())

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        *,
        sigma: ArrayLike | None = None,
    ) -> Self:
        """Train on (X, y).

        Parameters
        ----------
        X, y, sample_weight, X_val, y_val
            As for `MLPClassifier.fit`; y of shape (n_samples,) or (n_samples, n_outputs).
        sigma : array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            Standard deviations of the measurement errors of y, in its units, for squared error, which then is in units
            of sigma: so is `alpha`, and so are the losses. Samples that are held back for early stopping keep theirs,
            and are scored with the weights 1/sigma^2; a set that is given has none.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or the weights come out not finite.
        MemoryError
            If a sparse X does not fit into memory as a dense array.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` or `max_fun` was reached.

        Examples
        --------
        >>> import numpy as np, fastmlp
        >>> X, sigma = np.linspace(-1, 1, 50)[:, None], np.linspace(0.01, 0.5, 50)
        >>> y = 2 * X[:, 0] + sigma * np.random.default_rng(0).normal(size=50)
        >>> model = fastmlp.MLPRegressor(hidden_layer_sizes=(), solver="lm", alpha=0.0, absolute_sigma=True)
        >>> model = model.fit(X, y, sigma=sigma)
        >>> mean, std = model.predict([[-0.5], [0.5]], return_std=True)   # of the line alone
        >>> (abs(mean - [-1, 1]) < 2 * std).tolist(), std.round(3).tolist()
        ([True, True], [0.019, 0.058])
        """
        return self._fit_whole(given.Data(X, y, sample_weight, X_val, y_val, self._errors(sigma)))

    @classmethod
    def from_network(cls, net: Network, **arguments: Any) -> Self:
        """An estimator that is fitted: with this network.

        Parameters
        ----------
        net : Network
            With a dense last layer; identity outputs with squared error, or exp with Poisson's loss.
            A copy is taken, with its units and with the mask of what has been pruned.
        **arguments
            Of the constructor; sizes and activations of the hidden layers, and the loss, are the network's.

        Returns
        -------
        MLPRegressor
            `partial_fit` and ``warm_start=True`` go on from the network, and leave deleted what is; `fit` without the
            latter starts anew, as that of a clone. There is no `loss_` yet: it is nan, and its curve is empty.

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, contradicts the network, or the network is none of a regression.

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([2, 3, 1], rng=0)
        >>> model = fastmlp.MLPRegressor.from_network(net, solver="lm", warm_start=True)
        >>> bool((model.predict([[0.0, 1.0]]) == net([[0.0, 1.0]])[:, 0]).all())
        True
        """
        check_network(net)
        if OUTPUTS.get(net.loss_name) != net.output:
            expected = " or ".join(f"{output} with {loss}" for loss, output in OUTPUTS.items())
            raise ValueError(f"net: expected outputs {expected}, got {net.output} with {net.loss_name}")
        loss = arguments.setdefault("loss", net.loss_name)
        if loss != net.loss_name:
            raise ValueError(f"loss: expected {net.loss_name}, as of net, got {check.shown(loss)}")
        return cls(**of_network(net, arguments))._take_over(net.copy())

    @available_if(lambda self: self._is_stochastic())  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, *, sigma: ArrayLike | None = None
    ) -> Self:
        """Go on for one epoch, on these samples, from where the last call or `fit` has ended.

        Parameters
        ----------
        X, y, sample_weight, sigma
            As for `fit`.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            As `fit`; also with early stopping.
        """
        return self._partial_fit(given.Data(X, y, sample_weight, sigma=self._errors(sigma)))

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False, *, noise_std: None = None) -> Array: ...
    @overload
    def predict(
        self, X: ArrayLike, return_std: Literal[True], *, noise_std: ArrayLike | None = None
    ) -> tuple[Array, Array]: ...
    def predict(
        self, X: ArrayLike, return_std: bool = False, *, noise_std: ArrayLike | None = None
    ) -> Array | tuple[Array, Array]:
        """Outputs of the network, and how far targets will scatter about them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        return_std : bool, default=False
        noise_std : float or array-like of shape (n_samples,) or (n_samples, n_outputs), optional
            With `return_std`: which noise new targets have, a standard deviation, as of `fastmlp.Laplace.predict`.
            After a fit with ``sigma`` deviations without it are those of the function.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        std : ndarray of the same shape
            With `return_std`: standard deviation of a new target, noise included, by the Laplace approximation. Of
            several outputs, y too is that of the network below, which knows the noise of each.

        Raises
        ------
        ValueError
            If the training samples are not known: after `partial_fit` and `from_network`, and in a copy (by pickle or
            deepcopy) of a model that had not been asked for deviations before. If they do not determine the noise:
            sample weights count.
        NotPositiveDefiniteError
            If neither the data nor `alpha` determine all parameters.

        Warns
        -----
        PosteriorWarning
            Once for each fit, if deviations are not to be trusted, with what may be changed: the weights are not at the
            optimum (stopped early, or by ``solver="adam"``), or rounding is too large; see `fastmlp.Laplace`.

        Notes
        -----
        It is that of `fastmlp.Laplace` on the samples that `fit` has trained on, with weights as counts. `alpha` is the
        prior of the biases too, since nothing else determines those of dead units; "evidence" has chosen one for each.
        What `fit` minimises takes all outputs for equally noisy. Where there are several, and `solver` has gone to a
        minimum (lm, lbfgs, scg, without early stopping), a copy of the network is trained on with the noise of each,
        as by ``Network.fit(noise="per_output")``, and y and std are of this one; `network_` and ``predict(X)`` stay.
        Else, and where second derivatives of that one are lost in rounding, the posterior is that of one noise for all,
        and each output's own is added to it. "evidence" gives each output its own from the start.

        The first call forms it, at the cost described there, P^2 numbers and P^3 multiplications, so that `fit` does
        not. Until then the samples are not to be changed in place: the model refers to them, and does not copy them.
        """
        X = self._inputs(X)
        Y = self.network_.predict(X)
        if not check.boolean(return_std, "return_std"):
            if noise_std is not None:
                raise ValueError("noise_std: expected None without return_std, got some")
            return self._like_targets(Y)
        mean, variance = self._posterior_now().predict(X, noise_std=noise_std)
        Y = Y if self._weighed_at is None else mean.astype(Y.dtype)
        return self._like_targets(Y), self._like_targets(np.sqrt(variance).astype(Y.dtype))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """R^2 of the predictions, as scikit-learn's, mean over the outputs; targets that are missing do not count.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong.
        """
        if self._missing == "raise":
            return float(super().score(X, y, sample_weight))
        Y, T = self.network_.predict(self._inputs(X)), self._encode(given.own(y))
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, T, dtype=np.float64)
        if T.shape != Y.shape:
            raise ValueError(f"y: expected shape {Y.shape}, got {T.shape}")
        return self._score(Y, T, Samples(T, T, weight, None, "ignore").importance)

    def _errors(self, sigma: ArrayLike | None) -> ArrayLike | None:
        if check.boolean(self.absolute_sigma, "absolute_sigma") and sigma is None:
            raise ValueError("absolute_sigma: expected sigma, the errors that are meant, got none")
        return sigma

    @staticmethod
    def _like_targets(Y: Array) -> Array:
        return Y[:, 0] if Y.shape[1] == 1 else Y

    def _outputs(self, y: Array, classes: Any) -> tuple[int, str]:
        if isinstance(self.loss, (int, tuple, list)):
            sizes = check.shown(self.loss)
            raise TypeError(f"loss: expected a name, got {sizes}; did you mean hidden_layer_sizes={sizes}?")
        output = OUTPUTS[check.choice(self.loss, "loss", OUTPUTS)]
        return math.prod(y.shape[1:]), output

    def _check_outputs(self, y: Array) -> None:
        net, wanted = self.network_, self._outputs(y, None)
        if (net.layers[-1], net.output) != wanted:
            raise ValueError(f"warm_start: expected targets of as many outputs and the loss as before, got {wanted}")

    def _encode(self, y: Array) -> Array:
        # objects become numbers, perhaps nan, in scikit-learn's checks
        y = check.real_array(y, "y", None, finite=self._missing == "raise")
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        if self.loss in COUNTS and y.min() < 0:
            raise ValueError(f"y: expected non-negative targets for {self.loss}, got {y.min()}")
        return y.reshape(len(y), -1)

    def _score(self, Y: Array, T: Array, weight: Array | None) -> float:
        if len(T) < 2:
            return math.nan  # one sample has no variance
        if weight is None or weight.ndim == 1:
            return float(r2_score(T, Y, sample_weight=weight))
        counted = [(T[w > 0, k], Y[w > 0, k], w[w > 0]) for k, w in enumerate(weight.T)]
        shares = [r2_score(t, y, sample_weight=w) for t, y, w in counted if len(t) > 1]
        return float(np.mean(shares)) if shares else math.nan

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss in COUNTS
        return tags
