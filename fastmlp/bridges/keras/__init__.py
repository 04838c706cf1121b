"""Keras: models in its files as networks, without Keras and without h5py.

reading  `from_keras`
layers   what each layer of Keras is here
chain    the layers so far, and what passes from one to the next
config   what a model is made of, in JSON
files    .keras and .h5
hdf5     the arrays in them
"""

from fastmlp.bridges.keras.reading import from_keras

__all__ = ["from_keras"]
