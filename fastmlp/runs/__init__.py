"""Many trainings: several networks at once, sweeps over sizes and starts, and what they have found."""

from fastmlp.runs.choosing import sweep
from fastmlp.runs.many import fit_many
from fastmlp.runs.sweep_result import Run, Sweep

__all__ = ["Run", "Sweep", "fit_many", "sweep"]
