"""How to train: the arguments of `Network.fit` as one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class FitOptions:
    """The arguments of `Network.fit`, which documents them, but for the samples.

    First as a user gives them; `methods.check_all` puts in their place what the solvers are told: a method by its name,
    numbers for most None. `given` are X and T as they came, for what is said of their units.
    """

    given: tuple[Any, Any]
    method: Any
    penalty: Any
    fixed: Any
    tied: Any
    bounds: Any
    standardize: Any
    validation: Any
    patience: Any
    max_iter: Any
    tol: Any
    batch_size: Any
    augment: Any
    learning_rate: Any
    callback: Callable[[Any], Any] | None
    verbose: Any
    rng: Any
    time_limit: Any
    warm_start: Any
    n_threads: Any
    noise: Any
    missing: Any
    of_method: dict[str, Any]
