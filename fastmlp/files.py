"""`load`: what `save` of networks and posteriors has written."""

from __future__ import annotations

import os
from typing import Any

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp.errors import ModelFormatError
from fastmlp.model import archive, io
from fastmlp.model.archive import Archive
from fastmlp.network import Network


def load(path: str | os.PathLike[str]) -> Any:
    """Read a network that `Network.save` has written, or a posterior of `Laplace.save` or `Mixture.save`.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Network, Laplace, Evidence or Mixture
        What was saved: a network equal to it, to the bit; a posterior whose predictions are the same, to the bit.

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
    if named == archive.POSTERIOR:  # whose modules take longer to import than to read a network
        return _memory.undisturbed("fastmlp.bayes.posterior_files", "fastmlp").read(file)
    expected = f"{archive.NETWORK!r} or {archive.POSTERIOR!r}"
    raise ModelFormatError(f"path: expected a manifest of format {expected}, got another: {check.shown(named)}")
