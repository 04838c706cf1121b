"""`load`: what `save` of networks, posteriors and models of tables has written."""

from __future__ import annotations

import os
from typing import Any

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp.errors import ModelFormatError
from fastmlp.model import archive, io
from fastmlp.model.archive import Archive
from fastmlp.network import Network

#: what is read by modules that take longer to import than a network to be read
LATER = {archive.POSTERIOR: "fastmlp.bayes.posterior_files", archive.TABLE: "fastmlp.tables.model"}


def load(path: str | os.PathLike[str]) -> Any:
    """Read a network that `Network.save` has written, a posterior, or the model of a table of ``fastmlp fit``.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Network, Laplace, Evidence, Mixture or TableModel
        What was saved: a network equal to it, to the bit; a posterior or a model whose predictions are the same, to
        the bit. A `TableModel` has `predict` for frames of pandas, `network`, `posterior` and `schema`.

    Raises
    ------
    ModelFormatError
        If the file is not a saved network or posterior, is damaged, or was written by a newer version.
    OSError
        If the file cannot be read.

    Notes
    -----
    Nothing in a file is executed. ``docs/exchange.md`` has the format.
    """
    return archive.load(path, _read)


def _read(file: Archive) -> Any:
    """By the format that the manifest names."""
    named = file.manifest.get("format")
    if named == archive.NETWORK:
        return Network._restored(io.read(file))
    if named in LATER:
        return _memory.undisturbed(LATER[named], "fastmlp").read(file)
    expected = " or ".join(map(repr, (archive.NETWORK, *LATER)))
    raise ModelFormatError(f"path: expected a manifest of format {expected}, got another: {check.shown(named)}")
