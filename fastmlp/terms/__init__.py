"""What is minimised: an objective, the sum of terms, each a function of the network's parameters.

objective  the sum, as a function of the free parameters alone
penalties  all terms but the data's, as functions of the free parameters
reparam    fixed and shared weights: from the free parameters to all, and back
data       the loss over the samples
outputs    what each output tells of its noise: squared errors, and how many parameters its targets determine
gaussian   weight decay: the negative logarithm of a Gaussian prior
by_chunks  the data term of samples in chunks, as compiled loops ask for it
tangents   derivatives in directions of the inputs: tangent propagation, derivative data
told       units of columns that are constant, where derivative data tell them
quadratic  a quadratic form around a point: an old posterior as a prior
term       the protocol of any other term, and sums
asked      what terms in Python are asked for, and what is made of their answers
"""

from fastmlp.terms.data import DataTerm
from fastmlp.terms.gaussian import WeightDecay
from fastmlp.terms.quadratic import Quadratic
from fastmlp.terms.tangents import TangentPropagation
from fastmlp.terms.term import Sum, Term

__all__ = ["DataTerm", "Quadratic", "Sum", "TangentPropagation", "Term", "WeightDecay"]
