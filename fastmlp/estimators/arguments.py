"""The constructor's arguments that both estimators share: their documentation, and their checks."""

from __future__ import annotations

import math
from typing import Any

from fastmlp import _images
from fastmlp import _validation as check
from fastmlp.estimators.layers import hidden_activations, hidden_layers, hidden_sizes
from fastmlp.network import Network
from fastmlp.network.network import check_network

STOCHASTIC = ("sgd", "adam")
SOLVERS = (*STOCHASTIC, "lbfgs", "lm", "scg")
SCHEDULES = ("constant", "invscaling", "adaptive")
MEASURES = ("score", "loss")
EVIDENCE = "evidence"

PARAMETERS = """hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; () for none.
    activation : str or sequence of str, default="relu"
        Of the hidden layers, one name or one for each: identity, tanh, logistic, relu, leaky_relu, softplus, elu, silu,
        gelu, sin.
    solver : {"adam", "sgd", "lbfgs", "lm", "scg"}, default="adam"
        lm (Levenberg-Marquardt, in the end Newton) is the one for smooth networks of up to a thousand parameters.
    alpha : float or "evidence", default=1e-4
        Weight decay alpha/2 |W|^2, biases excluded, beside the sum of the losses. "evidence", with solver lm:
        precisions for the weights and the biases of each layer by `fastmlp.fit_evidence`. The objective
        is then -log evidence / n_samples, `max_iter` counts
        re-estimations, and `tol` is what logarithms of the precisions may change by.
    batch_size : int, default="auto"
        Samples in a minibatch, for sgd and adam; "auto" is min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        For sgd: learning_rate_init; divided by (samples seen + 1)^power_t; or divided by 5 each time the fit would
        otherwise stop, down to 1e-6.
    learning_rate_init : float, default=0.001
        For sgd and adam.
    power_t : float, default=0.5
        Of "invscaling".
    max_iter : int, default=200
        Epochs for sgd and adam, else iterations.
    shuffle : bool, default=True
        Whether sgd and adam draw a new order for each epoch.
    random_state : int, RandomState, Generator or None
        Starting values, which are scikit-learn's for the same number; order of samples; samples held back.
    tol : float, default=1e-4
        sgd, adam: what the loss has to fall by within `n_iter_no_change` epochs. Others: bound of |gradient|_inf of the
        objective, a mean; lbfgs also ends where an iteration changes that by 2.2e-9 of it, or of 1, at most. With early
        stopping also what the validation score has to rise, or its loss to fall by.
    verbose : bool or int, default=False
        Progress of every solver. 1 or True: a line that updates, for each of `n_init` starts, in terminals and
        notebooks; elsewhere, and with 2, a line for each iteration, of the evidence for each re-estimation.
    warm_start : bool, default=False
        Go on from the weights of the last fit and, if it was by the same solver on as many samples, from the solver's
        state too, so that two fits of k iterations equal one of 2 k (lbfgs: if the last fit had warm_start=True too).
    momentum : float, default=0.9
        For sgd, below 1.
    nesterovs_momentum : bool, default=True
        For sgd.
    early_stopping : bool, "score" or "loss", default=False
        Hold back some of the samples, unless `fit` is given a validation set; stop, with any solver, after more than
        `n_iter_no_change` iterations without progress there, and restore the best weights. True means "score".
    validation_fraction : float, default=0.1
        To hold back, by class where there are classes.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        For adam.
    n_iter_no_change : int or inf, default=10
        Iterations that may bring no progress, see `tol` and `early_stopping`.
    max_fun : int, default=15000
        For lbfgs: evaluations of the objective.
    standardize : bool or None, default=None
        Train in standardised units of X, and of y for regression, as `fastmlp.Network.fit` does; `alpha`, `tol` and the
        losses are those of that problem, predictions and scores are not. None: True with alpha="evidence", else False.
        `partial_fit` keeps the units of its first samples.
    n_init : int, default=1
        Starts, of which the best is kept, by the objective or by what early stopping looks at. With lm, and no
        validation set, they are trained at once, one by each thread.
    augment : callable or None, default=None
        For sgd and adam: ``augment(X, rng)`` returns changed samples, like X, drawn anew for each epoch, such as
        `fastmlp.invariance.RandomAffine`.
    layers : sequence or None, default=None
        In place of `hidden_layer_sizes`, hidden layers of any kind, as `fastmlp.Network` takes them:
        ``[(1, 28, 28), Conv(4, 5), AveragePool(2), 30]``; the layer of the outputs comes behind them. The shape of a
        sample in front, (channels, height, width) or (channels, length), may be left out where X has it: X may be
        rows, (n_samples, height, width) or (n_samples, channels, height, width)."""

