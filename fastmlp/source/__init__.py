"""Networks as source code: programs in other languages, which need neither Python nor this library.

c               `to_c`: what is to be written
c_program       the whole text
c_derivatives   its functions NET_jacobian and NET_std
c_outputs       its constants, and NET_predict
c_formula       a network between two scales, and how it is to be written
c_layers        the products of layers, forward and back
c_numbers       literals; exp, tanh and the other activations
"""

from fastmlp.source.c import to_c

__all__ = ["to_c"]
