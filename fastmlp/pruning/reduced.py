"""The objective that is pruned: in the compact network of what is left, so that its cost follows the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _matrices, _sets, _threads
from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._core.fits.objective import Objective as Compiled
from fastmlp._core.fits.ties import Ties
from fastmlp.bayes import derivative_data, doubts
from fastmlp.bayes.frame import Frame, framed
from fastmlp.bayes.parameters import Parameters
from fastmlp.bayes.posterior import Posterior, log_normalizer
from fastmlp.model import functional, selection, units
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.network.network import Network, check_network
from fastmlp.optimize import reference, scale
from fastmlp.pruning import candidates
from fastmlp.terms import DataTerm, Sum, gaussian, penalties, reparam
from fastmlp.terms import objective as objectives
from fastmlp.terms.told import told_units

Float = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

SHIFTED = 1e-8  # of the curvature of biases that nothing holds: beyond rounding, and next to nothing
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
        self.silent: Mask = np.logical_not(samples.X.any(axis=0))
        self._compact: Compact | None = None
        self._used_last = b""

    @classmethod
    def of_network(
        cls, net: Network, X: Any, T: Any, sample_weight: Any, penalty: Any, standardize: Any, n_threads: Any
    ) -> Problem:
        """The problem of arguments as `Network.fit` takes them."""
        own = check_network(net)._architecture
        architecture = own.changed(dtype="float64") if own.dtype != np.float64 else own
        samples = functional.check_samples(architecture, X, T, sample_weight)
        objectives.require_samples(samples)
        own_units = units.chosen(standardize, None, architecture, samples)  # as `fit`
        own_units = None if own_units is None else told_units(penalty, architecture, len(samples.X), own_units)
        frame, samples = framed(architecture, own_units, samples, net._pruned)
        params = net._params if own_units is None else net._in_units(own_units)
        penalty = penalties.seen_in(penalty, architecture, len(samples.X), None, own_units)
        problem = cls(own, frame, samples, params.astype(np.float64), penalty, n_threads)
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

    def warn_of_scale(self, X: Any, T: Any) -> str:
        """Say, as `fit` does, of which columns of X and T nothing can be learned from here; what was said."""
        architecture, samples = self.architecture, self.samples
        constant = reference.of(architecture, samples)
        return scale.before(architecture, self.params, samples, constant, False, self.frame.units, (X, T))

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
            samples = samples._replace(X=np.ascontiguousarray(samples.X[:, columns]))
        return DataTerm(architecture, samples, 1.0 if self.beta is None else self.beta, self.n_threads)


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


class Reduced:
    """The objective of the parameters v (n,) that are left, all others 0: in the compact network of these.

    The network stays whole where the penalty is more than weight decay, as its terms are functions of all parameters,
    and where layers are not dense.

    Parameters
    ----------
    problem : Problem
    pruned : ndarray of shape (P,)
        What is not left, all that is dead included.
    values : ndarray of shape (P,), optional
        Of what is not left, if not 0.
    """

    def __init__(self, problem: Problem, pruned: Mask, values: Float | None = None) -> None:
        self.problem, self.pruned = problem, pruned
        self._values = np.zeros(len(pruned)) if values is None else np.where(pruned, values, 0.0)
        self.free = (~pruned).nonzero()[0]
        #: of E, from what is not left
        self.constant = 0.0 if values is None else 0.5 * float(problem.decay @ self._values**2)
        self.decay = problem.decay[self.free]  #: lambda (n,)
        self.data, self._where = problem.data, np.arange(len(pruned))
        if not problem.terms and problem.architecture.is_dense:
            empty = pruned if values is None else pruned & (values == 0)
            _, self.data, self._where = problem.compact(empty)
        self._left = (~pruned[self._where]).nonzero()[0]  # where v is in the compact network
        self._whole = len(self._left) == len(self._where)
        self._params = self._values[self._where]
        self._terms = None
        if problem.terms:
            self._terms = penalties.Terms(problem.terms, reparam.holding(self._values, pruned))

    @property
    def compiled(self) -> Compiled:
        """The same for the compiled floor, but for the constant."""
        data, ties = self.data, None
        if not self._whole:
            index = self.places[self._where]
            ties = Ties(index, np.ones(len(index)), self._values[self._where], len(self._left))
        n_threads = _threads.resolve(data.n_threads)
        return Compiled(data.batch, data.factor, self.decay, n_threads, ties, self._terms)

    @cached_property
    def places(self) -> Index:
        """Where each parameter (P,) is among those that are left, or -1."""
        places = np.full(len(self.pruned), -1)
        places[self.free] = np.arange(len(self.free))
        return places

    def _native(self, v: Float) -> Float:
        self._params[self._left] = v
        return self._params

    def value_and_grad(self, v: Float) -> tuple[float, Float]:
        """E and its gradient (n,)."""
        value, gradient = self.data.value_and_grad(self._native(v))
        slope = self.decay * v
        gradient = (gradient if self._whole else gradient[self._left]) + slope
        value += 0.5 * float(slope @ v) + self.constant
        if self._terms is not None:
            other, slope = self._terms.value_and_grad(v)
            value, gradient = value + other, gradient + slope
        return value, gradient

    def penalty(self, v: Float) -> float:
        """The part of E that does not depend on the data."""
        decay = 0.5 * float(self.decay @ v**2) + self.constant
        return decay if self._terms is None else decay + self._terms.value(v.copy())

    def matrix(self, v: Float, kind: str) -> Float:
        """Second derivatives of E (n, n), exact or those of Gauss-Newton."""
        A = self._curvature(v, kind)
        A.reshape(-1)[:: len(A) + 1] += self.decay
        return A if self._terms is None else A + self._terms.matrix(v.copy(), kind)

    def settled(self, A: Float) -> Float:
        """A, or with a small precision of the mean of softmax's biases where nothing else holds it.

        All of them may be shifted at no cost: along that direction A is 0 up to rounding, of any sign. With the
        precision the deletion of the first of them costs next to nothing, and takes the direction away.
        """
        biases = self._shiftable
        if not len(biases):
            return A
        A, block = _matrices.copied(A), np.ix_(biases, biases)
        A[block] += SHIFTED * float(A.diagonal()[biases].mean()) / len(biases)
        return A

    def held(self, A: Float) -> Float:
        """A, or with a small precision of all biases without a penalty where everything else has one.

        Data do not tell the biases of units that are straight lines in all samples, as those of relu may be, from those
        of the outputs. With the precision the deletion of one costs next to nothing, and the others make up for it.
        """
        flat = np.flatnonzero(self.decay == 0)
        biases = self.problem.architecture.unravel(np.arange(len(self.pruned))).biases
        if self.problem.terms or not len(flat) or not _sets.among(self.free[flat], np.concatenate(biases)).all():
            return A
        A, curvatures = _matrices.copied(A), A.diagonal()[flat]
        A[flat, flat] += SHIFTED * float(curvatures.mean() or A.diagonal().mean())
        return A

    @cached_property
    def _shiftable(self) -> Index:
        """Where softmax's biases are in v, if all are left and none has a penalty."""
        architecture = self.problem.architecture
        if self.problem.terms or not architecture.loss.couples_outputs or not architecture.layers[-1].is_dense:
            return np.zeros(0, np.intp)
        biases = architecture.unravel(np.arange(architecture.n_params)).biases[-1]
        places = self.places[biases]
        return places if (places >= 0).all() and not self.decay[places].any() else np.zeros(0, np.intp)

    def fisher(self, v: Float) -> Float:
        """The sum of outer products of the samples' gradients (n, n)."""
        return self._curvature(v, "empirical_fisher")

    def _curvature(self, v: Float, kind: str) -> Float:
        return self.data.hessian(self._native(v), kind, None if self._whole else self._left)

    def expand(self, v: Float) -> Float:
        """All parameters (P,)."""
        params = self._values.copy()
        params[self.free] = v
        return params


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
