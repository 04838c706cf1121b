"""Many trainings: several networks at once, sweeps over sizes and starts, and what they have found.

choosing      sweeps; sweep_result: what one has found
many          many networks on one data set
anywhere      trained here or by executors, but for what a folder has
tasks         networks to be trained, each on its own samples: all at once, compiled, or one by one
"""

from fastmlp.runs.choosing import sweep
from fastmlp.runs.many import fit_many
from fastmlp.runs.sweep_result import Run, Sweep

__all__ = ["Run", "Sweep", "fit_many", "sweep"]
