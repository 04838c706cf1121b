"""MATLAB and Octave: NETLAB's structs and constants of genFunction as networks.

reading  `from_mat`
files    .mat files as arrays, texts, structs and cells
"""

from fastmlp.bridges.mat.reading import from_mat

__all__ = ["from_mat"]
