"""One cell of the table: an operation on a problem by all contestants, compared with NumPy by hand, then timed."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from peak import Peak
from peers import CLASSES, OURS, Peer, load
from problems import flops, make
from timing import Job, Timing, interleave, repeat

OPERATIONS = {  # what the tables call them
    "row": "predict one row",
    "predict": "predict all rows",
    "gradient": "loss and gradient",
    "adam32": "Adam epoch, minibatch 32",
    "adam128": "Adam epoch, minibatch 128",
}
# of what is no training, relative, in the norm; one relu that switches by rounding makes 1e-4
TOLERANCE = {"float64": 1e-12, "float32": 1e-3}
# Minibatches of the training that is compared, the last one short: many more steps than that let any rounding error
# grow to any size where a relu switches.
COMPARED_BATCHES = 3.2
COMPARED_EPOCHS = 2


class Disagreement(Exception):  # noqa: N818 - nobody erred: two disagree
    """A contestant's result is not NumPy's."""


class Cell(NamedTuple):
    """Times of all contestants at one operation on one problem."""

    operation: str
    shape: str
    dtype: str
    flops: int
    peak: float  # floating-point operations a second, measured in the same rounds
    timings: dict[str, Timing]


def split(operation: str) -> tuple[str, int]:
    """Kind and minibatch: adam32 is ("adam", 32)."""
    kind = operation.rstrip("0123456789")
    return kind, int(operation[len(kind) :] or 0)


def contestants(operation: str, names: Iterable[str]) -> list[str]:
    """Those that are installed and offer the operation."""
    classes = {name: load(name) for name in names}
    return [name for name, peer in classes.items() if peer is not None and split(operation)[0] in peer.offers]


def job(operation: str, peer: Peer) -> Job:
    """The operation as done by this contestant."""
    kind, batch_size = split(operation)
    if kind == "adam":
        return lambda n: peer.train(batch_size, n)
    if kind == "row":
        return repeat(peer.predict_row, peer.problem.X[:1].copy())
    return repeat(peer.predict if kind == "predict" else peer.loss_and_grad)


def results(operation: str, peer: Peer) -> list[np.ndarray]:
    """What the operation gives; of training, the way gone from the start."""
    kind, batch_size = split(operation)
    if kind == "row":
        return [peer.outputs(peer.predict_row(peer.problem.X[:1].copy()))]
    if kind == "predict":
        return [peer.outputs(peer.predict())]
    if kind == "gradient":
        loss, gradient = peer.sums(peer.loss_and_grad())
        return [np.array(loss), gradient]
    return [peer.vector(peer.train(batch_size, COMPARED_EPOCHS)) - peer.problem.net.params]


def check(operation: str, peers: Mapping[str, Peer]) -> None:
    """Refuse to time what computes something else than NumPy by hand does on the same problem."""
    training = split(operation)[0] == "adam"
    problem = next(iter(peers.values())).problem
    expected = results(operation, load("numpy")(problem))
    for name, peer in peers.items():
        tolerance = (peer.training_tolerance if training else TOLERANCE)[problem.net.dtype.name]
        for got, right in zip(results(operation, peer), expected, strict=True):
            difference = np.linalg.norm(got - right) / np.linalg.norm(right)
            if not difference <= tolerance:
                raise Disagreement(f"{name} differs from NumPy by hand by {difference:.1e}, more than {tolerance}")


def compared(
    operation: str, shape: str, dtype: str, names: Iterable[str], most_samples: int | None = None
) -> dict[str, Peer]:
    """Contestants whose results agree, ready to work on the problem."""
    classes = {name: load(name) for name in names}
    problem = make(shape, dtype, most_samples)
    peers = {name: peer(problem) for name, peer in classes.items()}
    kind, batch_size = split(operation)
    if kind == "adam":
        few = make(shape, dtype, min(int(COMPARED_BATCHES * batch_size), len(problem.X)))
        check(operation, {name: peer(few) for name, peer in classes.items()})
    else:
        check(operation, peers)
    return peers


def measure(
    operation: str,
    shape: str,
    dtype: str,
    names: Iterable[str] = tuple(CLASSES),
    seconds: float = 1.0,
    least_rounds: int = 5,
    most_samples: int | None = None,
    **options: object,
) -> Cell:
    """Compare, then time."""
    peers = compared(operation, shape, dtype, contestants(operation, names), most_samples)
    peak = Peak(np.dtype(dtype).itemsize)
    jobs = {name: job(operation, peer) for name, peer in peers.items()}
    timings = interleave({**jobs, "peak": peak.run}, seconds, least_rounds, **options)
    kind = split(operation)[0]
    net, X, _ = peers["fastmlp"].problem
    n_flops = flops(net.layers, 1 if kind == "row" else len(X), backward=kind in ("gradient", "adam"))
    rate = peak.flops / timings.pop("peak").median
    return Cell(operation, shape, dtype, n_flops, rate, timings)


def peers_of(cell: Cell) -> list[str]:
    """Names of the peers that took part, fastest first."""
    names = [name for name in cell.timings if name not in OURS]
    return sorted(names, key=lambda name: cell.timings[name].median)
