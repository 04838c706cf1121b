"""Many trainings: several networks at once, sweeps over sizes and starts, and what they have found."""

from fastmlp.runs.choosing import sweep
from fastmlp.runs.found import Run, Sweep
from fastmlp.runs.many import fit_many

__all__ = ["Run", "Sweep", "fit_many", "sweep"]
