"""What is pruned: a network, its samples and its penalty, or a posterior; the compact network of what is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp.bayes import derivative_data, doubts
from fastmlp.bayes.frame import Frame, framed
from fastmlp.bayes.parameters import Parameters
from fastmlp.bayes.posterior import Posterior, log_normalizer
from fastmlp.model import functional, selection, units
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.network.network import Network, check_network
from fastmlp.optimize import explained, reference, scale
from fastmlp.pruning import candidates
from fastmlp.terms import DataTerm, Sum, gaussian, penalties
from fastmlp.terms import objective as objectives
from fastmlp.terms.told import told_units

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

ROUNDING = 1e-12  # of the largest parameter: what zeros become in the data's units, and back
SMALLER = 0.7  # than the network that is at hand, so that a compact one is made anew


class Problem:
    """A network, its samples and its penalty, in standardised units if asked for; float64 throughout.

    Parameters
    ----------
    own : Architecture
        Of the network, whatever its number type.
    frame : Frame
    samples : Samples
        In the units of the frame.
    params : ndarray of shape (P,)
        Where the network is, likewise.
    penalty : WeightDecay, Term or Sum, optional
    n_threads : int, optional
    beta : float or ndarray of shape (K,), optional
        The noise precision of a negative log posterior; None where the objective is in units of the loss.
    """

    given: Callable[[], tuple[Any, Any]]  #: X and T as they came, where they are no posterior's
    hint = ""  #: what else may be the cause where the network is not at an optimum

    def __init__(
        self, own: Architecture, frame: Frame, samples: Samples, params: Float, penalty: Any, n_threads: Any,
        beta: Any = None,
    ) -> None:  # fmt: skip
        self.own, self.frame, self.samples, self.params = own, frame, samples, params
        self.architecture, self.n_threads, self.beta = frame.architecture, n_threads, beta
        decay, terms = penalties.split(penalty)
        self.decay = np.zeros(len(params)) if decay is None else decay.diagonal(self.architecture)
        self.data = DataTerm(self.architecture, samples, 1.0 if beta is None else beta, n_threads)
        self.terms = penalties.bound(terms, self.data)
        self.silent: Mask = np.logical_not(samples.summed(_speaking))
        self._compact: Compact | None = None
        self._used_last = b""

    @classmethod
    def of_network(
        cls, net: Network, X: Any, T: Any, sample_weight: Any, penalty: Any, standardize: Any, n_threads: Any
    ) -> Problem:
        """The problem of arguments as `Network.fit` takes them."""
        own = check_network(net)._architecture.told_by(X, T)
        architecture = own.changed(dtype="float64") if own.dtype != np.float64 else own
        X, T, sample_weight = functional.in_chunks(X, T, sample_weight)
        samples = functional.check_samples(architecture, X, T, sample_weight)
        objectives.require_samples(samples)
        given = partial(explained.given, X, T, samples)
        own_units = units.chosen(standardize, None, architecture, samples)  # as `fit`
        own_units = None if own_units is None else told_units(penalty, architecture, len(samples.X), own_units)
        frame, samples = framed(architecture, own_units, samples, net._pruned)
        params = net._params if own_units is None else net._in_units(own_units)
        penalty = penalties.seen_in(penalty, architecture, len(samples.X), None, own_units)
        problem = cls(own, frame, samples, params.astype(np.float64), penalty, n_threads)
        problem.given = given
        if own_units is None and net.units is not None:
            problem.hint = doubts.KNOWS_UNITS
        return problem

    @classmethod
    def of_posterior(cls, known: Posterior, frame: Frame) -> Problem:
        """The negative log posterior, whose held parameters are to be 0."""
        objective, free = known.known_objective, known.free
        derivative_data.refuse(objective, "pruning by a posterior")
        held = known.params[np.asarray(free.index) < 0] if free.is_selection else known.params
        if np.abs(held).max(initial=0.0) > ROUNDING * np.abs(known.params).max(initial=0.0):
            raise ValueError("net: expected a posterior whose held parameters are 0, got others")
        decay = np.zeros(len(known.params)) if objective.decay is None else free.push(objective.decay)
        forms = () if objective.terms is None else objective.terms.terms
        penalty = Sum(gaussian.by_parameter(decay), *forms) if forms else gaussian.by_parameter(decay)
        frame = frame._replace(pruned=np.asarray(free.index) < 0)
        return cls(frame.architecture, frame, known.samples, known.params, penalty, known.n_threads, known.beta)

    def warn_of_scale(self) -> str:
        """Say, as `fit` does, of which columns of X and T nothing can be learned from here; what was said."""
        architecture, samples = self.architecture, self.samples
        constant = reference.of(architecture, samples)
        return scale.before(architecture, self.params, samples, constant, False, self.frame.units, self.given())

    def refuse_constant_targets(self) -> None:
        """ValueError where standardised targets have no scale, so that no parameter is left."""
        if not self.frame.varying.any():
            raise ValueError(
                "T: expected targets that vary, with standardize=True, got constants, for which a bias of the outputs "
                "is enough"
            )

    @property
    def start(self) -> Mask:
        """What is pruned before the first deletion: what the network says, constant targets, and what is dead."""
        pruned = np.zeros(len(self.params), bool)
        pruned[self.frame.known] = True
        return self.dead(pruned)

    def dead(self, pruned: Mask) -> Mask:
        """With all that cannot change an output any more."""
        return candidates.dead(self.architecture, pruned, self.silent)

    @property
    def default_tol(self) -> float:
        """For |g|_inf."""
        tol = reference.default_tol(self.architecture, reference.of(self.architecture, self.samples))
        return tol * float(np.max(self.data.noise_precision))

    def own_precision(self, noise_precision: Any) -> float | None:
        """The user's noise precision in the units of the problem."""
        if noise_precision is None or not self.architecture.loss.has_noise:
            if noise_precision is not None:
                raise ValueError(
                    f"noise_precision: expected None for {self.architecture.loss}, got {check.shown(noise_precision)}"
                )
            return None
        given = check.number(noise_precision, "noise_precision", 0.0, above=True)
        own = self.frame.own_precision(given)
        if np.ndim(own):
            raise ValueError("noise_precision: expected None with outputs of several scales, got a number")
        return float(own)

    def log_normalizer(self, beta: float) -> float:
        """What the loss leaves out of the log likelihood, in the units of the targets."""
        return self._log_normalizer + 0.5 * self.n_targets * math.log(beta)

    @cached_property
    def _log_normalizer(self) -> float:
        return log_normalizer(self.data, self.frame.varying) - self.frame.log_volume(self._counts)

    def refuse_flat_priors(self, sets: Iterable[Index], name: str) -> None:
        """ValueError where a deletion, or what is left, has no evidence."""
        flat = [where[self.decay[where] == 0] for where in sets if not self.decay[where].all()]
        if flat:
            first, kept = selection.name_of(self.architecture, int(flat[0][0])), name != "stop"
            raise ValueError(
                f"{name}: expected a penalty on all that {'may be deleted' if kept else 'is trained'} with 'evidence', "
                f"got none on {first}; take WeightDecay(weights, biases) > 0"
                + ", or keep= what is not penalised"
                * kept
            )

    def seen(self, samples: Any) -> Samples:
        """Other samples in the units of the problem."""
        own: Samples = samples if self.frame.units is None else self.frame.units.applied(samples)
        return own

    @cached_property
    def n_targets(self) -> float:
        """How many targets there are, by weight, but for constant ones."""
        return float(self._counts[self.frame.varying].sum())

    @property
    def _counts(self) -> Float:
        """Of each output (K,)."""
        return self.samples.counts(len(self.frame.varying))

    def compact(self, pruned: Mask) -> Compact:
        """Without units and inputs that have nothing left; with some of them, as long as these are few."""
        used, known = self._used(pruned), self._compact
        before, self._used_last = self._used_last, used.tobytes()
        if known is not None and self._used_last == before:
            return known
        if known is None or (used > known.used).any() or self._size(used) <= SMALLER * len(known.where):
            small, where = compact_architecture(self.architecture, np.split(used, self._layers))
            data = self._data_of(small, np.flatnonzero(used[: self.architecture.n_inputs]))
            known = self._compact = Compact(used, data, where)
        return known

    def _size(self, used: Mask) -> int:
        """Parameters of the network of inputs and units that are used."""
        widths = np.add.reduceat(used, [0, *self._layers], dtype=np.intp)
        return int((widths[:-1] + 1) @ widths[1:])

    @cached_property
    def _layers(self) -> Index:
        """Where the units of each layer begin, counted from the first input on."""
        return np.cumsum(self.architecture.widths[:-1])

    @cached_property
    def _firsts(self) -> Index:
        """The same, with that of the inputs before, and without that of the outputs."""
        return np.append(0, self._layers[:-1])

    @cached_property
    def _ends(self) -> Index:
        """The units (2, P) that each parameter leads into, and that it comes from: an input, or a bias's own."""
        firsts = [0, *self._layers]
        into, out_of = np.empty((2, self.architecture.n_params), np.intp)
        places = self.architecture.unravel(np.arange(self.architecture.n_params))
        for W, b, below, above in zip(places.weights, places.biases, firsts, firsts[1:], strict=False):
            units = above + np.arange(len(b))
            into[W], into[b], out_of[b] = units[:, np.newaxis], units, units
            out_of[W] = below + np.arange(W.shape[1])
        return np.stack([into, out_of])

    def _used(self, pruned: Mask) -> Mask:
        """Inputs and units that have parameters left; a layer keeps one, where none has."""
        used = np.zeros(int(self._layers[-1]) + self.architecture.n_outputs, bool)
        used[self._ends[:, ~pruned]] = True
        used[self._layers[-1] :] = True
        used[self._firsts] |= ~np.logical_or.reduceat(used[: self._layers[-1]], self._firsts)
        return used

    def _data_of(self, architecture: Architecture, columns: Index) -> DataTerm:
        """The data term of a smaller network, which takes these inputs alone."""
        samples = self.samples
        if len(columns) < self.architecture.n_inputs:
            samples = samples.mapped(partial(_of_columns, columns))
        return DataTerm(architecture, samples, 1.0 if self.beta is None else self.beta, self.n_threads)


