"""Posteriors out of files: each of the class that was saved."""

from __future__ import annotations

from fastmlp import _validation as check
from fastmlp.bayes import stored
from fastmlp.bayes.evidence import Evidence
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.mixture import Mixture
from fastmlp.errors import ModelFormatError
from fastmlp.model.archive import MANIFEST, Archive

SINGLE: dict[str, type[Laplace]] = {"Laplace": Laplace, "Evidence": Evidence}


def read(file: Archive) -> Laplace | Mixture:
    """What `Laplace.save` or `Mixture.save` has written."""
    file.check_version(stored.VERSION)
    kind = check.choice(file.manifest["kind"], "kind", (*SINGLE, "Mixture"))
    listed = check.sequence(file.manifest["posteriors"], "posteriors", "a list")
    expected = [MANIFEST, *(stored.member(n, name) for n, each in enumerate(listed) for name in each["arrays"])]
    if file.names != expected or not listed or (kind in SINGLE and len(listed) > 1):
        raise ModelFormatError(f"path: expected the members of a posterior of kind {kind}, got {file.names}")
    own = SINGLE.get(kind, Evidence)
    members = [own._of_entry(stored.read_entry(file, n)) for n in range(len(listed))]
    return members[0] if kind in SINGLE else Mixture._of_members(members)
