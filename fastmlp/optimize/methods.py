"""The methods of training by name: which there are, which of them `auto` takes, and the arguments of `fit` checked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from fastmlp import _hints, _images
from fastmlp import _validation as check
from fastmlp.model.architecture import Architecture
from fastmlp.optimize import lbfgs, lm, minibatch, rprop, scg, scipy_bridge
from fastmlp.optimize.options import FitOptions
from fastmlp.terms import penalties
from fastmlp.terms.term import Penalty

MINIBATCH = tuple(minibatch.OPTIONS)
#: full-batch solvers of our own: modules with OPTIONS and `solve`, whose state a warm start continues
FULL_BATCH = {"rprop": rprop, "lm": lm, "scg": scg, "lbfgs": lbfgs}
RESUMABLE = (*MINIBATCH, *FULL_BATCH)
#: Names for `method`; capitals do not matter.
METHODS: tuple[str, ...] = ("auto", *MINIBATCH, *FULL_BATCH, *scipy_bridge.METHODS)
# up to which `auto` takes Levenberg-Marquardt: parameters, and samples times their square, about 20 ms for a step; it
# reaches there what L-BFGS does not within its 1,000 steps
AUTO_LM_PARAMS, AUTO_LM_WORK = 1_000, 1_000_000_000
# how many times the work of the loss's Hessian is that of a tangent term, for each direction: P products, not P^2 / 2
DIRECTION_WORK = 24
# samples times parameters up to which it takes the full batch: about 0.1 s for a gradient
AUTO_FULL_BATCH = 100_000_000
#: of `Network.fit`
ARGUMENTS = (
    *(each.name for each in fields(FitOptions) if each.name not in ("given", "of_method")),
    *("sample_weight", "sigma", "derivatives", "derivative_weight"),
)
EPOCHS, STEPS = 200, 1000  # max_iter by default: of minibatch and of full-batch methods


def check_all(asked: FitOptions, architecture: Architecture, n_samples: int) -> None:
    """Put in place the method's name, and all that can be judged without the network's numbers and the samples."""
    bounded = asked.bounds is not None
    by_epochs = asked.augment is not None
    if by_epochs:
        _images.check_augment(asked.augment)
        penalties.refuse_rows(asked.penalty)
    asked.method = name = choose_method(
        asked.method, architecture, n_samples, bounded=bounded, penalty=asked.penalty, by_epochs=by_epochs
    )
    if by_epochs and name not in MINIBATCH:
        raise ValueError(
            f"augment: expected with {' or '.join(MINIBATCH)} only, which draw anew in each epoch, got it with {name}; "
            "fastmlp.invariance.augmented makes copies for it"
        )
    if name in MINIBATCH:
        penalties.refuse_terms(asked.penalty, f"with {name}")
    _check_options(name, asked.of_method, asked.learning_rate)
    check.callback(asked.callback)
    if asked.patience is not None:
        asked.patience = check.integer(asked.patience, "patience", 1)
        if asked.validation is None:
            raise ValueError("patience: expected together with validation, got no validation set")
    if asked.tol is not None:
        asked.tol = check.number(asked.tol, "tol", 0.0)
    default_iter = EPOCHS if name in MINIBATCH else STEPS
    asked.max_iter = default_iter if asked.max_iter is None else check.integer(asked.max_iter, "max_iter", 0)
    asked.batch_size = check.integer(asked.batch_size, "batch_size", 1)
    asked.verbose = check.verbosity(asked.verbose)
    if asked.time_limit is not None:
        asked.time_limit = check.number(asked.time_limit, "time_limit", 0.0)


def choose_method(
    method: Any,
    architecture: Architecture,
    n_samples: int,
    *,
    bounded: bool = False,
    penalty: Penalty | None = None,
    by_epochs: bool = False,
) -> str:
    """The solver's name; `Network.fit` documents the rule behind `auto`, `by_epochs` is that of minibatches."""
    name = check.choice(method.lower() if isinstance(method, str) else method, "method", METHODS)
    if bounded:
        if name not in ("auto", "lbfgs", scipy_bridge.BOUNDED):
            raise ValueError(f"bounds: expected with lbfgs or {scipy_bridge.BOUNDED} only, got them with {name}")
        return scipy_bridge.BOUNDED
    if name == "auto" and by_epochs:
        return "adam"
    if name == "auto":
        n_params = architecture.n_params
        # second derivatives leave out the kinks: it takes L-BFGS
        smooth = all(activation.is_smooth for activation in architecture.activations)
        share = 1 + DIRECTION_WORK * penalties.n_directions(penalty, architecture)
        small = n_params <= AUTO_LM_PARAMS and n_samples * n_params**2 * share <= AUTO_LM_WORK
        if smooth and small and penalties.has_matrix(penalty):
            name = "lm"
        else:
            large = n_samples * n_params > AUTO_FULL_BATCH and not penalties.of_params(penalty)
            name = "adam" if large else "lbfgs"
    return name


def unknown_option(
    option: str, method: str, known: Collection[str], caller: str, arguments: Collection[str]
) -> TypeError:
    """The error of a keyword that is none of a method's options, and none of the arguments of who takes them."""
    expected = f"an option of {caller} or of {method} ({', '.join(known)})"
    owners = [other for other in (*MINIBATCH, *FULL_BATCH) if option in _options_of(other)]
    hint = f"; it is one of {' and '.join(owners)}" if owners else _hints.hint(option, (*known, *arguments))
    return TypeError(f"{option}: expected {expected}, got {option!r}{hint}")


def _options_of(name: str) -> Collection[str]:
    if name in MINIBATCH:
        return minibatch.OPTIONS[name]
    return FULL_BATCH[name].OPTIONS if name in FULL_BATCH else scipy_bridge.options(name)


def _check_options(name: str, options: dict[str, Any], learning_rate: Any) -> None:
    known = _options_of(name) if options else ()
    for option in options:
        if option not in known:
            raise unknown_option(option, name, known, "fit", ARGUMENTS)
    if learning_rate is not None and name not in MINIBATCH:
        raise ValueError(f"learning_rate: expected with {' or '.join(MINIBATCH)} only, got it with {name}")
