"""Terms of an objective: each a function of the network's parameters.

data       the loss over the samples
gaussian   weight decay: the negative logarithm of a Gaussian prior
quadratic  a quadratic form around a point: an old posterior as a prior
term       the protocol of any other term, and sums
asked      what terms in Python are asked for, and what is made of their answers
"""

from fastmlp.terms.data import DataTerm
from fastmlp.terms.gaussian import WeightDecay
from fastmlp.terms.quadratic import Quadratic
from fastmlp.terms.term import Sum, Term

__all__ = ["DataTerm", "Quadratic", "Sum", "Term", "WeightDecay"]
