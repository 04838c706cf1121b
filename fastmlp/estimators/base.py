"""What both estimators share: data in, attributes out."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.optimize import OptimizeResult
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted, validate_data

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._types import Array, ArrayLike
from fastmlp.bayes.ending import poor
from fastmlp.bayes.evidence import Evidence
from fastmlp.errors import warn_caller
from fastmlp.estimators import fitting, given, layers
from fastmlp.estimators.arguments import (
    EVIDENCE,
    STOCHASTIC,
    check_arguments,
    measure,
    standardizes,
)
from fastmlp.estimators.estimator_path import Prunable
from fastmlp.estimators.mean_objective import Problem, Samples, Validation
from fastmlp.model import targets
from fastmlp.network import Network
from fastmlp.optimize import advice


class BaseMLP(Prunable, BaseEstimator):  # type: ignore[misc]
    """A network with scikit-learn's methods; what its targets are, subclasses know."""

    network_: Network
    posterior_: Evidence | None
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    #: of the last fit, for a warm start: curves and counts, solver's state, indices of training and validation samples
    _progress: Any
    _result: Any
    _split: Any

    def _store(self, arguments: dict[str, Any]) -> None:
        """Set the attributes of the constructor's arguments, as they are."""
        for name in arguments.keys() - {"self", "__class__"}:
            setattr(self, name, arguments[name])

    # ---- what subclasses say ----

    @abstractmethod
    def _outputs(self, y: Array, classes: Any) -> tuple[int, str]:
        """Number and activation of the outputs that these targets take; called before the first training."""

    @abstractmethod
    def _check_outputs(self, y: Array) -> None:
        """ValueError if these targets do not fit those of the fit that is to be continued."""

    @abstractmethod
    def _encode(self, y: Array) -> Array:
        """Targets as the network takes them."""

    @abstractmethod
    def _score(self, Y: Array, T: Array, weight: Array | None) -> float:
        """Score of outputs against encoded targets."""

    def _classes_of(self, T: Array) -> Array | None:
        """What a validation set is to be drawn by, for encoded targets."""
        return None

    def _class_factors(self, y: Array) -> Array | None:
        """What the sample weights are to be multiplied by."""
        return None

    def _remember(self, samples: Samples | None, **prior: Any) -> None:
        """Keep what is asked about later: the samples of a fit, None after a part, and the prior for `Laplace`."""

    # ---- training ----

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Train on (X, y).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            float32 is computed with as such, all else as float64; a sparse matrix is made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
            A weight of 2 counts as the sample twice, one of 0 leaves it out.
        X_val, y_val : array-like, optional
            A validation set; early stopping then looks at it, and holds no samples back.

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
        """
        return self._fit_whole(given.Data(X, y, sample_weight, X_val, y_val))

    def _fit_whole(self, data: given.Data) -> Self:
        return self._fit(data, anew=not (self.warm_start and hasattr(self, "network_")))

    def _partial_fit(self, data: given.Data, classes: Any = None) -> Self:
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        return self._fit(data, anew=not hasattr(self, "network_"), classes=classes, part=True)

    @quiet
    def _fit(self, data: given.Data, *, anew: bool, classes: Any = None, part: bool = False) -> Self:
        """Train anew or go on, with `part` a single epoch."""
        with fitting.whole(self), advice.once(advice.ESTIMATOR):
            return self._train(data, anew=anew, classes=classes, part=part)

    def _train(self, data: given.Data, *, anew: bool, classes: Any, part: bool) -> Self:
        """What a fit does."""
        check_arguments(self)
        X, y, weight, X_val, y_val, sigma = data.owned()
        shape = layers.sample_shape(self, X, None if anew else self._shape)
        X, y = self._arrays(X, y, shape, reset=anew)
        weight = None if weight is None else _check_sample_weight(weight, X, dtype=np.float64)
        late = given.is_number(self.random_state) and not (anew or measure(self))
        random = None if late else given.random_state(self.random_state)
        if anew:
            networks = self._new_networks(X, y, shape, classes, random, 1 if part else self.n_init)
            self._progress = self._result = self._split = None
        else:
            networks = [self._network_as_before(y, part)]
        samples = self._samples(X, y, weight, sigma)
        held_out = self._validation_set(X_val, y_val, shape)
        if held_out is None and measure(self):
            samples, held_out = self._hold_back(samples, random)
        if not (part or isinstance(self.batch_size, str)) and self.batch_size > len(samples.X):
            warn_caller(f"batch_size={self.batch_size} is larger than the sample; all of it is taken", UserWarning)
        if self.alpha == EVIDENCE:
            return self._fit_by_evidence(networks, samples, held_out)
        goes_on = part or self._result is not None
        own = fitting.units_for(networks[0], samples, goes_on, part) if standardizes(self) else None
        problem = Problem(networks[0], samples, self.alpha, own)
        validation = None if held_out is None else Validation(networks[0], held_out, self._score, own)
        self._keep_network(networks[0])  # to be found after Ctrl-C too, with the parameters of the last step
        if len(networks) > 1 and self.solver == "lm" and validation is None and samples.is_plain:
            networks = [networks[fitting.best_start(self, networks, problem)]]
        drawn = None if random is None else random.randint(2**31 - 1, size=len(networks))
        seeds, trained = given.late_seed(self.random_state) if drawn is None else iter(drawn), []
        for number, net in enumerate(networks, 1):
            self._keep_network(net)
            trained.append(
                fitting.train(
                    self, net, seeds, problem, validation, progress=self._progress, earlier=self._result,
                    max_iter=1 if part else self.max_iter, start=f" {number}/{len(networks)}" * (len(networks) > 1),
                )
            )  # fmt: skip
        best = min(trained, key=lambda each: each.loss)
        if not best.is_finite:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        self._keep(best, problem)
        if part:
            self._remember(None)
            return self
        self._remember(samples, decay=problem.decay, standardize=own or False)
        if best.limit:
            message = f"{self.solver} has not converged within {best.limit}; raise it"
            warn_caller(message + ", or take standardize=True" * (own is None), ConvergenceWarning)
        elif fitting.is_worse_than_a_constant(best.net, problem):
            by_rate = self.solver in STOCHASTIC
            other = "another learning_rate_init" if by_rate else "other starting values (random_state)"
            message = f"{self.solver} has ended with a loss above that of a constant; take {other}"
            warn_caller(message + ", or standardize=True" * (own is None), ConvergenceWarning)
        return self

    def _fit_by_evidence(self, networks: list[Network], samples: Samples, held_out: Samples | None) -> Self:
        if held_out is not None:
            raise ValueError("X_val: expected None with alpha='evidence', which needs no validation set, got one")
        self.network_ = networks[0]
        net, posterior = fitting.by_evidence(self, networks, samples)
        self._keep_network(net)
        self.posterior_, self._progress, self._result = posterior, None, None
        self.loss_curve_ = (-posterior.history["log_evidence"] / len(samples.X)).tolist()
        self.loss_, self.best_loss_ = self.loss_curve_[-1], min(self.loss_curve_)
        self.n_iter_, self.t_ = len(self.loss_curve_) - 1, 0
        noise = posterior.noise_precision if net._architecture.loss.has_noise else None
        self._remember(
            samples, prior_precision=posterior.prior_precision, noise_precision=noise,
            standardize=posterior.units or False,
        )  # fmt: skip
        said = [poor(posterior)]
        if not posterior.converged:
            said = [f"the precisions have not converged within max_iter={self.max_iter}; raise it"]
        elif posterior.noise_at_floor:
            said.append("the noise is at its floor: y has none that the network could tell from the function")
        if any(said):
            warn_caller("; ".join(filter(None, said)), ConvergenceWarning)
        return self

    @property
    def _missing(self) -> str:
        """What nan in y means: "raise" an error, "ignore" a target that there is none of."""
        return check.choice(getattr(self, "missing", "raise"), "missing", targets.MISSING)

    @property
    def _shape(self) -> tuple[int, ...]:
        """Of a sample."""
        return self.network_._architecture.layers[0].inputs

    def _arrays(self, X: ArrayLike, y: ArrayLike, shape: Any, *, reset: bool) -> tuple[Array, Any]:
        """X and y checked, X dense and of rows, in which samples may have had this shape."""
        X = layers.as_rows(X, shape)
        if not reset and (plain := given.plain(self, X)) is not None and given.are_plain_targets(y, len(plain)):
            return plain, y
        if self._missing == "ignore":
            separately = (
                {"accept_sparse": "csr", "dtype": given.FLOATS},
                {"ensure_2d": False, "ensure_all_finite": False},
            )
            X, y = validate_data(self, X, y, reset=reset, validate_separately=separately)
            check_consistent_length(X, y)
            return given.dense(X), y
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, y_numeric=not is_classifier(self), dtype=given.FLOATS,
            reset=reset,
        )  # fmt: skip
        return given.dense(X), y

    def _new_networks(self, X: Array, y: Array, shape: Any, classes: Any, random: Any, n_starts: int) -> list[Network]:
        listed, hidden = layers.specification(self, shape or X.shape[1:])
        n_outputs, output = self._outputs(y, classes)
        return [fitting.new_network([*listed, n_outputs], hidden, output, X.dtype, random) for _ in range(n_starts)]

    def _network_as_before(self, y: Array, part: bool) -> Network:
        layers.check_as_before(self)
        if not part:
            self._check_outputs(y)
        return self.network_

    def _samples(self, X: Array, y: Array, weight: Array | None, sigma: ArrayLike | None = None) -> Samples:
        """Dense and encoded, with the weights of the classes, without samples that weigh nothing."""
        factors = self._class_factors(y)
        if factors is not None:
            weight = factors if weight is None else weight * factors
        T = self._encode(y)
        if sigma is not None:
            sigma = targets.errors(sigma, T.shape, ~np.isnan(T) if self._missing == "ignore" else None)
        samples = Samples(X, T, weight, sigma, self._missing)
        if weight is None or (weight > 0).all():
            return samples
        if weight.min() < 0:
            raise ValueError(f"sample_weight: expected non-negative numbers, got {weight.min()}")
        if not weight.any():
            raise ValueError("sample_weight: expected a positive weight at least, got zeros")
        return samples.rows(np.flatnonzero(weight))

    def _validation_set(self, X_val: ArrayLike | None, y_val: ArrayLike | None, shape: Any) -> Samples | None:
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val, y_val: expected both or none, got one of them")
        X, y = self._arrays(X_val, y_val, shape, reset=False)
        return Samples(X, self._encode(y), None, None, self._missing)

    def _hold_back(self, samples: Samples, random: Any) -> tuple[Samples, Samples]:
        """Training and validation samples, by class where there are classes; those of the last fit where it goes on.

        What is kept of them is what they are drawn from, which does not grow with the samples.
        """
        n_samples = len(samples.X)
        if self._split is None or self._split[0] != n_samples:
            self._split = n_samples, self.validation_fraction, given.remembered(random)
        else:
            random = given.recalled(self._split[2])
        kept, held_back = train_test_split(
            np.arange(n_samples), test_size=self._split[1], stratify=self._classes_of(samples.T), random_state=random
        )
        if len(held_back) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return samples.rows(kept), samples.rows(held_back)

    def _keep(self, best: fitting.Trained, problem: Problem) -> None:
        """Set the attributes that tell of a fit."""
        net, watch, result = best
        self._keep_network(net)
        self._progress = p = watch.progress
        # for a warm start, which goes on from the last point where the weights are still those that the fit has left;
        # the pairs of lbfgs, many times larger than the network, are kept only if one has been announced
        keep = self.warm_start or self.solver != "lbfgs"
        self._result = OptimizeResult(x=net.params.astype(np.float64), state=result.state) if keep else None
        self.n_iter_, self.t_ = result.nit, p.samples_seen
        self.loss_curve_, self.loss_ = p.loss_curve, problem.mean(result.history["loss"][-1])
        self.best_loss_ = None if watch.measure else min(p.loss_curve, default=self.loss_)
        if watch.validation is not None:
            self.validation_loss_curve_ = p.validation_loss_curve
        if watch.measure == "score":
            self.validation_scores_, self.best_validation_score_ = p.scores, p.gain

    def _keep_network(self, net: Network) -> None:
        """What all fits set, and what only some do as if there were nothing."""
        self.network_ = net
        self.n_layers_, self.n_outputs_, self.out_activation_ = len(net.layers), net.layers[-1], net.output
        self.validation_loss_curve_ = self.validation_scores_ = self.best_validation_score_ = self.posterior_ = None

    def _take_over(self, net: Network) -> Self:
        """As if a fit had left this network, of which no more is known."""
        self._keep_network(net)
        self.n_features_in_ = net.layers[0]
        if net.input_names is not None:
            self.feature_names_in_ = np.array(net.input_names, dtype=object)
        self._progress = self._result = self._split = None
        self.loss_curve_, self.loss_, self.best_loss_, self.n_iter_, self.t_ = [], math.nan, None, 0, 0
        self._remember(None)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Without the training samples: files and messages to other processes are not to hold them unasked."""
        state = {name: value for name, value in super().__getstate__().items() if name != "_trained_on"}
        light: dict[int, Any] = {}  # one and the same posterior may be here twice
        for name in ("posterior_", "_posterior"):
            if (posterior := state.get(name)) is not None:
                state[name] = light.setdefault(id(posterior), posterior._without_samples())
        return state

    # ---- predictions ----

    def _inputs(self, X: ArrayLike) -> Array:
        """X checked and dense, for a network that has been fitted."""
        check_is_fitted(self)
        if (plain := given.plain(self, X)) is not None:
            return plain
        X = given.own(X)
        check.refuse_masked_and_lazy(X, "X")
        X = layers.as_rows(X, self._shape)
        return given.dense(validate_data(self, X, accept_sparse="csr", dtype=given.FLOATS, reset=False))

    @quiet
    def _predict_outputs(self, X: ArrayLike, *, logits: bool = False) -> Array:
        """Outputs of the network, or its logits."""
        X, net = self._inputs(X), self.network_
        return (fitting.as_logits(net) if logits else net).predict(X)

    # ---- attributes ----

    @property
    def coefs_(self) -> list[Array]:
        """Weights (fan_in, fan_out), one matrix a layer: views. Those of convolutions are as the network has them."""
        return [W.T if W.ndim == 2 else W for W in self.network_.weights]

    @coefs_.setter
    def coefs_(self, values: Sequence[Any]) -> None:
        for W, value in zip(self.coefs_, values, strict=True):
            W[...] = value

    @property
    def intercepts_(self) -> list[Array]:
        """Biases (fan_out,), one vector a layer: views."""
        return list(self.network_.biases)

    @intercepts_.setter
    def intercepts_(self, values: Sequence[Any]) -> None:
        for b, value in zip(self.intercepts_, values, strict=True):
            b[...] = value

    def _is_stochastic(self) -> bool:
        if self.solver not in STOCHASTIC:
            raise AttributeError(f"partial_fit is there with {' and '.join(STOCHASTIC)} only, not with {self.solver}")
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.target_tags.multi_output = True
        return tags
