"""What a posterior says of new targets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp._tables import LINES, Page, Table, how_many, printed
from fastmlp._types import Float

HEADING = ("sample", "output", "mean", "deviation", "epistemic", "noise", "share")


@printed
class Prediction(NamedTuple):
    """What new targets will be, and the two parts of its variance; each of shape (N, K).

    What `Laplace.predict` and `Mixture.predict` return with ``parts=True``.
    """

    mean: Float  #: E[t], in the units of T; of classifiers the moderated probabilities
    epistemic: Float  #: Var E[t|w], in their square: what more data would lessen
    noise: Float  #: E Var[t|w]: what they would not

    @property
    def share(self) -> Float:
        """Of the variance what is `epistemic` (N, K): near 1 where the data say nothing; nan without any variance."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.epistemic / (self.epistemic + self.noise))

    def _shown(self) -> Page:
        n_samples, n_outputs = self.mean.shape
        parts = (self.epistemic + self.noise, self.epistemic, self.noise)
        share, rows = self.share, []
        for place in range(min(self.mean.size, LINES)):
            n, k = divmod(place, n_outputs)
            rows.append((n, k, self.mean[n, k], *(variance[n, k] ** 0.5 for variance in parts), share[n, k]))
        title = f"Prediction of {how_many(n_outputs, 'output')} at {how_many(n_samples, 'sample')}, standard deviations"
        return Page(title, (Table(rows, HEADING, ">", self.mean.size),))
