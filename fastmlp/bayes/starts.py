"""Many networks trained by the evidence: from several starts, at several sizes, and the table of what has come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count, takewhile
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _memory, _threads
from fastmlp import _validation as check
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp.network import Network

FIRST = (1, 2, 3, 5, 8, 13, 20)  # hidden units, then 1.6 times as many as the last
FALLS = 2  # successive sizes without a rise of the evidence, after which there are no more
SIZES = ("hidden", "parameters", "starts", "converged", "evidence", "median", "effective", "pruned", "")
WORTH = 0.5  # nats that a larger network has to bring: less is "not worth more than a bare mention"


@printed
class Start(NamedTuple):
    """One of the networks."""

    hidden: tuple[int, ...]  #: units of its hidden layers
    number: int  #: from 0 for each size
    posterior: Any  #: an `Evidence`

    @property
    def log_evidence(self) -> float:
        """With distinct symmetries, so that sizes can be compared."""
        return float(self.posterior.log_evidence + self.posterior.log_distinct_symmetries)

    @property
    def is_counted(self) -> bool:
        """Whether the symmetries are known, which takes a matrix product."""
        return "log_distinct_symmetries" in vars(self.posterior)

    def _shown(self) -> Page:
        evidence = f"log evidence {self.log_evidence:.2f}" if self.is_counted else "symmetries not counted yet"
        end = self.posterior.stationary or "not converged"
        return Page(f"Start {self.number} of {_name(self.hidden)} hidden: {evidence}, {end}")


@printed
class Starts(tuple[Start, ...]):
    """All networks that `fastmlp.fit_evidence` has trained, by size and start: a tuple of `Start`.

    Each has `hidden`, the units of its hidden layers; `number`, from 0 for each size; its `posterior`, an `Evidence`;
    and its `log_evidence` with distinct symmetries, so that sizes can be compared, in nats.
    """

    __slots__ = ()

    def by_size(self) -> dict[tuple[int, ...], list[Start]]:
        """The starts of each size.

        Returns
        -------
        dict
            Lists of `Start` by the units of the hidden layers.
        """
        groups: dict[tuple[int, ...], list[Start]] = {}
        for each in self:
            groups.setdefault(each.hidden, []).append(each)
        return groups

    @property
    def best(self) -> Start:
        """The largest evidence of the first size that is within half a nat of the largest of all.

        Of networks that were trained to the end, if there are some.

        Raises
        ------
        ValueError
            If there are none.
        """
        if not self:
            raise ValueError("starts: expected one that is done at least, got none")
        groups = [_best(group) for group in self.by_size().values()]
        largest = max(each.log_evidence for each in groups)
        return next((each for each in groups if each.log_evidence >= largest - WORTH), groups[-1])

    def table(self) -> str:
        """A line for each size; a star marks the best.

        Returns
        -------
        str
            Parameters, starts, how many of them converged, the largest and the median log evidence with symmetries, and
            of the best start the effective number of parameters and how many groups were pruned.
        """
        return str(self._sizes())

    def _sizes(self) -> Table:
        rows = []
        for hidden, group in self.by_size().items():
            best = _best(group)
            rows.append((
                _name(hidden), len(best.posterior.params), len(group), sum(each.posterior.converged for each in group),
                f"{best.log_evidence:.2f}", f"{np.median([each.log_evidence for each in group]):.2f}",
                f"{best.posterior.effective_n_params:.1f}", len(best.posterior.pruned), "*" * (best is self.best),
            ))  # fmt: skip
        return Table(rows, SIZES, "<>>>>>>><")

    def _shown(self) -> Page:
        title = f"Starts: {how_many(len(self), 'network')} trained by the evidence"
        if all(each.is_counted for each in self):
            return Page(title, (self._sizes(),))
        rows = [(_name(hidden), len(group), "not counted yet") for hidden, group in self.by_size().items()]
        return Page(title, (Table(rows, ("hidden", "starts", "symmetries"), "<>"),))


def _best(group: list[Start]) -> Start:
    """The largest evidence of those that were trained to the end, or of all."""
    return max(group, key=lambda each: (each.posterior.stationary != "screened", each.log_evidence))


def _name(hidden: tuple[int, ...]) -> str:
    return "-".join(map(str, hidden)) or "none"


def sizes(net: Network, hidden: Any, n_samples: int) -> Iterator[tuple[int, ...]]:
    """Units of the hidden layers, one size after the other; if sought, no more than there are samples."""
    layers = net.layers[1:-1]
    if hidden is None:
        return iter([layers])
    net._architecture.check_dense("hidden")
    if not layers:
        raise ValueError("net: expected a hidden layer where the number of hidden units is sought, got none")
    if isinstance(hidden, str):
        check.choice(hidden, "hidden", ("auto",))
        return ((units,) * len(layers) for units in takewhile(lambda units: units <= n_samples, _growing()))
    numbers = check.sequence(hidden, "hidden", "None, 'auto' or numbers of hidden units")
    if not numbers:
        raise ValueError("hidden: expected None, 'auto' or numbers of hidden units, got none")
    return iter([(check.integer(units, "hidden", 1),) * len(layers) for units in numbers])


def _growing() -> Iterator[int]:
    yield from FIRST
    for power in count(1):
        yield round(FIRST[-1] * 1.6**power)


def have_passed_the_best(found: list[Start]) -> bool:
    """Whether the last sizes have not raised the largest evidence, or by nothing that is worth it."""
    largest = [_best(group).log_evidence for group in Starts(found).by_size().values()]
    return len(largest) > FALLS and max(largest[-FALLS:]) <= max(largest[:-FALLS]) + WORTH


def drawn(net: Network, hidden: tuple[int, ...], init: str | float, rng: np.random.Generator) -> Network:
    """A network like `net`, with so many hidden units and new parameters."""
    own = hidden == net.layers[1:-1]
    if own:
        return net.copy().initialize(init, rng)
    layers = [net.layers[0], *hidden, net.layers[-1]]
    return Network(layers, list(net.hidden), net.output, net.loss_name, net.dtype, rng, init)


def at_once(train: Callable[[Any, int, int], Any], networks: Iterable[Any], n_starts: int, n_threads: int) -> list[Any]:
    """Each network by one thread, as they are drawn; one of one start by all. ``train(network, threads, number)``."""
    if n_starts == 1 or n_threads == 1 or not _threads.can_be_made(n_threads):
        return [train(network, n_threads, number) for number, network in enumerate(networks)]
    _memory.ask(n_threads * _memory.BUFFER, f"NumPy's BLAS in {n_threads} threads")
    return _threads.each(train, ((network, 1, number) for number, network in enumerate(networks)), n_threads)
