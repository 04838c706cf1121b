"""What is asked of a search for a network, and what it comes back with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastmlp._types import Array, Float
from fastmlp.network import Network

Told = Callable[[str, float], None]


class Wishes(NamedTuple):
    """What may be said beside the table and the target."""

    seed: int = 0
    seconds: float = 45.0  #: for the whole search
    share: float = 0.2  #: of the rows, kept back
    size: tuple[int, ...] | None = None  #: units of the hidden layers; None: chosen
    classes: bool = False  #: numbers in the target name classes
    ignored: tuple[str, ...] = ()  #: columns


class Problem(NamedTuple):
    """Coded rows to learn from."""

    X: Float
    T: Array  #: numbers, or the numbers of classes
    n_outputs: int
    wishes: Wishes
    until: float  #: when the time is over, by the monotonic clock
    told: Told  #: ``told(text, share)`` hears what is being done, and what share of the time is over

    @property
    def is_of_classes(self) -> bool:
        """Whether targets are classes."""
        return self.T.dtype.kind != "f"

    @property
    def left(self) -> float:
        """Seconds that are left, and one in any case."""
        return max(self.until - time.monotonic(), 1.0)

    def tell(self, text: str) -> None:
        """Say what is being done."""
        seconds = self.wishes.seconds
        self.told(text, min(1.0, 1.0 - (self.until - time.monotonic()) / seconds))

    def network(self, hidden: Sequence[int], seed: int, dtype: str = "float64") -> Network:
        """An untrained network for it."""
        output = "softmax" if self.is_of_classes else "identity"
        return Network([self.X.shape[1], *hidden, self.n_outputs], output=output, rng=seed, dtype=dtype)


class Chosen(NamedTuple):
    """A network, and what is known of its errors; all but the first two as of `TableModel`."""

    network: Network
    tried: list[list[int]]  #: hidden layers
    posterior: Any = None
    noise_std: float | None = None
    scores: Float | None = None
    notes: tuple[str, ...] = ()
    is_even: bool = False
    temperature: float = 1.0


def ended(wishes: Wishes) -> str:
    """What is said when the time limit has cut something short."""
    return f"the time limit of {wishes.seconds:g} seconds ended the search: it depends on the speed of the machine"
