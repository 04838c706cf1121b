"""Terms of an objective: each a function of the network's parameters.

data      the loss over the samples
gaussian  weight decay: the negative logarithm of a Gaussian prior
"""

from fastmlp.terms.data import DataTerm
from fastmlp.terms.gaussian import WeightDecay

__all__ = ["DataTerm", "WeightDecay"]