ATTRIBUTES = """network_ : fastmlp.Network
        Derivatives, files and all else; the estimator computes with it.
    coefs_, intercepts_ : list of ndarray
        Views of the network's weights (fan_in, fan_out) and biases (fan_out,), one a layer; may be assigned to. Of
        convolutions W and b as `fastmlp.Conv` has them.
    loss_curve_ : list of float
        The objective after each iteration, continued by warm starts; for sgd and adam its mean over the epoch.
    loss_, best_loss_ : float
        Last and smallest of them; best_loss_ is None with early stopping.
    validation_loss_curve_ : list of float or None
        Mean loss of the validation set, where there is one.
    validation_scores_, best_validation_score_ : list of float, float, or None
        Scores of the validation set, with early stopping by them.
    n_iter_, t_ : int
        Iterations of the last fit; samples seen by sgd and adam.
    posterior_ : fastmlp.bayes.evidence.Evidence or None
        With alpha="evidence": precisions, log evidence, predictions with error bars and moderated probabilities.
    n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
        As scikit-learn's."""


def documented(cls: Any) -> Any:
    """A class with the parameters and attributes above in its docstring."""
    if cls.__doc__ is not None:  # python -OO
        cls.__doc__ = cls.__doc__.replace("{parameters}", PARAMETERS).replace("{attributes}", ATTRIBUTES)
    return cls


def check_arguments(estimator: Any) -> None:
    """TypeError or ValueError where an argument is not what it should be; the message names it."""
    hidden_layers(estimator)
    check.choice(estimator.solver, "solver", SOLVERS)
    check.choice(estimator.learning_rate, "learning_rate", SCHEDULES)
    if not isinstance(estimator.batch_size, str) or estimator.batch_size != "auto":
        check.integer(estimator.batch_size, "batch_size", 1)
    for name in ("max_iter", "max_fun"):
        check.integer(getattr(estimator, name), name, 1)
    check.integer(estimator.n_init, "n_init", 1, check.START_BITS)
    check.verbosity(estimator.verbose)
    if estimator.n_iter_no_change != math.inf:
        check.integer(estimator.n_iter_no_change, "n_iter_no_change", 1)
    if isinstance(estimator.alpha, str):
        check.choice(estimator.alpha, "alpha", (EVIDENCE,))
        if estimator.solver != "lm" or estimator.early_stopping:
            raise ValueError(
                "alpha: expected 'evidence' with solver='lm' and without early stopping, "
                f"got it with {check.shown(estimator.solver)} and "
                f"early_stopping={check.shown(estimator.early_stopping)}"
            )
    else:
        check.number(estimator.alpha, "alpha", 0.0)
    for name in ("power_t", "tol"):
        check.number(getattr(estimator, name), name, 0.0)
    for name in ("learning_rate_init", "epsilon"):
        check.number(getattr(estimator, name), name, 0.0, above=True)
    for name in ("momentum", "beta_1", "beta_2", "validation_fraction"):
        check.number(getattr(estimator, name), name, 0.0, high=1.0)
    for name in ("shuffle", "warm_start", "nesterovs_momentum"):
        check.boolean(getattr(estimator, name), name)
    if estimator.augment is not None:
        _images.check_augment(estimator.augment)
        if estimator.solver not in STOCHASTIC:
            raise ValueError(
                f"augment: expected with {' or '.join(STOCHASTIC)} only, got it with {estimator.solver}; "
                "fastmlp.invariance.augmented makes copies for it"
            )
    if estimator.standardize is not None:
        check.boolean(estimator.standardize, "standardize")
    if isinstance(estimator.early_stopping, str):
        check.choice(estimator.early_stopping, "early_stopping", MEASURES)
    else:
        check.boolean(estimator.early_stopping, "early_stopping")


def standardizes(estimator: Any) -> bool:
    """Whether training is in standardised units."""
    return bool(estimator.alpha == EVIDENCE if estimator.standardize is None else estimator.standardize)


def of_network(net: Network, given: dict[str, Any]) -> dict[str, Any]:
    """The constructor's arguments for a network: `given` ones, and those that it determines, which may be given too."""
    architecture = check_network(net)._architecture
    *layers, last = architecture.specification
    if not architecture.layers[-1].is_dense:
        raise ValueError(f"net: expected a dense last layer, which gives the outputs, got {last!r}")
    names = list(net.hidden)
    name, own = ("hidden_layer_sizes", net.layers[1:-1]) if architecture.is_plain else ("layers", tuple(layers))
    arguments: dict[str, Any] = {name: own}
    if names:
        arguments["activation"] = names[0] if len(set(names)) == 1 else tuple(names)
    if net.units is not None:
        arguments["standardize"] = True
    for argument in ("hidden_layer_sizes", "layers"):
        value = given.get(argument)
        if value is not None and (argument != name or _listed(value, argument) != own):
            raise ValueError(
                f"{argument}: expected {own if argument == name else None}, as of net, got {check.shown(value)}"
            )
    if "activation" in given and hidden_activations(given["activation"], len(names)) != names:
        raise ValueError(f"activation: expected {', '.join(names)}, as of net, got {check.shown(given['activation'])}")
    return arguments | given


def _listed(value: Any, argument: str) -> tuple[Any, ...]:
    return hidden_sizes(value) if argument == "hidden_layer_sizes" else tuple(check.sequence(value, argument, "layers"))


def measure(estimator: Any) -> str | None:
    """What early stopping looks at, if it is on."""
    stopping = estimator.early_stopping
    return stopping if isinstance(stopping, str) else "score" if stopping else None
