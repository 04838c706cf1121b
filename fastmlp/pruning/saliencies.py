"""`saliencies`: what each deletion would do, before any is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._hints import hinting
from fastmlp._quiet import quiet
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp._types import Array, ArrayLike, Float
from fastmlp.bayes import Laplace
from fastmlp.model.chunks import Chunks
from fastmlp.model.names import called
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.pruning.candidates import Candidates
from fastmlp.pruning.deletion_methods import METHODS, gains
from fastmlp.pruning.living import living_optimum
from fastmlp.pruning.optimum import HESSIANS, Optimum
from fastmlp.pruning.problem import posed
from fastmlp.pruning.reduced import Reduced
from fastmlp.terms.term import Penalty

SHOWN = 12


class Rows(Sequence[Float]):
    """Rows of an array (n, P), each made when it is asked for; ``numpy.asarray`` makes all of them."""

    def __init__(self, n: int, row: Callable[[int], Float]) -> None:
        self._n, self._row = n, row

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, place: int) -> Float: ...
    @overload
    def __getitem__(self, place: slice) -> list[Float]: ...
    def __getitem__(self, place: int | slice) -> Float | list[Float]:
        if isinstance(place, slice):
            return [self._row(number) for number in range(*place.indices(self._n))]
        return self._row(range(self._n)[place])

    def __iter__(self) -> Iterator[Float]:
        return map(self._row, range(self._n))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(list(self), dtype)


@printed
class Saliencies:
    """What `fastmlp.saliencies` returns: deletions, and what each of them would do by itself.

    Attributes
    ----------
    names : list of str
        Parameters such as "W1[2,0]", hidden units as "a1[2]", inputs as "W1[:,0]", or the selections that were given.
    rise : ndarray of shape (n,)
        By how much the objective is predicted to rise.
    data_rise : ndarray of shape (n,)
        The same without the change of the penalty; may be negative.
    score : ndarray of shape (n,)
        What the method deletes by, the least first.
    method, what : str
    hessian : str
        Which second derivatives were taken: exact, or ggn where these are not positive definite.
    """

    def __init__(self, optimum: Optimum, candidates: Candidates, method: str, what: str) -> None:
        self.method, self.what, self.hessian = method, what, optimum.hessian
        self._optimum = optimum
        self._model = METHODS[method].model(optimum)
        left = candidates.left(optimum.reduced.pruned)
        self.names = [candidates.names[number] for number in left.numbers]
        self._sets = left.among(optimum.reduced.places)
        self.rise = self._model.rises(self._sets)
        self.score = METHODS[method].scores(optimum, self._model, self._sets)

    @cached_property
    def data_rise(self) -> Float:
        """See above."""
        reduced, v = self._optimum.reduced, self._optimum.v
        before = reduced.penalty(v)
        changes = [reduced.penalty(self._model.moved(S)) - before for S in self._sets]
        return np.asarray(self.rise - changes)

    @cached_property
    def evidence_gain(self) -> Float:
        """By how much the log evidence is predicted to grow (n,): -1/2 (w_S' V^-1 w_S + ln|V| + sum ln alpha_i).

        V = (A^-1)_SS / beta, the posterior's covariance of what is deleted: the ratio of the posterior's and the
        prior's densities at w_S = 0 (Savage and Dickey). nan where the prior of a part is flat.

        Raises
        ------
        ValueError
            If all priors are flat, or the method does not let other parameters follow.
        """
        if self.method in ("obd", "magnitude"):
            raise ValueError(f"method: expected obs or evidence for a gain of evidence, got {self.method}")
        result = gains(self._optimum, self._model, self._sets)
        if len(result) and np.isnan(result).all():
            raise ValueError("penalty: expected weight decay > 0 on what may be deleted, for its evidence, got none")
        return result

    @property
    def params(self) -> Rows:
        """The network's parameters after each deletion (n, P), others following as the method lets them.

        In the data's units; rows are made when they are asked for.
        """
        return Rows(len(self.names), self._after)

    def _after(self, number: int) -> Float:
        reduced = self._optimum.reduced
        return reduced.problem.frame.params(reduced.expand(self._model.moved(self._sets[number])))

    def table(self) -> str:
        """A line for each deletion, the one that comes first at the top: name, rise of objective and data loss.

        Returns
        -------
        str
        """
        return str(self._table(len(self.names)))

    def _table(self, n: int) -> Table:
        order = np.argsort(self.score, kind="stable")[:n]
        known = self._optimum.reduced.problem.frame.architecture.input_names
        rows = [(called(known, self.names[k]), self.rise[k], self.data_rise[k]) for k in order]
        return Table(rows, ("deletion", "rise", "of the data loss"), "<>>", total=len(self.names))

    def _shown(self) -> Page:
        title = f"Saliencies of {how_many(len(self.names), 'deletion')} ({self.what}), {self.method}, {self.hessian}"
        return Page(title, (self._table(SHOWN),))


@quiet
@hinting
def saliencies(
    net: Network | Laplace,
    X: ArrayLike | Chunks | None = None,
    T: ArrayLike | None = None,
    method: str = "obs",
    *,
    penalty: Penalty | None = None,
    noise_precision: float | None = None,
    sample_weight: ArrayLike | None = None,
    what: Any = "weights",
    hessian: str = "exact",
    standardize: bool | Units = False,
    n_threads: int | None = None,
) -> Saliencies:
    """What the deletion of each weight, unit or input would do to the objective, to second order.

    Parameters
    ----------
    net : Network or Laplace
        Trained with this penalty: saliencies belong to an optimum. A posterior brings data, prior and noise along, as
        for `fastmlp.prune`, and is the objective: rises are those of the negative log posterior.
    X : array-like of shape (N, D), or Chunks
    T : array-like of shape (N, K) or (N,)
        As for `Network.loss`.
    method : {"obs", "obd", "magnitude", "evidence"}
        As for `fastmlp.prune`.
    penalty, noise_precision, sample_weight, what, hessian, standardize, n_threads
        As for `fastmlp.prune`.

    Returns
    -------
    Saliencies
        `names`, `rise`, `data_rise`, `evidence_gain`, `params`, `table()`.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or nothing is left to delete.
    NotPositiveDefiniteError
        If not even the Gauss-Newton matrix is positive definite, of which it says the smallest eigenvalue, beyond
        biases without a penalty that others make up for; or where deletions leave nothing but rounding of it.

    Warns
    -----
    PosteriorWarning
        If the network is not at the optimum.

    Notes
    -----
    With A the second derivatives of the objective, penalty included, and C = A^-1, the deletion of parameters S rises
    it by L_S = w_S' (C_SS)^-1 w_S / 2 and moves the others by -C_.S (C_SS)^-1 w_S (obs, evidence); or by
    sum_S A_ii w_i^2 / 2 (obd) and w_S' A_SS w_S / 2 (magnitude), where they stay. The data loss has a slope at that
    optimum: its rise is L_S less the change of the penalty.

    Cost: a Hessian, and P^3 multiplications; P^2 more for each `params`.

    References
    ----------
    PRML 5.4; Le Cun, Denker and Solla (1990); Hassibi and Stork (1993).

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> net = fastmlp.Network([1, 1], rng=0)  # y = w x + b, of which the data need no b
    >>> penalty = fastmlp.WeightDecay(0.1, 0.1)
    >>> _ = net.fit(X, 2 * X, penalty=penalty, method="lm")
    >>> s = fastmlp.saliencies(net, X, 2 * X, penalty=penalty)
    >>> s.names, s.rise.round(3)
    (['W1[0,0]', 'b1[0]'], array([14.54,  0.  ]))
    """
    method = check.choice(method, "method", tuple(METHODS))
    hessian = check.choice(hessian, "hessian", HESSIANS)
    problem = posed(net, X, T, sample_weight, penalty, noise_precision, standardize, n_threads)
    candidates = Candidates(problem.architecture, what)
    start = problem.start
    if len(candidates.left(start).numbers) == 0:
        problem.refuse_constant_targets()
        raise ValueError("what: expected something that may be deleted, got nothing")
    if method == "evidence":
        problem.refuse_flat_priors(candidates.left(start).sets, "method")
    reduced = Reduced(problem, start)
    optimum = living_optimum(reduced, problem.params[reduced.free], hessian, problem.own_precision(noise_precision))
    optimum.warn_if_far()
    return Saliencies(optimum, candidates, method, what if isinstance(what, str) else "selections")
