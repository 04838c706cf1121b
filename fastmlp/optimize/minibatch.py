"""sgd and adam: epochs of shuffled minibatches, the loop in C.

The step on a minibatch of B samples goes along g = (1/B) sum s_n grad e_n + (1/N) grad penalty, where the loss e_n of a
sample has the terms on the samples with it:

sgd    v = momentum v + g;  w -= rate (g + momentum v with nesterov, else v)
       velocity="steps": v = momentum v + rate g;  w -= ..., the same unless the rate changes
adam   w -= rate m / (sqrt v + epsilon), with m, v the bias-corrected moving averages of g, g^2 (Kingma & Ba 2015)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._core.fits.train import Minibatches
from fastmlp._types import Index
from fastmlp.model import functional
from fastmlp.model.chunked import Batches
from fastmlp.optimize.changes import Changes
from fastmlp.optimize.earlier import Earlier
from fastmlp.optimize.monitor import CONVERGED, MAX_ITER, Monitor, Stop
from fastmlp.terms.objective import Objective
from fastmlp.terms.tangents import Joint

LEARNING_RATE = {"sgd": 0.01, "adam": 0.001}
OPTIONS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.0, "nesterov": False, "velocity": "gradients", "shuffle": True},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "shuffle": True},
}
VELOCITIES = ("gradients", "steps")  # PyTorch's; scikit-learn's and Keras'
# multiply-adds after which the loop comes up for air, to see the time limit
CHUNK_WORK = 100_000_000


MEMORY = {"sgd": ("velocity",), "adam": ("first_moment", "second_moment")}


def check_state(earlier: Earlier, method: str, dtype: np.dtype[Any]) -> None:
    """Epochs, steps, and the averages of gradients."""
    earlier.count("n_epochs", bits=62)
    earlier.count("n_steps", bits=62)
    if "velocity_of" in earlier.items:
        check.choice(earlier.get("velocity_of"), "warm_start: velocity_of", VELOCITIES)
    for name in MEMORY[method]:
        earlier.vector(name, (dtype,), 0.0 if name == "second_moment" else -math.inf)


def solve(
    method: str,
    objective: Objective,
    monitor: Monitor,
    *,
    max_iter: int,
    batch_size: int,
    learning_rate: Any,
    rng: np.random.Generator,
    state: dict[str, Any] | None,
    options: dict[str, Any],
    changes: Changes | None = None,
) -> tuple[int, dict[str, Any]]:
    """Train for `max_iter` epochs; returns a status and the solver's state. The parameters stay with the monitor.

    With `changes` each epoch sees the samples as these make them.
    """
    data = objective.data
    arch, samples = data.architecture, data.samples
    n_samples, n_params = len(samples.X), arch.n_params
    batch_size = min(batch_size, n_samples)
    rate_of = _schedule(learning_rate, LEARNING_RATE[method])
    *settings, shuffle = _settings(method, options, arch.dtype)
    kind = options.get("velocity", VELOCITIES[0])
    if state is not None and state.get("velocity_of", kind) != kind:
        raise ValueError(f"velocity: expected {state['velocity_of']!r}, as in the fit that is continued, got {kind!r}")
    w = objective.x0.astype(arch.dtype)
    g = np.empty_like(w)
    memory = [np.zeros(w.size, w.dtype) if state is None else state[name].copy() for name in MEMORY[method]]
    epoch, n_steps = (0, 0) if state is None else (state["n_epochs"], state["n_steps"])
    with np.errstate(over="ignore"):
        decay = None if objective.decay is None else objective.decay.astype(arch.dtype)
    ties = None if objective.free is None else objective.free.compiled
    batch = data.batch if changes is None else functional.bind(arch, changes.samples, data.scale)
    tangents = objective.sums.compiled if isinstance(objective.sums, Joint) else None

    def loop_of(batch: Any, n_steps: int) -> Minibatches:
        return Minibatches(batch, batch_size, _threads.resolve(data.n_threads), n_steps, ties, tangents)

    pieces = (
        _InChunks(batch, loop_of, n_steps) if isinstance(batch, Batches) else _Whole(loop_of(batch, n_steps), n_samples)
    )
    at_once = max(1, CHUNK_WORK // (n_params * batch_size))
    loss = data.value(objective.native(w))
    status = CONVERGED
    try:
        monitor.begin(objective.expand(w), loss + objective.penalty_value(w), data.mean(loss))
        for _ in range(max_iter):
            rate = check.number(rate_of(epoch), "learning_rate", 0.0)  # schedules may end at 0
            pieces.draw(rng if shuffle else None)
            if changes is not None:
                changes.draw(rng)
                monitor.check_time()
            loss = penalty = 0.0
            left = n_samples
            for loop, order in pieces:
                left -= len(order)
                share = decay if decay is None or len(order) == n_samples else decay * (len(order) / n_samples)
                vectors, n_own = (w, order, share, g, *memory), -(-len(order) // batch_size)
                for first in range(0, n_own, at_once):
                    count = min(at_once, n_own - first)
                    sums = loop.run(vectors, first, count, rate, tuple(settings))
                    loss += sums[0]
                    penalty += sums[1]
                    if first + count < n_own or left:
                        monitor.check_time()
            epoch += 1
            penalty += objective.constant
            monitor.step(objective.expand(w), loss + penalty, data.mean(loss))
    except Stop as stop:
        status = stop.status if monitor.n_iter < max_iter else MAX_ITER
    finally:  # whatever ended it, also within an epoch
        monitor.leave(objective.expand(w))
    own = {"velocity_of": kind} if method == "sgd" else {}
    return status, {
        "n_epochs": epoch,
        "n_steps": pieces.n_steps,
        **own,
        **dict(zip(MEMORY[method], memory, strict=True)),
    }


class _Whole:
    """All samples, in a new order for each epoch."""

    def __init__(self, loop: Minibatches, n_samples: int) -> None:
        self._loop, self._straight = loop, np.arange(n_samples, dtype=np.intp)
        self._order = self._straight.copy()

    @property
    def n_steps(self) -> int:
        """Steps taken."""
        return self._loop.n_steps

    def draw(self, rng: np.random.Generator | None) -> None:
        """The order of an epoch, drawn or as the samples lie."""
        self._order[:] = self._straight
        if rng is not None:
            _shuffle(self._order, rng)

    def __iter__(self) -> Iterator[tuple[Minibatches, Index]]:
        yield self._loop, self._order


class _InChunks:
    """One chunk after the other, in a new order for each epoch, the samples of each in a new order too.

    Minibatches end with a chunk, where the last one may be smaller, as with the epoch.
    """

    def __init__(self, batches: Batches, loop_of: Callable[[Any, int], Minibatches], n_steps: int) -> None:
        self._batches, self._loop_of, self._before = batches, loop_of, n_steps
        self._loop: Minibatches | None = None

    @property
    def n_steps(self) -> int:
        """Steps taken."""
        return self._before if self._loop is None else self._loop.n_steps

    def draw(self, rng: np.random.Generator | None) -> None:
        """The order of the chunks in an epoch; that of their samples is drawn as they come."""
        self._rng, self._numbers = rng, np.arange(len(self._batches.samples.chunks), dtype=np.intp)
        if rng is not None:
            _shuffle(self._numbers, rng)

    def __iter__(self) -> Iterator[tuple[Minibatches, Index]]:
        for number in self._numbers.tolist():
            order = np.arange(self._batches.samples.size_of(number), dtype=np.intp)
            if self._rng is not None:
                _shuffle(order, self._rng)
            self._loop = self._loop_of(self._batches.of_chunk(number), self.n_steps)
            yield self._loop, order


def _shuffle(order: Index, rng: np.random.Generator) -> None:
    """Shuffle the indices, which C trusts: somebody's own kind of generator is given a copy, which is looked at."""
    if type(rng) is np.random.Generator:
        rng.shuffle(order)
        return
    theirs = order.copy()
    rng.shuffle(theirs)
    order[:] = theirs
    if not 0 <= order.min() <= order.max() < len(order):
        raise ValueError(f"rng: expected a shuffle of the indices of {len(order)} samples, got others")


def _schedule(learning_rate: Any, default: float) -> Callable[[int], Any]:
    if callable(learning_rate):
        return learning_rate  # type: ignore[no-any-return]
    rate = default if learning_rate is None else check.number(learning_rate, "learning_rate", 0.0, above=True)
    return lambda epoch: rate


def _settings(method: str, options: dict[str, Any], dtype: Any) -> tuple[Any, ...]:
    """Checked options of the method, in the order of `OPTIONS`."""
    settings = {**OPTIONS[method], **options}
    if method == "sgd":
        check.number(settings["momentum"], "momentum", 0.0, high=1.0)
        check.boolean(settings["nesterov"], "nesterov")
        settings["velocity"] = check.choice(settings["velocity"], "velocity", VELOCITIES) == "steps"
    else:
        for name in ("beta1", "beta2"):
            check.number(settings[name], name, 0.0, high=1.0)
        check.number(settings["epsilon"], "epsilon", float(np.finfo(dtype).tiny))
    check.boolean(settings["shuffle"], "shuffle")
    return tuple(settings.values())
