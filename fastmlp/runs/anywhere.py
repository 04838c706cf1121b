"""Networks trained wherever there is somebody to do it: here, or by an executor; what a folder has is not done again.

Results are the same bits: each network is trained by one thread on samples of its own, with a seed of its own, and
where it is done, in what company, and what comes first, is no part of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _executors, _threads
from fastmlp._executors import Job
from fastmlp._types import Array, Mask
from fastmlp.checkpoint import Checkpoint
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.model.units import Units
from fastmlp.network.network import Network
from fastmlp.optimize import advice
from fastmlp.optimize.monitor import TIME_LIMIT
from fastmlp.runs import tasks as here
from fastmlp.runs.tasks import Done, Outcome, Rules, Task, prepared

SECONDS = 0.1  # of training in a job, by the estimate: beside it those of Dask take 5 ms, of a process pool 1
STEPS = 300  # of a training, for the estimate; those of the lecture's graph take up to 500
STEP, PRODUCT = 5e-6, 3e-10  # seconds of a step beside its products, and of each of these
OF_GRADIENT = 4  # products for each parameter and row
WRAPPED = ("callback", "learning_rate")  # functions of the caller's, which `quiet_but` has wrapped
SETTINGS = ("method", "max_iter", "tol", "ftol", "standardize", "fixed", "tied")  # of the rules, that results depend on
NAMED = 6  # runs in the name of a job
FLOATS = 2  # fields of an Outcome, before the integers
PARTS = ("values", "counts")


class Order(NamedTuple):
    """A network, and how it is trained, for a worker."""

    architecture: Architecture
    params: Array
    units: Units | None
    trained: bool
    pruned: Mask | None
    penalty: Any
    rng: Any


def rules(how: Rules, executor: Any) -> Rules:
    """As checked; a worker has one thread unless it is told another number, and no callbacks."""
    _executors.checked(executor)
    if executor is None:
        return how.checked()
    if how.options.get("callback") is not None:
        raise ValueError("callback: expected None with executor=, since workers would call it, got a function")
    return how._replace(n_threads=1 if how.n_threads is None else how.n_threads).checked()


def opened(
    folder: Any, call: str, how: Rules, sets: Collection[tuple[Samples, Samples | None]], settings: Mapping[str, Any]
) -> Checkpoint | None:
    """The checkpoint of a call, if it is to have one, of training and validation sets and of settings.

    Networks of several kinds have the same sets; those with the most digits are looked at.
    """
    if folder is None or not sets:
        return None
    training, held_out = max(sets, key=lambda pair: pair[0].X.itemsize)
    data = {"X": training.X, "T": training.targets, "sample_weight": training.weight, "validation": held_out}
    rules = {name: getattr(how, name) for name in SETTINGS} | _unwrapped(how).options
    return Checkpoint(folder, call, {**data, **settings, **rules})


def train(
    tasks: Sequence[Task], how: Rules, done: Done, executor: Any, kept: Checkpoint | None,
    tick: Callable[[int], Any] | None = None,
) -> None:  # fmt: skip
    """As `tasks.train`, by an executor if there is one; `tick` is told how many more are done."""
    if kept is not None:
        for numbers, arrays in kept.read():
            _restore(tasks, numbers, arrays, done)
        if tick is not None and done:
            tick(len(done))
    left = {number: task for number, task in enumerate(tasks) if number not in done}

    def ended(numbers: Sequence[int]) -> None:
        if kept is not None:
            _keep(kept, [number for number in numbers if done[number].status != TIME_LIMIT], tasks, done)
        if tick is not None:
            tick(len(numbers))

    if executor is None:
        here.train(left, how, done, None if kept is None and tick is None else ended)
        return
    with here.claimed(left.values()):
        _by_workers(left, how, done, executor, ended)


# ---- by an executor ----


def _by_workers(
    tasks: Mapping[int, Task], how: Rules, done: Done, executor: Any, ended: Callable[[list[int]], Any]
) -> None:
    """`ended` is told the numbers of those that are done, chunk by chunk as they come."""
    deadline = time.time() + how.time_limit  # by a clock that workers have, too
    chunks, jobs = [], []
    for group in _on_the_same_samples(tasks):
        shared = _executors.packed(tasks[group[0]].samples, "samples")
        for chunk in _chunks({number: tasks[number] for number in group}, how):
            orders = [_order(tasks[number]) for number in chunk]
            jobs.append(Job(_named(chunk), (chunk, orders, _unwrapped(how), deadline, advice.remedies()), shared))
            chunks.append(chunk)
    with closing(_executors.answers(executor, _trained, jobs, advice.relay)) as answers:
        for place, found in answers:
            for number, (params, outcome) in zip(chunks[place], found, strict=True):
                tasks[number].net._have(params, tasks[number].own)
                done[number] = outcome
            ended(chunks[place])


def _trained(
    samples: Samples, numbers: list[int], orders: list[Order], how: Rules, deadline: float, remedies: advice.Remedies
) -> list[tuple[Array, Outcome]]:
    """In a worker: the parameters of each network, and what has become of it."""
    networks = [
        Network._make(each.architecture, each.params, each.units, trained=each.trained, pruned=each.pruned)
        for each in orders
    ]
    seconds = max(0.0, deadline - time.time())
    how = how._replace(time_limit=seconds, n_threads=_threads.resolve(how.n_threads))
    penalties, rngs = [each.penalty for each in orders], [each.rng for each in orders]
    tasks = prepared(networks, [samples] * len(orders), penalties, rngs, how)
    done: Done = {}
    with advice.once(remedies):
        here.train(dict(zip(numbers, tasks, strict=True)), how, done)
    return [(net._params, done[number]) for number, net in zip(numbers, networks, strict=True)]


def _order(task: Task) -> Order:
    net = task.net
    return Order(net._architecture, net._params, net._units, net._trained, net._pruned, task.penalty, task.rng)


def _unwrapped(how: Rules) -> Rules:
    """With functions as the caller has given them: a worker's `fit` calls them under errors of its own."""
    own = {name: getattr(how.options[name], "__wrapped__", None) for name in WRAPPED if callable(how.options.get(name))}
    return how._replace(options=how.options | own)


