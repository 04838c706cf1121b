"""Pruning by second derivatives, and re-training: Optimal Brain Surgeon, and what belongs to it.

prune             the least significant weights deleted, round by round; walk: the rounds
saliencies        what each deletion would do
refitting         to the optimum of new data from that of the old
criteria          how a step of a path is chosen
deletion_methods  how deletions are chosen, by name
deletions         deletions from one quadratic model: Optimal Brain Surgeon, maintained
living            an optimum without what has died there by itself
retraining        from the model's minimum to the minimum itself
pruning_path      what has been found: a path, and the network that was chosen
optimum           a trained network, and its second derivatives, their inverse, evidence, criteria
reduced           the objective in the compact network of what is left
problem           what is pruned: a network, its samples and its penalty, or a posterior
compacting        a network without units and inputs that do nothing
candidates        what may be deleted
"""

from fastmlp.pruning.compacting import compact
from fastmlp.pruning.prune import prune
from fastmlp.pruning.pruning_path import PruningPath, PruningStep
from fastmlp.pruning.refitting import refit
from fastmlp.pruning.saliencies import Saliencies, saliencies

__all__ = ["PruningPath", "PruningStep", "Saliencies", "compact", "prune", "refit", "saliencies"]
