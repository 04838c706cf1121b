"""Pruning by second derivatives, and re-training: Optimal Brain Surgeon, and what belongs to it."""

from fastmlp.pruning.compacting import compact
from fastmlp.pruning.prune import prune
from fastmlp.pruning.pruning_path import PruningPath, PruningStep
from fastmlp.pruning.refitting import refit
from fastmlp.pruning.saliencies import Saliencies, saliencies

__all__ = ["PruningPath", "PruningStep", "Saliencies", "compact", "prune", "refit", "saliencies"]
