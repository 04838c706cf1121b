"""Pruning by second derivatives, and re-training: Optimal Brain Surgeon, and what belongs to it."""

from fastmlp.pruning.compacting import compact
from fastmlp.pruning.found import PruningPath, PruningStep
from fastmlp.pruning.path import prune
from fastmlp.pruning.refitting import refit
from fastmlp.pruning.saliencies import Saliencies, saliencies

__all__ = ["PruningPath", "PruningStep", "Saliencies", "compact", "prune", "refit", "saliencies"]