def _speaking(samples: Samples) -> Mask:
    """Which inputs are not 0 in all samples."""
    return np.asarray(samples.X.any(axis=0))


def _of_columns(columns: Index, samples: Samples) -> Samples:
    """With these inputs alone."""
    if samples.X is None:  # of a chunk whose targets alone are wanted
        return samples
    return samples._replace(X=np.ascontiguousarray(samples.X[:, columns]))


class Compact(NamedTuple):
    """A smaller network."""

    used: Mask  # which inputs and units of the larger one it has
    data: DataTerm
    where: Index  # its parameters among those of the larger one


def posed(
    net: Any, X: Any, T: Any, sample_weight: Any, penalty: Any, noise_precision: Any, standardize: Any, n_threads: Any
) -> Problem:
    """The problem of a network and its data, or of a posterior, which brings them along."""
    if not isinstance(net, (Network, Parameters)):
        raise TypeError(f"net: expected a fastmlp.Network, or the posterior of one, got {type(net).__name__}")
    if not isinstance(net, Parameters):
        return Problem.of_network(net, X, T, sample_weight, penalty, standardize, n_threads)
    given = {"X": X, "T": T, "sample_weight": sample_weight, "penalty": penalty, "noise_precision": noise_precision}
    for name, value in given.items():
        if value is not None:
            raise TypeError(f"{name}: expected None with a posterior, which has its own, got {type(value).__name__}")
    if standardize is not False:
        raise TypeError("standardize: expected False with a posterior, whose units count, got something else")
    return Problem.of_posterior(net._posterior, net._frame)


def compact_architecture(architecture: Architecture, used: list[Mask]) -> tuple[Architecture, Index]:
    """With the inputs and units that are used alone; which parameters of the larger one it has."""
    places = architecture.unravel(np.arange(architecture.n_params))
    where = [
        part
        for W, b, columns, rows in zip(places.weights, places.biases, used, used[1:], strict=False)
        for part in (W[np.ix_(rows, columns)].ravel(), b[rows])
    ]
    small = architecture.changed(layers=[np.count_nonzero(each) for each in used])
    return small, np.concatenate(where)
