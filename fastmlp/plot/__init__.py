"""Pictures of training and of what came of it. matplotlib is imported by the functions only.

Each takes the axes to draw into (`ax`, None: a new figure) and returns them, so that pictures combine with any others.

changes     samples beside draws of random changes
classes     which were taken for which
diagram     inputs, units, and the weights between them
evidence    what it says about networks and inputs
importance  what several methods say of each input; profiles
maps        filters, and what they find
inputs      what each does to the outputs
outputs     functions of one input, and samples of functions
pruning     paths
sweeps      sizes and starts
training    the course of a training
weights     the weights themselves
"""

from fastmlp.plot.changes import transformed
from fastmlp.plot.classes import confusion_matrix
from fastmlp.plot.diagram import diagram
from fastmlp.plot.evidence import evidence, relevances
from fastmlp.plot.importance import importances, lekprofile
from fastmlp.plot.inputs import sensitivity
from fastmlp.plot.maps import feature_maps, filters
from fastmlp.plot.outputs import function, functions
from fastmlp.plot.pruning import pruning
from fastmlp.plot.sweeps import sweep
from fastmlp.plot.training import learning_curves
from fastmlp.plot.weights import hinton

__all__ = [
    "confusion_matrix",
    "diagram",
    "evidence",
    "feature_maps",
    "filters",
    "function",
    "functions",
    "hinton",
    "importances",
    "learning_curves",
    "lekprofile",
    "pruning",
    "relevances",
    "sensitivity",
    "sweep",
    "transformed",
]
