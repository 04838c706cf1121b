"""Several posteriors with equal weights: what networks from different starts predict together."""

from __future__ import annotations

import os
from typing import Any, Literal, Self, overload

import numpy as np

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp._tables import Page, printed
from fastmlp._types import Array, ArrayLike, Float
from fastmlp.bayes import shown, stored
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.prediction import Prediction
from fastmlp.bayes.predictive import interval_of
from fastmlp.bayes.starts import Starts
from fastmlp.model import archive


@printed
@quiet
class Mixture:
    """The equal mixture of posteriors, one for each start: ``fastmlp.fit_evidence(..., combine="average")``.

    Attributes
    ----------
    members : list of Evidence
        The posteriors of the starts of the number of hidden units that was chosen.
    starts : Starts
        All networks that were trained.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> x = np.linspace(-1, 1, 40)[:, None]
    >>> t = np.sin(3 * x) + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    >>> net = fastmlp.Network([1, 3, 1], rng=0)
    >>> mixture = fastmlp.fit_evidence(net, x, t, n_starts=3, rng=0, combine="average")
    >>> mean, variance = mixture.predict([[0.0], [3.0]])
    >>> len(mixture.members), bool(variance[1, 0] > variance[0, 0])
    (3, True)
    """

    def __init__(self, members: list[Any], starts: Starts) -> None:
        self.members: list[Laplace] = members
        self.starts = starts

    @classmethod
    def _of_members(cls, members: list[Any]) -> Self:
        """What a file has of one: the starts are those of the members alone."""
        return cls(members, Starts(start for member in members for start in member.starts))

    def save(self, path: str | os.PathLike[str], *, samples: bool = False) -> None:
        """Write all members to a file, which `fastmlp.load` reads; the file appears complete or not at all.

        Parameters
        ----------
        path : str or path-like
        samples : bool, default=False
            As for `Laplace.save`.

        Raises
        ------
        OSError, ValueError
            As `Laplace.save`.

        Notes
        -----
        Starts that are no members are left out.
        """
        archive.save(path, *self._contents(samples=check.boolean(samples, "samples")))

    def _contents(self, *, samples: bool = False) -> tuple[dict[str, Any], dict[str, Array]]:
        """The manifest and the arrays of its file."""
        return stored.contents("Mixture", [member._entry(samples=samples) for member in self.members])

    def _shown(self) -> Page:
        return Page(
            f"Mixture of {len(self.members)} posteriors with equal weights, {self.members[0]._architecture.phrase()}",
            (shown.members(self.members),),
        )

    @overload
    def predict(
        self, X: ArrayLike, parts: Literal[True], *, noise_std: ArrayLike | None = None, interval: None = None
    ) -> Prediction: ...
    @overload
    def predict(
        self, X: ArrayLike, parts: Literal[False] = False, *, noise_std: ArrayLike | None = None, interval: float
    ) -> tuple[Float, Float]: ...
    @overload
    def predict(
        self, X: ArrayLike, parts: bool = False, *, noise_std: ArrayLike | None = None, interval: float | None = None
    ) -> tuple[Float, Float] | Any: ...  # probabilities of a classifier
    def predict(
        self, X: ArrayLike, parts: bool = False, *, noise_std: ArrayLike | None = None, interval: float | None = None
    ) -> Prediction | tuple[Float, Float] | Any:
        """What new targets will be: as `Laplace.predict`, of the mixture.

        Parameters
        ----------
        X : array-like of shape (N, D)
        parts : bool, default=False
        noise_std : float or array-like of shape (N,) or (N, K), optional
            As for `Laplace.predict`.
        interval : float, optional
            Likewise: between the quantiles of the mixture of all members' distributions.

        Returns
        -------
        (mean, variance), probabilities, Prediction or (low, high)
            The mean of the members' means, and the law of total variance: `epistemic` is the mean of the members' plus
            the variance of their means, `noise` the mean of theirs.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D).

        Notes
        -----
        Cost: as `Laplace.predict` for each member.
        """
        self.members[0]._architecture.check_names(X)
        X = check.real_array(X, "X", None)  # read once
        if noise_std is not None:
            noise_std = check.real_array(noise_std, "noise_std", np.float64)
        if interval is not None:
            if check.boolean(parts, "parts"):
                raise ValueError("parts: expected False with an interval, got True")
            return interval_of(self.members, X, interval, noise_std, 1000, 0)
        each = [member.predict(X, parts=True, noise_std=noise_std) for member in self.members]
        means = np.array([prediction.mean for prediction in each])
        epistemic = np.mean([prediction.epistemic for prediction in each], axis=0) + means.var(axis=0)
        prediction = Prediction(means.mean(axis=0), epistemic, np.mean([one.noise for one in each], axis=0))
        if check.boolean(parts, "parts"):
            return prediction
        if self.members[0].has_variance:
            return prediction.mean, prediction.epistemic + prediction.noise
        return prediction.mean

    def extrapolation(self, X: ArrayLike) -> Float:
        """How far new samples lie outside of those that were trained on: as `Laplace.extrapolation`.

        Parameters
        ----------
        X : array-like of shape (N, D)

        Returns
        -------
        ndarray of shape (N, D)

        Raises
        ------
        TypeError, ValueError
            Likewise.
        """
        return self.members[0].extrapolation(X)

    def log_density(
        self, X: ArrayLike, T: ArrayLike, *, noise_std: ArrayLike | None = None, missing: str = "raise"
    ) -> Float:
        """Ln p(t|x) of new samples: of the mixture of the members' predictions, not of its first two moments.

        Parameters
        ----------
        X : array-like of shape (N, D)
        T : array-like of shape (N, K)
            As for `Network.loss`.
        noise_std, missing
            As for `Laplace.log_density`.

        Returns
        -------
        ndarray of shape (N,)
            ln of the mean over the members of exp(`Laplace.log_density`), in nats; a density in the units of T for
            regression.

        Raises
        ------
        TypeError, ValueError
            If X or T is wrong; for counts, whose prediction has no closed form.

        Notes
        -----
        Cost: as `Laplace.log_density` for each member.
        """
        each = np.array([member.log_density(X, T, noise_std=noise_std, missing=missing) for member in self.members])
        return np.asarray(np.logaddexp.reduce(each, axis=0) - np.log(len(each)))
