"""PyTorch: sequences of layers and state dicts as networks, and networks as such a sequence.

exchange  `from_torch` and `to_torch`
reading   its modules as layers
layers    layers as its modules
"""

from fastmlp.bridges.torch.exchange import from_torch, to_torch

__all__ = ["from_torch", "to_torch"]
