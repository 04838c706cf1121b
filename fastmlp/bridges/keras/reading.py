"""Models of Keras as networks."""

from __future__ import annotations

import os

import numpy as np

from fastmlp import _validation as check
from fastmlp.bridges.assembly import assembled
from fastmlp.bridges.keras.chain import Chain
from fastmlp.bridges.keras.config import layers_of, loss_of
from fastmlp.bridges.keras.files import stored
from fastmlp.bridges.keras.layers import take
from fastmlp.model.activations import IDENTITY, OUTPUT
from fastmlp.network.network import Network


def from_keras(path: str | os.PathLike[str], output: str | None = None, loss: str | None = None) -> Network:
    """The network in a file that Keras wrote.

    Parameters
    ----------
    path : str or path-like
        ``model.save("model.keras")`` of Keras 3, or a whole model in ``.h5``: Sequential, or Functional with one layer
        after the other, of Dense, Conv1D, Conv2D, their pools and activations. Dropout and noise are passed over.
        Normalization, Rescaling and BatchNormalization become part of the weights beside them.
    output : str, optional
        Activation of the outputs, where the model ends with a linear layer: what belongs to a loss that was given
        ``from_logits=True``. identity by default, as in Keras.
    loss : str, optional
        As for `Network`; by default squared_error where the model was compiled with the mean squared error, else
        what belongs to the outputs.

    Returns
    -------
    Network
        In the type of the weights, float32 unless Keras was told otherwise. They are the same to the last bit, but for
        those that have taken up a normalization.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is no model of Keras, or damaged. If a layer has no counterpart: the message has its name and class.
        Nothing in the file is executed, of Lambda layers and own classes neither.

    Notes
    -----
    Neither Keras nor h5py is needed.

    Images are channels last in Keras. Here rows are in the order channel, row, column: of samples (N, height, width,
    channels) ``X.transpose(0, 3, 1, 2)``. Weights are brought into this order, also of the dense layer behind Flatten.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.from_keras("model.keras")  # doctest: +SKIP
    """
    name = check.path(path)
    output = None if output is None else check.choice(output, "output", OUTPUT)
    try:
        model = stored(name)
        chain = Chain(model.numbers)
        with np.errstate(all="ignore"):
            for layer in layers_of(model.config):
                take(chain, layer)
            layers, weights, biases, hidden, last = chain.result()
    except RecursionError as error:
        raise ValueError(f"path: expected layers in a list, got lists in lists, too many of them, in {name}") from error
    if output is not None and last is not None and output != last:
        raise ValueError(f"output: expected None or {last}, with which the model ends, got {check.shown(output)}")
    given = output or last or IDENTITY.name
    loss = loss_of(model.training, given) if loss is None else loss
    return assembled(layers, weights, biases, hidden, given, loss, argument="path")
