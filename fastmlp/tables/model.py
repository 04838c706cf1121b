"""`TableModel`: a network, or a posterior, that takes tables, and its file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastmlp import _memory, _optional
from fastmlp import _validation as check
from fastmlp._types import Array, Float, Index
from fastmlp.bayes import posterior_files
from fastmlp.errors import ModelFormatError
from fastmlp.model import archive, io
from fastmlp.model.archive import NPY_HEADER, Archive
from fastmlp.network import Network
from fastmlp.tables import temperature
from fastmlp.tables.columns import KINDS, NUMBER, Column, Schema

VERSION = 1
COLUMNS, SCORES = "columns.npy", "scores.npy"
MEASURED = ("unit_mean", "unit_sd", "smallest", "largest")
TEXTS = (str, int, float, bool, type(None), list)


@dataclasses.dataclass(frozen=True, eq=False)
class TableModel:
    """A network that takes the columns of a table by their names: what ``fastmlp fit`` writes and ``predict`` reads.

    Attributes
    ----------
    schema : Schema
        Which columns are numbers, which categories and what levels these have.
    network : Network
        It takes `encoded`, in the units of the table.
    posterior : Laplace, Evidence, Mixture or None
        None where the size was chosen by rows kept back.
    noise_std : float or None
        Of regression: the standard deviation of the noise, or of the errors on the rows that chose the size.
    settings : dict
        The file, the target, the seed, and whatever else this was made with.
    notes : tuple of str
        What was told while it was made.
    scores : ndarray or None
        Of regression, in ascending order: errors of rows that the network was not trained on, in standard deviations
        of their predictions. Intervals are their quantiles; None: those of normal distributions.
    is_even : bool
        Of regression: the standard deviation of a prediction is `noise_std` for all rows, not the posterior's; always
        without a posterior.
    temperature : float
        Of classes: probabilities are those of the network, or the posterior, to the power 1 / temperature, by which
        rows that were not trained on are most probable.
    """

    schema: Schema
    network: Network
    posterior: Any
    noise_std: float | None
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    scores: Float | None = None
    is_even: bool = False
    temperature: float = 1.0

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes, in the order of `probabilities`; None for regression."""
        target = self.schema.target
        return None if target.kind == NUMBER else target.levels

    def encoded(self, frame: Any) -> Float:
        """The inputs of a table as numbers (N, D), D the length of ``schema.names``; ValueError says where it fails."""
        return self.schema.encoded(frame)

    def target_of(self, frame: Any) -> Float | Index:
        """The targets of a table (N,): numbers, or of classes their places in `classes`."""
        return self.schema.target_of(frame)

    def predictive(self, X: Float, interval: float) -> tuple[Float, Float, Float]:
        """Of regression: mean, lower and upper end of the interval that holds a new target with this probability.

        Parameters
        ----------
        X : ndarray of shape (N, D)
            As `encoded` gives it.
        interval : float
            Such as 0.9.

        Returns
        -------
        mean, lower, upper : ndarrays of shape (N,)
        """
        interval = check.number(interval, "interval", 0.0, above=True, high=1.0)
        mean, std = self.moments(X)
        low, high = self._quantiles(interval)
        return mean, mean + low * std, mean + high * std

    def moments(self, X: Float) -> tuple[Float, Float]:
        """Of regression: means and standard deviations of new targets, (N,) each."""
        if self.posterior is None or self.is_even:
            mean = np.asarray(self.network(X), np.float64)[:, 0]
            return mean, np.full(len(mean), self.noise_std)
        mean, variance = self.posterior.predict(X)
        return mean[:, 0], np.sqrt(variance[:, 0])

    def probabilities(self, X: Float) -> Float:
        """Of classes: the probability of each (N, K)."""
        found: Array = self.network(X) if self.posterior is None else self.posterior.predict(X)
        return temperature.scaled(np.asarray(found, np.float64), self.temperature)

    def predict(self, frame: Any, interval: float | None = None) -> Any:
        """What is predicted for the rows of a table.

        Parameters
        ----------
        frame : pandas.DataFrame
            With the columns that the model was made from, in any order; others are not looked at.
        interval : float, optional
            Of regression: also the lower and upper end of the interval that holds a new target with this probability.

        Returns
        -------
        pandas.DataFrame
            With the index of `frame`: the target; "y low" and "y high" of a target y, with `interval`; of classes the
            most probable one, and "P(c)" for each class c.

        Raises
        ------
        ValueError
            If a column is not there, an entry is not of its kind, or an interval of classes is asked for.
        """
        pd = _optional.load("pandas", "pandas", "TableModel.predict")
        name, X = self.schema.target.name, self.encoded(frame)
        if self.classes is not None:
            if interval is not None:
                raise ValueError("interval: expected none for classes, whose probabilities say all")
            P = self.probabilities(X)
            found = {name: np.array(self.classes, object)[P.argmax(axis=1)]}
            found |= {f"P({each})": P[:, k] for k, each in enumerate(self.classes)}
        elif interval is None:
            found = {name: self.moments(X)[0]}
        else:
            found = dict(zip((name, f"{name} low", f"{name} high"), self.predictive(X, interval), strict=True))
        return pd.DataFrame(found, index=frame.index)

    def _quantiles(self, interval: float) -> tuple[float, float]:
        """Ends of an interval in standard deviations.

        One more error is equally likely to fall between any two of n known ones: quantile p is number p (n + 1) of
        them. Beyond the first and the last they go on in proportion to those of the normal distribution.
        """
        normal, below = _memory.scipy("special").ndtri, 0.5 * (1.0 - interval)
        if self.scores is None:
            return float(normal(below)), float(normal(1.0 - below))
        n = len(self.scores)
        inside = min(max(below, 1.0 / (n + 1)), 0.5)
        low, high = np.interp([inside * (n + 1), (1.0 - inside) * (n + 1)], np.arange(1, n + 1), self.scores)
        further = float(normal(below) / normal(inside)) if inside > below else 1.0
        return further * float(low), further * float(high)

    # ---- files ----

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one file, the posterior included; the file appears complete or not at all."""
        if self.posterior is None:
            inner, arrays = io.contents(self.network._stored())
        else:
            inner, arrays = self.posterior._contents()
        inputs, target = self.schema
        columns = (*inputs, target)
        manifest = {
            "format": archive.TABLE,
            "version": VERSION,
            "columns": [[column.name, column.kind, list(column.levels)] for column in columns],
            "noise_std": self.noise_std,
            "even": self.is_even,
            "temperature": self.temperature,
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "model": dict(inner),
        }
        measured = np.array([[getattr(column, name) for name in MEASURED] for column in columns], np.float64)
        own = {COLUMNS: measured} | ({} if self.scores is None else {SCORES: self.scores})
        archive.save(path, manifest, {**arrays, **own})


def load(path: str | os.PathLike[str]) -> TableModel:
    """Read what `TableModel.save` has written.

    Raises
    ------
    ModelFormatError
        If the file is none of these, is damaged, or was written by a newer version.
    OSError
        If the file cannot be read.
    """
    return archive.load(path, read)


def read(file: Archive) -> TableModel:
    """A model out of an archive whose manifest names this format."""
    told = file.manifest
    if told.get("format") != archive.TABLE:
        expected = f"a model of a table, as fastmlp fit writes ({archive.TABLE!r})"
        raise ModelFormatError(f"path: expected {expected}, got another: {check.shown(told.get('format'))}")
    file.check_version(VERSION)
    schema = _schema(told["columns"], file)
    own = [COLUMNS] + [SCORES] * (SCORES in file.names)
    scores = None
    if SCORES in file.names:
        scores = file.array(SCORES, np.float64, ((file.size(SCORES) - NPY_HEADER) // 8,))
    inner = file.inside(told["model"], own)
    posterior = None
    if inner.manifest.get("format") == archive.POSTERIOR:
        posterior = posterior_files.read(inner)
        network = network_of(posterior)
    else:
        network = Network._restored(io.read(inner))
    outputs = 1 if schema.target.kind == NUMBER else len(schema.target.levels)
    if (network.layers[0], network.layers[-1]) != (len(schema.names), outputs):
        raise ModelFormatError(f"path: expected a network of {len(schema.names)} inputs and {outputs} outputs")
    noise = told["noise_std"]
    noise = None if noise is None else check.number(noise, "noise_std", 0.0)
    settings = _texts(told["settings"].values(), told["settings"])
    notes, is_even = tuple(map(str, told["notes"])), check.boolean(told["even"], "even")
    hot = check.number(told["temperature"], "temperature", 0.0, above=True)
    return TableModel(schema, network, posterior, noise, settings, notes, scores, is_even, hot)


def network_of(posterior: Any) -> Network:
    """The network of a posterior, of a mixture that of its first member."""
    return getattr(posterior, "members", [posterior])[0].network  # type: ignore[no-any-return]


def _schema(listed: Sequence[Any], file: Archive) -> Schema:
    measured = file.array(COLUMNS, np.float64, (len(listed), len(MEASURED)))
    columns = [
        Column(str(name), check.choice(kind, "kind", KINDS), tuple(map(str, levels)), *map(float, numbers))
        for (name, kind, levels), numbers in zip(listed, measured, strict=True)
    ]
    return Schema(tuple(columns[:-1]), columns[-1])


def _texts(values: Any, settings: dict[str, Any]) -> dict[str, Any]:
    for value in values:
        if not isinstance(value, TEXTS):
            raise ModelFormatError(f"path: expected settings of plain values, got {check.shown(value)}")
    return settings
