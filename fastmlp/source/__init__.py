"""Networks as source code: programs in other languages, which need neither Python nor this library.

c               `to_c`: what is to be written
c_program       the whole text
c_derivatives   its functions NET_jacobian and NET_std
c_outputs       its constants, and NET_predict

fortran         `to_fortran`: a module over that C

formula         `to_formula`: what is to be written, and what cannot be
formula_texts   functions of Python, JavaScript and MATLAB, expressions of SQL
formula_lines   what they are made of, a line for each number
formula_excel   the formula of a spreadsheet, of matrices
formula_dialects  how each language says h(z)

models          what to write of networks, posteriors and estimators
c_formula       a network between two scales, and how it is to be written
c_layers        the products of layers, forward and back
c_numbers       literals; exp, tanh and the other activations
"""

from fastmlp.source.c import to_c
from fastmlp.source.formula import to_formula
from fastmlp.source.fortran import to_fortran

__all__ = ["to_c", "to_formula", "to_fortran"]
