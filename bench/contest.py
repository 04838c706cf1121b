"""One cell of the table: an operation on a problem by all contestants, compared with NumPy by hand, then timed."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from flops import flops, split
from peak import Peak
from peers import CLASSES, OURS, Peer, load
from problems import CURVED, make, samples_of
from timing import Job, Timing, interleave, repeat

OPERATIONS = {  # what the tables call them
    "row": "predict one row",
    "predict": "predict all rows",
    "gradient": "loss and gradient",
    "adam32": "Adam epoch, minibatch 32",
    "adam128": "Adam epoch, minibatch 128",
    "input_jacobian": "input Jacobian",
    "param_jacobian": "parameter Jacobian",
    "ggn": "value, gradient, Gauss-Newton",
    "hessian": "exact Hessian",
    "hessp": "Hessian product",
    "hessp8": "Hessian product, 8 directions",
    "ggnp": "Gauss-Newton product",
    "ggnp8": "Gauss-Newton product, 8 directions",
    "lm20": "20 steps of Levenberg-Marquardt",
}
METHODS = {"gradient": "loss_and_grad", "lm": "levenberg_marquardt"}  # where a peer's is not called as the operation
NUMBERED = ("hessp", "ggnp", "lm")  # methods that take the operation's number
YARDSTICKS = {  # what else of ours is timed in the same rounds, to tell what an operation costs in such units
    "param_jacobian": "filling",  # of as large a new array
    "hessian": "ggn",
    "hessp": "gradient",
    "hessp8": "hessp",
    "ggnp": "gradient",
    "ggnp8": "ggnp",
}
# of what is no training, relative, in the norm; one relu that switches by rounding makes 1e-4
TOLERANCE = {"float64": 1e-12, "float32": 1e-3}
CURVED_TOLERANCE = {"float64": 1e-10, "float32": 1e-3}
# Minibatches of the training that is compared, the last one short: many more steps than that let any rounding error
# grow to any size where a relu switches.
COMPARED_BATCHES = 3.2
COMPARED_EPOCHS = 2
COMPARED_STEPS = 5  # of Levenberg-Marquardt


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
    yardstick: float | None = None  # seconds of the operation's yardstick


def contestants(operation: str, names: Iterable[str]) -> list[str]:
    """Those that are installed and offer the operation."""
    classes = {name: load(name) for name in names}
    return [name for name, peer in classes.items() if peer is not None and split(operation)[0] in peer.offers]


def job(operation: str, peer: Peer) -> Job:
    """The operation as done by this contestant."""
    kind, number = split(operation)
    if kind == "adam":
        return lambda n: peer.train(number, n)
    if kind == "row":
        return repeat(peer.predict_row, peer.problem.X[:1].copy())
    if kind == "filling":
        net, X, _ = peer.problem
        return repeat(np.full, (len(X), net.layers[-1], net.params.size), 1.0, net.dtype)
    method = getattr(peer, METHODS.get(kind, kind))
    return repeat(method, number) if kind in NUMBERED else repeat(method)


def results(operation: str, peer: Peer) -> list[np.ndarray]:
    """What the operation gives; of training, the way gone from the start; of Levenberg-Marquardt, the loss reached."""
    kind, number = split(operation)
    if kind == "row":
        return [peer.outputs(peer.predict_row(peer.problem.X[:1].copy()))]
    if kind == "predict":
        return [peer.outputs(peer.predict())]
    if kind == "adam":
        return [peer.vector(peer.train(number, COMPARED_EPOCHS)) - peer.problem.net.params]
    if kind == "gradient":
        return list(peer.sums(peer.loss_and_grad()))
    if kind == "input_jacobian":
        return [np.asarray(peer.input_jacobian())]
    if kind == "param_jacobian":
        return [peer.ordered(peer.param_jacobian(), 2)]
    if kind == "ggn":
        loss, gradient, matrix = peer.ggn()
        return [np.float64(loss), peer.ordered(gradient, 0), peer.ordered(matrix, 0, 1)]
    if kind == "hessian":
        return [peer.ordered(peer.hessian(), 0, 1)]
    if kind == "lm":
        reached = peer.ordered(peer.levenberg_marquardt(COMPARED_STEPS), 0)
        return [np.float64(load("numpy")(peer.problem).loss_at(reached))]
    return [peer.ordered(getattr(peer, kind)(number), 0)]


def check(operation: str, peers: Mapping[str, Peer]) -> None:
    """Refuse to time what computes something else than NumPy by hand does on the same problem."""
    problem = next(iter(peers.values())).problem
    expected = results(operation, load("numpy")(problem))
    for name, peer in peers.items():
        tolerance = tolerances(operation, peer)[problem.net.dtype.name]
        for got, right in zip(results(operation, peer), expected, strict=True):
            difference = np.linalg.norm(got - right) / np.linalg.norm(right)
            if not difference <= tolerance:
                raise Disagreement(f"{name} differs from NumPy by hand by {difference:.1e}, more than {tolerance}")


def tolerances(operation: str, peer: Peer) -> dict[str, float]:
    """How far a contestant's result may be from NumPy's, for each number type."""
    kind = split(operation)[0]
    if kind == "adam":
        return peer.training_tolerance
    if kind == "lm":
        return peer.descent_tolerance
    return CURVED_TOLERANCE if operation in CURVED else TOLERANCE


def compared(
    operation: str, shape: str, dtype: str, names: Iterable[str], most_samples: int | None = None
) -> dict[str, Peer]:
    """Contestants whose results agree, ready to work on the problem."""
    classes = {name: load(name) for name in names}
    problem = make(shape, dtype, samples_of(operation, shape, most_samples))
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
    if operation in YARDSTICKS:
        jobs["yardstick"] = job(YARDSTICKS[operation], peers["fastmlp"])
    timings = interleave({**jobs, "peak": peak.run}, seconds, least_rounds, **options)
    net, X, _ = peers["fastmlp"].problem
    rate = peak.flops / timings.pop("peak").median
    yardstick = timings.pop("yardstick").median if "yardstick" in timings else None
    return Cell(operation, shape, dtype, flops(operation, net.layers, len(X)), rate, timings, yardstick)


def peers_of(cell: Cell) -> list[str]:
    """Names of the peers that took part, fastest first."""
    names = [name for name in cell.timings if name not in OURS]
    return sorted(names, key=lambda name: cell.timings[name].median)