def _on_the_same_samples(tasks: Mapping[int, Task]) -> Iterable[list[int]]:
    """Numbers of tasks, together where samples are the same numbers in memory: networks have views of their own."""
    groups: dict[Any, list[int]] = {}
    keys: dict[int, Any] = {}
    for number, task in tasks.items():
        X, targets, weight = task.samples
        if id(task.samples) not in keys:
            keys[id(task.samples)] = tuple(None if a is None else _place(a) for a in (X, *targets, weight))
        groups.setdefault(keys[id(task.samples)], []).append(number)
    return groups.values()


def _place(array: Array) -> tuple[Any, ...]:
    told = array.__array_interface__
    return told["data"], told["typestr"], told["shape"], told["strides"]


def _chunks(tasks: Mapping[int, Task], how: Rules) -> Iterator[list[int]]:
    """The largest first, as many as take a tenth of a second."""
    chunk: list[int] = []
    seconds = 0.0
    for number in sorted(tasks, key=lambda number: -tasks[number].net.n_params):
        chunk.append(number)
        seconds += _estimate(tasks[number], how)
        if seconds >= SECONDS:
            yield chunk
            chunk, seconds = [], 0.0
    if chunk:
        yield chunk


def _estimate(task: Task, how: Rules) -> float:
    """Seconds of a training, roughly: infinite of what `Network.fit` does."""
    if here.is_alone(task, how):
        return math.inf
    size, rows = task.net.n_params, len(task.samples.X) * task.net._architecture.n_outputs
    products = size * (rows * size + size**2 / 6 if how.method == "lm" else rows * OF_GRADIENT)
    return min(STEPS, int(how.max_iter)) * (STEP + PRODUCT * products)


def _named(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:NAMED]))
    return f"run {shown}" if len(numbers) == 1 else f"runs {shown}{', ...' * (len(numbers) > NAMED)}"


# ---- what a folder has ----


def _keep(kept: Checkpoint, numbers: Sequence[int], tasks: Sequence[Task], done: Done) -> None:
    if numbers:
        params = [tasks[number].net._params.astype(np.float64) for number in numbers]
        values, counts = [done[number][:FLOATS] for number in numbers], [done[number][FLOATS:] for number in numbers]
        arrays = {"params": np.concatenate(params), "values": np.array(values), "counts": np.array(counts, np.int64)}
        kept.write(numbers, arrays)


def _restore(tasks: Sequence[Task], numbers: Sequence[int], arrays: dict[str, Any], done: Done) -> None:
    ends = np.cumsum([tasks[number].net.n_params for number in numbers])
    parts = np.split(arrays["params"], ends[:-1])
    for number, params, values, counts in zip(numbers, parts, *(arrays[name].tolist() for name in PARTS), strict=True):
        net = tasks[number].net
        net._have(params.astype(net.dtype), tasks[number].own)
        done[number] = Outcome(*values, *counts)
